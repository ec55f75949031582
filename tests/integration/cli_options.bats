#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Options, help, version, logs.
bats_require_minimum_version 1.5.0
load helpers

setup() { bundle_setup; }
teardown() { bundle_teardown; }

RUNC_COMMANDS="checkpoint create delete events exec features kill list pause ps restore resume run spec start state update"
COMMANDS="$RUNC_COMMANDS debug do list-syscalls usage wait"

@test "--version has the lines that Docker and containerd parse" {
	run -0 "$MOAT" --version
	[[ ${lines[0]} =~ ^moat\ version\ [0-9]+\.[0-9]+\.[0-9]+ ]]
	[[ ${lines[1]} =~ ^commit:\ .+ ]]
	[[ ${lines[2]} =~ ^spec:\ 1\.[0-9]+\.[0-9]+ ]]
	run -0 "$MOAT" -v
	[[ ${lines[0]} == "moat version "* ]]
}

@test "--help lists every command and hides the internal ones" {
	run -0 "$MOAT" --help
	for command in $COMMANDS; do
		[[ $output == *"   $command "* ]]
	done
	[[ $output != *"   boot "* ]]
	[[ $output != *"   gofer "* ]]
}

@test "each command has runc's flags" {
	command -v runc || skip "runc is not installed"
	for command in $RUNC_COMMANDS; do
		wanted=$(runc $command --help | grep -oE '^ +--[a-z0-9-]+' | tr -d ' ' | sort)
		got=$("$MOAT" $command --help | grep -oE '^ +--[a-z0-9-]+' | tr -d ' ' | sort)
		missing=$(comm -23 <(echo "$wanted") <(echo "$got"))
		[ -z "$missing" ] || { echo "$command lacks $missing"; return 1; }
	done
}

@test "each option is in the command's manual page" {
	man=$BATS_TEST_DIRNAME/../../man
	for command in $COMMANDS; do
		for option in $("$MOAT" $command --help | grep -oE '^ +--[a-z0-9-]+' | tr -d ' -'); do
			tr -d '\\-' <"$man/moat-$command.8" | grep -qE "Fl (.* )?$option( |$)" ||
				{ echo "moat-$command.8 lacks $option"; return 1; }
		done
	done
	for option in $("$MOAT" --help | sed -n '/GLOBAL OPTIONS/,$p' | grep -oE '^ +--[a-z0-9-]+' | tr -d ' '); do
		grep -q -- "${option#--}" "$man/moat.8" || { echo "moat.8 lacks $option"; return 1; }
	done
}

# What bash would offer for the last of the words, sorted.
completed() {
	# shellcheck disable=SC2034 # read by the completion
	bash -c 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _moat "$1"; printf "%s\n" "${COMPREPLY[@]}"' - \
		"$BATS_TEST_DIRNAME/../../contrib/completion/moat" "$MOAT" "$@" | sort | sed '/^$/d'
}

@test "bash completes commands, options, containers and values" {
	options() { grep -oE '^ +--[a-z0-9-]+' | tr -d ' ' | sort; }
	diff <(completed "") <("$MOAT" --help | sed -nE '/^COMMANDS:/,/^$/ s/^   ([a-z-]+).*/\1/p' | sort)
	diff <(completed --) <("$MOAT" --help | sed -n '/GLOBAL OPTIONS/,$p' | options)
	for command in $COMMANDS; do
		diff <(completed $command --) <("$MOAT" $command --help | options) || { echo "in: $command"; return 1; }
	done
	args sleep 100
	run_detached "$ID"
	for command in delete exec kill ps state update; do
		[ "$(completed --root "$ROOT" $command "")" = "$ID" ]
		[ "$(completed --log /x --root="$ROOT" $command "${ID:0:3}")" = "$ID" ]
	done
	[ "$(completed --log-format "" | xargs)" = "json text" ]
	[ "$(completed list -f j)" = json ]
	[ "$(completed help che)" = checkpoint ]
}

@test "an unknown global flag" {
	run_fails 1 "flag provided but not defined: -nosuch" "$MOAT" --nosuch list
}

@test "an unknown flag of a command" {
	for command in $COMMANDS; do
		run_fails 1 "flag provided but not defined: -nosuch" "$MOAT" $command --nosuch
	done
}

@test "an unknown command" {
	run_fails 3 "No help topic for 'bogus'" "$MOAT" bogus
}

@test "bad values of global flags" {
	run_fails 1 'invalid log-format: xml' "$MOAT" --log-format xml list
	run_fails 1 'invalid --platform "kvm"' "$MOAT" --platform kvm list
	run_fails 1 'invalid --overlay "disk"' "$MOAT" --overlay disk list
	run_fails 1 'invalid --network "sandbox"' "$MOAT" --network sandbox list
	run_fails 1 'invalid --rootless "maybe"' "$MOAT" --rootless maybe list
	run_fails 1 'flag needs an argument: -root' "$MOAT" --root
	run_fails 1 'invalid boolean value "x" for -debug: parse error' "$MOAT" --debug=x list
}

# What comes before the help, the status and the error; the help's words are not runc's.
usage_of() {
	local out=$BATS_TEST_TMPDIR/usage.${1##*/}
	observe "$out" "$@"
	sed -E '/^NAME:/,/^status/ { /^status/!d }; s/^time="[^"]*"//; s/moat|runc/RUNTIME/g; s/\\n"$/"/' "$out"
}

@test "misuse is answered as by runc" {
	command -v runc || skip "runc is not installed"
	local line
	for line in '--nosuch list' '-nosuch' '--root' 'run --nosuch a' 'run -x=1 a' 'run --pid-file' 'run ---x a' 'run' 'run a b' \
		'run --detach=maybe a' 'run --preserve-fds x a' 'run --preserve-fds 99999999999999999999 a' 'exec -t=x a true' \
		'events --interval 5 a' 'events --interval -x a' 'list -q=2' 'kill' 'state' 'help nosuch' 'nosuch' 'help run x' '--debug=x list'; do
		diff <(usage_of runc $line) <(usage_of "$MOAT" $line) || { echo "in: $line"; return 1; }
	done
}

@test "wrong numbers of arguments" {
	run_fails 1 'moat: "state" requires exactly 1 argument(s)' moat state
	run_fails 1 'moat: "start" requires exactly 1 argument(s)' moat start a b
	run_fails 1 'moat: "list" requires exactly 0 argument(s)' moat list x
	run_fails 1 'moat: "exec" requires a minimum of 1 argument(s)' moat exec
	run_fails 1 'moat: "kill" requires a maximum of 2 argument(s)' moat kill a b c
}

@test "all the ways to write an option" {
	run -0 "$MOAT" --root="$ROOT" list --format=json
	run -0 "$MOAT" -root "$ROOT" list -f json
	run -0 "$MOAT" --root "$ROOT" list -f=json
	run -0 "$MOAT" --root "$ROOT" --debug=false list -q=true
}

@test "a relative --root is below the caller's directory" {
	cd "$BATS_TEST_TMPDIR"
	args /bin/sleep 1000
	"$MOAT" --root here/state run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	[ -e "here/state/$ID/state.json" ]
	run -0 "$MOAT" --root ./here/../here/state state "$ID"
	run -0 "$MOAT" --root "$PWD/here/state" exec "$ID" true
	"$MOAT" --root here/state delete -f "$ID"
	[ -z "$(ls here/state)" ]
}

@test "an error goes to --log as JSON, and to standard error as plain text" {
	log=$BATS_TEST_TMPDIR/log
	run_fails 1 "container does not exist" moat --log "$log" --log-format json state nope
	[ "$stderr" = "container does not exist" ]
	[ "$(jq -r .level "$log")" = error ]
	[ "$(jq -r .msg "$log")" = "container does not exist" ]
	jq -e .time "$log"
}

@test "an error in text form is runc's line" {
	run_fails 1 "" moat state nope
	[[ $stderr =~ ^time=\"[0-9TZ:-]+\"\ level=error\ msg=\"container\ does\ not\ exist\"$ ]]
}

@test "boot and gofer refuse to be started by hand" {
	run_fails 1 "not to be started by hand" "$MOAT" boot
	run_fails 1 "not to be started by hand" "$MOAT" gofer
	run_fails 1 "not to be started by hand" "$MOAT" gofer --root-fd 0 --start-fd 1
}

@test "features is JSON, with runc's keys" {
	"$MOAT" features | jq -e .
	command -v runc || skip "runc is not installed"
	missing=$(comm -23 <(runc features | jq -r 'keys[]' | sort) \
		<("$MOAT" features | jq -r 'keys[]' | sort))
	[ -z "$missing" ]
}

@test "features claims what runc has, without what a sandbox does not honour" {
	command -v runc || skip "runc is not installed"
	ours=$("$MOAT" features) theirs=$(runc features)
	[ "$(jq -c .hooks <<<"$ours")" = "$(jq -c .hooks <<<"$theirs")" ]
	[ "$(jq -c '.linux.namespaces - ["time"]' <<<"$ours")" = "$(jq -c '.linux.namespaces' <<<"$theirs")" ]
	[ "$(jq -c '.linux.capabilities | sort' <<<"$ours")" = "$(jq -c '.linux.capabilities | sort' <<<"$theirs")" ]
	[ "$(jq -c '[.linux.seccomp.enabled, .linux.apparmor.enabled, .linux.selinux.enabled]' <<<"$ours")" = \
		'[true,false,false]' ]
	[ "$(jq -c '.linux.cgroup | del(.rdma)' <<<"$ours")" = "$(jq -c '.linux.cgroup' <<<"$theirs")" ]
	# No option that runc does not know (idmap is of 1.2), and none that is ignored.
	[ "$(jq -c --argjson t "$theirs" '.mountOptions - $t.mountOptions - ["async", "rbind", "idmap", "ridmap"]' <<<"$ours")" = '[]' ]
	[ "$(jq -c '[.mountOptions[] | select(IN("nosymfollow", "sync", "acl", "lazytime"))]' <<<"$ours")" = '[]' ]
}

@test "features lists the annotations that change what is done" {
	list=$("$MOAT" features | jq -r '.potentiallyUnsafeConfigAnnotations[]')
	# Each kind, by what it does wrong: no other key has any effect.
	for key in io.kubernetes.cri.container-type io.kubernetes.cri-o.ContainerType; do
		grep -qx "$key" <<<"$list"
		config '.annotations = {($k): "neither"}' --arg k "$key"
		run_fails 1 "annotation $key: unknown type \"neither\"" moat run -b "$BUNDLE" "$ID"
	done
	config '.annotations = {"io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.sandbox-id": "none"}'
	run_fails 1 none moat run -b "$BUNDLE" "$ID"
	grep -qx io.kubernetes.cri.sandbox-id <<<"$list"
	grep -qx io.kubernetes.cri-o.SandboxID <<<"$list"
	grep -qxF org.systemd.property. <<<"$list"
	[ "$(wc -l <<<"$list")" -eq 5 ]
}

@test "every mount option that features claims is accepted, and shows as under runc" {
	command -v runc || skip "runc is not installed"
	config '.process.args = ["/bin/sh", "-c", "grep \" /m/\" /proc/self/mountinfo"]'
	mkdir "$BATS_TEST_TMPDIR/src"
	for option in $("$MOAT" features | jq -r '.mountOptions[] | select((IN("bind", "rbind", "defaults", "idmap", "ridmap") or test("^r.*atime$")) | not)'); do
		config '.mounts += [{"destination": "/m/\($o)", "type": "bind", "source": $s, "options": ["rbind", $o]}]' \
			--arg o "$option" --arg s "$BATS_TEST_TMPDIR/src"
	done
	for options in noatime,relatime relatime,noatime strictatime,noatime noatime,strictatime strictatime,relatime \
		relatime,strictatime,nostrictatime noatime,atime nodiratime,noatime,diratime ro,rw rw,ro nodev,dev,nodev \
		norelatime,noatime noexec,rexec suid,rnosuid ro,rrw; do
		config '.mounts += [{"destination": "/m/\($o)", "type": "bind", "source": $s, "options": (["rbind"] + ($o / ","))}]' \
			--arg o "$options" --arg s "$BATS_TEST_TMPDIR/src"
	done
	# runc 1.1 itself gets EINVAL for some of the recursive access times.
	fields() { awk '{ print $5, $6 }' | sort; }
	moat run -b "$BUNDLE" "$ID" | fields >"$BATS_TEST_TMPDIR/moat.mounts"
	runc --root "$BATS_TEST_TMPDIR/runc" run -b "$BUNDLE" "$ID-runc" | fields >"$BATS_TEST_TMPDIR/runc.mounts"
	diff "$BATS_TEST_TMPDIR/runc.mounts" "$BATS_TEST_TMPDIR/moat.mounts"
}

@test "HOME is the user's, from the container's /etc/passwd" {
	command -v runc || skip "runc is not installed"
	printf 'root:x:0:0:r:/root:/bin/sh\nbad line\nu:x:5:5:u:/home/u:/bin/sh\ne:x:6:6:::\nu:x:5:5:u:/second:/bin/sh\n' >"$BUNDLE/rootfs/etc/passwd"
	args /bin/env
	for uid in 0 5 6 7; do
		config '.process.user.uid = $u' --argjson u $uid
		for home in del '"HOME=/given"' '"HOME="'; do
			config '.process.env |= map(select(startswith("HOME") | not))'
			[ $home = del ] || config ".process.env += [$home]"
			diff <(runc --root "$BATS_TEST_TMPDIR/runc" run -b "$BUNDLE" "$ID-runc" | sort) <(moat run -b "$BUNDLE" "$ID" | sort)
		done
	done
}

@test "ambient capabilities need inheritable ones, as on Linux" {
	command -v runc || skip "runc is not installed"
	config '.process.user.uid = 5 | .process.args = ["/bin/sh", "-c", "grep ^Cap /proc/self/status"]'
	diff <(runc --root "$BATS_TEST_TMPDIR/runc" run -b "$BUNDLE" "$ID-runc") <(moat run -b "$BUNDLE" "$ID")
	config '.process.capabilities.inheritable = .process.capabilities.permitted'
	diff <(runc --root "$BATS_TEST_TMPDIR/runc" run -b "$BUNDLE" "$ID-runc") <(moat run -b "$BUNDLE" "$ID")
}

@test "sets of capabilities that Linux does not have are refused, names that it does not have are not" {
	command -v runc || skip "runc is not installed"
	cp "$BUNDLE/config.json" "$BATS_TEST_TMPDIR/base.json"
	for change in '.inheritable = ["CAP_SYS_ADMIN"]' '.effective += ["CAP_SYS_ADMIN"]' '.permitted = []' '.bounding = []' \
		'.ambient = ["CAP_SYS_ADMIN"]' '.bounding += ["CAP_NOSUCH"] | .ambient = ["X", "A"]' '.effective += ["cap_sys_admin"]'; do
		jq ".process.capabilities |= ($change)" "$BATS_TEST_TMPDIR/base.json" >"$BUNDLE/config.json"
		args sh -c 'grep ^Cap /proc/self/status'
		rm -f "$BATS_TEST_TMPDIR"/*.log
		observe "$BATS_TEST_TMPDIR/runc.out" runc --root "$BATS_TEST_TMPDIR/runc" --log "$BATS_TEST_TMPDIR/runc.log" run -b "$BUNDLE" "$ID-runc"
		observe "$BATS_TEST_TMPDIR/moat.out" moat --log "$BATS_TEST_TMPDIR/moat.log" run -b "$BUNDLE" "$ID"
		for file in "$BATS_TEST_TMPDIR"/{runc,moat}.{out,log}; do
			sed -Ei 's/runc|moat/RUNTIME/g; s/^time="[^"]*"//; s/failed: .*(unable to apply caps: operation not permitted).*/failed: \1/' "$file"
		done
		diff "$BATS_TEST_TMPDIR/runc.out" "$BATS_TEST_TMPDIR/moat.out"
		diff <(tr -d '"' <"$BATS_TEST_TMPDIR/runc.log") <(tr -d '"' <"$BATS_TEST_TMPDIR/moat.log")
	done
}

# The network namespace of the container's process on the host.
network_of() {
	readlink "/proc/$(moat state "$ID" | jq .pid)/ns/net"
}

@test "--network=none: a network namespace by path is not entered" {
	config '(.linux.namespaces[] | select(.type == "network")).path = "/proc/1/ns/net" | .process.args = ["/bin/sh", "-c", "tail -n +3 /proc/net/dev | cut -d: -f1"]'
	run -0 moat --network=none run -b "$BUNDLE" "$ID"
	[ "$(xargs <<<"$output")" = lo ]
	args sleep 100
	moat --network=none run -d -b "$BUNDLE" "$ID" >/dev/null 2>&1 </dev/null
	[ "$(network_of)" != "$(readlink /proc/1/ns/net)" ]
}

@test "--network=host: the sandbox is in the namespace that config.json says" {
	local path=$BATS_TEST_TMPDIR/net show="ip -4 addr | awk '/inet / { print \$2 }' | sort | xargs"
	touch "$path"
	unshare --net="$path" sh -c 'ip link set lo up && ip addr add 10.99.0.1/32 dev lo'
	config "(.linux.namespaces[] | select(.type == \"network\")).path = \"$path\""
	config ".process.args = [\"/bin/sh\", \"-c\", $(jq -R . <<<"$show")]"
	run -0 moat --network=host run -b "$BUNDLE" "$ID"
	[ "$output" = "10.99.0.1/32 127.0.0.1/8" ]
	# What the sentry's guests may bind to is the sentry's to say.
	[ "$(nsenter --net="$path" cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" = 0 ]
	umount "$path"
	config '(.linux.namespaces[] | select(.type == "network")) |= del(.path)'
	run -0 moat --network=host run -b "$BUNDLE" "$ID"
	[ "$output" = 127.0.0.1/8 ]
	before=$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range)
	config '.linux.namespaces |= map(select(.type != "network"))'
	run -0 moat --network=host run -b "$BUNDLE" "$ID"
	[ "$output" = "$(sh -c "$show")" ]
	args sleep 100
	moat --network=host run -d -b "$BUNDLE" "$ID" >/dev/null 2>&1 </dev/null
	[ "$(network_of)" = "$(readlink /proc/self/ns/net)" ]
	[ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range)" = "$before" ]
}

@test "--network=host: a namespace that is none, or is not there" {
	config '(.linux.namespaces[] | select(.type == "network")).path = "/proc/self/ns/uts"'
	run_fails 1 "enter the network namespace" moat --network=host run -b "$BUNDLE" "$ID"
	config '(.linux.namespaces[] | select(.type == "network")).path = "/no/such/namespace"'
	run_fails 1 "open network namespace /no/such/namespace" moat --network=host run -b "$BUNDLE" "$ID"
}

@test "--network=host: parameters go to the namespace and to no other" {
	config '.linux.sysctl = { "net.ipv4.tcp_keepalive_time": "88", "net.ipv4.conf.lo.forwarding": "1" }'
	args sleep 100
	before=$(cat /proc/sys/net/ipv4/tcp_keepalive_time)
	moat --network=host run -d -b "$BUNDLE" "$ID" >/dev/null 2>&1 </dev/null
	pid=$(moat state "$ID" | jq .pid)
	[ "$(nsenter -t "$pid" -n cat /proc/sys/net/ipv4/tcp_keepalive_time)" = 88 ]
	[ "$(nsenter -t "$pid" -n cat /proc/sys/net/ipv4/conf/lo/forwarding)" = 1 ]
	[ "$(moat exec "$ID" cat /proc/sys/net/ipv4/tcp_keepalive_time)" = 88 ]
	[ "$(cat /proc/sys/net/ipv4/tcp_keepalive_time)" = "$before" ]
	moat delete -f "$ID"
	config '.linux.sysctl = { "net.ipv4.no_such_parameter": "1" }'
	run_fails 1 "sysctl net.ipv4.no_such_parameter" moat --network=host run -b "$BUNDLE" "$ID"
}

@test "--rootless takes what runc takes" {
	for value in true false auto 1 0 T F True FALSE ""; do
		run -0 moat "--rootless=$value" list
	done
	for value in maybe yes 2; do
		run_fails 1 "invalid --rootless \"$value\"" moat "--rootless=$value" list
	done
}

# As a user without any privilege, on files of its own.
unprivileged() {
	setpriv --reuid 1000 --regid 1000 --clear-groups --no-new-privs "$@"
}

@test "without privilege: a container, or a clear error" {
	command -v setpriv || skip "setpriv is not installed"
	unprivileged test -x "$MOAT" || skip "others cannot execute $MOAT"
	home=$(mktemp -d /tmp/moat-user.XXXXXX)
	cp -r "$BUNDLE/rootfs" "$home/rootfs"
	chown -R 1000:1000 "$home"
	cd "$home"
	unprivileged "$MOAT" spec --rootless
	jq '.process.terminal = false | .process.args = ["/bin/id", "-u"]' config.json >"$BATS_TEST_TMPDIR/c"
	cp "$BATS_TEST_TMPDIR/c" config.json
	for option in --rootless=auto --rootless=true; do
		run -0 unprivileged "$MOAT" --root "$home/state" $option run "$ID"
		[ "$output" = 0 ]
	done
	run_fails 1 "permission denied" unprivileged "$MOAT" --root "$home/state" --rootless=false run "$ID"
	run_fails 1 "permission denied" unprivileged "$MOAT" --root /run/moat-of-root/x run "$ID"
	[ -z "$(ls -A "$home/state")" ]
	jq '.linux.uidMappings[0].size = 2' "$BATS_TEST_TMPDIR/c" >config.json
	run_fails 1 "failed" unprivileged "$MOAT" --root "$home/state" run "$ID"
	jq '.linux.resources.memory.limit = 100000000' "$BATS_TEST_TMPDIR/c" >config.json
	run_fails 1 "cgroup" unprivileged "$MOAT" --root "$home/state" run "$ID"
	[ -z "$(ls -A "$home/state")" ]
	cd /
	rm -r "$home"
	assert_nothing_left
}

@test "spec writes what runc writes, once" {
	cd "$BATS_TEST_TMPDIR"
	mkdir a b
	"$MOAT" spec -b a
	run_fails 1 "File config.json exists. Remove it first" "$MOAT" spec -b a
	run_fails 1 "chdir /nosuch" "$MOAT" spec -b /nosuch
	command -v runc || skip "runc is not installed"
	runc spec -b b
	diff <(jq -S 'del(.hostname)' a/config.json) <(jq -S 'del(.hostname)' b/config.json)
}

@test "spec --rootless is valid and maps the user" {
	"$MOAT" spec -b "$BATS_TEST_TMPDIR" --rootless
	jq -e '.linux.uidMappings[0].containerID == 0' "$BATS_TEST_TMPDIR/config.json"
}

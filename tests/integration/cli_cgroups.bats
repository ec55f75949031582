#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Control groups: limits, a group of somebody else's, and hosts with only one of the two
# versions, which mount namespaces stand for.
bats_require_minimum_version 1.5.0
load helpers

setup() { bundle_setup; }

teardown() {
	bundle_teardown
	find /sys/fs/cgroup -depth -type d -name "*$ID_PREFIX*" -exec rmdir {} + 2>/dev/null || true
}

# Runs a script in a mount namespace with one version only: in_host v1|v2 SCRIPT.
in_host() {
	unshare -m bash -c '
		set -e
		umount /sys/fs/cgroup/unified 2>/dev/null || true
		if [ "$1" = v2 ]; then
			umount -R /sys/fs/cgroup
			mount -t cgroup2 none /sys/fs/cgroup
		fi
		MOAT=$2 ROOT=$3 BUNDLE=$4 ID=$5
		moat() { "$MOAT" --root "$ROOT" "$@"; }
		eval "$6"' in_host "$1" "$MOAT" "$ROOT" "$BUNDLE" "$ID" "$2"
}

cgroup_file() { # controller, v1 file, v2 file
	if [ -e "/sys/fs/cgroup/$1$CGROUP" ]; then
		cat "/sys/fs/cgroup/$1$CGROUP/$2"
	else
		cat "/sys/fs/cgroup$CGROUP/$3"
	fi
}

@test "limits are those of config.json" {
	CGROUP=/$ID_PREFIX/one
	config ".linux.cgroupsPath = \"$CGROUP\" | .linux.resources.memory.limit = 134217728 |
		.linux.resources.cpu = {quota: 50000, period: 100000, shares: 512} |
		.linux.resources.pids.limit = 100"
	args sleep 100
	run_detached "$ID"
	[ "$(cgroup_file memory memory.limit_in_bytes memory.max)" = 134217728 ]
	[ "$(cgroup_file pids pids.max pids.max)" -ge 100 ]
	case "$(cgroup_file cpu cpu.cfs_quota_us cpu.max)" in
	50000 | "50000 100000") ;;
	*) return 1 ;;
	esac
	pid=$(moat state "$ID" | jq .pid)
	grep -q "$CGROUP\$" "/proc/$pid/cgroup"
	moat delete -f "$ID"
	find /sys/fs/cgroup -depth -type d -name "$ID_PREFIX" -exec rmdir {} +
	assert_nothing_left
}

# Each takes more than there is, by the guest's own writes or by what a call writes for it.
@test "who takes more memory than there is dies alone" {
	local turns='for turn in 1 2 3 4 5 6 7 8; do'

	turns+=' busybox dd if=/dev/zero of=/dev/null bs=200M count=1 2>/dev/null; echo "read $?";'
	turns+=' busybox awk "BEGIN { s = \"x\"; while (1) s = s s }" 2>/dev/null; echo "own $?"; done; echo end'

	config ".linux.cgroupsPath = \"/$ID_PREFIX/small\" |
		.linux.resources.memory = {limit: 50331648, swap: 50331648}"
	args sh -c "$turns"
	runc --root "$BATS_TEST_TMPDIR/runc" run -b "$BUNDLE" "$ID-runc" >"$BATS_TEST_TMPDIR/theirs" </dev/null
	[ "$(grep -c 137 "$BATS_TEST_TMPDIR/theirs")" = 16 ]
	for platform in trap ptrace; do
		moat --platform=$platform run -b "$BUNDLE" "$ID" >"$BATS_TEST_TMPDIR/ours" </dev/null
		diff "$BATS_TEST_TMPDIR/theirs" "$BATS_TEST_TMPDIR/ours"
	done
	find /sys/fs/cgroup -depth -type d -name "$ID_PREFIX" -exec rmdir {} +
	assert_nothing_left
}

# What each of the two makes of the same configuration, in the files of its cgroup.
written_by() { # runtime, files
	local runtime=$1 file
	shift
	CGROUP=/$ID_PREFIX/$(basename "$runtime")
	config ".linux.cgroupsPath = \"$CGROUP\""
	"$runtime" --root "$ROOT-$(basename "$runtime")" run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	for file in "$@"; do
		echo "$file: $(cat "/sys/fs/cgroup/${file%%.*}$CGROUP/$file")"
	done
	"$runtime" --root "$ROOT-$(basename "$runtime")" delete -f "$ID"
}

@test "rare limits are those that runc writes" {
	local disk ours theirs files=(memory.swappiness memory.oom_control cpu.rt_period_us
		blkio.throttle.read_bps_device blkio.throttle.write_iops_device)
	command -v runc || skip "runc is not installed"
	[ -d /sys/fs/cgroup/blkio ] || skip "no cgroup v1"
	disk=$(cat /sys/block/*/dev | grep -v ^7: | tail -1)
	config '.linux.resources.memory = {swappiness: 17, disableOOMKiller: true} |
		.linux.resources.cpu = {realtimePeriod: 500000} |
		.linux.resources.blockIO = {
			throttleReadBpsDevice: [{major: $major, minor: $minor, rate: 1048576}],
			throttleWriteIOPSDevice: [{major: $major, minor: $minor, rate: 77}]}' \
		--argjson major "${disk%:*}" --argjson minor "${disk#*:}"
	args sleep 100
	[ -e /sys/fs/cgroup/cpu/cpu.rt_period_us ] || { config 'del(.linux.resources.cpu)'; files=("${files[@]/cpu.rt_period_us}"); }
	ours=$(written_by "$MOAT" ${files[@]})
	theirs=$(written_by "$(command -v runc)" ${files[@]})
	echo "$ours"
	[ "$ours" = "$theirs" ]
	[[ "$ours" == *"swappiness: 17"*"$disk 1048576"*"$disk 77"* ]]
	find /sys/fs/cgroup -depth -type d -name "$ID_PREFIX" -exec rmdir {} +
}

@test "rules of devices leave what runc leaves" {
	local script ours theirs
	command -v runc || skip "runc is not installed"
	config '.linux.resources.devices = [{"allow": false, "access": "rwm"},
		{"allow": false, "type": "c", "major": 1, "minor": 5, "access": "r"}]'
	script='for d in null zero full random urandom tty; do
			cat </dev/null >/dev/$d; echo "$d: $?"
		done
		busybox head -c 3 /dev/zero | busybox wc -c
		busybox mknod /dev/mine c 1 3 && echo x >/dev/mine; echo $?
		busybox mknod /dev/disk b 8 0; echo $?; cat /dev/disk; echo $?'
	config '.process.args = ["/bin/sh", "-c", $script]' --arg script "$script"
	config '.process.capabilities |= map_values(. + ["CAP_MKNOD"]) | .root.readonly = false'
	ours=$(moat run -b "$BUNDLE" "$ID" 2>/dev/null)
	theirs=$(runc --root "$ROOT-runc" run -b "$BUNDLE" "$ID" 2>/dev/null)
	echo "$ours"
	[ "$ours" = "$theirs" ]
}

# Under one of the runtimes: where processes get by --cgroup, on the host and as they see it, and what is refused.
# Numbers of processes are not compared, nor are moat's own in the group.
exec_below() { # runtime, state directory, the hierarchies to look at, values of --cgroup
	local runtime=$1 state=$2 hierarchies=$3 value dir below turn
	CGROUP=/$ID_PREFIX/below
	shift 3
	rt() { "$runtime" --root "$state" "$@" </dev/null; }
	said() { sed -E 's/^time="[^"]*" //; s/(pid|write) [0-9]+/\1 N/g'; }
	inside() { # what the processes of the group are called
		local pid
		for pid in $(cat "$1/cgroup.procs"); do
			cat "/proc/$pid/comm" 2>/dev/null
		done | grep -v ^memfd:moat | sort | tr '\n' ' '
	}
	jq ".linux.cgroupsPath = \"$CGROUP\"" "$BUNDLE/config.json" >"$BUNDLE/new"
	mv "$BUNDLE/new" "$BUNDLE/config.json"
	rt run -d -b "$BUNDLE" "$ID" >/dev/null 2>&1
	for dir in $hierarchies; do
		mkdir -p "$dir$CGROUP/sub/deep"
		# Nobody can be in a cpuset of v1 that has no CPU.
		for below in sub sub/deep; do
			[ ! -e "$dir$CGROUP/cpuset.mems" ] || [ -e "$dir/cgroup.controllers" ] || {
				cat "$dir$CGROUP/cpuset.cpus" >"$dir$CGROUP/$below/cpuset.cpus"
				cat "$dir$CGROUP/cpuset.mems" >"$dir$CGROUP/$below/cpuset.mems"
			}
		done
	done
	for value in "$@"; do
		echo "--cgroup $value"
		# shellcheck disable=SC2086
		rt exec ${value:+--cgroup ${value// / --cgroup }} "$ID" sh -c 'cat /proc/self/cgroup; sh -c exit\ 3' 2>&1 |
			grep -v '^[1-9]' | said
		echo "status ${PIPESTATUS[0]}"
		rt exec -d --pid-file "$BUNDLE/pid" ${value:+--cgroup ${value// / --cgroup }} "$ID" \
			sh -c '(sleep 77 & exec sleep 78) & sleep 79' >/dev/null 2>&1 || continue
		set -- ${hierarchies%% *}
		for turn in $(seq 200); do
			case "$(for below in . sub sub/deep; do inside "$1$CGROUP/$below"; done)" in
			*sleep\ *sleep\ *sleep\ *) break ;;
			esac
			sleep 0.02
		done
		for dir in $hierarchies; do
			for below in . sub sub/deep; do
				echo "$dir $below: $(inside "$dir$CGROUP/$below")"
			done
		done
		rt exec "$ID" busybox killall sleep
		for turn in $(seq 200); do
			[ -n "$(for dir in $hierarchies; do cat "$dir$CGROUP"/sub/{,deep/}cgroup.procs; done)" ] || break
			sleep 0.02
		done
		# A group whose processes are gone is empty.
		for dir in $hierarchies; do
			rmdir "$dir$CGROUP/sub/deep" && mkdir "$dir$CGROUP/sub/deep" || echo busy
			[ ! -e "$dir$CGROUP/cpuset.mems" ] || [ -e "$dir/cgroup.controllers" ] || {
				cat "$dir$CGROUP/cpuset.cpus" >"$dir$CGROUP/sub/deep/cpuset.cpus"
				cat "$dir$CGROUP/cpuset.mems" >"$dir$CGROUP/sub/deep/cpuset.mems"
			}
		done
	done
	rt delete -f "$ID"
	find /sys/fs/cgroup -depth -type d -name "*$ID_PREFIX*" -exec rmdir {} +
}

below_setup() {
	command -v runc || skip "runc is not installed"
	config '.linux.namespaces |= map(select(.type != "cgroup")) + [{type: "cgroup"}]'
	args sh -c 'while :; do busybox sleep 1000; done'
	for applet in killall sh; do
		ln -sf busybox "$BUNDLE/rootfs/bin/$applet"
	done
}

@test "exec into a cgroup below the container's, v2" {
	below_setup
	local script
	script=$(declare -f exec_below)'
		exec_below "$RUNTIME" "$ROOT-$NAME" /sys/fs/cgroup "" / sub /sub sub/deep /sub/deep/ sub/../sub \
			"../../$ID_PREFIX/below/sub" : :/sub nope sub/nope .. ../other /../.. cpu:/sub cpu: foo:sub \
			a:b:c ":sub foo:bar" "sub sub" "sub cpu:sub"'
	export ID_PREFIX
	RUNTIME=runc NAME=runc in_host v2 "$script" >"$BATS_TEST_TMPDIR/theirs"
	for platform in trap ptrace; do
		printf '#!/bin/sh\nexec "%s" --platform=%s "$@"\n' "$MOAT" $platform >"$BATS_TEST_TMPDIR/$platform"
		chmod +x "$BATS_TEST_TMPDIR/$platform"
		RUNTIME=$BATS_TEST_TMPDIR/$platform NAME=moat in_host v2 "$script" >"$BATS_TEST_TMPDIR/ours"
		diff "$BATS_TEST_TMPDIR/theirs" "$BATS_TEST_TMPDIR/ours"
	done
	grep -q '^0::/sub/deep$' "$BATS_TEST_TMPDIR/ours"
	grep -q 'sub/deep: sleep sleep sleep $' "$BATS_TEST_TMPDIR/ours"
	! grep '^busy$' "$BATS_TEST_TMPDIR/ours"
}

# What a process sees of v1 is the sentry's: only where it is is compared.
@test "exec into a cgroup below the container's, v1 and v2" {
	local hierarchies="/sys/fs/cgroup/memory /sys/fs/cgroup/pids /sys/fs/cgroup/cpuset /sys/fs/cgroup/systemd /sys/fs/cgroup/unified" dir
	local values=(/ pids:sub memory,pids:/sub "pids:sub memory:sub/deep" "pids:sub pids:sub/deep" name=systemd:sub
		:/ memory:nope pids:sub/../../below/sub memory:.. foo:/sub systemd:sub a:b:c "sub sub" "sub pids:sub")
	for dir in $hierarchies; do
		[ -d "$dir" ] || skip "no $dir"
	done
	below_setup
	exec_below runc "$ROOT-runc" "$hierarchies" "${values[@]}" | grep -v ^0: >"$BATS_TEST_TMPDIR/theirs"
	exec_below "$MOAT" "$ROOT" "$hierarchies" "${values[@]}" | grep -v ^0: >"$BATS_TEST_TMPDIR/ours"
	diff "$BATS_TEST_TMPDIR/theirs" "$BATS_TEST_TMPDIR/ours"
	grep -q 'memory sub/deep: sleep sleep sleep $' "$BATS_TEST_TMPDIR/ours"
	assert_nothing_left
}

# As runc's, but that the names need have more in common than their beginning.
@test "exec --cgroup does not lead to another's cgroup" {
	CGROUP=/$ID_PREFIX/one
	config ".linux.cgroupsPath = \"$CGROUP\""
	args sleep 100
	run_detached "$ID"
	run_fails 255 'exec failed: unable to create new parent process: ../one2 is not a sub cgroup path' \
		moat exec --cgroup ../one2 "$ID" true
	moat delete -f "$ID"
	find /sys/fs/cgroup -depth -type d -name "$ID_PREFIX" -exec rmdir {} +
	assert_nothing_left
}

@test "a cgroup that has processes is refused" {
	CGROUP=/$ID_PREFIX-busy
	config ".linux.cgroupsPath = \"$CGROUP\""
	dir=/sys/fs/cgroup/unified$CGROUP
	[ -d /sys/fs/cgroup/unified ] || dir=/sys/fs/cgroup$CGROUP
	mkdir "$dir"
	sleep 60 &
	bystander=$!
	echo $bystander >"$dir/cgroup.procs"
	run_fails 1 "container's cgroup is not empty" moat run -b "$BUNDLE" "$ID"
	kill -0 $bystander
	kill $bystander
	wait $bystander || true
	find /sys/fs/cgroup -depth -type d -name "$ID_PREFIX-busy" -exec rmdir {} + 2>/dev/null || true
	assert_nothing_left
}

@test "a host with cgroup v1 only" {
	[ -d /sys/fs/cgroup/memory ] || skip "this host has no cgroup v1"
	config ".linux.cgroupsPath = \"/$ID_PREFIX/one\" | .linux.resources.memory.limit = 134217728 |
		.linux.resources.pids.limit = 100"
	args sleep 100
	run -0 in_host v1 '
		moat run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
		pid=$(moat state "$ID" | jq .pid)
		cat "/sys/fs/cgroup/memory/'"$ID_PREFIX"'/one/memory.limit_in_bytes"
		grep -c "memory:/'"$ID_PREFIX"'/one$" "/proc/$pid/cgroup"
		grep "^0:" "/proc/$pid/cgroup" | grep -c "'"$ID_PREFIX"'" || true
		moat exec "$ID" echo inside
		moat kill "$ID" KILL
		moat delete -f "$ID"
		find /sys/fs/cgroup -path "*'"$ID_PREFIX"'/one*" | wc -l'
	[ "$output" = "134217728
1
0
inside
0" ]
	find /sys/fs/cgroup -depth -type d -name "$ID_PREFIX" -exec rmdir {} +
	assert_nothing_left
}

@test "a host with cgroup v2 only" {
	[ -d /sys/fs/cgroup/unified ] || skip "this host has no hybrid hierarchies"
	config ".linux.cgroupsPath = \"/$ID_PREFIX/one\""
	args sleep 100
	run -0 in_host v2 '
		moat run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
		pid=$(moat state "$ID" | jq .pid)
		grep -c "^0::/'"$ID_PREFIX"'/one$" "/proc/$pid/cgroup"
		grep -v "^0:" "/proc/$pid/cgroup" | grep -c "'"$ID_PREFIX"'" || true
		grep -qx "$pid" "/sys/fs/cgroup/'"$ID_PREFIX"'/one/cgroup.procs" && echo there
		moat exec "$ID" echo inside
		moat delete -f "$ID"
		[ -e "/sys/fs/cgroup/'"$ID_PREFIX"'/one" ] || echo gone'
	[ "$output" = "1
0
there
inside
gone" ]
	find /sys/fs/cgroup -depth -type d -name "$ID_PREFIX" -exec rmdir {} +
	assert_nothing_left
}

@test "a limit whose controller v2 does not have" {
	[ -d /sys/fs/cgroup/unified ] || skip "this host has no hybrid hierarchies"
	grep -qw memory /sys/fs/cgroup/unified/cgroup.controllers && skip "it has them all"
	config '.linux.resources.memory.limit = 134217728'
	run -1 in_host v2 'moat run -b "$BUNDLE" "$ID"'
	[[ $output == *memory.max* ]]
	[ "$(wc -l <<<"$output")" = 1 ]
	assert_nothing_left
}

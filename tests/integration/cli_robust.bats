#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Crashes, races, hooks.
bats_require_minimum_version 1.5.0
load helpers

setup() { bundle_setup; }
teardown() { bundle_teardown; }

@test "a killed creator leaves nothing that delete does not remove" {
	config '.hooks = {"createRuntime": [{"path": "/bin/sleep", "args": ["sleep", "20"]}]}'
	"$MOAT" --root "$ROOT" create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 &
	creator=$!
	for i in $(seq 600); do
		[ -f "$ROOT/$ID/state.json" ] && break
		sleep 0.02
	done
	sleep 0.2
	[ "$(state_of "$ID")" = creating ]
	kill -9 $creator
	wait $creator || true
	run -0 moat delete --force "$ID"
	assert_nothing_left
}

@test "a directory without state can be deleted" {
	mkdir -p "$ROOT/$ID"
	run -0 moat delete "$ID"
	assert_nothing_left
}

@test "a corrupt state.json is reported" {
	mkdir -p "$ROOT/$ID"
	echo '{"status": "run' >"$ROOT/$ID/state.json"
	run_fails 1 "state.json" moat state "$ID"
	rm -r "${ROOT:?}/$ID"
}

@test "a killed gofer or sentry leaves nothing that delete does not remove" {
	args sleep 100
	for victim in sentryPid goferPid; do
		run_detached "$ID"
		kill -9 "$(jq .$victim "$ROOT/$ID/state.json")"
		run -0 moat delete --force "$ID"
		assert_nothing_left
	done
}

@test "a pid that belongs to another process now is left alone" {
	args sleep 100
	run_detached "$ID"
	moat kill "$ID" KILL
	wait_for_status "$ID" stopped
	sleep 60 &
	bystander=$!
	jq ".sentryPid = $bystander | .goferPid = $bystander" "$ROOT/$ID/state.json" >"$BATS_TEST_TMPDIR/s"
	cat "$BATS_TEST_TMPDIR/s" >"$ROOT/$ID/state.json"
	[ "$(state_of "$ID")" = stopped ]
	run -0 moat delete -f "$ID"
	kill -0 $bystander
	kill $bystander
	assert_nothing_left
}

@test "of many creators of one id one wins" {
	args sleep 100
	for i in $(seq 8); do
		(moat create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 && echo won >>"$BATS_TEST_TMPDIR/won") &
	done
	wait
	[ "$(wc -l <"$BATS_TEST_TMPDIR/won")" = 1 ]
	[ "$(state_of "$ID")" = created ]
	moat delete -f "$ID"
	assert_nothing_left
}

@test "create, list, state and delete at the same time" {
	args sleep 100
	for i in $(seq 4); do
		(
			for k in $(seq 5); do
				moat create -b "$BUNDLE" "$ID-$i" </dev/null >/dev/null 2>&1
				moat start "$ID-$i"
				moat state "$ID-$i" | jq -e . >/dev/null
				moat delete -f "$ID-$i"
			done
		) &
	done
	for k in $(seq 30); do
		moat list -f json 2>/dev/null | jq . >/dev/null || echo bad >>"$BATS_TEST_TMPDIR/bad"
	done
	wait
	[ ! -e "$BATS_TEST_TMPDIR/bad" ]
	assert_nothing_left
}

@test "two deletes at the same time" {
	args sleep 100
	run_detached "$ID"
	moat delete -f "$ID" &
	moat delete -f "$ID" &
	wait
	assert_nothing_left
}

@test "hooks run in order, with the state on standard input" {
	log=$BATS_TEST_TMPDIR/hooks
	for kind in prestart createRuntime createContainer poststart poststop; do
		config ".hooks[\"$kind\"] = [{path: \"/bin/sh\", args: [\"sh\", \"-c\", \"echo $kind \$(cat) >>$log\"]}]"
	done
	args sleep 100
	run_detached "$ID"
	moat kill "$ID" KILL
	wait_for_status "$ID" stopped
	moat delete "$ID"
	[ "$(cut -d' ' -f1 "$log" | xargs)" = "prestart createRuntime createContainer poststart poststop" ]
	while read -r kind json; do
		[ "$(jq -r .id <<<"$json")" = "$ID" ]
		[ "$(jq -r .bundle <<<"$json")" = "$BUNDLE" ]
		echo "$kind $(jq -r .status <<<"$json")" >>"$log.status"
	done <"$log"
	diff "$log.status" - <<-END
		prestart creating
		createRuntime creating
		createContainer creating
		poststart running
		poststop stopped
	END
	assert_nothing_left
}

@test "poststart and poststop hooks run after one that failed, which is logged" {
	local log=$BATS_TEST_TMPDIR/hooks kind
	for kind in poststart poststop; do
		config '.hooks[$k] = [{path: "/bin/false"}, {path: "/nosuch"}, {path: "/bin/sh", args: ["sh", "-c", "echo $0 >>$1", $k, $log]}]' \
			--arg k $kind --arg log "$log"
	done
	run -0 moat --log "$BATS_TEST_TMPDIR/log" --log-format json run -b "$BUNDLE" "$ID"
	[ "$(xargs <"$log")" = "poststart poststop" ]
	run jq -r 'select(.level == "warning") | .msg' "$BATS_TEST_TMPDIR/log"
	for kind in poststart poststop; do
		[[ "$output" == *"error running $kind hook #0: /bin/false: exit status 1"* ]]
		[[ "$output" == *"error running $kind hook #1: /nosuch"* ]]
	done
	assert_nothing_left
}

@test "hooks run in runc's directories, with runc's environment" {
	command -v runc || skip "runc is not installed"
	local log=$BATS_TEST_TMPDIR/hooks name kind
	mkdir "$BUNDLE/volume"
	config '.mounts += [{"destination": "/m", "type": "bind", "source": "volume", "options": ["bind"]}]'
	export MARK=ours
	for kind in prestart createRuntime createContainer poststart poststop; do
		config '.hooks[$k] = [{path: "/bin/sh", args: ["sh", "-c", "echo $0 $(pwd -P) $(env | grep -v ^PWD | sort | xargs) >>$1", $k, $log]},
			{path: "/bin/sh", args: ["sh", "-c", "echo $0 $(env | grep -v ^PWD | sort | xargs) >>$1", $k, $log], env: ["A=", "B=a b"]}]' \
			--arg k $kind --arg log "$log"
	done
	args ls /
	runc --root "$BATS_TEST_TMPDIR/runc" run -b "$BUNDLE" "$ID" >/dev/null
	mv "$log" "$log.runc"
	run -0 moat run -b "$BUNDLE" "$ID"
	diff "$log.runc" "$log"
	assert_nothing_left
}

@test "createContainer runs in the container's network and mount namespaces" {
	command -v runc || skip "runc is not installed"
	local network=$BATS_TEST_TMPDIR/net out=$BATS_TEST_TMPDIR/out change
	# Which of its namespaces are the container's, and which are ours.
	look() {
		local pid=$1 ns which
		for ns in net mnt; do
			which=
			[ "$(grep ^$ns "$out")" != "$(readlink "/proc/$pid/ns/$ns")" ] || which+=container
			[ "$(grep ^$ns "$out")" != "$(readlink "/proc/self/ns/$ns")" ] || which+=caller
			echo "$ns $which"
		done
	}
	touch "$network"
	unshare --net="$network" true
	args sleep 100
	config '.hooks.createContainer = [{path: "/bin/sh", args: ["sh", "-c", "readlink /proc/self/ns/net /proc/self/ns/mnt >$0", $out]}]' --arg out "$out"
	cp "$BUNDLE/config.json" "$BATS_TEST_TMPDIR/base.json"
	for change in . '(.linux.namespaces[] | select(.type == "network")).path = $n' 'del(.linux.namespaces[] | select(.type == "network"))'; do
		jq "$change" --arg n "$network" "$BATS_TEST_TMPDIR/base.json" >"$BUNDLE/config.json"
		runc --root "$BATS_TEST_TMPDIR/runc" run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
		look "$(runc --root "$BATS_TEST_TMPDIR/runc" state "$ID" | jq .pid)" >"$BATS_TEST_TMPDIR/runc.look"
		runc --root "$BATS_TEST_TMPDIR/runc" delete -f "$ID"
		run_detached "$ID"
		look "$(moat state "$ID" | jq .pid)" >"$BATS_TEST_TMPDIR/moat.look"
		# The container's mounts are the sentry's own; that they are not the caller's is what can be seen.
		diff <(sed 's/mnt container/mnt /' "$BATS_TEST_TMPDIR/runc.look") "$BATS_TEST_TMPDIR/moat.look"
		# The gofer itself has no network.
		[ "$(readlink "/proc/$(jq .goferPid "$ROOT/$ID/state.json")/ns/net")" != "$(readlink "/proc/$(moat state "$ID" | jq .pid)/ns/net")" ]
		moat delete -f "$ID"
	done
	umount "$network"
}

@test "hooks may ask for the state of their container" {
	config ".hooks.createRuntime = [{path: \"/bin/sh\", args: [\"sh\", \"-c\", \"$MOAT --root $ROOT state $ID >$BATS_TEST_TMPDIR/state\"], env: [\"PATH=$PATH\"], timeout: 10}]"
	args sleep 100
	run_detached "$ID"
	[ "$(jq -r .status "$BATS_TEST_TMPDIR/state")" = creating ]
}

@test "the sandbox's processes are in namespaces of their own" {
	args sleep 100
	run_detached "$ID"
	pid=$(moat state "$ID" | jq .pid)
	for ns in user pid mnt ipc uts net; do
		[ "$(readlink /proc/$pid/ns/$ns)" != "$(readlink /proc/self/ns/$ns)" ]
	done
	gofer=$(jq .goferPid "$ROOT/$ID/state.json")
	for ns in mnt ipc uts net; do
		[ "$(readlink /proc/$gofer/ns/$ns)" != "$(readlink /proc/self/ns/$ns)" ]
	done
	# The sentry's root holds a procfs and nothing else, the gofer's nothing at all.
	[ "$(ls -A /proc/$pid/root/)" = proc ]
	[ -z "$(ls -A /proc/$gofer/root/)" ]
	grep -q 'NoNewPrivs:.*1' /proc/$pid/status
	[ "$(awk '/^Uid/{print $2}' /proc/$pid/status)" != 0 ]
	# Nobody can write to what they run.
	run ! sh -c "echo x >/proc/$pid/exe"
}

# A call that waits for the host, here for a stopped gofer, holds up its caller alone.
@test "a slow file system holds up nobody else" {
	busy='while [ $n -lt 100 ]; do read -t 0.1 x; n=$((n + 1)); echo $n; done'
	args sh -c "exec 3<&0; (read -t 1 x <&3; exec cat /bin/busybox >/dev/null) & n=0; $busy"
	mkfifo "$BATS_TEST_TMPDIR/in"
	exec 7<>"$BATS_TEST_TMPDIR/in"
	"$MOAT" --root "$ROOT" run -b "$BUNDLE" "$ID" <&7 7>&- >"$BATS_TEST_TMPDIR/out" 2>&1 &
	for i in $(seq 600); do
		[ "$(wc -l <"$BATS_TEST_TMPDIR/out")" -ge 3 ] && break
		sleep 0.05
	done
	gofer=$(jq .goferPid "$ROOT/$ID/state.json")
	kill -STOP "$gofer"
	sleep 2
	before=$(wc -l <"$BATS_TEST_TMPDIR/out")
	sleep 1.5
	after=$(wc -l <"$BATS_TEST_TMPDIR/out")
	kill -CONT "$gofer"
	echo "$before lines, then $after"
	[ "$before" -ge 3 ] && [ "$before" -lt 100 ]
	[ "$after" -gt "$before" ]
	moat kill "$ID" KILL
	wait
	moat delete -f "$ID"
	assert_nothing_left
}

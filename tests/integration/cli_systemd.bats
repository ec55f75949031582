#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# --systemd-cgroup, against a stand-in for systemd (systemd_fake.py).  What runc asks of the same one for the
# same configuration is what moat has to ask of it.
bats_require_minimum_version 1.5.0
load helpers
load systemd_helpers
load pod_helpers

setup() {
	bundle_setup
	cp "$BUNDLE/config.json" "$BATS_TEST_TMPDIR/base.json"
}

teardown() {
	[ -z "${POD:-}" ] || pod_teardown
	bundle_teardown
	if [ -n "${SYSTEMD_PLACE:-}" ]; then
		systemd_teardown
	fi
	find /sys/fs/cgroup -depth -type d -path "*$ID_PREFIX*" -exec rmdir {} + 2>/dev/null || true
}

needs_runc() {
	command -v runc >/dev/null || skip "runc is not installed"
}

needs_hybrid() {
	[ -d /sys/fs/cgroup/unified ] || skip "this host has no hybrid hierarchies"
}

# The calls in an order and a form that can be compared.  runc also gives systemd the rules of devices, which
# moat has no use for: the guest's devices are the sentry's.  TasksMax is for the host's tasks, of which there
# are more: a test of its own looks at its value.  When a unit is reset that has not failed depends on the
# version of runc.
NORMAL='select(.method != "ResetFailedUnit") |
	if .properties then .properties |= (map(
		select(.[0] != "DevicePolicy" and .[0] != "DeviceAllow") |
		if .[0] == "PIDs" then .[2] |= length elif .[0] == "TasksMax" then .[2] |= (. > 1e18) else . end) |
		sort)
	else . end |
	select(.properties != [])'

# run_and_delete FILE RUNTIME...: leaves its calls in FILE, how it ended and what it said in FILE.out
run_and_delete() {
	local file=$1 status=0
	shift
	systemd_forget_calls
	in_systemd "$@" --systemd-cgroup run -d -b "$BUNDLE" "$ID" </dev/null >"$file.log" 2>&1 3>&- || status=$?
	echo "status $status" >"$file.out"
	sed -n 's/.*level=error msg="\(.*\)"$/\1/p' "$file.log" | sed 's/^\(moat\|runc\) run failed: //' >>"$file.out"
	in_systemd "$@" delete -f "$ID" >/dev/null 2>&1 || true
	systemd_calls "$NORMAL" >"$file"
}

# compare JQ_PROGRAM [calls]: both with a configuration.  With "calls" they may fail, each in its own words, and
# clean up as often as they like: those calls count that make the unit what it is.
compare() {
	local ours=$BATS_TEST_TMPDIR/ours theirs=$BATS_TEST_TMPDIR/theirs
	cp "$BATS_TEST_TMPDIR/base.json" "$BUNDLE/config.json"
	config ".process.args = [\"/bin/sleep\", \"100\"] | $1"
	run_and_delete "$ours" "$MOAT" --root "$ROOT"
	run_and_delete "$theirs" runc --root "$ROOT-runc"
	[ "${2:-}" != calls ] || sed -i '/"method":"StopUnit"/d' "$ours" "$theirs"
	if ! diff "$ours" "$theirs"; then
		echo "calls (moat's, runc's) for $1"
		cat "$ours.log" "$theirs.log"
		return 1
	fi
	[ "${2:-}" = calls ] && return
	diff "$ours.out" "$theirs.out" || { echo "results (moat's, runc's) for $1"; return 1; }
}

paths=(
	'del(.linux.cgroupsPath)'
	'.linux.cgroupsPath = ""'
	'.linux.cgroupsPath = "system.slice:pre:" + $id'
	'.linux.cgroupsPath = ":pre:" + $id'
	'.linux.cgroupsPath = "system.slice::" + $id'
	'.linux.cgroupsPath = "\($id)-a-b.slice:pre:" + $id'
	'.linux.cgroupsPath = "-.slice:pre:" + $id'
	'.linux.cgroupsPath = "system.slice:pre-fix:" + $id + "_x@y.z"'
)

@test "where a container goes" {
	local path
	needs_runc
	systemd_setup hybrid
	for path in "${paths[@]}"; do
		compare "${path//\$id/\"$ID\"}"
		[ "$(head -1 "$BATS_TEST_TMPDIR/ours.out")" = "status 0" ]
		[ "$(jq -r .method "$BATS_TEST_TMPDIR/ours" | xargs)" = "StartTransientUnit StopUnit" ]
	done
}

@test "paths that are none" {
	needs_runc
	systemd_setup hybrid
	compare '.linux.cgroupsPath = "/docker/x"'
	compare '.linux.cgroupsPath = "a:b"'
	compare '.linux.cgroupsPath = "system.slice:b:c:d"'
	compare '.linux.cgroupsPath = "system.slice:b:c:d:"'
	compare '.linux.cgroupsPath = "system:b:c"' calls
	compare '.linux.cgroupsPath = ".slice:b:c"' calls
	compare '.linux.cgroupsPath = "-a.slice:b:c"' calls
	compare '.linux.cgroupsPath = "a--b.slice:b:c"' calls
	compare '.linux.cgroupsPath = "a/b.slice:b:c"' calls
	[[ $(cat "$BATS_TEST_TMPDIR/ours.out") == *"invalid slice name: a/b.slice"* ]]
	[[ $(cat "$BATS_TEST_TMPDIR/theirs.out") == *"invalid slice name: a/b.slice"* ]]
	# systemd would refuse it, but nothing may be looked for there, either.
	config '.linux.cgroupsPath = "system.slice:x:../../../y"'
	run_fails 1 "is not valid." with_systemd run -b "$BUNDLE" "$ID"
	config '.linux.cgroupsPath = "a..b/../c.slice:x:y"'
	run_fails 1 "invalid slice name" with_systemd run -b "$BUNDLE" "$ID"
	# A slice has no processes.
	compare ".linux.cgroupsPath = \"system.slice:x:$ID_PREFIX.slice\"" calls
	[[ $(cat "$BATS_TEST_TMPDIR/ours.out") == *"Cannot set property PIDs, or unknown property."* ]]
	[[ $(cat "$BATS_TEST_TMPDIR/theirs.out") == *"Cannot set property PIDs, or unknown property."* ]]
	assert_nothing_left
}

limits=(
	'{memory: {limit: 134217728}}'
	'{memory: {limit: -1}}'
	'{memory: {limit: 134217728, reservation: 67108864, swap: 268435456}}'
	'{cpu: {shares: 512}}'
	'{cpu: {shares: 2}}'
	'{cpu: {quota: 50000}}'
	'{cpu: {period: 50000}}'
	'{cpu: {quota: 50000, period: 100000}}'
	'{cpu: {quota: 33333, period: 100000}}'
	'{cpu: {quota: 12345, period: 10000}}'
	'{cpu: {quota: 10001, period: 1000000}}'
	'{cpu: {quota: -1, period: 100000}}'
	'{cpu: {quota: -1}}'
	'{cpu: {quota: 0, period: 0, shares: 0}, pids: {limit: 0}}'
	'{cpu: {cpus: "0"}}'
	'{cpu: {cpus: "0-1", mems: "0"}}'
	'{cpu: {cpus: " 0,,1 "}}'
	'{cpu: {cpus: "1-0"}}'
	'{cpu: {cpus: "x"}}'
	'{cpu: {mems: ","}}'
	'{pids: {limit: 100}}'
	'{pids: {limit: -1}}'
	'{blockIO: {weight: 500}}'
	'{memory: {limit: 67108864}, cpu: {shares: 1024, quota: 20000, period: 50000, cpus: "0"}, pids: {limit: 77}}'
)

# Compares all of them; $COMPARED calls set limits.
compare_limits() {
	local limit
	COMPARED=0
	for limit in "$@"; do
		compare ".linux.cgroupsPath = \"system.slice:pre:$ID\" | .linux.resources = $limit" calls
		COMPARED=$((COMPARED + $(grep -c SetUnitProperties "$BATS_TEST_TMPDIR/ours" || true)))
	done
}

@test "limits" {
	needs_runc
	systemd_setup hybrid
	compare_limits "${limits[@]}"
	[ "$COMPARED" -ge $((${#limits[@]} * 3 / 4)) ]
}

@test "limits on a host with cgroup v1 only" {
	needs_runc
	[ -d /sys/fs/cgroup/memory ] || skip "this host has no cgroup v1"
	systemd_setup v1
	compare_limits "${limits[@]:0:12}"
	[ "$COMPARED" -ge 9 ]
}

unified=(
	'{unified: {"cpu.max": "max"}}'
	'{unified: {"cpu.max": "30000 100000"}}'
	'{unified: {"cpu.max": " 33333 "}}'
	'{unified: {"cpu.max": "1 2 3"}}'
	'{unified: {"cpu.max": "x"}}'
	'{unified: {"cpu.weight": "77"}}'
	'{unified: {"cpuset.cpus": "0-1", "cpuset.mems": "0"}}'
	'{unified: {"memory.max": "134217728", "memory.high": "67108864", "memory.low": "1048576", "memory.min": "4096"}}'
	'{unified: {"memory.max": "max", "memory.swap.max": "0"}}'
	'{unified: {"memory.max": "1M"}}'
	'{unified: {"pids.max": "max"}}'
	'{unified: {"memory.oom.group": "1"}}'
	'{unified: {"none": "1"}}'
)

@test "limits on a host with cgroup v2 only" {
	needs_runc
	needs_hybrid
	systemd_setup v2
	compare_limits "${limits[@]}" "${unified[@]}"
	[ "$COMPARED" -ge 25 ]
}

@test "limits that an older systemd does not know" {
	local version version_limits=('{cpu: {quota: 20000, period: 50000}}' '{cpu: {cpus: "0", quota: 20000}}')
	needs_runc
	systemd_setup hybrid --version v241
	compare_limits "${version_limits[@]}"
	for version in 242 243.7 244-1.fc32 none; do
		systemd_stop_fake
		systemd_start_fake --version "$version"
		compare_limits "${version_limits[@]}"
	done
}

# More of a task's limit than runc allows, as many as the cgroupfs driver gives.
@test "the limit of tasks has room for our own" {
	local pid dir=/sys/fs/cgroup/pids
	[ -d "$dir" ] || skip "this host has no cgroup v1"
	systemd_setup hybrid
	args sleep 100
	config ".linux.cgroupsPath = \"/$ID_PREFIX/x\" | .linux.resources = {pids: {limit: 50}}"
	run_detached "$ID"
	plain=$(cat "$dir/$ID_PREFIX/x/pids.max")
	moat delete -f "$ID"
	config ".linux.cgroupsPath = \"system.slice:$ID_PREFIX:x\""
	with_systemd run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&-
	[ "$(cat "$dir/system.slice/$ID_PREFIX-x.scope/pids.max")" = "$plain" ]
	[ "$(systemd_calls '.properties[]? | select(.[0] == "TasksMax")')" = "[\"TasksMax\",\"t\",$plain]" ]
}

annotations=(
	'{TimeoutStopUSec: "uint64 5000000"}'
	'{TimeoutStopSec: "7"}'
	'{TimeoutStopSec: "uint16 7"}'
	'{TimeoutStopSec: "0.5"}'
	'{TimeoutStopSec: "byte 0x10"}'
	'{TimeoutStopSec: "010"}'
	"{CollectMode: \"'inactive-or-failed'\"}"
	'{CollectMode: "\"inactive\""}'
	"{CollectMode: \"'a\\\\tb\\\\u00e4'\"}"
	"{After: \"['a.service', 'b.service']\"}"
	"{After: \"@as []\"}"
	'{SendSIGHUP: "true"}'
	'{SendSIGHUP: "boolean false"}'
	'{KillSignal: "int32 9"}'
	'{KillSignal: "-9"}'
	'{Delegate: "false", KillSignal: "9"}'
	'{MemoryMax: "uint64 67108864"}'
	"{AllowedCPUs: \"b'x'\"}"
	'{AllowedCPUs: "[byte 1, 2]"}'
	'{AllowedCPUs: "@ay [1, 2]"}'
	'{Whatever: "<uint32 3>"}'
	'{Whatever: "[1, 2.5]"}'
	'{Whatever: "[[1], [2, 3]]"}'
	'{Whatever: "int16 40000"}'
	'{Whatever: "uint32 -1"}'
	'{Whatever: "["}'
	'{Whatever: "[]"}'
	"{Whatever: \"'open\"}"
	"{Whatever: \"uint32 'x'\"}"
	'{Whatever: "nothing"}'
	'{Whatever: ""}'
	'{TimeoutStopSec: "true"}'
	'{ab: "1"}'
	'{"with-dash": "1"}'
)

@test "properties from annotations" {
	local annotation
	needs_runc
	systemd_setup hybrid
	for annotation in "${annotations[@]}"; do
		compare ".linux.cgroupsPath = \"system.slice:pre:$ID\" | .annotations = (
			$annotation | with_entries(.key |= \"org.systemd.property.\" + .))" calls
		[ "$(head -1 "$BATS_TEST_TMPDIR/ours.out")" = "$(head -1 "$BATS_TEST_TMPDIR/theirs.out")" ]
	done
	assert_nothing_left
}

@test "properties that are none, in the words of runc" {
	needs_runc
	systemd_setup hybrid
	compare '.annotations = {"org.systemd.property.ab": "1"}'
	compare '.annotations = {"org.systemd.property.a-b": "1"}'
	compare '.annotations = {"org.systemd.property.TimeoutStopSec": "true"}'
}

# compare_updates LIMITS ARGUMENT...: of a container that runs with LIMITS.
compare_updates() {
	local runtime file resources=$1
	shift
	cp "$BATS_TEST_TMPDIR/base.json" "$BUNDLE/config.json"
	args sleep 100
	config ".linux.cgroupsPath = \"system.slice:pre:$ID\" | .linux.resources = $resources"
	for runtime in "$MOAT" runc; do
		file=$BATS_TEST_TMPDIR/update-$(basename "$runtime")
		in_systemd "$runtime" --root "$ROOT-$(basename "$runtime")" --systemd-cgroup run -d -b "$BUNDLE" \
			"$ID" </dev/null >/dev/null 2>&1 3>&-
		systemd_forget_calls
		in_systemd "$runtime" --root "$ROOT-$(basename "$runtime")" update "$@" "$ID"
		systemd_calls "$NORMAL" >"$file"
		in_systemd "$runtime" --root "$ROOT-$(basename "$runtime")" delete -f "$ID"
	done
	diff "$BATS_TEST_TMPDIR"/update-{"$(basename "$MOAT")",runc} || { echo "update $*"; return 1; }
	grep -q SetUnitProperties "$file"
}

@test "update" {
	needs_runc
	[ -d /sys/fs/cgroup/memory ] || skip "this host has no cgroup v1"
	systemd_setup hybrid
	compare_updates '{memory: {limit: 134217728}}' --memory 67108864
	compare_updates '{}' --cpu-share 300
	compare_updates '{}' --pids-limit 20
	compare_updates '{}' --cpu-quota 12345 --cpu-period 50000
	compare_updates '{cpu: {quota: 25000, period: 50000}}' --cpu-period 80000
	compare_updates '{cpu: {quota: 25000, period: 50000}}' --cpu-quota 33333
	compare_updates '{cpu: {quota: 25000, period: 50000}}' --cpu-quota -1
	compare_updates '{}' --cpuset-cpus 0
}

# The container's processes, by the state of the host.
assert_in_scope() { # scope, pid...
	local scope=$1 pid line
	shift
	for pid in "$@"; do
		while read -r line; do
			# Those of v1 still exist where v2 alone is to be seen.
			[[ $line == 0:* || -z ${V2_ONLY:-} ]] || continue
			[[ $line == *:*"$scope" ]] || { echo "$pid: $line"; return 1; }
		done </proc/"$pid"/cgroup
	done
}

observe_life() { # version, scope below the root
	local pids
	args sleep 100
	config ".linux.cgroupsPath = \"system.slice:pre:$ID\""
	with_systemd run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&-
	pids=$(jq '.sentryPid, .goferPid' "$ROOT/$ID/state.json")
	# shellcheck disable=SC2046 # one word a child
	assert_in_scope "/system.slice/pre-$ID.scope" $pids $(pgrep -P "$(xargs <<<"$pids" | tr ' ' ,)")
	# What speaks with systemd is loaded by who speaks with it alone.
	[ "$(for pid in $pids; do grep -c libsystemd "/proc/$pid/maps"; done | xargs)" = "0 0" ]
	[ "$(systemd_clients)" = 0 ]
	# Who comes later finds the unit by the state alone.
	[ "$(in_systemd "$MOAT" --root "$ROOT" exec "$ID" echo inside)" = inside ]
	in_systemd "$MOAT" --root "$ROOT" pause "$ID"
	in_systemd "$MOAT" --root "$ROOT" resume "$ID"
	in_systemd "$MOAT" --root "$ROOT" events --stats "$ID" >"$BATS_TEST_TMPDIR/stats"
	systemd_forget_calls
	in_systemd "$MOAT" --root "$ROOT" kill "$ID" KILL
	wait_for_status "$ID" stopped
	in_systemd "$MOAT" --root "$ROOT" delete "$ID"
	[ "$(systemd_methods)" = "StopUnit ResetFailedUnit" ]
	assert_nothing_left
}

@test "life in a scope" {
	systemd_setup hybrid
	observe_life
	[ "$(jq .data.memory.usage.usage "$BATS_TEST_TMPDIR/stats")" -gt 0 ]
}

@test "life in a scope on a host with cgroup v2 only" {
	needs_hybrid
	systemd_setup v2
	V2_ONLY=yes
	observe_life
}

@test "life in a scope on a host with cgroup v1 only" {
	[ -d /sys/fs/cgroup/memory ] || skip "this host has no cgroup v1"
	systemd_setup v1
	# systemd does not track by v2 there, and neither do we.
	assert_in_scope() { grep -q "name=systemd:$1$" "/proc/$2/cgroup" && grep -q "memory:$1$" "/proc/$2/cgroup"; }
	observe_life
}

@test "a container that runs is deleted by force" {
	systemd_setup hybrid
	args sleep 100
	config ".linux.cgroupsPath = \"system.slice:pre:$ID\""
	with_systemd run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&-
	in_systemd "$MOAT" --root "$ROOT" delete -f "$ID"
	assert_nothing_left
	# Without systemd, too; the warning is of no interest here.
	with_systemd run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&-
	systemd_stop_fake
	run -0 in_systemd "$MOAT" --root "$ROOT" delete -f "$ID"
	assert_nothing_left
}

@test "a foreground container ends as it should" {
	systemd_setup hybrid
	args sh -c 'exit 7'
	run -7 with_systemd run -b "$BUNDLE" "$ID"
	[ -z "$output" ]
	[ "$(systemd_methods)" = "StartTransientUnit StopUnit ResetFailedUnit" ]
	assert_nothing_left
}

@test "a unit that failed before is reset" {
	systemd_setup hybrid --leftover "pre-$ID.scope"
	config ".linux.cgroupsPath = \"system.slice:pre:$ID\""
	run -0 with_systemd run -b "$BUNDLE" "$ID"
	[ "$(systemd_methods)" = \
		"StartTransientUnit ResetFailedUnit StartTransientUnit StopUnit ResetFailedUnit" ]
	assert_nothing_left
}

@test "a unit of somebody else's is left alone" {
	systemd_setup hybrid --busy "pre-$ID.scope"
	config ".linux.cgroupsPath = \"system.slice:pre:$ID\""
	run_fails 1 "Unit pre-$ID.scope was already loaded" with_systemd run -b "$BUNDLE" "$ID"
	[ "$(systemd_methods)" = "StartTransientUnit ResetFailedUnit StartTransientUnit" ]
	assert_nothing_left
	# One with processes is seen before systemd is asked.
	mkdir -p "/sys/fs/cgroup/systemd/system.slice/pre-$ID.scope"
	sleep 60 3>&- &
	echo $! >"/sys/fs/cgroup/systemd/system.slice/pre-$ID.scope/cgroup.procs"
	systemd_forget_calls
	run_fails 1 "container's cgroup is not empty" with_systemd run -b "$BUNDLE" "$ID"
	[ -z "$(systemd_calls)" ]
	kill $!
	wait $! || true
	rmdir "/sys/fs/cgroup/systemd/system.slice/pre-$ID.scope"
	assert_nothing_left
}

@test "a job that ends badly" {
	local result
	needs_runc
	for result in failed timeout canceled dependency; do
		[ -z "${SYSTEMD_PLACE:-}" ] || systemd_teardown
		systemd_setup hybrid --job $result
		config ".linux.cgroupsPath = \"system.slice:pre:$ID\""
		run_fails 1 "error creating systemd unit \`pre-$ID.scope\`: got \`$result\`" \
			with_systemd run -b "$BUNDLE" "$ID"
		systemd_calls '[.method, .unit]' >"$BATS_TEST_TMPDIR/ours"
		systemd_stop_fake
		systemd_forget_calls
		systemd_start_fake --job $result
		run -1 in_systemd runc --root "$ROOT-runc" --systemd-cgroup run -b "$BUNDLE" "$ID"
		[[ $output == *"error creating systemd unit \`pre-$ID.scope\`: got \`$result\`"* ]]
		diff "$BATS_TEST_TMPDIR/ours" <(systemd_calls 'select(.method != "StopUnit") | [.method, .unit]')
	done
	assert_nothing_left
}

@test "a job that does not end" {
	systemd_setup hybrid --job never
	run_fails 1 "Timeout waiting for systemd to create runc-$ID.scope" with_systemd run -b "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "no bus, and no systemd" {
	systemd_setup hybrid
	systemd_stop_fake
	run_fails 1 "org.freedesktop.systemd1 was not provided" with_systemd run -b "$BUNDLE" "$ID"
	assert_nothing_left
	run_fails 1 "failed to connect to dbus" in_systemd env DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nowhere \
		"$MOAT" --root "$ROOT" --systemd-cgroup run -b "$BUNDLE" "$ID"
	assert_nothing_left
	# The library may be missing; nobody else needs it.
	touch "$BATS_TEST_TMPDIR/empty"
	library=$(ldconfig -p | sed -n 's/.*libsystemd.so.0 .*x86-64.*=> //p' | head -1)
	in_systemd mount --bind "$BATS_TEST_TMPDIR/empty" "$(realpath "$library")"
	run_fails 1 "--systemd-cgroup needs libsystemd.so.0" with_systemd run -b "$BUNDLE" "$ID"
	run -0 in_systemd "$MOAT" --root "$ROOT" run -b "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "systemd itself, where there is no bus" {
	local runtime
	needs_runc
	systemd_setup hybrid
	systemd_stop_fake
	systemd_start_fake --private /run/systemd/private
	args sleep 100
	for runtime in "$MOAT" runc; do
		systemd_forget_calls
		in_systemd env DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nowhere "$runtime" --root "$ROOT" --systemd-cgroup \
			run -d -b "$BUNDLE" "$ID" </dev/null >"$BATS_TEST_TMPDIR/log" 2>&1 3>&- || cat "$BATS_TEST_TMPDIR/log"
		in_systemd env DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nowhere "$runtime" --root "$ROOT" delete -f "$ID"
		systemd_calls "$NORMAL" >"$BATS_TEST_TMPDIR/calls-$(basename "$runtime")"
	done
	diff "$BATS_TEST_TMPDIR"/calls-{"$(basename "$MOAT")",runc}
	grep -q StopUnit "$BATS_TEST_TMPDIR/calls-runc"
	assert_nothing_left
}

user_systemd() {
	in_systemd env DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nowhere \
		DBUS_SESSION_BUS_ADDRESS="unix:path=$SYSTEMD_DIR/bus" "$@"
}

@test "a user's systemd" {
	local runtime
	needs_runc
	needs_hybrid
	systemd_setup v2 --control-group "/$ID_PREFIX.service"
	config "del(.linux.cgroupsPath) | .process.args = [\"sleep\", \"100\"]"
	for runtime in "$MOAT" runc; do
		systemd_forget_calls
		user_systemd "$runtime" --root "$ROOT-$(basename "$runtime")" --rootless true --systemd-cgroup \
			run -d -b "$BUNDLE" "$ID" </dev/null >"$BATS_TEST_TMPDIR/log" 2>&1 3>&- || cat "$BATS_TEST_TMPDIR/log"
		user_systemd "$runtime" --root "$ROOT-$(basename "$runtime")" state "$ID" | jq .pid >"$BATS_TEST_TMPDIR/pid"
		sed 1q "/proc/$(<"$BATS_TEST_TMPDIR/pid")/cgroup" >/dev/null
		grep '^0:' "/proc/$(<"$BATS_TEST_TMPDIR/pid")/cgroup" >"$BATS_TEST_TMPDIR/place-$(basename "$runtime")"
		user_systemd "$runtime" --root "$ROOT-$(basename "$runtime")" delete -f "$ID"
		systemd_calls "$NORMAL" >"$BATS_TEST_TMPDIR/calls-$(basename "$runtime")"
	done
	diff "$BATS_TEST_TMPDIR"/place-{"$(basename "$MOAT")",runc}
	diff "$BATS_TEST_TMPDIR"/calls-{"$(basename "$MOAT")",runc}
	grep -q "/$ID_PREFIX.service/user.slice/runc-$ID.scope" "$BATS_TEST_TMPDIR/place-runc"
	find /sys/fs/cgroup -depth -type d -path "*$ID_PREFIX*" -exec rmdir {} +
}

@test "a user's systemd needs cgroup v2" {
	needs_runc
	[ -d /sys/fs/cgroup/memory ] || skip "this host has no cgroup v1"
	systemd_setup hybrid
	text="cannot use rootless systemd cgroups manager on cgroup v1"
	run_fails 1 "$text" user_systemd "$MOAT" --root "$ROOT" --rootless true --systemd-cgroup run -b "$BUNDLE" "$ID"
	run -1 user_systemd runc --root "$ROOT-runc" --rootless true --systemd-cgroup run -b "$BUNDLE" "$ID"
	[[ $output == *"$text"* ]]
	assert_nothing_left
}

@test "each container of a pod has a scope of its own" {
	local name monitor gofer scope
	rm -r "$BUNDLE"
	pod_setup
	systemd_setup hybrid
	# Those of the pods' helpers are for the cgroupfs driver.
	pod_systemd() { pod_config "$1" ".linux.cgroupsPath = \"$ID_PREFIX-pods.slice:cri:$1\""; }
	pod_bundle sandbox sandbox sleep 1000
	pod_systemd sandbox
	with_systemd create --pid-file "$BATS_TEST_TMPDIR/pod.pid" -b "$BUNDLE_OF" "$POD" \
		</dev/null >"$BATS_TEST_TMPDIR/sandbox.out" 2>&1 3>&-
	with_systemd start "$POD"
	for name in one two; do
		pod_container "$name" sh -c 'while sleep 0.1; do :; done'
		pod_systemd "$name"
		with_systemd create --pid-file "$BATS_TEST_TMPDIR/$name.pid" -b "$BUNDLE_OF" "$(id_of "$name")" \
			</dev/null >"$BATS_TEST_TMPDIR/$name.out" 2>&1 3>&-
		with_systemd start "$(id_of "$name")"
		monitor=$(<"$BATS_TEST_TMPDIR/$name.pid")
		gofer=$(jq .goferPid "$ROOT/$(id_of "$name")/state.json")
		scope=/$ID_PREFIX.slice/$ID_PREFIX-pods.slice/cri-$name.scope
		assert_in_scope "$scope" "$monitor" "$gofer"
		# A stub in it, too, which is no child of theirs.
		[ "$(wc -l <"/sys/fs/cgroup/systemd$scope/cgroup.procs")" -ge 3 ]
		[ "$(systemd_calls "select(.unit == \"cri-$name.scope\") | .properties[] |
			select(.[0] == \"PIDs\") | .[2][0]")" = "$monitor" ]
		[ "$(grep -c libsystemd "/proc/$monitor/maps")" = 0 ]
		[ "$(systemd_clients)" = 0 ]
	done
	systemd_forget_calls
	moat kill "$(id_of one)" KILL
	pod_wait_stopped one
	in_systemd "$MOAT" --root "$ROOT" delete "$(id_of one)"
	[ "$(systemd_calls '[.method, .unit]' | head -1)" = '["StopUnit","cri-one.scope"]' ]
	[ "$(pod_state two)" = running ]
	in_systemd "$MOAT" --root "$ROOT" delete -f "$(id_of two)"
	in_systemd "$MOAT" --root "$ROOT" delete -f "$POD"
	find /sys/fs/cgroup -depth -type d -name "$ID_PREFIX*.slice" -exec rmdir {} +
	assert_nothing_left
}

@test "whose systemd it is, in a user namespace" {
	local runtime name owner
	needs_runc
	needs_hybrid
	command -v busctl >/dev/null || skip "busctl is not installed, which runc asks"
	systemd_setup v2 --control-group "/$ID_PREFIX.service"
	config '.process.args = ["true"]'
	for owner in 0 1000; do
		# Who runs a bus is known by the slice that it is in.
		in_systemd sh -c 'mkdir -p "$0" && echo "$1" >"$0/cgroup.procs"' \
			"/sys/fs/cgroup/user.slice/user-$owner.slice/user@$owner.service/$ID_PREFIX" "$SYSTEMD_BUS"
		for runtime in "$MOAT" runc; do
			name=$(basename "$runtime")
			systemd_forget_calls
			# The same bus for both: what is made tells which systemd was meant.
			in_systemd env DBUS_SESSION_BUS_ADDRESS="unix:path=$SYSTEMD_DIR/bus" XDG_RUNTIME_DIR="$SYSTEMD_DIR" \
				unshare -Ur "$runtime" --root "$ROOT-$name" --systemd-cgroup run -b "$BUNDLE" "$ID" \
				>"$BATS_TEST_TMPDIR/log-$name" 2>&1 || true
			systemd_calls 'select(.method == "StartTransientUnit") | .properties[] | select(.[0] == "Slice")' \
				>"$BATS_TEST_TMPDIR/slice-$name"
		done
		cat "$BATS_TEST_TMPDIR"/log-*
		diff "$BATS_TEST_TMPDIR"/slice-{"$(basename "$MOAT")",runc}
		grep -q "$([ $owner = 0 ] && echo system.slice || echo user.slice)" "$BATS_TEST_TMPDIR/slice-runc"
		echo "$SYSTEMD_BUS" >/sys/fs/cgroup/unified/cgroup.procs
	done
}

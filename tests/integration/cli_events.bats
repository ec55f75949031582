#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# events: statistics in runc's form, the OOM killer, and the end of the container.
bats_require_minimum_version 1.5.0
load helpers

setup() {
	bundle_setup
	config '.linux.cgroupsPath = "/'"$ID"'" | .linux.resources = {
		memory: { limit: 67108864, swap: 67108864 }, pids: { limit: 50 } }'
	args sleep 1000
}
teardown() {
	bundle_teardown
	[ ! -d "$BATS_TEST_TMPDIR/runc" ] || runc --root "$BATS_TEST_TMPDIR/runc" delete -f "$ID-runc" || true
}

# The path of every value, without array positions, and without what is left out if it is 0. Whether a
# container did I/O depends on what the page cache held when it started: a field of blkio that the other
# one does not have is left out.
shape() { # OF OTHER
	jq -r --slurpfile other "$2" '
		.data.blkio |= with_entries(select(.key as $key | $other[0].data.blkio | has($key))) |
		paths(scalars) | map(tostring | sub("^[0-9]+$"; "N")) | join(".")' "$1" | sort -u |
		grep -v '^data.memory.cache$'
}

@test "stats have runc's fields in runc's form" {
	command -v runc || skip "runc is not installed"
	run_detached "$ID"
	config '.linux.cgroupsPath = "/'"$ID-runc"'"'
	runc --root "$BATS_TEST_TMPDIR/runc" run -d -b "$BUNDLE" "$ID-runc" </dev/null >/dev/null 2>&1
	moat events --stats "$ID" >"$BATS_TEST_TMPDIR/ours"
	runc --root "$BATS_TEST_TMPDIR/runc" events --stats "$ID-runc" >"$BATS_TEST_TMPDIR/theirs"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/ours")" = 1 ]
	shape "$BATS_TEST_TMPDIR/ours" "$BATS_TEST_TMPDIR/theirs" | grep -q '^data.memory.usage.limit$'
	diff <(shape "$BATS_TEST_TMPDIR/ours" "$BATS_TEST_TMPDIR/theirs") \
		<(shape "$BATS_TEST_TMPDIR/theirs" "$BATS_TEST_TMPDIR/ours")
	# Both in the order of Go's structure, the maps sorted.
	diff <(jq -r '.data | keys_unsorted[]' "$BATS_TEST_TMPDIR/ours") \
		<(jq -r '.data | keys_unsorted[]' "$BATS_TEST_TMPDIR/theirs")
	[ "$(jq -r .id "$BATS_TEST_TMPDIR/ours")" = "$ID" ]
	[ "$(jq .data.memory.usage.limit "$BATS_TEST_TMPDIR/ours")" = 67108864 ]
	[ "$(jq .data.memory.usage.usage "$BATS_TEST_TMPDIR/ours")" -gt 500000 ]
	[ "$(jq .data.cpu.usage.total "$BATS_TEST_TMPDIR/ours")" -gt 1000000 ]
}

@test "pids are the guest's" {
	run_detached "$ID"
	moat exec -d "$ID" sh -c 'sleep 100 & sleep 100 & sleep 100 & wait' </dev/null >/dev/null 2>&1
	for i in $(seq 600); do
		[ "$(moat events --stats "$ID" | jq .data.pids.current)" = 5 ] && break
		sleep 0.05
	done
	[ "$(moat events --stats "$ID" | jq -c .data.pids)" = '{"current":5,"limit":50}' ]
	moat update --pids-limit 77 "$ID"
	[ "$(moat events --stats "$ID" | jq .data.pids.limit)" = 77 ]
}

@test "events come at the interval, and end with the container" {
	run_detached "$ID"
	moat events --interval 100ms "$ID" </dev/null >"$BATS_TEST_TMPDIR/events" 2>&1 &
	events_pid=$!
	for i in $(seq 600); do
		[ "$(wc -l <"$BATS_TEST_TMPDIR/events")" -ge 3 ] && break
		sleep 0.05
	done
	# Nobody is kept from the container meanwhile.
	moat pause "$ID"
	moat resume "$ID"
	moat kill "$ID" KILL
	wait $events_pid
	[ "$(jq -r .type "$BATS_TEST_TMPDIR/events" | sort -u)" = stats ]
	[ "$(wc -l <"$BATS_TEST_TMPDIR/events")" -ge 3 ]
	moat delete "$ID"
	assert_nothing_left
}

@test "the OOM killer is an event" {
	run_detached "$ID"
	"$MOAT" --root "$ROOT" events --interval 1h "$ID" </dev/null >"$BATS_TEST_TMPDIR/events" 2>&1 3>&- &
	events_pid=$!
	await in_poll $events_pid
	run moat exec "$ID" busybox awk 'BEGIN { s = "0123456789abcdef"; while (1) s = s s }'
	[ "$status" -ne 0 ]
	for i in $(seq 600); do
		[ -s "$BATS_TEST_TMPDIR/events" ] && break
		sleep 0.05
	done
	[ "$(head -n 1 "$BATS_TEST_TMPDIR/events")" = '{"type":"oom","id":"'"$ID"'"}' ]
	[ "$(state_of "$ID")" = running ]
	moat delete -f "$ID"
	wait $events_pid
	assert_nothing_left
}

@test "what is wrong is said as by runc" {
	run_fails 1 "container does not exist" moat events "$ID"
	run_detached "$ID"
	run_fails 1 "duration interval must be greater than 0" moat events --interval 0 "$ID"
	run_fails 1 "duration interval must be greater than 0" moat events --interval -5s "$ID"
	for bad in x 5 5x s 1e3s 0x1s ' 1s' ''; do
		run_fails 1 "invalid value \"$bad\" for flag -interval: parse error" moat events --interval "$bad" "$ID"
	done
	moat kill "$ID" KILL
	wait_for_status "$ID" stopped
	run_fails 1 "container with id $ID is not running" moat events "$ID"
}

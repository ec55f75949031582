#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# update: the host's cgroups, what the guest sees of them, and the sentry's own limit of tasks.
bats_require_minimum_version 1.5.0
load helpers

setup() {
	bundle_setup
	config '.linux.cgroupsPath = "/'"$ID"'" | .linux.resources = {
		memory: { limit: 268435456, swap: 536870912 },
		cpu: { shares: 512, quota: 50000, period: 100000 }, pids: { limit: 50 } }'
	config '.mounts += [{ destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup",
		options: ["ro"] }]'
	args sleep 1000
}
teardown() {
	bundle_teardown
	[ ! -d "$BATS_TEST_TMPDIR/runc" ] || runc --root "$BATS_TEST_TMPDIR/runc" delete -f "$ID-runc" || true
}

# host_file CONTROLLER FILE [ID]
host_file() {
	cat "/sys/fs/cgroup/$1/${3:-$ID}/$2"
}

guest_file() {
	moat exec "$ID" cat "/sys/fs/cgroup/$1"
}

@test "options change the host's cgroups and what the guest sees" {
	run_detached "$ID"
	[ "$(guest_file cpu.max)" = "50000 100000" ]
	moat update --memory 300m --memory-swap 700M --cpu-share 2048 --cpu-quota 80000 --cpu-period 200000 \
		--pids-limit 70 --memory-reservation 100m --cpuset-cpus 0 "$ID"
	[ "$(host_file memory memory.limit_in_bytes)" = $((300 << 20)) ]
	[ "$(host_file memory memory.memsw.limit_in_bytes)" = $((700 << 20)) ]
	[ "$(host_file memory memory.soft_limit_in_bytes)" = $((100 << 20)) ]
	[ "$(host_file cpu cpu.shares)" = 2048 ]
	[ "$(host_file cpu cpu.cfs_quota_us)" = 80000 ]
	[ "$(host_file cpu cpu.cfs_period_us)" = 200000 ]
	[ "$(host_file cpuset cpuset.cpus)" = 0 ]
	[ "$(guest_file memory.max)" = $((300 << 20)) ]
	[ "$(guest_file memory.swap.max)" = $((400 << 20)) ]
	[ "$(guest_file cpu.max)" = "80000 200000" ]
	[ "$(guest_file pids.max)" = 70 ]
	[ "$(moat exec "$ID" busybox grep MemTotal /proc/meminfo | tr -dc 0-9)" = $((300 << 10)) ]
	# One alone leaves the others.
	moat update --cpu-quota -1 "$ID"
	[ "$(guest_file cpu.max)" = "max 200000" ]
	[ "$(host_file cpu cpu.cfs_quota_us)" = -1 ]
	[ "$(host_file cpu cpu.shares)" = 2048 ]
	moat update --memory -1 "$ID"
	[ "$(guest_file memory.max)" = max ]
	[ "$(guest_file memory.swap.max)" = max ]
	moat delete -f "$ID"
	assert_nothing_left
}

@test "a resources object, from a file and from standard input" {
	run_detached "$ID"
	echo '{ "memory": { "limit": 400000000, "swap": 800000000 }, "pids": { "limit": 60 } }' >"$BATS_TEST_TMPDIR/r"
	moat update -r "$BATS_TEST_TMPDIR/r" --cpu-share 7 "$ID"
	[ "$(guest_file memory.max)" = 400000000 ]
	[ "$(guest_file pids.max)" = 60 ]
	# With -r all other options are ignored.
	[ "$(host_file cpu cpu.shares)" = 512 ]
	echo '{ "cpu": { "shares": 300 } }' | moat update --resources - "$ID"
	[ "$(host_file cpu cpu.shares)" = 300 ]
	[ "$(guest_file pids.max)" = 60 ]
	echo '{ "cpu": { "shares": "many" } }' >"$BATS_TEST_TMPDIR/r"
	run_fails 1 "cpu.shares" moat update -r "$BATS_TEST_TMPDIR/r" "$ID"
	run_fails 1 "no such file" moat update -r "$BATS_TEST_TMPDIR/none" "$ID"
}

@test "the limit of tasks holds at once" {
	run_detached "$ID"
	moat update --pids-limit 4 "$ID"
	run ! moat exec "$ID" sh -c 'sleep 2 & sleep 2 & sleep 2 & sleep 2 & wait'
	moat update --pids-limit 40 "$ID"
	moat exec "$ID" sh -c 'sleep 0 & sleep 0 & sleep 0 & sleep 0 & wait'
}

@test "limits are raised and lowered past each other as with runc" {
	command -v runc || skip "runc is not installed"
	run_detached "$ID"
	config '.linux.cgroupsPath = "/'"$ID-runc"'"'
	runc --root "$BATS_TEST_TMPDIR/runc" run -d -b "$BUNDLE" "$ID-runc" </dev/null >/dev/null 2>&1
	both() {
		local ours=0 theirs=0
		moat update "$@" "$ID" || ours=$?
		runc --root "$BATS_TEST_TMPDIR/runc" update "$@" "$ID-runc" || theirs=$?
		[ "$ours" = "$theirs" ] || { echo "$*: $ours, runc $theirs"; return 1; }
		for file in memory/memory.limit_in_bytes memory/memory.memsw.limit_in_bytes \
			memory/memory.soft_limit_in_bytes cpu/cpu.shares cpu/cpu.cfs_quota_us \
			cpu/cpu.cfs_period_us cpuset/cpuset.cpus; do
			[ "$(host_file "${file%/*}" "${file#*/}")" = \
				"$(host_file "${file%/*}" "${file#*/}" "$ID-runc")" ] ||
				{ echo "$*: $file differs"; return 1; }
		done
	}
	both --memory 600m --memory-swap 1g
	both --memory 100m --memory-swap 200m
	both --memory 900m
	both --memory 150m
	both --memory-swap 160m
	both --memory-swap 100m
	both --memory -1
	both --memory 1.5gb --memory-swap 3GiB
	both --cpu-period 1000000 --cpu-quota 900000
	both --cpu-period 10000 --cpu-quota 5000
	both --cpu-quota 20000
	both --cpu-period 50
	both --cpu-quota 0 --cpu-period 0 --cpu-share 0
	both --cpu-share 2
	both --cpu-share 1
	both --cpu-share 262145
	both --memory 120m --cpu-share 1
	both --kernel-memory 10m
	both --kernel-memory-tcp 0 --cpu-share 77
	both --kernel-memory x
	both --cpuset-cpus 0-1
	both --cpuset-cpus 1000
	both --blkio-weight 300
	both --cpu-rt-period 500000 --cpu-rt-runtime 1000
	both --memory many
	both --cpu-share -1
	both --memory 12x
	both
}

@test "what cannot be updated is said" {
	run_detached "$ID"
	run_fails 1 "Intel RDT/CAT: l3 cache schema is not enabled" moat update --l3-cache-schema x "$ID"
	run_fails 1 "invalid value for memory: invalid size: '1e9'" moat update --memory 1e9 "$ID"
	run_fails 1 "container does not exist" moat update --memory 1g "$ID-none"
	moat kill "$ID" KILL
	wait_for_status "$ID" stopped
	run_fails 1 "container not running" moat update --memory 1g "$ID"
}

@test "a paused container can be updated" {
	run_detached "$ID"
	moat pause "$ID"
	moat update --cpu-share 99 "$ID"
	[ "$(host_file cpu cpu.shares)" = 99 ]
	moat resume "$ID"
	[ "$(state_of "$ID")" = running ]
}

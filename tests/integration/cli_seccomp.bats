#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# linux.seccomp of config.json.
bats_require_minimum_version 1.5.0
load helpers

setup() { bundle_setup; }
teardown() { bundle_teardown; }

profile() {
	config '.linux.seccomp = $profile' --argjson profile "$1"
}

DENY_MKDIR='{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
	"syscalls": [{"names": ["mkdir", "mkdirat", "no_such_call"], "action": "SCMP_ACT_ERRNO", "errnoRet": 18}]}'

@test "seccomp: a refused call gets the profile's error" {
	profile "$DENY_MKDIR"
	args /bin/sh -c 'mkdir /tmp/x; /bin/busybox mkdir /tmp/x; echo end; grep Seccomp /proc/self/status'
	ln -sf busybox "$BUNDLE/rootfs/bin/grep"
	ln -sf busybox "$BUNDLE/rootfs/bin/mkdir"
	run -0 moat run -b "$BUNDLE" "$ID"
	[[ $output == *"Invalid cross-device link"* ]]
	[[ $output == *"end"* ]]
	[[ $output == *$'Seccomp:\t2'* ]]
	[[ $output == *$'Seccomp_filters:\t1'* ]]
}

@test "seccomp: exec is under the profile too" {
	profile "$DENY_MKDIR"
	args /bin/sleep 100
	ln -sf busybox "$BUNDLE/rootfs/bin/mkdir"
	run_detached "$ID"
	run -1 moat exec "$ID" /bin/mkdir /tmp/x
	[[ $output == *"Invalid cross-device link"* ]]
}

@test "seccomp: arguments, and one named twice is an alternative" {
	profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["kill"], "action": "SCMP_ACT_ERRNO",
		"args": [{"index": 1, "value": 10, "op": "SCMP_CMP_EQ"}, {"index": 1, "value": 12, "op": "SCMP_CMP_EQ"}]}]}'
	args /bin/sh -c 'trap : USR1 USR2 HUP; for s in USR1 USR2 HUP; do kill -$s $$ && echo $s sent; done; true'
	run -0 moat run -b "$BUNDLE" "$ID"
	[[ $output != *"USR1 sent"* ]]
	[[ $output != *"USR2 sent"* ]]
	[[ $output == *"HUP sent"* ]]
}

@test "seccomp: a deadly profile" {
	profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_KILL_PROCESS"}]}'
	ln -sf busybox "$BUNDLE/rootfs/bin/mkdir"
	args /bin/mkdir /tmp/x
	run -159 moat run -b "$BUNDLE" "$ID"
}

@test "seccomp: what is not supported is refused" {
	profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]}'
	run_fails 1 "SCMP_ACT_NOTIFY is not supported" moat run -b "$BUNDLE" "$ID"
}

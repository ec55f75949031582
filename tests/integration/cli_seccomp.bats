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

# The program's words and end under the profile that has RULES ("name": value, ...) are those under runc.
same_as_runc() {
	local rules=$1 command=$2
	profile "{$rules}"
	args /bin/busybox sh -c "$command"
	observe "$BATS_TEST_TMPDIR/runc.out" runc --root "$BATS_TEST_TMPDIR/runc" run -b "$BUNDLE" "$ID-runc"
	observe "$BATS_TEST_TMPDIR/moat.out" moat run -b "$BUNDLE" "$ID"
	# An error of the runtime has words of its own.
	sed -Ei '/level=/ s/.*/the runtime fails/' "$BATS_TEST_TMPDIR"/{runc,moat}.out
	diff "$BATS_TEST_TMPDIR/runc.out" "$BATS_TEST_TMPDIR/moat.out" || { echo "in: $rules"; return 1; }
}

@test "seccomp: operators are runc's" {
	command -v runc || skip "runc is not installed"
	local op value
	config '.mounts += [{"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"}]'
	for op in EQ NE LT LE GT GE; do
		for value in 0 448 493 4294967296 18446744073709551615; do
			same_as_runc '"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["chmod", "fchmodat"], "action": "SCMP_ACT_ERRNO",
				"args": [{"index": 1, "value": '$value', "op": "SCMP_CMP_'$op'"}]}]' \
				'for m in 0 700 755 777; do chmod $m /tmp && echo $m; done; true'
		done
	done
	same_as_runc '"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["chmod"], "action": "SCMP_ACT_ERRNO",
		"args": [{"index": 1, "value": 56, "valueTwo": 40, "op": "SCMP_CMP_MASKED_EQ"}]}]' \
		'for m in 0 700 750 755 757 777; do chmod $m /tmp && echo $m; done; true'
}

@test "seccomp: actions, errors, flags and architectures are runc's" {
	command -v runc || skip "runc is not installed"
	local rules rule='"syscalls": [{"names": ["mkdir", "no_such_call"], "action": '
	config '.mounts += [{"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"}]'
	for rules in '"SCMP_ACT_ALLOW"' '"SCMP_ACT_ERRNO"' '"SCMP_ACT_ERRNO", "errnoRet": 5' '"SCMP_ACT_ERRNO", "errnoRet": 0' \
		'"SCMP_ACT_ERRNO", "errnoRet": 4095' '"SCMP_ACT_ERRNO", "errnoRet": 70000' '"SCMP_ACT_KILL"' '"SCMP_ACT_KILL_THREAD"' \
		'"SCMP_ACT_KILL_PROCESS"' '"SCMP_ACT_TRAP"' '"SCMP_ACT_LOG"' '"SCMP_ACT_TRACE"' '"SCMP_ACT_TRACE", "errnoRet": 7' \
		'"SCMP_ACT_BOGUS"' '""' '"SCMP_ACT_ERRNO", "args": []' '"SCMP_ACT_ERRNO", "args": [{"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}]' \
		'"SCMP_ACT_ERRNO", "args": [{"index": 1, "value": 511, "op": "SCMP_CMP_EQ"}, {"index": 0, "value": 0, "op": "SCMP_CMP_NE"}]' \
		'"SCMP_ACT_ERRNO", "args": [{"index": 1, "value": 511, "op": "SCMP_CMP_BOGUS"}]'; do
		same_as_runc '"defaultAction": "SCMP_ACT_ALLOW", '"$rule$rules}]" 'mkdir /tmp/q; echo $?'
	done
	for rules in '"architectures": ["SCMP_ARCH_X86_64"]' '"architectures": ["SCMP_ARCH_ARM"]' '"architectures": ["SCMP_ARCH_BOGUS"]' \
		'"architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64"]' '"flags": ["SECCOMP_FILTER_FLAG_BOGUS"]'; do
		same_as_runc '"defaultAction": "SCMP_ACT_ALLOW", '"$rules, $rule"'"SCMP_ACT_ERRNO"}]' 'mkdir /tmp/q; echo $?'
	done
	same_as_runc '"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": [""], "action": "SCMP_ACT_ERRNO"}]' true
	same_as_runc '"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5},
		{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 6}]' 'mkdir /tmp/q; echo $?'
	same_as_runc '"defaultAction": "SCMP_ACT_LOG"' 'mkdir /tmp/q; echo $?'
	# All calls there are but one, by name; the others get the profile's own error.
	calls=$(moat list-syscalls | awk 'NR > 1 && $2 !~ /^mkdir/ { print $2 }' | jq -R . | jq -cs .)
	same_as_runc '"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 28, "syscalls": [{"names": '"$calls"', "action": "SCMP_ACT_ALLOW"}]' \
		'mkdir /tmp/q; echo $?'
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Namespaces that config.json names by path, and those that it does not name at all: as runc where
# a sandbox can have the same, else a refusal, and never silence.

load helpers.bash
bats_require_minimum_version 1.5.0

setup() {
	bundle_setup
	ln -sf busybox "$BUNDLE/rootfs/bin/hostname"
	HOLDERS=
}

teardown() {
	[ -z "$HOLDERS" ] || kill $HOLDERS
	bundle_teardown
}

# A process in a namespace of its own; its pid in $HOLDER.
hold() {
	unshare "$@" 3>&- &
	HOLDER=$!
	HOLDERS="$HOLDERS $HOLDER"
	local i
	for i in $(seq 600); do
		[ "$(cat "/proc/$HOLDER/comm")" = sleep ] && return 0
		sleep 0.05
	done
	return 1
}

path_of() {
	config '.linux.namespaces |= map(select(.type != $t)) + [{"type": $t, "path": $p}]' --arg t "$1" --arg p "$2"
}

same_as_runc() {
	command -v runc >/dev/null || skip "runc is not installed"
	config '.process.args = ["sh", "-c", $script]' --arg script "$1"
	runc --root "$BATS_TEST_TMPDIR/runc" run -b "$BUNDLE" "$ID-r" >"$BATS_TEST_TMPDIR/runc.out" 2>&1 </dev/null
	moat run -b "$BUNDLE" "$ID" >"$BATS_TEST_TMPDIR/moat.out" 2>"$BATS_TEST_TMPDIR/moat.err" </dev/null
	diff -u "$BATS_TEST_TMPDIR/runc.out" "$BATS_TEST_TMPDIR/moat.out"
}

NAMES='hostname; cat /proc/sys/kernel/domainname'

@test "names: those of the host where nothing else is said" {
	config 'del(.hostname)'
	same_as_runc "$NAMES"
	[ ! -s "$BATS_TEST_TMPDIR/moat.err" ]
	config '.linux.namespaces |= map(select(.type != "uts"))'
	same_as_runc "$NAMES"
	path_of uts /proc/self/ns/uts
	same_as_runc "$NAMES"
	grep -q "names of /proc/self/ns/uts as they are now" "$BATS_TEST_TMPDIR/moat.err"
}

@test "names: those of a namespace that is named" {
	config 'del(.hostname)'
	hold --uts sh -c 'hostname from-there; exec sleep 100'
	path_of uts "/proc/$HOLDER/ns/uts"
	same_as_runc "$NAMES"
	[ "$(head -n 1 "$BATS_TEST_TMPDIR/moat.out")" = from-there ]
	# A change inside stays inside.
	config '.process.capabilities[] += ["CAP_SYS_ADMIN"] | .process.args = ["hostname", "changed"]'
	moat run -b "$BUNDLE" "$ID"
	[ "$(nsenter --uts="/proc/$HOLDER/ns/uts" hostname)" = from-there ]
}

@test "a user namespace that is named: its maps" {
	hold --user sleep 100
	inner=$HOLDER
	echo "0 200000 1000" >"/proc/$inner/uid_map"
	echo "0 300000 1000" >"/proc/$inner/gid_map"
	path_of user "/proc/$inner/ns/user"
	args sh -c 'cat /proc/self/uid_map /proc/self/gid_map; id -u'
	run --separate-stderr -0 moat run -b "$BUNDLE" "$ID"
	[ "$(tr -s ' ' <<<"$output")" = "$(printf ' 0 200000 1000\n 0 300000 1000\n0')" ]
	[[ $stderr == *"a user namespace of its own, with the maps of /proc/$inner/ns/user"* ]]
}

@test "a user namespace that is named and has no maps" {
	hold --user sleep 100
	path_of user "/proc/$HOLDER/ns/user"
	run_fails 1 "has no root" moat run -b "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "the host's own: one of its own, and a warning" {
	args true
	for type in pid ipc mount cgroup; do
		case $type in mount) file=mnt ;; *) file=$type ;; esac
		cp "$BUNDLE/config.json" "$BATS_TEST_TMPDIR/c"
		path_of $type /proc/self/ns/$file
		run --separate-stderr -0 moat run -b "$BUNDLE" "$ID"
		[[ $stderr == *"the container has a $type namespace of its own: a sandbox cannot be in the host's"* ]]
		cp "$BATS_TEST_TMPDIR/c" "$BUNDLE/config.json"
	done
	for type in pid ipc; do
		config '.linux.namespaces |= map(select(.type != $t))' --arg t $type
		run --separate-stderr -0 moat run -b "$BUNDLE" "$ID"
		[[ $stderr == *"no $type namespace: the container has one of its own all the same"* ]]
	done
	path_of user /proc/self/ns/user
	args cat /proc/self/uid_map
	run --separate-stderr -0 moat run -b "$BUNDLE" "$ID"
	[ "$(tr -s ' ' <<<"$output")" = " 0 0 4294967295" ]
}

@test "another's: refused, with its name" {
	args sleep 100
	run_detached "$ID-other"
	pid=$(moat state "$ID-other" | jq .pid)
	hold --ipc --pid --mount --cgroup sleep 100
	for type in pid ipc mount cgroup; do
		case $type in mount) file=mnt ;; pid) file=pid_for_children ;; *) file=$type ;; esac
		cp "$BUNDLE/config.json" "$BATS_TEST_TMPDIR/c"
		path_of $type "/proc/$HOLDER/ns/$file"
		[ $type = pid ] || run_fails 1 "joining the $type namespace /proc/$HOLDER/ns/$file is not supported" moat run -b "$BUNDLE" "$ID"
		[ $type != mount ] || path_of $type "/proc/$pid/ns/mnt"
		[ $type != pid ] || path_of $type "/proc/$pid/ns/pid"
		[ $type != ipc ] || path_of $type "/proc/$pid/ns/ipc"
		[ $type = cgroup ] || run_fails 1 "joining the $type namespace of container $ID-other is not supported" moat run -b "$BUNDLE" "$ID"
		cp "$BATS_TEST_TMPDIR/c" "$BUNDLE/config.json"
	done
	moat delete -f "$ID-other"
	assert_nothing_left
}

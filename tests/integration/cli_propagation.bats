#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Propagation of config.json's mounts, each against runc.
bats_require_minimum_version 1.5.0
load helpers.bash

setup() {
	command -v runc >/dev/null || skip "runc is not installed"
	bundle_setup
	local applet
	for applet in mount umount mkdir grep sed unshare touch; do
		ln -sf busybox "$BUNDLE/rootfs/bin/$applet"
	done
	mkdir -p "$BUNDLE/rootfs/volume" "$BUNDLE/rootfs/memory" "$BATS_TEST_TMPDIR/volume"
	config '.root.readonly = false | .process.capabilities[] += ["CAP_SYS_ADMIN"]'
}

teardown() {
	umount -Rl "$BATS_TEST_TMPDIR/volume" 2>/dev/null || true
	bundle_teardown
}

same() {
	config '.process.args = ["sh", "-c", $script]' --arg script "$1"
	observe "$BATS_TEST_TMPDIR/runc.out" runc --root "$BATS_TEST_TMPDIR/runc" run -b "$BUNDLE" "$ID-r"
	observe "$BATS_TEST_TMPDIR/moat.out" moat run -b "$BUNDLE" "$ID"
	cat "$BATS_TEST_TMPDIR/runc.out"
	diff -u "$BATS_TEST_TMPDIR/runc.out" "$BATS_TEST_TMPDIR/moat.out"
}

# What the guest says of the mounts it can tell apart, the groups without their numbers.
told='tell() { sed -n "s/^[0-9]* [0-9]* [^ ]* [^ ]* \(\/volume[^ ]*\|\/memory[^ ]*\|\/\) [^ ]* \(.*\)- .*/\1 \2/p" \
	/proc/self/mountinfo | sed "s/:[0-9]*//g"; }'

# with OPTION: a bind mount and a tmpfs with it.
with() {
	config '.mounts |= map(select(.destination | test("^/(volume|memory)") | not)) |
		.mounts += [{destination: "/volume", type: "bind", source: $from, options: ["rbind", $how]},
			    {destination: "/memory", type: "tmpfs", source: "tmpfs", options: [$how]}]' \
		--arg from "$BATS_TEST_TMPDIR/volume" --arg how "$1"
}

@test "mounts are as propagation options say" {
	for option in private rprivate slave rslave shared rshared unbindable runbindable; do
		with "$option"
		same "$told; tell; mkdir -p /volume/a /volume/b; mount --bind /volume/a /volume/b && echo bound; tell"
		case $option in
		*shared) grep -q '^/volume shared' "$BATS_TEST_TMPDIR/moat.out" ;;
		*unbindable) grep -q '^/volume unbindable' "$BATS_TEST_TMPDIR/moat.out" ;;
		*) run ! grep -qE 'shared|unbindable' "$BATS_TEST_TMPDIR/moat.out" ;;
		esac
	done
}

@test "a shared volume gives mounts to the namespaces within and gets theirs" {
	for option in rshared rprivate; do
		with "$option"
		same "$told; mkdir -p /volume/in /memory/in
			unshare -m --propagation unchanged sh -c 'mount -t tmpfs none /volume/in; mount -t tmpfs none /memory/in'
			tell
			unshare -m --propagation slave sh -c 'mount -t tmpfs none /memory/in'
			tell"
	done
}

@test "the last propagation option wins" {
	config '.mounts += [{destination: "/memory", type: "tmpfs", source: "tmpfs", options: ["shared", "unbindable"]},
			    {destination: "/volume", type: "bind", source: $from, options: ["rbind", "rprivate", "shared"]}]' \
		--arg from "$BATS_TEST_TMPDIR/volume"
	same "$told; tell"
}

@test "rootfsPropagation that cannot be is refused, all others run" {
	local value
	for value in private rprivate slave rslave shared rshared; do
		config '.linux.rootfsPropagation = $value' --arg value "$value"
		same 'echo runs'
	done
	for value in unbindable runbindable; do
		config '.linux.rootfsPropagation = $value' --arg value "$value"
		run runc --root "$BATS_TEST_TMPDIR/runc" run -b "$BUNDLE" "$ID-r"
		[ "$status" = 1 ]
		run_fails 1 "linux.rootfsPropagation: \"$value\" cannot be" moat run -b "$BUNDLE" "$ID"
	done
	assert_nothing_left
}

# Debian's runc makes the root so before it is the root, where nobody sees it; later ones as here.
@test "rootfsPropagation is the root's" {
	local value
	for value in shared rshared; do
		config '.linux.rootfsPropagation = $value' --arg value "$value"
		args grep -E '^[0-9]+ [0-9]+ [^ ]+ / / .* shared:' /proc/self/mountinfo
		moat run -b "$BUNDLE" "$ID"
	done
	for value in private rprivate slave rslave; do
		config '.linux.rootfsPropagation = $value' --arg value "$value"
		run ! moat run -b "$BUNDLE" "$ID"
	done
}

# host_mounts OPTION RUN...: what a container sees of a mount that the host makes while it runs, and whether
# that can be umounted, with the container done looking and with it in there.
host_mounts() {
	local option=$1
	shift
	mkdir -p "$BATS_TEST_TMPDIR/volume"
	mount -t tmpfs moat-volume "$BATS_TEST_TMPDIR/volume"
	mount --make-shared "$BATS_TEST_TMPDIR/volume"
	mkdir "$BATS_TEST_TMPDIR/volume/later" "$BATS_TEST_TMPDIR/volume/said"
	with "$option"
	config '.process.args = ["sh", "-c", $script]' --arg script '
		await() { i=0; until [ -e /volume/said/$1 ] || [ $((i += 1)) = 300 ]; do sleep 0.02; done; }
		ls /volume/later; echo up >/volume/said/up
		await mounted; ls -l /volume/later | grep -c of-host; cat /volume/later/of-host 2>/dev/null || echo nothing
		echo more >/volume/later/made && cat /volume/later/made
		echo looked >/volume/said/looked
		await umounted; ls /volume/later; echo >/volume/said/gone
		await again; cd /volume/later/deep 2>/dev/null && pwd; echo >/volume/said/inside; await done; ls 2>/dev/null'
	"$@" <&- >"$BATS_TEST_TMPDIR/container.out" 2>&1 &
	local pid=$! file
	await "$BATS_TEST_TMPDIR/volume/said/up"
	mount -t tmpfs moat-later "$BATS_TEST_TMPDIR/volume/later"
	mkdir "$BATS_TEST_TMPDIR/volume/later/deep"
	echo text >"$BATS_TEST_TMPDIR/volume/later/of-host"
	touch "$BATS_TEST_TMPDIR/volume/said/mounted"
	await "$BATS_TEST_TMPDIR/volume/said/looked"
	ls "$BATS_TEST_TMPDIR/volume/later"
	# What lets go of it need not have done so when it says something else.
	for file in $(seq 50); do
		umount "$BATS_TEST_TMPDIR/volume/later" 2>/dev/null && break
		sleep 0.02
	done
	mountpoint "$BATS_TEST_TMPDIR/volume/later" | sed 's/.* is/is/'
	touch "$BATS_TEST_TMPDIR/volume/said/umounted"
	await "$BATS_TEST_TMPDIR/volume/said/gone"
	mount -t tmpfs moat-later "$BATS_TEST_TMPDIR/volume/later"
	mkdir "$BATS_TEST_TMPDIR/volume/later/deep"
	touch "$BATS_TEST_TMPDIR/volume/later/deep/inside" "$BATS_TEST_TMPDIR/volume/said/again"
	await "$BATS_TEST_TMPDIR/volume/said/inside"
	umount "$BATS_TEST_TMPDIR/volume/later" 2>/dev/null || echo busy
	touch "$BATS_TEST_TMPDIR/volume/said/done"
	wait "$pid"
	umount -R "$BATS_TEST_TMPDIR/volume"
	cat "$BATS_TEST_TMPDIR/container.out"
}

await() {
	local i
	for i in $(seq 300); do
		[ ! -e "$1" ] || return 0
		sleep 0.02
	done
	echo "no $1"
}

@test "what the host mounts later appears where the options say, and can be umounted" {
	local option
	for option in rslave slave rshared rprivate; do
		host_mounts $option runc --root "$BATS_TEST_TMPDIR/runc" run -b "$BUNDLE" "$ID-r" \
			>"$BATS_TEST_TMPDIR/runc.out" 2>&1
		host_mounts $option moat run -b "$BUNDLE" "$ID" >"$BATS_TEST_TMPDIR/moat.out" 2>&1
		cat "$BATS_TEST_TMPDIR/runc.out"
		diff -u "$BATS_TEST_TMPDIR/runc.out" "$BATS_TEST_TMPDIR/moat.out"
		[ $option = rprivate ] || grep -q text "$BATS_TEST_TMPDIR/moat.out"
	done
	assert_nothing_left
}

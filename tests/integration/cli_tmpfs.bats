#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# tmpfs mounts of config.json over what is in the image, each against runc.

load helpers.bash

setup() {
	command -v runc >/dev/null || skip "runc is not installed"
	bundle_setup
	ln -sf busybox "$BUNDLE/rootfs/bin/stat"
	ln -sf busybox "$BUNDLE/rootfs/bin/find"
	ln -sf busybox "$BUNDLE/rootfs/bin/sort"
	ln -sf busybox "$BUNDLE/rootfs/bin/md5sum"
	local data=$BUNDLE/rootfs/data
	mkdir -p "$data/sub/deep" "$data/empty" "$BUNDLE/rootfs/plain"
	echo one >"$data/one"
	head -c 700000 /dev/urandom >"$data/sub/large"
	: >"$data/sub/nothing"
	ln -s one "$data/link"
	ln -s /no/where "$data/sub/dangling"
	chown 5:6 "$data/one" "$data/sub"
	chmod 4751 "$data/one"
	chmod 750 "$data/sub"
	chown -h 7:8 "$data/link"
	chmod 711 "$BUNDLE/rootfs/plain"
	chmod 1755 "$data"
	config '.process.capabilities[] += ["CAP_DAC_OVERRIDE"]'
}

teardown() {
	bundle_teardown
}

same() {
	config '.process.args = ["sh", "-c", $script]' --arg script "$1"
	observe "$BATS_TEST_TMPDIR/runc.out" runc --root "$BATS_TEST_TMPDIR/runc" run -b "$BUNDLE" "$ID-r"
	observe "$BATS_TEST_TMPDIR/moat.out" moat run -b "$BUNDLE" "$ID"
	diff -u "$BATS_TEST_TMPDIR/runc.out" "$BATS_TEST_TMPDIR/moat.out"
}

@test "tmpcopyup: a tmpfs begins with what it hides" {
	config '.mounts += [{"destination": "/data", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup", "mode=700"]}]'
	same 'cd /data; find . | sort; stat -c "%n %u %g %a %F" . one link sub sub/* empty; readlink link sub/dangling; md5sum one sub/large
		echo more >>one; rm sub/large; ls sub'
	grep -q 'sub/large' "$BATS_TEST_TMPDIR/moat.out"
	[ "$(cat "$BUNDLE/rootfs/data/one")" = one ]
	[ -s "$BUNDLE/rootfs/data/sub/large" ]
}

@test "tmpcopyup: more than the tmpfs holds" {
	config '.mounts += [{"destination": "/data", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup", "size=64k"]}]'
	args true
	run runc --root "$BATS_TEST_TMPDIR/runc" run -b "$BUNDLE" "$ID-r"
	[ "$status" = 1 ]
	run_fails 1 'error mounting "tmpfs" to rootfs at "/data": no space left on device' moat run -b "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "a tmpfs has the mode of the directory that it hides" {
	config '.mounts += [{"destination": "/plain", "type": "tmpfs", "source": "tmpfs"},
		{"destination": "/data", "type": "tmpfs", "source": "tmpfs", "options": ["mode=700"]}]'
	same 'stat -c "%n %a" /plain /data; ls /data'
	config '.mounts += [{"destination": "/made", "type": "tmpfs", "source": "tmpfs"}]'
	rmdir "$BUNDLE/rootfs/made" 2>/dev/null || true
	args stat -c %a /made
	[ "$(moat run -b "$BUNDLE" "$ID")" = 1777 ]
	[ "$(runc --root "$BATS_TEST_TMPDIR/runc" run -b "$BUNDLE" "$ID-r")" = 1777 ]
}

@test "tmpcopyup is in features as in runc's" {
	[ "$("$MOAT" features | jq '.mountOptions | index("tmpcopyup") != null')" = "$(runc features | jq '.mountOptions | index("tmpcopyup") != null')" ]
}

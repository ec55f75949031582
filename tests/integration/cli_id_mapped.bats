#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Id-mapped mounts.  Debian's runc makes none itself: it is given a mount that the host has id-mapped, and
# what its container sees there has to be seen in moat's, which maps the same directory.

bats_require_minimum_version 1.5.0
load helpers.bash

HOST_ID=200000

setup() {
	command -v runc >/dev/null || skip "runc is not installed"
	MAPPER=${top_builddir:-$PWD}/tests/integration/id_mapped
	[ -x "$MAPPER" ] || skip "no id_mapped: make check TESTS= builds it"
	bundle_setup
	chmod a+x "$BATS_RUN_TMPDIR"
	local applet
	for applet in chown chmod touch mkdir stat rm sort find ln mv mkfifo su; do
		ln -sf busybox "$BUNDLE/rootfs/bin/$applet"
	done
	SOURCE=$BATS_TEST_TMPDIR/source
	MAPPED=$BATS_TEST_TMPDIR/mapped
	mkdir "$SOURCE" "$MAPPED" "$BUNDLE/rootfs/volume"
	config '.root.readonly = false | .process.capabilities[] += ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER",
		"CAP_SETUID", "CAP_SETGID", "CAP_FSETID"]'
}

teardown() {
	umount -l "$MAPPED" "$SOURCE" "$SOURCE/below" 2>/dev/null || true
	bundle_teardown
}

with_user_namespace() {
	chown -R $HOST_ID:$HOST_ID "$BUNDLE/rootfs"
	config '.linux.namespaces += [{"type": "user"}]
		| .linux.uidMappings = [{"containerID": 0, "hostID": $id, "size": 65536}]
		| .linux.gidMappings = .linux.uidMappings' --argjson id $HOST_ID
}

# Owned by 0 to 3, who mean others for whom does not see it mapped.
fresh_source() {
	find "$SOURCE" -mindepth 1 -maxdepth 1 ! -name below -exec rm -rf {} +
	mkdir "$SOURCE/dir" "$SOURCE/below" 2>/dev/null || true
	local id
	chown "${TOP-0}:${TOP-0}" "$SOURCE"
	for id in 0 1 2 1000 70000; do
		echo "of $id" >"$SOURCE/$id"
		chown $id:$id "$SOURCE/$id"
		chmod 640 "$SOURCE/$id"
	done
	chown 2:1 "$SOURCE/dir"
	chmod 2775 "$SOURCE/dir"
	ln -s nowhere "$SOURCE/link"
	chown -h 1:2 "$SOURCE/link"
	if mountpoint -q "$SOURCE/below"; then
		rm -f "$SOURCE/below"/*
		touch "$SOURCE/below/file"
		chown 2:2 "$SOURCE/below/file"
	fi
}

# mount_config SOURCE OPTIONS MORE: at /volume; MORE is added to the mount.
mount_config() {
	config '.mounts |= map(select(.destination != "/volume")) | .mounts += [{destination: "/volume",
		type: "bind", source: $from, options: $options} + $more]' --arg from "$1" --argjson options "$2" \
		--argjson more "$3"
}

owners() {
	find "$SOURCE" -printf '%P %U %G %m\n' | sort
}

# same SCRIPT STORED SEEN SIZE RECURSIVE OPTIONS MORE
same() {
	config '.process.args = ["sh", "-c", $script]' --arg script "$1"
	fresh_source
	"$MAPPER" "$SOURCE" "$MAPPED" "$5" "$2" "$3" "$4"
	mount_config "$MAPPED" '["rbind"]' '{}'
	observe "$BATS_TEST_TMPDIR/runc.out" runc --root "$BATS_TEST_TMPDIR/runc" run -b "$BUNDLE" "$ID-r"
	umount -l "$MAPPED"
	owners >>"$BATS_TEST_TMPDIR/runc.out"
	fresh_source
	mount_config "$SOURCE" "$6" "$7"
	observe "$BATS_TEST_TMPDIR/moat.out" moat $MOAT_OPTIONS run -b "$BUNDLE" "$ID"
	owners >>"$BATS_TEST_TMPDIR/moat.out"
	cat "$BATS_TEST_TMPDIR/runc.out"
	diff -u "$BATS_TEST_TMPDIR/runc.out" "$BATS_TEST_TMPDIR/moat.out"
}

maps() {
	jq -nc '[{containerID: $a, hostID: $b, size: $n}] | {uidMappings: ., gidMappings: .}' \
		--argjson a "$1" --argjson b "$2" --argjson n "$3"
}

script='cd /volume; find . | sort | while read name; do stat -c "%n %u %g %a" $name; done
	cat 0 1 1000; touch made; mkdir made-dir; ln -s x made-link; mkfifo made-fifo; touch dir/in-group
	su -s /bin/sh nobody -c "id -u; touch dir/not; cat 0" 2>&1
	# What has no id in the mount is EOVERFLOW to Linux, and not to be told from nobody to us.
	chown 7:8 made; chown 1000:1000 0 2>/dev/null || echo cannot; chown 65530 1 2>/dev/null || echo cannot either
	stat -c "%n %u %g %a" made made-dir made-link made-fifo dir/in-group 0 1
	mv 2 dir/moved 2>/dev/null || echo cannot move; rm 1000'

@test "id-mapped mounts of a container with a user namespace: its own maps" {
	with_user_namespace
	echo "nobody:x:65534:65534::/:/bin/sh" >"$BUNDLE/rootfs/etc/passwd"
	same "$script" 0 $HOST_ID 65536 0 '["rbind", "idmap"]' '{}'
	grep -q '^./0 0 0 640' "$BATS_TEST_TMPDIR/moat.out"
	grep -q '^./70000 65534 65534 640' "$BATS_TEST_TMPDIR/moat.out"
	grep -q '^made 7 8' "$BATS_TEST_TMPDIR/moat.out"
	assert_nothing_left
}

@test "id-mapped mounts of a container with a user namespace: maps of the mount" {
	with_user_namespace
	same "$script" 1000 $HOST_ID 500 0 '["rbind"]' "$(maps 1000 $HOST_ID 500)"
	grep -q '^./1000 0 0 640' "$BATS_TEST_TMPDIR/moat.out"
	# And where the top is of who has one.
	TOP=1000 same "$script" 1000 $HOST_ID 500 0 '["rbind"]' "$(maps 1000 $HOST_ID 500)"
	grep -q '^made 7 8' "$BATS_TEST_TMPDIR/moat.out"
}

@test "id-mapped mounts: without a user namespace" {
	same "$script" 1000 0 3000 0 '["rbind"]' "$(maps 1000 0 3000)"
	grep -q '^./1000 0 0 640' "$BATS_TEST_TMPDIR/moat.out"
}

@test "id-mapped mounts: idmap is the top mount's, ridmap all mounts'" {
	with_user_namespace
	mkdir "$SOURCE/below"
	mount -t tmpfs moat "$SOURCE/below"
	same 'stat -c "%n %u %g" /volume/2 /volume/below/file' 0 $HOST_ID 65536 0 '["rbind", "idmap"]' '{}'
	grep -q '^/volume/below/file 65534 65534' "$BATS_TEST_TMPDIR/moat.out"
	same 'stat -c "%n %u %g" /volume/2 /volume/below/file' 0 $HOST_ID 65536 1 '["rbind", "ridmap"]' '{}'
	grep -q '^/volume/below/file 2 2' "$BATS_TEST_TMPDIR/moat.out"
}

@test "id-mapped mounts: a container that is read-only, a single file" {
	with_user_namespace
	same 'cd /volume; stat -c "%n %u %g" 1; touch 1 || echo cannot; chown 5 1 || echo cannot' \
		0 $HOST_ID 65536 0 '["rbind", "idmap"]' '{}'
	fresh_source
	mount_config "$SOURCE/1" '["bind", "idmap"]' '{}'
	rm -rf "$BUNDLE/rootfs/volume"
	args stat -c '%n %u %g' /volume
	run moat run -b "$BUNDLE" "$ID"
	[ "$output" = '/volume 1 1' ]
}

@test "id-mapped mounts: what cannot be is refused" {
	mount_config "$SOURCE" '["rbind", "idmap"]' '{}'
	run_fails 1 'id-mapped mounts must have both uid and gid mappings specified' moat run -b "$BUNDLE" "$ID"
	config '.mounts[-1] = {destination: "/volume", type: "tmpfs", source: "tmpfs"} + $maps' \
		--argjson maps "$(maps 0 0 1000)"
	run_fails 1 'id-mapped mounts are only supported for bind-mounts' moat run -b "$BUNDLE" "$ID"
	mount_config "$SOURCE" '["rbind"]' "$(maps 0 100000 1000)"
	run_fails 1 'has no id are not supported' moat run -b "$BUNDLE" "$ID"
	mount_config "$SOURCE" '["rbind"]' '{"uidMappings": [{"containerID": 0, "hostID": 0, "size": 1}]}'
	run_fails 1 'uidMappings and gidMappings go together' moat run -b "$BUNDLE" "$ID"
	mount_config "$SOURCE" '["rbind"]' "$(jq -nc '[{containerID: 0, hostID: 0, size: 2}, {containerID: 1, hostID: 9,
		size: 1}] | {uidMappings: ., gidMappings: .}')"
	run_fails 1 'make a user namespace of its maps: invalid argument' moat run -b "$BUNDLE" "$ID"
	mount_config /proc/self '["rbind"]' "$(maps 0 0 1000)"
	run_fails 1 'the host cannot map the ids of its file system: invalid argument' moat run -b "$BUNDLE" "$ID"
	assert_nothing_left
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Pods by containerd's CRI socket, as kubelet makes them, with the stock shim.
bats_require_minimum_version 1.5.0
load cri_helpers.bash

CLIENT_PYTHON=/usr/bin/python3

setup() {
	MOAT=$(realpath "${MOAT:-${top_builddir:-$PWD}/moat}")
	for program in containerd ctr runc containerd-shim-runc-v2 jq; do
		type -P "$program" >/dev/null || skip "no $program"
	done
	"$CLIENT_PYTHON" -c 'import grpc' 2>/dev/null || skip "no python3-grpcio"
	image_make localhost/moat-test-box:1 "$BATS_TEST_TMPDIR/image"
	cri_start
	ctr -a "$CRI/socket" -n k8s.io images import --snapshotter native \
		"$BATS_TEST_TMPDIR/image/image.tar" >/dev/null
}

teardown() {
	cri_stop
	find /sys/fs/cgroup -depth -path "*/moat-cri-test*" -type d -exec rmdir {} + 2>/dev/null || true
}

see() {
	mkdir "$BATS_TEST_TMPDIR/$1"
	timeout 150 "$CLIENT_PYTHON" "$BATS_TEST_DIRNAME/cri_client.py" "$CRI/socket" "$1" "$BATS_TEST_TMPDIR/$1"
}

@test "pods of several containers are as under runc" {
	theirs=$(see runc 3>&-)
	ours=$(see moat 3>&-) || { echo "$ours"; tail -20 "$CRI/log"; false; }
	echo "$theirs"
	diff <(echo "$theirs") <(echo "$ours")
	grep -q "^a debugger of a does: ('1', 0)" <<<"$ours"
	# Nothing is left of them.
	[ -z "$(ls -A "$CRI/moat/k8s.io")" ]
	[ -z "$(find /sys/fs/cgroup -path '*/moat-cri-test/*' -name cgroup.procs -exec cat {} +)" ]
}

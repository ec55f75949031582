#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Pods with a user namespace, as kubelet and containerd make them: the sandbox has a new one, its containers
# name it by path.  Under runc all of it is the host's kernel's, which is what moat is compared with.
bats_require_minimum_version 1.5.0
load helpers.bash
load pod_helpers.bash

HOST_ID=300000

setup() {
	pod_setup
	chmod a+x "$BATS_RUN_TMPDIR"
	local applet
	for applet in chown touch mkdir stat rm sort grep tail; do
		ln -sf busybox "$BUNDLE/rootfs/bin/$applet"
	done
	config '.process.capabilities[] += ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER"]'
	mkdir "$BATS_TEST_TMPDIR/volume"
	chown $HOST_ID:$HOST_ID "$BATS_TEST_TMPDIR/volume"
}

teardown() {
	pod_teardown
}

maps='{uidMappings: [{containerID: 0, hostID: $id, size: 65536}], gidMappings: [{containerID: 0, hostID: $id, size: 65536}]}'

# user_sandbox: running, with a user namespace.
user_sandbox() {
	pod_bundle sandbox sandbox sleep 1000
	pod_config sandbox ".hostname = \"pod-host\" | .linux.namespaces += [{type: \"user\"}] | .linux += $maps" \
		--argjson id $HOST_ID
	chown -R $HOST_ID:$HOST_ID "$BATS_TEST_TMPDIR/pod/sandbox" "$BUNDLE/rootfs"
	$RT create --pid-file "$BATS_TEST_TMPDIR/pod.pid" -b "$BUNDLE_OF" "$POD" \
		</dev/null >"$BATS_TEST_TMPDIR/sandbox.out" 2>&1
	$RT start "$POD"
}

# user_container NAME ARG...
user_container() {
	pod_container "$@"
	pod_config "$1" ".linux.namespaces += [{type: \"user\", path: \"/proc/\\(\$pid)/ns/user\"}] | .linux += $maps |
		.mounts += [{destination: \"/volume\", type: \"bind\", source: \$volume, options: [\"rbind\"]}]" \
		--arg pid "$(<"$BATS_TEST_TMPDIR/pod.pid")" --argjson id $HOST_ID --arg volume "$BATS_TEST_TMPDIR/volume"
}

look='id; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups; grep Cap /proc/self/status
	stat -c "%n %u %g" / /volume /proc/self; touch /volume/made-$0; chown 5:6 /volume/made-$0
	stat -c "%n %u %g" /volume/*; cat /volume/secret; echo >/proc/sys/kernel/hostname; readlink -f /'

pod_of_two() {
	local name
	rm -rf "$BATS_TEST_TMPDIR/volume"/*
	echo secret >"$BATS_TEST_TMPDIR/volume/secret"
	chmod 600 "$BATS_TEST_TMPDIR/volume/secret"
	user_sandbox
	for name in a b; do
		user_container $name sh -c "$look" $name
		pod_start $name
		pod_wait_stopped $name
		cat "$BATS_TEST_TMPDIR/$name.out"
	done
	user_container c sleep 1000
	pod_start c
	observe "$BATS_TEST_TMPDIR/exec.out" $RT exec "$(id_of c)" sh -c "$look" exec
	cat "$BATS_TEST_TMPDIR/exec.out"
	observe "$BATS_TEST_TMPDIR/exec.out" $RT exec --user 7:8 "$(id_of c)" sh -c 'id; touch /volume/not || echo cannot'
	cat "$BATS_TEST_TMPDIR/exec.out"
	$RT delete -f "$(id_of a)"
	$RT delete -f "$(id_of b)"
	$RT delete -f "$(id_of c)"
	$RT kill "$POD" KILL
	$RT delete -f "$POD"
	find "$BATS_TEST_TMPDIR/volume" -printf '%P %U %G\n' | sort
}

@test "containers of a pod have the user namespace of its sandbox" {
	command -v runc || skip "runc is not installed"
	RT=runc_here
	pod_of_two >"$BATS_TEST_TMPDIR/theirs" 2>&1
	RT=moat
	pod_of_two >"$BATS_TEST_TMPDIR/ours" 2>&1
	cat "$BATS_TEST_TMPDIR/theirs"
	diff -u "$BATS_TEST_TMPDIR/theirs" "$BATS_TEST_TMPDIR/ours"
	grep -q '^made-a 300005 300006' "$BATS_TEST_TMPDIR/ours"
	pod_nothing_left
}

@test "the gofers of such a pod have its ids and no other" {
	local name gofer
	user_sandbox
	user_container named sleep 1000
	# One that names no user namespace has the sandbox's all the same.
	pod_container silent sleep 1000
	for name in named silent; do
		pod_start $name
		gofer=$(jq .goferPid "$ROOT/$(id_of $name)/state.json")
		grep -qE "^ +$HOST_ID +$HOST_ID +65536\$" "/proc/$gofer/uid_map"
		grep -qE "^ +$HOST_ID +$HOST_ID +65536\$" "/proc/$gofer/gid_map"
		[ "$(stat -c %u "/proc/$gofer")" = "$HOST_ID" ] || grep -q "^Uid:.$HOST_ID" "/proc/$gofer/status"
		run moat exec "$(id_of $name)" cat /proc/self/uid_map
		[[ $output =~ 0\ +$HOST_ID\ +65536 ]]
	done
	# By the other's path, which is the same namespace.
	user_container third true
	pod_config third '.linux.namespaces[-1].path = "/proc/\($pid)/ns/user"' \
		--arg pid "$(<"$BATS_TEST_TMPDIR/named.pid")"
	pod_start third
}

@test "a user namespace that is not the pod's is refused" {
	refused() {
		run moat create -b "$BATS_TEST_TMPDIR/pod/bad" "$(id_of bad)"
		[ "$status" = 1 ]
		[[ $output == *"$1"* ]]
	}
	user_sandbox
	user_container bad true
	pod_config bad '.linux.namespaces[-1] |= del(.path)'
	refused 'one for it alone is not supported'
	user_container bad true
	pod_config bad '.linux.namespaces[-1].path = "/proc/1/ns/user"'
	refused '/proc/1/ns/user is another one'
	user_container bad true
	pod_config bad '.linux.uidMappings[0].hostID = 0'
	refused 'has the maps of its sandbox, and these are others'
	user_container bad true
	pod_config bad 'del(.linux.gidMappings)'
	refused 'has the maps of its sandbox, and these are others'
	# Without any they are the sandbox's.
	user_container bad true
	pod_config bad 'del(.linux.gidMappings, .linux.uidMappings)'
	pod_start bad
	pod_wait_stopped bad
}

@test "a path of the user namespace of a pod that has none of its own" {
	pod_sandbox
	user_container a cat /proc/self/uid_map
	pod_config a 'del(.linux.uidMappings, .linux.gidMappings)'
	pod_start a
	pod_wait_stopped a
	grep -qE '^ +0 +0 +4294967295$' "$BATS_TEST_TMPDIR/a.out"
}

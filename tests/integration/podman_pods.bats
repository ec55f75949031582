#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# podman's pods, kube play and build with moat, against the same with runc.

load helpers.bash
load docker_helpers.bash
load podman_helpers.bash

setup_file() {
	podman_setup
}

teardown_file() {
	podman_teardown
}

teardown() {
	pod pod rm -f -t 0 -a >/dev/null 2>&1 || true
}

# both FUNCTION: what it prints with each of the runtimes, of which RT is the podman that has it.
both() {
	local runtime
	for runtime in runc "$MOAT"; do
		RT="pod --runtime $runtime"
		[ "$runtime" = runc ] || RT+=" --runtime-flag overlay=none"
		"$1" >"$BATS_TEST_TMPDIR/${runtime##*/}.out" 2>"$BATS_TEST_TMPDIR/${runtime##*/}.err"
	done
	tail -n 5 "$BATS_TEST_TMPDIR/moat.err"
	diff -u "$BATS_TEST_TMPDIR/runc.out" "$BATS_TEST_TMPDIR/moat.out"
	[ -s "$BATS_TEST_TMPDIR/moat.out" ]
}

# until_said CONTAINER WORD: it is in the container's log.
until_said() {
	local i
	for i in $(seq 100); do
		$RT logs "$1" 2>&1 | grep -q "$2" && return 0
		sleep 0.1
	done
	return 1
}

# Without for how long.
states() {
	sed -E 's/^[0-9a-f]+-infra/infra/; s/(Up|Exited|Paused).*/\1/' | sort
}

a_pod() {
	$RT pod create --name p --network none --share net,ipc,uts,pid --infra-image box --infra-command /bin/top >/dev/null
	$RT run --pod p --name one -d box sh -c 'hostname; echo up; exec sleep 1001' >/dev/null
	until_said one up
	# The names, the processes and what they share of the pod are all its containers'.
	$RT run --pod p --rm box sh -c 'hostname; ps | grep -c "[s]leep 1001"
		for n in ipc uts net pid mnt; do
			[ "$(readlink /proc/1/ns/$n)" = "$(readlink /proc/self/ns/$n)" ] && echo "one $n namespace"
		done; true'
	$RT run --pod p --rm box sh -c 'readlink /proc/self/ns/pid | cut -d: -f1; cat /proc/1/comm; exit 3' || echo "status $?"
	$RT logs one
	$RT exec one sh -c 'touch /mine; ls /mine'
	$RT run --pod p --rm box ls /mine 2>/dev/null || echo "not the other's"
	$RT ps -a --pod --format '{{.Names}} {{.PodName}} {{.State}}' | states
	$RT pod pause p >/dev/null
	$RT ps -a --pod --format '{{.State}}' | states
	$RT pod unpause p >/dev/null
	$RT pod stop -t 1 p >/dev/null
	$RT ps -a --pod --format '{{.PodName}} {{.State}}' | states
	$RT pod start p >/dev/null
	$RT exec one ls /mine
	$RT pod rm -f -t 0 p >/dev/null
	$RT ps -aq --pod | wc -l
}

@test "podman: a pod" {
	both a_pod
	grep -qx "p" "$BATS_TEST_TMPDIR/moat.out"
}

own_namespaces() {
	$RT pod create --name q --network none --share net --infra-image box --infra-command /bin/top >/dev/null
	$RT run --pod q --name two -d box sh -c 'echo up; exec sleep 1002' >/dev/null
	until_said two up
	$RT run --pod q --rm box sh -c 'ps | grep -c "[s]leep 1002"; cat /proc/1/comm' || true
	$RT stop -t 0 two >/dev/null
	$RT start two >/dev/null
	$RT ps -a --pod --format '{{.PodName}} {{.State}}' | states
	$RT pod rm -f -t 0 q >/dev/null
}

@test "podman: a pod that shares its network alone" {
	both own_namespaces
}

played() {
	$RT play kube --network none "$BATS_TEST_TMPDIR/pod.yaml" >/dev/null
	until_said kp-two hello
	$RT logs kp-one
	$RT logs kp-two
	$RT exec kp-two sh -c 'ps | grep -c "[s]leep 100[34]"; cat /v/f'
	$RT ps -a --pod --format '{{.Names}} {{.State}}' | states
	$RT pod kill kp >/dev/null
	$RT play kube --down "$BATS_TEST_TMPDIR/pod.yaml" >/dev/null
	$RT ps -aq --pod | wc -l
	$RT volume rm v >/dev/null 2>&1 || true
}

@test "podman: kube play" {
	cat >"$BATS_TEST_TMPDIR/pod.yaml" <<-'YAML'
		apiVersion: v1
		kind: Pod
		metadata: {name: kp}
		spec:
		  restartPolicy: Never
		  shareProcessNamespace: true
		  volumes:
		  - {name: v, emptyDir: {}}
		  containers:
		  - name: one
		    image: localhost/box:latest
		    command: [sh, -c, "echo hello >/v/f; hostname; exec sleep 1003"]
		    volumeMounts: [{name: v, mountPath: /v}]
		  - name: two
		    image: localhost/box:latest
		    command: [sh, -c, "until [ -s /v/f ]; do sleep 0.1; done; cat /v/f; exec sleep 1004"]
		    volumeMounts: [{name: v, mountPath: /v}]
	YAML
	both played
}

built() {
	$RT build --isolation oci --network none --no-cache -t built "$BATS_TEST_TMPDIR/context" |
		grep -vE '^(-->|[0-9a-f]{64}|COMMIT)'
	$RT run --rm --network none built sh -c 'cat /x; stat -c "%a %u:%g %h" /x /d /deep/er; id -u'
	$RT rmi -f built >/dev/null
}

@test "podman: build" {
	mkdir "$BATS_TEST_TMPDIR/context"
	cat >"$BATS_TEST_TMPDIR/context/Dockerfile" <<-'FILE'
		FROM localhost/box
		RUN echo built >/x && id && ln /x /y && mkdir -p /deep/er && chown 5:6 /deep/er
		RUN cat /y && ls -l /x | cut -c1-13
		COPY Dockerfile /d
		ARG WORD=none
		RUN wc -l </d; echo "$WORD"
		USER 1000
	FILE
	both built
	grep -qx built "$BATS_TEST_TMPDIR/moat.out"
}

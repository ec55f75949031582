# SPDX-License-Identifier: Apache-2.0
# Pods: bundles as containerd's CRI plugin writes them, below $BATS_TEST_TMPDIR/pod.

pod_setup() {
	bundle_setup
	local applet
	for applet in hostname touch mount rm mkdir grep wc dd; do
		ln -sf busybox "$BUNDLE/rootfs/bin/$applet"
	done
	config '.root.readonly = false'
	POD=$ID-pod
	mkdir "$BATS_TEST_TMPDIR/pod"
}

# pod_bundle NAME TYPE ARG...: a copy of the bundle for one container of the pod.
pod_bundle() {
	local name=$1 type=$2
	shift 2
	BUNDLE_OF=$BATS_TEST_TMPDIR/pod/$name
	rm -rf "$BUNDLE_OF"
	cp -a "$BUNDLE" "$BUNDLE_OF"
	pod_config "$name" '.process.args = $ARGS.positional | .linux.cgroupsPath = $cgroup |
		.annotations = { "io.kubernetes.cri.container-type": $type,
			"io.kubernetes.cri.sandbox-id": $pod, "io.kubernetes.cri.container-name": $name }' \
		--arg type "$type" --arg pod "$POD" --arg name "$name" \
		--arg cgroup "/$ID-pod/$name" --args -- "$@"
}

pod_config() {
	local file=$BATS_TEST_TMPDIR/pod/$1/config.json
	jq "$2" "$file" "${@:3}" >"$file.new"
	mv "$file.new" "$file"
}

# pod_namespaces NAME [PID-PATH]: those of the sandbox, by the paths that containerd writes.
pod_namespaces() {
	local pid=$(<"$BATS_TEST_TMPDIR/pod.pid")
	pod_config "$1" '.linux.namespaces = [{ type: "pid" }, { type: "mount" },
			{ type: "ipc", path: "/proc/\($pid)/ns/ipc" },
			{ type: "uts", path: "/proc/\($pid)/ns/uts" },
			{ type: "network", path: "/proc/\($pid)/ns/net" }] |
		if $path != "" then .linux.namespaces[0].path = $path else . end | del(.hostname)' \
		--arg pid "$pid" --arg path "${2-}"
}

# The runtime that a pod is made with: moat, or runc to compare.
RT=moat
runc_here() {
	runc --root "$BATS_TEST_TMPDIR/runc" "$@"
}

# In the background a test's own output must not be held open.
pod_sandbox() {
	pod_bundle sandbox sandbox sleep 1000
	pod_config sandbox '.hostname = "pod-host"'
	$RT create --pid-file "$BATS_TEST_TMPDIR/pod.pid" -b "$BUNDLE_OF" "$POD" \
		</dev/null >"$BATS_TEST_TMPDIR/sandbox.out" 2>&1
	$RT start "$POD"
}

# pod_container NAME ARG...: a bundle in the pod's namespaces; PID_PATH: to join.
pod_container() {
	pod_bundle "$1" container "${@:2}"
	pod_namespaces "$1" "${PID_PATH-}"
}

id_of() {
	echo "$ID-$1"
}

# Its output in $BATS_TEST_TMPDIR/NAME.out, its pid in NAME.pid.
pod_create() {
	$RT create --pid-file "$BATS_TEST_TMPDIR/$1.pid" -b "$BATS_TEST_TMPDIR/pod/$1" "$(id_of "$1")" \
		</dev/null >"$BATS_TEST_TMPDIR/$1.out" 2>&1
}

pod_start() {
	pod_create "$1"
	$RT start "$(id_of "$1")"
}

pod_state() {
	$RT state "$(id_of "$1")" | jq -r .status
}

pod_wait_stopped() {
	local i
	for i in $(seq 600); do
		[ "$(pod_state "$1")" = stopped ] && return 0
		sleep 0.05
	done
	echo "$1 is $(pod_state "$1")"
	return 1
}

pod_teardown() {
	local name
	for name in $(ls "$BATS_TEST_TMPDIR/pod" 2>/dev/null); do
		[ "$name" = sandbox ] || moat delete -f "$(id_of "$name")" 2>/dev/null || true
	done
	moat delete -f "$POD" 2>/dev/null || true
	rmdir $(find /sys/fs/cgroup -depth -path "*$ID-pod*" 2>/dev/null) 2>/dev/null || true
	bundle_teardown
}

# The cgroups of the pod are its directory's, which is kubelet's to remove.
pod_nothing_left() {
	rmdir $(find /sys/fs/cgroup -depth -name "$ID-pod" 2>/dev/null) 2>/dev/null || true
	assert_nothing_left
}

# sentry_fds PID: descriptors of a sentry, but for the slots of its stubs and the four spare ones it may keep.
sentry_fds() {
	local others slots stubs
	others=$(find "/proc/$1/fd" -type l ! -lname '/memfd:slots*' | wc -l)
	slots=$(find "/proc/$1/fd" -type l -lname '/memfd:slots*' | wc -l)
	stubs=$(cat "/proc/$1"/task/*/children | wc -w)
	echo $((others + (slots > stubs + 4 ? slots - stubs - 4 : 0)))
}

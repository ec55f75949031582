# SPDX-License-Identifier: Apache-2.0
#
# podman with storage of its own, and an image "box" of busybox alone.
# Sets PODMAN_DIR; needs docker_helpers.bash.

podman_setup() {
	export PODMAN_DIR=$BATS_FILE_TMPDIR/podman
	export CONTAINERS_CONF=$PODMAN_DIR/containers.conf

	image_tree "$PODMAN_DIR/image"
	# Its own defaults may be more than what the caller may have.
	printf '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]\n' >"$CONTAINERS_CONF"
	tar -C "$PODMAN_DIR/image" -c . | pod import --change "ENV PATH=/bin" - box >/dev/null
}

podman_teardown() {
	pod pod rm -fa >/dev/null 2>&1 || true
	pod rm -fa >/dev/null 2>&1 || true
	pod rmi -fa >/dev/null 2>&1 || true
	umount "$PODMAN_DIR"/root/overlay 2>/dev/null || true
}

pod() {
	podman --root "$PODMAN_DIR/root" --runroot "$PODMAN_DIR/run" --storage-driver vfs \
		--cgroup-manager cgroupfs --events-backend none "$@"
}

# SPDX-License-Identifier: Apache-2.0
# A Docker of the test's own: containerd and dockerd with their state in the test's directory, ended
# by pid.  Services of the machine are left alone.

# How many seconds a daemon may take to answer.
DAEMON_SECONDS=60

docker_start() {
	export DOCKER_DIR=$BATS_FILE_TMPDIR/docker
	export DOCKER_HOST=unix://$DOCKER_DIR/docker.sock
	mkdir -p "$DOCKER_DIR"
	cat >"$DOCKER_DIR/containerd.toml" <<-TOML
		version = 2
		root = "$DOCKER_DIR/containerd-root"
		state = "$DOCKER_DIR/containerd-state"
		disabled_plugins = ["io.containerd.grpc.v1.cri"]
		[grpc]
		  address = "$DOCKER_DIR/containerd.sock"
	TOML
	containerd --config "$DOCKER_DIR/containerd.toml" >"$DOCKER_DIR/containerd.log" 2>&1 3>&- &
	echo $! >"$DOCKER_DIR/containerd.pid"
	wait_for_socket "$DOCKER_DIR/containerd.sock"
	dockerd --containerd="$DOCKER_DIR/containerd.sock" --host "$DOCKER_HOST" \
		--data-root "$DOCKER_DIR/data" --exec-root "$DOCKER_DIR/exec" \
		--pidfile "$DOCKER_DIR/dockerd.pid" --bridge=none --iptables=false --ip6tables=false \
		--storage-driver=overlay2 --add-runtime moat="$MOAT" \
		>"$DOCKER_DIR/dockerd.log" 2>&1 3>&- &
	echo $! >"$DOCKER_DIR/dockerd.job"
	local i
	for i in $(seq $((DAEMON_SECONDS * 5))); do
		docker info >/dev/null 2>&1 && break
		sleep 0.2
	done
	docker info >/dev/null || { tail "$DOCKER_DIR/dockerd.log"; return 1; }
	image_tree "$DOCKER_DIR/image"
	tar -C "$DOCKER_DIR/image" -c . | docker import - box >/dev/null
}

wait_for_socket() {
	local i
	for i in $(seq $((DAEMON_SECONDS * 5))); do
		[ -S "$1" ] && return 0
		sleep 0.2
	done
	echo "$1 did not appear"
	return 1
}

# A busybox image.
image_tree() {
	local applet
	mkdir -p "$1"/{bin,etc,proc,dev,sys,tmp,root}
	cp /bin/busybox "$1/bin/"
	for applet in $(/bin/busybox --list | grep -vx busybox); do
		ln -sf busybox "$1/bin/$applet"
	done
	echo 'root:x:0:0:root:/root:/bin/sh' >"$1/etc/passwd"
	echo 'user:x:1000:1000:user:/tmp:/bin/sh' >>"$1/etc/passwd"
	printf 'root:x:0:\nuser:x:1000:\n' >"$1/etc/group"
}

docker_stop() {
	local ids pid
	ids=$(docker ps -aq 2>/dev/null)
	# shellcheck disable=SC2086
	[ -n "$ids" ] && docker rm -f $ids >/dev/null 2>&1
	for pid in "$(cat "$DOCKER_DIR/dockerd.job")" "$(cat "$DOCKER_DIR/containerd.pid")"; do
		kill "$pid" 2>/dev/null || continue
		while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
	done
	umount "$DOCKER_DIR"/exec/netns/default 2>/dev/null
	return 0
}

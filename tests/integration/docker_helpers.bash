# SPDX-License-Identifier: Apache-2.0
# A Docker of the test's own: containerd and dockerd with their state in the test's directory, ended
# by pid.  Services of the machine are left alone.

# How many seconds a daemon may take to answer.
DAEMON_SECONDS=60

# The runtimes, as the installer registers them: moat keeps what a container writes in memory,
# moat-through gives it to Docker's layer, which docker cp, diff, commit and build read.
register_runtimes() {
	local install=$BATS_TEST_DIRNAME/../../contrib/install-docker
	"$install" --config "$DOCKER_DIR/daemon.json" --path "$MOAT"
	"$install" --config "$DOCKER_DIR/daemon.json" --path "$MOAT" --name moat-through -- --overlay=none
	if [ -n "${DOCKER_DEFAULT_RUNTIME:-}" ]; then
		jq --arg runtime "$DOCKER_DEFAULT_RUNTIME" '."default-runtime" = $runtime' \
			"$DOCKER_DIR/daemon.json" >"$DOCKER_DIR/daemon.json.new"
		mv "$DOCKER_DIR/daemon.json.new" "$DOCKER_DIR/daemon.json"
	fi
}

# docker_start [bridge]: with networks of its own, in a network namespace that ends with it; else
# containers have none.
docker_start() {
	local network="--bridge=none --iptables=false --ip6tables=false" place=()
	export DOCKER_DIR=$BATS_FILE_TMPDIR/docker
	export DOCKER_HOST=unix://$DOCKER_DIR/docker.sock
	mkdir -p "$DOCKER_DIR"
	register_runtimes >/dev/null
	cat >"$DOCKER_DIR/containerd.toml" <<-TOML
		version = 2
		root = "$DOCKER_DIR/containerd-root"
		state = "$DOCKER_DIR/containerd-state"
		disabled_plugins = ["io.containerd.grpc.v1.cri"]
		[grpc]
		  address = "$DOCKER_DIR/containerd.sock"
	TOML
	if [ "${1:-}" = bridge ]; then
		network=
		# shellcheck disable=SC2016
		place=(unshare --net sh -c 'ip link set lo up; exec "$@"' sh)
	fi
	"${place[@]}" containerd --config "$DOCKER_DIR/containerd.toml" \
		>"$DOCKER_DIR/containerd.log" 2>&1 3>&- &
	echo $! >"$DOCKER_DIR/containerd.pid"
	wait_for_socket "$DOCKER_DIR/containerd.sock"
	dockerd_start "$network" || return 1
	image_tree "$DOCKER_DIR/image"
	tar -C "$DOCKER_DIR/image" -c . | docker import - box >/dev/null
}

# dockerd_start [OPTION...]: the daemon alone, with the options that it had before if none are given.
dockerd_start() {
	[ $# = 0 ] || echo "$*" >"$DOCKER_DIR/options"
	# Not by way of a function, which would be a shell between us and the daemon.
	# shellcheck disable=SC2046
	nsenter --net="/proc/$(cat "$DOCKER_DIR/containerd.pid")/ns/net" -- \
		dockerd --containerd="$DOCKER_DIR/containerd.sock" --host "$DOCKER_HOST" \
		--data-root "$DOCKER_DIR/data" --exec-root "$DOCKER_DIR/exec" \
		--pidfile "$DOCKER_DIR/dockerd.pid" $(cat "$DOCKER_DIR/options") \
		--storage-driver=overlay2 --config-file "$DOCKER_DIR/daemon.json" \
		>>"$DOCKER_DIR/dockerd.log" 2>&1 3>&- &
	echo $! >"$DOCKER_DIR/dockerd.job"
	within "$DAEMON_SECONDS" docker info || { tail "$DOCKER_DIR/dockerd.log"; return 1; }
}

# end_daemon FILE: the one whose pid is in it, and its end is waited for.
end_daemon() {
	local pid
	pid=$(cat "$1")
	kill "$pid" 2>/dev/null || return 0
	while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
}

# Where the daemons are.
on_daemon_network() {
	nsenter --net="/proc/$(cat "$DOCKER_DIR/containerd.pid")/ns/net" -- "$@"
}

# within SECONDS COMMAND...: until it succeeds.
within() {
	local turns=$(($1 * 5)) i
	shift
	for ((i = 0; i < turns; i++)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.2
	done
	"$@"
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
	local ids
	ids=$(docker ps -aq 2>/dev/null)
	# shellcheck disable=SC2086
	[ -n "$ids" ] && docker rm -f $ids >/dev/null 2>&1
	end_daemon "$DOCKER_DIR/dockerd.job"
	end_daemon "$DOCKER_DIR/containerd.pid"
	umount "$DOCKER_DIR"/exec/netns/default 2>/dev/null
	# A daemon with live-restore leaves it.
	umount "$DOCKER_DIR/data" 2>/dev/null
	return 0
}

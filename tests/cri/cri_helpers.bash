# SPDX-License-Identifier: Apache-2.0
# A containerd of the test's own, with its CRI plugin, and an image to run in it.

# image_make NAME DIRECTORY: DIRECTORY/image.tar, an OCI archive with busybox.
image_make() {
	local name=$1 dir=$2 layer config manifest applet
	mkdir -p "$dir"/layer/{bin,proc,sys,dev,etc,tmp} "$dir/oci/blobs/sha256"
	cp /bin/busybox "$dir/layer/bin/"
	for applet in $(/bin/busybox --list); do
		[ "$applet" = busybox ] || ln -sf busybox "$dir/layer/bin/$applet"
	done
	echo 'root:x:0:0:root:/:/bin/sh' >"$dir/layer/etc/passwd"
	tar -C "$dir/layer" -cf "$dir/layer.tar" .
	layer=$(image_blob layer.tar)
	jq -cn --arg layer "sha256:$layer" '{ architecture: "amd64", os: "linux",
		config: { Cmd: ["/bin/sleep", "1000000"] },
		rootfs: { type: "layers", diff_ids: [$layer] } }' >"$dir/config"
	config=$(image_blob config)
	jq -cn --arg config "sha256:$config" --arg layer "sha256:$layer" \
		--argjson config_size "$(stat -c %s "$dir/config")" \
		--argjson layer_size "$(stat -c %s "$dir/layer.tar")" '{ schemaVersion: 2,
		mediaType: "application/vnd.oci.image.manifest.v1+json",
		config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: $config,
			size: $config_size },
		layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", digest: $layer,
			size: $layer_size }] }' >"$dir/manifest"
	manifest=$(image_blob manifest)
	jq -cn --arg name "$name" --arg digest "sha256:$manifest" \
		--argjson size "$(stat -c %s "$dir/manifest")" '{ schemaVersion: 2, manifests: [{
		mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $digest, size: $size,
		annotations: { "io.containerd.image.name": $name } }] }' >"$dir/oci/index.json"
	echo '{"imageLayoutVersion":"1.0.0"}' >"$dir/oci/oci-layout"
	tar -C "$dir/oci" -cf "$dir/image.tar" .
}

# Uses $dir of image_make; prints the digest.
image_blob() {
	local sum
	sum=$(sha256sum <"$dir/$1" | cut -d' ' -f1)
	cp "$dir/$1" "$dir/oci/blobs/sha256/$sum"
	echo "$sum"
}

# Below /run: a socket's path may not be long.
cri_start() {
	CRI=$(mktemp -d /run/moat-cri.XXXXXX)
	mkdir "$CRI/moat"
	cat >"$CRI/config.toml" <<-T
		version = 2
		root = "$CRI/root"
		state = "$CRI/state"
		[grpc]
		  address = "$CRI/socket"
		[ttrpc]
		  address = "$CRI/socket.ttrpc"
		[plugins."io.containerd.grpc.v1.cri"]
		  sandbox_image = "localhost/moat-test-box:1"
		  disable_apparmor = true
		  restrict_oom_score_adj = true
		  stream_server_port = "0"
		  [plugins."io.containerd.grpc.v1.cri".containerd]
		    snapshotter = "native"
		    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
		      runtime_type = "io.containerd.runc.v2"
		    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.moat]
		      runtime_type = "io.containerd.runc.v2"
		      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.moat.options]
		        BinaryName = "$MOAT"
		        Root = "$CRI/moat"
	T
	setsid containerd -c "$CRI/config.toml" </dev/null >"$CRI/log" 2>&1 3>&- &
	CRI_PID=$!
	local i
	for i in $(seq 200); do
		ctr -a "$CRI/socket" version >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	cat "$CRI/log"
	return 1
}

# What a test that failed has left ends as well.
cri_stop() {
	[ -n "${CRI_PID-}" ] || return 0
	local id at
	for id in $(ctr -a "$CRI/socket" -n k8s.io tasks ls -q); do
		ctr -a "$CRI/socket" -n k8s.io tasks delete -f "$id" >/dev/null 2>&1 || true
	done
	kill "$CRI_PID" 2>/dev/null || true
	wait "$CRI_PID" 2>/dev/null || true
	for at in $(sed -n "s|^[^ ]* \($CRI/[^ ]*\) .*|\1|p" /proc/mounts); do
		umount -l "$at" || true
	done
	rm -rf "$CRI"
}

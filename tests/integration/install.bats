#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# contrib/install-docker and install-containerd: what is in the files stays in them.
bats_require_minimum_version 1.5.0
load helpers

CONTRIB=$BATS_TEST_DIRNAME/../../contrib

setup() {
	cd "$BATS_TEST_TMPDIR"
	JSON=$PWD/etc/daemon.json
	TOML=$PWD/etc/config.toml
}

docker() { "$CONTRIB/install-docker" --config "$JSON" "$@"; }
containerd() { "$CONTRIB/install-containerd" --config "$TOML" "$@"; }

@test "install-docker into nothing, twice, and out again" {
	docker --path "$MOAT"
	[ "$(jq -cS . "$JSON")" = "{\"runtimes\":{\"moat\":{\"path\":\"$MOAT\"}}}" ]
	[ ! -e "$JSON.before-moat" ]
	touch -d @1 "$JSON"
	run -0 docker --path "$MOAT"
	[[ $output == *"nothing to change" ]]
	[ "$(stat -c %Y "$JSON")" = 1 ]
	docker --uninstall
	[ "$(jq -c . "$JSON")" = '{}' ]
	run -0 docker --uninstall
	[[ $output == *"nothing to change" ]]
}

@test "install-docker keeps what is there, and a copy" {
	mkdir etc
	echo '{"log-driver": "json-file", "runtimes": {"other": {"path": "/x"}}, "data-root": "/d"}' >"$JSON"
	chmod 600 "$JSON"
	cp "$JSON" before
	docker --path "$MOAT" --default -- --debug '--debug-log=/a b'
	[ "$(jq -c '.runtimes.moat.runtimeArgs' "$JSON")" = '["--debug","--debug-log=/a b"]' ]
	[ "$(jq -r '."default-runtime"' "$JSON")" = moat ]
	diff <(jq -S . before) <(jq -S 'del(.runtimes.moat, ."default-runtime")' "$JSON")
	[ "$(jq -c keys_unsorted "$JSON")" = '["log-driver","runtimes","data-root","default-runtime"]' ]
	[ "$(stat -c %a "$JSON")" = 600 ]
	diff before "$JSON.before-moat"
	docker --uninstall
	diff <(jq -S . before) <(jq -S . "$JSON")
}

@test "install-docker refuses what it does not understand" {
	mkdir etc
	echo '{"broken"' >"$JSON"
	cp "$JSON" before
	run_fails 1 "is not a JSON object" docker --path "$MOAT"
	diff before "$JSON"
	run_fails 1 "is no name for a runtime" docker --path "$MOAT" --name 'a b'
	run_fails 1 "cannot be executed" docker --path /nosuch
	run_fails 1 "not absolute" docker --path moat
	run_fails 1 "unknown option --nosuch" docker --nosuch
	[ "$(ls etc)" = daemon.json ]
}

@test "dockerd takes the file" {
	command -v dockerd || skip "Docker is not installed"
	[[ $(dockerd --help) == *--validate* ]] || skip "this Docker cannot validate"
	docker --path "$MOAT"
	dockerd --validate --config-file "$JSON"
}

@test "install-containerd into nothing, twice, and out again" {
	containerd --path "$MOAT"
	cp "$TOML" first
	run -0 containerd --path "$MOAT"
	[[ $output == *"nothing to change" ]]
	diff first "$TOML"
	grep -F "BinaryName = \"$MOAT\"" "$TOML"
	containerd --uninstall
	[ ! -s "$TOML" ]
}

@test "install-containerd keeps what is there, comments too" {
	mkdir etc
	cat >"$TOML" <<-END
	# mine
	version = 2
	[plugins."io.containerd.grpc.v1.cri"]
	  sandbox_image = "x" # pause
	[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.other]
	  runtime_type = "io.containerd.runc.v2"
	END
	cp "$TOML" before
	containerd --path "$MOAT" --systemd-cgroup
	diff before <(head -n "$(wc -l <before)" "$TOML")
	diff before "$TOML.before-moat"
	grep 'SystemdCgroup = true' "$TOML"
	containerd --path /bin/true
	[ "$(grep -c BinaryName "$TOML")" = 1 ]
	containerd --uninstall
	diff before "$TOML"
}

@test "install-containerd refuses what it does not understand" {
	mkdir etc
	printf 'version = 9\n' >"$TOML"
	run_fails 1 "version 9 is unknown" containerd --path "$MOAT"
	printf 'version = 2\n[broken\n' >"$TOML"
	run_fails 1 "config.toml" containerd --path "$MOAT"
	printf 'version = 2\n[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.moat]\n' >"$TOML"
	run_fails 1 "is not from here" containerd --path "$MOAT"
	run_fails 1 "is no name for a runtime" containerd --path "$MOAT" --name 'a.b'
	[ "$(ls etc)" = config.toml ]
}

@test "containerd takes the file" {
	/usr/bin/env containerd --version || skip "containerd is not installed"
	for version in '' 'version = 2' 'disabled_plugins = []'; do
		mkdir -p etc
		echo "$version" >"$TOML"
		containerd --path "$MOAT"
		/usr/bin/env containerd --config "$TOML" config dump >dump
		grep -F "BinaryName = \"$MOAT\"" dump
	done
}

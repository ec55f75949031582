#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Images made with moat: docker build (the classic builder) and packages installed in a
# container.  Needs a Debian root file system ($DEBIAN_ROOT, made by debian-root) and the package mirror.

load helpers.bash
load docker_helpers.bash

setup_file() {
	[ -n "${DEBIAN_ROOT:-}" ] || skip "no Debian root file system"
	export DOCKER_DEFAULT_RUNTIME=moat-through
	docker_start
	tar -C "$DEBIAN_ROOT" -c . | docker import - debian >/dev/null
	make_context "$BATS_FILE_TMPDIR/context"
}

teardown_file() {
	docker_stop
}

# A program, and the way to it.
make_context() {
	mkdir -p "$1"
	cat >"$1/hello.cc" <<-'C'
		#include <iostream>
		int main() { std::cout << "built\n"; }
	C
	printf 'hello: hello.cc\n\tg++ -o $@ $<\n' >"$1/Makefile"
	cat >"$1/Dockerfile" <<-'DOCKER'
		FROM debian
		RUN apt-get update -qq && apt-get install -y --no-install-recommends g++ make
		COPY . /src
		WORKDIR /src
		RUN make && ./hello >/answer && ln /answer /hard && ln -s answer /soft
		RUN rm /etc/motd && mkdir -p /d/e && chown 3:4 /d/e && chmod 2750 /d/e
		USER 1000
		CMD cat /answer
	DOCKER
}

@test "docker build: apt-get install in a container" {
	local runtime
	for runtime in moat moat-through; do
		run timeout -s KILL 300 docker run --rm --network host --runtime=$runtime debian \
			sh -c 'apt-get update -qq && apt-get install -y --no-install-recommends hello >/dev/null 2>&1 && hello'
		echo "$output"
		[ "$status" = 0 ]
		[ "${lines[-1]}" = "Hello, world!" ]
	done
}

@test "docker build: packages, a compiler, layers" {
	DOCKER_BUILDKIT=0 timeout -s KILL 600 docker build -q --network host -t built "$BATS_FILE_TMPDIR/context"
	for runtime in runc moat moat-through; do
		[ "$(docker run --rm --network none --runtime=$runtime built)" = built ]
		docker run --rm --network none --runtime=$runtime built \
			sh -c 'stat -c "%a %u:%g %h %F" /d/e /hard /answer /soft; ls /etc/motd 2>&1' \
			>"$BATS_TEST_TMPDIR/$runtime" || true
	done
	diff "$BATS_TEST_TMPDIR/runc" "$BATS_TEST_TMPDIR/moat"
	diff "$BATS_TEST_TMPDIR/runc" "$BATS_TEST_TMPDIR/moat-through"
	grep -q '^2750 3:4' "$BATS_TEST_TMPDIR/moat"
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Volumes that containers of a pod share: what one does to a file the others find done.  Under runc they
# share the host's kernel, which is what moat is compared with.
bats_require_minimum_version 1.5.0
load helpers.bash
load pod_helpers.bash

setup() {
	pod_setup
	PEER=${top_builddir:-$PWD}/tests/integration/volume_peer
	[ -x "$PEER" ] || skip "no volume_peer: make check TESTS= builds it"
	cp "$PEER" "$BUNDLE/rootfs/bin/"
	declare -gA INPUT=() ASKED=() SILENT=()
}

teardown() {
	umount "$BATS_TEST_TMPDIR/subpath" "$BATS_TEST_TMPDIR/subfile" 2>/dev/null || true
	peers_stop
	pod_teardown
}

# volume_mount NAME DESTINATION SOURCE [OPTION]
volume_mount() {
	pod_config "$1" '.mounts += [{ destination: $to, type: "bind", source: $from, options: ["rbind", $how] }]' \
		--arg to "$2" --arg from "$3" --arg how "${4-rw}"
}

# peer NAME: its process in the container, which tell and say talk to.
peer() {
	local at=$BATS_TEST_TMPDIR/$1 fd
	rm -f "$at.in" "$at.answers"
	mkfifo "$at.in"
	$RT exec "$(id_of "$1")" /bin/volume_peer <"$at.in" >"$at.answers" 2>&1 3>&- &
	exec {fd}>"$at.in"
	INPUT[$1]=$fd ASKED[$1]=0
	unset "SILENT[$1]"
}

# tell NAME COMMAND: without waiting for the answer, which hear prints.
tell() {
	echo "${@:2}" >&"${INPUT[$1]}"
	ASKED[$1]=$((ASKED[$1] + 1))
	echo "$1: ${*:2}"
}

# One that does not answer, for it sleeps, is not waited for again.
hear() {
	local i answers
	for i in $(seq 500); do
		mapfile -t answers <"$BATS_TEST_TMPDIR/$1.answers"
		[ "${#answers[@]}" -ge "${ASKED[$1]}" ] && [[ ${answers[-1]} == *" "* ]] && break
		[ -z "${SILENT[$1]-}" ] || break
		sleep 0.02
	done
	[ "$i" -lt 500 ] || SILENT[$1]=yes
	echo "    $1 ${answers[${ASKED[$1]} - 1]-is silent}"
}

say() {
	tell "$@"
	hear "$1"
}

# gives TEXT say|hear NAME...: that is in the answer.
gives() {
	"${@:2}" >"$BATS_TEST_TMPDIR/said"
	cat "$BATS_TEST_TMPDIR/said"
	grep -q ": .*$1" <(tail -1 "$BATS_TEST_TMPDIR/said")
}

peers_stop() {
	local name
	for name in "${!INPUT[@]}"; do
		exec {INPUT[$name]}>&-
	done
	INPUT=()
}

# A pod of a and b with a volume at /volume, in each a peer; more mounts are made by the function $1.
volume_pod() {
	rm -rf "$BATS_TEST_TMPDIR/volume"
	mkdir "$BATS_TEST_TMPDIR/volume" "$BATS_TEST_TMPDIR/volume/sub"
	pod_sandbox
	for name in a b; do
		pod_container "$name" sleep 1000
		volume_mount "$name" /volume "$BATS_TEST_TMPDIR/volume"
		[ -z "${1-}" ] || "$1" "$name"
		pod_start "$name"
		peer "$name"
	done
}

volume_pod_end() {
	umount "$BATS_TEST_TMPDIR/subpath" "$BATS_TEST_TMPDIR/subfile" 2>/dev/null || true
	peers_stop
	$RT delete -f "$(id_of a)"
	$RT delete -f "$(id_of b)"
	$RT kill "$POD" KILL
	$RT delete -f "$POD"
}

# as_under_runc SCRIPT [MOUNTS]
as_under_runc() {
	command -v runc || skip "runc is not installed"
	RT=runc_here
	volume_pod "${2-}"
	$1 >"$BATS_TEST_TMPDIR/theirs" 2>&1
	volume_pod_end
	RT=moat
	volume_pod "${2-}"
	$1 >"$BATS_TEST_TMPDIR/ours" 2>&1
	volume_pod_end
	cat "$BATS_TEST_TMPDIR/theirs"
	diff "$BATS_TEST_TMPDIR/theirs" "$BATS_TEST_TMPDIR/ours"
	pod_nothing_left
}

sockets() {
	for type in stream seqpacket; do
		say a bind $type /volume/$type 1
		say b connect $type /volume/$type 1
		say a accept 1 2
		say b write 1 from-b
		say a read 2
		say a write 2 from-a
		say b read 1
		say b peer 1
		say a peer 2
	done
	say b bind $type /volume/$type 3
	say b bind dgram /volume/dgram 4
	say a connect dgram /volume/dgram 4
	say a write 4 datagram
	say b read 4
	say a connect stream /volume/dgram 5
	# Files of one container in the hands of another.
	say b open /volume/passed rwc 6
	say b write 6 of-b
	say b send-fd 1 6
	say a receive-fd 2 6
	say a seek 6 0
	say a read 6
	say a same 6 /volume/passed
	# Who may not write to it may not connect; nobody can when its listener is gone.
	say b chown /volume/stream 1000
	say a stat /volume/stream
	say a close 1
	say b connect stream /volume/stream 7
	say b connect seqpacket /volume/seqpacket 7
	say b unlink /volume/seqpacket
	say b bind seqpacket /volume/seqpacket 8
	say a connect seqpacket /volume/seqpacket 8
	say b rename /volume/seqpacket /volume/sub/moved
	say a connect seqpacket /volume/seqpacket 9
	say a connect seqpacket /volume/sub/moved 9
}

@test "a unix socket on a volume is reached from the other container" {
	as_under_runc sockets
}

fifos() {
	say a mkfifo /volume/fifo
	say b open /volume/fifo wn 1
	tell b open /volume/fifo r 1
	say a open /volume/fifo w 1
	hear b
	say a write 1 through
	say b read 1
	say a close 1
	say b read 1
	say b close 1
	say b open /volume/fifo rw 2
	say a open /volume/fifo wn 2
	say a write 2 more
	say b read 2
	say b unlink /volume/fifo
	say a write 2 still
	say b read 2
	say b mkfifo /volume/fifo
	say b open /volume/fifo wn 3
}

@test "a FIFO on a volume joins the containers" {
	as_under_runc fifos
}

locks() {
	say a open /volume/file rwc 1
	say b open /volume/file rw 1
	say a flock 1 exclusive
	say b flock 1 shared
	say a flock 1 shared
	say b flock 1 shared
	say a flock 1 none
	tell a flock 1 exclusive wait
	say b flock 1 none
	hear a
	say a lock 1 w 0 10
	say a lock 1 r 20 10
	say b get-lock 1 w 5 1
	say b get-lock 1 r 25 1
	say b get-lock 1 w 15 10
	say b lock 1 w 9 1
	say b lock 1 r 22 1
	say b lock 1 w 10 5
	tell b lock-wait 1 w 0 5
	say a lock 1 u 0 3
	say a lock 1 u 3 3
	hear b
	say b lock-ofd 1 w 9 1
	say a close 1
	say b lock-ofd 1 w 9 1
	# What is locked is the file, whatever its name.
	say b link /volume/file /volume/sub/other
	say a open /volume/sub/other rw 2
	say a lock 2 w 0 1
	say a get-lock 2 w 9 1
	# Leases.
	say b open /volume/leased rwc 3
	say b close 3
	say b open /volume/leased r 3
	say b lease 3 r
	say a open /volume/leased wn 3
	say b signals 1
	say b lease 3 none
	say a open /volume/leased wn 3
	say b lease 3 r
}

@test "locks and leases on a volume are seen by the other container" {
	as_under_runc locks
}

@test "a lock ends with the container that held it" {
	volume_pod
	say a open /volume/file rwc 1
	say b open /volume/file rw 1
	say a lock 1 w 0 10
	say a flock 1 exclusive
	gives EAGAIN say b lock 1 w 0 1
	tell b flock 1 exclusive wait
	moat delete -f "$(id_of a)"
	gives ok hear b
	gives ok say b lock 1 w 0 1
	# The next one that mounts it finds what there is.
	pod_container a sleep 1000
	volume_mount a /volume "$BATS_TEST_TMPDIR/volume"
	pod_start a
	peer a
	say a open /volume/file rw 1
	gives EAGAIN say a lock 1 w 0 1
}

memory() {
	say a open /volume/page rwc 1
	say a truncate /volume/page 4096
	say b open /volume/page rw 1
	say a map 1
	say b map 1
	say a poke 1 42
	say b peek 1
	say b poke 1 43
	say a peek 1
	tell a futex-wait 1 43
	say b futex-wake 1
	hear a
}

@test "a file mapped by both is one memory, and its futexes are the same" {
	as_under_runc memory
}

attributes() {
	say a open /volume/file rwc 1
	say b stat /volume/file
	say b open /volume/file rw 1
	say a write 1 twelve-bytes
	say b fstat 1
	say b stat /volume/file
	say b read 1
	say b truncate /volume/file 3
	say a fstat 1
	say a chmod /volume/file 600
	say b fstat 1
	say b chown /volume/file 7
	say a stat /volume/file
	say a rename /volume/file /volume/sub/renamed
	say b stat /volume/file
	say b stat /volume/sub/renamed
	say b same 1 /volume/sub/renamed
	say b link /volume/sub/renamed /volume/again
	say a fstat 1
	say a unlink /volume/again
	say b unlink /volume/sub/renamed
	say a fstat 1
	say a stat /volume/sub/renamed
	say a write 1 unlinked
	say b seek 1 12
	say b read 1
	say a open /volume/file rwcx 2
	say b open /volume/file rwcx 2
	say b open /volume/file rwa 2
	say a write 2 one-
	say b write 2 two-
	say b unlink /volume/file
	say a open /volume/file rwcx 3
	# Directories.
	say a mkdir /volume/sub/deep
	say b chdir /volume/sub/deep
	say b open here wc 4
	say a stat /volume/sub/deep/here
	say a rename /volume/sub /volume/bus
	say b stat here
	say b stat /volume/sub
	say b stat /volume/bus/deep/here
	say a unlink /volume/bus/deep/here
	say a rmdir /volume/bus/deep
	say b open here wc 5
	say b stat /volume/bus/deep
	# Execution keeps writers out.
	say b execute /volume/program
	say a open /volume/program rw 6
	say b execute /volume/program
	say a close 6
	say b execute /volume/program
}

programs() {
	cp /bin/true "$BATS_TEST_TMPDIR/volume/program" 2>/dev/null || true
	printf '#!/bin/true\n' >"$BATS_TEST_TMPDIR/volume/program"
	chmod 755 "$BATS_TEST_TMPDIR/volume/program"
}

@test "what is changed on a volume is changed at once" {
	as_under_runc attributes programs
}

watches() {
	say b inotify 1
	say b watch 1 /volume
	say b open /volume/file rwc 2
	say b close 2
	say b events 1
	say b watch 1 /volume/file
	say a open /volume/new rwc 1
	say a write 1 text
	say a close 1
	say b events 1
	say a open /volume/file rw 1
	say b events 1
	say a write 1 text
	say a chmod /volume/file 600
	say b events 1
	say a close 1
	say b events 1
	say a rename /volume/new /volume/newer
	say b events 1
	say a mkdir /volume/made
	say a rmdir /volume/made
	say b events 1
	# A watch is the inode's, whichever name it was made by.
	say a link /volume/newer /volume/linked
	say b events 1
	say a inotify 3
	say a watch 3 /volume/newer
	say a watch 3 /volume/linked
	say b truncate /volume/linked 1
	say a events 3
}

@test "inotify tells of what the other container does" {
	as_under_runc watches
}

@test "a watch ends with its file, whoever removes that" {
	volume_pod
	say a open /volume/file wc 1
	say a close 1
	say b inotify 1
	say b watch 1 /volume/file
	say a unlink /volume/file
	gives "1:400: 1:8000:" say b events 1
	say b open /volume/file wc 2
	gives EAGAIN say b events 1
}

@test "names are made once, and what is appended is all there" {
	volume_pod
	tell a exclusive /volume/sub 300
	tell b exclusive /volume/sub 300
	hear a
	hear b
	made=$(grep -h exclusive "$BATS_TEST_TMPDIR"/[ab].answers | tr -dc '0-9\n' | paste -sd+ | bc)
	[ "$made" -eq 300 ]
	tell a append /volume/log 500 aaaaaaa
	tell b append /volume/log 500 bbbbbbb
	hear a
	hear b
	[ "$(wc -c <"$BATS_TEST_TMPDIR/volume/log")" -eq 7000 ]
	[ "$(tr -d b <"$BATS_TEST_TMPDIR/volume/log" | wc -c)" -eq 3500 ]
}

# b has the volume read-only, a twice.
read_only_mounts() {
	volume_mount "$1" /second "$BATS_TEST_TMPDIR/volume"
	[ "$1" = a ] || pod_config b '(.mounts[] | select(.source == $from).options) = ["rbind", "ro"]' \
		--arg from "$BATS_TEST_TMPDIR/volume"
}

read_only() {
	say a bind stream /volume/socket 1
	say b connect stream /volume/socket 1
	say a connect stream /second/socket 2
	say a mkfifo /second/fifo
	say a open /volume/fifo rw 3
	say b open /volume/fifo wn 3
	say b write 3 into-it
	say a read 3
	say b open /volume/file rwc 4
	say b bind stream /volume/another 4
	say b unlink /volume/fifo
	say b chmod /volume/fifo 600
	say a open /volume/file rwc 5
	say a open /second/file rw 6
	say a flock 5 exclusive
	say a flock 6 exclusive
	say b open /volume/file rw 5
	say b open /volume/file r 5
	say b flock 5 exclusive
}

@test "each container's mount keeps its own options, and one container's two mounts are one volume" {
	as_under_runc read_only read_only_mounts
}

# Names and all are alike, but the directories are others.
own_mounts() {
	mkdir -p "$BATS_TEST_TMPDIR/own-$1"
	rm -rf "$BATS_TEST_TMPDIR/own-$1"/*
	volume_mount "$1" /own "$BATS_TEST_TMPDIR/own-$1"
}

own() {
	say a bind stream /own/socket 1
	say b connect stream /own/socket 1
	say b bind dgram /own/socket 1
	say a mkfifo /own/fifo
	say b mkfifo /own/fifo
	say a open /own/fifo rw 2
	say b open /own/fifo wn 2
	say a open /own/file rwc 3
	say b open /own/file rwc 3
	say a lock 3 w 0 10
	say b get-lock 3 w 0 10
	say a flock 3 exclusive
	say b flock 3 exclusive
	say b inotify 4
	say b watch 4 /own
	say a write 3 text
	say a unlink /own/file
	say b events 4
}

# b has a directory of it besides, as it is and as kubelet mounts a subPath; and a file of it alone.
sub_mounts() {
	umount "$BATS_TEST_TMPDIR/subpath" "$BATS_TEST_TMPDIR/subfile" 2>/dev/null || true
	mkdir -p "$BATS_TEST_TMPDIR/subpath" "$BATS_TEST_TMPDIR/volume/sub/dir"
	touch "$BATS_TEST_TMPDIR/subfile" "$BATS_TEST_TMPDIR/volume/sub/file"
	mount --bind "$BATS_TEST_TMPDIR/volume/sub/dir" "$BATS_TEST_TMPDIR/subpath"
	mount --bind "$BATS_TEST_TMPDIR/volume/sub/file" "$BATS_TEST_TMPDIR/subfile"
	[ "$1" = b ] || return 0
	pod_config b '.mounts |= map(select(.destination != "/volume"))'
	volume_mount b /sub "$BATS_TEST_TMPDIR/volume/sub"
	volume_mount b /subpath "$BATS_TEST_TMPDIR/subpath"
	volume_mount b /file "$BATS_TEST_TMPDIR/volume/sub/file"
	volume_mount b /subfile "$BATS_TEST_TMPDIR/subfile"
}

# The other way round: who has the part is there first.
sub_mounts_first() {
	sub_mounts "$1"
	pod_config "$1" '.mounts |= map(select(.destination | test("^/(volume|sub|file)") | not))'
	if [ "$1" = a ]; then
		volume_mount a /volume "$BATS_TEST_TMPDIR/subpath"
	else
		volume_mount b /all "$BATS_TEST_TMPDIR/volume"
	fi
}

parts() {
	say a bind stream /volume/sub/socket 1
	say b connect stream /sub/socket 1
	say a bind seqpacket /volume/sub/dir/socket 2
	say b connect seqpacket /subpath/socket 2
	say b connect seqpacket /sub/dir/socket 3
	say b mkfifo /subpath/fifo
	say a open /volume/sub/dir/fifo rw 3
	say b open /subpath/fifo wn 4
	say b write 4 through
	say a read 3
	say a open /volume/sub/file rw 5
	say a lock 5 w 0 10
	say a flock 5 exclusive
	for name in /sub/file /file /subfile; do
		say b open $name rw 5
		say b get-lock 5 w 3 1
		say b flock 5 exclusive
		say b same 5 /sub/file
		say b close 5
	done
	say b inotify 6
	say b watch 6 /subfile
	say b watch 6 /subpath
	say a write 5 text
	say a open /volume/sub/dir/new rwc 7
	say a close 7
	say b events 6
	say a lease 5 none
	say b unlink /subpath/socket
	say a connect seqpacket /volume/sub/dir/socket 8
	say b execute /sub/dir/new
}

parts_first() {
	say a bind stream /volume/socket 1
	say b connect stream /all/sub/dir/socket 1
	say a open /volume/file rwc 2
	say a flock 2 exclusive
	say b open /all/sub/dir/file rw 2
	say b flock 2 exclusive
	say b inotify 3
	say b watch 3 /all/sub/dir
	say a unlink /volume/file
	say b events 3
}

@test "a part of a volume is of that volume" {
	as_under_runc parts sub_mounts
}

@test "a part of a volume is of that volume when it is there first" {
	as_under_runc parts_first sub_mounts_first
}

@test "what is not shared is not seen" {
	as_under_runc own own_mounts
}

@test "a volume goes on when a container that used it has gone" {
	volume_pod
	say b bind stream /volume/socket 1
	say a mkfifo /volume/fifo
	say a open /volume/fifo rw 2
	say b open /volume/fifo rw 2
	say a write 2 left-behind
	kill -KILL "$(jq .goferPid "$ROOT/$(id_of a)/state.json")"
	gives EIO say a connect stream /volume/socket 3
	moat delete -f "$(id_of a)"
	gives left-behind say b read 2
	gives ok say b connect stream /volume/socket 3
	pod_container a sleep 1000
	volume_mount a /volume "$BATS_TEST_TMPDIR/volume"
	pod_start a
	peer a
	gives ok say a connect stream /volume/socket 3
	gives ok say a open /volume/fifo wn 2
	say a write 2 again
	gives again say b read 2
}

@test "nothing of a volume is left in the sentry when it is gone" {
	volume_pod
	local sentry=$(<"$BATS_TEST_TMPDIR/pod.pid") i
	say b bind stream /volume/socket 1
	round() {
		pod_container c sleep 1000
		volume_mount c /volume "$BATS_TEST_TMPDIR/volume"
		volume_mount c /again "$BATS_TEST_TMPDIR/volume"
		pod_start c
		peer c
		say c connect stream /again/socket 1
		say c open /volume/file rwc 2
		say c flock 2 exclusive
		exec {INPUT[c]}>&-
		unset "INPUT[c]"
		moat delete -f "$(id_of c)"
	}
	for i in 1 2 3; do round; done
	sleep 0.3
	before=$(sentry_fds "$sentry")
	for i in 1 2 3 4 5 6 7 8; do
		round
		say b accept 1 2
		say b close 2
	done
	for i in $(seq 600); do
		[ "$(sentry_fds "$sentry")" -le "$before" ] && break
		sleep 0.05
	done
	[ "$(sentry_fds "$sentry")" -le "$before" ]
}

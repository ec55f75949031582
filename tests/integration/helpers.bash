# SPDX-License-Identifier: Apache-2.0
# Shared by the bats files.  Needs root and busybox.  The runtime under test is $MOAT, by default
# the one of the build in the current directory.

MOAT=${MOAT:-${top_builddir:-$PWD}/moat}
ID_PREFIX=mt$$

# A bundle in $BUNDLE and a state directory in $ROOT, both of this test alone.
bundle_setup() {
	ROOT=$BATS_TEST_TMPDIR/root
	BUNDLE=$BATS_TEST_TMPDIR/bundle
	ID=$ID_PREFIX-$BATS_TEST_NUMBER
	mkdir -p "$BUNDLE/rootfs"/{bin,etc,proc,dev,sys,tmp,usr}
	cp /bin/busybox "$BUNDLE/rootfs/bin/"
	local applet
	for applet in sh true false sleep cat echo env id ls kill ps pwd readlink; do
		ln -sf busybox "$BUNDLE/rootfs/bin/$applet"
	done
	(cd "$BUNDLE" && "$MOAT" spec)
	config '.process.terminal = false | .process.args = ["/bin/true"]'
	our_mounts >"$BATS_TEST_TMPDIR/mounts"
}

# Those that moat makes, and those in this test's directory: others come and go beside it.
our_mounts() {
	grep -E -- " - [^ ]+ moat|$BATS_TEST_TMPDIR" /proc/self/mountinfo |
		awk -v own="$BATS_TEST_TMPDIR" 'index($0, own) || !index($0, "/bats-run-")'
}

# Changes config.json by a jq program; options of jq follow the program.
config() {
	jq "$1" "$BUNDLE/config.json" "${@:2}" >"$BUNDLE/config.json.new"
	mv "$BUNDLE/config.json.new" "$BUNDLE/config.json"
}

args() {
	local list
	list=$(printf '%s\n' "$@" | jq -R . | jq -cs .)
	config '.process.args = $list' --argjson list "$list"
}

moat() {
	"$MOAT" --root "$ROOT" "$@"
}

# In the background a test's own output must not be held open.
run_detached() {
	moat run -d -b "$BUNDLE" "$@" </dev/null >/dev/null 2>&1
}

# await COMMAND...: until it succeeds, which it does soon; a busy machine has half a minute.
await() {
	local i
	for i in $(seq 600); do
		"$@" && return 0
		sleep 0.05
	done
	echo "in vain: $*"
	return 1
}

# Whether process $1 has asked the sandbox something and waits for the answer.
in_poll() {
	grep -q '^7 ' "/proc/$1/syscall"
}

state_of() {
	moat state "$1" | jq -r .status
}

wait_for_status() {
	local i
	for i in $(seq 600); do
		[ "$(state_of "$1")" = "$2" ] && return 0
		sleep 0.05
	done
	echo "container $1 is $(state_of "$1"), not $2"
	return 1
}

# Processes of this test's containers, found by their cgroup or by what they were started from.
our_processes() {
	local dir file stat
	for file in $(grep -ls -- "$ID_PREFIX" /proc/[0-9]*/cgroup); do
		dir=${file%/cgroup}
		read -r stat 2>/dev/null <"$dir/stat" || continue
		[[ $stat == *") Z "* ]] && continue
		echo "$dir $(tr '\0' ' ' <"$dir/cmdline" 2>/dev/null)"
	done
}

assert_nothing_left() {
	local i left
	# Processes that were killed need a moment to be gone.
	for i in $(seq 600); do
		left=$(our_processes)
		[ -z "$left" ] && break
		sleep 0.05
	done
	[ -z "$left" ] || { echo "processes left: $left"; return 1; }
	left=$(find /sys/fs/cgroup -name "*$ID_PREFIX*" 2>/dev/null || true)
	[ -z "$left" ] || { echo "cgroups left: $left"; return 1; }
	left=$(ls -A "$ROOT" 2>/dev/null || true)
	[ -z "$left" ] || { echo "state left: $left"; return 1; }
	diff "$BATS_TEST_TMPDIR/mounts" <(our_mounts) ||
		{ echo "mounts left"; return 1; }
}

bundle_teardown() {
	local id
	for id in $(moat list -q 2>/dev/null); do
		moat delete -f "$id" || true
	done
}

# run_fails STATUS TEXT COMMAND...: exits with STATUS, says TEXT in one line of standard error.
run_fails() {
	local status_wanted=$1 text=$2
	shift 2
	run --separate-stderr "$@"
	# The log quotes its message.
	if [ "$status" -ne "$status_wanted" ] || [[ ${stderr//\\\"/\"} != *"$text"* ]]; then
		echo "wanted status $status_wanted and \"$text\""
		echo "got $status: $stderr"
		return 1
	fi
	if [ "$(wc -l <<<"$stderr")" -ne 1 ]; then
		echo "more than one line: $stderr"
		return 1
	fi
}

# observe FILE COMMAND...: what it prints, its status and then its errors. The two streams are pipes of their own:
# runc copies each by itself, so their order to one another says nothing.
observe() {
	local file=$1
	shift
	{ (set +e; "$@" </dev/null 2>&3 3>&-; echo "status $?") | cat >"$file"; } 3>&1 | cat >"$file.err"
	cat "$file.err" >>"$file"
}

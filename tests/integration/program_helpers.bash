# SPDX-License-Identifier: Apache-2.0
# Runs a command of a Debian root file system ($DEBIAN_ROOT, made by debian-root) under runc and
# in the sandbox, and compares.  $MOAT_OPTIONS: global options of moat, as --platform=ptrace.

# programs_setup: bundles for both in $WORK.
programs_setup() {
	local common='.process.terminal = false | .root.readonly = false
		| .process.capabilities = { bounding: $caps, effective: $caps, permitted: $caps }
		| .process.cwd = "/root" | .process.env += ["HOME=/root", "LC_ALL=C.UTF-8"]
		| .process.rlimits = [{type: "RLIMIT_NOFILE", hard: 4096, soft: 4096}]
		| .mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["mode=1777"]}]'
	local caps='["CAP_CHOWN","CAP_DAC_OVERRIDE","CAP_FSETID","CAP_FOWNER","CAP_MKNOD","CAP_SETGID",
		"CAP_SETUID","CAP_SETFCAP","CAP_SETPCAP","CAP_SYS_CHROOT","CAP_KILL"]'

	export WORK=$BATS_FILE_TMPDIR
	mkdir -p "$WORK"/{upper,work,rootfs,runc,moat}
	# runc writes where it runs: give it a layer of its own.
	mount -t overlay overlay -o "lowerdir=$DEBIAN_ROOT,upperdir=$WORK/upper,workdir=$WORK/work" \
		"$WORK/rootfs"
	(cd "$WORK" && "$MOAT" spec)
	jq --argjson caps "$caps" "$common" "$WORK/config.json" >"$WORK/base.json"
	# A loopback interface that is up, as the sandbox has it, is made by with_loopback.
	jq --arg p "$WORK/rootfs" '.root.path = $p
		| .linux.namespaces |= map(select(.type != "network"))' "$WORK/base.json" >"$WORK/runc/base.json"
	jq --arg p "$DEBIAN_ROOT" '.root.path = $p' "$WORK/base.json" >"$WORK/moat/base.json"
}

programs_teardown() {
	umount "$WORK/rootfs"
}

# A network namespace of its own, with nothing but loopback.
with_loopback() {
	unshare -n sh -c 'busybox ip link set lo up && exec "$@"' sh "$@"
}

# run_in RUNTIME COMMAND [JQ]: output and status in $WORK/RUNTIME/{out,status}
run_in() {
	local dir=$WORK/$1 id=prog-$1-$$-$BATS_TEST_NUMBER status=0
	local -a runtime=(runc) prefix=(with_loopback)
	# shellcheck disable=SC2206
	[ "$1" = moat ] && runtime=("$MOAT" --root "$WORK/state" $MOAT_OPTIONS) prefix=()
	export -f with_loopback
	jq --arg c "$2" '.process.args = ["/bin/bash", "-c", $c]'" ${3:+| $3}" "$dir/base.json" \
		>"$dir/config.json"
	timeout -s KILL "${LIMIT:-120}" bash -c '"$@"' bash "${prefix[@]}" "${runtime[@]}" run -b "$dir" "$id" \
		<"${INPUT:-/dev/null}" >"$dir/out" 2>"$dir/err" || status=$?
	echo $status >"$dir/status"
	"${runtime[@]}" delete -f "$id" >/dev/null 2>&1 || true
}

# The command prints the same and ends the same on both.
same() {
	run_in runc "$@"
	run_in moat "$@"
	if ! diff -u "$WORK/runc/out" "$WORK/moat/out" || ! diff "$WORK/runc/status" "$WORK/moat/status"; then
		echo "stderr of moat:"
		tail -n 20 "$WORK/moat/err"
		return 1
	fi
}

# needs PROGRAM...: skips the test where the root file system lacks one.
needs() {
	local program
	for program; do
		[ -e "$DEBIAN_ROOT/$program" ] || skip "no $program in the root file system (PROGRAMS_LONG)"
	done
}

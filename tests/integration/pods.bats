#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Pods: several containers in one sandbox, driven as containerd's CRI plugin drives any runtime.
bats_require_minimum_version 1.5.0
load helpers.bash
load pod_helpers.bash

setup() { pod_setup; }
teardown() { pod_teardown; }

# What can be seen of a pod from within its containers and by the command line.
observe_pod() {
	pod_sandbox
	pod_container one sh -c 'echo "pid $$"; hostname; ls /; echo to stdout; echo to stderr >&2; exit 7'
	pod_container two sh -c 'sleep 1000'
	pod_start one
	pod_wait_stopped one
	cat "$BATS_TEST_TMPDIR/one.out"
	pod_start two
	pod_state one
	pod_state two
	$RT exec "$(id_of two)" sh -c 'exec 2>&1; ps -o args | grep -c "[s]leep 1000"; hostname renamed'
	$RT exec "$POD" hostname
	$RT exec "$(id_of two)" touch /of-two
	$RT exec "$POD" ls / | grep of-two || echo "a root of its own"
	PID_PATH=/proc/$(<"$BATS_TEST_TMPDIR/two.pid")/ns/pid
	pod_container three sh -c 'ps -o args | grep "[s]leep 1000"; test $$ = 1 || echo "not the first"'
	PID_PATH=
	pod_start three
	pod_wait_stopped three
	cat "$BATS_TEST_TMPDIR/three.out"
	status=0
	$RT exec "$(id_of two)" sh -c 'exit 9' || status=$?
	echo "status $status"
	$RT kill "$(id_of two)" KILL
	pod_wait_stopped two
	$RT state "$POD" | jq -r .status
	$RT delete "$(id_of one)" && $RT delete "$(id_of two)" && $RT delete "$(id_of three)"
	$RT list -q | wc -l
	$RT kill "$POD" KILL
	$RT delete -f "$POD"
}

@test "a pod's containers behave as under runc" {
	command -v runc || skip "runc is not installed"
	RT=runc_here
	theirs=$(observe_pod 2>&1)
	RT=moat
	ours=$(observe_pod 2>&1)
	echo "$theirs"
	diff <(echo "$theirs") <(echo "$ours")
	pod_nothing_left
}

@test "processes, state and numbers are each container's own" {
	pod_sandbox
	pod_container one sh -c 'sleep 101'
	pod_container two sh -c 'sleep 102'
	pod_start one
	pod_start two
	run -0 moat ps "$(id_of one)"
	[[ $output == *"sleep 101"* && $output != *"sleep 102"* && $output != *"sleep 1000"* ]]
	run -0 moat ps "$POD"
	[[ $output == *"sleep 1000"* && $output != *"sleep 10"[12]* ]]
	# The host's pids are those of the stubs.
	for pid in $(moat ps -f json "$(id_of two)" | jq '.[]'); do
		[ "$pid" -gt 0 ]
		grep -q "$ID-pod/two" "/proc/$pid/cgroup"
	done
	[ "$(moat state "$(id_of one)" | jq .pid)" = "$(<"$BATS_TEST_TMPDIR/one.pid")" ]
	[ "$(moat list -q | wc -l)" -eq 3 ]
	run -0 moat events --stats "$(id_of one)"
	[ "$(jq .data.pids.current <<<"$output")" -eq "$(moat ps -f json "$(id_of one)" | jq length)" ]
}

@test "the gofer, the monitor and every stub are in the container's cgroup" {
	pod_sandbox
	pod_container one sh -c 'sleep 1234; true'
	pod_start one
	both_run() { [ "$(moat ps -f json "$(id_of one)" | jq length)" = 2 ]; }
	await both_run
	dir=$(find /sys/fs/cgroup -type d -path "*/$ID-pod/one" | head -1)
	[ -n "$dir" ]
	grep -qx "$(<"$BATS_TEST_TMPDIR/one.pid")" "$dir/cgroup.procs"
	grep -qx "$(jq .goferPid "$ROOT/$(id_of one)/state.json")" "$dir/cgroup.procs"
	# What is not there is the sandbox's: its sentry, its template and init, its stock.
	sentry=$(<"$BATS_TEST_TMPDIR/pod.pid")
	mine=$(sort "$dir/cgroup.procs")
	for pid in $(cat "/proc/$sentry/task/"*/children); do
		case $(tr '\0' ' ' <"/proc/$pid/cmdline") in
		*"sleep 1234"*) grep -qx "$pid" <<<"$mine" ;;
		esac
	done
}

@test "the monitor ends with the container's status, and with it the container" {
	pod_sandbox
	pod_container one sh -c 'exit 23'
	pod_container two sleep 1000
	pod_container three sleep 1000
	cat >"$BATS_TEST_TMPDIR/reap.py" <<-'P'
		import ctypes, os, subprocess, sys
		ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER, as the shim
		pid_file, *command = sys.argv[1:]
		subprocess.run(["sh", "-c", " ".join(command)], stdin=subprocess.DEVNULL, check=True)
		pid = int(open(pid_file).read())
		print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	P
	reap() { # NAME: create, start, wait as the shim does; more commands follow
		python3 "$BATS_TEST_TMPDIR/reap.py" "$BATS_TEST_TMPDIR/$1.pid" \
			"$MOAT --root $ROOT create --pid-file $BATS_TEST_TMPDIR/$1.pid -b $BATS_TEST_TMPDIR/pod/$1 $(id_of $1)" \
			"&& $MOAT --root $ROOT start $(id_of $1)" "${@:2}"
	}
	run -0 reap one
	[ "${lines[-1]}" = 23 ]
	run -0 reap two "&& $MOAT --root $ROOT kill $(id_of two) KILL"
	[ "${lines[-1]}" = 137 ]
	pod_wait_stopped two
	# Killed itself, its container does not go on.
	pod_start three
	kill -KILL "$(<"$BATS_TEST_TMPDIR/three.pid")"
	pod_wait_stopped three
	for i in $(seq 600); do
		moat exec "$POD" ps -o args | grep -q "sleep 1000" && [ "$(moat exec "$POD" ps -o args | grep -c "sleep 1000")" -eq 1 ] && break
		sleep 0.05
	done
	[ "$(moat exec "$POD" ps -o args | grep -c "sleep 1000")" -eq 1 ]
	[ "$(state_of "$POD")" = running ]
	moat delete "$(id_of three)"
}

@test "signals for the monitor are for the container's init" {
	pod_sandbox
	pod_container one sh -c 'trap "echo got it; exit 5" USR1; echo ready; while :; do sleep 0.05; done'
	pod_start one
	for i in $(seq 600); do grep -q ready "$BATS_TEST_TMPDIR/one.out" && break; sleep 0.05; done
	kill -USR1 "$(<"$BATS_TEST_TMPDIR/one.pid")"
	pod_wait_stopped one
	grep -q "got it" "$BATS_TEST_TMPDIR/one.out"
}

@test "kill says that a container does not run no sooner than its state does" {
	local monitor
	pod_sandbox
	pod_container one sleep 1000
	pod_start one
	monitor=$(<"$BATS_TEST_TMPDIR/one.pid")
	# Its sandbox is gone, and it has not noticed yet.
	kill -STOP "$monitor"
	moat kill "$POD" KILL
	sandbox_ended() { [ "$(state_of "$POD")" = stopped ]; }
	await sandbox_ended
	[ "$(state_of "$(id_of one)")" = running ]
	(sleep 0.5 && kill -CONT "$monitor") 3>&- &
	run -1 moat kill "$(id_of one)" TERM
	[[ $output == *"container not running"* ]]
	[ "$(state_of "$(id_of one)")" = stopped ]
	moat delete "$(id_of one)"
}

@test "the monitor has no rights, and two connections" {
	local monitor
	pod_sandbox
	pod_container one sleep 1000
	pod_start one
	monitor=$(<"$BATS_TEST_TMPDIR/one.pid")
	grep -qx 'Seccomp:	2' "/proc/$monitor/status"
	grep -qx 'NoNewPrivs:	1' "/proc/$monitor/status"
	for set in CapInh CapPrm CapEff CapBnd CapAmb; do
		grep -qx "$set:	0000000000000000" "/proc/$monitor/status"
	done
	[ "$(find "/proc/$monitor/fd" -lname 'socket:*' | wc -l)" = 2 ]
	[ "$(find "/proc/$monitor/fd" -lname '/*' ! -lname /dev/null | wc -l)" = 0 ]
}

@test "run in the foreground, run with a terminal" {
	pod_sandbox
	pod_container one sh -c 'cat; exit 3'
	run -3 moat run -b "$BUNDLE_OF" "$(id_of one)" <<<"through the container"
	[ "$output" = "through the container" ]
	pod_container two sh -c 'test -t 0 && test -c /dev/console && echo terminal'
	pod_config two '.process.terminal = true'
	type -P script || skip "no script"
	run -0 script -qec "'$MOAT' --root '$ROOT' run -b '$BUNDLE_OF' '$(id_of two)'" /dev/null
	[[ $output == *terminal* ]]
	run -0 moat list -q
	[ "$output" = "$POD" ]
}

@test "PID namespaces: of the sandbox, of another container, unknown, none" {
	pod_sandbox
	sandbox=/proc/$(<"$BATS_TEST_TMPDIR/pod.pid")/ns/pid
	PID_PATH=$sandbox pod_container one sh -c 'echo $$; ps -o args; sleep 1000'
	pod_start one
	run -0 moat exec "$(id_of one)" sh -c 'ps -o pid,args | grep "^ *1 sleep 1000"'
	# Its init is another number than 1, which kill, wait and the monitor know.
	moat kill "$(id_of one)" KILL
	pod_wait_stopped one
	[ "$(state_of "$POD")" = running ]
	# A new one is below the sandbox's, which sees it.
	pod_container two sleep 1001
	pod_start two
	[ "$(moat exec "$(id_of two)" ps -o args | grep -c "sleep 100")" -eq 1 ]
	moat exec "$POD" ps -o args | grep -q "sleep 1001"
	# kubectl debug --target: the path of the target's own process.
	PID_PATH=/proc/$(<"$BATS_TEST_TMPDIR/two.pid")/ns/pid pod_container debug sh -c 'ps -o args'
	pod_start debug
	pod_wait_stopped debug
	grep -q "sleep 1001" "$BATS_TEST_TMPDIR/debug.out"
	# Two that name the same unknown path share one.
	PID_PATH=/proc/999999/ns/pid pod_container three sleep 1003
	pod_start three
	grep -q "PID namespace /proc/999999/ns/pid is no other container's of the pod" "$BATS_TEST_TMPDIR/three.out"
	[ "$(moat exec "$(id_of three)" ps -o args | grep -c "sleep 100")" -eq 1 ]
	PID_PATH=/proc/999999/ns/pid pod_container four sh -c 'ps -o args'
	pod_start four
	pod_wait_stopped four
	grep -q "sleep 1003" "$BATS_TEST_TMPDIR/four.out"
	! grep -q "no other container's" "$BATS_TEST_TMPDIR/four.out"
}

@test "IPC and UTS namespaces: of its own, of another container" {
	names() {
		pod_config "$1" '.linux.namespaces |= map(if .type == "ipc" or .type == "uts" then del(.path) else . end) |
			.hostname = "own" | .process.capabilities[] += ["CAP_SYS_ADMIN"] | .linux.sysctl = {"fs.mqueue.msg_max": "77", "kernel.domainname": "own.org"} |
			.mounts += [{"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue"}]'
	}
	pod_sandbox
	look='hostname; cat /proc/sys/kernel/domainname /proc/sys/fs/mqueue/msg_max; ls /dev/mqueue'
	pod_container one sh -c "$look; >/dev/mqueue/mine; exec sleep 1001"
	names one
	pod_start one
	[ "$(moat exec "$(id_of one)" sh -c "$look")" = "$(printf 'own\nown.org\n77\nmine')" ]
	[ "$(moat exec "$POD" sh -c "hostname; cat /proc/sys/kernel/domainname /proc/sys/fs/mqueue/msg_max")" = \
		"$(printf 'pod-host\n(none)\n10')" ]
	moat exec "$(id_of one)" hostname changed
	[ "$(moat exec "$(id_of one)" hostname) $(moat exec "$POD" hostname)" = "changed pod-host" ]
	ipc_of() { moat exec "$1" readlink /proc/self/ns/ipc; }
	[ "$(ipc_of "$(id_of one)")" != "$(ipc_of "$POD")" ]
	# Another one joins it, and one the sandbox's.
	pod_container two sleep 1002
	pod_config two '.linux.namespaces |= map(if .type == "ipc" then .path = $p else . end)' \
		--arg p "/proc/$(<"$BATS_TEST_TMPDIR/one.pid")/ns/ipc"
	pod_start two
	[ "$(ipc_of "$(id_of two)")" = "$(ipc_of "$(id_of one)")" ]
	[ ! -s "$BATS_TEST_TMPDIR/two.out" ]
	pod_container three sleep 1003
	pod_start three
	[ "$(ipc_of "$(id_of three)")" = "$(ipc_of "$POD")" ]
	# It lives for as long as somebody has it.
	moat delete -f "$(id_of one)"
	[ "$(ipc_of "$(id_of two)")" != "$(ipc_of "$POD")" ]
}

@test "what shares a PID namespace ends with its own container" {
	pod_sandbox
	PID_PATH=/proc/$(<"$BATS_TEST_TMPDIR/pod.pid")/ns/pid
	pod_container one sh -c 'sleep 1001 & sleep 1002 & exit 0'
	pod_container two sleep 1003
	pod_start one
	pod_start two
	pod_wait_stopped one
	moat exec "$POD" ps -o args | grep -q "sleep 1001"
	moat delete "$(id_of one)"
	run -0 moat exec "$POD" ps -o args
	[[ $output != *"sleep 1001"* && $output != *"sleep 1002"* && $output == *"sleep 1003"* ]]
	moat kill --all "$(id_of two)" KILL
	pod_wait_stopped two
	[ "$(state_of "$POD")" = running ]
}

@test "one that cannot start leaves the pod as it was" {
	pod_sandbox
	pod_container good sleep 1000
	pod_start good
	fails() { # TEXT
		run ! pod_create bad
		output=$(<"$BATS_TEST_TMPDIR/bad.out")
		[[ ${output//\\/} == *"$1"* ]] || { echo "no \"$1\" in: $output"; return 1; }
		[ ! -e "$ROOT/$(id_of bad)" ]
	}
	pod_container bad /bin/missing
	fails 'exec: "/bin/missing": stat /bin/missing: no such file or directory'
	pod_container bad missing
	fails "executable file not found"
	pod_container bad true
	pod_config bad '.mounts += [{ destination: "/x", type: "bind", source: "/nonexistent-of-pods", options: ["bind"] }]'
	fails "/nonexistent-of-pods"
	pod_container bad true
	pod_config bad '.process.cwd = "/bin/busybox"'
	fails "not a directory"
	pod_container bad true
	pod_config bad '.root.path = "nowhere"'
	fails "nowhere"
	pod_container bad true
	pod_config bad '.hooks.createContainer = [{ path: "/bin/false" }]'
	fails "createContainer"
	pod_container bad true
	pod_config bad '.hooks.createRuntime = [{ path: "/bin/false" }]'
	fails "createRuntime"
	pod_container bad true
	pod_config bad '.linux.namespaces += [{ type: "user" }] |
		.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 10 }] |
		.linux.gidMappings = .linux.uidMappings'
	fails "a container of a pod has the user namespace of its sandbox"
	pod_container bad true
	pod_config bad '.mounts += [{ destination: "/proc/1/x/y", type: "tmpfs", source: "tmpfs" }]'
	fails "/proc/1/x/y"
	# The name is free again, and the others never noticed.
	pod_container bad true
	pod_start bad
	pod_wait_stopped bad
	[ "$(pod_state good)" = running ]
	[ "$(moat exec "$(id_of good)" echo well)" = well ]
	moat delete "$(id_of bad)"
	[ -z "$(find /sys/fs/cgroup -path "*$ID-pod/bad")" ]
}

@test "no sandbox, one that has ended, one that is none, a type that is none" {
	echo 999999 >"$BATS_TEST_TMPDIR/pod.pid"
	pod_container one true
	run_fails 1 "sandbox $POD does not exist" moat create -b "$BUNDLE_OF" "$(id_of one)"
	pod_sandbox
	pod_container two sleep 1000
	pod_start two
	pod_container three true
	pod_config three '.annotations."io.kubernetes.cri.sandbox-id" = $id' --arg id "$(id_of two)"
	run_fails 1 "is not a sandbox: it is a container of $POD" moat create -b "$BUNDLE_OF" "$(id_of three)"
	pod_config three '.annotations."io.kubernetes.cri.container-type" = "pod"'
	run_fails 1 'unknown type "pod"' moat create -b "$BUNDLE_OF" "$(id_of three)"
	pod_config three '.annotations = { "io.kubernetes.cri.container-type": "container" }'
	run_fails 1 "no annotation says of which sandbox" moat create -b "$BUNDLE_OF" "$(id_of three)"
	pod_config three '.annotations."io.kubernetes.cri.sandbox-id" = "../x"'
	run_fails 1 "sandbox ../x does not exist" moat create -b "$BUNDLE_OF" "$(id_of three)"
	moat kill "$POD" KILL
	wait_for_status "$POD" stopped
	pod_container four true
	run_fails 1 "sandbox $POD is not running" moat create -b "$BUNDLE_OF" "$(id_of four)"
}

@test "CRI-O's annotations, and a pod with a name of its own" {
	pod_bundle sandbox sandbox sleep 1000
	pod_config sandbox '.annotations = { "io.kubernetes.cri-o.ContainerType": "sandbox",
		"io.kubernetes.cri-o.SandboxID": "some-pod" }'
	moat run -d --pid-file "$BATS_TEST_TMPDIR/pod.pid" -b "$BUNDLE_OF" "$POD" </dev/null >/dev/null 2>&1
	pod_container one sleep 1001
	pod_config one '.annotations = { "io.kubernetes.cri-o.ContainerType": "container",
		"io.kubernetes.cri-o.SandboxID": "some-pod" }'
	pod_start one
	moat exec "$POD" ps -o args | grep -q "sleep 1001"
}

@test "the end of the sandbox is the end of all" {
	pod_sandbox
	pod_container one sleep 1000
	pod_container two sleep 1000
	pod_start one
	pod_create two
	moat delete -f "$POD"
	pod_wait_stopped one
	pod_wait_stopped two
	run ! moat exec "$(id_of one)" true
	run ! moat start "$(id_of two)"
	moat delete "$(id_of one)"
	moat delete "$(id_of two)"
	pod_nothing_left
}

@test "pause, limits and sysinfo are one container's" {
	pod_sandbox
	pod_container one sh -c 'while :; do echo x; sleep 0.05; done'
	pod_container two sh -c 'while :; do echo x; sleep 0.05; done'
	pod_config one '.linux.resources.pids.limit = 5 | .linux.resources.memory.limit = 100000000'
	pod_start one
	pod_start two
	moat pause "$(id_of one)"
	[ "$(pod_state one)" = paused ] && [ "$(pod_state two)" = running ]
	before=$(wc -c <"$BATS_TEST_TMPDIR/one.out") others=$(wc -c <"$BATS_TEST_TMPDIR/two.out")
	sleep 0.5
	[ "$(wc -c <"$BATS_TEST_TMPDIR/one.out")" -eq "$before" ]
	grown() { [ "$(wc -c <"$BATS_TEST_TMPDIR/$1.out")" -gt "$2" ]; }
	await grown two "$others"
	run_fails 255 "cannot exec in a paused container" moat exec "$(id_of one)" true
	moat exec "$(id_of two)" true
	moat resume "$(id_of one)"
	await grown one "$before"
	[ "$(moat exec "$(id_of one)" cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/memory.max | tr '\n' ' ')" = "5 100000000 " ]
	[ "$(moat exec "$(id_of two)" cat /sys/fs/cgroup/pids.max)" = max ]
	run ! moat exec "$(id_of one)" sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 1 & done'
	moat exec "$(id_of two)" sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait'
	moat update --pids-limit 50 "$(id_of one)"
	moat exec "$(id_of one)" sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 0.1 & done; wait'
	# A paused one can be deleted.
	moat pause "$(id_of one)"
	moat delete -f "$(id_of one)"
}

@test "a volume is shared by those that mount it" {
	mkdir "$BATS_TEST_TMPDIR/volume"
	pod_sandbox
	volume='.mounts += [{ destination: "/volume", type: "bind", source: $from, options: ["rbind", "rw"] }]'
	pod_container one sh -c 'echo from one >/volume/file; while ! grep -q two /volume/answer 2>/dev/null; do sleep 0.05; done; echo heard'
	pod_config one "$volume" --arg from "$BATS_TEST_TMPDIR/volume"
	pod_container two sh -c 'while ! grep -q one /volume/file 2>/dev/null; do sleep 0.05; done; echo from two >/volume/answer'
	pod_config two "$volume" --arg from "$BATS_TEST_TMPDIR/volume"
	pod_start one
	pod_start two
	pod_wait_stopped one
	pod_wait_stopped two
	grep -q heard "$BATS_TEST_TMPDIR/one.out"
}

@test "hooks see the monitor's pid, and all six kinds are run" {
	pod_sandbox
	pod_container one sh -c 'exit 0'
	log=$BATS_TEST_TMPDIR/hooks
	hook='{ path: "/bin/sh", args: ["sh", "-c", "echo $KIND $(jq -r .pid) >>\($log)"], env: ["KIND=\($kind)", "PATH=/usr/bin:/bin"] }'
	for kind in prestart createRuntime createContainer poststart poststop; do
		pod_config one ".hooks.$kind = [$hook]" --arg log "$log" --arg kind "$kind"
	done
	pod_config one '.hooks.startContainer = [{ path: "/bin/touch", args: ["touch", "/started"] }] |
		.process.args = ["sh", "-c", "ls /started"]'
	pod_start one
	pod_wait_stopped one
	grep -q /started "$BATS_TEST_TMPDIR/one.out"
	moat delete "$(id_of one)"
	pid=$(<"$BATS_TEST_TMPDIR/one.pid")
	run -0 cat "$log"
	[ "${lines[0]}" = "prestart $pid" ] && [ "${lines[1]}" = "createRuntime $pid" ]
	[ "${lines[2]}" = "createContainer $pid" ] && [ "${lines[4]%% *}" = poststop ]
	[ "$(moat list -q)" = "$POD" ]
}

@test "the command line dies while it creates: nothing of the container stays" {
	pod_sandbox
	sentry=$(<"$BATS_TEST_TMPDIR/pod.pid")
	before=$(sentry_fds "$sentry")
	pod_container one sleep 1000
	for kind in prestart createRuntime; do
		pod_config one ".hooks = { $kind: [{ path: \"/bin/sh\", args: [\"sh\", \"-c\", \"kill -KILL \$PPID\"] }] }"
		run ! pod_create one
		moat delete -f "$(id_of one)"
	done
	pod_config one 'del(.hooks)'
	for delay in 0.005 0.01 0.015 0.02 0.025 0.03 0.04 0.05; do
		timeout -s KILL "$delay" "$MOAT" --root "$ROOT" create -b "$BUNDLE_OF" "$(id_of one)" \
			</dev/null >/dev/null 2>&1 3>&- || true
		moat delete -f "$(id_of one)"
	done
	pod_start one
	moat exec "$(id_of one)" true
	moat delete -f "$(id_of one)"
	for i in $(seq 600); do
		[ "$(sentry_fds "$sentry")" -le $((before + 2)) ] && break
		sleep 0.05
	done
	[ "$(sentry_fds "$sentry")" -le $((before + 2)) ]
	moat delete -f "$POD"
	pod_nothing_left
}

@test "a gofer that is killed costs its container's files alone" {
	pod_sandbox
	pod_container one sleep 1000
	pod_container two sleep 1000
	pod_start one
	pod_start two
	kill -KILL "$(jq .goferPid "$ROOT/$(id_of one)/state.json")"
	run ! moat exec "$(id_of one)" /bin/cat /etc/hostname
	[ "$(moat exec "$(id_of two)" echo well)" = well ]
	moat delete -f "$(id_of one)"
	[ "$(moat exec "$POD" echo well)" = well ]
}

@test "nothing is left in the sentry over many containers" {
	pod_sandbox
	sentry=$(<"$BATS_TEST_TMPDIR/pod.pid")
	pod_container one sh -c 'echo x >/tmp/y; exec sleep 1000'
	pod_container bad /bin/missing
	held() { # files, threads, stubs
		echo "$(sentry_fds "$sentry") $(cat /proc/$sentry/task/*/children | wc -w)"
	}
	calm() { # and as it was half a second ago
		after=$(held)
		sleep 0.5
		[ "$(held)" = "$after" ]
	}
	settled() {
		for i in $(seq 600); do
			[ "$(held)" = "$after" ] && return 0
			sleep 0.05
		done
		echo "were $after, are $(held)"
		return 1
	}
	for i in $(seq "${POD_ROUNDS:-100}"); do
		pod_start one
		[ $((i % 5)) -ne 0 ] || moat exec "$(id_of one)" sh -c 'sleep 100 & mkdir /tmp/d; echo z >/tmp/d/z'
		[ $((i % 7)) -ne 0 ] || run ! pod_create bad
		moat delete -f "$(id_of one)"
		# By the tenth all that is kept for later is there.
		[ "$i" -ne 10 ] || await calm
	done
	settled
	[ "$(moat list -q)" = "$POD" ]
}

@test "hostile requests about containers are refused, and leave nothing in the sentry" {
	client=${top_builddir:-$PWD}/tests/attack/pod_client
	[ -x "$client" ] || skip "no pod_client: make check TESTS= builds it"
	pod_sandbox
	sentry=$(<"$BATS_TEST_TMPDIR/pod.pid")
	pod_container one sleep 1000
	pod_start one
	"$client" "$ROOT/$POD/control.sock"
	before=$(sentry_fds "$sentry")
	for i in 1 2 3 4 5; do "$client" "$ROOT/$POD/control.sock"; done
	for i in $(seq 600); do
		[ "$(sentry_fds "$sentry")" -le "$before" ] && break
		sleep 0.05
	done
	[ "$(sentry_fds "$sentry")" -le "$before" ]
	[ "$(moat exec "$(id_of one)" echo well)" = well ]
	[ "$(state_of "$POD")" = running ]
}

# While one container's gofer hangs the others are served.
others_go_on() {
	[ "$(pod_state other)" = running ]
	[ "$(moat exec "$(id_of other)" echo well)" = well ]
	[ "$(moat exec "$POD" echo well)" = well ]
	run -0 moat ps "$(id_of other)"
	pod_container "$1" sleep 1001
	pod_start "$1"
	moat kill "$(id_of "$1")" KILL
	pod_wait_stopped "$1"
	moat delete "$(id_of "$1")"
}

@test "an exec that waits for a gofer which hangs holds up nobody else" {
	pod_sandbox
	pod_container other sleep 1000
	pod_container one sleep 1000
	pod_start other
	pod_start one
	gofer=$(jq .goferPid "$ROOT/$(id_of one)/state.json")
	sentry=$(<"$BATS_TEST_TMPDIR/pod.pid")
	before=$(sentry_fds "$sentry")
	kill -STOP "$gofer"
	moat exec "$(id_of one)" /bin/grep x /etc/x </dev/null >/dev/null 2>&1 3>&- &
	first=$!
	moat exec "$(id_of one)" /bin/wc /etc/x </dev/null >/dev/null 2>&1 3>&- &
	second=$!
	sleep 0.3
	kill -0 "$first" "$second"
	others_go_on three
	[ "$(pod_state one)" = running ]
	# Who asked goes away, and it all goes on.
	kill -KILL "$second"
	others_go_on four
	kill -CONT "$gofer"
	wait "$first" || [ $? -lt 3 ]
	[ "$(moat exec "$(id_of one)" echo well)" = well ]
	for i in $(seq 600); do
		[ "$(sentry_fds "$sentry")" -le $((before + 2)) ] && break
		sleep 0.05
	done
	[ "$(sentry_fds "$sentry")" -le $((before + 2)) ]
	# What hangs for good can be deleted, when nobody waits for an exec in it.
	kill -STOP "$gofer"
	timeout -s KILL 0.5 "$MOAT" --root "$ROOT" exec "$(id_of one)" /bin/rm /etc/x \
		</dev/null >/dev/null 2>&1 3>&- || true
	moat delete -f "$(id_of one)"
	[ "$(moat exec "$(id_of other)" echo well)" = well ]
}

@test "a create that waits for a gofer which hangs holds up nobody else" {
	local at=$BATS_TEST_TMPDIR/pod i pid gofer= creator
	pod_sandbox
	pod_container other sleep 1000
	pod_start other
	pod_container slow sleep 1000
	# Many mounts take the sentry some time, in which the gofer is stopped.
	pod_config slow '.mounts += [range(240) | { destination: "/m/\(.)", type: "bind", source: $from, options: ["bind"] }]' \
		--arg from "$BATS_TEST_TMPDIR"
	for i in $(seq 60); do
		moat create -b "$at/slow" "$(id_of slow)" </dev/null >/dev/null 2>&1 3>&- &
		creator=$!
		while kill -0 "$creator" 2>/dev/null; do
			for pid in $(cat "/sys/fs/cgroup"/{,pids,unified}/"$ID-pod/slow/cgroup.procs" 2>/dev/null | sort -u); do
				grep -q -a '^moat.gofer' "/proc/$pid/cmdline" 2>/dev/null || continue
				kill -STOP "$pid"
				gofer=$pid
				break 2
			done
		done
		sleep 0.2
		[ -n "$gofer" ] && kill -0 "$creator" 2>/dev/null && break
		[ -z "$gofer" ] || kill -CONT "$gofer"
		gofer=
		wait "$creator"
		moat delete -f "$(id_of slow)"
	done
	[ -n "$gofer" ]
	others_go_on three
	kill -CONT "$gofer"
	wait "$creator"
	[ "$(pod_state slow)" = created ]
	moat delete -f "$(id_of slow)"
}

@test "many gofers that hang, whose creators go away" {
	client=${top_builddir:-$PWD}/tests/attack/pod_client
	[ -x "$client" ] || skip "no pod_client: make check TESTS= builds it"
	pod_sandbox
	pod_container other sleep 1000
	pod_start other
	sentry=$(<"$BATS_TEST_TMPDIR/pod.pid")
	others_go_on three
	before=$(sentry_fds "$sentry") threads=$(ls "/proc/$sentry/task" | wc -l)
	"$client" "$ROOT/$POD/control.sock" 10 >"$BATS_TEST_TMPDIR/asked" 3>&- &
	hanging=$!
	"$client" "$ROOT/$POD/control.sock" 30 >"$BATS_TEST_TMPDIR/more" 3>&- &
	more=$!
	for i in $(seq 600); do
		grep -q asked "$BATS_TEST_TMPDIR/asked" && grep -q asked "$BATS_TEST_TMPDIR/more" && break
		sleep 0.05
	done
	[ "$(pod_state other)" = running ]
	[ "$(moat exec "$(id_of other)" echo well)" = well ]
	# Not each of them has a thread.
	[ "$(ls "/proc/$sentry/task" | wc -l)" -le $((threads + 20)) ]
	kill -KILL "$hanging" "$more"
	others_go_on four
	for i in $(seq 600); do
		[ "$(sentry_fds "$sentry")" -le "$before" ] && break
		sleep 0.05
	done
	[ "$(sentry_fds "$sentry")" -le "$before" ]
}

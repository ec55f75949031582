# SPDX-License-Identifier: Apache-2.0
# What config.json says of a process and its clocks, seen from inside.

load helpers

setup() {
	bundle_setup
}

teardown() {
	bundle_teardown
}

# The output of a shell command in a container.
inside() {
	args /bin/sh -c "$1"
	run moat run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "process.scheduler: policy, priority, nice value; exec has them too" {
	config '.process.scheduler = {"policy": "SCHED_FIFO", "priority": 7}'
	inside 'busybox awk "{print \$40, \$41}" /proc/$$/stat'
	[ "$output" = "7 1" ]
	config '.process.scheduler = {"policy": "SCHED_BATCH", "nice": 5}'
	# Fields 19, 40 and 41 of stat are nice value, priority and policy.  A child keeps both.
	inside 'busybox awk "{print \$19, \$41}" /proc/$$/stat; (busybox awk "{print \$19, \$41}" /proc/self/stat); true'
	[ "$output" = $'5 3\n5 3' ]
	config '.process.scheduler.flags = ["SCHED_FLAG_RESET_ON_FORK"] | .process.scheduler.nice = -5'
	inside 'busybox awk "{print \$19, \$41}" /proc/$$/stat; (busybox awk "{print \$19, \$41}" /proc/self/stat); true'
	[ "$output" = $'-5 3\n0 3' ]
	args /bin/sleep 100
	run_detached "$ID-e"
	run moat exec "$ID-e" /bin/sh -c 'busybox awk "{print \$19}" /proc/$$/stat'
	[ "$output" = -5 ]
	moat delete -f "$ID-e"
}

@test "process.scheduler: a deadline" {
	config '.process.scheduler = {"policy": "SCHED_DEADLINE", "runtime": 1000000, "deadline": 10000000, "period": 10000000}'
	# Policy 6 is field 41 of stat.
	args /bin/busybox awk '{print $41}' /proc/self/stat
	run moat run -b "$BUNDLE" "$ID"
	[ "$output" = 6 ]
}

@test "process.ioPriority" {
	config '.process.ioPriority = {"class": "IOPRIO_CLASS_IDLE", "priority": 0}'
	inside 'busybox ionice -p $$'
	[[ "$output" == "idle"* ]]
	config '.process.ioPriority = {"class": "IOPRIO_CLASS_BE", "priority": 3}'
	inside 'busybox ionice -p $$'
	[ "$output" = "best-effort: prio 3" ]
}

@test "linux.personality" {
	inside 'busybox uname -m'
	[ "$output" = x86_64 ]
	config '.linux.personality = {"domain": "LINUX32"}'
	inside 'busybox uname -m'
	[ "$output" = i686 ]
}

@test "linux.timeOffsets: of init, its children and exec" {
	local days=$((100 * 86400)) uptime
	config '.linux.namespaces += [{"type": "time"}] |
		.linux.timeOffsets = {"boottime": {"secs": $n}, "monotonic": {"secs": 7, "nanosecs": 5}}' --argjson n "$days"
	inside 'cat /proc/self/timens_offsets; readlink /proc/self/ns/time; cat /proc/uptime'
	[[ "${lines[0]}" =~ ^monotonic\ +7\ +5$ ]]
	[[ "${lines[1]}" =~ ^boottime\ +8640000\ +0$ ]]
	uptime=${lines[3]%%.*}
	[ "$uptime" -ge "$days" ]
	args /bin/sleep 100
	run_detached "$ID-e"
	run moat exec "$ID-e" /bin/cat /proc/uptime
	[ "${output%%.*}" -ge "$days" ]
	moat delete -f "$ID-e"
}

@test "what has no effect is said in the log" {
	config '.process.apparmorProfile = "docker-default" |
		.process.execCPUAffinity = {"final": "1"} |
		.linux.resources.memory = {"kernel": 1000000, "useHierarchy": true, "checkBeforeUpdate": true} |
		.linux.personality = {"domain": "LINUX", "flags": ["ADDR_NO_RANDOMIZE"]} |
		.mounts += [{"destination": "/m", "type": "tmpfs", "options": ["sync"]}]'
	run moat --log "$BATS_TEST_TMPDIR/log" --log-format json run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ] && [ -z "$output" ]
	run jq -r 'select(.level == "warning") | .msg' "$BATS_TEST_TMPDIR/log"
	echo "$output"
	[[ "$output" == *'process.apparmorProfile: "docker-default" has no effect'* ]]
	[[ "$output" == *'linux.personality.flags: "ADDR_NO_RANDOMIZE" has no effect'* ]]
	[[ "$output" == *'].options: "sync" has no effect'* ]]
	[[ "$output" == *'process.execCPUAffinity.final: "1" has no effect'* ]]
	[[ "$output" == *'Kernel memory settings are ignored'* ]]
	[[ "$output" == *'linux.resources.memory.useHierarchy: "true" has no effect'* ]]
	[[ "$output" == *'linux.resources.memory.checkBeforeUpdate: "true" has no effect'* ]]
}

# Where a program is looked for, as init and by exec, under one of the runtimes.
programs_of() { # runtime
	local runtime=$1 root="$BATS_TEST_TMPDIR/root-$(basename "$1")" case env name cwd uid
	rt() { timeout 20 "$runtime" --root "$root" "$@" </dev/null; }
	said() {
		local status=0
		"$@" >out 2>err || status=$?
		echo "status $status"
		cat out
		sed -E 's/time="[^"]*"//; s/\bmoat\b/runc/g' err
	}
	cp base.json config.json
	rt run -d "$ID-q" >/dev/null 2>&1
	while read -r env name cwd uid; do
		echo "--- $env $name in $cwd by $uid"
		jq '.process.env = ($env | split(" ")) | .process.args = [$name, "-c", "echo $0"] | .process.cwd = $cwd |
			.process.user = {uid: ($uid | tonumber), gid: ($uid | tonumber)}' base.json --arg env "${env//-/ }" \
			--arg name "${name//_/}" --arg cwd "$cwd" --arg uid "$uid" >config.json
		said rt run "$ID"
		rt delete -f "$ID" >/dev/null 2>&1 || true
		jq .process config.json >process.json
		said rt exec -p process.json "$ID-q"
	done
	rt delete -f "$ID-q"
}

stopped() { [ "$(rt state "$1" | jq -r .status)" = stopped ]; }

# What the program says of itself: run, created and started, and by exec into a container that runs.
refused_by_execve() {
	local program status
	for program; do
		jq --arg p "$program" '.process.args = [$p, "x"]' base.json >config.json
		status=0
		rt run "$ID" || status=$?
		echo "run: $status"
		if rt create "$ID"; then
			rt start "$ID"
			await stopped "$ID"
			rt delete "$ID"
		fi
		status=0
		rt exec "$ID-e" "$program" || status=$?
		echo "exec: $status"
	done
}

@test "a program that execve refuses says so itself" {
	local rt
	command -v runc || skip "runc is not installed"
	cd "$BUNDLE/rootfs/bin"
	printf '\177ELF junk' >junk
	head -c 100 /bin/busybox >short
	: >empty
	echo 'echo shell' >no-format
	printf '#!/nosuch\n' >no-interpreter
	printf '#!/etc\n' >interpreter-directory
	printf '#!/bin/self\n' >self
	cp /bin/busybox foreign
	printf '\267\0' | dd of=foreign bs=1 seek=18 conv=notrunc 2>/dev/null # aarch64
	chmod +x ./*
	cd "$BUNDLE"
	jq '.mounts += [{"destination": "/tmp", "type": "bind", "source": $s, "options": ["bind", "noexec"]}] |
		.process.env += ["LONG=" + $long]' --arg s "$PWD/rootfs/bin" --arg long "$(printf '%01000d' 0)" config.json >base.json
	for rt in runc "$MOAT"; do
		rt() { "$rt" --root "$BATS_TEST_TMPDIR/${rt##*/}" "$@"; }
		jq '.process.args = ["/bin/sleep", "1000"]' base.json >config.json
		rt run -d "$ID-e" >/dev/null 2>&1
		refused_by_execve /bin/junk /bin/short /bin/empty /bin/no-format /bin/no-interpreter \
			/bin/interpreter-directory /bin/self /bin/foreign /tmp/echo >"${rt##*/}.said" 2>&1
		rt delete -f "$ID-e"
	done
	cat moat.said
	sed -i '/Failed to remove cgroup/d; s/msg="runc/msg="moat/' runc.said
	sed -i 's/time="[^"]*"//' runc.said moat.said
	diff runc.said moat.said
	[ "$(grep -c '^exec /.*:' moat.said)" -ge 24 ]
}

@test "programs are found where runc finds them" {
	local name
	command -v runc || skip "runc is not installed"
	cd "$BUNDLE"
	mkdir -p rootfs/work/sub rootfs/work/dir rootfs/secret
	for name in work/here work/sub/here secret/here here work/noexec work/userx; do
		printf '#!/bin/sh\necho here $0 $(pwd)\n' >"rootfs/$name"
		chmod 755 "rootfs/$name"
	done
	chmod 644 rootfs/work/noexec
	chmod 700 rootfs/work/userx rootfs/secret
	ln -s loop rootfs/work/loop
	ln -s nosuch rootfs/work/dangling
	jq '.process.args = ["/bin/sleep", "1000"]' config.json >base.json
	cat >cases <<-'END'
		PATH= here /work 0
		PATH= sh /work 0
		PATH=. here /work 0
		PATH=. sh /work 0
		PATH=:/bin here /work 0
		PATH=:/bin sh /work 0
		PATH=/bin: here /work 0
		PATH=sub here /work 0
		PATH=./sub:/bin sh /work 0
		PATH=../work here /work 0
		PATH=/nosuch:/work/noexec:/bin sh /work 0
		PATH=/work:/bin here / 0
		PATH=/bin-PATH=/work here / 0
		A=b sh / 0
		PATH=/bin ./here /work 0
		PATH=/bin sub/here /work 0
		PATH=/bin ../here /work 0
		PATH=/bin /work/here /work 0
		PATH=/bin ./here /work/sub 0
		PATH=/bin ./here /made/by/runc 0
		PATH=/bin ./here /work/../work 0
		PATH=/bin:/work noexec /work 0
		PATH=/bin:/work ./noexec /work 0
		PATH=/bin:/work dir /work 0
		PATH=/bin:/work ./dir /work 0
		PATH=/bin:/work loop /work 0
		PATH=/bin:/work ./loop /work 0
		PATH=/bin:/work dangling /work 0
		PATH=/bin:/work ./dangling /work 0
		PATH=/bin . /work 0
		PATH=/bin .. /work 0
		PATH=/bin / /work 0
		PATH=/bin /work/here/ /work 0
		PATH=/bin nosuch/x /work 0
		PATH=/secret:/work:/bin here /secret 1000
		PATH=/secret:/work:/bin ./here /secret 1000
		PATH=/secret:/work:/bin /secret/here / 1000
		PATH=/work:/bin userx / 1000
		PATH=/work:/bin /work/userx / 1000
		PATH=/work:/bin sh /secret 1000
	END
	programs_of runc <cases >theirs
	programs_of "$MOAT" <cases >ours
	diff theirs ours
	grep -q "cannot run executable found relative to current directory" ours
}

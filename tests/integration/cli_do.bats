#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# moat do: commands of the host in sandboxes that are thrown away.
bats_require_minimum_version 1.5.0
load helpers

setup() {
	ROOT=$BATS_TEST_TMPDIR/root
	our_mounts >"$BATS_TEST_TMPDIR/mounts"
	cd "$BATS_TEST_TMPDIR"
}

teardown() {
	[ -z "$(moat list -q)" ]
	cd /
}

@test "do runs a command with our directory, files, environment and streams" {
	echo content >file
	[ "$(moat do pwd)" = "$PWD" ]
	[ "$(moat do cat file)" = content ]
	[ "$(SOME=thing moat do sh -c 'echo $SOME')" = thing ]
	[ "$(moat do --env SOME=other sh -c 'echo $SOME')" = other ]
	[ "$(echo input | moat do cat)" = input ]
	[ "$(moat do hostname)" = "$(hostname)" ]
	[ "$(moat do id -u)" = 0 ]
	[ "$(moat do -u 5:6 sh -c 'id -u; id -g' | xargs)" = "5 6" ]
	diff <(ulimit -a) <(moat do bash -c 'ulimit -a')
}

@test "do: what is written is gone" {
	echo content >file
	[ "$(moat do sh -c 'echo changed >file; echo new >new; rm -rf /etc; cat file new; ls -d /etc 2>&1 | wc -l')" = "changed
new
1" ]
	[ "$(cat file)" = content ]
	[ ! -e new ]
	[ -e /etc/passwd ]
	run_fails 1 "--overlay=none would change the host's files" moat --overlay none do true
}

@test "do is a sandbox" {
	[ "$(moat do sh -c 'echo $$')" = 1 ]
	[ "$(moat do sh -c 'ls -d /proc/[0-9]* | wc -l')" -le 4 ]
	[ "$(moat do sh -c 'tail -n +3 /proc/net/dev | cut -d: -f1' | xargs)" = lo ]
	[ "$(moat do sh -c 'ls /dev' | grep -c '^[sv]d[a-z]')" = 0 ]
}

@test "do: exit statuses and errors" {
	for status in 0 1 7 255; do
		run -$status moat do sh -c "exit $status"
	done
	# The first process of a PID namespace is deaf to itself; its child is not.
	run -137 moat do sh -c 'sh -c "kill -9 \$\$"'
	run_fails 1 "executable file not found in \$PATH" moat do nosuch-command
	run_fails 1 "no such file or directory" moat do ./nosuch
	run_fails 1 "--root /nosuch" moat do --root /nosuch true
	run_fails 1 'requires a minimum of 1 argument(s)' moat do
}

@test "do --root and --cwd" {
	mkdir -p tree/bin tree/sub
	cp /bin/busybox tree/bin/
	[ "$(moat do --root tree /bin/busybox ls / | grep -vE '^(dev|proc|sys)$' | xargs)" = "bin sub" ]
	[ "$(moat do --root tree --cwd /sub /bin/busybox pwd)" = /sub ]
	[ "$(moat do --root tree /bin/busybox pwd)" = / ]
	[ "$(moat do --cwd /usr pwd)" = /usr ]
}

@test "do as an ordinary user" {
	command -v setpriv || skip "setpriv is not installed"
	setpriv --reuid 1000 --regid 1000 --clear-groups test -x "$MOAT" ||
		skip "others cannot execute $MOAT"
	home=$(mktemp -d /tmp/moat-user.XXXXXX)
	chown 1000:1000 "$home"
	cd "$home"
	run -0 setpriv --reuid 1000 --regid 1000 --clear-groups --no-new-privs "$MOAT" --root "$home/state" do \
		sh -c 'id -u; pwd; cat /etc/shadow 2>&1 | grep -c denied; echo x >/new && cat /new'
	[ "$(xargs <<<"$output")" = "0 $home 1 x" ]
	cd /
	rm -r "$home"
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What runc says of bad values: standard output up to the help, standard error, and the exit status of every
# invocation, beside Debian's runc, which the words and numbers come from.
bats_require_minimum_version 1.5.0
load helpers

setup() {
	bundle_setup
	command -v runc || skip "runc is not installed"
	config ".linux.cgroupsPath = \"/$ID_PREFIX-misuse/both\""
	args sleep 1000
	echo '{"args": []}' >"$BUNDLE/empty.json"
	echo '{"args": ["/bin/true"], "cwd": "x", "user": {}}' >"$BUNDLE/cwd.json"
	cd "$BUNDLE"
}

teardown() {
	bundle_teardown
	runc --root "$BATS_TEST_TMPDIR/runc" delete -f one || true
	find /sys/fs/cgroup -depth -type d -path "*$ID_PREFIX-misuse*" -exec rmdir {} + 2>/dev/null || true
}

# Each line of standard input is an invocation, with a container that runs, called one.
said_by() { # command and state directory
	local line words status
	"$@" run -d -b "$BUNDLE" one </dev/null >/dev/null 2>&1
	while read -r line; do
		[ -n "$line" ] || continue
		echo "--- $line"
		eval "words=($line)"
		status=0
		timeout 20 "$@" "${words[@]}" </dev/null >out 2>err || status=$?
		echo "status $status"
		sed '/^NAME:/,$d' out
		cat err
		[ ! -e log ] || { cat log; rm log; }
	done | sed -E "s/time=\"[^\"]*\"//; s/\"time\":\"[^\"]*\"//; s/\bmoat\b/runc/g; s/$ID_PREFIX/ID/g"
	"$@" delete -f one || true
}

same_words() {
	local invocations
	invocations=$(cat)
	said_by runc --root "$BATS_TEST_TMPDIR/runc" <<<"$invocations" >theirs
	said_by "$MOAT" --root "$ROOT" <<<"$invocations" >ours
	diff theirs ours
	grep -q '^status [1-9]' ours
}

@test "exec: users, groups, capabilities" {
	same_words <<-'END'
		exec --user x one true
		exec --user 1:x one true
		exec --user : one true
		exec --user 1: one true
		exec --user :1 one true
		exec --user 1:2:3 one true
		exec --user -1 one true
		exec --user=-1 one true
		exec --user 4294967295 one true
		exec --user 2147483648 one true
		exec --user 99999999999999999999 one true
		exec --user ' 1' one true
		exec --user 0x10 one true
		exec --user 010 one id
		exec --user 1_0 one true
		exec --user +1 one id
		exec --user '' one id
		exec -g abc one true
		exec -g -1 one true
		exec -g '' one true
		exec -g 1,2 one true
		exec -g 1 -g 1 one id
		exec -g 5 -g 3 -g 5 one id
		exec -g 1 -g x one id
		exec --additional-gids 4294967295 one true
		exec --cap NOSUCH one true
		exec --cap chown one true
		exec --cap '' one true
	END
}

@test "exec: what is to run, and where" {
	same_words <<-'END'
		exec
		exec one
		exec nosuch
		exec nosuch true
		exec '' true
		exec ../x true
		exec one ''
		exec one nosuch
		exec one /nosuch
		exec one /etc
		exec one ./bin/true
		exec one echo -n --nosuch
		exec one -- true
		exec -- one true
		exec --cwd nosuch one pwd
		exec --cwd /nosuch one pwd
		exec --cwd /bin/busybox one pwd
		exec --cwd '' one pwd
		exec --env '' one env
		exec --env A one env
		exec --env =x one env
		exec --env A=1 --env A=2 one env
		exec --process nosuch.json one
		exec --process empty.json one
		exec --process cwd.json one
		exec --process . one
		exec --process '' one
		exec --process '' one true
		exec --console-socket /nosuch -t -d one true
		exec --console-socket /nosuch one true
		exec --console-socket /nosuch -t one true
		exec -t -d one true
		exec --preserve-fds x one true
		exec --no-new-privs=maybe one true
		exec --nosuch one true
		exec --user
	END
}

@test "kill" {
	same_words <<-'END'
		kill
		kill nosuch
		kill nosuch KILL
		kill '' KILL
		kill one NOSUCH
		kill one SIGNOSUCH
		kill one 0
		kill one -1
		kill one -- -1
		kill one 65
		kill one 99999999999
		kill one sigusr9
		kill one cont
		kill one ' CONT'
		kill one SIGSIGCONT
		kill one 1.5
		kill one 0x12
		kill one +18
		kill one CONT extra
		kill --all one NOSUCH
		kill --all=x one CONT
		kill one CONT --all
		kill -x one
		--log log --log-format json kill one NOSUCH
		--log log kill one NOSUCH
		--log-format json kill one NOSUCH
		kill one ''
	END
}

@test "update" {
	same_words <<-'END'
		update
		update ''
		update nosuch
		update one extra
		update --nosuch one
		update --memory x one
		update --memory '' one
		update --memory=-2 one
		update --memory 10XB one
		update --memory 0x10 one
		update --memory-swap x one
		update --memory-reservation x one
		update --kernel-memory x one
		update --kernel-memory-tcp x one
		update --cpu-shares x one
		update --cpu-share x one
		update --cpu-share -1 one
		update --cpu-share 99999999999999999999 one
		update --cpu-period x one
		update --cpu-period -5 one
		update --cpu-quota x one
		update --cpu-quota '' one
		update --cpu-rt-period x one
		update --cpu-rt-runtime x one
		update --cpuset-cpus '' one
		update --blkio-weight x one
		update --pids-limit x one
		update --pids-limit '' one
		update --pids-limit 0 one
		update --pids-limit 0x100 one
		update --pids-limit -5 one
		update --l3-cache-schema x one
		update --mem-bw-schema x one
		update one --pids-limit 200
		update one -r
		update -r nosuch.json one
		update -r . one
	END
}

@test "all others" {
	same_words <<-'END'
		nosuch
		help nosuch
		--log-format xml list
		--log-format '' list -q
		--log '' kill one NOSUCH
		--log /nosuch/x list
		start
		start nosuch
		start one
		start ''
		start one extra
		state
		state nosuch
		state one extra
		state --x one
		pause nosuch
		resume nosuch
		resume one
		pause
		ps
		ps nosuch
		ps -f xml one
		ps one -o nosuch
		list extra --x
		list -f xml
		list -q=maybe
		events
		events nosuch
		events --stats one extra
		events --interval x one
		events --interval 0s one
		events --interval -1s one
		spec --nosuch
		create
		create one
		create 'a b'
		create a/b
		create .
		create ..
		create ''
		create x y
		create --preserve-fds x y
		run
		run one
		run a:b
		run one -d
		delete one
		delete nosuch
		delete --force nosuch
		delete nosuch --force
		delete --force=x one
		delete
		delete ''
		delete a/b
		delete one extra
		delete one --force
		state one
	END
}

# Its columns are as wide as the host's ps makes them; numbers and times are not compared.
table_of() { # command and state directory
	"$@" run -d -b "$BUNDLE" one </dev/null >/dev/null 2>&1
	"$@" ps one | sed -E 's/( +)[0-9]+( +)[0-9]+ +[0-9]+/\1N\2N C/; s/[0-9]+:[0-9]+( +\?)/T\1/' | tr -s ' ' | cat -A
	"$@" ps one | head -n 1
	"$@" delete -f one
}

@test "ps prints the table that ps prints" {
	table_of runc --root "$BATS_TEST_TMPDIR/runc" >theirs
	table_of "$MOAT" --root "$ROOT" >ours
	diff theirs ours
	grep -q 'sleep 1000\$$' ours
}

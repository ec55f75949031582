#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Options, help, version, logs.
bats_require_minimum_version 1.5.0
load helpers

setup() { bundle_setup; }
teardown() { bundle_teardown; }

COMMANDS="create delete exec kill list ps run spec start state features"

@test "--version has the lines that Docker and containerd parse" {
	run -0 "$MOAT" --version
	[[ ${lines[0]} =~ ^moat\ version\ [0-9]+\.[0-9]+\.[0-9]+ ]]
	[[ ${lines[1]} =~ ^commit:\ .+ ]]
	[[ ${lines[2]} =~ ^spec:\ 1\.[0-9]+\.[0-9]+ ]]
	run -0 "$MOAT" -v
	[[ ${lines[0]} == "moat version "* ]]
}

@test "--help lists every command and hides the internal ones" {
	run -0 "$MOAT" --help
	for command in $COMMANDS; do
		[[ $output == *"   $command "* ]]
	done
	[[ $output != *"   boot "* ]]
	[[ $output != *"   gofer "* ]]
}

@test "each command has runc's flags" {
	command -v runc || skip "runc is not installed"
	for command in $COMMANDS; do
		wanted=$(runc $command --help | grep -oE '^ +--[a-z-]+' | tr -d ' ' | sort)
		got=$("$MOAT" $command --help | grep -oE '^ +--[a-z-]+' | tr -d ' ' | sort)
		missing=$(comm -23 <(echo "$wanted") <(echo "$got"))
		[ -z "$missing" ] || { echo "$command lacks $missing"; return 1; }
	done
}

@test "each option is in the command's manual page" {
	man=$BATS_TEST_DIRNAME/../../man
	for command in $COMMANDS; do
		for option in $("$MOAT" $command --help | grep -oE '^ +--[a-z-]+' | tr -d ' -'); do
			tr -d '\\-' <"$man/moat-$command.8" | grep -q "Fl $option" ||
				{ echo "moat-$command.8 lacks $option"; return 1; }
		done
	done
	for option in $("$MOAT" --help | sed -n '/GLOBAL OPTIONS/,$p' | grep -oE '^ +--[a-z-]+' | tr -d ' '); do
		grep -q -- "${option#--}" "$man/moat.8" || { echo "moat.8 lacks $option"; return 1; }
	done
}

@test "an unknown global flag" {
	run_fails 1 "flag provided but not defined: -nosuch" "$MOAT" --nosuch list
}

@test "an unknown flag of a command" {
	for command in $COMMANDS; do
		run_fails 1 "flag provided but not defined: -nosuch" "$MOAT" $command --nosuch
	done
}

@test "an unknown command" {
	run_fails 3 "No help topic for 'bogus'" "$MOAT" bogus
}

@test "bad values of global flags" {
	run_fails 1 'invalid --log-format "xml"' "$MOAT" --log-format xml list
	run_fails 1 'invalid --platform "kvm"' "$MOAT" --platform kvm list
	run_fails 1 'invalid --overlay "disk"' "$MOAT" --overlay disk list
	run_fails 1 'invalid --network "sandbox"' "$MOAT" --network sandbox list
	run_fails 1 'invalid --rootless "maybe"' "$MOAT" --rootless maybe list
	run_fails 1 'flag needs an argument: -root' "$MOAT" --root
	run_fails 1 'invalid value "x" for flag -debug' "$MOAT" --debug=x list
}

@test "wrong numbers of arguments" {
	run_fails 1 'moat: "state" requires exactly 1 argument(s)' moat state
	run_fails 1 'moat: "start" requires exactly 1 argument(s)' moat start a b
	run_fails 1 'moat: "list" requires exactly 0 argument(s)' moat list x
	run_fails 1 'moat: "exec" requires a minimum of 1 argument(s)' moat exec
	run_fails 1 'moat: "kill" requires a maximum of 2 argument(s)' moat kill a b c
}

@test "all the ways to write an option" {
	run -0 "$MOAT" --root="$ROOT" list --format=json
	run -0 "$MOAT" -root "$ROOT" list -f json
	run -0 "$MOAT" --root "$ROOT" list -f=json
	run -0 "$MOAT" --root "$ROOT" --debug=false list -q=true
}

@test "an error goes to --log as JSON, and to standard error as plain text" {
	log=$BATS_TEST_TMPDIR/log
	run_fails 1 "container does not exist" moat --log "$log" --log-format json state nope
	[ "$stderr" = "container does not exist" ]
	[ "$(jq -r .level "$log")" = error ]
	[ "$(jq -r .msg "$log")" = "container does not exist" ]
	jq -e .time "$log"
}

@test "an error in text form is runc's line" {
	run_fails 1 "" moat state nope
	[[ $stderr =~ ^time=\"[0-9TZ:-]+\"\ level=error\ msg=\"container\ does\ not\ exist\"$ ]]
}

@test "boot and gofer refuse to be started by hand" {
	run_fails 1 "not to be started by hand" "$MOAT" boot
	run_fails 1 "not to be started by hand" "$MOAT" gofer
	run_fails 1 "not to be started by hand" "$MOAT" gofer --root-fd 0 --start-fd 1
}

@test "features is JSON, with runc's keys" {
	"$MOAT" features | jq -e .
	command -v runc || skip "runc is not installed"
	missing=$(comm -23 <(runc features | jq -r 'keys[]' | sort) \
		<("$MOAT" features | jq -r 'keys[]' | sort))
	[ -z "$missing" ]
}

@test "spec writes what runc writes, once" {
	cd "$BATS_TEST_TMPDIR"
	mkdir a b
	"$MOAT" spec -b a
	run_fails 1 "File config.json exists. Remove it first" "$MOAT" spec -b a
	run_fails 1 "chdir /nosuch" "$MOAT" spec -b /nosuch
	command -v runc || skip "runc is not installed"
	runc spec -b b
	diff <(jq -S 'del(.hostname)' a/config.json) <(jq -S 'del(.hostname)' b/config.json)
}

@test "spec --rootless is valid and maps the user" {
	"$MOAT" spec -b "$BATS_TEST_TMPDIR" --rootless
	jq -e '.linux.uidMappings[0].containerID == 0' "$BATS_TEST_TMPDIR/config.json"
}

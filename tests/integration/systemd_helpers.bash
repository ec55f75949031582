# SPDX-License-Identifier: Apache-2.0
# A mount namespace in which systemd seems to run: its mark in /run, a bus of its own, and on it
# systemd_fake.py.  Needs dbus-daemon, python3-dbus and python3-gi.

# systemd_setup v1|v2|hybrid OPTION_OF_THE_FAKE...: what hierarchies there are.
systemd_setup() {
	local version=$1
	shift
	SYSTEMD_DIR=${SYSTEMD_DIR:-$BATS_TEST_TMPDIR/systemd}
	SYSTEMD_LOG=$SYSTEMD_DIR/calls
	rm -rf "$SYSTEMD_DIR"
	mkdir -p "$SYSTEMD_DIR"
	: >"$SYSTEMD_LOG"
	cat >"$SYSTEMD_DIR/bus.conf" <<-EOF
		<busconfig>
		<type>session</type>
		<listen>unix:path=$SYSTEMD_DIR/bus</listen>
		<auth>EXTERNAL</auth>
		<policy context="default">
		<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/><allow user="*"/>
		</policy>
		</busconfig>
	EOF
	# shellcheck disable=SC2016
	unshare -m --propagation private bash -c '
		mount -t tmpfs none /run && mkdir -p /run/systemd/system
		[ "$1" = hybrid ] || umount /sys/fs/cgroup/unified 2>/dev/null || true
		if [ "$1" = v2 ]; then
			umount -R /sys/fs/cgroup
			mount -t cgroup2 none /sys/fs/cgroup
		fi
		exec sleep infinity' place "$version" </dev/null >/dev/null 2>&1 3>&- &
	SYSTEMD_PLACE=$!
	until [ "$(cat /proc/$SYSTEMD_PLACE/comm)" = sleep ]; do sleep 0.01; done
	SYSTEMD_ENTER=(nsenter "--mount=/proc/$SYSTEMD_PLACE/ns/mnt" --wd=/
		env "DBUS_SYSTEM_BUS_ADDRESS=unix:path=$SYSTEMD_DIR/bus")
	"${SYSTEMD_ENTER[@]}" dbus-daemon --config-file="$SYSTEMD_DIR/bus.conf" --nofork \
		--print-address </dev/null >"$SYSTEMD_DIR/address" 2>"$SYSTEMD_DIR/bus.log" 3>&- &
	SYSTEMD_BUS=$!
	until [ -s "$SYSTEMD_DIR/address" ]; do sleep 0.01; done
	chmod 666 "$SYSTEMD_DIR/bus"
	systemd_start_fake "$@"
}

systemd_start_fake() {
	: >"$SYSTEMD_DIR/fake"
	"${SYSTEMD_ENTER[@]}" "$BATS_TEST_DIRNAME/systemd_fake.py" --bus "unix:path=$SYSTEMD_DIR/bus" \
		--log "$SYSTEMD_LOG" "$@" </dev/null >"$SYSTEMD_DIR/fake" 2>&1 3>&- &
	SYSTEMD_FAKE=$!
	until grep -q ready "$SYSTEMD_DIR/fake"; do
		kill -0 $SYSTEMD_FAKE || { cat "$SYSTEMD_DIR/fake"; return 1; }
		sleep 0.01
	done
}

systemd_stop_fake() {
	kill "$SYSTEMD_FAKE" 2>/dev/null
	wait "$SYSTEMD_FAKE" 2>/dev/null || true
}

systemd_teardown() {
	systemd_stop_fake
	kill "$SYSTEMD_BUS" "$SYSTEMD_PLACE" 2>/dev/null || true
	wait "$SYSTEMD_BUS" "$SYSTEMD_PLACE" 2>/dev/null || true
	# Slices are systemd's to remove; those in use stay.
	[ -d /run/systemd/system ] || find /sys/fs/cgroup -depth -type d \
		\( -name system.slice -o -path '*/user.slice*' -o -path "*$ID_PREFIX*" \) -exec rmdir {} + 2>/dev/null || true
}

# A command there.
in_systemd() {
	"${SYSTEMD_ENTER[@]}" "$@"
}

# with_systemd ARGUMENT...: moat with the systemd driver.
with_systemd() {
	in_systemd "$MOAT" --root "$ROOT" --systemd-cgroup "$@"
}

# The calls so far, each in one line: what a jq program makes of them.
systemd_calls() {
	jq -c "${1:-.}" "$SYSTEMD_LOG"
}

systemd_methods() {
	jq -r .method "$SYSTEMD_LOG" | xargs
}

# How many connections the bus has, besides the fake's.
systemd_clients() {
	in_systemd dbus-send "--bus=unix:path=$SYSTEMD_DIR/bus" --print-reply=literal --dest=org.freedesktop.DBus \
		/ org.freedesktop.DBus.ListNames | tr -s ' ' '\n' | grep -c '^:' | awk '{ print $1 - 2 }'
}

systemd_forget_calls() {
	: >"$SYSTEMD_LOG"
}

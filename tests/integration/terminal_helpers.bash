# SPDX-License-Identifier: Apache-2.0
# Driving programs in a real terminal: a tmux server of the test's own, one window.

TERM_SECONDS=20

term() {
	tmux -S "$BATS_TEST_TMPDIR/tmux" -f /dev/null "$@" 3>&-
}

# term_start COMMAND: in a window of 80 x 24, which stays when it has ended.
term_start() {
	term new-session -d -s t -x 80 -y 24 "$1; echo \"[status \$?]\"; exec sleep 1000"
}

# Ends the server and waits until it is gone: a session that is begun before would meet it dying.
term_stop() {
	local pid end=$((SECONDS + TERM_SECONDS))
	pid=$(term display-message -p '#{pid}' 2>/dev/null) || return 0
	term kill-server 2>/dev/null || true
	while [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null && [ $SECONDS -lt $end ]; do
		sleep 0.05
	done
}

# Keys, by tmux's names.
keys() {
	term send-keys -t t "$@"
}

# A line of a shell.
line() {
	term send-keys -t t -l "$1"
	term send-keys -t t Enter
}

# Whether a process of this name is in the foreground of its terminal.
foreground() {
	moat exec "$ID" /bin/bash -c 'for file in /proc/[0-9]*/stat; do
		read -r -a s <"$file" && [ "${s[1]}" = "($1)" ] && [ "${s[4]}" = "${s[7]}" ] && exit 0
	done 2>/dev/null
	exit 1' bash "$1" </dev/null
}

screen() {
	term capture-pane -p -t t
}

# Waits until a line of the screen matches.
expect() {
	local end=$((SECONDS + TERM_SECONDS))
	while [ $SECONDS -lt $end ]; do
		screen | grep -qE -- "$1" && return 0
		sleep 0.1
	done
	echo "not on the screen: $1"
	screen
	return 1
}

# Empties the screen, so that what is expected next is new.
wipe() {
	keys C-l
	term clear-history -t t
}

# Puts programs of this machine with their libraries into a tree.
programs_into() {
	local root=$1 name file library
	shift
	for name in "$@"; do
		file=$(readlink -f "$(type -P "$name")")
		[ -n "$file" ] || return 1
		rm -f "$root/bin/$name"
		cp -L "$file" "$root/bin/$name"
		ldd "$file" 2>/dev/null | grep -o '/[^ )]*' | while read -r library; do
			mkdir -p "$root$(dirname "$library")"
			cp -L "$library" "$root$library"
		done
	done
	mkdir -p "$root"/lib/terminfo "$root"/usr/lib/locale "$root"/usr/share "$root"/run "$root"/root
	cp -rL /lib/terminfo/. "$root/lib/terminfo/"
	cp -r /usr/lib/locale/C.utf8 "$root/usr/lib/locale/"
	echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
	echo 'root:x:0:' >"$root/etc/group"
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The line discipline: editing, echo, mapping of input and output, VMIN and VTIME.
 */
#include "tty_helpers.h"

CASE(tty_defaults)
{
	struct pair p = pair_open();
	struct termios t;

	MUST(tcgetattr(p.slave, &t));
	note("flags %o %o %o %o line %d", t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag, t.c_line);
	show_data("characters", t.c_cc, 19);
	note("speeds %u %u", cfgetispeed(&t), cfgetospeed(&t));
	MUST(tcgetattr(p.master, &t));
	note("by the master %o %o %o %o", t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag);
	show("isatty slave", isatty(p.slave));
	show("isatty master", isatty(p.master));
	pair_close(&p);
}

CASE(tty_lines)
{
	struct pair p = pair_open();

	type_text(&p, "one\ntwo\n");
	show_output(&p, "echo");
	show_read(p.slave, "first", 100);
	show_read(p.slave, "second", 100);
	type_text(&p, "abcdef\n");
	show_read(p.slave, "part", 3);
	show_read(p.slave, "part", 3);
	show_read(p.slave, "part", 3);
	type_text(&p, "no end");
	show_read(p.slave, "unfinished", 100);
	type_text(&p, "\004");
	show_read(p.slave, "by EOF", 100);
	type_text(&p, "\004");
	show_read(p.slave, "EOF alone", 100);
	type_text(&p, "abc\004def\n");
	show_read(p.slave, "exactly up to the mark", 3);
	show_read(p.slave, "behind it", 100);
	type_text(&p, "\n\n\004\n");
	for (int i = 0; i < 4; i++)
		show_read(p.slave, "empty line", 100);
	show_output(&p, "all echoes");
	pair_close(&p);
}

CASE(tty_editing)
{
	struct pair p = pair_open();
	static const char *const typed[] = {
		"abc\177d\n",	   "\177\177x\n",	"one two\027three\n", "one  \027x\n",
		"wrong\025right\n", "a\001\177b\n",	"a\tb\177\177c\n",    "\tx\t\177\177\177y\n",
		"ab\001c\td\177\177e\n", "a\026\003b\n",	"a\026\177b\n",	      "a\026\n\n",
		"line\022\n",	   "\342\202\254\177x\n", "a_b-c\027\027d\n", "\001\002\025z\n",
		"\026",		   "\177\n",		"q\026\004r\n",	      "\303\244\303\266\027k\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(typed); i++) {
		type_text(&p, typed[i]);
		show_output(&p, "echo");
		show_read_now(p.slave, "line", 100);
	}
	change_modes(p.slave, 0, IUTF8, 0, 0, 0, 0);
	note("with IUTF8");
	for (size_t i = 0; i < ARRAY_SIZE(typed); i++) {
		type_text(&p, typed[i]);
		show_output(&p, "echo");
		show_read_now(p.slave, "line", 100);
	}
	pair_close(&p);
}

/* Of all combinations of flags: those with few of them set, and those with few of them clear. */
static bool worth_trying(unsigned set, unsigned count)
{
	unsigned bits = (unsigned)__builtin_popcount(set);

	return bits <= 2 || bits + 1 >= count;
}

/* The flags that shape echo and erasure. */
CASE(tty_echo_flags)
{
	static const tcflag_t flags[] = { ECHO, ECHOE, ECHOK, ECHOKE, ECHOCTL, ECHOPRT, ECHONL };

	for (unsigned set = 0; set < 1U << ARRAY_SIZE(flags); set++) {
		struct pair p;
		tcflag_t on = 0, off = 0;

		if (!worth_trying(set, ARRAY_SIZE(flags)))
			continue;
		p = pair_open();
		for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
			if (set & 1U << i)
				on |= flags[i];
			else
				off |= flags[i];
		change_modes(p.slave, 0, 0, 0, 0, off, on);
		note("flags %x", set);
		type_text(&p, "ab\001\177\177c\td\177\177\177ef gh\027i\025jk\025l\022m\026\004n\n");
		show_output(&p, "echo");
		show_read_now(p.slave, "line", 100);
		pair_close(&p);
	}
}

CASE(tty_input_flags)
{
	static const tcflag_t flags[] = { ISTRIP, INLCR, IGNCR, ICRNL, IUCLC, PARMRK };

	for (unsigned set = 0; set < 1U << ARRAY_SIZE(flags); set++) {
		for (int canon = 0; canon < 2; canon++) {
			struct pair p;
			tcflag_t on = 0;

			if (!worth_trying(set, ARRAY_SIZE(flags)))
				continue;
			p = pair_open();
			for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
				if (set & 1U << i)
					on |= flags[i];
			change_modes(p.slave, ISTRIP | INLCR | IGNCR | ICRNL | IUCLC | PARMRK, on, 0, 0,
				     canon ? 0 : ICANON, 0);
			note("flags %x canon %d", set, canon);
			type_data(&p, "aBc\rX\nY\377\344\304Z\r\n", 13);
			show_output(&p, "echo");
			show_read_now(p.slave, "read", 100);
			show_read_now(p.slave, "read", 100);
			show_read_now(p.slave, "read", 100);
			pair_close(&p);
		}
	}
}

CASE(tty_output_flags)
{
	static const tcflag_t flags[] = { OLCUC, ONLCR, OCRNL, ONOCR, ONLRET, XTABS };
	static const char text[] = "\ra\tbc\nd\re\n\rf\b\tg\001h\nlongish line\t.\n\344\n";

	for (unsigned set = 0; set < 1U << ARRAY_SIZE(flags); set++) {
		struct pair p;
		tcflag_t on = 0;

		if (!worth_trying(set, ARRAY_SIZE(flags)))
			continue;
		p = pair_open();
		for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
			if (set & 1U << i)
				on |= flags[i];
		change_modes(p.slave, 0, 0, OLCUC | ONLCR | OCRNL | ONOCR | ONLRET | XTABS, on, 0, 0);
		note("flags %x", set);
		show("write", write(p.slave, text, sizeof(text) - 1));
		show_output(&p, "output");
		type_text(&p, "x\ty\177\177\n");
		show_output(&p, "echo behind it");
		pair_close(&p);
	}
	struct pair p = pair_open();

	change_modes(p.slave, 0, 0, OPOST, 0, 0, 0);
	show("write", write(p.slave, text, sizeof(text) - 1));
	show_output(&p, "without OPOST");
	pair_close(&p);
}

CASE(tty_characters)
{
	struct pair p = pair_open();

	set_cc(p.slave, VEOL, 'E');
	set_cc(p.slave, VEOL2, 'F');
	type_text(&p, "oneEtwoFthree\n");
	for (int i = 0; i < 3; i++)
		show_read(p.slave, "by EOL", 100);
	show_output(&p, "echo");
	set_cc(p.slave, VERASE, '#');
	set_cc(p.slave, VKILL, '@');
	set_cc(p.slave, VWERASE, 0);
	type_text(&p, "ab#c\177@d e\027f\n");
	show_read(p.slave, "line", 100);
	show_output(&p, "echo");
	change_modes(p.slave, 0, 0, 0, 0, IEXTEN, 0);
	type_text(&p, "a\026b\022c\027F\n");
	show_read(p.slave, "without IEXTEN", 100);
	show_output(&p, "echo");
	set_cc(p.slave, VINTR, 0);
	set_cc(p.slave, VEOF, 'q');
	type_data(&p, "a\0b\003q", 5);
	show_read(p.slave, "NUL is no character", 100);
	pair_close(&p);
}

CASE(tty_raw)
{
	struct pair p = pair_open();
	char buf[256];

	make_raw(p.slave, 1, 0);
	type_text(&p, "ab\003\004\n\r\177");
	show_output(&p, "no echo");
	show_read(p.slave, "all of it", 100);
	type_text(&p, "abcdef");
	show_read(p.slave, "two", 2);
	show_read(p.slave, "the rest", 100);
	make_raw(p.slave, 0, 0);
	show("VMIN 0 VTIME 0, nothing", read(p.slave, buf, sizeof(buf)));
	MUST(fcntl(p.slave, F_SETFL, O_NONBLOCK));
	show("the same without blocking", read(p.slave, buf, sizeof(buf)));
	make_raw(p.slave, 1, 0);
	show("VMIN 1 without blocking", read(p.slave, buf, sizeof(buf)));
	make_raw(p.slave, 0, 1);
	show("VTIME 1 without blocking", read(p.slave, buf, sizeof(buf)));
	MUST(fcntl(p.slave, F_SETFL, 0));
	long long before = now_ms();
	show("VTIME 1, nothing", read(p.slave, buf, sizeof(buf)));
	note("waited: %d", now_ms() - before >= 90);
	make_raw(p.slave, 3, 0);
	RUN_CHILD("typist") {
		type_text(&p, "a");
		sleep_ms(30);
		type_text(&p, "bcde");
	}
	show_data("VMIN 3", buf, read(p.slave, buf, sizeof(buf)));
	make_raw(p.slave, 5, 1);
	type_text(&p, "xy");
	show_data("VMIN 5 VTIME 1", buf, read(p.slave, buf, sizeof(buf)));
	make_raw(p.slave, 4, 0);
	type_text(&p, "12");
	struct pollfd entry = { .fd = p.slave, .events = POLLIN };
	show("poll below VMIN", poll(&entry, 1, 60));
	type_text(&p, "34");
	show("poll at VMIN", poll(&entry, 1, 1000));
	show_read(p.slave, "what was there", 100);
	make_raw(p.slave, 100, 0);
	memset(buf, 'v', sizeof(buf));
	type_data(&p, buf, 200);
	settle(&p);
	show("VMIN 100, first part", read(p.slave, buf, 200));
	pair_close(&p);
}

CASE(tty_mode_changes)
{
	struct pair p = pair_open();
	char buf[256];
	int count;

	type_text(&p, "line\nunfinished");
	settle(&p);
	show("FIONREAD", ioctl(p.slave, FIONREAD, &count));
	show_int("count by lines", count);
	change_modes(p.slave, 0, 0, 0, 0, ICANON, 0);
	MUST(ioctl(p.slave, FIONREAD, &count));
	show_int("count without", count);
	show_read(p.slave, "everything", 100);
	type_text(&p, "half");
	settle(&p);
	change_modes(p.slave, 0, 0, 0, 0, 0, ICANON);
	show_read(p.slave, "half a line becomes one", 100);
	type_text(&p, "more\n");
	show_read(p.slave, "more", 100);
	type_text(&p, "x\004y\n");
	settle(&p);
	MUST(ioctl(p.slave, FIONREAD, &count));
	show_int("marks do not count", count);
	show("TCSAFLUSH", tcsetattr(p.slave, TCSAFLUSH, &(struct termios){ .c_lflag = ICANON }));
	MUST(ioctl(p.slave, FIONREAD, &count));
	show_int("after a flush", count);
	MUST(fcntl(p.slave, F_SETFL, O_NONBLOCK));
	show("read", read(p.slave, buf, sizeof(buf)));
	show("FIONREAD, bad pointer", ioctl(p.slave, FIONREAD, bad_ptr()));
	show("TIOCOUTQ", ioctl(p.slave, TIOCOUTQ, &count));
	show_int("output waiting", count);
	pair_close(&p);
}

CASE(tty_long_line)
{
	struct pair p = pair_open();
	char line[4300], buf[8192];
	ssize_t n;

	change_modes(p.slave, 0, 0, 0, 0, ECHO, 0);
	memset(line, 'a', sizeof(line));
	line[4094] = 'X';
	line[4095] = 'Y';
	line[sizeof(line) - 2] = 'Z';
	line[sizeof(line) - 1] = '\n';
	type_data(&p, line, sizeof(line));
	settle(&p);
	n = read(p.slave, buf, sizeof(buf));
	show("size", n);
	if (n > 4)
		show_data("its end", buf + n - 4, 4);
	MUST(fcntl(p.slave, F_SETFL, O_NONBLOCK));
	show("nothing left", read(p.slave, buf, sizeof(buf)));
	pair_close(&p);
}

CASE(tty_flow)
{
	struct pair p = pair_open();

	type_text(&p, "\023");
	settle(&p);
	MUST(fcntl(p.slave, F_SETFL, O_NONBLOCK));
	show("write while stopped", write(p.slave, "held", 4));
	type_text(&p, "echo\n");
	show_output(&p, "held echo");
	type_text(&p, "\021");
	show_output(&p, "let go");
	show("write", write(p.slave, "now\n", 4));
	show_output(&p, "output");
	show_read(p.slave, "line", 100);
	change_modes(p.slave, 0, IXANY, 0, 0, 0, 0);
	type_text(&p, "\023a");
	show_output(&p, "IXANY");
	type_text(&p, "\023\021");
	change_modes(p.slave, IXANY, 0, 0, 0, 0, 0);
	type_text(&p, "\023");
	settle(&p);
	change_modes(p.slave, IXON, 0, 0, 0, 0, 0);
	show("write after IXON went", write(p.slave, "free\n", 5));
	show_output(&p, "output");
	show("TCOOFF", tcflow(p.slave, TCOOFF));
	show("write", write(p.slave, "held", 4));
	type_text(&p, "\021");
	show_output(&p, "XON does not help");
	show("TCOON", tcflow(p.slave, TCOON));
	show_output(&p, "echo");
	show("TCIOFF", tcflow(p.slave, TCIOFF));
	show("TCION", tcflow(p.slave, TCION));
	show_output(&p, "sent");
	show("tcflow 9", ioctl(p.slave, TCXONC, 9));
	show("TCFLSH 9", ioctl(p.slave, TCFLSH, 9));
	type_text(&p, "gone\n");
	settle(&p);
	show("TCIFLUSH", tcflush(p.slave, TCIFLUSH));
	show_read(p.slave, "flushed", 100);
	show("TCSBRK", ioctl(p.slave, TCSBRK, 1));
	show("TCSBRK 0", ioctl(p.slave, TCSBRK, 0));
	show("TCSBRKP", ioctl(p.slave, TCSBRKP, 1));
	show("tcdrain", tcdrain(p.slave));
	pair_close(&p);
}

CASE(tty_packet_mode)
{
	struct pair p = pair_open();
	int on = 1, state = 7;
	char buf[16];
	struct pollfd entry = { .fd = p.master, .events = POLLIN | POLLPRI | POLLOUT };

	show("TIOCGPKT", ioctl(p.master, TIOCGPKT, &state));
	show_int("state", state);
	show("TIOCPKT", ioctl(p.master, TIOCPKT, &on));
	MUST(ioctl(p.master, TIOCGPKT, &state));
	show_int("state", state);
	MUST(write(p.slave, "data\n", 5));
	settle(&p);
	show_data("data", buf, read(p.master, buf, 4));
	show_data("data", buf, read(p.master, buf, sizeof(buf)));
	type_text(&p, "\023");
	settle(&p);
	MUST(poll(&entry, 1, 100));
	show_hex("events", (unsigned)entry.revents);
	show_data("stopped", buf, read(p.master, buf, sizeof(buf)));
	type_text(&p, "\021");
	settle(&p);
	show_data("started", buf, read(p.master, buf, sizeof(buf)));
	MUST(tcflush(p.slave, TCIFLUSH));
	show_data("flushed", buf, read(p.master, buf, sizeof(buf)));
	MUST(tcflush(p.slave, TCOFLUSH));
	show_data("flushed", buf, read(p.master, buf, sizeof(buf)));
	change_modes(p.slave, IXON, 0, 0, 0, 0, 0);
	show_data("no flow control", buf, read(p.master, buf, sizeof(buf)));
	change_modes(p.slave, 0, IXON, 0, 0, 0, 0);
	show_data("flow control", buf, read(p.master, buf, sizeof(buf)));
	change_modes(p.slave, 0, 0, 0, 0, 0, EXTPROC);
	show_data("EXTPROC", buf, read(p.master, buf, sizeof(buf)));
	type_text(&p, "a\177b\n\004");
	settle(&p);
	show_read(p.slave, "unprocessed", 3);
	show_read(p.slave, "unprocessed", 100);
	type_text(&p, "\004");
	show_read(p.slave, "EOF character alone", 100);
	show_data("nothing", buf, read(p.master, buf, sizeof(buf)));
	on = 0;
	MUST(ioctl(p.master, TIOCPKT, &on));
	MUST(write(p.slave, "x", 1));
	settle(&p);
	show_data("plain again", buf, read(p.master, buf, sizeof(buf)));
	show("TIOCPKT on a slave", ioctl(p.slave, TIOCPKT, &on));
	show("TIOCPKT, bad pointer", ioctl(p.master, TIOCPKT, bad_ptr()));
	pair_close(&p);
}

/* Signals flush what was echoed for characters that came together with them, whether it waited or not. */
CASE(tty_signals_among_text)
{
	static const char *const texts[] = {
		"ab\003cd\n", "ab\003\003\034cd\003ef\n", "a\tb\021c\003\td\n", "a\nb\003c\003",
		"a\bbc\025de\032fg\177h\n", "a\026\003b\003c\n", "\003", "x\021y\021z\034",
	};
	static const tcflag_t modes[] = { 0, NOFLSH, ECHO, ISIG, IEXTEN, ICANON };

	signal(SIGINT, SIG_IGN);
	for (size_t m = 0; m < ARRAY_SIZE(modes); m++) {
		for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
			struct pair p = pair_open();
			bool adds = modes[m] == NOFLSH;

			note("mode %x text %zu", modes[m], i);
			change_modes(p.slave, 0, 0, 0, 0, adds ? 0 : modes[m], adds ? modes[m] : 0);
			/* Unfinished, since behind a line that waits one cannot tell what has arrived. */
			type_text(&p, "before");
			show_output(&p, "earlier");
			type_text(&p, texts[i]);
			show_output(&p, "echo");
			show_read_now(p.slave, "read", 100);
			show_read_now(p.slave, "read", 100);
			pair_close(&p);
		}
	}
}

CASE(tty_signals_behind_lines)
{
	signal(SIGINT, SIG_IGN);
	for (int keeps = 0; keeps < 2; keeps++) {
		struct pair p = pair_open();

		change_modes(p.slave, 0, 0, 0, 0, keeps ? 0 : NOFLSH, keeps ? NOFLSH : 0);
		type_text(&p, "line\nbegun");
		show_output(&p, "earlier");
		type_text(&p, "a\003b\n");
		show_output(&p, "echo");
		show_read_now(p.slave, keeps ? "kept" : "flushed", 100);
		show_read_now(p.slave, "read", 100);
		pair_close(&p);
	}
}

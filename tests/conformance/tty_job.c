/* SPDX-License-Identifier: Apache-2.0
 *
 * Controlling terminals: who gets one, foreground and background groups, stops, hanging up.
 */
#include "tty_helpers.h"

static volatile sig_atomic_t last_signal;

static void note_signal(int signo)
{
	last_signal = signo;
}

static void catch_signal(int signo)
{
	struct sigaction action = { .sa_handler = note_signal };

	MUST(sigaction(signo, &action, NULL));
}

static void show_signal(const char *label)
{
	for (int i = 0; i < 2000 && last_signal == 0; i++)
		sleep_ms(5);
	note("%s: %s", label, last_signal ? sigabbrev_np(last_signal) : "none");
	last_signal = 0;
}

/* Field n (from 1, after the command) of /proc/self/stat. */
static long stat_field(int n)
{
	char text[1024], *at;
	int fd = (int)MUST(open("/proc/self/stat", O_RDONLY));
	ssize_t size = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[size > 0 ? size : 0] = '\0';
	at = strrchr(text, ')');
	while (at && n--)
		at = strchr(at + 1, ' ');
	return at ? strtol(at, NULL, 10) : -99;
}

CASE(tty_controlling)
{
	struct pair p = pair_open();
	pid_t sid;

	RUN_CHILD("not a leader") {
		show("TIOCSCTTY", ioctl(p.slave, TIOCSCTTY, 0));
		show("TIOCNOTTY", ioctl(p.slave, TIOCNOTTY));
		show("TIOCGPGRP", ioctl(p.slave, TIOCGPGRP, &sid));
		show("TIOCGSID", ioctl(p.slave, TIOCGSID, &sid));
		show("TIOCSPGRP", ioctl(p.slave, TIOCSPGRP, &(pid_t){ getpid() }));
		show("master's TIOCGPGRP", ioctl(p.master, TIOCGPGRP, &sid));
		show_int("group", sid);
		show("master's TIOCGSID", ioctl(p.master, TIOCGSID, &sid));
		show_ok("/dev/tty", open("/dev/tty", O_RDWR));
	}
	RUN_CHILD("leader") {
		int own;

		MUST(setsid());
		note("before: tty %d pgrp %ld", stat_field(5) != 0, stat_field(6));
		show("TIOCSCTTY", ioctl(p.slave, TIOCSCTTY, 0));
		show("again", ioctl(p.slave, TIOCSCTTY, 0));
		note("after: tty %d pgrp %d", stat_field(5) == 0x8800 + (long)0 || stat_field(5) > 0,
		     stat_field(6) == getpid());
		own = open("/dev/tty", O_RDWR);
		show_ok("/dev/tty", own);
		show("TIOCGSID", ioctl(own, TIOCGSID, &sid));
		note("session is ours: %d", sid == getpid());
		note("tcgetsid: %d tcgetpgrp: %d", tcgetsid(p.slave) == getpid(),
		     tcgetpgrp(p.slave) == getpid());
		show("by the master", ioctl(p.master, TIOCGPGRP, &sid));
		note("group is ours: %d", sid == getpid());
		show("tcsetpgrp no such", tcsetpgrp(p.slave, 99999));
		show("tcsetpgrp -1", ioctl(p.slave, TIOCSPGRP, &(pid_t){ -1 }));
		show("tcsetpgrp parent's", tcsetpgrp(p.slave, getppid()));
		show("tcsetpgrp, bad pointer", ioctl(p.slave, TIOCSPGRP, bad_ptr()));
		show("tcgetpgrp, bad pointer", ioctl(p.slave, TIOCGPGRP, bad_ptr()));
		show("by the master", ioctl(p.master, TIOCSPGRP, &(pid_t){ getpid() }));
		struct pair q = pair_open();
		show("a second one", ioctl(q.slave, TIOCSCTTY, 0));
		show("not ours", ioctl(q.slave, TIOCGPGRP, &sid));
		pair_close(&q);
		RUN_CHILD("child") {
			show_ok("/dev/tty", open("/dev/tty", O_RDWR));
			show("TIOCNOTTY", ioctl(p.slave, TIOCNOTTY));
			show_ok("/dev/tty without", open("/dev/tty", O_RDWR));
		}
		RUN_CHILD("new session") {
			MUST(setsid());
			show_ok("/dev/tty", open("/dev/tty", O_RDWR));
			show("TIOCSCTTY of another's", ioctl(p.slave, TIOCSCTTY, 0));
			show("stealing without privilege", ioctl(p.slave, TIOCSCTTY, 1));
		}
		signal(SIGHUP, SIG_IGN);
		show("TIOCNOTTY", ioctl(p.slave, TIOCNOTTY));
		show_ok("/dev/tty without", open("/dev/tty", O_RDWR));
		note("tty %d pgrp %ld", stat_field(5) != 0, stat_field(6));
	}
	pair_close(&p);
}

CASE(tty_opening)
{
	struct pair p = pair_open();
	char name[64];
	int number;

	MUST(ioctl(p.master, TIOCGPTN, &number));
	snprintf(name, sizeof(name), "/dev/pts/%d", number);
	RUN_CHILD("O_NOCTTY") {
		MUST(setsid());
		MUST(open(name, O_RDWR | O_NOCTTY));
		show_ok("/dev/tty", open("/dev/tty", O_RDWR));
	}
	RUN_CHILD("write only") {
		MUST(setsid());
		MUST(open(name, O_WRONLY));
		show_ok("/dev/tty", open("/dev/tty", O_RDWR));
	}
	RUN_CHILD("read and write") {
		MUST(setsid());
		int fd = (int)MUST(open(name, O_RDWR));
		show_hex("flags", (unsigned)fcntl(fd, F_GETFL));
		show_ok("/dev/tty", open("/dev/tty", O_RDWR));
	}
	RUN_CHILD("exclusive") {
		int on;

		show("TIOCGEXCL", ioctl(p.slave, TIOCGEXCL, &on));
		show_int("is", on);
		show("TIOCEXCL", ioctl(p.slave, TIOCEXCL));
		MUST(ioctl(p.slave, TIOCGEXCL, &on));
		show_int("is", on);
		show_ok("open", open(name, O_RDWR | O_NOCTTY));
		show("TIOCNXCL", ioctl(p.slave, TIOCNXCL));
		show_ok("open", open(name, O_RDWR | O_NOCTTY));
	}
	RUN_CHILD("the lock") {
		int on = 1, fd;

		show("TIOCSPTLCK", ioctl(p.master, TIOCSPTLCK, &on));
		on = 0;
		show("TIOCGPTLCK", ioctl(p.master, TIOCGPTLCK, &on));
		show_int("is", on);
		show_ok("open", open(name, O_RDWR | O_NOCTTY));
		show_ok("TIOCGPTPEER", ioctl(p.master, TIOCGPTPEER, O_RDWR | O_NOCTTY));
		on = 0;
		MUST(ioctl(p.master, TIOCSPTLCK, &on));
		fd = ioctl(p.master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
		show_ok("TIOCGPTPEER", fd);
		show_hex("close on exec", (unsigned)fcntl(fd, F_GETFD));
		show_str("same name", strcmp(ttyname(fd) ? ttyname(fd) : "", name) == 0 ? "yes" : "no");
		show("TIOCSPTLCK on the slave", ioctl(p.slave, TIOCSPTLCK, &on));
		show("TIOCGPTN on the slave", ioctl(p.slave, TIOCGPTN, &on));
	}
	RUN_CHILD("the node") {
		struct stat a, b;

		MUST(fstat(p.slave, &a));
		MUST(stat(name, &b));
		note("mode %o uid %u gid %u links %lu major %lu same %d", b.st_mode, b.st_uid, b.st_gid,
		     (unsigned long)b.st_nlink, (unsigned long)(b.st_rdev >> 8),
		     a.st_ino == b.st_ino && a.st_rdev == b.st_rdev);
		show("chmod", chmod(name, 0600));
		MUST(stat(name, &b));
		note("mode %o", b.st_mode);
		show("unlink", unlink(name));
		show("mkdir", mkdir("/dev/pts/x", 0755));
		show_ok("create", open("/dev/pts/x", O_CREAT | O_RDWR, 0600));
		show("seek", lseek(p.slave, 0, SEEK_SET));
		show("pread", pread(p.slave, &b, 1, 0));
		show("unknown ioctl", ioctl(p.slave, 0x54ff, 0));
	}
	close(p.master);
	show_ok("open without master", open(name, O_RDWR | O_NOCTTY));
	show("access", access(name, F_OK));
	close(p.slave);
}

CASE(tty_signals)
{
	struct pair p = pair_open();

	RUN_CHILD("session") {
		char buf[64];

		take_terminal(&p);
		catch_signal(SIGINT);
		catch_signal(SIGQUIT);
		catch_signal(SIGTSTP);
		catch_signal(SIGWINCH);
		type_text(&p, "typed\003");
		show_signal("^C");
		type_text(&p, "after\n");
		show_read(p.slave, "flushed before", 100);
		type_text(&p, "\034");
		show_signal("^\\");
		type_text(&p, "\032");
		show_signal("^Z");
		show_output(&p, "echo");
		change_modes(p.slave, 0, 0, 0, 0, 0, NOFLSH);
		type_text(&p, "kept\003\n");
		show_signal("^C");
		show_read(p.slave, "line", 100);
		change_modes(p.slave, 0, 0, 0, 0, ISIG, 0);
		type_text(&p, "x\003y\n");
		show_read(p.slave, "without ISIG", 100);
		change_modes(p.slave, 0, 0, 0, 0, 0, ISIG);
		show("TIOCSIG", ioctl(p.master, TIOCSIG, SIGQUIT));
		show_signal("by the master");
		show("TIOCSIG SIGTERM", ioctl(p.master, TIOCSIG, SIGTERM));
		struct winsize size = { 24, 80, 1, 2 }, now;
		show("TIOCSWINSZ", ioctl(p.master, TIOCSWINSZ, &size));
		show_signal("new size");
		show("TIOCGWINSZ", ioctl(p.slave, TIOCGWINSZ, &now));
		note("%u %u %u %u", now.ws_row, now.ws_col, now.ws_xpixel, now.ws_ypixel);
		show("the same again", ioctl(p.slave, TIOCSWINSZ, &size));
		sleep_ms(30);
		note("no signal: %d", last_signal == 0);
		size.ws_row = 25;
		show("by the slave", ioctl(p.slave, TIOCSWINSZ, &size));
		show_signal("new size");
		show("bad pointer", ioctl(p.slave, TIOCSWINSZ, bad_ptr()));
		show("bad pointer", ioctl(p.slave, TIOCGWINSZ, bad_ptr()));
		last_signal = 0;
		pid_t reader = getpid();
		if (fork() == 0) {
			wait_blocked(reader, reader);
			type_text(&p, "\003");
			_exit(0);
		}
		show("interrupted read", read(p.slave, buf, sizeof(buf)));
		MUST(wait(NULL));
	}
	pair_close(&p);
}

CASE(tty_sti)
{
	struct pair p = pair_open();

	show("not ours", ioctl(p.slave, TIOCSTI, "x"));
	RUN_CHILD("session") {
		take_terminal(&p);
		show("TIOCSTI", ioctl(p.slave, TIOCSTI, "h"));
		show("TIOCSTI", ioctl(p.slave, TIOCSTI, "i"));
		show("TIOCSTI", ioctl(p.slave, TIOCSTI, "\n"));
		show_read(p.slave, "line", 100);
		show("bad pointer", ioctl(p.slave, TIOCSTI, bad_ptr()));
		show("master", ioctl(p.master, TIOCSTI, "x"));
	}
	show_output(&p, "echo");
	pair_close(&p);
}

/* Runs body in a process group of its own in the background of the terminal. */
static pid_t background(void (*body)(struct pair *), struct pair *p)
{
	pid_t child = (pid_t)MUST(fork());

	if (child == 0) {
		MUST(setpgid(0, 0));
		body(p);
		_exit(0);
	}
	/* Both, so that neither need wait for the other. */
	setpgid(child, child);
	return child;
}

static void body_read(struct pair *p)
{
	char buf[16];

	show_data("read", buf, read(p->slave, buf, sizeof(buf)));
}

static void body_write(struct pair *p)
{
	show("write", write(p->slave, "bg\n", 3));
}

static void body_modes(struct pair *p)
{
	struct termios t;

	MUST(tcgetattr(p->slave, &t));
	show("tcsetattr", tcsetattr(p->slave, TCSANOW, &t));
}

static void body_take_over(struct pair *p)
{
	show("tcsetpgrp", tcsetpgrp(p->slave, getpgrp()));
}

static void wait_stop(const char *label, pid_t child)
{
	int status;

	MUST(waitpid(child, &status, WUNTRACED));
	show_status(label, status);
}

static void to_foreground(struct pair *p, pid_t group)
{
	show("to the foreground", tcsetpgrp(p->slave, group));
	kill(-group, SIGCONT);
}

CASE(tty_background)
{
	struct pair p = pair_open();

	RUN_CHILD("session") {
		pid_t job;

		take_terminal(&p);
		signal(SIGTTOU, SIG_IGN);
		job = background(body_read, &p);
		wait_stop("background read", job);
		type_text(&p, "for the job\n");
		to_foreground(&p, job);
		wait_stop("job", job);
		MUST(tcsetpgrp(p.slave, getpgrp()));
		signal(SIGTTOU, SIG_DFL);
		job = background(body_write, &p);
		wait_stop("background write without TOSTOP", job);
		change_modes(p.slave, 0, 0, 0, 0, 0, TOSTOP);
		job = background(body_write, &p);
		wait_stop("background write with TOSTOP", job);
		to_foreground(&p, job);
		wait_stop("job", job);
		signal(SIGTTOU, SIG_IGN);
		MUST(tcsetpgrp(p.slave, getpgrp()));
		job = background(body_write, &p);
		wait_stop("the same with SIGTTOU ignored", job);
		signal(SIGTTOU, SIG_DFL);
		job = background(body_modes, &p);
		wait_stop("background tcsetattr", job);
		MUST(kill(job, SIGKILL));
		wait_stop("job", job);
		job = background(body_take_over, &p);
		wait_stop("background tcsetpgrp", job);
		MUST(kill(job, SIGKILL));
		wait_stop("job", job);
		signal(SIGTTIN, SIG_IGN);
		job = background(body_read, &p);
		wait_stop("read with SIGTTIN ignored", job);
		signal(SIGTTIN, SIG_DFL);
		/* ^Z for the whole foreground group, ours is not in it. */
		job = background(body_read, &p);
		wait_stop("background read", job);
		signal(SIGTTOU, SIG_IGN);
		to_foreground(&p, job);
		sleep_ms(50);
		type_text(&p, "\032");
		wait_stop("^Z", job);
		to_foreground(&p, job);
		sleep_ms(50);
		type_text(&p, "\003");
		wait_stop("^C", job);
		MUST(tcsetpgrp(p.slave, getpgrp()));
	}
	pair_close(&p);
}

static void body_orphan(struct pair *p)
{
	pid_t parent = getpid();

	/* Our child is in a group whose only link to the session is us. */
	if (fork() == 0) {
		char buf[16];

		MUST(setpgid(0, 0));
		while (getppid() == parent)
			sleep_ms(1);
		show("orphaned read", read(p->slave, buf, sizeof(buf)));
		show("orphaned tcsetpgrp", tcsetpgrp(p->slave, getpgrp()));
		raise(SIGTSTP);
		note("orphaned groups do not stop");
		_exit(0);
	}
}

static void body_stopped_orphan(struct pair *p)
{
	pid_t child = fork();

	(void)p;
	if (child == 0) {
		MUST(setpgid(0, 0));
		catch_signal(SIGHUP);
		catch_signal(SIGCONT);
		raise(SIGSTOP);
		for (int i = 0; i < 2000 && !last_signal; i++)
			sleep_ms(5);
		note("woken by hang-up: %d", last_signal == SIGHUP || last_signal == SIGCONT);
		_exit(0);
	}
	wait_stop("grandchild", child);
}

/* Runs body in the background and waits until all that it started has ended. */
static void background_to_the_end(void (*body)(struct pair *), struct pair *p)
{
	int ends[2];
	char byte;

	MUST(pipe(ends));
	pid_t parent = background(body, p);
	close(ends[1]);
	MUST(read(ends[0], &byte, 1));
	close(ends[0]);
	wait_stop("parent", parent);
}

CASE(tty_orphans)
{
	struct pair p = pair_open();

	RUN_CHILD("session") {
		take_terminal(&p);
		background_to_the_end(body_orphan, &p);
		background_to_the_end(body_stopped_orphan, &p);
	}
	pair_close(&p);
}

CASE(tty_hangup)
{
	struct pair p;
	char buf[16];
	struct pollfd entry;

	p = pair_open();
	show("EAGAIN", read(p.master, buf, sizeof(buf)));
	MUST(write(p.slave, "rest", 4));
	close(p.slave);
	show_data("the rest", buf, read(p.master, buf, sizeof(buf)));
	show("slave closed", read(p.master, buf, sizeof(buf)));
	entry = (struct pollfd){ .fd = p.master, .events = POLLIN | POLLOUT };
	MUST(poll(&entry, 1, 100));
	show_hex("events", (unsigned)entry.revents);
	show("write to it", write(p.master, "x", 1));
	close(p.master);

	p = pair_open();
	type_text(&p, "unread\n");
	settle(&p);
	close(p.master);
	show_data("master closed", buf, read(p.slave, buf, sizeof(buf)));
	show("write", write(p.slave, "x", 1));
	entry = (struct pollfd){ .fd = p.slave, .events = POLLIN | POLLOUT };
	MUST(poll(&entry, 1, 100));
	show_hex("events", (unsigned)entry.revents);
	show("ioctl", ioctl(p.slave, FIONREAD, buf));
	show("tcsetpgrp", tcsetpgrp(p.slave, getpid()));
	close(p.slave);

	p = pair_open();
	RUN_CHILD("leader hears it") {
		take_terminal(&p);
		catch_signal(SIGHUP);
		close(p.master);
		if (fork() == 0) {
			sleep_ms(100);
			_exit(0);
		}
	}
	RUN_CHILD("foreground group hears of the leader's end") {
		int ready[2], done[2];
		char byte;

		MUST(pipe(ready));
		MUST(pipe(done));
		pid_t leader = (pid_t)MUST(fork());

		if (leader == 0) {
			take_terminal(&p);
			pid_t job = (pid_t)MUST(fork());
			if (job == 0) {
				MUST(setpgid(0, 0));
				catch_signal(SIGHUP);
				MUST(write(ready[1], "r", 1));
				for (int i = 0; i < 2000 && !last_signal; i++)
					sleep_ms(5);
				show_signal("job");
				show_ok("/dev/tty", open("/dev/tty", O_RDWR));
				_exit(0);
			}
			setpgid(job, job);
			signal(SIGTTOU, SIG_IGN);
			MUST(tcsetpgrp(p.slave, job));
			MUST(read(ready[0], &byte, 1));
			_exit(0);
		}
		MUST(waitpid(leader, NULL, 0));
		/* Until the job has ended, too. */
		close(done[1]);
		MUST(read(done[0], &byte, 1));
	}
	pair_close(&p);

	p = pair_open();
	pid_t reader = (pid_t)MUST(fork());

	if (reader == 0) {
		close(p.master);
		show("blocked read", read(p.slave, buf, sizeof(buf)));
		_exit(0);
	}
	wait_blocked(reader, reader);
	close(p.master);
	show_wait("reader", reader);
	close(p.slave);
	show("vhangup", syscall(SYS_vhangup));
	p = pair_open();
	show("TIOCVHANGUP", ioctl(p.slave, TIOCVHANGUP));
	pair_close(&p);
}

CASE(tty_numbers)
{
	struct pair a = pair_open(), b = pair_open();
	int first, second, third;

	MUST(ioctl(a.master, TIOCGPTN, &first));
	MUST(ioctl(b.master, TIOCGPTN, &second));
	note("different: %d", first != second);
	close(a.master);
	struct pair c = pair_open();
	MUST(ioctl(c.master, TIOCGPTN, &third));
	note("in use while the slave is open: %d", third != first);
	pair_close(&c);
	close(a.slave);
	c = pair_open();
	MUST(ioctl(c.master, TIOCGPTN, &third));
	note("then free again: %d", third == first || third == second + 1);
	pair_close(&c);
	pair_close(&b);
}

CASE(tty_many_bytes)
{
	struct pair p = pair_open();
	unsigned sum = 0, want = 0;
	size_t got = 0;
	pid_t writer;

	make_raw(p.slave, 1, 0);
	MUST(fcntl(p.master, F_SETFL, 0));
	writer = (pid_t)MUST(fork());
	if (writer == 0) {
		unsigned char out[5000];

		for (unsigned i = 0; i < 40; i++) {
			for (size_t j = 0; j < sizeof(out); j++)
				out[j] = (unsigned char)(i * 7 + j * 13);
			if (write(p.slave, out, sizeof(out)) != sizeof(out))
				_exit(1);
		}
		_exit(0);
	}
	for (unsigned i = 0; i < 40; i++)
		for (size_t j = 0; j < 5000; j++)
			want = want * 31 + (unsigned char)(i * 7 + j * 13);
	while (got < 200000) {
		unsigned char in[3000];
		ssize_t n = read(p.master, in, sizeof(in));

		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			sum = sum * 31 + in[i];
		got += (size_t)n;
	}
	show_int("bytes", (long long)got);
	note("intact: %d", sum == want);
	show_wait("writer", writer);
	pair_close(&p);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Leases: F_SETLEASE and F_GETLEASE, who may have which, and how they are broken.
 */
#include "conformance.h"

#include <poll.h>

static const char *type_name(int type)
{
	switch (type) {
	case F_RDLCK:
		return "read";
	case F_WRLCK:
		return "write";
	case F_UNLCK:
		return "none";
	default:
		return type < 0 ? errno_name(errno) : "?";
	}
}

static void show_lease(const char *label, int fd)
{
	show_str(label, type_name(fcntl(fd, F_GETLEASE)));
}

static int open_file(int flags)
{
	return (int)MUST(open("f", flags | O_CREAT, 0600));
}

CASE(lease_rules)
{
	int rd = open_file(O_RDONLY), ends[2];

	MUST(pipe(ends));
	show_lease("at first", rd);
	show("release nothing", fcntl(rd, F_SETLEASE, F_UNLCK));
	show("bad type", fcntl(rd, F_SETLEASE, 3));
	show("negative type", fcntl(rd, F_SETLEASE, -1));
	show("bad fd", fcntl(99, F_SETLEASE, F_RDLCK));
	show("bad fd, bad type", fcntl(99, F_SETLEASE, 3));
	show("O_PATH", fcntl((int)MUST(open("f", O_PATH)), F_SETLEASE, F_RDLCK));
	show("directory", fcntl((int)MUST(open(".", O_RDONLY)), F_SETLEASE, F_RDLCK));
	show("pipe", fcntl(ends[0], F_SETLEASE, F_RDLCK));
	show("get of a pipe", fcntl(ends[0], F_GETLEASE));
	show("read", fcntl(rd, F_SETLEASE, F_RDLCK));
	show_lease("lease", rd);
	show("again", fcntl(rd, F_SETLEASE, F_RDLCK));
	show("up to write", fcntl(rd, F_SETLEASE, F_WRLCK));
	show_lease("lease", rd);
	show("down to read", fcntl(rd, F_SETLEASE, F_RDLCK));
	show_lease("lease", rd);
	show("release", fcntl(rd, F_SETLEASE, F_UNLCK));
	show_lease("lease", rd);
	show("again", fcntl(rd, F_SETLEASE, F_UNLCK));
	int owner = fcntl(rd, F_GETOWN);
	show_int("owner", owner == getpid() ? 1 : owner);
}

CASE(lease_conflicts)
{
	int rd = open_file(O_RDONLY), rd2 = open_file(O_RDONLY);

	show("write, another reader", fcntl(rd, F_SETLEASE, F_WRLCK));
	show("read", fcntl(rd, F_SETLEASE, F_RDLCK));
	show("read of the other", fcntl(rd2, F_SETLEASE, F_RDLCK));
	show("write of the other", fcntl(rd2, F_SETLEASE, F_WRLCK));
	close(rd2);
	show("write, alone", fcntl(rd, F_SETLEASE, F_WRLCK));
	close(rd);

	int wr = open_file(O_RDWR);
	show("read of one open for writing", fcntl(wr, F_SETLEASE, F_RDLCK));
	show("write of one open for writing", fcntl(wr, F_SETLEASE, F_WRLCK));
	int copy = dup(wr);
	show_lease("of a copy", copy);
	show("given up by the copy", fcntl(copy, F_SETLEASE, F_UNLCK));
	show_lease("lease", wr);
	int wr2 = open_file(O_WRONLY);
	show("write, another writer", fcntl(wr, F_SETLEASE, F_WRLCK));
	close(wr2);
	show("write", fcntl(wr, F_SETLEASE, F_WRLCK));
	close(wr);
	show_lease("a copy keeps it", copy);
	close(copy);
	rd = open_file(O_RDONLY);
	show_lease("the next opening has none", rd);
}

CASE(lease_of_others)
{
	write_file("mine", "x", 0644);
	write_file("his", "x", 0644);
	MUST(chown("his", 1000, 1000));
	int mine = (int)MUST(open("mine", O_RDONLY)), his = (int)MUST(open("his", O_RDONLY));

	RUN_CHILD("user")
	{
		become_user(1000);
		show("another's", fcntl(mine, F_SETLEASE, F_RDLCK));
		show("another's, bad type", fcntl(mine, F_SETLEASE, 9));
		show("another's, release", fcntl(mine, F_SETLEASE, F_UNLCK));
		show("get another's", fcntl(mine, F_GETLEASE));
		show("own", fcntl(his, F_SETLEASE, F_RDLCK));
		show("release own", fcntl(his, F_SETLEASE, F_UNLCK));
	}
}

static void block(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
}

/* What came of the break, if anything. */
static void show_signal(const char *label, int sig, int fd, long ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	if (sigtimedwait(&set, &info, &time) < 0)
		note("%s: none", label);
	else if (info.si_code == SI_KERNEL)
		note("%s: from the kernel", label);
	else
		note("%s: code %d band %#lx fd %s", label, info.si_code, (unsigned long)info.si_band,
		     info.si_fd == fd ? "right" : "wrong");
}

CASE(lease_nonblocking_break)
{
	int fd = open_file(O_RDONLY);

	block(SIGRTMIN);
	MUST(fcntl(fd, F_SETSIG, SIGRTMIN));
	MUST(fcntl(fd, F_SETLEASE, F_RDLCK));
	show_ok("read", open("f", O_RDONLY | O_NONBLOCK));
	show_signal("no break", SIGRTMIN, fd, 0);
	show("write", open("f", O_WRONLY | O_NONBLOCK));
	show_signal("break", SIGRTMIN, fd, 30000);
	show_lease("to be", fd);
	show("write again", open("f", O_WRONLY | O_NONBLOCK));
	show_signal("told once", SIGRTMIN, fd, 0);
	show("truncating", open("f", O_RDWR | O_TRUNC | O_NONBLOCK));
	show_ok("O_PATH", open("f", O_PATH));
	show("stat", access("f", W_OK));
	show("unlink is no break", link("f", "g") || unlink("g"));
	show("take it back", fcntl(fd, F_SETLEASE, F_RDLCK));
	show_lease("to be", fd);
	show("give it up", fcntl(fd, F_SETLEASE, F_UNLCK));
	show_ok("write", open("f", O_WRONLY | O_NONBLOCK));
}

CASE(lease_downgrade)
{
	int fd = open_file(O_RDWR);

	block(SIGIO);
	MUST(fcntl(fd, F_SETLEASE, F_WRLCK));
	show("read", open("f", O_RDONLY | O_NONBLOCK));
	show_signal("break", SIGIO, fd, 30000);
	show_lease("to be", fd);
	show("write too", open("f", O_RDWR | O_NONBLOCK));
	show_signal("break", SIGIO, fd, 30000);
	show_lease("to be", fd);
	show("downgrade, open for writing", fcntl(fd, F_SETLEASE, F_RDLCK));
	show("release", fcntl(fd, F_SETLEASE, F_UNLCK));
	close(fd);
	fd = open_file(O_RDONLY);
	MUST(fcntl(fd, F_SETLEASE, F_WRLCK));
	show("read", open("f", O_RDONLY | O_NONBLOCK));
	show("downgrade", fcntl(fd, F_SETLEASE, F_RDLCK));
	show_lease("is", fd);
	show_ok("read", open("f", O_RDONLY | O_NONBLOCK));
}

/* A child opens the file and says when it could. */
static pid_t opener(int flags, int *pipe_end)
{
	int ends[2];

	MUST(pipe(ends));
	pid_t child = (pid_t)MUST(fork());
	if (child == 0) {
		int fd = flags == O_TRUNC ? truncate("f", 0) : open("f", flags);

		if (write(ends[1], fd < 0 ? "n" : "y", 1) < 0)
			_exit(2);
		_exit(fd < 0 ? 1 : 0);
	}
	close(ends[1]);
	*pipe_end = ends[0];
	return child;
}

static void show_opened(const char *label, int end, int ms)
{
	struct pollfd p = { .fd = end, .events = POLLIN };
	char answer = '-';

	if (poll(&p, 1, ms) > 0 && read(end, &answer, 1) < 0)
		answer = '?';
	note("%s: %c", label, answer);
}

static void waiting_break(const char *what, int flags, int lease, int answer)
{
	int fd = open_file(O_RDONLY), end;

	note("%s", what);
	MUST(fcntl(fd, F_SETLEASE, lease));
	/* the child's descriptor is a copy of ours: it must not keep the lease */
	pid_t child = opener(flags, &end);
	show_signal("break", SIGIO, fd, 30000);
	wait_blocked(child, child);
	show_opened("waits", end, 0);
	show("answer", answer < 0 ? close(fd) : fcntl(fd, F_SETLEASE, answer));
	show_opened("then", end, answer < 0 ? 0 : 30000);
	if (answer < 0) {
		MUST(kill(child, SIGKILL));
		show_wait("child", child);
	} else {
		show_wait("child", child);
		close(fd);
	}
	close(end);
}

CASE(lease_break_waits)
{
	block(SIGIO);
	waiting_break("writer, released", O_WRONLY, F_RDLCK, F_UNLCK);
	waiting_break("writer of a write lease, released", O_WRONLY, F_WRLCK, F_UNLCK);
	waiting_break("reader, downgraded", O_RDONLY, F_WRLCK, F_RDLCK);
	waiting_break("reader, released", O_RDONLY, F_WRLCK, F_UNLCK);
	waiting_break("truncate, released", O_TRUNC, F_RDLCK, F_UNLCK);
	waiting_break("the child has a copy", O_WRONLY, F_RDLCK, -1);
}

static void nothing(int sig)
{
	(void)sig;
}

CASE(lease_break_interrupted)
{
	struct sigaction sa = { .sa_handler = nothing };
	int fd = open_file(O_RDONLY);

	block(SIGIO);
	MUST(fcntl(fd, F_SETLEASE, F_RDLCK));
	sigaction(SIGALRM, &sa, NULL);
	alarm(1);
	show("write", open("f", O_WRONLY));
	show_lease("to be", fd);
	show("release", fcntl(fd, F_SETLEASE, F_UNLCK));
	show_ok("write", open("f", O_WRONLY));
}

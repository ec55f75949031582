/* SPDX-License-Identifier: Apache-2.0
 *
 * Signals that files send to their owner: F_SETOWN and its relatives, O_ASYNC on pipes, sockets,
 * terminals and inotify, F_NOTIFY of directories.
 */
#include "conformance.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pty.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define F_GETOWNER_UIDS_COMMAND 17
#define SIG_CHOSEN (SIGRTMIN + 3)

static sigset_t both_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	sigaddset(&set, SIG_CHOSEN);
	return set;
}

static void block_signals(void)
{
	sigset_t set = both_signals();

	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
}

/* Each signal with its reason, band and whether it names @fd: waits for the first and for each next one. */
static void show_signals_for(const char *label, int fd, struct timespec first, struct timespec next)
{
	sigset_t set = both_signals();
	siginfo_t info;
	int count = 0;

	note("%s:", label);
	while (sigtimedwait(&set, &info, count ? &next : &first) > 0 && count++ < 20)
		if (info.si_signo == SIGIO && info.si_code == SI_KERNEL)
			note("  SIGIO from the kernel");
		else
			note("  signal %+d code %d band %#lx fd %s", info.si_signo - SIGRTMIN, info.si_code,
			     (unsigned long)info.si_band, info.si_fd == fd ? "right" : "wrong");
}

/* What is pending. */
static void show_signals(const char *label, int fd)
{
	const struct timespec now = { 0 };

	show_signals_for(label, fd, now, now);
}

/* What comes by way of a network, which takes its time. */
static void show_signals_soon(const char *label, int fd)
{
	show_signals_for(label, fd, (struct timespec){ .tv_sec = 2 },
			 (struct timespec){ .tv_nsec = 300000000 });
}

/* SIG_CHOSEN comes to this process for @fd. */
static void own(int fd)
{
	MUST(fcntl(fd, F_SETOWN, getpid()));
	MUST(fcntl(fd, F_SETSIG, SIG_CHOSEN));
}

static void own_async(int fd)
{
	own(fd);
	MUST(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC));
}

/* --- owners ------------------------------------------------------------------------------- */

static void show_owner(const char *label, int fd)
{
	struct f_owner_ex owner = { -1, -1 };

	show_ok(label, fcntl(fd, F_GETOWN_EX, &owner));
	note("  type %d, %s", (int)owner.type,
	     !owner.pid		       ? "nobody" :
	     owner.pid == getpid()     ? "this process" :
	     owner.pid == getpgrp()    ? "its group" :
					 "another");
}

CASE(owner_of_file)
{
	struct f_owner_ex owner = { F_OWNER_TID, get_tid() };
	uid_t uids[2] = { 7, 7 };
	int ends[2];

	MUST(pipe(ends));
	show("none at first", fcntl(ends[0], F_GETOWN));
	show_owner("none at first, extended", ends[0]);
	show("signal at first", fcntl(ends[0], F_GETSIG));
	show("set process", fcntl(ends[0], F_SETOWN, getpid()));
	show("is it", fcntl(ends[0], F_GETOWN) == getpid());
	show_owner("process", ends[0]);
	show("set thread", fcntl(ends[0], F_SETOWN_EX, &owner));
	show_owner("thread", ends[0]);
	MUST(setpgid(0, 0));
	show("set group", fcntl(ends[0], F_SETOWN, -getpgrp()));
	show_owner("group", ends[0]);
	show("uids", fcntl(ends[0], F_GETOWNER_UIDS_COMMAND, uids));
	note("%u %u", uids[0], uids[1]);
	show("set nobody", fcntl(ends[0], F_SETOWN, 0));
	show_owner("nobody", ends[0]);
	show("the other end has its own", fcntl(ends[1], F_GETOWN));
	show("F_SETSIG", fcntl(ends[0], F_SETSIG, SIGUSR1));
	show("F_GETSIG", fcntl(ends[0], F_GETSIG));
}

CASE(owner_errors)
{
	struct f_owner_ex owner = { 3, 1 };
	int ends[2];

	MUST(pipe(ends));
	show("no such process", fcntl(ends[0], F_SETOWN, 0x3ffffff));
	show("no such group", fcntl(ends[0], F_SETOWN, -0x3ffffff));
	show("smallest number", fcntl(ends[0], F_SETOWN, (int)0x80000000));
	show("bad type", fcntl(ends[0], F_SETOWN_EX, &owner));
	owner = (struct f_owner_ex){ F_OWNER_PID, 0x3ffffff };
	show("extended, no such process", fcntl(ends[0], F_SETOWN_EX, &owner));
	owner.pid = -5;
	show("extended, negative", fcntl(ends[0], F_SETOWN_EX, &owner));
	show("bad address", fcntl(ends[0], F_SETOWN_EX, bad_ptr()));
	show("bad address, get", fcntl(ends[0], F_GETOWN_EX, bad_ptr()));
	show("bad address, uids", fcntl(ends[0], F_GETOWNER_UIDS_COMMAND, bad_ptr()));
	show("signal 65", fcntl(ends[0], F_SETSIG, 65));
	show("signal -1", fcntl(ends[0], F_SETSIG, -1));
	show("signal 64", fcntl(ends[0], F_SETSIG, 64));
	show_owner("unchanged", ends[0]);
}

CASE(owner_dies)
{
	int ends[2];
	pid_t pid;

	MUST(pipe(ends));
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		pause();
		_exit(0);
	}
	MUST(fcntl(ends[0], F_SETOWN, pid));
	show("the child", fcntl(ends[0], F_GETOWN) == pid);
	kill(pid, SIGKILL);
	MUST(waitpid(pid, NULL, 0));
	show("reaped", fcntl(ends[0], F_GETOWN));
	MUST(fcntl(ends[0], F_SETFL, O_ASYNC));
	show("write", write(ends[1], "x", 1));
}

/* --- O_ASYNC ---------------------------------------------------------------------------------- */

CASE(async_pipe)
{
	char bytes[16];
	int ends[2];

	block_signals();
	MUST(pipe(ends));
	own_async(ends[0]);
	own_async(ends[1]);
	show_hex("flags of the reader", (unsigned)fcntl(ends[0], F_GETFL));
	show("write", write(ends[1], "abc", 3));
	show_signals("written", ends[0]);
	show("write", write(ends[1], "abc", 3));
	show_signals("written again", ends[0]);
	show("read", read(ends[0], bytes, 4));
	show_signals("read", ends[1]);
	MUST(fcntl(ends[0], F_SETFL, O_NONBLOCK));
	show("write", write(ends[1], "abc", 3));
	show_signals("no longer wanted", ends[0]);
	MUST(fcntl(ends[0], F_SETFL, O_ASYNC));
	MUST(close(ends[1]));
	show_signals("writer closed", ends[0]);
}

CASE(async_pipe_plain_signal)
{
	int ends[2], on = 1, off = 0;

	block_signals();
	MUST(pipe(ends));
	show("FIOASYNC", ioctl(ends[0], FIOASYNC, &on));
	show_hex("flags", (unsigned)fcntl(ends[0], F_GETFL));
	show("write", write(ends[1], "abc", 3));
	show_signals("no owner", ends[0]);
	MUST(fcntl(ends[0], F_SETOWN, getpid()));
	show("write", write(ends[1], "abc", 3));
	show("write", write(ends[1], "abc", 3));
	show_signals("plain", ends[0]);
	MUST(fcntl(ends[0], F_SETSIG, SIGIO));
	show("write", write(ends[1], "abc", 3));
	show_signals("SIGIO with details", ends[0]);
	MUST(fcntl(ends[0], F_SETSIG, 0));
	show("write", write(ends[1], "abc", 3));
	show_signals("plain again", ends[0]);
	show("off", ioctl(ends[0], FIOASYNC, &off));
	show_hex("flags", (unsigned)fcntl(ends[0], F_GETFL));
	show("write", write(ends[1], "abc", 3));
	show_signals("off", ends[0]);
	show("bad address", ioctl(ends[0], FIOASYNC, bad_ptr()));
}

CASE(async_names_the_descriptor)
{
	int ends[2], copy;

	block_signals();
	MUST(pipe(ends));
	own(ends[0]);
	copy = (int)MUST(dup(ends[0]));
	MUST(fcntl(copy, F_SETFL, O_ASYNC));
	MUST(write(ends[1], "x", 1));
	show_signals("set by the copy", copy);
	MUST(close(copy));
	MUST(write(ends[1], "x", 1));
	show_signals("copy closed", copy);
}

CASE(async_files_without_signals)
{
	int fd = (int)MUST(open("f", O_RDWR | O_CREAT, 0600)), on = 1;

	show("F_SETFL", fcntl(fd, F_SETFL, O_ASYNC | O_APPEND));
	show_hex("kept", (unsigned)fcntl(fd, F_GETFL));
	show("same by FIOASYNC", ioctl(fd, FIOASYNC, &on));
	on = 0;
	show("off by FIOASYNC", ioctl(fd, FIOASYNC, &on));
	show("off by F_SETFL", fcntl(fd, F_SETFL, 0));
	show_hex("off", (unsigned)fcntl(fd, F_GETFL));
	on = 1;
	show("on by FIOASYNC", ioctl(fd, FIOASYNC, &on));
}

static void pair_case(int type)
{
	int pair[2];
	char byte;

	MUST(socketpair(AF_UNIX, type, 0, pair));
	own_async(pair[0]);
	show("write", write(pair[1], "ab", 2));
	show_signals("written", pair[0]);
	show("read", read(pair[0], &byte, 1));
	show_signals("read", pair[0]);
	show("shut down", shutdown(pair[1], SHUT_WR));
	show_signals("shut down", pair[0]);
	MUST(close(pair[1]));
	show_signals("closed", pair[0]);
	MUST(close(pair[0]));
}

CASE(async_socket_pair)
{
	block_signals();
	pair_case(SOCK_STREAM);
	pair_case(SOCK_SEQPACKET);
	pair_case(SOCK_DGRAM);
}

CASE(async_socket_space)
{
	static char block[4096];
	int pair[2];

	block_signals();
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
	own(pair[0]);
	MUST(fcntl(pair[0], F_SETFL, O_ASYNC | O_NONBLOCK));
	while (write(pair[0], block, sizeof(block)) > 0)
		;
	show("full", write(pair[0], block, sizeof(block)));
	show_signals("full", pair[0]);
	while (read(pair[1], block, sizeof(block)) > 0)
		;
	show_signals("emptied", pair[0]);
}

CASE(async_tcp)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(addr);
	int listener = (int)MUST(socket(AF_INET, SOCK_STREAM, 0)), client, server;

	block_signals();
	MUST(bind(listener, (struct sockaddr *)&addr, sizeof(addr)));
	MUST(listen(listener, 5));
	MUST(getsockname(listener, (struct sockaddr *)&addr, &size));
	own_async(listener);
	client = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));
	if (connect(client, (struct sockaddr *)&addr, sizeof(addr)) == -1)
		skip("no loopback interface");
	show_signals_soon("connection", listener);
	server = (int)MUST(accept(listener, NULL, NULL));
	own_async(client);
	show("send", send(server, "hello", 5, 0));
	show_signals_soon("data", client);
	show("shut down", shutdown(server, SHUT_WR));
	show_signals_soon("end", client);
}

CASE(async_udp)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(addr);
	int in = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0)), out = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));

	block_signals();
	MUST(bind(in, (struct sockaddr *)&addr, sizeof(addr)));
	MUST(getsockname(in, (struct sockaddr *)&addr, &size));
	own_async(in);
	if (sendto(out, "hello", 5, 0, (struct sockaddr *)&addr, sizeof(addr)) == -1)
		skip("no loopback interface");
	show_signals_soon("datagram", in);
}

CASE(async_socket_ioctls)
{
	int fd = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0)), who = getpid(), ends[2];

	show("FIOSETOWN", ioctl(fd, FIOSETOWN, &who));
	show("is it", fcntl(fd, F_GETOWN) == getpid());
	who = -getpgrp();
	show("SIOCSPGRP", ioctl(fd, SIOCSPGRP, &who));
	who = 0;
	show("SIOCGPGRP", ioctl(fd, SIOCGPGRP, &who));
	show("is it", who == -getpgrp());
	show("FIOGETOWN", ioctl(fd, FIOGETOWN, &who));
	show("is it", who == -getpgrp());
	who = 0x3ffffff;
	show("nobody has it", ioctl(fd, FIOSETOWN, &who));
	show("bad address", ioctl(fd, FIOSETOWN, bad_ptr()));
	show("bad address, get", ioctl(fd, FIOGETOWN, bad_ptr()));
	MUST(pipe(ends));
	show("not of a pipe", ioctl(ends[0], FIOGETOWN, &who));
}

CASE(async_terminal)
{
	int master, slave;
	struct pollfd entry = { .events = POLLIN };

	block_signals();
	if (openpty(&master, &slave, NULL, NULL, NULL) == -1)
		skip("no pseudoterminals");
	entry.fd = slave;
	show("async", fcntl(slave, F_SETFL, O_ASYNC | O_RDWR));
	show("owner by default", fcntl(slave, F_GETOWN) == getpid());
	show("async, master", fcntl(master, F_SETFL, O_ASYNC | O_RDWR));
	show("owner by default", fcntl(master, F_GETOWN) == getpid());
	MUST(fcntl(master, F_SETFL, O_RDWR));
	MUST(fcntl(slave, F_SETSIG, SIG_CHOSEN));
	show("half a line", write(master, "abc", 3));
	show_signals("half a line", slave);
	show("the rest", write(master, "d\n", 2));
	/* Linux moves it with a worker, which a poll that finds nothing waits for. */
	MUST(poll(&entry, 1, 30000));
	show_signals("the rest", slave);
}

CASE(async_inotify)
{
	int fd = (int)MUST(inotify_init1(IN_NONBLOCK));

	block_signals();
	MUST(mkdir("d", 0755));
	MUST(inotify_add_watch(fd, "d", IN_CREATE));
	own_async(fd);
	write_file("d/a", "x", 0600);
	show_signals("created", fd);
	write_file("d/a", "y", 0600);
	show_signals("changed", fd);
}

/* One that may not kill this process cannot make a file do it. */
CASE(async_permission)
{
	int ends[2];

	block_signals();
	MUST(pipe(ends));
	MUST(fcntl(ends[0], F_SETSIG, SIG_CHOSEN));
	RUN_CHILD("a user names us") {
		become_user(1000);
		show("F_SETOWN", fcntl(ends[0], F_SETOWN, getppid()));
		show("O_ASYNC", fcntl(ends[0], F_SETFL, O_ASYNC));
	}
	MUST(write(ends[1], "x", 1));
	show_signals("not sent", ends[0]);
	MUST(fcntl(ends[0], F_SETOWN, getpid()));
	MUST(write(ends[1], "x", 1));
	show_signals("sent", ends[0]);
}

CASE(async_group_and_thread)
{
	struct f_owner_ex owner = { F_OWNER_TID, get_tid() };
	int ends[2];

	block_signals();
	MUST(setpgid(0, 0));
	MUST(pipe(ends));
	MUST(fcntl(ends[0], F_SETSIG, SIG_CHOSEN));
	MUST(fcntl(ends[0], F_SETOWN, -getpgrp()));
	MUST(fcntl(ends[0], F_SETFL, O_ASYNC));
	RUN_CHILD("a member") {
		MUST(write(ends[1], "x", 1));
		show_signals("in the child", ends[0]);
	}
	show_signals("in the parent", ends[0]);
	MUST(fcntl(ends[0], F_SETOWN_EX, &owner));
	MUST(write(ends[1], "x", 1));
	show_signals("to the thread", ends[0]);
}

CASE(async_queue_full)
{
	struct timespec now = { 0 };
	sigset_t set = both_signals();
	int ends[2], chosen = 0, plain = 0, sig;

	block_signals();
	MUST(pipe(ends));
	own_async(ends[0]);
	for (int i = 0; i < 10; i++)
		MUST(write(ends[1], "x", 1));
	while ((sig = sigtimedwait(&set, NULL, &now)) > 0)
		sig == SIGIO ? plain++ : chosen++;
	note("%d chosen, %d plain", chosen, plain);
}

/* --- F_NOTIFY ----------------------------------------------------------------------------------- */

static void make_tree(void)
{
	MUST(mkdir("d", 0755));
	MUST(mkdir("d/sub", 0755));
	MUST(mkdir("e", 0755));
	write_file("d/f", "text", 0644);
	write_file("e/g", "text", 0644);
}

CASE(dnotify_events)
{
	int fd, file;
	char byte;

	block_signals();
	make_tree();
	fd = (int)MUST(open("d", O_RDONLY | O_DIRECTORY));
	MUST(fcntl(fd, F_SETSIG, SIG_CHOSEN));
	show("no owner yet", fcntl(fd, F_GETOWN));
	show("F_NOTIFY", fcntl(fd, F_NOTIFY, DN_CREATE | DN_DELETE | DN_RENAME | DN_MODIFY | DN_ACCESS |
						      DN_ATTRIB | DN_MULTISHOT));
	show("owner by default", fcntl(fd, F_GETOWN) == getpid());
	show_signals("nothing yet", fd);
	file = (int)MUST(open("d/f", O_RDWR));
	show_signals("opened", fd);
	MUST(read(file, &byte, 1));
	show_signals("read", fd);
	MUST(write(file, "x", 1));
	show_signals("written", fd);
	MUST(ftruncate(file, 1));
	show_signals("truncated", fd);
	MUST(fchmod(file, 0600));
	show_signals("mode", fd);
	MUST(close(file));
	show_signals("closed", fd);
	MUST(mkdir("d/new", 0755));
	show_signals("mkdir", fd);
	MUST(rmdir("d/new"));
	show_signals("rmdir", fd);
	MUST(rename("d/f", "d/h"));
	show_signals("renamed within", fd);
	MUST(rename("d/h", "e/h"));
	show_signals("renamed away", fd);
	MUST(rename("e/g", "d/g"));
	show_signals("renamed into", fd);
	MUST(unlink("d/g"));
	show_signals("unlinked", fd);
	write_file("d/sub/x", "x", 0600);
	show_signals("below a subdirectory", fd);
	MUST(chmod("d", 0700));
	show_signals("its own mode", fd);
}

CASE(dnotify_once)
{
	int fd;

	block_signals();
	make_tree();
	fd = (int)MUST(open("d", O_RDONLY));
	MUST(fcntl(fd, F_SETSIG, SIG_CHOSEN));
	show("F_NOTIFY", fcntl(fd, F_NOTIFY, DN_CREATE));
	MUST(mkdir("d/1", 0755));
	MUST(mkdir("d/2", 0755));
	show_signals("once", fd);
	show("create", fcntl(fd, F_NOTIFY, DN_CREATE));
	show("and delete", fcntl(fd, F_NOTIFY, DN_DELETE));
	MUST(rmdir("d/1"));
	MUST(mkdir("d/1", 0755));
	show_signals("masks add, one signal", fd);
	show("again", fcntl(fd, F_NOTIFY, DN_CREATE | DN_MULTISHOT));
	show("taken back", fcntl(fd, F_NOTIFY, 0));
	MUST(mkdir("d/3", 0755));
	show_signals("taken back", fd);
}

CASE(dnotify_ends)
{
	int fd, copy;

	block_signals();
	make_tree();
	fd = (int)MUST(open("d", O_RDONLY));
	copy = (int)MUST(dup(fd));
	MUST(fcntl(fd, F_SETSIG, SIG_CHOSEN));
	MUST(fcntl(fd, F_NOTIFY, DN_CREATE | DN_MULTISHOT));
	RUN_CHILD("a child closes its copies") {
		close(fd);
		close(copy);
	}
	MUST(mkdir("d/1", 0755));
	show_signals("still there", fd);
	MUST(close(copy));
	MUST(mkdir("d/2", 0755));
	show_signals("a copy was closed here", fd);
	MUST(fcntl(fd, F_NOTIFY, DN_DELETE | DN_MULTISHOT));
	MUST(rmdir("d/1"));
	MUST(rmdir("d/2"));
	show_signals("deleted inside", fd);
	MUST(rmdir("d/sub"));
	MUST(unlink("d/f"));
	show_signals("and more", fd);
	MUST(rmdir("d"));
	show_signals("itself", fd);
	MUST(close(fd));
}

CASE(dnotify_errors)
{
	int file, path;

	make_tree();
	file = (int)MUST(open("d/f", O_RDONLY));
	path = (int)MUST(open("d", O_PATH));
	show("a file", fcntl(file, F_NOTIFY, DN_CREATE));
	show("a file, nothing", fcntl(file, F_NOTIFY, 0));
	show("O_PATH", fcntl(path, F_NOTIFY, DN_CREATE));
	show("bad descriptor", fcntl(100, F_NOTIFY, DN_CREATE));
	MUST(close(file));
	file = (int)MUST(open("d", O_RDONLY));
	show("unknown bits", fcntl(file, F_NOTIFY, 0x40));
	show("only multishot", fcntl(file, F_NOTIFY, DN_MULTISHOT));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls with more than one thing wrong: which error is told is the kernel's choice, and programs that
 * probe for features live by it.  Attributes of objects that have no name.
 */
#include "conformance.h"

#include <linux/futex.h>
#include <linux/prctl.h>
#include <pty.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>

static long bad(void)
{
	return (long)kernel_ptr();
}

CASE(order_paths)
{
	static const char empty[1] = "", name[] = "file";

	show("rename", syscall(SYS_rename, empty, bad()));
	show("link", syscall(SYS_link, empty, bad()));
	show("linkat, empty path", syscall(SYS_linkat, 0, empty, AT_FDCWD, bad(), AT_EMPTY_PATH));
	show("symlink", syscall(SYS_symlink, empty, bad()));
	show("symlink, second", syscall(SYS_symlink, name, bad()));
	show("renameat2", syscall(SYS_renameat2, AT_FDCWD, bad(), AT_FDCWD, bad(), 0x100));
	show("renameat2, both", syscall(SYS_renameat2, AT_FDCWD, bad(), AT_FDCWD, bad(), 3));
	show("mknod, directory", syscall(SYS_mknod, bad(), S_IFDIR, 0));
	show("mknod, no type", syscall(SYS_mknod, bad(), 0170000, 0));
	show("mknodat, link", syscall(SYS_mknodat, -1, bad(), S_IFLNK, 0));
	show("mknod, file", syscall(SYS_mknod, bad(), S_IFREG, 0));
	show("umount2", syscall(SYS_umount2, bad(), 0));
	show("umount2, flags", syscall(SYS_umount2, bad(), 0x100));
	show("umount2, expire and detach", syscall(SYS_umount2, bad(), 6));
	show("memfd_create, huge", syscall(SYS_memfd_create, bad(), 4));
	show("inotify_add_watch, mask", syscall(SYS_inotify_add_watch, -1, name, 0x80000U));
	show("inotify_add_watch, more", syscall(SYS_inotify_add_watch, -1, name, IN_MODIFY | 0x80000U));
	show("inotify_add_watch, none", syscall(SYS_inotify_add_watch, -1, name, 0));
	show("inotify_add_watch", syscall(SYS_inotify_add_watch, -1, name, IN_MODIFY));
}

CASE(order_transfers)
{
	static char text[64];
	int epoll = (int)MUST(epoll_create1(0)), event = (int)MUST(eventfd(0, EFD_NONBLOCK));
	int file = (int)MUST(open("file", O_RDWR | O_CREAT, 0600)), dir = (int)MUST(open(".", O_RDONLY));

	show("read of what cannot", syscall(SYS_read, epoll, bad(), 8));
	show("write of what cannot", syscall(SYS_write, epoll, bad(), 8));
	show("readv of what cannot", syscall(SYS_readv, epoll, bad(), 8));
	show("writev of what cannot", syscall(SYS_writev, epoll, bad(), 8));
	show("preadv2 of what cannot", syscall(SYS_preadv2, epoll, bad(), 8, -1L, -1L, 0x1000));
	show("read of a directory", syscall(SYS_read, dir, bad(), 8));
	for (size_t size = 7; size <= 16; size++)
		show("eventfd, write", write(event, text, size));
	show("eventfd, short read", read(event, text, 7));
	show("sync_file_range, fd", syscall(SYS_sync_file_range, -1, -1L, -1L, 8));
	show("sync_file_range", syscall(SYS_sync_file_range, file, -1L, -1L, 8));
	show("readahead", syscall(SYS_readahead, file, 0, 10));
	show("readahead, size", syscall(SYS_readahead, file, 0, -10L));
	show("poll, no descriptors", syscall(SYS_poll, bad(), 0, 0));
	show("poll, null", syscall(SYS_poll, NULL, 0, 0));
	show("epoll_wait, fd", syscall(SYS_epoll_wait, -1, NULL, 0, 0));
	show("epoll_wait, no room", syscall(SYS_epoll_wait, epoll, bad(), 0, 0));
	show("epoll_wait, pointer", syscall(SYS_epoll_wait, epoll, bad(), 1, 0));
	show("epoll_wait, file and pointer", syscall(SYS_epoll_wait, file, bad(), 1, 0));
	show("epoll_wait, file", syscall(SYS_epoll_wait, file, text, 1, 0));
	show("epoll_wait, unmapped", syscall(SYS_epoll_wait, epoll, bad_ptr(), 1, 0));
}

CASE(order_sockets)
{
	static char text[64];
	int pair[2], file = (int)MUST(open("file", O_RDWR | O_CREAT, 0600));

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	show("connect, pointer", syscall(SYS_connect, file, bad(), 4));
	show("connect, size", syscall(SYS_connect, file, bad(), -1));
	show("connect, fd", syscall(SYS_connect, -1, bad(), -1));
	show("connect", syscall(SYS_connect, file, text, 4));
	show("bind", syscall(SYS_bind, file, bad(), -1));
	show("accept4, fd", syscall(SYS_accept4, -1, NULL, NULL, 1));
	show("accept4, flags", syscall(SYS_accept4, file, NULL, NULL, 1));
	show("accept4, file", syscall(SYS_accept4, file, NULL, NULL, 0));
	show("accept4, not listening", syscall(SYS_accept4, pair[0], NULL, NULL, 1));
	show("sendto, pointer", syscall(SYS_sendto, -1, bad(), 8, 0, NULL, 0));
	show("sendto, fd", syscall(SYS_sendto, -1, text, 8, 0, NULL, 0));
	show("recvfrom, pointer", syscall(SYS_recvfrom, file, bad(), 8, 0, NULL, 0));
	show("recvfrom, file", syscall(SYS_recvfrom, file, text, 8, 0, NULL, 0));
	show("sendmsg, compat", syscall(SYS_sendmsg, -1, bad(), 0x80000000U));
	show("recvmsg, compat", syscall(SYS_recvmsg, -1, bad(), 0x80000000U));
	show("sendmmsg, compat", syscall(SYS_sendmmsg, -1, bad(), 1, 0x80000000U));
	show("recvmmsg, compat", syscall(SYS_recvmmsg, -1, bad(), 1, 0x80000000U, bad()));
	show("setsockopt, fd", syscall(SYS_setsockopt, -1, 1, 1, bad(), -1));
	show("setsockopt, file", syscall(SYS_setsockopt, file, 1, 1, bad(), -1));
	show("setsockopt, size", syscall(SYS_setsockopt, pair[0], 1, 1, bad(), -1));
}

CASE(order_ids)
{
	struct sembuf op = { 0, 1, 0 };
	siginfo_t info;

	show("semop, count and pointer", syscall(SYS_semop, -1, bad(), 1));
	show("semop, many", syscall(SYS_semop, -1, bad(), 100000));
	show("semop, none", syscall(SYS_semop, -1, bad(), 0));
	show("semop, id", syscall(SYS_semop, -1, &op, 1));
	show("semtimedop, time", syscall(SYS_semtimedop, -1, bad(), 100000, bad()));
	show("clock_settime, of a process", syscall(SYS_clock_settime, -1, bad()));
	show("clock_settime, of none", syscall(SYS_clock_settime, -6, &(struct timespec){ 1, 0 }));
	show("clock_settime, monotonic", syscall(SYS_clock_settime, CLOCK_MONOTONIC, bad()));
	show("sched_getaffinity, size", syscall(SYS_sched_getaffinity, -100, 0x80000000U, bad()));
	memset(&info, 0x55, sizeof(info));
	show("waitid, nobody", syscall(SYS_waitid, P_ALL, 0, &info, WEXITED, NULL));
	note("signo %d errno %d code %d pid %d uid %u status %d", info.si_signo, info.si_errno,
	     info.si_code, (int)info.si_pid, (unsigned)info.si_uid, info.si_status);
	show("waitid, options", syscall(SYS_waitid, P_ALL, 0, bad(), 0, NULL));
	memset(&info, 0x55, sizeof(info));
	show("waitid, type", syscall(SYS_waitid, 99, 0, &info, WEXITED, NULL));
	note("signo %d pid %d", info.si_signo, (int)info.si_pid);
}

HELPER(altstack_again)
{
	stack_t none = { 0 }, old = { 0 };

	show("after exec", sigaltstack(&none, &old));
	show_int("flags", old.ss_flags);
	return argc < 0 || argv == NULL;
}

static int altstack_of_thread(void *unused)
{
	stack_t none = { 0 };
	long rc = syscall(SYS_sigaltstack, &none, NULL);

	(void)unused;
	syscall(SYS_exit, rc == 0 ? 1 : 2);
	return 0;
}

/* What is set already may be set again, even where it could not be new. */
CASE(altstack_unchanged)
{
	static char stack[65536] __attribute__((aligned(16))), alt[16384];
	stack_t none = { 0 }, off = { .ss_flags = SS_DISABLE };
	stack_t ss = { .ss_sp = alt, .ss_size = sizeof(alt) };
	char *const argv[] = { (char *)"x", (char *)"@altstack_again", NULL };

	show("nothing", sigaltstack(&none, NULL));
	show_wait("of a thread", clone(altstack_of_thread, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL));
	RUN_CHILD("exec")
	execv(self_exe(), argv);
	show("set", sigaltstack(&ss, NULL));
	RUN_CHILD("exec with a stack")
	execv(self_exe(), argv);
	show("off", sigaltstack(&off, NULL));
	show("nothing after off", sigaltstack(&none, NULL));
	RUN_CHILD("exec after off")
	execv(self_exe(), argv);
}

static void try_attributes(const char *label, int fd)
{
	struct stat st;

	note("%s:", label);
	show("fchmod", fchmod(fd, 0640));
	show("fchown", fchown(fd, 1000, 1001));
	show("futimens", futimens(fd, NULL));
	MUST(fstat(fd, &st));
	note("mode %o uid %u gid %u", st.st_mode & 07777, st.st_uid, st.st_gid);
	RUN_CHILD("another user")
	{
		become_user(1234);
		show("fchmod", fchmod(fd, 0600));
		show("fchown", fchown(fd, 1234, (gid_t)-1));
		show("futimens", futimens(fd, NULL));
	}
}

CASE(attributes_without_name)
{
	int pair[2], pipe_fds[2];

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	MUST(pipe(pipe_fds));
	try_attributes("pipe", pipe_fds[1]);
	try_attributes("socket", pair[0]);
	try_attributes("eventfd", eventfd(0, 0));
	try_attributes("epoll", epoll_create1(0));
	try_attributes("timerfd", timerfd_create(CLOCK_MONOTONIC, 0));
	try_attributes("inotify", inotify_init());
}

static void block_size(const char *label, int fd)
{
	int size = 0;

	show(label, ioctl(fd, 2 /* FIGETBSZ */, &size));
	show_int("size", size);
	show("bad pointer", ioctl(fd, 2, bad_ptr()));
}

CASE(order_descriptors)
{
	int pipe_fds[2], dir = (int)MUST(open(".", O_RDONLY)), master, slave;

	MUST(pipe(pipe_fds));
	MUST(openpty(&master, &slave, NULL, NULL, NULL));
	show("O_DIRECT of a directory", fcntl(dir, F_SETFL, O_DIRECT));
	show("seals, read only", fcntl(pipe_fds[0], F_ADD_SEALS, 0));
	show("seals, not sealable", fcntl(pipe_fds[1], F_ADD_SEALS, 0));
	show("seals of a directory", fcntl(dir, F_ADD_SEALS, 0));
	show("peer of a slave", ioctl(slave, TIOCGPTPEER, O_RDWR));
	show_ok("peer as a directory", ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_DIRECTORY));
	block_size("directory", dir);
	block_size("pipe", pipe_fds[0]);
	block_size("terminal", slave);
	block_size("eventfd", eventfd(0, 0));
}

CASE(order_futex_time)
{
	static const int commands[] = { FUTEX_WAIT, FUTEX_LOCK_PI, FUTEX_WAKE, FUTEX_UNLOCK_PI };
	struct timespec beyond = { 0, 1000000000 }, fine = { 0, 1 };
	unsigned int word = 0;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		int op = commands[i] | FUTEX_CLOCK_REALTIME;

		note("command %d", commands[i]);
		show("bad pointer", syscall(SYS_futex, &word, op, 1, bad_ptr(), NULL, 0));
		show("bad time", syscall(SYS_futex, &word, op, 1, &beyond, NULL, 0));
		show("time", syscall(SYS_futex, &word, op, 1, &fine, NULL, 0));
		show("none", syscall(SYS_futex, &word, op, 1, NULL, NULL, 0));
	}
}

CASE(prctl_perf_events)
{
	show("disable", prctl(PR_TASK_PERF_EVENTS_DISABLE, 0, 0, 0, 0));
	show("enable", prctl(PR_TASK_PERF_EVENTS_ENABLE, 1, 2, 3, 4));
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* The CPU clock stands while its only thread sleeps. */
CASE(sleep_cpu_interrupted)
{
	struct itimerval soon = { .it_value = { 0, 30000 } };
	struct timespec second = { 1, 0 }, left = { 7, 7 };
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };

	MUST(sigaction(SIGALRM, &action, NULL));
	MUST(setitimer(ITIMER_REAL, &soon, NULL));
	show_err("sleep", clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &second, &left));
	show_int("most is left", left.tv_sec == 1 || (left.tv_sec == 0 && left.tv_nsec > 500000000));
	MUST(setitimer(ITIMER_REAL, &soon, NULL));
	show_err("bad pointer", (int)(syscall(SYS_clock_nanosleep, CLOCK_PROCESS_CPUTIME_ID, 0, &second,
					     bad_ptr()) == -1 ? errno : 0));
	MUST(setitimer(ITIMER_REAL, &soon, NULL));
	second.tv_sec = 1000;
	left.tv_sec = 7;
	show_err("absolute", clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, TIMER_ABSTIME, &second, &left));
	show_int("untouched", left.tv_sec);
}

static void spin(void)
{
	for (;;)
		__asm__ volatile("");
}

/* On the clocks of others; a child's passes as it works. */
CASE(sleep_cpu_of_others)
{
	struct timespec little = { 0, 20000000 }, none = { 0, 0 };
	pid_t worker = (pid_t)MUST(fork());
	clockid_t clock;

	if (worker == 0)
		spin();
	show_err("its clock", clock_getcpuclockid(worker, &clock));
	show_err("relative", clock_nanosleep(clock, 0, &little, NULL));
	show_err("absolute, past", clock_nanosleep(clock, TIMER_ABSTIME, &none, NULL));
	show("its thread's", syscall(SYS_clock_nanosleep, clock | 4, 0, &little, NULL));
	show("own thread's", syscall(SYS_clock_nanosleep, ~0U << 3 | 6, 0, &little, NULL));
	show("own thread's by number",
	     syscall(SYS_clock_nanosleep, ~(unsigned)get_tid() << 3 | 6, 0, &little, NULL));
	show("no kind", syscall(SYS_clock_nanosleep, ~0U << 3 | 3, 0, &little, NULL));
	show("no kind of a thread", syscall(SYS_clock_nanosleep, ~0U << 3 | 7, 0, &little, NULL));
	int timer;
	show("timer, no kind", syscall(SYS_timer_create, ~0U << 3 | 3, NULL, &timer));
	show("timer, no kind of a thread", syscall(SYS_timer_create, ~0U << 3 | 7, NULL, &timer));
	show("timer, own", syscall(SYS_timer_create, ~0U << 3 | 2, NULL, &timer));
	show("timer, another's thread", syscall(SYS_timer_create, clock | 4, NULL, &timer));
	show("bad pointer", syscall(SYS_clock_nanosleep, ~0U << 3 | 2, 0, bad_ptr(), NULL));
	show("nobody's", syscall(SYS_clock_nanosleep, ~4000000U << 3 | 2, 0, &little, NULL));
	kill(worker, SIGKILL);
	show_wait("worker", worker);
}

CASE(order_of_nothing_and_nobody)
{
	static char bytes[8];
	struct {
		void *base;
		size_t size;
	} some = { bytes, 8 }, none = { bytes, 0 }, bad = { bad_ptr(), 8 };
	const int nobody = 999999;

	show("from nowhere", syscall(SYS_process_vm_readv, nobody, &some, 1, &some, 0, 0));
	show("nothing remote", syscall(SYS_process_vm_readv, nobody, &some, 1, &none, 1, 0));
	show("nothing local", syscall(SYS_process_vm_readv, nobody, &none, 1, &some, 1, 0));
	show("bad array", syscall(SYS_process_vm_readv, nobody, &some, 1, bad_ptr(), 1, 0));
	show("something", syscall(SYS_process_vm_readv, nobody, &some, 1, &bad, 1, 0));
	show("written", syscall(SYS_process_vm_writev, nobody, &some, 1, &none, 1, 0));
}

CASE(order_clock_settime)
{
	static const int clocks[] = { 0, 1, 2, 3, 4, 7, 11, 12, -1, -2, -3, -5, -6, -7, -9 };
	struct timespec negative = { -1, 0 }, large = { 0, 1000000000 }, good = { 1, 1 };

	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
		note("clock %d", clocks[i]);
		show("bad pointer", syscall(SYS_clock_settime, clocks[i], bad_ptr()));
		show("negative", syscall(SYS_clock_settime, clocks[i], &negative));
		show("nanoseconds", syscall(SYS_clock_settime, clocks[i], &large));
		/* not the one that root could set */
		if (clocks[i] != CLOCK_REALTIME)
			show("good", syscall(SYS_clock_settime, clocks[i], &good));
	}
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * seccomp: user notification.
 */
#include "conformance.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif

static int listen_for(int nr, unsigned flags)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_SIZE(insns), insns };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			    SECCOMP_FILTER_FLAG_NEW_LISTENER | flags, &program);
}

static void show_poll(const char *label, int fd, int timeout)
{
	struct pollfd p = { fd, POLLIN | POLLOUT, 0 };
	int rc = poll(&p, 1, timeout);

	note("%s: %d%s%s%s%s", label, rc, p.revents & POLLIN ? " in" : "",
	     p.revents & POLLOUT ? " out" : "", p.revents & POLLERR ? " err" : "",
	     p.revents & POLLHUP ? " hup" : "");
}

/* A child whose getppid() waits for the listener; shows what it got. */
static pid_t start_caller(const char *label)
{
	pid_t pid = (pid_t)MUST(fork());

	if (pid)
		return pid;
	MUST(syscall(SYS_close_range, 3, ~0U, 0));
	errno = 0;
	long result = syscall(SYS_getpriority, 11, 22);
	note("%s: %ld %s", label, result, errno ? errno_name(errno) : "-");
	_exit(0);
}

static void receive(int fd, struct seccomp_notif *n)
{
	memset(n, 0, sizeof(*n));
	show("receive", ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, n));
}

static long answer(int fd, const struct seccomp_notif *n, long long value, int error, unsigned flags)
{
	struct seccomp_notif_resp resp = { n->id, value, error, flags };

	return ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &resp);
}

/* The child's own line comes first, whoever runs first. */
static void finish(int fd, const struct seccomp_notif *n, long long value, int error, unsigned flags,
		   pid_t pid)
{
	long rc = answer(fd, n, value, error, flags);
	int saved = errno;

	show_wait("child", pid);
	errno = saved;
	show("answer", rc);
}

CASE(seccomp_notify)
{
	int fd = listen_for(SYS_getpriority, 0);
	struct seccomp_notif n;
	pid_t pid;

	show_ok("listener", fd);
	show_int("close on exec", fcntl(fd, F_GETFD));
	show_poll("idle", fd, 0);
	pid = start_caller("value");
	show_poll("waiting", fd, 30000);
	receive(fd, &n);
	note("pid %s nr %d args %llu %llu flags %x", (pid_t)n.pid == pid ? "child" : "other", n.data.nr,
	     (unsigned long long)n.data.args[0], (unsigned long long)n.data.args[1], n.flags);
	show_poll("received", fd, 0);
	show("valid", ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &n.id));
	finish(fd, &n, 42, 0, 0, pid);
	show("valid", ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &n.id));
	show("answer to nobody", answer(fd, &n, 42, 0, 0));

	pid = start_caller("error");
	receive(fd, &n);
	finish(fd, &n, 0, -EXDEV, 0, pid);
	pid = start_caller("error and value");
	receive(fd, &n);
	finish(fd, &n, 12, -EXDEV, 0, pid);
	pid = start_caller("positive error");
	receive(fd, &n);
	finish(fd, &n, 12, 33, 0, pid);
	pid = start_caller("continue");
	receive(fd, &n);
	show("with a value", answer(fd, &n, 12, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE));
	show("unknown flag", answer(fd, &n, 0, 0, 2));
	finish(fd, &n, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE, pid);
}

CASE(seccomp_notify_errors)
{
	int fd = listen_for(SYS_getpriority, 0);
	struct seccomp_notif n;
	unsigned long long flags = 1;
	pid_t pid;

	show("second listener", listen_for(SYS_getppid, 0));
	memset(&n, 0, sizeof(n));
	n.flags = 1;
	show("receive with garbage", ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &n));
	show("receive at a bad address", ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, bad_ptr()));
	show("send at a bad address", ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, bad_ptr()));
	show("valid at a bad address", ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, bad_ptr()));
	show("valid", ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &flags));
	show("set flags", ioctl(fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS, 1UL));
	show("set unknown flags", ioctl(fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS, 2UL));
	show("unknown ioctl", ioctl(fd, 0x1234, &n));
	show("read", read(fd, &n, sizeof(n)));
	show("write", write(fd, &n, sizeof(n)));
	show_ok("seek", lseek(fd, 0, SEEK_CUR));
	/* The message cannot be delivered: it stays. */
	pid = start_caller("delivered later");
	show_poll("waiting", fd, 30000);
	void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	show("receive into read-only memory", ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, page));
	show_poll("again", fd, 0);
	receive(fd, &n);
	finish(fd, &n, 5, 0, 0, pid);
	/* The caller dies while it waits. */
	pid = start_caller("killed");
	receive(fd, &n);
	kill(pid, SIGKILL);
	show_wait("child", pid);
	show("valid", ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &n.id));
	show_poll("nobody", fd, 0);
	/* The listener goes. */
	pid = start_caller("abandoned");
	receive(fd, &n);
	close(fd);
	show_wait("child", pid);
	show("without listener", syscall(SYS_getpriority, 1, 2));
}

CASE(seccomp_notify_hangup)
{
	int pair[2];
	pid_t pid;
	int fd;

	/* The filter's only task exits; its listener was left with us by pidfd_getfd. */
	MUST(pipe(pair));
	pid = (pid_t)MUST(fork());
	if (!pid) {
		fd = listen_for(SYS_getpriority, 0);
		MUST(write(pair[1], &fd, sizeof(fd)));
		pause();
		_exit(0);
	}
	MUST(read(pair[0], &fd, sizeof(fd)));
	int pidfd = (int)MUST(syscall(SYS_pidfd_open, pid, 0));
	int own = (int)MUST(syscall(SYS_pidfd_getfd, pidfd, fd, 0));
	show_poll("alive", own, 0);
	kill(pid, SIGKILL);
	show_wait("child", pid);
	struct seccomp_notif n;
	memset(&n, 0, sizeof(n));
	show_poll("dead", own, 1000);
	show("receive", ioctl(own, SECCOMP_IOCTL_NOTIF_RECV, &n));
}

static pid_t start_fd_user(const char *label)
{
	pid_t pid = (pid_t)MUST(fork());

	if (pid)
		return pid;
	char text[32] = "";
	long fd = syscall(SYS_getpriority, 0, 0);
	ssize_t size = fd >= 0 ? pread((int)fd, text, sizeof(text) - 1, 0) : -1;
	note("%s: fd %ld cloexec %d content %zd %s", label, fd, fcntl((int)fd, F_GETFD), size, text);
	_exit(0);
}

CASE(seccomp_notify_addfd)
{
	int fd = listen_for(SYS_getpriority, 0);
	struct seccomp_notif_addfd add;
	struct seccomp_notif n;
	pid_t pid;
	int file;
	long got;

	write_file("f", "hello", 0644);
	file = (int)MUST(open("f", O_RDONLY));
	pid = start_fd_user("plain");
	receive(fd, &n);
	add = (struct seccomp_notif_addfd){ .id = n.id, .srcfd = (unsigned)file, .newfd_flags = O_CLOEXEC };
	show("bad source", ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD,
		&(struct seccomp_notif_addfd){ .id = n.id, .srcfd = 999 }));
	show("bad id", ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD,
		&(struct seccomp_notif_addfd){ .id = n.id + 5, .srcfd = (unsigned)file }));
	show("bad flags", ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD,
		&(struct seccomp_notif_addfd){ .id = n.id, .srcfd = (unsigned)file, .flags = 8 }));
	show("bad fd flags", ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD,
		&(struct seccomp_notif_addfd){ .id = n.id, .srcfd = (unsigned)file, .newfd_flags = O_APPEND }));
	show("number without flag", ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD,
		&(struct seccomp_notif_addfd){ .id = n.id, .srcfd = (unsigned)file, .newfd = 9 }));
	show("too large a number", ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD,
		&(struct seccomp_notif_addfd){ .id = n.id, .srcfd = (unsigned)file, .newfd = 1U << 30,
					       .flags = SECCOMP_ADDFD_FLAG_SETFD }));
	show("small size", ioctl(fd, _IOW('!', 3, char[8]), &add));
	show("large size", ioctl(fd, _IOW('!', 3, char[4096]), &add));
	show("bad address", ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, bad_ptr()));
	got = ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
	show("add", got);
	finish(fd, &n, got, 0, 0, pid);
	show("add to nobody", ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add));

	pid = start_fd_user("at a number");
	receive(fd, &n);
	add = (struct seccomp_notif_addfd){ .id = n.id, .srcfd = (unsigned)file, .newfd = 17,
					    .flags = SECCOMP_ADDFD_FLAG_SETFD };
	show("add", ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add));
	show("replace", ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add));
	finish(fd, &n, 17, 0, 0, pid);

	pid = start_fd_user("and send");
	receive(fd, &n);
	add = (struct seccomp_notif_addfd){ .id = n.id, .srcfd = (unsigned)file,
					    .flags = SECCOMP_ADDFD_FLAG_SEND };
	got = ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
	show_wait("child", pid);
	show("add and send", got);
}

static void on_alarm(int signo)
{
	note("signal %d", signo);
}

static void interrupted(const char *label, unsigned filter_flags, int flags, bool read_first)
{
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = flags };
	int fd = listen_for(SYS_getpriority, filter_flags);
	struct seccomp_notif n;
	pid_t pid;

	sigaction(SIGUSR1, &action, NULL);
	pid = start_caller(label);
	show_poll("waiting", fd, 30000);
	if (read_first)
		receive(fd, &n);
	/* Once read, some Linux sleeps so that only death interrupts it. */
	wait_state(pid, pid, "SD");
	kill(pid, SIGUSR1);
	if (!(flags & SA_RESTART) && !(filter_flags && read_first)) {
		show_wait("child", pid);
		return;
	}
	sleep_ms(50);
	if (read_first)
		note("the first is %s", ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &n.id) ? "gone" : "valid");
	if (!read_first || !filter_flags)
		receive(fd, &n);
	finish(fd, &n, 3, 0, 0, pid);
}

CASE(seccomp_notify_signals)
{
	RUN_CHILD("interrupt")
		interrupted("interrupted", 0, 0, false);
	RUN_CHILD("interrupt after receive")
		interrupted("interrupted", 0, 0, true);
	RUN_CHILD("restart")
		interrupted("restarted", 0, SA_RESTART, true);
	RUN_CHILD("killable, not read")
		interrupted("interrupted", 1U << 5, 0, false);
	RUN_CHILD("killable, read")
		interrupted("waited", 1U << 5, 0, true);
}

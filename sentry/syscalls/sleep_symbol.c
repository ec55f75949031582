/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/wchan names the function of Linux in which a task sleeps.  There is none here, so the name is
 * found by the call, and for those that wait for a file by what that is.  The names are those of
 * Linux 6.18, without the endings that compilers add.
 */
#include "sentry/syscalls/sleep_symbol.h"

#include "sentry/abi/fs.h"
#include "sentry/abi/futex.h"
#include "sentry/abi/socket.h"
#include "sentry/abi/time.h"
#include "sentry/kernel/task.h"
#include "sentry/net/socket.h"
#include "sentry/vfs/vfs.h"
#include "util/checked.h"

enum call {
#define SYSCALL(nr, name, ...) CALL_##name = (nr),
#define SYSCALL_NONE(nr, name) CALL_##name = (nr),
#include "sentry/syscalls/syscalls.def"
#undef SYSCALL
#undef SYSCALL_NONE
};

enum direction { READS, WRITES, ACCEPTS, CONNECTS };

struct sleep {
	enum call nr;
	const char *symbol;	  /* NULL: of the file that the first argument names */
	enum direction direction;
};

static const struct sleep sleeps[] = {
	{ CALL_read, NULL, READS },	      { CALL_readv, NULL, READS },
	{ CALL_preadv2, NULL, READS },	      { CALL_recvfrom, NULL, READS },
	{ CALL_recvmsg, NULL, READS },	      { CALL_recvmmsg, NULL, READS },
	{ CALL_write, NULL, WRITES },	      { CALL_writev, NULL, WRITES },
	{ CALL_pwritev2, NULL, WRITES },      { CALL_sendto, NULL, WRITES },
	{ CALL_sendmsg, NULL, WRITES },	      { CALL_sendmmsg, NULL, WRITES },
	{ CALL_accept, NULL, ACCEPTS },	      { CALL_accept4, NULL, ACCEPTS },
	{ CALL_connect, NULL, CONNECTS },     { CALL_ioctl, NULL, READS },
	{ CALL_poll, "poll_schedule_timeout", 0 },
	{ CALL_ppoll, "poll_schedule_timeout", 0 },
	{ CALL_select, "poll_schedule_timeout", 0 },
	{ CALL_pselect6, "poll_schedule_timeout", 0 },
	{ CALL_epoll_wait, "do_epoll_wait", 0 },
	{ CALL_epoll_pwait, "do_epoll_wait", 0 },
	{ CALL_epoll_pwait2, "do_epoll_wait", 0 },
	{ CALL_pause, "__do_sys_pause", 0 },
	{ CALL_nanosleep, "hrtimer_nanosleep", 0 },
	{ CALL_wait4, "do_wait", 0 },
	{ CALL_waitid, "do_wait", 0 },
	{ CALL_clone, "kernel_clone", 0 },
	{ CALL_clone3, "kernel_clone", 0 },
	{ CALL_fork, "kernel_clone", 0 },
	{ CALL_vfork, "kernel_clone", 0 },
	{ CALL_rt_sigsuspend, "sigsuspend", 0 },
	{ CALL_rt_sigtimedwait, "do_sigtimedwait", 0 },
	{ CALL_futex_waitv, "futex_wait_multiple", 0 },
	{ CALL_futex_wait, "futex_do_wait", 0 },
	{ CALL_msgrcv, "do_msgrcv", 0 },
	{ CALL_msgsnd, "do_msgsnd", 0 },
	{ CALL_semop, "__do_semtimedop", 0 },
	{ CALL_semtimedop, "__do_semtimedop", 0 },
	{ CALL_mq_timedreceive, "wq_sleep", 0 },
	{ CALL_mq_timedsend, "wq_sleep", 0 },
	{ CALL_io_getevents, "read_events", 0 },
	{ CALL_io_pgetevents, "read_events", 0 },
	{ CALL_flock, "locks_lock_inode_wait", 0 },
	{ CALL_fcntl, "fcntl_setlk", 0 },
	{ CALL_open, "wait_for_partner", 0 },
	{ CALL_openat, "wait_for_partner", 0 },
	{ CALL_openat2, "wait_for_partner", 0 },
};

static const char *of_socket(const struct socket *s, enum direction direction)
{
	bool unix_socket = s->family == LINUX_AF_UNIX;
	bool tcp = !unix_socket && s->family != LINUX_AF_NETLINK && s->type == LINUX_SOCK_STREAM;

	switch (direction) {
	case ACCEPTS:
		return unix_socket ? "__skb_wait_for_more_packets" : "inet_csk_accept";
	case CONNECTS:
		return unix_socket ? "unix_wait_for_peer" : "wait_woken";
	case WRITES:
		return tcp ? "wait_woken" : "sock_alloc_send_pskb";
	case READS:
		if (unix_socket && s->type == LINUX_SOCK_STREAM)
			return "unix_stream_read_generic";
		return tcp ? "wait_woken" : "__skb_wait_for_more_packets";
	}
	return NULL;
}

static const char *of_file(struct file *file, enum direction direction)
{
	const struct socket *s = socket_from_file(file);
	const char *symbol;

	if (s)
		return of_socket(s, direction);
	symbol = direction == WRITES ? file->ops->write_sleep : file->ops->read_sleep;
	return symbol ? symbol : "wait_woken";
}

static const char *of_descriptor(struct task *t, int32_t fd, enum direction direction)
{
	struct fd_table *fds = task_fds_get(t);
	struct file *file = fds ? fd_table_lookup(fds, fd) : NULL;
	const char *symbol = file ? of_file(file, direction) : NULL;

	file_put(file);
	if (fds)
		fd_table_put(fds);
	return symbol;
}

static const char *of_futex(uint32_t op)
{
	switch (op & LINUX_FUTEX_CMD_MASK) {
	case LINUX_FUTEX_LOCK_PI:
	case LINUX_FUTEX_LOCK_PI2:
		return "rt_mutex_schedule";
	default:
		return "futex_do_wait";
	}
}

static bool is_cpu_clock(int32_t clock)
{
	return clock < 0 || clock == LINUX_CLOCK_PROCESS_CPUTIME_ID ||
	       clock == LINUX_CLOCK_THREAD_CPUTIME_ID;
}

const char *sleep_symbol(struct task *t, uint64_t nr, const uint64_t args[6])
{
	if (nr == CALL_futex)
		return of_futex((uint32_t)args[1]);
	if (nr == CALL_clock_nanosleep)
		return is_cpu_clock((int32_t)args[0]) ? "do_cpu_nanosleep" : "hrtimer_nanosleep";
	for (unsigned i = 0; i < ARRAY_SIZE(sleeps); i++) {
		if (sleeps[i].nr != nr)
			continue;
		return sleeps[i].symbol ? sleeps[i].symbol :
					  of_descriptor(t, (int32_t)args[0], sleeps[i].direction);
	}
	return NULL;
}

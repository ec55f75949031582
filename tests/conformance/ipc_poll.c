/* SPDX-License-Identifier: Apache-2.0
 *
 * poll, select, epoll, eventfd, timerfd.
 */
#include "conformance.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/timerfd.h>

CASE(poll_basics)
{
	int ends[2];

	MUST(pipe(ends));
	write_file("f", "x", 0600);
	struct pollfd fds[] = { { ends[0], POLLIN, 0 },
				{ ends[1], POLLOUT, 0 },
				{ (int)MUST(open("f", O_RDWR)), POLLIN | POLLOUT, 0 },
				{ 99, POLLIN, 0 },
				{ -1, POLLIN, 0x7f },
				{ (int)MUST(open(".", O_RDONLY)), POLLIN | POLLOUT | POLLPRI, 0 },
				{ ends[0], 0, 0 } };
	show("poll", poll(fds, ARRAY_SIZE(fds), 0));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		note("%zu: 0x%x", i, (unsigned int)fds[i].revents);
	MUST(write(ends[1], "x", 1));
	show("readable", poll(fds, 1, -1));
	close(ends[1]);
	show("writer gone", poll(fds, 1, -1));
	show_hex("revents", (unsigned int)fds[0].revents);
	show("only hang-up", poll(&fds[6], 1, -1));
	show_hex("revents", (unsigned int)fds[6].revents);
}

CASE(poll_timeouts_and_errors)
{
	struct timespec bad = { 0, -1 }, some = { 0, 20000000 };
	struct pollfd pfd = { 0, 0, 0 };

	long long before = now_ms();
	show("20 ms", poll(NULL, 0, 20));
	show_int("waited", now_ms() - before >= 19);
	show("ppoll 20 ms", syscall(SYS_ppoll, NULL, 0, &some, NULL, 8));
	show_int("time left", some.tv_sec == 0 && some.tv_nsec == 0);
	show("bad timeout", syscall(SYS_ppoll, &pfd, 1, &bad, NULL, 8));
	show("bad pointer", syscall(SYS_poll, bad_ptr(), 1, 0));
	show("too many", syscall(SYS_poll, &pfd, 100000, 0));
}

CASE(select_basics)
{
	int ends[2];
	fd_set in, out, except;
	struct timeval timeout = { 0, 0 };

	MUST(pipe(ends));
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_ZERO(&except);
	FD_SET(ends[0], &in);
	FD_SET(ends[1], &out);
	FD_SET(ends[0], &except);
	show("select", select(10, &in, &out, &except, &timeout));
	note("in %d out %d except %d", FD_ISSET(ends[0], &in), FD_ISSET(ends[1], &out),
	     FD_ISSET(ends[0], &except));
	MUST(write(ends[1], "x", 1));
	FD_SET(ends[0], &in);
	timeout.tv_sec = 5;
	show("readable", select(10, &in, NULL, NULL, &timeout));
	show_int("time left is written", timeout.tv_sec < 5);
	timeout = (struct timeval){ 0, 10000 };
	show("sleep", select(0, NULL, NULL, NULL, &timeout));
	note("left %ld %ld", (long)timeout.tv_sec, (long)timeout.tv_usec);
	FD_SET(50, &in);
	show("bad fd", select(51, &in, NULL, NULL, &timeout));
	show("negative count", select(-1, NULL, NULL, NULL, &timeout));
	timeout = (struct timeval){ -1, 0 };
	show("negative timeout", syscall(SYS_select, 0, NULL, NULL, NULL, &timeout));
	show("bad pointer", syscall(SYS_select, 10, bad_ptr(), NULL, NULL, NULL));
}

static void show_wait_events(const char *label, int ep)
{
	struct epoll_event events[8];
	int count = epoll_wait(ep, events, 8, 0);

	show(label, count);
	for (int i = 0; i < count; i++)
		note("  events 0x%x data %lld", events[i].events, (long long)events[i].data.u64);
}

static int add(int ep, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event event = { .events = events, .data.u64 = data };

	return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event);
}

static int change(int ep, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event event = { .events = events, .data.u64 = data };

	return epoll_ctl(ep, EPOLL_CTL_MOD, fd, &event);
}

CASE(epoll_level)
{
	int ep = (int)MUST(epoll_create1(EPOLL_CLOEXEC)), ends[2];
	char byte;

	MUST(pipe(ends));
	show("cloexec", fcntl(ep, F_GETFD));
	show("add", add(ep, ends[0], EPOLLIN, 7));
	show_wait_events("empty", ep);
	MUST(write(ends[1], "ab", 2));
	show_wait_events("ready", ep);
	MUST(read(ends[0], &byte, 1));
	show_wait_events("still ready", ep);
	MUST(read(ends[0], &byte, 1));
	show_wait_events("drained", ep);
	show("modify", change(ep, ends[0], EPOLLOUT, 8));
	close(ends[1]);
	show_wait_events("hang-up is always told", ep);
	show("delete", epoll_ctl(ep, EPOLL_CTL_DEL, ends[0], NULL));
	show_wait_events("deleted", ep);
}

CASE(epoll_edge)
{
	int ep = (int)MUST(epoll_create1(0)), ends[2];
	char byte;

	MUST(pipe(ends));
	MUST(add(ep, ends[0], EPOLLIN | EPOLLET, 1));
	MUST(write(ends[1], "ab", 2));
	show_wait_events("edge", ep);
	show_wait_events("not again", ep);
	MUST(read(ends[0], &byte, 1));
	show_wait_events("nor after a partial read", ep);
	MUST(write(ends[1], "c", 1));
	show_wait_events("new data", ep);
	MUST(change(ep, ends[0], EPOLLIN | EPOLLET, 2));
	show_wait_events("modify rearms", ep);
}

CASE(epoll_oneshot)
{
	int ep = (int)MUST(epoll_create1(0)), ends[2];

	MUST(pipe(ends));
	MUST(add(ep, ends[0], EPOLLIN | EPOLLONESHOT, 1));
	MUST(write(ends[1], "a", 1));
	show_wait_events("once", ep);
	show_wait_events("disabled", ep);
	MUST(write(ends[1], "a", 1));
	show_wait_events("still", ep);
	MUST(change(ep, ends[0], EPOLLIN | EPOLLONESHOT, 2));
	show_wait_events("rearmed", ep);
}

CASE(epoll_nested)
{
	int outer = (int)MUST(epoll_create1(0)), inner = (int)MUST(epoll_create1(0)), ends[2];

	MUST(pipe(ends));
	show("inner", add(inner, ends[0], EPOLLIN, 1));
	show("outer", add(outer, inner, EPOLLIN, 2));
	show("loop", add(inner, outer, EPOLLIN, 3));
	show_wait_events("nothing", outer);
	MUST(write(ends[1], "a", 1));
	show_wait_events("outer", outer);
	struct pollfd pfd = { outer, POLLIN, 0 };
	show("poll", poll(&pfd, 1, 0));
	int chain = outer;
	for (int i = 0; i < 6; i++) {
		int next = (int)MUST(epoll_create1(0));
		show("chain", add(next, chain, EPOLLIN, 1));
		chain = next;
	}
}

CASE(epoll_errors)
{
	int ep = (int)MUST(epoll_create1(0)), ends[2];
	struct epoll_event event = { .events = EPOLLIN };

	MUST(pipe(ends));
	write_file("f", "", 0600);
	show("create flags", epoll_create1(0x10));
	show("create size 0", epoll_create(0));
	show("itself", add(ep, ep, EPOLLIN, 0));
	show("bad fd", add(ep, 99, EPOLLIN, 0));
	show("bad epoll", add(99, ends[0], EPOLLIN, 0));
	show("not an epoll", add(ends[0], ends[1], EPOLLIN, 0));
	show("regular file", add(ep, (int)MUST(open("f", O_RDONLY)), EPOLLIN, 0));
	show("directory", add(ep, (int)MUST(open(".", O_RDONLY)), EPOLLIN, 0));
	show("add", add(ep, ends[0], EPOLLIN, 0));
	show("twice", add(ep, ends[0], EPOLLIN, 0));
	show("dup is another", add(ep, (int)MUST(dup(ends[0])), EPOLLIN, 0));
	show("modify missing", change(ep, ends[1], EPOLLIN, 0));
	show("delete missing", epoll_ctl(ep, EPOLL_CTL_DEL, ends[1], NULL));
	show("bad op", epoll_ctl(ep, 9, ends[1], &event));
	show("bad pointer", epoll_ctl(ep, EPOLL_CTL_ADD, ends[1], bad_ptr()));
	show("wait maxevents 0", epoll_wait(ep, &event, 0, 0));
	show("wait not an epoll", epoll_wait(ends[0], &event, 1, 0));
	show("wait bad fd", epoll_wait(99, &event, 1, 0));
	MUST(write(ends[1], "x", 1));
	show("wait bad pointer", syscall(SYS_epoll_wait, ep, bad_ptr(), 1, 0));
	show("exclusive modify", change(ep, ends[0], EPOLLIN | EPOLLEXCLUSIVE, 0));
	show("exclusive", add(ep, ends[1], EPOLLOUT | EPOLLEXCLUSIVE, 0));
	show("exclusive oneshot",
	     add(ep, (int)MUST(dup(ends[1])), EPOLLOUT | EPOLLEXCLUSIVE | EPOLLONESHOT, 0));
	show("read the epoll", read(ep, &event, 1));
}

CASE(epoll_close_removes)
{
	int ep = (int)MUST(epoll_create1(0)), ends[2];

	MUST(pipe(ends));
	MUST(write(ends[1], "x", 1));
	MUST(add(ep, ends[0], EPOLLIN, 1));
	int copy = (int)MUST(dup(ends[0]));
	close(ends[0]);
	show_wait_events("a dup keeps it", ep);
	close(copy);
	show_wait_events("closed", ep);
}

CASE(epoll_order_and_fairness)
{
	int ep = (int)MUST(epoll_create1(0)), ends[4][2];
	struct epoll_event event;

	for (uint64_t i = 0; i < 4; i++) {
		MUST(pipe(ends[i]));
		MUST(add(ep, ends[i][0], EPOLLIN, i));
	}
	MUST(write(ends[2][1], "x", 1));
	MUST(write(ends[0][1], "x", 1));
	MUST(write(ends[3][1], "x", 1));
	for (int i = 0; i < 6; i++) {
		show("one at a time", epoll_wait(ep, &event, 1, 0));
		show_int("data", (long long)event.data.u64);
	}
}

CASE(epoll_wakes_blocked)
{
	int ep = (int)MUST(epoll_create1(0)), ends[2];
	struct epoll_event event = { 0, { 0 } };
	pid_t parent = getpid();

	MUST(pipe(ends));
	MUST(add(ep, ends[0], EPOLLIN, 5));
	pid_t pid = (pid_t)MUST(fork());
	if (pid == 0) {
		wait_blocked(parent, parent);
		_exit(write(ends[1], "x", 1) != 1);
	}
	show("wait", epoll_wait(ep, &event, 1, -1));
	show_int("data", (long long)event.data.u64);
	show_wait("child", pid);
	show("timeout",
	     (epoll_ctl(ep, EPOLL_CTL_DEL, ends[0], NULL), epoll_wait(ep, &event, 1, 20)));
	struct timespec some = { 0, 10000000 };
	show("pwait2", syscall(SYS_epoll_pwait2, ep, &event, 1, &some, NULL, 8));
}

CASE(eventfd_basics)
{
	uint64_t value = 0;
	int fd = eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC);
	struct pollfd pfd = { fd, POLLIN | POLLOUT, 0 };

	show_ok("create", fd);
	show("read", read(fd, &value, 8));
	show_int("value", (long long)value);
	show("empty", read(fd, &value, 8));
	poll(&pfd, 1, 0);
	show_hex("poll empty", (unsigned int)pfd.revents);
	value = UINT64_MAX;
	show("write max", write(fd, &value, 8));
	value = UINT64_MAX - 1;
	show("write max - 1", write(fd, &value, 8));
	poll(&pfd, 1, 0);
	show_hex("poll full", (unsigned int)pfd.revents);
	value = 1;
	show("full", write(fd, &value, 8));
	show("short read", read(fd, &value, 4));
	show("short write", write(fd, &value, 4));
	show("longer read", read(fd, (char[16]){ 0 }, 16));
	show("seek", lseek(fd, 0, SEEK_SET));
	show("bad flags", eventfd(0, 0x10));
	fd = (int)MUST(eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK));
	for (int i = 0; i < 3; i++) {
		show("semaphore", read(fd, &value, 8));
		show_int("value", (long long)value);
	}
}

CASE(eventfd_blocks)
{
	uint64_t value = 5;
	int fd = (int)MUST(eventfd(0, 0));
	pid_t pid = (pid_t)MUST(fork());

	if (pid == 0) {
		ssize_t size = read(fd, &value, 8);
		_exit(size == 8 ? (int)value : 99);
	}
	wait_blocked(pid, pid);
	show("write", write(fd, &value, 8));
	show_wait("reader got", pid);
}

CASE(timerfd_basics)
{
	struct itimerspec spec = { { 0, 0 }, { 1000, 0 } }, now;
	uint64_t ticks = 0;
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);

	show_ok("create", fd);
	show("unarmed", read(fd, &ticks, 8));
	show("arm", timerfd_settime(fd, 0, &spec, NULL));
	show("not yet", read(fd, &ticks, 8));
	show("gettime", timerfd_gettime(fd, &now));
	show_int("runs", now.it_value.tv_sec >= 900 && now.it_value.tv_sec <= 1000);
	spec.it_value = (struct timespec){ 0, 20000000 };
	show("arm", timerfd_settime(fd, 0, &spec, NULL));
	struct pollfd pfd = { fd, POLLIN, 0 };
	show("poll", poll(&pfd, 1, 30000));
	show("read", read(fd, &ticks, 8));
	show_int("ticks", (long long)ticks);
	show("one-shot", read(fd, &ticks, 8));
	spec.it_interval.tv_nsec = 5000000;
	spec.it_value = (struct timespec){ 0, 1 };
	MUST(timerfd_settime(fd, 0, &spec, NULL));
	sleep_ms(30);
	show("periodic", read(fd, &ticks, 8));
	show_int("several", ticks >= 5);
	spec = (struct itimerspec){ { 0, 0 }, { 1, 0 } };
	show("absolute past", timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, &now));
	show_int("old interval", now.it_interval.tv_nsec);
	show("read", read(fd, &ticks, 8));
	show_int("ticks", (long long)ticks);
	spec.it_value.tv_sec = 0;
	show("disarm", timerfd_settime(fd, 0, &spec, NULL));
	show("unarmed", read(fd, &ticks, 8));
}

CASE(timerfd_errors)
{
	struct itimerspec spec = { { 0, 0 }, { 0, 1000000000 } };
	int fd = (int)MUST(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK));
	char buffer[8];

	show("bad clock", timerfd_create(77, 0));
	show("cpu clock", timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0));
	show("bad flags", timerfd_create(CLOCK_REALTIME, 0x10));
	show("bad nsec", timerfd_settime(fd, 0, &spec, NULL));
	spec.it_value = (struct timespec){ -1, 0 };
	show("negative", timerfd_settime(fd, 0, &spec, NULL));
	spec.it_value = (struct timespec){ 1, 0 };
	show("settime flags", timerfd_settime(fd, 0x10, &spec, NULL));
	show("not a timerfd", timerfd_settime(0, 0, &spec, NULL));
	show("bad fd", timerfd_gettime(99, &spec));
	show("bad pointer", timerfd_settime(fd, 0, bad_ptr(), NULL));
	show("short read", read(fd, buffer, 4));
	show("write", write(fd, buffer, 8));
}

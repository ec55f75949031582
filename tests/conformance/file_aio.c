/* SPDX-License-Identifier: Apache-2.0
 *
 * Native asynchronous I/O: io_setup, io_submit, io_getevents, io_pgetevents, io_cancel, io_destroy.
 */
#include "conformance.h"

#include <linux/aio_abi.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/uio.h>

#ifndef IOCB_FLAG_IOPRIO
#define IOCB_FLAG_IOPRIO 2
#endif

#define PAGE 4096UL

static long setup(unsigned count, aio_context_t *ctx)
{
	return syscall(SYS_io_setup, count, ctx);
}

static long destroy(aio_context_t ctx)
{
	return syscall(SYS_io_destroy, ctx);
}

static long submit(aio_context_t ctx, long count, struct iocb **list)
{
	return syscall(SYS_io_submit, ctx, count, list);
}

static long submit_one(aio_context_t ctx, struct iocb *cb)
{
	return submit(ctx, 1, &cb);
}

static long events(aio_context_t ctx, long min, long max, struct io_event *out,
		   const struct timespec *time)
{
	return syscall(SYS_io_getevents, ctx, min, max, out, time);
}

static aio_context_t make(unsigned count)
{
	aio_context_t ctx = 0;

	MUST(setup(count, &ctx));
	return ctx;
}

static struct iocb request(int op, int fd, const void *buf, size_t size, long long offset)
{
	return (struct iocb){ .aio_lio_opcode = (uint16_t)op, .aio_fildes = (uint32_t)fd,
			      .aio_buf = (uintptr_t)buf, .aio_nbytes = size, .aio_offset = offset,
			      .aio_data = 0x1234, .aio_key = 77 };
}

/* One event, waited for; its result. */
static void show_event(const char *label, aio_context_t ctx, const struct iocb *cb)
{
	struct timespec second = { 5, 0 };
	struct io_event e = { 0 };
	long n = events(ctx, 1, 1, &e, &second);

	if (n != 1) {
		show(label, n);
		return;
	}
	/* Of a poll that waited Linux gives all that the waker said. */
	if (cb != NULL && cb->aio_lio_opcode == IOCB_CMD_POLL && e.res > 0)
		e.res &= (long long)(cb->aio_buf | POLLERR | POLLHUP);
	note("%s: data %#llx own %d res %lld (%s) res2 %lld", label, (unsigned long long)e.data,
	     cb == NULL || e.obj == (uintptr_t)cb, (long long)e.res,
	     e.res < 0 ? errno_name((int)-e.res) : "ok", (long long)e.res2);
}

static void run(const char *label, aio_context_t ctx, struct iocb *cb)
{
	long rc = submit_one(ctx, cb);

	show(label, rc);
	if (rc == 1)
		show_event(label, ctx, cb);
}

CASE(aio_setup_rules)
{
	aio_context_t ctx = 0, other = 5;

	show("no requests", setup(0, &ctx));
	show("bad pointer", setup(1, bad_ptr()));
	show("bad pointer, no requests", setup(0, bad_ptr()));
	show("not zero", setup(1, &other));
	show("far too many", setup(UINT32_MAX, &ctx));
	show("too many for a ring", setup(5000000, &ctx));
	show("too many for the system", setup(70000, &ctx));
	show("one", setup(1, &ctx));
	show_int("context", ctx != 0);
	show("not zero any more", setup(1, &ctx));
	show("destroy", destroy(ctx));
	show("again", destroy(ctx));
	show("none", destroy(0));
	show("no such", destroy(0x1000));
	show("read-only place", setup(1, (aio_context_t *)mmap(NULL, PAGE, PROT_READ,
							      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)));
}

CASE(aio_read_and_write)
{
	int fd = (int)MUST(open("f", O_RDWR | O_CREAT, 0600));
	char buf[64] = "hello asynchronous world", back[64] = "";
	struct iovec v[] = { { back, 6 }, { back + 32, 12 } };
	aio_context_t ctx = make(8);
	struct iocb cb = request(IOCB_CMD_PWRITE, fd, buf, 24, 0);

	run("write", ctx, &cb);
	show_int("key", cb.aio_key);
	show_int("position", lseek(fd, 0, SEEK_CUR));
	cb = request(IOCB_CMD_PREAD, fd, back, sizeof(back), 6);
	run("read", ctx, &cb);
	show_data("read", back, 18);
	cb = request(IOCB_CMD_PREADV, fd, v, 2, 0);
	run("readv", ctx, &cb);
	show_data("first", back, 6);
	show_data("second", back + 32, 12);
	cb = request(IOCB_CMD_PWRITEV, fd, v, 2, 100);
	run("writev", ctx, &cb);
	show_stat("f", "f");
	cb = request(IOCB_CMD_PREAD, fd, back, sizeof(back), 1000);
	run("read at the end", ctx, &cb);
	cb = request(IOCB_CMD_PREAD, fd, back, 0, 0);
	run("read nothing", ctx, &cb);
	cb = request(IOCB_CMD_FSYNC, fd, NULL, 0, 0);
	run("fsync", ctx, &cb);
	cb = request(IOCB_CMD_FDSYNC, fd, NULL, 0, 0);
	run("fdsync", ctx, &cb);
	cb = request(IOCB_CMD_PWRITE, fd, buf, 5, 0);
	cb.aio_rw_flags = 2; /* RWF_DSYNC */
	run("write, dsync", ctx, &cb);
	fcntl(fd, F_SETFL, O_APPEND);
	cb = request(IOCB_CMD_PWRITE, fd, "end", 3, 0);
	run("append", ctx, &cb);
	show_stat("f", "f");
	show("destroy", destroy(ctx));
}

CASE(aio_submit_errors)
{
	int fd = (int)MUST(open("f", O_RDWR | O_CREAT, 0600));
	int ro = (int)MUST(open("f", O_RDONLY)), wo = (int)MUST(open("f", O_WRONLY));
	int dir = (int)MUST(open(".", O_RDONLY)), path = (int)MUST(open("f", O_PATH));
	char buf[64] = "";
	struct iovec bad[] = { { kernel_ptr(), 8 } }, negative[] = { { buf, (size_t)-1 } };
	aio_context_t ctx = make(8);
	struct iocb cb = request(IOCB_CMD_PREAD, fd, buf, 8, 0), *list[4] = { &cb };

	show("no context", submit(0, 1, list));
	show("no such context", submit(0x1000, 1, list));
	show("negative count", submit(ctx, -1, list));
	show("negative count, no context", submit(0, -1, list));
	show("nothing", submit(ctx, 0, list));
	show("nothing, bad list", submit(ctx, 0, bad_ptr()));
	show("bad list", submit(ctx, 1, bad_ptr()));
	show("bad request", submit_one(ctx, bad_ptr()));
	list[1] = bad_ptr();
	show("good, bad", submit(ctx, 2, list));
	show_event("the good one", ctx, &cb);
	cb.aio_fildes = 99;
	run("bad fd", ctx, &cb);
	cb.aio_fildes = (uint32_t)path;
	run("O_PATH", ctx, &cb);
	cb = request(4, fd, buf, 8, 0);
	run("opcode 4", ctx, &cb);
	cb = request(6, fd, buf, 8, 0);
	run("noop", ctx, &cb);
	cb = request(99, fd, buf, 8, 0);
	run("opcode 99", ctx, &cb);
	cb = request(IOCB_CMD_PREAD, wo, buf, 8, 0);
	run("read of write-only", ctx, &cb);
	cb = request(IOCB_CMD_PWRITE, ro, buf, 8, 0);
	run("write of read-only", ctx, &cb);
	cb = request(IOCB_CMD_PREAD, dir, buf, 8, 0);
	run("read of a directory", ctx, &cb);
	cb = request(IOCB_CMD_PREAD, fd, buf, 8, -1);
	run("negative offset", ctx, &cb);
	cb = request(IOCB_CMD_PREAD, fd, buf, (size_t)-1, 0);
	run("negative size", ctx, &cb);
	cb = request(IOCB_CMD_PREAD, fd, kernel_ptr(), 8, 0);
	run("kernel address", ctx, &cb);
	MUST(pwrite(fd, "12345678", 8, 0));
	cb = request(IOCB_CMD_PREAD, fd, bad_ptr(), 8, 0);
	run("bad address", ctx, &cb);
	cb = request(IOCB_CMD_PWRITE, fd, bad_ptr(), 8, 0);
	run("write from a bad address", ctx, &cb);
	cb = request(IOCB_CMD_PREADV, fd, bad_ptr(), 1, 0);
	run("bad iovec", ctx, &cb);
	cb = request(IOCB_CMD_PREADV, fd, bad, 1, 0);
	run("iovec to the kernel", ctx, &cb);
	cb = request(IOCB_CMD_PREADV, fd, negative, 1, 0);
	run("negative iovec", ctx, &cb);
	cb = request(IOCB_CMD_PREADV, fd, bad, 2000, 0);
	run("too many segments", ctx, &cb);
	cb = request(IOCB_CMD_PREAD, fd, buf, 8, 0);
	cb.aio_reserved2 = 1;
	run("reserved", ctx, &cb);
	cb = request(IOCB_CMD_PREAD, fd, buf, 8, 0);
	cb.aio_rw_flags = 0x1000000;
	run("rw_flags", ctx, &cb);
	cb = request(IOCB_CMD_FSYNC, fd, NULL, 1, 0);
	run("fsync with a size", ctx, &cb);
	cb = request(IOCB_CMD_FSYNC, fd, NULL, 0, 1);
	run("fsync with an offset", ctx, &cb);
	cb = request(IOCB_CMD_FSYNC, (int)MUST(eventfd(0, 0)), NULL, 0, 0);
	run("fsync of an eventfd", ctx, &cb);
	cb = request(IOCB_CMD_PREAD, fd, buf, 8, 0);
	cb.aio_flags = IOCB_FLAG_RESFD;
	cb.aio_resfd = 99;
	run("bad eventfd", ctx, &cb);
	cb.aio_resfd = (uint32_t)fd;
	run("no eventfd", ctx, &cb);
	cb = request(IOCB_CMD_PREAD, fd, buf, 8, 0);
	cb.aio_flags = IOCB_FLAG_IOPRIO;
	cb.aio_reqprio = 2 << 13 | 3;
	run("priority", ctx, &cb);
	cb.aio_reqprio = 3;
	run("level without a class", ctx, &cb);
	cb.aio_reqprio = (int16_t)(5 << 13);
	run("class 5", ctx, &cb);
	show("all taken", events(ctx, 0, 8, (struct io_event *)buf, NULL));
}

CASE(aio_getevents_rules)
{
	int fd = (int)MUST(open("f", O_RDWR | O_CREAT, 0600));
	struct timespec zero = { 0, 0 }, some = { 0, 20000000 }, odd = { -1, 1020000000 };
	aio_context_t ctx = make(8);
	struct io_event e[8];
	struct iocb cb[3], *list[3];

	show("no context", events(0, 0, 1, e, &zero));
	show("negative minimum", events(ctx, -1, 1, e, &zero));
	show("minimum above maximum", events(ctx, 2, 1, e, &zero));
	show("negative maximum", events(ctx, 0, -1, e, &zero));
	show("bad time", events(ctx, 0, 1, e, bad_ptr()));
	show("bad time, no context", events(0, 0, 1, e, bad_ptr()));
	show("nothing wanted", events(ctx, 0, 0, NULL, NULL));
	show("nothing there", events(ctx, 0, 8, e, NULL));
	show("look", events(ctx, 1, 8, e, &zero));
	long long before = now_ms();
	show("wait", events(ctx, 1, 8, e, &some));
	show_int("waited", now_ms() - before >= 19);
	show("wait, any nanoseconds", events(ctx, 1, 8, e, &odd));
	for (int i = 0; i < 3; i++) {
		cb[i] = request(IOCB_CMD_PWRITE, fd, "abc", 3, i * 3);
		cb[i].aio_data = (unsigned)i;
		list[i] = &cb[i];
	}
	show("submit", submit(ctx, 3, list));
	show("bad place", events(ctx, 1, 8, bad_ptr(), NULL));
	show("two", events(ctx, 1, 2, e, NULL));
	note("%llu %llu", (unsigned long long)e[0].data, (unsigned long long)e[1].data);
	show("more than there are", events(ctx, 3, 8, e, &some));
	note("%llu", (unsigned long long)e[0].data);
	show("none left", events(ctx, 1, 8, e, &zero));
	show("in a child", 0);
	RUN_CHILD("child")
	{
		show("destroy", destroy(ctx));
		show("submit", submit(ctx, 1, list));
		show("events", events(ctx, 0, 1, e, &zero));
	}
	show("destroy", destroy(ctx));
	show("events", events(ctx, 0, 1, e, &zero));
}

CASE(aio_eventfd)
{
	int fd = (int)MUST(open("f", O_RDWR | O_CREAT, 0600)), event = (int)MUST(eventfd(0, EFD_NONBLOCK));
	aio_context_t ctx = make(8);
	struct iocb cb[3], *list[3];
	struct io_event e[3];
	uint64_t count = 0;

	for (int i = 0; i < 3; i++) {
		cb[i] = request(IOCB_CMD_PWRITE, fd, "abc", 3, i * 3);
		cb[i].aio_flags = IOCB_FLAG_RESFD;
		cb[i].aio_resfd = (uint32_t)event;
		list[i] = &cb[i];
	}
	show("submit", submit(ctx, 3, list));
	show("events", events(ctx, 3, 3, e, NULL));
	show("read", read(event, &count, sizeof(count)));
	show_int("count", (long long)count);
	show("no more", read(event, &count, sizeof(count)));
	cb[0].aio_fildes = 99;
	show("refused", submit_one(ctx, &cb[0]));
	show("and not counted", read(event, &count, sizeof(count)));
	cb[0] = request(IOCB_CMD_PREAD, event, &count, 8, 0);
	run("read of the empty eventfd", ctx, &cb[0]);
	MUST(eventfd_write(event, 5));
	run("read of the eventfd", ctx, &cb[0]);
	show_int("count", (long long)count);
}

static struct iocb poll_request(int fd, unsigned what)
{
	return (struct iocb){ .aio_lio_opcode = IOCB_CMD_POLL, .aio_fildes = (uint32_t)fd, .aio_buf = what,
			      .aio_data = what };
}

CASE(aio_poll_now)
{
	int fd = (int)MUST(open("f", O_RDWR | O_CREAT, 0600)), ends[2];
	aio_context_t ctx = make(8);
	struct iocb cb = poll_request(fd, POLLIN);

	MUST(pipe(ends));
	run("file", ctx, &cb);
	cb = poll_request(fd, POLLIN | POLLOUT);
	run("file, both", ctx, &cb);
	cb = poll_request(ends[1], POLLOUT);
	run("pipe", ctx, &cb);
	cb = poll_request(fd, POLLPRI);
	run("file, nothing it can be", ctx, &cb);
	cb = poll_request(fd, 0x10000);
	run("unknown events", ctx, &cb);
	cb = poll_request(ends[0], POLLIN);
	cb.aio_nbytes = 1;
	run("size", ctx, &cb);
	cb = poll_request(ends[0], POLLIN);
	cb.aio_offset = 1;
	run("offset", ctx, &cb);
	cb = poll_request(ends[0], POLLIN);
	cb.aio_rw_flags = 1;
	run("rw_flags", ctx, &cb);
	close(ends[1]);
	cb = poll_request(ends[0], 0);
	run("hung up, not asked for", ctx, &cb);
}

CASE(aio_poll_later)
{
	struct timespec zero = { 0, 0 };
	int ends[2], event = (int)MUST(eventfd(0, EFD_NONBLOCK));
	aio_context_t ctx = make(8);
	struct iocb first, second;
	struct io_event e;
	uint64_t count;

	MUST(pipe(ends));
	first = poll_request(ends[0], POLLIN);
	first.aio_flags = IOCB_FLAG_RESFD;
	first.aio_resfd = (uint32_t)event;
	show("submit", submit_one(ctx, &first));
	show("nothing yet", events(ctx, 1, 1, &e, &zero));
	struct pollfd p = { .fd = event, .events = POLLIN };
	show("eventfd quiet", poll(&p, 1, 0));
	MUST(write(ends[1], "x", 1));
	show("eventfd tells", poll(&p, 1, 30000));
	show("read", read(event, &count, sizeof(count)));
	show_int("count", (long long)count);
	show_event("poll", ctx, &first);
	show("only once", events(ctx, 0, 1, &e, &zero));
	char byte;
	MUST(read(ends[0], &byte, 1));

	/* Two on one file, and one that another event does not concern. */
	first = poll_request(ends[0], POLLIN);
	second = poll_request(ends[0], POLLPRI);
	show("submit", submit_one(ctx, &first));
	show("submit", submit_one(ctx, &second));
	MUST(write(ends[1], "y", 1));
	show_event("first", ctx, &first);
	show("second waits", events(ctx, 0, 1, &e, &zero));
	close(ends[1]);
	show_event("second, hung up", ctx, &second);
}

CASE(aio_cancel)
{
	struct timespec zero = { 0, 0 };
	aio_context_t ctx = make(8);
	struct io_event e;
	struct iocb cb, done;
	int ends[2];

	MUST(pipe(ends));
	cb = poll_request(ends[0], POLLIN);
	show("submit", submit_one(ctx, &cb));
	show("bad request", syscall(SYS_io_cancel, ctx, bad_ptr(), &e));
	show("no context", syscall(SYS_io_cancel, 0, &cb, &e));
	done = poll_request(ends[1], POLLOUT);
	done.aio_key = 5;
	show("bad key", syscall(SYS_io_cancel, ctx, &done, &e));
	done.aio_key = 0;
	show("never submitted", syscall(SYS_io_cancel, ctx, &done, &e));
	show("submit", submit_one(ctx, &done));
	show("already done", syscall(SYS_io_cancel, ctx, &done, &e));
	show_event("it", ctx, &done);
	show("cancel", syscall(SYS_io_cancel, ctx, &cb, bad_ptr()));
	show_event("cancelled", ctx, &cb);
	show("again", syscall(SYS_io_cancel, ctx, &cb, &e));
	show("submit", submit_one(ctx, &cb));
	show("destroy with a poll waiting", destroy(ctx));
	MUST(write(ends[1], "x", 1));
	show("gone", events(ctx, 0, 1, &e, &zero));
}

CASE(aio_many)
{
	enum { COUNT = 1000 };
	static struct iocb cb[COUNT];
	static struct iocb *list[COUNT];
	static struct io_event e[COUNT];
	struct timespec zero = { 0, 0 };
	int fd = (int)MUST(open("f", O_RDWR | O_CREAT, 0600));
	aio_context_t ctx = make(COUNT);
	unsigned long long sum = 0;

	for (int i = 0; i < COUNT; i++) {
		cb[i] = request(IOCB_CMD_PWRITE, fd, "z", 1, i);
		cb[i].aio_data = (unsigned)i;
		list[i] = &cb[i];
	}
	show("submit", submit(ctx, COUNT, list));
	show("events", events(ctx, COUNT, COUNT, e, NULL));
	for (int i = 0; i < COUNT; i++)
		sum += e[i].data;
	show_int("sum", (long long)sum);
	show("submit", submit(ctx, COUNT, list));
	show("some", events(ctx, 1, 10, e, NULL));
	show("no more than before", submit(ctx, 0, list));
	show("the others", events(ctx, COUNT - 10, COUNT, e, NULL));
	show("none", events(ctx, 1, COUNT, e, &zero));
	show("destroy", destroy(ctx));
}

static volatile int handled;

static void on_signal(int sig)
{
	(void)sig;
	handled++;
}

struct argument {
	aio_context_t ctx;
	pid_t tid;
	long result;
	int error;
	bool masked;
};

static void *wait_main(void *arg)
{
	struct argument *a = arg;
	struct io_event e;
	uint64_t set = 0;
	struct {
		const void *set;
		size_t size;
	} mask = { &set, 8 };

	__atomic_store_n(&a->tid, get_tid(), __ATOMIC_SEQ_CST);
	if (a->masked)
		a->result = syscall(SYS_io_pgetevents, a->ctx, 1, 1, &e, NULL, &mask);
	else
		a->result = events(a->ctx, 1, 1, &e, NULL);
	a->error = errno;
	return NULL;
}

static void interrupted_wait(const char *label, bool masked, int flags)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = flags };
	struct argument a = { .ctx = make(1), .masked = masked };
	sigset_t set;
	pthread_t thread;

	handled = 0;
	sigaction(SIGUSR1, &sa, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	if (masked)
		pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (pthread_create(&thread, NULL, wait_main, &a) != 0)
		skip("no threads");
	while (__atomic_load_n(&a.tid, __ATOMIC_SEQ_CST) == 0)
		sched_yield();
	wait_blocked(getpid(), a.tid);
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	errno = a.error;
	show(label, a.result);
	show_int("handled", handled);
}

CASE(aio_wait_interrupted)
{
	interrupted_wait("getevents", false, 0);
	interrupted_wait("getevents, SA_RESTART", false, SA_RESTART);
	interrupted_wait("pgetevents", true, 0);
	interrupted_wait("pgetevents, SA_RESTART", true, SA_RESTART);
}

CASE(aio_pgetevents_errors)
{
	struct timespec zero = { 0, 0 };
	aio_context_t ctx = make(1);
	uint64_t set = 0;
	struct {
		const void *set;
		size_t size;
	} mask = { &set, 8 };
	struct io_event e;

	show("no mask", syscall(SYS_io_pgetevents, ctx, 0, 1, &e, &zero, NULL));
	show("mask", syscall(SYS_io_pgetevents, ctx, 0, 1, &e, &zero, &mask));
	show("bad argument", syscall(SYS_io_pgetevents, ctx, 0, 1, &e, &zero, bad_ptr()));
	mask.size = 4;
	show("bad size", syscall(SYS_io_pgetevents, ctx, 0, 1, &e, &zero, &mask));
	mask.size = 8;
	mask.set = bad_ptr();
	show("bad set", syscall(SYS_io_pgetevents, ctx, 0, 1, &e, &zero, &mask));
	mask.set = NULL;
	mask.size = 99;
	show("no set", syscall(SYS_io_pgetevents, ctx, 0, 1, &e, &zero, &mask));
	show("bad time", syscall(SYS_io_pgetevents, ctx, 0, 1, &e, bad_ptr(), &mask));
	show("no context", syscall(SYS_io_pgetevents, 0, 0, 1, &e, &zero, &mask));
}

/* A pipe is read while it is submitted; another thread fills it. */
static void *write_main(void *arg)
{
	struct argument *a = arg;

	wait_blocked(getpid(), a->tid);
	a->result = write(a->error, "late", 4);
	return NULL;
}

CASE(aio_stream)
{
	aio_context_t ctx = make(4);
	char buf[16] = "";
	struct iocb cb;
	pthread_t thread;
	int ends[2];

	MUST(pipe(ends));
	cb = request(IOCB_CMD_PWRITE, ends[1], "early", 5, 0);
	run("write", ctx, &cb);
	cb = request(IOCB_CMD_PREAD, ends[0], buf, sizeof(buf), 0);
	run("read", ctx, &cb);
	show_data("text", buf, 5);
	struct argument a = { .tid = get_tid(), .error = ends[1] };
	if (pthread_create(&thread, NULL, write_main, &a) != 0)
		skip("no threads");
	run("read that waits", ctx, &cb);
	pthread_join(thread, NULL);
	show_data("text", buf, 4);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	run("nothing there", ctx, &cb);
	cb.aio_offset = -1;
	run("negative offset", ctx, &cb);
}

HELPER(aio_after_exec)
{
	struct timespec zero = { 0, 0 };
	struct io_event e;

	(void)argc;
	aio_context_t ctx = strtoul(argv[1], NULL, 16);
	show("events", events(ctx, 0, 1, &e, &zero));
	show("destroy", destroy(ctx));
	return 0;
}

CASE(aio_exec)
{
	aio_context_t ctx = make(4);
	char text[32];
	struct iocb cb;
	int ends[2];

	MUST(pipe(ends));
	cb = poll_request(ends[0], POLLIN);
	show("submit", submit_one(ctx, &cb));
	RUN_CHILD("exit with a poll waiting")
	{
		aio_context_t own = make(4);

		show("submit", submit_one(own, &cb));
	}
	snprintf(text, sizeof(text), "%lx", (unsigned long)ctx);
	execl(self_exe(), "conformance", "@aio_after_exec", text, (char *)NULL);
	show("execl", -1);
}

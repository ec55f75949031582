/* SPDX-License-Identifier: Apache-2.0
 *
 * POSIX message queues: the calls with every refusal, order, waiting, notification, limits, and
 * their file system.
 */
#include "namespace.h"

#include <linux/netlink.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/vfs.h>

/* The bare calls: names without a slash. */
static long k_open(const void *name, int flags, int mode, const void *attr)
{
	return syscall(SYS_mq_open, name, flags, mode, attr);
}

static long k_send(long q, const void *m, size_t size, unsigned priority, const void *time)
{
	return syscall(SYS_mq_timedsend, (int)q, m, size, priority, time);
}

static long k_receive(long q, void *m, size_t size, void *priority, const void *time)
{
	return syscall(SYS_mq_timedreceive, (int)q, m, size, priority, time);
}

#define COOKIE_SIZE 32

static struct mq_attr small = { .mq_maxmsg = 3, .mq_msgsize = 16 };

/* A queue of this case's own, without a name afterwards. */
static long make(int flags)
{
	char name[32];
	long q;

	snprintf(name, sizeof(name), "conf-%d", getpid());
	q = MUST(k_open(name, O_CREAT | O_EXCL | flags, 0600, &small));
	MUST(syscall(SYS_mq_unlink, name));
	return q;
}

static void show_attr(const char *label, long q)
{
	struct mq_attr attr;

	memset(&attr, 0x55, sizeof(attr));
	show(label, syscall(SYS_mq_getsetattr, (int)q, NULL, &attr));
	note("flags %#lx max %ld size %ld now %ld rest %#lx", attr.mq_flags, attr.mq_maxmsg,
	     attr.mq_msgsize, attr.mq_curmsgs, ((long *)&attr)[7]);
}

static void show_receive(const char *label, long q)
{
	char buf[64];
	unsigned priority = 99;
	long n = k_receive(q, buf, sizeof(buf), &priority, NULL);

	show_data(label, buf, n);
	if (n >= 0)
		show_int("priority", priority);
}

CASE(mq_open_rules)
{
	char name[300], mine[32];
	struct mq_attr attr = small;
	struct stat st;
	long q;

	snprintf(mine, sizeof(mine), "conf-open-%d", getpid());
	umask(027);
	show("absent", k_open(mine, O_RDWR, 0, NULL));
	show_ok("create", q = k_open(mine, O_CREAT | O_RDWR, 0666, NULL));
	show_int("cloexec", fcntl((int)q, F_GETFD));
	show_hex("flags", (unsigned)fcntl((int)q, F_GETFL));
	MUST(fstat((int)q, &st));
	note("mode %o nlink %d size %lld uid %d", st.st_mode, (int)st.st_nlink, (long long)st.st_size,
	     st.st_uid);
	show_attr("defaults", q);
	show("exclusive", k_open(mine, O_CREAT | O_EXCL | O_RDWR, 0600, NULL));
	attr.mq_maxmsg = -1;
	show_ok("attr is not looked at", k_open(mine, O_CREAT | O_RDONLY, 0600, &attr));
	show("mode 3", k_open(mine, 3, 0600, NULL));
	show_ok("nonblock", q = k_open(mine, O_WRONLY | O_NONBLOCK, 0600, NULL));
	show_attr("attr", q);
	RUN_CHILD("other user")
	{
		become_user(1000);
		show("read", k_open(mine, O_RDONLY, 0, NULL));
		show("write", k_open(mine, O_WRONLY, 0, NULL));
		show("unlink", syscall(SYS_mq_unlink, mine));
		show("create", k_open(mine, O_CREAT | O_RDONLY, 0600, NULL));
	}
	show("unlink", syscall(SYS_mq_unlink, mine));
	show("again", syscall(SYS_mq_unlink, mine));
	show_attr("open still", q);
	MUST(fstat((int)q, &st));
	show_int("nlink", (int)st.st_nlink);

	show("empty", k_open("", O_CREAT | O_RDWR, 0600, NULL));
	show("slash", k_open("/x", O_CREAT | O_RDWR, 0600, NULL));
	show("slash inside", k_open("x/y", O_CREAT | O_RDWR, 0600, NULL));
	show("dot", k_open(".", O_CREAT | O_RDWR, 0600, NULL));
	show("dots", k_open("..", O_RDWR, 0600, NULL));
	memset(name, 'n', sizeof(name));
	name[256] = '\0';
	show("256 bytes", k_open(name, O_CREAT | O_RDWR, 0600, NULL));
	name[255] = '\0';
	show_ok("255 bytes", k_open(name, O_CREAT | O_RDWR, 0600, NULL));
	show("its unlink", syscall(SYS_mq_unlink, name));
	show("name EFAULT", k_open(bad_ptr(), O_CREAT | O_RDWR, 0600, NULL));
	show("attr EFAULT", k_open(mine, O_CREAT | O_RDWR, 0600, bad_ptr()));
	show("attr EFAULT first", k_open(bad_ptr(), O_RDWR, 0600, kernel_ptr()));
	show("unlink EFAULT", syscall(SYS_mq_unlink, bad_ptr()));
	show("unlink slash", syscall(SYS_mq_unlink, "/x"));
	show("unlink empty", syscall(SYS_mq_unlink, ""));
}

CASE(mq_open_limits)
{
	static const struct {
		long max, size;
	} tries[] = { { 0, 16 },  { 16, 0 },	{ -1, 16 },	  { 1, -1 },		 { 11, 16 },
		      { 10, 8193 }, { 10, 8192 }, { 65537, 16 }, { 1, (16 << 20) + 1 }, { 1, 1 } };
	struct rlimit limit = { 4000, 4000 };
	struct mq_attr attr = { 0 };
	char mine[32];
	long q;

	snprintf(mine, sizeof(mine), "conf-limit-%d", getpid());
	for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
		attr.mq_maxmsg = tries[i].max;
		attr.mq_msgsize = tries[i].size;
		q = k_open(mine, O_CREAT | O_EXCL | O_RDWR, 0600, &attr);
		note("%ld of %ld", tries[i].max, tries[i].size);
		show_ok("open", q);
		if (q >= 0)
			MUST(syscall(SYS_mq_unlink, mine));
	}
	MUST(setrlimit(RLIMIT_MSGQUEUE, &limit));
	RUN_CHILD("limited")
	{
		become_user(54321);
		attr.mq_maxmsg = 10;
		attr.mq_msgsize = 305;
		show_ok("too large", k_open(mine, O_CREAT | O_EXCL | O_RDWR, 0600, &attr));
		attr.mq_msgsize = 304;
		show_ok("exact", q = k_open(mine, O_CREAT | O_EXCL | O_RDWR, 0600, &attr));
		MUST(syscall(SYS_mq_unlink, mine));
		attr.mq_maxmsg = attr.mq_msgsize = 1;
		show_ok("one more", k_open(mine, O_CREAT | O_EXCL | O_RDWR, 0600, &attr));
		close((int)q);
		show_ok("one less", k_open(mine, O_CREAT | O_EXCL | O_RDWR, 0600, &attr));
		show("unlink", syscall(SYS_mq_unlink, mine));
	}
}

CASE(mq_order)
{
	static const unsigned priorities[] = { 1, 5, 5, 0, 32767, 5, 1, 0 };
	struct mq_attr attr = { .mq_maxmsg = 10, .mq_msgsize = 8 };
	char mine[32], text[8];
	long q;

	snprintf(mine, sizeof(mine), "conf-order-%d", getpid());
	q = MUST(k_open(mine, O_CREAT | O_EXCL | O_RDWR | O_NONBLOCK, 0600, &attr));
	MUST(syscall(SYS_mq_unlink, mine));
	for (size_t i = 0; i < ARRAY_SIZE(priorities); i++) {
		snprintf(text, sizeof(text), "m%zu", i);
		show("send", k_send(q, text, strlen(text), priorities[i], NULL));
	}
	show_attr("attr", q);
	for (size_t i = 0; i < 4; i++)
		show_receive("receive", q);
	show("send", k_send(q, "late", 4, 1, NULL));
	for (size_t i = 0; i < 6; i++)
		show_receive("receive", q);
	show("send nothing", k_send(q, NULL, 0, 0, NULL));
	show_receive("nothing", q);
}

CASE(mq_errors)
{
	struct timespec past = { 1, 0 }, bad = { 0, 1000000000 }, negative = { -1, 0 };
	struct mq_attr attr = { .mq_flags = O_NONBLOCK };
	char buf[64];
	long q = make(O_RDWR), reader, writer;
	int file = open("plain", O_CREAT | O_RDWR, 0600), fds[2];

	MUST(pipe(fds));
	reader = make(O_RDONLY);
	writer = make(O_WRONLY);
	show("too long", k_send(q, buf, 17, 0, NULL));
	show("priority", k_send(q, buf, 1, 32768, NULL));
	show("EFAULT", k_send(q, bad_ptr(), 4, 0, NULL));
	show("bad time", k_send(q, "a", 1, 0, &bad));
	show("negative time", k_send(q, "a", 1, 0, &negative));
	show("time EFAULT", k_send(-1, "a", 1, 99999, bad_ptr()));
	show("EBADF", k_send(-1, "a", 1, 0, NULL));
	show("a file", k_send(file, "a", 1, 0, NULL));
	show("a pipe", k_send(fds[1], "a", 1, 0, NULL));
	show("read only", k_send(reader, "a", 1, 0, NULL));
	show("past time, room", k_send(q, "a", 1, 0, &past));
	show("short buffer", k_receive(q, buf, 15, NULL, NULL));
	show("write only", k_receive(writer, buf, 64, NULL, NULL));
	show("a file", k_receive(file, buf, 64, NULL, NULL));
	show("receive EFAULT", k_receive(q, bad_ptr(), 64, NULL, NULL));
	show_attr("it is lost", q);
	show("send", k_send(q, "b", 1, 0, NULL));
	show("priority EFAULT", k_receive(q, buf, 64, bad_ptr(), NULL));
	show("empty, past", k_receive(q, buf, 64, NULL, &past));
	show("empty, bad time", k_receive(q, buf, 64, NULL, &bad));
	for (int i = 0; i < 3; i++)
		show("fill", k_send(q, "c", 1, 0, NULL));
	show("full, past", k_send(q, "d", 1, 0, &past));
	show("getsetattr EBADF", syscall(SYS_mq_getsetattr, -1, NULL, &attr));
	show("getsetattr of a file", syscall(SYS_mq_getsetattr, file, NULL, &attr));
	show("new EFAULT", syscall(SYS_mq_getsetattr, -1, bad_ptr(), NULL));
	show("old EFAULT", syscall(SYS_mq_getsetattr, (int)q, NULL, bad_ptr()));
	show("neither", syscall(SYS_mq_getsetattr, (int)q, NULL, NULL));
	show("set", syscall(SYS_mq_getsetattr, (int)q, &attr, NULL));
	show("full", k_send(q, "d", 1, 0, NULL));
	show_attr("attr", q);
	show_hex("F_GETFL", (unsigned)fcntl((int)q, F_GETFL));
	attr.mq_flags = O_NONBLOCK | O_APPEND;
	show("bad flags", syscall(SYS_mq_getsetattr, (int)q, &attr, NULL));
	attr.mq_flags = 0;
	show("clear", syscall(SYS_mq_getsetattr, (int)q, &attr, &attr));
	show_hex("before", (unsigned long)attr.mq_flags);
	show("write", write((int)q, "x", 1));
	show_ptr("mmap", mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, (int)q, 0));
	show("ioctl", ioctl((int)q, 0x5401, buf));
}

struct peer {
	pthread_t thread;
	long q;
	pid_t tid;
	char text[16];
	unsigned priority;
	bool sends;
	int nice;
	const struct timespec *time;
	long result;
	int error;
};

static void *peer_main(void *arg)
{
	struct peer *p = arg;
	char buf[16];

	if (p->nice)
		setpriority(PRIO_PROCESS, 0, p->nice);
	__atomic_store_n(&p->tid, get_tid(), __ATOMIC_SEQ_CST);
	if (p->sends)
		p->result = k_send(p->q, p->text, strlen(p->text), p->priority, p->time);
	else
		p->result = k_receive(p->q, buf, sizeof(buf), &p->priority, p->time);
	p->error = errno;
	if (!p->sends && p->result >= 0)
		snprintf(p->text, sizeof(p->text), "%.*s", (int)p->result, buf);
	return NULL;
}

static void start(struct peer *p, struct peer as)
{
	*p = as;
	if (pthread_create(&p->thread, NULL, peer_main, p))
		skip("no threads");
	while (!__atomic_load_n(&p->tid, __ATOMIC_SEQ_CST))
		sched_yield();
	wait_blocked(getpid(), p->tid);
}

static void finish(const char *label, struct peer *p)
{
	pthread_join(p->thread, NULL);
	errno = p->error;
	show(label, p->result);
	if (p->result >= 0)
		note("%s: %s priority %u", label, p->text, p->priority);
}

CASE(mq_waiting)
{
	long q = make(O_RDWR);
	struct timespec soon;
	struct peer a, b, c;

	start(&a, (struct peer){ .q = q });
	start(&b, (struct peer){ .q = q });
	show("send", k_send(q, "one", 3, 7, NULL));
	finish("first receiver", &a);
	show("send", k_send(q, "two", 3, 9, NULL));
	finish("second receiver", &b);
	for (int i = 0; i < 3; i++)
		show("fill", k_send(q, "fill", 4, 3, NULL));
	start(&a, (struct peer){ .q = q, .sends = true, .text = "low", .priority = 1 });
	start(&b, (struct peer){ .q = q, .sends = true, .text = "high", .priority = 8 });
	show_receive("receive", q);
	finish("first sender", &a);
	show_receive("receive", q);
	finish("second sender", &b);
	for (int i = 0; i < 3; i++)
		show_receive("receive", q);
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_nsec += 50000000;
	if (soon.tv_nsec >= 1000000000) {
		soon.tv_sec++;
		soon.tv_nsec -= 1000000000;
	}
	start(&c, (struct peer){ .q = q, .time = &soon });
	finish("in time", &c);
	show_attr("attr", q);
}

/* Who waits is served by its own priority, then in order. */
CASE(mq_waiting_by_priority)
{
	static const int nice[] = { 12, 5, 19, 5 };
	struct peer peers[ARRAY_SIZE(nice)];
	long q = make(O_RDWR);
	char text[16];

	for (size_t i = 0; i < ARRAY_SIZE(nice); i++)
		start(&peers[i], (struct peer){ .q = q, .nice = nice[i] });
	for (size_t i = 0; i < ARRAY_SIZE(nice); i++) {
		snprintf(text, sizeof(text), "message %zu", i);
		show("send", k_send(q, text, strlen(text), 0, NULL));
	}
	for (size_t i = 0; i < ARRAY_SIZE(nice); i++)
		finish("receiver", &peers[i]);
	for (int i = 0; i < 3; i++)
		show("fill", k_send(q, "fill", 4, 3, NULL));
	for (size_t i = 0; i < ARRAY_SIZE(nice); i++) {
		struct peer as = { .q = q, .nice = nice[i], .sends = true };

		snprintf(as.text, sizeof(as.text), "sender %zu", i);
		start(&peers[i], as);
	}
	for (size_t i = 0; i < 3 + ARRAY_SIZE(nice); i++)
		show_receive("receive", q);
	for (size_t i = 0; i < ARRAY_SIZE(nice); i++)
		finish("sender", &peers[i]);
}

CASE(mq_open_emfile)
{
	char name[32];

	snprintf(name, sizeof(name), "conf-fd-%d", getpid());
	while (open("/dev/null", O_RDONLY) != -1)
		;
	show("create", k_open(name, O_CREAT | O_RDWR, 0600, &small));
	show("not there", k_open("conf-nothing", O_RDWR, 0, NULL));
	show("slash", k_open("/a", O_RDWR, 0, NULL));
	show("bad name", k_open(bad_ptr(), O_RDWR, 0, NULL));
	show("bad attributes", k_open(name, O_CREAT | O_RDWR, 0600, bad_ptr()));
	show("unlink", syscall(SYS_mq_unlink, name));
}

static volatile int handled;
static siginfo_t last;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	last = *info;
	handled++;
}

static void catch(int sig, int flags)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | flags };

	sigaction(sig, &sa, NULL);
}

CASE(mq_interrupted)
{
	long q = make(O_RDWR);
	struct peer p;

	catch(SIGUSR1, 0);
	start(&p, (struct peer){ .q = q });
	syscall(SYS_tgkill, getpid(), p.tid, SIGUSR1);
	finish("receive", &p);
	catch(SIGUSR1, SA_RESTART);
	start(&p, (struct peer){ .q = q });
	handled = 0;
	syscall(SYS_tgkill, getpid(), p.tid, SIGUSR1);
	while (!handled)
		sched_yield();
	wait_blocked(getpid(), p.tid);
	show("send", k_send(q, "on", 2, 0, NULL));
	finish("restarted", &p);
}

static void show_state(long q)
{
	char text[128];
	ssize_t n = pread((int)q, text, sizeof(text) - 1, 0);
	char *pid;

	text[n > 0 ? n : 0] = '\0';
	pid = strstr(text, "NOTIFY_PID:");
	if (pid) {
		note("of %d bytes, mine %d", (int)n, atoi(pid + 11) == getpid());
		*pid = '\0';
	}
	show_str("state", text);
}

static long notify_me(long q, int how, int sig)
{
	struct sigevent event = { .sigev_notify = how, .sigev_signo = sig, .sigev_value.sival_int = 77 };

	return syscall(SYS_mq_notify, (int)q, &event);
}

CASE(mq_notify_signal)
{
	long q = make(O_RDWR | O_NONBLOCK);
	char buf[16];

	catch(SIGUSR1, 0);
	show_state(q);
	show("ask", notify_me(q, SIGEV_SIGNAL, SIGUSR1));
	show("ask twice", notify_me(q, SIGEV_SIGNAL, SIGUSR1));
	show_state(q);
	RUN_CHILD("other process")
	{
		show("ask", notify_me(q, SIGEV_NONE, 0));
		show("not mine to end", syscall(SYS_mq_notify, (int)q, NULL));
		show("send", k_send(q, "x", 1, 0, NULL));
	}
	show_int("handled", handled);
	note("code %d signo %d value %d uid %d", last.si_code, last.si_signo, last.si_value.sival_int,
	     last.si_uid);
	show_state(q);
	show("ask, not empty", notify_me(q, SIGEV_SIGNAL, SIGUSR1));
	show("send", k_send(q, "y", 1, 0, NULL));
	show_int("handled", handled);
	show("receive", k_receive(q, buf, 16, NULL, NULL));
	show("receive", k_receive(q, buf, 16, NULL, NULL));
	show("send to empty", k_send(q, "z", 1, 0, NULL));
	show_int("handled", handled);
	show_int("pid", last.si_pid == getpid());
	show("receive", k_receive(q, buf, 16, NULL, NULL));
	show("ask", notify_me(q, SIGEV_SIGNAL, 0));
	show_state(q);
	show("end", syscall(SYS_mq_notify, (int)q, NULL));
	show("end twice", syscall(SYS_mq_notify, (int)q, NULL));
	show_state(q);
	show("ask for nothing", notify_me(q, SIGEV_NONE, 0));
	show_state(q);
	show("send", k_send(q, "z", 1, 0, NULL));
	show_state(q);
	show("ask", notify_me(q, SIGEV_NONE, 0));
	close(dup((int)q));
	show_state(q);
	show("bad signal", notify_me(q, SIGEV_SIGNAL, 65));
	show("bad signal", notify_me(q, SIGEV_SIGNAL, -1));
	show("bad notify", notify_me(q, SIGEV_THREAD_ID, 10));
	show("bad notify", notify_me(q, 77, 10));
	show("EFAULT", syscall(SYS_mq_notify, (int)q, bad_ptr()));
	show("EBADF", notify_me(-1, SIGEV_NONE, 0));
	show("a file", notify_me(1, SIGEV_NONE, 0));
}

CASE(mq_notify_receiver_first)
{
	long q = make(O_RDWR);
	struct peer p;

	catch(SIGUSR1, 0);
	show("ask", notify_me(q, SIGEV_SIGNAL, SIGUSR1));
	start(&p, (struct peer){ .q = q });
	show("send", k_send(q, "to it", 5, 2, NULL));
	finish("receiver", &p);
	show_int("handled", handled);
	show_state(q);
}

CASE(mq_notify_socket)
{
	int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), pair[2];
	long q = make(O_RDWR | O_NONBLOCK);
	char cookie[COOKIE_SIZE], got[64];
	struct sigevent event = { .sigev_notify = SIGEV_THREAD, .sigev_signo = s,
				  .sigev_value.sival_ptr = cookie };

	memset(cookie, 'k', sizeof(cookie));
	show("ask", syscall(SYS_mq_notify, (int)q, &event));
	show("ask twice", syscall(SYS_mq_notify, (int)q, &event));
	show_state(q);
	show("nothing yet", recv(s, got, sizeof(got), 0));
	show("send", k_send(q, "x", 1, 0, NULL));
	show_data("told", got, recv(s, got, sizeof(got), 0));
	show("ask", syscall(SYS_mq_notify, (int)q, &event));
	show("end", syscall(SYS_mq_notify, (int)q, NULL));
	show_data("told", got, recv(s, got, sizeof(got), 0));
	show("ask", syscall(SYS_mq_notify, (int)q, &event));
	close(dup((int)q));
	show_data("closed", got, recv(s, got, sizeof(got), 0));
	event.sigev_value.sival_ptr = bad_ptr();
	show("cookie EFAULT", syscall(SYS_mq_notify, -1, &event));
	event.sigev_value.sival_ptr = cookie;
	event.sigev_signo = -1;
	show("socket EBADF", syscall(SYS_mq_notify, (int)q, &event));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	event.sigev_signo = pair[0];
	show("another family", syscall(SYS_mq_notify, (int)q, &event));
	event.sigev_signo = (int)q;
	show("no socket", syscall(SYS_mq_notify, (int)q, &event));
	event.sigev_signo = s;
	show("queue EBADF", syscall(SYS_mq_notify, -1, &event));
}

static void on_thread(union sigval value)
{
	__atomic_store_n((int *)value.sival_ptr, 1, __ATOMIC_SEQ_CST);
}

/* The C library's own use of it. */
CASE(mq_notify_thread)
{
	int told = 0;
	long q = make(O_RDWR);
	struct sigevent event = { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = on_thread,
				  .sigev_value.sival_ptr = &told };

	show("mq_notify", mq_notify((mqd_t)q, &event));
	show("send", mq_send((mqd_t)q, "x", 1, 0));
	while (!__atomic_load_n(&told, __ATOMIC_SEQ_CST))
		sched_yield();
	show_int("told", told);
}

CASE(mq_poll)
{
	long q = make(O_RDWR);
	struct pollfd p = { .fd = (int)q, .events = POLLIN | POLLOUT };
	char buf[16];

	show("poll", poll(&p, 1, 0));
	show_hex("empty", (unsigned)p.revents);
	for (int i = 0; i < 3; i++)
		MUST(k_send(q, "x", 1, 0, NULL));
	show("poll", poll(&p, 1, 0));
	show_hex("full", (unsigned)p.revents);
	MUST(k_receive(q, buf, 16, NULL, NULL));
	show("poll", poll(&p, 1, 0));
	show_hex("between", (unsigned)p.revents);
	p.events = POLLIN;
	for (int i = 0; i < 2; i++)
		MUST(k_receive(q, buf, 16, NULL, NULL));
	RUN_CHILD("wakes")
	{
		sleep_ms(30);
		MUST(k_send(q, "x", 1, 0, NULL));
		show("poll", poll(&p, 1, 30000));
	}
	show("poll", poll(&p, 1, 30000));
}

/* A file system of its own, seen through two mounts of a new IPC namespace. */
CASE(mq_file_system)
{
	struct statfs fs;
	struct stat st;
	char buf[16];
	long fd;

	enter_user_namespace();
	MUST(unshare(CLONE_NEWIPC | CLONE_NEWNS));
	MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	MUST(mkdir("a", 0700));
	MUST(mkdir("b", 0700));
	show("mount", mount("mqueue", "a", "mqueue", 0, NULL));
	show("mount", mount("mqueue", "b", "mqueue", 0, NULL));
	show("options", mount("mqueue", "b", "mqueue", 0, "mode=700"));
	MUST(statfs("a", &fs));
	note("type %#lx bsize %ld namelen %ld", (long)fs.f_type, (long)fs.f_bsize, (long)fs.f_namelen);
	MUST(stat("a", &st));
	note("mode %o nlink %d size %lld", st.st_mode, (int)st.st_nlink, (long long)st.st_size);
	show_ok("mq_open", k_open("q1", O_CREAT | O_RDWR, 0640, &small));
	show_stat("seen", "b/q1");
	MUST(stat("b", &st));
	show_int("size", st.st_size);
	show_ok("open", fd = open("a/q2", O_CREAT | O_RDWR, 0600));
	show_attr("is a queue", fd);
	show("send", k_send(fd, "x", 1, 4, NULL));
	show_data("state", buf, read((int)fd, buf, sizeof(buf)));
	show_int("seek", lseek((int)fd, 0, SEEK_CUR));
	show_int("end", lseek((int)fd, 0, SEEK_END));
	show_ok("mq_open of it", k_open("q2", O_RDONLY, 0, NULL));
	show("mkdir", mkdir("a/d", 0700));
	show("symlink", symlink("x", "a/s"));
	show("link", link("a/q1", "a/l"));
	show("rename", rename("a/q1", "a/r"));
	show("mkfifo", mkfifo("a/f", 0600));
	show("chmod", chmod("a/q1", 0604));
	show_stat("seen", "b/q1");
	show("unlink", unlink("b/q1"));
	show("gone", k_open("q1", O_RDONLY, 0, NULL));
	show("mq_unlink", syscall(SYS_mq_unlink, "q2"));
	show("gone", access("a/q2", F_OK));
	show_ok("again", k_open("q2", O_CREAT | O_RDONLY, 0600, NULL));
	show("back", access("a/q2", F_OK));
	show_file("queues_max", "/proc/sys/fs/mqueue/queues_max");
	RUN_CHILD("another namespace")
	{
		MUST(unshare(CLONE_NEWIPC));
		show("not there", k_open("q2", O_RDONLY, 0, NULL));
		show_ok("open by path", open("a/q2", O_RDONLY));
		show_ok("create by path", open("a/q3", O_CREAT | O_RDONLY, 0600));
		show_ok("create", k_open("q9", O_CREAT | O_RDONLY, 0600, NULL));
		show("not in that", access("a/q9", F_OK));
	}
}

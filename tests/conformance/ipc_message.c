/* SPDX-License-Identifier: Apache-2.0
 *
 * System V message queues.
 */
#include "conformance.h"

#include <limits.h>
#include <sys/ipc.h>
#include <sys/msg.h>

struct message {
	long type;
	char text[8200];
};

static struct message buf;

static long put(int id, long type, const char *text, int flags)
{
	buf.type = type;
	strcpy(buf.text, text);
	return syscall(SYS_msgsnd, id, &buf, strlen(text), flags);
}

static void get(const char *label, int id, size_t size, long type, int flags)
{
	memset(&buf, 0, sizeof(buf));
	long rc = syscall(SYS_msgrcv, id, &buf, size, type, flags);

	if (rc < 0)
		show(label, rc);
	else
		note("%s: %ld type %ld text %.*s", label, rc, buf.type, (int)rc, buf.text);
}

static void show_queue(const char *label, int id)
{
	struct msqid_ds ds;

	memset(&ds, 0, sizeof(ds));
	show(label, msgctl(id, IPC_STAT, &ds));
	note("mode %o uid %d gid %d cuid %d bytes %lu count %lu limit %lu", ds.msg_perm.mode,
	     ds.msg_perm.uid, ds.msg_perm.gid, ds.msg_perm.cuid, ds.__msg_cbytes, ds.msg_qnum,
	     ds.msg_qbytes);
	note("send pid %d receive pid %d times %d %d %d", ds.msg_lspid == getpid(),
	     ds.msg_lrpid == getpid(), ds.msg_stime != 0, ds.msg_rtime != 0, ds.msg_ctime != 0);
}

CASE(message_order)
{
	int id = msgget(IPC_PRIVATE, 0600);

	show_ok("get", id);
	show_queue("empty", id);
	put(id, 3, "three", 0);
	put(id, 1, "one", 0);
	put(id, 2, "", 0);
	put(id, 1, "another one", 0);
	show_queue("four", id);
	get("type 2", id, 100, 2, 0);
	get("lowest up to 2", id, 100, -2, 0);
	get("except 1", id, 100, 1, MSG_EXCEPT);
	get("too small", id, 3, 0, 0);
	get("cut", id, 3, 0, MSG_NOERROR);
	get("none", id, 100, 0, IPC_NOWAIT);
	put(id, LONG_MAX, "last", 0);
	get("lowest of all", id, 100, LONG_MIN, 0);
	show_queue("empty again", id);
	show("remove", msgctl(id, IPC_RMID, NULL));
	show("send", put(id, 1, "x", 0));
	get("receive", id, 100, 0, 0);
	show("stat", msgctl(id, IPC_STAT, (struct msqid_ds *)&buf));
	show("remove again", msgctl(id, IPC_RMID, NULL));
}

CASE(message_errors)
{
	int id = msgget(IPC_PRIVATE, 0600);
	struct msqid_ds ds;

	show("no key", msgget(0x4d6f6174, 0600));
	show("type 0", put(id, 0, "x", 0));
	show("negative type", put(id, -1, "x", 0));
	show("bad id", put(-1, 1, "x", 0));
	show("other id", put(id + 1, 1, "x", IPC_NOWAIT));
	show("too large", syscall(SYS_msgsnd, id, &buf, 8193, 0));
	show("negative size", syscall(SYS_msgsnd, id, &buf, -1L, 0));
	show("bad address", syscall(SYS_msgsnd, id, bad_ptr(), 1, 0));
	show("bad address and size", syscall(SYS_msgsnd, id, bad_ptr(), 9000, 0));
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(page + 4096, 4096);
	*(long *)(page + 4088) = 1;
	show("text at a bad address", syscall(SYS_msgsnd, id, page + 4088, 1, 0));
	show("receive negative size", syscall(SYS_msgrcv, id, &buf, -1L, 0, 0));
	show("receive bad id", syscall(SYS_msgrcv, -1, &buf, 1, 0, 0));
	put(id, 1, "lost", 0);
	show("receive to a bad address", syscall(SYS_msgrcv, id, bad_ptr(), 100, 0, 0));
	get("after it", id, 100, 0, IPC_NOWAIT);
	show("stat to a bad address", msgctl(id, IPC_STAT, bad_ptr()));
	show("set from a bad address", msgctl(id, IPC_SET, bad_ptr()));
	show("unknown command", msgctl(id, 99, &ds));
	show("negative command", msgctl(id, -1, &ds));
	show("negative id", msgctl(-1, IPC_STAT, &ds));
	show("copy without nowait", syscall(SYS_msgrcv, id, &buf, 100, 0, 040000));
	show("copy with except", syscall(SYS_msgrcv, id, &buf, 100, 0, 040000 | IPC_NOWAIT | MSG_EXCEPT));
	msgctl(id, IPC_RMID, NULL);
}

CASE(message_copy)
{
	int id = msgget(IPC_PRIVATE, 0600);

	put(id, 5, "first", 0);
	put(id, 6, "second", 0);
	get("number 1", id, 100, 1, MSG_COPY | IPC_NOWAIT);
	get("number 0", id, 100, 0, MSG_COPY | IPC_NOWAIT);
	get("number 2", id, 100, 2, MSG_COPY | IPC_NOWAIT);
	get("small", id, 2, 0, MSG_COPY | IPC_NOWAIT);
	get("small, cut", id, 2, 0, MSG_COPY | IPC_NOWAIT | MSG_NOERROR);
	show_queue("after", id);
	msgctl(id, IPC_RMID, NULL);
}

CASE(message_keys)
{
	key_t key = 0x6d6f6174;
	int id = msgget(key, IPC_CREAT | 0640);

	show_ok("create", id);
	show("same", msgget(key, 0) == id);
	show("exclusive", msgget(key, IPC_CREAT | IPC_EXCL | 0600));
	show_queue("status", id);
	RUN_CHILD("user")
	{
		struct msqid_ds ds;

		become_user(1000);
		show("open to read", msgget(key, 0400));
		show_ok("open", msgget(key, 0));
		show("send", put(id, 1, "x", 0));
		get("receive", id, 10, 0, IPC_NOWAIT);
		show("stat", msgctl(id, IPC_STAT, &ds));
		show("set", msgctl(id, IPC_SET, &ds));
		show("remove", msgctl(id, IPC_RMID, NULL));
	}
	struct msqid_ds ds;
	MUST(msgctl(id, IPC_STAT, &ds));
	ds.msg_perm.mode = 0666;
	ds.msg_perm.uid = 1000;
	ds.msg_qbytes = 100;
	show("set", msgctl(id, IPC_SET, &ds));
	show_queue("status", id);
	ds.msg_qbytes = 16385;
	show("set a larger limit", msgctl(id, IPC_SET, &ds));
	RUN_CHILD("owner")
	{
		become_user(1000);
		show("send", put(id, 1, "x", 0));
		ds.msg_qbytes = 16385;
		show("a larger limit", msgctl(id, IPC_SET, &ds));
		show("remove", msgctl(id, IPC_RMID, NULL));
	}
}

CASE(message_limit)
{
	int id = msgget(IPC_PRIVATE, 0600), count = 0;
	struct msqid_ds ds;

	buf.type = 1;
	while (syscall(SYS_msgsnd, id, &buf, 8192, IPC_NOWAIT) == 0)
		count++;
	note("%d of 8192, then %s", count, errno_name(errno));
	show("one byte more", syscall(SYS_msgsnd, id, &buf, 1, IPC_NOWAIT));
	show("none more", syscall(SYS_msgsnd, id, &buf, 0, IPC_NOWAIT));
	MUST(msgctl(id, IPC_STAT, &ds));
	ds.msg_qbytes = 3;
	MUST(msgctl(id, IPC_SET, &ds));
	get("with a smaller limit", id, 2, 0, MSG_NOERROR);
	get("with a smaller limit", id, 2, 0, MSG_NOERROR);
	get("with a smaller limit", id, 2, 0, MSG_NOERROR | IPC_NOWAIT);
	for (count = 0; syscall(SYS_msgsnd, id, &buf, 0, IPC_NOWAIT) == 0;)
		count++;
	note("%d empty ones, then %s", count, errno_name(errno));
	msgctl(id, IPC_RMID, NULL);
}

CASE(message_limit_width)
{
	static const msglen_t limits[] = { 16384, 16385, 1UL << 30, 1UL << 31, 0xffffffff, 1UL << 32,
					   (1UL << 32) + 5, 1UL << 63, (msglen_t)-1 };
	int id = msgget(IPC_PRIVATE, 0600);
	struct msqid_ds ds;

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		MUST(msgctl(id, IPC_STAT, &ds));
		ds.msg_qbytes = limits[i];
		note("limit %lx", limits[i]);
		show("set", msgctl(id, IPC_SET, &ds));
		MUST(msgctl(id, IPC_STAT, &ds));
		show_hex("is", ds.msg_qbytes);
	}
	msgctl(id, IPC_RMID, NULL);
}

CASE(message_info)
{
	struct msginfo info;

	show_ok("info", msgctl(0, IPC_INFO, (struct msqid_ds *)&info));
	note("%d %d %d %d %d", info.msgmax, info.msgmnb, info.msgssz, info.msgtql, info.msgseg);
	show("bad address", msgctl(0, MSG_INFO, bad_ptr()));
}

static void nothing(int signo)
{
	(void)signo;
}

/* A child that sleeps in a send or a receive, and what ends it. */
static pid_t sleeper(int id, bool send, int flags)
{
	struct sigaction action = { .sa_handler = nothing, .sa_flags = flags };
	pid_t pid = (pid_t)MUST(fork());

	if (!pid) {
		sigaction(SIGUSR1, &action, NULL);
		if (send)
			show("sent", put(id, 9, "waited", 0));
		else
			get("received", id, 100, 7, 0);
		_exit(0);
	}
	wait_blocked(pid, pid);
	return pid;
}

CASE(message_sleep)
{
	int id = msgget(IPC_PRIVATE, 0600);
	struct msqid_ds ds;
	pid_t pid = sleeper(id, false, 0);

	show("another type", put(id, 8, "not this", 0));
	MUST(put(id, 7, "this", 0));
	show_wait("receiver", pid);
	pid = sleeper(id, false, 0);
	kill(pid, SIGUSR1);
	show_wait("interrupted", pid);
	pid = sleeper(id, false, SA_RESTART);
	kill(pid, SIGUSR1);
	show_wait("interrupted for restart", pid);
	MUST(msgctl(id, IPC_STAT, &ds));
	ds.msg_qbytes = 10;
	MUST(msgctl(id, IPC_SET, &ds));
	pid = sleeper(id, true, 0);
	MUST(syscall(SYS_msgrcv, id, &buf, 100, 0, 0));
	show_wait("sender", pid);
	pid = sleeper(id, true, 0);
	ds.msg_qbytes = 1000;
	MUST(msgctl(id, IPC_SET, &ds));
	show_wait("sender", pid);
	pid = sleeper(id, false, 0);
	MUST(msgctl(id, IPC_RMID, NULL));
	show_wait("receiver", pid);
}

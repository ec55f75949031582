/* SPDX-License-Identifier: Apache-2.0 */
/*
 * volume_peer: does to files what it reads, a command a line, and answers each with a line: what came of
 * it, or the error's name.  Two of them, in two containers, show what they share (volumes.bats).  What is
 * open is kept in slots, which commands name by a number.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SLOTS 16
#define MAP_BYTES 4096
#define TEXT_MAX 256

static int slots[SLOTS];
static volatile uint32_t *maps[SLOTS];
static char *words[6]; /* of the command, its name first; "" where there are no more */
static volatile sig_atomic_t signals;

static void count_signal(int signo)
{
	(void)signo;
	signals++;
}

static int number(int word)
{
	return atoi(words[word]);
}

static int *slot(int word)
{
	return &slots[(unsigned)number(word) % SLOTS];
}

static volatile uint32_t *map(int word)
{
	return maps[(unsigned)number(word) % SLOTS];
}

/* A new descriptor goes into the slot that @word names. */
static int keep(int word, int fd)
{
	if (fd < 0)
		return -1;
	*slot(word) = fd;
	return 0;
}

/* --- sockets ------------------------------------------------------------------------------ */

static struct sockaddr_un address(int word)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	strncpy(a.sun_path, words[word], sizeof(a.sun_path) - 1);
	return a;
}

static int socket_type(void)
{
	if (!strcmp(words[1], "stream"))
		return SOCK_STREAM;
	return !strcmp(words[1], "dgram") ? SOCK_DGRAM : SOCK_SEQPACKET;
}

static int do_bind(void)
{
	struct sockaddr_un a = address(2);
	int fd = socket(AF_UNIX, socket_type(), 0);

	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return -1;
	if (socket_type() != SOCK_DGRAM && listen(fd, 5) < 0)
		return -1;
	return keep(3, fd);
}

static int do_connect(void)
{
	struct sockaddr_un a = address(2);
	int fd = socket(AF_UNIX, socket_type(), 0);

	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return -1;
	return keep(3, fd);
}

static int do_accept(void)
{
	return keep(2, accept(*slot(1), NULL, NULL));
}

/* Who the other end is, as far as it can be named from here. */
static int do_peer(void)
{
	struct ucred cred;
	socklen_t size = sizeof(cred);

	if (getsockopt(*slot(1), SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
		return -1;
	printf("pid %d uid %d ", cred.pid, (int)cred.uid);
	return 0;
}

static int do_send_fd(void)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (char[]){ "f" }, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			      .msg_controllen = sizeof(control.bytes) };

	control.header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
					   .cmsg_len = CMSG_LEN(sizeof(int)) };
	memcpy(CMSG_DATA(&control.header), slot(2), sizeof(int));
	return sendmsg(*slot(1), &msg, 0) < 0 ? -1 : 0;
}

static int do_receive_fd(void)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			      .msg_controllen = sizeof(control.bytes) };

	if (recvmsg(*slot(1), &msg, 0) < 0)
		return -1;
	if (msg.msg_controllen < sizeof(control.header))
		return errno = ENOMSG, -1;
	memcpy(slot(2), CMSG_DATA(&control.header), sizeof(int));
	return 0;
}

/* --- files -------------------------------------------------------------------------------- */

static int open_flags(const char *letters)
{
	int flags = strchr(letters, 'r') ? O_RDONLY : O_WRONLY;

	if (strchr(letters, 'r') && strchr(letters, 'w'))
		flags = O_RDWR;
	flags |= strchr(letters, 'c') ? O_CREAT : 0;
	flags |= strchr(letters, 'x') ? O_EXCL : 0;
	flags |= strchr(letters, 'a') ? O_APPEND : 0;
	flags |= strchr(letters, 't') ? O_TRUNC : 0;
	flags |= strchr(letters, 'n') ? O_NONBLOCK : 0;
	return flags | (strchr(letters, 'd') ? O_DIRECTORY : 0);
}

static int do_open(void)
{
	return keep(3, open(words[1], open_flags(words[2]), 0644));
}

static int do_close(void)
{
	return close(*slot(1));
}

static int do_write(void)
{
	return write(*slot(1), words[2], strlen(words[2])) < 0 ? -1 : 0;
}

static int do_read(void)
{
	char text[TEXT_MAX];
	ssize_t n = read(*slot(1), text, sizeof(text) - 1);

	if (n < 0)
		return -1;
	printf("\"%.*s\" ", (int)n, text);
	return 0;
}

static int do_seek(void)
{
	return lseek(*slot(1), number(2), SEEK_SET) < 0 ? -1 : 0;
}

static int show(const struct stat *st)
{
	printf("mode %o nlink %d uid %d size %lld ", st->st_mode, (int)st->st_nlink, (int)st->st_uid,
	       (long long)st->st_size);
	return 0;
}

static int do_stat(void)
{
	struct stat st;

	return lstat(words[1], &st) < 0 ? -1 : show(&st);
}

static int do_fstat(void)
{
	struct stat st;

	return fstat(*slot(1), &st) < 0 ? -1 : show(&st);
}

/* Are a descriptor and a path the same file? */
static int do_same(void)
{
	struct stat a, b;

	if (fstat(*slot(1), &a) < 0 || stat(words[2], &b) < 0)
		return -1;
	printf("%s ", a.st_dev == b.st_dev && a.st_ino == b.st_ino ? "same" : "different");
	return 0;
}

static int do_chmod(void)
{
	return chmod(words[1], (mode_t)strtol(words[2], NULL, 8));
}

static int do_chown(void)
{
	return chown(words[1], (uid_t)number(2), (gid_t)number(2));
}

static int do_truncate(void)
{
	return truncate(words[1], number(2));
}

static int do_rename(void)
{
	return rename(words[1], words[2]);
}

static int do_link(void)
{
	return link(words[1], words[2]);
}

static int do_unlink(void)
{
	return unlink(words[1]);
}

static int do_mkdir(void)
{
	return mkdir(words[1], 0755);
}

static int do_rmdir(void)
{
	return rmdir(words[1]);
}

static int do_mkfifo(void)
{
	return mkfifo(words[1], 0644);
}

static int do_chdir(void)
{
	return chdir(words[1]);
}

static int do_execute(void)
{
	pid_t pid = vfork();
	int status;

	if (pid == 0) {
		execl(words[1], words[1], (char *)NULL);
		_exit(errno);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	errno = WEXITSTATUS(status);
	return errno ? -1 : 0;
}

/* How many names of a directory were ours: with another one at it they are shared out. */
static int do_exclusive(void)
{
	char path[TEXT_MAX];
	int made = 0;

	for (int i = 0; i < number(2); i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/%d", words[1], i);
		fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0644);
		if (fd < 0 && errno != EEXIST)
			return -1;
		made += fd >= 0;
		close(fd);
	}
	printf("%d ", made);
	return 0;
}

static int do_append(void)
{
	int fd = open(words[1], O_CREAT | O_APPEND | O_WRONLY, 0644);

	for (int i = 0; i < number(2); i++) {
		if (write(fd, words[3], strlen(words[3])) < 0)
			return -1;
	}
	return close(fd);
}

/* --- locks -------------------------------------------------------------------------------- */

static int do_flock(void)
{
	int how = !strcmp(words[2], "shared") ? LOCK_SH : LOCK_EX;

	if (!strcmp(words[2], "none"))
		how = LOCK_UN;
	return flock(*slot(1), how | (!strcmp(words[3], "wait") ? 0 : LOCK_NB));
}

static struct flock range(void)
{
	struct flock l = { .l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = number(3),
			   .l_len = number(4) };

	if (*words[2] == 'r' || *words[2] == 'w')
		l.l_type = *words[2] == 'r' ? F_RDLCK : F_WRLCK;
	return l;
}

static int do_lock(void)
{
	struct flock l = range();

	return fcntl(*slot(1), F_SETLK, &l);
}

static int do_lock_wait(void)
{
	struct flock l = range();

	return fcntl(*slot(1), F_SETLKW, &l);
}

static int do_lock_ofd(void)
{
	struct flock l = range();

	return fcntl(*slot(1), F_OFD_SETLK, &l);
}

static int do_get_lock(void)
{
	struct flock l = range();

	if (fcntl(*slot(1), F_GETLK, &l) < 0)
		return -1;
	printf("type %d start %lld len %lld pid %d ", l.l_type, (long long)l.l_start,
	       (long long)l.l_len, (int)l.l_pid);
	return 0;
}

static int do_lease(void)
{
	signal(SIGIO, count_signal);
	return fcntl(*slot(1), F_SETLEASE,
		     *words[2] == 'r' ? F_RDLCK : *words[2] == 'w' ? F_WRLCK : F_UNLCK);
}

/* How many SIGIO there were, at least as many as were waited for. */
static int do_signals(void)
{
	for (int i = 0; i < 200 && signals < number(1); i++)
		nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
	printf("%d ", (int)signals);
	return 0;
}

/* --- memory ------------------------------------------------------------------------------- */

static int do_map(void)
{
	void *p = mmap(NULL, MAP_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, *slot(1), 0);

	if (p == MAP_FAILED)
		return -1;
	maps[(unsigned)number(1) % SLOTS] = p;
	return 0;
}

static int do_poke(void)
{
	map(1)[0] = (uint32_t)number(2);
	return 0;
}

static int do_peek(void)
{
	printf("%u ", map(1)[0]);
	return 0;
}

static int do_futex_wait(void)
{
	struct timespec limit = { 5, 0 };

	return (int)syscall(SYS_futex, map(1), FUTEX_WAIT, number(2), &limit, NULL, 0);
}

/* Until somebody was woken: who waits may not be there yet. */
static int do_futex_wake(void)
{
	long woken = 0;

	for (int i = 0; i < 300 && woken == 0; i++) {
		woken = syscall(SYS_futex, map(1), FUTEX_WAKE, 1, NULL, NULL, 0);
		if (woken == 0)
			nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
	}
	printf("%ld ", woken);
	return 0;
}

/* --- watches ------------------------------------------------------------------------------ */

static int do_inotify(void)
{
	return keep(1, inotify_init1(IN_NONBLOCK));
}

static int do_watch(void)
{
	int wd = inotify_add_watch(*slot(1), words[2], IN_ALL_EVENTS);

	if (wd < 0)
		return -1;
	printf("%d ", wd);
	return 0;
}

static int do_events(void)
{
	char bytes[TEXT_MAX * 16] __attribute__((aligned(8)));
	ssize_t n = read(*slot(1), bytes, sizeof(bytes));

	if (n < 0)
		return -1;
	for (char *p = bytes; p < bytes + n;) {
		const struct inotify_event *e = (const void *)p;

		printf("%d:%x:%s ", e->wd, e->mask, e->len ? e->name : "");
		p += sizeof(*e) + e->len;
	}
	return 0;
}

/* --- commands ----------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int (*run)(void);
} commands[] = {
	{ "bind", do_bind },	     { "connect", do_connect },
	{ "accept", do_accept },     { "peer", do_peer },
	{ "send-fd", do_send_fd },   { "receive-fd", do_receive_fd },
	{ "open", do_open },	     { "close", do_close },
	{ "write", do_write },	     { "read", do_read },
	{ "seek", do_seek },	     { "stat", do_stat },
	{ "fstat", do_fstat },	     { "same", do_same },
	{ "chmod", do_chmod },	     { "chown", do_chown },
	{ "truncate", do_truncate }, { "rename", do_rename },
	{ "link", do_link },	     { "unlink", do_unlink },
	{ "mkdir", do_mkdir },	     { "rmdir", do_rmdir },
	{ "mkfifo", do_mkfifo },     { "chdir", do_chdir },
	{ "execute", do_execute },   { "exclusive", do_exclusive },
	{ "append", do_append },     { "flock", do_flock },
	{ "lock", do_lock },	     { "lock-wait", do_lock_wait },
	{ "lock-ofd", do_lock_ofd }, { "get-lock", do_get_lock },
	{ "lease", do_lease },	     { "signals", do_signals },
	{ "map", do_map },	     { "poke", do_poke },
	{ "peek", do_peek },	     { "futex-wait", do_futex_wait },
	{ "futex-wake", do_futex_wake }, { "inotify", do_inotify },
	{ "watch", do_watch },	     { "events", do_events },
};

static int run(void)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!strcmp(commands[i].name, words[0]))
			return commands[i].run();
	}
	errno = ENOSYS;
	return -1;
}

int main(void)
{
	static char nothing[1];
	char line[TEXT_MAX], *rest;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		char *next = strtok_r(line, " \n", &rest);

		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			words[i] = next ? next : nothing;
			next = next ? strtok_r(NULL, " \n", &rest) : NULL;
		}
		printf("%s: ", words[0]);
		errno = 0;
		if (run() < 0)
			printf("%s\n", strerrorname_np(errno));
		else
			printf("ok\n");
	}
	return 0;
}

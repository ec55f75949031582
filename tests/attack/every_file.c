/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every file that the sentry makes up, below /proc, /sys and /dev, and one of each kind that has no
 * name: opened in every way, and then each call that takes a file is made with it, whether or not
 * that makes sense.  What a file cannot do is refused; nothing else happens.
 */
#include "attack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

#define CHILD_MS 20000
#define DEPTH_MAX 6
#define NAMELESS 23
#define SIZE_MAX_ 65536

static char buffer[SIZE_MAX_];
static void *volatile nowhere = (void *)1;
static unsigned files;

/* --- one file ------------------------------------------------------------------------------- */

static const int64_t positions[] = { 0, 1, 7, 4096, INT_MAX, 1LL << 40, LLONG_MAX, -1, LLONG_MIN };

/* Neither a number nor a word that means something. */
static const char garbage[] = "\377 garbage\n\0 and more";

static void read_and_write(int fd, bool writes)
{
	static const size_t sizes[] = { 0, 1, sizeof(garbage), SIZE_MAX_ };
	struct iovec parts[2] = { { buffer, 3 }, { buffer + 100, 5 } };
	ssize_t n;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		n = read(fd, buffer, sizes[i]);
		for (size_t p = 0; p < sizeof(positions) / sizeof(*positions); p++)
			n = pread(fd, buffer, sizes[i], positions[p]);
	}
	n = readv(fd, parts, 2);
	n = preadv2(fd, parts, 2, 3, RWF_NOWAIT);
	n = read(fd, nowhere, 16);
	if (writes) {
		n = write(fd, garbage, 0);
		n = write(fd, garbage, sizeof(garbage));
		n = write(fd, nowhere, 16);
		for (size_t p = 0; p < sizeof(positions) / sizeof(*positions); p++)
			n = pwrite(fd, garbage, sizeof(garbage), positions[p]);
		n = pwritev2(fd, parts, 2, -1, RWF_DSYNC);
	}
	(void)n;
}

static void move(int fd)
{
	for (int whence = -1; whence <= 5; whence++)
		for (size_t p = 0; p < sizeof(positions) / sizeof(*positions); p++)
			lseek(fd, positions[p], whence);
	lseek(fd, 0, SEEK_SET);
}

static void map(int fd)
{
	static const int kinds[] = { MAP_PRIVATE, MAP_SHARED, MAP_SHARED_VALIDATE };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, kinds[i], fd, 0);

		if (p != MAP_FAILED)
			munmap(p, 8192);
		p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, kinds[i], fd, 1LL << 44);
		if (p != MAP_FAILED)
			munmap(p, 4096);
	}
}

/* Numbers of all that the sentry serves, and what lies around them. */
static void control(int fd)
{
	static const unsigned types[] = {
		'T', 'f', 'X', 0x12, 0xb7, 0xb8, '!', 'i', 'r', 0x89, 0x54
	};

	for (size_t t = 0; t < sizeof(types) / sizeof(*types); t++)
		for (unsigned nr = 0; nr < 128; nr++) {
			unsigned number = types[t] << 8 | nr;

			/* Its own terminal is not to be taken away: hang-ups and simulated input.
			 */
			if (number == 0x5437 || number == 0x5412)
				continue;
			memset(buffer, 0, 256);
			ioctl(fd, number, buffer);
			ioctl(fd, number | 0x80000000 | 8 << 16, buffer);
			ioctl(fd, number | 0x40000000 | 8 << 16, nowhere);
			ioctl(fd, number | 0xc0000000 | 24 << 16, buffer);
		}
	for (int cmd = 0; cmd <= 16; cmd++) {
		if (cmd == F_SETFL)
			fcntl(fd, cmd, O_NONBLOCK | O_APPEND | O_ASYNC);
		else if (cmd != F_SETOWN && cmd != F_SETSIG && cmd != F_SETLKW)
			fcntl(fd, cmd, buffer);
	}
	for (int cmd = 1024; cmd < 1045; cmd++)
		fcntl(fd, cmd, 1);
}

static void change(int fd, bool writes)
{
	struct stat st;
	struct statfs fs;
	struct timespec times[2] = { { 0, UTIME_OMIT }, { 0, UTIME_OMIT } };

	fstat(fd, &st);
	fstatfs(fd, &fs);
	fsync(fd);
	fdatasync(fd);
	sync_file_range(fd, 0, 0, 7);
	posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED);
	readahead(fd, 0, 4096);
	futimens(fd, times);
	flock(fd, LOCK_SH | LOCK_NB);
	flock(fd, LOCK_UN);
	fgetxattr(fd, "user.x", buffer, 64);
	flistxattr(fd, buffer, 64);
	fsetxattr(fd, "security.x", "", 0, 0);
	fremovexattr(fd, "trusted.x");
	if (writes) {
		CHECK(ftruncate(fd, -1) == -1);
		for (int mode = 0; mode < 128; mode++)
			fallocate(fd, mode, 0, 1);
	}
}

static void pass_on(int fd)
{
	int ends[2], null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	off_t at = 0;
	ssize_t n;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return;
	n = splice(fd, NULL, ends[1], NULL, 100, SPLICE_F_NONBLOCK);
	n = splice(fd, &at, ends[1], NULL, 100, SPLICE_F_NONBLOCK);
	n = write(ends[1], garbage, sizeof(garbage));
	n = splice(ends[0], NULL, fd, NULL, 100, SPLICE_F_NONBLOCK);
	n = tee(fd, ends[1], 100, SPLICE_F_NONBLOCK);
	n = sendfile(null, fd, NULL, 100);
	n = sendfile(fd, null, NULL, 100);
	n = copy_file_range(fd, NULL, null, NULL, 100, 0);
	n = copy_file_range(null, NULL, fd, NULL, 100, 0);
	(void)n;
	close(ends[0]);
	close(ends[1]);
	close(null);
}

static void wait_for(int fd)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET };
	struct pollfd entry = { fd, 0x7fff, 0 };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	poll(&entry, 1, 0);
	epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	epoll_wait(epoll, &event, 1, 0);
	epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &event);
	close(epoll);
}

/* As a directory, a socket, a queue, a process, a namespace, a program. */
static void mistake(int fd)
{
	struct sockaddr_storage name;
	socklen_t size = sizeof(name);
	struct itimerspec timer = { 0 };
	char *argv[] = { (char *)"x", NULL };
	int value = 1;

	syscall(SYS_getdents64, fd, buffer, SIZE_MAX_);
	close(openat(fd, "x", O_RDONLY | O_CLOEXEC));
	close(openat(fd, "..", O_RDONLY | O_CLOEXEC | O_DIRECTORY));
	mkdirat(fd, "x", 0700);
	readlinkat(fd, "", buffer, 64);
	getsockname(fd, (struct sockaddr *)&name, &size);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, sizeof(value));
	listen(fd, 1);
	accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	send(fd, garbage, sizeof(garbage), MSG_DONTWAIT | MSG_NOSIGNAL);
	recv(fd, buffer, 64, MSG_DONTWAIT);
	timerfd_settime(fd, 0, &timer, NULL);
	inotify_add_watch(fd, "/", IN_ACCESS);
	syscall(SYS_mq_timedreceive, fd, buffer, 64, NULL, &timer);
	syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0);
	syscall(SYS_pidfd_getfd, fd, 0, 0);
	syscall(SYS_setns, fd, 0x7f7f0000);
	syscall(SYS_finit_module, fd, "", 0);
	syscall(SYS_fspick, fd, "", 8);
	syscall(SYS_fsconfig, fd, 6, NULL, NULL, 0);
	syscall(SYS_fsmount, fd, 1, 0);
	syscall(SYS_open_tree, fd, "", 0x1000 | 1 | O_CLOEXEC);
	syscall(SYS_statx, fd, "", 0x1000, 0xfff, buffer);
	syscall(SYS_name_to_handle_at, fd, "", buffer, buffer + 200, 0x1000);
	syscall(SYS_execveat, fd, "", argv, argv + 1, 0x1000);
}

static void use(int fd, bool writes)
{
	read_and_write(fd, writes);
	move(fd);
	map(fd);
	change(fd, writes);
	pass_on(fd);
	wait_for(fd);
	control(fd);
	read_and_write(fd, false);
	mistake(fd);
}

/* --- by name -------------------------------------------------------------------------------- */

/* Not what would end the container, or the program that judges. */
static bool is_dangerous(const char *path)
{
	return strcmp(path, "/proc/sysrq-trigger") == 0 || strstr(path, "/fd/") ||
	       strncmp(path, "/dev/std", 8) == 0;
}

static int use_path(void *arg)
{
	static const int ways[] = {
		O_RDONLY,	   O_WRONLY,	       O_RDWR, O_PATH, O_RDONLY | O_DIRECTORY,
		O_RDWR | O_APPEND, O_RDONLY | O_DIRECT
	};
	const char *path = arg;

	alarm(CHILD_MS / 2000);
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		int fd = open(path, ways[i] | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

		if (fd < 0)
			continue;
		use(fd, (ways[i] & O_ACCMODE) != O_RDONLY && ways[i] != O_PATH);
		close(fd);
	}
	truncate(path, 0);
	getxattr(path, "security.x", buffer, 64);
	return verdict(0);
}

/* A fault of its own or the alarm may end the child; only that it does not end is wrong. */
static void judge(const char *what, struct outcome o)
{
	files++;
	if (o.timed_out || o.unkillable || exited_with(&o, 99))
		fail("%s: %s", what, outcome_text(&o));
}

static void walk(const char *path, int depth)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL) {
		char name[512];
		struct stat st;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		/* The other processes have what this one has. */
		if (strcmp(path, "/proc") == 0 && entry->d_name[0] >= '0' &&
		    entry->d_name[0] <= '9')
			continue;
		if ((size_t)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name) >=
			    sizeof(name) ||
		    is_dangerous(name) || lstat(name, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
			walk(name, depth + 1);
		judge(name, in_child(use_path, name, CHILD_MS));
	}
	if (dir)
		closedir(dir);
}

/* --- without a name --------------------------------------------------------------------------- */

static int pipe_end(int end)
{
	int ends[2];

	return pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0 ? -1 : ends[end];
}

static int listener(void)
{
	struct sock_filter allow = { 6, 0, 0, SECCOMP_RET_ALLOW };
	struct sock_fprog program = { 1, &allow };

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			    &program);
}

static int nameless(unsigned kind)
{
	sigset_t none;

	sigemptyset(&none);
	switch (kind) {
	case 0:
		return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	case 1:
		return eventfd(3, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
	case 2:
		return epoll_create1(EPOLL_CLOEXEC);
	case 3:
		return timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	case 4:
		return signalfd(-1, &none, SFD_CLOEXEC | SFD_NONBLOCK);
	case 5:
		return inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	case 6:
		return memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	case 7:
		return (int)syscall(SYS_memfd_secret, O_CLOEXEC);
	case 8:
		return pipe_end(0);
	case 9:
		return pipe_end(1);
	case 10:
		return (int)syscall(SYS_pidfd_open, getpid(), O_NONBLOCK);
	case 11:
		return listener();
	case 12:
		return (int)mq_open("/every-file", O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600,
				    NULL);
	case 13:
		return (int)syscall(SYS_fsopen, "tmpfs", 1);
	case 14:
		return (int)syscall(SYS_open_tree, AT_FDCWD, "/tmp", 1 | O_CLOEXEC);
	case 15:
		return (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	case 16:
		return (int)syscall(SYS_fanotify_init, 1, O_RDONLY);
	case 17:
		return (int)syscall(SYS_io_uring_setup, 4, buffer);
	case 18:
		return (int)syscall(SYS_perf_event_open, buffer, 0, -1, -1, 0);
	case 19:
		return (int)syscall(SYS_bpf, 0, buffer, 64);
	case 20:
		return (int)syscall(SYS_landlock_create_ruleset, buffer, 8, 0);
	case 21:
		return open("/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	case 22:
		return open("/", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	default:
		return -1;
	}
}

static int use_nameless(void *arg)
{
	int fd;

	alarm(CHILD_MS / 2000);
	fd = nameless(*(unsigned *)arg);
	if (fd >= 0)
		use(fd, true);
	return verdict(0);
}

static int use_socket(void *arg)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET };
	int family = *(int *)arg;

	alarm(CHILD_MS / 2000);
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		for (int protocol = 0; protocol < 20; protocol++) {
			int fd = socket(family, types[i] | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);

			if (fd < 0)
				continue;
			use(fd, true);
			close(fd);
		}
	return verdict(0);
}

void attack_every_file(void)
{
	note("files by name");
	walk("/proc", 0);
	walk("/proc/self", 0);
	walk("/sys", 0);
	walk("/dev", 0);
	CHECK(files > 300);
	note("files without a name");
	for (unsigned kind = 0; kind < NAMELESS; kind++)
		judge("a file without a name", in_child(use_nameless, &kind, CHILD_MS));
	note("sockets");
	for (int family = 0; family < 46; family++)
		judge("a socket", in_child(use_socket, &family, CHILD_MS));
}

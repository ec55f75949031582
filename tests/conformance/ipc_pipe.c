/* SPDX-License-Identifier: Apache-2.0
 *
 * Pipes and FIFOs: capacity, atomicity, blocking, end of file, SIGPIPE.
 */
#include "conformance.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

static char block[1 << 20];

CASE(pipe_basics)
{
	int ends[2];
	char buffer[16];
	struct stat st;

	show("pipe", pipe(ends));
	note("fds %d %d", ends[0], ends[1]);
	show("write", write(ends[1], "hello", 5));
	show("write", write(ends[1], " pipe", 5));
	show_data("read", buffer, read(ends[0], buffer, 7));
	show_data("read", buffer, read(ends[0], buffer, 7));
	MUST(fstat(ends[0], &st));
	note("mode %o size %lld", st.st_mode, (long long)st.st_size);
	show_hex("read end flags", (unsigned int)fcntl(ends[0], F_GETFL));
	show_hex("write end flags", (unsigned int)fcntl(ends[1], F_GETFL));
	show("write zero", write(ends[1], "", 0));
	MUST(write(ends[1], "last", 4));
	close(ends[1]);
	show_data("rest", buffer, read(ends[0], buffer, 16));
	show("end of file", read(ends[0], buffer, 16));
	show("again", read(ends[0], buffer, 16));
}

CASE(pipe_errors)
{
	int ends[2];

	show("bad flags", pipe2(ends, O_RDWR));
	show("bad pointer", pipe2(bad_ptr(), 0));
	show("flags", pipe2(ends, O_CLOEXEC | O_NONBLOCK));
	show("cloexec", fcntl(ends[0], F_GETFD));
	show_hex("nonblock", (unsigned int)fcntl(ends[1], F_GETFL));
	show("read empty", read(ends[0], block, 1));
	show("read zero", read(ends[0], block, 0));
	show("EFAULT keeps data", (MUST(write(ends[1], "x", 1)), read(ends[0], bad_ptr(), 1)));
	show("read", read(ends[0], block, 1));
}

CASE(pipe_capacity)
{
	int ends[2];

	MUST(pipe2(ends, O_NONBLOCK));
	show("size", fcntl(ends[0], F_GETPIPE_SZ));
	show("fill", write(ends[1], block, sizeof(block)));
	show("full", write(ends[1], block, 1));
	show("drain 1", read(ends[0], block, 1));
	show("still full for one", write(ends[1], block, 1));
	show("drain a page", read(ends[0], block, 4095));
	show("now one fits", write(ends[1], block, 1));
	show("but not a page", write(ends[1], block, 4096));
	show("more than PIPE_BUF may be partial", write(ends[1], block, 5000));
}

CASE(pipe_resize)
{
	int ends[2];

	MUST(pipe2(ends, O_NONBLOCK));
	show("grow", fcntl(ends[1], F_SETPIPE_SZ, 200000));
	show("size", fcntl(ends[1], F_GETPIPE_SZ));
	show("fill", write(ends[1], block, sizeof(block)));
	show("shrink below the data", fcntl(ends[1], F_SETPIPE_SZ, 4096));
	show("drain", read(ends[0], block, sizeof(block)));
	show("shrink", fcntl(ends[1], F_SETPIPE_SZ, 1));
	show("fill", write(ends[1], block, sizeof(block)));
	show("to nothing", fcntl(ends[1], F_SETPIPE_SZ, 0));
	show("is", fcntl(ends[1], F_GETPIPE_SZ));
	show("too large", fcntl(ends[1], F_SETPIPE_SZ, 1U << 31));
	int fd = (int)MUST(open("/dev/null", O_RDONLY));
	show("not a pipe", fcntl(fd, F_GETPIPE_SZ));
	RUN_CHILD("user over the limit")
	{
		become_user(1000);
		show("2 MiB", fcntl(ends[1], F_SETPIPE_SZ, 2 << 20));
	}
}

CASE(pipe_sigpipe)
{
	int ends[2];

	RUN_CHILD("default")
	{
		MUST(pipe(ends));
		close(ends[0]);
		show("write", write(ends[1], "x", 1));
	}
	signal(SIGPIPE, SIG_IGN);
	MUST(pipe(ends));
	close(ends[0]);
	show("write", write(ends[1], "x", 1));
	show("zero", write(ends[1], "x", 0));
	struct pollfd pfd = { ends[1], POLLOUT, 0 };
	show("poll", poll(&pfd, 1, 0));
	show_hex("revents", (unsigned int)pfd.revents);
}

CASE(pipe_reader_leaves_blocked_writer)
{
	int ends[2];

	signal(SIGPIPE, SIG_IGN);
	MUST(pipe(ends));
	pid_t pid = (pid_t)MUST(fork());
	if (pid == 0) {
		close(ends[0]);
		show("first write", write(ends[1], block, 65536));
		show("blocked write", write(ends[1], block, 10));
		_exit(0);
	}
	close(ends[1]);
	wait_blocked(pid, pid);
	close(ends[0]);
	show_wait("writer", pid);
}

CASE(pipe_atomic_writes)
{
	enum { WRITERS = 4, ROUNDS = 200, SIZE = 4096 };
	int ends[2], mixed = 0, total = 0;
	static char buffer[SIZE];

	MUST(pipe(ends));
	for (int i = 0; i < WRITERS; i++)
		if (MUST(fork()) == 0) {
			memset(buffer, 'a' + i, SIZE);
			for (int j = 0; j < ROUNDS; j++)
				if (write(ends[1], buffer, SIZE) != SIZE)
					_exit(1);
			_exit(0);
		}
	close(ends[1]);
	for (;;) {
		size_t have = 0;
		ssize_t size;
		while (have < SIZE && (size = read(ends[0], buffer + have, SIZE - have)) > 0)
			have += (size_t)size;
		if (have < SIZE)
			break;
		total++;
		for (int j = 1; j < SIZE; j++)
			mixed += buffer[j] != buffer[0];
	}
	note("blocks %d mixed bytes %d", total, mixed);
}

CASE(pipe_transfer_sum)
{
	int ends[2];
	unsigned int sum = 0, expected = 0;

	MUST(pipe(ends));
	for (size_t i = 0; i < sizeof(block); i++) {
		block[i] = (char)(i * 17 + i / 251);
		expected = expected * 31 + (unsigned char)block[i];
	}
	pid_t pid = (pid_t)MUST(fork());
	if (pid == 0) {
		close(ends[0]);
		for (size_t at = 0; at < sizeof(block);) {
			size_t size = at % 7777 + 1;
			if (size > sizeof(block) - at)
				size = sizeof(block) - at;
			at += (size_t)MUST(write(ends[1], block + at, size));
		}
		_exit(0);
	}
	close(ends[1]);
	unsigned char buffer[1999];
	ssize_t size;
	while ((size = read(ends[0], buffer, sizeof(buffer))) > 0)
		for (ssize_t i = 0; i < size; i++)
			sum = sum * 31 + buffer[i];
	show_wait("writer", pid);
	show_int("same", sum == expected);
}

CASE(pipe_packets)
{
	int ends[2];
	char buffer[64];

	MUST(pipe2(ends, O_DIRECT | O_NONBLOCK));
	MUST(write(ends[1], "one", 3));
	MUST(write(ends[1], "three", 5));
	show_data("first packet", buffer, read(ends[0], buffer, 64));
	show_data("rest is dropped", buffer, read(ends[0], buffer, 2));
	show("empty", read(ends[0], buffer, 64));
}

CASE(pipe_reopen_through_proc)
{
	int ends[2];
	char path[32], buffer[8], link[64] = "";

	MUST(pipe(ends));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
	MUST(readlink(path, link, sizeof(link) - 1));
	show_int("link", strncmp(link, "pipe:[", 6) == 0);
	int other = open(path, O_WRONLY);
	show_ok("reopen the read end for writing", other);
	show("write", write(other, "re", 2));
	show_data("read", buffer, read(ends[0], buffer, 8));
}

CASE(fifo_basics)
{
	char buffer[16];

	show("mkfifo", mkfifo("p", 0640));
	show_stat("p", "p");
	show("exists", mkfifo("p", 0600));
	show("write side without reader", open("p", O_WRONLY | O_NONBLOCK));
	int reader = open("p", O_RDONLY | O_NONBLOCK);
	show_ok("read side", reader);
	show("read without writer", read(reader, buffer, 16));
	int writer = open("p", O_WRONLY | O_NONBLOCK);
	show_ok("write side", writer);
	show("read empty", read(reader, buffer, 16));
	show("write", write(writer, "data", 4));
	show_data("read", buffer, read(reader, buffer, 16));
	close(writer);
	show("writer gone", read(reader, buffer, 16));
	struct pollfd pfd = { reader, POLLIN, 0 };
	show("poll", poll(&pfd, 1, 0));
	show_hex("revents", (unsigned int)pfd.revents);
	int both = open("p", O_RDWR);
	show_ok("both sides", both);
	show("lseek", lseek(both, 0, SEEK_SET));
	show("unlink", unlink("p"));
	show("still works", write(both, "x", 1));
}

CASE(fifo_open_blocks)
{
	char buffer[16];

	MUST(mkfifo("p", 0600));
	pid_t pid = (pid_t)MUST(fork());
	if (pid == 0) {
		int writer = open("p", O_WRONLY);
		show("child writes", write(writer, "hello", 5));
		_exit(0);
	}
	wait_blocked(pid, pid);
	int reader = open("p", O_RDONLY);
	show_wait("child", pid);
	show_data("read", buffer, read(reader, buffer, 16));
	show("end", read(reader, buffer, 16));
}

static void *visit(void *path)
{
	close((int)MUST(open(path, O_WRONLY)));
	return NULL;
}

/* A writer who has come and gone before the reader was scheduled has let it in all the same. */
CASE(fifo_short_visits)
{
	int visits = 0;

	MUST(mkfifo("p", 0600));
	for (int i = 0; i < 300; i++) {
		pthread_t writer;

		if (pthread_create(&writer, NULL, visit, (void *)"p") != 0)
			break;
		int reader = open("p", O_RDONLY);
		pthread_join(writer, NULL);
		visits += reader >= 0;
		close(reader);
	}
	show("visits", visits);
}

enum { READERS = 20 };

static void on_usr1(int signo)
{
	(void)signo;
}

/* Children that each want one byte: they exit with 0 when they got it, 1 at the end of the pipe. */
static void start_readers(int fd, int other, pid_t pids[READERS])
{
	for (int i = 0; i < READERS; i++) {
		pids[i] = (pid_t)MUST(fork());
		if (pids[i] == 0) {
			char byte;
			ssize_t n;

			close(other);
			while ((n = read(fd, &byte, 1)) == -1 && errno == EINTR)
				continue;
			_exit(n == 1 ? 0 : n == 0 ? 1 : 2);
		}
	}
}

static void show_readers(const char *label, pid_t pids[READERS])
{
	int counts[4] = { 0 }, status;

	for (int i = 0; i < READERS; i++) {
		MUST(waitpid(pids[i], &status, 0));
		counts[WIFSIGNALED(status) ? 3 : WEXITSTATUS(status) & 3]++;
	}
	note("%s: %d read, %d at the end, %d failed, %d killed", label, counts[0], counts[1], counts[2],
	     counts[3]);
}

/* However few of those who sleep are woken, nothing written is left while one sleeps. */
CASE(pipe_many_readers)
{
	struct sigaction action = { .sa_handler = on_usr1 };
	char bytes[READERS] = { 0 };
	pid_t pids[READERS];
	int fds[2];

	MUST(sigaction(SIGUSR1, &action, NULL));
	MUST(pipe(fds));
	start_readers(fds[0], fds[1], pids);
	usleep(30000);
	show("at once", write(fds[1], bytes, READERS));
	show_readers("at once", pids);

	start_readers(fds[0], fds[1], pids);
	for (int i = 0; i < READERS; i++)
		MUST(write(fds[1], bytes, 1));
	show_readers("one by one", pids);

	start_readers(fds[0], fds[1], pids);
	usleep(30000);
	for (int i = 0; i < READERS; i++) {
		MUST(kill(pids[i], SIGUSR1));
		MUST(write(fds[1], bytes, 1));
		kill(pids[(i * 7) % READERS], SIGUSR1);
	}
	show_readers("interrupted", pids);

	start_readers(fds[0], fds[1], pids);
	usleep(30000);
	for (int i = 0; i < READERS; i += 4)
		MUST(kill(pids[i], SIGKILL));
	for (int i = 0; i < READERS; i += 4)
		MUST(waitpid(pids[i], NULL, 0));
	show("to the others", write(fds[1], bytes, READERS - READERS / 4));
	for (int i = 0, status; i < READERS; i++)
		if (i % 4 != 0) {
			MUST(waitpid(pids[i], &status, 0));
			if (status)
				note("reader %d: %x", i, status);
		}
	start_readers(fds[0], fds[1], pids);
	usleep(30000);
	close(fds[1]);
	show_readers("end", pids);
}

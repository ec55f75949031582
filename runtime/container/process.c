/* SPDX-License-Identifier: Apache-2.0 */
/* Processes by pid and start time. */
#include "runtime/container/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/file.h"
#include "util/parse.h"

#define STAT_FIELD_STATE 3
#define STAT_FIELD_START_TIME 22

/* The comm field may hold anything, so fields are counted from the last ')'. */
static int parse_stat(char *text, char *state, uint64_t *start_time)
{
	char *p = strrchr(text, ')'), *save = NULL;
	const char *word = p ? strtok_r(p + 1, " ", &save) : NULL;

	if (!word)
		return -EPROTO;
	*state = *word;
	for (int field = STAT_FIELD_STATE; word && field < STAT_FIELD_START_TIME; field++)
		word = strtok_r(NULL, " ", &save);
	return word && parse_u64(word, 10, UINT64_MAX, start_time) == 0 ? 0 : -EPROTO;
}

static int read_stat(pid_t pid, char *state, uint64_t *start_time)
{
	char path[64];
	char text[1024];
	AUTO_CLOSE int fd = -1;
	ssize_t size;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	size = fd_read_full(fd, text, sizeof(text) - 1);
	if (size < 0)
		return (int)size;
	text[size] = '\0';
	return parse_stat(text, state, start_time);
}

int process_identify(pid_t pid, struct process_id *out)
{
	char state;

	out->pid = pid;
	return read_stat(pid, &state, &out->start_time);
}

bool process_same(const struct process_id *a, const struct process_id *b)
{
	return a->pid == b->pid && a->start_time == b->start_time;
}

bool process_alive(const struct process_id *process)
{
	uint64_t start_time = 0;
	char state = 'X';

	if (process->pid <= 0 || read_stat(process->pid, &state, &start_time) < 0)
		return false;
	return start_time == process->start_time && state != 'Z' && state != 'X';
}

int process_open(const struct process_id *process)
{
	AUTO_CLOSE int fd = -1;

	if (process->pid <= 0)
		return -ESRCH;
	fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	if (fd < 0)
		return -errno;
	/* Only once the pidfd is held can the pid not change its owner any more. */
	if (!process_alive(process))
		return -ESRCH;
	return move_fd(&fd);
}

int process_wait_pidfd(int pidfd, int timeout_ms)
{
	struct pollfd entry = { .fd = pidfd, .events = POLLIN };
	int ready;

	do
		ready = poll(&entry, 1, timeout_ms);
	while (ready < 0 && errno == EINTR);
	return ready < 0 ? -errno : ready;
}

int process_kill(const struct process_id *process, int timeout_ms)
{
	AUTO_CLOSE int fd = process_open(process);
	int ended;

	if (fd < 0)
		return fd;
	if (syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) < 0)
		return -errno;
	ended = process_wait_pidfd(fd, timeout_ms);
	if (ended < 0)
		return ended;
	return ended ? 0 : -ETIMEDOUT;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cmd/ps_table.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/cmd/user_name.h"
#include "util/cleanup.h"
#include "util/file.h"
#include "util/string_list.h"

#define DAY_SECONDS 86400
#define MICROSECONDS 1000000u
#define PID_MAX_SIZE 64
#define OUTPUT_MAX (1u << 20)

/* "14:03" today, "Nov22" before. */
static void format_start(time_t start, char *text, size_t size)
{
	time_t now = time(NULL);
	struct tm tm;

	if (!localtime_r(&start, &tm))
		snprintf(text, size, "?");
	else
		strftime(text, size, now - start < DAY_SECONDS ? "%H:%M" : "%b%d", &tm);
}

static unsigned cpu_percent(const struct control_process *p)
{
	int64_t age = (int64_t)time(NULL) - (int64_t)p->start_time;
	uint64_t seconds = p->cpu_time / MICROSECONDS;

	return age > 0 ? (unsigned)(seconds * 100 / (uint64_t)age) % 100 : 0;
}

static void format_tty(uint32_t device, char *text, size_t size)
{
	if (device == 0)
		snprintf(text, size, "?");
	else
		snprintf(text, size, "pts/%u", device & 0xff);
}

/* As ps: room for the host's greatest pid, and for five digits at least. */
static int pid_width(void)
{
	AUTO_FREE char *text = NULL;
	uint64_t max = 0;
	size_t size;
	int width = 5;

	if (file_read_all(AT_FDCWD, "/proc/sys/kernel/pid_max", PID_MAX_SIZE, &text, &size) == 0)
		max = strtoull(text, NULL, 10);
	for (uint64_t least = 100000; max > least; least *= 10)
		width++;
	return width;
}

static void print_entry(const struct ps_entry *entry, int width)
{
	const struct control_process *p = &entry->process;
	uint64_t seconds = p->cpu_time / MICROSECONDS;
	char user[64], start[16], tty[16];

	user_name(p->uid, user, sizeof(user));
	format_start((time_t)p->start_time, start, sizeof(start));
	format_tty(p->tty, tty, sizeof(tty));
	printf("%-8.8s %*d %*d %2u %5s %-8s %02" PRIu64 ":%02u:%02u ", user, width, entry->host_pid, width,
	       entry->host_parent, cpu_percent(p), start, tty, seconds / 3600,
	       (unsigned)(seconds / 60 % 60), (unsigned)(seconds % 60));
	/* Kernel threads and zombies have no command line; ps shows their name in brackets. */
	if (p->cmdline_size > 0)
		puts(p->cmdline);
	else
		printf("[%s]\n", p->comm);
}

int ps_table_print(const struct ps_list *list, struct error **err)
{
	int width = pid_width();

	printf("UID      %*s %*s  C STIME TTY          TIME CMD\n", width, "PID", width, "PPID");
	for (size_t i = 0; i < list->count; i++)
		print_entry(&list->items[i], width);
	return 0;
}

static bool is_ours(const struct ps_list *list, long pid)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].host_pid == pid && pid > 0)
			return true;
	}
	return false;
}

/* The index of the column called PID, or -1. */
static int pid_column(const char *header)
{
	AUTO_FREE char *copy = strdup(header);
	char *save;
	int index = 0;

	if (!copy)
		return -1;
	for (char *word = strtok_r(copy, " \n", &save); word; word = strtok_r(NULL, " \n", &save)) {
		if (!strcmp(word, "PID"))
			return index;
		index++;
	}
	return -1;
}

static long column_value(const char *line, int column)
{
	for (int i = 0; i < column; i++) {
		line += strspn(line, " ");
		line += strcspn(line, " ");
	}
	return strtol(line, NULL, 10);
}

static int filter_lines(const struct ps_list *list, FILE *in, struct error **err)
{
	AUTO_FREE char *line = NULL;
	size_t capacity = 0;
	int column;

	if (getline(&line, &capacity, in) < 0)
		return error_set(err, -EIO, "ps printed nothing");
	column = pid_column(line);
	if (column < 0)
		return error_set(err, -EINVAL, "couldn't find PID field in ps output");
	fputs(line, stdout);
	while (getline(&line, &capacity, in) >= 0) {
		if (is_ours(list, column_value(line, column)))
			fputs(line, stdout);
	}
	return 0;
}

static int spawn_ps(char **args, int output, pid_t *pid)
{
	AUTO_STRING_LIST struct string_list words = STRING_LIST_INIT;
	posix_spawn_file_actions_t actions;
	int ret = string_list_add(&words, "ps");

	for (; ret == 0 && *args; args++)
		ret = string_list_add(&words, *args);
	if (ret < 0)
		return ret;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
	ret = posix_spawnp(pid, "ps", &actions, NULL, words.items, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -ret;
}

/* In runc's form: all that ps said goes into the error. */
static int ps_failed(int status, int output, struct error **err)
{
	AUTO_FREE char *text = NULL;
	size_t size;

	if (fd_read_all(output, OUTPUT_MAX, &text, &size) < 0)
		return error_set(err, -EIO, "ps: status %#x", (unsigned)status);
	if (WIFSIGNALED(status))
		return error_set(err, -EIO, "signal %d: %s", WTERMSIG(status), text);
	return error_set(err, -EINVAL, "exit status %d: %s", WEXITSTATUS(status), text);
}

int ps_table_host(const struct ps_list *list, char **args, struct error **err)
{
	AUTO_CLOSE int output = memfd_create("moat-ps", MFD_CLOEXEC);
	AUTO_FCLOSE FILE *in = NULL;
	int status = 0;
	pid_t pid = -1;
	int ret = output < 0 ? -errno : spawn_ps(args, output, &pid);

	if (ret < 0)
		return error_set_errno(err, ret, "run ps");
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (lseek(output, 0, SEEK_SET) < 0)
		return error_set_errno(err, -errno, "read what ps printed");
	if (status != 0)
		return ps_failed(status, output, err);
	in = fdopen(output, "r");
	if (!in)
		return error_set_errno(err, -errno, "read what ps printed");
	move_fd(&output);
	return filter_lines(list, in, err);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The library behind conformance.h: registry of cases, printing, and small helpers shared by the
 * cases.
 */
#include "conformance.h"

#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <sys/prctl.h>

static struct conf_case *cases;
static struct conf_helper *helpers;
static char self_path[PATH_MAX];

void conf_register_case(struct conf_case *entry)
{
	struct conf_case **at = &cases;

	while (*at != NULL && strcmp((*at)->name, entry->name) < 0)
		at = &(*at)->next;
	entry->next = *at;
	*at = entry;
}

void conf_register_helper(struct conf_helper *entry)
{
	entry->next = helpers;
	helpers = entry;
}

const struct conf_case *conf_first_case(void)
{
	return cases;
}

const struct conf_case *conf_find_case(const char *name)
{
	const struct conf_case *entry = cases;

	while (entry != NULL && strcmp(entry->name, name) != 0)
		entry = entry->next;
	return entry;
}

const struct conf_helper *conf_find_helper(const char *name)
{
	const struct conf_helper *entry = helpers;
	size_t size = strcspn(name, " ");

	while (entry != NULL &&
	       (strlen(entry->name) != size || strncmp(entry->name, name, size) != 0))
		entry = entry->next;
	return entry;
}

void conf_set_self(const char *argv0)
{
	if (realpath(argv0, self_path) == NULL)
		snprintf(self_path, sizeof(self_path), "/proc/self/exe");
}

const char *self_exe(void)
{
	return self_path;
}

const char *errno_name(int error)
{
	static char number[24];
	const char *name = strerrorname_np(error);

	if (name != NULL)
		return name;
	snprintf(number, sizeof(number), "errno %d", error);
	return number;
}

void note(const char *fmt, ...)
{
	char line[4096];
	int saved = errno;
	va_list args;

	va_start(args, fmt);
	int size = vsnprintf(line, sizeof(line) - 1, fmt, args);
	va_end(args);
	if (size > (int)sizeof(line) - 2)
		size = sizeof(line) - 2;
	line[size++] = '\n';
	if (write(STDOUT_FILENO, line, (size_t)size) != size)
		_exit(CONF_SETUP_FAILED);
	errno = saved;
}

void show(const char *label, long result)
{
	if (result == -1)
		note("%s: -1 %s", label, errno_name(errno));
	else
		note("%s: %ld", label, result);
}

void show_ok(const char *label, long result)
{
	note("%s: %s", label, result == -1 ? errno_name(errno) : "ok");
}

void show_ptr(const char *label, const void *result)
{
	show_ok(label, (long)result);
}

void show_err(const char *label, int error)
{
	note("%s: %s", label, error == 0 ? "0" : errno_name(error));
}

void show_int(const char *label, long long value)
{
	note("%s: %lld", label, value);
}

void show_hex(const char *label, unsigned long long value)
{
	note("%s: 0x%llx", label, value);
}

void show_str(const char *label, const char *value)
{
	note("%s: \"%s\"", label, value == NULL ? "(null)" : value);
}

void show_target_of(const char *label, const char *path)
{
	char target[512];
	ssize_t size = readlink(path, target, sizeof(target) - 1);

	if (size == -1) {
		show(label, -1);
		return;
	}
	target[size] = '\0';
	show_str(label, target);
}

void show_data(const char *label, const void *data, ssize_t size)
{
	const unsigned char *bytes = data;
	char text[1024];
	size_t used = 0;

	if (size < 0) {
		show(label, size);
		return;
	}
	for (ssize_t i = 0; i < size && used < sizeof(text) - 5; i++) {
		if (bytes[i] >= ' ' && bytes[i] < 127 && bytes[i] != '\\')
			text[used++] = (char)bytes[i];
		else
			used += (size_t)snprintf(text + used, 5, "\\x%02x", bytes[i]);
	}
	text[used] = '\0';
	note("%s: %zd \"%s\"", label, size, text);
}

void show_status(const char *label, int status)
{
	if (WIFEXITED(status))
		note("%s: exited %d", label, WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		note("%s: killed by SIG%s", label, sigabbrev_np(WTERMSIG(status)));
	else if (WIFSTOPPED(status))
		note("%s: stopped by SIG%s event %d", label, sigabbrev_np(WSTOPSIG(status)),
		     status >> 16);
	else if (WIFCONTINUED(status))
		note("%s: continued", label);
	else
		note("%s: odd status 0x%x", label, (unsigned int)status);
}

void show_wait(const char *label, pid_t pid)
{
	int status;
	pid_t got;

	do
		got = waitpid(pid, &status, 0);
	while (got == -1 && errno == EINTR);
	if (got == -1)
		show(label, -1);
	else
		show_status(label, status);
}

void skip(const char *reason)
{
	note("skip: %s", reason);
	_exit(CONF_SKIP);
}

long conf_must(const char *what, long result)
{
	if (result != -1)
		return result;
	note("setup failed: %s: %s", what, errno_name(errno));
	_exit(CONF_SETUP_FAILED);
}

int conf_child_begin(const char *label)
{
	pid_t pid = fork();

	if (pid == 0)
		return 0;
	if (pid == -1)
		show(label, -1);
	else
		show_wait(label, pid);
	return 1;
}

int conf_child_end(void)
{
	_exit(0);
}

void *bad_ptr(void)
{
	static void *volatile value = (void *)1;

	return value;
}

void *kernel_ptr(void)
{
	static void *volatile value = (void *)0xffff800000000000UL;

	return value;
}

void become_user(unsigned int id)
{
	MUST(setgroups(0, NULL));
	MUST(setresgid(id, id, id));
	MUST(setresuid(id, id, id));
}

void write_file(const char *path, const char *text, mode_t mode)
{
	int fd = (int)MUST(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
	size_t size = strlen(text);

	MUST(fchmod(fd, mode));
	if (write(fd, text, size) != (ssize_t)size)
		MUST(-1);
	close(fd);
}

void use_tmpfs(void)
{
	char path[] = "/tmp/case.XXXXXX";

	MUST(mkdtemp(path) == NULL ? -1 : 0);
	MUST(chdir(path));
}

void show_file(const char *label, const char *path)
{
	char data[255];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1) {
		show(label, -1);
		return;
	}
	show_data(label, data, read(fd, data, sizeof(data)));
	close(fd);
}

void show_stat(const char *label, const char *path)
{
	struct stat st;

	if (lstat(path, &st) == -1)
		show(label, -1);
	else if (S_ISDIR(st.st_mode))
		note("%s: mode %o nlink %lu uid %u gid %u", label, st.st_mode,
		     (unsigned long)st.st_nlink, st.st_uid, st.st_gid);
	else
		note("%s: mode %o nlink %lu uid %u gid %u size %lld", label, st.st_mode,
		     (unsigned long)st.st_nlink, st.st_uid, st.st_gid, (long long)st.st_size);
}

void sleep_ms(long ms)
{
	struct timespec left = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&left, &left) == -1 && errno == EINTR)
		continue;
}

void wait_state(pid_t pid, pid_t tid, const char *states)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", (int)pid, (int)tid);
	for (int tries = 0; tries < 2500; tries++) {
		char text[512] = "";
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		if (fd == -1) {
			sleep_ms(100);
			return;
		}
		ssize_t size = read(fd, text, sizeof(text) - 1);
		close(fd);
		const char *state = size > 0 ? strrchr(text, ')') : NULL;
		if (state == NULL || strchr(states, state[2]) != NULL)
			return;
		sleep_ms(2);
	}
}

void wait_blocked(pid_t pid, pid_t tid)
{
	wait_state(pid, tid, "SZXT");
}

pid_t get_tid(void)
{
	return (pid_t)syscall(SYS_gettid);
}

long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * See namespace.h.
 */
#include "namespace.h"

#include <linux/sched.h>

int write_proc(const char *name, const char *text)
{
	char path[64];
	ssize_t size = (ssize_t)strlen(text);

	snprintf(path, sizeof(path), "/proc/self/%s", name);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	ssize_t done = write(fd, text, (size_t)size);
	int error = errno;
	close(fd);
	errno = error;
	return done == size ? 0 : -1;
}

void enter_user_namespace(void)
{
	MUST(unshare(CLONE_NEWUSER));
	MUST(write_proc("setgroups", "deny"));
	MUST(write_proc("gid_map", "0 0 1\n"));
	MUST(write_proc("uid_map", "0 0 1\n"));
}

static void ns_path(char *path, size_t size, pid_t pid, const char *name)
{
	if (pid == 0)
		snprintf(path, size, "/proc/self/ns/%s", name);
	else
		snprintf(path, size, "/proc/%d/ns/%s", (int)pid, name);
}

unsigned long ns_inode(pid_t pid, const char *name)
{
	char path[64];
	struct stat st;

	ns_path(path, sizeof(path), pid, name);
	return stat(path, &st) == -1 ? 0 : (unsigned long)st.st_ino;
}

int ns_open(pid_t pid, const char *name)
{
	char path[64];

	ns_path(path, sizeof(path), pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

pid_t fork_flags(unsigned long long flags)
{
	struct clone_args args = { .flags = flags, .exit_signal = SIGCHLD };

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

pid_t sleeper_flags(unsigned long long flags)
{
	pid_t pid = fork_flags(flags);

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

void kill_and_reap(pid_t pid)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		continue;
}

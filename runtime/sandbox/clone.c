/* SPDX-License-Identifier: Apache-2.0 */
/* clone3, and the sealed copy that is executed. */
#include "config.h"

#include "runtime/sandbox/clone.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/memfd.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/file.h"

#define PASSAGE_STACK (1 << 20)

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

int clone_process(uint64_t flags, int cgroup_fd, struct clone_result *out)
{
	int pidfd = -1;
	struct clone_args args = {
		.flags = flags | CLONE_PIDFD,
		.pidfd = (uintptr_t)&pidfd,
		.exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD, /* else it is the caller's own */
	};
	long pid = -1;

	out->in_cgroup = cgroup_fd >= 0;
	if (cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)cgroup_fd;
		pid = syscall(SYS_clone3, &args, sizeof(args));
	}
	if (pid < 0) {
		out->in_cgroup = false;
		args.flags = flags | CLONE_PIDFD;
		args.cgroup = 0;
		pid = syscall(SYS_clone3, &args, sizeof(args));
	}
	if (pid < 0)
		return -errno;
	out->pid = (pid_t)pid;
	out->pidfd = pidfd;
	return 0;
}

struct passage {
	int netns;
	uint64_t flags;
	int cgroup_fd;
	void (*child)(void *arg);
	void *arg;
	struct clone_result *out;
	int ret;
};

/* Has our memory and files for as long as we sleep; its child is ours. */
static int pass(void *arg)
{
	struct passage *p = arg;

	if (setns(p->netns, CLONE_NEWNET) < 0) {
		p->ret = -errno;
		return 0;
	}
	p->ret = clone_process(p->flags | CLONE_PARENT, p->cgroup_fd, p->out);
	if (p->ret == 0 && p->out->pid == 0)
		p->child(p->arg);
	return 0;
}

int clone_process_in(int netns, uint64_t flags, int cgroup_fd, void (*child)(void *arg), void *arg,
		     struct clone_result *out)
{
	struct passage p = { netns, flags, cgroup_fd, child, arg, out, 0 };
	char *stack = mmap(NULL, PASSAGE_STACK, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	pid_t helper;
	int ret;

	if (stack == MAP_FAILED)
		return -errno;
	helper = clone(pass, stack + PASSAGE_STACK, CLONE_VM | CLONE_FILES | CLONE_VFORK | SIGCHLD, &p);
	ret = helper < 0 ? -errno : 0;
	while (helper > 0 && waitpid(helper, NULL, 0) < 0 && errno == EINTR)
		;
	munmap(stack, PASSAGE_STACK);
	return ret < 0 ? ret : p.ret;
}

/*
 * The end of the last segment.  What follows, debug information above all, is nothing that an
 * execve reads, and every sandbox would pay for it with memory.
 */
static int loaded_size(int exe, off_t *out)
{
	ElfW(Ehdr) header;
	uint64_t end = 0;

	if (pread(exe, &header, sizeof(header), 0) != sizeof(header) ||
	    header.e_phentsize != sizeof(ElfW(Phdr)))
		return -ENOEXEC;
	for (unsigned i = 0; i < header.e_phnum; i++) {
		ElfW(Phdr) segment;
		off_t at = (off_t)(header.e_phoff + i * sizeof(segment));

		if (pread(exe, &segment, sizeof(segment), at) != sizeof(segment))
			return -ENOEXEC;
		if (segment.p_offset + segment.p_filesz > end)
			end = segment.p_offset + segment.p_filesz;
	}
#if defined(MOAT_SANITIZERS) || defined(MOAT_TSAN)
	/* A report names functions: its maker reads the whole file, and dies of one that is cut short. */
	struct stat st;

	if (fstat(exe, &st) < 0)
		return -errno;
	end = (uint64_t)st.st_size;
#endif
	*out = (off_t)end;
	return 0;
}

static int copy_loaded(int from, int to)
{
	off_t done = 0;
	off_t size;
	int ret = loaded_size(from, &size);

	if (ret < 0)
		return ret;
	while (done < size) {
		ssize_t n = sendfile(to, from, &done, (size_t)(size - done));

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -EIO;
	}
	return 0;
}

int clone_copy_exe(int *out, struct error **err)
{
	AUTO_CLOSE int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	AUTO_CLOSE int copy = -1;
	int ret;

	if (self < 0)
		return error_set_errno(err, -errno, "open /proc/self/exe");
	copy = memfd_create("moat", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	/* Before Linux 6.3 every memfd was executable and the flag unknown. */
	if (copy < 0 && errno == EINVAL)
		copy = memfd_create("moat", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (copy < 0)
		return error_set_errno(err, -errno, "memfd_create");
	ret = copy_loaded(self, copy);
	if (ret < 0)
		return error_set_errno(err, ret, "copy /proc/self/exe");
	if (fcntl(copy, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return error_set_errno(err, -errno, "seal the copy of /proc/self/exe");
	*out = move_fd(&copy);
	return 0;
}

static int replace_standard_fds(void)
{
	AUTO_CLOSE int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return -errno;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (dup2(null, fd) < 0)
			return -errno;
	}
	return 0;
}

int clone_exec(int exe_fd, char *const argv[], const int *keep, size_t keep_count)
{
	char *const environment[] = { NULL };
	int ret = replace_standard_fds();

	if (ret < 0)
		return ret;
	if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
		return -errno;
	for (size_t i = 0; i < keep_count; i++) {
		if (keep[i] >= 0 && fcntl(keep[i], F_SETFD, 0) < 0)
			return -errno;
	}
	syscall(SYS_execveat, exe_fd, "", argv, environment, AT_EMPTY_PATH);
	return -errno;
}

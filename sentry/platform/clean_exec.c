/* SPDX-License-Identifier: Apache-2.0 */
/* See clean_exec.h. */
#include "sentry/platform/clean_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/securebits.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/log.h"

#ifndef MFD_EXEC /* Linux 6.3 */
#define MFD_EXEC 16U
#endif

#define OOM_SCORE_OF_STUBS "500"
#define LAST_CAPABILITY 63
#define STATUS_REFUSED 126
#define STATUS_NOT_EXECUTED 127

int clean_exec_memfd(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_EXEC);

	/* Older kernels know no MFD_EXEC: every memfd is executable there. */
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static void raise_oom_score(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, OOM_SCORE_OF_STUBS, strlen(OOM_SCORE_OF_STUBS)) < 0)
		log_debug("oom_score_adj of stubs: %m");
	close(fd);
}

static void set_limits(void)
{
	struct rlimit core = { 1, 1 }, files;

	setrlimit(RLIMIT_CORE, &core);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

/* No capability survives the exec, although the uid is the namespace's root. */
static int drop_capabilities(void)
{
	cap_t none = cap_init();
	int rc;

	if (!none)
		return -1;
	for (int cap = 0; cap <= LAST_CAPABILITY; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			break;
	rc = prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0, 0);
	if (rc == 0)
		rc = cap_set_proc(none);
	cap_free(none);
	return rc;
}

void clean_exec(int image, int fd, const char *name)
{
	char *argv[] = { (char *)(uintptr_t)name, NULL };
	char *envp[] = { NULL };
	sigset_t none;

	sigemptyset(&none);
	raise_oom_score();
	set_limits();
	/* What the sentry's terminal has to say (SIGWINCH) is not for stubs. */
	if (setpgid(0, 0) < 0)
		_exit(STATUS_REFUSED);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (personality(ADDR_NO_RANDOMIZE) < 0 || drop_capabilities() < 0)
		_exit(STATUS_REFUSED);
	/* The image is close-on-exec, the rest is closed. */
	if (dup2(fd, STDIN_FILENO) < 0 || fcntl(image, F_SETFD, FD_CLOEXEC) < 0)
		_exit(STATUS_REFUSED);
	syscall(SYS_close_range, 1, (unsigned)image - 1, 0);
	syscall(SYS_close_range, (unsigned)image + 1, ~0U, 0);
	syscall(SYS_execveat, image, "", argv, envp, AT_EMPTY_PATH);
	_exit(STATUS_NOT_EXECUTED);
}

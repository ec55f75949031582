/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The template of all stubs: executed once, from the image embedded in moat,
 * before the sentry is confined.  It is clean (design rule 8): no libc, no FDs,
 * no capabilities, no core dumps.  Every stub is forked from it.
 */
#include "sentry/platform/trap/context.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "sentry/host/host_futex.h"
#include "sentry/host/host_memfd.h"
#include "sentry/host/host_process.h"
#include "sentry/host/host_seccomp.h"
#include "sentry/platform/trap/stub_filter.h"
#include "sentry/platform/trap/stub_image.h"
#include "util/checked.h"
#include "util/log.h"

#ifndef MFD_EXEC /* Linux 6.3 */
#define MFD_EXEC 16U
#endif

#define BOOT_TIMEOUT_SECONDS 10
#define HWCAP2_FSGSBASE 2
#define OOM_SCORE_OF_STUBS "500"
#define SYSCALL_NUMBERS 512
/* Of struct _fpx_sw_bytes in the FXSAVE area of a signal frame. */
#define XSTATE_SW_OFFSET 464
#define XSTATE_MAGIC1 0x46505853U



static int write_image(void)
{
	size_t size = (size_t)(stub_image_end - stub_image);
	int fd = memfd_create("moat-stub", MFD_CLOEXEC | MFD_EXEC);

	/* Older kernels know no MFD_EXEC: every memfd is executable there. */
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("moat-stub", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, stub_image, size) != (ssize_t)size) {
		close(fd);
		return -EIO;
	}
	return fd;
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

/* No capability survives the exec, although the uid is the namespace's root. */
static int drop_capabilities(void)
{
	cap_t none = cap_init();
	int rc;

	if (!none)
		return -1;
	for (int cap = 0; cap <= 63; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			break;
	rc = prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0, 0);
	if (rc == 0)
		rc = cap_set_proc(none);
	cap_free(none);
	return rc;
}

/* In the child: never returns. */
static void NORETURN exec_template(int image, int slots)
{
	static char room[STUB_ARGUMENTS_SIZE];
	char *argv[] = { room, NULL };
	char *envp[] = { NULL };
	struct rlimit core = { 1, 1 }, files;
	sigset_t none;

	memset(room, '-', sizeof(room) - 1);
	sigemptyset(&none);
	raise_oom_score();
	setrlimit(RLIMIT_CORE, &core);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	/* What the sentry's terminal has to say (SIGWINCH) is not for stubs. */
	if (setpgid(0, 0) < 0)
		_exit(126);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (personality(ADDR_NO_RANDOMIZE) < 0 || drop_capabilities() < 0)
		_exit(126);
	/* FD 0 is the slots, the image is close-on-exec, the rest is closed. */
	if (dup2(slots, 0) < 0 || fcntl(image, F_SETFD, FD_CLOEXEC) < 0)
		_exit(126);
	syscall(SYS_close_range, 1, (unsigned)image - 1, 0);
	syscall(SYS_close_range, (unsigned)image + 1, ~0U, 0);
	syscall(SYS_execveat, image, "", argv, envp, AT_EMPTY_PATH);
	_exit(127);
}

static void prepare_slot(struct trap_platform *p, struct stub_slot *slot)
{
	const struct stub_filter_options options = {
		.needs_registers = p->config.needs_registers,
		.limit = SYSCALL_NUMBERS,
		.strict = p->config.strict,
	};
	struct stub_filter filter;

	stub_filter_build(&filter, &options);
	memcpy((char *)slot + STUB_COPY_PAGE, filter.insns, filter.count * sizeof(filter.insns[0]));
	for (uint32_t nr = 0; nr < STUB_COPY_TABLE_COUNT; nr++)
		((uint32_t *)(void *)((char *)slot + STUB_BOOT_COPY_TABLE))[nr] =
			p->config.copies ? p->config.copies(nr) : 0;
	slot->filter_count = filter.count;
	slot->filter_flags = SECCOMP_FILTER_FLAG_NEW_LISTENER |
			     SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
}

/* The listener, out of the template. */
static int take_listener(struct stub_slot *slot, int pidfd)
{
	struct timespec timeout = { .tv_sec = BOOT_TIMEOUT_SECONDS };
	int fd;

	while (!__atomic_load_n(&slot->ready, __ATOMIC_SEQ_CST))
		if (syscall(SYS_futex, &slot->ready, FUTEX_WAIT, 0, &timeout, NULL, 0) < 0 &&
		    errno == ETIMEDOUT)
			return -ETIMEDOUT;
	if (slot->listener < 0)
		return slot->listener;
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, slot->listener, 0);
	return fd < 0 ? -errno : fd;
}

/* The template's trap: from now on it is a stopped thread like any other. */
static int adopt(struct trap_platform *p, struct trap_thread *t, pid_t pid)
{
	struct trap_process *process;
	struct seccomp_notif n;
	int rc = host_notify_receive(p->listener, &n);

	if (rc < 0)
		return rc;
	if ((pid_t)n.pid != pid || (uint32_t)n.data.nr != STUB_NR_REPORT)
		return -EPROTO;
	t->notification = n.id;
	t->by_slot = true;
	t->xstate_addr = t->slot->xstate_addr;
	atomic_store(&t->tid, pid);
	atomic_store(&t->state, TRAP_STOPPED);
	rc = tid_table_set(p, pid, t);
	if (rc < 0)
		return rc;
	return trap_process_new(p, t->as, pid, t, &process);
}

/* The size and the initial contents of the vector state, from the template's frame. */
static int read_initial_xstate(struct trap_platform *p, struct trap_thread *t)
{
	struct {
		uint32_t magic1, extended_size;
	} sw;
	uint64_t addr = t->xstate_addr;

	if (trap_as_read(&t->as->base, addr + XSTATE_SW_OFFSET, &sw, sizeof(sw)) != sizeof(sw))
		return -EFAULT;
	p->xsave = sw.magic1 == XSTATE_MAGIC1;
	p->xstate_size = p->xsave ? sw.extended_size : 512;
	if (p->xstate_size > TRAP_XSTATE_MAX)
		return -E2BIG;
	if (trap_as_read(&t->as->base, addr, p->xstate_initial, p->xstate_size) !=
	    (ssize_t)p->xstate_size)
		return -EFAULT;
	return 0;
}

/* What ps shows until a guest's program is loaded, and no rest of it behind one that is shorter. */
static int name_template(struct trap_platform *p, struct trap_thread *t)
{
	static const char name[STUB_ARGUMENTS_SIZE] = "moat-stub";

	p->arguments = t->slot->arguments;
	return trap_as_write(&t->as->base, p->arguments, name, sizeof(name)) == sizeof(name) ? 0
											    : -EFAULT;
}

/*
 * Only a pristine stub's is ever written: its memory is still the template's.  What a guest does with
 * it later changes what ps says of its own process, as on Linux.
 */
void trap_set_host_command(struct address_space *as, const char *args, size_t size)
{
	struct trap_platform *p = trap_address_space(as)->platform;
	/* A last byte other than NUL would have the host look for more behind it. */
	ssize_t n = trap_as_write(as, p->arguments, args, MIN(size, STUB_ARGUMENTS_SIZE - 1));

	if (n < 0)
		log_debug("command line of a stub: %s", strerror((int)-n));
}

static int close_in_template(struct trap_platform *p, struct trap_thread *t, int fd)
{
	struct trap_call call = { __NR_close, { (uint64_t)fd } };
	int64_t result = 0;
	int rc = trap_order_call(p, t, &call, true, &result);

	return rc < 0 ? rc : (int)result;
}

static int run_template(struct trap_platform *p, struct trap_thread *t, pid_t pid)
{
	int pidfd = host_pidfd_open(pid);
	int rc;

	if (pidfd < 0)
		return pidfd;
	p->listener = take_listener(t->slot, pidfd);
	close(pidfd);
	if (p->listener < 0)
		return p->listener;
	p->vdso_base = t->slot->vdso;
	p->fsgsbase = t->slot->hwcap2 & HWCAP2_FSGSBASE;
	t->slot->fsgsbase = p->fsgsbase;
	p->sync_wake_up = host_notify_sync_wake_up(p->listener, true) == 0;
	if (!p->sync_wake_up)
		log_debug("this kernel has no synchronous wake-up for notifications");
	rc = adopt(p, t, pid);
	if (rc == 0)
		rc = name_template(p, t);
	if (rc == 0)
		rc = read_initial_xstate(p, t);
	if (rc == 0)
		rc = close_in_template(p, t, t->slot->listener);
	return rc;
}

static int execute_template(struct trap_platform *p, struct trap_address_space *as)
{
	struct trap_thread *t = p->root_family.template;
	int rc, status, image = write_image();
	pid_t pid;

	if (image < 0)
		return image;
	pid = fork();
	if (pid == 0)
		exec_template(image, as->slots_fd);
	close(image);
	if (pid < 0)
		return -errno;
	rc = run_template(p, t, pid);
	if (rc < 0 && !t->process) {
		host_process_kill(pid);
		if (host_process_reap(pid, &status, NULL) < 0)
			log_debug("the template was not there to be reaped");
	}
	return rc;
}

int trap_template_start(struct trap_platform *p)
{
	struct trap_address_space *as;
	int rc = trap_address_space_alloc(p, 0, &as);

	if (rc < 0)
		return rc;
	as->first = trap_thread_new(as, 0);
	p->root_family.template = as->first;
	if (!p->root_family.template) {
		rc = -ENOMEM;
	} else {
		prepare_slot(p, p->root_family.template->slot);
		rc = execute_template(p, as);
	}
	if (rc < 0)
		trap_address_space_free(as);
	return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which platform runs the guest.  What the user named, or nothing: a platform that
 * was not asked for may be replaced, one that was asked for may not.
 */
#include <errno.h>
#include <string.h>

#include "sentry/boot/sandbox.h"
#include "sentry/syscalls/dispatch.h"
#include "util/log.h"

/* Errors by which the host says that it does not offer what the trap platform is built on. */
static bool host_cannot_trap(int rc)
{
	return rc == -EBUSY || rc == -EINVAL || rc == -ENOSYS || rc == -EOPNOTSUPP ||
	       rc == -EPERM || rc == -EACCES;
}

static const char *why_not_trap(int rc)
{
	switch (-rc) {
	case EBUSY:
		return "moat runs under a seccomp filter with a listener of its own, and a process can have only one";
	case EINVAL:
	case ENOSYS:
	case EOPNOTSUPP:
		return "the host kernel has no seccomp user notification";
	case EPERM:
	case EACCES:
		return "the host does not permit a seccomp listener, or to take it over";
	default:
		return strerror(-rc);
	}
}

static int start_ptrace(struct sandbox *s, const struct platform_config *config,
			struct boot_failure *why)
{
	int rc = platform_ptrace_new(config, &s->platform);

	if (rc < 0)
		return boot_failed(why, rc, "platform ptrace: %s", strerror(-rc));
	s->root->config.platform = BOOT_PLATFORM_PTRACE;
	return 0;
}

int boot_platform(struct sandbox *s, struct boot_failure *why)
{
	const struct platform_config config = {
		.client = &kernel_context_ops,
		.copies = syscall_copies,
		.needs_registers = syscall_needs_registers,
		.stub_cgroup_fd = -1,
		.cpus = s->root->config.cpu_count,
		.strict = s->root->config.strict_memory,
	};
	bool free_choice = s->root->config.platform == BOOT_PLATFORM_ANY;
	int rc;

	if (s->root->config.platform == BOOT_PLATFORM_PTRACE)
		return start_ptrace(s, &config, why);
	rc = platform_trap_new(&config, &s->platform);
	if (rc == 0) {
		s->root->config.platform = BOOT_PLATFORM_TRAP;
		return 0;
	}
	if (free_choice && host_cannot_trap(rc)) {
		log_warning("platform trap: %s; the slower platform ptrace is used instead",
			    why_not_trap(rc));
		return start_ptrace(s, &config, why);
	}
	return boot_failed(why, rc, "platform trap: %s%s", why_not_trap(rc),
			   host_cannot_trap(rc) ? "; use --platform=ptrace" : "");
}

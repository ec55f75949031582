/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/sandbox/monitor_confine.h"

#include <errno.h>
#include <seccomp.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "config.h"
#include "util/checked.h"

static const int calls[] = {
	/* signals, the connections */
	SCMP_SYS(read),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendmsg),
	SCMP_SYS(close),
	/* memory */
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	/* its end */
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(exit_group),
#ifdef MOAT_SANITIZERS
	SCMP_SYS(clock_gettime),
	SCMP_SYS(futex),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(madvise),
	SCMP_SYS(readlink),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(write),
#endif
};

/* An unprivileged caller cannot drop what it never had. */
static int drop_capabilities(void)
{
	cap_t none = cap_init();
	int ret = 0;

	if (!none)
		return -ENOMEM;
	if (cap_reset_ambient() < 0 && errno != EINVAL)
		ret = -errno;
	for (cap_value_t cap = 0; ret == 0 && cap < cap_max_bits(); cap++)
		if (cap_get_bound(cap) == 1 && cap_drop_bound(cap) < 0 && errno != EPERM)
			ret = -errno;
	if (ret == 0 && cap_set_proc(none) < 0)
		ret = -errno;
	cap_free(none);
	return ret;
}

static int load_filter(void)
{
	const struct scmp_arg_cmp anonymous[] = {
		{ 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 },
		{ 3, SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS },
	};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int ret = 0;

	if (!filter)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(calls) && ret == 0; i++)
		ret = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, calls[i], 0, NULL);
	if (ret == 0)
		ret = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap),
					     ARRAY_SIZE(anonymous), anonymous);
	if (ret == 0)
		ret = seccomp_load(filter);
	seccomp_release(filter);
	return ret;
}

int monitor_confine(void)
{
	int ret = drop_capabilities();

	if (ret < 0)
		return ret;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	return load_filter();
}

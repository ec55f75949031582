/* SPDX-License-Identifier: Apache-2.0 */
/* The instance of kernel_upcalls: dispatch and the program loader. */
#include "sentry/syscalls/kernel_hooks.h"

#include <string.h>

#include "sentry/fs/aio/aio.h"
#include "sentry/fs/proc/nsfs.h"
#include "sentry/kernel/program.h"
#include "sentry/loader/loader.h"
#include "sentry/syscalls/sleep_symbol.h"
#include "sentry/syscalls/syscall.h"

static int64_t dispatch(struct task *t, uint64_t nr, const uint64_t args[6])
{
	struct syscall_args a;

	memcpy(a.v, args, sizeof(a.v));
	return syscall_dispatch(t, nr, &a);
}

static const struct kernel_upcalls upcalls = {
	.syscall = dispatch,
	.sleep_symbol = sleep_symbol,
	.program_prepare = program_prepare,
	.program_free = program_free,
	.program_file = program_file,
	.program_comm = program_comm,
	.program_load = program_load,
	.program_adopt_clock = program_adopt_clock,
	.namespace_open = nsfs_open_namespace,
	.mm_unused = aio_mm_exit,
};

void kernel_hooks_register(void)
{
	kernel_set_upcalls(&upcalls);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seccomp filter of every stub, in classic BPF (libseccomp cannot compare
 * the instruction pointer).
 *
 * It is the second line: PTRACE_SYSEMU stops a guest's call before seccomp sees
 * it.  What gets here is a call the sentry ordered, from the stub's text and of a
 * short list; a vsyscall, which the host emulates without a ptrace stop and
 * which is turned into a SIGSYS that the tracer sees; or guest code that runs
 * untraced through a fault of ours, whose process dies.
 */
#include "sentry/platform/ptrace/filter.h"

#include <linux/audit.h>
#include <linux/membarrier.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "sentry/platform/ptrace/stub.h"
#include "util/compiler.h"
#include "util/log.h"

#define VSYSCALL_PAGE 0xffffffffff600000UL

static void emit(struct ptrace_filter *f, uint16_t code, uint32_t k)
{
	ASSERT(f->count < PTRACE_FILTER_MAX);
	f->insns[f->count++] = (struct sock_filter){ .code = code, .k = k };
}

static void load(struct ptrace_filter *f, size_t offset)
{
	emit(f, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset);
}

static void decide(struct ptrace_filter *f, uint32_t action)
{
	emit(f, BPF_RET | BPF_K, action);
}

/* Skips the next instruction if A op k. */
static void unless(struct ptrace_filter *f, uint16_t op, uint32_t k)
{
	emit(f, BPF_JMP | op | BPF_K, k);
	f->insns[f->count - 1].jt = 1;
}

static void decide_if_equal(struct ptrace_filter *f, uint32_t k, uint32_t action)
{
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, k);
	f->insns[f->count - 1].jf = 1;
	decide(f, action);
}

/* The instruction pointer's high half is in A: `if (high == k) {`, closed by block_end. */
static unsigned block_begin(struct ptrace_filter *f, uint32_t k)
{
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, k);
	return f->count - 1;
}

static void block_end(struct ptrace_filter *f, unsigned mark)
{
	f->insns[mark].jf = (uint8_t)(f->count - mark - 1);
}

/* `case nr:` allow when the first argument, of which the kernel uses the low word, is one of @values. */
static void allow_first_argument(struct ptrace_filter *f, uint32_t nr, const uint32_t *values,
				 size_t count)
{
	unsigned block = block_begin(f, nr);

	load(f, offsetof(struct seccomp_data, args));
	for (size_t i = 0; i < count; i++)
		decide_if_equal(f, values[i], SECCOMP_RET_ALLOW);
	decide(f, SECCOMP_RET_KILL_PROCESS);
	block_end(f, block);
}

static void emit_stub_calls(struct ptrace_filter *f)
{
	static const uint32_t calls[] = {
		__NR_mmap,  __NR_munmap,  __NR_mprotect, __NR_mremap, __NR_madvise,
		__NR_clone, __NR_recvmsg, __NR_close,	 __NR_pause,  __NR_exit,
	};
	static const uint32_t names[] = { PR_SET_NAME };
	static const uint32_t barriers[] = {
		MEMBARRIER_CMD_PRIVATE_EXPEDITED,
		MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED,
		MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE,
		MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE,
	};

	load(f, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		decide_if_equal(f, calls[i], SECCOMP_RET_ALLOW);
	allow_first_argument(f, __NR_prctl, names, ARRAY_SIZE(names));
	allow_first_argument(f, __NR_membarrier, barriers, ARRAY_SIZE(barriers));
	decide(f, SECCOMP_RET_KILL_PROCESS);
}

void ptrace_filter_build(struct ptrace_filter *f)
{
	const size_t ip = offsetof(struct seccomp_data, instruction_pointer);
	unsigned block;

	f->count = 0;
	load(f, offsetof(struct seccomp_data, arch));
	unless(f, BPF_JEQ, AUDIT_ARCH_X86_64);
	decide(f, SECCOMP_RET_KILL_PROCESS);

	load(f, ip + 4);
	block = block_begin(f, (uint32_t)(STUB_AREA >> 32));
	load(f, ip);
	unless(f, BPF_JGE, (uint32_t)STUB_AREA);
	decide(f, SECCOMP_RET_KILL_PROCESS);
	emit(f, BPF_JMP | BPF_JGE | BPF_K, (uint32_t)(STUB_AREA + STUB_PAGE_SIZE));
	f->insns[f->count - 1].jf = 1;
	decide(f, SECCOMP_RET_KILL_PROCESS);
	emit_stub_calls(f);
	block_end(f, block);

	block = block_begin(f, (uint32_t)(VSYSCALL_PAGE >> 32));
	load(f, ip);
	unless(f, BPF_JGE, (uint32_t)VSYSCALL_PAGE);
	decide(f, SECCOMP_RET_KILL_PROCESS);
	unless(f, BPF_JGE, (uint32_t)(VSYSCALL_PAGE + STUB_PAGE_SIZE));
	decide(f, SECCOMP_RET_TRAP);
	block_end(f, block);
	decide(f, SECCOMP_RET_KILL_PROCESS);
}

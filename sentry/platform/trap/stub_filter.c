/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seccomp filter of every stub, in classic BPF (libseccomp cannot compare
 * the instruction pointer).
 *
 * Where the call came from decides.  From the stub's text: the few harmless
 * calls of design rule 2 run directly, each with exact values in the width the
 * kernel uses; everything else is notified and compared with an order.  From
 * anywhere else it is a guest call: those that need registers or the stub's help
 * (address-space changes, atomic access) are trapped into the stub's handler (SIGSYS), the rest notified.
 *
 * In strict mode the memory calls are notified and compared too.
 *
 * Guest code may jump to a call site of the stub with arguments of its own: the
 * direct calls must therefore harm nobody but the caller.
 */
#include "sentry/platform/trap/stub_filter.h"

#include <linux/audit.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "sentry/platform/trap/stub_abi.h"
#include "util/compiler.h"
#include "util/log.h"

enum word {
	WORD_NR = offsetof(struct seccomp_data, nr),
	WORD_ARCH = offsetof(struct seccomp_data, arch),
	WORD_IP_LOW = offsetof(struct seccomp_data, instruction_pointer),
	WORD_IP_HIGH = WORD_IP_LOW + 4,
	WORD_ARGS = offsetof(struct seccomp_data, args),
};

static enum word arg_low(unsigned i)
{
	return (enum word)(WORD_ARGS + 8 * i);
}

static enum word arg_high(unsigned i)
{
	return (enum word)(WORD_ARGS + 8 * i + 4);
}

static void emit(struct stub_filter *f, uint16_t code, uint32_t k)
{
	ASSERT(f->count < STUB_FILTER_MAX);
	f->insns[f->count++] = (struct sock_filter){ .code = code, .k = k };
}

static void load(struct stub_filter *f, enum word w)
{
	emit(f, BPF_LD | BPF_W | BPF_ABS, w);
}

static void decide(struct stub_filter *f, uint32_t action)
{
	emit(f, BPF_RET | BPF_K, action);
}

/* if (A == k) return action; */
static void decide_if_equal(struct stub_filter *f, uint32_t k, uint32_t action)
{
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, k);
	f->insns[f->count - 1].jf = 1;
	decide(f, action);
}

/* if (A != k) return action; */
static void decide_unless_equal(struct stub_filter *f, uint32_t k, uint32_t action)
{
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, k);
	f->insns[f->count - 1].jt = 1;
	decide(f, action);
}

static void decide_if_greater(struct stub_filter *f, uint32_t k, uint32_t action)
{
	emit(f, BPF_JMP | BPF_JGT | BPF_K, k);
	f->insns[f->count - 1].jf = 1;
	decide(f, action);
}

/* `if (A op k) {`: returns the mark that block_end() closes. */
static unsigned block_begin(struct stub_filter *f, uint16_t op, uint32_t k)
{
	emit(f, BPF_JMP | op | BPF_K, k);
	return f->count - 1;
}

static void block_end(struct stub_filter *f, unsigned mark)
{
	unsigned distance = f->count - mark - 1;

	ASSERT(distance <= UINT8_MAX);
	f->insns[mark].jf = (uint8_t)distance;
}

/* The argument @i, whose upper half the kernel does use, must be <= @max. */
static void require_at_most(struct stub_filter *f, unsigned i, uint32_t max)
{
	load(f, arg_high(i));
	decide_unless_equal(f, 0, SECCOMP_RET_USER_NOTIF);
	load(f, arg_low(i));
	decide_if_greater(f, max, SECCOMP_RET_USER_NOTIF);
}

/* `case nr:` allow when the low word of argument @i is one of @values. */
static void allow_listed(struct stub_filter *f, uint32_t nr, unsigned i, const uint32_t *values,
			 size_t count)
{
	unsigned block = block_begin(f, BPF_JEQ, nr);

	load(f, arg_low(i));
	for (size_t v = 0; v < count; v++)
		decide_if_equal(f, values[v], SECCOMP_RET_ALLOW);
	decide(f, SECCOMP_RET_USER_NOTIF);
	block_end(f, block);
}

static void emit_stub_mmap(struct stub_filter *f)
{
	unsigned block = block_begin(f, BPF_JEQ, __NR_mmap);
	const uint32_t flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

	require_at_most(f, 2, PROT_READ | PROT_WRITE | PROT_EXEC);
	load(f, arg_high(3));
	decide_unless_equal(f, 0, SECCOMP_RET_USER_NOTIF);
	load(f, arg_low(3));
	decide_if_equal(f, flags, SECCOMP_RET_ALLOW);
	decide_if_equal(f, flags | MAP_NORESERVE, SECCOMP_RET_ALLOW);
	decide(f, SECCOMP_RET_USER_NOTIF);
	block_end(f, block);
}

/* Of the strict mode these are notified like all others. */
static void emit_stub_memory_calls(struct stub_filter *f)
{
	static const uint32_t advice[] = {
		MADV_NORMAL,   MADV_RANDOM,	MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTNEED,
		MADV_FREE,     MADV_DONTFORK,	MADV_HUGEPAGE,	 MADV_NOHUGEPAGE, MADV_COLD,
		MADV_PAGEOUT,  22 /* MADV_POPULATE_READ */, 23 /* MADV_POPULATE_WRITE */,
	};
	unsigned block;

	decide_if_equal(f, __NR_munmap, SECCOMP_RET_ALLOW);
	allow_listed(f, __NR_madvise, 2, advice, ARRAY_SIZE(advice));
	emit_stub_mmap(f);
	block = block_begin(f, BPF_JEQ, __NR_mprotect);
	require_at_most(f, 2, PROT_READ | PROT_WRITE | PROT_EXEC);
	decide(f, SECCOMP_RET_ALLOW);
	block_end(f, block);
}

static void emit_stub_calls(struct stub_filter *f, bool strict)
{
	/* FUTEX_WAIT and FUTEX_WAKE, with and without FUTEX_PRIVATE_FLAG; the op is an int. */
	static const uint32_t futex_ops[] = { 0, 1, 128, 129 };

	load(f, WORD_NR);
	decide_if_equal(f, __NR_rt_sigreturn, SECCOMP_RET_ALLOW);
	decide_if_equal(f, __NR_sigaltstack, SECCOMP_RET_ALLOW);
	allow_listed(f, __NR_futex, 1, futex_ops, ARRAY_SIZE(futex_ops));
	if (!strict)
		emit_stub_memory_calls(f);
	decide(f, SECCOMP_RET_USER_NOTIF);
}

/*
 * Of futex only the operations that change a guest word need the stub's help (an
 * atomic access by the thread itself); the others are the hottest of calls.
 */
static void emit_guest_futex(struct stub_filter *f)
{
	static const uint32_t trapped[] = {
		FUTEX_WAKE_OP,	      FUTEX_LOCK_PI,	    FUTEX_UNLOCK_PI,	 FUTEX_TRYLOCK_PI,
		FUTEX_WAIT_REQUEUE_PI, FUTEX_CMP_REQUEUE_PI, FUTEX_LOCK_PI2,
	};
	unsigned block = block_begin(f, BPF_JEQ, __NR_futex);

	load(f, arg_low(1));
	emit(f, BPF_ALU | BPF_AND | BPF_K, (uint32_t)FUTEX_CMD_MASK);
	for (size_t i = 0; i < ARRAY_SIZE(trapped); i++)
		decide_if_equal(f, trapped[i], SECCOMP_RET_TRAP);
	decide(f, SECCOMP_RET_USER_NOTIF);
	block_end(f, block);
}

void stub_filter_build(struct stub_filter *f, const struct stub_filter_options *options)
{
	unsigned high, low;

	f->count = 0;
	load(f, WORD_ARCH);
	decide_unless_equal(f, AUDIT_ARCH_X86_64, SECCOMP_RET_TRAP);
	load(f, WORD_IP_HIGH);
	high = block_begin(f, BPF_JEQ, (uint32_t)(STUB_TEXT >> 32));
	load(f, WORD_IP_LOW);
	low = block_begin(f, BPF_JGE, (uint32_t)STUB_TEXT);
	/* The text's end: above it, skip the stub's calls by falling out of both blocks. */
	emit(f, BPF_JMP | BPF_JGE | BPF_K, (uint32_t)STUB_TEXT_LIMIT);
	unsigned end = f->count - 1;

	emit_stub_calls(f, options->strict);
	ASSERT(f->count - end - 1 <= UINT8_MAX);
	f->insns[end].jt = (uint8_t)(f->count - end - 1);
	block_end(f, low);
	block_end(f, high);

	load(f, WORD_NR);
	emit_guest_futex(f);
	for (uint32_t nr = 0; nr < options->limit; nr++)
		if (options->needs_registers(nr))
			decide_if_equal(f, nr, SECCOMP_RET_TRAP);
	decide(f, SECCOMP_RET_USER_NOTIF);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FUTEX_WAKE_OP: changes one word, wakes at another, and at the first as its old value was.
 * The change is made by the task's stub thread (futex_word_cmpxchg).
 */
#include <errno.h>

#include "sentry/abi/futex.h"
#include "sentry/kernel/futex_internal.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/usercopy.h"

static bool op_apply(uint32_t encoded, uint32_t old, uint32_t *desired)
{
	uint32_t op = (encoded >> 28) & 7;
	int32_t arg = (int32_t)(encoded << 8) >> 20;
	uint32_t operand = (uint32_t)arg;

	if ((encoded >> 28) & LINUX_FUTEX_OP_OPARG_SHIFT)
		operand = 1U << (operand & 31);
	switch (op) {
	case LINUX_FUTEX_OP_SET:
		*desired = operand;
		return true;
	case LINUX_FUTEX_OP_ADD:
		*desired = old + operand;
		return true;
	case LINUX_FUTEX_OP_OR:
		*desired = old | operand;
		return true;
	case LINUX_FUTEX_OP_ANDN:
		*desired = old & ~operand;
		return true;
	case LINUX_FUTEX_OP_XOR:
		*desired = old ^ operand;
		return true;
	default:
		return false;
	}
}

static int op_compare(uint32_t encoded, uint32_t old)
{
	int32_t arg = (int32_t)(encoded << 20) >> 20, value = (int32_t)old;

	switch ((encoded >> 24) & 15) {
	case LINUX_FUTEX_OP_CMP_EQ:
		return value == arg;
	case LINUX_FUTEX_OP_CMP_NE:
		return value != arg;
	case LINUX_FUTEX_OP_CMP_LT:
		return value < arg;
	case LINUX_FUTEX_OP_CMP_LE:
		return value <= arg;
	case LINUX_FUTEX_OP_CMP_GT:
		return value > arg;
	case LINUX_FUTEX_OP_CMP_GE:
		return value >= arg;
	default:
		return -ENOSYS;
	}
}

/* 1 or 0: the comparison with the old value; or a negative errno. */
static int op_on_user_word(struct task *t, guest_addr_t addr, uint32_t encoded)
{
	uint32_t old, desired, found;
	int rc = copy_in_u32(t->mm, &old, addr);

	if (rc)
		return rc;
	for (;;) {
		if (!op_apply(encoded, old, &desired))
			return -ENOSYS;
		rc = futex_word_cmpxchg(t, addr, old, desired, &found);
		if (rc)
			return rc;
		if (found == old)
			return op_compare(encoded, old);
		old = found;
	}
}

int64_t futex_wake_op(struct task *t, guest_addr_t first, guest_addr_t second, uint32_t flags,
		      int32_t wake_first, int32_t wake_second, uint32_t encoded_op)
{
	struct memory_key a, b;
	int64_t result;
	int rc = futex_key(t, first, flags, &a);

	if (rc)
		return rc;
	rc = futex_key(t, second, flags, &b);
	if (rc) {
		memory_key_release(&a);
		return rc;
	}
	rc = op_on_user_word(t, second, encoded_op);
	result = rc;
	if (rc >= 0)
		result = futex_wake_key(&a, wake_first, LINUX_FUTEX_BITSET_MATCH_ANY);
	if (rc > 0 && result >= 0) {
		int64_t more = futex_wake_key(&b, wake_second, LINUX_FUTEX_BITSET_MATCH_ANY);

		result = more < 0 ? more : result + more;
	}
	memory_key_release(&a);
	memory_key_release(&b);
	return result;
}

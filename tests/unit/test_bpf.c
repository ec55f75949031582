/* SPDX-License-Identifier: Apache-2.0 */
/* The classic BPF interpreter: what passes its check ends and stays in its bounds. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "sentry/kernel/bpf_classic.h"

#define STMT(c, value) ((struct linux_sock_filter){ c, 0, 0, value })
#define JUMP(c, value, t, f) ((struct linux_sock_filter){ c, t, f, value })
#define LD_ABS 0x20
#define LD_IMM 0x00
#define LDX_IMM 0x01
#define ST 0x02
#define LD_MEM 0x60
#define DIV_X 0x3c
#define LSH_X 0x6c
#define NEG 0x84
#define JA 0x05
#define JEQ 0x15
#define JGT 0x25
#define RET_K 0x06
#define RET_A 0x16

static const struct linux_seccomp_data data = { .nr = 7, .arch = 9, .args = { 0x1122334455667788 } };

static uint32_t run(struct linux_sock_filter *insns, uint32_t count)
{
	assert_int_equal(bpf_check(insns, count), 0);
	return bpf_run(insns, &data);
}

static void test_values(void **state)
{
	struct linux_sock_filter load[] = { STMT(LD_ABS, 20), STMT(RET_A, 0) };
	struct linux_sock_filter length[] = { STMT(0x80, 0), STMT(RET_A, 0) };
	struct linux_sock_filter shift[] = { STMT(LDX_IMM, 33), STMT(LD_IMM, 3), STMT(LSH_X, 0),
					     STMT(RET_A, 0) };
	struct linux_sock_filter zero[] = { STMT(LD_IMM, 5), STMT(DIV_X, 0), STMT(RET_K, 1) };
	struct linux_sock_filter negative[] = { STMT(LD_IMM, 5), STMT(NEG, 0), STMT(ST, 15),
						STMT(LD_IMM, 0), STMT(LD_MEM, 15), STMT(RET_A, 0) };

	(void)state;
	assert_int_equal(run(load, 2), 0x11223344);
	assert_int_equal(run(length, 2), 64);
	assert_int_equal(run(shift, 4), 6);
	assert_int_equal(run(zero, 3), 0);
	assert_int_equal(run(negative, 6), (uint32_t)-5);
}

static void test_jumps(void **state)
{
	struct linux_sock_filter insns[] = { STMT(LD_ABS, 0), JUMP(JEQ, 7, 0, 2), JUMP(JGT, 6, 1, 0),
					     STMT(RET_K, 1), STMT(JA, 1), STMT(RET_K, 2),
					     STMT(RET_K, 3) };

	(void)state;
	assert_int_equal(run(insns, 7), 3);
}

static void test_constant(void **state)
{
	struct linux_sock_filter insns[] = { STMT(LD_ABS, 0), JUMP(JEQ, 7, 0, 1), STMT(RET_K, 4),
					     STMT(LD_ABS, 16), STMT(RET_A, 0) };
	uint32_t value = 0;

	(void)state;
	assert_int_equal(bpf_check(insns, 5), 0);
	assert_true(bpf_constant(insns, 7, 9, &value));
	assert_int_equal(value, 4);
	assert_false(bpf_constant(insns, 8, 9, &value));
}

static void test_limits(void **state)
{
	static struct linux_sock_filter insns[LINUX_BPF_MAXINSNS + 1];

	(void)state;
	for (unsigned i = 0; i <= LINUX_BPF_MAXINSNS; i++)
		insns[i] = STMT(RET_K, i);
	assert_int_equal(bpf_check(insns, 0), -EINVAL);
	assert_int_equal(bpf_check(insns, LINUX_BPF_MAXINSNS), 0);
	assert_int_equal(bpf_check(insns, LINUX_BPF_MAXINSNS + 1), -EINVAL);
}

/* Whatever passes the check runs to an end without touching what is not its own (ASan looks). */
static void test_random(void **state)
{
	static const uint16_t codes[] = { LD_ABS, LD_IMM, LDX_IMM, ST, 0x03, LD_MEM, 0x61, DIV_X, LSH_X,
					  NEG, JA, JEQ, JGT, 0x1d, 0x45, RET_K, RET_A, 0x07, 0x87, 0x34 };
	unsigned passed = 0;

	(void)state;
	srandom(1);
	for (int round = 0; round < 200000; round++) {
		uint32_t count = 1 + (uint32_t)random() % 12, value;
		struct linux_sock_filter *insns = malloc(count * sizeof(*insns));

		assert_non_null(insns);
		for (uint32_t i = 0; i < count; i++)
			insns[i] = (struct linux_sock_filter){ codes[(size_t)random() % ARRAY_SIZE(codes)],
							       (uint8_t)(random() % 6), (uint8_t)(random() % 6),
							       (uint32_t)(random() % 70) };
		if (!bpf_check(insns, count)) {
			uint32_t answer = bpf_run(insns, &data);

			passed++;
			if (bpf_constant(insns, data.nr, data.arch, &value))
				assert_int_equal(value, answer);
		}
		free(insns);
	}
	assert_true(passed > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values), cmocka_unit_test(test_jumps),
		cmocka_unit_test(test_constant), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

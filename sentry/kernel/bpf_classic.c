/* SPDX-License-Identifier: Apache-2.0 */
#include "sentry/kernel/bpf_classic.h"

#include <errno.h>
#include <string.h>

/* Instruction codes: class, size or operation, mode or source. */
enum {
	LD = 0x00, LDX = 0x01, ST = 0x02, STX = 0x03, ALU = 0x04, JMP = 0x05, RET = 0x06, MISC = 0x07,
	IMM = 0x00, ABS = 0x20, MEM = 0x60, LEN = 0x80, /* with size W, which is 0 */
	ADD = 0x00, SUB = 0x10, MUL = 0x20, DIV = 0x30, OR = 0x40, AND = 0x50, LSH = 0x60, RSH = 0x70,
	NEG = 0x80, XOR = 0xa0,
	JA = 0x00, JEQ = 0x10, JGT = 0x20, JGE = 0x30, JSET = 0x40,
	K = 0x00, X = 0x08, RET_A = 0x10, TAX = 0x00, TXA = 0x80,
};

/* --- check --------------------------------------------------------------------------- */

static int check_one(struct linux_sock_filter *insn, uint32_t left)
{
	switch (insn->code) {
	case LD | ABS:
		return insn->k >= sizeof(struct linux_seccomp_data) || (insn->k & 3) ? -EINVAL : 0;
	case LD | LEN:
	case LDX | LEN:
		insn->code = (insn->code & 7) | IMM;
		insn->k = sizeof(struct linux_seccomp_data);
		return 0;
	case LD | MEM:
	case LDX | MEM:
	case ST:
	case STX:
		return insn->k >= LINUX_BPF_MEMWORDS ? -EINVAL : 0;
	case ALU | DIV | K:
		return insn->k == 0 ? -EINVAL : 0;
	case ALU | LSH | K:
	case ALU | RSH | K:
		return insn->k >= 32 ? -EINVAL : 0;
	case LD | IMM:
	case LDX | IMM:
	case RET | K:
	case RET | RET_A:
	case MISC | TAX:
	case MISC | TXA:
	case ALU | NEG:
	case ALU | ADD | K: case ALU | ADD | X:
	case ALU | SUB | K: case ALU | SUB | X:
	case ALU | MUL | K: case ALU | MUL | X:
	case ALU | AND | K: case ALU | AND | X:
	case ALU | OR | K: case ALU | OR | X:
	case ALU | XOR | K: case ALU | XOR | X:
	case ALU | DIV | X: case ALU | LSH | X: case ALU | RSH | X:
		return 0;
	case JMP | JA:
		return insn->k >= left ? -EINVAL : 0;
	case JMP | JEQ | K: case JMP | JEQ | X:
	case JMP | JGE | K: case JMP | JGE | X:
	case JMP | JGT | K: case JMP | JGT | X:
	case JMP | JSET | K: case JMP | JSET | X:
		return insn->jt >= left || insn->jf >= left ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

/* Cells are written on every way to where they are read: one bit a cell. */
static int check_cells(const struct linux_sock_filter *insns, uint32_t count)
{
	uint16_t masks[LINUX_BPF_MAXINSNS], valid = 0;

	memset(masks, 0xff, sizeof(masks));
	for (uint32_t pc = 0; pc < count; pc++) {
		const struct linux_sock_filter *insn = &insns[pc];

		valid &= masks[pc];
		switch (insn->code & 7) {
		case ST:
		case STX:
			valid |= (uint16_t)(1U << insn->k);
			break;
		case LD:
		case LDX:
			if ((insn->code & 0xe0) == MEM && !(valid & (1U << insn->k)))
				return -EINVAL;
			break;
		case JMP:
			if ((insn->code & 0xf0) == JA) {
				masks[pc + 1 + insn->k] &= valid;
			} else {
				masks[pc + 1 + insn->jt] &= valid;
				masks[pc + 1 + insn->jf] &= valid;
			}
			valid = UINT16_MAX;
			break;
		default:
			break;
		}
	}
	return 0;
}

int bpf_check(struct linux_sock_filter *insns, uint32_t count)
{
	if (!count || count > LINUX_BPF_MAXINSNS)
		return -EINVAL;
	for (uint32_t pc = 0; pc < count; pc++) {
		int rc = check_one(&insns[pc], count - pc - 1);

		if (rc)
			return rc;
	}
	if ((insns[count - 1].code & 7) != RET)
		return -EINVAL;
	return check_cells(insns, count);
}

/* --- run ----------------------------------------------------------------------------- */

/* Shifts take the low five bits, as the machine does. */
static uint32_t compute(uint16_t code, uint32_t a, uint32_t operand)
{
	switch (code & 0xf0) {
	case ADD: return a + operand;
	case SUB: return a - operand;
	case MUL: return a * operand;
	case DIV: return a / operand;
	case OR: return a | operand;
	case AND: return a & operand;
	case LSH: return a << (operand & 31);
	case RSH: return a >> (operand & 31);
	case XOR: return a ^ operand;
	default: return 0 - a; /* NEG */
	}
}

static bool holds(uint16_t code, uint32_t a, uint32_t operand)
{
	switch (code & 0xf0) {
	case JEQ: return a == operand;
	case JGT: return a > operand;
	case JGE: return a >= operand;
	default: return a & operand; /* JSET */
	}
}

uint32_t bpf_run(const struct linux_sock_filter *insns, const struct linux_seccomp_data *data)
{
	uint32_t words[sizeof(*data) / 4], cells[LINUX_BPF_MEMWORDS] = { 0 };
	uint32_t a = 0, x = 0;

	memcpy(words, data, sizeof(words));
	for (const struct linux_sock_filter *insn = insns;; insn++) {
		uint32_t operand = insn->code & X ? x : insn->k;

		switch (insn->code) {
		case LD | ABS: a = words[insn->k / 4]; continue;
		case LD | IMM: a = insn->k; continue;
		case LDX | IMM: x = insn->k; continue;
		case LD | MEM: a = cells[insn->k]; continue;
		case LDX | MEM: x = cells[insn->k]; continue;
		case ST: cells[insn->k] = a; continue;
		case STX: cells[insn->k] = x; continue;
		case MISC | TAX: x = a; continue;
		case MISC | TXA: a = x; continue;
		case RET | K: return insn->k;
		case RET | RET_A: return a;
		case JMP | JA: insn += insn->k; continue;
		default: break;
		}
		if ((insn->code & 7) == JMP) {
			insn += holds(insn->code, a, operand) ? insn->jt : insn->jf;
			continue;
		}
		if ((insn->code & 0xf0) == DIV && !operand)
			return 0;
		a = compute(insn->code, a, operand);
	}
}

bool bpf_constant(const struct linux_sock_filter *insns, int32_t nr, uint32_t arch, uint32_t *value)
{
	uint32_t a = 0;

	for (const struct linux_sock_filter *insn = insns;; insn++) {
		switch (insn->code) {
		case LD | ABS:
			if (insn->k == offsetof(struct linux_seccomp_data, nr))
				a = (uint32_t)nr;
			else if (insn->k == offsetof(struct linux_seccomp_data, arch))
				a = arch;
			else
				return false;
			break;
		case LD | IMM:
			a = insn->k;
			break;
		case RET | K:
			*value = insn->k;
			return true;
		case JMP | JA:
			insn += insn->k;
			break;
		case JMP | JEQ | K:
		case JMP | JGT | K:
		case JMP | JGE | K:
		case JMP | JSET | K:
			insn += holds(insn->code, a, insn->k) ? insn->jt : insn->jf;
			break;
		case ALU | AND | K:
			a &= insn->k;
			break;
		default:
			return false;
		}
	}
}

/* --- Linux's limit -------------------------------------------------------------------- */

static uint32_t converted_jump(const struct linux_sock_filter *insn)
{
	/* A constant that is negative as a number of 32 bits goes through a register. */
	uint32_t constant = !(insn->code & X) && (int32_t)insn->k < 0;
	bool inverts = (insn->code & 0xf0) != JSET;

	if (!insn->jf || (!insn->jt && inverts))
		return constant + 1;
	return constant + 2;
}

uint32_t bpf_converted_count(const struct linux_sock_filter *insns, uint32_t count)
{
	uint32_t total = 3; /* A and X cleared, the context kept */

	for (uint32_t pc = 0; pc < count; pc++) {
		const struct linux_sock_filter *insn = &insns[pc];

		if ((insn->code & 7) == RET)
			total += 2;
		else if ((insn->code & 7) == JMP && (insn->code & 0xf0) != JA)
			total += converted_jump(insn);
		else if (insn->code == (ALU | DIV | X))
			total += 5;
		else
			total++;
	}
	return total;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory policy of a machine with one node: policies are checked as Linux checks them, a task's is kept, a
 * mapping's is not, and all memory is on node 0 whatever they say.
 */
#include "sentry/abi/capability.h"
#include "sentry/mm/mm.h"
#include "sentry/syscalls/handlers.h"
#include "util/checked.h"

#define MPOL_DEFAULT 0
#define MPOL_PREFERRED 1
#define MPOL_BIND 2
#define MPOL_INTERLEAVE 3
#define MPOL_LOCAL 4
#define MPOL_PREFERRED_MANY 5
#define MPOL_WEIGHTED_INTERLEAVE 6
#define MPOL_F_STATIC_NODES 0x8000
#define MPOL_F_RELATIVE_NODES 0x4000
#define MPOL_F_NUMA_BALANCING 0x2000
#define MPOL_MODE_FLAGS (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES | MPOL_F_NUMA_BALANCING)
#define MPOL_USER_NODES (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES)
#define MPOL_F_NODE 1
#define MPOL_F_ADDR 2
#define MPOL_F_MEMS_ALLOWED 4
#define MPOL_MF_MOVE_ALL 4
#define MPOL_MF_KNOWN 7
#define MAX_NODES 1024

/* Linux's nodemask_t, of a kernel for 1,024 nodes. */
struct nodes {
	uint64_t bits[MAX_NODES / 64];
};

struct policy {
	uint32_t mode, flags;
	struct nodes nodes;
};

static bool nodes_empty(const struct nodes *n)
{
	for (size_t i = 0; i < ARRAY_SIZE(n->bits); i++)
		if (n->bits[i])
			return false;
	return true;
}

/* What is set beyond the nodes of this kernel is wrong; it may be said that it is not set. */
static int check_beyond(struct task *t, guest_addr_t addr, uint64_t bits)
{
	for (uint64_t word = MAX_NODES / 64; word * 64 < bits; word++) {
		uint64_t value;

		if (copy_in(t->mm, &value, guest_add(addr, word * sizeof(value)), sizeof(value)))
			return -EFAULT;
		if (bits - word * 64 < 64)
			value &= (1ULL << (bits - word * 64)) - 1;
		if (value)
			return -EINVAL;
	}
	return 0;
}

static int read_nodes(struct task *t, guest_addr_t addr, uint64_t bits, struct nodes *out)
{
	size_t words;
	int rc;

	*out = (struct nodes){ 0 };
	bits--;
	if (guest_is_null(addr) || !bits)
		return 0;
	if (bits > GUEST_PAGE_SIZE * 8)
		return -EINVAL;
	rc = check_beyond(t, addr, bits);
	if (rc)
		return rc;
	bits = MIN(bits, (uint64_t)MAX_NODES);
	words = (size_t)round_up(bits, 64) / 64;
	if (copy_in(t->mm, out->bits, addr, words * sizeof(uint64_t)))
		return -EFAULT;
	if (bits % 64)
		out->bits[words - 1] &= (1ULL << bits % 64) - 1;
	return 0;
}

/* Linux's sanitize_mpol_flags() and get_nodes(). */
static int read_policy(struct task *t, int mode, guest_addr_t nodes, uint64_t bits, struct policy *out)
{
	out->mode = (uint32_t)mode & ~(uint32_t)MPOL_MODE_FLAGS;
	out->flags = (uint32_t)mode & MPOL_MODE_FLAGS;
	if (out->mode > MPOL_WEIGHTED_INTERLEAVE || (out->flags & MPOL_USER_NODES) == MPOL_USER_NODES)
		return -EINVAL;
	if (out->flags & MPOL_F_NUMA_BALANCING && out->mode != MPOL_BIND && out->mode != MPOL_PREFERRED_MANY)
		return -EINVAL;
	return read_nodes(t, nodes, bits, &out->nodes);
}

/* Linux's mpol_new() and mpol_set_nodemask(): the mode becomes the one that is in force. */
static int check_policy(struct policy *p)
{
	bool empty = nodes_empty(&p->nodes);

	switch (p->mode) {
	case MPOL_DEFAULT:
		p->flags = 0;
		return empty ? 0 : -EINVAL;
	case MPOL_LOCAL:
		return empty && !(p->flags & MPOL_USER_NODES) ? 0 : -EINVAL;
	case MPOL_PREFERRED:
		if (empty && p->flags & MPOL_USER_NODES)
			return -EINVAL;
		if (empty) {
			p->mode = MPOL_LOCAL;
			return 0;
		}
		break;
	default:
		if (empty)
			return -EINVAL;
		break;
	}
	/* relative ones are folded onto the node there is */
	return p->flags & MPOL_F_RELATIVE_NODES || p->nodes.bits[0] & 1 ? 0 : -EINVAL;
}

int64_t sys_set_mempolicy(struct task *t, const struct syscall_args *a)
{
	struct policy p;
	int rc = read_policy(t, arg_int(a, 0), arg_addr(a, 1), a->v[2], &p);

	if (!rc)
		rc = check_policy(&p);
	if (rc)
		return rc;
	t->memory_policy = p.mode | p.flags;
	if (p.flags & MPOL_USER_NODES)
		t->memory_nodes = p.nodes.bits[0];
	else
		t->memory_nodes = p.mode != MPOL_DEFAULT && p.mode != MPOL_LOCAL;
	return 0;
}

static int check_range(struct task *t, uint64_t addr, uint64_t size, const struct policy *p)
{
	uint64_t end = addr + round_up(size, (uint64_t)GUEST_PAGE_SIZE);
	struct policy checked = *p;
	int rc;

	if (end < addr)
		return -EINVAL;
	if (end == addr)
		return 0;
	rc = check_policy(&checked);
	/* the default may be set across holes, as far as there is anything */
	return rc ? rc : mm_is_mapped(t->mm, addr, end, p->mode == MPOL_DEFAULT) ? 0 : -EFAULT;
}

int64_t sys_mbind(struct task *t, const struct syscall_args *a)
{
	struct policy p;
	int rc = read_policy(t, arg_int(a, 2), arg_addr(a, 3), a->v[4], &p);

	if (rc)
		return rc;
	if (a->v[5] & ~(uint64_t)MPOL_MF_KNOWN)
		return -EINVAL;
	if (a->v[5] & MPOL_MF_MOVE_ALL && !task_capable(t, LINUX_CAP_SYS_NICE))
		return -EPERM;
	if (a->v[0] % GUEST_PAGE_SIZE)
		return -EINVAL;
	return check_range(t, a->v[0], a->v[1], &p);
}

/* What MPOL_F_NODE asks for: the node of the page at @addr, or the next one to be used. */
static int get_node(struct task *t, uint64_t flags, uint64_t addr, uint32_t *out)
{
	uint8_t byte;

	*out = 0;
	if (flags & MPOL_F_ADDR)
		return copy_in(t->mm, &byte, guest_addr(addr), sizeof(byte));
	switch (t->memory_policy & ~(uint32_t)MPOL_MODE_FLAGS) {
	case MPOL_INTERLEAVE:
	case MPOL_WEIGHTED_INTERLEAVE:
		return 0;
	default:
		return -EINVAL;
	}
}

static int get_policy(struct task *t, uint64_t flags, uint64_t addr, uint32_t *policy, uint64_t *nodes)
{
	*policy = 0;
	*nodes = 0;
	if (flags & ~(uint64_t)(MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED))
		return -EINVAL;
	if (flags & MPOL_F_MEMS_ALLOWED) {
		*nodes = 1;
		return flags & (MPOL_F_NODE | MPOL_F_ADDR) ? -EINVAL : 0;
	}
	if (flags & MPOL_F_ADDR) {
		uint64_t page = addr & ~(uint64_t)(GUEST_PAGE_SIZE - 1);

		if (!mm_is_mapped(t->mm, page, page + GUEST_PAGE_SIZE, false))
			return -EFAULT;
	} else if (addr) {
		return -EINVAL;
	} else {
		*policy = t->memory_policy;
		*nodes = t->memory_nodes;
	}
	return flags & MPOL_F_NODE ? get_node(t, flags, addr, policy) : 0;
}

/* As much of the mask as there are nodes, and nothing behind it. */
static int copy_nodes(struct task *t, guest_addr_t out, uint64_t bits, uint64_t nodes)
{
	uint64_t size = round_up(bits - 1, 64) / 8;

	if (size > GUEST_PAGE_SIZE)
		return -EINVAL;
	if (size > sizeof(nodes) &&
	    clear_out(t->mm, guest_add(out, sizeof(nodes)), (size_t)size - sizeof(nodes)))
		return -EFAULT;
	return copy_out(t->mm, out, &nodes, MIN((size_t)size, sizeof(nodes)));
}

int64_t sys_get_mempolicy(struct task *t, const struct syscall_args *a)
{
	uint64_t bits = a->v[2], nodes;
	uint32_t policy;
	int rc;

	if (a->v[1] && bits < 1)
		return -EINVAL;
	rc = get_policy(t, a->v[4], a->v[3], &policy, &nodes);
	if (rc)
		return rc;
	if (a->v[0] && copy_out_u32(t->mm, arg_addr(a, 0), policy))
		return -EFAULT;
	if (!a->v[1])
		return 0;
	return copy_nodes(t, arg_addr(a, 1), bits, nodes);
}

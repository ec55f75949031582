/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory policy of a machine with one node: policies are checked and kept, and all
 * memory is on node 0 whatever they say.
 */
#include <string.h>

#include "sentry/syscalls/handlers.h"
#include "util/checked.h"

#define MPOL_DEFAULT 0
#define MPOL_PREFERRED 1
#define MPOL_BIND 2
#define MPOL_INTERLEAVE 3
#define MPOL_LOCAL 4
#define MPOL_PREFERRED_MANY 5
#define MPOL_WEIGHTED_INTERLEAVE 6
#define MPOL_MODE_FLAGS 0xe000
#define MPOL_F_NODE 1
#define MPOL_F_ADDR 2
#define MPOL_F_MEMS_ALLOWED 4
#define MPOL_MF_KNOWN 7
#define MAX_NODES 1024

/* Reads a node mask; *any: it has nodes; more than node 0 is -EINVAL. */
static int read_nodes(struct task *t, guest_addr_t addr, uint64_t bits, bool *any)
{
	uint64_t mask[MAX_NODES / 64] = { 0 };
	int rc;

	*any = false;
	if (guest_is_null(addr) || !bits || !--bits)
		return 0;
	if (bits > GUEST_PAGE_SIZE * 8)
		return -EINVAL;
	rc = copy_in(t->mm, mask, addr, (size_t)MIN(round_up(bits, 64) / 8, (uint64_t)sizeof(mask)));
	if (rc)
		return rc;
	for (unsigned i = 1; i < MIN(bits, (uint64_t)MAX_NODES); i++)
		if (mask[i / 64] & (1ULL << (i % 64)))
			return -EINVAL;
	*any = mask[0] & 1;
	return 0;
}

static int check_policy(struct task *t, int mode, guest_addr_t nodes, uint64_t bits, bool *node)
{
	bool any;
	int rc;

	if ((mode & ~MPOL_MODE_FLAGS) < 0 || (mode & ~MPOL_MODE_FLAGS) > MPOL_WEIGHTED_INTERLEAVE)
		return -EINVAL;
	rc = read_nodes(t, nodes, bits, &any);
	if (rc)
		return rc;
	*node = any;
	switch (mode & ~MPOL_MODE_FLAGS) {
	case MPOL_DEFAULT:
	case MPOL_LOCAL:
		return any ? -EINVAL : 0;
	case MPOL_PREFERRED:
		return 0;
	default:
		return any ? 0 : -EINVAL;
	}
}

int64_t sys_set_mempolicy(struct task *t, const struct syscall_args *a)
{
	bool node;
	int rc = check_policy(t, arg_int(a, 0), arg_addr(a, 1), a->v[2], &node);

	if (rc)
		return rc;
	t->memory_policy = arg_u32(a, 0);
	t->memory_policy_node = node;
	return 0;
}

int64_t sys_mbind(struct task *t, const struct syscall_args *a)
{
	bool node;

	if (a->v[5] & ~(uint64_t)MPOL_MF_KNOWN || a->v[0] % GUEST_PAGE_SIZE)
		return -EINVAL;
	return check_policy(t, arg_int(a, 2), arg_addr(a, 3), a->v[4], &node);
}

int64_t sys_get_mempolicy(struct task *t, const struct syscall_args *a)
{
	uint64_t flags = a->v[4], bits = a->v[2];
	uint64_t mask[MAX_NODES / 64] = { 0 };
	int rc = 0;

	if (flags & ~(uint64_t)(MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED))
		return -EINVAL;
	if ((flags & MPOL_F_MEMS_ALLOWED) && (flags & (MPOL_F_NODE | MPOL_F_ADDR)))
		return -EINVAL;
	if (!(flags & MPOL_F_ADDR) && a->v[3])
		return -EINVAL;
	if (a->v[1] && bits < 1)
		return -EINVAL;
	mask[0] = flags & MPOL_F_MEMS_ALLOWED || (!(flags & MPOL_F_ADDR) && t->memory_policy_node);
	/* MPOL_F_NODE with an address: the node the page is on. */
	if (a->v[0])
		rc = copy_out_u32(t->mm, arg_addr(a, 0),
				  flags & (MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED) ? 0 : t->memory_policy);
	if (!rc && a->v[1])
		rc = copy_out(t->mm, arg_addr(a, 1), mask,
			      (size_t)MIN(round_up(bits, 64) / 8, (uint64_t)sizeof(mask)));
	return rc;
}

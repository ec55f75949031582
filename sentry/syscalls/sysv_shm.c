/* SPDX-License-Identifier: Apache-2.0 */
/* shmget, shmat, shmdt, shmctl: arguments, and mappings by sentry/mm. */
#include "config.h"

#include "sentry/abi/mm.h"
#include "sentry/ipc/shm.h"
#include "sentry/mm/mm.h"
#include "sentry/platform/platform.h"
#include "sentry/syscalls/handlers.h"
#include "util/checked.h"

int64_t sys_shmget(struct task *t, const struct syscall_args *a)
{
	return shm_get(t, arg_int(a, 0), a->v[1], arg_int(a, 2));
}

/* Where to attach: *addr and *map_flags. */
static int place(uint64_t *addr, int flags, int *map_flags)
{
	*map_flags = LINUX_MAP_SHARED;
	if (!*addr)
		return flags & LINUX_SHM_REMAP ? -EINVAL : 0;
	if (*addr & (GUEST_PAGE_SIZE - 1)) {
		if (!(flags & LINUX_SHM_RND))
			return -EINVAL;
		*addr = round_down(*addr, GUEST_PAGE_SIZE);
		if (!*addr && (flags & LINUX_SHM_REMAP))
			return -EINVAL;
	}
	*map_flags |= flags & LINUX_SHM_REMAP ? LINUX_MAP_FIXED : LINUX_MAP_FIXED_NOREPLACE;
	return 0;
}

int64_t sys_shmat(struct task *t, const struct syscall_args *a)
{
	struct mm_limits limits = task_mm_limits(t);
	uint64_t addr = a->v[1], size, result;
	int flags = arg_int(a, 2), map_flags, prot, rc;
	struct mappable *m;

	if (arg_int(a, 0) < 0)
		return -EINVAL;
	rc = place(&addr, flags, &map_flags);
	if (rc == 0)
		rc = shm_attach(t, arg_int(a, 0), flags, &m, &size, &prot);
	if (rc < 0)
		return rc;
	if (addr && addr + size < addr)
		rc = -EINVAL;
	else
		rc = mm_mmap(t->mm, t->context, &limits, addr, size, prot, map_flags, m, 0, &result);
	m->ops->put(m);
	if (rc == -EEXIST)
		return -EINVAL;
	return rc < 0 ? rc : (int64_t)result;
}

/* The first mapping at or above @addr of a segment that would begin at @addr. */
static bool find_attachment(struct mm *mm, uint64_t addr, struct vma *out)
{
	uint64_t at = addr;

	while (mm_find_vma(mm, at, out)) {
		if (shm_mapped_size(out->object) && out->start >= addr &&
		    out->start - addr == out->offset)
			return true;
		at = out->end;
		mm_vma_release(out);
	}
	return false;
}

int64_t sys_shmdt(struct task *t, const struct syscall_args *a)
{
	uint64_t addr = a->v[0], at, end;
	struct vma first, vma;
	int rc = 0;

	if ((addr & (GUEST_PAGE_SIZE - 1)) || !find_attachment(t->mm, addr, &first))
		return -EINVAL;
	end = addr + round_up(shm_detach(t, first.object), GUEST_PAGE_SIZE);
	/* the segment's own pieces only: others may have been mapped over it */
	for (at = first.start; rc == 0 && at < end && mm_find_vma(t->mm, at, &vma); at = vma.end) {
		bool ours = vma.start < end && shm_same_segment(vma.object, first.object) &&
			    vma.start - addr == vma.offset;
		uint64_t stop = MIN(vma.end, end);

		mm_vma_release(&vma);
		if (ours)
			rc = mm_munmap(t->mm, t->context, vma.start, stop - vma.start);
	}
	mm_vma_release(&first);
	return rc;
}

static int64_t stat_segment(struct task *t, int32_t id, int cmd, guest_addr_t buf)
{
	struct linux_shmid64_ds ds;
	int result = shm_stat(t, id, cmd, &ds);

	if (result >= 0 && copy_out(t->mm, buf, &ds, sizeof(ds)) < 0)
		return -EFAULT;
	return result;
}

static int64_t show_info(struct task *t, int cmd, guest_addr_t buf)
{
	struct linux_shminfo64 limits = { .shmmax = LINUX_SHMMAX, .shmmin = 1,
					  .shmmni = LINUX_SHMMNI, .shmseg = LINUX_SHMMNI,
					  .shmall = LINUX_SHMMAX };
	struct linux_shm_info info;
	int highest = shm_info(t, &info), rc;

	rc = cmd == LINUX_IPC_INFO ? copy_out(t->mm, buf, &limits, sizeof(limits))
				   : copy_out(t->mm, buf, &info, sizeof(info));
	return rc < 0 ? rc : highest;
}

int64_t sys_shmctl(struct task *t, const struct syscall_args *a)
{
	int32_t id = arg_int(a, 0);
	int cmd = arg_int(a, 1);
	struct linux_shmid64_ds ds;

	if (cmd < 0 || id < 0)
		return -EINVAL;
	switch (cmd) {
	case LINUX_IPC_RMID:
		return shm_remove(t, id);
	case LINUX_IPC_SET:
		if (copy_in(t->mm, &ds, arg_addr(a, 2), sizeof(ds)) < 0)
			return -EFAULT;
		return shm_set(t, id, &ds);
	case LINUX_IPC_STAT:
	case LINUX_SHM_STAT:
	case LINUX_SHM_STAT_ANY:
		return stat_segment(t, id, cmd, arg_addr(a, 2));
	case LINUX_IPC_INFO:
	case LINUX_SHM_INFO:
		return show_info(t, cmd, arg_addr(a, 2));
	case LINUX_SHM_LOCK:
	case LINUX_SHM_UNLOCK:
		return shm_set_locked(t, id, cmd == LINUX_SHM_LOCK);
	default:
		return -EINVAL;
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared memory segments: a memfd each, and two mappables over it, so that a
 * read-only attachment has a descriptor that cannot write.  A VMA's reference on
 * one of them is an attachment; a removed segment lives until the last has gone.
 * A segment's fields are guarded by its namespace's lock.
 */
#include "config.h"

#include "sentry/ipc/shm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/mm.h"
#include "sentry/abi/resource.h"
#include "sentry/cred/user_account.h"
#include "sentry/host/host_clock.h"
#include "sentry/host/host_memfd.h"
#include "sentry/ipc/ipc_namespace.h"
#include "sentry/kernel/task.h"
#include "util/checked.h"
#include "util/cleanup.h"

#define NSEC 1000000000ULL
#define SHM_DEV 1

struct shm_view {
	struct mappable mappable; /* first */
	struct shm_segment *segment;
	int fd;			  /* owned; -1: not made yet (read-only view); ns->lock */
	bool read_only;
};

struct shm_segment {
	struct ipc_object object;	  /* first */
	struct ipc_namespace *ns;	  /* reference while attached or borrowed by the table */
	struct shm_view write, read;
	uint64_t size, attached;	  /* attached: references by VMAs */
	bool removed, in_table;
	bool locked;			  /* SHM_LOCK: counted for who did it */
	uint32_t locked_by;		  /* its kernel uid */
	int64_t atime, dtime, ctime;
	int32_t cpid, lpid;
};

static int64_t now(void)
{
	return (int64_t)(host_realtime_ns() / NSEC);
}

static int32_t tgid_of(struct task *t)
{
	return task_tgid_in(t, task_pid_namespace(t));
}

static struct shm_view *view_of(const struct mappable *m)
{
	return container_of((struct mappable *)(uintptr_t)m, struct shm_view, mappable);
}

static uint64_t segment_pages(const struct shm_segment *s)
{
	return round_up(s->size, GUEST_PAGE_SIZE) >> GUEST_PAGE_SHIFT;
}

static void uncharge_lock(struct shm_segment *s)
{
	if (s->locked)
		user_uncharge_amount(s->locked_by, USER_LOCKED_PAGES, segment_pages(s));
	s->locked = false;
}

static void segment_free(struct shm_segment *s)
{
	uncharge_lock(s);
	close(s->write.fd);
	if (s->read.fd >= 0)
		close(s->read.fd);
	free(s);
}

/* Out of the table when nothing holds it; true: free it outside the lock. */
static bool retire_locked(struct shm_segment *s)
{
	if (!s->removed || s->attached)
		return false;
	if (s->in_table) {
		ipc_ids_remove(&s->ns->shm, &s->object);
		s->ns->shm_pages -= segment_pages(s);
		s->in_table = false;
	}
	return true;
}

/* --- mappable -------------------------------------------------------------------------- */

/* May be called under mm->lock (LOCK_RANK_MM, which is lower). */
static void view_get(struct mappable *m)
{
	struct shm_segment *s = view_of(m)->segment;

	mutex_lock(&s->ns->lock);
	s->attached++;
	ipc_namespace_get(s->ns);
	mutex_unlock(&s->ns->lock);
}

static void view_put(struct mappable *m)
{
	struct shm_segment *s = view_of(m)->segment;
	struct ipc_namespace *ns = s->ns;
	bool gone;

	mutex_lock(&ns->lock);
	s->attached--;
	gone = retire_locked(s);
	mutex_unlock(&ns->lock);
	if (gone)
		segment_free(s);
	ipc_namespace_put(ns);
}

static int view_host_fd(struct mappable *m, uint64_t offset, uint64_t size, int prot, bool shared,
			int *fd, uint64_t *host_offset)
{
	const struct shm_view *v = view_of(m);

	if (v->read_only && (prot & LINUX_PROT_WRITE))
		return -EACCES;
	*fd = v->fd;
	*host_offset = offset;
	return 0;
}

static int view_max_prot(struct mappable *m, bool shared)
{
	return LINUX_PROT_READ | LINUX_PROT_EXEC | (view_of(m)->read_only ? 0 : LINUX_PROT_WRITE);
}

static void view_describe(struct mappable *m, char *buf, size_t size, uint64_t *dev, uint64_t *ino)
{
	const struct shm_segment *s = view_of(m)->segment;

	snprintf(buf, size, "/SYSV%08x (deleted)", (unsigned)s->object.key);
	*dev = SHM_DEV;
	*ino = (uint64_t)s->object.id;
}

static const void *view_identity(struct mappable *m)
{
	return view_of(m)->segment;
}

static const struct mappable_ops view_ops = {
	.get = view_get,
	.put = view_put,
	.host_fd = view_host_fd,
	.max_prot = view_max_prot,
	.describe = view_describe,
	.identity = view_identity,
};

/* --- shmget ------------------------------------------------------------------------------ */

static int segment_new(struct task *t, int32_t key, uint64_t size, int flags,
		       struct shm_segment **out)
{
	struct shm_segment *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	ipc_object_init(&s->object, key, (uint32_t)flags, t->cred);
	s->ns = ipc_namespace_of(t);
	s->size = size;
	s->ctime = now();
	s->cpid = tgid_of(t);
	s->write = (struct shm_view){ { &view_ops }, s, -1, false };
	s->read = (struct shm_view){ { &view_ops }, s, -1, true };
	s->write.fd = host_memfd_create("SYSV", round_up(size, GUEST_PAGE_SIZE));
	if (s->write.fd < 0) {
		int rc = s->write.fd;

		free(s);
		return rc == -EFBIG || rc == -EINVAL ? -ENOMEM : rc;
	}
	*out = s;
	return 0;
}

static int open_existing(struct task *t, const struct ipc_object *o, uint64_t size, int flags)
{
	const struct shm_segment *s = (const struct shm_segment *)o;
	int rc;

	if ((flags & LINUX_IPC_CREAT) && (flags & LINUX_IPC_EXCL))
		return -EEXIST;
	if (s->size < size)
		return -EINVAL;
	rc = ipc_object_permission(s->ns, o, (uint32_t)flags & 0777, t->cred);
	return rc < 0 ? rc : o->id;
}

int shm_get(struct task *t, int32_t key, uint64_t size, int flags)
{
	struct ipc_namespace *ns = ipc_namespace_of(t);
	struct shm_segment *made = NULL;
	struct ipc_object *o;
	int rc;

	mutex_lock(&ns->lock);
	o = ipc_ids_find_key(&ns->shm, key);
	rc = o ? open_existing(t, o, size, flags) : 0;
	mutex_unlock(&ns->lock);
	if (o)
		return rc;
	if (key != LINUX_IPC_PRIVATE && !(flags & LINUX_IPC_CREAT))
		return -ENOENT;
	if (size < 1 || size > LINUX_SHMMAX || size > (uint64_t)INT64_MAX - GUEST_PAGE_SIZE)
		return size < 1 || size > LINUX_SHMMAX ? -EINVAL : -ENOMEM;
	if (flags & LINUX_SHM_HUGETLB)
		return -ENOMEM; /* a host without huge pages */
	rc = segment_new(t, key, size, flags, &made);
	if (rc < 0)
		return rc;
	mutex_lock(&ns->lock);
	o = ipc_ids_find_key(&ns->shm, key); /* someone else was faster? */
	rc = o ? open_existing(t, o, size, flags) : ipc_ids_add(&ns->shm, &made->object);
	if (!o && rc == 0) {
		rc = made->object.id;
		made->in_table = true;
		ns->shm_pages += segment_pages(made);
		made = NULL;
	}
	mutex_unlock(&ns->lock);
	if (made)
		segment_free(made);
	return rc;
}

/* --- attaching ---------------------------------------------------------------------------- */

static struct shm_segment *find_locked(struct ipc_namespace *ns, int32_t id)
{
	return (struct shm_segment *)ipc_ids_find(&ns->shm, id);
}

/* The read-only view's descriptor is made when it is first wanted. */
static int ensure_read_fd(struct shm_segment *s)
{
	int fd;

	if (s->read.fd >= 0)
		return 0;
	fd = host_memfd_read_only_twin(s->write.fd);
	if (fd < 0)
		return fd;
	mutex_lock(&s->ns->lock);
	if (s->read.fd < 0)
		s->read.fd = move_fd(&fd);
	mutex_unlock(&s->ns->lock);
	if (fd >= 0)
		close(fd);
	return 0;
}

int shm_attach(struct task *t, int32_t id, int flags, struct mappable **out, uint64_t *size,
	       int *prot)
{
	bool read_only = flags & LINUX_SHM_RDONLY;
	struct ipc_namespace *ns = ipc_namespace_of(t);
	uint32_t wanted = read_only ? 0444 : 0666;
	struct shm_segment *s;
	int rc = 0;

	*prot = LINUX_PROT_READ | (read_only ? 0 : LINUX_PROT_WRITE);
	if (flags & LINUX_SHM_EXEC) {
		*prot |= LINUX_PROT_EXEC;
		wanted |= 0111;
	}
	mutex_lock(&ns->lock);
	s = find_locked(ns, id);
	rc = s ? ipc_object_permission(ns, &s->object, wanted, t->cred) : -EINVAL;
	if (rc == 0) {
		s->attached++; /* the reference handed out */
		ipc_namespace_get(ns);
		s->atime = now();
		s->lpid = tgid_of(t);
	}
	mutex_unlock(&ns->lock);
	if (rc < 0)
		return rc;
	if (read_only)
		rc = ensure_read_fd(s);
	if (rc < 0) {
		view_put(&s->write.mappable);
		return rc;
	}
	*out = read_only ? &s->read.mappable : &s->write.mappable;
	*size = s->size;
	return 0;
}

uint64_t shm_mapped_size(const struct mappable *m)
{
	return m && m->ops == &view_ops ? view_of(m)->segment->size : 0;
}

bool shm_same_segment(const struct mappable *a, const struct mappable *b)
{
	return a && b && a->ops == &view_ops && b->ops == &view_ops &&
	       view_of(a)->segment == view_of(b)->segment;
}

uint64_t shm_detach(struct task *t, const struct mappable *m)
{
	struct shm_segment *s = view_of(m)->segment;

	mutex_lock(&s->ns->lock);
	s->dtime = now();
	s->lpid = tgid_of(t);
	mutex_unlock(&s->ns->lock);
	return s->size;
}

/* --- shmctl --------------------------------------------------------------------------------- */

int shm_remove(struct task *t, int32_t id)
{
	struct ipc_namespace *ns = ipc_namespace_of(t);
	struct shm_segment *s;
	bool gone = false;
	int rc;

	mutex_lock(&ns->lock);
	s = find_locked(ns, id);
	rc = s ? ipc_object_owner(ns, &s->object, t->cred) : -EINVAL;
	if (rc == 0) {
		s->removed = true;
		s->object.key = LINUX_IPC_PRIVATE;
		gone = retire_locked(s);
	}
	mutex_unlock(&ns->lock);
	if (gone)
		segment_free(s);
	return rc;
}

int shm_set(struct task *t, int32_t id, const struct linux_shmid64_ds *ds)
{
	struct ipc_namespace *ns = ipc_namespace_of(t);
	struct shm_segment *s;
	int rc;

	mutex_lock(&ns->lock);
	s = find_locked(ns, id);
	rc = s ? ipc_object_owner(ns, &s->object, t->cred) : -EINVAL;
	if (rc == 0)
		rc = ipc_object_set(&s->object, &ds->perm, t->cred);
	if (rc == 0)
		s->ctime = now();
	mutex_unlock(&ns->lock);
	return rc;
}

static void show_locked(const struct shm_segment *s, const struct credentials *cred,
			struct linux_shmid64_ds *out)
{
	*out = (struct linux_shmid64_ds){ .segsz = s->size, .atime = s->atime, .dtime = s->dtime,
					  .ctime = s->ctime, .cpid = s->cpid, .lpid = s->lpid,
					  .nattch = s->attached };
	ipc_object_show(&s->object, cred, &out->perm);
	out->perm.mode |= (s->removed ? LINUX_SHM_DEST : 0) | (s->locked ? LINUX_SHM_LOCKED : 0);
}

int shm_stat(struct task *t, int32_t id, int cmd, struct linux_shmid64_ds *out)
{
	struct ipc_namespace *ns = ipc_namespace_of(t);
	struct shm_segment *s;
	int rc;

	mutex_lock(&ns->lock);
	s = cmd == LINUX_IPC_STAT ? find_locked(ns, id)
				  : (struct shm_segment *)ipc_ids_at(&ns->shm, ipc_id_index(id));
	rc = s ? 0 : -EINVAL;
	if (rc == 0 && cmd != LINUX_SHM_STAT_ANY)
		rc = ipc_object_permission(ns, &s->object, 0444, t->cred);
	if (rc == 0) {
		show_locked(s, t->cred, out);
		rc = cmd == LINUX_IPC_STAT ? 0 : s->object.id;
	}
	mutex_unlock(&ns->lock);
	return rc;
}

static int may_set_lock(struct task *t, const struct shm_segment *s, bool locked)
{
	if (credentials_ns_capable(t->cred, s->ns->user_ns, LINUX_CAP_IPC_LOCK))
		return 0;
	if (t->cred->euid != s->object.uid && t->cred->euid != s->object.cuid)
		return -EPERM;
	return locked && !task_rlimit(t, RLIM_MEMLOCK) ? -EPERM : 0;
}

/* A user's locked segments count together, and apart from what processes lock of their memory. */
static int charge_lock(struct task *t, struct shm_segment *s)
{
	uint64_t limit = task_rlimit(t, RLIM_MEMLOCK), pages = segment_pages(s);
	int rc = user_charge_amount(t->cred->uid, USER_LOCKED_PAGES, pages,
				    limit == LINUX_RLIM_INFINITY ? limit : limit >> GUEST_PAGE_SHIFT);

	if (rc == -EAGAIN && credentials_root_capable(t->cred, LINUX_CAP_IPC_LOCK))
		rc = user_charge_amount(t->cred->uid, USER_LOCKED_PAGES, pages, UINT64_MAX);
	if (rc)
		return -ENOMEM;
	s->locked = true;
	s->locked_by = t->cred->uid;
	return 0;
}

int shm_set_locked(struct task *t, int32_t id, bool locked)
{
	struct ipc_namespace *ns = ipc_namespace_of(t);
	struct shm_segment *s;
	int rc;

	mutex_lock(&ns->lock);
	s = find_locked(ns, id);
	rc = s ? may_set_lock(t, s, locked) : -EINVAL;
	if (!rc && !locked)
		uncharge_lock(s);
	else if (!rc && !s->locked)
		rc = charge_lock(t, s);
	mutex_unlock(&ns->lock);
	return rc;
}

/* What is in memory of it, in pages. */
static uint64_t resident_pages(const struct shm_segment *s)
{
	uint64_t bytes = 0;
	int rc = host_memfd_allocated(s->write.fd, &bytes);

	return rc ? 0 : bytes >> GUEST_PAGE_SHIFT;
}

uint64_t shm_resident(struct task *t, int32_t id)
{
	struct ipc_namespace *ns = ipc_namespace_of(t);
	struct shm_segment *s;
	uint64_t pages;

	mutex_lock(&ns->lock);
	s = find_locked(ns, id);
	pages = s ? resident_pages(s) : 0;
	mutex_unlock(&ns->lock);
	return pages << GUEST_PAGE_SHIFT;
}

int shm_info(struct task *t, struct linux_shm_info *out)
{
	struct ipc_namespace *ns = ipc_namespace_of(t);
	int highest;

	mutex_lock(&ns->lock);
	*out = (struct linux_shm_info){ .used_ids = (int32_t)ns->shm.count, .shm_tot = ns->shm_pages };
	for (int32_t i = 0; i <= ns->shm.highest; i++)
		if (ns->shm.slots[i])
			out->shm_rss += resident_pages((struct shm_segment *)ns->shm.slots[i]);
	highest = MAX(ns->shm.highest, 0);
	mutex_unlock(&ns->lock);
	return highest;
}

/* The last reference is gone, so nothing is attached. */
void shm_namespace_clear(struct ipc_namespace *ns)
{
	for (int32_t i = 0; i <= ns->shm.highest; i++)
		if (ns->shm.slots[i])
			segment_free((struct shm_segment *)ns->shm.slots[i]);
}

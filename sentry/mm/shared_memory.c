/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Anonymous shared memory: one host memfd per object, of the object's exact size
 * and with nothing else in it, so that a guest that stretches its mapping finds
 * only SIGBUS behind it.
 */
#include "config.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "sentry/host/host_memfd.h"
#include "sentry/mm/mm_private.h"
#include "util/cleanup.h"

/* As Linux's internal shmem mount shows itself: device 00:01. */
#define SHMEM_DEV 1

struct shared_memory {
	struct mappable mappable; /* first */
	struct refcount refs;
	int fd;			  /* owned */
	uint64_t size, ino;	  /* do not change */
	char name[32];		  /* in maps: "/name (deleted)" */
};

static struct shared_memory *of(struct mappable *m)
{
	return container_of(m, struct shared_memory, mappable);
}

static void shared_memory_get(struct mappable *m)
{
	refcount_get(&of(m)->refs);
}

static void shared_memory_put(struct mappable *m)
{
	struct shared_memory *s = of(m);

	if (!refcount_put(&s->refs))
		return;
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

static int shared_memory_host_fd(struct mappable *m, uint64_t offset, uint64_t size, int prot,
				 bool shared, int *fd, uint64_t *host_offset)
{
	*fd = of(m)->fd;
	*host_offset = offset;
	return 0;
}

static int shared_memory_max_prot(struct mappable *m, bool shared)
{
	return LINUX_PROT_READ | LINUX_PROT_WRITE | LINUX_PROT_EXEC;
}

static void shared_memory_describe(struct mappable *m, char *buf, size_t size, uint64_t *dev,
				   uint64_t *ino)
{
	snprintf(buf, size, "/%s (deleted)", of(m)->name);
	*dev = SHMEM_DEV;
	*ino = of(m)->ino;
}

static const struct mappable_ops shared_memory_ops = {
	.get = shared_memory_get,
	.put = shared_memory_put,
	.host_fd = shared_memory_host_fd,
	.max_prot = shared_memory_max_prot,
	.describe = shared_memory_describe,
};

bool mappable_is_shared_memory(const struct mappable *m)
{
	return m->ops == &shared_memory_ops;
}

int shared_memory_new(uint64_t size, const char *name, struct mappable **out)
{
	static _Atomic uint64_t next_ino = 1;
	struct shared_memory *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->mappable.ops = &shared_memory_ops;
	refcount_init(&s->refs);
	s->size = size;
	s->ino = atomic_fetch_add_explicit(&next_ino, 1, memory_order_relaxed);
	snprintf(s->name, sizeof(s->name), "%s", name);
	s->fd = host_memfd_create(name, page_up(size));
	if (s->fd < 0) {
		int rc = s->fd;

		free(s);
		return rc;
	}
	*out = &s->mappable;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest memory of the fake platform: real mappings inside reserved windows of the
 * process, so that protections, sharing and private copies are the host kernel's.  What
 * the guest has not mapped is PROT_NONE.  Remote access is process_vm_readv of the
 * process itself, which honours protections.  Each space's lock covers its list.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sentry/platform/fake/fake_private.h"
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/log.h"

#define RESERVE_FLAGS (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)

/* --- translation ------------------------------------------------------------------- */

/* The host address of @addr; NULL: no window there (yet), or no room for one. */
static char *translate(struct fake_space *s, uint64_t addr, bool create)
{
	uint64_t base = round_down(addr, FAKE_CHUNK_SIZE);
	struct fake_chunk *c;

	for (c = s->chunks; c; c = c->next)
		if (c->base == base)
			return c->host + (addr - base);
	if (!create || s->chunk_count == FAKE_CHUNKS_MAX)
		return NULL;
	c = malloc(sizeof(*c));
	ASSERT(c);
	c->host = mmap(NULL, FAKE_CHUNK_SIZE, PROT_NONE, RESERVE_FLAGS, -1, 0);
	if (c->host == MAP_FAILED) {
		free(c);
		return NULL;
	}
	c->base = base;
	c->next = s->chunks;
	s->chunks = c;
	s->chunk_count++;
	return c->host + (addr - base);
}

/* How much of [addr, addr + size) lies in addr's window. */
static uint64_t window(uint64_t addr, uint64_t size)
{
	return MIN(size, FAKE_CHUNK_SIZE - (addr & (FAKE_CHUNK_SIZE - 1)));
}

/* --- regions ------------------------------------------------------------------------ */

static void region_free(struct fake_region *r)
{
	if (r->fd >= 0)
		close(r->fd);
	free(r);
}

static struct fake_region *region_new(uint64_t start, uint64_t end, int prot, bool shared, int fd,
				      uint64_t offset)
{
	struct fake_region *r = malloc(sizeof(*r));

	ASSERT(r);
	*r = (struct fake_region){ .start = start, .end = end, .prot = prot, .shared = shared,
				   .fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3),
				   .offset = offset };
	ASSERT(fd < 0 || r->fd >= 0);
	return r;
}

static void region_insert(struct fake_space *s, struct fake_region *r)
{
	struct fake_region *at;

	list_for_each(at, &s->regions, node)
		if (at->start >= r->end)
			break;
	list_add_tail(&at->node, &r->node);
}

static void region_split(struct fake_space *s, uint64_t addr)
{
	struct fake_region *r, *upper;

	list_for_each(r, &s->regions, node) {
		if (r->start >= addr || addr >= r->end)
			continue;
		upper = region_new(addr, r->end, r->prot, r->shared, r->fd,
				   r->offset + (addr - r->start));
		r->end = addr;
		list_add_head(&r->node, &upper->node);
		return;
	}
}

static void regions_remove(struct fake_space *s, uint64_t start, uint64_t end)
{
	struct fake_region *r, *tmp;

	region_split(s, start);
	region_split(s, end);
	list_for_each_safe(r, tmp, &s->regions, node)
		if (r->start >= start && r->end <= end) {
			list_remove(&r->node);
			region_free(r);
		}
}

static struct fake_region *region_at(struct fake_space *s, uint64_t addr)
{
	struct fake_region *r;

	list_for_each(r, &s->regions, node)
		if (r->start <= addr && addr < r->end)
			return r;
	return NULL;
}

static bool regions_cover(struct fake_space *s, uint64_t start, uint64_t end)
{
	while (start < end) {
		const struct fake_region *r = region_at(s, start);

		if (!r)
			return false;
		start = r->end;
	}
	return true;
}

/* --- operations ---------------------------------------------------------------------- */

/* 0 or a negative errno. */
static int map_at(char *at, uint64_t size, int prot, int flags, int fd, uint64_t offset)
{
	const void *mapped = mmap(at, size, prot, flags | MAP_FIXED, fd, (off_t)offset);

	return mapped == MAP_FAILED ? -errno : 0;
}

static int map_windows(struct fake_space *s, uint64_t addr, uint64_t size, int prot, int flags,
		       int fd, uint64_t offset)
{
	while (size) {
		uint64_t part = window(addr, size);
		char *at = translate(s, addr, true);
		int rc = at ? map_at(at, part, prot, flags, fd, offset) : -ENOMEM;

		if (rc < 0)
			return rc;
		addr += part;
		offset += part;
		size -= part;
	}
	return 0;
}

int fake_space_map(struct fake_space *s, uint64_t addr, uint64_t size, int prot, bool shared,
		   int fd, uint64_t offset)
{
	int flags = (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_NORESERVE |
		    (fd < 0 ? MAP_ANONYMOUS : 0);
	int rc;

	mutex_lock(&s->lock);
	rc = map_windows(s, addr, size, prot, flags, fd, offset);
	if (rc == 0) {
		regions_remove(s, addr, addr + size);
		region_insert(s, region_new(addr, addr + size, prot, shared, fd, offset));
	}
	mutex_unlock(&s->lock);
	return rc;
}

int fake_space_unmap(struct fake_space *s, uint64_t addr, uint64_t size)
{
	uint64_t end = addr + size;

	mutex_lock(&s->lock);
	regions_remove(s, addr, end);
	for (uint64_t part; addr < end; addr += part) {
		char *at = translate(s, addr, false);

		part = window(addr, end - addr);
		/* over what is there already: the host needs no room for it */
		if (at)
			ASSERT(map_at(at, part, PROT_NONE, RESERVE_FLAGS, -1, 0) == 0);
	}
	mutex_unlock(&s->lock);
	return 0;
}

static int protect_locked(struct fake_space *s, uint64_t addr, uint64_t size, int prot)
{
	uint64_t start = addr, end = addr + size;
	struct fake_region *r;

	if (!regions_cover(s, start, end))
		return -ENOMEM;
	while (size) {
		uint64_t part = window(addr, size);

		if (mprotect(translate(s, addr, true), part, prot) < 0)
			return -errno;
		addr += part;
		size -= part;
	}
	region_split(s, start);
	region_split(s, end);
	list_for_each(r, &s->regions, node)
		if (r->start >= start && r->end <= end)
			r->prot = prot;
	return 0;
}

int fake_space_protect(struct fake_space *s, uint64_t addr, uint64_t size, int prot)
{
	int rc;

	mutex_lock(&s->lock);
	rc = protect_locked(s, addr, size, prot);
	mutex_unlock(&s->lock);
	return rc;
}

static int remap_locked(struct fake_space *s, uint64_t from, uint64_t to, uint64_t size)
{
	const struct fake_region *r = region_at(s, from);
	struct fake_region *moved;
	uint64_t done;

	if (!r || r->end < from + size)
		return -EFAULT; /* as the host: one VMA only */
	for (done = 0; done < size; done += window(to + done, size - done))
		if (!translate(s, to + done, true))
			return -ENOMEM;
	done = 0;
	moved = region_new(to, to + size, r->prot, r->shared, r->fd, r->offset + (from - r->start));
	while (done < size) {
		uint64_t part = window(to + done, window(from + done, size - done));
		char *source = translate(s, from + done, true);
		void *at = mremap(source, part, part, MREMAP_MAYMOVE | MREMAP_FIXED,
				  translate(s, to + done, true));

		ASSERT(at != MAP_FAILED);
		at = mmap(source, part, PROT_NONE, RESERVE_FLAGS | MAP_FIXED, -1, 0);
		ASSERT(at != MAP_FAILED);
		done += part;
	}
	regions_remove(s, from, from + size);
	regions_remove(s, to, to + size);
	region_insert(s, moved);
	return 0;
}

int fake_space_remap(struct fake_space *s, uint64_t old_addr, uint64_t old_size, uint64_t new_addr,
		     uint64_t new_size)
{
	int rc;

	if (old_size != new_size)
		return -EINVAL; /* sentry/mm grows by mapping */
	mutex_lock(&s->lock);
	rc = remap_locked(s, old_addr, new_addr, old_size);
	mutex_unlock(&s->lock);
	return rc;
}

int fake_space_advise(struct fake_space *s, uint64_t addr, uint64_t size, int advice)
{
	int rc = 0;

	mutex_lock(&s->lock);
	if (!regions_cover(s, addr, addr + size))
		rc = -ENOMEM;
	while (rc == 0 && size) {
		uint64_t part = window(addr, size);

		if (madvise(translate(s, addr, true), part, advice) < 0)
			rc = -errno;
		addr += part;
		size -= part;
	}
	mutex_unlock(&s->lock);
	return rc;
}

int fake_space_cmpxchg(struct fake_space *s, uint64_t addr, uint32_t expected, uint32_t desired,
		       uint32_t *found)
{
	const struct fake_region *r;
	int rc = -EFAULT;

	mutex_lock(&s->lock);
	r = region_at(s, addr);
	if (r && (r->prot & PROT_WRITE)) {
		_Atomic uint32_t *word = (_Atomic uint32_t *)(void *)translate(s, addr, true);

		*found = expected;
		atomic_compare_exchange_strong(word, found, desired);
		rc = 0;
	}
	mutex_unlock(&s->lock);
	return rc;
}

/* --- remote access ---------------------------------------------------------------------- */

static ssize_t move_window(char *host, void *buf, size_t size, bool write)
{
	struct iovec local = { buf, size }, remote = { host, size };
	ssize_t rc = write ? process_vm_writev(getpid(), &local, 1, &remote, 1, 0)
			   : process_vm_readv(getpid(), &local, 1, &remote, 1, 0);

	return rc < 0 ? -EFAULT : rc;
}

ssize_t fake_space_move(struct fake_space *s, uint64_t addr, void *buf, size_t size, bool write)
{
	size_t done = 0;

	while (done < size) {
		uint64_t part = window(addr + done, size - done);
		ssize_t rc = -EFAULT;
		char *host;

		mutex_lock(&s->lock);
		host = translate(s, addr + done, false);
		mutex_unlock(&s->lock);
		if (host)
			rc = move_window(host, (char *)buf + done, part, write);
		if (rc <= 0)
			break;
		done += (size_t)rc;
		if ((uint64_t)rc < part)
			break;
	}
	return done || !size ? (ssize_t)done : -EFAULT;
}

/* --- life --------------------------------------------------------------------------------- */

static const struct platform_ops *ops_of(const struct fake_platform *p)
{
	return p->base.ops;
}

int fake_space_new(struct fake_platform *p, struct fake_space **out)
{
	struct fake_space *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->base.ops = ops_of(p);
	s->platform = p;
	refcount_init(&s->refs);
	mutex_init(&s->lock, LOCK_RANK_LEAF);
	list_init(&s->regions);
	atomic_fetch_add(&p->spaces, 1);
	*out = s;
	return 0;
}

void fake_space_get(struct fake_space *s)
{
	refcount_get(&s->refs);
}

void fake_space_put(struct fake_space *s)
{
	struct fake_region *r, *tmp;

	if (!s || !refcount_put(&s->refs))
		return;
	list_for_each_safe(r, tmp, &s->regions, node) {
		list_remove(&r->node);
		region_free(r);
	}
	while (s->chunks) {
		struct fake_chunk *c = s->chunks;

		s->chunks = c->next;
		munmap(c->host, FAKE_CHUNK_SIZE);
		free(c);
	}
	atomic_fetch_sub(&s->platform->spaces, 1);
	mutex_destroy(&s->lock);
	free(s);
}

/* Private pages of the parent as they are now; what cannot be read (past a file's end) stays. */
static void copy_pages(struct fake_space *from, struct fake_space *to, const struct fake_region *r)
{
	char page[4096];

	for (uint64_t at = r->start; at < r->end; at += sizeof(page))
		if (fake_space_move(from, at, page, sizeof(page), false) == sizeof(page) &&
		    fake_space_move(to, at, page, sizeof(page), true) < 0)
			panic("fake platform: fork cannot copy %#lx", (unsigned long)at);
}

/* The caller keeps @from still, as fork does. */
int fake_space_copy(struct fake_space *from, struct fake_space **out)
{
	const int open_prot = PROT_READ | PROT_WRITE;
	struct fake_space *to;
	struct fake_region *r;
	int rc = fake_space_new(from->platform, &to);

	if (rc < 0)
		return rc;
	list_for_each(r, &from->regions, node) {
		int prot = r->prot;

		rc = fake_space_map(to, r->start, r->end - r->start, r->shared ? prot : open_prot,
				    r->shared, r->fd, r->offset);
		if (rc == 0 && !r->shared) {
			char *host = translate(from, r->start, true);

			/* unreadable pages have contents too */
			if (!(prot & PROT_READ) &&
			    mprotect(host, window(r->start, r->end - r->start), PROT_READ) < 0)
				rc = -errno;
			copy_pages(from, to, r);
			if (!(prot & PROT_READ) &&
			    mprotect(host, window(r->start, r->end - r->start), prot) < 0)
				rc = -errno;
			if (rc == 0)
				rc = fake_space_protect(to, r->start, r->end - r->start, prot);
		}
		if (rc < 0) {
			fake_space_put(to);
			return rc;
		}
	}
	*out = to;
	return 0;
}

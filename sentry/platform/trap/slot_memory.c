/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memfds of slots, and the few of them that are kept for the next address space.
 *
 * Making, mapping and unmapping one costs more than a tenth of a fork, as the unmapping interrupts the other
 * CPUs.  One is kept only if nobody can reach it any more and it is as new: its processes are reaped, none
 * of them ever forked (a hostile child may keep its parent's slots mapped until it is found out), and no page
 * is in it but those of its first thread's slot, which are cleared.
 */
#include "sentry/platform/trap/trap.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sentry/host/host_memfd.h"

#define PAGE 4096UL

static void *map_chunk(int fd, unsigned number)
{
	void *chunk = mmap(NULL, TRAP_CHUNK_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			   (off_t)(number * TRAP_CHUNK_SIZE));

	return chunk == MAP_FAILED ? NULL : chunk;
}

int trap_slots_init(struct trap_platform *p, struct trap_address_space *as, unsigned index)
{
	as->first_index = index;
	if (index < TRAP_SLOTS_PER_CHUNK) {
		mutex_lock(&p->lock);
		if (p->spare_count) {
			struct trap_spare spare = p->spares[--p->spare_count];

			mutex_unlock(&p->lock);
			as->slots_fd = spare.fd;
			as->chunks[0] = spare.chunk;
			return 0;
		}
		mutex_unlock(&p->lock);
	}
	as->slots_fd = host_memfd_create("slots", STUB_SLOTS_SIZE);
	return as->slots_fd < 0 ? as->slots_fd : 0;
}

struct stub_slot *trap_slot(struct trap_address_space *as, unsigned index)
{
	unsigned c = index / TRAP_SLOTS_PER_CHUNK;
	char *chunk;

	mutex_lock(&as->lock);
	if (!as->chunks[c])
		as->chunks[c] = map_chunk(as->slots_fd, c);
	chunk = as->chunks[c];
	mutex_unlock(&as->lock);
	return chunk ? (void *)(chunk + (index % TRAP_SLOTS_PER_CHUNK) * STUB_SLOT_SIZE) : NULL;
}

/* Its guest may have written all over it. */
static bool renew(struct trap_address_space *as)
{
	uint64_t offset = as->first_index * STUB_SLOT_SIZE, allocated;
	char *slot = (char *)as->chunks[0] + offset;

	if (host_memfd_allocated(as->slots_fd, &allocated) < 0 || allocated > STUB_SLOT_SIZE)
		return false;
	/* The control page is there: the sentry wrote to it. */
	if (allocated > PAGE) {
		if (!host_memfd_has_data(as->slots_fd, offset + STUB_COPY_PAGE))
			return false;
		memset(slot + STUB_COPY_PAGE, 0, STUB_COPY_SIZE);
	}
	memset(slot, 0, PAGE);
	return true;
}

void trap_slots_release(struct trap_address_space *as)
{
	struct trap_platform *p = as->platform;
	bool kept = false;

	if (!as->forked && !as->grew && as->chunks[0] && as->first_index < TRAP_SLOTS_PER_CHUNK && renew(as)) {
		mutex_lock(&p->lock);
		kept = p->spare_count < TRAP_SPARES;
		if (kept)
			p->spares[p->spare_count++] = (struct trap_spare){ as->slots_fd, as->chunks[0] };
		mutex_unlock(&p->lock);
	}
	if (kept)
		return;
	for (unsigned i = 0; i < TRAP_CHUNKS; i++)
		if (as->chunks[i])
			munmap(as->chunks[i], TRAP_CHUNK_SIZE);
	close(as->slots_fd);
}

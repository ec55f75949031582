/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slot's copy page: guest memory that the stub copied on entry of a call, and takes back
 * with the resume.  It saves a process_vm_readv or writev per argument.
 *
 * What the stub says it copied is the guest's word about its own memory, and is believed as
 * such: a lie deceives the liar's own call.  Bounds are checked on a private copy.  The windows
 * are those of the calling worker's context and of this event only; they end when
 * the worker sleeps, since the memory may change meanwhile.
 *
 * An out window takes writes only from its start on, without holes, so that what is
 * put back is exactly what was written.
 */
#include "sentry/platform/trap/trap.h"

#include <string.h>

#include "sentry/host/host_process.h"
#include "util/checked.h"
#include "util/log.h"

static char *window_bytes(const struct trap_thread *t, const struct trap_window *w)
{
	return (char *)t->slot + STUB_COPY_PAGE + w->offset;
}

static bool overlaps(const struct trap_window *w, uint64_t addr, size_t size)
{
	return addr < w->addr + w->size && w->addr < addr + size;
}

static bool contains(const struct trap_window *w, uint64_t addr, size_t size)
{
	return addr >= w->addr && addr - w->addr < w->size && size <= w->size - (addr - w->addr);
}

static void drop(struct trap_thread *t, unsigned i)
{
	t->windows[i] = t->windows[--t->window_count];
}

void trap_windows_take(struct trap_thread *t)
{
	const volatile struct stub_slot *slot = t->slot;
	uint32_t count = slot->copy_count;

	t->window_count = 0;
	for (uint32_t i = 0; i < count && i < STUB_COPIES; i++) {
		struct trap_window w = {
			.addr = slot->copies[i].addr,
			.size = slot->copies[i].size,
			.offset = slot->copies[i].offset,
			.out = slot->copies[i].out,
		};

		if (w.size == 0 || w.offset >= STUB_COPY_SIZE ||
		    w.size > STUB_COPY_SIZE - w.offset || w.addr >= STUB_AREA ||
		    w.size > STUB_AREA - w.addr)
			continue;
		t->windows[t->window_count++] = w;
	}
}

void trap_windows_put(struct trap_thread *t)
{
	struct stub_slot *slot = t->slot;
	uint32_t count = 0;

	for (unsigned i = 0; i < t->window_count; i++) {
		const struct trap_window *w = &t->windows[i];

		if (w->out && w->written)
			slot->copies[count++] = (struct stub_copy){
				.addr = w->addr, .size = w->written, .offset = w->offset,
			};
	}
	slot->copy_count = count;
	t->window_count = 0;
}

/* Writes what an out window holds to the memory itself. */
static void write_back(struct trap_thread *t, const struct trap_window *w)
{
	if (w->out && w->written &&
	    host_process_write(t->process->pid, w->addr, window_bytes(t, w), w->written) !=
		    (ssize_t)w->written)
		log_debug("output of a call to memory that went away");
}

void trap_windows_end(struct trap_thread *t)
{
	for (unsigned i = 0; i < t->window_count; i++)
		write_back(t, &t->windows[i]);
	t->window_count = 0;
}

/* The thread that the calling worker serves, if it has windows on @as. */
static struct trap_thread *windowed(const struct trap_address_space *as)
{
	struct trap_worker *w = trap_worker_current();
	struct trap_thread *t = w && w->context ? w->context->thread : NULL;

	return t && t->as == as && t->window_count ? t : NULL;
}

size_t trap_windows_read(const struct trap_address_space *as, uint64_t addr, void *buf, size_t size)
{
	struct trap_thread *t = windowed(as);

	for (unsigned i = 0; t && i < t->window_count; i++) {
		struct trap_window *w = &t->windows[i];
		uint64_t have = w->out ? w->written : w->size;

		if (!overlaps(w, addr, size))
			continue;
		if (addr >= w->addr && addr - w->addr < have) {
			size_t n = MIN(size, have - (addr - w->addr));

			memcpy(buf, window_bytes(t, w) + (addr - w->addr), n);
			return n;
		}
		/* Across its start, or beyond what was written: from the memory. */
		write_back(t, w);
		drop(t, i--);
	}
	return 0;
}

size_t trap_windows_write(const struct trap_address_space *as, uint64_t addr, const void *buf,
			  size_t size)
{
	struct trap_thread *t = windowed(as);

	for (unsigned i = 0; t && i < t->window_count; i++) {
		struct trap_window *w = &t->windows[i];

		if (!overlaps(w, addr, size))
			continue;
		if (w->out && contains(w, addr, size) && addr - w->addr <= w->written) {
			memcpy(window_bytes(t, w) + (addr - w->addr), buf, size);
			w->written = (uint32_t)MAX(w->written, addr - w->addr + size);
			return size;
		}
		write_back(t, w);
		drop(t, i--);
	}
	return 0;
}

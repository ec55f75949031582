/* SPDX-License-Identifier: Apache-2.0 */
/* select(2) and pselect6(2): the three bit sets become a poll set and back. */
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/epoll.h"
#include "sentry/abi/poll.h"
#include "sentry/syscalls/handlers.h"
#include "sentry/syscalls/poll_set.h"
#include "sentry/vfs/file.h"
#include "util/checked.h"
#include "util/cleanup.h"

#define WORD_BITS LINUX_FD_SET_WORD_BITS
#define SETS 3

/* What makes an FD readable, writable, exceptional to select. */
static const uint32_t set_events[SETS] = {
	LINUX_EPOLLRDNORM | LINUX_EPOLLRDBAND | LINUX_EPOLLIN | LINUX_EPOLLHUP | LINUX_EPOLLERR |
		LINUX_EPOLLNVAL,
	LINUX_EPOLLWRNORM | LINUX_EPOLLWRBAND | LINUX_EPOLLOUT | LINUX_EPOLLERR | LINUX_EPOLLNVAL,
	LINUX_EPOLLPRI | LINUX_EPOLLNVAL,
};

struct select_sets {
	guest_addr_t addr[SETS]; /* null: not given */
	uint64_t *bits[SETS];	 /* words each */
	unsigned words, fd_limit; /* FDs below the limit count */
};

static uint32_t asked_events(const struct select_sets *s, unsigned fd)
{
	uint32_t events = 0;

	for (unsigned i = 0; i < SETS; i++)
		if (s->bits[i][fd / WORD_BITS] >> (fd % WORD_BITS) & 1)
			events |= set_events[i];
	return events;
}

static unsigned count_fds(const struct select_sets *s)
{
	unsigned count = 0;

	for (unsigned w = 0; w < s->words; w++)
		count += (unsigned)__builtin_popcountll(s->bits[0][w] | s->bits[1][w] | s->bits[2][w]);
	return count;
}

/* Fills one item per FD named in any set, in order of number; -EBADF. */
static int collect(struct task *t, const struct select_sets *s, struct poll_item *items, unsigned *count)
{
	*count = 0;
	for (unsigned fd = 0; fd < s->fd_limit; fd++) {
		struct poll_item *item = &items[*count];
		uint32_t events = asked_events(s, fd);

		if (!events)
			continue;
		*item = (struct poll_item){ .events = events, .file = fd_table_lookup(t->fds, (int)fd) };
		if (!item->file) {
			while (*count)
				file_put(items[--*count].file);
			return -EBADF;
		}
		++*count;
	}
	return 0;
}

/* Leaves in the sets the bits that are true: their number. */
static int64_t spread(struct select_sets *s, const struct poll_item *items)
{
	int64_t total = 0;

	for (unsigned fd = 0; fd < s->fd_limit; fd++) {
		uint64_t bit = 1ULL << (fd % WORD_BITS);
		unsigned w = fd / WORD_BITS;

		if (!asked_events(s, fd))
			continue;
		for (unsigned i = 0; i < SETS; i++) {
			if (!(s->bits[i][w] & bit))
				continue;
			if (items->ready & set_events[i])
				total++;
			else
				s->bits[i][w] &= ~bit;
		}
		items++;
	}
	return total;
}

static int64_t select_sets_wait(struct task *t, struct select_sets *s, uint64_t deadline)
{
	/* One more, so that the loop in collect() may point past the last. */
	AUTO_FREE struct poll_item *items = calloc(count_fds(s) + 1, sizeof(*items));
	unsigned count;
	int64_t rc;

	if (!items)
		return -ENOMEM;
	rc = collect(t, s, items, &count);
	if (rc)
		return rc;
	rc = poll_set_wait(items, count, deadline);
	if (rc < 0)
		return rc;
	return spread(s, items);
}

static unsigned open_file_capacity(struct task *t)
{
	unsigned capacity;

	mutex_lock(&t->fds->lock);
	capacity = t->fds->capacity;
	mutex_unlock(&t->fds->lock);
	return capacity < WORD_BITS ? WORD_BITS : capacity;
}

static int64_t do_select(struct task *t, int n, const struct syscall_args *a, uint64_t deadline)
{
	struct select_sets s = { 0 };
	AUTO_FREE uint64_t *bits = NULL;
	int64_t result;
	size_t size;

	if (n < 0)
		return -EINVAL;
	s.fd_limit = MIN((unsigned)n, open_file_capacity(t));
	s.words = (s.fd_limit + WORD_BITS - 1) / WORD_BITS;
	size = s.words * sizeof(uint64_t);
	bits = calloc(SETS * s.words + 1, sizeof(uint64_t));
	if (!bits)
		return -ENOMEM;
	for (unsigned i = 0; i < SETS; i++) {
		s.addr[i] = arg_addr(a, i + 1);
		s.bits[i] = bits + (size_t)i * s.words;
		if (!guest_is_null(s.addr[i]) && copy_in(t->mm, s.bits[i], s.addr[i], size))
			return -EFAULT;
	}
	if (s.fd_limit % WORD_BITS)
		for (unsigned i = 0; i < SETS; i++)
			s.bits[i][s.words - 1] &= (1ULL << (s.fd_limit % WORD_BITS)) - 1;
	result = select_sets_wait(t, &s, deadline);
	if (result < 0)
		return result;
	for (unsigned i = 0; i < SETS; i++)
		if (!guest_is_null(s.addr[i]) && copy_out(t->mm, s.addr[i], s.bits[i], size))
			return -EFAULT;
	return result;
}

int64_t sys_select(struct task *t, const struct syscall_args *a)
{
	uint64_t deadline;
	int rc = poll_timeout_from_timeval(t, arg_addr(a, 4), &deadline);

	if (rc)
		return rc;
	return poll_finish(t, do_select(t, arg_int(a, 0), a, deadline), false, arg_addr(a, 4), deadline,
			   POLL_TIMEVAL);
}

int64_t sys_pselect6(struct task *t, const struct syscall_args *a)
{
	struct linux_sigset_argument set = { 0 };
	uint64_t deadline;
	bool pushed;
	int rc;

	if (!guest_is_null(arg_addr(a, 5)) && copy_in(t->mm, &set, arg_addr(a, 5), sizeof(set)))
		return -EFAULT;
	rc = poll_timeout_from_timespec(t, arg_addr(a, 4), &deadline);
	if (!rc)
		rc = poll_mask_push(t, guest_addr(set.mask), set.size, &pushed);
	if (rc)
		return rc;
	return poll_finish(t, do_select(t, arg_int(a, 0), a, deadline), pushed, arg_addr(a, 4), deadline,
			   POLL_TIMESPEC);
}

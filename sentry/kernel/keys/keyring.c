/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keyrings: links and searches.  A search goes breadth first and to each keyring once, so that no
 * net of keyrings makes it long; six levels below the first are looked at, as in Linux.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/kernel/keys/key_private.h"

#define LINK_BYTES 4ULL

static uint64_t searches, marking; /* protected by the lock, as all here */

static bool is_keyring(const struct key *k)
{
	return k->type->kind == KEY_KEYRING;
}

struct key *keyring_find(const struct key *ring, const struct key_type *type, const char *description)
{
	for (uint32_t i = 0; i < ring->link_count; i++)
		if (ring->links[i]->type == type && !strcmp(ring->links[i]->description, description))
			return ring->links[i];
	return NULL;
}

/* --- walking ------------------------------------------------------------------------------- */

/* The keyrings of a walk, nearest first; those yet to be looked at are added while it goes. */
static struct list_node walk = LIST_HEAD_INIT(walk);

static void walk_add(struct key *ring, uint32_t depth, bool possessed)
{
	if (ring->visited == searches)
		return;
	ring->visited = searches;
	ring->depth = depth;
	ring->search_possessed = possessed;
	list_add_tail(&walk, &ring->search);
}

static void walk_begin(struct key_ref ring)
{
	searches++;
	walk_add(ring.key, 0, ring.possessed);
}

static void walk_end(void)
{
	struct key *ring, *next;

	list_for_each_safe(ring, next, &walk, search)
		list_node_init(&ring->search);
	list_init(&walk);
}

/* --- links ---------------------------------------------------------------------------------- */

/* Whether @ring can be linked into @into: no circle, and not too deep. */
static int check_nesting(struct key *into, struct key *ring)
{
	struct key *k;
	int rc = 0;

	walk_begin((struct key_ref){ ring, false });
	list_for_each(k, &walk, search) {
		if (k == into)
			rc = -EDEADLK;
		else if (k->depth > SEARCH_DEPTH_MAX)
			rc = -ELOOP;
		for (uint32_t i = 0; !rc && i < k->link_count; i++)
			if (is_keyring(k->links[i]))
				walk_add(k->links[i], k->depth + 1, false);
		if (rc)
			break;
	}
	walk_end();
	return rc;
}

static int grow(struct key *ring)
{
	uint32_t capacity = ring->link_capacity ? ring->link_capacity * 2 : 4;
	struct key **links;

	if (ring->link_count < ring->link_capacity)
		return 0;
	links = realloc(ring->links, capacity * sizeof(struct key *));
	if (!links)
		return -ENOMEM;
	ring->links = links;
	ring->link_capacity = capacity;
	return 0;
}

int keyring_link(struct key *ring, struct key *k)
{
	struct key *old;
	int rc = 0;

	if (!is_keyring(ring))
		return -ENOTDIR;
	if (is_keyring(k))
		rc = check_nesting(ring, k);
	if (rc)
		return rc;
	old = keyring_find(ring, k->type, k->description);
	for (uint32_t i = 0; old && i < ring->link_count; i++) {
		if (ring->links[i] != old)
			continue;
		ring->links[i] = key_get(k);
		key_put(old);
		return 0;
	}
	rc = grow(ring);
	if (!rc)
		rc = key_reserve(ring, (ring->link_count + 1) * LINK_BYTES);
	if (!rc)
		ring->links[ring->link_count++] = key_get(k);
	return rc;
}

/* Less quota than before: there is room. */
static void fit_quota(struct key *ring)
{
	int rc = key_reserve(ring, ring->link_count * LINK_BYTES);

	(void)rc;
}

static int remove_link(struct key *ring, struct key *k)
{
	for (uint32_t i = 0; i < ring->link_count; i++) {
		if (ring->links[i] != k)
			continue;
		ring->link_count--;
		memmove(&ring->links[i], &ring->links[i + 1],
			(ring->link_count - i) * sizeof(struct key *));
		fit_quota(ring);
		key_put(k);
		return 0;
	}
	return -ENOENT;
}

int keyring_unlink(struct key *ring, const struct key *k)
{
	struct key *there;

	if (!is_keyring(ring))
		return -ENOTDIR;
	there = keyring_find(ring, k->type, k->description);
	return there ? remove_link(ring, there) : -ENOENT;
}

void keyring_clear(struct key *ring)
{
	while (ring->link_count)
		key_put(ring->links[--ring->link_count]);
	fit_quota(ring);
}

static void unlink_one(struct key *ring, void *arg)
{
	int rc = remove_link(ring, arg);

	(void)rc; /* not in it */
}

void keyring_unlink_everywhere(struct key *k)
{
	keys_for_each(unlink_one, k);
}

/* --- searching --------------------------------------------------------------------------------- */

static bool matches(const struct key *k, const struct key_match *m)
{
	if (m->exact)
		return k == m->exact;
	return k->type == m->type && !strcmp(k->description, m->description);
}

/* 0: this one; else why not. */
static int judge(struct key_ref ref, const struct key_match *m, const struct credentials *cred)
{
	int rc = m->exact ? 0 : key_validate(ref.key);

	if (rc)
		return rc == -ENOKEY ? -EKEYREVOKED : rc;
	return key_permits(ref, cred, LINUX_KEY_SEARCH) ? 0 : -EACCES;
}

/* The keyring's own keys: true when found.  *result: the last reason why one was not. */
static bool look_in(struct key *ring, const struct key_match *m, const struct credentials *cred,
		    struct key_ref *out, int *result)
{
	for (uint32_t i = 0; i < ring->link_count; i++) {
		struct key_ref ref = { ring->links[i], ring->search_possessed };
		int rc;

		if (!matches(ref.key, m))
			continue;
		rc = judge(ref, m, cred);
		if (!rc) {
			*out = ref;
			return true;
		}
		if (rc != -EKEYEXPIRED || !m->skip_expired)
			*result = rc;
	}
	return false;
}

static void add_nested(struct key *ring, const struct credentials *cred)
{
	if (ring->depth >= SEARCH_DEPTH_MAX)
		return;
	for (uint32_t i = 0; i < ring->link_count; i++) {
		struct key_ref ref = { ring->links[i], ring->search_possessed };

		if (is_keyring(ref.key) && !key_validate(ref.key) &&
		    key_permits(ref, cred, LINUX_KEY_SEARCH))
			walk_add(ref.key, ring->depth + 1, ref.possessed);
	}
}

int keyring_search(struct key_ref ring, const struct key_match *m, const struct credentials *cred,
		   struct key_ref *out)
{
	int result = -EAGAIN;
	bool found = false;
	struct key *k;

	if (!is_keyring(ring.key))
		return -ENOTDIR;
	if (!key_permits(ring, cred, LINUX_KEY_SEARCH))
		return -EACCES;
	if (matches(ring.key, m) && !judge(ring, m, cred)) {
		*out = ring;
		return 0;
	}
	walk_begin(ring);
	list_for_each(k, &walk, search) {
		found = look_in(k, m, cred, out, &result);
		if (found)
			break;
		add_nested(k, cred);
	}
	walk_end();
	return found ? 0 : result;
}

static void mark(struct key_ref ref, const struct credentials *cred)
{
	if (key_permits(ref, cred, LINUX_KEY_SEARCH))
		ref.key->marked = marking;
}

void keyring_mark_possessed(struct task *t)
{
	struct key *rings[] = { t->thread_keyring, t->group->process_keyring, t->session_keyring };
	struct key *k;

	marking++;
	for (size_t i = 0; i < 3; i++) {
		struct key_ref ring = { rings[i], true };

		if (!ring.key || !key_permits(ring, t->cred, LINUX_KEY_SEARCH))
			continue;
		mark(ring, t->cred);
		walk_begin(ring);
		list_for_each(k, &walk, search) {
			for (uint32_t j = 0; j < k->link_count; j++)
				mark((struct key_ref){ k->links[j], true }, t->cred);
			add_nested(k, t->cred);
		}
		walk_end();
	}
}

bool keyring_is_marked(const struct key *k)
{
	return k->marked == marking;
}

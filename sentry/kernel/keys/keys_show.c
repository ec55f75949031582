/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/keys and /proc/key-users: lines by serial and by uid, of what the reader may see. */
#include <stdio.h>
#include <stdlib.h>

#include "sentry/kernel/keys/key_private.h"
#include "util/checked.h"
#include "util/strbuf.h"

struct listing {
	const struct credentials *cred;
	struct key **keys;
	size_t count, capacity;
	bool failed;
};

static void collect(struct key *k, void *arg)
{
	struct listing *l = arg;
	struct key_ref ref = { k, keyring_is_marked(k) };

	if (l->failed || !key_permits(ref, l->cred, LINUX_KEY_VIEW))
		return;
	if (l->count == l->capacity) {
		size_t capacity = l->capacity ? l->capacity * 2 : 32;
		struct key **keys = realloc(l->keys, capacity * sizeof(struct key *));

		l->failed = !keys;
		if (!keys)
			return;
		l->keys = keys;
		l->capacity = capacity;
	}
	l->keys[l->count++] = k;
}

static int by_serial(const void *a, const void *b)
{
	const struct key *x = *(struct key *const *)a, *y = *(struct key *const *)b;

	return x->serial < y->serial ? -1 : x->serial > y->serial;
}

static void format_expiry(const struct key *k, char *buf, size_t size)
{
	static const struct {
		uint64_t below, unit;
		char letter;
	} units[] = { { 60, 1, 's' },
		      { 3600, 60, 'm' },
		      { 86400, 3600, 'h' },
		      { 7 * 86400ULL, 86400, 'd' },
		      { UINT64_MAX, 7 * 86400ULL, 'w' } };
	uint64_t now = key_now(), left = k->expiry - now;
	size_t i = 0;

	if (!k->expiry || k->expiry <= now) {
		snprintf(buf, size, k->expiry ? "expd" : "perm");
		return;
	}
	while (left >= units[i].below)
		i++;
	snprintf(buf, size, "%llu%c", (unsigned long long)(left / units[i].unit), units[i].letter);
}

static void show_key(const struct credentials *cred, const struct key *k, struct strbuf *out)
{
	char expiry[24];

	format_expiry(k, expiry, sizeof(expiry));
	strbuf_addf(out, "%08x I%c-Q--%c %5u %4s %08x %5d %5d %-9.9s %s", (unsigned)k->serial,
		    k->revoked ? 'R' : '-', k->invalidated ? 'i' : '-', k->refs, expiry, k->perm,
		    (int)uid_from_kernel(cred->user_ns, k->uid),
		    key_shown_gid(cred, k->gid), k->type->name, k->description);
	if (k->type->kind != KEY_KEYRING)
		strbuf_addf(out, ": %zu\n", k->size);
	else if (k->link_count)
		strbuf_addf(out, ": %u\n", k->link_count);
	else
		strbuf_add(out, ": empty\n");
}

void keys_show(struct task *t, struct strbuf *out)
{
	struct listing l = { .cred = t->cred };

	keys_lock();
	keyring_mark_possessed(t);
	keys_for_each(collect, &l);
	if (l.count)
		qsort(l.keys, l.count, sizeof(struct key *), by_serial);
	for (size_t i = 0; i < l.count; i++)
		show_key(t->cred, l.keys[i], out);
	keys_unlock();
	free(l.keys);
}

struct user_line {
	uint32_t uid;
	uint32_t kuid;
	uint64_t keys, bytes;
};

struct user_listing {
	struct user_line *lines;
	size_t count, capacity;
};

static void count_user(uint32_t kuid, uint64_t keys, uint64_t bytes, void *arg)
{
	struct user_listing *l = arg;

	if (l->lines && l->count < l->capacity)
		l->lines[l->count] = (struct user_line){ .kuid = kuid, .keys = keys, .bytes = bytes };
	l->count++;
}

static int by_uid(const void *a, const void *b)
{
	const struct user_line *x = a, *y = b;

	return x->uid < y->uid ? -1 : x->uid > y->uid;
}

void key_users_show(struct task *t, struct strbuf *out)
{
	struct user_listing l = { NULL, 0, 0 };

	keys_lock();
	key_users_for_each(count_user, &l);
	l.capacity = l.count;
	l.lines = calloc(l.count + 1, sizeof(*l.lines));
	l.count = 0;
	key_users_for_each(count_user, &l);
	keys_unlock();
	if (!l.lines)
		return;
	for (size_t i = 0; i < l.capacity; i++)
		l.lines[i].uid = uid_from_kernel(t->cred->user_ns, l.lines[i].kuid);
	qsort(l.lines, l.capacity, sizeof(*l.lines), by_uid);
	for (size_t i = 0; i < l.capacity; i++) {
		const struct user_line *u = &l.lines[i];
		unsigned long long keys = u->keys;

		strbuf_addf(out, "%5u: %5llu %llu/%llu %llu/%llu %llu/%llu\n", u->uid, keys + 1, keys,
			    keys, keys, (unsigned long long)key_user_max_keys(u->kuid),
			    (unsigned long long)u->bytes,
			    (unsigned long long)key_user_max_bytes(u->kuid));
	}
	free(l.lines);
}

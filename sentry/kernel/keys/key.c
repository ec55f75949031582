/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys: making, counting, finding, permissions, ends.  Users have Linux's quotas; besides, the
 * sandbox has a limit of keys and of bytes in all.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/time.h"
#include "sentry/host/host_memory.h"
#include "sentry/kernel/keys/key_private.h"
#include "sentry/kernel/timer.h"
#include "util/hash.h"
#include "util/log.h"

#define USER_KEYS_MAX 200
#define USER_BYTES_MAX 20000
#define ROOT_KEYS_MAX 1000000
#define ROOT_BYTES_MAX 25000000
#define TOTAL_KEYS_MAX 65536
#define TOTAL_BYTES_MAX (32U << 20)
#define PAYLOAD_MAX 32767

struct key_user {
	struct list_node node;
	uint32_t kuid;
	uint64_t keys, bytes;
};

static struct mutex lock = MUTEX_INIT(LOCK_RANK_KEYS);
/* all protected by lock */
static struct list_node all = LIST_HEAD_INIT(all), dead = LIST_HEAD_INIT(dead),
			users = LIST_HEAD_INIT(users);
static struct hash_table serials;
static bool ready;
static uint64_t total_keys, total_bytes;

const struct key_type key_type_keyring = { KEY_KEYRING, "keyring", .readable = true };
static const struct key_type user_type = { KEY_USER, "user", .readable = true, .updatable = true };
static const struct key_type logon_type = { KEY_LOGON, "logon", .updatable = true };

const struct key_type *key_type_find(const char *name)
{
	static const struct key_type *const types[] = { &key_type_keyring, &user_type, &logon_type };

	for (size_t i = 0; i < 3; i++)
		if (!strcmp(types[i]->name, name))
			return types[i];
	return NULL;
}

/* --- the lock and the dead ----------------------------------------------------------------- */

void keys_lock(void) NO_LOCK_ANALYSIS
{
	mutex_lock(&lock);
	if (!ready)
		hash_table_init(&serials);
	ready = true;
}

static void user_drop(struct key_user *u)
{
	if (u->keys || u->bytes)
		return;
	list_remove(&u->node);
	free(u);
}

/* Out of all tables; its links lose a reference and may follow. */
static void bury(struct key *k)
{
	list_remove(&k->all);
	hash_table_remove(&serials, &k->by_serial);
	for (uint32_t i = 0; i < k->link_count; i++)
		key_put(k->links[i]);
	k->user->keys--;
	k->user->bytes -= k->quota_bytes;
	total_keys--;
	total_bytes -= k->quota_bytes;
	user_drop(k->user);
}

static void key_free(struct key *k)
{
	user_namespace_put(k->user_ns);
	if (k->data)
		explicit_bzero(k->data, k->size);
	free(k->data);
	free(k->links);
	free(k->description);
	free(k);
}

void keys_unlock(void) NO_LOCK_ANALYSIS
{
	struct list_node buried;
	struct key *k, *next;

	list_init(&buried);
	while (!list_empty(&dead)) {
		k = list_first(&dead, struct key, search);
		list_remove(&k->search);
		bury(k);
		list_add_tail(&buried, &k->search);
	}
	mutex_unlock(&lock);
	list_for_each_safe(k, next, &buried, search) {
		list_remove(&k->search);
		key_free(k);
	}
}

struct key *key_get(struct key *k)
{
	k->refs++;
	return k;
}

void key_put(struct key *k)
{
	if (!k)
		return;
	ASSERT(k->refs);
	if (--k->refs == 0)
		list_add_tail(&dead, &k->search);
}

/* --- quotas ---------------------------------------------------------------------------------- */

uint64_t key_user_max_keys(uint32_t kuid)
{
	return kuid ? USER_KEYS_MAX : ROOT_KEYS_MAX;
}

uint64_t key_user_max_bytes(uint32_t kuid)
{
	return kuid ? USER_BYTES_MAX : ROOT_BYTES_MAX;
}

static struct key_user *user_find(uint32_t kuid)
{
	struct key_user *u;

	list_for_each(u, &users, node)
		if (u->kuid == kuid)
			return u;
	u = calloc(1, sizeof(*u));
	if (!u)
		return NULL;
	u->kuid = kuid;
	list_add_head(&users, &u->node);
	return u;
}

static bool user_has_room(const struct key_user *u, uint64_t keys, uint64_t bytes)
{
	return u->keys + keys <= key_user_max_keys(u->kuid) &&
	       u->bytes + bytes <= key_user_max_bytes(u->kuid);
}

int key_reserve(struct key *k, uint64_t payload)
{
	uint64_t bytes = strlen(k->description) + 1 + payload;

	if (bytes > k->quota_bytes && (!user_has_room(k->user, 0, bytes - k->quota_bytes) ||
				       total_bytes + bytes - k->quota_bytes > TOTAL_BYTES_MAX))
		return -EDQUOT;
	k->user->bytes += bytes - k->quota_bytes;
	total_bytes += bytes - k->quota_bytes;
	k->quota_bytes = bytes;
	return 0;
}

int key_change_owner(struct key *k, uint32_t kuid)
{
	struct key_user *to = user_find(kuid);

	if (!to)
		return -ENOMEM;
	if (to != k->user) {
		if (!user_has_room(to, 1, k->quota_bytes)) {
			user_drop(to);
			return -EDQUOT;
		}
		to->keys++;
		to->bytes += k->quota_bytes;
		k->user->keys--;
		k->user->bytes -= k->quota_bytes;
		user_drop(k->user);
		k->user = to;
	}
	k->uid = kuid;
	return 0;
}

/* --- making ------------------------------------------------------------------------------------ */

static int32_t new_serial(void)
{
	int32_t serial;

	do {
		host_random(&serial, sizeof(serial));
		serial = (int32_t)((uint32_t)serial >> 1);
	} while (serial < 3 || key_find_serial(serial));
	return serial;
}

static int check_description(const struct key_type *type, const char *description)
{
	const char *colon;

	if (!description || !*description)
		return -EINVAL;
	colon = strchr(description, ':');
	return type->kind == KEY_LOGON && (!colon || colon == description) ? -EINVAL : 0;
}

static int admit(uint32_t kuid, uint64_t bytes, bool over_quota, struct key_user **out)
{
	struct key_user *u;

	if (total_keys >= TOTAL_KEYS_MAX || total_bytes + bytes > TOTAL_BYTES_MAX)
		return -EDQUOT;
	u = user_find(kuid);
	if (!u)
		return -ENOMEM;
	if (!over_quota && !user_has_room(u, 1, bytes)) {
		user_drop(u);
		return -EDQUOT;
	}
	*out = u;
	return 0;
}

int key_new(const struct credentials *cred, const struct key_type *type, const char *description,
	    uint32_t uid, uint32_t gid, uint32_t perm, bool over_quota, struct key **out)
{
	uint64_t bytes = description ? strlen(description) + 1 : 0;
	int rc = check_description(type, description);
	struct key_user *user;
	struct key *k;

	if (!rc)
		rc = admit(uid, bytes, over_quota, &user);
	if (rc)
		return rc;
	k = calloc(1, sizeof(*k));
	if (k)
		k->description = strdup(description);
	if (!k || !k->description) {
		free(k);
		user_drop(user);
		return -ENOMEM;
	}
	k->refs = 1;
	k->type = type;
	k->uid = uid;
	k->gid = gid;
	k->perm = perm;
	k->user = user;
	k->user_ns = user_namespace_get(cred->user_ns);
	k->quota_bytes = bytes;
	user->keys++;
	user->bytes += bytes;
	total_keys++;
	total_bytes += bytes;
	k->serial = new_serial();
	list_add_tail(&all, &k->all);
	hash_table_insert(&serials, &k->by_serial, hash_u64((uint64_t)k->serial));
	*out = k;
	return 0;
}

struct key *key_find_serial(int32_t serial)
{
	struct hash_node *n;

	hash_table_for_each_hash(n, &serials, hash_u64((uint64_t)serial)) {
		struct key *k = container_of(n, struct key, by_serial);

		if (k->serial == serial && k->refs)
			return k;
	}
	return NULL;
}

void keys_for_each(void (*fn)(struct key *k, void *arg), void *arg)
{
	struct key *k;

	list_for_each(k, &all, all)
		if (k->refs)
			fn(k, arg);
}

void key_users_for_each(void (*fn)(uint32_t kuid, uint64_t keys, uint64_t bytes, void *arg), void *arg)
{
	struct key_user *u;

	list_for_each(u, &users, node)
		fn(u->kuid, u->keys, u->bytes, arg);
}

/* --- state and permissions ----------------------------------------------------------------------- */

uint64_t key_now(void)
{
	return clock_now(LINUX_CLOCK_REALTIME) / NSEC_PER_SEC;
}

int key_validate(const struct key *k)
{
	if (k->invalidated)
		return -ENOKEY;
	if (k->revoked)
		return -EKEYREVOKED;
	return k->expiry && key_now() >= k->expiry ? -EKEYEXPIRED : 0;
}

bool key_permits(struct key_ref ref, const struct credentials *cred, uint32_t wanted)
{
	const struct key *k = ref.key;
	uint32_t perm = k->perm;

	if (k->uid == cred->fsuid)
		perm >>= 16;
	else if (k->gid != ID_INVALID && perm & LINUX_KEY_GRP(LINUX_KEY_ALL) &&
		 (k->gid == cred->fsgid || credentials_in_group(cred, k->gid)))
		perm >>= 8;
	if (ref.possessed)
		perm |= k->perm >> 24;
	return (perm & wanted) == wanted;
}

/* --- payloads ------------------------------------------------------------------------------------- */

int key_check_payload(const struct key_type *type, const void *payload, size_t size)
{
	if (type->kind == KEY_KEYRING)
		return size ? -EINVAL : 0;
	return !size || size > PAYLOAD_MAX || !payload ? -EINVAL : 0;
}

int key_set_payload(struct key *k, void *data, size_t size)
{
	int rc = key_reserve(k, size);

	if (rc)
		return rc;
	if (k->data)
		explicit_bzero(k->data, k->size);
	free(k->data);
	k->data = data;
	k->size = size;
	k->expiry = 0;
	return 0;
}

void key_do_revoke(struct key *k)
{
	int rc;

	if (k->revoked)
		return;
	k->revoked = true;
	if (k->type->kind == KEY_KEYRING) {
		keyring_clear(k);
		return;
	}
	rc = key_set_payload(k, NULL, 0); /* less than before: always room */
	(void)rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the files of sentry/kernel/keys.
 *
 * One lock (LOCK_RANK_KEYS) guards all keys, all keyrings and who has which; nothing is copied from or
 * to a guest under it.  Keys whose last reference went are freed by keys_unlock.
 */
#pragma once

#include "sentry/abi/keys.h"
#include "sentry/kernel/keys/keys.h"
#include "sentry/kernel/task.h"
#include "util/hash_table.h"
#include "util/list.h"

enum key_kind { KEY_KEYRING, KEY_USER, KEY_LOGON };

struct key_type {
	enum key_kind kind;
	const char *name;
	bool readable, updatable;
};

struct key {
	struct list_node all;	    /* in order of their making */
	struct list_node search;    /* during a search, or in the list of the dead */
	struct hash_node by_serial;
	uint32_t refs;		    /* links and what tasks and tables hold */
	int32_t serial;
	const struct key_type *type;
	uint32_t uid, gid;	    /* kernel ids; gid ID_INVALID: none */
	uint32_t perm;
	bool revoked, invalidated;
	bool findable;		    /* a keyring that can be joined by name */
	uint64_t expiry;	    /* seconds of CLOCK_REALTIME; 0: never */
	uint64_t visited;	    /* the last search that came by */
	uint64_t marked;	    /* keyring_mark_possessed()'s last */
	uint32_t depth;		    /* in it */
	bool search_possessed;	    /* in it */
	struct key_user *user;	    /* whose quota has it */
	uint64_t quota_bytes;
	struct user_namespace *user_ns; /* reference: of its maker */
	/* user, logon */
	void *data;
	size_t size;
	/* keyring: references, in order of linking */
	struct key **links;
	uint32_t link_count, link_capacity;
	char *description;
};

/* A key as a caller holds it. */
struct key_ref {
	struct key *key;
	bool possessed;
};

/* As the reader sees them; none is the overflow id. */
static inline int key_shown_gid(const struct credentials *cred, uint32_t gid)
{
	return (int)(gid == ID_INVALID ? ID_OVERFLOW : gid_from_kernel(cred->user_ns, gid));
}

void keys_lock(void);
void keys_unlock(void);
#define SEARCH_DEPTH_MAX 6

/* --- key.c; all with the lock held ---------------------------------------------------------- */

const struct key_type *key_type_find(const char *name);
extern const struct key_type key_type_keyring;
/* A new key of @cred's user with one reference.  -EDQUOT, -ENOMEM, -EINVAL (description). */
int key_new(const struct credentials *cred, const struct key_type *type, const char *description,
	    uint32_t uid, uint32_t gid, uint32_t perm, bool over_quota, struct key **out) MUST_CHECK;
struct key *key_get(struct key *k);
void key_put(struct key *k); /* NULL is a no-op */
struct key *key_find_serial(int32_t serial);
/* For each key there is; the callback must not change any. */
void keys_for_each(void (*fn)(struct key *k, void *arg), void *arg);
void key_users_for_each(void (*fn)(uint32_t kuid, uint64_t keys, uint64_t bytes, void *arg), void *arg);
uint64_t key_user_max_keys(uint32_t kuid);
uint64_t key_user_max_bytes(uint32_t kuid);
/* The payload's quota becomes @bytes. -EDQUOT. */
int key_reserve(struct key *k, uint64_t bytes) MUST_CHECK;
int key_change_owner(struct key *k, uint32_t kuid) MUST_CHECK;
/* -ENOKEY, -EKEYREVOKED, -EKEYEXPIRED. */
int key_validate(const struct key *k) MUST_CHECK;
uint64_t key_now(void);
bool key_permits(struct key_ref ref, const struct credentials *cred, uint32_t wanted);
/* Checks a payload for the type: -EINVAL. */
int key_check_payload(const struct key_type *type, const void *payload, size_t size) MUST_CHECK;
/* Takes over malloc'ed @data. -EDQUOT (then it stays the caller's). */
int key_set_payload(struct key *k, void *data, size_t size) MUST_CHECK;
void key_do_revoke(struct key *k);

/* --- keyring.c; all with the lock held -------------------------------------------------------- */

struct key *keyring_find(const struct key *ring, const struct key_type *type, const char *description);
/* Replaces a key of the same type and description.  -ENOTDIR, -EDQUOT, -EDEADLK, -ELOOP, -ENOMEM. */
int keyring_link(struct key *ring, struct key *k) MUST_CHECK;
/* Whatever there is of @k's type and description, as in Linux.  -ENOENT, -ENOTDIR. */
int keyring_unlink(struct key *ring, const struct key *k) MUST_CHECK;
void keyring_clear(struct key *ring);
/* The key is in no keyring any more. */
void keyring_unlink_everywhere(struct key *k);

struct key_match {
	const struct key_type *type; /* with description; or */
	const char *description;
	const struct key *exact;
	bool skip_expired; /* as if they were not there */
};
/* A key below @ring, the nearest first. -EAGAIN: none; -EACCES, -EKEYREVOKED, -EKEYEXPIRED: only such. */
int keyring_search(struct key_ref ring, const struct key_match *m, const struct credentials *cred,
		   struct key_ref *out) MUST_CHECK;

/* Marks what @t possesses, for keyring_is_marked until the lock is dropped. */
void keyring_mark_possessed(struct task *t);
bool keyring_is_marked(const struct key *k);

/* --- key_process.c; all with the lock held ------------------------------------------------------ */

enum key_lookup { KEY_LOOKUP_CREATE = 1, KEY_LOOKUP_DEFER = 2, KEY_LOOKUP_UNLINK = 4 };
/* Linux's lookup_user_key: @wanted LINUX_KEY_* the caller needs. */
int key_lookup_user(struct task *t, int32_t id, unsigned flags, uint32_t wanted,
		    struct key_ref *out) MUST_CHECK;
/* In thread, process and session keyring. As keyring_search. */
int key_search_process(struct task *t, const struct key_match *m, struct key_ref *out) MUST_CHECK;
int key_join_session_locked(struct task *t, const char *name, int64_t *serial) MUST_CHECK;
/* The persistent keyring of a user of the caller's namespace. */
int key_persistent(struct task *t, uint32_t kuid, uint32_t uid, struct key **out) MUST_CHECK;

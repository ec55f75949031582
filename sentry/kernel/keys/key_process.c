/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has which keyrings: thread and session keyring in the task, process keyring in the thread
 * group, those of users in a table.  Special ids name them; a key by its serial is possessed when a
 * search of one's own keyrings comes to it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/kernel/keys/key_private.h"

#define POS_ALL LINUX_KEY_POS(LINUX_KEY_ALL)
#define PERM_PRIVATE (POS_ALL | LINUX_KEY_USR(LINUX_KEY_VIEW))
#define PERM_SESSION (POS_ALL | LINUX_KEY_USR(LINUX_KEY_VIEW | LINUX_KEY_READ))
#define PERM_NAMED (PERM_SESSION | LINUX_KEY_USR(LINUX_KEY_LINK))
#define PERM_USER (LINUX_KEY_POS(LINUX_KEY_ALL & ~LINUX_KEY_SETATTR) | LINUX_KEY_USR(LINUX_KEY_ALL))
#define PERM_PERSISTENT (POS_ALL & ~LINUX_KEY_POS(LINUX_KEY_SETATTR))
#define PERM_PERSISTENT_USER LINUX_KEY_USR(LINUX_KEY_VIEW | LINUX_KEY_READ)
#define PERSISTENT_SECONDS (3ULL * 24 * 3600)
/* runc's ModKeyringPerm without a user namespace. */
#define PERM_CONTAINER LINUX_KEY_USR(LINUX_KEY_SEARCH)

enum table { TABLE_USER, TABLE_USER_SESSION, TABLE_PERSISTENT, TABLE_COUNT };

/* A keyring of a user; the key's user_ns and uid say whose. */
struct user_keyring {
	struct list_node node;
	struct key *key; /* reference */
	uint32_t kuid;
};

static struct list_node tables[TABLE_COUNT] = { LIST_HEAD_INIT(tables[0]), LIST_HEAD_INIT(tables[1]),
						LIST_HEAD_INIT(tables[2]) };

/* --- users' keyrings ----------------------------------------------------------------------- */

static int table_get(enum table table, const struct credentials *cred, uint32_t kuid,
		     const char *name, uint32_t perm, struct key **out)
{
	struct user_keyring *u;
	int rc;

	list_for_each(u, &tables[table], node) {
		if (u->kuid == kuid && u->key->user_ns == cred->user_ns && !key_validate(u->key)) {
			*out = u->key;
			return 0;
		}
	}
	u = calloc(1, sizeof(*u));
	if (!u)
		return -ENOMEM;
	rc = key_new(cred, &key_type_keyring, name, kuid, ID_INVALID, perm, true, &u->key);
	if (rc) {
		free(u);
		return rc;
	}
	u->kuid = kuid;
	list_add_tail(&tables[table], &u->node);
	*out = u->key;
	return 0;
}

/* The number in the name is the caller's, who may be in a user namespace. */
static int user_keyring(const struct credentials *cred, struct key **out)
{
	char name[32];

	snprintf(name, sizeof(name), "_uid.%u", uid_from_kernel(cred->user_ns, cred->uid));
	return table_get(TABLE_USER, cred, cred->uid, name, PERM_USER, out);
}

static int user_session_keyring(const struct credentials *cred, struct key **out)
{
	struct key *user, *session;
	char name[32];
	int rc = user_keyring(cred, &user);

	snprintf(name, sizeof(name), "_uid_ses.%u", uid_from_kernel(cred->user_ns, cred->uid));
	if (!rc)
		rc = table_get(TABLE_USER_SESSION, cred, cred->uid, name, PERM_USER, &session);
	if (!rc && !keyring_find(session, user->type, user->description))
		rc = keyring_link(session, user);
	if (!rc)
		*out = session;
	return rc;
}

int key_persistent(struct task *t, uint32_t kuid, uint32_t uid, struct key **out)
{
	char name[32];
	int rc;

	snprintf(name, sizeof(name), "_persistent.%u", uid);
	rc = table_get(TABLE_PERSISTENT, t->cred, kuid, name, PERM_PERSISTENT | PERM_PERSISTENT_USER,
		       out);
	if (!rc)
		(*out)->expiry = key_now() + PERSISTENT_SECONDS;
	return rc;
}

/* --- the process's own ----------------------------------------------------------------------- */

static int private_keyring(const struct credentials *cred, const char *name, struct key **where)
{
	if (*where)
		return 0;
	return key_new(cred, &key_type_keyring, name, cred->uid, cred->gid, PERM_PRIVATE, true, where);
}

static void set_session(struct task *t, struct key *session)
{
	key_put(t->session_keyring);
	t->session_keyring = session;
}

/* Always there once it is asked for. */
static int session_keyring(struct task *t, bool create)
{
	struct key *session;
	int rc;

	if (t->session_keyring)
		return 0;
	if (create)
		return key_join_session_locked(t, NULL, NULL);
	rc = user_session_keyring(t->cred, &session);
	if (!rc)
		set_session(t, key_get(session));
	return rc;
}

struct by_name {
	struct task *t;
	const char *name;
	struct key *found;
};

static void match_name(struct key *k, void *arg)
{
	struct by_name *b = arg;

	if (!b->found && k->findable && !k->revoked && k->user_ns == b->t->cred->user_ns &&
	    !strcmp(k->description, b->name) &&
	    key_permits((struct key_ref){ k, false }, b->t->cred, LINUX_KEY_SEARCH))
		b->found = k;
}

static int named_session(struct task *t, const char *name, struct key **out)
{
	struct by_name b = { .t = t, .name = name };
	int rc;

	keys_for_each(match_name, &b);
	if (b.found) {
		*out = key_get(b.found);
		return 0;
	}
	rc = key_new(t->cred, &key_type_keyring, name, t->cred->uid, t->cred->gid, PERM_NAMED, false,
		     out);
	if (!rc)
		(*out)->findable = true;
	return rc;
}

int key_join_session_locked(struct task *t, const char *name, int64_t *serial)
{
	struct key *session;
	bool over_quota = !t->session_keyring;
	int rc;

	if (name)
		rc = named_session(t, name, &session);
	else
		rc = key_new(t->cred, &key_type_keyring, "_ses", t->cred->uid, t->cred->gid,
			     PERM_SESSION, over_quota, &session);
	if (rc)
		return rc;
	if (serial)
		*serial = session == t->session_keyring ? 0 : session->serial;
	set_session(t, session);
	return 0;
}

/* --- looking up -------------------------------------------------------------------------------- */

static int lookup_special(struct task *t, int32_t id, bool create, struct key **out)
{
	int rc = 0;

	switch (id) {
	case LINUX_KEY_SPEC_THREAD_KEYRING:
		rc = create || t->thread_keyring ? private_keyring(t->cred, "_tid", &t->thread_keyring) :
						   -ENOKEY;
		*out = t->thread_keyring;
		return rc;
	case LINUX_KEY_SPEC_PROCESS_KEYRING:
		rc = create || t->group->process_keyring ?
			     private_keyring(t->cred, "_pid", &t->group->process_keyring) :
			     -ENOKEY;
		*out = t->group->process_keyring;
		return rc;
	case LINUX_KEY_SPEC_SESSION_KEYRING:
		rc = session_keyring(t, create);
		*out = t->session_keyring;
		return rc;
	case LINUX_KEY_SPEC_USER_KEYRING:
		return user_keyring(t->cred, out);
	case LINUX_KEY_SPEC_USER_SESSION_KEYRING:
		return user_session_keyring(t->cred, out);
	case LINUX_KEY_SPEC_REQKEY_AUTH_KEY:
	case LINUX_KEY_SPEC_REQUESTOR_KEYRING:
		return -ENOKEY; /* only what a key is requested for has one */
	default:
		return -EINVAL;
	}
}

int key_search_process(struct task *t, const struct key_match *m, struct key_ref *out)
{
	struct key *rings[] = { t->thread_keyring, t->group->process_keyring, t->session_keyring };
	int result = -EAGAIN;

	if (!rings[2] && user_session_keyring(t->cred, &rings[2]))
		rings[2] = NULL;
	for (size_t i = 0; i < 3; i++) {
		int rc;

		if (!rings[i])
			continue;
		rc = keyring_search((struct key_ref){ rings[i], true }, m, t->cred, out);
		if (!rc)
			return 0;
		if (rc != -EAGAIN)
			result = rc;
	}
	return result;
}

int key_lookup_user(struct task *t, int32_t id, unsigned flags, uint32_t wanted, struct key_ref *out)
{
	struct key_ref ref = { NULL, true }, found;
	int rc = 0;

	if (id > 0) {
		ref.key = key_find_serial(id);
		if (!ref.key)
			return -ENOKEY;
		ref.possessed = !key_search_process(t, &(struct key_match){ .exact = ref.key }, &found);
	} else {
		rc = id ? lookup_special(t, id, flags & KEY_LOOKUP_CREATE, &ref.key) : -EINVAL;
	}
	if (rc)
		return rc;
	if (!(flags & (KEY_LOOKUP_UNLINK | KEY_LOOKUP_DEFER)))
		rc = key_validate(ref.key);
	if (!rc && !key_permits(ref, t->cred, wanted))
		rc = -EACCES;
	if (!rc)
		*out = ref;
	return rc;
}

/* --- a task's life ------------------------------------------------------------------------------- */

void task_keys_inherit(struct task *child, struct task *parent)
{
	keys_lock();
	child->session_keyring = parent->session_keyring ? key_get(parent->session_keyring) : NULL;
	child->key_request_default = parent->key_request_default;
	/* A thread of one that has a keyring of its own gets one, too; without room it does not. */
	if (child->group == parent->group && parent->thread_keyring &&
	    private_keyring(parent->cred, "_tid", &child->thread_keyring))
		child->thread_keyring = NULL;
	keys_unlock();
}

void task_keys_exec(struct task *t)
{
	keys_lock();
	key_put(t->thread_keyring);
	t->thread_keyring = NULL;
	key_put(t->group->process_keyring);
	t->group->process_keyring = NULL;
	keys_unlock();
}

void task_keys_set_cred(struct task *t, const struct credentials *cred)
{
	if (!t->thread_keyring)
		return;
	keys_lock();
	t->thread_keyring->uid = cred->fsuid;
	t->thread_keyring->gid = cred->fsgid;
	keys_unlock();
}

void task_keys_release(struct task *t)
{
	if (!t->thread_keyring && !t->session_keyring)
		return;
	keys_lock();
	key_put(t->thread_keyring);
	t->thread_keyring = NULL;
	set_session(t, NULL);
	keys_unlock();
}

void thread_group_keys_release(struct thread_group *g)
{
	if (!g->process_keyring)
		return;
	keys_lock();
	key_put(g->process_keyring);
	g->process_keyring = NULL;
	keys_unlock();
}

struct container_session {
	const char *name;
	struct key *found;
};

static void match_container(struct key *k, void *arg)
{
	struct container_session *c = arg;

	if (k->findable && !k->revoked && k->uid == 0 && !strcmp(k->description, c->name))
		c->found = k;
}

int task_keys_new_session(struct task *t, const char *name)
{
	struct container_session c = { name, NULL };
	struct key *session;
	int rc = 0;

	keys_lock();
	keys_for_each(match_container, &c);
	if (c.found)
		session = key_get(c.found);
	else
		rc = key_new(t->cred, &key_type_keyring, name, 0, 0, PERM_NAMED | PERM_CONTAINER, true,
			     &session);
	if (!rc) {
		session->findable = true;
		set_session(t, session);
	}
	keys_unlock();
	return rc;
}

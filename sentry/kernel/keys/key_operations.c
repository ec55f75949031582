/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adding, requesting, and keyctl's operations on one key; those on keyrings are in
 * keyring_operations.c.  Each takes the lock, looks up in Linux's order, and is done.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/kernel/keys/key_private.h"
#include "util/strbuf.h"

#define PERM_ALL 0x3f3f3f3fU

/* --- add_key, request_key ------------------------------------------------------------------- */

static uint32_t first_permissions(const struct key_type *type)
{
	uint32_t pos = LINUX_KEY_VIEW | LINUX_KEY_SEARCH | LINUX_KEY_LINK | LINUX_KEY_SETATTR;

	if (type->readable)
		pos |= LINUX_KEY_READ;
	if (type->updatable || type->kind == KEY_KEYRING)
		pos |= LINUX_KEY_WRITE;
	return LINUX_KEY_POS(pos) | LINUX_KEY_USR(LINUX_KEY_VIEW);
}

static int make_and_link(struct task *t, struct key *ring, const struct key_type *type,
			 const char *description, void **data, size_t size, int64_t *serial)
{
	struct key *k;
	int rc = key_new(t->cred, type, description, t->cred->fsuid, t->cred->fsgid,
			 first_permissions(type), false, &k);

	if (rc)
		return rc;
	if (size)
		rc = key_set_payload(k, *data, size);
	if (!rc)
		*data = NULL;
	if (!rc)
		rc = keyring_link(ring, k);
	*serial = k->serial;
	k->findable = !rc && type->kind == KEY_KEYRING;
	key_put(k);
	return rc;
}

/* *data is taken over when it is used. */
static int add_locked(struct task *t, const char *type_name, const char *description, void **data,
		      size_t size, int32_t ring, int64_t *serial)
{
	const struct key_type *type = key_type_find(type_name);
	struct key_ref target, old = { NULL, true };
	int rc = key_lookup_user(t, ring, KEY_LOOKUP_CREATE, LINUX_KEY_WRITE, &target);

	if (rc)
		return rc;
	if (!type)
		return -ENODEV;
	if (!description)
		return -EINVAL;
	if (target.key->type->kind != KEY_KEYRING)
		return -ENOTDIR;
	rc = key_check_payload(type, *data, size);
	if (rc)
		return rc;
	if (type->updatable)
		old.key = keyring_find(target.key, type, description);
	old.possessed = target.possessed;
	if (!old.key || old.key->invalidated || old.key->revoked)
		return make_and_link(t, target.key, type, description, data, size, serial);
	if (!key_permits(old, t->cred, LINUX_KEY_WRITE))
		return -EACCES;
	rc = key_set_payload(old.key, *data, size);
	if (!rc)
		*data = NULL;
	*serial = old.key->serial;
	return rc;
}

/* A copy outside the lock; NULL payload of size 0 stays so. */
static int copy_payload(const void *payload, size_t size, void **out)
{
	*out = NULL;
	if (!size)
		return 0;
	*out = malloc(size);
	if (!*out)
		return -ENOMEM;
	memcpy(*out, payload, size);
	return 0;
}

int64_t key_add(struct task *t, const char *type, const char *description, const void *payload,
		size_t size, int32_t ring)
{
	int64_t serial = 0;
	void *data;
	int rc = copy_payload(payload, size, &data);

	if (rc)
		return rc;
	keys_lock();
	rc = add_locked(t, type, description, &data, size, ring, &serial);
	keys_unlock();
	free(data);
	return rc ? rc : serial;
}

/* Links what was found, if a place was named. */
static int link_found(struct task *t, struct key_ref found, struct key *destination)
{
	if (!destination)
		return 0;
	if (!key_permits(found, t->cred, LINUX_KEY_LINK))
		return -EACCES;
	return keyring_link(destination, found.key);
}

/* Nobody can be asked to make the key: what is not there is -ENOKEY. */
static int64_t request_locked(struct task *t, const char *type_name, const char *description,
			      int32_t destination)
{
	struct key_match m = { .type = key_type_find(type_name), .description = description,
			       .skip_expired = true };
	struct key_ref found, target = { NULL, false };
	int rc = 0;

	if (destination)
		rc = key_lookup_user(t, destination, KEY_LOOKUP_CREATE, LINUX_KEY_WRITE, &target);
	if (rc)
		return rc;
	if (!m.type)
		return -ENOKEY;
	rc = key_search_process(t, &m, &found);
	if (rc)
		return rc == -EAGAIN ? -ENOKEY : rc;
	rc = link_found(t, found, target.key);
	return rc ? rc : found.key->serial;
}

int64_t key_request(struct task *t, const char *type, const char *description, int32_t destination)
{
	int64_t rc;

	keys_lock();
	rc = request_locked(t, type, description, destination);
	keys_unlock();
	return rc;
}

static int64_t search_locked(struct task *t, int32_t ring, const char *type_name,
			     const char *description, int32_t destination)
{
	struct key_match m = { .description = description };
	struct key_ref from, found, target = { NULL, false };
	int rc = key_lookup_user(t, ring, 0, LINUX_KEY_SEARCH, &from);

	if (!rc && destination)
		rc = key_lookup_user(t, destination, KEY_LOOKUP_CREATE, LINUX_KEY_WRITE, &target);
	if (rc)
		return rc;
	m.type = key_type_find(type_name);
	if (!m.type)
		return -ENOKEY;
	rc = keyring_search(from, &m, t->cred, &found);
	if (rc)
		return rc == -EAGAIN ? -ENOKEY : rc;
	rc = link_found(t, found, target.key);
	return rc ? rc : found.key->serial;
}

int64_t key_search(struct task *t, int32_t ring, const char *type, const char *description,
		   int32_t destination)
{
	int64_t rc;

	keys_lock();
	rc = search_locked(t, ring, type, description, destination);
	keys_unlock();
	return rc;
}

/* --- one key ------------------------------------------------------------------------------------ */

static int update_locked(struct task *t, int32_t id, void **data, size_t size)
{
	struct key_ref ref;
	int rc = key_lookup_user(t, id, 0, LINUX_KEY_WRITE, &ref);

	if (rc)
		return rc;
	if (!ref.key->type->updatable)
		return -EOPNOTSUPP;
	rc = key_check_payload(ref.key->type, *data, size);
	if (!rc)
		rc = key_set_payload(ref.key, *data, size);
	if (!rc)
		*data = NULL;
	return rc;
}

int64_t key_update(struct task *t, int32_t id, const void *payload, size_t size)
{
	void *data;
	int rc = copy_payload(payload, size, &data);

	if (rc)
		return rc;
	keys_lock();
	rc = update_locked(t, id, &data, size);
	keys_unlock();
	free(data);
	return rc;
}

int64_t key_revoke(struct task *t, int32_t id)
{
	struct key_ref ref;
	int rc;

	keys_lock();
	rc = key_lookup_user(t, id, 0, LINUX_KEY_WRITE, &ref);
	if (rc == -EACCES)
		rc = key_lookup_user(t, id, 0, LINUX_KEY_SETATTR, &ref);
	if (!rc)
		key_do_revoke(ref.key);
	keys_unlock();
	return rc;
}

int64_t key_invalidate(struct task *t, int32_t id)
{
	struct key_ref ref;
	int rc;

	keys_lock();
	rc = key_lookup_user(t, id, 0, LINUX_KEY_SEARCH, &ref);
	if (!rc) {
		struct key *k = key_get(ref.key);

		k->invalidated = true;
		keyring_unlink_everywhere(k);
		key_put(k);
	}
	keys_unlock();
	return rc;
}

static int chown_locked(struct task *t, int32_t id, uint32_t kuid, uint32_t kgid)
{
	const struct credentials *cred = t->cred;
	bool privileged = false;
	struct key_ref ref;
	int rc = key_lookup_user(t, id, KEY_LOOKUP_CREATE, LINUX_KEY_SETATTR, &ref);

	if (rc)
		return rc;
	if (kuid != ID_INVALID && kuid != ref.key->uid)
		privileged = true;
	if (kgid != ID_INVALID && kgid != ref.key->gid && kgid != cred->fsgid &&
	    !credentials_in_group(cred, kgid))
		privileged = true;
	if (privileged && !credentials_root_capable(cred, LINUX_CAP_SYS_ADMIN))
		return -EACCES;
	if (kuid != ID_INVALID)
		rc = key_change_owner(ref.key, kuid);
	if (!rc && kgid != ID_INVALID)
		ref.key->gid = kgid;
	return rc;
}

int64_t key_chown(struct task *t, int32_t id, uint32_t uid, uint32_t gid)
{
	uint32_t kuid = uid == UINT32_MAX ? ID_INVALID : uid_to_kernel(t->cred->user_ns, uid);
	uint32_t kgid = gid == UINT32_MAX ? ID_INVALID : gid_to_kernel(t->cred->user_ns, gid);
	int rc;

	if ((uid != UINT32_MAX && kuid == ID_INVALID) || (gid != UINT32_MAX && kgid == ID_INVALID))
		return -EINVAL;
	if (uid == UINT32_MAX && gid == UINT32_MAX)
		return 0;
	keys_lock();
	rc = chown_locked(t, id, kuid, kgid);
	keys_unlock();
	return rc;
}

int64_t key_setperm(struct task *t, int32_t id, uint32_t perm)
{
	struct key_ref ref;
	int rc;

	if (perm & ~PERM_ALL)
		return -EINVAL;
	keys_lock();
	rc = key_lookup_user(t, id, KEY_LOOKUP_CREATE, LINUX_KEY_SETATTR, &ref);
	if (!rc && ref.key->uid != t->cred->fsuid &&
	    !credentials_root_capable(t->cred, LINUX_CAP_SYS_ADMIN))
		rc = -EACCES;
	if (!rc)
		ref.key->perm = perm;
	keys_unlock();
	return rc;
}

int64_t key_set_timeout(struct task *t, int32_t id, uint32_t seconds)
{
	struct key_ref ref;
	int rc;

	keys_lock();
	rc = key_lookup_user(t, id, KEY_LOOKUP_CREATE, LINUX_KEY_SETATTR, &ref);
	if (!rc)
		ref.key->expiry = seconds ? key_now() + seconds : 0;
	keys_unlock();
	return rc;
}

int64_t key_describe(struct task *t, int32_t id, struct strbuf *out)
{
	uint32_t uid = 0, gid = 0, perm = 0;
	char *description = NULL;
	const char *type = "";
	struct key_ref ref;
	int rc;

	keys_lock();
	rc = key_lookup_user(t, id, 0, LINUX_KEY_VIEW, &ref);
	if (!rc) {
		description = strdup(ref.key->description);
		type = ref.key->type->name;
		uid = ref.key->uid;
		gid = ref.key->gid;
		perm = ref.key->perm;
	}
	keys_unlock();
	if (rc)
		return rc;
	if (!description)
		return -ENOMEM;
	strbuf_addf(out, "%s;%d;%d;%08x;%s", type, (int)uid_from_kernel(t->cred->user_ns, uid),
		    key_shown_gid(t->cred, gid), perm, description);
	strbuf_add_char(out, '\0');
	free(description);
	return 0;
}

int64_t key_get_security(struct task *t, int32_t id)
{
	struct key_ref ref;
	int rc;

	keys_lock();
	rc = key_lookup_user(t, id, 0, LINUX_KEY_VIEW, &ref);
	keys_unlock();
	return rc;
}

/* --- reading --------------------------------------------------------------------------------------- */

static int64_t copy_out_payload(const struct key *k, void **out)
{
	size_t size = k->type->kind == KEY_KEYRING ? k->link_count * sizeof(int32_t) : k->size;
	int32_t *serials;

	*out = malloc(size + 1);
	if (!*out)
		return -ENOMEM;
	if (k->type->kind != KEY_KEYRING) {
		memcpy(*out, k->data, size);
		return (int64_t)size;
	}
	serials = *out;
	for (uint32_t i = 0; i < k->link_count; i++)
		serials[i] = k->links[i]->serial;
	return (int64_t)size;
}

static int64_t read_locked(struct task *t, int32_t id, void **out)
{
	struct key_ref ref;
	int rc;

	if (key_lookup_user(t, id, KEY_LOOKUP_DEFER, 0, &ref))
		return -ENOKEY;
	/* What one possesses one can read, whatever else the permissions say. */
	if (!key_permits(ref, t->cred, LINUX_KEY_READ) && !ref.possessed)
		return -EACCES;
	if (!ref.key->type->readable)
		return -EOPNOTSUPP;
	rc = key_validate(ref.key);
	return rc ? rc : copy_out_payload(ref.key, out);
}

int64_t key_read(struct task *t, int32_t id, void **out)
{
	int64_t rc;

	*out = NULL;
	keys_lock();
	rc = read_locked(t, id, out);
	keys_unlock();
	return rc;
}

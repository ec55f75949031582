/* SPDX-License-Identifier: Apache-2.0 */
/* keyctl's operations on keyrings: which one has, links, clearing. */
#include <errno.h>

#include "sentry/abi/capability.h"
#include "sentry/kernel/keys/key_private.h"

int64_t key_get_keyring_id(struct task *t, int32_t id, bool create)
{
	struct key_ref ref;
	int64_t rc;

	keys_lock();
	rc = key_lookup_user(t, id, create ? KEY_LOOKUP_CREATE : 0, LINUX_KEY_SEARCH, &ref);
	if (!rc)
		rc = ref.key->serial;
	keys_unlock();
	return rc;
}

int64_t key_join_session(struct task *t, const char *name)
{
	int64_t serial = 0;
	int rc;

	keys_lock();
	rc = key_join_session_locked(t, name, &serial);
	keys_unlock();
	return rc ? rc : serial;
}

int64_t key_clear(struct task *t, int32_t ring)
{
	struct key_ref ref;
	int rc;

	keys_lock();
	rc = key_lookup_user(t, ring, KEY_LOOKUP_CREATE, LINUX_KEY_WRITE, &ref);
	if (!rc && ref.key->type->kind != KEY_KEYRING)
		rc = -ENOTDIR;
	if (!rc)
		keyring_clear(ref.key);
	keys_unlock();
	return rc;
}

int64_t key_link(struct task *t, int32_t id, int32_t ring)
{
	struct key_ref target, ref;
	int rc;

	keys_lock();
	rc = key_lookup_user(t, ring, KEY_LOOKUP_CREATE, LINUX_KEY_WRITE, &target);
	if (!rc)
		rc = key_lookup_user(t, id, KEY_LOOKUP_CREATE, LINUX_KEY_LINK, &ref);
	if (!rc)
		rc = keyring_link(target.key, ref.key);
	keys_unlock();
	return rc;
}

int64_t key_unlink(struct task *t, int32_t id, int32_t ring)
{
	struct key_ref target, ref;
	int rc;

	keys_lock();
	rc = key_lookup_user(t, ring, 0, LINUX_KEY_WRITE, &target);
	if (!rc)
		rc = key_lookup_user(t, id, KEY_LOOKUP_UNLINK, 0, &ref);
	if (!rc)
		rc = keyring_unlink(target.key, ref.key);
	keys_unlock();
	return rc;
}

static int move_locked(struct task *t, int32_t id, int32_t from, int32_t to, bool exclusive)
{
	struct key_ref ref, source, target;
	int rc = key_lookup_user(t, id, KEY_LOOKUP_CREATE, LINUX_KEY_LINK, &ref);

	if (!rc)
		rc = key_lookup_user(t, from, 0, LINUX_KEY_WRITE, &source);
	if (!rc)
		rc = key_lookup_user(t, to, KEY_LOOKUP_CREATE, LINUX_KEY_WRITE, &target);
	if (rc)
		return rc;
	if (source.key->type->kind != KEY_KEYRING || target.key->type->kind != KEY_KEYRING)
		return -ENOTDIR;
	if (source.key == target.key)
		return 0;
	if (!keyring_find(source.key, ref.key->type, ref.key->description))
		return -ENOENT;
	if (exclusive && keyring_find(target.key, ref.key->type, ref.key->description))
		return -EEXIST;
	rc = keyring_link(target.key, ref.key);
	return rc ? rc : keyring_unlink(source.key, ref.key);
}

int64_t key_move(struct task *t, int32_t id, int32_t from, int32_t to, bool exclusive)
{
	int rc;

	keys_lock();
	rc = move_locked(t, id, from, to, exclusive);
	keys_unlock();
	return rc;
}

int64_t key_get_persistent(struct task *t, uint32_t uid, int32_t destination)
{
	const struct credentials *cred = t->cred;
	uint32_t kuid = uid == UINT32_MAX ? cred->uid : uid_to_kernel(cred->user_ns, uid);
	struct key *persistent;
	struct key_ref target;
	int64_t rc;

	if (kuid == ID_INVALID)
		return -EINVAL;
	if (kuid != cred->uid && kuid != cred->euid && !credentials_capable(cred, LINUX_CAP_SETUID))
		return -EPERM;
	uid = uid_from_kernel(cred->user_ns, kuid);
	keys_lock();
	rc = key_lookup_user(t, destination, KEY_LOOKUP_CREATE, LINUX_KEY_WRITE, &target);
	if (!rc && target.key->type->kind != KEY_KEYRING)
		rc = -ENOTDIR;
	if (!rc)
		rc = key_persistent(t, kuid, uid, &persistent);
	if (!rc)
		rc = keyring_link(target.key, persistent);
	if (!rc)
		rc = persistent->serial;
	keys_unlock();
	return rc;
}

int64_t key_set_request_default(struct task *t, int32_t which)
{
	static const int32_t made[] = { [LINUX_KEY_REQKEY_DEFL_THREAD_KEYRING] = LINUX_KEY_SPEC_THREAD_KEYRING,
					[LINUX_KEY_REQKEY_DEFL_PROCESS_KEYRING] =
						LINUX_KEY_SPEC_PROCESS_KEYRING };
	int32_t old = t->key_request_default;
	int64_t rc = 0;

	if (which == LINUX_KEY_REQKEY_DEFL_NO_CHANGE)
		return old;
	if (which < 0 || which > LINUX_KEY_REQKEY_DEFL_USER_SESSION_KEYRING)
		return which == LINUX_KEY_REQKEY_DEFL_REQUESTOR_KEYRING ? old : -EINVAL;
	if (which == LINUX_KEY_REQKEY_DEFL_THREAD_KEYRING || which == LINUX_KEY_REQKEY_DEFL_PROCESS_KEYRING)
		rc = key_get_keyring_id(t, made[which], true);
	if (rc < 0)
		return rc;
	t->key_request_default = which;
	return old;
}

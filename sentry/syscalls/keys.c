/* SPDX-License-Identifier: Apache-2.0 */
/*
 * add_key, request_key, keyctl: copies in, checks in Linux's order, results out; what they do is in
 * sentry/kernel/keys.  Nobody is ever asked to make a key, so nobody has the authority to
 * instantiate one.
 */
#include "sentry/kernel/keys/keys.h"

#include <stdlib.h>
#include <string.h>

#include "sentry/abi/keys.h"
#include "sentry/syscalls/handlers.h"
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

#define ERRNO_MAX 4095

static void cleanup_pointer(void *p)
{
	free(*(void **)p);
}

#define AUTO_POINTER CLEANUP(cleanup_pointer)

/* --- arguments -------------------------------------------------------------------------------- */

/* strndup_user: a string of @max bytes with its NUL, malloc'ed. */
static int get_string(struct task *t, guest_addr_t addr, size_t max, char **out)
{
	AUTO_POINTER char *text = malloc(max);
	ssize_t size;

	if (!text)
		return -ENOMEM;
	size = copy_in_str(t->mm, text, addr, max);
	if (size < 0)
		return size == -ENAMETOOLONG ? -EINVAL : (int)size;
	*out = move_ptr(text);
	return 0;
}

static int get_type(struct task *t, guest_addr_t addr, char type[KEY_TYPE_SIZE])
{
	ssize_t size = copy_in_str(t->mm, type, addr, KEY_TYPE_SIZE);

	if (size < 0)
		return size == -ENAMETOOLONG ? -EINVAL : (int)size;
	if (!size)
		return -EINVAL;
	return type[0] == '.' ? -EPERM : 0;
}

static int get_payload(struct task *t, guest_addr_t addr, size_t size, void **out)
{
	AUTO_POINTER void *data = NULL;
	int rc;

	if (!size)
		return 0;
	data = malloc(size);
	if (!data)
		return -ENOMEM;
	rc = copy_in(t->mm, data, addr, size);
	if (!rc)
		*out = move_ptr(data);
	return rc;
}

/* Stored when it fits; the size in any case. */
static int64_t put_result(struct task *t, const void *data, size_t size, guest_addr_t buffer, uint64_t room)
{
	if (!guest_is_null(buffer) && size && room >= size) {
		int rc = copy_out(t->mm, buffer, data, size);

		if (rc)
			return rc;
	}
	return (int64_t)size;
}

int64_t sys_add_key(struct task *t, const struct syscall_args *a)
{
	AUTO_POINTER char *description = NULL;
	AUTO_POINTER void *payload = NULL;
	char type[KEY_TYPE_SIZE];
	int rc;

	if (a->v[3] > KEY_PAYLOAD_MAX)
		return -EINVAL;
	rc = get_type(t, arg_addr(a, 0), type);
	if (!rc && a->v[1])
		rc = get_string(t, arg_addr(a, 1), KEY_DESCRIPTION_MAX, &description);
	if (!rc && description && *description == '.' && !strncmp(type, "keyring", 7))
		rc = -EPERM;
	if (!rc)
		rc = get_payload(t, arg_addr(a, 2), a->v[3], &payload);
	if (rc)
		return rc;
	return key_add(t, type, description && *description ? description : NULL, payload, a->v[3],
		       arg_int(a, 4));
}

int64_t sys_request_key(struct task *t, const struct syscall_args *a)
{
	AUTO_POINTER char *description = NULL;
	AUTO_POINTER char *callout = NULL;
	char type[KEY_TYPE_SIZE];
	int rc = get_type(t, arg_addr(a, 0), type);

	if (!rc)
		rc = get_string(t, arg_addr(a, 1), KEY_DESCRIPTION_MAX, &description);
	if (!rc && a->v[2])
		rc = get_string(t, arg_addr(a, 2), GUEST_PAGE_SIZE, &callout);
	return rc ? rc : key_request(t, type, description, arg_int(a, 3));
}

/* --- keyctl ----------------------------------------------------------------------------------- */

static int64_t join_session(struct task *t, guest_addr_t addr)
{
	AUTO_POINTER char *name = NULL;
	int rc;

	if (guest_is_null(addr))
		return key_join_session(t, NULL);
	rc = get_string(t, addr, KEY_DESCRIPTION_MAX, &name);
	if (rc)
		return rc;
	return *name == '.' ? -EPERM : key_join_session(t, name);
}

static int64_t update(struct task *t, const struct syscall_args *a)
{
	AUTO_POINTER void *payload = NULL;
	int rc;

	if (a->v[3] > GUEST_PAGE_SIZE)
		return -EINVAL;
	rc = a->v[2] ? get_payload(t, arg_addr(a, 2), a->v[3], &payload) : 0;
	return rc ? rc : key_update(t, arg_int(a, 1), payload, payload ? a->v[3] : 0);
}

static int64_t describe(struct task *t, const struct syscall_args *a)
{
	AUTO_STRBUF struct strbuf text = STRBUF_INIT;
	int64_t rc = key_describe(t, arg_int(a, 1), &text);

	if (!rc && text.failed)
		rc = -ENOMEM;
	return rc ? rc : put_result(t, text.data, text.length, arg_addr(a, 2), a->v[3]);
}

static int64_t search(struct task *t, const struct syscall_args *a)
{
	AUTO_POINTER char *description = NULL;
	char type[KEY_TYPE_SIZE];
	int rc = get_type(t, arg_addr(a, 2), type);

	if (!rc)
		rc = get_string(t, arg_addr(a, 3), KEY_DESCRIPTION_MAX, &description);
	return rc ? rc : key_search(t, arg_int(a, 1), type, description, arg_int(a, 4));
}

static int64_t read_payload(struct task *t, const struct syscall_args *a)
{
	AUTO_POINTER void *data = NULL;
	int64_t size = key_read(t, arg_int(a, 1), &data);

	return size < 0 ? size : put_result(t, data, (size_t)size, arg_addr(a, 2), a->v[3]);
}

static int64_t security(struct task *t, const struct syscall_args *a)
{
	int64_t rc = key_get_security(t, arg_int(a, 1));

	return rc ? rc : put_result(t, "", 1, arg_addr(a, 2), a->v[3]);
}

static int64_t capabilities(struct task *t, guest_addr_t buffer, uint64_t room)
{
	static const uint8_t caps[] = {
		LINUX_KEYCTL_CAPS0_CAPABILITIES | LINUX_KEYCTL_CAPS0_PERSISTENT_KEYRINGS |
			LINUX_KEYCTL_CAPS0_INVALIDATE | LINUX_KEYCTL_CAPS0_MOVE,
		LINUX_KEYCTL_CAPS1_NS_KEYRING_NAME,
	};
	uint64_t size = room < sizeof(caps) ? room : sizeof(caps);
	int rc = size ? copy_out(t->mm, buffer, caps, size) : 0;

	if (!rc && room > sizeof(caps))
		rc = clear_out(t->mm, guest_add(buffer, sizeof(caps)), room - sizeof(caps));
	return rc ? rc : (int64_t)sizeof(caps);
}

/* Nobody has the authority; what is told before that is asked. */
static int64_t instantiate(guest_addr_t payload, uint64_t size)
{
	size = MIN(size, IO_MAX_COUNT);
	if (guest_is_null(payload) || !size)
		return -EPERM;
	if (!guest_range_ok(payload, size))
		return -EFAULT;
	return size > KEY_PAYLOAD_MAX ? -EINVAL : -EPERM;
}

static int64_t instantiate_vector(struct task *t, guest_addr_t vector, uint64_t count)
{
	AUTO_FREE struct guest_iovec *segments = NULL;
	struct io_iter payload;
	int rc = io_iter_init_iovec(&payload, t->mm, vector, guest_is_null(vector) ? 0 : count, &segments);

	if (rc < 0)
		return rc;
	return payload.count > KEY_PAYLOAD_MAX ? -EINVAL : -EPERM;
}

static int64_t reject(int64_t error)
{
	if (error <= 0 || error >= ERRNO_MAX || error == ERESTARTSYS || error == ERESTARTNOINTR ||
	    error == ERESTARTNOHAND || error == ERESTART_RESTARTBLOCK)
		return -EINVAL;
	return -EPERM;
}

static int64_t assume_authority(int32_t id)
{
	return id < 0 ? -EINVAL : id ? -ENOKEY : 0;
}

int64_t sys_keyctl(struct task *t, const struct syscall_args *a)
{
	int32_t id = arg_int(a, 1), second = arg_int(a, 2);

	switch (arg_int(a, 0)) {
	case LINUX_KEYCTL_GET_KEYRING_ID:
		return key_get_keyring_id(t, id, second);
	case LINUX_KEYCTL_JOIN_SESSION_KEYRING:
		return join_session(t, arg_addr(a, 1));
	case LINUX_KEYCTL_UPDATE:
		return update(t, a);
	case LINUX_KEYCTL_REVOKE:
		return key_revoke(t, id);
	case LINUX_KEYCTL_CHOWN:
		return key_chown(t, id, arg_u32(a, 2), arg_u32(a, 3));
	case LINUX_KEYCTL_SETPERM:
		return key_setperm(t, id, arg_u32(a, 2));
	case LINUX_KEYCTL_DESCRIBE:
		return describe(t, a);
	case LINUX_KEYCTL_CLEAR:
		return key_clear(t, id);
	case LINUX_KEYCTL_LINK:
		return key_link(t, id, second);
	case LINUX_KEYCTL_UNLINK:
		return key_unlink(t, id, second);
	case LINUX_KEYCTL_SEARCH:
		return search(t, a);
	case LINUX_KEYCTL_READ:
		return read_payload(t, a);
	case LINUX_KEYCTL_INSTANTIATE:
		return instantiate(arg_addr(a, 2), a->v[3]);
	case LINUX_KEYCTL_INSTANTIATE_IOV:
		return instantiate_vector(t, arg_addr(a, 2), arg_u32(a, 3));
	case LINUX_KEYCTL_NEGATE:
		return -EPERM;
	case LINUX_KEYCTL_REJECT:
		return reject(arg_u32(a, 3));
	case LINUX_KEYCTL_SET_REQKEY_KEYRING:
		return key_set_request_default(t, id);
	case LINUX_KEYCTL_SET_TIMEOUT:
		return key_set_timeout(t, id, arg_u32(a, 2));
	case LINUX_KEYCTL_ASSUME_AUTHORITY:
		return assume_authority(id);
	case LINUX_KEYCTL_GET_SECURITY:
		return security(t, a);
	case LINUX_KEYCTL_INVALIDATE:
		return key_invalidate(t, id);
	case LINUX_KEYCTL_GET_PERSISTENT:
		return key_get_persistent(t, arg_u32(a, 1), second);
	case LINUX_KEYCTL_MOVE:
		if (arg_u32(a, 4) & ~(uint32_t)LINUX_KEYCTL_MOVE_EXCL)
			return -EINVAL;
		return key_move(t, id, second, arg_int(a, 3), arg_u32(a, 4));
	case LINUX_KEYCTL_CAPABILITIES:
		return capabilities(t, arg_addr(a, 1), a->v[2]);
	default:
		return -EOPNOTSUPP;
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Calls about what an object is and holds: attributes, targets, entries, xattrs. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "sentry/fs/gofer/exchange.h"
#include "util/checked.h"
#include "util/cleanup.h"

static int object_exchange(struct gofer_client *client, struct gofer_exchange *x, const char *name,
			   const char *xattr)
{
	struct gofer_packed packed = { .size = 0 };
	int err = gofer_pack_object(&packed, name);

	if (!err && xattr)
		err = gofer_pack_xattr(&packed, xattr);
	if (err)
		return err;
	x->names = packed.bytes;
	x->names_size = packed.size;
	return gofer_exchange(client, x);
}

int gofer_readlink(struct gofer_client *client, uint64_t node, const char *name, char *target)
{
	struct gofer_readlink_request request = { .object = { node } };
	struct gofer_readlink_reply reply;
	struct gofer_exchange x = GOFER_EXCHANGE(READLINK, request, reply);
	int err;

	x.tail = target;
	x.tail_max = GOFER_SYMLINK_MAX;
	err = object_exchange(client, &x, name, NULL);
	if (err)
		return err;
	if (reply.length != x.tail_size)
		return -EIO;
	target[x.tail_size] = 0;
	return 0;
}

int gofer_getattr(struct gofer_client *client, uint64_t node, const char *name,
		  struct gofer_attr *out)
{
	struct gofer_getattr_request request = { .object = { node } };
	struct gofer_getattr_reply reply;
	struct gofer_exchange x = GOFER_EXCHANGE(GETATTR, request, reply);
	int err = object_exchange(client, &x, name, NULL);

	if (!err)
		*out = reply.attr;
	return err;
}

int gofer_setattr(struct gofer_client *client, uint64_t node, const char *name,
		  const struct gofer_setattr *change, struct gofer_attr *out)
{
	struct gofer_setattr_request request = {
		.object = { node },
		.mask = change->mask,
		.mode = change->mode & 07777,
		.uid = change->uid,
		.gid = change->gid,
		.size = change->size,
		.atime = change->atime,
		.mtime = change->mtime,
	};
	struct gofer_setattr_reply reply;
	struct gofer_exchange x = GOFER_EXCHANGE(SETATTR, request, reply);
	int err;

	if (change->atime.nsec >= 1000000000u || change->mtime.nsec >= 1000000000u)
		return -EINVAL;
	err = object_exchange(client, &x, name, NULL);
	if (!err)
		*out = reply.attr;
	return err;
}

int gofer_statfs(struct gofer_client *client, uint64_t node, struct gofer_statfs_reply *out)
{
	struct gofer_statfs_request request = { .node = node };
	struct gofer_statfs_reply reply;
	struct gofer_exchange x = GOFER_EXCHANGE(STATFS, request, reply);
	int err = gofer_exchange(client, &x);

	if (!err)
		*out = reply;
	return err;
}

int gofer_fsync(struct gofer_client *client, uint64_t node, bool data_only)
{
	struct gofer_fsync_request request = {
		.node = node, .flags = data_only ? GOFER_FSYNC_DATA : 0,
	};
	struct gofer_fsync_reply reply;
	struct gofer_exchange x = GOFER_EXCHANGE(FSYNC, request, reply);

	return gofer_exchange(client, &x);
}

/* One record at @at with @left bytes to the end: its size, or 0 if it is not well-formed. */
static uint32_t check_dirent(const uint8_t *at, uint32_t left)
{
	const struct gofer_dirent *entry = (const void *)at;
	const char *name = (const char *)(entry + 1);

	if (left < sizeof(*entry) || entry->size > left ||
	    entry->size != round_up(sizeof(*entry) + entry->name_length + 1u, 8))
		return 0;
	if (!entry->name_length || strnlen(name, entry->name_length + 1u) != entry->name_length)
		return 0;
	return strchr(name, '/') ? 0 : entry->size;
}

static int check_batch(const uint8_t *at, uint32_t size, uint32_t count)
{
	while (count--) {
		uint32_t taken = check_dirent(at, size);

		if (!taken)
			return -EIO;
		at += taken;
		size -= taken;
	}
	return size ? -EIO : 0;
}

int gofer_readdir(struct gofer_client *client, uint64_t node, const char *name, uint64_t cookie,
		  uint32_t flags, void *buffer, size_t size, struct gofer_batch *out)
{
	struct gofer_readdir_request request = {
		.object = { node },
		.cookie = cookie,
		.size_max = (uint32_t)MIN(size, GOFER_READDIR_MAX),
		.flags = flags,
	};
	struct gofer_readdir_reply reply;
	struct gofer_exchange x = GOFER_EXCHANGE(READDIR, request, reply);
	int err;

	if (size < GOFER_READDIR_MIN || cookie > INT64_MAX)
		return -EINVAL;
	x.tail = buffer;
	x.tail_max = request.size_max;
	err = object_exchange(client, &x, name, NULL);
	if (!err)
		err = check_batch(buffer, x.tail_size, reply.count);
	if (err)
		return err;
	*out = (struct gofer_batch){
		.directory = reply.directory,
		.count = reply.count,
		.end = reply.end,
		.next = buffer,
		.left = reply.count,
	};
	return 0;
}

const struct gofer_dirent *gofer_batch_next(struct gofer_batch *batch, const char **name)
{
	const struct gofer_dirent *entry = (const void *)batch->next;

	if (!batch->left)
		return NULL;
	batch->left--;
	batch->next += entry->size;
	*name = (const char *)(entry + 1);
	return entry;
}

void gofer_batch_back(struct gofer_batch *batch, const struct gofer_dirent *entry)
{
	batch->left++;
	batch->next -= entry->size;
}

ssize_t gofer_getxattr(struct gofer_client *client, uint64_t node, const char *name,
		       const char *xattr, void *value, size_t size)
{
	struct gofer_getxattr_request request = {
		.object = { node }, .size_max = (uint32_t)MIN(size, GOFER_XATTR_SIZE_MAX),
	};
	struct gofer_getxattr_reply reply;
	struct gofer_exchange x = GOFER_EXCHANGE(GETXATTR, request, reply);
	int err;

	x.tail = value;
	x.tail_max = request.size_max;
	err = object_exchange(client, &x, name, xattr);
	if (err)
		return err;
	if (reply.size > GOFER_XATTR_SIZE_MAX || x.tail_size != (size ? reply.size : 0))
		return -EIO;
	return (ssize_t)reply.size;
}

int gofer_setxattr(struct gofer_client *client, uint64_t node, const char *name, const char *xattr,
		   const void *value, size_t size, uint32_t flags)
{
	struct gofer_setxattr_request request = {
		.object = { node }, .flags = flags, .size = (uint32_t)size,
	};
	struct gofer_setxattr_reply reply;
	struct gofer_exchange x = GOFER_EXCHANGE(SETXATTR, request, reply);

	if (size > GOFER_XATTR_SIZE_MAX)
		return -E2BIG;
	if (flags > GOFER_XATTR_REPLACE)
		return -EINVAL;
	x.data = value;
	x.data_size = (uint32_t)size;
	return object_exchange(client, &x, name, xattr);
}

ssize_t gofer_listxattr(struct gofer_client *client, uint64_t node, const char *name, char *list,
			size_t size)
{
	struct gofer_listxattr_request request = { .object = { node } };
	struct gofer_listxattr_reply reply;
	struct gofer_exchange x = GOFER_EXCHANGE(LISTXATTR, request, reply);
	AUTO_FREE char *names = malloc(GOFER_XATTR_SIZE_MAX);
	int err;

	if (!names)
		return -ENOMEM;
	x.tail = names;
	x.tail_max = GOFER_XATTR_SIZE_MAX;
	err = object_exchange(client, &x, name, NULL);
	if (err)
		return err;
	if (reply.size != x.tail_size || (reply.size && names[reply.size - 1]))
		return -EIO;
	if (!size)
		return (ssize_t)reply.size;
	if (reply.size > size)
		return -ERANGE;
	memcpy(list, names, reply.size);
	return (ssize_t)reply.size;
}

int gofer_removexattr(struct gofer_client *client, uint64_t node, const char *name,
		      const char *xattr)
{
	struct gofer_removexattr_request request = { .object = { node } };
	struct gofer_removexattr_reply reply;
	struct gofer_exchange x = GOFER_EXCHANGE(REMOVEXATTR, request, reply);

	return object_exchange(client, &x, name, xattr);
}

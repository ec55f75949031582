/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that find, make, open and remove names. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "sentry/fs/gofer/exchange.h"

/* The result that was received: every count in it is held against what came. */
static int check_walk(const struct gofer_walk_reply *reply, uint32_t tail_size, uint32_t asked)
{
	uint64_t entries = (uint64_t)reply->count * sizeof(struct gofer_entry);

	if (reply->count > asked || reply->link_length > GOFER_SYMLINK_MAX ||
	    entries + reply->link_length != tail_size || reply->stop > 0)
		return -EIO;
	return reply->link_length && !reply->count ? -EIO : 0;
}

int gofer_walk(struct gofer_client *client, uint64_t dir, const char *const *names, uint32_t count,
	       uint32_t flags, struct gofer_walk_result *out)
{
	struct gofer_walk_request request = { .node = dir, .count = count, .flags = flags };
	struct gofer_walk_reply reply;
	struct gofer_exchange x = GOFER_EXCHANGE(WALK, request, reply);
	uint32_t used = 0;
	int err;

	if (!count || count > GOFER_WALK_MAX)
		return -EINVAL;
	for (uint32_t i = 0; i < count; i++) {
		struct gofer_packed packed = { .size = 0 };

		err = gofer_pack_name(&packed, names[i]);
		if (err)
			return err;
		memcpy(out->storage + used, packed.bytes, packed.size);
		used += packed.size;
	}
	/* The request has left before the reply overwrites it. */
	x.names = x.tail = out->storage;
	x.names_size = used;
	x.tail_max = sizeof(out->storage) - 1;
	err = gofer_exchange(client, &x);
	if (!err)
		err = check_walk(&reply, x.tail_size, count);
	if (err)
		return err;
	out->storage[x.tail_size] = 0;
	out->entries = (const void *)out->storage;
	out->count = reply.count;
	out->stop = reply.stop;
	out->link_length = reply.link_length;
	out->link = reply.link_length ? (const char *)(out->entries + reply.count) : NULL;
	return 0;
}

int gofer_lookup(struct gofer_client *client, uint64_t dir, const char *name, uint32_t flags,
		 struct gofer_entry *out, char *link)
{
	struct gofer_walk_request request = { .node = dir, .count = 1, .flags = flags };
	struct gofer_packed packed = { .size = 0 };
	struct gofer_walk_reply reply;
	struct gofer_exchange x = GOFER_EXCHANGE(WALK, request, reply);
	struct {
		struct gofer_entry entry;
		char link[GOFER_SYMLINK_MAX];
	} tail;
	int err = gofer_pack_name(&packed, name);

	if (err)
		return err;
	x.names = packed.bytes;
	x.names_size = packed.size;
	x.tail = &tail;
	x.tail_max = sizeof(tail);
	err = gofer_exchange(client, &x);
	if (!err)
		err = check_walk(&reply, x.tail_size, 1);
	if (err)
		return err;
	if (!reply.count)
		return reply.stop ? reply.stop : -EIO;
	*out = tail.entry;
	if (link) {
		memcpy(link, tail.link, reply.link_length);
		link[reply.link_length] = 0;
	}
	return 0;
}

/* An exchange whose reply is one entry, and a descriptor with @x->want_fd. */
static int entry_exchange(struct gofer_client *client, struct gofer_exchange *x,
			  const struct gofer_packed *packed, const struct gofer_entry *entry,
			  struct gofer_entry *out)
{
	int err;

	x->names = packed->bytes;
	x->names_size = packed->size;
	err = gofer_exchange(client, x);
	if (err)
		return err;
	*out = *entry;
	return x->want_fd ? x->fd : 0;
}

int gofer_open(struct gofer_client *client, uint64_t node, const char *name,
	       enum gofer_access access, uint32_t flags, struct gofer_entry *out)
{
	struct gofer_open_request request = { .object = { node }, .access = access, .flags = flags };
	struct gofer_packed packed = { .size = 0 };
	struct gofer_open_reply reply;
	struct gofer_exchange x = GOFER_EXCHANGE(OPEN, request, reply);
	int err = gofer_pack_object(&packed, name);

	if (err)
		return err;
	x.want_fd = true;
	return entry_exchange(client, &x, &packed, &reply.entry, out);
}

int gofer_create(struct gofer_client *client, uint64_t dir, const char *name, uint32_t mode,
		 struct gofer_owner owner, enum gofer_access access, struct gofer_entry *out)
{
	struct gofer_create_request request = {
		.parent = { dir }, .mode = mode & 07777, .uid = owner.uid, .gid = owner.gid,
		.access = access,
	};
	struct gofer_packed packed = { .size = 0 };
	struct gofer_create_reply reply;
	struct gofer_exchange x = GOFER_EXCHANGE(CREATE, request, reply);
	int err = gofer_pack_name(&packed, name);

	if (err)
		return err;
	x.want_fd = true;
	return entry_exchange(client, &x, &packed, &reply.entry, out);
}

int gofer_mkdir(struct gofer_client *client, uint64_t dir, const char *name, uint32_t mode,
		struct gofer_owner owner, struct gofer_entry *out)
{
	struct gofer_mkdir_request request = {
		.parent = { dir }, .mode = mode & 07777, .uid = owner.uid, .gid = owner.gid,
	};
	struct gofer_packed packed = { .size = 0 };
	struct gofer_mkdir_reply reply;
	struct gofer_exchange x = GOFER_EXCHANGE(MKDIR, request, reply);
	int err = gofer_pack_name(&packed, name);

	return err ? err : entry_exchange(client, &x, &packed, &reply.entry, out);
}

int gofer_symlink(struct gofer_client *client, uint64_t dir, const char *name, const char *target,
		  struct gofer_owner owner, struct gofer_entry *out)
{
	struct gofer_symlink_request request = {
		.parent = { dir }, .uid = owner.uid, .gid = owner.gid,
	};
	size_t length = strlen(target);
	struct gofer_packed packed = { .size = 0 };
	struct gofer_symlink_reply reply;
	struct gofer_exchange x = GOFER_EXCHANGE(SYMLINK, request, reply);
	int err = gofer_pack_name(&packed, name);

	if (err)
		return err;
	if (!length || length > GOFER_SYMLINK_MAX)
		return length ? -ENAMETOOLONG : -ENOENT;
	request.target_length = (uint32_t)length;
	x.data = target;
	x.data_size = (uint32_t)length + 1;
	return entry_exchange(client, &x, &packed, &reply.entry, out);
}

int gofer_mknod(struct gofer_client *client, uint64_t dir, const char *name, uint32_t mode,
		struct gofer_owner owner, struct gofer_entry *out)
{
	struct gofer_mknod_request request = {
		.parent = { dir }, .mode = mode & 0177777, .uid = owner.uid, .gid = owner.gid,
	};
	struct gofer_packed packed = { .size = 0 };
	struct gofer_mknod_reply reply;
	struct gofer_exchange x = GOFER_EXCHANGE(MKNOD, request, reply);
	int err = gofer_pack_name(&packed, name);

	return err ? err : entry_exchange(client, &x, &packed, &reply.entry, out);
}

int gofer_link(struct gofer_client *client, uint64_t node, const char *name, uint64_t new_dir,
	       const char *new_name, struct gofer_entry *out)
{
	struct gofer_link_request request = { .object = { node }, .new_parent = { new_dir } };
	struct gofer_packed packed = { .size = 0 };
	struct gofer_link_reply reply;
	struct gofer_exchange x = GOFER_EXCHANGE(LINK, request, reply);
	int err = gofer_pack_object(&packed, name);

	if (!err)
		err = gofer_pack_name(&packed, new_name);
	return err ? err : entry_exchange(client, &x, &packed, &reply.entry, out);
}

int gofer_unlink(struct gofer_client *client, uint64_t dir, const char *name, uint32_t flags)
{
	struct gofer_unlink_request request = { .parent = { dir }, .flags = flags };
	struct gofer_packed packed = { .size = 0 };
	struct gofer_unlink_reply reply;
	struct gofer_exchange x = GOFER_EXCHANGE(UNLINK, request, reply);
	int err = gofer_pack_name(&packed, name);

	x.names = packed.bytes;
	x.names_size = packed.size;
	return err ? err : gofer_exchange(client, &x);
}

int gofer_rename(struct gofer_client *client, uint64_t old_dir, const char *old_name,
		 uint64_t new_dir, const char *new_name, uint32_t flags)
{
	struct gofer_rename_request request = {
		.old_parent = { old_dir }, .new_parent = { new_dir }, .flags = flags,
	};
	struct gofer_packed packed = { .size = 0 };
	struct gofer_rename_reply reply;
	struct gofer_exchange x = GOFER_EXCHANGE(RENAME, request, reply);
	int err = flags > GOFER_RENAME_EXCHANGE ? -EINVAL : gofer_pack_name(&packed, old_name);

	if (!err)
		err = gofer_pack_name(&packed, new_name);
	x.names = packed.bytes;
	x.names_size = packed.size;
	return err ? err : gofer_exchange(client, &x);
}

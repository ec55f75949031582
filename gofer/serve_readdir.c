/* SPDX-License-Identifier: Apache-2.0 */
/*
 * READDIR with attributes.  The directory's FD stays open between the batches of
 * one listing, so that a whole directory costs one open; another listing or a
 * seek starts over from the cookie, which is the host's d_off.
 */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gofer/call.h"
#include "util/checked.h"
#include "util/cleanup.h"

/* The longest entry; a reply of GOFER_READDIR_MIN has room for one. */
#define ENTRY_MAX (sizeof(struct gofer_dirent) + GOFER_NAME_MAX + 1)
static_assert(sizeof(struct gofer_readdir_reply) + ENTRY_MAX <= GOFER_READDIR_MIN, "no progress");

struct batch {
	struct gofer_call *call;
	struct gofer_readdir_reply *reply;
	uint32_t size_max;
	bool attrs;
	uint64_t cookie; /* after the last entry taken */
};

/* Where the listing of @node at @cookie can be read from; owned by the caller. */
static int take_listing(struct gofer_call *call, int path_fd, uint64_t node, uint64_t cookie)
{
	struct gofer_listing *listing = &call->connection->listing;
	AUTO_CLOSE int fd = -1;

	if (listing->fd >= 0 && node && listing->node == node && listing->cookie == cookie)
		return move_fd(&listing->fd);
	fd = reopen(call, path_fd, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	if (cookie && lseek(fd, (off_t)cookie, SEEK_SET) < 0)
		return -errno;
	return move_fd(&fd);
}

static void keep_listing(struct gofer_call *call, int *fd, uint64_t node, uint64_t cookie)
{
	struct gofer_listing *listing = &call->connection->listing;

	if (listing->fd >= 0)
		close(listing->fd);
	*listing = (struct gofer_listing){ .fd = move_fd(fd), .node = node, .cookie = cookie };
}

static bool is_dot(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

/* Appends one entry; false if it does not fit. */
static bool batch_add(struct batch *b, int dir_fd, const struct dirent64 *host)
{
	struct gofer_dirent *entry = (void *)((uint8_t *)b->call->reply + b->call->reply_size);
	size_t length = strlen(host->d_name);
	uint32_t size = (uint32_t)round_up(sizeof(*entry) + length + 1, 8);
	int err = 0;

	if (length > GOFER_NAME_MAX)
		return true; /* some file systems have them; no guest call could name it */
	if (size > b->size_max - b->call->reply_size)
		return false;
	memset(entry, 0, size);
	if (b->attrs)
		err = attr_read(dir_fd, host->d_name, &entry->attr);
	if (err == -ENOENT)
		return true; /* removed since the kernel listed it */
	entry->cookie = (uint64_t)host->d_off;
	entry->size = size;
	entry->name_length = (uint8_t)length;
	entry->has_attr = b->attrs && !err;
	entry->type = entry->has_attr ? (uint8_t)IFTODT(entry->attr.mode) : host->d_type;
	if (!entry->has_attr)
		entry->attr = (struct gofer_attr){ .ino = host->d_ino };
	memcpy(entry + 1, host->d_name, length);
	b->call->reply_size += size;
	b->reply->count++;
	return true;
}

/* Takes entries of one getdents buffer until the reply is full; false when it is. */
static bool batch_take(struct batch *b, int dir_fd, const uint8_t *buffer, size_t size)
{
	for (size_t at = 0; at < size;) {
		const struct dirent64 *host = (const void *)(buffer + at);

		at += host->d_reclen;
		if (!is_dot(host->d_name) && !batch_add(b, dir_fd, host))
			return false;
		b->cookie = (uint64_t)host->d_off;
	}
	return true;
}

static int batch_fill(struct batch *b, int dir_fd)
{
	for (;;) {
		uint32_t space = b->size_max - b->call->reply_size;
		/* An entry grows about fivefold on its way into the reply. */
		uint32_t want = MIN(b->call->scratch_size, MAX(space / 5, 1024));
		ssize_t n;

		if (space < ENTRY_MAX)
			return 0;
		n = getdents64(dir_fd, b->call->scratch, want);
		if (n < 0)
			return -errno;
		if (n == 0) {
			b->reply->end = 1;
			return 0;
		}
		if (batch_take(b, dir_fd, b->call->scratch, (size_t)n))
			continue;
		/* The FD has run ahead of what was taken. */
		return lseek(dir_fd, (off_t)b->cookie, SEEK_SET) < 0 ? -errno : 0;
	}
}

int gofer_serve_readdir(struct gofer_call *call)
{
	const struct gofer_readdir_request *request = call->request;
	struct gofer_readdir_reply *reply = call->reply;
	struct batch b = {
		.call = call,
		.reply = reply,
		.size_max = MIN(request->size_max, GOFER_READDIR_MAX),
		.attrs = request->flags & GOFER_READDIR_ATTR,
		.cookie = request->cookie,
	};
	AUTO_CLOSE int opened = -1, dir = -1;
	const char *name;
	int fd, err;

	if (request->flags & ~(GOFER_READDIR_NODE | GOFER_READDIR_ATTR) ||
	    request->size_max < GOFER_READDIR_MIN || request->cookie > INT64_MAX)
		return GOFER_VIOLATION;
	if (call_take_object(call, &name) || call_end(call))
		return GOFER_VIOLATION;
	fd = call_object_fd(call, request->object.node, name, &opened);
	if (fd < 0)
		return fd;
	err = attr_read(fd, "", &reply->directory.attr);
	if (err)
		return err;
	if (!S_ISDIR(reply->directory.attr.mode))
		return -ENOTDIR;
	reply->directory.node = *name ? 0 : request->object.node;
	dir = take_listing(call, fd, reply->directory.node, request->cookie);
	if (dir < 0)
		return dir;
	err = batch_fill(&b, dir);
	if (!err && request->flags & GOFER_READDIR_NODE && opened >= 0)
		err = call_add_node(call, &opened, S_IFDIR, &reply->directory.node);
	if (!err && !reply->end && reply->directory.node)
		keep_listing(call, &dir, reply->directory.node, b.cookie);
	return err;
}

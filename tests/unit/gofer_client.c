/* SPDX-License-Identifier: Apache-2.0 */
/* Every message, through the client, against a real tree. */
#include "config.h"
#include "tests/unit/gofer_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/checked.h"

static const struct gofer_owner me = { 0, 0 };

static uint64_t root_of(const struct served *s)
{
	return gofer_client_root(s->client)->node;
}

static uint64_t node_of(const struct served *s, uint64_t dir, const char *name)
{
	struct gofer_entry entry;

	assert_int_equal(gofer_lookup(s->client, dir, name, GOFER_WALK_NODE, &entry, NULL), 0);
	assert_true(entry.node != 0);
	return entry.node;
}

static void table_has_no_holes(void **state)
{
	(void)state;
	assert_null(gofer_message_info(0));
	assert_null(gofer_message_info(GOFER_MESSAGE_END));
	assert_null(gofer_message_info(UINT32_MAX));
	for (uint32_t type = 1; type < GOFER_MESSAGE_END; type++) {
		const struct gofer_message_info *info = gofer_message_info(type);

#ifndef MOAT_DEBUG
		/* Only debug builds know it. */
		if (type == GOFER_DEBUG_ATTACK) {
			assert_null(info);
			continue;
		}
#endif
		assert_non_null(info);
		assert_true(info->name && info->serve);
		assert_true(info->request_size >= sizeof(struct gofer_request));
		assert_true(info->reply_size >= sizeof(struct gofer_reply));
		assert_int_equal(info->request_size % 8, 0);
		assert_int_equal(info->reply_size % 8, 0);
		for (uint32_t other = 1; other < type; other++)
			if (gofer_message_info(other))
				assert_true(gofer_message_info(other)->serve != info->serve);
	}
}

static void walk(void **state)
{
	static struct gofer_walk_result result;
	struct served s;

	fixture_serve(*state, "root", false, &s);
	assert_int_equal(gofer_walk(s.client, root_of(&s), (const char *[]){ "dir", "sub", "deep" }, 3,
				    0, &result), 0);
	assert_int_equal(result.count, 3);
	assert_true(S_ISDIR(result.entries[0].attr.mode) && result.entries[0].node);
	assert_true(S_ISDIR(result.entries[1].attr.mode) && result.entries[1].node);
	assert_true(S_ISREG(result.entries[2].attr.mode) && !result.entries[2].node);
	assert_int_equal(result.entries[2].attr.size, 5);
	assert_int_equal(gofer_walk(s.client, root_of(&s), (const char *[]){ "dir", "none", "x" }, 3, 0,
				    &result), 0);
	assert_int_equal(result.count, 1);
	assert_int_equal(result.stop, -ENOENT);
	/* Not a directory: the walk stops there, without an error. */
	assert_int_equal(gofer_walk(s.client, root_of(&s), (const char *[]){ "hello", "x" }, 2, 0,
				    &result), 0);
	assert_int_equal(result.count, 1);
	assert_int_equal(result.stop, 0);
	assert_int_equal(gofer_walk(s.client, root_of(&s), (const char *[]){ "out", "secret" }, 2, 0,
				    &result), 0);
	assert_int_equal(result.count, 1);
	assert_true(S_ISLNK(result.entries[0].attr.mode));
	assert_string_equal(result.link, "../outside");
	assert_int_equal(gofer_walk(s.client, root_of(&s), (const char *[]){ ".." }, 1, 0, &result),
			 -EINVAL);
	assert_int_equal(gofer_walk(s.client, 12345, (const char *[]){ "dir" }, 1, 0, &result), -ESTALE);
	served_end(&s);
}

static void open_rights(void **state)
{
	struct gofer_entry entry;
	struct served s;
	char text[16];
	int fd;

	fixture_serve(*state, "root", false, &s);
	fd = gofer_open(s.client, root_of(&s), "hello", GOFER_READ, GOFER_OPEN_NODE, &entry);
	assert_true(fd >= 0 && entry.node);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(read(fd, text, sizeof(text)), 6);
	assert_int_equal(write(fd, "x", 1), -1);
	close(fd);
	fd = gofer_open(s.client, entry.node, "", GOFER_WRITE, 0, &entry);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_WRONLY);
	assert_int_equal(read(fd, text, 1), -1);
	close(fd);
	fd = gofer_open(s.client, entry.node, "", GOFER_READ_WRITE, 0, &entry);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	close(fd);
	assert_int_equal(gofer_open(s.client, root_of(&s), "", GOFER_READ, 0, &entry), -EISDIR);
	assert_int_equal(gofer_open(s.client, root_of(&s), "link", GOFER_READ, 0, &entry), -ELOOP);
	assert_int_equal(gofer_open(s.client, root_of(&s), "pipe", GOFER_READ, 0, &entry), -ENXIO);
	assert_int_equal(gofer_open(s.client, root_of(&s), "sock", GOFER_READ, 0, &entry), -ENXIO);
	assert_int_equal(gofer_open(s.client, root_of(&s), "none", GOFER_READ, 0, &entry), -ENOENT);
	served_end(&s);
}

static void device_is_not_opened(void **state)
{
	struct fixture *f = *state;
	struct gofer_entry entry;
	struct served s;

	if (mknodat(f->root_fd, "null", S_IFCHR | 0666, 1 << 8 | 3) < 0) {
		print_message("no right to make a device node here\n");
		skip();
	}
	fixture_serve(f, "root", false, &s);
	assert_int_equal(gofer_open(s.client, root_of(&s), "null", GOFER_READ, 0, &entry), -EACCES);
	served_end(&s);
}

static void create_and_remove(void **state)
{
	struct gofer_owner other = { 12, 34 };
	struct gofer_entry entry, again;
	struct served s;
	int fd;

	fixture_serve(*state, "root", false, &s);
	fd = gofer_create(s.client, root_of(&s), "new", 04751, other, GOFER_READ_WRITE, &entry);
	assert_true(fd >= 0 && entry.node);
	assert_int_equal(entry.attr.mode, S_IFREG | 04751);
	assert_int_equal(entry.attr.uid, 12);
	assert_int_equal(entry.attr.gid, 34);
	assert_int_equal(gofer_create(s.client, root_of(&s), "new", 0600, me, GOFER_READ, &again),
			 -EEXIST);
	assert_int_equal(gofer_create(s.client, root_of(&s), "out", 0600, me, GOFER_READ, &again),
			 -EEXIST);
	/* A node outlives its name. */
	assert_int_equal(gofer_unlink(s.client, root_of(&s), "new", 0), 0);
	assert_int_equal(write(fd, "data", 4), 4);
	close(fd);
	assert_int_equal(gofer_getattr(s.client, entry.node, "", &entry.attr), 0);
	assert_int_equal(entry.attr.nlink, 0);
	assert_int_equal(entry.attr.size, 4);
	fd = gofer_open(s.client, entry.node, "", GOFER_READ, 0, &again);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(gofer_mkdir(s.client, root_of(&s), "d", 01777, other, &entry), 0);
	assert_int_equal(entry.attr.mode, S_IFDIR | 01777);
	assert_int_equal(entry.attr.gid, 34);
	assert_int_equal(gofer_mkdir(s.client, root_of(&s), "d", 0755, me, &again), -EEXIST);
	assert_int_equal(gofer_unlink(s.client, root_of(&s), "d", 0), -EISDIR);
	assert_int_equal(gofer_unlink(s.client, root_of(&s), "dir", GOFER_UNLINK_DIRECTORY), -ENOTEMPTY);
	assert_int_equal(gofer_unlink(s.client, root_of(&s), "d", GOFER_UNLINK_DIRECTORY), 0);
	served_end(&s);
}

static void special_files_and_links(void **state)
{
	char target[GOFER_SYMLINK_MAX + 1], longest[GOFER_SYMLINK_MAX + 1];
	struct gofer_entry entry;
	struct served s;

	fixture_serve(*state, "root", false, &s);
	assert_int_equal(gofer_mknod(s.client, root_of(&s), "p", S_IFIFO | 0640, me, &entry), 0);
	assert_int_equal(entry.attr.mode, S_IFIFO | 0640);
	assert_int_equal(gofer_mknod(s.client, root_of(&s), "s", S_IFSOCK | 0777, me, &entry), 0);
	assert_int_equal(gofer_mknod(s.client, root_of(&s), "r", S_IFREG | 0600, me, &entry), 0);
	assert_int_equal(gofer_mknod(s.client, root_of(&s), "c", S_IFCHR | 0600, me, &entry), -EPERM);
	assert_int_equal(gofer_mknod(s.client, root_of(&s), "b", S_IFBLK | 0600, me, &entry), -EPERM);
	assert_int_equal(gofer_mknod(s.client, root_of(&s), "l", S_IFLNK | 0600, me, &entry), -EINVAL);
	assert_int_equal(gofer_symlink(s.client, root_of(&s), "sl", "/a/../b", (struct gofer_owner){ 5, 6 },
				       &entry), 0);
	assert_int_equal(entry.attr.uid, 5);
	assert_int_equal(gofer_readlink(s.client, root_of(&s), "sl", target), 0);
	assert_string_equal(target, "/a/../b");
	assert_int_equal(gofer_readlink(s.client, node_of(&s, root_of(&s), "sl"), "", target), 0);
	assert_string_equal(target, "/a/../b");
	assert_int_equal(gofer_readlink(s.client, root_of(&s), "hello", target), -EINVAL);
	assert_int_equal(gofer_readlink(s.client, root_of(&s), "", target), -EINVAL);
	memset(longest, 'x', GOFER_SYMLINK_MAX);
	longest[GOFER_SYMLINK_MAX] = 0;
	assert_int_equal(gofer_symlink(s.client, root_of(&s), "long", longest, me, &entry), 0);
	assert_int_equal(gofer_lookup(s.client, root_of(&s), "long", 0, &entry, target), 0);
	assert_string_equal(target, longest);
	assert_int_equal(gofer_link(s.client, root_of(&s), "hello", root_of(&s), "hard", &entry), 0);
	assert_int_equal(entry.attr.nlink, 2);
	assert_int_equal(gofer_link(s.client, node_of(&s, root_of(&s), "hello"), "", root_of(&s), "hard2",
				    &entry), 0);
	assert_int_equal(entry.attr.nlink, 3);
	/* A symlink itself is linked, not what it points to. */
	assert_int_equal(gofer_link(s.client, node_of(&s, root_of(&s), "out"), "", root_of(&s), "out2",
				    &entry), 0);
	assert_true(S_ISLNK(entry.attr.mode));
	assert_int_equal(gofer_link(s.client, root_of(&s), "dir", root_of(&s), "dir2", &entry), -EPERM);
	served_end(&s);
}

static void renames(void **state)
{
	struct gofer_entry entry;
	uint64_t dir, root;
	struct served s;

	fixture_serve(*state, "root", false, &s);
	root = root_of(&s);
	dir = node_of(&s, root, "dir");
	assert_int_equal(gofer_rename(s.client, root, "hello", dir, "moved", 0), 0);
	assert_int_equal(gofer_lookup(s.client, root, "hello", 0, &entry, NULL), -ENOENT);
	assert_int_equal(gofer_rename(s.client, dir, "moved", dir, "inner", GOFER_RENAME_NOREPLACE), -EEXIST);
	assert_int_equal(gofer_rename(s.client, dir, "moved", dir, "inner", GOFER_RENAME_EXCHANGE), 0);
	assert_int_equal(gofer_lookup(s.client, dir, "inner", 0, &entry, NULL), 0);
	assert_int_equal(gofer_rename(s.client, dir, "moved", dir, "inner", 4), -EINVAL);
	assert_int_equal(gofer_rename(s.client, root, "dir", dir, "loop", 0), -EINVAL);
	/* A directory's node follows it. */
	assert_int_equal(gofer_rename(s.client, root, "dir", root, "dir2", 0), 0);
	assert_int_equal(gofer_lookup(s.client, dir, "moved", 0, &entry, NULL), 0);
	served_end(&s);
}

static void setattrs(void **state)
{
	struct gofer_setattr change = { .mask = GOFER_SET_MODE | GOFER_SET_SIZE, .mode = 0640, .size = 3 };
	struct gofer_attr attr;
	uint64_t node;
	struct served s;

	fixture_serve(*state, "root", false, &s);
	assert_int_equal(gofer_setattr(s.client, root_of(&s), "hello", &change, &attr), 0);
	assert_int_equal(attr.mode, S_IFREG | 0640);
	assert_int_equal(attr.size, 3);
	change = (struct gofer_setattr){ .mask = GOFER_SET_UID | GOFER_SET_GID, .uid = 7, .gid = 8 };
	assert_int_equal(gofer_setattr(s.client, root_of(&s), "link", &change, &attr), 0);
	assert_true(S_ISLNK(attr.mode) && attr.uid == 7 && attr.gid == 8);
	assert_int_equal(gofer_getattr(s.client, root_of(&s), "hello", &attr), 0);
	assert_int_equal(attr.uid, getuid());
	change = (struct gofer_setattr){ .mask = GOFER_SET_ATIME | GOFER_SET_MTIME | GOFER_SET_MTIME_NOW,
					 .atime = { .sec = 1234, .nsec = 999999999 } };
	node = node_of(&s, root_of(&s), "dir");
	assert_int_equal(gofer_setattr(s.client, node, "", &change, &attr), 0);
	assert_int_equal(attr.atime.sec, 1234);
	assert_int_equal(attr.atime.nsec, 999999999);
	assert_true(attr.mtime.sec > 1600000000);
	change = (struct gofer_setattr){ .mask = GOFER_SET_SIZE, .size = 1 };
	assert_int_equal(gofer_setattr(s.client, node, "", &change, &attr), -EISDIR);
	assert_int_equal(gofer_setattr(s.client, root_of(&s), "pipe", &change, &attr), -EINVAL);
	change.size = UINT64_MAX;
	assert_int_equal(gofer_setattr(s.client, root_of(&s), "hello", &change, &attr), -EINVAL);
	change = (struct gofer_setattr){ .mask = GOFER_SET_MODE, .mode = 0777 };
	assert_int_equal(gofer_setattr(s.client, root_of(&s), "link", &change, &attr), -EOPNOTSUPP);
	assert_int_equal(gofer_setattr(s.client, root_of(&s), "pipe", &change, &attr), 0);
	assert_int_equal(attr.mode, S_IFIFO | 0777);
	served_end(&s);
}

/* Lists @node; every name f<N> is marked in @seen.  Returns how many batches it took. */
static unsigned int list_all(const struct served *s, uint64_t node, size_t size, uint8_t *seen,
			     unsigned int max, uint32_t flags)
{
	uint64_t buffer[GOFER_READDIR_MAX / 8], cookie = 0;
	struct gofer_batch batch = { .end = false };
	unsigned int batches = 0, number;
	const struct gofer_dirent *entry;
	const char *name;

	while (!batch.end) {
		assert_int_equal(gofer_readdir(s->client, node, "", cookie, flags, buffer, size, &batch), 0);
		batches++;
		while ((entry = gofer_batch_next(&batch, &name))) {
			assert_int_equal(sscanf(name, "f%u", &number), 1);
			assert_true(number < max && !seen[number]);
			assert_int_equal(entry->type, DT_REG);
			assert_int_equal(entry->has_attr, !!(flags & GOFER_READDIR_ATTR));
			assert_true(!entry->has_attr || entry->attr.size == number % 7);
			seen[number] = 1;
			cookie = entry->cookie;
		}
	}
	return batches;
}

static void readdir_batches(void **state)
{
	static const char text[] = "abcdef";
	struct fixture *f = *state;
	enum { FILES = 3000 };
	static uint8_t seen[FILES];
	struct served s;
	uint64_t node;

	mkdirat(f->root_fd, "many", 0755);
	for (unsigned int i = 0; i < FILES; i++) {
		char name[32];

		snprintf(name, sizeof(name), "many/f%u", i);
		write_file(f->root_fd, name, text + 6 - i % 7);
	}
	fixture_serve(f, "root", false, &s);
	node = node_of(&s, root_of(&s), "many");
	for (size_t size = GOFER_READDIR_MIN; size <= GOFER_READDIR_MAX; size *= 4) {
		for (uint32_t flags = 0; flags <= GOFER_READDIR_ATTR; flags += GOFER_READDIR_ATTR) {
			memset(seen, 0, sizeof(seen));
			assert_true(list_all(&s, node, size, seen, FILES, flags) > 1);
			assert_null(memchr(seen, 0, sizeof(seen)));
		}
	}
	served_end(&s);
}

static void readdir_by_name(void **state)
{
	uint64_t buffer[GOFER_READDIR_MAX / 8];
	struct gofer_batch batch;
	struct gofer_entry entry;
	const char *name;
	struct served s;

	fixture_serve(*state, "root", false, &s);
	assert_int_equal(gofer_readdir(s.client, root_of(&s), "dir", 0,
				       GOFER_READDIR_NODE | GOFER_READDIR_ATTR, buffer, sizeof(buffer),
				       &batch), 0);
	assert_true(batch.directory.node && S_ISDIR(batch.directory.attr.mode));
	assert_true(batch.end && batch.count == 2);
	while (gofer_batch_next(&batch, &name))
		assert_int_equal(gofer_lookup(s.client, batch.directory.node, name, 0, &entry, NULL), 0);
	assert_int_equal(gofer_readdir(s.client, root_of(&s), "hello", 0, 0, buffer, sizeof(buffer), &batch),
			 -ENOTDIR);
	assert_int_equal(gofer_readdir(s.client, root_of(&s), "out", 0, 0, buffer, sizeof(buffer), &batch),
			 -ENOTDIR);
	served_end(&s);
}

static void xattrs(void **state)
{
	static char value[GOFER_XATTR_SIZE_MAX];
	char small[64];
	struct served s;

	fixture_serve(*state, "root", false, &s);
	if (gofer_setxattr(s.client, root_of(&s), "hello", "user.a", "xyz", 3, 0) == -EOPNOTSUPP) {
		print_message("the file system of /tmp has no user attributes\n");
		served_end(&s);
		skip();
	}
	assert_int_equal(gofer_getxattr(s.client, root_of(&s), "hello", "user.a", small, 64), 3);
	assert_memory_equal(small, "xyz", 3);
	assert_int_equal(gofer_getxattr(s.client, root_of(&s), "hello", "user.a", NULL, 0), 3);
	assert_int_equal(gofer_getxattr(s.client, root_of(&s), "hello", "user.a", small, 2), -ERANGE);
	assert_int_equal(gofer_getxattr(s.client, root_of(&s), "hello", "user.b", small, 2), -ENODATA);
	assert_int_equal(gofer_setxattr(s.client, root_of(&s), "hello", "user.a", "1", 1, GOFER_XATTR_CREATE),
			 -EEXIST);
	assert_int_equal(gofer_setxattr(s.client, root_of(&s), "hello", "user.b", "1", 1, GOFER_XATTR_REPLACE),
			 -ENODATA);
	assert_int_equal(gofer_setxattr(s.client, root_of(&s), "hello", "trusted.x", "1", 1, 0), -EOPNOTSUPP);
	assert_int_equal(gofer_setxattr(s.client, root_of(&s), "hello", "system.posix_acl_access", "1", 1, 0),
			 -EOPNOTSUPP);
	assert_int_equal(gofer_setxattr(s.client, root_of(&s), "hello", "user.", "1", 1, 0), -EOPNOTSUPP);
	assert_int_equal(gofer_setxattr(s.client, root_of(&s), "link", "user.a", "1", 1, 0), -EPERM);
	assert_int_equal(gofer_listxattr(s.client, root_of(&s), "hello", small, sizeof(small)), 7);
	assert_string_equal(small, "user.a");
	assert_int_equal(gofer_listxattr(s.client, root_of(&s), "hello", small, 3), -ERANGE);
	assert_int_equal(gofer_removexattr(s.client, root_of(&s), "hello", "user.a"), 0);
	assert_int_equal(gofer_listxattr(s.client, root_of(&s), "hello", small, sizeof(small)), 0);
	/* The longest value passes the protocol, whatever the file system then says. */
	assert_true(gofer_setxattr(s.client, root_of(&s), "hello", "user.big", value, sizeof(value), 0) != -EIO);
	assert_true(gofer_getxattr(s.client, root_of(&s), "hello", "user.big", value, sizeof(value)) != -EIO);
	served_end(&s);
}

static void refuses_changes(struct served *s)
{
	struct gofer_setattr change = { .mask = GOFER_SET_MODE, .mode = 0777 };
	struct gofer_statfs_reply statfs;
	struct gofer_entry entry;
	uint64_t root = root_of(s);
	int fd;

	assert_true(gofer_client_read_only(s->client));
	assert_int_equal(gofer_open(s->client, root, "hello", GOFER_WRITE, 0, &entry), -EROFS);
	assert_int_equal(gofer_open(s->client, root, "hello", GOFER_READ_WRITE, 0, &entry), -EROFS);
	assert_int_equal(gofer_create(s->client, root, "n", 0600, me, GOFER_READ, &entry), -EROFS);
	assert_int_equal(gofer_mkdir(s->client, root, "n", 0700, me, &entry), -EROFS);
	assert_int_equal(gofer_symlink(s->client, root, "n", "t", me, &entry), -EROFS);
	assert_int_equal(gofer_mknod(s->client, root, "n", S_IFIFO | 0600, me, &entry), -EROFS);
	assert_int_equal(gofer_link(s->client, root, "hello", root, "n", &entry), -EROFS);
	assert_int_equal(gofer_unlink(s->client, root, "hello", 0), -EROFS);
	assert_int_equal(gofer_rename(s->client, root, "hello", root, "n", 0), -EROFS);
	assert_int_equal(gofer_setattr(s->client, root, "hello", &change, &entry.attr), -EROFS);
	assert_int_equal(gofer_setxattr(s->client, root, "hello", "user.a", "1", 1, 0), -EROFS);
	assert_int_equal(gofer_removexattr(s->client, root, "hello", "user.a"), -EROFS);
	fd = gofer_open(s->client, root, "hello", GOFER_READ, 0, &entry);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(gofer_statfs(s->client, root, &statfs), 0);
	assert_true(statfs.block_size > 0 && statfs.name_max == 255);
	assert_int_equal(gofer_fsync(s->client, root, false), 0);
}

static void read_only_refuses(void **state)
{
	struct served s;

	fixture_serve(*state, "root", true, &s);
	refuses_changes(&s);
	served_end(&s);
}

static void sealed_refuses(void **state)
{
	struct gofer_entry entry;
	struct served s;

	fixture_serve(*state, "root", false, &s);
	assert_false(gofer_client_read_only(s.client));
	assert_int_equal(gofer_mkdir(s.client, root_of(&s), "made", 0700, me, &entry), 0);
	assert_int_equal(gofer_client_seal(s.client), 0);
	refuses_changes(&s);
	assert_int_equal(gofer_client_seal(s.client), 0);
	served_end(&s);
}

static void single_file_root(void **state)
{
	struct gofer_entry entry;
	struct served s;
	int fd;

	fixture_serve(*state, "root/hello", false, &s);
	assert_true(S_ISREG(gofer_client_root(s.client)->attr.mode));
	fd = gofer_open(s.client, root_of(&s), "", GOFER_READ_WRITE, 0, &entry);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(gofer_lookup(s.client, root_of(&s), "x", 0, &entry, NULL), -ENOTDIR);
	assert_int_equal(gofer_create(s.client, root_of(&s), "x", 0600, me, GOFER_READ, &entry), -ENOTDIR);
	served_end(&s);
}

static void nodes_run_out_and_come_back(void **state)
{
	struct fixture *f = *state;
	struct gofer_entry entry;
	struct served s;
	uint64_t nodes[8];

	f->server.node_limit = 8; /* the root has one */
	fixture_serve(f, "root", false, &s);
	for (int i = 0; i < 7; i++)
		nodes[i] = node_of(&s, root_of(&s), "dir");
	assert_int_equal(gofer_lookup(s.client, root_of(&s), "dir", GOFER_WALK_NODE, &entry, NULL), -ENFILE);
	assert_int_equal(gofer_lookup(s.client, root_of(&s), "dir", 0, &entry, NULL), 0);
	for (int i = 0; i < 7; i++)
		gofer_release(s.client, nodes[i]);
	gofer_release(s.client, root_of(&s));
	gofer_release_flush(s.client);
	assert_int_equal(gofer_getattr(s.client, nodes[3], "", &entry.attr), -ESTALE);
	assert_int_equal(gofer_getattr(s.client, root_of(&s), "", &entry.attr), 0);
	assert_true(node_of(&s, root_of(&s), "dir") != nodes[6]);
	served_end(&s);
}

static void no_fd_is_leaked(void **state)
{
	uint64_t buffer[GOFER_READDIR_MIN / 8];
	unsigned int before, after;
	struct gofer_batch batch;
	struct gofer_entry entry;
	struct served s;

	fixture_serve(*state, "root", false, &s);
	before = count_fds();
	for (int i = 0; i < 3000; i++) {
		int fd = gofer_open(s.client, root_of(&s), "hello", GOFER_READ, GOFER_OPEN_NODE, &entry);

		assert_true(fd >= 0);
		close(fd);
		gofer_release(s.client, entry.node);
		gofer_release(s.client, node_of(&s, root_of(&s), "dir"));
		assert_true(gofer_open(s.client, root_of(&s), "pipe", GOFER_READ, 0, &entry) < 0);
		fd = gofer_create(s.client, root_of(&s), "tmp", 0600, me, GOFER_WRITE, &entry);
		assert_true(fd >= 0);
		close(fd);
		gofer_release(s.client, entry.node);
		assert_int_equal(gofer_unlink(s.client, root_of(&s), "tmp", 0), 0);
		assert_int_equal(gofer_readdir(s.client, root_of(&s), "", 0, GOFER_READDIR_ATTR, buffer,
					       sizeof(buffer), &batch), 0);
	}
	gofer_release_flush(s.client);
	after = count_fds();
	assert_true(after <= before + 1); /* the listing that was left half read */
	served_end(&s);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_has_no_holes),
		CASE(walk),
		CASE(open_rights),
		CASE(device_is_not_opened),
		CASE(create_and_remove),
		CASE(special_files_and_links),
		CASE(renames),
		CASE(setattrs),
		CASE(readdir_batches),
		CASE(readdir_by_name),
		CASE(xattrs),
		CASE(read_only_refuses),
		CASE(sealed_refuses),
		CASE(single_file_root),
		CASE(nodes_run_out_and_come_back),
		CASE(no_fd_is_leaked),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

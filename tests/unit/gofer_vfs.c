/* SPDX-License-Identifier: Apache-2.0 */
/* The gofer file system below the VFS: what a guest would see, and what it costs in messages. */
#include "tests/unit/gofer_guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sentry/abi/fs.h"
#include "sentry/abi/mm.h"
#include "sentry/cred/credentials.h"
#include "sentry/fs/gofer/gofer_inode.h"
#include "sentry/mm/usercopy.h"
#include "sentry/vfs/vfs.h"

static uint64_t trips(struct guest *g)
{
	return gofer_client_round_trips(gofer_fs_of(g->sb)->client);
}

static int open_error(struct guest *g, const char *name, uint64_t flags)
{
	struct open_how how = { .flags = flags, .mode = 0640 };
	struct file *file;
	int err = vfs_open(&g->ctx, LINUX_AT_FDCWD, name, &how, &file);

	if (!err)
		file_put(file);
	return err;
}

static int stat_of(struct guest *g, const char *name, struct inode_attr *attr)
{
	struct path p;
	int err = vfs_lookup(&g->ctx, LINUX_AT_FDCWD, name, 0, &p);

	if (err)
		return err;
	err = vfs_getattr(&p, attr);
	path_put(&p);
	return err;
}

static ssize_t write_text(struct file *file, const char *text)
{
	struct io_iter it;

	io_iter_init_buffer(&it, (void *)(uintptr_t)text, strlen(text));
	return vfs_write(file, &it, NULL, UINT64_MAX);
}

static void same_as_host(struct guest *g, const char *name)
{
	struct inode_attr attr;
	struct stat st;

	assert_int_equal(stat_of(g, name, &attr), 0);
	assert_int_equal(fstatat(g->f->root_fd, name + 1, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(attr.mode, st.st_mode);
	assert_int_equal(attr.nlink, st.st_nlink);
	assert_int_equal(attr.size, st.st_size);
	assert_int_equal(attr.blocks, st.st_blocks);
	assert_int_equal(attr.uid, st.st_uid);
	assert_int_equal(attr.mtime.sec, st.st_mtim.tv_sec);
	assert_int_equal(attr.mtime.nsec, st.st_mtim.tv_nsec);
	assert_int_equal(attr.ctime.nsec, st.st_ctim.tv_nsec);
}

static void read_and_write(struct guest *g)
{
	struct file *file = open_file(g, "/dir/inner", LINUX_O_RDONLY);
	struct inode_attr attr;
	char text[32];

	assert_int_equal(vfs_read_kernel(file, text, sizeof(text), 0), 6);
	assert_memory_equal(text, "inner\n", 6);
	file_put(file);
	file = open_file(g, "/made", LINUX_O_RDWR | LINUX_O_CREAT | LINUX_O_EXCL);
	assert_int_equal(write_text(file, "one"), 3);
	assert_int_equal(write_text(file, "two"), 3);
	assert_int_equal(stat_of(g, "/made", &attr), 0);
	assert_int_equal(attr.size, 6);
	assert_int_equal(attr.mode, S_IFREG | 0640);
	/* Its name goes, it stays. */
	assert_int_equal(vfs_unlink(&g->ctx, LINUX_AT_FDCWD, "/made"), 0);
	assert_int_equal(stat_of(g, "/made", &attr), -ENOENT);
	assert_int_equal(write_text(file, "three"), 5);
	assert_int_equal(vfs_getattr(&(struct path){ file->mount, file->dentry }, &attr), 0);
	assert_int_equal(attr.size, 11);
	assert_int_equal(attr.nlink, 0);
	file_put(file);
	file = open_file(g, "/hello", LINUX_O_WRONLY | LINUX_O_APPEND);
	assert_int_equal(write_text(file, "more"), 4);
	file_put(file);
	same_as_host(g, "/hello");
	file = open_file(g, "/hello", LINUX_O_WRONLY | LINUX_O_TRUNC);
	same_as_host(g, "/hello");
	file_put(file);
	same_as_host(g, "/hello");
}

static void errors(struct guest *g)
{
	assert_int_equal(open_error(g, "/none", LINUX_O_RDONLY), -ENOENT);
	assert_int_equal(open_error(g, "/hello/x", LINUX_O_RDONLY), -ENOTDIR);
	assert_int_equal(open_error(g, "/dir", LINUX_O_WRONLY), -EISDIR);
	assert_int_equal(open_error(g, "/out/secret", LINUX_O_RDONLY), -ENOENT);
	assert_int_equal(open_error(g, "/sock", LINUX_O_RDONLY), -ENXIO);
	assert_int_equal(open_error(g, "/hello", LINUX_O_RDWR | LINUX_O_CREAT | LINUX_O_EXCL), -EEXIST);
	assert_int_equal(vfs_rmdir(&g->ctx, LINUX_AT_FDCWD, "/dir"), -ENOTEMPTY);
	assert_int_equal(vfs_unlink(&g->ctx, LINUX_AT_FDCWD, "/none"), -ENOENT);
	assert_int_equal(vfs_mkdir(&g->ctx, LINUX_AT_FDCWD, "/dir", 0755), -EEXIST);
}

static void changes(struct guest *g)
{
	struct inode_attr attr;
	struct file *file;

	assert_int_equal(vfs_mkdir(&g->ctx, LINUX_AT_FDCWD, "/d", 0777), 0);
	same_as_host(g, "/d");
	same_as_host(g, "/dir");
	assert_int_equal(vfs_symlink(&g->ctx, "dir/inner", LINUX_AT_FDCWD, "/s"), 0);
	file = open_file(g, "/s", LINUX_O_RDONLY);
	file_put(file);
	assert_int_equal(vfs_mknod(&g->ctx, LINUX_AT_FDCWD, "/fifo", S_IFIFO | 0600, 0), 0);
	same_as_host(g, "/fifo");
	assert_int_equal(vfs_link(&g->ctx, LINUX_AT_FDCWD, "/dir/inner", LINUX_AT_FDCWD, "/d/hard", 0), 0);
	same_as_host(g, "/dir/inner");
	same_as_host(g, "/d/hard");
	/* One name of two goes: the other still works, and so does an open file. */
	assert_int_equal(vfs_unlink(&g->ctx, LINUX_AT_FDCWD, "/dir/inner"), 0);
	same_as_host(g, "/d/hard");
	file = open_file(g, "/d/hard", LINUX_O_RDWR);
	file_put(file);
	/* A file opened only after it was renamed, and after its directory was. */
	assert_int_equal(vfs_rename(&g->ctx, LINUX_AT_FDCWD, "/dir/sub/deep", LINUX_AT_FDCWD, "/d/deep", 0), 0);
	assert_int_equal(vfs_rename(&g->ctx, LINUX_AT_FDCWD, "/d", LINUX_AT_FDCWD, "/e", 0), 0);
	file = open_file(g, "/e/deep", LINUX_O_RDONLY);
	file_put(file);
	assert_int_equal(vfs_rename(&g->ctx, LINUX_AT_FDCWD, "/e/deep", LINUX_AT_FDCWD, "/hello",
				    LINUX_RENAME_EXCHANGE), 0);
	assert_int_equal(stat_of(g, "/hello", &attr), 0);
	assert_int_equal(attr.size, 5);
	same_as_host(g, "/hello");
	same_as_host(g, "/e/deep");
	assert_int_equal(vfs_rename(&g->ctx, LINUX_AT_FDCWD, "/e/deep", LINUX_AT_FDCWD, "/hello", 0), 0);
	assert_int_equal(stat_of(g, "/e/deep", &attr), -ENOENT);
	same_as_host(g, "/hello");
	assert_int_equal(vfs_rename(&g->ctx, LINUX_AT_FDCWD, "/hello", LINUX_AT_FDCWD, "/e/hard",
				    LINUX_RENAME_NOREPLACE), -EEXIST);
	assert_int_equal(vfs_rmdir(&g->ctx, LINUX_AT_FDCWD, "/dir/sub"), 0);
	same_as_host(g, "/dir");
}

static bool count_entry(struct dir_context *ctx, const char *name, size_t name_size, uint64_t next_pos,
			uint64_t ino, uint32_t d_type);

struct counting {
	struct dir_context ctx;
	unsigned int count, max;
	char names[8192][24];
	uint64_t inos[8192];
};

static bool count_entry(struct dir_context *ctx, const char *name, size_t name_size, uint64_t next_pos,
			uint64_t ino, uint32_t d_type)
{
	struct counting *c = container_of(ctx, struct counting, ctx);

	(void)next_pos;
	(void)d_type;
	if (c->count == c->max)
		return false;
	memcpy(c->names[c->count], name, name_size);
	c->names[c->count][name_size] = 0;
	c->inos[c->count++] = ino;
	return true;
}

/* Lists @name in pieces of @piece entries; how many there are. */
static unsigned int list_directory(struct guest *g, const char *name, unsigned int piece, struct counting *c)
{
	struct file *file = open_file(g, name, LINUX_O_RDONLY | LINUX_O_DIRECTORY);
	unsigned int before;

	c->ctx = (struct dir_context){ .emit = count_entry };
	c->count = 0;
	do {
		before = c->count;
		c->max = before + piece;
		assert_int_equal(vfs_iterate(file, &c->ctx), 0);
	} while (c->count > before);
	file_put(file);
	return c->count;
}

static void listing(struct guest *g)
{
	struct counting *c = malloc(sizeof(*c));
	struct inode_attr attr;
	char name[64];

	mkdirat(g->f->root_fd, "many", 0755);
	for (int i = 0; i < 1500; i++) {
		snprintf(name, sizeof(name), "many/%d", i);
		write_file(g->f->root_fd, name, "x");
	}
	for (unsigned int piece = 7; piece < 8000; piece *= 30) {
		uint8_t seen[1500] = { 0 };

		assert_int_equal(list_directory(g, "/many", piece, c), 1502);
		for (unsigned int i = 0; i < c->count; i++) {
			if (c->names[i][0] == '.')
				continue;
			assert_false(seen[atoi(c->names[i])]++);
			snprintf(name, sizeof(name), "/many/%s", c->names[i]);
			assert_int_equal(stat_of(g, name, &attr), 0);
		}
	}
	free(c);
}

static void run(struct fixture *f, enum gofer_sharing sharing, void (*body)(struct guest *g))
{
	unsigned int before = count_fds();
	struct guest g;

	guest_begin(&g, f, sharing, false);
	body(&g);
	guest_end(&g);
	assert_int_equal(count_fds(), before);
}

#define BOTH(name)                                       \
	static void name##_exclusive(void **state)       \
	{                                                \
		run(*state, GOFER_EXCLUSIVE, name);      \
	}                                                \
	static void name##_shared(void **state)          \
	{                                                \
		run(*state, GOFER_SHARED, name);         \
	}

BOTH(read_and_write)
BOTH(errors)
BOTH(changes)
BOTH(listing)

/* find and tar: a lookup after a listing, and of a name that is not there, asks nobody. */
static void lookups_after_listing_are_free(void **state)
{
	struct counting *c = malloc(sizeof(*c));
	struct inode_attr attr;
	struct guest g;
	uint64_t before;

	guest_begin(&g, *state, GOFER_EXCLUSIVE, true);
	list_directory(&g, "/", 100, c);
	before = trips(&g);
	for (unsigned int i = 0; i < c->count; i++) {
		char name[64];

		snprintf(name, sizeof(name), "/%s", c->names[i]);
		assert_int_equal(stat_of(&g, name, &attr), 0);
		if (c->names[i][0] != '.')
			assert_int_equal(attr.mode ? c->inos[i] : 0, c->inos[i]);
	}
	assert_int_equal(stat_of(&g, "/not-there", &attr), -ENOENT);
	assert_int_equal(trips(&g), before);
	list_directory(&g, "/dir", 100, c);
	assert_int_equal(trips(&g), before + 1);
	file_put(open_file(&g, "/dir/inner", LINUX_O_RDONLY));
	assert_int_equal(trips(&g), before + 2);
	/* Opened again, soon: the FD is still there. */
	file_put(open_file(&g, "/dir/inner", LINUX_O_RDONLY));
	assert_int_equal(trips(&g), before + 2);
	assert_int_equal(open_error(&g, "/dir/inner", LINUX_O_RDWR), -EROFS);
	guest_end(&g);
	free(c);
}

static void the_host_may_change_shared_trees(void **state)
{
	struct fixture *f = *state;
	struct inode_attr attr;
	struct guest g;

	guest_begin(&g, f, GOFER_SHARED, false);
	same_as_host(&g, "/hello");
	assert_int_equal(stat_of(&g, "/late", &attr), -ENOENT);
	write_file(f->root_fd, "late", "now\n");
	same_as_host(&g, "/late");
	write_file(f->root_fd, "hello", "longer than before\n");
	same_as_host(&g, "/hello");
	assert_int_equal(renameat(f->root_fd, "late", f->root_fd, "hello"), 0);
	same_as_host(&g, "/hello");
	assert_int_equal(unlinkat(f->root_fd, "hello", 0), 0);
	assert_int_equal(stat_of(&g, "/hello", &attr), -ENOENT);
	guest_end(&g);
}

static void mappings_have_the_files_rights(void **state)
{
	struct fixture *f = *state;
	uint64_t offset;
	struct file *file;
	struct guest g;
	int fd;

	guest_begin(&g, f, GOFER_EXCLUSIVE, false);
	/* Opened for writing first, so that both FDs exist. */
	file_put(open_file(&g, "/hello", LINUX_O_RDWR));
	file = open_file(&g, "/hello", LINUX_O_RDONLY);
	assert_int_equal(file->ops->map(file, 4096, 4096, LINUX_PROT_READ, true, &fd, &offset), 0);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(offset, 4096);
	assert_int_equal(file->ops->map(file, 0, 4096, LINUX_PROT_WRITE, true, &fd, &offset), -EACCES);
	file_put(file);
	file = open_file(&g, "/hello", LINUX_O_WRONLY);
	assert_int_equal(file->ops->map(file, 0, 4096, LINUX_PROT_READ, true, &fd, &offset), -EACCES);
	file_put(file);
	guest_end(&g);
}

static void idle_descriptors_are_bounded(void **state)
{
	struct fixture *f = *state;
	unsigned int before;
	struct guest g;
	char name[64];

	guest_begin(&g, f, GOFER_EXCLUSIVE, false);
	for (int i = 0; i < 600; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		write_file(f->root_fd, name, "x");
	}
	before = count_fds();
	for (int i = 0; i < 600; i++) {
		snprintf(name, sizeof(name), "/f%d", i);
		file_put(open_file(&g, name, LINUX_O_RDONLY));
	}
	assert_true(count_fds() < before + 140);
	guest_end(&g);
}

struct racer {
	struct guest *g;
	unsigned int seed;
	pthread_t thread;
};

/* One operation on one or two of few names; what it gives depends on the others. */
static void race_once(struct racer *r, struct counting *c)
{
	static const char *const dirs[] = { "/dir", "/dir/sub" };
	char a[32], b[32];
	struct open_how how = { .flags = LINUX_O_RDWR | LINUX_O_CREAT, .mode = 0600 };
	const struct vfs_context *ctx = &r->g->ctx;
	struct inode_attr attr;
	struct file *file;
	int err = 0;

	snprintf(a, sizeof(a), "%s/r%d", dirs[rand_r(&r->seed) % 2], rand_r(&r->seed) % 4);
	snprintf(b, sizeof(b), "%s/r%d", dirs[rand_r(&r->seed) % 2], rand_r(&r->seed) % 4);
	switch (rand_r(&r->seed) % 8) {
	case 0:
	case 1:
		err = vfs_open(ctx, LINUX_AT_FDCWD, a, &how, &file);
		if (err)
			break;
		assert_int_equal(write_text(file, "x"), 1);
		assert_int_equal(vfs_getattr(&(struct path){ file->mount, file->dentry }, &attr), 0);
		file_put(file);
		break;
	case 2:
		err = vfs_unlink(ctx, LINUX_AT_FDCWD, a);
		break;
	case 3:
		err = vfs_rename(ctx, LINUX_AT_FDCWD, a, LINUX_AT_FDCWD, b, 0);
		break;
	case 4:
		err = vfs_rename(ctx, LINUX_AT_FDCWD, a, LINUX_AT_FDCWD, b, LINUX_RENAME_EXCHANGE);
		break;
	case 5:
		err = vfs_link(ctx, LINUX_AT_FDCWD, a, LINUX_AT_FDCWD, b, 0);
		break;
	case 6:
		list_directory(r->g, "/dir", 3, c);
		break;
	default:
		err = stat_of(r->g, a, &attr);
	}
	assert_true(err == 0 || err == -ENOENT || err == -EEXIST);
}

static void *race(void *arg)
{
	struct counting *c = malloc(sizeof(*c));

	for (int i = 0; i < 2000; i++)
		race_once(arg, c);
	free(c);
	return NULL;
}

/* Four threads on eight names: afterwards what the guest sees is what the host has. */
static void race_all(struct guest *g)
{
	struct racer racers[4];
	struct inode_attr attr;
	char name[32];

	for (unsigned int i = 0; i < ARRAY_SIZE(racers); i++) {
		racers[i] = (struct racer){ .g = g, .seed = i + 1 };
		pthread_create(&racers[i].thread, NULL, race, &racers[i]);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(racers); i++)
		pthread_join(racers[i].thread, NULL);
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "/dir/%sr%d", i & 4 ? "sub/" : "", i & 3);
		if (faccessat(g->f->root_fd, name + 1, F_OK, 0) == 0)
			same_as_host(g, name);
		else
			assert_int_equal(stat_of(g, name, &attr), -ENOENT);
	}
}

BOTH(race_all)

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(read_and_write_exclusive),
		CASE(read_and_write_shared),
		CASE(errors_exclusive),
		CASE(errors_shared),
		CASE(changes_exclusive),
		CASE(changes_shared),
		CASE(listing_exclusive),
		CASE(listing_shared),
		CASE(lookups_after_listing_are_free),
		CASE(the_host_may_change_shared_trees),
		CASE(mappings_have_the_files_rights),
		CASE(idle_descriptors_are_bounded),
		CASE(race_all_exclusive),
		CASE(race_all_shared),
	};

	umask(022);
	if (vfs_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The VFS over tmpfs: walks, names, permissions, mounts, FD tables, the dentry cache. */
#include "tests/unit/vfs_fixture.h"

#include "sentry/vfs/dentry_cache.h"
#include "sentry/vfs/fifo.h"
#include "sentry/vfs/lease.h"
#include "sentry/vfs/xattr.h"

static struct vfs_fixture fx;

static int setup(void **state)
{
	vfs_fixture_start(&fx, NULL);
	return 0;
}

static int teardown(void **state)
{
	vfs_fixture_end(&fx);
	return 0;
}

static void make_tree(void)
{
	assert_int_equal(fx_mkdir(&fx, "/a", 0755), 0);
	assert_int_equal(fx_mkdir(&fx, "/a/b", 0755), 0);
	assert_int_equal(fx_mkdir(&fx, "a/b/c/", 0755), 0);
	assert_int_equal(fx_mkdir(&fx, "/closed", 0700), 0);
	assert_int_equal(fx_mkdir(&fx, "/closed/in", 0755), 0);
	assert_int_equal(fx_write(&fx, "/a/file", "hello"), 0);
	assert_int_equal(vfs_symlink(&fx.ctx, "b", LINUX_AT_FDCWD, "/a/rel"), 0);
	assert_int_equal(vfs_symlink(&fx.ctx, "/a/b", LINUX_AT_FDCWD, "/abs"), 0);
	assert_int_equal(vfs_symlink(&fx.ctx, "file", LINUX_AT_FDCWD, "/a/tofile"), 0);
	assert_int_equal(vfs_symlink(&fx.ctx, "loop", LINUX_AT_FDCWD, "/loop"), 0);
	assert_int_equal(vfs_symlink(&fx.ctx, "nowhere", LINUX_AT_FDCWD, "/dangling"), 0);
	assert_int_equal(vfs_symlink(&fx.ctx, "../a/b/", LINUX_AT_FDCWD, "/a/slash"), 0);
}

static void test_walk_table(void **state)
{
	static char long_name[300], long_path[4000];
	const struct {
		const char *path;
		uint32_t flags;
		int rc;
	} rows[] = {
		{ "", 0, -ENOENT },
		{ "", LOOKUP_EMPTY, 0 },
		{ "/", 0, 0 },
		{ "//", 0, 0 },
		{ "/..", 0, 0 },
		{ "/a/b/c", 0, 0 },
		{ "a//b///c//", 0, 0 },
		{ "/a/./b/../b/c/.", 0, 0 },
		{ "/a/file", 0, 0 },
		{ "/a/file/", 0, -ENOTDIR },
		{ "/a/file/.", 0, -ENOTDIR },
		{ "/a/file/..", 0, -ENOTDIR },
		{ "/a/file/x", 0, -ENOTDIR },
		{ "/a/nofile", 0, -ENOENT },
		{ "/a/nofile/", 0, -ENOENT },
		{ "/nodir/x", 0, -ENOENT },
		{ "/a/rel/c", 0, 0 },
		{ "/abs/c", 0, 0 },
		{ "/a/slash/c", 0, 0 },
		{ "/a/slash", LOOKUP_FOLLOW, 0 },
		{ "/abs/../file", 0, 0 },
		{ "/a/tofile", LOOKUP_FOLLOW, 0 },
		{ "/a/tofile", LOOKUP_DIRECTORY, -ENOTDIR },
		{ "/a/tofile/", LOOKUP_FOLLOW, -ENOTDIR },
		{ "/abs", LOOKUP_DIRECTORY, -ENOTDIR },
		{ "/abs/", 0, 0 },
		{ "/loop", LOOKUP_FOLLOW, -ELOOP },
		{ "/loop", 0, 0 },
		{ "/loop/x", 0, -ELOOP },
		{ "/dangling", LOOKUP_FOLLOW, -ENOENT },
		{ "/dangling", 0, 0 },
		{ "/abs/c", LOOKUP_NO_SYMLINKS, -ELOOP },
		{ "/a/b", LOOKUP_BENEATH, -EXDEV },
		{ "a/b", LOOKUP_BENEATH, 0 },
		{ "a/../a", LOOKUP_BENEATH, 0 },
		{ "a/../../a", LOOKUP_BENEATH, -EXDEV },
		{ "abs", LOOKUP_BENEATH | LOOKUP_FOLLOW, -EXDEV },
		{ "/../../a/b", LOOKUP_IN_ROOT, 0 },
		{ long_name, 0, -ENAMETOOLONG },
		{ long_path, 0, 0 },
	};

	memset(long_name, 'n', 256);
	for (size_t i = 0; i + 5 < sizeof(long_path); i += 5)
		memcpy(long_path + i, "a/../", 5);
	make_tree();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int rc = fx_lookup(&fx, rows[i].path, rows[i].flags);

		if (rc != rows[i].rc)
			fail_msg("%.40s (%x): %d, not %d", rows[i].path, rows[i].flags, rc, rows[i].rc);
		/* again, from the cache, and with nothing cached */
		assert_int_equal(fx_lookup(&fx, rows[i].path, rows[i].flags), rc);
		if (i % 7 == 0)
			dentry_cache_shrink();
	}
	vfs_fixture_as_user(&fx);
	assert_int_equal(fx_lookup(&fx, "/closed/in", 0), -EACCES);
	assert_int_equal(fx_lookup(&fx, "/closed", 0), 0);
	vfs_fixture_as_root(&fx);
}

static void test_open_table(void **state)
{
	static const struct {
		const char *path;
		uint64_t flags;
		int rc;
	} rows[] = {
		{ "/a/file", LINUX_O_RDONLY, 0 },
		{ "/a/file", LINUX_O_RDWR | LINUX_O_CREAT | LINUX_O_EXCL, -EEXIST },
		{ "/a/file", LINUX_O_RDONLY | LINUX_O_DIRECTORY, -ENOTDIR },
		{ "/a", LINUX_O_RDONLY, 0 },
		{ "/a", LINUX_O_WRONLY, -EISDIR },
		{ "/a", LINUX_O_RDONLY | LINUX_O_CREAT, -EISDIR },
		{ "/a/", LINUX_O_RDONLY | LINUX_O_CREAT, -EISDIR },
		{ "/new/", LINUX_O_RDONLY | LINUX_O_CREAT, -EISDIR },
		{ "/a/.", LINUX_O_RDONLY | LINUX_O_CREAT, -EISDIR },
		{ "/a/tofile", LINUX_O_RDONLY | LINUX_O_NOFOLLOW, -ELOOP },
		{ "/a/tofile", LINUX_O_PATH | LINUX_O_NOFOLLOW, 0 },
		{ "/dangling", LINUX_O_RDONLY, -ENOENT },
		{ "/dangling", LINUX_O_RDONLY | LINUX_O_CREAT | LINUX_O_EXCL, -EEXIST },
		{ "/dangling", LINUX_O_RDONLY | LINUX_O_CREAT | LINUX_O_NOFOLLOW, -ELOOP },
		{ "/dangling", LINUX_O_RDONLY | LINUX_O_CREAT, 0 },
		{ "/nowhere", LINUX_O_RDONLY, 0 },
		{ "/loop", LINUX_O_RDONLY | LINUX_O_CREAT, -ELOOP },
		{ "/nodir/x", LINUX_O_RDONLY | LINUX_O_CREAT, -ENOENT },
		{ "/a", LINUX_O_RDWR | LINUX_O_TMPFILE, 0 },
		{ "/a", LINUX_O_RDONLY | LINUX_O_TMPFILE, -EINVAL },
		{ "/a/file", LINUX_O_RDWR | LINUX_O_TMPFILE, -ENOTDIR },
		{ "/x", LINUX_O_CREAT | LINUX_O_DIRECTORY, -EINVAL },
	};

	make_tree();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct file *file;
		int rc = fx_open(&fx, rows[i].path, rows[i].flags, 0644, &file);

		if (rc != rows[i].rc)
			fail_msg("%s (%llo): %d, not %d", rows[i].path,
				 (unsigned long long)rows[i].flags, rc, rows[i].rc);
		if (rc == 0)
			file_put(file);
	}
}

static void test_names(void **state)
{
	char buf[256];
	struct inode_attr attr;
	uint64_t ino, ino2;

	make_tree();
	assert_string_equal(fx_list(&fx, "/a", buf, sizeof(buf)), "b file rel slash tofile");
	assert_int_equal(vfs_link(&fx.ctx, LINUX_AT_FDCWD, "/a/file", LINUX_AT_FDCWD, "/a/hard", 0), 0);
	assert_int_equal(fx_attr(&fx, "/a/file", &attr, &ino), 0);
	assert_int_equal(attr.nlink, 2);
	assert_int_equal(fx_attr(&fx, "/a/hard", &attr, &ino2), 0);
	assert_true(ino == ino2);
	assert_int_equal(vfs_link(&fx.ctx, LINUX_AT_FDCWD, "/a/b", LINUX_AT_FDCWD, "/l", 0), -EPERM);
	assert_int_equal(vfs_link(&fx.ctx, LINUX_AT_FDCWD, "/a/file", LINUX_AT_FDCWD, "/a/hard", 0), -EEXIST);
	assert_int_equal(vfs_unlink(&fx.ctx, LINUX_AT_FDCWD, "/a/file"), 0);
	assert_string_equal(fx_read(&fx, "/a/hard", buf, sizeof(buf)), "hello");
	assert_int_equal(vfs_unlink(&fx.ctx, LINUX_AT_FDCWD, "/a/file"), -ENOENT);
	assert_int_equal(vfs_unlink(&fx.ctx, LINUX_AT_FDCWD, "/a/b"), -EISDIR);
	assert_int_equal(vfs_rmdir(&fx.ctx, LINUX_AT_FDCWD, "/a/hard"), -ENOTDIR);
	assert_int_equal(vfs_rmdir(&fx.ctx, LINUX_AT_FDCWD, "/a/b"), -ENOTEMPTY);
	assert_int_equal(vfs_rmdir(&fx.ctx, LINUX_AT_FDCWD, "/a/b/."), -EINVAL);
	assert_int_equal(vfs_rmdir(&fx.ctx, LINUX_AT_FDCWD, "/a/b/.."), -ENOTEMPTY);
	assert_int_equal(vfs_rmdir(&fx.ctx, LINUX_AT_FDCWD, "/"), -EBUSY);
	assert_int_equal(fx_attr(&fx, "/a", &attr, NULL), 0);
	assert_int_equal(attr.nlink, 3);
	assert_int_equal(vfs_rmdir(&fx.ctx, LINUX_AT_FDCWD, "/a/b/c/"), 0);
	assert_int_equal(vfs_rmdir(&fx.ctx, LINUX_AT_FDCWD, "/a/b"), 0);
	assert_int_equal(fx_attr(&fx, "/a", &attr, NULL), 0);
	assert_int_equal(attr.nlink, 2);
	assert_int_equal(vfs_mknod(&fx.ctx, LINUX_AT_FDCWD, "/fifo", LINUX_S_IFIFO | 0644, 0), 0);
	assert_int_equal(fx_attr(&fx, "/fifo", &attr, NULL), 0);
	assert_int_equal(attr.mode, LINUX_S_IFIFO | 0644);
	assert_int_equal(fx_mkdir(&fx, "/a/hard", 0755), -EEXIST);
	assert_int_equal(fx_mkdir(&fx, "/", 0755), -EEXIST);
}

static int rename_to(const char *from, const char *to, uint32_t flags)
{
	return vfs_rename(&fx.ctx, LINUX_AT_FDCWD, from, LINUX_AT_FDCWD, to, flags);
}

static void test_rename(void **state)
{
	char buf[256];
	struct inode_attr attr;

	make_tree();
	assert_int_equal(rename_to("/a/file", "/a/b/moved", 0), 0);
	assert_string_equal(fx_read(&fx, "/a/b/moved", buf, sizeof(buf)), "hello");
	assert_int_equal(fx_lookup(&fx, "/a/file", 0), -ENOENT);
	assert_int_equal(rename_to("/a", "/a/b/inside", 0), -EINVAL);
	assert_int_equal(rename_to("/a/b/c", "/a", 0), -ENOTEMPTY);
	assert_int_equal(rename_to("/a/b/moved", "/closed", 0), -EISDIR);
	assert_int_equal(rename_to("/closed", "/a/b/moved", 0), -ENOTDIR);
	assert_int_equal(rename_to("/closed", "/a/b/c", LINUX_RENAME_NOREPLACE), -EEXIST);
	assert_int_equal(rename_to("/closed", "/a/b/c", 0), 0);
	assert_int_equal(fx_lookup(&fx, "/a/b/c/in", 0), 0);
	assert_int_equal(rename_to("/a/b/c", "/a/b/moved", LINUX_RENAME_EXCHANGE), 0);
	assert_int_equal(fx_lookup(&fx, "/a/b/moved/in", 0), 0);
	assert_string_equal(fx_read(&fx, "/a/b/c", buf, sizeof(buf)), "hello");
	assert_int_equal(rename_to("/nothing", "/x", 0), -ENOENT);
	assert_int_equal(rename_to("/a/b/c", "/x/", 0), -ENOTDIR);
	assert_int_equal(rename_to("/a/.", "/x", 0), -EBUSY);
	assert_int_equal(rename_to("/a/b", "/newdir/", 0), 0);
	assert_int_equal(fx_attr(&fx, "/a", &attr, NULL), 0);
	assert_int_equal(attr.nlink, 2);
	assert_int_equal(fx_lookup(&fx, "/newdir/moved/..", 0), 0);
}

static void test_permissions(void **state)
{
	struct setattr set = { .mask = SETATTR_MODE, .mode = 0600 };
	struct inode_attr attr;
	struct path p;
	struct file *file;

	make_tree();
	assert_int_equal(fx_mkdir(&fx, "/tmp", 01777), 0);
	/* the umask took group and other write away */
	set.mode = 01777;
	assert_int_equal(vfs_lookup(&fx.ctx, LINUX_AT_FDCWD, "/tmp", 0, &p), 0);
	assert_int_equal(vfs_setattr(&fx.ctx, &p, &set), 0);
	path_put(&p);
	assert_int_equal(fx_write(&fx, "/tmp/root", "r"), 0);
	vfs_fixture_as_user(&fx);
	assert_int_equal(fx_mkdir(&fx, "/a/mine", 0755), -EACCES);
	assert_int_equal(fx_write(&fx, "/tmp/mine", "m"), 0);
	assert_int_equal(fx_attr(&fx, "/tmp/mine", &attr, NULL), 0);
	assert_int_equal(attr.uid, 1000);
	assert_int_equal(attr.mode & 07777, 0644);
	assert_int_equal(vfs_unlink(&fx.ctx, LINUX_AT_FDCWD, "/tmp/root"), -EPERM);
	assert_int_equal(fx_open(&fx, "/tmp/root", LINUX_O_WRONLY, 0, &file), -EACCES);
	assert_int_equal(fx_open(&fx, "/tmp/root", LINUX_O_RDONLY | LINUX_O_NOATIME, 0, &file), -EPERM);
	assert_int_equal(vfs_lookup(&fx.ctx, LINUX_AT_FDCWD, "/tmp/root", 0, &p), 0);
	set.mode = 0777;
	assert_int_equal(vfs_setattr(&fx.ctx, &p, &set), -EPERM);
	set = (struct setattr){ .mask = SETATTR_UID, .uid = 1000 };
	assert_int_equal(vfs_setattr(&fx.ctx, &p, &set), -EPERM);
	path_put(&p);
	assert_int_equal(vfs_mknod(&fx.ctx, LINUX_AT_FDCWD, "/tmp/dev", LINUX_S_IFCHR | 0600, 259), -EPERM);
	vfs_fixture_as_root(&fx);
}

static void test_mounts(void **state)
{
	struct super_block *sb;
	struct mount_info *list;
	struct path at, root, a;
	struct mount_namespace *copy;
	struct fs_context *fs;
	char buf[256];
	size_t count;

	make_tree();
	assert_int_equal(tmpfs_new(NULL, fx.user_ns, &sb), 0);
	assert_int_equal(vfs_lookup(&fx.ctx, LINUX_AT_FDCWD, "/a/b", 0, &at), 0);
	assert_int_equal(vfs_mount_sb(sb, NULL, &at, MOUNT_NOSUID), 0);
	path_put(&at);
	super_block_put(sb);
	assert_int_equal(fx_lookup(&fx, "/a/b/c", 0), -ENOENT);
	assert_int_equal(fx_write(&fx, "/a/b/x", "in the mount"), 0);
	assert_int_equal(fx_lookup(&fx, "/abs/x", 0), 0);
	assert_int_equal(fx_lookup(&fx, "/a/b/../file", 0), 0);
	assert_int_equal(fx_lookup(&fx, "a/b/x", LOOKUP_NO_XDEV), -EXDEV);
	assert_int_equal(rename_to("/a/b/x", "/a/x", 0), -EXDEV);
	assert_int_equal(vfs_rmdir(&fx.ctx, LINUX_AT_FDCWD, "/a/b"), -EBUSY);
	/* a copy of the namespace is another tree */
	assert_int_equal(fs_context_copy(fx.fs, &fs), 0);
	assert_int_equal(mount_namespace_copy(fx.mounts, fx.user_ns, 0, fs, &copy), 0);
	assert_int_equal(copy->mount_count, 2);
	/* bind, read-only */
	assert_int_equal(vfs_lookup(&fx.ctx, LINUX_AT_FDCWD, "/a", 0, &a), 0);
	assert_int_equal(vfs_lookup(&fx.ctx, LINUX_AT_FDCWD, "/closed/in", 0, &at), 0);
	assert_int_equal(vfs_bind_mount(&a, &at, true, MOUNT_READONLY), 0);
	path_put(&at);
	path_put(&a);
	assert_string_equal(fx_read(&fx, "/closed/in/file", buf, sizeof(buf)), "hello");
	assert_string_equal(fx_read(&fx, "/closed/in/b/x", buf, sizeof(buf)), "in the mount");
	assert_int_equal(fx_write(&fx, "/closed/in/file", "no"), -EROFS);
	assert_int_equal(fx_mkdir(&fx, "/closed/in/d", 0755), -EROFS);
	mount_namespace_root(fx.mounts, &root);
	assert_int_equal(mount_namespace_list(fx.mounts, &root, &list, &count), 0);
	path_put(&root);
	assert_int_equal(count, 4);
	assert_string_equal(list[1].mountpoint, "/a/b");
	assert_string_equal(list[1].root, "/");
	assert_string_equal(list[2].mountpoint, "/closed/in");
	assert_string_equal(list[2].root, "/a");
	assert_string_equal(list[3].mountpoint, "/closed/in/b");
	mount_info_free(list, count);
	assert_int_equal(vfs_lookup(&fx.ctx, LINUX_AT_FDCWD, "/closed/in", 0, &at), 0);
	assert_int_equal(vfs_umount(&at, 0), -EBUSY);
	assert_int_equal(vfs_umount(&at, LINUX_MNT_DETACH), 0);
	path_put(&at);
	assert_int_equal(fx_lookup(&fx, "/closed/in/file", 0), -ENOENT);
	assert_int_equal(vfs_lookup(&fx.ctx, LINUX_AT_FDCWD, "/a/b", 0, &at), 0);
	assert_int_equal(vfs_umount(&at, 0), 0);
	path_put(&at);
	assert_int_equal(fx_lookup(&fx, "/a/b/c", 0), 0);
	fs_context_put(fs);
	mount_namespace_put(copy);
}

static void test_pivot_root(void **state)
{
	struct super_block *sb;
	struct path at, old;
	struct fs_context *before = fx.fs;

	make_tree();
	assert_int_equal(tmpfs_new(NULL, fx.user_ns, &sb), 0);
	assert_int_equal(vfs_lookup(&fx.ctx, LINUX_AT_FDCWD, "/a/b", 0, &at), 0);
	assert_int_equal(vfs_pivot_root(&fx.ctx, &at, &at), -EBUSY);
	assert_int_equal(vfs_mount_sb(sb, NULL, &at, 0), 0);
	path_put(&at);
	super_block_put(sb);
	assert_int_equal(fx_mkdir(&fx, "/a/b/old", 0755), 0);
	assert_int_equal(vfs_lookup(&fx.ctx, LINUX_AT_FDCWD, "/a/b", 0, &at), 0);
	assert_int_equal(vfs_lookup(&fx.ctx, LINUX_AT_FDCWD, "/a/b/old", 0, &old), 0);
	assert_int_equal(vfs_pivot_root(&fx.ctx, &at, &old), 0);
	path_put(&at);
	path_put(&old);
	assert_ptr_equal(fx.fs, before);
	assert_int_equal(fx_lookup(&fx, "/old/a/file", 0), 0);
	assert_int_equal(fx_lookup(&fx, "/a", 0), -ENOENT);
	assert_int_equal(vfs_lookup(&fx.ctx, LINUX_AT_FDCWD, "/old", 0, &at), 0);
	assert_int_equal(vfs_umount(&at, LINUX_MNT_DETACH), 0);
	path_put(&at);
	assert_int_equal(fx_lookup(&fx, "/old/a", 0), -ENOENT);
}

static void test_path_strings(void **state)
{
	char buf[256], *text;
	struct path p, root = { NULL, NULL };

	make_tree();
	mount_namespace_root(fx.mounts, &root);
	assert_int_equal(vfs_lookup(&fx.ctx, LINUX_AT_FDCWD, "/abs/c", 0, &p), 0);
	assert_int_equal(vfs_path_string(&p, &root, buf, sizeof(buf), &text), 0);
	assert_string_equal(text, "/a/b/c");
	assert_int_equal(vfs_path_string(&p, &root, buf, 6, &text), -ENAMETOOLONG);
	assert_int_equal(vfs_rmdir(&fx.ctx, LINUX_AT_FDCWD, "/a/b/c"), 0);
	assert_int_equal(vfs_path_string(&p, &root, buf, sizeof(buf), &text), 0);
	assert_string_equal(text, "/a/b/c (deleted)");
	assert_int_equal(vfs_path_string(&root, &root, buf, sizeof(buf), &text), 0);
	assert_string_equal(text, "/");
	path_put(&p);
	path_put(&root);
}

static void test_dentry_cache_is_bounded(void **state)
{
	char name[32];

	for (int i = 0; i < 3 * DENTRY_CACHE_LIMIT; i++) {
		snprintf(name, sizeof(name), "/f%d", i);
		assert_int_equal(fx_lookup(&fx, name, 0), -ENOENT);
	}
	assert_true(dentry_cache_count() <= DENTRY_CACHE_LIMIT + 64);
	assert_int_equal(fx_write(&fx, "/f1", "x"), 0);
	assert_int_equal(fx_lookup(&fx, "/f1", 0), 0);
	assert_int_equal(dentry_cache_shrink(), 0);
	assert_int_equal(fx_lookup(&fx, "/f1", 0), 0);
}

static void test_fd_table(void **state)
{
	struct file *file, *other;
	struct fd_table *t, *copy;

	assert_int_equal(fx_open(&fx, "/", LINUX_O_RDONLY, 0, &file), 0);
	assert_int_equal(fd_table_new(&t), 0);
	for (int i = 0; i < 40; i++)
		assert_int_equal(fd_table_install(t, file, 0, 1024, i & 1), i);
	assert_int_equal(fd_table_install(t, file, 0, 40, false), -EMFILE);
	assert_int_equal(fd_table_install(t, file, 100, 1024, false), 100);
	assert_int_equal(fd_table_install(t, file, 100, 1024, false), 101);
	file_put(fd_table_remove(t, 7));
	file_put(fd_table_remove(t, 3));
	assert_null(fd_table_lookup(t, 3));
	assert_null(fd_table_lookup(t, -1));
	assert_null(fd_table_lookup(t, 1 << 30));
	assert_int_equal(fd_table_install(t, file, 0, 1024, false), 3);
	assert_int_equal(fd_table_install(t, file, 0, 1024, false), 7);
	assert_int_equal(fd_table_install(t, file, 0, 1024, false), 40);
	assert_int_equal(fd_table_install_at(t, file, 500, 1024, true), 500);
	assert_int_equal(fd_table_install_at(t, file, 1024, 1024, true), -EBADF);
	assert_int_equal(fd_table_next(t, 102), 500);
	assert_int_equal(fd_table_get_cloexec(t, 500), 1);
	assert_int_equal(fd_table_copy(t, &copy), 0);
	fd_table_close_on_exec(t);
	assert_null(fd_table_lookup(t, 500));
	assert_int_equal(fd_table_next(t, 102), -1);
	other = fd_table_lookup(copy, 500);
	assert_ptr_equal(other, file);
	file_put(other);
	fd_table_close_range(copy, 10, UINT32_MAX, false);
	assert_int_equal(fd_table_next(copy, 10), -1);
	fd_table_put(copy);
	fd_table_put(t);
	assert_int_equal(refcount_read(&file->refs), 1);
	file_put(file);
}

static void test_reserved_fds(void **state)
{
	struct fd_table *t, *copy;
	struct file *file;

	assert_int_equal(fx_open(&fx, "/", LINUX_O_RDONLY, 0, &file), 0);
	assert_int_equal(fd_table_new(&t), 0);
	assert_int_equal(fd_table_install(t, file, 0, 1024, false), 0);
	assert_int_equal(fd_table_reserve(t, 1024), 1);
	assert_int_equal(fd_table_reserve(t, 1024), 2);
	assert_int_equal(fd_table_reserve(t, 3), -EMFILE);
	assert_int_equal(fd_table_install(t, file, 0, 1024, false), 3);
	assert_null(fd_table_lookup(t, 1));
	assert_null(fd_table_remove(t, 1));
	assert_int_equal(fd_table_get_cloexec(t, 1), -EBADF);
	assert_int_equal(fd_table_install_at(t, file, 1, 1024, false), -EBUSY);
	/* A copy has not what is only reserved, and gives those numbers away. */
	assert_int_equal(fd_table_copy(t, &copy), 0);
	assert_int_equal(fd_table_install(copy, file, 0, 1024, false), 1);
	fd_table_put(copy);
	fd_table_fill(t, 1, file, true);
	assert_int_equal(fd_table_get_cloexec(t, 1), 1);
	fd_table_unreserve(t, 2);
	assert_int_equal(fd_table_install(t, file, 0, 1024, false), 2);
	fd_table_close_range(t, 0, UINT32_MAX, false);
	assert_int_equal(fd_table_reserve(t, 1024), 0);
	fd_table_close_range(t, 0, UINT32_MAX, false);
	assert_int_equal(fd_table_install(t, file, 0, 1024, false), 1);
	fd_table_put(t);
	assert_int_equal(refcount_read(&file->refs), 1);
	file_put(file);
}

static unsigned told;

static void count_signal(struct file *file, int fd, int reason)
{
	assert_int_equal(fd, 5);
	told++;
}

static void test_leases(void **state)
{
	struct file *holder, *other;

	vfs_upcalls.signal_owner = count_signal;
	assert_int_equal(fx_write(&fx, "/leased", "x"), 0);
	assert_int_equal(fx_open(&fx, "/leased", LINUX_O_RDONLY, 0, &holder), 0);
	assert_int_equal(lease_set(holder, 5, 7, fx.root), -EINVAL);
	assert_int_equal(lease_set(holder, 5, LINUX_F_RDLCK, fx.user), -EACCES);
	assert_int_equal(lease_set(holder, 5, LINUX_F_WRLCK, fx.root), 0);
	assert_int_equal(fx_open(&fx, "/leased", LINUX_O_RDONLY | LINUX_O_NONBLOCK, 0, &other), -EAGAIN);
	assert_int_equal(fx_open(&fx, "/leased", LINUX_O_RDONLY | LINUX_O_NONBLOCK, 0, &other), -EAGAIN);
	assert_int_equal(told, 1);
	assert_int_equal(lease_get(holder), LINUX_F_RDLCK);
	/* The refused openings are not counted any more. */
	assert_int_equal(lease_set(holder, 5, LINUX_F_RDLCK, fx.root), 0);
	assert_int_equal(fx_open(&fx, "/leased", LINUX_O_RDONLY | LINUX_O_NONBLOCK, 0, &other), 0);
	assert_int_equal(lease_set(holder, 5, LINUX_F_WRLCK, fx.root), -EAGAIN);
	file_put(other);
	assert_int_equal(lease_set(holder, 5, LINUX_F_WRLCK, fx.root), 0);
	assert_int_equal(fx_open(&fx, "/leased", LINUX_O_WRONLY | LINUX_O_NONBLOCK, 0, &other), -EAGAIN);
	assert_int_equal(told, 2);
	assert_int_equal(lease_get(holder), LINUX_F_UNLCK);
	/* It goes with its file. */
	file_put(holder);
	assert_int_equal(fx_open(&fx, "/leased", LINUX_O_WRONLY | LINUX_O_NONBLOCK, 0, &other), 0);
	leases_enabled = false;
	assert_int_equal(lease_set(other, 5, LINUX_F_WRLCK, fx.root), -EINVAL);
	leases_enabled = true;
	file_put(other);
	vfs_upcalls.signal_owner = NULL;
}

static void test_xattrs(void **state)
{
	struct path p;
	char list[64];

	make_tree();
	assert_int_equal(vfs_lookup(&fx.ctx, LINUX_AT_FDCWD, "/a/file", 0, &p), 0);
	assert_int_equal(vfs_setxattr(&fx.ctx, &p, "user.x", "12", 2, 0), 0);
	assert_int_equal(vfs_setxattr(&fx.ctx, &p, "user.x", "3", 1, LINUX_XATTR_CREATE), -EEXIST);
	assert_int_equal(vfs_setxattr(&fx.ctx, &p, "user.y", "3", 1, LINUX_XATTR_REPLACE), -ENODATA);
	assert_int_equal(vfs_setxattr(&fx.ctx, &p, "trusted.t", "3", 1, 0), 0);
	assert_int_equal(vfs_setxattr(&fx.ctx, &p, "nothing", "3", 1, 0), -EOPNOTSUPP);
	assert_int_equal(vfs_getxattr(&fx.ctx, &p, "user.x", list, 1), -ERANGE);
	assert_int_equal(vfs_getxattr(&fx.ctx, &p, "user.x", list, 0), 2);
	assert_int_equal(vfs_getxattr(&fx.ctx, &p, "user.x", list, sizeof(list)), 2);
	assert_int_equal(vfs_listxattr(&fx.ctx, &p, list, sizeof(list)), 17);
	vfs_fixture_as_user(&fx);
	assert_int_equal(vfs_listxattr(&fx.ctx, &p, list, sizeof(list)), 7);
	assert_int_equal(vfs_getxattr(&fx.ctx, &p, "trusted.t", list, sizeof(list)), -ENODATA);
	assert_int_equal(vfs_setxattr(&fx.ctx, &p, "user.x", "", 0, 0), -EACCES);
	vfs_fixture_as_root(&fx);
	assert_int_equal(vfs_removexattr(&fx.ctx, &p, "user.x"), 0);
	assert_int_equal(vfs_removexattr(&fx.ctx, &p, "user.x"), -ENODATA);
	path_put(&p);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_walk_table),
		CASE(test_open_table),
		CASE(test_names),
		CASE(test_rename),
		CASE(test_permissions),
		CASE(test_mounts),
		CASE(test_pivot_root),
		CASE(test_path_strings),
		CASE(test_dentry_cache_is_bounded),
		CASE(test_fd_table),
		CASE(test_reserved_fds),
		CASE(test_leases),
		CASE(test_xattrs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Overlay over two tmpfs: what is merged, hidden, copied up; and that the lower never changes. */
#include "tests/unit/vfs_fixture.h"

#include "sentry/fs/overlay/overlay.h"
#include "sentry/vfs/dentry_cache.h"
#include "sentry/vfs/xattr.h"

static struct vfs_fixture fx;	 /* the overlay */
static struct vfs_fixture lower; /* the lower by itself, to fill it and to look at it */

static void fill(struct vfs_fixture *f)
{
	char big[20000];
	struct file *file;
	struct path p;

	assert_int_equal(fx_mkdir(f, "/dir", 0755), 0);
	assert_int_equal(fx_mkdir(f, "/dir/sub", 0750), 0);
	assert_int_equal(fx_mkdir(f, "/empty", 0755), 0);
	assert_int_equal(fx_write(f, "/dir/file", "lower"), 0);
	assert_int_equal(fx_write(f, "/dir/sub/deep", "deep"), 0);
	assert_int_equal(fx_write(f, "/top", "top"), 0);
	assert_int_equal(vfs_link(&f->ctx, LINUX_AT_FDCWD, "/top", LINUX_AT_FDCWD, "/hard", 0), 0);
	assert_int_equal(vfs_symlink(&f->ctx, "dir/file", LINUX_AT_FDCWD, "/link"), 0);
	memset(big, 'b', sizeof(big));
	assert_int_equal(fx_open(f, "/big", LINUX_O_RDWR | LINUX_O_CREAT, 0640, &file), 0);
	assert_int_equal(fx_pwrite(file, big, sizeof(big), 100000), sizeof(big));
	file_put(file);
	assert_int_equal(vfs_lookup(&f->ctx, LINUX_AT_FDCWD, "/big", 0, &p), 0);
	assert_int_equal(vfs_setxattr(&f->ctx, &p, "user.kept", "yes", 3, 0), 0);
	path_put(&p);
}

static int setup(void **state)
{
	struct tmpfs_options options = { .mode = 0755, .overlay_upper = true };
	struct super_block *low, *up, *over;
	struct user_namespace *ns;

	assert_int_equal(vfs_init(), 0);
	assert_int_equal(user_namespace_new_root(&ns), 0);
	assert_int_equal(tmpfs_new(&options, ns, &low), 0);
	vfs_fixture_start(&lower, super_block_get(low));
	fill(&lower);
	assert_int_equal(tmpfs_new(&options, ns, &up), 0);
	assert_int_equal(overlay_new(low, up, ns, &over), 0);
	super_block_put(low);
	super_block_put(up);
	user_namespace_put(ns);
	vfs_fixture_start(&fx, over);
	return 0;
}

static int teardown(void **state)
{
	char buf[256];

	/* whatever a test did, the lower is what it was */
	assert_string_equal(fx_list(&lower, "/", buf, sizeof(buf)), "big dir empty hard link top");
	assert_string_equal(fx_list(&lower, "/dir", buf, sizeof(buf)), "file sub");
	assert_string_equal(fx_read(&lower, "/dir/file", buf, sizeof(buf)), "lower");
	assert_string_equal(fx_read(&lower, "/dir/sub/deep", buf, sizeof(buf)), "deep");
	assert_string_equal(fx_read(&lower, "/top", buf, sizeof(buf)), "top");
	/* the order matters: shrinking asserts that no dentry is left */
	fd_table_put(fx.fds);
	fs_context_put(fx.fs);
	mount_namespace_put(fx.mounts);
	credentials_put(fx.root);
	credentials_put(fx.user);
	user_namespace_put(fx.user_ns);
	vfs_fixture_end(&lower);
	return 0;
}

static void test_reads_through(void **state)
{
	struct inode_attr attr;
	char buf[256];
	uint64_t ino, lower_ino;

	assert_string_equal(fx_list(&fx, "/", buf, sizeof(buf)), "big dir empty hard link top");
	assert_string_equal(fx_read(&fx, "/link", buf, sizeof(buf)), "lower");
	assert_int_equal(fx_attr(&fx, "/dir", &attr, &ino), 0);
	assert_int_equal(attr.nlink, 3);
	assert_int_equal(fx_attr(&lower, "/dir", &attr, &lower_ino), 0);
	assert_true(ino == lower_ino);
	assert_int_equal(fx_lookup(&fx, "/dir/nothing", 0), -ENOENT);
}

static void test_copy_up(void **state)
{
	struct inode_attr before, attr;
	struct file *reader;
	struct path p;
	char buf[256];
	uint64_t ino, ino2;

	assert_int_equal(fx_attr(&fx, "/dir/sub/deep", &before, &ino), 0);
	assert_int_equal(fx_open(&fx, "/dir/sub/deep", LINUX_O_RDONLY, 0, &reader), 0);
	assert_int_equal(fx_write(&fx, "/dir/sub/deep", "changed"), 0);
	/* an open reader sees it too */
	assert_int_equal(fx_pread(reader, buf, sizeof(buf), 0), 7);
	file_put(reader);
	assert_string_equal(fx_read(&fx, "/dir/sub/deep", buf, sizeof(buf)), "changed");
	dentry_cache_shrink();
	assert_string_equal(fx_read(&fx, "/dir/sub/deep", buf, sizeof(buf)), "changed");
	assert_int_equal(fx_attr(&fx, "/dir/sub/deep", &attr, &ino2), 0);
	assert_true(ino == ino2);
	assert_int_equal(attr.mode, before.mode);
	assert_int_equal(fx_attr(&fx, "/dir/sub", &attr, NULL), 0);
	assert_int_equal(attr.mode & 07777, 0750);
	/* sparse, with xattrs */
	assert_int_equal(vfs_lookup(&fx.ctx, LINUX_AT_FDCWD, "/big", 0, &p), 0);
	assert_int_equal(vfs_truncate(&fx.ctx, &p, 130000), 0);
	assert_int_equal(vfs_getxattr(&fx.ctx, &p, "user.kept", buf, sizeof(buf)), 3);
	assert_int_equal(vfs_listxattr(&fx.ctx, &p, buf, sizeof(buf)), 10);
	path_put(&p);
	assert_int_equal(fx_open(&fx, "/big", LINUX_O_RDONLY, 0, &reader), 0);
	assert_int_equal(fx_pread(reader, buf, 2, 99999), 2);
	assert_int_equal(buf[0], 0);
	assert_int_equal(buf[1], 'b');
	file_put(reader);
	assert_int_equal(fx_attr(&fx, "/big", &attr, NULL), 0);
	assert_true(attr.size == 130000);
	assert_true(attr.blocks * 512 < 100000);
}

static void test_remove(void **state)
{
	struct inode_attr attr;
	char buf[256];
	struct file *file;

	assert_int_equal(vfs_rmdir(&fx.ctx, LINUX_AT_FDCWD, "/dir"), -ENOTEMPTY);
	assert_int_equal(fx_open(&fx, "/dir/file", LINUX_O_RDONLY, 0, &file), 0);
	assert_int_equal(vfs_unlink(&fx.ctx, LINUX_AT_FDCWD, "/dir/file"), 0);
	assert_int_equal(fx_pread(file, buf, sizeof(buf), 0), 5);
	file_put(file);
	assert_int_equal(fx_lookup(&fx, "/dir/file", 0), -ENOENT);
	dentry_cache_shrink();
	assert_int_equal(fx_lookup(&fx, "/dir/file", 0), -ENOENT);
	assert_string_equal(fx_list(&fx, "/dir", buf, sizeof(buf)), "sub");
	assert_int_equal(vfs_unlink(&fx.ctx, LINUX_AT_FDCWD, "/dir/sub/deep"), 0);
	assert_int_equal(vfs_rmdir(&fx.ctx, LINUX_AT_FDCWD, "/dir/sub"), 0);
	assert_int_equal(fx_attr(&fx, "/dir", &attr, NULL), 0);
	assert_int_equal(attr.nlink, 2);
	assert_int_equal(vfs_rmdir(&fx.ctx, LINUX_AT_FDCWD, "/dir"), 0);
	assert_string_equal(fx_list(&fx, "/", buf, sizeof(buf)), "big empty hard link top");
	/* a new directory of that name does not show the old contents */
	assert_int_equal(fx_mkdir(&fx, "/dir", 0755), 0);
	assert_string_equal(fx_list(&fx, "/dir", buf, sizeof(buf)), "");
	dentry_cache_shrink();
	assert_int_equal(fx_lookup(&fx, "/dir/file", 0), -ENOENT);
	assert_int_equal(fx_write(&fx, "/dir/file", "new"), 0);
	assert_string_equal(fx_read(&fx, "/dir/file", buf, sizeof(buf)), "new");
	assert_int_equal(vfs_unlink(&fx.ctx, LINUX_AT_FDCWD, "/dir/file"), 0);
	assert_int_equal(vfs_rmdir(&fx.ctx, LINUX_AT_FDCWD, "/dir"), 0);
	/* create over a whiteout */
	assert_int_equal(vfs_unlink(&fx.ctx, LINUX_AT_FDCWD, "/top"), 0);
	assert_int_equal(fx_write(&fx, "/top", "again"), 0);
	assert_string_equal(fx_read(&fx, "/top", buf, sizeof(buf)), "again");
	assert_int_equal(vfs_unlink(&fx.ctx, LINUX_AT_FDCWD, "/top"), 0);
	assert_int_equal(fx_lookup(&fx, "/top", 0), -ENOENT);
	assert_string_equal(fx_read(&fx, "/hard", buf, sizeof(buf)), "top");
}

static int move(const char *from, const char *to, uint32_t flags)
{
	return vfs_rename(&fx.ctx, LINUX_AT_FDCWD, from, LINUX_AT_FDCWD, to, flags);
}

static void test_rename(void **state)
{
	struct inode_attr attr;
	char buf[256];

	assert_int_equal(move("/dir", "/other", 0), -EXDEV);
	assert_int_equal(move("/dir/file", "/moved", 0), 0);
	assert_string_equal(fx_list(&fx, "/dir", buf, sizeof(buf)), "sub");
	assert_string_equal(fx_list(&fx, "/", buf, sizeof(buf)), "big dir empty hard link moved top");
	assert_string_equal(fx_read(&fx, "/moved", buf, sizeof(buf)), "lower");
	dentry_cache_shrink();
	assert_int_equal(fx_lookup(&fx, "/dir/file", 0), -ENOENT);
	assert_int_equal(move("/moved", "/top", 0), 0);
	assert_string_equal(fx_read(&fx, "/top", buf, sizeof(buf)), "lower");
	assert_string_equal(fx_read(&fx, "/hard", buf, sizeof(buf)), "top");
	/* a new directory over an empty lower one */
	assert_int_equal(fx_mkdir(&fx, "/fresh", 0755), 0);
	assert_int_equal(fx_write(&fx, "/fresh/in", "in"), 0);
	assert_int_equal(move("/fresh", "/dir", 0), -ENOTEMPTY);
	assert_int_equal(move("/fresh", "/empty", 0), 0);
	dentry_cache_shrink();
	assert_string_equal(fx_list(&fx, "/empty", buf, sizeof(buf)), "in");
	assert_string_equal(fx_list(&fx, "/", buf, sizeof(buf)), "big dir empty hard link top");
	assert_int_equal(fx_attr(&fx, "/", &attr, NULL), 0);
	assert_int_equal(attr.nlink, 4);
	assert_int_equal(move("/top", "/big", LINUX_RENAME_EXCHANGE), 0);
	assert_string_equal(fx_read(&fx, "/big", buf, sizeof(buf)), "lower");
	/* renamed away and back */
	assert_int_equal(move("/empty", "/dir/sub/e", 0), 0);
	assert_int_equal(fx_attr(&fx, "/dir/sub", &attr, NULL), 0);
	assert_int_equal(attr.nlink, 3);
	assert_int_equal(move("/dir/sub/e", "/empty", 0), 0);
	assert_string_equal(fx_list(&fx, "/empty", buf, sizeof(buf)), "in");
	assert_string_equal(fx_list(&fx, "/dir/sub", buf, sizeof(buf)), "deep");
}

static void test_links_and_specials(void **state)
{
	struct inode_attr attr;
	char buf[256];
	uint64_t a, b;

	assert_int_equal(vfs_link(&fx.ctx, LINUX_AT_FDCWD, "/dir/file", LINUX_AT_FDCWD, "/dir/second", 0), 0);
	assert_int_equal(fx_write(&fx, "/dir/second", "both"), 0);
	assert_string_equal(fx_read(&fx, "/dir/file", buf, sizeof(buf)), "both");
	dentry_cache_shrink();
	assert_int_equal(fx_attr(&fx, "/dir/file", &attr, &a), 0);
	assert_int_equal(attr.nlink, 2);
	assert_int_equal(fx_attr(&fx, "/dir/second", &attr, &b), 0);
	assert_true(a == b);
	assert_int_equal(vfs_mknod(&fx.ctx, LINUX_AT_FDCWD, "/w", LINUX_S_IFCHR, 0), -EPERM);
	assert_int_equal(vfs_mknod(&fx.ctx, LINUX_AT_FDCWD, "/fifo", LINUX_S_IFIFO | 0600, 0), 0);
	assert_int_equal(vfs_symlink(&fx.ctx, "top", LINUX_AT_FDCWD, "/dir/s"), 0);
	assert_string_equal(fx_list(&fx, "/dir", buf, sizeof(buf)), "file s second sub");
}

static void test_metadata(void **state)
{
	struct setattr set = { .mask = SETATTR_MODE | SETATTR_UID, .mode = 0711, .uid = 1000 };
	struct inode_attr attr;
	struct path p;
	char buf[256];

	assert_int_equal(vfs_lookup(&fx.ctx, LINUX_AT_FDCWD, "/dir", 0, &p), 0);
	assert_int_equal(vfs_setattr(&fx.ctx, &p, &set), 0);
	path_put(&p);
	assert_int_equal(fx_attr(&fx, "/dir", &attr, NULL), 0);
	assert_int_equal(attr.mode & 07777, 0711);
	assert_int_equal(attr.uid, 1000);
	assert_int_equal(attr.nlink, 3);
	assert_string_equal(fx_list(&fx, "/dir", buf, sizeof(buf)), "file sub");
	vfs_fixture_as_user(&fx);
	assert_int_equal(fx_write(&fx, "/dir/mine", "m"), 0);
	assert_int_equal(fx_write(&fx, "/dir/file", "m"), -EACCES);
	vfs_fixture_as_root(&fx);
	assert_string_equal(fx_list(&fx, "/dir", buf, sizeof(buf)), "file mine sub");
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_reads_through), CASE(test_copy_up),		CASE(test_remove),
		CASE(test_rename),	  CASE(test_links_and_specials), CASE(test_metadata),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

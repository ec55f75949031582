/* SPDX-License-Identifier: Apache-2.0 */
/* tmpfs: storage inline and in memfds, limits, holes, mapping rights; memfd seals; file locks. */
#include "tests/unit/vfs_fixture.h"

#include <sched.h>
#include <sys/mman.h>

#include "sentry/abi/mm.h"
#include "sentry/vfs/file_lock.h"
#include "sentry/vfs/inotify.h"
#include "sentry/wait/wait.h"

static struct vfs_fixture fx;

static int setup(void **state)
{
	struct tmpfs_options o = { .max_bytes = 64 * 4096, .max_inodes = 20, .mode = 01777 };
	struct super_block *sb;
	struct user_namespace *ns;

	assert_int_equal(vfs_init(), 0);
	assert_int_equal(user_namespace_new_root(&ns), 0);
	assert_int_equal(tmpfs_new(&o, ns, &sb), 0);
	user_namespace_put(ns);
	vfs_fixture_start(&fx, sb);
	return 0;
}

static int teardown(void **state)
{
	vfs_fixture_end(&fx);
	return 0;
}

static struct file *create(const char *path)
{
	struct file *file;

	assert_int_equal(fx_open(&fx, path, LINUX_O_RDWR | LINUX_O_CREAT, 0644, &file), 0);
	return file;
}

static uint64_t free_blocks(void)
{
	struct statfs_result r;
	struct path p;

	assert_int_equal(vfs_lookup(&fx.ctx, LINUX_AT_FDCWD, "/", 0, &p), 0);
	assert_int_equal(vfs_statfs(&p, &r), 0);
	path_put(&p);
	return r.bfree;
}

static void test_growth(void **state)
{
	struct file *f = create("/f");
	char buf[9000], back[9000];
	struct inode_attr attr;

	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = (char)(i * 7);
	/* a byte at a time over the border from inline to memfd would be slow; steps of 100 */
	for (size_t at = 0; at < sizeof(buf); at += 100)
		assert_int_equal(fx_pwrite(f, buf + at, 100, at), 100);
	assert_int_equal(fx_pread(f, back, sizeof(back), 0), sizeof(back));
	assert_memory_equal(buf, back, sizeof(buf));
	assert_int_equal(fx_pread(f, back, 10, 9000), 0);
	assert_int_equal(fx_pread(f, back, 10, 8995), 5);
	assert_int_equal(fx_attr(&fx, "/f", &attr, NULL), 0);
	assert_int_equal(attr.size, 9000);
	assert_int_equal(attr.blocks, 24);
	assert_int_equal(vfs_set_size(&fx.ctx, f->inode, 10), 0);
	assert_int_equal(vfs_set_size(&fx.ctx, f->inode, 20), 0);
	assert_int_equal(fx_pread(f, back, 100, 0), 20);
	assert_int_equal(back[9], buf[9]);
	assert_int_equal(back[10], 0);
	file_put(f);
}

static void test_inline_truncate(void **state)
{
	struct file *f = create("/f");
	char back[300];

	assert_int_equal(fx_pwrite(f, "abcdef", 6, 200), 6);
	assert_int_equal(vfs_set_size(&fx.ctx, f->inode, 202), 0);
	assert_int_equal(vfs_set_size(&fx.ctx, f->inode, 250), 0);
	memset(back, 1, sizeof(back));
	assert_int_equal(fx_pread(f, back, sizeof(back), 0), 250);
	assert_int_equal(back[0], 0);
	assert_int_equal(back[201], 'b');
	assert_int_equal(back[202], 0);
	assert_int_equal(back[249], 0);
	file_put(f);
}

static void test_limits(void **state)
{
	static char big[80 * 4096];
	struct file *f = create("/f"), *g;
	char name[16];
	uint64_t before = free_blocks();
	int rc = 0;

	memset(big, 'x', sizeof(big));
	assert_int_equal(before, 64);
	assert_int_equal(fx_pwrite(f, big, sizeof(big), 0), 64 * 4096);
	assert_int_equal(free_blocks(), 0);
	assert_int_equal(fx_pwrite(f, big, 10, 64 * 4096), -ENOSPC);
	/* overwriting needs nothing */
	assert_int_equal(fx_pwrite(f, big, 4096, 4096), 4096);
	g = create("/g");
	assert_int_equal(fx_pwrite(g, "x", 1, 0), -ENOSPC);
	file_put(g);
	assert_int_equal(vfs_set_size(&fx.ctx, f->inode, 4096), 0);
	assert_int_equal(free_blocks(), 63);
	file_put(f);
	for (int i = 0; rc == 0; i++) {
		snprintf(name, sizeof(name), "/n%d", i);
		rc = fx_write(&fx, name, "");
	}
	assert_int_equal(rc, -ENOSPC);
	assert_int_equal(vfs_unlink(&fx.ctx, LINUX_AT_FDCWD, "/f"), 0);
	assert_int_equal(free_blocks(), 64);
	assert_int_equal(fx_write(&fx, "/again", ""), 0);
}

static void test_holes(void **state)
{
	struct file *f = create("/f");
	static char page[4096];
	struct inode_attr attr;

	memset(page, 'p', sizeof(page));
	assert_int_equal(fx_pwrite(f, page, 4096, 40960), 4096);
	assert_int_equal(fx_attr(&fx, "/f", &attr, NULL), 0);
	assert_int_equal(attr.blocks, 8);
	assert_int_equal(vfs_llseek(f, 0, LINUX_SEEK_DATA), 40960);
	assert_int_equal(vfs_llseek(f, 0, LINUX_SEEK_HOLE), 0);
	assert_int_equal(vfs_llseek(f, 40960, LINUX_SEEK_HOLE), 45056);
	assert_int_equal(vfs_llseek(f, 45056, LINUX_SEEK_DATA), -ENXIO);
	assert_int_equal(f->ops->fallocate(f, 0, 0, 8192), 0);
	assert_int_equal(free_blocks(), 61);
	assert_int_equal(f->ops->fallocate(f, LINUX_FALLOC_FL_KEEP_SIZE | LINUX_FALLOC_FL_PUNCH_HOLE, 0, 4096), 0);
	assert_int_equal(free_blocks(), 62);
	assert_int_equal(f->ops->fallocate(f, LINUX_FALLOC_FL_ZERO_RANGE, 0, 4096), -EOPNOTSUPP);
	assert_int_equal(f->ops->fallocate(f, LINUX_FALLOC_FL_KEEP_SIZE, 0, 70 * 4096), -ENOSPC);
	assert_int_equal(vfs_llseek(f, -1, LINUX_SEEK_SET), -EINVAL);
	assert_int_equal(vfs_llseek(f, -1, LINUX_SEEK_END), 45055);
	file_put(f);
}

static void test_mapping_rights(void **state)
{
	struct file *rw = create("/f"), *ro, *wo;
	uint64_t offset;
	void *p;
	int fd, again;

	assert_int_equal(fx_pwrite(rw, "mapped", 6, 0), 6);
	assert_int_equal(fx_open(&fx, "/f", LINUX_O_RDONLY, 0, &ro), 0);
	assert_int_equal(fx_open(&fx, "/f", LINUX_O_WRONLY, 0, &wo), 0);
	assert_int_equal(ro->mappable.ops->host_fd(&ro->mappable, 0, 4096, LINUX_PROT_READ, true, &fd, &offset), 0);
	/* what a reader gets cannot be made writable by anyone */
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	assert_true(p != MAP_FAILED);
	assert_memory_equal(p, "mapped", 6);
	assert_int_equal(mprotect(p, 4096, PROT_READ | PROT_WRITE), -1);
	assert_true(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
	munmap(p, 4096);
	assert_int_equal(ro->mappable.ops->host_fd(&ro->mappable, 0, 4096, LINUX_PROT_WRITE, true, &fd, &offset), -EACCES);
	assert_int_equal(wo->mappable.ops->host_fd(&wo->mappable, 0, 4096, LINUX_PROT_READ, false, &fd, &offset), -EACCES);
	/* a private mapping of a file open for writing needs no more either */
	assert_int_equal(rw->mappable.ops->host_fd(&rw->mappable, 0, 4096, LINUX_PROT_WRITE, false, &again, &offset), 0);
	assert_int_equal(fcntl(again, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(rw->mappable.ops->host_fd(&rw->mappable, 0, 4096, LINUX_PROT_READ | LINUX_PROT_WRITE, true, &fd, &offset), 0);
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(p != MAP_FAILED);
	memcpy(p, "MAP", 3);
	munmap(p, 4096);
	{
		char back[8] = "";

		assert_int_equal(fx_pread(ro, back, 6, 0), 6);
		assert_string_equal(back, "MAPped");
	}
	assert_int_equal(ro->mappable.ops->max_prot(&ro->mappable, true), LINUX_PROT_READ | LINUX_PROT_EXEC);
	file_put(rw);
	file_put(ro);
	file_put(wo);
}

static void test_append_and_position(void **state)
{
	struct file *a, *b;
	struct io_iter it;
	char back[16] = "";

	assert_int_equal(fx_open(&fx, "/log", LINUX_O_RDWR | LINUX_O_CREAT | LINUX_O_APPEND, 0644, &a), 0);
	assert_int_equal(fx_open(&fx, "/log", LINUX_O_WRONLY | LINUX_O_APPEND, 0, &b), 0);
	io_iter_init_buffer(&it, (char[]){ "one" }, 3);
	assert_int_equal(vfs_write(a, &it, NULL, UINT64_MAX), 3);
	io_iter_init_buffer(&it, (char[]){ "two" }, 3);
	assert_int_equal(vfs_write(b, &it, NULL, UINT64_MAX), 3);
	assert_int_equal(fx_pwrite(a, "3", 1, 0), 1);
	assert_int_equal(vfs_llseek(a, 0, LINUX_SEEK_CUR), 3);
	assert_int_equal(fx_pread(a, back, 15, 0), 7);
	assert_string_equal(back, "onetwo3");
	io_iter_init_buffer(&it, (char[]){ "four" }, 4);
	assert_int_equal(vfs_write(a, &it, NULL, 9), 2);
	io_iter_init_buffer(&it, (char[]){ "four" }, 4);
	assert_int_equal(vfs_write(a, &it, NULL, 9), -EFBIG);
	/* for one write only */
	assert_int_equal(vfs_write_append(a, &it, &(uint64_t){ 0 }, UINT64_MAX, false), 4);
	assert_int_equal(fx_pread(a, back, 15, 0), 9);
	assert_string_equal(back, "fourwo3fo");
	/* the end of a transfer must have an offset */
	io_iter_init_buffer(&it, (char[]){ "x" }, 1);
	assert_int_equal(vfs_write(b, &it, &(uint64_t){ INT64_MAX }, UINT64_MAX), -EINVAL);
	file_put(a);
	file_put(b);
}

static void test_memfd(void **state)
{
	struct file *f, *plain;
	struct user_namespace *ns;
	char name[64], back[8] = "";

	assert_int_equal(user_namespace_new_root(&ns), 0);
	if (tmpfs_init(UINT64_MAX, ns) < 0)
		fail();
	user_namespace_put(ns);
	assert_int_equal(memfd_new("x", LINUX_MFD_ALLOW_SEALING, fx.root, &f), 0);
	assert_int_equal(memfd_new("x", 0, fx.root, &plain), 0);
	f->ops->describe(f, name, sizeof(name));
	assert_string_equal(name, "/memfd:x (deleted)");
	assert_int_equal(plain->ops->seals(plain, LINUX_F_GET_SEALS, 0), LINUX_F_SEAL_SEAL);
	assert_int_equal(plain->ops->seals(plain, LINUX_F_ADD_SEALS, LINUX_F_SEAL_GROW), -EPERM);
	assert_int_equal(fx_pwrite(f, "12345", 5, 0), 5);
	assert_int_equal(f->ops->seals(f, LINUX_F_ADD_SEALS, LINUX_F_SEAL_GROW | LINUX_F_SEAL_SHRINK), 0);
	assert_int_equal(vfs_set_size(&fx.ctx, f->inode, 4), -EPERM);
	assert_int_equal(vfs_set_size(&fx.ctx, f->inode, 6), -EPERM);
	assert_int_equal(fx_pwrite(f, "67", 2, 4), -EPERM);
	assert_int_equal(fx_pwrite(f, "6", 1, 0), 1);
	/* not while a shared mapping may write; the private and the sealed ones cannot */
	assert_true(f->mappable.ops->max_prot(&f->mappable, true) & LINUX_PROT_WRITE);
	f->mappable.ops->count_writer(&f->mappable, 1);
	assert_int_equal(f->ops->seals(f, LINUX_F_ADD_SEALS, LINUX_F_SEAL_WRITE), -EBUSY);
	f->mappable.ops->count_writer(&f->mappable, -1);
	assert_int_equal(f->ops->seals(f, LINUX_F_ADD_SEALS, LINUX_F_SEAL_WRITE | LINUX_F_SEAL_SEAL), 0);
	assert_false(f->mappable.ops->max_prot(&f->mappable, true) & LINUX_PROT_WRITE);
	assert_true(f->mappable.ops->max_prot(&f->mappable, false) & LINUX_PROT_WRITE);
	assert_int_equal(fx_pwrite(f, "7", 1, 0), -EPERM);
	assert_int_equal(f->ops->seals(f, LINUX_F_ADD_SEALS, LINUX_F_SEAL_WRITE), -EPERM);
	assert_int_equal(fx_pread(f, back, 7, 0), 5);
	assert_string_equal(back, "62345");
	file_put(f);
	file_put(plain);
}

static int lock(struct file *file, const void *owner, bool exclusive, uint64_t start, uint64_t end)
{
	struct file_lock_request r = { .kind = FILE_LOCK_POSIX, .exclusive = exclusive, .start = start,
				       .end = end, .owner = owner, .pid = 1 };

	return file_lock_set(file, &r, false);
}

static int unlock(struct file *file, const void *owner, uint64_t start, uint64_t end)
{
	struct file_lock_request r = { .kind = FILE_LOCK_POSIX, .start = start, .end = end, .owner = owner };

	return file_lock_clear(file->inode, &r);
}

static void test_record_locks(void **state)
{
	struct file *f = create("/f");
	static const char a, b;
	struct file_lock_request probe = { .kind = FILE_LOCK_POSIX, .exclusive = true, .start = 0,
					   .end = INT64_MAX, .owner = &b };

	assert_int_equal(lock(f, &a, true, 0, 99), 0);
	assert_int_equal(lock(f, &b, false, 50, 60), -EAGAIN);
	assert_int_equal(lock(f, &b, false, 100, 200), 0);
	/* split */
	assert_int_equal(unlock(f, &a, 40, 59), 0);
	assert_int_equal(file_lock_count(f->inode), 3);
	assert_int_equal(lock(f, &b, true, 40, 59), 0);
	assert_int_equal(lock(f, &a, true, 30, 45), -EAGAIN);
	assert_true(file_lock_test(f->inode, &probe));
	assert_int_equal(probe.start, 0);
	assert_int_equal(probe.end, 39);
	/* by offset, also what came later */
	assert_int_equal(unlock(f, &a, 0, 9), 0);
	assert_int_equal(lock(f, &a, false, 0, 4), 0);
	probe = (struct file_lock_request){ .kind = FILE_LOCK_POSIX, .exclusive = true, .end = INT64_MAX,
					    .owner = &b };
	assert_true(file_lock_test(f->inode, &probe));
	assert_int_equal(probe.end, 4);
	assert_int_equal(lock(f, &a, true, 0, 9), 0);
	/* shared readers; conversion */
	assert_int_equal(lock(f, &a, false, 100, 150), 0);
	assert_int_equal(lock(f, &a, true, 100, 150), -EAGAIN);
	assert_int_equal(unlock(f, &b, 0, INT64_MAX), 0);
	assert_int_equal(lock(f, &a, true, 100, 150), 0);
	/* neighbours merge */
	assert_int_equal(lock(f, &a, true, 40, 59), 0);
	assert_int_equal(file_lock_count(f->inode), 1);
	file_locks_remove_posix(f->inode, (const struct fd_table *)(const void *)&a);
	assert_int_equal(file_lock_count(f->inode), 0);
	file_put(f);
}

static void test_flock(void **state)
{
	struct file *f = create("/f"), *g = create("/f");
	struct file_lock_request rf = { .kind = FILE_LOCK_FLOCK, .end = INT64_MAX, .owner = f, .exclusive = true };
	struct file_lock_request rg = { .kind = FILE_LOCK_FLOCK, .end = INT64_MAX, .owner = g };

	assert_int_equal(file_lock_set(f, &rf, false), 0);
	assert_int_equal(file_lock_set(g, &rg, false), -EAGAIN);
	rf.exclusive = false;
	assert_int_equal(file_lock_set(f, &rf, false), 0);
	assert_int_equal(file_lock_set(g, &rg, false), 0);
	rf.exclusive = true;
	assert_int_equal(file_lock_set(f, &rf, false), -EAGAIN);
	/* and the shared one was given up for the attempt */
	rg.exclusive = true;
	assert_int_equal(file_lock_set(g, &rg, false), 0);
	file_put(g);
	assert_int_equal(file_lock_set(f, &rf, false), 0);
	file_put(f);
}

/* Two owners, each waiting for what the other has. */
struct locker {
	pthread_t thread;
	struct file *file;
	struct sleeper sleeper;
	int rc;
};

static void *lock_other(void *arg)
{
	struct locker *l = arg;
	struct file_lock_request r = { .kind = FILE_LOCK_POSIX, .exclusive = true, .start = 0, .end = 9, .owner = l };

	sleeper_set_current(&l->sleeper);
	l->rc = file_lock_set(l->file, &r, true);
	return NULL;
}

static void test_lock_waits_and_deadlock(void **state)
{
	struct locker l = { .file = create("/f") };
	struct sleeper mine;
	static const char me;
	struct file_lock_request r = { .kind = FILE_LOCK_POSIX, .exclusive = true, .start = 10, .end = 19,
				       .owner = &me };

	sleeper_init(&l.sleeper);
	sleeper_init(&mine);
	sleeper_set_current(&mine);
	assert_int_equal(lock(l.file, &me, true, 0, 9), 0);
	assert_int_equal(lock(l.file, &l, true, 10, 19), 0);
	assert_int_equal(pthread_create(&l.thread, NULL, lock_other, &l), 0);
	while (!file_lock_waiter_count())
		sched_yield();
	/* now that it waits, waiting for it closes the circle */
	assert_int_equal(file_lock_set(l.file, &r, true), -EDEADLK);
	assert_int_equal(unlock(l.file, &me, 0, 9), 0);
	pthread_join(l.thread, NULL);
	assert_int_equal(l.rc, 0);
	file_locks_remove_posix(l.file->inode, (const struct fd_table *)(const void *)&l);
	sleeper_set_current(NULL);
	file_put(l.file);
}

static void test_inotify(void **state)
{
	struct file *in;
	struct path p;
	struct io_iter it;
	union {
		struct linux_inotify_event event;
		char bytes[512];
	} buf;
	const char *at;
	uint32_t masks[8];
	unsigned n = 0;
	ssize_t size;
	int wd;

	assert_int_equal(inotify_file_new(LINUX_O_NONBLOCK, &in), 0);
	assert_int_equal(vfs_lookup(&fx.ctx, LINUX_AT_FDCWD, "/", 0, &p), 0);
	wd = inotify_add(in, p.dentry, LINUX_IN_CREATE | LINUX_IN_DELETE | LINUX_IN_CLOSE_WRITE | LINUX_IN_MOVED_FROM | LINUX_IN_MOVED_TO);
	assert_int_equal(wd, 1);
	path_put(&p);
	io_iter_init_buffer(&it, buf.bytes, sizeof(buf));
	assert_int_equal(vfs_read(in, &it, NULL), -EAGAIN);
	assert_int_equal(fx_write(&fx, "/f", "x"), 0);
	assert_int_equal(vfs_rename(&fx.ctx, LINUX_AT_FDCWD, "/f", LINUX_AT_FDCWD, "/g", 0), 0);
	assert_int_equal(vfs_unlink(&fx.ctx, LINUX_AT_FDCWD, "/g"), 0);
	io_iter_init_buffer(&it, buf.bytes, 8);
	assert_int_equal(vfs_read(in, &it, NULL), -EINVAL);
	io_iter_init_buffer(&it, buf.bytes, sizeof(buf));
	size = vfs_read(in, &it, NULL);
	assert_int_equal(size, 5 * 32);
	for (at = buf.bytes; at < buf.bytes + size; at += 32) {
		const struct linux_inotify_event *e = (const struct linux_inotify_event *)(const void *)at;

		assert_int_equal(e->wd, wd);
		assert_int_equal(e->len, 16);
		masks[n++] = e->mask;
	}
	assert_int_equal(masks[0], LINUX_IN_CREATE);
	assert_int_equal(masks[1], LINUX_IN_CLOSE_WRITE);
	assert_int_equal(masks[2], LINUX_IN_MOVED_FROM);
	assert_int_equal(masks[3], LINUX_IN_MOVED_TO);
	assert_int_equal(masks[4], LINUX_IN_DELETE);
	assert_int_equal(inotify_remove(in, wd), 0);
	assert_int_equal(inotify_remove(in, wd), -EINVAL);
	file_put(in);
}

static uint64_t ino_of(const char *path)
{
	struct path p;
	uint64_t ino;

	assert_int_equal(vfs_lookup(&fx.ctx, LINUX_AT_FDCWD, path, 0, &p), 0);
	ino = p.dentry->inode->ino;
	path_put(&p);
	return ino;
}

static void assert_found(const struct path *in, uint64_t ino, const char *path)
{
	struct path found;
	char *text;
	char buf[256];

	assert_int_equal(vfs_find_by_ino(in, ino, &found), 0);
	assert_int_equal(found.dentry->inode->ino, ino);
	assert_ptr_equal(found.mount, in->mount);
	assert_int_equal(vfs_path_string(&found, in, buf, sizeof(buf), &text), 0);
	assert_string_equal(text, path);
	path_put(&found);
}

/* Objects by their numbers, as open_by_handle_at finds them. */
static void test_find_by_ino(void **state)
{
	struct path in, found;
	uint64_t file, dir;

	assert_int_equal(vfs_lookup(&fx.ctx, LINUX_AT_FDCWD, "/", 0, &in), 0);
	assert_int_equal(vfs_mkdir(&fx.ctx, LINUX_AT_FDCWD, "/a", 0755), 0);
	assert_int_equal(vfs_mkdir(&fx.ctx, LINUX_AT_FDCWD, "/b", 0755), 0);
	assert_int_equal(vfs_mkdir(&fx.ctx, LINUX_AT_FDCWD, "/a/b", 0755), 0);
	assert_int_equal(vfs_mkdir(&fx.ctx, LINUX_AT_FDCWD, "/a/b/c", 0755), 0);
	file_put(create("/a/b/c/f"));
	file = ino_of("/a/b/c/f");
	dir = ino_of("/a/b/c");
	assert_found(&in, file, "/a/b/c/f");
	assert_found(&in, dir, "/a/b/c");
	assert_found(&in, ino_of("/b"), "/b");
	assert_found(&in, in.dentry->inode->ino, "/");
	assert_int_equal(vfs_rename(&fx.ctx, LINUX_AT_FDCWD, "/a/b", LINUX_AT_FDCWD, "/b/d", 0), 0);
	assert_found(&in, file, "/b/d/c/f");
	assert_int_equal(vfs_unlink(&fx.ctx, LINUX_AT_FDCWD, "/b/d/c/f"), 0);
	assert_int_equal(vfs_find_by_ino(&in, file, &found), -ESTALE);
	assert_int_equal(vfs_rmdir(&fx.ctx, LINUX_AT_FDCWD, "/b/d/c"), 0);
	assert_int_equal(vfs_find_by_ino(&in, dir, &found), -ESTALE);
	assert_int_equal(vfs_find_by_ino(&in, 0, &found), -ESTALE);
	path_put(&in);
}

static void test_deep_tree_is_freed(void **state)
{
	struct user_namespace *ns;
	struct super_block *sb;
	struct vfs_fixture deep;
	struct path cwd;

	assert_int_equal(user_namespace_new_root(&ns), 0);
	assert_int_equal(tmpfs_new(NULL, ns, &sb), 0);
	user_namespace_put(ns);
	vfs_fixture_start(&deep, sb);
	for (int i = 0; i < 20000; i++) {
		assert_int_equal(fx_mkdir(&deep, "d", 0755), 0);
		assert_int_equal(vfs_lookup(&deep.ctx, LINUX_AT_FDCWD, "d", 0, &cwd), 0);
		path_put(&deep.fs->cwd);
		deep.fs->cwd = cwd;
	}
	vfs_fixture_end(&deep);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_growth),
		CASE(test_inline_truncate),
		CASE(test_limits),
		CASE(test_holes),
		CASE(test_mapping_rights),
		CASE(test_append_and_position),
		CASE(test_memfd),
		CASE(test_record_locks),
		CASE(test_flock),
		CASE(test_lock_waits_and_deadlock),
		CASE(test_inotify),
		CASE(test_find_by_ino),
		CASE(test_deep_tree_is_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

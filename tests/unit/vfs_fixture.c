/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/vfs_fixture.h"

#include "sentry/vfs/dentry_cache.h"

void vfs_fixture_start(struct vfs_fixture *f, struct super_block *sb)
{
	struct path root;

	memset(f, 0, sizeof(*f));
	host_memfd_init(open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	assert_int_equal(vfs_init(), 0);
	assert_int_equal(user_namespace_new_root(&f->user_ns), 0);
	f->root = credentials_new_root(f->user_ns);
	assert_non_null(f->root);
	f->user = credentials_copy(f->root);
	assert_non_null(f->user);
	f->user->uid = f->user->euid = f->user->suid = f->user->fsuid = 1000;
	f->user->gid = f->user->egid = f->user->sgid = f->user->fsgid = 1000;
	f->user->permitted = f->user->effective = f->user->inheritable = 0;
	if (!sb)
		assert_int_equal(tmpfs_new(&(struct tmpfs_options){ .mode = 0755 }, f->user_ns, &sb), 0);
	assert_int_equal(mount_namespace_new(sb, MOUNT_RELATIME, f->user_ns, &f->mounts), 0);
	super_block_put(sb);
	mount_namespace_root(f->mounts, &root);
	assert_int_equal(fs_context_new(&root, &root, 022, &f->fs), 0);
	path_put(&root);
	assert_int_equal(fd_table_new(&f->fds), 0);
	f->ctx = (struct vfs_context){ .cred = f->root, .fs = f->fs, .fds = f->fds,
				       .fsize_limit = UINT64_MAX, .tgid = 1 };
}

void vfs_fixture_end(struct vfs_fixture *f)
{
	fd_table_put(f->fds);
	fs_context_put(f->fs);
	mount_namespace_put(f->mounts);
	credentials_put(f->root);
	credentials_put(f->user);
	user_namespace_put(f->user_ns);
	/* everything is gone with its super block: no dentry outlives the mounts */
	assert_int_equal(dentry_cache_shrink(), 0);
}

void vfs_fixture_as_root(struct vfs_fixture *f)
{
	f->ctx.cred = f->root;
}

void vfs_fixture_as_user(struct vfs_fixture *f)
{
	f->ctx.cred = f->user;
}

int fx_mkdir(struct vfs_fixture *f, const char *path, uint32_t mode)
{
	return vfs_mkdir(&f->ctx, LINUX_AT_FDCWD, path, mode);
}

int fx_open(struct vfs_fixture *f, const char *path, uint64_t flags, uint32_t mode, struct file **out)
{
	struct open_how how = { .flags = flags, .mode = mode };

	return vfs_open(&f->ctx, LINUX_AT_FDCWD, path, &how, out);
}

ssize_t fx_pwrite(struct file *file, const void *buf, size_t size, uint64_t pos)
{
	struct io_iter it;

	io_iter_init_buffer(&it, (void *)(uintptr_t)buf, size);
	return vfs_write(file, &it, &pos, UINT64_MAX);
}

ssize_t fx_pread(struct file *file, void *buf, size_t size, uint64_t pos)
{
	struct io_iter it;

	io_iter_init_buffer(&it, buf, size);
	return vfs_read(file, &it, &pos);
}

int fx_write(struct vfs_fixture *f, const char *path, const char *text)
{
	struct file *file;
	ssize_t n;
	int rc = fx_open(f, path, LINUX_O_WRONLY | LINUX_O_CREAT | LINUX_O_TRUNC, 0666, &file);

	if (rc < 0)
		return rc;
	n = fx_pwrite(file, text, strlen(text), 0);
	file_put(file);
	return n == (ssize_t)strlen(text) ? 0 : -EIO;
}

const char *fx_read(struct vfs_fixture *f, const char *path, char *buf, size_t size)
{
	struct file *file;
	ssize_t n;
	int rc = fx_open(f, path, LINUX_O_RDONLY, 0, &file);

	if (rc < 0) {
		snprintf(buf, size, "E%d", -rc);
		return buf;
	}
	n = fx_pread(file, buf, size - 1, 0);
	file_put(file);
	if (n < 0)
		snprintf(buf, size, "E%d", (int)-n);
	else
		buf[n] = '\0';
	return buf;
}

int fx_lookup(struct vfs_fixture *f, const char *path, uint32_t flags)
{
	struct path p;
	int rc = vfs_lookup(&f->ctx, LINUX_AT_FDCWD, path, flags, &p);

	if (rc == 0)
		path_put(&p);
	return rc;
}

int fx_attr(struct vfs_fixture *f, const char *path, struct inode_attr *out, uint64_t *ino)
{
	struct path p;
	int rc = vfs_lookup(&f->ctx, LINUX_AT_FDCWD, path, 0, &p);

	if (rc < 0)
		return rc;
	rc = vfs_getattr(&p, out);
	if (ino)
		*ino = p.dentry->inode->ino;
	path_put(&p);
	return rc;
}

#define NAMES_MAX 4096

struct name_list {
	struct dir_context ctx; /* first */
	char *names[NAMES_MAX];
	size_t count;
	size_t budget; /* entries of this call */
};

static bool collect(struct dir_context *ctx, const char *name, size_t name_size, uint64_t next_pos,
		    uint64_t ino, uint32_t d_type)
{
	struct name_list *l = (struct name_list *)ctx;

	if (!l->budget)
		return false;
	l->budget--;
	if ((name_size == 1 && name[0] == '.') || (name_size == 2 && name[0] == '.' && name[1] == '.'))
		return true;
	assert_true(l->count < NAMES_MAX);
	l->names[l->count++] = strndup(name, name_size);
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

const char *fx_list(struct vfs_fixture *f, const char *path, char *buf, size_t size)
{
	struct name_list *l = calloc(1, sizeof(*l));
	struct file *file;
	size_t used = 0;
	int rc = fx_open(f, path, LINUX_O_RDONLY | LINUX_O_DIRECTORY, 0, &file);

	buf[0] = '\0';
	if (rc < 0) {
		free(l);
		snprintf(buf, size, "E%d", -rc);
		return buf;
	}
	l->ctx.emit = collect;
	do {
		l->budget = 3; /* small buffers, so that listings are continued */
		rc = vfs_iterate(file, &l->ctx);
	} while (rc == 0 && l->budget == 0);
	file_put(file);
	qsort(l->names, l->count, sizeof(l->names[0]), by_name);
	for (size_t i = 0; i < l->count; i++) {
		used += (size_t)snprintf(buf + used, size - used, "%s%s", i ? " " : "", l->names[i]);
		free(l->names[i]);
	}
	free(l);
	return buf;
}

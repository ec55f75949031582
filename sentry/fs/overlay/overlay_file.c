/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open files.  What has an upper is opened by the upper, in place: the guest's file
 * is then an ordinary tmpfs file.  A lower file open for reading goes through a file
 * of the lower, and changes over to the upper once somebody had it copied up;
 * mappings made before stay with the lower's bytes, as on Linux.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/abi/fs.h"
#include "sentry/fs/overlay/overlay_private.h"

struct lower_open {
	struct file *lower;		/* reference; does not change */
	_Atomic(struct file *) upper;	/* reference, or NULL until copied up */
};

/* Its dentry is the layer's root: nothing looks at it, and one more is not needed. */
int overlay_open_real(struct inode *real, uint32_t flags, struct file **out)
{
	struct file *file;
	int rc = file_new(NULL, real, NULL, real->sb->root, flags, NULL, &file);

	if (rc < 0)
		return rc;
	rc = real->ops->open ? real->ops->open(real, file) : -ENXIO;
	if (rc < 0) {
		static const struct file_ops nothing;

		file->ops = &nothing;
		file_put(file);
		return rc;
	}
	file->seekable = file->ops->llseek;
	*out = file;
	return 0;
}

/* The file to use now, borrowed. */
static int real_file(struct file *file, struct file **out)
{
	struct lower_open *o = file->private_data;
	struct inode *inode = overlay_upper(file->inode);
	struct file *upper = atomic_load(&o->upper), *none = NULL;
	int rc;

	if (!inode) {
		*out = o->lower;
		return 0;
	}
	if (!upper) {
		rc = overlay_open_real(inode, LINUX_O_RDONLY, &upper);
		if (rc < 0)
			return rc;
		if (!atomic_compare_exchange_strong(&o->upper, &none, upper)) {
			file_put(upper);
			upper = none;
		}
	}
	*out = upper;
	return 0;
}

static ssize_t overlay_read(struct file *file, struct io_iter *to, uint64_t *pos)
{
	struct file *real;
	int rc = real_file(file, &real);

	return rc < 0 ? rc : real->ops->read(real, to, pos);
}

/* The real file's position is only a place to pass it through; ours is locked. */
static int64_t overlay_llseek(struct file *file, int64_t offset, int whence)
{
	struct file *real;
	int64_t at;
	int rc = real_file(file, &real);

	if (rc < 0)
		return rc;
	real->position = file->position;
	at = real->ops->llseek(real, offset, whence);
	if (at >= 0)
		file->position = (uint64_t)at;
	return at;
}

static int overlay_map(struct file *file, uint64_t offset, uint64_t size, int prot, bool shared, int *fd,
		       uint64_t *host_offset)
{
	struct file *real;
	int rc = real_file(file, &real);

	if (rc < 0)
		return rc;
	return real->ops->map ? real->ops->map(real, offset, size, prot, shared, fd, host_offset) : -ENODEV;
}

static int overlay_fsync(struct file *file, bool data_only)
{
	return 0;
}

static void overlay_release(struct file *file)
{
	struct lower_open *o = file->private_data;

	file_put(o->lower);
	file_put(o->upper);
	free(o);
}

static const struct file_ops overlay_lower_file_ops = {
	.read = overlay_read,
	.llseek = overlay_llseek,
	.map = overlay_map,
	.fsync = overlay_fsync,
	.release = overlay_release,
};

static int open_lower(struct inode *inode, struct file *file)
{
	struct lower_open *o = calloc(1, sizeof(*o));
	int rc;

	if (!o)
		return -ENOMEM;
	rc = overlay_open_real(overlay_node(inode)->lower, LINUX_O_RDONLY, &o->lower);
	if (rc < 0) {
		free(o);
		return rc;
	}
	file->private_data = o;
	file->ops = &overlay_lower_file_ops;
	return 0;
}

int overlay_open(struct inode *inode, struct file *file)
{
	struct inode *upper;
	int rc = file->can_write ? overlay_copy_up(inode, !file->will_truncate) : 0;

	if (rc < 0)
		return rc;
	upper = overlay_upper(inode);
	if (!upper)
		return open_lower(inode, file);
	return upper->ops->open ? upper->ops->open(upper, file) : -ENXIO;
}

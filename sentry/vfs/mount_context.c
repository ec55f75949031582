/* SPDX-License-Identifier: Apache-2.0 */
/* See mount_context.h. */
#include "sentry/vfs/mount_context.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"
#include "sentry/vfs/mount_tree.h"
#include "util/checked.h"
#include "util/cleanup.h"

enum phase {
	SETS_NEW,      /* options of what is to be made */
	AWAITS_MOUNT,  /* made */
	AWAITS_CHANGE, /* mounted or changed: the next option or command begins a change */
	SETS_CHANGE,   /* options of a change */
	FAILED,	       /* for good */
};

struct mount_context {
	struct mutex lock;	 /* LOCK_RANK_MOUNT_CONTEXT */
	enum phase phase;	 /* lock */
	struct fs_config config; /* lock */
};

/* --- the file ------------------------------------------------------------------------------- */

static void context_free(struct mount_context *m)
{
	fs_config_end(&m->config);
	mutex_destroy(&m->lock);
	free(m);
}

static void context_release(struct file *file)
{
	context_free(file->private_data);
}

/* Linux reads an iovec buffer by buffer: a message is not spread over several. */
static uint64_t first_buffer(const struct io_iter *it)
{
	return it->mm && it->segment_count
		       ? MIN(it->count, it->segments[0].size - it->segment_offset)
		       : it->count;
}

/* A message that cannot be copied out is lost, as on Linux. */
static ssize_t context_read(struct file *file, struct io_iter *to, uint64_t *pos)
{
	struct mount_context *m = file->private_data;
	AUTO_FREE char *message = NULL;
	size_t size;
	int rc;

	mutex_lock(&m->lock);
	rc = fs_config_take_message(&m->config, first_buffer(to), &message);
	mutex_unlock(&m->lock);
	if (rc < 0)
		return rc;
	size = strlen(message);
	return io_iter_copy_to(to, message, size) == (ssize_t)size ? (ssize_t)size : -EFAULT;
}

static const struct file_ops context_ops = {
	.release = context_release,
	.read = context_read,
	.plain_read = true,
};

bool file_is_mount_context(const struct file *file)
{
	return file->ops == &context_ops;
}

static struct mount_context *context_new(enum phase phase)
{
	struct mount_context *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	mutex_init(&m->lock, LOCK_RANK_MOUNT_CONTEXT);
	m->phase = phase;
	return m;
}

/* Takes over @m, whose configuration began with @rc. */
static int context_file(struct mount_context *m, int rc, struct file **out)
{
	m->config.logs = true;
	if (rc == 0)
		rc = file_new_anonymous(&context_ops, "anon_inode:[fscontext]", 0600, LINUX_O_RDWR,
					m, out);
	if (rc < 0)
		context_free(m);
	return rc;
}

int mount_context_open(const struct file_system_type *type, const struct credentials *cred,
		       struct file **out)
{
	struct mount_context *m = context_new(SETS_NEW);

	return m ? context_file(m, fs_config_begin(type, cred, &m->config), out) : -ENOMEM;
}

int mount_context_pick(const struct path *at, const struct credentials *cred, struct file **out)
{
	struct mount_context *m;

	if (!mount_is_root(at))
		return -EINVAL;
	m = context_new(SETS_CHANGE);
	return m ? context_file(m, fs_config_begin_change(at->dentry->sb, cred, &m->config), out)
		 : -ENOMEM;
}

/* --- what is done with it ------------------------------------------------------------------- */

static int begin_change_locked(struct mount_context *m)
{
	int rc;

	if (m->phase != AWAITS_CHANGE)
		return 0;
	rc = fs_config_begin_again(&m->config);
	m->phase = rc < 0 ? FAILED : SETS_CHANGE;
	return rc;
}

static int set_locked(struct mount_context *m, const struct credentials *caller,
		      const struct fs_parameter *p)
{
	int rc = begin_change_locked(m);

	if (rc < 0)
		return rc;
	if (m->phase != SETS_NEW && m->phase != SETS_CHANGE)
		return -EBUSY;
	return fs_config_set(&m->config, caller, p);
}

static int create_locked(struct mount_context *m, const struct credentials *caller, bool exclusive)
{
	int rc = begin_change_locked(m);

	if (rc < 0)
		return rc;
	if (m->phase != SETS_NEW)
		return -EBUSY;
	rc = fs_config_may_create(&m->config, caller);
	if (rc < 0)
		return rc;
	rc = fs_config_create(&m->config, exclusive);
	m->phase = rc < 0 ? FAILED : AWAITS_MOUNT;
	return rc;
}

static int reconfigure_locked(struct mount_context *m, const struct credentials *caller)
{
	int rc = begin_change_locked(m);

	if (rc < 0)
		return rc;
	if (m->phase != SETS_CHANGE)
		return -EBUSY;
	if (credentials_ns_capable(caller, m->config.sb->user_ns, LINUX_CAP_SYS_ADMIN))
		rc = fs_config_reconfigure(&m->config);
	else
		rc = -EPERM;
	if (rc == 0)
		fs_config_clear(&m->config);
	m->phase = rc < 0 ? FAILED : AWAITS_CHANGE;
	return rc;
}

static int mount_locked(struct mount_context *m, const struct mount_namespace *own, uint32_t flags,
			struct file **out)
{
	struct fs_config *c = &m->config;
	uint32_t locked_flags = 0;

	if (!c->sb)
		return -EINVAL;
	if (c->type && c->type->revealing && !mount_is_shown(own, c->sb, flags, &locked_flags)) {
		fs_config_log(c, 'e', "VFS: Mount too revealing");
		return -EPERM;
	}
	if (m->phase != AWAITS_MOUNT)
		return -EBUSY;
	fs_config_clear(c);
	m->phase = AWAITS_CHANGE;
	return vfs_open_new_detached(own, c->cred, c->sb, flags, locked_flags, out);
}

int mount_context_set(struct file *file, const struct credentials *caller,
		      const struct fs_parameter *p)
{
	struct mount_context *m = file->private_data;
	int rc;

	mutex_lock(&m->lock);
	rc = set_locked(m, caller, p);
	mutex_unlock(&m->lock);
	return rc;
}

int mount_context_create(struct file *file, const struct credentials *caller, bool exclusive)
{
	struct mount_context *m = file->private_data;
	int rc;

	mutex_lock(&m->lock);
	rc = create_locked(m, caller, exclusive);
	mutex_unlock(&m->lock);
	return rc;
}

int mount_context_reconfigure(struct file *file, const struct credentials *caller)
{
	struct mount_context *m = file->private_data;
	int rc;

	mutex_lock(&m->lock);
	rc = reconfigure_locked(m, caller);
	mutex_unlock(&m->lock);
	return rc;
}

int mount_context_mount(struct file *file, const struct mount_namespace *own, uint32_t flags,
			struct file **out)
{
	struct mount_context *m = file->private_data;
	int rc;

	mutex_lock(&m->lock);
	rc = mount_locked(m, own, flags, out);
	mutex_unlock(&m->lock);
	return rc;
}

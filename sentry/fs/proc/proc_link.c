/* SPDX-License-Identifier: Apache-2.0 */
/* exe, cwd and root of a process: links to the object itself, for those who may trace it. */
#include "sentry/fs/proc/proc_internal.h"

#include <errno.h>

typedef int (*find_fn)(struct task *t, struct path *out);

static int find_exe(struct task *t, struct path *out)
{
	struct mm *mm = task_mm_get(t);
	struct mappable *exe = mm ? mm_exe_file_get(mm) : NULL;
	struct file *file = file_from_mappable(exe);
	int rc = -ENOENT;

	if (file) {
		struct path p = { file->mount, file->dentry };

		*out = path_get(&p);
		rc = 0;
	}
	if (exe)
		exe->ops->put(exe);
	mm_put(mm);
	return rc;
}

static int find_in_fs(struct task *t, bool root, struct path *out)
{
	struct fs_context *fs = task_fs_get(t);

	if (!fs)
		return -ENOENT;
	mutex_lock(&fs->lock);
	*out = path_get(root ? &fs->root : &fs->cwd);
	mutex_unlock(&fs->lock);
	fs_context_put(fs);
	return 0;
}

static int find_cwd(struct task *t, struct path *out)
{
	return find_in_fs(t, false, out);
}

static int find_root(struct task *t, struct path *out)
{
	return find_in_fs(t, true, out);
}

static int get(const struct proc_call *c, find_fn find, struct path *out)
{
	if (!proc_may_access(c->task, PTRACE_MODE_READ | PTRACE_MODE_FSCREDS))
		return -EACCES;
	return find(c->task, out);
}

static int readlink_of(const struct proc_call *c, find_fn find, char **out)
{
	struct path p;
	int rc = get(c, find, &p);

	if (rc < 0)
		return rc;
	rc = proc_path_text(&p, out);
	path_put(&p);
	return rc;
}

int proc_get_exe(const struct proc_call *c, struct path *out)
{
	return get(c, find_exe, out);
}

int proc_get_cwd(const struct proc_call *c, struct path *out)
{
	return get(c, find_cwd, out);
}

int proc_get_root(const struct proc_call *c, struct path *out)
{
	return get(c, find_root, out);
}

int proc_readlink_exe(const struct proc_call *c, char **out)
{
	return readlink_of(c, find_exe, out);
}

int proc_readlink_cwd(const struct proc_call *c, char **out)
{
	return readlink_of(c, find_cwd, out);
}

int proc_readlink_root(const struct proc_call *c, char **out)
{
	return readlink_of(c, find_root, out);
}

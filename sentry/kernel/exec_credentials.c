/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How credentials change in execve: capabilities(7), as cap_bprm_creds_from_file
 * of Linux computes it.  Pure: from old credentials and a file to new credentials.
 */
#include <errno.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/cred/user_namespace.h"
#include "sentry/kernel/task_exec.h"
#include "sentry/vfs/file_caps.h"

#define S_ISUID_BIT 04000
#define S_ISGID_BIT 02000
#define S_IXGRP_BIT 00010

struct file_caps {
	bool present, effective;
	uint64_t permitted, inheritable;
};

static bool may_suid(const struct credentials *old, struct file *file)
{
	if (file->mount && (atomic_load(&file->mount->flags) & MOUNT_NOSUID))
		return false;
	/* Who is root in a namespace of its own makes no set-id files for those outside. */
	return user_namespace_is_descendant(old->user_ns, file->inode->sb->user_ns);
}

static void apply_set_id(struct credentials *cred, struct file *file)
{
	struct user_namespace *ns = cred->user_ns;
	struct inode_attr attr;

	inode_attr_read(file->inode, &attr);
	/* Both, or neither counts. */
	if (uid_to_kernel(ns, uid_from_kernel(ns, attr.uid)) != attr.uid ||
	    gid_to_kernel(ns, gid_from_kernel(ns, attr.gid)) != attr.gid)
		return;
	if (attr.mode & S_ISUID_BIT)
		cred->euid = attr.uid;
	if ((attr.mode & (S_ISGID_BIT | S_IXGRP_BIT)) == (S_ISGID_BIT | S_IXGRP_BIT))
		cred->egid = attr.gid;
}

/* Little endian on disk, as this machine is. */
static int read_file_caps(const struct credentials *cred, struct file *file, struct file_caps *out)
{
	struct linux_vfs_cap_data raw = { 0 };
	struct inode *inode = file->inode;
	uint32_t revision;
	ssize_t size;

	memset(out, 0, sizeof(*out));
	if (!inode->ops->getxattr)
		return 0;
	size = inode->ops->getxattr(inode, LINUX_XATTR_NAME_CAPS, &raw, sizeof(raw));
	if (size == -ENODATA || size == -EOPNOTSUPP)
		return 0;
	if (size < (ssize_t)sizeof(raw.magic_etc))
		return size < 0 ? (int)size : -EINVAL;
	revision = raw.magic_etc & LINUX_VFS_CAP_REVISION_MASK;
	if (!((revision == LINUX_VFS_CAP_REVISION_1 && size == LINUX_VFS_CAP_SIZE_1) ||
	      (revision == LINUX_VFS_CAP_REVISION_2 && size == LINUX_VFS_CAP_SIZE_2) ||
	      (revision == LINUX_VFS_CAP_REVISION_3 && size == LINUX_VFS_CAP_SIZE_3)))
		return -EINVAL;
	if (!file_caps_count(inode, cred, &raw, (size_t)size))
		return 0;
	out->present = true;
	out->effective = raw.magic_etc & LINUX_VFS_CAP_FLAGS_EFFECTIVE;
	out->permitted = raw.data[0].permitted;
	out->inheritable = raw.data[0].inheritable;
	if (revision != LINUX_VFS_CAP_REVISION_1) {
		out->permitted |= (uint64_t)raw.data[1].permitted << 32;
		out->inheritable |= (uint64_t)raw.data[1].inheritable << 32;
	}
	out->permitted &= CAPABILITY_FULL_SET;
	out->inheritable &= CAPABILITY_FULL_SET;
	return 0;
}

static void apply_root(struct credentials *cred, const struct credentials *old,
		       const struct file_caps *caps, uint32_t root, bool *effective)
{
	if (old->securebits & LINUX_SECBIT_NOROOT)
		return;
	/* A set-uid-root program with file capabilities gets only those. */
	if (caps->present && cred->uid != root && cred->euid == root)
		return;
	if (cred->euid == root || cred->uid == root)
		cred->permitted = old->bounding | old->inheritable;
	if (cred->euid == root)
		*effective = true;
}

/* No more than before, for who may not gain privileges. */
static void withhold(struct credentials *cred, const struct credentials *old)
{
	if (!credentials_capable(old, LINUX_CAP_SETUID) || old->no_new_privs) {
		cred->euid = cred->uid;
		cred->egid = cred->gid;
	}
	cred->permitted &= old->permitted;
}

int exec_credentials(const struct credentials *old, struct file *file, bool watched,
		     struct credentials **out, bool *secure)
{
	struct credentials *cred = credentials_copy(old);
	struct file_caps caps = { 0 };
	uint32_t root = uid_to_kernel(old->user_ns, 0);
	bool effective = false, set_id;
	int rc = 0;

	if (!cred)
		return -ENOMEM;
	cred->permitted = 0;
	if (may_suid(old, file)) {
		if (!old->no_new_privs)
			apply_set_id(cred, file);
		rc = read_file_caps(old, file, &caps);
	}
	if (!rc && caps.present) {
		cred->permitted = (old->bounding & caps.permitted) |
				  (old->inheritable & caps.inheritable);
		effective = caps.effective;
		/* A program that is not aware must not run with less than it asks for. */
		if (effective && (caps.permitted & ~cred->permitted))
			rc = -EPERM;
	}
	if (rc) {
		credentials_put(cred);
		return rc;
	}
	apply_root(cred, old, &caps, root, &effective);
	set_id = cred->euid != old->uid || cred->egid != old->gid;
	if ((old->no_new_privs || watched) && (set_id || (cred->permitted & ~old->permitted)))
		withhold(cred, old);
	cred->suid = cred->fsuid = cred->euid;
	cred->sgid = cred->fsgid = cred->egid;
	if (caps.present || set_id)
		cred->ambient = 0;
	cred->permitted |= cred->ambient;
	cred->effective = effective ? cred->permitted : cred->ambient;
	cred->securebits &= ~LINUX_SECBIT_KEEP_CAPS;
	*secure = set_id || (cred->uid != root &&
			     (effective || (cred->permitted & ~cred->ambient)));
	*out = cred;
	return 0;
}

struct program_identity exec_identity(const struct credentials *cred, bool secure)
{
	return (struct program_identity){
		.uid = uid_from_kernel(cred->user_ns, cred->uid),
		.euid = uid_from_kernel(cred->user_ns, cred->euid),
		.gid = gid_from_kernel(cred->user_ns, cred->gid),
		.egid = gid_from_kernel(cred->user_ns, cred->egid),
		.secure = secure,
	};
}

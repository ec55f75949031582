/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File capabilities and user namespaces.  Stored is version 2, for root of the file system's
 * namespace, or version 3, for root of a namespace below it, named by root's id in the file
 * system's.  So who is root only in a namespace of its own gives nobody else a capability.
 */
#include "config.h"

#include "sentry/vfs/file_caps.h"

#include <errno.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/cred/credentials.h"
#include "sentry/vfs/inode.h"
#include "sentry/vfs/permission.h"

static uint32_t revision_of(const struct linux_vfs_cap_data *data)
{
	return data->magic_etc & LINUX_VFS_CAP_REVISION_MASK;
}

static bool is_version_2(const struct linux_vfs_cap_data *data, size_t size)
{
	return size == LINUX_VFS_CAP_SIZE_2 && revision_of(data) == LINUX_VFS_CAP_REVISION_2;
}

static bool is_version_3(const struct linux_vfs_cap_data *data, size_t size)
{
	return size == LINUX_VFS_CAP_SIZE_3 && revision_of(data) == LINUX_VFS_CAP_REVISION_3;
}

static bool is_mapped(struct user_namespace *ns, uint32_t kuid)
{
	return uid_to_kernel(ns, uid_from_kernel(ns, kuid)) == kuid;
}

static void set_revision(struct linux_vfs_cap_data *data, uint32_t revision)
{
	data->magic_etc = revision | (data->magic_etc & LINUX_VFS_CAP_FLAGS_EFFECTIVE);
}

ssize_t file_caps_import(struct inode *inode, const struct credentials *cred, const void *value,
			 size_t size, struct linux_vfs_cap_data *out)
{
	struct user_namespace *fs_ns = inode->sb->user_ns;
	struct linux_vfs_cap_data data = { 0 };
	struct inode_attr attr;
	uint32_t kroot;

	if (size != LINUX_VFS_CAP_SIZE_2 && size != LINUX_VFS_CAP_SIZE_3)
		return -EINVAL;
	memcpy(&data, value, size);
	if (!is_version_2(&data, size) && !is_version_3(&data, size))
		return -EINVAL;
	inode_attr_read(inode, &attr);
	if (!inode_capable(&attr, cred, LINUX_CAP_SETFCAP))
		return -EPERM;
	if (size == LINUX_VFS_CAP_SIZE_2 && credentials_ns_capable(cred, fs_ns, LINUX_CAP_SETFCAP)) {
		*out = data;
		return LINUX_VFS_CAP_SIZE_2;
	}
	/* rootid is 0 in version 2: the caller's root. */
	kroot = uid_to_kernel(cred->user_ns, data.rootid);
	if (kroot == ID_INVALID || !is_mapped(fs_ns, kroot))
		return -EINVAL;
	data.rootid = uid_from_kernel(fs_ns, kroot);
	set_revision(&data, LINUX_VFS_CAP_REVISION_3);
	*out = data;
	return LINUX_VFS_CAP_SIZE_3;
}

static bool is_root_here(struct user_namespace *ns, uint32_t kuid)
{
	for (; ns; ns = ns->parent)
		if (uid_to_kernel(ns, 0) == kuid)
			return true;
	return false;
}

ssize_t file_caps_export(struct inode *inode, const struct credentials *cred,
			 struct linux_vfs_cap_data *data, size_t size)
{
	uint32_t kroot;

	if (!is_version_2(data, size) && !is_version_3(data, size))
		return -EINVAL;
	kroot = uid_to_kernel(inode->sb->user_ns, size == LINUX_VFS_CAP_SIZE_3 ? data->rootid : 0);
	if (kroot != ID_INVALID && is_mapped(cred->user_ns, kroot) &&
	    uid_from_kernel(cred->user_ns, kroot) != 0) {
		data->rootid = uid_from_kernel(cred->user_ns, kroot);
		set_revision(data, LINUX_VFS_CAP_REVISION_3);
		return LINUX_VFS_CAP_SIZE_3;
	}
	if (kroot == ID_INVALID || !is_root_here(cred->user_ns, kroot))
		return -EOVERFLOW;
	set_revision(data, LINUX_VFS_CAP_REVISION_2);
	return LINUX_VFS_CAP_SIZE_2;
}

bool file_caps_count(struct inode *inode, const struct credentials *cred,
		     const struct linux_vfs_cap_data *data, size_t size)
{
	uint32_t kroot = uid_to_kernel(inode->sb->user_ns,
				       is_version_3(data, size) ? data->rootid : 0);

	return kroot != ID_INVALID && is_root_here(cred->user_ns, kroot);
}

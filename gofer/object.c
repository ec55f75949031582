/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reaching host files.  A name is resolved with openat2(RESOLVE_BENEATH |
 * NO_SYMLINKS | NO_MAGICLINKS) where the kernel has it, else with O_NOFOLLOW, which
 * for one component gives the same.  What an O_PATH FD names is re-opened through
 * /proc/self/fd, so that nothing can be put in its place between check and use.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gofer/call.h"
#include "util/cleanup.h"

#define RESOLVE_FLAGS (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)
#define COMPONENT_FLAGS (O_PATH | O_NOFOLLOW | O_CLOEXEC)

static bool have_openat2 = true; /* set before the first request, then does not change */

static int openat2_component(int dir_fd, const char *name, int flags)
{
	struct open_how how = { .flags = (uint64_t)(uint32_t)flags, .resolve = RESOLVE_FLAGS };

	return (int)syscall(SYS_openat2, dir_fd, name, &how, sizeof(how));
}

void open_component_probe(void)
{
	int fd = openat2_component(AT_FDCWD, ".", COMPONENT_FLAGS);

	have_openat2 = fd >= 0;
	if (fd >= 0)
		close(fd);
}

int open_component(int dir_fd, const char *name, int flags)
{
	int fd = have_openat2 ? openat2_component(dir_fd, name, COMPONENT_FLAGS | flags)
			      : openat(dir_fd, name, COMPONENT_FLAGS | flags);

	if (fd >= 0)
		return fd;
	return errno == EMFILE ? -ENFILE : -errno;
}

struct fd_name fd_name(int fd)
{
	struct fd_name name;

	snprintf(name.text, sizeof(name.text), "%d", fd);
	return name;
}

int reopen(const struct gofer_call *call, int fd, int flags)
{
	struct fd_name name = fd_name(fd);
	int opened = openat(call->connection->server->proc_fd, name.text, flags | O_CLOEXEC | O_NOCTTY);

	if (opened >= 0)
		return opened;
	return errno == EMFILE ? -ENFILE : -errno;
}

static struct gofer_time time_from_statx(const struct statx_timestamp *t)
{
	return (struct gofer_time){ .sec = t->tv_sec, .nsec = t->tv_nsec };
}

int attr_read(int fd, const char *name, struct gofer_attr *attr)
{
	struct statx st;
	int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*name ? 0 : AT_EMPTY_PATH);

	if (statx(fd, name, flags, STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID, &st) < 0)
		return -errno;
	*attr = (struct gofer_attr){
		.dev = (uint64_t)st.stx_dev_major << 32 | st.stx_dev_minor,
		.ino = st.stx_ino,
		.size = st.stx_size,
		.blocks = st.stx_blocks,
		.rdev = (uint64_t)st.stx_rdev_major << 32 | st.stx_rdev_minor,
		.mode = st.stx_mode,
		.nlink = st.stx_nlink,
		.uid = st.stx_uid,
		.gid = st.stx_gid,
		.blksize = st.stx_blksize,
		.mount_id = (uint32_t)st.stx_mnt_id,
		.atime = time_from_statx(&st.stx_atime),
		.mtime = time_from_statx(&st.stx_mtime),
		.ctime = time_from_statx(&st.stx_ctime),
		.btime = time_from_statx(&st.stx_btime),
	};
	return 0;
}

int call_node_fd(const struct gofer_call *call, uint64_t node)
{
	const struct gofer_node *found = gofer_node_find(&call->connection->nodes, node);

	return found ? found->fd : -ESTALE;
}

int call_object_fd(const struct gofer_call *call, uint64_t node, const char *name, int *opened)
{
	int fd = call_node_fd(call, node);

	if (fd < 0 || !*name)
		return fd;
	fd = open_component(fd, name, 0);
	if (fd >= 0)
		*opened = fd;
	return fd;
}

int call_add_node(struct gofer_call *call, int *fd, uint32_t mode, uint64_t *id)
{
	return gofer_node_add(&call->connection->nodes, fd, mode & S_IFMT, id);
}

int attr_settle(const struct gofer_call *call, int fd, uint32_t mode, uint32_t uid, uint32_t gid,
		struct gofer_attr *attr)
{
	struct fd_name name = fd_name(fd);
	bool changed = attr->uid != uid || attr->gid != gid;

	if (changed && fchownat(fd, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISLNK(attr->mode) && ((attr->mode ^ mode) & 07777 || (changed && mode & 07000))) {
		if (fchmodat(call->connection->server->proc_fd, name.text, mode & 07777, 0) < 0)
			return -errno;
		changed = true;
	}
	return changed ? attr_read(fd, "", attr) : 0;
}

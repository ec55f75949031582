/* SPDX-License-Identifier: Apache-2.0 */
/* SETATTR and STATFS. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "gofer/call.h"
#include "util/cleanup.h"

#define NSEC_PER_SEC 1000000000u

static int set_size(struct gofer_call *call, int fd, uint64_t size)
{
	AUTO_CLOSE int writable = -1;
	struct gofer_attr attr;
	int err = attr_read(fd, "", &attr);

	if (err)
		return err;
	if (S_ISDIR(attr.mode))
		return -EISDIR;
	if (!S_ISREG(attr.mode) || size > INT64_MAX)
		return -EINVAL;
	writable = reopen(call, fd, O_WRONLY);
	if (writable < 0)
		return writable;
	return ftruncate(writable, (off_t)size) < 0 ? -errno : 0;
}

static int set_owner(int fd, const struct gofer_setattr_request *request)
{
	uid_t uid = request->mask & GOFER_SET_UID ? request->uid : (uid_t)-1;
	gid_t gid = request->mask & GOFER_SET_GID ? request->gid : (gid_t)-1;

	return fchownat(fd, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static struct timespec time_to_set(uint32_t mask, uint32_t set, uint32_t now,
				   const struct gofer_time *time)
{
	if (!(mask & set))
		return (struct timespec){ .tv_nsec = UTIME_OMIT };
	if (mask & now)
		return (struct timespec){ .tv_nsec = UTIME_NOW };
	return (struct timespec){ .tv_sec = time->sec, .tv_nsec = time->nsec };
}

static int set_times(int fd, const struct gofer_setattr_request *request)
{
	struct timespec times[2] = {
		time_to_set(request->mask, GOFER_SET_ATIME, GOFER_SET_ATIME_NOW, &request->atime),
		time_to_set(request->mask, GOFER_SET_MTIME, GOFER_SET_MTIME_NOW, &request->mtime),
	};

	return utimensat(fd, "", times, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int apply(struct gofer_call *call, int fd, const struct gofer_setattr_request *request)
{
	int err = 0;

	if (request->mask & GOFER_SET_SIZE)
		err = set_size(call, fd, request->size);
	if (!err && request->mask & (GOFER_SET_UID | GOFER_SET_GID))
		err = set_owner(fd, request);
	if (!err && request->mask & GOFER_SET_MODE) {
		struct fd_name self = fd_name(fd);

		/* On a symlink this is EOPNOTSUPP: the magic link leads to it, not through it. */
		if (fchmodat(call->connection->server->proc_fd, self.text, request->mode, 0) < 0)
			err = -errno;
	}
	if (!err && request->mask & (GOFER_SET_ATIME | GOFER_SET_MTIME))
		err = set_times(fd, request);
	return err;
}

static bool setattr_well_formed(const struct gofer_setattr_request *request)
{
	uint32_t mask = request->mask;

	if (mask & ~GOFER_SET_ALL || request->mode & ~07777u)
		return false;
	if (mask & GOFER_SET_ATIME_NOW && !(mask & GOFER_SET_ATIME))
		return false;
	if (mask & GOFER_SET_MTIME_NOW && !(mask & GOFER_SET_MTIME))
		return false;
	/* Values from 10^9 up would reach the kernel as UTIME_NOW and UTIME_OMIT. */
	return request->atime.nsec < NSEC_PER_SEC && request->mtime.nsec < NSEC_PER_SEC;
}

int gofer_serve_setattr(struct gofer_call *call)
{
	const struct gofer_setattr_request *request = call->request;
	struct gofer_setattr_reply *reply = call->reply;
	AUTO_CLOSE int opened = -1;
	const char *name;
	int fd, err;

	if (!setattr_well_formed(request) || call_take_object(call, &name) || call_end(call))
		return GOFER_VIOLATION;
	if ((request->mask & GOFER_SET_UID && request->uid == UINT32_MAX) ||
	    (request->mask & GOFER_SET_GID && request->gid == UINT32_MAX))
		return -EINVAL;
	fd = call_object_fd(call, request->object.node, name, &opened);
	if (fd < 0)
		return fd;
	err = apply(call, fd, request);
	return err ? err : attr_read(fd, "", &reply->attr);
}

int gofer_serve_statfs(struct gofer_call *call)
{
	const struct gofer_statfs_request *request = call->request;
	struct gofer_statfs_reply *reply = call->reply;
	struct statfs st;
	int fd;

	if (call_end(call))
		return GOFER_VIOLATION;
	fd = call_node_fd(call, request->node);
	if (fd < 0)
		return fd;
	if (fstatfs(fd, &st) < 0)
		return -errno;
	reply->type = (uint64_t)st.f_type;
	reply->block_size = (uint64_t)st.f_bsize;
	reply->fragment_size = (uint64_t)st.f_frsize;
	reply->blocks = st.f_blocks;
	reply->blocks_free = st.f_bfree;
	reply->blocks_available = st.f_bavail;
	reply->files = st.f_files;
	reply->files_free = st.f_ffree;
	reply->name_max = (uint64_t)st.f_namelen;
	reply->flags = (uint64_t)st.f_flags;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Ancillary data between a guest's control buffer and struct ancillary. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/fs.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/pidfd.h"
#include "sentry/net/file_batch.h"
#include "sentry/syscalls/socket_args.h"
#include "sentry/vfs/file.h"
#include "util/checked.h"
#include "util/cleanup.h"

#define CONTROL_MAX 131072U /* net.core.optmem_max */
#define HEADER sizeof(struct linux_cmsghdr)

/* --- from the guest --------------------------------------------------------------------- */

static int add_files(struct task *t, const uint8_t *data, uint64_t size, struct ancillary *out)
{
	uint64_t count = size / sizeof(int32_t);

	if (count > LINUX_SCM_MAX_FD)
		return -EINVAL;
	if (!count)
		return 0;
	if (!out->files)
		out->files = file_batch_new(LINUX_SCM_MAX_FD);
	if (!out->files)
		return -ENOMEM;
	if (out->files->count + count > LINUX_SCM_MAX_FD)
		return -EINVAL;
	for (uint64_t i = 0; i < count; i++) {
		struct file *file;
		int32_t fd;

		memcpy(&fd, data + i * sizeof(fd), sizeof(fd));
		file = fd < 0 ? NULL : fd_table_lookup_path(t->fds, fd);
		if (!file)
			return -EBADF;
		out->files->files[out->files->count++] = file;
	}
	return 0;
}

/* May the task claim to be this?  Linux's scm_check_creds. */
static bool may_claim(struct task *t, const struct linux_ucred *c, uint32_t uid, uint32_t gid)
{
	const struct credentials *cred = t->cred;

	if (c->pid != task_tgid_in(t, task_pid_namespace(t)) &&
	    !credentials_ns_capable(cred, task_pid_namespace(t)->user_ns, LINUX_CAP_SYS_ADMIN))
		return false;
	if (uid != cred->uid && uid != cred->euid && uid != cred->suid &&
	    !task_capable(t, LINUX_CAP_SETUID))
		return false;
	return gid == cred->gid || gid == cred->egid || gid == cred->sgid ||
	       task_capable(t, LINUX_CAP_SETGID);
}

static int add_cred(struct task *t, const uint8_t *data, uint64_t size, struct ancillary *out)
{
	struct linux_ucred given;
	struct task *leader;
	uint32_t uid, gid;

	if (size != sizeof(given))
		return -EINVAL;
	memcpy(&given, data, sizeof(given));
	uid = uid_to_kernel(task_user_namespace(t), given.uid);
	gid = gid_to_kernel(task_user_namespace(t), given.gid);
	if (uid == ID_INVALID || gid == ID_INVALID)
		return -EINVAL;
	if (!may_claim(t, &given, uid, gid))
		return -EPERM;
	leader = task_lookup_group_leader(task_pid_namespace(t), given.pid);
	if (!leader)
		return -ESRCH;
	socket_cred_release(&out->cred);
	out->cred = (struct socket_cred){ thread_group_get(leader->group), uid, gid };
	out->has_cred = true;
	task_put(leader);
	return 0;
}

/* Appends a message as it is. */
static int add_row(const struct linux_cmsghdr *header, const uint8_t *data, struct ancillary *out)
{
	size_t space = LINUX_CMSG_ALIGN(header->size);
	uint8_t *rows = realloc(out->rows, out->rows_size + space);

	if (!rows)
		return -ENOBUFS;
	memset(rows + out->rows_size, 0, space);
	memcpy(rows + out->rows_size, header, HEADER);
	memcpy(rows + out->rows_size + HEADER, data, header->size - HEADER);
	out->rows = rows;
	out->rows_size += (uint32_t)space;
	return 0;
}

static int add_message(struct task *t, struct socket *s, const struct linux_cmsghdr *header,
		       const uint8_t *data, struct ancillary *out)
{
	uint64_t size = header->size - HEADER;

	if (s->ops->check_control) {
		int rc = s->ops->check_control(s, header, data);

		return rc > 0 ? add_row(header, data, out) : rc;
	}
	if (header->level != LINUX_SOL_SOCKET)
		return 0;
	switch (header->type) {
	case LINUX_SCM_RIGHTS:
		return s->family == LINUX_AF_UNIX ? add_files(t, data, size, out) : -EINVAL;
	case LINUX_SCM_CREDENTIALS:
		return add_cred(t, data, size, out);
	default:
		return -EINVAL;
	}
}

int control_copy_in(struct task *t, struct socket *s, guest_addr_t addr, uint64_t size,
		    struct ancillary *out)
{
	AUTO_FREE uint8_t *control = NULL;
	uint64_t at = 0;
	int rc = 0;

	if (size > CONTROL_MAX)
		return -ENOBUFS;
	if (size < HEADER)
		return 0;
	control = malloc(size);
	if (!control)
		return -ENOBUFS;
	if (copy_in(t->mm, control, addr, size))
		return -EFAULT;
	while (!rc && size - at >= HEADER) {
		struct linux_cmsghdr header;

		memcpy(&header, control + at, HEADER);
		if (header.size < HEADER || header.size > size - at) {
			rc = -EINVAL;
			break;
		}
		rc = add_message(t, s, &header, control + at + HEADER, out);
		at += MIN(LINUX_CMSG_ALIGN(header.size), size - at);
	}
	if (rc)
		ancillary_release(out);
	return rc;
}

/* --- to the guest ------------------------------------------------------------------------- */

struct control_writer {
	struct task *t;
	guest_addr_t addr;
	uint64_t used, room; /* room: what is left */
	uint32_t *out_flags;
};

static void advance(struct control_writer *w, uint64_t size)
{
	uint64_t space = MIN(LINUX_CMSG_ALIGN(HEADER + size), w->room);

	w->used += space;
	w->room -= space;
}

static int put_message(struct control_writer *w, int level, int type, const void *data, uint64_t size)
{
	struct linux_cmsghdr header = { .size = HEADER + size, .level = level, .type = type };
	guest_addr_t at = guest_add(w->addr, w->used);

	if (w->room < HEADER) {
		*w->out_flags |= LINUX_MSG_CTRUNC;
		return 0;
	}
	if (w->room < header.size) {
		*w->out_flags |= LINUX_MSG_CTRUNC;
		header.size = w->room;
	}
	if (copy_out(w->t->mm, at, &header, HEADER) ||
	    (header.size > HEADER &&
	     copy_out(w->t->mm, guest_add(at, HEADER), data, header.size - HEADER)))
		return -EFAULT;
	advance(w, size);
	return 0;
}

static int put_cred(struct control_writer *w, const struct socket_cred *cred)
{
	struct linux_ucred out = { 0 };
	struct task *t = w->t;

	if (cred->group)
		out.pid = pid_number_in(&cred->group->pid, task_pid_namespace(t));
	out.uid = uid_from_kernel(task_user_namespace(t), cred->uid);
	out.gid = gid_from_kernel(task_user_namespace(t), cred->gid);
	return put_message(w, LINUX_SOL_SOCKET, LINUX_SCM_CREDENTIALS, &out, sizeof(out));
}

static int put_files(struct control_writer *w, const struct file_batch *batch, bool close_on_exec)
{
	uint64_t max = w->room > HEADER ? (w->room - HEADER) / sizeof(int32_t) : 0;
	int32_t fds[LINUX_SCM_MAX_FD];
	uint32_t count = 0;
	int rc = 0;

	while (count < batch->count && count < max) {
		int fd = fd_table_install(w->t->fds, batch->files[count], 0,
					  task_rlimit(w->t, RLIM_NOFILE), close_on_exec);

		if (fd < 0)
			break;
		fds[count++] = fd;
	}
	if (count)
		rc = put_message(w, LINUX_SOL_SOCKET, LINUX_SCM_RIGHTS, fds, count * sizeof(fds[0]));
	if (count < batch->count)
		*w->out_flags |= LINUX_MSG_CTRUNC;
	return rc;
}

/* Where none can be had, the error is in its place. */
static int put_pidfd(struct control_writer *w, const struct socket_cred *cred)
{
	struct file *file = NULL;
	int32_t fd;
	int rc;

	if (w->room < HEADER + sizeof(fd)) {
		*w->out_flags |= LINUX_MSG_CTRUNC;
		return 0;
	}
	if (!cred->group)
		return 0;
	fd = pidfd_new_of_group(cred->group, &file);
	if (fd == 0)
		fd = fd_table_install(w->t->fds, file, 0, task_rlimit(w->t, RLIM_NOFILE), true);
	file_put(file);
	rc = put_message(w, LINUX_SOL_SOCKET, LINUX_SCM_PIDFD, &fd, sizeof(fd));
	if (rc && fd >= 0)
		file_put(fd_table_remove(w->t->fds, fd));
	return rc;
}

static int put_rows(struct control_writer *w, const uint8_t *rows, uint32_t size)
{
	uint32_t at = 0;
	int rc = 0;

	while (!rc && size - at >= HEADER) {
		struct linux_cmsghdr header;

		memcpy(&header, rows + at, HEADER);
		if (header.size < HEADER || header.size > size - at)
			break;
		rc = put_message(w, header.level, header.type, rows + at + HEADER,
				 header.size - HEADER);
		at += (uint32_t)MIN(LINUX_CMSG_ALIGN(header.size), (uint64_t)(size - at));
	}
	return rc;
}

int control_copy_out(struct task *t, struct ancillary *control, guest_addr_t addr, uint64_t *size,
		     uint32_t flags, uint32_t *out_flags)
{
	struct control_writer w = { .t = t, .addr = addr, .out_flags = out_flags };
	int rc = 0;

	w.room = guest_is_null(addr) ? 0 : *size;
	if (control->tells_cred)
		rc = put_cred(&w, &control->cred);
	if (!rc && control->files)
		rc = put_files(&w, control->files, flags & LINUX_MSG_CMSG_CLOEXEC);
	if (!rc && control->tells_pidfd)
		rc = put_pidfd(&w, &control->cred);
	if (!rc && control->rows)
		rc = put_rows(&w, control->rows, control->rows_size);
	ancillary_release(control);
	*size = w.used;
	return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets as files: read, write, poll, ioctl, and the inode of the internal sockfs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sentry/abi/epoll.h"
#include "sentry/abi/fs.h"
#include "sentry/abi/ioctl.h"
#include "sentry/kernel/file_owner.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/usercopy.h"
#include "sentry/net/socket.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/inode.h"

#define SOCKFS_MAGIC 0x534f434b

static struct super_block *sockfs; /* does not change after socket_fs_init */
static const struct super_block_ops sockfs_ops = { 0 };

/* --- the one extended attribute: the protocol's name ------------------------------------------ */

#define SOCKET_XATTR "system.sockprotoname"

static const char *protocol_name(const struct socket *s)
{
	bool six = s->family == LINUX_AF_INET6;

	switch (s->family) {
	case LINUX_AF_UNIX:
		return s->type == LINUX_SOCK_STREAM ? "UNIX-STREAM" : "UNIX";
	case LINUX_AF_NETLINK:
		return "NETLINK";
	default:
		break;
	}
	switch (s->protocol) {
	case LINUX_IPPROTO_TCP:
		return six ? "TCPv6" : "TCP";
	case LINUX_IPPROTO_UDP:
		return six ? "UDPv6" : "UDP";
	default:
		return six ? "PINGv6" : "PING";
	}
}

static ssize_t copy_text(const char *text, void *out, size_t room)
{
	size_t size = strlen(text) + 1;

	if (room && size > room)
		return -ERANGE;
	if (room)
		memcpy(out, text, size);
	return (ssize_t)size;
}

static ssize_t socket_getxattr(struct inode *inode, const char *name, void *value, size_t size)
{
	return strcmp(name, SOCKET_XATTR) ? -EOPNOTSUPP : copy_text(inode->private_data, value, size);
}

static ssize_t socket_listxattr(struct inode *inode, char *list, size_t size)
{
	return copy_text(SOCKET_XATTR, list, size);
}

static const struct inode_ops socket_inode_ops = {
	.setattr = inode_setattr_simple, .getxattr = socket_getxattr, .listxattr = socket_listxattr,
};

static ssize_t socket_file_read(struct file *file, struct io_iter *to, uint64_t *pos)
{
	struct socket *s = file->private_data;
	struct socket_message m = { .data = to };
	ssize_t n;

	if (!to->count)
		return 0;
	n = s->ops->recvmsg(s, &m);
	ancillary_release(&m.control); /* read(2) drops what came along */
	return n;
}

static ssize_t socket_file_write(struct file *file, struct io_iter *from, uint64_t *pos)
{
	struct socket *s = file->private_data;
	struct socket_message m = { .data = from };
	ssize_t n = s->ops->sendmsg(s, &m);

	ancillary_release(&m.control);
	socket_put(m.blocked_on);
	if (n == -EAGAIN)
		s->space_wanted = true;
	if (n == -EPIPE && s->type == LINUX_SOCK_STREAM && !from->quiet && task_current())
		signal_send_self(task_current(), SIGPIPE);
	return n;
}

static uint32_t socket_file_poll(struct file *file)
{
	struct socket *s = file->private_data;

	return s->ops->poll(s);
}

static struct wait_queue *socket_file_poll_queue(struct file *file)
{
	struct socket *s = file->private_data;

	if (s->ops->watch)
		s->ops->watch(s);
	return &s->queue;
}

static struct async_list *socket_file_async_list(struct file *file)
{
	struct socket *s = file->private_data;

	if (s->ops->watch)
		s->ops->watch(s);
	return &s->async;
}

static int set_owner(struct file *file, struct mm *mm, uint64_t arg)
{
	uint32_t who;
	int rc = copy_in_u32(mm, &who, guest_addr(arg));

	return rc ? rc : file_owner_set(task_current(), file, (int32_t)who);
}

static int get_owner(struct file *file, struct mm *mm, uint64_t arg)
{
	struct linux_f_owner_ex owner;

	file_owner_get(task_current(), file, &owner);
	return copy_out_u32(mm, guest_addr(arg),
			    (uint32_t)(owner.type == LINUX_F_OWNER_PGRP ? -owner.pid : owner.pid));
}

static int64_t socket_file_ioctl(struct file *file, struct mm *mm, uint32_t cmd, uint64_t arg)
{
	struct socket *s = file->private_data;

	if (cmd == LINUX_FIOSETOWN || cmd == LINUX_SIOCSPGRP)
		return set_owner(file, mm, arg);
	if (cmd == LINUX_FIOGETOWN || cmd == LINUX_SIOCGPGRP)
		return get_owner(file, mm, arg);
	return s->ops->ioctl ? s->ops->ioctl(s, mm, cmd, arg) : -ENOTTY;
}

static void socket_file_describe(struct file *file, char *buf, size_t size)
{
	snprintf(buf, size, "socket:[%llu]", (unsigned long long)file->inode->ino);
}

static void socket_file_release(struct file *file)
{
	struct socket *s = file->private_data;

	s->ops->release(s);
	socket_put(s);
}

static const struct file_ops socket_file_ops = {
	.release = socket_file_release,
	.read = socket_file_read,
	.write = socket_file_write,
	.poll = socket_file_poll,
	.poll_queue = socket_file_poll_queue,
	.async_list = socket_file_async_list,
	.ioctl = socket_file_ioctl,
	.describe = socket_file_describe,
	.nowait = true,
};

struct socket *socket_from_file(struct file *file)
{
	return file->ops == &socket_file_ops ? file->private_data : NULL;
}

int socket_fs_init(struct user_namespace *user_ns)
{
	return super_block_new(&sockfs_ops, "sockfs", SOCKFS_MAGIC, user_ns, &sockfs);
}

static int make_file(struct socket *s, uint32_t flags, struct file **out)
{
	const struct credentials *cred = task_current() ? task_cred(task_current()) : NULL;
	struct inode *inode;
	int rc = inode_new(sockfs, &socket_inode_ops, 0, LINUX_S_IFSOCK | 0777, &inode);

	if (!rc) {
		if (cred) {
			inode->attr.uid = cred->fsuid;
			inode->attr.gid = cred->fsgid;
		}
		inode->private_data = (void *)protocol_name(s);
		s->uid = inode->attr.uid;
		s->ino = inode->ino;
		rc = file_new(&socket_file_ops, inode, NULL, NULL, LINUX_O_RDWR | flags, cred, out);
		inode_put(inode);
	}
	if (cred)
		credentials_put(cred);
	return rc;
}

int socket_file_new(struct socket *s, uint32_t flags, struct file **out)
{
	struct file *file;
	int rc = make_file(s, flags, &file);

	if (rc) {
		s->ops->release(s);
		socket_put(s);
		return rc;
	}
	file->private_data = s;
	mutex_lock(&s->lock);
	s->file = file;
	mutex_unlock(&s->lock);
	*out = file;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets: the object behind a socket file, what all families share, and the
 * interface a family implements (`struct socket_family_ops`, by number).
 *
 * Operations do not sleep: they return -EAGAIN, and socket_wait.c loops.  None
 * holds a lock while it copies from or to an io_iter.
 *
 * Lock order:
 *	unix in-flight lock (LOCK_RANK_FS_PRIVATE)
 *	  net_namespace.lock (LOCK_RANK_GOFER)
 *	    socket->lock (LOCK_RANK_SOCKET; two by address, only to make a pair)
 *	      wait queues
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sentry/abi/socket.h"
#include "sentry/vfs/async.h"
#include "sentry/wait/wait.h"
#include "util/compiler.h"
#include "util/list.h"
#include "util/lock.h"
#include "util/refcount.h"

struct file;
struct file_batch;
struct io_iter;
struct mm;
struct net_namespace;
struct net_socket_entry;
struct socket;
struct task;
struct thread_group;

struct socket_address {
	uint32_t size; /* 0: none */
	union {
		uint16_t family;
		uint8_t bytes[LINUX_SOCKADDR_MAX];
		struct linux_sockaddr_un un;
		struct linux_sockaddr_in in;
		struct linux_sockaddr_in6 in6;
	};
};

/* Who sent: kernel ids, and the process as a reference that can be translated. */
struct socket_cred {
	struct thread_group *group; /* reference; NULL: none */
	uint32_t uid, gid;
};

/* Ancillary data.  Owns its references: ancillary_release. */
struct ancillary {
	struct file_batch *files; /* SCM_RIGHTS; NULL: none */
	bool has_cred;		  /* cred is set */
	struct socket_cred cred;
	bool tells_cred, tells_pidfd; /* recv: it as SCM_CREDENTIALS, as SCM_PIDFD */
	uint8_t *rows; /* others: a row of struct linux_cmsghdr and data, checked; malloc'ed */
	uint32_t rows_size;
};

/* One sendmsg or recvmsg. */
struct socket_message {
	struct io_iter *data;
	uint32_t flags;		  /* LINUX_MSG_* asked for */
	uint64_t control_room;	  /* recv: bytes that the guest has for control messages */
	uint32_t out_flags;	  /* recv: MSG_TRUNC, MSG_CTRUNC, MSG_EOR */
	struct socket_address *name; /* send: where to, or NULL; recv: filled if not NULL */
	struct ancillary control; /* send: taken over by a successful send; recv: filled */
	struct socket *blocked_on; /* send: reference on whose space_queue to wait after -EAGAIN */
};

struct socket_ops {
	/* The file is gone; the memory goes with the last reference (free). */
	void (*release)(struct socket *s);
	void (*free)(struct socket *s);
	int (*bind)(struct socket *s, const struct socket_address *addr);
	/* -EAGAIN: wait (*wait_on: a reference on the socket whose space_queue to wait on, or
	 * NULL for the socket's own queue). -EINPROGRESS is the caller's to decide. */
	int (*connect)(struct socket *s, const struct socket_address *addr, struct socket **wait_on);
	int (*listen)(struct socket *s, int backlog);
	int (*accept)(struct socket *s, struct socket **out); /* -EAGAIN */
	int (*name)(struct socket *s, bool peer, struct socket_address *out);
	ssize_t (*sendmsg)(struct socket *s, struct socket_message *m);
	ssize_t (*recvmsg)(struct socket *s, struct socket_message *m);
	int (*shutdown)(struct socket *s, int how);
	/* Options of other levels than SOL_SOCKET: -ENOPROTOOPT when unknown. */
	int (*setsockopt)(struct socket *s, int level, int name, const void *value, uint32_t size);
	int (*getsockopt)(struct socket *s, int level, int name, void *value, uint32_t *size);
	uint32_t (*poll)(struct socket *s);
	int64_t (*ioctl)(struct socket *s, struct mm *mm, uint32_t cmd, uint64_t arg); /* NULL: -ENOTTY */
	int (*pair)(struct socket *a, struct socket *b); /* NULL: -EOPNOTSUPP */
	/* Before somebody waits in the socket's queue.  NULL: it is always told what happens. */
	void (*watch)(struct socket *s);
	/*
	 * A control message of a sendmsg, @data with header->size less its own size.  1: becomes one of
	 * the message's rows; 0: passed over; or an error.  NULL: what all families share.
	 */
	int (*check_control)(struct socket *s, const struct linux_cmsghdr *header, const void *data);
	/* What /proc/net and sock_diag say of it, but its file and owner.  NULL: nothing. */
	void (*describe)(struct socket *s, struct net_socket_entry *entry);
};

struct socket {
	struct refcount refs;		/* of memory; the file has one */
	const struct socket_ops *ops;	/* does not change */
	int family, type, protocol;	/* do not change */
	struct net_namespace *net;	/* reference; does not change */
	struct file *file;		/* borrowed; NULL while not accepted; set once, under lock */
	struct list_node net_node;	/* in net->sockets; net->sockets_lock */
	_Atomic uint64_t ino;		/* of the file; 0: none yet */
	_Atomic uint32_t uid;		/* who made the file: a kernel id */
	struct mutex lock;		/* LOCK_RANK_SOCKET */
	struct wait_queue queue;	/* readiness of this socket */
	struct wait_queue space_queue;	/* woken when others can send to or connect to it again */
	struct async_list async;	/* files with O_ASYNC */
	_Atomic uint32_t readers_asleep; /* while there are, what arrives is reported to nobody else */
	_Atomic bool space_wanted;	/* found without room since ASYNC_OUT was reported last */
	/* options of SOL_SOCKET */
	_Atomic uint32_t option_bits;	/* bit per boolean option: see socket_option_bit */
	_Atomic uint32_t send_buffer, receive_buffer;
	_Atomic int32_t low_water, priority, mark;
	_Atomic int error;		/* SO_ERROR: positive errno, taken when read */
	struct linux_linger linger;	/* protected by lock */
	/* accounting of what was sent and not yet received */
	_Atomic uint32_t send_charge;
};

struct socket_family_ops {
	int family;
	/* Returns a socket with its file not yet made. -EPROTONOSUPPORT, -ESOCKTNOSUPPORT ... */
	int (*create)(struct net_namespace *net, int type, int protocol, struct socket **out);
};

/* Boot; static storage. */
void socket_family_register(const struct socket_family_ops *ops);
/* -EAFNOSUPPORT, and the family's own errors. */
int socket_create(struct net_namespace *net, int family, int type, int protocol,
		  struct socket **out) MUST_CHECK;

/* --- for families ------------------------------------------------------------------ */

/* Initialises the common part; takes a reference on @net. */
void socket_init(struct socket *s, const struct socket_ops *ops, struct net_namespace *net,
		 int family, int type, int protocol);
/* Frees what socket_init made; not the memory of @s. */
void socket_destroy(struct socket *s);
struct socket *socket_get(struct socket *s);
void socket_put(struct socket *s);
/* Locks two different sockets in the order of their addresses. */
void socket_lock_pair(struct socket *a, struct socket *b) NO_LOCK_ANALYSIS;
void socket_unlock_pair(struct socket *a, struct socket *b) NO_LOCK_ANALYSIS;
bool socket_option(const struct socket *s, int name); /* a boolean option */
uint32_t socket_option_bit(int name); /* its bit in option_bits */
/* Takes the pending error: 0 or a negative errno. */
int socket_take_error(struct socket *s);
void socket_set_error(struct socket *s, int error); /* @error positive */

/* For O_ASYNC, without locks: data or a connection came, or (ASYNC_HUP) none will come. */
void socket_report_input(struct socket *s, enum async_reason reason);
/* There is room again. */
void socket_report_space(struct socket *s);

void ancillary_release(struct ancillary *a);
void socket_cred_copy(struct socket_cred *to, const struct socket_cred *from);
void socket_cred_release(struct socket_cred *c);
/* Of the calling task; SO_PEERCRED has the effective ids, SCM_CREDENTIALS the real ones. */
void socket_cred_current(struct socket_cred *c, bool effective);

/* Calls @fn, without locks, for each socket of @family and @protocol.  -ENOMEM. */
typedef void net_each_fn(void *arg, struct socket *s);
int net_each_socket(struct net_namespace *net, int family, int protocol, net_each_fn *fn, void *arg) MUST_CHECK;

/* --- files ------------------------------------------------------------------------- */

/* Boot: the internal file system of sockets. */
struct user_namespace;
int socket_fs_init(struct user_namespace *user_ns) MUST_CHECK;
/* Takes the reference on @s, on failure too.  @flags: LINUX_O_NONBLOCK or 0. */
int socket_file_new(struct socket *s, uint32_t flags, struct file **out) MUST_CHECK;
struct socket *socket_from_file(struct file *file); /* borrowed; NULL */

/* --- SOL_SOCKET (socket_option.c) ---------------------------------------------------- */

/* @value holds @size bytes. */
int socket_set_option(struct socket *s, int name, const void *value, uint32_t size) MUST_CHECK;
/* @value has room for *size bytes; *size becomes what was stored. */
int socket_get_option(struct socket *s, int name, void *value, uint32_t *size) MUST_CHECK;

/* --- blocking forms (socket_wait.c) --------------------------------------------------- */

/* @nonblock: O_NONBLOCK of the file or MSG_DONTWAIT.  -ERESTARTSYS or -EINTR (with a
 * timeout set) when interrupted. */
ssize_t socket_send(struct socket *s, struct socket_message *m, bool nonblock) MUST_CHECK;
ssize_t socket_receive(struct socket *s, struct socket_message *m, bool nonblock) MUST_CHECK;
int socket_connect(struct socket *s, const struct socket_address *addr, bool nonblock) MUST_CHECK;
int socket_accept(struct socket *s, bool nonblock, struct socket **out) MUST_CHECK;

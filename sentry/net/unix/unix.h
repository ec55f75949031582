/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AF_UNIX sockets.  All fields of a unix_socket that change are protected by its
 * base.lock; nothing holds two of these locks except to join a pair.  Peers hold
 * references on each other's memory, dropped when their files close.
 */
#pragma once

#include "sentry/net/file_batch.h"
#include "sentry/net/message_queue.h"
#include "sentry/net/socket.h"
#include "sentry/vfs/vfs.h"
#include "util/hash_table.h"

struct net_namespace;

#define UNIX_DGRAM_QUEUE_MAX 10 /* net.unix.max_dgram_qlen */

enum unix_state { UNIX_CLOSED, UNIX_LISTENING, UNIX_CONNECTED };

/* A name; shared by a listener and what it accepted. */
struct unix_address {
	struct refcount refs;
	struct hash_node node;	     /* abstract names: in net->abstract_names; its lock */
	struct unix_socket *socket;  /* abstract: the bound socket, borrowed; net->lock */
	struct socket_address name;  /* does not change */
};

/*
 * The transport also carries loopback TCP and UDP (sentry/net/inet): what is
 * different there.  NULL for AF_UNIX.
 */
struct unix_variant {
	/* The server's end of a connection, not published; names are filled in. */
	int (*new_server)(struct unix_socket *listener, struct unix_socket *client,
			  struct unix_socket **out);
	/* The file is closing: forget its name.  No locks held. */
	void (*unbind)(struct unix_socket *u);
};

struct unix_socket {
	struct socket base;
	const struct unix_variant *variant; /* does not change */
	enum unix_state state;
	bool dead;		     /* its file is closed */
	bool read_shut, write_shut;
	struct unix_socket *peer;    /* reference */
	struct unix_address *address; /* reference; set once */
	bool owns_name;		     /* bound it: not an accepted socket */
	struct path path;	     /* reference; bound to one, which stays in use as an open file does */
	struct message_queue incoming;
	/*
	 * Of a socket of the sentry's own, instead of the queue: takes each datagram as it is sent.  In the
	 * sender's thread, no locks held; the message is borrowed.  NULL for others; does not change.
	 */
	void (*sink)(struct unix_socket *u, const struct net_message *message);
	struct socket_cred peer_cred;
	/* listeners */
	struct list_node embryos;    /* connected, not yet accepted; each holds a reference */
	struct list_node embryo_node; /* in the listener's embryos; the listener's lock */
	unsigned embryo_count, backlog;
	/* datagram: forwards room at the peer to those who poll this socket */
	struct waiter peer_space;
	struct socket *peer_space_of; /* reference: where peer_space hangs */
	/* passing of files: protected by the in-flight lock (unix_flight.c) */
	struct list_node flight_node; /* in the list of sockets in flight */
	uint32_t in_flight;	      /* how many references are in queues */
	uint32_t internal;	      /* scratch of the collector */
	bool candidate;		      /* likewise */
};

static inline struct unix_socket *unix_socket_of(struct socket *s)
{
	return container_of(s, struct unix_socket, base);
}

extern const struct socket_family_ops unix_family;

/* unix_socket.c */
int unix_socket_new(struct net_namespace *net, int type, struct unix_socket **out) MUST_CHECK;
struct unix_socket *unix_get(struct unix_socket *u);
void unix_put(struct unix_socket *u);
/* A reference on the peer or NULL. */
struct unix_socket *unix_peer_get(struct unix_socket *u) MUST_CHECK;
bool unix_is_connection_based(const struct unix_socket *u);
void unix_wake_all(struct unix_socket *u);
/* There is something to receive or to accept.  No locks held. */
void unix_wake_reader(struct unix_socket *u);

/* unix_address.c */
int unix_bind(struct socket *s, const struct socket_address *addr);
/* To @name of at most LINUX_UNIX_PATH_MAX bytes, for whom and in whose tree @ctx says. */
int unix_bind_path(struct unix_socket *u, const struct vfs_context *ctx, const char *name) MUST_CHECK;
int unix_autobind(struct unix_socket *u) MUST_CHECK;
void unix_unbind(struct unix_socket *u);
void unix_address_put(struct unix_address *a);
/* A reference on the socket bound to @addr, of @type (-EPROTOTYPE). */
int unix_find(struct unix_socket *u, const struct socket_address *addr, int type,
	      struct unix_socket **out) MUST_CHECK;

/* unix_connect.c */
/* The stream part of connect; *full: wait on the listener's space_queue. */
int unix_connect_stream(struct unix_socket *u, struct unix_socket *listener, bool *full) MUST_CHECK;
int unix_connect(struct socket *s, const struct socket_address *addr, struct socket **wait_on);
int unix_listen(struct socket *s, int backlog);
int unix_accept(struct socket *s, struct socket **out);
int unix_shutdown(struct socket *s, int how);
int unix_pair(struct socket *a, struct socket *b);
void unix_release(struct socket *s);
bool unix_queue_full_locked(const struct unix_socket *u);

/* unix_stream.c, unix_dgram.c (datagram and seqpacket) */
ssize_t unix_stream_send(struct socket *s, struct socket_message *m);
ssize_t unix_stream_receive(struct socket *s, struct socket_message *m);
ssize_t unix_dgram_send(struct socket *s, struct socket_message *m);
ssize_t unix_dgram_receive(struct socket *s, struct socket_message *m);
uint32_t unix_dgram_poll(struct socket *s);
uint32_t unix_stream_poll(struct socket *s);
void unix_free(struct socket *s);
/* Fields of a new socket of the transport. */
void unix_socket_init(struct unix_socket *u, const struct socket_ops *ops, struct net_namespace *net,
		      int family, int type, int protocol);
void unix_forget_peer_space(struct unix_socket *u);
/* It wants to know who sends. */
bool unix_wants_sender(const struct unix_socket *u);
/* Tells @m who sent @message, as far as @u wants to know. */
void unix_tell_sender(const struct unix_socket *u, struct socket_message *m, const struct net_message *message);
/* A pidfd of the peer, as SO_PEERCRED has it.  -ENODATA: there is none. */
int unix_peer_pidfd(struct unix_socket *u, struct file **out) MUST_CHECK;
/* Credentials for a message from @u to @other, when either wants them. */
void unix_stamp(struct unix_socket *u, struct unix_socket *other, struct socket_message *m,
		struct net_message *message);

/* unix_list.c: what /proc/net and sock_diag say of one. */
struct unix_entry {
	uint64_t ino, peer_ino; /* 0: none */
	uint32_t uid;		/* of the kernel's */
	int type;
	uint8_t state;		/* LINUX_TCP_ESTABLISHED, CLOSE, LISTEN */
	uint8_t shut;		/* bit 0: for reading, bit 1: for writing */
	bool has_peer;
	uint32_t receive_queue, send_queue;
	uint32_t name_size;	/* 0: none; of bytes in @name: with the NUL behind a path */
	char name[LINUX_UNIX_PATH_MAX + 1];
};
/* False: not accepted yet, or closed. */
bool unix_describe(struct unix_socket *u, struct unix_entry *out) MUST_CHECK;

/* unix_flight.c: the in-flight lock comes before every socket's lock. */
void unix_flight_lock(void);
void unix_flight_unlock(void);
/* -ETOOMANYREFS when the sender has too much in flight.  Call before queueing. */
int unix_flight_begin(struct file_batch *batch) MUST_CHECK;
void unix_flight_end(struct file_batch *batch);
void unix_flight_end_locked(struct file_batch *batch);
/* Takes apart cycles of sockets that only hold each other. */
void unix_collect(void);

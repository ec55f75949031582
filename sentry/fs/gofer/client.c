/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connection: packing, one exchange at a time, and the checks that every
 * reply passes.  The lock (LOCK_RANK_GOFER) is held while the gofer is
 * waited for: the gofer is trusted to answer, and waits for nobody.
 */
#include "sentry/fs/gofer/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/fs/gofer/exchange.h"
#include "sentry/host/host_socket.h"
#include "util/lock.h"
#include "util/log.h"

#define RELEASE_BATCH 64
#define ERRNO_MAX 4095

struct gofer_client {
	struct gofer_entry root; /* does not change after attach */
	uint32_t attach_flags; /* does not change after attach */
	struct mutex lock; /* LOCK_RANK_GOFER: the connection */
	int socket; /* does not change */
	bool broken; /* protected by lock */
	uint16_t sequence; /* protected by lock */
	uint64_t round_trips; /* protected by lock */
	struct mutex release_lock; /* LOCK_RANK_LEAF */
	uint32_t release_count; /* protected by release_lock */
	uint64_t release[RELEASE_BATCH]; /* protected by release_lock */
};

static int pack(struct gofer_packed *packed, const char *name, size_t length)
{
	uint8_t *at = packed->bytes + packed->size;

	if (length > GOFER_NAME_MAX)
		return -ENAMETOOLONG;
	ASSERT(packed->size + length + 2 <= sizeof(packed->bytes));
	at[0] = (uint8_t)length;
	memcpy(at + 1, name, length + 1);
	packed->size += (uint32_t)length + 2;
	return 0;
}

int gofer_pack_object(struct gofer_packed *packed, const char *name)
{
	if (strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		return -EINVAL;
	return pack(packed, name, strlen(name));
}

int gofer_pack_name(struct gofer_packed *packed, const char *name)
{
	return *name ? gofer_pack_object(packed, name) : -EINVAL;
}

int gofer_pack_xattr(struct gofer_packed *packed, const char *name)
{
	return *name ? pack(packed, name, strlen(name)) : -EINVAL;
}

/* The reply of @size bytes in @x->reply: its errno, or -EPROTO when it is not one. */
static int check_reply(const struct gofer_exchange *x, ssize_t size, int fd)
{
	const struct gofer_reply *reply = x->reply;

	if (size < (ssize_t)sizeof(*reply) || reply->size != (uint32_t)size ||
	    reply->type != x->type || reply->sequence != x->request->sequence)
		return -EPROTO;
	if (reply->error) {
		if (size != sizeof(*reply) || fd >= 0 || reply->error > 0 || reply->error < -ERRNO_MAX)
			return -EPROTO;
		return reply->error;
	}
	if ((uint32_t)size < x->reply_size || (fd >= 0) != x->want_fd)
		return -EPROTO;
	return 0;
}

static int transfer(struct gofer_client *client, struct gofer_exchange *x, ssize_t *size, int *fd)
	REQUIRES(client->lock)
{
	struct iovec out[3] = {
		{ x->request, x->request_size },
		{ (void *)(uintptr_t)x->names, x->names_size },
		{ (void *)(uintptr_t)x->data, x->data_size },
	};
	struct iovec in[2] = { { x->reply, x->reply_size }, { x->tail, x->tail_max } };
	int err;

	*x->request = (struct gofer_request){
		.size = x->request_size + x->names_size + x->data_size,
		.type = x->type,
		.sequence = ++client->sequence,
	};
	client->round_trips++;
	err = host_socket_send(client->socket, out, 3);
	if (err)
		return err;
	*size = host_socket_receive(client->socket, in, 2, fd);
	if (*size <= 0)
		return *size ? (int)*size : -EPIPE;
	return 0;
}

/* Whatever went wrong below the protocol's own errors, the two ends may be out of step. */
static int break_connection(struct gofer_client *client, int fd, const char *what)
	REQUIRES(client->lock)
{
	host_socket_close(fd);
	client->broken = true;
	log_error("gofer connection %d is lost: %s", client->socket, what);
	return -EIO;
}

static int exchange_locked(struct gofer_client *client, struct gofer_exchange *x)
	REQUIRES(client->lock)
{
	ssize_t size = 0;
	int fd = -1, err;

	if (client->broken)
		return -EIO;
	err = transfer(client, x, &size, &fd);
	if (err)
		return break_connection(client, fd, strerrordesc_np(-err));
	err = check_reply(x, size, fd);
	if (err == -EPROTO)
		return break_connection(client, fd, "malformed reply");
	if (err)
		return err;
	x->tail_size = (uint32_t)size - x->reply_size;
	x->fd = fd;
	return 0;
}

int gofer_exchange(struct gofer_client *client, struct gofer_exchange *x)
{
	int err;

	mutex_lock(&client->lock);
	err = exchange_locked(client, x);
	mutex_unlock(&client->lock);
	return err;
}

static int attach(struct gofer_client *client)
{
	struct gofer_attach_request request = { .version = GOFER_PROTOCOL_VERSION };
	struct gofer_attach_reply reply;
	struct gofer_exchange x = GOFER_EXCHANGE(ATTACH, request, reply);
	int err = gofer_exchange(client, &x);

	if (err)
		return err;
	client->root = reply.root;
	client->attach_flags = reply.flags;
	return 0;
}

int gofer_client_new(int socket, struct gofer_client **out)
{
	struct gofer_client *client = calloc(1, sizeof(*client));
	int err;

	if (!client) {
		host_socket_close(socket);
		return -ENOMEM;
	}
	client->socket = socket;
	mutex_init(&client->lock, LOCK_RANK_GOFER);
	mutex_init(&client->release_lock, LOCK_RANK_LEAF);
	err = attach(client);
	if (err) {
		gofer_client_free(client);
		return err;
	}
	*out = client;
	return 0;
}

void gofer_client_free(struct gofer_client *client)
{
	if (!client)
		return;
	host_socket_close(client->socket);
	mutex_destroy(&client->lock);
	mutex_destroy(&client->release_lock);
	free(client);
}

const struct gofer_entry *gofer_client_root(const struct gofer_client *client)
{
	return &client->root;
}

int gofer_client_seal(struct gofer_client *client)
{
	struct gofer_seal_request request = { 0 };
	struct gofer_seal_reply reply;
	struct gofer_exchange x = GOFER_EXCHANGE(SEAL, request, reply);
	int err = gofer_exchange(client, &x);

	if (!err)
		client->attach_flags |= GOFER_ATTACH_READ_ONLY;
	return err;
}

bool gofer_client_read_only(const struct gofer_client *client)
{
	return client->attach_flags & GOFER_ATTACH_READ_ONLY;
}

uint64_t gofer_client_round_trips(struct gofer_client *client)
{
	uint64_t count;

	mutex_lock(&client->lock);
	count = client->round_trips;
	mutex_unlock(&client->lock);
	return count;
}

static void send_release(struct gofer_client *client, const uint64_t *nodes, uint32_t count)
{
	struct gofer_release_request request = { .count = count };
	struct gofer_release_reply reply;
	struct gofer_exchange x = GOFER_EXCHANGE(RELEASE, request, reply);

	x.data = nodes;
	x.data_size = count * (uint32_t)sizeof(*nodes);
	if (gofer_exchange(client, &x))
		log_debug("gofer: %u nodes could not be released", count);
}

/* Moves the gathered nodes to @nodes when there are at least @least. */
static uint32_t take_releases(struct gofer_client *client, uint64_t *nodes, uint32_t least)
	REQUIRES(client->release_lock)
{
	uint32_t count = client->release_count;

	if (count < least)
		return 0;
	memcpy(nodes, client->release, count * sizeof(*nodes));
	client->release_count = 0;
	return count;
}

void gofer_release(struct gofer_client *client, uint64_t node)
{
	uint64_t nodes[RELEASE_BATCH];
	uint32_t count;

	if (!node)
		return;
	mutex_lock(&client->release_lock);
	client->release[client->release_count++] = node;
	count = take_releases(client, nodes, RELEASE_BATCH);
	mutex_unlock(&client->release_lock);
	if (count)
		send_release(client, nodes, count);
}

void gofer_release_flush(struct gofer_client *client)
{
	uint64_t nodes[RELEASE_BATCH];
	uint32_t count;

	mutex_lock(&client->release_lock);
	count = take_releases(client, nodes, 1);
	mutex_unlock(&client->release_lock);
	if (count)
		send_release(client, nodes, count);
}

int gofer_debug_attack(struct gofer_client *client, enum gofer_attack attack, int32_t *result)
{
	struct gofer_debug_attack_request request = { .attack = attack };
	struct gofer_debug_attack_reply reply;
	struct gofer_exchange x = GOFER_EXCHANGE(DEBUG_ATTACK, request, reply);
	int err = gofer_exchange(client, &x);

	if (!err)
		*result = reply.result;
	return err;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* One request and its reply; shared by the files that make up the client. */
#pragma once

#include <stddef.h>
#include <sys/uio.h>

#include "sentry/fs/gofer/client.h"

/* Packed names, and where the next goes. */
struct gofer_packed {
	uint32_t size;
	uint8_t bytes[2 * (GOFER_NAME_MAX + 2)];
};

/* -EINVAL or -ENAMETOOLONG for what the server would call malformed. */
int gofer_pack_name(struct gofer_packed *packed, const char *name) MUST_CHECK;
int gofer_pack_object(struct gofer_packed *packed, const char *name) MUST_CHECK; /* may be "" */
int gofer_pack_xattr(struct gofer_packed *packed, const char *name) MUST_CHECK;

struct gofer_exchange {
	uint16_t type;
	struct gofer_request *request; /* header is filled in */
	uint32_t request_size;
	const void *names; /* after the request */
	uint32_t names_size;
	const void *data; /* after the names */
	uint32_t data_size;
	struct gofer_reply *reply;
	uint32_t reply_size;
	void *tail; /* receives what follows the reply's struct */
	uint32_t tail_max;
	uint32_t tail_size; /* result */
	bool want_fd;
	int fd; /* result, with want_fd */
};

/* Fills in type, request and reply of message @NAME. */
#define GOFER_EXCHANGE(NAME, request_struct, reply_struct)                       \
	{                                                                        \
		.type = GOFER_##NAME, .request = &(request_struct).header,       \
		.request_size = sizeof(request_struct),                          \
		.reply = &(reply_struct).header, .reply_size = sizeof(reply_struct) \
	}

/* 0 and a checked reply, the server's negative errno, or -EIO. */
int gofer_exchange(struct gofer_client *client, struct gofer_exchange *x) MUST_CHECK;

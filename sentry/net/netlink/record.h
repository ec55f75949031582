/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Netlink messages as rows of records: building them in a strbuf, walking them, finding
 * attributes.  What is walked may come from anybody: every size is checked.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sentry/abi/netlink.h"
#include "util/compiler.h"
#include "util/strbuf.h"

/* A message or nest that is being built: where it starts. */
struct record_mark {
	size_t start;
};

/* Starts a message of @type with @payload behind the header. */
struct record_mark record_begin(struct strbuf *out, uint16_t type, const void *payload, size_t size);
/* Closes it: writes its size, pads. */
void record_end(struct strbuf *out, struct record_mark mark);
void record_attribute(struct strbuf *out, uint16_t type, const void *data, size_t size);
void record_u32(struct strbuf *out, uint16_t type, uint32_t value);
void record_u8(struct strbuf *out, uint16_t type, uint8_t value);
void record_text(struct strbuf *out, uint16_t type, const char *text);

/* A view of one message in a row of them; borrowed. */
struct record {
	struct linux_nlmsghdr header;
	const uint8_t *payload;
	size_t size; /* of the payload, attributes included */
};

/* The message at *at, which moves behind it; false at the end or at one that is cut short. */
bool record_next(const void *data, size_t size, size_t *at, struct record *out);
/* The attribute @type behind a structure of @skip bytes, or NULL; *size: of its data. */
const void *record_find(const struct record *r, size_t skip, uint16_t type, size_t *size);
/* The same for a number; @otherwise when it is not there. */
uint32_t record_find_u32(const struct record *r, size_t skip, uint16_t type, uint32_t otherwise);
/* The same for a name, copied and NUL-terminated; "" when it is not there. */
void record_find_text(const struct record *r, size_t skip, uint16_t type, char *out, size_t size);

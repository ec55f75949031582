/* SPDX-License-Identifier: Apache-2.0 */
/* See record.h.  Stateless. */
#include "sentry/net/netlink/record.h"

#include <string.h>

#include "util/checked.h"

#define TYPE_MASK 0x3fffU /* without NLA_F_NESTED and NLA_F_NET_BYTEORDER */

static void pad(struct strbuf *out)
{
	static const char zeroes[4];

	strbuf_add_bytes(out, zeroes, LINUX_NLMSG_ALIGN((uint32_t)out->length) - out->length);
}

struct record_mark record_begin(struct strbuf *out, uint16_t type, const void *payload, size_t size)
{
	struct record_mark mark = { out->length };
	struct linux_nlmsghdr header = { .type = type };

	strbuf_add_bytes(out, &header, sizeof(header));
	strbuf_add_bytes(out, payload, size);
	pad(out);
	return mark;
}

void record_end(struct strbuf *out, struct record_mark mark)
{
	uint32_t size = (uint32_t)(out->length - mark.start);

	if (!out->failed)
		memcpy(out->data + mark.start, &size, sizeof(size));
	pad(out);
}

void record_attribute(struct strbuf *out, uint16_t type, const void *data, size_t size)
{
	struct linux_nlattr header = { .size = (uint16_t)(sizeof(header) + size), .type = type };

	strbuf_add_bytes(out, &header, sizeof(header));
	strbuf_add_bytes(out, data, size);
	pad(out);
}

void record_u32(struct strbuf *out, uint16_t type, uint32_t value)
{
	record_attribute(out, type, &value, sizeof(value));
}

void record_u8(struct strbuf *out, uint16_t type, uint8_t value)
{
	record_attribute(out, type, &value, sizeof(value));
}

void record_text(struct strbuf *out, uint16_t type, const char *text)
{
	record_attribute(out, type, text, strlen(text) + 1);
}

bool record_next(const void *data, size_t size, size_t *at, struct record *out)
{
	const uint8_t *bytes = data;

	if (*at > size || size - *at < sizeof(out->header))
		return false;
	memcpy(&out->header, bytes + *at, sizeof(out->header));
	if (out->header.size < sizeof(out->header) || out->header.size > size - *at)
		return false;
	out->payload = bytes + *at + sizeof(out->header);
	out->size = out->header.size - sizeof(out->header);
	*at += MIN((size_t)LINUX_NLMSG_ALIGN(out->header.size), size - *at);
	return true;
}

const void *record_find(const struct record *r, size_t skip, uint16_t type, size_t *size)
{
	size_t at = LINUX_NLMSG_ALIGN((uint32_t)skip);

	while (at <= r->size && r->size - at >= sizeof(struct linux_nlattr)) {
		struct linux_nlattr attr;

		memcpy(&attr, r->payload + at, sizeof(attr));
		if (attr.size < sizeof(attr) || attr.size > r->size - at)
			return NULL;
		if ((attr.type & TYPE_MASK) == type) {
			*size = attr.size - sizeof(attr);
			return r->payload + at + sizeof(attr);
		}
		at += MIN((size_t)LINUX_NLMSG_ALIGN(attr.size), r->size - at);
	}
	return NULL;
}

uint32_t record_find_u32(const struct record *r, size_t skip, uint16_t type, uint32_t otherwise)
{
	uint32_t value;
	size_t size;
	const void *data = record_find(r, skip, type, &size);

	if (!data || size < sizeof(value))
		return otherwise;
	memcpy(&value, data, sizeof(value));
	return value;
}

void record_find_text(const struct record *r, size_t skip, uint16_t type, char *out, size_t size)
{
	size_t found;
	const void *data = record_find(r, skip, type, &found);

	memset(out, 0, size);
	if (data)
		memcpy(out, data, MIN(found, size - 1));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding of a request's tail: each step takes bytes off the front or calls it malformed. */
#include "gofer/call.h"

#include <string.h>

int call_take_bytes(struct gofer_call *call, uint32_t size, const void **bytes)
{
	if (size > call->tail_size)
		return GOFER_VIOLATION;
	*bytes = call->tail;
	call->tail += size;
	call->tail_size -= size;
	return 0;
}

/* One length byte, that many bytes without NUL, and a NUL. */
static int take_string(struct gofer_call *call, const char **string, uint32_t *length)
{
	const void *bytes;

	if (call_take_bytes(call, 1, &bytes))
		return GOFER_VIOLATION;
	*length = *(const uint8_t *)bytes;
	if (call_take_bytes(call, *length + 1, &bytes))
		return GOFER_VIOLATION;
	if (memchr(bytes, 0, *length + 1) != (const uint8_t *)bytes + *length)
		return GOFER_VIOLATION;
	*string = bytes;
	return 0;
}

int call_take_object(struct gofer_call *call, const char **name)
{
	const char *string;
	uint32_t length;

	if (take_string(call, &string, &length) || memchr(string, '/', length))
		return GOFER_VIOLATION;
	if (!strcmp(string, ".") || !strcmp(string, ".."))
		return GOFER_VIOLATION;
	*name = string;
	return 0;
}

int call_take_name(struct gofer_call *call, const char **name)
{
	const char *string;

	if (call_take_object(call, &string) || !*string)
		return GOFER_VIOLATION;
	*name = string;
	return 0;
}

int call_take_xattr_name(struct gofer_call *call, const char **name)
{
	const char *string;
	uint32_t length;

	if (take_string(call, &string, &length) || !length)
		return GOFER_VIOLATION;
	*name = string;
	return 0;
}

int call_end(const struct gofer_call *call)
{
	return call->tail_size ? GOFER_VIOLATION : 0;
}

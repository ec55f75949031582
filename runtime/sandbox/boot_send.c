/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/sandbox/boot_send.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "sentry/control/boot_channel.h"
#include "util/fd_pass.h"

struct batch {
	int channel;
	struct boot_fds message;
	int fds[BOOT_FDS_PER_MESSAGE];
};

static int batch_flush(struct batch *b, bool last)
{
	int ret;

	b->message.magic = CONTROL_MAGIC;
	b->message.version = CONTROL_VERSION;
	b->message.last = last;
	ret = fd_pass_send(b->channel, &b->message, sizeof(b->message), b->fds, b->message.count);
	memset(&b->message, 0, sizeof(b->message));
	return ret;
}

static int batch_add(struct batch *b, enum boot_role role, int fd)
{
	int ret = 0;

	if (fd < 0)
		return 0;
	if (b->message.count == BOOT_FDS_PER_MESSAGE)
		ret = batch_flush(b, false);
	b->fds[b->message.count] = fd;
	b->message.roles[b->message.count++] = (uint8_t)role;
	return ret;
}

int boot_send(int channel, const struct boot_send *s)
{
	bool terminal = s->terminal >= 0;
	const struct {
		enum boot_role role;
		int fd;
	} singles[] = {
		{ BOOT_ROLE_CONFIG, s->config },     { BOOT_ROLE_CONTROL, s->control },
		{ BOOT_ROLE_LOG, s->log },	     { BOOT_ROLE_DEBUG_LOG, s->debug_log },
		{ BOOT_ROLE_STDIN, terminal ? s->terminal : STDIN_FILENO },
		{ BOOT_ROLE_STDOUT, terminal ? s->terminal : STDOUT_FILENO },
		{ BOOT_ROLE_STDERR, terminal ? s->terminal : STDERR_FILENO },
	};
	struct batch b = { .channel = channel };
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < ARRAY_SIZE(singles); i++)
		ret = batch_add(&b, singles[i].role, singles[i].fd);
	for (uint32_t i = 0; ret == 0 && i < s->attach_count; i++)
		ret = batch_add(&b, BOOT_ROLE_ATTACH, s->attach[i]);
	for (uint32_t i = 0; ret == 0 && i < s->extra_count; i++)
		ret = batch_add(&b, BOOT_ROLE_EXTRA, s->extra_first + (int)i);
	return ret < 0 ? ret : batch_flush(&b, true);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sentry's end of the boot channel.  The command line is trusted, yet everything is
 * checked, so that `moat boot` started by hand fails cleanly.
 */
#include "sentry/control/boot_channel.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/host/host_control.h"

static int *single_fd(struct boot_files *files, unsigned role)
{
	switch (role) {
#define X(NAME, name, required, allowed) \
	case BOOT_ROLE_##NAME:  \
		return &files->name;
		BOOT_SINGLE_FDS(X)
#undef X
	default:
		return NULL;
	}
}

static int append_fd(int **list, uint32_t *count, uint32_t limit, int fd)
{
	int *grown;

	if (*count >= limit)
		return -EPROTO;
	/* The capacity is the next power of two, so it need not be kept. */
	if ((*count & (*count - 1)) == 0) {
		grown = realloc(*list, sizeof(int) * (*count ? *count * 2u : 1u));
		if (!grown)
			return -ENOMEM;
		*list = grown;
	}
	(*list)[(*count)++] = fd;
	return 0;
}

/* Takes @fd on success. */
static int file_add(struct boot_files *files, unsigned role, int fd)
{
	int *single = single_fd(files, role);

	if (single) {
		if (*single >= 0)
			return -EPROTO;
		*single = fd;
		return 0;
	}
	if (role == BOOT_ROLE_ATTACH)
		return append_fd(&files->attach, &files->attach_count, BOOT_MAX_ATTACH, fd);
	if (role == BOOT_ROLE_EXTRA)
		return append_fd(&files->extra, &files->extra_count, BOOT_MAX_EXTRA, fd);
	return -EPROTO;
}

/* 1: more messages follow. */
static int receive_message(int channel, enum boot_kind kind, struct boot_files *files)
{
	struct boot_fds message;
	int fds[BOOT_FDS_PER_MESSAGE];
	size_t count = 0;
	size_t taken = 0;
	ssize_t got;
	int ret = -EPROTO;

	/* Nobody may hold up a sandbox that runs: all has to be there. */
	got = (kind == BOOT_SANDBOX ? host_control_receive : host_control_receive_now)(
		channel, &message, sizeof(message), fds, BOOT_FDS_PER_MESSAGE, &count);
	if (got < 0)
		return (int)got;
	if (got == sizeof(message) && message.magic == CONTROL_MAGIC &&
	    message.version == CONTROL_VERSION && message.count == count)
		ret = 0;
	while (ret == 0 && taken < count) {
		ret = file_add(files, message.roles[taken], fds[taken]);
		if (ret == 0)
			taken++;
	}
	for (; taken < count; taken++)
		host_control_close(fds[taken]);
	return ret < 0 ? ret : !message.last;
}

static bool files_complete(const struct boot_files *files, enum boot_kind kind)
{
#define X(NAME, name, required, allowed)                                         \
	if (files->name < 0 ? ((required) & kind) != 0 : ((allowed) & kind) == 0) \
		return false;
	BOOT_SINGLE_FDS(X)
#undef X
	return files->attach_count > 0;
}

void boot_files_init(struct boot_files *files)
{
	memset(files, 0, sizeof(*files));
#define X(NAME, name, required, allowed) files->name = -1;
	BOOT_SINGLE_FDS(X)
#undef X
}

int boot_channel_receive(int channel, enum boot_kind kind, struct boot_files *out)
{
	int ret;

	boot_files_init(out);
	do
		ret = receive_message(channel, kind, out);
	while (ret > 0);
	if (ret == 0 && !files_complete(out, kind))
		ret = -EPROTO;
	if (ret < 0)
		boot_files_close(out);
	return ret;
}

void boot_files_close(struct boot_files *files)
{
#define X(NAME, name, required, allowed)         \
	host_control_close(files->name);         \
	files->name = -1;
	BOOT_SINGLE_FDS(X)
#undef X
	for (uint32_t i = 0; i < files->attach_count; i++)
		host_control_close(files->attach[i]);
	for (uint32_t i = 0; i < files->extra_count; i++)
		host_control_close(files->extra[i]);
	free(files->attach);
	free(files->extra);
	files->attach = NULL;
	files->extra = NULL;
	files->attach_count = 0;
	files->extra_count = 0;
}

int boot_channel_answer(int channel, int status, const char *fmt, ...)
{
	struct boot_status answer = { .magic = CONTROL_MAGIC, .status = status };
	va_list args;

	va_start(args, fmt);
	vsnprintf(answer.message, sizeof(answer.message), fmt, args);
	va_end(args);
	return host_control_send(channel, &answer, sizeof(answer));
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/sandbox/preserve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "sentry/control/boot_channel.h"
#include "sentry/control/protocol.h"
#include "util/parse.h"

static unsigned listen_fds(void)
{
	const char *count_text = getenv("LISTEN_FDS");
	const char *pid_text = getenv("LISTEN_PID");
	uint32_t count, pid;

	if (!count_text || !pid_text || parse_u32(pid_text, &pid) < 0 ||
	    parse_u32(count_text, &count) < 0)
		return 0;
	return pid == (uint32_t)getpid() && count <= BOOT_MAX_EXTRA ? count : 0;
}

unsigned preserve_count(unsigned preserve_fds)
{
	return listen_fds() + preserve_fds;
}

int preserve_check(unsigned preserve_fds, unsigned *count, struct string_list *env,
		   struct error **err)
{
	unsigned activated = listen_fds();

	if (preserve_fds > BOOT_MAX_EXTRA || activated + preserve_fds > BOOT_MAX_EXTRA)
		return error_set(err, -EINVAL, "--preserve-fds: at most %d files", BOOT_MAX_EXTRA);
	for (unsigned i = 0; i < activated + preserve_fds; i++) {
		/* What we opened ourselves is close-on-exec; what was passed to us is not. */
		if (fcntl(STDERR_FILENO + 1 + (int)i, F_GETFD) != 0)
			return error_set(err, -EBADF,
					 "unable to stat preserved-fd %u (of %u): stat /proc/self/fd/%u: "
					 "no such file or directory", i, activated + preserve_fds,
					 STDERR_FILENO + 1 + i);
	}
	*count = activated + preserve_fds;
	if (activated == 0)
		return 0;
	if (string_list_addf(env, "LISTEN_FDS=%u", activated) < 0 ||
	    string_list_add(env, "LISTEN_PID=1") < 0)
		return error_set(err, -ENOMEM, "out of memory");
	return 0;
}

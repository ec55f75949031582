/* SPDX-License-Identifier: Apache-2.0 */
/*
 * moat boot (hidden): the sentry.  It finds its boot channel and the root it is to live in at
 * fixed FDs (sandbox/launch_sentry.c); without these it does nothing.
 */
#include "sentry/boot/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "runtime/command.h"
#include "runtime/sandbox/launch_state.h"
#include "runtime/sandbox/tree.h"
#include "sentry/control/boot_channel.h"

static bool started_by_launch(void)
{
	struct stat st;
	int type;
	socklen_t size = sizeof(type);

	if (getsockopt(BOOT_CHANNEL_FD, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ||
	    type != SOCK_SEQPACKET)
		return false;
	return fstat(LAUNCH_ROOT_FD, &st) == 0 && S_ISDIR(st.st_mode);
}

static int confine(void)
{
	int ret = tree_enter(LAUNCH_ROOT_FD);

	if (ret < 0)
		return ret;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    fcntl(BOOT_CHANNEL_FD, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	return 0;
}

static int run(const struct globals *globals, void *options, int argc, char **argv,
	       struct error **err)
{
	char *const name = (char[]){ "boot" };
	int ret;

	if (!started_by_launch())
		return error_set(err, -EINVAL, "boot: not to be started by hand");
	ret = confine();
	if (ret < 0) {
		ret = boot_channel_answer(BOOT_CHANNEL_FD, ret, "sandbox: enter its root: %s",
					  strerror(-ret));
		return 1;
	}
	return sentry_main(1, (char *[]){ name, NULL });
}

const struct command command_boot = {
	.name = "boot",
	.summary = "start a sandbox (used by moat itself)",
	.usage = "",
	.arguments_min = 0,
	.arguments_max = 0,
	.failure_status = 1,
	.hidden = true,
	.run = run,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/tty: the terminal drivers there are, and line disciplines. */
#include "sentry/fs/proc/proc_internal.h"

static int show_drivers(const struct proc_call *c, struct strbuf *out)
{
	strbuf_add(out, "/dev/tty             /dev/tty        5       0 system:/dev/tty\n"
			"/dev/ptmx            /dev/ptmx       5       2 system\n"
			"pty_slave            /dev/pts      136 0-1048575 pty:slave\n"
			"pty_master           /dev/ptm      128 0-1048575 pty:master\n");
	return 0;
}

static int show_ldiscs(const struct proc_call *c, struct strbuf *out)
{
	strbuf_add(out, "n_tty       0\n");
	return 0;
}

static const struct proc_dir nothing = { .nodes = NULL, .count = 0 };

static const struct proc_node tty_nodes[] = {
	PROC_SUBDIR("driver", 0500, &nothing),
	PROC_FILE("drivers", 0444, show_drivers),
	PROC_SUBDIR("ldisc", 0555, &nothing),
	PROC_FILE("ldiscs", 0444, show_ldiscs),
};

const struct proc_dir proc_tty_dir = PROC_DIR(tty_nodes);

/* SPDX-License-Identifier: Apache-2.0 */
/* The command line's end of the boot channel (sentry/control/boot_channel.h). */
#pragma once

#include <stdint.h>

#include "util/compiler.h"

/* All FDs are borrowed; -1 where there is none.  Standard input, output and error are the
 * terminal, or ours. */
struct boot_send {
	int config;
	int control;
	int log;
	int debug_log;
	int terminal;
	const int *attach;
	uint32_t attach_count;
	int extra_first; /* preserved FDs are consecutive */
	uint32_t extra_count;
};

int boot_send(int channel, const struct boot_send *send) MUST_CHECK;

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A short log that says what this kernel is.  Written once at boot, read-only after,
 * so it needs no lock.
 */
#include "sentry/kernel/klog.h"

#include <stdio.h>

#include "sentry/kernel/kernel.h"

static char text[1024];
static size_t length;

void klog_init(unsigned cpus)
{
	int n = snprintf(text, sizeof(text),
			 "<5>[    0.000000] %s version %s %s\n"
			 "<6>[    0.000000] moat: a Linux kernel in user space; this is a sandbox\n"
			 "<6>[    0.000001] smp: %u CPU%s of the host in use\n"
			 "<6>[    0.000002] moat: no host system call is made by guest programs\n",
			 GUEST_SYSNAME, GUEST_RELEASE, GUEST_VERSION, cpus, cpus == 1 ? "" : "s");

	length = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
}

const char *klog_text(size_t *size)
{
	*size = length;
	return text;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The guest kernel's log, as dmesg and syslog(2) show it. */
#pragma once

#include <stddef.h>

/* Builds the log that there is at boot; once. */
void klog_init(unsigned cpus);
/* The whole text, "<6>[    0.000000] ..." lines; borrowed, does not change. */
const char *klog_text(size_t *size);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/cmd/ps_list.h"

/* As `ps -ef`: UID PID PPID C STIME TTY TIME CMD, which `docker top` splits at the header. */
int ps_table_print(const struct ps_list *list, struct error **err) MUST_CHECK;
/* Runs the host's ps with @args and prints its header and the lines of our processes. */
int ps_table_host(const struct ps_list *list, char **args, struct error **err) MUST_CHECK;

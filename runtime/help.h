/* SPDX-License-Identifier: Apache-2.0 */
/* Help and version texts, generated from the tables of commands and options. */
#pragma once

#include <stdio.h>

#include "runtime/command.h"

void help_print(FILE *out);
void help_print_command(const struct command *command, FILE *out);
/* The form runc prints, which Docker and containerd parse. */
void version_print(FILE *out);

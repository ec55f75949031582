/* SPDX-License-Identifier: Apache-2.0 */
/* The options that create and run share, as rows for the table of each. */
#pragma once

#include "runtime/container/lifecycle.h"

/* @type has a member `create` of struct create_options. */
#define CREATE_ROWS(type)                                                                      \
	{ "bundle", "b", OPTION_STRING, offsetof(type, create.bundle),                         \
	  "path to the root of the bundle directory, defaults to the current directory" },     \
	{ "console-socket", NULL, OPTION_STRING, offsetof(type, create.console_socket),        \
	  "path to an AF_UNIX socket which will receive a file descriptor referencing the "    \
	  "master end of the console's pseudoterminal" },                                      \
	{ "pid-file", NULL, OPTION_STRING, offsetof(type, create.pid_file),                    \
	  "specify the file to write the process id to" },                                     \
	{ "no-pivot", NULL, OPTION_BOOL, offsetof(type, create.no_pivot),                      \
	  "accepted for compatibility: nothing of the host's is in the sandbox's root" },      \
	{ "no-new-keyring", NULL, OPTION_BOOL, offsetof(type, create.no_new_keyring),          \
	  "accepted for compatibility: the sandbox never sees a keyring of the host" },        \
	{ "preserve-fds", NULL, OPTION_COUNT, offsetof(type, create.preserve_fds),             \
	  "Pass N additional file descriptors to the container (stdio + $LISTEN_FDS + N in "   \
	  "total)", "0" }

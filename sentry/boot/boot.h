/* SPDX-License-Identifier: Apache-2.0 */
/* The sentry's entry point. */
#pragma once

/*
 * Runs a sandbox: called by `moat boot` (runtime/cmd/boot.c) with one thread, no_new_privs, in
 * its own namespaces and root, with the boot channel at BOOT_CHANNEL_FD.  Returns, or exits with,
 * the status that stands for the container's: its exit code, or 128 + n after signal n.
 */
int sentry_main(int argc, char **argv);

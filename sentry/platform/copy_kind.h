/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How a system call uses guest memory: PLATFORM_COPY_BITS for each argument, the first
 * one lowest.  A platform may have these bytes at hand when the call comes, and take what is
 * written to them back when it ends.  A hint: address_space_read and write are the same.
 */
enum platform_copy {
	PLATFORM_COPY_NONE,
	PLATFORM_COPY_STRING, /* in, to its NUL */
	PLATFORM_COPY_IN,     /* in, as many bytes as the next argument says */
	PLATFORM_COPY_OUT,    /* out, likewise */
	PLATFORM_COPY_STAT,   /* out, struct stat */
};

#define PLATFORM_COPY_BITS 4

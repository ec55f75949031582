/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scope-bound ownership: variables that release what they hold when they go out
 * of scope, and the hand-over of that ownership (move_fd, move_ptr).
 */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_free(void *ptr)
{
	free(*(void **)ptr);
}

static inline void cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void cleanup_closedir(DIR **d)
{
	if (*d)
		closedir(*d);
}

#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define AUTO_CLOSE CLEANUP(cleanup_close)
#define AUTO_FREE CLEANUP(cleanup_free)
#define AUTO_FCLOSE CLEANUP(cleanup_fclose)
#define AUTO_CLOSEDIR CLEANUP(cleanup_closedir)

/* Hands over what an owning variable holds and leaves it empty. */
static inline int move_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define move_ptr(p)                             \
	({                                      \
		__typeof__(p) taken_ = (p);     \
		(p) = NULL;                     \
		taken_;                         \
	})

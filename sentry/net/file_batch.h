/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of one SCM_RIGHTS message.  While it is in a queue it is "in flight":
 * its unix sockets are counted, so that a cycle of sockets that hold each other's
 * last references can be found and taken apart (unix_gc.c).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/compiler.h"

struct file;

struct file_batch {
	struct file_batch *next; /* of the thread's list of batches to release */
	bool in_flight;		 /* protected by the in-flight lock */
	uint32_t uid;		 /* whose limit it counts against while in flight */
	uint32_t count;
	struct file *files[];	 /* references */
};

struct file_batch *file_batch_new(unsigned capacity) MUST_CHECK; /* NULL: no memory */
/* Another batch with references on the same files, not in flight (MSG_PEEK). */
struct file_batch *file_batch_copy(const struct file_batch *batch) MUST_CHECK;
/* Puts the files.  However deep sockets are nested in sockets' queues, this does not
 * recurse: an inner release is queued and done by the outermost. */
void file_batch_release(struct file_batch *batch);
/* Runs the collector of unix sockets: now, or once when the outermost release is done. */
void file_batch_collect(void);

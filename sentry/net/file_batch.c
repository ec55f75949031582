/* SPDX-License-Identifier: Apache-2.0 */
/* Batches of passed files; see the header.  The pending list is the thread's own. */
#include "sentry/net/file_batch.h"

#include <stdlib.h>

#include "sentry/net/unix/unix.h"
#include "sentry/vfs/file.h"

static _Thread_local struct file_batch *pending;
static _Thread_local bool releasing, collect_wanted;

struct file_batch *file_batch_new(unsigned capacity)
{
	return calloc(1, sizeof(struct file_batch) + capacity * sizeof(struct file *));
}

struct file_batch *file_batch_copy(const struct file_batch *batch)
{
	struct file_batch *copy = file_batch_new(batch->count);

	if (!copy)
		return NULL;
	for (uint32_t i = 0; i < batch->count; i++)
		copy->files[i] = file_get(batch->files[i]);
	copy->count = batch->count;
	return copy;
}

static void release_one(struct file_batch *batch)
{
	unix_flight_end(batch);
	for (uint32_t i = 0; i < batch->count; i++)
		file_put(batch->files[i]);
	free(batch);
}

void file_batch_release(struct file_batch *batch)
{
	if (!batch)
		return;
	batch->next = pending;
	pending = batch;
	if (releasing)
		return;
	releasing = true;
	while ((batch = pending)) {
		pending = batch->next;
		release_one(batch);
	}
	releasing = false;
	if (collect_wanted) {
		collect_wanted = false;
		unix_collect();
	}
}

void file_batch_collect(void)
{
	if (releasing)
		collect_wanted = true;
	else
		unix_collect();
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FD tables.  Files are closed (flushed, put) outside the table's lock: a close
 * may do I/O.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/vfs/file.h"
#include "util/checked.h"
#include "util/log.h"

#define CAPACITY_MIN 16U
#define CAPACITY_MAX (1U << 20) /* fs.nr_open */

int fd_table_new(struct fd_table **out)
{
	struct fd_table *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->entries = calloc(CAPACITY_MIN, sizeof(*t->entries));
	if (!t->entries) {
		free(t);
		return -ENOMEM;
	}
	refcount_init(&t->refs);
	mutex_init(&t->lock, LOCK_RANK_FD_TABLE);
	t->capacity = CAPACITY_MIN;
	*out = t;
	return 0;
}

static void release_locked(struct fd_table *t, struct fd_entry *entries, uint32_t fd)
{
	entries[fd] = (struct fd_entry){ 0 };
	t->next_free = MIN(t->next_free, fd);
}

/* Copies the entries up to the highest open one. */
static int copy_entries(struct fd_table *to, struct fd_table *from)
{
	struct fd_entry *entries;
	uint32_t count;

	mutex_lock(&from->lock);
	for (count = from->capacity; count > CAPACITY_MIN && !from->entries[count - 1].file;)
		count--;
	entries = calloc(count, sizeof(*entries));
	to->next_free = from->next_free;
	if (entries) {
		memcpy(entries, from->entries, count * sizeof(*entries));
		for (uint32_t i = 0; i < count; i++) {
			if (entries[i].file)
				file_get(entries[i].file);
			else if (entries[i].reserved)
				release_locked(to, entries, i);
		}
	}
	mutex_unlock(&from->lock);
	if (!entries)
		return -ENOMEM;
	free(to->entries);
	to->entries = entries;
	to->capacity = count;
	return 0;
}

int fd_table_copy(struct fd_table *from, struct fd_table **out)
{
	struct fd_table *t;
	int rc = fd_table_new(&t);

	if (rc < 0)
		return rc;
	rc = copy_entries(t, from);
	if (rc < 0) {
		fd_table_put(t);
		return rc;
	}
	*out = t;
	return 0;
}

struct fd_table *fd_table_share(struct fd_table *t)
{
	refcount_get(&t->refs);
	return t;
}

void fd_table_put(struct fd_table *t)
{
	if (!t || !refcount_put(&t->refs))
		return;
	for (uint32_t i = 0; i < t->capacity; i++) {
		if (t->entries[i].file)
			file_close(t->entries[i].file, t);
	}
	free(t->entries);
	mutex_destroy(&t->lock);
	free(t);
}

struct file *fd_table_lookup_path(struct fd_table *t, int fd)
{
	struct file *file = NULL;

	mutex_lock(&t->lock);
	if (fd >= 0 && (uint32_t)fd < t->capacity && t->entries[fd].file)
		file = file_get(t->entries[fd].file);
	mutex_unlock(&t->lock);
	return file;
}

struct file *fd_table_lookup(struct fd_table *t, int fd)
{
	struct file *file = NULL;

	mutex_lock(&t->lock);
	if (fd >= 0 && (uint32_t)fd < t->capacity && t->entries[fd].file &&
	    !t->entries[fd].file->is_path)
		file = file_get(t->entries[fd].file);
	mutex_unlock(&t->lock);
	return file;
}

/* Room for @fd, which is below CAPACITY_MAX. */
static int grow_locked(struct fd_table *t, uint32_t fd)
{
	uint32_t capacity = t->capacity;
	struct fd_entry *entries;

	if (fd < capacity)
		return 0;
	while (capacity <= fd)
		capacity *= 2;
	entries = realloc(t->entries, capacity * sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	memset(entries + t->capacity, 0, (capacity - t->capacity) * sizeof(*entries));
	t->entries = entries;
	t->capacity = capacity;
	return 0;
}

static uint32_t find_free_locked(struct fd_table *t, uint32_t from)
{
	while (from < t->capacity && (t->entries[from].file || t->entries[from].reserved))
		from++;
	return from;
}

/* The lowest free number from @start on becomes @entry. */
static int install_locked(struct fd_table *t, const struct fd_entry *entry, uint32_t start,
			  uint64_t limit)
{
	uint32_t fd = find_free_locked(t, MAX(start, t->next_free));
	int rc;

	if (fd >= MIN(limit, CAPACITY_MAX))
		return -EMFILE;
	rc = grow_locked(t, fd);
	if (rc < 0)
		return rc;
	t->entries[fd] = *entry;
	if (start <= t->next_free)
		t->next_free = fd + 1;
	return (int)fd;
}

int fd_table_install(struct fd_table *t, struct file *file, int min, uint64_t limit,
		     bool close_on_exec)
{
	const struct fd_entry entry = { .file = file, .close_on_exec = close_on_exec };
	int rc;

	mutex_lock(&t->lock);
	rc = install_locked(t, &entry, (uint32_t)min, limit);
	if (rc >= 0)
		file_get(file);
	mutex_unlock(&t->lock);
	return rc;
}

int fd_table_reserve(struct fd_table *t, uint64_t limit)
{
	const struct fd_entry entry = { .reserved = true };
	int rc;

	mutex_lock(&t->lock);
	rc = install_locked(t, &entry, 0, limit);
	mutex_unlock(&t->lock);
	return rc;
}

void fd_table_fill(struct fd_table *t, int fd, struct file *file, bool close_on_exec)
{
	mutex_lock(&t->lock);
	ASSERT(t->entries[fd].reserved);
	t->entries[fd] = (struct fd_entry){ .file = file_get(file), .close_on_exec = close_on_exec };
	mutex_unlock(&t->lock);
}

void fd_table_unreserve(struct fd_table *t, int fd)
{
	mutex_lock(&t->lock);
	ASSERT(t->entries[fd].reserved);
	release_locked(t, t->entries, (uint32_t)fd);
	mutex_unlock(&t->lock);
}

int fd_table_install_at(struct fd_table *t, struct file *file, int fd, uint64_t limit,
			bool close_on_exec)
{
	struct file *old = NULL;
	int rc;

	if (fd < 0 || (uint64_t)fd >= MIN(limit, CAPACITY_MAX))
		return -EBADF;
	mutex_lock(&t->lock);
	rc = grow_locked(t, (uint32_t)fd);
	if (rc == 0 && t->entries[fd].reserved)
		rc = -EBUSY;
	if (rc == 0) {
		old = t->entries[fd].file;
		t->entries[fd] = (struct fd_entry){ .file = file_get(file),
						    .close_on_exec = close_on_exec };
		if (t->next_free == (uint32_t)fd)
			t->next_free++;
		rc = fd;
	}
	mutex_unlock(&t->lock);
	if (old)
		file_close(old, t);
	return rc;
}

static struct file *remove_locked(struct fd_table *t, uint32_t fd)
{
	struct file *file = t->entries[fd].file;

	if (file)
		release_locked(t, t->entries, fd);
	return file;
}

struct file *fd_table_remove(struct fd_table *t, int fd)
{
	struct file *file = NULL;

	mutex_lock(&t->lock);
	if (fd >= 0 && (uint32_t)fd < t->capacity)
		file = remove_locked(t, (uint32_t)fd);
	mutex_unlock(&t->lock);
	return file;
}

int fd_table_get_cloexec(struct fd_table *t, int fd)
{
	int rc = -EBADF;

	mutex_lock(&t->lock);
	if (fd >= 0 && (uint32_t)fd < t->capacity && t->entries[fd].file)
		rc = t->entries[fd].close_on_exec;
	mutex_unlock(&t->lock);
	return rc;
}

int fd_table_set_cloexec(struct fd_table *t, int fd, bool on)
{
	int rc = -EBADF;

	mutex_lock(&t->lock);
	if (fd >= 0 && (uint32_t)fd < t->capacity && t->entries[fd].file) {
		t->entries[fd].close_on_exec = on;
		rc = 0;
	}
	mutex_unlock(&t->lock);
	return rc;
}

/* Removes the first file of [from, last] that is to be closed; its number +1 in *from. */
static struct file *take_next(struct fd_table *t, uint32_t *from, uint32_t last, bool cloexec)
{
	struct file *file = NULL;
	uint32_t fd;

	mutex_lock(&t->lock);
	for (fd = *from; !file && fd < t->capacity && fd <= last; fd++) {
		if (t->entries[fd].file && (!cloexec || t->entries[fd].close_on_exec))
			file = remove_locked(t, fd);
	}
	mutex_unlock(&t->lock);
	*from = fd;
	return file;
}

void fd_table_close_on_exec(struct fd_table *t)
{
	struct file *file;
	uint32_t from = 0;

	while ((file = take_next(t, &from, UINT32_MAX, true)))
		file_close(file, t);
}

void fd_table_close_range(struct fd_table *t, uint32_t first, uint32_t last, bool cloexec_only)
{
	struct file *file;

	if (!cloexec_only) {
		while ((file = take_next(t, &first, last, false)))
			file_close(file, t);
		return;
	}
	mutex_lock(&t->lock);
	for (uint32_t fd = first; fd < t->capacity && fd <= last; fd++) {
		if (t->entries[fd].file)
			t->entries[fd].close_on_exec = true;
	}
	mutex_unlock(&t->lock);
}

int fd_table_next(struct fd_table *t, int from)
{
	int found = -1;

	mutex_lock(&t->lock);
	for (uint32_t fd = from < 0 ? 0 : (uint32_t)from; fd < t->capacity; fd++) {
		if (t->entries[fd].file) {
			found = (int)fd;
			break;
		}
	}
	mutex_unlock(&t->lock);
	return found;
}

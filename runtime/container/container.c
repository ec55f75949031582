/* SPDX-License-Identifier: Apache-2.0 */
/* The container's directory and its lock. */
#include "runtime/container/container.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "runtime/container/state_file.h"
#include "util/cleanup.h"
#include "util/file.h"

static bool id_character_ok(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '+' || c == '.' || c == '-';
}

int container_check_id(const char *id, struct error **err)
{
	size_t length = strlen(id);

	if (length == 0)
		return error_set(err, -EINVAL, "container id cannot be empty");
	if (length > CONTAINER_ID_MAX)
		return error_set(err, -EINVAL,
				 "invalid container ID format: %zu characters, at most %d allowed",
				 length, CONTAINER_ID_MAX);
	for (size_t i = 0; i < length; i++) {
		if (!id_character_ok(id[i]))
			return error_set(err, -EINVAL, "invalid container ID format");
	}
	if (!strcmp(id, ".") || !strcmp(id, ".."))
		return error_set(err, -EINVAL, "invalid container ID format");
	/* A directory of that name must be possible. */
	if (length > NAME_MAX)
		return error_set(err, -ENAMETOOLONG,
				 "invalid container ID format: %zu characters, but file names have "
				 "at most %d", length, NAME_MAX);
	return 0;
}

static int make_directories(const char *path, struct error **err)
{
	AUTO_FREE char *copy = strdup(path);

	if (!copy)
		return error_set(err, -ENOMEM, "out of memory");
	for (char *p = copy + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(copy, 0711) < 0 && errno != EEXIST)
			return error_set_errno(err, -errno, "mkdir %s", copy);
		*p = '/';
	}
	if (mkdir(copy, 0711) < 0 && errno != EEXIST)
		return error_set_errno(err, -errno, "mkdir %s", copy);
	return 0;
}

static struct container *container_alloc(const char *id, const char *root)
{
	struct container *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->dir_fd = -1;
	c->id = strdup(id);
	c->root = realpath(root, NULL);
	if (!c->id || !c->root) {
		container_close(c);
		return NULL;
	}
	return c;
}

void container_close(struct container *c)
{
	if (!c)
		return;
	cleanup_close(&c->dir_fd);
	state_file_clear(c);
	free(c->id);
	free(c->root);
	free(c);
}

/* The directory itself carries the lock.  -ENOENT: it was removed meanwhile. */
static int container_lock(struct container *c, int operation)
{
	struct stat st;

	while (flock(c->dir_fd, operation) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	if (fstat(c->dir_fd, &st) < 0)
		return -errno;
	return st.st_nlink == 0 ? -ENOENT : 0;
}

void container_unlock(struct container *c)
{
	flock(c->dir_fd, LOCK_UN);
}

static int set_created(struct container *c)
{
	struct timespec now;
	struct tm tm;
	char text[64];
	size_t length;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	length = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	length += (size_t)snprintf(text + length, sizeof(text) - length, ".%09ld", now.tv_nsec);
	/* As Go's RFC 3339 has it: a fraction ends in no zeros. */
	while (text[length - 1] == '0')
		length--;
	if (text[length - 1] == '.')
		length--;
	snprintf(text + length, sizeof(text) - length, "Z");
	c->created = strdup(text);
	return c->created ? 0 : -ENOMEM;
}

static int open_new(struct container *c, int root_fd)
{
	int ret;

	c->dir_fd = openat(root_fd, c->id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (c->dir_fd < 0)
		return -errno;
	ret = container_lock(c, LOCK_EX);
	return ret < 0 ? ret : set_created(c);
}

static int container_make(const struct globals *globals, const char *id, struct container **out,
			  struct error **err)
{
	AUTO_CLOSE int root_fd = -1;
	AUTO_CONTAINER struct container *c = NULL;
	int ret;

	if (make_directories(globals->root, err) < 0)
		return error_code(*err);
	root_fd = open(globals->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return error_set_errno(err, -errno, "open %s", globals->root);
	c = container_alloc(id, globals->root);
	if (!c)
		return error_set(err, -ENOMEM, "out of memory");
	if (mkdirat(root_fd, id, 0711) < 0)
		return errno == EEXIST
			       ? error_set(err, -EEXIST, "container with given ID already exists")
			       : error_set_errno(err, -errno, "mkdir %s/%s", globals->root, id);
	ret = open_new(c, root_fd);
	if (ret < 0) {
		unlinkat(root_fd, id, AT_REMOVEDIR);
		return error_set_errno(err, ret, "open %s/%s", globals->root, id);
	}
	c->owner = geteuid();
	c->cgroup_rootless = globals_rootless(globals);
	c->status = OCI_CREATING;
	*out = move_ptr(c);
	return 0;
}

int container_new(const struct globals *globals, const char *id, struct container **out,
		  struct error **err)
{
	if (container_check_id(id, err) < 0)
		return error_code(*err);
	return container_make(globals, id, out, err);
}

static int open_locked(const struct globals *globals, const char *id, int operation,
		       struct container **out, struct error **err)
{
	AUTO_CLOSE int root_fd = open(globals->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_CONTAINER struct container *c = NULL;
	int ret;

	if (container_check_id(id, err) < 0)
		return error_code(*err);
	c = root_fd < 0 ? NULL : container_alloc(id, globals->root);
	if (root_fd >= 0 && !c)
		return error_set(err, -ENOMEM, "out of memory");
	if (c)
		c->dir_fd = openat(root_fd, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (!c || c->dir_fd < 0)
		return errno == ENOENT || errno == ENOTDIR
			       ? error_set(err, -ENOENT, "container does not exist")
			       : error_set_errno(err, -errno, "open %s/%s", globals->root, id);
	ret = container_lock(c, operation);
	if (ret == -ENOENT)
		return error_set(err, ret, "container does not exist");
	if (ret < 0 && ret != -EWOULDBLOCK)
		return error_set_errno(err, ret, "lock container %s", id);
	ret = state_file_read(c, err);
	if (ret < 0)
		return ret;
	container_refresh(c);
	*out = move_ptr(c);
	return 0;
}

int container_open(const struct globals *globals, const char *id, struct container **out,
		   struct error **err)
{
	return open_locked(globals, id, LOCK_EX, out, err);
}

int container_peek(const struct globals *globals, const char *id, struct container **out,
		   struct error **err)
{
	return open_locked(globals, id, LOCK_SH | LOCK_NB, out, err);
}

void container_refresh(struct container *c)
{
	if (container_is_alive(c) && !process_alive(container_process(c)))
		c->status = OCI_STOPPED;
}

/*
 * Without a descriptor more than there is: they may be what ran out.  A directory that is removed
 * already has none.
 */
static int remove_files(int dir_fd)
{
	_Alignas(struct dirent64) char entries[4096];
	ssize_t n;

	if (lseek(dir_fd, 0, SEEK_SET) < 0)
		return -errno;
	while ((n = getdents64(dir_fd, entries, sizeof(entries))) > 0) {
		const struct dirent64 *entry;

		for (ssize_t at = 0; at < n; at += entry->d_reclen) {
			entry = (const void *)(entries + at);
			if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
				continue;
			if (unlinkat(dir_fd, entry->d_name, 0) < 0 && errno != ENOENT)
				return -errno;
		}
	}
	return n < 0 && errno != ENOENT ? -errno : 0;
}

bool container_find(const struct globals *globals, bool (*each)(void *arg, struct container *c),
		    void *arg)
{
	AUTO_CLOSEDIR DIR *dir = opendir(globals->root);
	const struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir)) != NULL) {
		AUTO_CONTAINER struct container *c = NULL;
		AUTO_ERROR struct error *err = NULL;

		if (container_check_id(entry->d_name, &err) < 0 ||
		    container_peek(globals, entry->d_name, &c, &err) < 0)
			continue;
		found = each(arg, c);
	}
	return found;
}

bool container_is_alive(const struct container *c)
{
	return c->status != OCI_STOPPED && c->status != OCI_CREATING;
}

int container_check_alive(const struct container *container, struct error **err)
{
	if (!container_is_alive(container))
		return error_set(err, -ESRCH, "container not running");
	return 0;
}

const struct process_id *container_process(const struct container *c)
{
	return c->sandbox ? &c->monitor : &c->sentry;
}

pid_t container_pid(const struct container *c)
{
	return c->status == OCI_STOPPED ? 0 : container_process(c)->pid;
}

int container_remove(struct container *c, struct error **err)
{
	AUTO_FREE char *path = NULL;
	int ret = asprintf(&path, "%s/%s", c->root, c->id) < 0 ? -ENOMEM : remove_files(c->dir_fd);

	if (ret == 0 && rmdir(path) < 0 && errno != ENOENT)
		ret = -errno;
	if (ret < 0)
		return error_set_errno(err, ret, "remove %s/%s", c->root, c->id);
	return 0;
}

int container_store_config(const struct container *c, const char *text, size_t size,
			   struct error **err)
{
	AUTO_CLOSE int fd = openat(c->dir_fd, CONTAINER_CONFIG,
				   O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int ret = fd < 0 ? -errno : fd_write_all(fd, text, size);

	if (ret < 0)
		return error_set_errno(err, ret, "write %s/%s/%s", c->root, c->id,
				       CONTAINER_CONFIG);
	return 0;
}

int container_load_spec(const struct container *c, struct spec **out, struct error **err)
{
	AUTO_FREE char *text = NULL;
	size_t size;
	int ret = file_read_all(c->dir_fd, CONTAINER_CONFIG, SPEC_SIZE_MAX, &text, &size);

	if (ret < 0)
		return error_set_errno(err, ret, "read %s/%s/%s", c->root, c->id,
				       CONTAINER_CONFIG);
	return spec_parse(text, size, CONTAINER_CONFIG, out, err);
}

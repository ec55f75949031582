/* SPDX-License-Identifier: Apache-2.0 */
/*
 * v1: an eventfd that is registered in cgroup.event_control with memory.oom_control.  v2: inotify on
 * memory.events, which is written at each of its events, so the count of kills has to be compared.
 */
#include "runtime/cgroup/cgroup_oom.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/file.h"

#define EVENTS_SIZE_MAX 65536

static int watch_v1(struct oom_watch *w, const struct cgroup_dir *dir)
{
	AUTO_FREE char *register_file = NULL;
	char text[64];

	if (asprintf(&register_file, "%s/cgroup.event_control", dir->path) < 0) {
		register_file = NULL;
		return -ENOMEM;
	}
	w->control_fd = open(w->file, O_RDONLY | O_CLOEXEC);
	w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->control_fd < 0 || w->fd < 0)
		return -errno;
	snprintf(text, sizeof(text), "%d %d", w->fd, w->control_fd);
	return file_write_text(AT_FDCWD, register_file, text);
}

static int count_kills(const char *file, uint64_t *out)
{
	AUTO_FREE char *text = NULL;
	const char *at;
	size_t size;
	int ret = file_read_all(AT_FDCWD, file, EVENTS_SIZE_MAX, &text, &size);

	if (ret < 0)
		return ret;
	at = strstr(text, "oom_kill ");
	*out = at ? strtoull(at + strlen("oom_kill "), NULL, 10) : 0;
	return 0;
}

static int watch_v2(struct oom_watch *w)
{
	w->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (w->fd < 0 || inotify_add_watch(w->fd, w->file, IN_MODIFY) < 0)
		return -errno;
	return count_kills(w->file, &w->kills);
}

static int begin(struct oom_watch *w, const struct cgroup_dir *dir)
{
	if (!dir)
		return -ENOENT;
	w->unified = dir->unified;
	if (asprintf(&w->file, "%s/%s", dir->path,
		     dir->unified ? "memory.events" : "memory.oom_control") < 0) {
		w->file = NULL;
		return -ENOMEM;
	}
	return dir->unified ? watch_v2(w) : watch_v1(w, dir);
}

int oom_watch_begin(struct oom_watch *w, const struct cgroup_set *set, struct error **err)
{
	int ret;

	*w = (struct oom_watch){ .fd = -1, .control_fd = -1 };
	ret = begin(w, cgroup_dir_find(set, "memory"));
	return ret < 0 ? error_set_errno(err, ret, "watch the container's memory cgroup") : 0;
}

int oom_watch_take(struct oom_watch *w)
{
	char buffer[4096] __attribute__((aligned(8)));
	uint64_t before = w->kills;
	ssize_t n = read(w->fd, buffer, sizeof(buffer));

	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	/* The eventfd is signalled once more when the cgroup is removed. */
	if (!w->unified)
		return access(w->file, F_OK) == 0 ? 1 : -ENOENT;
	if (count_kills(w->file, &w->kills) < 0)
		return -ENOENT;
	return w->kills > before;
}

void oom_watch_end(struct oom_watch *w)
{
	cleanup_close(&w->fd);
	cleanup_close(&w->control_fd);
	free(w->file);
	*w = (struct oom_watch){ .fd = -1, .control_fd = -1 };
}

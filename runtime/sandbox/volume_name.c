/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See volume_name.h.  A directory is in those that ".." leads to, whatever path it was found by.  At the root of a mount
 * that shows a part of its file system only (kubelet's of a subPath is one) another mount may show
 * the rest: a path there is taken if the very same object is at its end.
 */
#include "runtime/sandbox/volume_name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/file.h"
#include "util/parse.h"

#define MOUNTINFO_MAX (16u << 20)
#define OPEN_FLAGS (O_PATH | O_NOFOLLOW | O_CLOEXEC)

struct place {
	uint64_t dev, ino, mount;
	bool directory;
};

static bool look(int fd, const char *name, struct place *out)
{
	int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*name ? 0 : AT_EMPTY_PATH);
	struct statx st;

	if (statx(fd, name, flags, STATX_TYPE | STATX_INO | STATX_MNT_ID, &st) < 0)
		return false;
	*out = (struct place){
		.dev = (uint64_t)st.stx_dev_major << 32 | st.stx_dev_minor,
		.ino = st.stx_ino,
		.mount = st.stx_mask & STATX_MNT_ID ? st.stx_mnt_id : 0,
		.directory = S_ISDIR(st.stx_mode),
	};
	return true;
}

static bool is_same(const struct place *a, const struct place *b)
{
	return a->dev == b->dev && a->ino == b->ino;
}

static void add(struct volume_name *name, const struct place *p)
{
	if (name->within_count < VOLUME_WITHIN_MAX)
		name->within[name->within_count++] = p->ino;
}

/* From the directory *fd (taken) to the root of its mount, which *fd and *at are then. */
static void climb(struct volume_name *name, int *fd, struct place *at)
{
	for (;;) {
		struct place up;
		int above = openat(*fd, "..", OPEN_FLAGS | O_DIRECTORY);

		if (above < 0)
			return;
		if (!look(above, "", &up) || up.mount != at->mount || is_same(&up, at)) {
			close(above);
			return;
		}
		close(*fd);
		*fd = above;
		*at = up;
		add(name, at);
	}
}

/* --- other mounts ------------------------------------------------------------------------- */

struct mount_line {
	uint64_t id;
	const char *dev; /* "8:1" */
	char *root, *at;
};

/* "\040" and the like, in place. */
static void unescape(char *text)
{
	char *to = text;

	for (char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] && from[3]) {
			*to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

static bool cut_line(char *line, struct mount_line *out)
{
	char *save;
	const char *id = strtok_r(line, " ", &save);

	strtok_r(NULL, " ", &save);
	out->dev = strtok_r(NULL, " ", &save);
	out->root = strtok_r(NULL, " ", &save);
	out->at = strtok_r(NULL, " ", &save);
	if (!out->at || parse_u64(id, 10, UINT64_MAX, &out->id) < 0)
		return false;
	unescape(out->root);
	unescape(out->at);
	return true;
}

/* What follows @root in @path, if that is below it; "" for @root itself. */
static const char *below(const char *path, const char *root)
{
	size_t size = strcmp(root, "/") ? strlen(root) : 0;

	if (strncmp(path, root, size) != 0 || (path[size] && path[size] != '/'))
		return NULL;
	return path + size;
}

/* In @other the place of @top is looked for; the directory it is or is in is opened. */
static int open_there(const struct mount_line *other, const char *rest, const struct place *top,
		      struct place *at)
{
	AUTO_FREE char *path = NULL;
	AUTO_CLOSE int fd = -1;
	struct place found;
	char *last;

	if (asprintf(&path, "%s%s", other->at, rest) < 0)
		return -ENOMEM;
	last = strrchr(path, '/');
	if (!last || !last[1] || last == path)
		return -ENOENT;
	*last = '\0';
	fd = open(path, OPEN_FLAGS | O_DIRECTORY);
	if (fd < 0)
		return -errno;
	if (!look(fd, last + 1, &found) || !is_same(&found, top) || !look(fd, "", at))
		return -ENOENT;
	/* Not what is mounted there, of which it might be the top again. */
	if (found.mount != at->mount)
		return -ENOENT;
	return move_fd(&fd);
}

static void climb_elsewhere(struct volume_name *name, const struct place *top)
{
	AUTO_FREE char *text = NULL;
	AUTO_FREE struct mount_line *lines = NULL;
	const struct mount_line *own = NULL;
	size_t size, count = 0, max = 1;
	char *save;

	if (file_read_all(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text, &size) < 0)
		return;
	for (const char *c = text; (c = strchr(c, '\n')); c++)
		max++;
	lines = calloc(max, sizeof(*lines));
	if (!lines)
		return;
	for (char *line = strtok_r(text, "\n", &save); line && count < max;
	     line = strtok_r(NULL, "\n", &save))
		count += cut_line(line, &lines[count]);
	for (size_t i = 0; i < count; i++) {
		if (lines[i].id == top->mount)
			own = &lines[i];
	}
	for (size_t i = 0; own && strcmp(own->root, "/") != 0 && i < count; i++) {
		const char *rest = below(own->root, lines[i].root);
		struct place at = { 0 };
		int fd;

		if (!rest || !*rest || strcmp(lines[i].dev, own->dev) != 0)
			continue;
		fd = open_there(&lines[i], rest, top, &at);
		if (fd < 0)
			continue;
		add(name, &at);
		climb(name, &fd, &at);
		close(fd);
		return;
	}
}

/* From the file *at to the directory it is in, if no mount begins with it. */
static bool enter_directory(const char *source, struct volume_name *name, int *fd, struct place *at)
{
	AUTO_FREE char *path = realpath(source, NULL);
	char *last = path ? strrchr(path, '/') : NULL;
	struct place found, directory;
	int above;

	if (!last || !last[1])
		return false;
	*last = '\0';
	above = open(*path ? path : "/", OPEN_FLAGS | O_DIRECTORY);
	if (above < 0)
		return false;
	if (!look(above, last + 1, &found) || !is_same(&found, at) || !look(above, "", &directory) ||
	    found.mount != directory.mount) {
		close(above);
		return false;
	}
	close(*fd);
	*fd = above;
	*at = directory;
	add(name, at);
	return true;
}

void volume_name(const char *source, struct volume_name *out)
{
	int fd = open(source, O_PATH | O_CLOEXEC);
	struct place at;

	*out = (struct volume_name){ 0 };
	if (fd < 0)
		return;
	if (look(fd, "", &at)) {
		out->dev = at.dev;
		out->ino = at.ino;
		if (at.directory || enter_directory(source, out, &fd, &at))
			climb(out, &fd, &at);
		if (at.mount)
			climb_elsewhere(out, &at);
	}
	close(fd);
}

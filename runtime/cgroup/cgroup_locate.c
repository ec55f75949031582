/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which directory a container's cgroup is in each hierarchy.  An absolute cgroupsPath starts at
 * the root of the hierarchy; a relative one, or the container's id where none is given, starts at
 * our own cgroup (v2: its parent, as a cgroup with processes cannot have children with
 * controllers).  This is runc's rule.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cgroup/cgroup.h"
#include "util/cleanup.h"
#include "util/file.h"

#define PROC_FILE_MAX (16u << 20)

/* One line of /proc/self/mountinfo, cut into its fields in place. */
struct mount_line {
	char *root;
	char *mount_point;
	char *type;
	char *super_options;
};

/* A mounted hierarchy; strings are borrowed. */
struct hierarchy {
	struct mount_line mount;
	const char *own; /* our own cgroup in it */
	const char *controllers;
	bool unified;
};

static bool token_in_list(const char *token, size_t length, const char *list)
{
	while (*list) {
		size_t n = strcspn(list, ",");

		if (n == length && !strncmp(list, token, n))
			return true;
		list += n + (list[n] == ',');
	}
	return false;
}

static int split_mount_line(char *line, struct mount_line *out)
{
	char *tail = strstr(line, " - ");
	char *save;
	char *field = strtok_r(line, " ", &save);

	if (!tail)
		return -EINVAL;
	*tail = '\0';
	for (int i = 0; field && i < 3; i++)
		field = strtok_r(NULL, " ", &save);
	out->root = field;
	out->mount_point = strtok_r(NULL, " ", &save);
	out->type = strtok_r(tail + 3, " ", &save);
	strtok_r(NULL, " ", &save);
	out->super_options = strtok_r(NULL, " ", &save);
	return out->root && out->mount_point && out->super_options ? 0 : -EINVAL;
}

/*
 * Our own cgroup in the hierarchy that @mount shows: a line "4:memory:/path" of @membership.
 * Sets *controllers (borrowed) and returns the path, or NULL.  @membership is cut in place.
 */
static char *own_cgroup(char **membership, size_t count, const struct mount_line *mount,
			bool unified, const char **controllers)
{
	for (size_t i = 0; i < count; i++) {
		char *list = membership[i] + strlen(membership[i]) + 1;
		char *path = list + strlen(list) + 1;

		if (unified ? *list == '\0'
			    : *list && token_in_list(list, strcspn(list, ","),
						     mount->super_options)) {
			*controllers = list;
			return path;
		}
	}
	return NULL;
}

/* Cuts "4:memory:/path" into three adjacent strings. */
static size_t split_membership(char *text, char **lines, size_t max)
{
	size_t count = 0;
	char *save;

	for (char *line = strtok_r(text, "\n", &save); line && count < max;
	     line = strtok_r(NULL, "\n", &save)) {
		char *first = strchr(line, ':');
		char *second = first ? strchr(first + 1, ':') : NULL;

		if (!second)
			continue;
		*first = '\0';
		*second = '\0';
		lines[count++] = line;
	}
	return count;
}

static bool path_has_dotdot(const char *path)
{
	for (const char *p = path; (p = strstr(p, "..")) != NULL; p += 2) {
		if ((p == path || p[-1] == '/') && (p[2] == '/' || p[2] == '\0'))
			return true;
	}
	return false;
}

/* The path of the container's cgroup below the root of the hierarchy; malloc'ed. */
static char *container_path(const char *wanted, const char *own, const char *mount_root,
			    bool unified)
{
	size_t root_length = strlen(mount_root);
	size_t own_length;
	char *path;

	if (wanted[0] == '/')
		return strdup(wanted);
	if (root_length > 1 && !strncmp(own, mount_root, root_length))
		own += root_length;
	own_length = strlen(own);
	if (unified) {
		const char *slash = strrchr(own, '/');

		own_length = slash ? (size_t)(slash - own) : 0;
	}
	while (own_length > 0 && own[own_length - 1] == '/')
		own_length--;
	return asprintf(&path, "%.*s/%s", (int)own_length, own, wanted) < 0 ? NULL : path;
}

static bool already_known(const struct cgroup_set *set, const char *controllers, bool unified)
{
	for (size_t i = 0; i < set->count; i++) {
		if (set->dirs[i].unified == unified &&
		    (unified || !strcmp(set->dirs[i].controllers, controllers)))
			return true;
	}
	return false;
}

/* A hierarchy that is mounted twice counts once. */
static int add_path(struct cgroup_set *set, const char *path, const struct hierarchy *h)
{
	struct cgroup_dir *dir = &set->dirs[set->count];

	if (set->count == CGROUP_DIRS_MAX || already_known(set, h->controllers, h->unified))
		return 0;
	set->count++;
	*dir = (struct cgroup_dir){
		.path = strdup(path),
		.mount_point = strdup(h->mount.mount_point),
		.controllers = strdup(h->controllers),
		.unified = h->unified,
	};
	return dir->path && dir->controllers && dir->mount_point ? 0 : -ENOMEM;
}

static int add_dir(struct cgroup_set *set, const char *wanted, const struct hierarchy *h)
{
	AUTO_FREE char *below = container_path(wanted, h->own, h->mount.root, h->unified);
	AUTO_FREE char *path = NULL;

	if (!below || asprintf(&path, "%s%s", h->mount.mount_point, below) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	return add_path(set, path, h);
}

/* Calls @each for every cgroup mount that our own cgroup is in, until it fails.  The texts are cut. */
static int for_each_hierarchy(char *mounts, char *membership,
			      int (*each)(void *arg, const struct hierarchy *h), void *arg)
{
	char *lines[CGROUP_DIRS_MAX];
	size_t count = split_membership(membership, lines, CGROUP_DIRS_MAX);
	char *save;

	for (char *line = strtok_r(mounts, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct hierarchy h = { .controllers = "" };
		int ret;

		if (!strstr(line, " - cgroup") || split_mount_line(line, &h.mount) < 0)
			continue;
		h.unified = !strcmp(h.mount.type, "cgroup2");
		h.own = own_cgroup(lines, count, &h.mount, h.unified, &h.controllers);
		ret = h.own ? each(arg, &h) : 0;
		if (ret < 0)
			return ret;
	}
	return 0;
}

struct wanted_dirs {
	const char *path; /* cgroupsPath or the id */
	bool with_v1;
	struct cgroup_set *out;
};

static int add_wanted(void *arg, const struct hierarchy *h)
{
	const struct wanted_dirs *w = arg;

	return h->unified || w->with_v1 ? add_dir(w->out, w->path, h) : 0;
}

int cgroup_locate_in(const char *wanted, bool with_v1, char *mounts, char *membership,
		     struct cgroup_set *out)
{
	struct wanted_dirs w = { wanted, with_v1, out };

	return for_each_hierarchy(mounts, membership, add_wanted, &w);
}

/* @whose: a file of /proc. */
static int read_hierarchies(const char *whose, char **mounts, char **membership)
{
	size_t size;
	int ret = file_read_all(AT_FDCWD, "/proc/self/mountinfo", PROC_FILE_MAX, mounts, &size);

	return ret < 0 ? ret : file_read_all(AT_FDCWD, whose, PROC_FILE_MAX, membership, &size);
}

int cgroup_locate(const struct spec *spec, const char *id, struct cgroup_set *out,
		  struct error **err)
{
	const char *given = spec->linux_config ? spec->linux_config->cgroups_path : NULL;
	bool with_v1 = (given && *given) || cgroup_limits_wanted(spec);
	AUTO_FREE char *mounts = NULL;
	AUTO_FREE char *membership = NULL;
	int ret;

	memset(out, 0, sizeof(*out));
	if (given && path_has_dotdot(given))
		return error_set(err, -EINVAL, "linux.cgroupsPath: \"%s\" has a .. component",
				 given);
	ret = read_hierarchies("/proc/self/cgroup", &mounts, &membership);
	if (ret == 0)
		ret = cgroup_locate_in(given && *given ? given : id, with_v1, mounts, membership,
				       out);
	if (ret < 0) {
		cgroup_set_free(out);
		return error_set_errno(err, ret, "find the cgroup hierarchies");
	}
	return 0;
}

/* --- systemd's ----------------------------------------------------------------------------- */

/* As systemd and runc see it: somebody may have a hierarchy of v1 beside. */
static bool is_v2(const char *mount_point, bool unified)
{
	return unified && !strcmp(mount_point, "/sys/fs/cgroup");
}

static bool host_is_v2(const char *mounts)
{
	for (const char *line = mounts; line; line = strchr(line, '\n')) {
		const char *type;
		char mount_point[64];

		line += *line == '\n';
		type = strstr(line, " - cgroup2 ");
		if (type && type < strchrnul(line, '\n') &&
		    sscanf(line, "%*s %*s %*s %*s %63s", mount_point) == 1 && is_v2(mount_point, true))
			return true;
	}
	return false;
}

int cgroup_host_is_v2(bool *out, struct error **err)
{
	AUTO_FREE char *mounts = NULL;
	size_t size;
	int ret = file_read_all(AT_FDCWD, "/proc/self/mountinfo", PROC_FILE_MAX, &mounts, &size);

	if (ret < 0)
		return error_set_errno(err, ret, "find the cgroup hierarchies");
	*out = host_is_v2(mounts);
	return 0;
}

struct unit_dirs {
	const char *below;
	bool v2;
	struct cgroup_set *out;
};

/* systemd's tree begins where init is, but for the scope of its own that it is in. */
static int add_unit(void *arg, const struct hierarchy *h)
{
	static const char scope[] = "/init.scope";
	const struct unit_dirs *u = arg;
	AUTO_FREE char *path = NULL;
	const char *own = u->v2 ? "" : h->own;
	size_t root_length = strlen(h->mount.root), length;

	if (u->v2 && !h->unified)
		return 0;
	if (root_length > 1 && !strncmp(own, h->mount.root, root_length))
		own += root_length;
	length = strlen(own);
	if (length >= strlen(scope) && !strcmp(own + length - strlen(scope), scope))
		length -= strlen(scope);
	while (length > 0 && own[length - 1] == '/')
		length--;
	if (path_has_dotdot(own) || path_has_dotdot(u->below))
		return -EXDEV;
	if (asprintf(&path, "%s%.*s%s", h->mount.mount_point, (int)length, own, u->below) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	return add_path(u->out, path, h);
}

int cgroup_locate_unit_in(const char *below, char *mounts, char *membership, struct cgroup_set *out)
{
	struct unit_dirs u = { below, host_is_v2(mounts), out };

	return for_each_hierarchy(mounts, membership, add_unit, &u);
}

int cgroup_locate_unit(const char *below, struct cgroup_set *out, struct error **err)
{
	AUTO_FREE char *mounts = NULL;
	AUTO_FREE char *membership = NULL;
	int ret = read_hierarchies("/proc/1/cgroup", &mounts, &membership);

	memset(out, 0, sizeof(*out));
	if (ret == 0)
		ret = cgroup_locate_unit_in(below, mounts, membership, out);
	if (ret < 0) {
		cgroup_set_free(out);
		return error_set_errno(err, ret, "find the cgroup hierarchies");
	}
	return 0;
}

/* --- of a container that exists --------------------------------------------------------------- */

struct recorded_dirs {
	const struct string_list *paths;
	struct cgroup_set *out;
};

/* The recorded paths that lie in the hierarchy. */
static int add_recorded(void *arg, const struct hierarchy *h)
{
	const struct recorded_dirs *r = arg;
	size_t length = strlen(h->mount.mount_point);
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < r->paths->count; i++) {
		const char *path = r->paths->items[i];

		if (!strncmp(path, h->mount.mount_point, length) && path[length] == '/')
			ret = add_path(r->out, path, h);
	}
	return ret;
}

int cgroup_locate_recorded_in(const struct string_list *paths, char *mounts, char *membership,
			      struct cgroup_set *out)
{
	struct recorded_dirs r = { paths, out };

	return for_each_hierarchy(mounts, membership, add_recorded, &r);
}

int cgroup_locate_recorded(const struct string_list *paths, struct cgroup_set *out,
			   struct error **err)
{
	AUTO_FREE char *mounts = NULL;
	AUTO_FREE char *membership = NULL;
	int ret = read_hierarchies("/proc/self/cgroup", &mounts, &membership);

	memset(out, 0, sizeof(*out));
	if (ret == 0)
		ret = cgroup_locate_recorded_in(paths, mounts, membership, out);
	if (ret < 0) {
		cgroup_set_free(out);
		return error_set_errno(err, ret, "find the cgroup hierarchies");
	}
	return 0;
}

void cgroup_set_free(struct cgroup_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		free(set->dirs[i].path);
		free(set->dirs[i].mount_point);
		free(set->dirs[i].controllers);
	}
	memset(set, 0, sizeof(*set));
}

bool cgroup_set_is_v2(const struct cgroup_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		if (is_v2(set->dirs[i].mount_point, set->dirs[i].unified))
			return true;
	}
	return false;
}

const struct cgroup_dir *cgroup_dir_find(const struct cgroup_set *set, const char *controller)
{
	const struct cgroup_dir *unified = NULL;

	for (size_t i = 0; i < set->count; i++) {
		if (set->dirs[i].unified)
			unified = &set->dirs[i];
		else if (token_in_list(controller, strlen(controller), set->dirs[i].controllers))
			return &set->dirs[i];
	}
	return unified;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* See namespaces.h. */
#include "runtime/container/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oci/namespace.h"
#include "runtime/container/container.h"
#include "runtime/container/namespace_look.h"
#include "util/cleanup.h"
#include "util/log.h"

/* A namespace of config.json with a path, opened. */
struct named {
	const struct globals *globals;
	size_t index;
	const struct oci_namespace_info *info;
	const char *path;
	int fd;
};

/* @process: as /proc calls it. */
static bool is_of_process(const struct named *n, const char *process)
{
	struct stat st;

	return fstat(n->fd, &st) == 0 && namespace_is_of(&st, process, n->info->proc_name);
}

static bool is_ours(const struct named *n)
{
	return is_of_process(n, "self");
}

struct owner {
	const struct named *named;
	char *id;
};

/* Is its sandbox in it? */
static bool is_in(void *arg, struct container *c)
{
	struct owner *owner = arg;
	pid_t pid = container_pid(c);
	char process[16];

	snprintf(process, sizeof(process), "%d", pid);
	if (pid <= 0 || !is_of_process(owner->named, process))
		return false;
	owner->id = strdup(c->id);
	return owner->id;
}

/* The id of the container whose sandbox is in it, or NULL; to be freed. */
static char *container_in(const struct named *n)
{
	struct owner owner = { .named = n };

	return container_find(n->globals, is_in, &owner) ? owner.id : NULL;
}

static int open_named(struct named *n, struct error **err)
{
	int type;

	n->fd = open(n->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (n->fd < 0)
		return error_set_errno(err, -errno, "linux.namespaces[%zu].path: %s", n->index, n->path);
	type = ioctl(n->fd, NS_GET_NSTYPE);
	if (type != n->info->clone_flag)
		return error_set(err, -EINVAL, "linux.namespaces[%zu].path: %s is not a %s namespace",
				 n->index, n->path, n->info->name);
	return 0;
}

/* --- names ------------------------------------------------------------------------------------ */

static int take_name(char **to, const char *name, struct error **err)
{
	if (*to && **to)
		return 0;
	free(*to);
	*to = strdup(name);
	return *to ? 0 : error_set(err, -ENOMEM, "out of memory");
}

/* As Linux's new namespace begins, and as the one that is named is. */
static int take_names(struct spec *spec, const struct utsname *names, struct error **err)
{
	if (take_name(&spec->hostname, names->nodename, err) < 0)
		return error_code(*err);
	return take_name(&spec->domainname, names->domainname, err);
}

int namespaces_take_names(struct spec *spec, struct error **err)
{
	struct utsname names;

	if (uname(&names) < 0)
		return error_set_errno(err, -errno, "uname");
	return take_names(spec, &names, err);
}

static int join_uts(struct spec *spec, const struct named *n, struct error **err)
{
	struct utsname names;
	int ret = is_ours(n) ? (uname(&names) < 0 ? -errno : 0) : namespace_look_names(n->fd, &names);

	if (ret < 0)
		return error_set_errno(err, ret, "linux.namespaces[%zu].path: read the names of %s", n->index,
				       n->path);
	log_warning("linux.namespaces[%zu].path: the container has the names of %s as they are now, and "
		    "a UTS namespace of its own", n->index, n->path);
	return take_names(spec, &names, err);
}

/* --- maps ------------------------------------------------------------------------------------- */

static bool maps_root(const struct spec_id_mapping *map, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (map[i].container_id == 0 && map[i].size > 0)
			return true;
	}
	return false;
}

static int read_map(const struct named *n, const char *file, struct spec_id_mapping **items,
		    size_t *count, struct error **err)
{
	struct spec_id_mapping *read = NULL;
	size_t read_count = 0;
	int ret = namespace_look_map(n->fd, file, &read, &read_count);

	if (ret < 0)
		return error_set_errno(err, ret, "linux.namespaces[%zu].path: read %s of %s", n->index, file,
				       n->path);
	free(*items);
	*items = read;
	*count = read_count;
	if (!maps_root(read, read_count))
		return error_set(err, -EINVAL, "linux.namespaces[%zu].path: %s of %s has no root", n->index,
				 file, n->path);
	return 0;
}

static int join_user(struct spec *spec, const struct named *n, struct error **err)
{
	struct spec_linux *l = spec->linux_config;

	if (read_map(n, "uid_map", &l->uid_mappings.items, &l->uid_mappings.count, err) < 0 ||
	    read_map(n, "gid_map", &l->gid_mappings.items, &l->gid_mappings.count, err) < 0)
		return error_code(*err);
	log_warning("linux.namespaces[%zu].path: the container has a user namespace of its own, with the "
		    "maps of %s", n->index, n->path);
	return 0;
}

/* --- the others ------------------------------------------------------------------------------- */

/* See pod_find_shared. */
static bool shared_with_network(const struct named *n)
{
	return !strcmp(n->info->name, "pid") || !strcmp(n->info->name, "ipc");
}

static int refuse(const struct named *n, struct error **err)
{
	AUTO_FREE char *id = container_in(n);

	if (id)
		return error_set(err, -EOPNOTSUPP,
				 "linux.namespaces[%zu].path: joining the %s namespace of container %s is not "
				 "supported: it is in a sandbox of its own%s", n->index, n->info->name, id,
				 shared_with_network(n) ? ", which would have to be shared with its network" : "");
	return error_set(err, -EOPNOTSUPP,
			 "linux.namespaces[%zu].path: joining the %s namespace %s is not supported: a sandbox "
			 "has its own", n->index, n->info->name, n->path);
}

static void remove_entry(struct spec_linux *l, size_t index)
{
	struct spec_namespace *ns = &l->namespaces.items[index];

	free(ns->type);
	free(ns->path);
	l->namespaces.count--;
	memmove(ns, ns + 1, (l->namespaces.count - index) * sizeof(*ns));
}

static int resolve_named(struct spec *spec, const struct named *n, bool *remove, struct error **err)
{
	int number = oci_namespace_number(n->info->name);

	if (number == OCI_NAMESPACE_UTS)
		return join_uts(spec, n, err);
	/* No namespace of the container's own is what naming ours means. */
	*remove = number == OCI_NAMESPACE_USER && is_ours(n);
	if (*remove)
		return 0;
	if (number == OCI_NAMESPACE_USER)
		return join_user(spec, n, err);
	if (!is_ours(n))
		return refuse(n, err);
	log_warning("linux.namespaces[%zu].path: the container has a %s namespace of its own: a sandbox "
		    "cannot be in the host's", n->index, n->info->name);
	return 0;
}

static int resolve_one(const struct globals *globals, struct spec *spec, size_t index, bool *removed,
		       struct error **err)
{
	struct spec_namespace *ns = &spec->linux_config->namespaces.items[index];
	struct named n = { globals, index, &oci_namespaces[oci_namespace_number(ns->type)], ns->path, -1 };
	int ret;

	*removed = false;
	if (!ns->path || !*ns->path || !strcmp(ns->type, "network"))
		return 0;
	ret = open_named(&n, err);
	if (ret == 0)
		ret = resolve_named(spec, &n, removed, err);
	cleanup_close(&n.fd);
	if (ret < 0)
		return ret;
	free(ns->path);
	ns->path = NULL;
	if (*removed)
		remove_entry(spec->linux_config, index);
	return 0;
}

static void warn_of_absent(const struct spec *spec)
{
	static const char *const kinds[] = { "pid", "ipc" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!spec_namespace_find(spec, kinds[i]))
			log_warning("linux.namespaces: no %s namespace: the container has one of its own all the "
				    "same, and not the host's", kinds[i]);
	}
}

int namespaces_resolve(const struct globals *globals, struct spec *spec, struct error **err)
{
	struct spec_linux *l = spec->linux_config;
	bool removed;

	for (size_t i = 0; l && i < l->namespaces.count; i += !removed) {
		if (resolve_one(globals, spec, i, &removed, err) < 0)
			return error_code(*err);
	}
	warn_of_absent(spec);
	return namespaces_take_names(spec, err);
}

/* Its index, or the count. */
static size_t find_user(const struct spec_linux *l)
{
	size_t i = 0;

	while (i < l->namespaces.count && strcmp(l->namespaces.items[i].type, "user") != 0)
		i++;
	return i;
}

int namespaces_resolve_user(const struct globals *globals, struct spec *spec, struct error **err)
{
	struct spec_linux *l = spec->linux_config;
	size_t index = l ? find_user(l) : 0;
	bool removed;

	return l && index < l->namespaces.count ? resolve_one(globals, spec, index, &removed, err) : 0;
}

static int add_user(struct spec_linux *l, struct error **err)
{
	struct spec_namespace *items =
		reallocarray(l->namespaces.items, l->namespaces.count + 1, sizeof(*items));
	char *type = items ? strdup("user") : NULL;

	if (items)
		l->namespaces.items = items;
	if (!type)
		return error_set(err, -ENOMEM, "out of memory");
	items[l->namespaces.count++] = (struct spec_namespace){ .type = type };
	return 0;
}

int namespaces_set_user(struct spec *spec, bool has_one, struct error **err)
{
	struct spec_linux *l = spec->linux_config;
	size_t index;

	if (!l && !has_one)
		return 0;
	if (!l)
		return error_set(err, -EINVAL, "config.json: linux is missing");
	index = find_user(l);
	if (index == l->namespaces.count)
		return has_one ? add_user(l, err) : 0;
	if (has_one) {
		free(l->namespaces.items[index].path);
		l->namespaces.items[index].path = NULL;
	} else {
		remove_entry(l, index);
	}
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* See id_mapped.h. */
#include "runtime/sandbox/id_mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/sandbox/clone.h"
#include "runtime/sandbox/id_maps.h"
#include "util/cleanup.h"
#include "util/file.h"
#include "util/strbuf.h"

struct id_map {
	const struct spec_id_mapping *items;
	size_t count;
};

struct id_map_pair {
	struct id_map uids, gids;
};

static struct id_map_pair maps_of(const struct spec *spec, const struct spec_mount *mount)
{
	const struct spec_linux *l = spec->linux_config;

	if (mount->uid_mappings.count || !l || !id_maps_wanted(spec))
		return (struct id_map_pair){ { mount->uid_mappings.items, mount->uid_mappings.count },
					     { mount->gid_mappings.items, mount->gid_mappings.count } };
	return (struct id_map_pair){ { l->uid_mappings.items, l->uid_mappings.count },
				     { l->gid_mappings.items, l->gid_mappings.count } };
}

enum id_mapping id_mapped_kind(const struct spec_mount *mount, const struct mount_flags *flags)
{
	if (flags->id_mapped)
		return flags->id_mapped_recursive ? ID_MAPPING_RECURSIVE : ID_MAPPING_TOP;
	return mount->uid_mappings.count ? ID_MAPPING_TOP : ID_MAPPING_NONE;
}

static bool names_host_id(const struct id_map *map, uint32_t id)
{
	for (size_t i = 0; i < map->count; i++) {
		if (id >= map->items[i].host_id && id - map->items[i].host_id < map->items[i].size)
			return true;
	}
	return false;
}

/* Who the gofer is: the container's root. */
static uint32_t root_of(const struct spec_id_mapping *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (items[i].container_id == 0 && items[i].size)
			return items[i].host_id;
	}
	return 0;
}

int id_mapped_check(const struct spec *spec, const struct spec_mount *mount, bool is_bind,
		    struct error **err)
{
	const struct spec_linux *l = spec->linux_config;
	bool own = l && id_maps_wanted(spec);
	uint32_t uid = own ? root_of(l->uid_mappings.items, l->uid_mappings.count) : 0;
	uint32_t gid = own ? root_of(l->gid_mappings.items, l->gid_mappings.count) : 0;
	struct id_map_pair maps = maps_of(spec, mount);

	if (!is_bind)
		return error_set(err, -EINVAL, "id-mapped mounts are only supported for bind-mounts");
	if (geteuid() != 0)
		return error_set(err, -EPERM,
				 "id-mapped mounts are not supported for rootless containers");
	if (!maps.uids.count || !maps.gids.count)
		return error_set(err, -EINVAL,
				 "id-mapped mounts must have both uid and gid mappings specified");
	/* The gofer creates files as root, and gives them to their owners then. */
	if (!names_host_id(&maps.uids, uid) || !names_host_id(&maps.gids, gid))
		return error_set(err, -EOPNOTSUPP,
				 "id-mapped mounts in which the container's root (%u, group %u on the host) has "
				 "no id are not supported", uid, gid);
	return 0;
}

static int write_map(pid_t pid, const char *file, const struct id_map *map)
{
	AUTO_STRBUF struct strbuf text = STRBUF_INIT;
	char path[64];

	for (size_t i = 0; i < map->count; i++)
		strbuf_addf(&text, "%u %u %u\n", map->items[i].container_id, map->items[i].host_id,
			    map->items[i].size);
	if (text.failed)
		return -ENOMEM;
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	return file_write_text(AT_FDCWD, path, strbuf_text(&text));
}

static int make_maps(pid_t pid, const struct id_map_pair *maps, int *fd)
{
	char path[64];
	int ret = write_map(pid, "uid_map", &maps->uids);

	if (ret == 0)
		ret = write_map(pid, "gid_map", &maps->gids);
	if (ret < 0)
		return ret;
	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	*fd = open(path, O_RDONLY | O_CLOEXEC);
	return *fd < 0 ? -errno : 0;
}

static NORETURN void wait_for_end(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	for (;;)
		pause();
}

/* A namespace has to be some process's until somebody has it open. */
int id_mapped_open(const struct spec *spec, const struct spec_mount *mount, int *fd,
		   struct error **err)
{
	struct id_map_pair maps = maps_of(spec, mount);
	struct clone_result child;
	int ret = clone_process(CLONE_NEWUSER, -1, &child);

	if (ret == 0 && child.pid == 0)
		wait_for_end();
	if (ret == 0) {
		ret = make_maps(child.pid, &maps, fd);
		kill(child.pid, SIGKILL);
		while (waitpid(child.pid, NULL, 0) < 0 && errno == EINTR)
			;
		if (child.pidfd >= 0)
			close(child.pidfd);
	}
	return ret < 0 ? error_set_errno(err, ret, "mount %s: make a user namespace of its maps",
					 mount->destination) : 0;
}

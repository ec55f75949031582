/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/sandbox/attach.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "gofer/start.h"
#include "oci/mount_option.h"
#include "runtime/sandbox/boot_config_build.h"
#include "util/clean_path.h"
#include "util/cleanup.h"

/* As runc: over /proc goes a procfs alone.  What is in it the sentry refuses (boot_proc_mount.h). */
static int check_proc(const struct spec *spec, const struct spec_mount *mount, struct error **err)
{
	AUTO_FREE char *path = calloc(1, strlen(mount->destination) + 2);
	AUTO_FREE char *root = realpath(spec->root->path, NULL);
	struct statfs fs;

	if (!path)
		return error_set(err, -ENOMEM, "out of memory");
	clean_path_append(path, mount->destination);
	/* A source that is missing is told by who opens it. */
	if (strcmp(path, "/proc") != 0 || statfs(mount->source, &fs) < 0 || fs.f_type == PROC_SUPER_MAGIC)
		return 0;
	return error_set(err, -EPERM,
			 "unable to start container process: error mounting \"%s\" to rootfs at \"%s\": "
			 "\"%s%s\" cannot be mounted because it is not of type proc", mount->source,
			 mount->destination, root ? root : spec->root->path, path);
}

static int add_bind(const struct spec *spec, const struct spec_mount *mount,
		    const struct mount_flags *flags, struct attach_list *list, struct error **err)
{
	struct attach_point point = {
		.source = mount->source,
		.recursive = (flags->flags & MS_REC) != 0,
		.read_only = mount_is_read_only(flags),
		.follows = flags->propagation & (MS_SLAVE | MS_SHARED),
		.id_mapping = id_mapped_kind(mount, flags),
		.id_map_fd = -1,
	};

	if (check_proc(spec, mount, err) < 0)
		return error_code(*err);
	if (point.id_mapping != ID_MAPPING_NONE &&
	    id_mapped_open(spec, mount, &point.id_map_fd, err) < 0)
		return error_code(*err);
	list->items[list->count++] = point;
	return 0;
}

static int add_mount(const struct spec *spec, const struct spec_mount *mount, struct attach_list *list,
		     struct error **err)
{
	struct mount_flags flags;
	int ret = 0;

	if (mount_flags_parse(&mount->options, &flags, err) < 0)
		return error_wrap(err, "mount %s", mount->destination);
	if (mount_is_bind(mount, &flags))
		ret = add_bind(spec, mount, &flags, list, err);
	mount_flags_free(&flags);
	return ret;
}

int attach_list_build(const struct spec *spec, bool write_through, struct attach_list *out,
		      struct error **err)
{
	struct attach_list list = { calloc(spec->mounts.count + 1, sizeof(*list.items)), 1 };

	if (!list.items)
		return error_set(err, -ENOMEM, "out of memory");
	/*
	 * Writes stay in the sentry unless they are to go through.  A read-only root that they could go
	 * through to is sealed by the sentry when the targets of the mounts are there.
	 */
	list.items[0] = (struct attach_point){
		.source = spec->root->path,
		.recursive = true,
		.read_only = !write_through,
	};
	for (size_t i = 0; i < spec->mounts.count; i++) {
		if (add_mount(spec, &spec->mounts.items[i], &list, err) < 0) {
			attach_list_free(&list);
			return error_code(*err);
		}
	}
	if (list.count > GOFER_START_MOUNTS_MAX) {
		error_set(err, -EINVAL, "config.json: %u bind mounts: the gofer serves %u at most", list.count - 1,
			  GOFER_START_MOUNTS_MAX - 1);
		attach_list_free(&list);
		return error_code(*err);
	}
	*out = list;
	return 0;
}

void attach_list_free(struct attach_list *list)
{
	for (uint32_t i = 0; i < list->count; i++) {
		if (list->items[i].id_mapping != ID_MAPPING_NONE)
			close(list->items[i].id_map_fd);
	}
	free(list->items);
	list->items = NULL;
	list->count = 0;
}

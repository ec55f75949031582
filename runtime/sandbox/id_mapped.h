/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Id-mapped mounts: the host's kernel translates the owners of a bind mount's files between what is
 * stored and what all else, gofer and sandbox among it, sees and sets.
 */
#pragma once

#include "oci/mount_option.h"
#include "oci/spec.h"
#include "util/compiler.h"
#include "util/error.h"

enum id_mapping { ID_MAPPING_NONE, ID_MAPPING_TOP, ID_MAPPING_RECURSIVE };

/* Which kind @mount asks for; its own maps without an option are the top one's. */
enum id_mapping id_mapped_kind(const struct spec_mount *mount, const struct mount_flags *flags);
/* Can we make it for a container of @spec?  The reason if not. */
int id_mapped_check(const struct spec *spec, const struct spec_mount *mount, bool is_bind,
		    struct error **err) MUST_CHECK;
/* A user namespace with the maps of @mount, or the container's if it has none: *fd is the caller's. */
int id_mapped_open(const struct spec *spec, const struct spec_mount *mount, int *fd,
		   struct error **err) MUST_CHECK;

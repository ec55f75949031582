/* SPDX-License-Identifier: Apache-2.0 */
/* The mount options of config.json: one table, from which `features` is written too. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "oci/spec.h"
#include "util/compiler.h"
#include "util/error.h"

enum mount_option_kind {
	MOUNT_OPTION_FLAG,	  /* sets MS_ flags */
	MOUNT_OPTION_CLEAR,	  /* clears them */
	MOUNT_OPTION_PROPAGATION, /* MS_SHARED and the like, applied after mounting */
	MOUNT_OPTION_REC_SET,	  /* MOUNT_ATTR_ flags for the whole tree */
	MOUNT_OPTION_REC_CLEAR,
	MOUNT_OPTION_TMPCOPYUP,
	MOUNT_OPTION_ID_MAP, /* flags: MS_REC for the whole tree */
};

/* What this runtime does with it; docs/compatibility.md lists those that are ignored. */
enum mount_option_support {
	MOUNT_OPTION_HONOURED,
	MOUNT_OPTION_IGNORED, /* a container works without it */
	MOUNT_OPTION_REFUSED, /* it would not have what was asked for */
};

struct mount_option {
	const char *name;
	enum mount_option_kind kind;
	uint64_t flags;
	enum mount_option_support support;
};

/* Sorted by name. */
extern const struct mount_option mount_options[];
extern const size_t mount_option_count;

const struct mount_option *mount_option_find(const char *name);

struct mount_flags {
	uint64_t flags;	      /* MS_* */
	uint64_t cleared;     /* MS_* that an option cleared */
	uint64_t propagation; /* MS_SHARED..., with MS_REC; 0: none asked for */
	uint64_t rec_set;     /* MOUNT_ATTR_* */
	uint64_t rec_clear;
	bool tmpcopyup;
	bool id_mapped, id_mapped_recursive;
	char *data; /* what the table does not know, comma-separated; NULL: nothing */
};

/* Later options win over earlier ones. mount_flags_free frees what *out owns. */
int mount_flags_parse(const struct string_list *options, struct mount_flags *out,
		      struct error **err) MUST_CHECK;
/* MS_*, with what was asked for recursively applied: for a tree that is mounted as one. */
uint64_t mount_flags_flat(const struct mount_flags *flags);
/* @flags: the parsed options of @mount. */
bool mount_is_bind(const struct spec_mount *mount, const struct mount_flags *flags);
void mount_flags_free(struct mount_flags *flags);

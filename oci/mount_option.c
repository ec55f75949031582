/* SPDX-License-Identifier: Apache-2.0 */
/* Mount options by name, as runc understands them. */
#include "oci/mount_option.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "util/strbuf.h"

/* Newer than glibc's header, or only in the kernel's, which clashes with it. */
#define OPTION_NOSYMFOLLOW 256u	      /* MS_NOSYMFOLLOW */
#define OPTION_LAZYTIME (1u << 25)    /* MS_LAZYTIME */
#define ATTR_RDONLY 0x1u	      /* MOUNT_ATTR_* */
#define ATTR_NOSUID 0x2u
#define ATTR_NODEV 0x4u
#define ATTR_NOEXEC 0x8u
#define ATTR_ATIME 0x70u
#define ATTR_RELATIME 0x0u
#define ATTR_NOATIME 0x10u
#define ATTR_STRICTATIME 0x20u
#define ATTR_NODIRATIME 0x80u
#define ATTR_NOSYMFOLLOW 0x200000u

/* The last argument, enum mount_option_support, may be left out. */
#define SET(name, ...) { name, MOUNT_OPTION_FLAG, __VA_ARGS__ }
#define CLEAR(name, ...) { name, MOUNT_OPTION_CLEAR, __VA_ARGS__ }
#define PROPAGATION(name, ...) { name, MOUNT_OPTION_PROPAGATION, __VA_ARGS__ }
#define REC_SET(name, ...) { name, MOUNT_OPTION_REC_SET, __VA_ARGS__ }
#define REC_CLEAR(name, ...) { name, MOUNT_OPTION_REC_CLEAR, __VA_ARGS__ }
#define IGNORED MOUNT_OPTION_IGNORED
#define REFUSED MOUNT_OPTION_REFUSED

const struct mount_option mount_options[] = {
	SET("acl", MS_POSIXACL, IGNORED),
	CLEAR("async", MS_SYNCHRONOUS),
	CLEAR("atime", MS_NOATIME),
	SET("bind", MS_BIND),
	SET("defaults", 0),
	CLEAR("dev", MS_NODEV),
	CLEAR("diratime", MS_NODIRATIME),
	SET("dirsync", MS_DIRSYNC, IGNORED),
	CLEAR("exec", MS_NOEXEC),
	{ "idmap", MOUNT_OPTION_ID_MAP, 0, MOUNT_OPTION_HONOURED },
	SET("iversion", MS_I_VERSION, IGNORED),
	SET("lazytime", OPTION_LAZYTIME, IGNORED),
	CLEAR("loud", MS_SILENT),
	SET("mand", MS_MANDLOCK, IGNORED),
	CLEAR("noacl", MS_POSIXACL, IGNORED),
	SET("noatime", MS_NOATIME),
	SET("nodev", MS_NODEV),
	SET("nodiratime", MS_NODIRATIME),
	SET("noexec", MS_NOEXEC),
	CLEAR("noiversion", MS_I_VERSION, IGNORED),
	CLEAR("nolazytime", OPTION_LAZYTIME, IGNORED),
	CLEAR("nomand", MS_MANDLOCK, IGNORED),
	CLEAR("norelatime", MS_RELATIME),
	CLEAR("nostrictatime", MS_STRICTATIME),
	SET("nosuid", MS_NOSUID),
	SET("nosymfollow", OPTION_NOSYMFOLLOW, REFUSED),
	PROPAGATION("private", MS_PRIVATE),
	REC_CLEAR("ratime", ATTR_NOATIME),
	SET("rbind", MS_BIND | MS_REC),
	REC_CLEAR("rdev", ATTR_NODEV),
	REC_CLEAR("rdiratime", ATTR_NODIRATIME),
	SET("relatime", MS_RELATIME),
	SET("remount", MS_REMOUNT, REFUSED),
	REC_CLEAR("rexec", ATTR_NOEXEC),
	{ "ridmap", MOUNT_OPTION_ID_MAP, MS_REC, MOUNT_OPTION_HONOURED },
	REC_SET("rnoatime", ATTR_NOATIME),
	REC_SET("rnodev", ATTR_NODEV),
	REC_SET("rnodiratime", ATTR_NODIRATIME),
	REC_SET("rnoexec", ATTR_NOEXEC),
	REC_CLEAR("rnorelatime", ATTR_RELATIME),
	REC_CLEAR("rnostrictatime", ATTR_STRICTATIME),
	REC_SET("rnosuid", ATTR_NOSUID),
	REC_SET("rnosymfollow", ATTR_NOSYMFOLLOW, REFUSED),
	SET("ro", MS_RDONLY),
	PROPAGATION("rprivate", MS_PRIVATE | MS_REC),
	REC_SET("rrelatime", ATTR_RELATIME),
	REC_SET("rro", ATTR_RDONLY),
	REC_CLEAR("rrw", ATTR_RDONLY),
	PROPAGATION("rshared", MS_SHARED | MS_REC),
	PROPAGATION("rslave", MS_SLAVE | MS_REC),
	REC_SET("rstrictatime", ATTR_STRICTATIME),
	REC_CLEAR("rsuid", ATTR_NOSUID),
	REC_CLEAR("rsymfollow", ATTR_NOSYMFOLLOW),
	PROPAGATION("runbindable", MS_UNBINDABLE | MS_REC),
	CLEAR("rw", MS_RDONLY),
	PROPAGATION("shared", MS_SHARED),
	SET("silent", MS_SILENT),
	PROPAGATION("slave", MS_SLAVE),
	SET("strictatime", MS_STRICTATIME),
	CLEAR("suid", MS_NOSUID),
	CLEAR("symfollow", OPTION_NOSYMFOLLOW),
	SET("sync", MS_SYNCHRONOUS, IGNORED),
	{ "tmpcopyup", MOUNT_OPTION_TMPCOPYUP, 0, MOUNT_OPTION_HONOURED },
	PROPAGATION("unbindable", MS_UNBINDABLE),
};
const size_t mount_option_count = ARRAY_SIZE(mount_options);

static int compare_option(const void *name, const void *option)
{
	return strcmp(name, ((const struct mount_option *)option)->name);
}

const struct mount_option *mount_option_find(const char *name)
{
	return bsearch(name, mount_options, mount_option_count, sizeof(mount_options[0]),
		       compare_option);
}

static void apply(struct mount_flags *f, const struct mount_option *o)
{
	/* The access time modes exclude each other in MOUNT_ATTR_, where relatime is 0. */
	bool atime = (o->flags & ATTR_ATIME) || !o->flags;

	switch (o->kind) {
	case MOUNT_OPTION_FLAG:
		f->flags |= o->flags;
		f->cleared &= ~o->flags;
		break;
	case MOUNT_OPTION_CLEAR:
		f->flags &= ~o->flags;
		f->cleared |= o->flags;
		break;
	case MOUNT_OPTION_PROPAGATION:
		f->propagation = o->flags;
		break;
	case MOUNT_OPTION_REC_SET:
		if (atime) {
			f->rec_set &= ~(uint64_t)ATTR_ATIME;
			f->rec_clear |= ATTR_ATIME;
		} else {
			f->rec_clear &= ~o->flags;
		}
		f->rec_set |= o->flags;
		break;
	case MOUNT_OPTION_REC_CLEAR:
		/* mount_setattr(2) wants the whole field cleared to change the mode. */
		f->rec_clear |= atime ? ATTR_ATIME : o->flags;
		f->rec_set &= ~o->flags;
		break;
	case MOUNT_OPTION_TMPCOPYUP:
		f->tmpcopyup = true;
		break;
	case MOUNT_OPTION_ID_MAP:
		f->id_mapped = true;
		f->id_mapped_recursive = o->flags & MS_REC;
		break;
	}
}

int mount_flags_parse(const struct string_list *options, struct mount_flags *out,
		      struct error **err)
{
	AUTO_STRBUF struct strbuf data = STRBUF_INIT;
	struct mount_flags flags = { 0 };

	for (size_t i = 0; i < options->count; i++) {
		const struct mount_option *option = mount_option_find(options->items[i]);

		if (option && option->support == MOUNT_OPTION_REFUSED)
			return error_set(err, -EOPNOTSUPP, "mount option \"%s\" is not supported",
					 option->name);
		if (option) {
			apply(&flags, option);
			continue;
		}
		if (data.length)
			strbuf_add_char(&data, ',');
		strbuf_add(&data, options->items[i]);
	}
	if (data.length || data.failed) {
		flags.data = strbuf_detach(&data);
		if (!flags.data)
			return error_set_errno(err, -ENOMEM, "mount options");
	}
	*out = flags;
	return 0;
}

uint64_t mount_flags_flat(const struct mount_flags *f)
{
	static const struct {
		uint64_t attribute, flag;
	} pairs[] = {
		{ ATTR_RDONLY, MS_RDONLY },	    { ATTR_NOSUID, MS_NOSUID },
		{ ATTR_NODEV, MS_NODEV },	    { ATTR_NOEXEC, MS_NOEXEC },
		{ ATTR_NODIRATIME, MS_NODIRATIME }, { ATTR_NOATIME, MS_NOATIME },
		{ ATTR_STRICTATIME, MS_STRICTATIME },
	};
	uint64_t flags = f->flags;

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		if (f->rec_clear & pairs[i].attribute)
			flags &= ~pairs[i].flag;
		if (f->rec_set & pairs[i].attribute)
			flags |= pairs[i].flag;
	}
	return flags;
}

bool mount_is_bind(const struct spec_mount *mount, const struct mount_flags *flags)
{
	return (flags->flags & MS_BIND) || (mount->type && !strcmp(mount->type, "bind"));
}

void mount_flags_free(struct mount_flags *flags)
{
	free(flags->data);
	flags->data = NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* See boot_devices.h.  A /dev that is a bind mount is the operator's own: left alone. */
#include "sentry/boot/boot_devices.h"

#include <errno.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/fs/dev/dev.h"

static bool dev_is_bind(const struct sandbox *s)
{
	for (uint32_t i = 0; i < s->config.mount_count; i++) {
		const struct boot_mount *m = &s->config.mounts[i];

		if (strcmp(m->type, "bind") == 0 && strcmp(m->destination, "/dev") == 0)
			return true;
	}
	return false;
}

static uint64_t encode_device(uint32_t major, uint32_t minor)
{
	return (minor & 0xff) | ((uint64_t)(major & 0xfff) << 8) | ((uint64_t)(minor & ~0xffU) << 12);
}

static int make_device(struct builder *b, const struct boot_device *d)
{
	struct setattr owner = { .mask = SETATTR_UID | SETATTR_GID | SETATTR_MODE };
	struct path p;
	int rc = vfs_mknod(&b->ctx, LINUX_AT_FDCWD, d->path, d->type | d->mode,
			   encode_device(d->major, d->minor));

	if (rc < 0)
		return rc == -EEXIST ? 0 : rc;
	rc = vfs_lookup(&b->ctx, LINUX_AT_FDCWD, d->path, 0, &p);
	if (rc < 0)
		return rc;
	owner.uid = d->uid;
	owner.gid = d->gid;
	owner.mode = d->mode;
	rc = vfs_setattr(&b->ctx, &p, &owner);
	path_put(&p);
	return rc;
}

int boot_devices(struct sandbox *s, struct boot_failure *why)
{
	struct builder b;
	struct path dev;
	int rc;

	if (dev_is_bind(s))
		return 0;
	rc = boot_make_path(s, "/dev", true, &dev);
	if (rc < 0)
		return boot_failed_errno(why, rc, "/dev");
	rc = builder_open(s, &b);
	if (rc == 0) {
		rc = dev_populate(&b.ctx, &dev);
		for (uint32_t i = 0; rc == 0 && i < s->config.device_count; i++)
			rc = make_device(&b, &s->config.devices[i]);
		builder_close(&b);
	}
	path_put(&dev);
	return rc < 0 ? boot_failed_errno(why, rc, "device nodes") : 0;
}

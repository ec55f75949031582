/* SPDX-License-Identifier: Apache-2.0 */
/* Who looks at the fixture's tree through the gofer file system and the VFS, as root. */
#pragma once

#include "sentry/fs/gofer/gofer_fs.h"
#include "sentry/vfs/vfs.h"
#include "tests/unit/gofer_fixture.h"

struct guest {
	struct fixture *f;
	struct served served; /* thread only: the client is the file system's */
	struct super_block *sb;
	struct user_namespace *user_ns;
	const struct credentials *cred;
	struct mount_namespace *mounts;
	struct vfs_context ctx;
};

void guest_begin(struct guest *g, struct fixture *f, enum gofer_sharing sharing, bool read_only);
/* With what the command line says of the tree, or NULL. */
/* Of what @part is in the fixture's directory. */
void guest_begin_part(struct guest *g, struct fixture *f, const char *part, enum gofer_sharing sharing,
		      bool read_only, const struct gofer_volume_id *volume);
void guest_begin_volume(struct guest *g, struct fixture *f, enum gofer_sharing sharing,
			bool read_only, const struct gofer_volume_id *volume);
/* Everything must go: the thread ends when the last inode has closed the connection. */
void guest_end(struct guest *g);
/* A reference; it must be there. */
struct file *open_file(struct guest *g, const char *name, uint64_t flags);

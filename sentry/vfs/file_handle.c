/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in a file handle.  File systems that find their objects by number give handles to be opened;
 * those of the others only identify.
 */
#include "sentry/vfs/file_handle.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "sentry/vfs/inode.h"
#include "util/hash.h"

#define FID_TYPE_INO64_GEN 0x81 /* inode number in eight bytes, generation in four */
#define TYPE_INO32_GEN 1 /* the same size: generation, and the number's halves */
#define PARTS (FILE_HANDLE_BYTES / sizeof(uint32_t))

bool file_handle_can_decode(const struct inode *inode)
{
	return inode->sb->ops->path_of_ino || inode->sb->ops->open_handle;
}

/*
 * A number is used once only in its file system, so the generation stands for both: what was made up for
 * another number, or file system, is stale, as Linux's random generations make it.
 */
static uint32_t generation_of(const struct super_block *sb, uint64_t ino)
{
	return (uint32_t)hash_u64(ino ^ (uint64_t)sb->dev << 32);
}

void file_handle_encode(const struct inode *inode, struct linux_file_handle *out)
{
	const uint32_t parts[PARTS] = { generation_of(inode->sb, inode->ino), (uint32_t)inode->ino,
					(uint32_t)(inode->ino >> 32) };

	static_assert(sizeof(parts) == sizeof(out->handle), "handle");
	if (inode->sb->ops->encode_handle) {
		inode->sb->ops->encode_handle(inode, out);
		return;
	}
	*out = (struct linux_file_handle){ .bytes = FILE_HANDLE_BYTES, .type = FID_TYPE_INO64_GEN };
	if (file_handle_can_decode(inode)) {
		out->type = TYPE_INO32_GEN;
		memcpy(out->handle, parts, sizeof(parts));
	} else {
		memcpy(out->handle, &inode->ino, sizeof(inode->ino));
	}
}

int file_handle_decode(const struct linux_file_handle *h, const struct super_block *sb, uint64_t *ino)
{
	uint32_t parts[PARTS];
	uint64_t number;

	memcpy(parts, h->handle, sizeof(parts));
	number = parts[1] | (uint64_t)parts[2] << 32;
	if (parts[0] != generation_of(sb, number))
		return -ESTALE;
	*ino = number;
	return 0;
}

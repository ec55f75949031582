/* SPDX-License-Identifier: Apache-2.0 */
/* struct file_handle of name_to_handle_at, and of fdinfo. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct inode;
struct super_block;

#define FILE_HANDLE_BYTES 12U

/* As the guest has it, with room for our handles only. */
struct linux_file_handle {
	uint32_t bytes;
	int32_t type;
	uint8_t handle[FILE_HANDLE_BYTES];
};

/* Whether file_handle_encode() makes a handle that can be opened. */
bool file_handle_can_decode(const struct inode *inode);
void file_handle_encode(const struct inode *inode, struct linux_file_handle *out);
/* The inode number in @h, which has all FILE_HANDLE_BYTES; -ESTALE: it is not of @sb. */
int file_handle_decode(const struct linux_file_handle *h, const struct super_block *sb, uint64_t *ino);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Helpers for file_ops.iterate.  Positions 0 and 1 are "." and ".."; a file
 * system's own cookies start at DIR_EMIT_FIRST.
 *
 *	if (!dir_emit_dots(file, ctx))
 *		return 0;
 *	for (each entry with cookie c >= ctx->pos)
 *		if (!dir_emit(ctx, name, size, c + 1, ino, LINUX_DT(mode)))
 *			break;
 */
#pragma once

#include "sentry/vfs/file.h"

#define DIR_EMIT_FIRST 2

/* Delivers one entry and moves ctx->pos behind it; false: the buffer is full. */
static inline MUST_CHECK bool dir_emit(struct dir_context *ctx, const char *name, size_t name_size,
				       uint64_t next_pos, uint64_t ino, uint32_t d_type)
{
	if (!ctx->emit(ctx, name, name_size, next_pos, ino, d_type))
		return false;
	ctx->pos = next_pos;
	return true;
}

/* "." and ".." as far as ctx->pos has not passed them; false: the buffer is full. */
bool dir_emit_dots(struct file *file, struct dir_context *ctx) MUST_CHECK;

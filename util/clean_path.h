/* SPDX-License-Identifier: Apache-2.0 */
/* Paths without ".", ".." and double slashes, by their text alone: symbolic links are not looked at. */
#pragma once

/*
 * Appends the components of @path to @out, which begins with a slash or is empty, and stays so; ".." takes one away.
 * @out has room for strlen(@path) + 1 more bytes.
 */
void clean_path_append(char *out, const char *path);

/* SPDX-License-Identifier: Apache-2.0 */
#include "util/clean_path.h"

#include <stdio.h>
#include <string.h>

void clean_path_append(char *out, const char *path)
{
	while (*(path += strspn(path, "/"))) {
		size_t length = strcspn(path, "/");
		char *slash = strrchr(out, '/');

		if (length == 2 && !strncmp(path, "..", 2)) {
			if (slash)
				*slash = '\0';
		} else if (length != 1 || *path != '.') {
			snprintf(out + strlen(out), length + 2, "/%s", path);
		}
		path += length;
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cmd/user_name.h"

#include <pwd.h>
#include <stdio.h>

#include "util/cleanup.h"

void user_name(uint32_t uid, char *name, size_t size)
{
	AUTO_FCLOSE FILE *file = fopen("/etc/passwd", "re");
	const struct passwd *entry;

	snprintf(name, size, "#%u", uid);
	while (file && (entry = fgetpwent(file)) != NULL) {
		if (entry->pw_uid == uid) {
			snprintf(name, size, "%s", entry->pw_name);
			return;
		}
	}
}

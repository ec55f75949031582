/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The environment of a process from outside.  As runc does, HOME is taken from the container's
 * /etc/passwd where config.json does not set it.  The file is the guest's: only a regular one is
 * read, only its beginning, and nothing in it can fail the start.
 */
#include "sentry/boot/sandbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/parse.h"

#define PASSWD_MAX (1u << 20)
#define DEFAULT_HOME "/"

enum { FIELD_NAME, FIELD_PASSWORD, FIELD_UID, FIELD_GID, FIELD_COMMENT, FIELD_HOME, FIELD_COUNT };

/* At most PASSWD_MAX bytes, NUL-terminated; NULL when there is no such file. */
static char *read_passwd(struct sandbox_container *c)
{
	struct file *file = NULL;
	char *text = NULL;
	struct builder b;
	struct path p;
	ssize_t n = -1;

	if (builder_open(c, &b) < 0)
		return NULL;
	if (vfs_lookup(&b.ctx, LINUX_AT_FDCWD, "/etc/passwd", LOOKUP_FOLLOW, &p) == 0) {
		if (inode_type(p.dentry->inode) == LINUX_S_IFREG &&
		    vfs_open_path(&b.ctx, &p, LINUX_O_RDONLY, &file) == 0)
			text = malloc(PASSWD_MAX + 1);
		path_put(&p);
	}
	if (text)
		n = vfs_read_kernel(file, text, PASSWD_MAX, 0);
	if (file)
		file_put(file);
	builder_close(&b);
	if (n < 0) {
		free(text);
		return NULL;
	}
	text[n] = '\0';
	return text;
}

/* The home directory in @line (cut in place) if it is @uid's. */
static const char *home_in_line(char *line, uint32_t uid)
{
	char *fields[FIELD_COUNT];
	char *rest = line;
	uint32_t number;
	int count = 0;

	while (count < FIELD_COUNT && rest)
		fields[count++] = strsep(&rest, ":");
	if (count < FIELD_COUNT || parse_u32(fields[FIELD_UID], &number) < 0 || number != uid)
		return NULL;
	return fields[FIELD_HOME];
}

static char *home_of(struct sandbox_container *c, uint32_t uid)
{
	AUTO_FREE char *text = read_passwd(c);
	const char *home = NULL;
	char *rest = text;
	char *variable;

	while (rest && !home)
		home = home_in_line(strsep(&rest, "\n"), uid);
	return asprintf(&variable, "HOME=%s", home ? home : DEFAULT_HOME) < 0 ? NULL : variable;
}

static bool sets_home(const char *variable)
{
	return strncmp(variable, "HOME=", 5) == 0;
}

void boot_env_free(struct boot_env *env)
{
	free(env->items);
	free(env->home);
}

int boot_env_make(struct sandbox_container *c, const struct boot_process *process, struct boot_env *out)
{
	const struct boot_strings *from = &process->env;
	struct boot_env env = { .items = calloc((size_t)from->count + 2, sizeof(*env.items)) };
	bool given = process->exact_env;
	size_t count = 0;

	if (!env.items)
		return -ENOMEM;
	for (uint32_t i = 0; i < from->count; i++) {
		given |= sets_home(from->items[i]) && from->items[i][5];
		env.items[count++] = from->items[i];
	}
	if (!given) {
		env.home = home_of(c, process->uid);
		if (!env.home) {
			boot_env_free(&env);
			return -ENOMEM;
		}
		/* One that is empty is replaced where it stands. */
		for (size_t i = 0; i <= count; i++) {
			if (i < count && !sets_home(env.items[i]))
				continue;
			env.items[i] = env.home;
			break;
		}
	}
	*out = env;
	return 0;
}

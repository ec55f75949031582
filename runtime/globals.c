/* SPDX-License-Identifier: Apache-2.0 */
/* The options before the command: table, checks, log. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/command.h"
#include "runtime/systemd/manager.h"
#include "util/cleanup.h"
#include "util/file.h"
#include "util/log.h"

#define FIELD(name) offsetof(struct globals, name)

static const struct option_row globals_rows[] = {
	{ "debug", NULL, OPTION_BOOL, FIELD(debug), "enable debug logging" },
	{ "log", NULL, OPTION_STRING, FIELD(log),
	  "set the log file to write moat logs to (default is '/dev/stderr')" },
	{ "log-format", NULL, OPTION_STRING, FIELD(log_format),
	  "set the log format ('text' (default), or 'json')", "text" },
	{ "debug-log", NULL, OPTION_STRING, FIELD(debug_log),
	  "set the file the sentry and the gofer write their log and the --strace lines to" },
	{ "root", NULL, OPTION_STRING, FIELD(root),
	  "root directory for storage of container state (this should be located in tmpfs)",
	  "/run/moat" },
	{ "criu", NULL, OPTION_STRING, FIELD(criu),
	  "accepted for compatibility and not used: moat needs no criu", "criu" },
	{ "systemd-cgroup", NULL, OPTION_BOOL, FIELD(systemd_cgroup),
	  "let systemd make the cgroups; linux.cgroupsPath is then of the form \"slice:prefix:name\", for "
	  "example \"system.slice:runc:434234\"" },
	{ "rootless", NULL, OPTION_STRING, FIELD(rootless),
	  "ignore cgroup permission errors ('true', 'false', or 'auto')", "auto" },
	{ "platform", NULL, OPTION_STRING, FIELD(platform),
	  "how guest code is run and intercepted ('trap' or 'ptrace'; default: trap, and ptrace where "
	  "that cannot start)" },
	{ "strict-memory", NULL, OPTION_BOOL, FIELD(strict_memory),
	  "compare the stubs' own memory calls with an order, too (safer, slower; platform trap)" },
	{ "overlay", NULL, OPTION_STRING, FIELD(overlay),
	  "where writes to the root file system go ('memory', or 'none' to write through)",
	  "memory" },
	{ "network", NULL, OPTION_STRING, FIELD(network),
	  "network of the container ('host': sockets of its network namespace; 'none': a loopback "
	  "interface only)", "host" },
	{ "strace", NULL, OPTION_BOOL, FIELD(strace),
	  "log each system call of the container to --debug-log" },
	{ "help", "h", OPTION_BOOL, FIELD(help), "show help" },
	{ "version", "v", OPTION_BOOL, FIELD(version), "print the version" },
};

const struct option_table globals_table = OPTION_TABLE(globals_rows);

#define MAP_SIZE_MAX 65536

static int log_fd = -1;
static int debug_log_fd = -1;

int globals_log_fd(void)
{
	return log_fd;
}

int globals_debug_log_fd(void)
{
	return debug_log_fd;
}

/* runc takes whatever Go's ParseBool does. */
static const char *const rootless_true[] = { "1", "t", "T", "true", "TRUE", "True", NULL };
static const char *const rootless_false[] = { "0", "f", "F", "false", "FALSE", "False", NULL };
static const char *const rootless_auto[] = { "", "auto", NULL };

static bool is_one_of(const char *value, const char *const *choices)
{
	while (*choices && strcmp(value, *choices) != 0)
		choices++;
	return *choices != NULL;
}

/* Does root here stand for somebody else outside, as in a rootless podman? */
static bool in_user_namespace(void)
{
	static const char *const whole[] = { "0", "0", "4294967295" };
	AUTO_FREE char *map = NULL;
	char *save = NULL, *word;
	size_t size;

	if (file_read_all(AT_FDCWD, "/proc/self/uid_map", MAP_SIZE_MAX, &map, &size) < 0)
		return false;
	word = strtok_r(map, " \n", &save);
	for (size_t i = 0; i < ARRAY_SIZE(whole); i++) {
		if (!word || strcmp(word, whole[i]) != 0)
			return true;
		word = strtok_r(NULL, " \n", &save);
	}
	return word;
}

/* A user namespace may be that of a whole system, with a systemd of its own; runc takes it for one if in doubt. */
static bool systemd_is_of_user(void)
{
	AUTO_MANAGER struct manager *manager = NULL;
	AUTO_ERROR struct error *err = NULL;
	uid_t owner = 0;

	if (manager_open(true, &manager, &err) < 0 || manager_owner(manager, &owner, &err) < 0)
		log_debug("%s: assuming root", error_message(err));
	return owner != 0;
}

bool globals_rootless(const struct globals *globals)
{
	if (!is_one_of(globals->rootless, rootless_auto))
		return is_one_of(globals->rootless, rootless_true);
	if (geteuid() != 0 || !in_user_namespace())
		return geteuid() != 0;
	return !globals->systemd_cgroup || systemd_is_of_user();
}

static int check_choice(const char *option, const char *value, const char *const *choices,
			struct error **err)
{
	if (is_one_of(value, choices))
		return 0;
	return error_set(err, -EINVAL, "invalid --%s \"%s\"", option, value);
}

static int check_values(const struct globals *g, struct error **err)
{
	static const char *const formats[] = { "", "text", "json", NULL };
	static const char *const platforms[] = { "trap", "ptrace", NULL };
	static const char *const overlays[] = { "memory", "none", NULL };
	static const char *const networks[] = { "host", "none", NULL };

	if (!is_one_of(g->log_format, formats))
		return error_set(err, -EINVAL, "invalid log-format: %s", g->log_format);
	if ((g->platform && check_choice("platform", g->platform, platforms, err) < 0) ||
	    check_choice("overlay", g->overlay, overlays, err) < 0 ||
	    check_choice("network", g->network, networks, err) < 0)
		return error_code(*err);
	if (!is_one_of(g->rootless, rootless_auto) && !is_one_of(g->rootless, rootless_true) &&
	    !is_one_of(g->rootless, rootless_false))
		return error_set(err, -EINVAL, "invalid --rootless \"%s\"", g->rootless);
	return 0;
}

static int open_log(const char *path, int *out, struct error **err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);

	if (fd < 0)
		return error_set_errno(err, -errno, "open %s", path);
	*out = fd;
	return 0;
}

/* Without root, /run belongs to others.  As runc: so it does to root of a user namespace. */
static bool wants_runtime_dir(void)
{
	const char *user = getenv("USER");

	if (geteuid() != 0)
		return true;
	return in_user_namespace() && (!user || strcmp(user, "root") != 0);
}

static int set_rootless_root(struct globals *g, struct error **err)
{
	static char path[4096];
	const char *runtime_dir = getenv("XDG_RUNTIME_DIR");

	if (strcmp(g->root, "/run/moat") != 0 || !runtime_dir || !*runtime_dir || !wants_runtime_dir())
		return 0;
	if (snprintf(path, sizeof(path), "%s/moat", runtime_dir) >= (int)sizeof(path))
		return error_set(err, -ENAMETOOLONG, "XDG_RUNTIME_DIR: too long");
	g->root = path;
	return 0;
}

/* The working directory will be the bundle. */
static int make_root_absolute(struct globals *g, struct error **err)
{
	static char path[PATH_MAX];
	AUTO_FREE char *here = NULL;

	if (*g->root == '/')
		return 0;
	here = getcwd(NULL, 0);
	if (!here)
		return error_set_errno(err, -errno, "working directory");
	if (snprintf(path, sizeof(path), "%s/%s", here, g->root) >= (int)sizeof(path))
		return error_set(err, -ENAMETOOLONG, "--root: too long");
	g->root = path;
	return 0;
}

int globals_apply(struct globals *g, struct error **err)
{
	enum log_level level = g->debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING;
	enum log_format format =
		!strcmp(g->log_format, "json") ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT;

	if (g->log && *g->log && open_log(g->log, &log_fd, err) < 0)
		return error_code(*err);
	log_set_output(log_fd >= 0 ? log_fd : STDERR_FILENO, format, level);
	if (g->debug_log && *g->debug_log && open_log(g->debug_log, &debug_log_fd, err) < 0)
		return error_code(*err);
	if (check_values(g, err) < 0)
		return error_code(*err);
	if (set_rootless_root(g, err) < 0)
		return error_code(*err);
	return make_root_absolute(g, err);
}

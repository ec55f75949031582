/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a container: creation, start and removal. */
#include "runtime/container/lifecycle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/cgroup/cgroup.h"
#include "runtime/container/check_supported.h"
#include "runtime/container/namespaces.h"
#include "runtime/container/pod.h"
#include "runtime/container/pod_user.h"
#include "runtime/control_client.h"
#include "runtime/hooks.h"
#include "runtime/notify.h"
#include "runtime/pid_file.h"
#include "runtime/sandbox/launch.h"
#include "runtime/start_hooks.h"
#include "runtime/systemd/container_unit.h"
#include "util/cleanup.h"
#include "util/file.h"
#include "util/log.h"

#define KILL_TIMEOUT_MS 10000

static void spec_cleanup(struct spec **spec)
{
	spec_free(*spec);
}

static int read_config(const struct create_options *options, char **text, size_t *size)
{
	if (!options->config)
		return file_read_all(AT_FDCWD, CONTAINER_CONFIG, SPEC_SIZE_MAX, text, size);
	*text = strdup(options->config);
	*size = strlen(options->config);
	return *text ? 0 : -ENOMEM;
}

/* One read serves both the parser and the container's own copy. */
static int load_config(const struct create_options *options, struct spec **spec, char **text,
		       size_t *size, struct error **err)
{
	int ret = read_config(options, text, size);

	if (ret == -ENOENT)
		return error_set(err, ret, "JSON specification file config.json not found");
	if (ret == -EFBIG)
		return error_set(err, ret, "config.json: larger than %u MiB", SPEC_SIZE_MAX >> 20);
	if (ret < 0)
		return error_set_errno(err, ret, "read config.json");
	if (spec_parse(*text, *size, CONTAINER_CONFIG, spec, err) < 0)
		return error_code(*err);
	return spec_validate(*spec, err);
}

static int check_rootfs(const struct spec *spec, char **path, struct error **err)
{
	struct stat st;

	*path = realpath(spec->root->path, NULL);
	if (!*path)
		return error_set_errno(err, -errno, "rootfs %s", spec->root->path);
	if (stat(*path, &st) < 0)
		return error_set_errno(err, -errno, "rootfs %s", *path);
	if (!S_ISDIR(st.st_mode))
		return error_set(err, -ENOTDIR, "rootfs %s: not a directory", *path);
	return 0;
}

static int copy_annotations(const struct string_map *from, struct string_map *to)
{
	if (from->count == 0)
		return 0;
	to->items = calloc(from->count, sizeof(*to->items));
	if (!to->items)
		return -ENOMEM;
	for (; to->count < from->count; to->count++) {
		struct string_pair *pair = &to->items[to->count];

		pair->key = strdup(from->items[to->count].key);
		pair->value = strdup(from->items[to->count].value);
		if (!pair->key || !pair->value) {
			to->count++;
			return -ENOMEM;
		}
	}
	return 0;
}

static int describe(struct container *c, const struct spec *spec, char *rootfs, struct error **err)
{
	c->rootfs = rootfs;
	c->bundle = realpath(".", NULL);
	if (!c->bundle || copy_annotations(&spec->annotations, &c->annotations) < 0)
		return error_set(err, -ENOMEM, "out of memory");
	return 0;
}

static int launch(const struct globals *globals, const struct spec *spec, struct container *c,
		  const struct container *booted_by, const struct launch_options *options,
		  int *pidfd, struct error **err)
{
	if (!booted_by)
		return sandbox_launch(globals, spec, c, options, pidfd, err);
	c->sandbox = strdup(booted_by->id);
	c->sentry = booted_by->sentry;
	if (!c->sandbox)
		return error_set(err, -ENOMEM, "out of memory");
	return subcontainer_launch(globals, spec, c, booted_by, options, pidfd, err);
}

static int create_in(struct container *c, const struct globals *globals, const struct spec *spec,
		     const struct container *booted_by, const struct create_options *options,
		     int *pidfd, struct console *console, struct error **err)
{
	const struct spec_process *process = spec->process;
	struct launch_options how = { .preserve_fds = options->preserve_fds, .terminal = -1 };

	if (process->terminal && console_make(console, process->console_size,
					      options->console_socket, err) < 0)
		return error_code(*err);
	how.terminal = console->slave;
	how.throw_away = options->throw_away;
	how.notify = notify_is_wanted();
	how.terminal_plain = process->terminal && !options->detach;
	if (launch(globals, spec, c, booted_by, &how, pidfd, err) < 0)
		return error_code(*err);
	console_close_slave(console);
	if (console_send(console, err) < 0 ||
	    pid_file_write(options->pid_file, container_pid(c), err) < 0) {
		AUTO_ERROR struct error *undo = NULL;

		if (lifecycle_destroy(c, &undo) < 0)
			log_warning("%s", error_message(undo));
		return error_code(*err);
	}
	return 0;
}

/* --pid-file is relative to where we were started, not to the bundle. */
static int enter_bundle(struct create_options *options, char **pid_file, struct error **err)
{
	if (options->pid_file && *options->pid_file && *options->pid_file != '/') {
		AUTO_FREE char *here = getcwd(NULL, 0);

		if (!here || asprintf(pid_file, "%s/%s", here, options->pid_file) < 0)
			return error_set(err, -ENOMEM, "out of memory");
		options->pid_file = *pid_file;
	}
	if (options->bundle && *options->bundle && chdir(options->bundle) < 0)
		return error_set_errno(err, -errno, "chdir %s", options->bundle);
	return 0;
}

/* NULL: the container is to have a sandbox of its own. */
static int find_sandbox(const struct globals *globals, const struct spec *spec,
			struct container **out, struct error **err)
{
	struct pod_place place;

	if (pod_place(&spec->annotations, &place, err) < 0)
		return error_wrap(err, "config.json");
	if (place.role == POD_CONTAINER)
		return pod_find_sandbox(globals, &place, out, err);
	return place.role == POD_NONE ? pod_find_shared(globals, spec, out, err) : 0;
}

static int settle_namespaces(const struct globals *globals, const struct container *booted_by,
			     struct spec *spec, struct error **err)
{
	if (!booted_by)
		return namespaces_resolve(globals, spec, err);
	if (namespaces_take_names(spec, err) < 0)
		return error_code(*err);
	return pod_share_user(globals, booted_by, spec, err);
}

int lifecycle_create(const struct globals *globals, const char *id,
		     const struct create_options *given, struct spec **spec_out,
		     struct container **out, int *pidfd, struct console *console,
		     struct error **err)
{
	CLEANUP(spec_cleanup) struct spec *spec = NULL;
	AUTO_CONTAINER struct container *booted_by = NULL;
	AUTO_CONTAINER struct container *c = NULL;
	AUTO_FREE char *rootfs = NULL;
	AUTO_FREE char *config = NULL;
	AUTO_FREE char *pid_file = NULL;
	struct create_options options = *given;
	size_t size;

	if (container_check_id(id, err) < 0 || enter_bundle(&options, &pid_file, err) < 0 ||
	    load_config(&options, &spec, &config, &size, err) < 0 ||
	    find_sandbox(globals, spec, &booted_by, err) < 0 ||
	    settle_namespaces(globals, booted_by, spec, err) < 0 ||
	    check_supported(spec, err) < 0 || container_unit_check(globals, spec, id, err) < 0 ||
	    console_check(spec->process->terminal, options.detach, options.console_socket, err) < 0 ||
	    check_rootfs(spec, &rootfs, err) < 0 || container_new(globals, id, &c, err) < 0)
		return error_code(*err);
	if (describe(c, spec, move_ptr(rootfs), err) < 0 ||
	    container_store_config(c, config, size, err) < 0 ||
	    create_in(c, globals, spec, booted_by, &options, pidfd, console, err) < 0) {
		AUTO_ERROR struct error *undo = NULL;

		if (container_remove(c, &undo) < 0)
			log_warning("%s", error_message(undo));
		return error_code(*err);
	}
	for (size_t i = 0; i < spec->warnings.count; i++)
		log_debug("config.json: %s", spec->warnings.items[i]);
	*spec_out = move_ptr(spec);
	*out = move_ptr(c);
	return 0;
}

static int end_process(const struct process_id *process, const char *what, struct error **err)
{
	int ret = process_kill(process, KILL_TIMEOUT_MS);

	if (ret < 0 && ret != -ESRCH)
		return error_set_errno(err, ret, "kill the %s (pid %d)", what, process->pid);
	return 0;
}

/* Without the sandbox, if that is another one's. */
static int end_container(struct container *c, struct error **err)
{
	if (!c->sandbox)
		return end_process(&c->sentry, "sandbox", err);
	/* Its stubs are in its cgroups, where a process that does not end will be killed. */
	(void)subcontainer_end(c);
	return end_process(&c->monitor, "monitor", err);
}

/* The specification: when one fails, the container is stopped. */
static int run_start_hooks(struct container *c, const struct spec *spec, struct error **err)
{
	AUTO_ERROR struct error *undo = NULL;

	if (start_hooks_run(spec, c, err) == 0)
		return 0;
	if (end_container(c, &undo) < 0)
		log_warning("%s", error_message(undo));
	c->status = OCI_STOPPED;
	return error_code(*err);
}

int lifecycle_start(struct container *c, const struct spec *spec, struct error **err)
{
	if (run_start_hooks(c, spec, err) < 0 ||
	    control_call_once(c, CONTROL_CALL_EMPTY(CONTROL_START), err) < 0)
		return error_code(*err);
	c->status = OCI_RUNNING;
	if (container_save(c, err) < 0)
		return error_code(*err);
	/* The specification: one that fails is logged, and all goes on as if it had not. */
	hooks_run_all(&spec->hooks.poststart, "poststart", c);
	return 0;
}

static void run_poststop(struct container *c)
{
	CLEANUP(spec_cleanup) struct spec *spec = NULL;
	AUTO_ERROR struct error *err = NULL;

	/* One that was never created far enough to have a configuration has no hooks either. */
	if (container_load_spec(c, &spec, &err) == 0)
		hooks_run_all(&spec->hooks.poststop, "poststop", c);
}

int lifecycle_destroy(struct container *c, struct error **err)
{
	bool created = c->status != OCI_CREATING;

	/* The sandbox must not wait for a gofer that hangs, and none is needed any more. */
	if (c->sandbox && end_process(&c->gofer, "gofer", err) < 0)
		return error_code(*err);
	if (end_container(c, err) < 0 || end_process(&c->gofer, "gofer", err) < 0)
		return error_code(*err);
	container_unit_stop(c);
	if (cgroup_destroy(&c->cgroups, err) < 0)
		return error_code(*err);
	if (c->sandbox && subcontainer_end(c) < 0)
		return error_set(err, -EBUSY, "a process of the container does not end");
	c->status = OCI_STOPPED;
	if (created)
		run_poststop(c);
	return container_remove(c, err);
}

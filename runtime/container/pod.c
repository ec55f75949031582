/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/container/pod.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "oci/annotation.h"
#include "oci/namespace.h"
#include "runtime/container/namespace_look.h"
#include "util/cleanup.h"
#include "util/log.h"

/* Who says it, and in which words. */
static const struct {
	const char *type;
	const char *sandbox;
} dialects[] = {
	{ ANNOTATION_CRI_TYPE, ANNOTATION_CRI_SANDBOX },
	{ ANNOTATION_CRIO_TYPE, ANNOTATION_CRIO_SANDBOX },
};

static const char *find(const struct string_map *annotations, const char *key)
{
	for (size_t i = 0; i < annotations->count; i++) {
		if (!strcmp(annotations->items[i].key, key))
			return annotations->items[i].value;
	}
	return NULL;
}

static int place_by(const char *key, const char *type, const char *sandbox, struct pod_place *out,
		    struct error **err)
{
	if (!strcmp(type, "sandbox")) {
		*out = (struct pod_place){ POD_SANDBOX, sandbox };
		return 0;
	}
	if (strcmp(type, "container") != 0)
		return error_set(err, -EINVAL, "annotation %s: unknown type \"%s\"", key, type);
	if (!sandbox || !*sandbox)
		return error_set(err, -EINVAL, "annotation %s: \"container\", but no annotation says "
					       "of which sandbox", key);
	*out = (struct pod_place){ POD_CONTAINER, sandbox };
	return 0;
}

int pod_place(const struct string_map *annotations, struct pod_place *out, struct error **err)
{
	*out = (struct pod_place){ POD_NONE, NULL };
	for (size_t i = 0; i < ARRAY_SIZE(dialects); i++) {
		const char *type = find(annotations, dialects[i].type);

		if (type)
			return place_by(dialects[i].type, type,
					find(annotations, dialects[i].sandbox), out, err);
	}
	return 0;
}

/* --- the containers below --root ---------------------------------------------------- */

struct search {
	const struct globals *globals;
	const char *pod;
	struct container *found;
	struct error *err;
};

/* podman's pods have an id of their own, which is not their first container's. */
static bool boots_pod(void *arg, struct container *c)
{
	struct search *s = arg;
	AUTO_ERROR struct error *err = NULL;
	struct pod_place place;

	if (pod_place(&c->annotations, &place, &err) < 0 || place.role != POD_SANDBOX ||
	    !place.sandbox || strcmp(place.sandbox, s->pod) != 0)
		return false;
	return container_peek(s->globals, c->id, &s->found, &s->err) == 0;
}

static int peek_sandbox(const struct globals *globals, const char *pod, struct container **out)
{
	struct search s = { .globals = globals, .pod = pod };
	struct error *err = NULL;

	if (container_check_id(pod, &err) == 0 && container_peek(globals, pod, out, &err) == 0)
		return 0;
	error_free(err);
	if (container_find(globals, boots_pod, &s)) {
		*out = s.found;
		return 0;
	}
	error_free(s.err);
	return -ENOENT;
}

int pod_find_sandbox(const struct globals *globals, const struct pod_place *place,
		     struct container **out, struct error **err)
{
	AUTO_CONTAINER struct container *sandbox = NULL;

	if (peek_sandbox(globals, place->sandbox, &sandbox) < 0)
		return error_set(err, -ENOENT, "sandbox %s does not exist", place->sandbox);
	if (sandbox->sandbox)
		return error_set(err, -EINVAL, "%s is not a sandbox: it is a container of %s",
				 place->sandbox, sandbox->sandbox);
	if (container_check_alive(sandbox, err) < 0) {
		error_free(*err);
		*err = NULL;
		return error_set(err, -ESRCH, "sandbox %s is not running", place->sandbox);
	}
	*out = move_ptr(sandbox);
	return 0;
}

/* --- the namespaces of its containers ------------------------------------------------ */

struct namespace_search {
	const struct container *sandbox; /* or NULL: any */
	const char *type;
	const char *path;
	struct container *found;	 /* who was asked for: peeked at, or NULL */
	uint32_t handle;
	const struct globals *globals;
	struct error *err;
};

static bool is_named_by(const struct container *c, const char *type, const char *path)
{
	char own[64];

	snprintf(own, sizeof(own), "/proc/%d/ns/%s", container_pid(c), type);
	if (!strcmp(path, own))
		return true;
	return !strcmp(type, "pid") && c->pid_namespace && !strcmp(path, c->pid_namespace);
}

static bool has_namespace(void *arg, struct container *c)
{
	struct namespace_search *s = arg;
	bool is_root = !c->sandbox;

	if (s->sandbox && strcmp(is_root ? c->id : c->sandbox, s->sandbox->id) != 0)
		return false;
	if ((!is_root && !c->handle) || !container_is_alive(c) || !is_named_by(c, s->type, s->path))
		return false;
	s->handle = is_root ? 0 : c->handle;
	if (s->sandbox)
		return true;
	return container_peek(s->globals, is_root ? c->id : c->sandbox, &s->found, &s->err) == 0;
}

bool pod_find_namespace(const struct globals *globals, const struct container *sandbox,
			const char *type, const char *path, uint32_t *handle)
{
	struct namespace_search s = { .sandbox = sandbox, .type = type, .path = path };

	if (!container_find(globals, has_namespace, &s))
		return false;
	*handle = s.handle;
	return true;
}

bool pod_is_in_namespace(const struct container *sandbox, const char *type, const char *path)
{
	const char *proc_name = oci_namespaces[oci_namespace_number(type)].proc_name;
	struct stat st;
	char process[16];

	snprintf(process, sizeof(process), "%d", sandbox->sentry.pid);
	return stat(path, &st) == 0 && namespace_is_of(&st, process, proc_name);
}

/* Of the container that has it, the sandbox. */
static void find_owner(const struct globals *globals, const struct spec *spec, const char *type,
		      struct container **out)
{
	const struct spec_namespace *ns = spec_namespace_find(spec, type);
	struct namespace_search s = { .globals = globals, .type = type };

	if (!ns || !ns->path || !*ns->path)
		return;
	s.path = ns->path;
	if (container_find(globals, has_namespace, &s))
		*out = s.found;
	error_free(s.err);
}

/* Its sockets would be those of the sandbox. */
static bool shares_network(const struct globals *globals, const struct spec *spec,
			   const struct container *sandbox)
{
	const struct spec_namespace *ns = spec_namespace_find(spec, "network");

	if (!strcmp(globals->network, "none"))
		return true;
	return ns && ns->path && *ns->path && pod_is_in_namespace(sandbox, "network", ns->path);
}

int pod_find_shared(const struct globals *globals, const struct spec *spec, struct container **out,
		    struct error **err)
{
	AUTO_CONTAINER struct container *pid = NULL, *ipc = NULL;

	find_owner(globals, spec, "pid", &pid);
	find_owner(globals, spec, "ipc", &ipc);
	if (pid && ipc && strcmp(pid->id, ipc->id) != 0)
		return error_set(err, -EINVAL, "linux.namespaces: the PID namespace of container %s and the IPC "
					       "namespace of container %s are in two sandboxes",
				 pid->id, ipc->id);
	if (!pid)
		pid = move_ptr(ipc);
	if (pid && shares_network(globals, spec, pid))
		*out = move_ptr(pid);
	return 0;
}

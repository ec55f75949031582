/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pods: containers that share a sandbox.  The annotations by which containerd's CRI plugin and CRI-O
 * tell any runtime which container is a pod's first one, and which belongs to which pod, decide.
 */
#pragma once

#include "oci/spec.h"
#include "runtime/command.h"
#include "runtime/container/container.h"
#include "util/error.h"

enum pod_role {
	POD_NONE,      /* no pod: a sandbox of its own */
	POD_SANDBOX,   /* boots the pod's sandbox */
	POD_CONTAINER, /* goes into one that runs */
};

struct pod_place {
	enum pod_role role;
	const char *sandbox; /* of POD_CONTAINER: the pod; borrowed from the annotations */
};

/* -EINVAL: they contradict themselves. */
int pod_place(const struct string_map *annotations, struct pod_place *out,
	      struct error **err) MUST_CHECK;

/*
 * The container that booted the sandbox of @place (POD_CONTAINER), peeked at: the one of that id, or
 * the POD_SANDBOX one that names the same pod.  -ENOENT: there is none; -ESRCH: it does not run.
 */
int pod_find_sandbox(const struct globals *globals, const struct pod_place *place,
		     struct container **out, struct error **err) MUST_CHECK;

/*
 * The container whose sandbox @spec goes into because it names the PID or IPC namespace of that, or of
 * a container in it, and its network as well; peeked at.  NULL: there is none.  -EINVAL: it names two.
 */
int pod_find_shared(const struct globals *globals, const struct spec *spec, struct container **out,
		    struct error **err) MUST_CHECK;

/*
 * The container of @sandbox whose namespace of @type ("pid", "ipc") is meant by @path: that in /proc of
 * the process that stands for it, or the path that it named itself.  True: *handle is the sentry's
 * number of it.
 */
bool pod_find_namespace(const struct globals *globals, const struct container *sandbox,
			const char *type, const char *path, uint32_t *handle);
/* Whether @path is the namespace of the host in which @sandbox's sentry is. */
bool pod_is_in_namespace(const struct container *sandbox, const char *type, const char *path);

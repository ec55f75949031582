/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container as the command line sees it: its directory below --root, which carries the lock
 * (flock) of whoever changes the container, and the files in it.
 *
 *   <root>/<id>/state.json    replaced as a whole, under the lock
 *               config.json   the bundle's, as it was at creation
 *               control.sock  the sentry's control socket, if it booted the sandbox
 *
 * state.json is written as soon as the lock is held, and again before and after each step that
 * leaves something behind, so that whatever the moment of a crash, it names what to remove.  A
 * directory without state.json is one whose creator died at once: nothing else exists of it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "oci/json_write.h"
#include "oci/spec.h"
#include "oci/state.h"
#include "runtime/command.h"
#include "runtime/container/process.h"
#include "util/error.h"
#include "util/string_list.h"

#define CONTAINER_ID_MAX 1024
#define CONTAINER_SOCKET "control.sock"
#define CONTAINER_CONFIG "config.json"

struct container {
	char *id;
	int dir_fd;

	/* state.json; strings are owned */
	enum oci_status status; /* as recorded: see container_refresh */
	struct process_id sentry;     /* pid 0: none */
	struct process_id gofer;
	/* Of a container in a sandbox that another one booted; else NULL and 0. */
	char *sandbox;		      /* that container's id */
	uint32_t handle;	      /* what the sentry calls it; 0: not made yet */
	struct process_id monitor;    /* stands for it, and ends with its status */
	char *pid_namespace;	      /* the path its configuration named, or NULL */
	char *bundle;
	char *rootfs;
	char *created; /* RFC 3339 */
	struct string_list cgroups; /* directories of its own */
	char *systemd_unit;	    /* that they belong to; NULL: cgroupfs alone */
	char *root;	    /* --root, absolute */
	uint32_t owner;
	bool cgroup_rootless; /* cgroup errors were ignored */
	struct string_map annotations;
};

/* ^[\w+.-]+$ and at most CONTAINER_ID_MAX characters, in runc's words. */
int container_check_id(const char *id, struct error **err) MUST_CHECK;

/* Makes the directory and takes the lock.  -EEXIST: the id is in use. */
int container_new(const struct globals *globals, const char *id, struct container **out,
		  struct error **err) MUST_CHECK;
/*
 * Opens and locks an existing one, with its state brought up to date.  -ENOENT: there is none.
 * One without state.json (see above) is returned as OCI_STOPPED.
 */
int container_open(const struct globals *globals, const char *id, struct container **out,
		   struct error **err) MUST_CHECK;
/*
 * As container_open, but does not wait for one who is changing it: for commands that only look, or
 * leave the checks to the sentry, and so can be used in hooks.
 */
int container_peek(const struct globals *globals, const char *id, struct container **out,
		   struct error **err) MUST_CHECK;
/* Releases the lock alone: what is known of the container may be out of date from then on. */
void container_unlock(struct container *container);
/* Releases the lock and the memory.  NULL is a no-op. */
void container_close(struct container *container);

/* Writes state.json; needs the exclusive lock. */
int container_save(const struct container *container, struct error **err) MUST_CHECK;
/* Changes status to OCI_STOPPED if what stands for it is gone. */
void container_refresh(struct container *container);
/* Removes the directory; needs the exclusive lock. */
int container_remove(struct container *container, struct error **err) MUST_CHECK;

/* Stores a copy of config.json, and reads it again. */
int container_store_config(const struct container *container, const char *text, size_t size,
			   struct error **err) MUST_CHECK;
int container_load_spec(const struct container *container, struct spec **out,
			struct error **err) MUST_CHECK;

/*
 * Peeks at the containers below --root, those that can be read, until @each says true of one: then
 * true.  @each borrows the container.
 */
bool container_find(const struct globals *globals, bool (*each)(void *arg, struct container *c),
		    void *arg) MUST_CHECK;
/* Created, running or paused. */
bool container_is_alive(const struct container *container);
/* -ESRCH, "container not running", unless it is alive. */
int container_check_alive(const struct container *container, struct error **err) MUST_CHECK;
/* What stands for it on the host: the monitor, or else the sentry. */
const struct process_id *container_process(const struct container *container);
/* The pid of that, as shown to the outside; 0 if it is not running. */
pid_t container_pid(const struct container *container);
/* The object that `moat state` and `moat list` print. */
void container_write_state(const struct container *container, const char *owner,
			   struct json_writer *w);

static inline void cleanup_container(struct container **container)
{
	container_close(*container);
}
#define AUTO_CONTAINER __attribute__((cleanup(cleanup_container)))

/* SPDX-License-Identifier: Apache-2.0 */
/* Which container goes where: annotations, and what --root has. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/container/container.h"
#include "runtime/container/pod.h"
#include "runtime/container/process.h"
#include "util/checked.h"
#include "util/cleanup.h"

#define CRI "io.kubernetes.cri."
#define CRIO "io.kubernetes.cri-o."

struct row {
	const char *pairs[8]; /* key, value, ..., NULL */
	int ret;
	enum pod_role role;
	const char *sandbox;
};

static const struct row rows[] = {
	{ { NULL }, 0, POD_NONE, NULL },
	{ { CRI "sandbox-id", "s", NULL }, 0, POD_NONE, NULL },
	{ { CRI "container-type", "sandbox", NULL }, 0, POD_SANDBOX, NULL },
	{ { CRI "container-type", "sandbox", CRI "sandbox-id", "s" }, 0, POD_SANDBOX, "s" },
	{ { CRI "container-type", "container", CRI "sandbox-id", "s" }, 0, POD_CONTAINER, "s" },
	{ { CRI "sandbox-id", "s", CRI "container-type", "container" }, 0, POD_CONTAINER, "s" },
	{ { CRIO "ContainerType", "container", CRIO "SandboxID", "o" }, 0, POD_CONTAINER, "o" },
	{ { CRIO "ContainerType", "sandbox", CRIO "SandboxID", "o" }, 0, POD_SANDBOX, "o" },
	/* One's type goes with its own name of the sandbox. */
	{ { CRI "container-type", "container", CRIO "SandboxID", "o" }, -EINVAL, POD_NONE, NULL },
	{ { CRI "container-type", "container", NULL }, -EINVAL, POD_NONE, NULL },
	{ { CRI "container-type", "container", CRI "sandbox-id", "" }, -EINVAL, POD_NONE, NULL },
	{ { CRI "container-type", "", NULL }, -EINVAL, POD_NONE, NULL },
	{ { CRI "container-type", "Container", CRI "sandbox-id", "s" }, -EINVAL, POD_NONE, NULL },
	{ { CRIO "ContainerType", "container\n", CRIO "SandboxID", "o" }, -EINVAL, POD_NONE, NULL },
};

static size_t fill(const struct row *row, struct string_pair *pairs)
{
	size_t count = 0;

	for (size_t i = 0; i + 1 < ARRAY_SIZE(row->pairs) && row->pairs[i]; i += 2)
		pairs[count++] = (struct string_pair){ (char *)(uintptr_t)row->pairs[i],
						       (char *)(uintptr_t)row->pairs[i + 1] };
	return count;
}

static void test_place(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO_ERROR struct error *err = NULL;
		struct string_pair pairs[4];
		const struct string_map map = { pairs, fill(&rows[i], pairs) };
		struct pod_place place;

		assert_int_equal(pod_place(&map, &place, &err), rows[i].ret);
		assert_int_equal(!err, rows[i].ret == 0);
		assert_int_equal(place.role, rows[i].role);
		if (rows[i].sandbox)
			assert_string_equal(place.sandbox, rows[i].sandbox);
		else
			assert_null(place.sandbox);
	}
}

/* --- a --root with containers that this process stands for -------------------------------- */

static char root[] = "/tmp/moat-test-pod.XXXXXX";
static struct globals globals = { .root = root, .rootless = "auto" };

static struct container *make(const char *id, const char *sandbox, uint32_t handle,
			      const char *pid_namespace)
{
	struct error *err = NULL;
	struct container *c;

	assert_int_equal(container_new(&globals, id, &c, &err), 0);
	assert_int_equal(process_identify(getpid(), &c->sentry), 0);
	c->sandbox = sandbox ? strdup(sandbox) : NULL;
	c->handle = handle;
	c->pid_namespace = pid_namespace ? strdup(pid_namespace) : NULL;
	c->status = OCI_RUNNING;
	if (sandbox)
		c->monitor = c->sentry;
	return c;
}

static void keep(struct container *c)
{
	struct error *err = NULL;

	assert_int_equal(container_save(c, &err), 0);
	container_close(c);
}

static void forget(const char *id)
{
	struct error *err = NULL;
	struct container *c;

	assert_int_equal(container_open(&globals, id, &c, &err), 0);
	assert_int_equal(container_remove(c, &err), 0);
	container_close(c);
}

static int find(const char *pod, char *id, size_t size)
{
	const struct pod_place place = { POD_CONTAINER, pod };
	AUTO_ERROR struct error *err = NULL;
	AUTO_CONTAINER struct container *c = NULL;
	int ret = pod_find_sandbox(&globals, &place, &c, &err);

	assert_int_equal(!err, ret == 0);
	snprintf(id, size, "%s", ret == 0 ? c->id : "");
	return ret;
}

static void annotate(struct container *c, const char *type, const char *pod)
{
	c->annotations.items = calloc(2, sizeof(*c->annotations.items));
	c->annotations.count = 2;
	c->annotations.items[0] = (struct string_pair){ strdup(CRIO "ContainerType"), strdup(type) };
	c->annotations.items[1] = (struct string_pair){ strdup(CRIO "SandboxID"), strdup(pod) };
}

static void test_find_sandbox(void **state)
{
	struct container *c;
	char id[64];

	assert_int_equal(find("root", id, sizeof(id)), -ENOENT);
	keep(make("root", NULL, 0, NULL));
	assert_int_equal(find("root", id, sizeof(id)), 0);
	assert_string_equal(id, "root");
	assert_int_equal(find("../root", id, sizeof(id)), -ENOENT);
	assert_int_equal(find("", id, sizeof(id)), -ENOENT);
	/* A pod with a name of its own, and one of its containers, which is not meant. */
	c = make("a", "infra", 1, NULL);
	annotate(c, "container", "pod");
	keep(c);
	assert_int_equal(find("pod", id, sizeof(id)), -ENOENT);
	c = make("infra", NULL, 0, NULL);
	annotate(c, "sandbox", "pod");
	keep(c);
	assert_int_equal(find("pod", id, sizeof(id)), 0);
	assert_string_equal(id, "infra");
	assert_int_equal(find("a", id, sizeof(id)), -EINVAL);
	/* One whose process is gone, though its pid is in use again. */
	c = make("dead", NULL, 0, NULL);
	c->sentry.start_time++;
	keep(c);
	assert_int_equal(find("dead", id, sizeof(id)), -ESRCH);
	forget("root");
	forget("a");
	forget("infra");
	forget("dead");
}

static void test_find_namespace(void **state)
{
	struct container *sandbox = make("root", NULL, 0, NULL);
	uint32_t handle = 77;
	char own[64];

	assert_int_equal(container_save(sandbox, &(struct error *){ NULL }), 0);
	snprintf(own, sizeof(own), "/proc/%d/ns/pid", getpid());
	assert_true(pod_find_namespace(&globals, sandbox, "pid", own, &handle));
	assert_int_equal(handle, 0);
	keep(make("a", "root", 3, "/proc/4000000/ns/pid"));
	keep(make("b", "other", 4, "/proc/4000001/ns/pid"));
	assert_true(pod_find_namespace(&globals, sandbox, "pid", "/proc/4000000/ns/pid", &handle));
	assert_int_equal(handle, 3);
	/* Of another pod, and of nobody. */
	assert_false(pod_find_namespace(&globals, sandbox, "pid", "/proc/4000001/ns/pid", &handle));
	assert_false(pod_find_namespace(&globals, sandbox, "pid", "/proc/self/ns/pid", &handle));
	/* What it named of one kind says nothing of another. */
	assert_false(pod_find_namespace(&globals, sandbox, "ipc", "/proc/4000000/ns/pid", &handle));
	assert_false(pod_find_namespace(&globals, sandbox, "ipc", own, &handle));
	assert_int_equal(handle, 3);
	snprintf(own, sizeof(own), "/proc/%d/ns/ipc", getpid());
	assert_true(pod_find_namespace(&globals, sandbox, "ipc", own, &handle));
	container_close(sandbox);
	forget("root");
	forget("a");
	forget("b");
}

/* The id of the sandbox that a container with these namespaces goes into, or "". */
static const char *shared(const char *pid_path, const char *network_path)
{
	static char id[64];
	char pid[] = "pid", network[] = "network", ipc[] = "ipc";
	char *paths[] = { pid_path ? strdup(pid_path) : NULL, network_path ? strdup(network_path) : NULL };
	struct spec_namespace items[] = { { pid, paths[0] }, { network, paths[1] }, { ipc, NULL } };
	struct spec_linux l = { .namespaces = { .items = items, .count = ARRAY_SIZE(items) } };
	struct spec spec = { .linux_config = &l };
	struct container *c = NULL;
	struct error *err = NULL;

	assert_int_equal(pod_find_shared(&globals, &spec, &c, &err), 0);
	snprintf(id, sizeof(id), "%s", c ? c->id : "");
	container_close(c);
	free(paths[0]);
	free(paths[1]);
	return id;
}

static void test_find_shared(void **state)
{
	globals.network = "host";
	keep(make("root", NULL, 0, NULL));
	keep(make("a", "root", 3, "/proc/4000000/ns/pid"));
	assert_string_equal(shared("/proc/4000000/ns/pid", "/proc/self/ns/net"), "root");
	/* Its sockets would be those of another network. */
	assert_string_equal(shared("/proc/4000000/ns/pid", NULL), "");
	assert_string_equal(shared("/proc/4000000/ns/pid", "/proc/self/ns/uts"), "");
	assert_string_equal(shared("/proc/4000001/ns/pid", "/proc/self/ns/net"), "");
	assert_string_equal(shared(NULL, "/proc/self/ns/net"), "");
	globals.network = "none";
	assert_string_equal(shared("/proc/4000000/ns/pid", NULL), "root");
	forget("root");
	forget("a");
}

/* What state.json says of a container in a sandbox comes back from it. */
static void test_state(void **state)
{
	struct error *err = NULL;
	struct container *c;

	keep(make("a", "root", UINT32_MAX, "/proc/1/ns/pid"));
	assert_int_equal(container_open(&globals, "a", &c, &err), 0);
	assert_string_equal(c->sandbox, "root");
	assert_string_equal(c->pid_namespace, "/proc/1/ns/pid");
	assert_int_equal(c->handle, UINT32_MAX);
	assert_int_equal(c->monitor.pid, getpid());
	assert_int_equal(container_pid(c), getpid());
	assert_int_equal(c->status, OCI_RUNNING);
	/* The sentry lives on, but not what stands for this one. */
	c->monitor.start_time++;
	container_refresh(c);
	assert_int_equal(c->status, OCI_STOPPED);
	assert_int_equal(container_remove(c, &err), 0);
	container_close(c);
}

static int set_up(void **state)
{
	return mkdtemp(root) ? 0 : -1;
}

static int tear_down(void **state)
{
	return rmdir(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_find_sandbox),
		cmocka_unit_test(test_find_namespace),
		cmocka_unit_test(test_find_shared),
		cmocka_unit_test(test_state),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration that `spec` writes: runc's, byte for byte. */
#include "oci/spec.h"

#include <string.h>

#include "oci/json_write.h"
#include "oci/state.h"

#define OPTIONS_MAX 7

struct default_mount {
	const char *destination, *type, *source;
	const char *options[OPTIONS_MAX];
};

static const struct default_mount mounts[] = {
	{ "/proc", "proc", "proc", { NULL } },
	{ "/dev", "tmpfs", "tmpfs", { "nosuid", "strictatime", "mode=755", "size=65536k" } },
	{ "/dev/pts", "devpts", "devpts",
	  { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5" } },
	{ "/dev/shm", "tmpfs", "shm", { "nosuid", "noexec", "nodev", "mode=1777", "size=65536k" } },
	{ "/dev/mqueue", "mqueue", "mqueue", { "nosuid", "noexec", "nodev" } },
	{ "/sys", "sysfs", "sysfs", { "nosuid", "noexec", "nodev", "ro" } },
	{ "/sys/fs/cgroup", "cgroup", "cgroup", { "nosuid", "noexec", "nodev", "relatime", "ro" } },
};
/* Without privilege over the network namespace sysfs cannot be mounted, only bound. */
static const struct default_mount rootless_sys = {
	"/sys", "none", "/sys", { "rbind", "nosuid", "noexec", "nodev", "ro" }
};

static const char *const capabilities[] = { "CAP_AUDIT_WRITE", "CAP_KILL",
					     "CAP_NET_BIND_SERVICE" };
static const char *const capability_sets[] = { "bounding", "effective", "permitted", "ambient" };
static const char *const namespaces[] = { "pid", "network", "ipc", "uts", "mount" };
static const char *const rootless_namespaces[] = { "pid", "ipc", "uts", "mount", "user" };
static const char *const args[] = { "sh" };
static const char *const env[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"
};
static const char *const masked_paths[] = {
	"/proc/acpi",	     "/proc/asound",	  "/proc/kcore",     "/proc/keys",
	"/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
	"/sys/firmware",     "/proc/scsi",
};
static const char *const readonly_paths[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
					       "/proc/sysrq-trigger" };

static void put_texts(struct json_writer *w, const char *key, const char *const *texts,
		      size_t count)
{
	json_put_array(w, key);
	for (size_t i = 0; i < count; i++)
		json_write_string(w, texts[i]);
	json_write_array_end(w);
}

#define PUT_TEXTS(w, key, texts) put_texts(w, key, texts, ARRAY_SIZE(texts))

static void put_process(struct json_writer *w)
{
	json_put_object(w, "process");
	json_put_bool(w, "terminal", true);
	json_put_object(w, "user");
	json_put_uint(w, "uid", 0);
	json_put_uint(w, "gid", 0);
	json_write_object_end(w);
	PUT_TEXTS(w, "args", args);
	PUT_TEXTS(w, "env", env);
	json_put_string(w, "cwd", "/");
	json_put_object(w, "capabilities");
	for (size_t i = 0; i < ARRAY_SIZE(capability_sets); i++)
		PUT_TEXTS(w, capability_sets[i], capabilities);
	json_write_object_end(w);
	json_put_array(w, "rlimits");
	json_write_object_begin(w);
	json_put_string(w, "type", "RLIMIT_NOFILE");
	json_put_uint(w, "hard", 1024);
	json_put_uint(w, "soft", 1024);
	json_write_object_end(w);
	json_write_array_end(w);
	json_put_bool(w, "noNewPrivileges", true);
	json_write_object_end(w);
}

static void put_mount(struct json_writer *w, const struct default_mount *m, bool rootless)
{
	json_write_object_begin(w);
	json_put_string(w, "destination", m->destination);
	json_put_string(w, "type", m->type);
	json_put_string(w, "source", m->source);
	if (m->options[0])
		json_put_array(w, "options");
	for (size_t i = 0; i < OPTIONS_MAX && m->options[i]; i++)
		/* The only group mapped is root. */
		if (!rootless || strncmp(m->options[i], "gid=", 4))
			json_write_string(w, m->options[i]);
	if (m->options[0])
		json_write_array_end(w);
	json_write_object_end(w);
}

static void put_mapping(struct json_writer *w, const char *key, uint32_t host_id)
{
	json_put_array(w, key);
	json_write_object_begin(w);
	json_put_uint(w, "containerID", 0);
	json_put_uint(w, "hostID", host_id);
	json_put_uint(w, "size", 1);
	json_write_object_end(w);
	json_write_array_end(w);
}

static void put_device_rule(struct json_writer *w)
{
	json_put_object(w, "resources");
	json_put_array(w, "devices");
	json_write_object_begin(w);
	json_put_bool(w, "allow", false);
	json_put_string(w, "access", "rwm");
	json_write_object_end(w);
	json_write_array_end(w);
	json_write_object_end(w);
}

static void put_linux(struct json_writer *w, bool rootless, uint32_t uid, uint32_t gid)
{
	const char *const *names = rootless ? rootless_namespaces : namespaces;

	json_put_object(w, "linux");
	if (rootless) {
		put_mapping(w, "uidMappings", uid);
		put_mapping(w, "gidMappings", gid);
	} else {
		put_device_rule(w);
	}
	json_put_array(w, "namespaces");
	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++) {
		json_write_object_begin(w);
		json_put_string(w, "type", names[i]);
		json_write_object_end(w);
	}
	json_write_array_end(w);
	PUT_TEXTS(w, "maskedPaths", masked_paths);
	PUT_TEXTS(w, "readonlyPaths", readonly_paths);
	json_write_object_end(w);
}

char *spec_default_json(bool rootless, uint32_t uid, uint32_t gid)
{
	struct json_writer w;

	json_writer_init(&w, "\t");
	json_write_object_begin(&w);
	json_put_string(&w, "ociVersion", OCI_VERSION);
	put_process(&w);
	json_put_object(&w, "root");
	json_put_string(&w, "path", "rootfs");
	json_put_bool(&w, "readonly", true);
	json_write_object_end(&w);
	json_put_string(&w, "hostname", "runc");
	json_put_array(&w, "mounts");
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		bool sys = rootless && !strcmp(mounts[i].destination, "/sys");

		put_mount(&w, sys ? &rootless_sys : &mounts[i], rootless);
	}
	json_write_array_end(&w);
	put_linux(&w, rootless, uid, gid);
	json_write_object_end(&w);
	return json_writer_finish(&w);
}

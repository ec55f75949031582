/* SPDX-License-Identifier: Apache-2.0 */
/* The remaining files of the system: most are short or empty, as on a bare machine. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/fs/cgroup/cgroup.h"
#include "sentry/fs/proc/proc_internal.h"
#include "sentry/vfs/device.h"

int proc_show_version(const struct proc_call *c, struct strbuf *out)
{
	strbuf_add(out, GUEST_SYSNAME " version " GUEST_RELEASE " (moat) " GUEST_VERSION "\n");
	return 0;
}

int proc_show_kernel_cmdline(const struct proc_call *c, struct strbuf *out)
{
	strbuf_add(out, "quiet\n");
	return 0;
}

static void add_type(const struct file_system_type *type, void *arg)
{
	strbuf_addf(arg, "nodev\t%s\n", type->name);
}

int proc_show_filesystems(const struct proc_call *c, struct strbuf *out)
{
	static const char *const internal[] = { "sockfs", "pipefs", "anon_inodefs" };

	file_system_for_each(add_type, out);
	for (size_t i = 0; i < ARRAY_SIZE(internal); i++) {
		if (!file_system_find(internal[i]))
			strbuf_addf(out, "nodev\t%s\n", internal[i]);
	}
	return 0;
}

struct device_walk {
	struct strbuf *out;
	uint32_t type, last_major;
	bool any;
};

static void add_device(uint32_t type, uint32_t major, const char *name, void *arg)
{
	struct device_walk *w = arg;

	if (type == w->type && !(w->any && w->last_major == major))
		strbuf_addf(w->out, "%3u %s\n", major, name);
	if (type == w->type) {
		w->any = true;
		w->last_major = major;
	}
}

int proc_show_devices(const struct proc_call *c, struct strbuf *out)
{
	struct device_walk chars = { .out = out, .type = LINUX_S_IFCHR };
	struct device_walk blocks = { .out = out, .type = LINUX_S_IFBLK };

	strbuf_add(out, "Character devices:\n");
	device_for_each(add_device, &chars);
	strbuf_add(out, "\nBlock devices:\n");
	device_for_each(add_device, &blocks);
	return 0;
}

int proc_show_cgroups(const struct proc_call *c, struct strbuf *out)
{
	cgroup_show_controllers(out);
	return 0;
}

int proc_show_swaps(const struct proc_call *c, struct strbuf *out)
{
	strbuf_add(out, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	return 0;
}

int proc_show_partitions(const struct proc_call *c, struct strbuf *out)
{
	strbuf_add(out, "major minor  #blocks  name\n\n");
	return 0;
}

int proc_show_execdomains(const struct proc_call *c, struct strbuf *out)
{
	strbuf_add(out, "0-0\tLinux           \t[kernel]\n");
	return 0;
}

int proc_show_dma(const struct proc_call *c, struct strbuf *out)
{
	strbuf_add(out, " 4: cascade\n");
	return 0;
}

#define EMPTY_FILE(name)                                          \
	int name(const struct proc_call *c, struct strbuf *out)  \
	{                                                         \
		return 0;                                         \
	}

EMPTY_FILE(proc_show_modules)
EMPTY_FILE(proc_show_diskstats)
EMPTY_FILE(proc_show_consoles)
EMPTY_FILE(proc_show_crypto)
EMPTY_FILE(proc_show_iomem)
EMPTY_FILE(proc_show_ioports)
EMPTY_FILE(proc_show_misc)
EMPTY_FILE(proc_show_fb)

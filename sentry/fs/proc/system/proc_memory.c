/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meminfo, vmstat and their like.  Total is the container's limit or the host's
 * memory; used is what the guest's processes have resident, from the host.
 */
#include <errno.h>
#include <stdlib.h>

#include "sentry/fs/proc/proc_internal.h"
#include "sentry/fs/proc/system/proc_system.h"
#include "sentry/host/host_system.h"
#include "util/checked.h"

/* The address spaces of the container's processes; shared ones (vfork) count twice for a moment. */
static void add_processes(struct kernel *k, const struct task_container *c, struct system_memory *out)
{
	int32_t tgid = 0;
	struct task *t;

	while ((t = task_next_group(k->root_pid_ns, tgid + 1, &tgid))) {
		struct mm *mm = t->group->container == c ? task_mm_get(t) : NULL;
		struct host_statm usage = { 0 };

		if (mm)
			address_space_statm(mm->as, &usage);
		mm_put(mm);
		task_put(t);
		out->anonymous += (usage.rss_pages - MIN(usage.shared_pages, usage.rss_pages)) *
				  GUEST_PAGE_SIZE;
		out->mapped += usage.shared_pages * GUEST_PAGE_SIZE;
	}
}

void system_memory_read(struct kernel *k, struct system_memory *out)
{
	struct task_container *c = task_container_current();
	uint64_t limit = task_container_memory_limit(c);
	struct host_system host;
	uint64_t used;

	host_system_read(&host);
	*out = (struct system_memory){ .total = host.total_bytes, .shared = host.shared_bytes };
	add_processes(k, c, out);
	if (limit < host.total_bytes) {
		out->total = limit;
		out->shared = 0;
	}
	used = out->anonymous;
	/* what others on the host use is not the guest's to see, and can mostly be reclaimed */
	out->free = out->total - MIN(used, out->total);
}

static void add_line(struct strbuf *out, const char *name, uint64_t bytes)
{
	AUTO_STRBUF struct strbuf key = STRBUF_INIT;

	strbuf_addf(&key, "%s:", name);
	strbuf_addf(out, "%-15s %8llu kB\n", strbuf_text(&key), (unsigned long long)(bytes >> 10));
}

int proc_show_meminfo(const struct proc_call *c, struct strbuf *out)
{
	struct system_memory m;

	system_memory_read(kernel_get(), &m);
	const struct {
		const char *name;
		uint64_t bytes;
	} lines[] = {
		{ "MemTotal", m.total },
		{ "MemFree", m.free },
		{ "MemAvailable", m.free },
		{ "Buffers", 0 },
		{ "Cached", MIN(m.mapped, m.total - m.free) },
		{ "SwapCached", 0 },
		{ "Active", m.anonymous },
		{ "Inactive", 0 },
		{ "Active(anon)", m.anonymous },
		{ "Inactive(anon)", 0 },
		{ "Active(file)", 0 },
		{ "Inactive(file)", 0 },
		{ "Unevictable", 0 },
		{ "Mlocked", 0 },
		{ "SwapTotal", m.swap_total },
		{ "SwapFree", m.swap_free },
		{ "Zswap", 0 },
		{ "Zswapped", 0 },
		{ "Dirty", 0 },
		{ "Writeback", 0 },
		{ "AnonPages", m.anonymous },
		{ "Mapped", m.mapped },
		{ "Shmem", m.shared },
		{ "KReclaimable", 0 },
		{ "Slab", 0 },
		{ "SReclaimable", 0 },
		{ "SUnreclaim", 0 },
		{ "KernelStack", 0 },
		{ "PageTables", 0 },
		{ "SecPageTables", 0 },
		{ "NFS_Unstable", 0 },
		{ "Bounce", 0 },
		{ "WritebackTmp", 0 },
		{ "CommitLimit", m.total / 2 },
		{ "Committed_AS", m.anonymous },
		{ "VmallocTotal", 34359738367ULL << 10 },
		{ "VmallocUsed", 0 },
		{ "VmallocChunk", 0 },
		{ "Percpu", 0 },
		{ "AnonHugePages", 0 },
		{ "ShmemHugePages", 0 },
		{ "ShmemPmdMapped", 0 },
		{ "FileHugePages", 0 },
		{ "FilePmdMapped", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		add_line(out, lines[i].name, lines[i].bytes);
	strbuf_add(out, "HugePages_Total:       0\nHugePages_Free:        0\n"
			"HugePages_Rsvd:        0\nHugePages_Surp:        0\n"
			"Hugepagesize:       2048 kB\nHugetlb:               0 kB\n");
	return 0;
}

int proc_show_vmstat(const struct proc_call *c, struct strbuf *out)
{
	struct system_memory m;

	system_memory_read(kernel_get(), &m);
	strbuf_addf(out, "nr_free_pages %llu\nnr_anon_pages %llu\nnr_mapped %llu\n",
		    (unsigned long long)(m.free / GUEST_PAGE_SIZE),
		    (unsigned long long)(m.anonymous / GUEST_PAGE_SIZE),
		    (unsigned long long)(m.mapped / GUEST_PAGE_SIZE));
	strbuf_add(out, "nr_dirty 0\nnr_writeback 0\npgpgin 0\npgpgout 0\npswpin 0\npswpout 0\n"
			"pgfault 0\npgmajfault 0\noom_kill 0\n");
	return 0;
}

int proc_show_buddyinfo(const struct proc_call *c, struct strbuf *out)
{
	return 0;
}

int proc_show_zoneinfo(const struct proc_call *c, struct strbuf *out)
{
	return 0;
}

int proc_show_slabinfo(const struct proc_call *c, struct strbuf *out)
{
	strbuf_add(out, "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> "
			"<objperslab> <pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : "
			"slabdata <active_slabs> <num_slabs> <sharedavail>\n");
	return 0;
}

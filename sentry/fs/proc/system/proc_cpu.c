/* SPDX-License-Identifier: Apache-2.0 */
/* cpuinfo, stat, interrupts, softirqs, loadavg and uptime. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "sentry/abi/time.h"
#include "sentry/arch/x86_64/cpu_info.h"
#include "sentry/fs/proc/proc_sample.h"
#include "sentry/fs/proc/system/proc_system.h"
#include "sentry/host/host_clock.h"
#include "sentry/host/host_system.h"
#include "sentry/kernel/time_namespace.h"
#include "util/checked.h"

#define NSEC_PER_SECOND 1000000000ULL
#define LOAD_SHIFT 16

static uint64_t first_ticks, first_ns; /* written at boot */

void system_cpu_init(void)
{
	first_ticks = cpu_info_ticks();
	first_ns = host_monotonic_ns();
}

static uint64_t since_boot(void)
{
	return proc_since_boot(host_monotonic_ns());
}

/* --- cpuinfo ----------------------------------------------------------------------------- */

/* Measured since boot, which is the better the longer ago. */
static uint64_t tick_khz(const struct cpu_info *info)
{
	uint64_t ns = host_monotonic_ns() - first_ns;

	if (info->mhz)
		return info->mhz * 1000ULL;
	if (!first_ns || !ns)
		return 0;
	return (uint64_t)((__uint128_t)(cpu_info_ticks() - first_ticks) * 1000000U / ns);
}

int proc_show_cpuinfo(const struct proc_call *c, struct strbuf *out)
{
	AUTO_STRBUF struct strbuf flags = STRBUF_INIT;
	unsigned cpus = kernel_get()->cpus;
	struct cpu_info info;
	uint64_t khz;

	cpu_info_read(&info);
	cpu_info_flags(&flags);
	if (flags.length)
		strbuf_truncate(&flags, flags.length - 1);
	khz = tick_khz(&info);
	for (unsigned cpu = 0; cpu < cpus; cpu++) {
		strbuf_addf(out, "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\n",
			    cpu, info.vendor, info.family, info.model);
		strbuf_addf(out, "model name\t: %s\nstepping\t: %u\ncpu MHz\t\t: %llu.%03llu\n",
			    info.model_name, info.stepping, (unsigned long long)(khz / 1000),
			    (unsigned long long)(khz % 1000));
		strbuf_addf(out, "cache size\t: %u KB\nphysical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\n",
			    info.cache_kb, cpus, cpu);
		strbuf_addf(out, "cpu cores\t: %u\napicid\t\t: %u\ninitial apicid\t: %u\nfpu\t\t: yes\n",
			    cpus, cpu, cpu);
		strbuf_addf(out, "fpu_exception\t: yes\ncpuid level\t: %u\nwp\t\t: yes\n",
			    info.cpuid_level);
		strbuf_addf(out, "flags\t\t: %s\nbugs\t\t:\nbogomips\t: %llu.%02llu\n",
			    strbuf_text(&flags), (unsigned long long)(khz / 500),
			    (unsigned long long)(khz / 5 % 100));
		strbuf_addf(out, "clflush size\t: %u\ncache_alignment\t: %u\n", info.clflush_size,
			    info.clflush_size);
		strbuf_addf(out, "address sizes\t: %u bits physical, %u bits virtual\n"
				 "power management:\n\n",
			    info.physical_bits, info.virtual_bits);
	}
	return 0;
}

/* --- use ------------------------------------------------------------------------------------ */

static void add_group(struct kernel *k, struct thread_group *g, struct system_cpu *out)
{
	struct host_usage usage = { 0 };
	const struct task *t;

	thread_group_usage(g, &usage);
	mutex_lock(&k->tasklist_lock);
	list_for_each(t, &g->threads, thread_node) {
		out->threads++;
		out->running += atomic_load(&((struct task *)(uintptr_t)t)->state) == TASK_RUNNING;
	}
	mutex_unlock(&k->tasklist_lock);
	out->user_ns += usage.user_ns;
	out->system_ns += usage.system_ns;
	out->processes++;
}

/*
 * Who reads twice takes the difference, so no figure may be less than it was: a group that is
 * released during the walk may be in neither sum.
 */
static void keep_greatest(uint64_t whole, struct system_cpu *now)
{
	static struct mutex lock = MUTEX_INIT(LOCK_RANK_LEAF);
	static struct system_cpu seen; /* protected by lock */
	uint64_t busy;

	mutex_lock(&lock);
	seen.user_ns = now->user_ns = MAX(now->user_ns, seen.user_ns);
	seen.system_ns = now->system_ns = MAX(now->system_ns, seen.system_ns);
	busy = now->user_ns + now->system_ns;
	now->idle_ns = whole > busy ? whole - busy : 0;
	seen.idle_ns = now->idle_ns = MAX(now->idle_ns, seen.idle_ns);
	mutex_unlock(&lock);
}

void system_cpu_read(struct kernel *k, struct system_cpu *out)
{
	uint64_t whole = (host_monotonic_ns() - k->boot_time_ns) * k->cpus;
	struct task *leader;
	int32_t tgid = 0;

	*out = (struct system_cpu){ 0 };
	mutex_lock(&k->tasklist_lock);
	out->user_ns = k->gone_user_ns;
	out->system_ns = k->gone_system_ns;
	mutex_unlock(&k->tasklist_lock);
	while ((leader = task_next_group(k->root_pid_ns, tgid + 1, &tgid))) {
		add_group(k, leader->group, out);
		task_put(leader);
	}
	keep_greatest(whole, out);
}

static void add_cpu_line(struct strbuf *out, const struct system_cpu *s, unsigned share)
{
	strbuf_addf(out, " %llu 0 %llu %llu 0 0 0 0 0 0\n",
		    (unsigned long long)(s->user_ns / USER_TICK_NS / share),
		    (unsigned long long)(s->system_ns / USER_TICK_NS / share),
		    (unsigned long long)(s->idle_ns / USER_TICK_NS / share));
}

/* A time namespace's boot lies where its boot-time clock has it. */
static int64_t boot_offset_sec(void)
{
	struct task *t = task_current();
	struct time_namespace *ns = t && t->namespaces ? t->namespaces->time : NULL;

	return ns ? atomic_load(&ns->boottime) / (int64_t)NSEC_PER_SEC : 0;
}

int proc_show_cpu_stat(const struct proc_call *c, struct strbuf *out)
{
	struct kernel *k = kernel_get();
	struct system_cpu s;

	system_cpu_read(k, &s);
	strbuf_add(out, "cpu ");
	add_cpu_line(out, &s, 1);
	for (unsigned cpu = 0; cpu < k->cpus; cpu++) {
		strbuf_addf(out, "cpu%u", cpu);
		add_cpu_line(out, &s, k->cpus);
	}
	strbuf_addf(out, "intr 0\nctxt %llu\nbtime %lld\nprocesses %llu\n",
		    (unsigned long long)k->context_switches,
		    (long long)(k->boot_realtime_sec - boot_offset_sec()),
		    (unsigned long long)k->total_forks);
	strbuf_addf(out, "procs_running %u\nprocs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n",
		    s.running ? s.running : 1);
	return 0;
}

int proc_show_uptime(const struct proc_call *c, struct strbuf *out)
{
	uint64_t up = since_boot();
	struct system_cpu s;

	system_cpu_read(kernel_get(), &s);
	strbuf_addf(out, "%llu.%02llu %llu.%02llu\n", (unsigned long long)(up / NSEC_PER_SECOND),
		    (unsigned long long)(up / 10000000 % 100),
		    (unsigned long long)(s.idle_ns / NSEC_PER_SECOND),
		    (unsigned long long)(s.idle_ns / 10000000 % 100));
	return 0;
}

int proc_show_loadavg(const struct proc_call *c, struct strbuf *out)
{
	struct task *t = task_current();
	struct host_system host;
	struct system_cpu s;

	host_system_read(&host);
	system_cpu_read(kernel_get(), &s);
	for (unsigned i = 0; i < ARRAY_SIZE(host.loads); i++)
		strbuf_addf(out, "%llu.%02llu ", (unsigned long long)(host.loads[i] >> LOAD_SHIFT),
			    (unsigned long long)((host.loads[i] & ((1U << LOAD_SHIFT) - 1)) * 100 >>
						 LOAD_SHIFT));
	strbuf_addf(out, "%u/%u %d\n", s.running ? s.running : 1, s.threads,
		    pid_namespace_last_pid(t ? task_pid_namespace(t) : c->super->ns));
	return 0;
}

static void add_cpu_heading(struct strbuf *out, const char *indent)
{
	strbuf_add(out, indent);
	for (unsigned cpu = 0; cpu < kernel_get()->cpus; cpu++)
		strbuf_addf(out, "CPU%-8u", cpu);
	strbuf_add_char(out, '\n');
}

/* No interrupt reaches a guest. */
int proc_show_interrupts(const struct proc_call *c, struct strbuf *out)
{
	add_cpu_heading(out, "           ");
	strbuf_add(out, "ERR:          0\nMIS:          0\n");
	return 0;
}

int proc_show_softirqs(const struct proc_call *c, struct strbuf *out)
{
	static const char *const names[] = { "HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL",
					     "TASKLET", "SCHED", "HRTIMER", "RCU" };

	add_cpu_heading(out, "                    ");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		strbuf_addf(out, "%12s:", names[i]);
		for (unsigned cpu = 0; cpu < kernel_get()->cpus; cpu++)
			strbuf_addf(out, " %10u", 0U);
		strbuf_add_char(out, '\n');
	}
	return 0;
}

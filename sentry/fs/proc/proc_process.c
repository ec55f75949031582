/* SPDX-License-Identifier: Apache-2.0 */
/* The small files of a process: comm, limits, io, sched, timers and their like. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/sched.h"
#include "sentry/fs/cgroup/cgroup.h"
#include "sentry/fs/proc/proc_sample.h"
#include "sentry/kernel/posix_timer.h"
#include "util/parse.h"

/* --- comm ----------------------------------------------------------------------------- */

int proc_show_comm(const struct proc_call *c, struct strbuf *out)
{
	char comm[TASK_COMM_SIZE];

	proc_sample_comm(c->task, comm);
	strbuf_addf(out, "%s\n", comm);
	return 0;
}

/* Of one's own process only; the stub's host name is left to the task itself. */
int proc_store_comm(const struct proc_call *c, char *text, size_t size)
{
	struct task *caller = task_current();

	if (caller && caller->group != c->task->group)
		return -EINVAL;
	mutex_lock(&c->task->lock);
	memset(c->task->comm, 0, sizeof(c->task->comm));
	memcpy(c->task->comm, text, strnlen(text, TASK_COMM_SIZE - 1));
	mutex_unlock(&c->task->lock);
	return 0;
}

/* --- limits ----------------------------------------------------------------------------- */

static void add_limit(struct strbuf *out, uint64_t value)
{
	char text[24];

	if (value == UINT64_MAX)
		snprintf(text, sizeof(text), "unlimited");
	else
		snprintf(text, sizeof(text), "%" PRIu64, value);
	strbuf_addf(out, "%-20s ", text);
}

int proc_show_limits(const struct proc_call *c, struct strbuf *out)
{
	static const struct {
		const char *name, *unit;
	} rows[RLIMIT_COUNT] = {
		[RLIM_CPU] = { "Max cpu time", "seconds" },
		[RLIM_FSIZE] = { "Max file size", "bytes" },
		[RLIM_DATA] = { "Max data size", "bytes" },
		[RLIM_STACK] = { "Max stack size", "bytes" },
		[RLIM_CORE] = { "Max core file size", "bytes" },
		[RLIM_RSS] = { "Max resident set", "bytes" },
		[RLIM_NPROC] = { "Max processes", "processes" },
		[RLIM_NOFILE] = { "Max open files", "files" },
		[RLIM_MEMLOCK] = { "Max locked memory", "bytes" },
		[RLIM_AS] = { "Max address space", "bytes" },
		[RLIM_LOCKS] = { "Max file locks", "locks" },
		[RLIM_SIGPENDING] = { "Max pending signals", "signals" },
		[RLIM_MSGQUEUE] = { "Max msgqueue size", "bytes" },
		[RLIM_NICE] = { "Max nice priority", NULL },
		[RLIM_RTPRIO] = { "Max realtime priority", NULL },
		[RLIM_RTTIME] = { "Max realtime timeout", "us" },
	};
	struct rlimit64 limits[RLIMIT_COUNT];

	mutex_lock(&c->task->group->limits_lock);
	memcpy(limits, c->task->group->limits, sizeof(limits));
	mutex_unlock(&c->task->group->limits_lock);
	strbuf_addf(out, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (unsigned i = 0; i < RLIMIT_COUNT; i++) {
		strbuf_addf(out, "%-25s ", rows[i].name);
		add_limit(out, limits[i].soft);
		add_limit(out, limits[i].hard);
		if (rows[i].unit)
			strbuf_addf(out, "%-10s\n", rows[i].unit);
		else
			strbuf_add_char(out, '\n');
	}
	return 0;
}

/* --- accounting ------------------------------------------------------------------------- */

/* Nothing is known of what goes to a disk. */
int proc_show_io(const struct proc_call *c, struct strbuf *out)
{
	uint64_t io[TASK_IO_COUNT] = { 0 };

	if (c->entry->thread)
		task_io_add(c->task, io);
	else
		thread_group_io(c->task->group, io);
	strbuf_addf(out, "rchar: %llu\nwchar: %llu\nsyscr: %llu\nsyscw: %llu\n",
		    (unsigned long long)io[TASK_IO_READ_BYTES], (unsigned long long)io[TASK_IO_WRITE_BYTES],
		    (unsigned long long)io[TASK_IO_READS], (unsigned long long)io[TASK_IO_WRITES]);
	strbuf_add(out, "read_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n");
	return 0;
}

int proc_show_schedstat(const struct proc_call *c, struct strbuf *out)
{
	uint64_t switches = c->task->voluntary_switches + c->task->involuntary_switches, ran;
	struct proc_times times;

	proc_sample_times(c->task, !c->entry->thread, &times);
	ran = times.user_ns + times.system_ns;
	strbuf_addf(out, "%llu 0 %llu\n", (unsigned long long)ran,
		    (unsigned long long)switches);
	return 0;
}

int proc_show_sched(const struct proc_call *c, struct strbuf *out)
{
	struct task *t = c->task;
	uint64_t switches = t->voluntary_switches + t->involuntary_switches, ran;
	char comm[TASK_COMM_SIZE];
	struct proc_times times;

	proc_sample_comm(c->task, comm);
	proc_sample_times(c->task, !c->entry->thread, &times);
	ran = times.user_ns + times.system_ns;
	strbuf_addf(out, "%s (%d, #threads: %u)\n", comm, task_tid_in(t, c->super->ns),
		    t->group->thread_count);
	strbuf_add(out, "-------------------------------------------------------------------\n");
	strbuf_addf(out, "%-45s:%14llu.%06llu\n", "se.sum_exec_runtime",
		    (unsigned long long)(ran / 1000000), (unsigned long long)(ran % 1000000));
	strbuf_addf(out, "%-45s:%21llu\n", "nr_switches",
		    (unsigned long long)switches);
	strbuf_addf(out, "%-45s:%21llu\n", "nr_voluntary_switches",
		    (unsigned long long)t->voluntary_switches);
	strbuf_addf(out, "%-45s:%21llu\n", "nr_involuntary_switches",
		    (unsigned long long)t->involuntary_switches);
	strbuf_addf(out, "%-45s:%21d\n%-45s:%21d\n", "policy",
		    t->sched_policy & ~LINUX_SCHED_RESET_ON_FORK, "prio", 100 + proc_priority(t));
	return 0;
}

/* On Linux any text resets the waits that it counts when told to (kernel.sched_schedstats): none here. */
int proc_store_sched(const struct proc_call *c, char *text, size_t size)
{
	return 0;
}

int proc_show_autogroup(const struct proc_call *c, struct strbuf *out)
{
	strbuf_add(out, "/autogroup-1 nice 0\n");
	return 0;
}

/* --- as kept ------------------------------------------------------------------------------- */

int proc_show_personality(const struct proc_call *c, struct strbuf *out)
{
	strbuf_addf(out, "%08x\n", c->task->personality);
	return 0;
}

int proc_show_arch_status(const struct proc_call *c, struct strbuf *out)
{
	return 0;
}

int proc_show_coredump_filter(const struct proc_call *c, struct strbuf *out)
{
	struct mm *mm = task_mm_get(c->task);

	if (mm)
		strbuf_addf(out, "%08x\n", atomic_load(&mm->dump_filter));
	mm_put(mm);
	return 0;
}

/* As the kernel's kstrtouint with base 0: 0x for hexadecimal, 0 for octal, one newline at the end. */
static int parse_any_base(char *text, uint64_t *out)
{
	size_t length = strlen(text);
	unsigned base = 10;

	if (length && text[length - 1] == '\n')
		text[length - 1] = '\0';
	text += *text == '+';
	if (text[0] == '0' && (text[1] | 0x20) == 'x') {
		base = 16;
		text += 2;
	} else if (text[0] == '0') {
		base = 8;
	}
	return parse_u64(text, base, UINT32_MAX, out);
}

/* No core is ever written; programs ask for less in one, and look whether they get it. */
int proc_store_coredump_filter(const struct proc_call *c, char *text, size_t size)
{
	uint64_t value;
	struct mm *mm;
	int rc = parse_any_base(text, &value);

	if (rc < 0)
		return rc;
	mm = task_mm_get(c->task);
	if (!mm)
		return -ESRCH;
	atomic_store(&mm->dump_filter, (uint32_t)value & ((1u << MM_DUMP_FILTER_BITS) - 1));
	mm_put(mm);
	return 0;
}

int proc_show_children(const struct proc_call *c, struct strbuf *out)
{
	struct task *t = c->task;
	const struct thread_group *g;

	mutex_lock(&t->kernel->tasklist_lock);
	list_for_each(g, &t->group->children, sibling) {
		int32_t number = pid_number_in(&g->pid, c->super->ns);

		if (g->creator == t || (!g->creator && t->group->leader == t))
			strbuf_addf(out, "%d ", number);
	}
	mutex_unlock(&t->kernel->tasklist_lock);
	return 0;
}

int proc_show_timers(const struct proc_call *c, struct strbuf *out)
{
	posix_timers_show(c->task->group, c->super->ns, out);
	return 0;
}

/* --- timer slack -------------------------------------------------------------------------- */

static bool may_set_slack(const struct proc_call *c)
{
	struct task *caller = task_current();

	return !caller || caller == c->task ||
	       credentials_ns_capable(caller->cred, kernel_get()->root_user_ns, LINUX_CAP_SYS_NICE);
}

int proc_show_timerslack(const struct proc_call *c, struct strbuf *out)
{
	if (!may_set_slack(c))
		return -EPERM;
	strbuf_addf(out, "%llu\n", (unsigned long long)c->task->timer_slack_ns);
	return 0;
}

int proc_store_timerslack(const struct proc_call *c, char *text, size_t size)
{
	uint64_t value;

	text[strcspn(text, "\n")] = '\0';
	if (parse_u64(text, 10, UINT64_MAX, &value) < 0)
		return -EINVAL;
	if (!may_set_slack(c))
		return -EPERM;
	c->task->timer_slack_ns = value ? value : c->task->default_timer_slack_ns;
	return 0;
}

/* --- control groups --------------------------------------------------------------------------- */

int proc_show_cgroup(const struct proc_call *c, struct strbuf *out)
{
	cgroup_show_membership(c->task->group->cgroup, out);
	return 0;
}

int proc_show_cpuset(const struct proc_call *c, struct strbuf *out)
{
	cgroup_show_cpuset(c->task->group->cgroup, out);
	return 0;
}

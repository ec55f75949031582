/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID/stat (52 fields) and statm. */
#include <errno.h>
#include <string.h>

#include "sentry/abi/sched.h"
#include "sentry/fs/proc/proc_sample.h"
#include "sentry/kernel/terminal.h"

#define DEFAULT_PRIORITY 20

/* The addresses that only who may trace the process gets to see. */
static void hide_addresses(struct proc_memory *m)
{
	m->start_code = m->end_code = m->start_code ? 1 : 0;
	m->start_stack = m->start_data = m->end_data = m->brk_start = 0;
	m->arg_start = m->arg_end = m->env_start = m->env_end = 0;
}

struct scheduling {
	int32_t nice, policy, priority;
};

static struct scheduling sample_scheduling(struct task *t)
{
	struct scheduling s;

	mutex_lock(&t->lock);
	s = (struct scheduling){ t->nice, t->sched_policy & ~LINUX_SCHED_RESET_ON_FORK,
				 t->sched_priority };
	mutex_unlock(&t->lock);
	return s;
}

int proc_priority(struct task *t)
{
	struct scheduling s = sample_scheduling(t);

	if (s.policy == LINUX_SCHED_DEADLINE)
		return -2 - LINUX_RT_PRIORITY_MAX;
	return s.priority ? -1 - s.priority : DEFAULT_PRIORITY + s.nice;
}

static uint32_t task_flags(struct task *t)
{
	uint32_t flags = atomic_load(&t->flags);
	int state = task_state_char(t);

	if (state == TASK_ZOMBIE || state == TASK_DEAD)
		flags |= LINUX_PF_EXITING | LINUX_PF_POSTCOREDUMP | LINUX_PF_NOFREEZE;
	return flags;
}

static void add_identity(const struct proc_call *c, struct strbuf *out)
{
	struct pid_namespace *ns = c->super->ns;
	char comm[TASK_COMM_SIZE];
	uint64_t terminal;
	int32_t foreground;

	proc_sample_comm(c->task, comm);
	terminal_describe(c->task, ns, &terminal, &foreground);
	strbuf_addf(out, "%d (%s) %c %d %d %d %d %d %u",
		    c->entry->thread ? task_tid_in(c->task, ns) : task_tgid_in(c->task, ns), comm,
		    task_state_char(c->task), task_ppid_in(c->task, ns), task_pgid_in(c->task, ns),
		    task_sid_in(c->task, ns), (int32_t)terminal, foreground,
		    task_flags(c->task));
}

static void add_times(const struct proc_call *c, const struct proc_signals *signals,
		      struct strbuf *out)
{
	struct scheduling s = sample_scheduling(c->task);
	uint64_t start = c->entry->thread ? c->task->start_time_ns : c->task->group->start_time_ns;
	struct proc_times times;

	proc_sample_times(c->task, !c->entry->thread, &times);
	strbuf_addf(out, " %llu %llu %llu %llu %llu %llu %lld %lld %d %d %u 0 %llu",
		    (unsigned long long)times.minor_faults,
		    (unsigned long long)times.child_minor_faults,
		    (unsigned long long)times.major_faults,
		    (unsigned long long)times.child_major_faults,
		    (unsigned long long)(times.user_ns / USER_TICK_NS),
		    (unsigned long long)(times.system_ns / USER_TICK_NS),
		    (long long)(times.child_user_ns / USER_TICK_NS),
		    (long long)(times.child_system_ns / USER_TICK_NS),
		    proc_priority(c->task), s.nice,
		    signals->threads ? signals->threads : 1,
		    (unsigned long long)(proc_since_boot(start) / USER_TICK_NS));
}

static void add_memory(const struct proc_call *c, const struct proc_memory *m, struct strbuf *out)
{
	uint64_t rss_limit = task_rlimit(c->task, RLIM_RSS);

	strbuf_addf(out, " %llu %llu %llu %llu %llu %llu 0 0", (unsigned long long)m->size,
		    (unsigned long long)m->rss_pages, (unsigned long long)rss_limit,
		    (unsigned long long)m->start_code, (unsigned long long)m->end_code,
		    (unsigned long long)m->start_stack);
}

static void add_signals(const struct proc_call *c, const struct proc_signals *s, struct strbuf *out)
{
	struct scheduling sched = sample_scheduling(c->task);

	/* the old signal masks have 31 bits */
	strbuf_addf(out, " %llu %llu %llu %llu 0 0 0 %d 0 %d %d 0 0 0",
		    (unsigned long long)(s->pending & 0x7fffffff),
		    (unsigned long long)(s->blocked & 0x7fffffff),
		    (unsigned long long)(s->ignored & 0x7fffffff),
		    (unsigned long long)(s->caught & 0x7fffffff), c->task->group->exit_signal,
		    sched.priority, sched.policy);
}

int proc_show_stat(const struct proc_call *c, struct strbuf *out)
{
	bool permitted = proc_may_access(c->task, PTRACE_MODE_READ | PTRACE_MODE_FSCREDS);
	struct proc_signals signals;
	struct proc_memory memory;

	proc_sample_signals(c->task, &signals);
	proc_sample_memory(c->task, &memory);
	if (!permitted)
		hide_addresses(&memory);
	add_identity(c, out);
	add_times(c, &signals, out);
	add_memory(c, &memory, out);
	add_signals(c, &signals, out);
	strbuf_addf(out, " %llu %llu %llu %llu %llu %llu %llu %d\n",
		    (unsigned long long)memory.start_data, (unsigned long long)memory.end_data,
		    (unsigned long long)memory.brk_start, (unsigned long long)memory.arg_start,
		    (unsigned long long)memory.arg_end, (unsigned long long)memory.env_start,
		    (unsigned long long)memory.env_end, permitted ? signals.exit_code : 0);
	return 0;
}

int proc_show_statm(const struct proc_call *c, struct strbuf *out)
{
	struct proc_memory m;

	proc_sample_memory(c->task, &m);
	strbuf_addf(out, "%llu %llu %llu %llu 0 %llu 0\n",
		    (unsigned long long)(m.size / GUEST_PAGE_SIZE), (unsigned long long)m.rss_pages,
		    (unsigned long long)m.shared_pages,
		    (unsigned long long)(m.text / GUEST_PAGE_SIZE),
		    (unsigned long long)((m.data + m.stack) / GUEST_PAGE_SIZE));
	return 0;
}

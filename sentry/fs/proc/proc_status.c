/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID/status, line by line in Linux's order. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sentry/cred/user_account.h"
#include "sentry/fs/proc/proc_sample.h"
#include "sentry/kernel/seccomp.h"

#define KB(bytes) ((unsigned long long)((bytes) >> 10))

static const char *state_name(int state)
{
	static const struct {
		int state;
		const char *name;
	} names[] = {
		{ TASK_RUNNING, "R (running)" },	{ TASK_SLEEPING, "S (sleeping)" },
		{ TASK_UNINTERRUPTIBLE, "D (disk sleep)" }, { TASK_STOPPED, "T (stopped)" },
		{ TASK_TRACED, "t (tracing stop)" },	{ TASK_ZOMBIE, "Z (zombie)" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (names[i].state == state)
			return names[i].name;
	}
	return "X (dead)";
}

/* Newlines and backslashes would break the format. */
static void add_name(struct task *t, struct strbuf *out)
{
	char comm[TASK_COMM_SIZE];

	proc_sample_comm(t, comm);
	strbuf_add(out, "Name:\t");
	for (const char *p = comm; *p; p++) {
		if (*p == '\n')
			strbuf_add(out, "\\n");
		else if (*p == '\\')
			strbuf_add(out, "\\\\");
		else
			strbuf_add_char(out, *p);
	}
	strbuf_add_char(out, '\n');
}

static void add_umask(struct task *t, struct strbuf *out)
{
	struct fs_context *fs = task_fs_get(t);
	uint32_t umask;

	if (!fs)
		return;
	mutex_lock(&fs->lock);
	umask = fs->umask;
	mutex_unlock(&fs->lock);
	fs_context_put(fs);
	strbuf_addf(out, "Umask:\t%04o\n", umask);
}

static void add_ids(const struct proc_call *c, const struct credentials *cred, struct strbuf *out)
{
	struct user_namespace *ns = proc_user_ns(c);
	struct pid_namespace *pid_ns = c->super->ns;

	strbuf_addf(out, "State:\t%s\n", state_name(task_state_char(c->task)));
	strbuf_addf(out, "Tgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t%d\n",
		    task_tgid_in(c->task, pid_ns), task_tid_in(c->task, pid_ns),
		    task_ppid_in(c->task, pid_ns), ptrace_tracer_pid(c->task, pid_ns));
	strbuf_addf(out, "Uid:\t%u\t%u\t%u\t%u\n", uid_from_kernel(ns, cred->uid),
		    uid_from_kernel(ns, cred->euid), uid_from_kernel(ns, cred->suid),
		    uid_from_kernel(ns, cred->fsuid));
	strbuf_addf(out, "Gid:\t%u\t%u\t%u\t%u\n", gid_from_kernel(ns, cred->gid),
		    gid_from_kernel(ns, cred->egid), gid_from_kernel(ns, cred->sgid),
		    gid_from_kernel(ns, cred->fsgid));
}

/* Linux's tables begin with 64 entries and have a power of two. */
static uint32_t shown_capacity(uint32_t capacity)
{
	uint32_t shown = 64;

	while (shown < capacity)
		shown *= 2;
	return shown;
}

static void add_groups(const struct proc_call *c, const struct credentials *cred, struct strbuf *out)
{
	struct fd_table *fds = task_fds_get(c->task);
	uint32_t capacity = 0;

	if (fds) {
		mutex_lock(&fds->lock);
		capacity = shown_capacity(fds->capacity);
		mutex_unlock(&fds->lock);
		fd_table_put(fds);
	}
	strbuf_addf(out, "FDSize:\t%u\nGroups:\t", capacity);
	for (uint32_t i = 0; i < cred->groups->count; i++)
		strbuf_addf(out, "%s%u", i ? " " : "",
			    gid_from_kernel(proc_user_ns(c), cred->groups->gids[i]));
	/* Linux ends the line with a space */
	strbuf_add(out, " \n");
}

static void add_ns_number(const char *name, const struct proc_call *c,
			  int32_t (*number)(struct task *, struct pid_namespace *), struct strbuf *out)
{
	struct pid_namespace *own = task_pid_namespace(c->task), *levels[PID_NAMESPACE_DEPTH_MAX];
	int count = 0;

	/* from the reader's namespace inwards */
	for (struct pid_namespace *ns = own; ns && ns->level >= c->super->ns->level; ns = ns->parent)
		levels[count++] = ns;
	strbuf_addf(out, "%s:", name);
	while (count)
		strbuf_addf(out, "\t%d", number(c->task, levels[--count]));
	strbuf_add_char(out, '\n');
}

static int32_t tgid_number(struct task *t, struct pid_namespace *ns)
{
	return task_tgid_in(t, ns);
}

static int32_t tid_number(struct task *t, struct pid_namespace *ns)
{
	return task_tid_in(t, ns);
}

/* The host's figures of the stub, with what is the stub's own taken off the sizes. */
static void add_memory(struct task *t, const struct proc_memory *m, struct strbuf *out)
{
	struct mm *mm = task_mm_get(t);
	struct host_memory host = { 0 };
	uint64_t own;

	if (!mm)
		return;
	host_procfs_memory(address_space_host_pid(mm->as), &host);
	mm_put(mm);
	own = host.size_kb > KB(m->size) ? host.size_kb - KB(m->size) : 0;
	if (host.peak_kb < own + KB(m->size))
		host.peak_kb = own + KB(m->size);
	strbuf_addf(out, "VmPeak:\t%8llu kB\nVmSize:\t%8llu kB\nVmLck:\t%8llu kB\nVmPin:\t%8u kB\n",
		    (unsigned long long)(host.peak_kb - own), KB(m->size), KB(m->locked), 0U);
	strbuf_addf(out, "VmHWM:\t%8llu kB\nVmRSS:\t%8llu kB\nRssAnon:\t%8llu kB\nRssFile:\t%8llu kB\n",
		    (unsigned long long)host.high_water_kb, (unsigned long long)host.rss_kb,
		    (unsigned long long)host.anonymous_kb, (unsigned long long)host.file_kb);
	strbuf_addf(out, "RssShmem:\t%8llu kB\nVmData:\t%8llu kB\nVmStk:\t%8llu kB\nVmExe:\t%8llu kB\n",
		    (unsigned long long)host.shmem_kb, KB(m->data), KB(m->stack), KB(m->text));
	strbuf_addf(out, "VmLib:\t%8llu kB\nVmPTE:\t%8llu kB\nVmSwap:\t%8llu kB\n", KB(m->library),
		    (unsigned long long)host.pte_kb, (unsigned long long)host.swap_kb);
	strbuf_addf(out, "HugetlbPages:\t%8u kB\n", 0U);
	strbuf_add(out, "CoreDumping:\t0\nTHP_enabled:\t1\nuntag_mask:\t0xffffffffffffffff\n");
}

static void add_signals(struct task *t, const struct credentials *cred, struct strbuf *out)
{
	struct proc_signals s;

	proc_sample_signals(t, &s);
	strbuf_addf(out, "Threads:\t%u\nSigQ:\t%llu/%llu\n", s.threads ? s.threads : 1,
		    (unsigned long long)user_charged(cred->uid, USER_SIGNALS),
		    (unsigned long long)task_rlimit(t, RLIM_SIGPENDING));
	strbuf_addf(out, "SigPnd:\t%016llx\nShdPnd:\t%016llx\nSigBlk:\t%016llx\n",
		    (unsigned long long)s.pending, (unsigned long long)s.shared,
		    (unsigned long long)s.blocked);
	strbuf_addf(out, "SigIgn:\t%016llx\nSigCgt:\t%016llx\n", (unsigned long long)s.ignored,
		    (unsigned long long)s.caught);
}

static void add_capabilities(struct task *t, const struct credentials *cred, struct strbuf *out)
{
	strbuf_addf(out, "CapInh:\t%016llx\nCapPrm:\t%016llx\nCapEff:\t%016llx\n",
		    (unsigned long long)cred->inheritable, (unsigned long long)cred->permitted,
		    (unsigned long long)cred->effective);
	strbuf_addf(out, "CapBnd:\t%016llx\nCapAmb:\t%016llx\nNoNewPrivs:\t%d\n",
		    (unsigned long long)cred->bounding, (unsigned long long)cred->ambient,
		    cred->no_new_privs || atomic_load(&t->seccomp_no_new_privs));
	strbuf_addf(out, "Seccomp:\t%d\nSeccomp_filters:\t%u\n", seccomp_mode(t),
		    seccomp_filter_count(t));
	strbuf_add(out, "Speculation_Store_Bypass:\tvulnerable\n"
			"SpeculationIndirectBranch:\talways enabled\n");
}

/* The mask as Linux prints bitmaps: words of 32 bits, as many as there may be CPUs. */
static void add_mask(const uint64_t *mask, unsigned bits, struct strbuf *out)
{
	for (unsigned words = (bits + 31) / 32, i = words; i-- > 0;) {
		uint32_t word = (uint32_t)(mask[i / 2] >> (i % 2 * 32));
		unsigned digits = i == words - 1 ? (bits - i * 32 + 3) / 4 : 8;

		strbuf_addf(out, "%s%0*x", i == words - 1 ? "" : ",", (int)digits, word);
	}
}

static void add_mask_list(const uint64_t *mask, unsigned bits, struct strbuf *out)
{
	bool first = true;

	for (unsigned i = 0; i < bits; i++) {
		unsigned last = i;

		if (!(mask[i / 64] >> (i % 64) & 1))
			continue;
		while (last + 1 < bits && mask[(last + 1) / 64] >> ((last + 1) % 64) & 1)
			last++;
		strbuf_addf(out, last > i ? "%s%u-%u" : "%s%u", first ? "" : ",", i, last);
		first = false;
		i = last;
	}
}

static void add_placement(struct task *t, struct strbuf *out)
{
	uint64_t mask[ARRAY_SIZE(t->cpu_mask)];
	unsigned cpus = t->kernel->cpus;

	mutex_lock(&t->lock);
	memcpy(mask, t->cpu_mask, sizeof(mask));
	mutex_unlock(&t->lock);
	strbuf_add(out, "Cpus_allowed:\t");
	add_mask(mask, cpus, out);
	strbuf_add(out, "\nCpus_allowed_list:\t");
	add_mask_list(mask, cpus, out);
	strbuf_add(out, "\nMems_allowed:\t1\nMems_allowed_list:\t0\n");
	strbuf_addf(out, "voluntary_ctxt_switches:\t%llu\nnonvoluntary_ctxt_switches:\t%llu\n",
		    (unsigned long long)t->voluntary_switches,
		    (unsigned long long)t->involuntary_switches);
}

int proc_show_status(const struct proc_call *c, struct strbuf *out)
{
	const struct credentials *cred = task_cred(c->task);
	struct proc_memory memory;

	proc_sample_memory(c->task, &memory);
	add_name(c->task, out);
	add_umask(c->task, out);
	add_ids(c, cred, out);
	add_groups(c, cred, out);
	add_ns_number("NStgid", c, tgid_number, out);
	add_ns_number("NSpid", c, tid_number, out);
	add_ns_number("NSpgid", c, task_pgid_in, out);
	add_ns_number("NSsid", c, task_sid_in, out);
	strbuf_add(out, "Kthread:\t0\n");
	if (memory.present)
		add_memory(c->task, &memory, out);
	add_signals(c->task, cred, out);
	add_capabilities(c->task, cred, out);
	add_placement(c->task, out);
	credentials_put(cred);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/locks in Linux's format, and the lines of /proc/PID/fdinfo about locks. A lock whose taker has no number in the reader's PID namespace, or is gone,
 * is left out with all that wait for it, but counts.
 */
#include "sentry/fs/proc/proc_internal.h"
#include "sentry/vfs/file_lock.h"
#include "sentry/vfs/lease.h"

struct lock_listing {
	struct strbuf *out;
	struct pid_namespace *ns;
	const char *prefix; /* of each line */
	unsigned number;
	bool visible; /* the lock that the next waiters wait for */
};

static int32_t number_in(struct pid_namespace *ns, int32_t root_number)
{
	struct kernel *k = kernel_get();
	int32_t number = 0;
	struct pid *pid;

	if (root_number <= 0)
		return root_number;
	mutex_lock(&k->tasklist_lock);
	pid = pid_find_locked(k->root_pid_ns, root_number);
	if (pid)
		number = pid_number_in(&pid->id, ns);
	mutex_unlock(&k->tasklist_lock);
	return number;
}

static const char *type_name(int type)
{
	return type == LINUX_F_WRLCK ? "WRITE" : type == LINUX_F_RDLCK ? "READ" : "UNLCK";
}

static void show_line(const struct lock_line *line, void *arg)
{
	static const char *const kinds[] = {
		[LOCK_LINE_POSIX] = "POSIX  ADVISORY ",
		[LOCK_LINE_OFD] = "OFDLCK ADVISORY ",
		[LOCK_LINE_FLOCK] = "FLOCK  ADVISORY ",
		[LOCK_LINE_LEASE] = "LEASE  ACTIVE   ",
		[LOCK_LINE_LEASE_BREAKING] = "LEASE  BREAKING ",
		[LOCK_LINE_LEASE_BREAKER] = "LEASE  BREAKER  ",
	};
	struct lock_listing *l = arg;
	int32_t pid = number_in(l->ns, line->pid);

	if (!line->depth) {
		l->number++;
		l->visible = pid != 0;
	}
	if (!l->visible)
		return;
	strbuf_addf(l->out, "%s%u: ", l->prefix, l->number);
	if (line->depth)
		strbuf_addf(l->out, "%*s", (int)line->depth + 2, "-> ");
	strbuf_addf(l->out, "%s %s %d ", kinds[line->kind], type_name(line->type), pid);
	if (line->kind == LOCK_LINE_LEASE_BREAKER)
		strbuf_add(l->out, "<none>:0 ");
	else
		strbuf_addf(l->out, "%02x:%02x:%llu ", linux_dev_major(line->dev), linux_dev_minor(line->dev),
			    (unsigned long long)line->ino);
	if (line->end == INT64_MAX)
		strbuf_addf(l->out, "%llu EOF\n", (unsigned long long)line->start);
	else
		strbuf_addf(l->out, "%llu %llu\n", (unsigned long long)line->start, (unsigned long long)line->end);
}

int proc_show_locks(const struct proc_call *c, struct strbuf *out)
{
	struct lock_listing l = { .out = out, .ns = c->super->ns, .prefix = "" };

	file_locks_list(show_line, &l);
	leases_list(show_line, &l);
	return 0;
}

void proc_show_file_locks(const struct proc_call *c, const struct file *file, const struct fd_table *fds,
			  struct strbuf *out)
{
	struct lock_listing l = { .out = out, .ns = c->super->ns, .prefix = "lock:\t" };

	file_locks_of(file, fds, show_line, &l);
	lease_of(file, show_line, &l);
}

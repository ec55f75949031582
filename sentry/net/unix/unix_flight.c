/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files in flight: the limit on how many a user may have queued, and the
 * collector of unreachable cycles (a socket whose only references are in queues
 * that only such sockets could read).
 *
 * Everything is guarded by flight_lock.  It is held while a batch leaves a queue
 * (or is peeked at), so to the collector a socket is always either referenced
 * from outside, or counted in flight and found in a queue.
 */
#include <errno.h>

#include "sentry/abi/capability.h"
#include "sentry/kernel/task.h"
#include "sentry/net/unix/unix.h"
#include "sentry/vfs/file.h"
#include "util/hash.h"
#include "util/log.h"

static struct mutex flight_lock = MUTEX_INIT(LOCK_RANK_FS_PRIVATE);
static struct list_node sockets_in_flight = LIST_HEAD_INIT(sockets_in_flight);

/* Files in flight by user; collisions share a counter, which only tightens the limit. */
#define USER_SLOTS 256
static uint64_t files_of_user[USER_SLOTS];

void unix_flight_lock(void) NO_LOCK_ANALYSIS
{
	mutex_lock(&flight_lock);
}

void unix_flight_unlock(void) NO_LOCK_ANALYSIS
{
	mutex_unlock(&flight_lock);
}

static uint64_t *user_slot(uint32_t uid)
{
	return &files_of_user[hash_u64(uid) % USER_SLOTS];
}

static struct unix_socket *as_unix(struct file *file)
{
	struct socket *s = socket_from_file(file);

	return s && s->family == LINUX_AF_UNIX ? unix_socket_of(s) : NULL;
}

static bool over_limit(uint64_t count)
{
	struct task *t = task_current();

	return t && count > task_rlimit(t, RLIM_NOFILE) && !credentials_root_capable(t->cred, LINUX_CAP_SYS_RESOURCE) &&
	       !credentials_root_capable(t->cred, LINUX_CAP_SYS_ADMIN);
}

int unix_flight_begin(struct file_batch *batch)
{
	const struct credentials *cred = task_current() ? task_cred(task_current()) : NULL;
	uint64_t *count;
	int rc = 0;

	batch->uid = cred ? cred->uid : 0;
	if (cred)
		credentials_put(cred);
	count = user_slot(batch->uid);
	mutex_lock(&flight_lock);
	if (over_limit(*count)) {
		rc = -ETOOMANYREFS;
	} else {
		batch->in_flight = true;
		*count += batch->count;
		for (uint32_t i = 0; i < batch->count; i++) {
			struct unix_socket *u = as_unix(batch->files[i]);

			if (u && !u->in_flight++)
				list_add_tail(&sockets_in_flight, &u->flight_node);
		}
	}
	mutex_unlock(&flight_lock);
	return rc;
}

void unix_flight_end_locked(struct file_batch *batch)
{
	if (!batch->in_flight)
		return;
	batch->in_flight = false;
	*user_slot(batch->uid) -= batch->count;
	for (uint32_t i = 0; i < batch->count; i++) {
		struct unix_socket *u = as_unix(batch->files[i]);

		if (u && !--u->in_flight)
			list_remove(&u->flight_node);
	}
}

void unix_flight_end(struct file_batch *batch)
{
	mutex_lock(&flight_lock);
	unix_flight_end_locked(batch);
	mutex_unlock(&flight_lock);
}

/* --- the collector ------------------------------------------------------------------- */

/*
 * A candidate has no references but those in queues.  Of these, the ones found in
 * the queues of candidates are counted: a candidate with more than that is in the
 * queue of a socket that somebody can read, so it is reachable, and so is what is
 * in its own queue, and so on.  The rest is garbage.
 */
struct scan {
	void (*visit)(struct unix_socket *found, struct scan *scan);
	struct list_node work; /* marked, queue not yet followed */
};

/* Calls visit for each candidate in the queue of @u and of what waits there to be accepted. */
static void scan_queue(struct unix_socket *u, struct scan *scan)
{
	struct unix_socket *embryo;
	struct net_message *m;

	mutex_lock_nested(&u->base.lock);
	list_for_each(m, &u->incoming.messages, node) {
		struct file_batch *batch = m->control.files;

		for (uint32_t i = 0; batch && i < batch->count; i++) {
			struct unix_socket *found = as_unix(batch->files[i]);

			if (found && found->candidate)
				scan->visit(found, scan);
		}
	}
	list_for_each(embryo, &u->embryos, embryo_node)
		scan_queue(embryo, scan);
	mutex_unlock(&u->base.lock);
}

static void count_internal(struct unix_socket *found, struct scan *scan)
{
	found->internal++;
}

/* From the candidates to the work list. */
static void mark(struct unix_socket *found, struct scan *scan)
{
	found->candidate = false;
	list_remove(&found->flight_node);
	list_add_tail(&scan->work, &found->flight_node);
}

static bool referenced_from_outside(struct unix_socket *u)
{
	return !u->base.file || refcount_read(&u->base.file->refs) > u->in_flight;
}

/* Splits the sockets in flight: candidates to @candidates, the others to @others. */
static void find_candidates(struct list_node *candidates, struct list_node *others)
{
	struct unix_socket *u;

	while ((u = list_first(&sockets_in_flight, struct unix_socket, flight_node))) {
		list_remove(&u->flight_node);
		u->internal = 0;
		u->candidate = !referenced_from_outside(u);
		list_add_tail(u->candidate ? candidates : others, &u->flight_node);
	}
}

/* Moves the messages with files out of the queue of @u. */
static void gut(struct unix_socket *u, struct list_node *out)
{
	struct unix_socket *embryo;
	struct net_message *m, *next;

	mutex_lock_nested(&u->base.lock);
	list_for_each_safe(m, next, &u->incoming.messages, node) {
		if (!m->control.files)
			continue;
		message_queue_remove(&u->incoming, m);
		list_add_tail(out, &m->node);
	}
	list_for_each(embryo, &u->embryos, embryo_node)
		gut(embryo, out);
	mutex_unlock(&u->base.lock);
}

void unix_collect(void)
{
	struct scan scan = { .visit = count_internal };
	struct list_node candidates, others, garbage;
	struct unix_socket *u, *next;

	list_init(&scan.work);
	list_init(&candidates);
	list_init(&others);
	list_init(&garbage);
	mutex_lock(&flight_lock);
	find_candidates(&candidates, &others);
	list_for_each(u, &candidates, flight_node)
		scan_queue(u, &scan);
	scan.visit = mark;
	list_for_each_safe(u, next, &candidates, flight_node)
		if (u->in_flight > u->internal)
			mark(u, &scan);
	while ((u = list_first(&scan.work, struct unix_socket, flight_node))) {
		list_remove(&u->flight_node);
		list_add_tail(&others, &u->flight_node);
		scan_queue(u, &scan);
	}
	list_for_each(u, &candidates, flight_node)
		gut(u, &garbage);
	list_splice_tail(&sockets_in_flight, &others);
	list_splice_tail(&sockets_in_flight, &candidates);
	mutex_unlock(&flight_lock);
	message_list_put(&garbage);
}

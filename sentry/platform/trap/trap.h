/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trap platform's objects.
 *
 *   trap_platform       the listener, the thread table, the pool
 *   trap_address_space  one guest mm: its slots, its thread indexes, its processes
 *   trap_process        one host process of an address space (vfork has two in one)
 *   trap_thread         one host thread, known by its host tid; index, slot, state
 *   trap_context        one guest thread; execve moves it to another trap_thread
 *
 * Locks, in order: lookup_lock, process->lock, address_space->lock,
 * platform->lock, the pool's.
 *
 * A thread's life:
 *
 *   UNBORN --hello--> HELLO --continue--> STARTING --last start call--> STOPPED
 *                                                                        |  ^
 *                                                               resume   v  | notification
 *                                                                       GUEST
 *
 * STOPPED threads belong to the pool thread that serves them.  While that one
 * waits for the stub to execute an order the state is ORDER.
 */
#pragma once

#include <linux/seccomp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sentry/platform/platform_ops.h"
#include "sentry/platform/trap/stub_abi.h"
#include "util/list.h"
#include "util/lock.h"
#include "util/refcount.h"

struct trap_pool;

#define TRAP_SLOTS_PER_CHUNK 8
#define TRAP_CHUNK_SIZE (TRAP_SLOTS_PER_CHUNK * STUB_SLOT_SIZE)
#define TRAP_CHUNKS (STUB_THREADS_MAX / TRAP_SLOTS_PER_CHUNK)
#define TRAP_TID_PAGE 1024
#define TRAP_TID_PAGES 4096 /* pid_max is at most 4 Mi */
#define TRAP_PID_BITS 22
#define TRAP_STRANGERS 64
#define TRAP_XSTATE_MAX 16384

enum trap_state {
	TRAP_UNBORN,   /* ordered, has not said hello */
	TRAP_HELLO,    /* said hello; the notification waits */
	TRAP_STARTING, /* executes its start calls */
	TRAP_GUEST,    /* runs guest code */
	TRAP_STOPPED,  /* its notification waits, a pool thread or a constructor owns it */
	TRAP_ORDER,    /* STOPPED, executing an order for its owner */
	TRAP_PARKED,   /* the first thread of a process after its guest thread ended */
	TRAP_EXITING,  /* ordered to exit */
};

/* A host call that the stub is expected to make, compared in full. */
struct trap_call {
	uint64_t nr;
	uint64_t args[6];
};

struct trap_thread {
	struct list_node node;		 /* in process->threads; process->lock */
	struct trap_process *process;	 /* does not change once bound; NULL while UNBORN fork */
	struct trap_address_space *as;	 /* borrowed; does not change */
	struct trap_context *context;	 /* NULL: pool stub, template; process->lock */
	unsigned index;			 /* does not change */
	struct stub_slot *slot;		 /* hostile memory; does not change */
	uint64_t ticket;		 /* 0 once used; platform->lock */
	struct list_node ticket_node;	 /* platform->unborn; platform->lock */
	_Atomic pid_t tid;		 /* 0 until hello */
	_Atomic int state;		 /* enum trap_state; transitions to and from GUEST, and
					    death, under process->lock */
	bool start_wanted;		 /* context_start was called; platform->lock */
	pid_t claimed;			 /* what the parent said its child is: a hint; platform->lock */
	bool stillborn;			 /* died before its hello; platform->lock */
	bool bound_stopped;		 /* context_new: start runs it at once; the creator's */
	bool abandoned;			 /* destroyed before hello: kill on sight; platform->lock */
	bool shares_memory;		 /* cloned with CLONE_VM: its slot is mapped; does not change */
	/* The owner of a STOPPED thread, and whoever receives its notifications: */
	uint64_t notification;		 /* id that waits for an answer */
	bool answer_continue;		 /* the answer is CONTINUE, not a value */
	bool by_slot;			 /* stopped in the stub's handler: resume by command */
	struct trap_call expected[3];	 /* host calls ordered and not yet made */
	unsigned expected_count, expected_next;
	bool stop_at_last;		 /* the last expected call is a stop, not continued at once */
	_Atomic uint32_t order_done;	 /* futex: 1 when the ordered work was reported */
	_Atomic(struct trap_worker *) order_worker; /* in receive() for this thread */
	int64_t call_result;		 /* for by_slot == false: the value to return */
	/* Private copies of what the slot said. */
	struct stub_regs regs;
	uint64_t xstate_addr;
	/*
	 * What the host thread has in FS and GS, where user code cannot change them
	 * (no FSGSBASE): then only arch_prctl does, by order.
	 */
	uint64_t fs_base, gs_base;
};

struct trap_context {
	struct context base;
	struct trap_platform *platform;	 /* does not change */
	void *owner;			 /* does not change */
	struct trap_thread *thread;	 /* changes in exec, by its owner */
	struct guest_regs regs;		 /* the owner's while STOPPED */
	struct platform_event event;	 /* of queued work */
	struct list_node work;		 /* pool's queue; pool lock */
};

struct trap_process {
	struct list_node node;		 /* in as->processes; as->lock */
	struct trap_address_space *as;	 /* borrowed */
	struct mutex lock;
	struct list_node threads;	 /* lock */
	unsigned live;			 /* threads with a context; lock */
	pid_t pid;			 /* does not change; valid until reaped */
	uint64_t serial;		 /* does not change */
	int pidfd;
	_Atomic bool dead;		 /* it will never run again; set under lock */
	_Atomic bool reaped;		 /* whoever reaped it does not touch it any more */
	bool ending;			 /* somebody kills and reaps it; platform->lock */
	int status;
	_Atomic uint32_t pins;		 /* remote copies under way: no reaping */
};

struct trap_address_space {
	struct address_space base;
	struct trap_platform *platform;
	struct refcount refs;
	struct mutex lock;
	struct list_node processes;	 /* lock */
	struct trap_process *leader;	 /* whose memory remote copies name; lock */
	int slots_fd;
	void *chunks[TRAP_CHUNKS];	 /* the sentry's mappings of the slots; lock */
	uint64_t used[STUB_THREADS_MAX / 64]; /* thread indexes; lock */
	struct list_node pool_node;	 /* platform->pristine */
	struct trap_thread *first;	 /* of a pristine one, STOPPED */
};

struct trap_platform {
	struct platform base;
	struct platform_config config;
	int listener;
	int deaths;			 /* host_death_set */
	_Atomic uint64_t next_serial;
	struct mutex lock;
	struct list_node unborn;	 /* threads that have a ticket; lock */
	pid_t strangers[TRAP_STRANGERS]; /* unknown pids killed lately; lock */
	unsigned stranger_next;		 /* lock */
	struct list_node pristine;	 /* address spaces ready for exec; lock */
	unsigned pristine_count, pristine_wanted; /* lock */
	bool template_busy;		 /* lock */
	_Atomic uint32_t template_free;	 /* futex: bumped when it is no longer busy */
	struct mutex lookup_lock;	 /* held while a notification's thread is found and taken, and
					    to free one */
	struct trap_thread *template;
	_Atomic(struct trap_thread *) *tids[TRAP_TID_PAGES]; /* pages; added under lock */
	struct trap_pool *pool;
	uint64_t vdso_base;
	bool fsgsbase;			 /* stubs read and write FS and GS base themselves */
	size_t xstate_size;
	uint8_t xstate_initial[TRAP_XSTATE_MAX];
};

extern const struct platform_ops trap_ops;

static inline struct trap_platform *trap_platform(struct platform *p)
{
	return container_of(p, struct trap_platform, base);
}

static inline struct trap_context *trap_context(struct context *c)
{
	return container_of(c, struct trap_context, base);
}

static inline struct trap_address_space *trap_address_space(struct address_space *as)
{
	return container_of(as, struct trap_address_space, base);
}

/* --- tid_table.c ---------------------------------------------------------- */

struct trap_thread *tid_table_find(struct trap_platform *p, pid_t tid);
int tid_table_set(struct trap_platform *p, pid_t tid, struct trap_thread *t) MUST_CHECK;
/* Only if @t is still what stands there.  Takes platform->lock. */
void tid_table_clear(struct trap_platform *p, pid_t tid, struct trap_thread *t);

/* --- address_space.c ------------------------------------------------------- */

/* No process yet.  @index: the thread index that the first thread has. */
int trap_address_space_alloc(struct trap_platform *p, unsigned index,
			     struct trap_address_space **out) MUST_CHECK;
/* Kills and reaps what is left, frees.  No reference may be left. */
void trap_address_space_free(struct trap_address_space *as);
int trap_index_alloc(struct trap_address_space *as, unsigned *out) MUST_CHECK;
void trap_index_free(struct trap_address_space *as, unsigned index);
/* The sentry's view of a slot; NULL: no memory. */
struct stub_slot *trap_slot(struct trap_address_space *as, unsigned index);
void trap_as_get(struct address_space *as);
void trap_as_put(struct address_space *as);
ssize_t trap_as_read(struct address_space *as, uint64_t addr, void *buf, size_t size);
ssize_t trap_as_write(struct address_space *as, uint64_t addr, const void *buf, size_t size);
pid_t trap_as_host_pid(const struct address_space *as);

/* --- process.c --------------------------------------------------------------- */

/* Registers the host process @pid, of which @first is the first thread. */
int trap_process_new(struct trap_platform *p, struct trap_address_space *as, pid_t pid,
		     struct trap_thread *first, struct trap_process **out) MUST_CHECK;
/* SIGKILL, wait, reap, tell its threads.  Once; later calls return when that is done. */
void trap_process_end(struct trap_platform *p, struct trap_process *process);
/* After the end: frees it with its threads. */
void trap_process_free(struct trap_platform *p, struct trap_process *process);
/* The thread that waits for deaths nobody ordered. */
int trap_reaper_start(struct trap_platform *p) MUST_CHECK;

/* --- thread.c ------------------------------------------------------------------ */

struct trap_thread *trap_thread_new(struct trap_address_space *as, unsigned index);
void trap_thread_free(struct trap_platform *p, struct trap_thread *t);
/* The notified exit of an EXITING thread: lets it go and frees it.  lookup_lock held. */
void trap_thread_exited(struct trap_platform *p, struct trap_thread *t, uint64_t notification);
/* STOPPED at its first guest instruction: the context with its STARTED event. */
struct trap_context *trap_thread_at_start(struct trap_thread *t);
/* Hello was said and context_start called: the context to run, or NULL when more is to come. */
struct trap_context *trap_thread_started(struct trap_platform *p, struct trap_thread *t);
/*
 * The child of which the parent said that it is @pid was killed before its hello: its
 * context ends.  The hint comes from the parent's stub; a lie ends its own child.
 */
void trap_unborn_killed(struct trap_platform *p, pid_t pid);
/* The parent's word on who the child is. */
void trap_unborn_claimed(struct trap_platform *p, struct trap_thread *t, pid_t pid);
/* Withdraws the ticket; true when the context was started and its DIED is now the caller's to queue. */
bool trap_unborn_end(struct trap_platform *p, struct trap_thread *t);
/* Gives it a ticket and puts it among the unborn. */
int trap_thread_expect(struct trap_platform *p, struct trap_thread *t) MUST_CHECK;
void trap_thread_forget(struct trap_platform *p, struct trap_thread *t);
/*
 * Answers the hello of a forked process and sees it through its start calls.
 * wait: returns when it is STOPPED; else it becomes so on its own and begins
 * with STARTED.
 */
int trap_thread_begin(struct trap_platform *p, struct trap_thread *t, bool wait) MUST_CHECK;

/* How a stopped thread's notification is to be answered. */
struct trap_answer {
	uint64_t notification;
	bool continue_call;
	int64_t value;
};
struct trap_answer trap_thread_answer_of(const struct trap_thread *t);
/* -ENOENT: the process is gone. */
int trap_answer(struct trap_platform *p, const struct trap_answer *a) MUST_CHECK;

/* --- order.c --------------------------------------------------------------------- */

/*
 * Orders a command that the stub carries out in the stopped thread, and waits.
 * The caller has filled slot->args etc. and t->expected.  0 or -ESRCH when
 * the process died.  *result from the slot (hostile).
 */
int trap_order(struct trap_platform *p, struct trap_thread *t, enum stub_command command,
	       int64_t *result) MUST_CHECK;
/* One host call, notified (compared in full) or one of those the filter lets through. */
int trap_order_call(struct trap_platform *p, struct trap_thread *t, const struct trap_call *call,
		    bool notified, int64_t *result) MUST_CHECK;
/* Waits for order_done. */
void trap_wait_done(struct trap_platform *p, struct trap_thread *t);
/* Waits until the thread stops again (state STOPPED). */
int trap_wait_stopped(struct trap_platform *p, struct trap_thread *t) MUST_CHECK;

/* --- notify.c ----------------------------------------------------------------------- */

/*
 * Deals with one notification on the calling pool thread.  Returns the context
 * whose event the caller must now run (event filled), or NULL.  @waiting: the
 * thread the caller waits for; *stopped is set when it stopped.
 */
struct trap_context *trap_notified(struct trap_platform *p, const struct seccomp_notif *n,
				   struct trap_thread *waiting, bool *stopped);

/* --- pool.c -------------------------------------------------------------------------- */

struct trap_worker;

int trap_pool_new(struct trap_platform *p, struct trap_pool **out) MUST_CHECK;
int trap_pool_start(struct trap_pool *pool) MUST_CHECK;
/* Runs @ctx->event on a pool thread. */
void trap_pool_queue(struct trap_pool *pool, struct trap_context *ctx);
/* Runs a function without context (refill). */
void trap_pool_queue_refill(struct trap_pool *pool);
/* The calling thread's worker, NULL for other threads. */
struct trap_worker *trap_worker_current(void);
/* If the caller is the receiver: receives until @t stops, true.  False: not the receiver. */
bool trap_pool_receive_for(struct trap_pool *pool, struct trap_thread *t);
/* The calling worker is about to sleep: another one takes its place.  No-op elsewhere. */
void trap_pool_block_begin(void);
/* Interrupts a worker that waits in trap_pool_receive_for. */
void trap_worker_interrupt(struct trap_worker *w);

/* --- context.c ------------------------------------------------------------------------ */

void trap_context_run(struct trap_context *ctx); /* handle() and resume, on a pool thread */
void trap_copy_from_slot(struct trap_thread *t);

/* --- template.c ------------------------------------------------------------------------ */

int trap_template_start(struct trap_platform *p) MUST_CHECK;
/* One fork of the template at a time.  refill: false when the stock is full. */
bool trap_template_claim(struct trap_platform *p, bool refill) MUST_CHECK;
void trap_template_release(struct trap_platform *p);
/* Forks a pristine stub from the template, STOPPED. */
int trap_template_fork(struct trap_platform *p, struct trap_address_space **out) MUST_CHECK;

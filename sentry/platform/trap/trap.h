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
 *
 * A thread is stopped in one of two ways: its notification waits for an answer, or
 * (by_spin) its stub spins on the slot, see spin.c.
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
#define TRAP_SPARES 4
#define TRAP_XSTATE_MAX 16384
#define TRAP_NO_STOP UINT32_MAX

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

/* Syscall user dispatch of a thread: what sends its calls through the slot. */
enum trap_dispatch {
	TRAP_DISPATCH_UNTRIED,
	TRAP_DISPATCH_ON,
	TRAP_DISPATCH_REFUSED,
};

/* A spinning stub that went to sleep, and the owner's answer: whoever comes second acts. */
enum trap_late {
	TRAP_LATE_NONE,
	TRAP_LATE_ARRIVED, /* its notification is there, the owner is not done */
	TRAP_LATE_WANTED,  /* the owner is done, the notification is to be answered */
};

/* A host call that the stub is expected to make, compared in full. */
struct trap_call {
	uint64_t nr;
	uint64_t args[6];
};

/* Guest memory in the copy page of a slot: copy_window.c. */
struct trap_window {
	uint64_t addr;
	uint32_t size, offset;
	bool out;
	uint32_t written; /* of an out window, from its start */
};

struct trap_thread {
	struct list_node node;		 /* in process->threads; process->lock */
	struct trap_process *process;	 /* does not change once bound; NULL while UNBORN fork */
	struct trap_address_space *as;	 /* borrowed; does not change */
	struct trap_context *context;	 /* NULL: pool stub, template; process->lock */
	unsigned index;			 /* does not change */
	struct stub_slot *slot;		 /* hostile memory; does not change */
	uint64_t ticket;		 /* 0 once used; platform->lock */
	uint64_t ticket_number;		 /* in the order of their issue; does not change */
	uint64_t next_ticket;		 /* its next child's, in its slot ahead of time; 0: none; the owner's */
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
	bool by_spin;			 /* by_slot, and no notification waits: the stub spins */
	bool clone_waits;		 /* by_slot, and the notification is the host's clone of a fork */
	struct trap_call expected[3];	 /* host calls ordered and not yet made */
	unsigned expected_count, expected_next;
	unsigned stop_at;		 /* this one is a stop, not continued at once; or TRAP_NO_STOP */
	_Atomic uint32_t order_done;	 /* futex: 1 when the ordered work was reported */
	_Atomic(struct trap_worker *) order_worker; /* in receive() for this thread */
	int64_t call_result;		 /* for by_slot == false: the value to return */
	/* The hand-over by slot (spin.c); the owner's but for late and pins. */
	_Atomic int late;		 /* enum trap_late */
	uint64_t late_notification;	 /* written before late becomes ARRIVED */
	_Atomic uint32_t pins;		 /* somebody looks at it while the guest runs: no freeing */
	enum trap_dispatch dispatch;
	bool spinning;			 /* slot->spin is not 0 */
	uint64_t resumed_at;		 /* time stamp counter */
	bool computed;			 /* for a while, before it came from the guest; the owner's */
	uint32_t quick, quick_needed;	 /* calls soon after a resume: in a row; to be watched */
	uint32_t hits;			 /* calls taken from the slot in this watch */
	_Atomic bool watched;		 /* a worker is there, or was sent, to look at the slot */
	_Atomic bool missed;		 /* the last watch ended without a call */
	struct trap_place *place;	 /* see placement.c; the owner's */
	_Atomic bool keep_selector;	 /* calls come by the slot also when nobody watches */
	struct list_node watch_node;	 /* in the pool's; pool lock */
	/* Private copies of what the slot said. */
	struct stub_regs regs;
	uint64_t xstate_addr;
	bool xstate_written;		 /* since the last resume; the owner's */
	struct trap_window windows[STUB_COPIES]; /* of the event; the owner's */
	unsigned window_count;
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
	_Atomic bool want_registers;	 /* every call is to come through the slot */
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
	struct host_usage usage;	 /* once reaped */
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
	unsigned first_index;		 /* of its first thread; does not change */
	_Atomic bool forked;		 /* a host process was forked from one of its own */
	bool grew;			 /* has, or had, a second thread index; lock */
	uint64_t used[STUB_THREADS_MAX / 64]; /* thread indexes; lock */
	struct list_node pool_node;	 /* family->pristine */
	struct trap_thread *first;	 /* of a pristine one, STOPPED */
};

struct trap_family {
	struct stub_family base;	 /* the root family's has no address space in it */
	struct list_node node;		 /* platform->families; its lock */
	struct trap_thread *template;	 /* does not change */
	bool settled;			 /* there may be a stock; platform->lock */
	bool busy;			 /* somebody forks the template; platform->lock */
	struct list_node pristine;	 /* address spaces ready for exec; platform->lock */
	unsigned pristine_count;	 /* platform->lock */
};

/*
 * An unknown process that was killed, and that its parent may still name.  Pids come again, so only
 * an order that it can have come from means this one: a ticket whose number is at most @ticket_number.
 */
struct trap_stranger {
	pid_t pid; /* 0: none */
	uint64_t ticket_number;
};

/* An empty memfd of slots that nobody else has, and the sentry's mapping of its first chunk. */
struct trap_spare {
	int fd;
	void *chunk;
};

/* A CPU.  More than these share. */
#define TRAP_PLACES 256
struct trap_place {
	_Atomic unsigned guests; /* threads left there, and in the guest since */
	_Atomic uint64_t since;	 /* the last of them: time stamp counter */
	char pad[48];		 /* no cache line is several CPUs' */
};

struct trap_platform {
	struct platform base;
	struct platform_config config;
	int listener;
	int deaths;			 /* host_death_set */
	_Atomic uint64_t next_serial;
	_Atomic uint64_t reaped;	 /* host processes, counted before each is */
	struct mutex lock;
	struct list_node unborn;	 /* threads that have a ticket; lock */
	uint64_t tickets_issued;	 /* lock */
	struct trap_stranger strangers[TRAP_STRANGERS]; /* lock */
	unsigned stranger_next;		 /* lock */
	struct trap_spare spares[TRAP_SPARES]; /* lock */
	unsigned spare_count;		 /* lock */
	struct list_node orphans;	 /* condemned by the sweep, not reaped; lock */
	_Atomic uint32_t sweep_event;	 /* futex: bumped when there is something to sweep */
	struct list_node families;	 /* lock */
	unsigned pristine_wanted;	 /* of each family; does not change */
	_Atomic uint32_t template_free;	 /* futex: bumped when a template is no longer busy */
	struct mutex lookup_lock;	 /* held while a notification's thread is found and taken, and
					    to free one */
	struct trap_family root_family;
	_Atomic(struct trap_thread *) *tids[TRAP_TID_PAGES]; /* pages; added under lock */
	struct trap_pool *pool;
	unsigned watchers_max;		 /* workers that may spin at once; does not change */
	_Atomic unsigned watchers;
	struct trap_place places[TRAP_PLACES]; /* by the host's number of the CPU */
	bool sync_wake_up;		 /* who is answered is woken on this CPU; does not change */
	_Atomic uint64_t spin_after;	 /* time stamp counter: nobody spins before */
	uint64_t vdso_base;
	uint64_t arguments;		 /* of the template and every stub: see stub_abi.h */
	bool fsgsbase;			 /* stubs read and write FS and GS base themselves */
	bool xsave;			 /* the vector state in frames is what XRSTOR loads */
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
void trap_as_get(struct address_space *as);
void trap_as_put(struct address_space *as);
bool trap_context_is_alone(const struct context *ctx);
void trap_as_end(struct address_space *as, struct host_usage *usage);
ssize_t trap_as_read(struct address_space *as, uint64_t addr, void *buf, size_t size);
ssize_t trap_as_write(struct address_space *as, uint64_t addr, const void *buf, size_t size);
pid_t trap_as_host_pid(const struct address_space *as);

/* --- slot_memory.c ----------------------------------------------------------- */

/* A new address space's slots; @index: as for trap_address_space_alloc. */
int trap_slots_init(struct trap_platform *p, struct trap_address_space *as, unsigned index) MUST_CHECK;
/* All its processes are reaped. */
void trap_slots_release(struct trap_address_space *as);
/* The sentry's view of a slot; NULL: no memory. */
struct stub_slot *trap_slot(struct trap_address_space *as, unsigned index);

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
/* Frees one that has not said hello, and never will; false: it just did, nothing is freed. */
bool trap_unborn_free(struct trap_platform *p, struct trap_thread *t);
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
/*
 * The same where the process needs no sweep any more.  The tickets up to @ticket_number were issued
 * before; 0: all that could be its own are known.
 */
void trap_unborn_lost(struct trap_platform *p, pid_t pid, uint64_t ticket_number);
/* Its hello was taken, but it cannot be made known: its context ends. */
void trap_unborn_failed(struct trap_platform *p, struct trap_thread *t);
/* The parent's word on who the child is. */
void trap_unborn_claimed(struct trap_platform *p, struct trap_thread *t, pid_t pid);
/* Withdraws the ticket; true when the context was started and its DIED is now the caller's to queue. */
bool trap_unborn_end(struct trap_platform *p, struct trap_thread *t);
/* Gives it the ticket and puts it among the unborn. */
void trap_thread_expect(struct trap_platform *p, struct trap_thread *t, uint64_t ticket);
/* A ticket, which nobody has yet.  -errno: no randomness. */
int trap_ticket_new(uint64_t *ticket) MUST_CHECK;
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
	bool by_spin;
	bool continue_call;
	int64_t value;
	int fd, number; /* not -1: put into its table as @number, which is the answer then */
};
struct trap_answer trap_thread_answer_of(const struct trap_thread *t);
/* -ENOENT: the process is gone. */
int trap_answer(struct trap_platform *p, const struct trap_answer *a) MUST_CHECK;

/* Out of @from, for the caller; false: somebody else took it. */
bool trap_thread_take(struct trap_thread *t, enum trap_state from) MUST_CHECK;

/* --- placement.c ---------------------------------------------------------------------- */

/* Before the owner of @t answers it.  False: another guest thread was left on this CPU. */
bool trap_place_take(struct trap_platform *p, struct trap_thread *t) MUST_CHECK;
/* It is out of the guest, or does not go there. */
void trap_place_leave(struct trap_thread *t);

/* --- slot_event.c ----------------------------------------------------------------- */

/*
 * The event that a stub put into its slot, in a private copy.  False: forged; the
 * process must die.
 */
bool trap_slot_event(struct trap_thread *t, struct platform_event *e) MUST_CHECK;

/* --- copy_window.c ------------------------------------------------------------------- */

/* What came with the event in the slot. */
void trap_windows_take(struct trap_thread *t);
/* Hands what was written to the stub, which puts it into memory at the coming resume. */
void trap_windows_put(struct trap_thread *t);
/* From now on the memory itself is read and written. */
void trap_windows_end(struct trap_thread *t);
/* By the calling worker's windows: bytes moved from the start of the range, or 0. */
size_t trap_windows_read(const struct trap_address_space *as, uint64_t addr, void *buf, size_t size)
	MUST_CHECK;
size_t trap_windows_write(const struct trap_address_space *as, uint64_t addr, const void *buf,
			  size_t size) MUST_CHECK;

/* --- spin.c ------------------------------------------------------------------------- */

struct trap_worker;

/*
 * Lets the stub of a stopped thread go on.  @t is pinned or stopped.  -ENOENT as
 * trap_answer.  TRAP_WOKEN: it slept after all, and was woken, on this CPU.
 */
#define TRAP_WOKEN 1
int trap_hand_over(struct trap_platform *p, struct trap_thread *t, const struct trap_answer *a)
	MUST_CHECK;
/* The notification of a stub that slept after its event had been taken.  False: out of turn. */
bool trap_late_report(struct trap_platform *p, struct trap_thread *t, uint64_t notification)
	MUST_CHECK;
void trap_spin_init(struct trap_thread *t);
/* There is other work for the CPUs: nobody spins for a while. */
void trap_spin_pause(struct trap_platform *p);
/* Before the client sees a system call: how soon it came. */
void trap_spin_count(struct trap_thread *t);
/* Who watches the slot after the coming resume. */
enum trap_watcher {
	TRAP_WATCHER_NONE,
	TRAP_WATCHER_SELF,  /* the calling worker goes on watching */
	TRAP_WATCHER_OTHER, /* a worker that trap_pool_queue_watch() sets to it */
};
enum trap_watcher trap_watch_begin(struct trap_platform *p, struct trap_thread *t);
/* It came to nothing: takes a TRAP_WATCHER_OTHER back. */
void trap_watch_cancel(struct trap_platform *p, struct trap_thread *t);
/* The calling worker watches @t from now on. */
void trap_watch_attach(struct trap_thread *t);
/*
 * Looks for the next event in the slot of the pinned thread for a while.  True:
 * taken, the thread is STOPPED.  False: the worker watches it no longer.
 */
bool trap_watch(struct trap_platform *p, struct trap_thread *t) MUST_CHECK;
/* The calling worker, if it is one, watches nothing any more.  What it watched is alive. */
void trap_watch_end(struct trap_platform *p);
/* The owner is about to sleep: tells the spinning stub to do so too. */
void trap_spin_block(struct trap_thread *t);
/* Waits for an order a while, awake: true when the thread stopped. */
bool trap_spin_wait(struct trap_thread *t) MUST_CHECK;
/*
 * Turns syscall user dispatch on where that is wanted and possible.  True: registers
 * are needed for it, the thread must come back with a kick.
 */
bool trap_dispatch_prepare(struct trap_platform *p, struct trap_thread *t);

/* --- order.c --------------------------------------------------------------------- */

/* Answers a guest call and waits for the stub's report of a kick: -ESRCH as below. */
int trap_order_report(struct trap_platform *p, struct trap_thread *t) MUST_CHECK;
/*
 * Orders a command that the stub carries out in the stopped thread, and waits.
 * The caller has filled slot->args etc. and t->expected.  0 or -ESRCH when
 * the process died.  *result from the slot (hostile).
 */
int trap_order(struct trap_platform *p, struct trap_thread *t, enum stub_command command,
	       int64_t *result) MUST_CHECK;
/*
 * STUB_CALL_WITH_FD: the first of two expected calls uses @number, the second closes it.  The stub
 * gets @fd, which stays the caller's, under that number; or the error why it cannot.
 */
int trap_order_with_fd(struct trap_platform *p, struct trap_thread *t, int fd, int number,
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
 * thread the caller waits for, which looks at its order_done afterwards.
 * *watched: a worker looks at the slot of the thread it came from.
 */
struct trap_context *trap_notified(struct trap_platform *p, const struct seccomp_notif *n,
				   struct trap_thread *waiting, bool *watched);

/* --- pool.c -------------------------------------------------------------------------- */

struct trap_worker {
	struct trap_pool *pool;	      /* does not change */
	struct list_node node;	      /* in pool->parked; pool's lock */
	_Atomic uint32_t wake;	      /* futex */
	pid_t tid;		      /* does not change */
	bool at_work;		      /* counted in the pool's at_work; the worker's */
	uint64_t role;		      /* the pool's: it is a receiver; pool's lock */
	unsigned pressure, crowded;   /* see pool.c; the worker's */
	struct trap_context *context; /* whose event it runs; the worker's */
	struct trap_context *next;    /* NULL, or unshelved by what it does: runs next; the worker's */
	struct trap_thread *watching; /* stopped or pinned by it; the worker's */
	bool fresh;		      /* the watch has not seen a call yet; the worker's */
	unsigned moves;		      /* in this watch; then not all CPUs are open to it */
};

int trap_pool_new(struct trap_platform *p, struct trap_pool **out) MUST_CHECK;
/* Of a pool never started; NULL is a no-op. */
void trap_pool_free(struct trap_pool *pool);
int trap_pool_start(struct trap_pool *pool) MUST_CHECK;
/* Runs @ctx->event on a pool thread. */
void trap_pool_queue(struct trap_pool *pool, struct trap_context *ctx);
/*
 * The same for one that what the caller does has woken: where the caller is a worker it comes next, on the
 * same CPU, unless something keeps the worker away from the pool.
 */
void trap_pool_queue_next(struct trap_pool *pool, struct trap_context *ctx);
/* Somebody else may have it: the calling worker is not back soon. */
void trap_pool_flush_next(struct trap_worker *w);
/* Has a worker watch the slot of @t, which the caller has pinned for it. */
void trap_pool_queue_watch(struct trap_pool *pool, struct trap_thread *t);
/* Runs a function without context (refill). */
void trap_pool_queue_refill(struct trap_pool *pool);
/* The calling thread's worker, NULL for other threads. */
struct trap_worker *trap_worker_current(void);
/* If the caller is the receiver: receives until @t stops, true.  False: not the receiver. */
bool trap_pool_receive_for(struct trap_pool *pool, struct trap_thread *t);
/* Waits until @t has stopped, receiving if nobody else does. */
void trap_pool_await(struct trap_pool *pool, struct trap_thread *t);
/*
 * The calling worker is about to sleep, or to look at one slot only: if nobody else comes to
 * receive, another one is put to work.  False, and a no-op: the caller is no worker.
 */
bool trap_pool_block_begin(void);
void trap_pool_step_back(struct trap_worker *w);
/* It will come back to the pool when it has done what it does. */
void trap_pool_return(struct trap_worker *w);
/* For the watchdog: a worker sleeps in its receive. */
bool trap_pool_is_idle(struct trap_pool *pool);
/* A notification waits for being received. */
bool trap_pool_has_waiting(struct trap_pool *pool);
/* Another worker receives; whoever was to do so is told when it comes back. */
void trap_pool_relieve(struct trap_pool *pool);
/* Interrupts a worker that waits in trap_pool_receive_for. */
void trap_worker_interrupt(struct trap_worker *w);

/* --- context.c ------------------------------------------------------------------------ */

void trap_context_run(struct trap_context *ctx); /* handle() and resume, on a pool thread */
/* Watches the pinned thread, unpins it and runs what comes. */
void trap_context_watch(struct trap_platform *p, struct trap_thread *t);

/* --- template.c ------------------------------------------------------------------------ */

int trap_template_start(struct trap_platform *p) MUST_CHECK;

/* --- family.c -------------------------------------------------------------------------- */

void trap_family_init(struct trap_family *f);
int trap_family_new(struct platform *p, struct stub_family **out) MUST_CHECK;
void trap_family_free(struct stub_family *family);
void trap_family_settled(struct stub_family *family);
int trap_address_space_new(struct platform *p, struct stub_family *family,
			   struct address_space **out) MUST_CHECK;
/* Brings every family's stock of pristine stubs up to what is wanted. */
void trap_family_refill(struct trap_platform *p);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals.  Numbers, flags and siginfo are Linux's; a guest's kernel_sigset is
 * one uint64_t, bit n-1 for signal n.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/abi/guest_addr.h"
#include "util/compiler.h"
#include "util/list.h"
#include "util/lock.h"
#include "util/refcount.h"

struct task;
struct thread_group;
struct credentials;

#define SIGNAL_COUNT 64
#define SIGNAL_BIT(n) (1ULL << ((n) - 1))

/* In guest layout (128 bytes); zeroed before filling. */
struct linux_siginfo {
	int32_t signo, err, code, pad0;
	union {
		struct { int32_t pid; uint32_t uid; uint64_t value; } kill; /* kill, rt (value) */
		struct { int32_t timer_id, overrun; uint64_t value; } timer;
		struct { int32_t pid; uint32_t uid; int32_t status, pad; int64_t utime, stime; } child;
		struct { uint64_t addr; uint16_t addr_lsb; uint16_t pad[3]; uint64_t lower, upper; } fault;
		struct { int64_t band; int32_t fd; } poll;
		struct { uint64_t call_addr; int32_t syscall; uint32_t arch; } sys;
		uint8_t bytes[112];
	};
};
_Static_assert(sizeof(struct linux_siginfo) == 128, "siginfo_t is 128 bytes");

/* In guest layout: struct kernel_sigaction. */
struct linux_sigaction {
	uint64_t handler; /* 0 SIG_DFL, 1 SIG_IGN */
	uint64_t flags;
	uint64_t restorer;
	uint64_t mask;
};

struct signal_stack {
	uint64_t sp;
	uint32_t flags;
	uint64_t size;
};

struct queued_signal {
	struct list_node node;
	struct linux_siginfo info;
	uint32_t uid; /* charged for RLIMIT_SIGPENDING */
	void *timer;  /* posix timer whose preallocated entry this is, or NULL */
};

struct signal_queue {
	uint64_t set;		  /* pending signals */
	struct list_node entries; /* queued_signal in order of arrival */
};

struct signal_handlers {
	struct refcount refs;
	struct mutex lock; /* LOCK_RANK_SIGNAL: guards this and the groups' and tasks' signal fields */
	struct linux_sigaction actions[SIGNAL_COUNT];
	struct list_node signalfd_watchers; /* wait queues: see signalfd */
};

/*
 * Send @info to one thread or to the group.  No permission check.  0, or -EAGAIN
 * when a real-time signal exceeds RLIMIT_SIGPENDING.  -ESRCH if it is dead.
 * Takes handlers->lock.
 */
int signal_send_task(struct task *t, const struct linux_siginfo *info);
int signal_send_group(struct thread_group *g, const struct linux_siginfo *info);
/* Fault signals: unblocked and reset to default if ignored or blocked (force_sig). */
void signal_force(struct task *t, const struct linux_siginfo *info);
/* SI_KERNEL shorthand. */
int signal_send_kernel(struct thread_group *g, int signo);
/* The same for signals about CPU time, for which a thread is asked first that used it. */
int signal_send_cpu(struct thread_group *g, int signo);
/* SIGPIPE, SIGXFSZ ... to the current thread. */
void signal_send_self(struct task *t, int signo);

/*
 * Changes @t's own blocked mask (SIGKILL and SIGSTOP stay out).  For ppoll and the
 * like: signal_mask_push before waiting; signal_mask_pop(t, true) when the result is
 * an interruption (the old mask comes back when the handler has returned), else
 * signal_mask_pop(t, false), which restores it at once.
 */
void signal_set_blocked(struct task *t, uint64_t mask);
void signal_mask_push(struct task *t, uint64_t mask);
void signal_mask_pop(struct task *t, bool interrupted);

/* For signalfd and sigtimedwait: takes the first pending signal of @mask for @t. */
bool signal_dequeue(struct task *t, uint64_t mask, struct linux_siginfo *out) MUST_CHECK;
uint64_t signal_pending_set(struct task *t); /* thread and group, not minus blocked */
/* True when the task must leave a sleep: an unblocked signal, stop or death. */
bool signal_interrupts(struct task *t);
/* The wait queue woken when a signal is queued to @t's group (events = signal bits' low 32;
 * use ~0 and re-check). For signalfd. */
struct wait_queue *signal_wait_queue(struct thread_group *g);

/* kill(2)'s siginfo for a signal from @sender (NULL: from outside) to @target. */
void signal_fill_user(struct linux_siginfo *info, int signo, int code, struct task *sender,
		      struct task *target);
/* Whether kill(2) by @sender may signal @target: 0, -EPERM. */
int signal_permission(struct task *sender, struct task *target, int signo) MUST_CHECK;

int signal_handlers_new(struct signal_handlers **out) MUST_CHECK;
int signal_handlers_copy(struct signal_handlers *from, struct signal_handlers **out) MUST_CHECK;
void signal_handlers_put(struct signal_handlers *h);
/*
 * Locks @g's signal state, whichever handlers it has at the moment; the reference
 * taken goes with signal_unlock.  Rank LOCK_RANK_SIGNAL.
 */
struct signal_handlers *signal_lock(struct thread_group *g) MUST_CHECK NO_LOCK_ANALYSIS;
void signal_unlock(struct signal_handlers *h) NO_LOCK_ANALYSIS;

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hostile guest: programs that go round the stub.  Each attack runs as the
 * init of a container of its own, beside a bystander process in the same
 * container and a second container; it forks the children that do the evil and
 * judges what became of them.  An attack succeeds as a test when every attempt was
 * refused or killed nobody but the process that made it.
 *
 * See ./run for the host's side.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct attack {
	const char *name;
	void (*run)(void);
	bool trap_only; /* about the trap platform's stub */
	bool rewrites;	/* needs code of its own in the stub's text */
};

/* Every attack; ended by a row without name.  attack_list.c */
extern const struct attack attacks[];

/* --- judgement: attack.c ------------------------------------------------------ */

/* The attack failed as a test: prints and goes on, so that one run tells everything. */
void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Says what is tried next: the last such line names what took the sandbox down. */
void note(const char *what);
/* The attack cannot be tried: ends the program. */
void skip(const char *why) __attribute__((noreturn));

#define CHECK(cond) ((cond) ? (void)0 : fail("%s:%d: %s", __FILE__, __LINE__, #cond))

bool on_trap(void);
/* ATTACK_STRICT=1: under --strict-memory, where the stub's text cannot be changed. */
bool strict_memory(void);
/* Code of our own can be put into the stub's text. */
bool can_rewrite(void);
/* ATTACK_LONG=1: full product of attempts and full counts. */
bool long_form(void);

/* What a child that was forked here ends with: @rc, or 99 when something failed in it. */
int verdict(int rc);

/* What became of a child. */
struct outcome {
	bool timed_out;	 /* it did not end by itself and was killed by us */
	bool unkillable; /* and SIGKILL did not end it */
	int status;
};

/* Forks a child that exits with @body's result, waits at most @timeout_ms. */
struct outcome in_child(int (*body)(void *), void *arg, int timeout_ms);
/* waitpid with a timeout and a last resort. */
struct outcome await(pid_t pid, int timeout_ms);
/* How long SIGKILL may take; 5000 at first. */
extern unsigned last_resort_ms;
bool exited_with(const struct outcome *o, int code);
bool killed_by(const struct outcome *o, int signo);
/* In words, for fail(); a static buffer. */
const char *outcome_text(const struct outcome *o);

uint64_t now_ms(void);
void sleep_ms(unsigned ms);
uint32_t random_next(uint64_t *state);

/* --- the stub's text: site.c ---------------------------------------------------- */

#define SITES_MAX 64

/* The `syscall` instructions in the stub's text. */
extern uint64_t sites[SITES_MAX];
unsigned sites_find(void);

struct call {
	uint64_t nr;
	uint64_t args[6];
};
/*
 * Jumps to @site.  If the thread comes back, by whatever fault: true, and *result is
 * its rax then (the call's result at sites followed by ud2 or int3).
 */
bool site_call(uint64_t site, const struct call *call, int64_t *result);
/* A site that gives results. */
uint64_t site_returning(void);

/* Puts code of our own into the stub's text.  In a child: it is the caller's copy. */
void gadget_install(void);
/* A call from there. */
int64_t gadget(uint64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);
#define GADGET(...) GADGET_ARGS(__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define GADGET_ARGS(nr, a, b, c, d, e, f, ...)                                                  \
	gadget((nr), (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), (uint64_t)(e), \
	       (uint64_t)(f))

/* Runs @body where a fault is survived: the signal, or 0. */
int with_faults(void (*body)(void *), void *arg);

/* --- a stub of our own: hostile_stub.c --------------------------------------------- */

enum hostile_mode {
	HOSTILE_FAITHFUL,
	/* what a forked child does instead of its hello */
	HOSTILE_CHILD_SILENT,
	HOSTILE_CHILD_SLEEPS,
	HOSTILE_CHILD_GUESSES,
	HOSTILE_CHILD_ZERO,
	HOSTILE_CHILD_OLD_TICKET,
	HOSTILE_CHILD_TWICE,
	HOSTILE_CHILD_REPORTS,
	HOSTILE_CHILD_CALLS,
	HOSTILE_CHILD_MAPS_OTHER,
	/* what the parent does with its order to clone */
	HOSTILE_CLONE_TWICE,
	HOSTILE_CLONE_NEVER,
	HOSTILE_CLONE_OTHER_FLAGS,
	HOSTILE_CLONE_SAYS_FAILED,
	HOSTILE_CLONE_SAYS_FAILED_LATE,
	HOSTILE_CLONE_SWAP,
	HOSTILE_CLONE_STUCK,
	/* a thread */
	HOSTILE_THREAD_SILENT,
	HOSTILE_THREAD_NO_EXIT,
	/* an order with a donated FD */
	HOSTILE_FD_WRITABLE,
	HOSTILE_FD_KEPT,
	HOSTILE_FD_OTHER,
	HOSTILE_FD_TWICE,
	HOSTILE_FD_LIES,
	HOSTILE_MODES,
};

/* From now on the caller's signals are handled by our stub, in @mode.  In a child. */
void hostile_install(enum hostile_mode mode);
void hostile_set(enum hostile_mode mode);

/* Announces itself and is out of reach: silent_child, deaf_leader, deaf_thread.  process.c */
int hold(const char *how);
/* Floods the container's terminal for ever, in all modes.  terminals.c */
int flood_console(void);
/* Leaves silent processes without a task behind: silent_bomb, silent_stuck.  silent.c */
int leave_silent(const char *how);

/* --- attacks, by file ------------------------------------------------------------- */

void attack_rights_shared(void);
void attack_rights_private(void);
void attack_rights_mremap(void);
void attack_rights_advice(void);

void attack_sites_forbidden(void);
void attack_sites_direct(void);
void attack_sites_exit(void);
void attack_sites_strict(void);
void attack_sites_unmap(void);

void attack_rewritten_calls(void);
void attack_rewritten_fork(void);
void attack_rewritten_fork_report(void);
void attack_rewritten_identity(void);
void attack_rewritten_silent(void);
void attack_rewritten_thread(void);
void attack_rewritten_lies(void);
void attack_rewritten_fd(void);

void attack_forged_report(void);
void attack_forged_registers(void);
void attack_slot_scribble(void);
void attack_slot_requeue(void);
void attack_slots_of_the_dead(void);

void attack_deaf_spin(void);
void attack_deaf_growth(void);
void attack_core_dump(void);
void attack_other_process(void);

void attack_race_files(void);
void attack_race_maps(void);
void attack_race_exit(void);

void attack_foreign_calls(void);
void attack_vsyscall(void);

void attack_hand_over_pipe(void);
void attack_hand_over_futex(void);

void attack_registers_calls(void);
void attack_registers_kicks(void);

void attack_traced_memory(void);
void attack_traced_jumps(void);
void attack_traced_exit_stop(void);
void attack_traced_registers(void);

void attack_terminal_races(void);
void attack_terminal_hangup(void);

void attack_filter_programs(void);
void attack_filter_paths(void);
void attack_filter_listeners(void);

void attack_message_flood(void);
void attack_message_races(void);

void attack_space_races(void);

void attack_queue_races(void);
void attack_key_races(void);
void attack_futex_races(void);
void attack_aio_races(void);
void attack_seal_races(void);
void attack_every_file(void);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notifications and slots of the trap platform, as a guest that goes round its stub can make them.
 * The sentry's side is real (notify.c); the calls to the host are wrapped, and note what they were
 * asked.  An input is a list of steps of STEP_SIZE bytes.  Never may: a host call be let through
 * that was not ordered, a process be killed that did not notify, or an event reach the kernel that
 * its state, its notification and one reading of the slot do not explain.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sentry/platform/platform.h"
#include "sentry/platform/trap/trap.h"
#include "tests/fuzz/fuzz.h"
#include "util/checked.h"

#define STEP_SIZE 64u
#define STEPS_MAX 256u
#define TICKET 0x1122334455667788ull
enum { BOUND_TID = 100, UNBORN_TID = 200, UNKNOWN_TID = 300 };

/* What the wrapped host calls saw since the last step. */
static struct {
	pid_t killed;
	unsigned kills, continues, returns;
} seen;

void __wrap_host_process_kill(pid_t pid);
int __wrap_host_notify_continue(int listener, uint64_t id);
int __wrap_host_notify_return(int listener, uint64_t id, int64_t value);
int __wrap_host_notify_add_fd(int listener, uint64_t id, int fd, int number);
int __wrap_host_pidfd_open(pid_t pid);
int __wrap_host_death_set_add(int set, int pidfd, uint64_t cookie);
void __wrap_host_death_set_remove(int set, int pidfd);
void __wrap_trap_pool_queue(struct trap_pool *pool, struct trap_context *ctx);
int __real_host_pidfd_open(pid_t pid);

void __wrap_host_process_kill(pid_t pid)
{
	seen.killed = pid;
	seen.kills++;
}

int __wrap_host_notify_continue(int listener, uint64_t id)
{
	seen.continues++;
	return 0;
}

int __wrap_host_notify_return(int listener, uint64_t id, int64_t value)
{
	seen.returns++;
	return 0;
}

int __wrap_host_notify_add_fd(int listener, uint64_t id, int fd, int number)
{
	return 0;
}

int __wrap_host_pidfd_open(pid_t pid)
{
	return __real_host_pidfd_open(getpid());
}

int __wrap_host_death_set_add(int set, int pidfd, uint64_t cookie)
{
	return 0;
}

void __wrap_host_death_set_remove(int set, int pidfd)
{
}

void __wrap_trap_pool_queue(struct trap_pool *pool, struct trap_context *ctx)
{
}

struct world {
	struct trap_platform *platform;
	struct trap_address_space *as[2];
	struct trap_thread *threads[2]; /* a bound one that runs, one to be forked */
	struct trap_context contexts[2];
	struct stub_slot slots[2];
};

static struct trap_thread *new_thread(struct world *w, unsigned n)
{
	struct trap_thread *t = calloc(1, sizeof(*t));
	struct trap_address_space *as = calloc(1, sizeof(*as));

	fuzz_check(t && as, "out of memory");
	as->platform = w->platform;
	mutex_init(&as->lock, LOCK_RANK_PLATFORM_SPACE);
	list_init(&as->processes);
	as->slots_fd = -1;
	t->as = as;
	t->slot = &w->slots[n];
	t->context = &w->contexts[n];
	list_node_init(&t->node);
	list_node_init(&t->ticket_node);
	w->contexts[n].platform = w->platform;
	w->contexts[n].thread = t;
	w->as[n] = as;
	w->threads[n] = t;
	return t;
}

static void set_up(struct world *w)
{
	struct trap_process *process;

	memset(w, 0, sizeof(*w));
	w->platform = calloc(1, sizeof(*w->platform));
	fuzz_check(w->platform != NULL, "out of memory");
	w->platform->listener = w->platform->deaths = -1;
	w->platform->fsgsbase = true;
	mutex_init(&w->platform->lock, LOCK_RANK_PLATFORM);
	mutex_init(&w->platform->lookup_lock, LOCK_RANK_PLATFORM_LOOKUP);
	list_init(&w->platform->unborn);
	list_init(&w->platform->families);
	list_init(&w->platform->orphans);
	new_thread(w, 0);
	new_thread(w, 1);
	fuzz_check(trap_process_new(w->platform, w->as[0], BOUND_TID, w->threads[0], &process) == 0 &&
			   tid_table_set(w->platform, BOUND_TID, w->threads[0]) == 0,
		   "no process");
	atomic_store(&w->threads[0]->tid, BOUND_TID);
	atomic_store(&w->threads[0]->state, TRAP_GUEST);
	w->threads[1]->ticket = TICKET;
	list_add_tail(&w->platform->unborn, &w->threads[1]->ticket_node);
}

static void tear_down(struct world *w)
{
	for (unsigned n = 0; n < 2; n++) {
		struct trap_process *process = w->threads[n]->process;

		/* Frees its threads. */
		if (process)
			trap_process_free(w->platform, process);
		else
			trap_thread_free(w->platform, w->threads[n]);
		mutex_destroy(&w->as[n]->lock);
		free(w->as[n]);
	}
	for (unsigned i = 0; i < TRAP_TID_PAGES; i++)
		free((void *)w->platform->tids[i]);
	mutex_destroy(&w->platform->lock);
	mutex_destroy(&w->platform->lookup_lock);
	free(w->platform);
}

/* One step of an input: 64 bytes. */
struct step {
	uint8_t kind, who, where, what;
	uint32_t nr;
	uint64_t args[6];
	uint64_t value;
};
_Static_assert(sizeof(struct step) == STEP_SIZE, "a step");

static uint64_t pointer_of(const struct step *s)
{
	static const uint64_t places[] = { STUB_TEXT, STUB_TEXT_LIMIT - 1, STUB_TEXT_LIMIT,
					   STUB_TEXT - 1, 0x400000 };

	return places[s->where % ARRAY_SIZE(places)];
}

static uint32_t number_of(const struct step *s)
{
	static const uint32_t numbers[] = { STUB_NR_REPORT, STUB_NR_HELLO, __NR_mmap, __NR_close };

	return s->what % 8 < ARRAY_SIZE(numbers) ? numbers[s->what % 8] : s->nr;
}

static bool is_exception(int signo)
{
	return signo == SIGSEGV || signo == SIGBUS || signo == SIGFPE || signo == SIGILL ||
	       signo == SIGTRAP;
}

static void check_event(const struct world *w, const struct trap_context *ctx,
			const struct seccomp_notif *n, bool in_stub, int before)
{
	const struct platform_event *e = &ctx->event;
	const struct trap_thread *t = ctx->thread;

	fuzz_check(ctx == &w->contexts[0] || ctx == &w->contexts[1], "a context out of nowhere");
	fuzz_check(atomic_load(&t->tid) == (pid_t)n->pid, "another thread's context");
	fuzz_check(atomic_load(&t->state) == TRAP_STOPPED, "an event of a thread that runs");
	if (e->kind == PLATFORM_EVENT_STARTED)
		return;
	fuzz_check(before == TRAP_GUEST, "an event of a thread that was not in the guest");
	switch (e->kind) {
	case PLATFORM_EVENT_SYSCALL:
		fuzz_check(e->regs_valid == in_stub, "registers from the wrong side");
		fuzz_check(in_stub || (e->nr == (uint32_t)n->data.nr &&
				       !memcmp(e->args, n->data.args, sizeof(e->args))),
			   "another call than was made");
		break;
	case PLATFORM_EVENT_FAULT:
		fuzz_check(in_stub, "a fault without the stub");
		fuzz_check(is_exception(e->signo), "a fault by a signal that is none");
		break;
	case PLATFORM_EVENT_KICK:
		fuzz_check(in_stub, "a kick without the stub");
		break;
	default:
		fuzz_found("an event that no notification makes");
	}
}

static bool was_ordered(const struct trap_thread *t, const struct seccomp_notif *n, unsigned next)
{
	return next < t->expected_count && t->expected[next].nr == (uint32_t)n->data.nr &&
	       !memcmp(t->expected[next].args, n->data.args, sizeof(n->data.args));
}

static void notify(struct world *w, const struct step *s)
{
	static const pid_t tids[] = { BOUND_TID, UNBORN_TID, UNKNOWN_TID };
	struct seccomp_notif n = {
		.id = 1,
		.pid = (uint32_t)tids[s->who % 3],
		.data = { .nr = (int)number_of(s), .arch = 0xc000003e,
			  .instruction_pointer = pointer_of(s) },
	};
	bool in_stub = n.data.instruction_pointer >= STUB_TEXT &&
		       n.data.instruction_pointer < STUB_TEXT_LIMIT;
	struct trap_thread *t = tid_table_find(w->platform, (pid_t)n.pid);
	int before = t ? atomic_load(&t->state) : TRAP_UNBORN;
	unsigned next = t ? t->expected_next : 0;
	struct trap_context *ctx;
	bool watched;

	memcpy(n.data.args, s->args, sizeof(n.data.args));
	memset(&seen, 0, sizeof(seen));
	ctx = trap_notified(w->platform, &n, NULL, &watched);
	fuzz_check(seen.kills == 0 || seen.killed == (pid_t)n.pid, "somebody else is killed");
	if (seen.continues)
		fuzz_check(t && in_stub && (before == TRAP_ORDER || before == TRAP_STARTING) &&
				   was_ordered(t, &n, next) && seen.kills == 0,
			   "a host call that was not ordered is let through");
	if (!t && n.data.nr != STUB_NR_HELLO)
		fuzz_check(seen.kills == 1 && !ctx, "a call of an unknown thread is served");
	if (ctx)
		check_event(w, ctx, &n, in_stub, before);
}

/* The sentry's moves: resume, or order up to two calls. */
static void act(struct world *w, const struct step *s)
{
	struct trap_thread *t = w->threads[s->who % 2];

	if (atomic_load(&t->state) != TRAP_STOPPED)
		return;
	if (s->what % 2) {
		atomic_store(&t->state, TRAP_GUEST);
		return;
	}
	t->expected_count = 1 + s->where % 2;
	t->expected_next = 0;
	t->stop_at = s->value % 2 ? t->expected_count - 1 : TRAP_NO_STOP;
	t->expected[0] = (struct trap_call){ s->nr % 400, { 0 } };
	memcpy(t->expected[0].args, s->args, sizeof(s->args));
	t->expected[1] = (struct trap_call){ __NR_close, { s->args[4] } };
	atomic_store(&t->state, TRAP_ORDER);
}

static void begin_forked(struct world *w)
{
	struct trap_thread *t = w->threads[1];

	if (atomic_load(&t->state) == TRAP_HELLO && t->process)
		fuzz_check(trap_thread_begin(w->platform, t, false) <= 0, "begin");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world;

	set_up(&world);
	for (unsigned i = 0; i < STEPS_MAX && size >= STEP_SIZE; i++) {
		struct step s;

		memcpy(&s, data, sizeof(s));
		data += STEP_SIZE;
		size -= STEP_SIZE;
		switch (s.kind % 8) {
		case 0: { /* the guest scribbles over a slot */
			size_t at = s.value % (sizeof(struct stub_slot) - sizeof(s.args));

			memcpy((char *)&world.slots[s.who % 2] + at, s.args, sizeof(s.args));
			break;
		}
		case 1:
			world.slots[s.who % 2].event = s.what % 8;
			world.slots[s.who % 2].signo = s.where;
			break;
		case 2:
			act(&world, &s);
			break;
		case 3:
			begin_forked(&world);
			break;
		default:
			notify(&world, &s);
		}
	}
	tear_down(&world);
	return 0;
}

static size_t generate(uint8_t *out)
{
	uint32_t steps = 1 + fuzz_random(40);
	uint64_t last_args[6] = { 0 };
	uint32_t last_nr = 0;

	for (uint32_t i = 0; i < steps; i++) {
		struct step s = {
			.kind = (uint8_t)fuzz_random(8), .who = (uint8_t)fuzz_random(3),
			.where = (uint8_t)fuzz_random(5), .what = (uint8_t)fuzz_random(8),
			.nr = fuzz_random(450), .value = fuzz_random(1u << 16),
		};

		if (s.kind % 8 == 1)
			s.where = (uint8_t)fuzz_random(33);
		for (unsigned a = 0; a < 6; a++)
			s.args[a] = fuzz_random(2) ? fuzz_random(4) : (uint64_t)fuzz_random(UINT32_MAX) << 16;
		if (s.kind % 8 == 2) {
			memcpy(last_args, s.args, sizeof(last_args));
			last_nr = s.nr % 400;
		} else if (fuzz_random(2)) { /* what was ordered, perhaps */
			memcpy(s.args, last_args, sizeof(last_args));
			s.nr = last_nr;
			s.what = 4;
			s.where = 0;
		}
		if (s.what == 1 && fuzz_random(2))
			s.args[0] = TICKET;
		memcpy(out + i * STEP_SIZE, &s, sizeof(s));
	}
	return steps * STEP_SIZE;
}

const struct fuzz_target fuzz_target = { "stub_events", 20000, generate };

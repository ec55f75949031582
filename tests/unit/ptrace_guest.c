/* SPDX-License-Identifier: Apache-2.0 */
/* See ptrace_guest.h. */
#include "config.h"

#include "tests/unit/ptrace_guest.h"

#include <sched.h>
#include <sys/mman.h>
#include <time.h>

#include "sentry/host/host_futex.h"

#define TIMEOUT_NS 10000000000ULL
#define GROUP_TIMEOUT_SECONDS 100
#define STATUS_SKIPPED 77

struct platform *guest_platform;

/* The search for leaks wants to trace this process's threads, whose stubs these trace. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

static uint64_t deadline(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec + TIMEOUT_NS;
}

void guest_await(_Atomic uint32_t *word)
{
	uint64_t end = deadline();

	while (!atomic_load(word))
		assert_int_equal(host_futex_wait(word, 0, end, false), 0);
}

void guest_post(_Atomic uint32_t *word)
{
	atomic_store(word, 1);
	host_futex_wake(word, INT32_MAX);
}

enum context_action guest_end(struct guest *g)
{
	struct address_space *as = g->as;

	context_destroy(g->ctx);
	address_space_put(as);
	guest_post(&g->ended);
	return CONTEXT_EXITED;
}

static enum context_action handle(void *owner, struct context *ctx, const struct platform_event *e)
{
	struct guest *g = owner;
	unsigned i = atomic_load(&g->count);

	if (e->kind == PLATFORM_EVENT_DIED) {
		g->host_status = e->host_status;
		atomic_store(&g->died, true);
		return g->handle == guest_ends ? guest_ends(g, e) : guest_end(g);
	}
	if (i < GUEST_EVENTS) {
		g->events[i] = *e;
		g->regs[i] = *context_regs(ctx);
		atomic_store(&g->count, i + 1);
	}
	if (e->kind == PLATFORM_EVENT_STARTED)
		return CONTEXT_RESUME;
	if (e->kind == PLATFORM_EVENT_SYSCALL && e->nr == CALL_DONE) {
		g->result = e->args[0];
		return guest_end(g);
	}
	return g->handle(g, e);
}

static const struct context_client_ops client = { .handle = handle };

/* --- making guests ------------------------------------------------------------------ */

void guest_load(struct guest *g, const char *begin, const char *end)
{
	size_t size = (size_t)(end - begin);
	struct guest_regs *r = context_regs(g->ctx);

	assert_int_equal(platform_map_anonymous(g->ctx, guest_addr(GUEST_TEXT), GUEST_PAGE,
						PROT_READ | PROT_WRITE | PROT_EXEC, false),
			 0);
	assert_int_equal(platform_map_anonymous(g->ctx, guest_addr(GUEST_DATA),
						GUEST_STACK_TOP - GUEST_DATA,
						PROT_READ | PROT_WRITE, false),
			 0);
	assert_int_equal(address_space_write(g->as, guest_addr(GUEST_TEXT), begin, size), size);
	r->rip = GUEST_TEXT;
	r->rsp = GUEST_STACK_TOP;
	r->eflags = 0x202;
}

struct guest *guest_new(guest_handler *fn)
{
	struct guest *g = calloc(1, sizeof(*g));

	assert_non_null(g);
	g->handle = fn;
	assert_int_equal(address_space_new(guest_platform, NULL, &g->as), 0);
	assert_int_equal(context_new(guest_platform, g->as, g, &g->ctx), 0);
	return g;
}

struct guest *guest_child(struct guest *g)
{
	struct guest *child = calloc(1, sizeof(*child));

	child->parent = g;
	child->handle = g->handle;
	return child;
}

enum context_action guest_ends(struct guest *g, const struct platform_event *e)
{
	guest_await(&g->wake);
	return guest_end(g);
}

/* --- the group --------------------------------------------------------------------- */

static int play(int (*run_group)(void))
{
	static const struct platform_config config = {
		.client = &client,
		.stub_cgroup_fd = -1,
		.cpus = 1,
	};
	int rc = platform_ptrace_new(&config, &guest_platform);

	if (rc == 0)
		rc = platform_run(guest_platform);
	if (rc < 0) {
		fprintf(stderr, "platform: %s\n", strerror(-rc));
		return 1;
	}
	return run_group();
}

int guest_main(int (*run_group)(void))
{
	int status;
	pid_t pid;

	if (unshare(CLONE_NEWPID) < 0) {
		printf("1..0 # SKIP no new PID namespace: %s\n", strerror(errno));
		return STATUS_SKIPPED;
	}
	pid = fork();
	if (pid == 0) {
		alarm(GROUP_TIMEOUT_SECONDS);
		_exit(play(run_group));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

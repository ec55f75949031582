/* SPDX-License-Identifier: Apache-2.0 */
/* The ptrace platform's processes and threads: fork, clone, exec, deaths, donated FDs. */
#include "config.h"

#include "tests/unit/ptrace_guest.h"

#include <sched.h>
#include <sys/mman.h>

/* --- tasks --------------------------------------------------------------------------- */

/* Makes a child with call %r12d, has it add to [GUEST_DATA], and ends after it. */
GUEST_PROGRAM(child_program,
	"mov %r12d, %eax; syscall; test %eax, %eax; jnz 1f;"
	"lock incl 0x500000; mov 0x500000, %edi; mov $1000, %eax; syscall;"
	"1: mov 0x500000, %edi; mov $1000, %eax; syscall; ud2");

static enum context_action on_child(struct guest *g, const struct platform_event *e)
{
	struct guest *child = guest_child(g);
	int rc;

	if (e->kind != PLATFORM_EVENT_SYSCALL)
		return guest_end(g);
	if (e->nr == CALL_FORK) {
		rc = context_fork(g->ctx, child, &child->as, &child->ctx);
	} else {
		rc = context_clone(g->ctx, e->nr == CALL_THREAD, context_regs(g->ctx)->fs_base, child,
			  &child->ctx);
		child->as = g->as;
		address_space_get(g->as);
	}
	if (rc < 0) {
		fprintf(stderr, "child: %d\n", rc);
		return guest_end(g);
	}
	context_regs(child->ctx)->rax = 0;
	context_start(child->ctx);
	guest_await(&child->ended);
	g->events[GUEST_EVENTS - 1].args[0] = child->result;
	g->died = child->died;
	free(child);
	context_set_return(g->ctx, 1);
	return CONTEXT_RESUME;
}

static void child_case(uint64_t call, uint64_t in_parent)
{
	for (unsigned i = 0; i < 20; i++) {
		struct guest *g = guest_new(on_child);

		guest_load(g, child_program, child_program_end);
		context_regs(g->ctx)->r12 = call;
		context_start(g->ctx);
		guest_await(&g->ended);
		assert_false(g->died);
		assert_int_equal(g->events[GUEST_EVENTS - 1].args[0], 1);
		assert_int_equal(g->result, in_parent);
		free(g);
	}
}

static void test_fork(void **state)
{
	child_case(CALL_FORK, 0);
}

static void test_thread(void **state)
{
	child_case(CALL_THREAD, 1);
}

static void test_vfork(void **state)
{
	child_case(CALL_VFORK, 1);
}

GUEST_PROGRAM(call_program, "mov $500, %eax; syscall; mov $1000, %eax; syscall");

static enum context_action on_call(struct guest *g, const struct platform_event *e)
{
	context_set_return(g->ctx, 0);
	return CONTEXT_RESUME;
}

GUEST_PROGRAM(exec_program, "mov $1004, %eax; syscall; ud2");

static enum context_action on_exec(struct guest *g, const struct platform_event *e)
{
	struct address_space *old = g->as;
	uint8_t byte;

	if (e->kind != PLATFORM_EVENT_SYSCALL || address_space_new(guest_platform, NULL, &g->as) < 0)
		return guest_end(g);
	g->result = (uint64_t)context_exec(g->ctx, g->as);
	address_space_put(old);
	if (address_space_read(g->as, guest_addr(GUEST_TEXT), &byte, 1) != -EFAULT)
		return guest_end(g);
	guest_load(g, call_program, call_program_end);
	g->handle = on_call;
	return CONTEXT_RESUME;
}

static void test_exec(void **state)
{
	struct guest *g = guest_new(on_exec);

	GUEST_START(g, exec_program);
	guest_await(&g->ended);
	assert_false(g->died);
	assert_int_equal(g->events[1].nr, CALL_EXEC);
	assert_int_equal(g->events[2].nr, 500);
	assert_int_equal(g->events[3].nr, CALL_DONE);
	free(g);
}

static void test_never_started(void **state)
{
	struct guest *g = guest_new(guest_ends);
	struct address_space *as = g->as;

	guest_load(g, exec_program, exec_program_end);
	context_destroy(g->ctx);
	address_space_put(as);
	free(g);
	g = guest_new(guest_ends);
	as = g->as;
	context_destroy(g->ctx);
	address_space_put(as);
	free(g);
}

/* The leader's guest thread makes a thread, then goes its way (%r13d) while that sleeps. */
GUEST_PROGRAM(leader_program,
	"mov $1002, %eax; syscall; test %eax, %eax; jnz 1f;"
	"mov $1005, %eax; syscall; mov $1000, %eax; syscall;"
	"1: cmp $0, %r13d; jne 1b; mov $1000, %eax; syscall");

static struct guest *_Atomic second;

static enum context_action on_leader(struct guest *g, const struct platform_event *e)
{
	if (e->kind != PLATFORM_EVENT_SYSCALL)
		return guest_end(g);
	if (e->nr == CALL_SLEEP) {
		guest_post(&g->sleeping);
		guest_await(&g->wake);
		context_set_return(g->ctx, 0);
		return CONTEXT_RESUME;
	}
	second = guest_child(g);
	second->as = g->as;
	address_space_get(g->as);
	if (context_clone(g->ctx, true, context_regs(g->ctx)->fs_base, second,
			  &second->ctx) < 0)
		return guest_end(g);
	context_regs(second->ctx)->rax = 0;
	context_start(second->ctx);
	guest_await(&second->sleeping);
	context_set_return(g->ctx, 1);
	return CONTEXT_RESUME;
}

/* A leader that leaves first: its memory stays reachable, the thread lives on. */
static void test_leader_leaves(void **state)
{
	struct guest *g = guest_new(on_leader);
	uint32_t byte;

	GUEST_START(g, leader_program);
	guest_await(&g->ended);
	assert_int_equal(address_space_read(second->as, guest_addr(GUEST_TEXT), &byte, 4), 4);
	guest_post(&second->wake);
	guest_await(&second->ended);
	assert_false(second->died);
	free(second);
	free(g);
}

/* A leader that is killed from outside hears of it although another thread sleeps in the sentry. */
static void test_leader_killed(void **state)
{
	struct guest *g = guest_new(on_leader);
	pid_t pid = address_space_host_pid(g->as);

	second = NULL;
	guest_load(g, leader_program, leader_program_end);
	context_regs(g->ctx)->r13 = 1;
	context_start(g->ctx);
	while (!second || !atomic_load(&second->sleeping) || atomic_load(&g->count) < 2)
		sched_yield();
	usleep(20000);
	assert_int_equal(kill(pid, SIGKILL), 0);
	guest_await(&g->ended);
	assert_true(g->died);
	assert_int_equal(g->host_status, SIGKILL);
	assert_int_equal(atomic_load(&second->ended), 0);
	guest_post(&second->wake);
	guest_await(&second->ended);
	assert_true(second->died);
	free(second);
	free(g);
}

/* --- threads that map files at once -------------------------------------------------- */

#define MAPPERS 8
#define ROUNDS 50

/* Maps its file at %r14, compares the first word with %r15d, again and again. */
GUEST_PROGRAM(mapper_program,
	"cmp $0, %r13d; je 2f;"
	"1: dec %r13d; mov $1002, %eax; mov %r13d, %edi; syscall; test %eax, %eax; jz 2f;"
	"test %r13d, %r13d; jnz 1b; mov $1000, %eax; syscall;"
	"2: mov $50, %ebx;"
	"3: mov $1006, %eax; syscall; xor %edi, %edi; cmp (%r14), %r15d; jne 4f; dec %ebx; jnz 3b;"
	"mov $1, %edi; 4: mov $1000, %eax; syscall");

static int mapper_files[MAPPERS];
static struct guest *mappers[MAPPERS];

static enum context_action on_mapper(struct guest *g, const struct platform_event *e)
{
	struct guest_regs *r = context_regs(g->ctx);
	struct guest *child;

	if (e->kind != PLATFORM_EVENT_SYSCALL)
		return guest_end(g);
	context_set_return(g->ctx, 1);
	if (e->nr == CALL_MAP_OWN) {
		if (platform_map_fd(g->ctx, guest_addr(r->r14), GUEST_PAGE, PROT_READ, true,
				    mapper_files[r->r15], 0) < 0)
			return guest_end(g);
		return CONTEXT_RESUME;
	}
	child = guest_child(g);
	child->as = g->as;
	address_space_get(g->as);
	if (context_clone(g->ctx, true, context_regs(g->ctx)->fs_base, child,
			  &child->ctx) < 0)
		return guest_end(g);
	r = context_regs(child->ctx);
	r->rax = 0;
	r->r15 = e->args[0];
	r->r14 = 0x10000000 + e->args[0] * GUEST_PAGE;
	mappers[e->args[0]] = child;
	context_start(child->ctx);
	return CONTEXT_RESUME;
}

static void test_mappers(void **state)
{
	struct guest *g = guest_new(on_mapper);

	for (uint32_t i = 0; i < MAPPERS; i++) {
		mapper_files[i] = memfd_create("own", MFD_CLOEXEC);
		assert_int_equal(ftruncate(mapper_files[i], GUEST_PAGE), 0);
		assert_int_equal(pwrite(mapper_files[i], &i, sizeof(i), 0), sizeof(i));
	}
	guest_load(g, mapper_program, mapper_program_end);
	context_regs(g->ctx)->r13 = MAPPERS;
	context_start(g->ctx);
	guest_await(&g->ended);
	for (unsigned i = 0; i < MAPPERS; i++) {
		guest_await(&mappers[i]->ended);
		assert_false(mappers[i]->died);
		assert_int_equal(mappers[i]->result, 1);
		free(mappers[i]);
		close(mapper_files[i]);
	}
	free(g);
}

static int run_group(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fork),
		cmocka_unit_test(test_thread),
		cmocka_unit_test(test_vfork),
		cmocka_unit_test(test_exec),
		cmocka_unit_test(test_never_started),
		cmocka_unit_test(test_leader_leaves),
		cmocka_unit_test(test_leader_killed),
		cmocka_unit_test(test_mappers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return guest_main(run_group);
}

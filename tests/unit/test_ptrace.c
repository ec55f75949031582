/* SPDX-License-Identifier: Apache-2.0 */
/* The ptrace platform, one guest thread: calls, faults, kicks, memory, vector state. */
#include "config.h"

#include "tests/unit/ptrace_guest.h"

#include <linux/audit.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>

/* --- system calls -------------------------------------------------------------------- */

GUEST_PROGRAM(calls_program,
	"mov $500, %eax; mov $1, %edi; mov $2, %esi; mov $3, %edx; mov $4, %r10d; mov $5, %r8d;"
	"mov $6, %r9d; mov $77, %ebx; syscall; add %rbx, %rax; mov %rax, %rdi; mov $501, %eax;"
	"syscall;"
	"mov $20, %eax; mov $0x1234, %ebx; int $0x80;"	  /* arch i386 */
	"mov $0x40000027, %eax; syscall;"		  /* x32 */
	"mov $0xffffffffff600400, %rax; mov $9, %edi; call *%rax; mov %rax, %rdi;" /* vsyscall */
	"mov $1000, %eax; syscall; ud2");

static enum context_action on_calls(struct guest *g, const struct platform_event *e)
{
	if (e->kind == PLATFORM_EVENT_SYSCALL)
		context_set_return(g->ctx, 1000);
	else if (e->kind == PLATFORM_EVENT_FAULT) /* a host without IA32 emulation, or vsyscalls */
		context_regs(g->ctx)->rip += 2;
	return CONTEXT_RESUME;
}

static void test_calls(void **state)
{
	struct guest *g = guest_new(on_calls);
	const struct platform_event *e = g->events;

	GUEST_START(g, calls_program);
	guest_await(&g->ended);
	assert_int_equal(e[0].kind, PLATFORM_EVENT_STARTED);
	assert_int_equal(e[1].kind, PLATFORM_EVENT_SYSCALL);
	assert_int_equal(e[1].nr, 500);
	assert_int_equal(e[1].arch, AUDIT_ARCH_X86_64);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(e[1].args[i], i + 1);
	assert_int_equal(g->regs[1].rax, 500);
	assert_int_equal(e[1].rip, g->regs[1].rip);
	assert_int_equal(e[2].nr, 501);
	assert_int_equal(e[2].args[0], 1077);
	if (e[3].kind == PLATFORM_EVENT_SYSCALL) {
		assert_int_equal(e[3].arch, AUDIT_ARCH_I386);
		assert_int_equal(e[3].nr, 20);
		assert_int_equal(e[3].args[0], 0x1234);
	}
	assert_int_equal(e[4].nr, 0x40000027);
	assert_int_equal(e[4].arch, AUDIT_ARCH_X86_64);
	if (e[5].kind == PLATFORM_EVENT_SYSCALL && e[5].nr == SYS_time) {
		assert_int_equal(e[5].args[0], 9);
		assert_int_equal(g->result, 1000);
	}
	assert_false(g->died);
	free(g);
}

/* --- faults -------------------------------------------------------------------------- */

GUEST_PROGRAM(faults_program,
	"mov $0x99, %eax; movq %rax, %xmm0; lea 1f(%rip), %rbx; int3;"
	"1: lea 1f(%rip), %rbx; ud2; 1: lea 1f(%rip), %rbx;"
	"xor %eax, %eax; cqo; idivl %eax; 1: lea 1f(%rip), %rbx; mov 0x10, %rax;"
	"1: lea 1f(%rip), %rbx; movl $1, 0x510010; 1: lea 1f(%rip), %rbx; hlt;"
	"1: lea 1f(%rip), %rbx; pushf; orq $0x100, (%rsp); popf; nop; 1:"
	"lea 1f(%rip), %rbx; mov $0x300000, %eax; jmp *%rax; 1:"
	"lea 1f(%rip), %rbx; mov $0x7fffe0000200, %rax; jmp *%rax; 1:" /* the stub's text */
	"movq %xmm0, %rdi; mov $1000, %eax; syscall");

static enum context_action on_faults(struct guest *g, const struct platform_event *e)
{
	struct guest_regs *r = context_regs(g->ctx);

	r->rip = r->rbx;
	r->eflags = 0x202;
	return CONTEXT_RESUME;
}

static void test_faults(void **state)
{
	static const struct {
		int signo, code;
		uint64_t addr, trapno, error_code;
		bool at_rip; /* addr is the instruction's */
	} expected[] = {
		{ SIGTRAP, 0x80, 0, 3, 0, false },
		{ SIGILL, ILL_ILLOPN, 0, 6, 0, true },
		{ SIGFPE, FPE_INTDIV, 0, 0, 0, true },
		{ SIGSEGV, SEGV_MAPERR, 0x10, 14, 4, false },
		{ SIGSEGV, SEGV_ACCERR, 0x510010, 14, 6, false },
		{ SIGSEGV, 0x80, 0, 13, 0, false },
		{ SIGTRAP, TRAP_TRACE, 0, 1, 0, true },
		{ SIGSEGV, SEGV_MAPERR, 0x300000, 14, 20, false },
	};
	struct guest *g = guest_new(on_faults);

	guest_load(g, faults_program, faults_program_end);
	assert_int_equal(platform_map_anonymous(g->ctx, guest_addr(0x510000), GUEST_PAGE, PROT_READ,
						false), 0);
	context_start(g->ctx);
	guest_await(&g->ended);
	for (unsigned i = 0; i < ARRAY_SIZE(expected); i++) {
		const struct platform_event *e = &g->events[i + 1];

		assert_int_equal(e->kind, PLATFORM_EVENT_FAULT);
		assert_int_equal(e->signo, expected[i].signo);
		assert_int_equal(e->code, expected[i].code);
		assert_int_equal(e->fault_addr,
				 expected[i].at_rip ? g->regs[i + 1].rip : expected[i].addr);
		assert_int_equal(e->trapno, expected[i].trapno);
		assert_int_equal(e->error_code, expected[i].error_code);
	}
	/* A jump to the stub's park loop: its pause(2) is the guest's own call. */
	assert_int_equal(g->events[9].kind, PLATFORM_EVENT_SYSCALL);
	assert_int_equal(g->events[9].nr, SYS_pause);
	assert_int_equal(g->events[10].nr, CALL_DONE);
	/* Looking at a fault disturbs nothing. */
	assert_int_equal(g->result, 0x99);
	free(g);
}

/* --- kicks and kills ----------------------------------------------------------------- */

GUEST_PROGRAM(spin_program, "1: jmp 1b");

static void test_kick(void **state)
{
	for (unsigned i = 0; i < 50; i++) {
		struct guest *g = guest_new(guest_ends);

		GUEST_START(g, spin_program);
		if (i % 2)
			sched_yield();
		context_kick(g->ctx);
		guest_post(&g->wake);
		guest_await(&g->ended);
		assert_false(g->died);
		assert_int_equal(g->events[1].kind, PLATFORM_EVENT_KICK);
		assert_true(g->events[1].regs_valid);
		free(g);
	}
}

static void test_kill(void **state)
{
	struct guest *g = guest_new(guest_ends);

	GUEST_START(g, spin_program);
	while (!atomic_load(&g->count))
		sched_yield();
	context_kill_group(g->ctx);
	guest_post(&g->wake);
	guest_await(&g->ended);
	assert_true(g->died);
	assert_int_equal(g->host_status, SIGKILL);
	free(g);
}

GUEST_PROGRAM(call_program, "mov $500, %eax; syscall; mov $1000, %eax; syscall");

static enum context_action on_kick_at_resume(struct guest *g, const struct platform_event *e)
{
	if (e->kind == PLATFORM_EVENT_KICK)
		return CONTEXT_RESUME;
	context_set_return(g->ctx, 5);
	if (g->parent)
		return CONTEXT_RESUME_AND_KICK;
	context_kick(g->ctx);
	return CONTEXT_RESUME;
}

static void test_kick_at_resume(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		struct guest *g = guest_new(on_kick_at_resume);

		g->parent = i ? g : NULL;
		GUEST_START(g, call_program);
		guest_await(&g->ended);
		assert_int_equal(g->events[2].kind, PLATFORM_EVENT_KICK);
		assert_int_equal(g->regs[2].rip, g->regs[1].rip);
		assert_int_equal(g->regs[2].rax, 5);
		free(g);
	}
}

static enum context_action on_killed_inside(struct guest *g, const struct platform_event *e)
{
	uint32_t found;

	context_kill_group(g->ctx);
	g->result = (uint64_t)platform_cmpxchg_u32(g->ctx, guest_addr(GUEST_DATA), 0, 1, &found);
	return CONTEXT_RESUME;
}

static void test_killed_inside(void **state)
{
	struct guest *g = guest_new(on_killed_inside);

	GUEST_START(g, call_program);
	guest_await(&g->ended);
	assert_true(g->died);
	assert_int_equal(g->host_status, SIGKILL);
	assert_int_equal((int)g->result, -ESRCH);
	free(g);
}

/* --- memory -------------------------------------------------------------------------- */

GUEST_PROGRAM(memory_program,
	"mov $500, %eax; syscall;"
	"movl $0x11223344, 0x600008; mov 0x601000, %rdi; mov $1000, %eax; syscall");

#define FILES 0x600000UL
#define READ_WRITE (PROT_READ | PROT_WRITE)

static int file_rw, file_ro;

static int map(struct context *c, uint64_t page, int prot, bool shared, int fd, uint64_t offset)
{
	return platform_map_fd(c, guest_addr(FILES + page * GUEST_PAGE), GUEST_PAGE, prot, shared,
			       fd, offset);
}

static enum context_action on_memory(struct guest *g, const struct platform_event *e)
{
	struct context *c = g->ctx;
	uint32_t found = 0, one = 1;

	if (e->kind != PLATFORM_EVENT_SYSCALL)
		return guest_end(g);
	g->result = 0;
#define EXPECT(value, expected)                                                     \
	do {                                                                        \
		int64_t value_ = (value);                                           \
		if (value_ != (expected))                                           \
			fprintf(stderr, "%s: %ld\n", #value, (long)value_), one = 0; \
	} while (0)
	EXPECT(map(c, 0, READ_WRITE, true, file_rw, 0), 0);
	EXPECT(map(c, 1, PROT_READ, true, file_ro, GUEST_PAGE), 0);
	EXPECT(map(c, 2, READ_WRITE, true, file_ro, 0), -EACCES);
	EXPECT(platform_protect(c, guest_addr(FILES + GUEST_PAGE), GUEST_PAGE, READ_WRITE),
	       -EACCES);
	EXPECT(map(c, 4, READ_WRITE, false, file_ro, 0), 0);
	EXPECT(platform_cmpxchg_u32(c, guest_addr(GUEST_DATA), 0, 7, &found), 0);
	EXPECT(found, 0);
	EXPECT(platform_cmpxchg_u32(c, guest_addr(GUEST_DATA), 0, 8, &found), 0);
	EXPECT(found, 7);
	EXPECT(platform_cmpxchg_u32(c, guest_addr(0x700000), 0, 8, &found), -EFAULT);
	EXPECT(platform_remap(c, guest_addr(GUEST_DATA), GUEST_PAGE, guest_addr(0x700000),
	       GUEST_PAGE), 0);
	EXPECT(address_space_read(g->as, guest_addr(0x700000), &found, 4), 4);
	EXPECT(found, 7);
	EXPECT(address_space_read(g->as, guest_addr(GUEST_DATA), &found, 4), -EFAULT);
	EXPECT(platform_unmap(c, guest_addr(0x700000), GUEST_PAGE), 0);
	EXPECT(address_space_read(g->as, guest_addr(0x700000), &found, 4), -EFAULT);
	EXPECT(platform_advise(c, guest_addr(FILES), GUEST_PAGE, MADV_WILLNEED), 0);
	EXPECT(platform_advise(c, guest_addr(FILES), GUEST_PAGE, MADV_DONTFORK), -EINVAL);
	EXPECT(platform_set_host_name(c, "guest-name\0\0\0\0\0"), 0);
	atomic_store(&g->wake, one);
	context_set_return(c, 0);
	return CONTEXT_RESUME;
}

static int read_only_twin(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static void test_memory(void **state)
{
	struct guest *g = guest_new(on_memory);
	uint64_t mark = 0x123456789abcdef0;
	uint32_t word = 0;

	file_rw = memfd_create("rw", MFD_CLOEXEC);
	assert_int_equal(ftruncate(file_rw, 4 * (off_t)GUEST_PAGE), 0);
	assert_int_equal(pwrite(file_rw, &mark, sizeof(mark), GUEST_PAGE), sizeof(mark));
	file_ro = read_only_twin(file_rw);
	assert_true(file_ro >= 0);
	GUEST_START(g, memory_program);
	guest_await(&g->ended);
	assert_false(g->died);
	assert_int_equal(g->wake, 1);
	assert_int_equal(g->result, mark);
	assert_int_equal(pread(file_rw, &word, sizeof(word), 8), sizeof(word));
	assert_int_equal(word, 0x11223344);
	close(file_ro);
	close(file_rw);
	free(g);
}

/* --- vector state ------------------------------------------------------------------------------
 */

GUEST_PROGRAM(vector_program,
	      "mov $0x55, %eax; movq %rax, %xmm0; mov $500, %eax; syscall; movq %xmm0, %rdi;"
	      "mov $501, %eax; syscall; movq %xmm0, %rdi; mov $1000, %eax; syscall");

#define XMM0_OFFSET 160

static enum context_action on_vector(struct guest *g, const struct platform_event *e)
{
	size_t size = platform_xstate_size();
	char *image = malloc(size);
	uint64_t xmm0 = 0;
	int rc;

	if (e->nr == 501) {
		g->events[GUEST_EVENTS - 1].args[0] = e->args[0];
		rc = context_reset_xstate(g->ctx);
	} else {
		rc = context_read_xstate(g->ctx, image, size);
		memcpy(&xmm0, image + XMM0_OFFSET, sizeof(xmm0));
		if (xmm0 != 0x55 || memcmp(image + 464, "SXPF", 4) ||
		    memcmp(image + size - 4, "EXPF", 4))
			rc = -EPROTO;
		xmm0 = 0x77;
		memcpy(image + XMM0_OFFSET, &xmm0, sizeof(xmm0));
		if (rc == 0)
			rc = context_write_xstate(g->ctx, image, size);
	}
	free(image);
	context_set_return(g->ctx, 0);
	return rc == 0 ? CONTEXT_RESUME : guest_end(g);
}

/* What the host puts into a signal frame of this process. */
static uint32_t host_frame_size;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	const char *fp = (const char *)((ucontext_t *)context)->uc_mcontext.fpregs;

	memcpy(&host_frame_size, fp + 468, sizeof(host_frame_size));
}

static void test_vector(void **state)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	struct guest *g = guest_new(on_vector);

	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
	assert_int_equal(platform_xstate_size(), host_frame_size);
	GUEST_START(g, vector_program);
	guest_await(&g->ended);
	assert_int_equal(g->events[GUEST_EVENTS - 1].args[0], 0x77);
	assert_int_equal(g->result, 0);
	assert_int_equal(atomic_load(&g->count), 4);
	free(g);
}

static int run_group(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_kick),
		cmocka_unit_test(test_kill),
		cmocka_unit_test(test_kick_at_resume),
		cmocka_unit_test(test_killed_inside),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_vector),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return guest_main(run_group);
}

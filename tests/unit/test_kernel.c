/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sentry/kernel on the fake platform: the test plays the guest programs, one thread
 * driving each.  Covers births, deaths, waiting, signals, job control, threads, exec,
 * futexes, timers and numbers.
 */
#include "config.h"

#include "tests/unit/unit.h"

#include <pthread.h>
#include <sched.h>

#include "sentry/abi/futex.h"
#include "sentry/abi/mm.h"
#include "sentry/abi/sched.h"
#include "sentry/abi/signal.h"
#include "sentry/abi/time.h"
#include "sentry/abi/wait.h"
#include "sentry/fs/tmpfs/tmpfs.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/pid_bitmap.h"
#include "sentry/kernel/program.h"
#include "sentry/kernel/restart.h"
#include "sentry/kernel/task_exec.h"
#include "sentry/kernel/timer.h"
#include "sentry/platform/fake/fake_platform.h"
#include "sentry/syscalls/handlers.h"

#define STACK_BASE 0x10000000ULL
#define STACK_SIZE 0x10000ULL
#define STACK_TOP (STACK_BASE + STACK_SIZE)
#define DATA STACK_BASE /* the low end of the stack mapping serves as data */
#define START_RIP 0x400000ULL
#define HANDLER 0x401000ULL
#define RESTORER 0x402000ULL

static struct platform *platform;
static struct kernel *kernel;
static struct mount_namespace *mounts;
static struct fd_table *fds;
static struct file *program_image;

/* --- a loader that maps a stack, and a small dispatcher -------------------------------- */

struct program {
	struct file *file;
};

static int prepare_program(const struct vfs_context *ctx, struct file *file, const char *name,
			struct string_vector *argv, struct string_vector *envv,
			uint64_t stack_limit, struct program **out)
{
	struct program *p = calloc(1, sizeof(*p));

	p->file = file_get(file);
	*out = p;
	return 0;
}

static void release_program(struct program *p)
{
	file_put(p->file);
	free(p);
}

static struct file *image_of_program(struct program *p)
{
	return p->file;
}

static const char *name_of_program(const struct program *p)
{
	return "test-program";
}

static int load_program(struct program *p, struct mm *mm, struct context *ctx,
		     const struct program_identity *identity, uint64_t stack_limit)
{
	int rc = mm_map_fixed(mm, ctx, STACK_BASE, STACK_SIZE, LINUX_PROT_READ | LINUX_PROT_WRITE, 0,
			      NULL, 0, NULL);

	context_regs(ctx)->rip = START_RIP;
	context_regs(ctx)->rsp = STACK_TOP - 64;
	return rc;
}

static const struct {
	uint64_t nr;
	syscall_fn fn;
} calls[] = {
	{ 13, sys_rt_sigaction }, { 14, sys_rt_sigprocmask }, { 15, sys_rt_sigreturn },
	{ 34, sys_pause }, { 35, sys_nanosleep }, { 37, sys_alarm }, { 39, sys_getpid },
	{ 56, sys_clone }, { 57, sys_fork }, { 58, sys_vfork }, { 60, sys_exit }, { 61, sys_wait4 },
	{ 62, sys_kill }, { 109, sys_setpgid }, { 110, sys_getppid }, { 112, sys_setsid },
	{ 121, sys_getpgid }, { 124, sys_getsid }, { 127, sys_rt_sigpending },
	{ 128, sys_rt_sigtimedwait }, { 130, sys_rt_sigsuspend }, { 131, sys_sigaltstack },
	{ 157, sys_prctl }, { 186, sys_gettid }, { 202, sys_futex }, { 231, sys_exit_group },
	{ 234, sys_tgkill }, { 222, sys_timer_create }, { 223, sys_timer_settime },
	{ 225, sys_timer_getoverrun }, { 226, sys_timer_delete }, { 322, NULL },
	{ 273, sys_set_robust_list }, { 117, sys_setresuid }, { 302, sys_prlimit64 },
};

/* Not a Linux call: executes the test program again, as execve would. */
static int64_t exec_again(struct task *t)
{
	struct string_vector none = { 0 }, none2 = { 0 };

	return task_exec(t, program_image, "test", &none, &none2);
}

static int64_t run_call(struct task *t, uint64_t nr, const uint64_t args[6])
{
	struct syscall_args a;

	memcpy(a.v, args, sizeof(a.v));
	if (nr == 59)
		return exec_again(t);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i].nr == nr && calls[i].fn)
			return calls[i].fn(t, &a);
	return -ENOSYS;
}

static const struct kernel_upcalls upcalls = {
	.syscall = run_call,
	.program_prepare = prepare_program,
	.program_free = release_program,
	.program_file = image_of_program,
	.program_comm = name_of_program,
	.program_load = load_program,
};

static const struct file_ops image_ops = { 0 };

static int set_up(void **state)
{
	struct kernel_config config = { .cpus = 2 };
	struct super_block *root;

	assert_int_equal(fake_platform_new(&kernel_context_ops, &platform), 0);
	config.platform = platform;
	assert_int_equal(kernel_new(&config, &kernel), 0);
	kernel_set_upcalls(&upcalls);
	assert_int_equal(vfs_init(), 0);
	assert_int_equal(tmpfs_new(NULL, kernel->root_user_ns, &root), 0);
	assert_int_equal(mount_namespace_new(root, 0, kernel->root_user_ns, &mounts), 0);
	assert_int_equal(fd_table_new(&fds), 0);
	assert_int_equal(file_new_anonymous(&image_ops, "image", 0755, 0, NULL, &program_image), 0);
	return 0;
}

/* --- guests ------------------------------------------------------------------------------- */

static struct context *take_started(void)
{
	struct platform_event started = { .kind = PLATFORM_EVENT_STARTED, .regs_valid = true };
	struct context *ctx = fake_platform_take_started(platform);

	assert_non_null(ctx);
	assert_int_equal(fake_context_event(ctx, &started), CONTEXT_RESUME);
	return ctx;
}

static int exit_status;

static void note_exit(void *arg, int wait_status)
{
	exit_status = wait_status;
}

static struct context *init_ctx;
static struct pid_namespace *init_ns;

/* An init in a pid namespace of its own. */
static struct context *new_init(void)
{
	struct credentials *cred = credentials_new_root(kernel->root_user_ns);
	struct create_process_args args = {
		.file = program_image, .cred = cred, .fds = fds, .mounts = mounts, .cwd = "/",
		.on_exit = note_exit,
	};
	struct thread_group *g;

	for (int i = 0; i < RLIMIT_COUNT; i++)
		args.limits[i] = (struct rlimit64){ UINT64_MAX, UINT64_MAX };
	assert_int_equal(pid_namespace_new(kernel->root_pid_ns, kernel->root_user_ns, 0, &init_ns), 0);
	args.pid_ns = init_ns;
	exit_status = -1;
	assert_int_equal(kernel_create_process(kernel, &args, &g), 0);
	credentials_put(cred);
	kernel_start_process(g);
	thread_group_put(g);
	init_ctx = take_started();
	return init_ctx;
}

#define call(ctx, nr, ...) fake_context_syscall(ctx, nr, (const uint64_t[6]){ __VA_ARGS__ })

static void end_init(void)
{
	assert_int_equal(call(init_ctx, 231, 0), FAKE_EXITED);
	assert_int_equal(exit_status, 0);
	pid_namespace_put(init_ns);
	assert_int_equal(fake_platform_space_count(platform), 0);
	assert_true(list_empty(&kernel->groups));
	assert_int_equal(kernel->root_container->task_count, 0);
}

static void kick(struct context *ctx, enum context_action expected)
{
	struct platform_event event = { .kind = PLATFORM_EVENT_KICK, .regs_valid = true };

	assert_int_equal(fake_context_event(ctx, &event), expected);
}

static void poke(struct context *ctx, uint64_t addr, const void *data, size_t size)
{
	assert_int_equal(address_space_write(context_address_space(ctx), guest_addr(addr), data, size),
			 size);
}

static void peek(struct context *ctx, uint64_t addr, void *data, size_t size)
{
	assert_int_equal(address_space_read(context_address_space(ctx), guest_addr(addr), data, size),
			 size);
}

static uint32_t peek32(struct context *ctx, uint64_t addr)
{
	uint32_t v;

	peek(ctx, addr, &v, sizeof(v));
	return v;
}

static void handle_signal(struct context *ctx, int signo, uint64_t flags, uint64_t handler)
{
	struct linux_sigaction action = { .handler = handler, .flags = flags | LINUX_SA_RESTORER,
					  .restorer = RESTORER };

	poke(ctx, DATA + 512, &action, sizeof(action));
	assert_int_equal(call(ctx, 13, (uint64_t)signo, DATA + 512, 0, 8), 0);
}

/* A call made by another thread; join_call gives its result. */
struct async {
	pthread_t thread;
	struct context *ctx;
	uint64_t nr, args[6];
	int64_t result;
	_Atomic bool done;
};

static void *run_async(void *arg)
{
	struct async *a = arg;

	a->result = fake_context_syscall(a->ctx, a->nr, a->args);
	atomic_store(&a->done, true);
	return NULL;
}

static void start_call(struct async *a, struct context *ctx, uint64_t nr, uint64_t a0, uint64_t a1,
		       uint64_t a2, uint64_t a3)
{
	*a = (struct async){ .ctx = ctx, .nr = nr, .args = { a0, a1, a2, a3 } };
	assert_int_equal(pthread_create(&a->thread, NULL, run_async, a), 0);
}

static int64_t join_call(struct async *a)
{
	pthread_join(a->thread, NULL);
	return a->result;
}

/* Until the task with @tid shows @state. */
static void await_state(int32_t tid, int state)
{
	for (int i = 0; i < 20000; i++) {
		struct task *t = task_lookup(init_ns, tid);
		int now = t ? task_state_char(t) : 0;

		task_put(t);
		if (now == state)
			return;
		usleep(100);
	}
	fail_msg("task %d never got into state %c", tid, state);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void test_birth(void **state)
{
	struct context *init = new_init();

	assert_int_equal(call(init, 39), 1);
	assert_int_equal(call(init, 186), 1);
	assert_int_equal(call(init, 110), 0);
	assert_int_equal(call(init, 121, 0), 1);
	assert_int_equal(call(init, 124, 0), 1);
	assert_int_equal(call(init, 112), -EPERM);
	assert_int_equal(call(init, 9999), -ENOSYS);
	end_init();
}

static void test_fork_wait(void **state)
{
	struct context *init = new_init(), *child;

	assert_int_equal(call(init, 61, (uint64_t)-1), -ECHILD);
	assert_int_equal(call(init, 57), 2);
	child = take_started();
	assert_int_equal(context_regs(child)->rax, 0);
	assert_int_equal(call(child, 39), 2);
	assert_int_equal(call(child, 110), 1);
	assert_int_equal(call(child, 121, 0), 1);
	assert_int_equal(call(init, 61, (uint64_t)-1, DATA, LINUX_WNOHANG), 0);
	assert_int_equal(call(child, 60, 3), FAKE_EXITED);
	assert_int_equal(call(init, 61, (uint64_t)-1, DATA, 0), 2);
	assert_int_equal(peek32(init, DATA), 0x300);
	assert_int_equal(call(init, 61, (uint64_t)-1), -ECHILD);
	end_init();
}

static void test_wait_blocks(void **state)
{
	struct context *init = new_init(), *child;
	struct async wait;

	assert_int_equal(call(init, 57), 2);
	child = take_started();
	start_call(&wait, init, 61, (uint64_t)-1, DATA, 0, 0);
	await_state(1, 'S');
	assert_false(wait.done);
	assert_int_equal(call(child, 231, 7), FAKE_EXITED);
	assert_int_equal(join_call(&wait), 2);
	assert_int_equal(peek32(init, DATA), 0x700);
	end_init();
}

static void test_autoreap(void **state)
{
	struct context *init = new_init(), *child;

	handle_signal(init, LINUX_SIGCHLD, 0, LINUX_SIG_IGN);
	assert_int_equal(call(init, 57), 2);
	child = take_started();
	assert_int_equal(call(child, 60, 0), FAKE_EXITED);
	assert_int_equal(call(init, 61, (uint64_t)-1), -ECHILD);
	end_init();
}

static void test_signal_frame(void **state)
{
	struct context *init = new_init();
	struct guest_regs before, *regs = context_regs(init);
	struct linux_ucontext uc;
	struct linux_siginfo info;
	uint64_t word;

	handle_signal(init, LINUX_SIGUSR1, LINUX_SA_SIGINFO, HANDLER);
	regs->r12 = 0x1234;
	regs->rip = START_RIP + 2;
	before = *regs;
	fake_context_syscall(init, 234, (const uint64_t[6]){ 1, 1, LINUX_SIGUSR1 });
	assert_int_equal(regs->rip, HANDLER);
	assert_int_equal(regs->rdi, LINUX_SIGUSR1);
	assert_int_equal(regs->rsp % 16, 8);
	assert_true(regs->rsp < before.rsp - 128);
	peek(init, regs->rsp, &word, sizeof(word));
	assert_int_equal(word, RESTORER);
	peek(init, regs->rdx, &uc, sizeof(uc));
	assert_int_equal(uc.mcontext.ip, before.rip);
	assert_int_equal(uc.mcontext.sp, before.rsp);
	assert_int_equal(uc.mcontext.ax, 0);
	assert_int_equal(uc.mcontext.r12, 0x1234);
	peek(init, regs->rsi, &info, sizeof(info));
	assert_int_equal(info.signo, LINUX_SIGUSR1);
	assert_int_equal(info.code, LINUX_SI_TKILL);
	assert_int_equal(info.kill.pid, 1);
	/* Blocked while its handler runs. */
	assert_int_equal(call(init, 14, LINUX_SIG_BLOCK, 0, DATA, 8), 0);
	peek(init, DATA, &word, sizeof(word));
	assert_int_equal(word, SIGNAL_BIT(LINUX_SIGUSR1));
	/* The handler returns: `ret` pops the restorer, which calls rt_sigreturn. */
	regs->rsp += 8;
	regs->r12 = 0;
	call(init, 15);
	assert_int_equal(regs->rip, before.rip);
	assert_int_equal(regs->rsp, before.rsp);
	assert_int_equal(regs->r12, 0x1234);
	assert_int_equal(call(init, 14, LINUX_SIG_BLOCK, 0, DATA, 8), 0);
	peek(init, DATA, &word, sizeof(word));
	assert_int_equal(word, 0);
	end_init();
}

/* Found by a kick at a call's instruction: the call goes first, once, and only for handlers. */
static void test_call_before_handler(void **state)
{
	static const uint8_t syscall_instruction[] = { 0x0f, 0x05 };
	const uint64_t at_call = DATA + 1024, elsewhere = DATA + 1040;
	struct context *init = new_init(), *child;
	struct guest_regs *regs;

	poke(init, at_call, syscall_instruction, sizeof(syscall_instruction));
	handle_signal(init, LINUX_SIGUSR1, LINUX_SA_NODEFER, HANDLER);
	assert_int_equal(call(init, 57), 2);
	child = take_started();
	regs = context_regs(child);

	regs->rip = at_call;
	assert_int_equal(call(init, 62, 2, LINUX_SIGUSR1), 0);
	assert_true(fake_context_kicked(child));
	kick(child, CONTEXT_RESUME);
	assert_int_equal(regs->rip, at_call);
	regs->rip = at_call + 2;
	call(child, 110);
	assert_int_equal(regs->rip, HANDLER);

	/* It does not come with the call. */
	regs->rip = at_call;
	assert_int_equal(call(init, 62, 2, LINUX_SIGUSR1), 0);
	kick(child, CONTEXT_RESUME);
	assert_int_equal(regs->rip, at_call);
	kick(child, CONTEXT_RESUME);
	assert_int_equal(regs->rip, HANDLER);

	regs->rip = elsewhere;
	assert_int_equal(call(init, 62, 2, LINUX_SIGUSR1), 0);
	kick(child, CONTEXT_RESUME);
	assert_int_equal(regs->rip, HANDLER);

	regs->rip = at_call;
	assert_int_equal(call(init, 62, 2, LINUX_SIGUSR1), 0);
	assert_int_equal(call(init, 62, 2, LINUX_SIGTERM), 0);
	kick(child, CONTEXT_EXITED);
	assert_int_equal(call(init, 61, 2, DATA, 0, 0), 2);
	assert_int_equal(peek32(init, DATA), LINUX_SIGTERM);
	end_init();
}

static void test_interrupted_call(void **state)
{
	struct context *init = new_init(), *child;
	struct async wait;

	handle_signal(init, LINUX_SIGUSR1, 0, HANDLER);
	assert_int_equal(call(init, 57), 2);
	child = take_started();
	/* pause: never restarted over a handler */
	start_call(&wait, init, 34, 0, 0, 0, 0);
	await_state(1, 'S');
	assert_int_equal(call(child, 62, 1, LINUX_SIGUSR1), 0);
	join_call(&wait);
	assert_int_equal(context_regs(init)->rip, HANDLER);
	context_regs(init)->rsp += 8;
	call(init, 15);
	assert_int_equal((int64_t)context_regs(init)->rax, -EINTR);
	/* wait4 with SA_RESTART: the call's number and address come back */
	handle_signal(init, LINUX_SIGUSR1, LINUX_SA_RESTART, HANDLER);
	context_regs(init)->rip = START_RIP + 2;
	start_call(&wait, init, 61, (uint64_t)-1, DATA, 0, 0);
	await_state(1, 'S');
	assert_int_equal(call(child, 62, 1, LINUX_SIGUSR1), 0);
	join_call(&wait);
	context_regs(init)->rsp += 8;
	call(init, 15);
	assert_int_equal(context_regs(init)->rax, 61);
	assert_int_equal(context_regs(init)->rip, START_RIP);
	/* An ignored signal does not disturb, a stop and continue restarts unseen. */
	start_call(&wait, init, 61, (uint64_t)-1, DATA, 0, 0);
	await_state(1, 'S');
	assert_int_equal(call(child, 62, 1, LINUX_SIGWINCH), 0);
	usleep(2000);
	assert_false(wait.done);
	assert_int_equal(call(child, 60, 0), FAKE_EXITED);
	assert_int_equal(join_call(&wait), 2);
	end_init();
}

static void test_kill(void **state)
{
	struct context *init = new_init(), *child;

	assert_int_equal(call(init, 57), 2);
	child = take_started();
	assert_int_equal(call(init, 62, 2, 0), 0);
	assert_int_equal(call(init, 62, 3, 0), -ESRCH);
	assert_int_equal(call(init, 62, 2, 65), -EINVAL);
	assert_int_equal(call(init, 62, 2, LINUX_SIGKILL), 0);
	assert_true(fake_context_kicked(child));
	kick(child, CONTEXT_EXITED);
	assert_int_equal(call(init, 61, 2, DATA, 0), 2);
	assert_int_equal(peek32(init, DATA), LINUX_SIGKILL);
	/* An init does not die of what it has no handler for. */
	assert_int_equal(call(init, 62, 1, LINUX_SIGTERM), 0);
	assert_int_equal(call(init, 62, 1, LINUX_SIGKILL), 0);
	assert_int_equal(call(init, 39), 1);
	end_init();
}

static void test_stop_continue(void **state)
{
	struct context *init = new_init(), *child;
	struct async stopped;

	assert_int_equal(call(init, 57), 2);
	child = take_started();
	assert_int_equal(call(child, 109, 0, 0), 0);
	/* The child stops itself in a call. */
	start_call(&stopped, child, 62, 2, LINUX_SIGSTOP, 0, 0);
	assert_int_equal(call(init, 61, 2, DATA, LINUX_WUNTRACED), 2);
	assert_int_equal(peek32(init, DATA), LINUX_SIGSTOP << 8 | 0x7f);
	await_state(2, 'T');
	assert_int_equal(call(init, 61, 2, DATA, LINUX_WUNTRACED | LINUX_WNOHANG), 0);
	assert_int_equal(call(init, 62, 2, LINUX_SIGCONT), 0);
	assert_int_equal(join_call(&stopped), 0);
	assert_int_equal(call(init, 61, 2, DATA, LINUX_WCONTINUED), 2);
	assert_int_equal(peek32(init, DATA), 0xffff);
	/* SIGKILL ends a stopped process. */
	start_call(&stopped, child, 62, 2, LINUX_SIGSTOP, 0, 0);
	await_state(2, 'T');
	assert_int_equal(call(init, 62, 2, LINUX_SIGKILL), 0);
	assert_int_equal(join_call(&stopped), FAKE_EXITED);
	assert_int_equal(call(init, 61, 2, DATA, 0), 2);
	assert_int_equal(peek32(init, DATA), LINUX_SIGKILL);
	end_init();
}

static void test_reparent(void **state)
{
	struct context *init = new_init(), *child, *grandchild;

	assert_int_equal(call(init, 57), 2);
	child = take_started();
	assert_int_equal(call(child, 57), 3);
	grandchild = take_started();
	assert_int_equal(call(grandchild, 110), 2);
	assert_int_equal(call(child, 60, 0), FAKE_EXITED);
	assert_int_equal(call(grandchild, 110), 1);
	assert_int_equal(call(grandchild, 60, 0), FAKE_EXITED);
	assert_int_equal(call(init, 61, 3, DATA, 0), 3);
	assert_int_equal(call(init, 61, 2, DATA, 0), 2);
	end_init();
}

static void test_init_takes_all(void **state)
{
	struct context *init = new_init(), *child, *grandchild;
	struct async leave;

	assert_int_equal(call(init, 57), 2);
	child = take_started();
	assert_int_equal(call(child, 57), 3);
	grandchild = take_started();
	start_call(&leave, init, 231, 0, 0, 0, 0);
	while (!fake_context_kicked(child) || !fake_context_kicked(grandchild))
		usleep(100);
	kick(child, CONTEXT_EXITED);
	assert_false(leave.done);
	kick(grandchild, CONTEXT_EXITED);
	assert_int_equal(join_call(&leave), FAKE_EXITED);
	assert_int_equal(exit_status, 0);
	pid_namespace_put(init_ns);
	assert_true(list_empty(&kernel->groups));
	assert_int_equal(fake_platform_space_count(platform), 0);
}

#define THREAD_FLAGS                                                                          \
	(LINUX_CLONE_VM | LINUX_CLONE_FS | LINUX_CLONE_FILES | LINUX_CLONE_SIGHAND |          \
	 LINUX_CLONE_THREAD | LINUX_CLONE_SYSVSEM | LINUX_CLONE_SETTLS |                      \
	 LINUX_CLONE_PARENT_SETTID | LINUX_CLONE_CHILD_CLEARTID)

static struct context *new_thread(struct context *ctx, int32_t expected)
{
	uint64_t tid_word = DATA + 1024 + (uint64_t)expected * 4;

	assert_int_equal(call(ctx, 56, THREAD_FLAGS, STACK_TOP - 4096, tid_word, tid_word, 0x7777),
			 expected);
	assert_int_equal(peek32(ctx, tid_word), expected);
	return take_started();
}

static void test_threads(void **state)
{
	struct context *init = new_init(), *child, *thread;
	struct async wait;

	assert_int_equal(call(init, 56, LINUX_CLONE_THREAD), -EINVAL);
	assert_int_equal(call(init, 57), 2);
	child = take_started();
	thread = new_thread(child, 3);
	assert_int_equal(context_regs(thread)->rsp, STACK_TOP - 4096);
	assert_int_equal(context_regs(thread)->fs_base, 0x7777);
	assert_int_equal(call(thread, 39), 2);
	assert_int_equal(call(thread, 186), 3);
	/* pthread_join: the tid word is cleared and woken. */
	start_call(&wait, child, 202, DATA + 1024 + 12, LINUX_FUTEX_WAIT, 3, 0);
	await_state(2, 'S');
	assert_int_equal(call(thread, 60, 0), FAKE_EXITED);
	assert_int_equal(join_call(&wait), 0);
	assert_int_equal(peek32(child, DATA + 1024 + 12), 0);
	/* The leader leaves first: a zombie until the last thread goes. */
	thread = new_thread(child, 4);
	assert_int_equal(call(child, 60, 1), FAKE_EXITED);
	await_state(2, 'Z');
	assert_int_equal(call(init, 61, (uint64_t)-1, DATA, LINUX_WNOHANG), 0);
	assert_int_equal(call(thread, 60, 2), FAKE_EXITED);
	assert_int_equal(call(init, 61, (uint64_t)-1, DATA, 0), 2);
	assert_int_equal(peek32(init, DATA), 0x100);
	end_init();
}

static void test_exit_group(void **state)
{
	struct context *init = new_init(), *child, *thread;
	struct async sleep;

	assert_int_equal(call(init, 57), 2);
	child = take_started();
	thread = new_thread(child, 3);
	start_call(&sleep, thread, 34, 0, 0, 0, 0);
	await_state(3, 'S');
	assert_int_equal(call(child, 231, 5), FAKE_EXITED);
	assert_int_equal(join_call(&sleep), FAKE_EXITED);
	assert_int_equal(call(init, 61, 2, DATA, 0), 2);
	assert_int_equal(peek32(init, DATA), 0x500);
	end_init();
}

static void test_exec_from_thread(void **state)
{
	struct context *init = new_init(), *child, *thread;
	struct async sleep;

	assert_int_equal(call(init, 57), 2);
	child = take_started();
	handle_signal(child, LINUX_SIGUSR1, 0, HANDLER);
	thread = new_thread(child, 3);
	start_call(&sleep, child, 34, 0, 0, 0, 0);
	await_state(2, 'S');
	call(thread, 59);
	assert_int_equal(join_call(&sleep), FAKE_EXITED);
	/* It is the leader now. */
	assert_int_equal(call(thread, 39), 2);
	assert_int_equal(call(thread, 186), 2);
	assert_int_equal(context_regs(thread)->rip, START_RIP);
	/* The handler is gone: the signal kills. */
	assert_int_equal(call(thread, 62, 2, LINUX_SIGUSR1), FAKE_EXITED);
	assert_int_equal(call(init, 61, 2, DATA, 0), 2);
	assert_int_equal(peek32(init, DATA), LINUX_SIGUSR1);
	end_init();
}

static void test_vfork(void **state)
{
	struct context *init = new_init(), *child;
	struct async vfork_call;

	start_call(&vfork_call, init, 58, 0, 0, 0, 0);
	await_state(1, 'D');
	child = take_started();
	usleep(1000);
	assert_false(vfork_call.done);
	call(child, 59);
	assert_int_equal(join_call(&vfork_call), 2);
	assert_int_equal(call(child, 60, 0), FAKE_EXITED);
	assert_int_equal(call(init, 61, 2, DATA, 0), 2);
	end_init();
}

static void test_futex(void **state)
{
	struct context *init = new_init(), *child, *thread;
	struct async wait, wait2;
	struct linux_timespec ts = { 0, 2000000 };
	uint32_t one = 1;

	assert_int_equal(call(init, 57), 2);
	child = take_started();
	thread = new_thread(child, 3);
	poke(child, DATA, &one, sizeof(one));
	poke(child, DATA + 64, &ts, sizeof(ts));
	assert_int_equal(call(child, 202, DATA, LINUX_FUTEX_WAIT, 2, 0), -EAGAIN);
	assert_int_equal(call(child, 202, DATA + 1, LINUX_FUTEX_WAIT, 2, 0), -EINVAL);
	assert_int_equal(call(child, 202, 8, LINUX_FUTEX_WAIT, 2, 0), -EFAULT);
	assert_int_equal(call(child, 202, DATA, LINUX_FUTEX_WAIT, 1, DATA + 64), -ETIMEDOUT);
	assert_int_equal(call(child, 202, DATA, LINUX_FUTEX_WAKE, 1), 0);
	start_call(&wait, thread, 202, DATA, LINUX_FUTEX_WAIT | LINUX_FUTEX_PRIVATE_FLAG, 1, 0);
	await_state(3, 'S');
	assert_int_equal(call(child, 202, DATA, LINUX_FUTEX_WAKE | LINUX_FUTEX_PRIVATE_FLAG, 1), 1);
	assert_int_equal(join_call(&wait), 0);
	/* Requeue: moved to the other word, woken there. */
	start_call(&wait2, thread, 202, DATA, LINUX_FUTEX_WAIT, 1, 0);
	await_state(3, 'S');
	assert_int_equal(call(child, 202, DATA, LINUX_FUTEX_CMP_REQUEUE, 0, 1, DATA + 128, 9), -EAGAIN);
	assert_int_equal(call(child, 202, DATA, LINUX_FUTEX_CMP_REQUEUE, 0, 1, DATA + 128, 1), 1);
	assert_int_equal(call(child, 202, DATA, LINUX_FUTEX_WAKE, 1), 0);
	assert_int_equal(call(child, 202, DATA + 128, LINUX_FUTEX_WAKE, 1), 1);
	assert_int_equal(join_call(&wait2), 0);
	assert_int_equal(call(child, 231, 0), FAKE_EXITED);
	kick(thread, CONTEXT_EXITED);
	assert_int_equal(call(init, 61, 2, DATA, 0), 2);
	end_init();
}

static void test_robust_list(void **state)
{
	struct context *init = new_init(), *child, *thread;
	/* A list of one lock, whose word is 16 bytes after its entry. */
	struct linux_robust_list_head head = { .next = DATA + 256, .futex_offset = 16 };
	uint64_t back = DATA + 200;
	uint32_t word = 3 | LINUX_FUTEX_WAITERS;

	assert_int_equal(call(init, 57), 2);
	child = take_started();
	thread = new_thread(child, 3);
	poke(child, DATA + 200, &head, sizeof(head));
	poke(child, DATA + 256, &back, sizeof(back));
	poke(child, DATA + 272, &word, sizeof(word));
	assert_int_equal(call(thread, 273, DATA + 200, 23), -EINVAL);
	assert_int_equal(call(thread, 273, DATA + 200, 24), 0);
	assert_int_equal(call(thread, 60, 0), FAKE_EXITED);
	assert_int_equal(peek32(child, DATA + 272), LINUX_FUTEX_WAITERS | LINUX_FUTEX_OWNER_DIED);
	assert_int_equal(call(child, 231, 0), FAKE_EXITED);
	assert_int_equal(call(init, 61, 2, DATA, 0), 2);
	end_init();
}

static void test_sigtimedwait(void **state)
{
	struct context *init = new_init(), *child;
	uint64_t set = SIGNAL_BIT(LINUX_SIGTERM);
	struct linux_timespec soon = { 0, 1000000 };
	struct async wait;

	assert_int_equal(call(init, 57), 2);
	child = take_started();
	poke(child, DATA, &set, sizeof(set));
	poke(child, DATA + 16, &soon, sizeof(soon));
	assert_int_equal(call(child, 14, LINUX_SIG_BLOCK, DATA, 0, 8), 0);
	assert_int_equal(call(child, 128, DATA, 0, DATA + 16, 8), -EAGAIN);
	start_call(&wait, child, 128, DATA, DATA + 32, 0, 8);
	await_state(2, 'S');
	/* Default action is death, but it is waited for. */
	assert_int_equal(call(init, 62, 2, LINUX_SIGTERM), 0);
	assert_int_equal(join_call(&wait), LINUX_SIGTERM);
	assert_int_equal(peek32(child, DATA + 32), LINUX_SIGTERM);
	assert_int_equal(call(child, 60, 0), FAKE_EXITED);
	assert_int_equal(call(init, 61, 2, DATA, 0), 2);
	end_init();
}

static void test_alarm(void **state)
{
	struct context *init = new_init(), *child;
	struct linux_sigevent event = { .notify = LINUX_SIGEV_SIGNAL, .signo = LINUX_SIGUSR2 };
	struct linux_itimerspec spec = { .value = { 0, 1000000 }, .interval = { 0, 1000000 } };
	uint64_t set = SIGNAL_BIT(LINUX_SIGUSR2);
	struct linux_siginfo info;

	assert_int_equal(call(init, 57), 2);
	child = take_started();
	poke(child, DATA, &event, sizeof(event));
	poke(child, DATA + 128, &spec, sizeof(spec));
	poke(child, DATA + 192, &set, sizeof(set));
	assert_int_equal(call(child, 14, LINUX_SIG_BLOCK, DATA + 192, 0, 8), 0);
	assert_int_equal(call(child, 222, LINUX_CLOCK_MONOTONIC, DATA, DATA + 64), 0);
	assert_int_equal(call(child, 223, peek32(child, DATA + 64), 0, DATA + 128, 0), 0);
	/* Several periods later it is one signal with an overrun. */
	usleep(20000);
	assert_int_equal(call(child, 128, DATA + 192, DATA + 256, 0, 8), LINUX_SIGUSR2);
	peek(child, DATA + 256, &info, sizeof(info));
	assert_int_equal(info.code, LINUX_SI_TIMER);
	assert_true(info.timer.overrun >= 1);
	assert_int_equal(call(child, 225, peek32(child, DATA + 64)), info.timer.overrun);
	/* It goes on. */
	assert_int_equal(call(child, 128, DATA + 192, 0, 0, 8), LINUX_SIGUSR2);
	assert_int_equal(call(child, 226, peek32(child, DATA + 64)), 0);
	assert_int_equal(call(child, 226, peek32(child, DATA + 64)), -EINVAL);
	/* alarm: what is left comes back. */
	assert_int_equal(call(child, 37, 100), 0);
	assert_in_range(call(child, 37, 0), 90, 100);
	assert_int_equal(call(child, 231, 0), FAKE_EXITED);
	assert_int_equal(call(init, 61, 2, DATA, 0), 2);
	end_init();
}

static void test_pids_limit(void **state)
{
	struct context *init = new_init(), *child;

	atomic_store(&kernel->root_container->pids_limit, 2);
	assert_int_equal(call(init, 57), 2);
	assert_int_equal(call(init, 57), -EAGAIN);
	atomic_store(&kernel->root_container->pids_limit, 0);
	child = take_started();
	assert_int_equal(call(child, 60, 0), FAKE_EXITED);
	assert_int_equal(call(init, 61, 2, DATA, 0), 2);
	/* The number is not used again at once. */
	assert_int_equal(call(init, 57), 3);
	child = take_started();
	assert_int_equal(call(child, 60, 0), FAKE_EXITED);
	assert_int_equal(call(init, 61, 3, DATA, 0), 3);
	end_init();
}

static void test_died(void **state)
{
	struct platform_event died = { .kind = PLATFORM_EVENT_DIED, .host_status = 9 };
	struct context *init = new_init(), *child;

	assert_int_equal(call(init, 57), 2);
	child = take_started();
	assert_int_equal(fake_context_event(child, &died), CONTEXT_EXITED);
	assert_int_equal(call(init, 61, 2, DATA, 0), 2);
	assert_int_equal(peek32(init, DATA), 9);
	end_init();
}

static void test_fault(void **state)
{
	struct platform_event fault = { .kind = PLATFORM_EVENT_FAULT, .regs_valid = true,
					.signo = LINUX_SIGSEGV, .code = LINUX_SEGV_MAPERR,
					.fault_addr = 0xdead000, .trapno = 14, .error_code = 4 };
	struct context *init = new_init(), *child;
	struct linux_siginfo info;

	assert_int_equal(call(init, 57), 2);
	child = take_started();
	handle_signal(child, LINUX_SIGSEGV, LINUX_SA_SIGINFO, HANDLER);
	assert_int_equal(fake_context_event(child, &fault), CONTEXT_RESUME);
	assert_int_equal(context_regs(child)->rip, HANDLER);
	peek(child, context_regs(child)->rsi, &info, sizeof(info));
	assert_int_equal(info.fault.addr, 0xdead000);
	/* A second one, while it is blocked, is death. */
	assert_int_equal(fake_context_event(child, &fault), CONTEXT_EXITED);
	assert_int_equal(call(init, 61, 2, DATA, 0), 2);
	assert_int_equal(peek32(init, DATA), LINUX_SIGSEGV);
	end_init();
}

static void test_bitmap(void **state)
{
	static struct pid_bitmap b;

	pid_bitmap_init(&b, 400);
	for (int i = 1; i < 400; i++)
		assert_int_equal(pid_bitmap_alloc(&b), i);
	assert_int_equal(pid_bitmap_alloc(&b), -EAGAIN);
	pid_bitmap_free(&b, 5);
	/* Low numbers are kept back after the first round. */
	assert_int_equal(pid_bitmap_alloc(&b), -EAGAIN);
	pid_bitmap_free(&b, 350);
	pid_bitmap_free(&b, 310);
	assert_int_equal(pid_bitmap_alloc(&b), 310);
	assert_int_equal(pid_bitmap_alloc(&b), 350);
	assert_int_equal(pid_bitmap_take(&b, 5), 0);
	assert_int_equal(pid_bitmap_take(&b, 5), -EEXIST);
	assert_int_equal(pid_bitmap_next(&b, 399), 399);
	assert_int_equal(pid_bitmap_next(&b, 400), 0);
	pid_bitmap_free(&b, 7);
	assert_int_equal(pid_bitmap_next(&b, 7), 8);
	pid_bitmap_destroy(&b);
	pid_bitmap_init(&b, PID_MAX_LIMIT);
	for (int i = 1; i < 70000; i++)
		assert_int_equal(pid_bitmap_alloc(&b), i);
	for (int i = 1; i < 70000; i++)
		pid_bitmap_free(&b, i);
	assert_null(b.pages[0]);
	assert_int_equal(pid_bitmap_next(&b, 1), 0);
	pid_bitmap_destroy(&b);
}

static _Atomic int fired[3];

static void fire(struct ktimer *timer, void *arg)
{
	atomic_fetch_add((_Atomic int *)arg, 1);
}

static void test_timer(void **state)
{
	uint64_t now = clock_now(LINUX_CLOCK_MONOTONIC);
	struct ktimer t[3];

	for (int i = 0; i < 3; i++)
		timer_init(&t[i], fire, &fired[i]);
	assert_int_equal(timer_arm(&t[0], LINUX_CLOCK_MONOTONIC, now + 3000000), 0);
	assert_int_equal(timer_arm(&t[1], LINUX_CLOCK_REALTIME,
				   clock_now(LINUX_CLOCK_REALTIME) + 1000000), 0);
	assert_int_equal(timer_arm(&t[2], LINUX_CLOCK_MONOTONIC, now + 3600 * NSEC_PER_SEC), 0);
	for (int i = 0; i < 200000 && !(fired[0] && fired[1]); i++)
		usleep(100);
	assert_int_equal(fired[0], 1);
	assert_int_equal(fired[1], 1);
	assert_int_equal(fired[2], 0);
	assert_true(timer_cancel_sync(&t[2]));
	assert_false(timer_cancel_sync(&t[0]));
	assert_int_equal(timer_arm(&t[2], LINUX_CLOCK_BOOTTIME, 1), 0);
	for (int i = 0; i < 200000 && !fired[2]; i++)
		usleep(100);
	timer_cancel_sync(&t[2]);
	assert_int_equal(fired[2], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bitmap),
		cmocka_unit_test(test_timer),
		cmocka_unit_test(test_birth),
		cmocka_unit_test(test_fork_wait),
		cmocka_unit_test(test_wait_blocks),
		cmocka_unit_test(test_autoreap),
		cmocka_unit_test(test_signal_frame),
		cmocka_unit_test(test_call_before_handler),
		cmocka_unit_test(test_interrupted_call),
		cmocka_unit_test(test_kill),
		cmocka_unit_test(test_stop_continue),
		cmocka_unit_test(test_reparent),
		cmocka_unit_test(test_init_takes_all),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_exit_group),
		cmocka_unit_test(test_exec_from_thread),
		cmocka_unit_test(test_vfork),
		cmocka_unit_test(test_futex),
		cmocka_unit_test(test_robust_list),
		cmocka_unit_test(test_sigtimedwait),
		cmocka_unit_test(test_alarm),
		cmocka_unit_test(test_pids_limit),
		cmocka_unit_test(test_died),
		cmocka_unit_test(test_fault),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}

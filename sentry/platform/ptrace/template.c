/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The template of all stubs: executed once, clean, before the sentry is confined,
 * and set up by host calls that it makes under ptrace.  It parks untraced; whoever
 * needs a pristine stub seizes it, has it clone itself, and lets go again.
 */
#include "sentry/platform/ptrace/context.h"

#include <elf.h>
#include <errno.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sentry/host/host_process.h"
#include "sentry/host/host_ptrace.h"
#include "sentry/platform/clean_exec.h"
#include "sentry/platform/ptrace/filter.h"
#include "sentry/platform/ptrace/stub.h"
#include "sentry/platform/vdso_symbols.h"
#include "util/checked.h"
#include "util/log.h"

#define STUB_NAME "moat-stub"
#define START_OPTIONS (PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD)
#define SA_RESTORER 0x04000000
#define STACK_WORDS 256 /* more than what execve put on the empty environment's stack */

void ptrace_vdso_table(struct platform *base, struct platform_vdso_table *out)
{
	vdso_symbols_at(ptrace_platform(base)->vdso_base, out);
}

/* --- start ------------------------------------------------------------------------ */

/* argc, argv, NULL, envp, NULL, auxv: from the stack that execve made. */
static int read_auxv(struct ptrace_platform *p, uint64_t sp)
{
	uint64_t words[STACK_WORDS];
	size_t count, i;
	ssize_t n = host_process_read(p->template.tid, sp, words, sizeof(words));

	if (n < 0)
		return (int)n;
	count = (size_t)n / sizeof(words[0]);
	if (count < 2 || words[0] > count)
		return -EPROTO;
	for (i = 1 + words[0] + 1; i < count && words[i]; i++)
		;
	for (i++; i + 1 < count && words[i] != AT_NULL; i += 2)
		if (words[i] == AT_SYSINFO_EHDR)
			p->vdso_base = words[i + 1];
	return 0;
}

static int start_call(struct tracee *t, const struct host_call *call, uint64_t expected)
{
	const struct guest_regs none = { 0 };
	int64_t result;
	int rc = tracee_call(t, &none, call, &result);

	if (rc < 0)
		return rc;
	if ((uint64_t)result == expected)
		return 0;
	return result < 0 ? (int)result : -EPROTO;
}

/* struct kernel_sigaction, for rt_sigaction(2) */
struct signal_action {
	uint64_t handler, flags, restorer, mask;
};

/* Nothing but our own breakpoint ever runs in a handler, see event.c. */
static int install_handlers(struct tracee *t)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
	const uint64_t handler = stub_entry_address(STUB_HANDLER);
	const struct signal_action action = { .handler = handler,
					      .flags = SA_SIGINFO | SA_NODEFER | SA_RESTORER,
					      .restorer = handler };
	int rc = 0;

	if (host_process_write(t->tid, STUB_SCRATCH, &action, sizeof(action)) != sizeof(action))
		return -EFAULT;
	for (unsigned i = 0; i < ARRAY_SIZE(signals) && rc == 0; i++) {
		struct host_call call = { __NR_rt_sigaction,
					  { (uint64_t)signals[i], STUB_SCRATCH, 0, 8 } };

		rc = start_call(t, &call, 0);
	}
	return rc;
}

/* What the filter's installation reads in the template. */
struct filter_image {
	struct sock_fprog program;
	struct ptrace_filter filter;
};

static int install_filter(struct tracee *t)
{
	const struct host_call no_new_privs = { __NR_prctl, { PR_SET_NO_NEW_PRIVS, 1 } };
	const struct host_call install = { __NR_seccomp,
					   { SECCOMP_SET_MODE_FILTER, 0, STUB_SCRATCH } };
	struct filter_image image = { 0 };
	int rc;

	ptrace_filter_build(&image.filter);
	image.program.len = (unsigned short)image.filter.count;
	image.program.filter = (struct sock_filter *)(STUB_SCRATCH +
						      offsetof(struct filter_image, filter.insns));
	if (host_process_write(t->tid, STUB_SCRATCH, &image, sizeof(image)) != sizeof(image))
		return -EFAULT;
	rc = start_call(t, &no_new_privs, 0);
	if (rc == 0)
		rc = start_call(t, &install, 0);
	memset(&image, 0, sizeof(image));
	if (rc == 0 &&
	    host_process_write(t->tid, STUB_SCRATCH, &image, sizeof(image)) != sizeof(image))
		rc = -EFAULT;
	return rc;
}

static int set_up(struct ptrace_platform *p)
{
	const struct host_call scratch = {
		__NR_mmap,
		{ STUB_SCRATCH, STUB_SCRATCH_SIZE, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, UINT64_MAX, 0 }
	};
	struct tracee *t = &p->template;
	struct guest_regs regs;
	int stop, rc = tracee_wait(t, &stop);

	if (rc < 0)
		return rc;
	if (stop != SIGTRAP)
		return -EPROTO;
	rc = tracee_request(t, PTRACE_SETOPTIONS, 0, (void *)(uintptr_t)START_OPTIONS);
	if (rc == 0)
		rc = tracee_request(t, PTRACE_GETREGS, 0, &regs);
	if (rc == 0)
		rc = read_auxv(p, regs.rsp);
	if (rc == 0)
		rc = ptrace_xstate_init(p, t);
	if (rc == 0)
		rc = start_call(t, &scratch, STUB_SCRATCH);
	if (rc == 0)
		rc = install_handlers(t);
	if (rc == 0)
		rc = install_filter(t);
	if (rc == 0)
		tracee_park(t);
	return rc < 0 ? rc : t->dead ? -ESRCH : 0;
}

static int execute(struct ptrace_platform *p, int image)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (host_ptrace(PTRACE_TRACEME, 0, 0, 0) < 0)
			_exit(EXIT_FAILURE);
		clean_exec(image, p->receive_socket, STUB_NAME);
	}
	if (pid < 0)
		return -errno;
	p->template = (struct tracee){ .tid = pid, .leader = true, .attached = true };
	return 0;
}

int ptrace_template_start(struct ptrace_platform *p)
{
	int sockets[2], image, rc;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		return -errno;
	p->donate_socket = sockets[0];
	p->receive_socket = sockets[1];
	image = clean_exec_memfd(STUB_NAME);
	if (image < 0)
		return image;
	rc = stub_write_image(image);
	if (rc == 0)
		rc = execute(p, image);
	close(image);
	if (rc < 0)
		return rc;
	rc = set_up(p);
	if (rc < 0)
		host_process_kill(p->template.tid);
	return rc;
}

/* --- pristine stubs ------------------------------------------------------------------- */

static int clone_template(struct ptrace_platform *p, struct tracee *t, pid_t *child)
{
	const struct guest_regs none = { 0 };
	int rc;

	mutex_lock(&p->lock);
	rc = tracee_attach(t);
	if (rc == 0)
		rc = tracee_clone(t, &none, CLONE_PARENT, child);
	tracee_park(t);
	mutex_unlock(&p->lock);
	return rc == -ESRCH ? -EAGAIN : rc;
}

int ptrace_family_new(struct platform *base, struct stub_family **out)
{
	struct ptrace_family *f = calloc(1, sizeof(*f));
	int rc = f ? ptrace_address_space_new(base, NULL, &f->base.template) : -ENOMEM;

	if (rc < 0) {
		free(f);
		return rc;
	}
	f->base.ops = &ptrace_ops;
	f->tracee = (struct tracee){ .tid = ptrace_as_host_pid(f->base.template), .leader = true };
	*out = &f->base;
	return 0;
}

void ptrace_family_free(struct stub_family *base)
{
	struct ptrace_family *f = container_of(base, struct ptrace_family, base);

	address_space_put(f->base.template);
	free(f);
}

int ptrace_address_space_new(struct platform *base, struct stub_family *family,
			     struct address_space **out)
{
	struct ptrace_platform *p = ptrace_platform(base);
	struct tracee *template =
		family ? &container_of(family, struct ptrace_family, base)->tracee : &p->template;
	struct ptrace_address_space *as = ptrace_as_alloc();
	struct ptrace_process *process = ptrace_process_alloc();
	int rc = as && process ? clone_template(p, template, &process->pid) : -ENOMEM;

	if (rc < 0) {
		free(process);
		if (as)
			ptrace_as_free(as);
		return rc;
	}
	ptrace_process_add(as, process);
	*out = &as->base;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The platform: where guest code runs and how it comes back to the sentry.
 *
 *   struct address_space  one guest mm = one host mm of stub processes
 *   struct context        one guest thread = one host thread in a stub
 *
 * The platform owns a pool of threads.  When guest code needs the sentry the
 * platform calls context_client.handle() on a pool thread; the context stays
 * stopped until handle() returns.  A thread belongs to a context only for the
 * duration of that call; it may sleep inside (sentry/wait), and the pool then
 * puts another thread to work.
 *
 * Operations that take the calling `struct context *` (map, unmap, clone ...)
 * are executed by that context's own stub thread: the context must be stopped
 * in handle(), must be the calling thread's, and no lock may be held.  They may
 * be used after platform_need_registers() succeeded or for events that carry
 * registers (`regs_valid`).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sentry/abi/guest_addr.h"
#include "sentry/host/host_procfs.h" /* struct host_usage */
#include "util/compiler.h"

/* x86-64 general registers in the order of Linux's struct user_regs_struct. */
struct guest_regs {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8;
	uint64_t rax, rcx, rdx, rsi, rdi, orig_rax;
	uint64_t rip, cs, eflags, rsp, ss;
	uint64_t fs_base, gs_base;
	uint64_t ds, es, fs, gs;
};

enum platform_event_kind {
	PLATFORM_EVENT_SYSCALL, /* nr, args, rip (already after the instruction) */
	PLATFORM_EVENT_FAULT,	/* a synchronous exception: signo, code, addr, ... */
	PLATFORM_EVENT_KICK,	/* interrupted by context_kick, or spurious */
	PLATFORM_EVENT_STARTED, /* first event of a context from context_start */
	PLATFORM_EVENT_DIED,	/* the host process is gone (host_status); the context
				   cannot run again; handle() releases the task */
};

struct platform_event {
	enum platform_event_kind kind;
	bool regs_valid; /* context_regs() holds the guest's registers now */
	/* SYSCALL */
	uint32_t arch;	 /* LINUX_AUDIT_ARCH_X86_64, or _I386 for int 0x80 */
	uint64_t nr;
	uint64_t args[6];
	uint64_t rip;
	/* FAULT: what Linux would put in siginfo and sigcontext */
	int signo;
	int code;
	uint64_t fault_addr;
	uint64_t trapno, error_code;
	/* DIED: as wait4(2) reports the host process */
	int host_status;
};

enum context_action {
	CONTEXT_RESUME,		 /* run guest code (registers or syscall result as set) */
	CONTEXT_RESUME_AND_KICK, /* as RESUME, but come back with KICK before any guest instruction
				    runs: used to get registers at the end of a system call */
	CONTEXT_EXITED,		 /* handle() destroyed the context; do not touch it */
	CONTEXT_SHELVE,		 /* stays stopped, without a thread, until context_unshelve();
				    only where context_can_shelve() */
};

struct platform;
struct stub_family;
struct address_space;
struct context;

struct context_client_ops {
	/* On a pool thread.  @owner is the pointer given at creation (a struct task). */
	enum context_action (*handle)(void *owner, struct context *ctx,
				      const struct platform_event *event);
	/*
	 * After CONTEXT_SHELVE: from now on context_unshelve() may come, which has the same event handled
	 * again.  False: it is to be handled again at once.
	 */
	bool (*shelve)(void *owner);
};

/* The limits of guest addresses; the stub lives above the top. */
guest_addr_t platform_address_min(void);
guest_addr_t platform_address_max(void); /* exclusive */

/* --- address spaces ------------------------------------------------------ */

/*
 * A family of stubs: those forked of a template of its own, and what they fork.  What the host makes a
 * child inherit, its cgroups above all, they have of that template; so a container has a family.
 * -EOPNOTSUPP: the platform has no host processes.
 */
int stub_family_new(struct platform *p, struct stub_family **out) MUST_CHECK;
/* Its template is where it belongs: from now on stubs may be made before they are needed.  NULL is a no-op. */
void stub_family_settled(struct stub_family *family);
/* No more stubs are made of it; those there are live on.  May sleep; holds no lock.  NULL is a no-op. */
void stub_family_free(struct stub_family *family);
/* The template, in the sentry's pid namespace. */
pid_t stub_family_host_pid(const struct stub_family *family);

/*
 * A pristine stub: nothing mapped below platform_address_max().  @family: NULL for the platform's
 * first one.
 */
int address_space_new(struct platform *p, struct stub_family *family,
		      struct address_space **out) MUST_CHECK;
void address_space_get(struct address_space *as);
/* The last put kills and reaps the host process.  May sleep; holds no lock. */
void address_space_put(struct address_space *as);

/*
 * Remote access to guest memory; no stub cooperation, safe at any time while a
 * reference is held.  Returns bytes moved (may be short) or -EFAULT.  No lock may
 * be held.  -EFAULT when the host process is dead.
 */
ssize_t address_space_read(struct address_space *as, guest_addr_t addr, void *buf, size_t size)
	MUST_CHECK;
ssize_t address_space_write(struct address_space *as, guest_addr_t addr, const void *buf,
			    size_t size) MUST_CHECK;

/* The host process that stands for the address space, in the sentry's pid namespace. */
pid_t address_space_host_pid(const struct address_space *as);

/*
 * What the host's ps shows of that process: the arguments, each NUL-terminated, cut where there is no
 * room.  Before the address space's first guest instruction.
 */
void address_space_set_host_command(struct address_space *as, const char *args, size_t size);

/* --- contexts ------------------------------------------------------------ */

/* Binds the first thread of a pristine address space.  Not started. */
int context_new(struct platform *p, struct address_space *as, void *owner, struct context **out)
	MUST_CHECK;
/*
 * execve: moves @ctx, stopped in handle(), to the first thread of the pristine
 * @as.  Its old host thread parks or dies; if no other context uses the old
 * address space the caller's put of it kills it.  Registers are zeroed.
 */
int context_exec(struct context *ctx, struct address_space *as) MUST_CHECK;
/* fork: a host clone of @parent's process with copied memory; registers are
 * copied.  The caller may change them before context_start. */
int context_fork(struct context *parent, void *owner, struct address_space **as,
		 struct context **out) MUST_CHECK;
/*
 * clone with CLONE_VM: shares @parent's address space.  @same_group: a thread of
 * the same guest thread group, hence of the same host thread group; otherwise
 * (vfork and CLONE_VM without CLONE_THREAD) a host process of its own.  @fs_base
 * is the child's: the host can set it with the clone, which saves an order.
 */
int context_clone(struct context *parent, bool same_group, uint64_t fs_base, void *owner,
		  struct context **out) MUST_CHECK;
/* Lets a new context run; it begins with a STARTED event.  Cannot fail. */
void context_start(struct context *ctx);
/*
 * Ends the guest thread's host thread.  From handle() for its own context (then
 * return CONTEXT_EXITED), or for a context never started.
 */
void context_destroy(struct context *ctx);

struct address_space *context_address_space(struct context *ctx); /* borrowed */

/* Registers of a stopped context; valid while the event's regs_valid, or on a
 * context not started.  Changes take effect at resume. */
struct guest_regs *context_regs(struct context *ctx);
/* The result of the SYSCALL event being handled (a negative errno is one). */
void context_set_return(struct context *ctx, int64_t value);

/*
 * Makes a context that runs guest code come back with KICK soon.  If it is
 * stopped in handle() the KICK comes right after resume, before guest code.
 * Cheap, asynchronous, callable under LOCK_RANK_SIGNAL; best effort: a hostile
 * guest can make itself deaf.
 */
void context_kick(struct context *ctx);
/* Whether handle() may return CONTEXT_SHELVE. */
bool context_can_shelve(const struct context *ctx);
/* Once for each CONTEXT_SHELVE.  Of any thread, under LOCK_RANK_WAIT_QUEUE; never sleeps. */
void context_unshelve(struct context *ctx);
/* SIGKILLs the whole host process of @ctx's thread group: every context in it
 * gets DIED (those stopped in handle() when they resume).  Needs no cooperation. */
void context_kill_group(struct context *ctx);

/* --- floating point state ------------------------------------------------ */

/* Size of the guest's XSAVE image as it stands in a signal frame (incl. FP_XSTATE magic). */
size_t platform_xstate_size(void);
/* Copies the stopped context's XSAVE image (signal-frame format) out or in. */
int context_read_xstate(struct context *ctx, void *buf, size_t size) MUST_CHECK;
int context_write_xstate(struct context *ctx, const void *buf, size_t size) MUST_CHECK;
/* Initial state as after execve. */
int context_reset_xstate(struct context *ctx) MUST_CHECK;

/* --- address-space changes, by the calling context's stub thread ---------- */

/* All addresses are page aligned and below platform_address_max(), checked by
 * the caller (sentry/mm).  Existing mappings in the range are replaced. */
int platform_map_anonymous(struct context *ctx, guest_addr_t addr, uint64_t size, int prot,
			   bool noreserve) MUST_CHECK;
/* @fd is a host FD of the sentry (borrowed) whose rights are those of the guest's file. */
int platform_map_fd(struct context *ctx, guest_addr_t addr, uint64_t size, int prot, bool shared,
		    int fd, uint64_t offset) MUST_CHECK;
int platform_unmap(struct context *ctx, guest_addr_t addr, uint64_t size) MUST_CHECK;
int platform_protect(struct context *ctx, guest_addr_t addr, uint64_t size, int prot) MUST_CHECK;
/* Moves a mapping to an exact new address (MREMAP_MAYMOVE|MREMAP_FIXED semantics);
 * new_size >= old_size only within what the FD's object allows. */
int platform_remap(struct context *ctx, guest_addr_t old_addr, uint64_t old_size,
		   guest_addr_t new_addr, uint64_t new_size) MUST_CHECK;
/* Advice: a host MADV_* value from the short safe list; others -EINVAL. */
int platform_advise(struct context *ctx, guest_addr_t addr, uint64_t size, int advice) MUST_CHECK;
/* Atomic compare-and-exchange of an aligned u32 in private guest memory, executed
 * by the stub.  *found gets the old value.  -EFAULT on a bad address. */
int platform_cmpxchg_u32(struct context *ctx, guest_addr_t addr, uint32_t expected,
			 uint32_t desired, uint32_t *found) MUST_CHECK;
/* membarrier(2) among the threads of this address space: the PRIVATE_EXPEDITED commands, with and
 * without SYNC_CORE, and their registrations, as the host numbers them; others -EINVAL. */
int platform_membarrier(struct context *ctx, int command) MUST_CHECK;
/* What the host's ps shows of the thread; only that is lost when it fails. */
int platform_set_host_name(struct context *ctx, const char comm[16]);

/* Makes registers available during a SYSCALL event that came without them.
 * -ENOSYS: not possible now; use CONTEXT_RESUME_AND_KICK instead. */
int platform_need_registers(struct context *ctx) MUST_CHECK;
/*
 * The same, whatever it costs: the thread leaves the call and is stopped right behind it, so that it can be
 * given orders.  The call's result is still the client's to set.  No lock may be held.  -ESRCH: it is dying.
 */
int platform_fetch_registers(struct context *ctx) MUST_CHECK;

/* --- accounting ---------------------------------------------------------- */

/* From /proc of the sentry's own pid namespace.  Zeroes when gone. */
void address_space_statm(struct address_space *as, struct host_statm *out);
void context_usage(struct context *ctx, struct host_usage *out);
/*
 * Whether the stopped @ctx is the only guest thread that its host process ever had.  What it used is told at
 * its end then, to the microsecond and whatever ended it: destroy it, and call address_space_end().
 */
bool context_is_alone(const struct context *ctx);
/*
 * Of a lone context, destroyed: kills and reaps the host process.  *usage: what it used; rss_pages is the most
 * it had.  May sleep; holds no lock.
 */
void address_space_end(struct address_space *as, struct host_usage *usage);
/* The host's CPU on which the stopped thread ran last; what the stub says of it may be any number. */
uint32_t context_cpu(struct context *ctx);
/*
 * The guest's stack pointer in a call that came without registers, from the host; -EAGAIN when the
 * context is not in such a call.  Another thread may ask.
 */
int context_stack_pointer(struct context *ctx, uint64_t *out) MUST_CHECK;

/* The kernel's vDSO support table: host addresses for moat's guest vDSO. */
struct platform_vdso_table {
	uint64_t clock_gettime, gettimeofday, time, clock_getres, getcpu; /* 0 = absent */
};
void platform_vdso_table(struct platform *p, struct platform_vdso_table *out);

/* --- instances ------------------------------------------------------------ */

struct platform_config {
	const struct context_client_ops *client;
	/* How a call uses memory, packed as copy_kind.h says; 0: not at all. */
	uint32_t (*copies)(uint64_t nr);
	/* Which calls need registers or change the address space (syscalls.def's R). */
	bool (*needs_registers)(uint64_t nr);
	int stub_cgroup_fd; /* -1: the sentry's own */
	unsigned cpus;	    /* how many the container may use: the spin policy */
	bool strict;	    /* notify the memory calls too */
};

/* Before confinement: starts the template and the pool. */
int platform_trap_new(const struct platform_config *config, struct platform **out) MUST_CHECK;
int platform_ptrace_new(const struct platform_config *config, struct platform **out) MUST_CHECK;
/* After confinement: starts serving events. */
int platform_run(struct platform *p) MUST_CHECK;

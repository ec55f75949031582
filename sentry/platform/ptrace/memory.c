/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address-space changes: host calls that the context's own stub makes.
 *
 * Rights live in the FD (design rule 1): what is donated has exactly the rights
 * of the guest's open file.  It travels over one socket that every stub has as
 * FD 0, one message at a time, and arrives as the stub's lowest free number,
 * which is always the same: fd_lock keeps others of the same mm out, and the FD
 * is closed after the call.  What the guest can scribble over meanwhile (the
 * scratch area) decides no more than whether its own call fails.
 */
#include "sentry/platform/ptrace/context.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sentry/platform/ptrace/stub.h"
#include "util/fd_pass.h"
#include "util/log.h"

#define STUB_SOCKET 0
#define STUB_DONATED 1
#define ERRNO_MAX 4095

struct order {
	struct host_call call;
	int64_t result;
};

static int execute_order(struct ptrace_context *c, void *argument)
{
	struct order *o = argument;

	return tracee_call(&c->tracee, &c->regs, &o->call, &o->result);
}

/* 0 when the host call returns @expected. */
static int order(struct ptrace_context *c, const struct host_call *call, uint64_t expected)
{
	struct order o = { .call = *call };
	int rc = tracer_call(c, execute_order, &o);

	if (rc < 0)
		return rc;
	if ((uint64_t)o.result == expected)
		return 0;
	return o.result < 0 && o.result >= -ERRNO_MAX ? (int)o.result : -ENOMEM;
}

int ptrace_map_anonymous(struct context *ctx, uint64_t addr, uint64_t size, int prot,
			 bool noreserve)
{
	uint64_t flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | (noreserve ? MAP_NORESERVE : 0);
	struct host_call call = { __NR_mmap,
				  { addr, size, (uint64_t)prot, flags, UINT64_MAX, 0 } };

	return order(ptrace_context(ctx), &call, addr);
}

int ptrace_unmap(struct context *ctx, uint64_t addr, uint64_t size)
{
	struct host_call call = { __NR_munmap, { addr, size } };

	return order(ptrace_context(ctx), &call, 0);
}

int ptrace_protect(struct context *ctx, uint64_t addr, uint64_t size, int prot)
{
	struct host_call call = { __NR_mprotect, { addr, size, (uint64_t)prot } };

	return order(ptrace_context(ctx), &call, 0);
}

int ptrace_remap(struct context *ctx, uint64_t old_addr, uint64_t old_size, uint64_t new_addr,
		 uint64_t new_size)
{
	bool move = old_addr != new_addr;
	struct host_call call = { __NR_mremap,
				  { old_addr, old_size, new_size,
				    move ? MREMAP_MAYMOVE | MREMAP_FIXED : 0,
				    move ? new_addr : 0 } };

	return order(ptrace_context(ctx), &call, new_addr);
}

int ptrace_advise(struct context *ctx, uint64_t addr, uint64_t size, int advice)
{
	static const int safe[] = {
		MADV_NORMAL,   MADV_RANDOM,   MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTNEED,
		MADV_FREE,     MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_COLD,     MADV_PAGEOUT,
		22 /* MADV_POPULATE_READ */, 23 /* MADV_POPULATE_WRITE */,
	};
	struct host_call call = { __NR_madvise, { addr, size, (uint64_t)advice } };

	for (unsigned i = 0; i < ARRAY_SIZE(safe); i++)
		if (safe[i] == advice)
			return order(ptrace_context(ctx), &call, 0);
	return -EINVAL;
}

/* --- donated FDs ------------------------------------------------------------------ */

/* The receiving stub's msghdr and what it points to. */
struct message {
	struct msghdr header;
	struct iovec data;
	uint64_t byte;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
};

static int prepare_message(struct ptrace_context *c)
{
	const uint64_t at = STUB_SCRATCH;
	struct message m = {
		.header = {
			.msg_iov = (struct iovec *)(at + offsetof(struct message, data)),
			.msg_iovlen = 1,
			.msg_control = (void *)(at + offsetof(struct message, control)),
			.msg_controllen = sizeof(m.control),
		},
		.data = { (void *)(at + offsetof(struct message, byte)), 1 },
	};
	ssize_t n = ptrace_as_write(&c->as->base, at, &m, sizeof(m));

	return n == (ssize_t)sizeof(m) ? 0 : -ESRCH;
}

/* Takes back what the stub, then dead or dying, has not received. */
static void drain(struct ptrace_platform *p)
{
	size_t count = 0;
	char byte;
	int fd = -1;

	if (fd_pass_receive(p->receive_socket, MSG_DONTWAIT, &byte, 1, &fd, 1, &count) > 0 && count)
		close(fd);
}

static int donate(struct ptrace_context *c, int fd)
{
	struct host_call receive = {
		__NR_recvmsg, { STUB_SOCKET, STUB_SCRATCH, MSG_DONTWAIT | MSG_CMSG_CLOEXEC }
	};
	struct ptrace_platform *p = c->platform;
	char byte = 0;
	int rc = prepare_message(c);

	if (rc < 0)
		return rc;
	mutex_lock(&p->lock);
	rc = fd_pass_send(p->donate_socket, &byte, 1, &fd, 1);
	if (rc == 0) {
		rc = order(c, &receive, 1);
		if (rc < 0)
			drain(p);
	}
	mutex_unlock(&p->lock);
	return rc;
}

struct fd_mapping {
	struct host_call call;
	int fd;
};

static int map_donated(struct ptrace_context *c, void *argument)
{
	const struct host_call close_call = { __NR_close, { STUB_DONATED } };
	struct fd_mapping *m = argument;
	int rc;

	mutex_lock(&c->as->fd_lock);
	rc = donate(c, m->fd);
	if (rc == 0) {
		rc = order(c, &m->call, m->call.args[0]);
		if (order(c, &close_call, 0) < 0)
			log_debug("stub thread %d has no donated FD to close", c->tracee.tid);
	}
	mutex_unlock(&c->as->fd_lock);
	return rc;
}

int ptrace_map_fd(struct context *ctx, uint64_t addr, uint64_t size, int prot, bool shared, int fd,
		  uint64_t offset)
{
	uint64_t flags = (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_FIXED;
	struct fd_mapping m = {
		.call = { __NR_mmap, { addr, size, (uint64_t)prot, flags, STUB_DONATED, offset } },
		.fd = fd,
	};

	return tracer_call(ptrace_context(ctx), map_donated, &m);
}

/* --- others ------------------------------------------------------------------------------ */

static int name_thread(struct ptrace_context *c, void *argument)
{
	struct host_call call = { __NR_prctl, { PR_SET_NAME, STUB_SCRATCH } };
	int rc = -ESRCH;

	mutex_lock(&c->as->fd_lock);
	if (ptrace_as_write(&c->as->base, STUB_SCRATCH, argument, 16) == 16)
		rc = order(c, &call, 0);
	mutex_unlock(&c->as->fd_lock);
	return rc;
}

int ptrace_set_host_name(struct context *ctx, const char comm[16])
{
	return tracer_call(ptrace_context(ctx), name_thread, (void *)(uintptr_t)comm);
}

static int order_membarrier(struct ptrace_context *c, void *argument)
{
	const struct host_call call = { __NR_membarrier, { *(const uint64_t *)argument, 0, 0 } };

	return order(c, &call, 0);
}

/* The host keeps the registration with its mm: a fork has it, a pristine stub has not, as in Linux. */
int ptrace_membarrier(struct context *ctx, int command)
{
	uint64_t argument = (uint64_t)command;

	return tracer_call(ptrace_context(ctx), order_membarrier, &argument);
}

static int compare_exchange(struct ptrace_context *c, void *argument)
{
	struct guest_regs *r = argument;

	return tracee_execute(&c->tracee, stub_entry_address(STUB_COMPARE), r);
}

int ptrace_cmpxchg_u32(struct context *ctx, uint64_t addr, uint32_t expected, uint32_t desired,
		       uint32_t *found)
{
	struct ptrace_context *c = ptrace_context(ctx);
	struct guest_regs r = c->regs;
	int rc;

	if (addr >= STUB_AREA)
		return -EFAULT;
	r.rdi = addr;
	r.rax = expected;
	r.rdx = desired;
	rc = tracer_call(c, compare_exchange, &r);
	if (rc == 0)
		*found = (uint32_t)r.rax;
	return rc;
}

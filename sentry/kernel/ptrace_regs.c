/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers of a stopped tracee: struct user, the register sets, FS and GS base.
 * The general ones are changed by the tracer; vector state and debug registers by the
 * tracee's own thread.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/prctl.h"
#include "sentry/kernel/ptrace_internal.h"
#include "util/checked.h"
#include "util/cleanup.h"

#define REG_COUNT (sizeof(struct guest_regs) / sizeof(uint64_t))
#define REG(name) (offsetof(struct guest_regs, name) / sizeof(uint64_t))
#define EFLAGS_CHANGEABLE 0x54dd5UL /* CF PF AF ZF SF TF DF OF NT RF AC */
#define XSTATE_HEADER_SIZE 64
#define MXCSR_OFFSET 24
#define MXCSR_MASK_OFFSET 28

_Static_assert(sizeof(struct guest_regs) == 27 * sizeof(uint64_t), "struct user_regs_struct");

/* --- general registers ------------------------------------------------------------------- */

static bool valid_selector(uint64_t value)
{
	return (value & 0xffff) == 0 || (value & 3) == 3;
}

/* putreg() of Linux. */
static int set_one(struct guest_regs *r, size_t index, uint64_t value)
{
	uint64_t *regs = (uint64_t *)(void *)r;

	switch (index) {
	case REG(cs):
	case REG(ss):
		if (!(value & 0xffff) || !valid_selector(value))
			return -EIO;
		return 0; /* there is one code and one data segment */
	case REG(ds):
	case REG(es):
	case REG(fs):
	case REG(gs):
		if (!valid_selector(value))
			return -EIO;
		regs[index] = value & 0xffff;
		return 0;
	case REG(fs_base):
	case REG(gs_base):
		if (value >= platform_address_max().v)
			return -EIO;
		break;
	case REG(eflags):
		value = (r->eflags & ~EFLAGS_CHANGEABLE) | (value & EFLAGS_CHANGEABLE);
		break;
	default:
		break;
	}
	regs[index] = value;
	return 0;
}

static int set_many(struct task *tracer, struct task *t, const uint64_t *values, size_t count)
{
	struct guest_regs regs;
	int rc = ptrace_get_regs(tracer, t, &regs);

	for (size_t i = 0; i < count && !rc; i++)
		rc = set_one(&regs, i, values[i]);
	return rc ? rc : ptrace_set_regs(tracer, t, &regs);
}

/* --- struct user ------------------------------------------------------------------------- */

static int debugreg_job(struct task *t, struct ptrace_job *job)
{
	uint64_t value;
	int rc;

	memcpy(&value, job->buf, sizeof(value));
	if (job->write)
		return ptrace_watch_set(t, (unsigned)job->addr, value);
	rc = ptrace_watch_get(t, (unsigned)job->addr, &value);
	memcpy(job->buf, &value, sizeof(value));
	return rc;
}

static int debugreg(struct task *tracer, struct task *t, uint64_t number, uint64_t *value,
		    bool write)
{
	struct ptrace_job *job = ptrace_job_new(tracer, debugreg_job, sizeof(*value));
	int rc;

	if (!job)
		return -ENOMEM;
	job->addr = number;
	job->write = write;
	memcpy(job->buf, value, sizeof(*value));
	rc = ptrace_job_run(t, job);
	memcpy(value, job->buf, sizeof(*value));
	ptrace_job_put(job);
	return rc;
}

static bool is_debugreg(uint64_t addr)
{
	return addr >= LINUX_USER_DEBUGREG &&
	       addr < LINUX_USER_DEBUGREG + LINUX_DEBUGREG_COUNT * sizeof(uint64_t);
}

int64_t ptrace_peek_user(struct task *tracer, struct task *t, uint64_t addr, uint64_t data)
{
	struct guest_regs regs;
	uint64_t value = 0;
	int rc = ptrace_get_regs(tracer, t, &regs);

	if (rc)
		return rc;
	if (addr % sizeof(value) || addr >= LINUX_USER_SIZE)
		return -EIO;
	if (addr < sizeof(regs))
		memcpy(&value, (char *)&regs + addr, sizeof(value));
	else if (is_debugreg(addr))
		rc = debugreg(tracer, t, (addr - LINUX_USER_DEBUGREG) / sizeof(value), &value, false);
	return rc ? rc : copy_out_u64(tracer->mm, guest_addr(data), value);
}

int64_t ptrace_poke_user(struct task *tracer, struct task *t, uint64_t addr, uint64_t data)
{
	struct guest_regs regs;
	int rc = ptrace_get_regs(tracer, t, &regs);

	if (rc)
		return rc;
	if (addr % sizeof(data) || addr >= LINUX_USER_SIZE)
		return -EIO;
	if (is_debugreg(addr))
		return debugreg(tracer, t, (addr - LINUX_USER_DEBUGREG) / sizeof(data), &data, true);
	if (addr >= sizeof(regs))
		return -EIO;
	rc = set_one(&regs, addr / sizeof(data), data);
	return rc ? rc : ptrace_set_regs(tracer, t, &regs);
}

/* --- vector state ------------------------------------------------------------------------ */

/* The image as the regset has it: the features where the frame has its software bytes. */
static int read_xstate(struct task *t, struct ptrace_job *job)
{
	struct linux_fpx_sw_bytes sw;
	int rc = context_read_xstate(t->context, job->buf, job->size);

	if (rc)
		return rc;
	memcpy(&sw, job->buf + LINUX_FXSAVE_SW_OFFSET, sizeof(sw));
	memset(job->buf + LINUX_FXSAVE_SW_OFFSET, 0, sizeof(sw));
	memcpy(job->buf + LINUX_FXSAVE_SW_OFFSET, &sw.xfeatures, sizeof(sw.xfeatures));
	return 0;
}

/* What the host would refuse must not reach it. */
static int check_xstate(const uint8_t *image, const uint8_t *own, size_t size,
			const struct linux_fpx_sw_bytes *sw)
{
	static const uint8_t zeroes[XSTATE_HEADER_SIZE - sizeof(uint64_t)];
	uint32_t mxcsr, mask;
	uint64_t features;

	memcpy(&mxcsr, image + MXCSR_OFFSET, sizeof(mxcsr));
	memcpy(&mask, own + MXCSR_MASK_OFFSET, sizeof(mask));
	if (mxcsr & ~(mask ? mask : 0xffbfU))
		return -EINVAL;
	if (size == LINUX_FXSAVE_SIZE)
		return 0;
	memcpy(&features, image + LINUX_FXSAVE_SIZE, sizeof(features));
	if ((features & ~sw->xfeatures) ||
	    memcmp(image + LINUX_FXSAVE_SIZE + sizeof(features), zeroes, sizeof(zeroes)) != 0)
		return -EINVAL;
	return 0;
}

/* The first job->size bytes of the image are new: all of it, or x87 and SSE. */
static int write_xstate(struct task *t, struct ptrace_job *job)
{
	size_t size = platform_xstate_size();
	AUTO_FREE uint8_t *own = malloc(size);
	struct linux_fpx_sw_bytes sw;
	uint64_t features;
	int rc;

	if (!own)
		return -ENOMEM;
	rc = context_read_xstate(t->context, own, size);
	if (rc)
		return rc;
	memcpy(&sw, own + LINUX_FXSAVE_SW_OFFSET, sizeof(sw));
	rc = check_xstate(job->buf, own, job->size, &sw);
	if (rc)
		return rc;
	memcpy(own, job->buf, MIN(job->size, size));
	memcpy(own + LINUX_FXSAVE_SW_OFFSET, &sw, sizeof(sw));
	if (job->size == LINUX_FXSAVE_SIZE) {
		memcpy(&features, own + LINUX_FXSAVE_SIZE, sizeof(features));
		features |= LINUX_XFEATURE_FPSSE;
		memcpy(own + LINUX_FXSAVE_SIZE, &features, sizeof(features));
	}
	return context_write_xstate(t->context, own, size);
}

/* Without the closing magic of a signal frame. */
static size_t xstate_regset_size(void)
{
	return platform_xstate_size() - sizeof(uint32_t);
}

static int xstate_job(struct task *tracer, struct task *t, void *buf, size_t size, bool write)
{
	size_t job_size = write ? size : platform_xstate_size();
	struct ptrace_job *job = ptrace_job_new(tracer, write ? write_xstate : read_xstate, job_size);
	int rc;

	if (!job)
		return -ENOMEM;
	if (write)
		memcpy(job->buf, buf, size);
	rc = ptrace_job_run(t, job);
	if (!rc && !write)
		memcpy(buf, job->buf, size);
	ptrace_job_put(job);
	return rc;
}

/* --- whole sets -------------------------------------------------------------------------- */

static int64_t general_set(struct task *tracer, struct task *t, const uint64_t iov[2], bool write)
{
	struct guest_regs regs;
	int rc;

	if (!write) {
		rc = ptrace_get_regs(tracer, t, &regs);
		return rc ? rc : copy_out(tracer->mm, guest_addr(iov[0]), &regs, iov[1]);
	}
	rc = copy_in(tracer->mm, &regs, guest_addr(iov[0]), iov[1]);
	return rc ? rc : set_many(tracer, t, (const uint64_t *)(const void *)&regs,
				  iov[1] / sizeof(uint64_t));
}

static int64_t vector_set(struct task *tracer, struct task *t, const uint64_t iov[2], size_t whole,
			  bool write)
{
	AUTO_FREE char *buf = calloc(1, whole);
	int rc;

	if (!buf)
		return -ENOMEM;
	if (!write) {
		rc = xstate_job(tracer, t, buf, whole, false);
		/* FXSAVE leaves what follows the registers alone. */
		if (!rc && whole == LINUX_FXSAVE_SIZE)
			memset(buf + LINUX_FXSAVE_SW_OFFSET, 0, LINUX_FXSAVE_SIZE - LINUX_FXSAVE_SW_OFFSET);
		return rc ? rc : copy_out(tracer->mm, guest_addr(iov[0]), buf, iov[1]);
	}
	if (iov[1] != whole) /* only as a whole */
		return whole == LINUX_FXSAVE_SIZE ? -EINVAL : -EFAULT;
	rc = copy_in(tracer->mm, buf, guest_addr(iov[0]), iov[1]);
	return rc ? rc : xstate_job(tracer, t, buf, whole, true);
}

/* @iov: base and size; the size is cut to the set's. */
static int64_t regset(struct task *tracer, struct task *t, uint64_t type, uint64_t iov[2],
		      bool write)
{
	size_t whole;

	switch (type) {
	case LINUX_NT_PRSTATUS:
		whole = sizeof(struct guest_regs);
		break;
	case LINUX_NT_PRFPREG:
		whole = LINUX_FXSAVE_SIZE;
		break;
	case LINUX_NT_X86_XSTATE:
		whole = xstate_regset_size();
		break;
	case LINUX_NT_386_IOPERM: /* cannot be written; nobody has an I/O port to be shown */
		if (iov[1] % sizeof(uint64_t))
			return -EINVAL;
		return write ? -EOPNOTSUPP : -ENXIO;
	default:
		return -EINVAL;
	}
	if (iov[1] % sizeof(uint64_t))
		return -EINVAL;
	iov[1] = MIN(iov[1], whole);
	if (type == LINUX_NT_PRSTATUS)
		return general_set(tracer, t, iov, write);
	return vector_set(tracer, t, iov, whole, write);
}

int64_t ptrace_regs_request(struct task *tracer, struct task *t, uint64_t request, uint64_t data)
{
	uint64_t iov[2] = { data, sizeof(struct guest_regs) };

	switch (request) {
	case LINUX_PTRACE_GETREGS:
		return regset(tracer, t, LINUX_NT_PRSTATUS, iov, false);
	case LINUX_PTRACE_SETREGS:
		return regset(tracer, t, LINUX_NT_PRSTATUS, iov, true);
	case LINUX_PTRACE_GETFPREGS:
		iov[1] = LINUX_FXSAVE_SIZE;
		return regset(tracer, t, LINUX_NT_PRFPREG, iov, false);
	default:
		iov[1] = LINUX_FXSAVE_SIZE;
		return regset(tracer, t, LINUX_NT_PRFPREG, iov, true);
	}
}

int64_t ptrace_regset_request(struct task *tracer, struct task *t, uint64_t request, uint64_t type,
			      uint64_t data)
{
	uint64_t iov[2];
	int64_t rc = copy_in(tracer->mm, iov, guest_addr(data), sizeof(iov));

	if (!rc)
		rc = regset(tracer, t, type & UINT32_MAX, iov, request == LINUX_PTRACE_SETREGSET);
	if (rc)
		return rc;
	return copy_out_u64(tracer->mm, guest_addr(data + sizeof(uint64_t)), iov[1]);
}

int64_t ptrace_arch_prctl(struct task *tracer, struct task *t, uint64_t option, uint64_t addr)
{
	struct guest_regs regs;
	int rc = ptrace_get_regs(tracer, t, &regs);

	if (rc)
		return rc;
	switch (option) {
	case LINUX_ARCH_GET_FS:
		return copy_out_u64(tracer->mm, guest_addr(addr), regs.fs_base);
	case LINUX_ARCH_GET_GS:
		return copy_out_u64(tracer->mm, guest_addr(addr), regs.gs_base);
	case LINUX_ARCH_SET_FS:
	case LINUX_ARCH_SET_GS:
		if (addr >= platform_address_max().v)
			return -EPERM;
		if (option == LINUX_ARCH_SET_FS)
			regs.fs_base = addr;
		else
			regs.gs_base = addr;
		return ptrace_set_regs(tracer, t, &regs);
	default:
		return -EINVAL;
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floating point and vector state: the regset NT_X86_XSTATE, an XSAVE image in
 * standard format, made to look as in a signal frame: the software bytes with
 * FP_XSTATE_MAGIC1 at 464, FP_XSTATE_MAGIC2 behind.
 *
 * The regset has room for all that the CPU knows; the frame has it only for what a
 * process may use without asking (no AMX tiles, which no stub ever asks for).
 */
#include "sentry/platform/ptrace/context.h"

#include <cpuid.h>
#include <elf.h>
#include <errno.h>
#include <linux/ptrace.h>
#include <string.h>
#include <sys/uio.h>

#include "util/checked.h"
#include "util/log.h"

#ifndef NT_X86_XSTATE
#define NT_X86_XSTATE 0x202
#endif
#define XSTATE_LEAF 0xd
#define XSTATE_SW_OFFSET 464
#define XSTATE_HEADER_OFFSET 512
#define XSTATE_LEGACY_SIZE (XSTATE_HEADER_OFFSET + 64)
#define XSTATE_MAGIC1 0x46505853U
#define XSTATE_MAGIC2 0x46505845U
#define XSTATE_FP_SSE 3UL
#define XSTATE_DYNAMIC (1UL << 18) /* XTILE_DATA: on request only */

struct sw_bytes { /* struct _fpx_sw_bytes */
	uint32_t magic1;
	uint32_t extended_size;
	uint64_t xfeatures;
	uint32_t xstate_size;
	uint32_t padding[7];
};

_Static_assert(sizeof(struct sw_bytes) == XSTATE_HEADER_OFFSET - XSTATE_SW_OFFSET, "sw_reserved");

static int get_regset(struct tracee *t, void *buf, size_t *size)
{
	struct iovec iov = { buf, *size };
	int rc = tracee_request(t, PTRACE_GETREGSET, NT_X86_XSTATE, &iov);

	if (rc == 0)
		*size = iov.iov_len;
	return rc;
}

static int set_regset(struct tracee *t, const void *buf, size_t size)
{
	struct iovec iov = { (void *)(uintptr_t)buf, size };

	return tracee_request(t, PTRACE_SETREGSET, NT_X86_XSTATE, &iov);
}

/* --- sizes ----------------------------------------------------------------------- */

/* The kernel tells which features it enabled in the first software bytes of the regset. */
static int read_features(struct ptrace_platform *p)
{
	unsigned size, offset, ecx, edx;
	uint64_t enabled;
	size_t end = XSTATE_LEGACY_SIZE;

	memcpy(&enabled, p->xstate_initial + XSTATE_SW_OFFSET, sizeof(enabled));
	p->xstate_features = enabled & ~XSTATE_DYNAMIC;
	for (unsigned i = 2; i < 63; i++) {
		if (!(p->xstate_features & 1UL << i))
			continue;
		if (!__get_cpuid_count(XSTATE_LEAF, i, &size, &offset, &ecx, &edx))
			return -ENOTSUP;
		end = MAX(end, (size_t)offset + size);
	}
	if (!p->xstate_features || end > p->regset_size)
		return -ENOTSUP;
	p->xstate_size = end + sizeof(uint32_t);
	return 0;
}

int ptrace_xstate_init(struct ptrace_platform *p, struct tracee *t)
{
	int rc;

	p->regset_size = sizeof(p->xstate_initial);
	rc = get_regset(t, p->xstate_initial, &p->regset_size);
	if (rc < 0)
		return rc;
	if (p->regset_size >= sizeof(p->xstate_initial) || p->regset_size < XSTATE_LEGACY_SIZE)
		return -ENOTSUP;
	return read_features(p);
}

size_t ptrace_xstate_size(struct platform *base)
{
	return ptrace_platform(base)->xstate_size;
}

/* --- reading ------------------------------------------------------------------------- */

struct image {
	void *buf;
	size_t size;
};

static int read_image(struct ptrace_context *c, void *argument)
{
	const struct ptrace_platform *p = c->platform;
	const uint32_t magic2 = XSTATE_MAGIC2;
	const struct sw_bytes sw = {
		.magic1 = XSTATE_MAGIC1,
		.extended_size = (uint32_t)p->xstate_size,
		.xfeatures = p->xstate_features,
		.xstate_size = (uint32_t)(p->xstate_size - sizeof(magic2)),
	};
	uint8_t regset[PTRACE_XSTATE_MAX];
	size_t size = sizeof(regset);
	struct image *image = argument;
	uint64_t features;
	int rc = get_regset(&c->tracee, regset, &size);

	if (rc < 0)
		return rc;
	memcpy(regset + XSTATE_SW_OFFSET, &sw, sizeof(sw));
	/* As the host has it in its frames. */
	memcpy(&features, regset + XSTATE_HEADER_OFFSET, sizeof(features));
	features = (features & p->xstate_features) | XSTATE_FP_SSE;
	memcpy(regset + XSTATE_HEADER_OFFSET, &features, sizeof(features));
	memcpy(regset + sw.xstate_size, &magic2, sizeof(magic2));
	memcpy(image->buf, regset, image->size);
	return 0;
}

int ptrace_read_xstate(struct context *ctx, void *buf, size_t size)
{
	struct ptrace_context *c = ptrace_context(ctx);
	struct image image = { buf, size };

	if (size > c->platform->xstate_size)
		return -EINVAL;
	return tracer_call(c, read_image, &image);
}

/* --- writing --------------------------------------------------------------------------- */

/* Which features an image has to say something about; 0: it has only the legacy part. */
static uint64_t image_features(const struct ptrace_platform *p, const struct image *image)
{
	struct sw_bytes sw;
	uint32_t magic2;

	if (image->size < p->xstate_size)
		return 0;
	memcpy(&sw, (char *)image->buf + XSTATE_SW_OFFSET, sizeof(sw));
	if (sw.magic1 != XSTATE_MAGIC1 || sw.xstate_size > p->xstate_size - sizeof(magic2) ||
	    sw.xstate_size < XSTATE_LEGACY_SIZE)
		return 0;
	memcpy(&magic2, (char *)image->buf + sw.xstate_size, sizeof(magic2));
	return magic2 == XSTATE_MAGIC2 ? sw.xfeatures & p->xstate_features : 0;
}

static int write_image(struct ptrace_context *c, void *argument)
{
	const struct ptrace_platform *p = c->platform;
	const struct image *image = argument;
	uint64_t known = image_features(p, image), features = XSTATE_FP_SSE;
	uint8_t regset[PTRACE_XSTATE_MAX] = { 0 };

	if (known) {
		memcpy(regset, image->buf, p->xstate_size - sizeof(uint32_t));
		memcpy(&features, regset + XSTATE_HEADER_OFFSET, sizeof(features));
		features &= known;
	} else {
		memcpy(regset, image->buf, XSTATE_HEADER_OFFSET);
	}
	memset(regset + XSTATE_SW_OFFSET, 0, sizeof(struct sw_bytes));
	memcpy(regset + XSTATE_HEADER_OFFSET, &features, sizeof(features));
	return set_regset(&c->tracee, regset, p->regset_size);
}

int ptrace_write_xstate(struct context *ctx, const void *buf, size_t size)
{
	struct ptrace_context *c = ptrace_context(ctx);
	struct image image = { (void *)(uintptr_t)buf, size };

	if (size > c->platform->xstate_size || size < XSTATE_HEADER_OFFSET)
		return -EINVAL;
	return tracer_call(c, write_image, &image);
}

int ptrace_xstate_save(struct ptrace_context *c, uint8_t regset[PTRACE_XSTATE_MAX])
{
	size_t size = PTRACE_XSTATE_MAX;

	return get_regset(&c->tracee, regset, &size);
}

int ptrace_xstate_restore(struct ptrace_context *c, const uint8_t regset[PTRACE_XSTATE_MAX])
{
	return set_regset(&c->tracee, regset, c->platform->regset_size);
}

static int write_initial(struct ptrace_context *c, void *argument)
{
	(void)argument;
	return ptrace_xstate_restore(c, c->platform->xstate_initial);
}

int ptrace_reset_xstate(struct context *ctx)
{
	return tracer_call(ptrace_context(ctx), write_initial, NULL);
}

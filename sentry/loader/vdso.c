/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's vDSO: the embedded image with its table filled in, in a memfd of its
 * own that holds nothing else, all of it public.  Guests map a read-only twin
 * privately.  There are two, equal but for the table: members of a time namespace get
 * one that asks the kernel, since the host's clocks have not their offsets.  Built once;
 * read-only afterwards, so no lock.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sentry/abi/mm.h"
#include "sentry/arch/x86_64/vdso/vdso_data.h"
#include "sentry/arch/x86_64/vdso/vdso_image.h"
#include "sentry/host/host_memfd.h"
#include "sentry/host/host_memory.h"
#include "sentry/loader/loader_private.h"
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/log.h"

struct vdso {
	struct mappable mappable;
	int fd;	       /* the read-only twin */
	uint64_t size; /* 0: not built */
};

static struct vdso direct, asking;

static struct vdso *vdso_for(const struct mm *mm)
{
	return mm->clock_offsets ? &asking : &direct;
}

static void vdso_ref(struct mappable *m)
{
}

static int vdso_host_fd(struct mappable *m, uint64_t offset, uint64_t size, int prot, bool shared,
			int *fd, uint64_t *host_offset)
{
	if (shared)
		return -EACCES;
	*fd = container_of(m, struct vdso, mappable)->fd;
	*host_offset = offset;
	return 0;
}

static int vdso_max_prot(struct mappable *m, bool shared)
{
	return LINUX_PROT_READ | LINUX_PROT_EXEC | (shared ? 0 : LINUX_PROT_WRITE);
}

static void vdso_describe(struct mappable *m, char *buf, size_t size, uint64_t *dev, uint64_t *ino)
{
	if (size)
		buf[0] = '\0';
	*dev = 0;
	*ino = 0;
}

static const struct mappable_ops vdso_ops = {
	.get = vdso_ref,
	.put = vdso_ref,
	.host_fd = vdso_host_fd,
	.max_prot = vdso_max_prot,
	.describe = vdso_describe,
};

static void fill_table(struct platform *platform, uint8_t *image, bool host_clocks)
{
	struct vdso_data *data = (struct vdso_data *)(void *)(image + VDSO_DATA_OFFSET);
	struct platform_vdso_table table = { 0 };

	ASSERT(data->magic == VDSO_DATA_MAGIC);
	platform_vdso_table(platform, &table);
	data->clock_gettime = host_clocks ? table.clock_gettime : 0;
	data->gettimeofday = table.gettimeofday;
	data->time = table.time;
	data->clock_getres = table.clock_getres;
	/* the host's CPU numbers are not the guest's, and do not follow its affinity */
	data->getcpu = 0;
}

static int build(struct platform *platform, struct vdso *vdso, bool host_clocks)
{
	size_t size = (size_t)(vdso_image_end - vdso_image_start);
	uint64_t mapped = round_up(size, GUEST_PAGE_SIZE);
	AUTO_FREE uint8_t *image = NULL;
	AUTO_CLOSE int fd = -1;
	int rc;

	ASSERT(size >= VDSO_DATA_OFFSET + sizeof(struct vdso_data));
	image = calloc(1, mapped);
	if (!image)
		return -ENOMEM;
	memcpy(image, vdso_image_start, size);
	fill_table(platform, image, host_clocks);
	fd = host_memfd_create("vdso", mapped);
	if (fd < 0)
		return fd;
	rc = host_memory_fill(fd, image, mapped);
	if (rc < 0)
		return rc;
	rc = host_memfd_read_only_twin(fd);
	if (rc < 0)
		return rc;
	vdso->fd = rc;
	vdso->mappable.ops = &vdso_ops;
	vdso->size = mapped;
	return 0;
}

int vdso_init(struct platform *platform)
{
	int rc = 0;

	if (!direct.size)
		rc = build(platform, &direct, true);
	if (!rc && !asking.size)
		rc = build(platform, &asking, false);
	return rc;
}

int vdso_map(struct mm *mm, struct context *ctx)
{
	struct vdso *vdso = vdso_for(mm);
	uint64_t base;
	int rc;

	if (!vdso->size)
		return -ENOEXEC;
	rc = mm_find_free(mm, 0, vdso->size, &base);
	if (rc == 0)
		rc = mm_map_fixed(mm, ctx, base, vdso->size, LINUX_PROT_READ | LINUX_PROT_EXEC, 0,
				  &vdso->mappable, 0, "[vdso]");
	if (rc < 0)
		return rc;
	mm->vdso_base = guest_addr(base);
	mm->vdso_sigreturn = guest_addr(base + VDSO_SIGRETURN_OFFSET);
	return 0;
}

/* Unmapped first: a thread that has not started yet can be handed a file only by a later order. */
static int replace(struct mm *mm, struct context *ctx, const struct vma *vma, struct vdso *now)
{
	uint64_t size = vma->end - vma->start;
	int rc = mm_unseal(mm, vma);

	if (!rc)
		rc = mm_munmap(mm, ctx, vma->start, size);
	if (rc)
		return rc;
	return mm_map_fixed(mm, ctx, vma->start, size, vma->prot, vma->flags & VMA_SEALED,
			    &now->mappable, vma->offset, vma->name);
}

/* Wherever the guest has moved it, and only what it has left of it. */
int program_adopt_clock(struct mm *mm, struct context *ctx)
{
	struct vdso *now = vdso_for(mm), *before = now == &direct ? &asking : &direct;
	struct vma vma;
	uint64_t at = 0;
	int rc = 0;

	while (rc == 0 && mm_find_vma(mm, at, &vma)) {
		at = vma.end;
		if (vma.object == &before->mappable)
			rc = replace(mm, ctx, &vma, now);
		mm_vma_release(&vma);
	}
	return rc;
}

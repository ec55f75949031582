/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The encoded form of struct boot_config and struct boot_process: an image of the
 * structures themselves.  The root structure comes first, then each block a pointer
 * refers to, in the order of one walk over all pointers, each aligned to 8 bytes.
 * A pointer is stored as the offset of its block (0: NULL).
 *
 * The walk runs in three modes: MEASURE sums up the size, ENCODE copies block after
 * block, DECODE turns offsets into pointers.  Because the walk fixes where each block must
 * begin, DECODE takes no other offset than the expected one: blocks can neither overlap nor
 * leave the image.
 */
#include "sentry/control/boot_config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/host/host_control.h"
#include "util/checked.h"

#define IMAGE_MAGIC 0x31676663746f616dull /* "moatcfg1" */
#define IMAGE_MAX_SIZE (64u << 20)
#define IMAGE_ALIGN 8u

enum image_kind { IMAGE_CONFIG = 1, IMAGE_PROCESS };
enum image_mode { IMAGE_MEASURE, IMAGE_ENCODE, IMAGE_DECODE };

struct image_head {
	uint64_t magic;
	uint32_t kind;
	uint32_t root_size;
	uint64_t size;
};

struct image {
	enum image_mode mode;
	char *base; /* ENCODE, DECODE */
	size_t size;
	size_t next; /* where the next block begins */
	int error;   /* first failure; the walk goes on with NULL blocks */
};

static void image_fail(struct image *im, int error)
{
	if (!im->error)
		im->error = error;
}

/* Reserves the next block; its offset, or 0 on failure. */
static size_t image_reserve(struct image *im, size_t size)
{
	size_t at = im->next;
	size_t end;

	if (im->error)
		return 0;
	if (add_overflows(at, size, &end) || end > IMAGE_MAX_SIZE ||
	    (im->mode != IMAGE_MEASURE && end > im->size)) {
		image_fail(im, im->mode == IMAGE_DECODE ? -EPROTO : -E2BIG);
		return 0;
	}
	im->next = round_up(end, IMAGE_ALIGN);
	return at;
}

/*
 * Handles the block of @size bytes that *@slot refers to and returns it for the walk to go
 * on in: the source when measuring, the copy when encoding, the decoded block else.
 */
static void *image_block(struct image *im, void *slot, size_t size)
{
	void *value = *(void **)slot;
	size_t at;

	if (!value && size == 0)
		return NULL;
	if (!value || size == 0) {
		image_fail(im, im->mode == IMAGE_DECODE ? -EPROTO : -EINVAL);
		*(void **)slot = im->mode == IMAGE_MEASURE ? value : NULL;
		return NULL;
	}
	at = image_reserve(im, size);
	if (!at)
		return NULL;
	if (im->mode == IMAGE_MEASURE)
		return value;
	if (im->mode == IMAGE_ENCODE) {
		memcpy(im->base + at, value, size);
		*(size_t *)slot = at;
	} else if (*(size_t *)slot != at) {
		image_fail(im, -EPROTO);
		return NULL;
	} else {
		*(void **)slot = im->base + at;
	}
	return im->base + at;
}

static void *image_array(struct image *im, void *slot, uint32_t count, size_t element_size)
{
	size_t size;

	if (mul_overflows((size_t)count, element_size, &size)) {
		image_fail(im, -EPROTO);
		return NULL;
	}
	if (count == 0 && im->mode == IMAGE_ENCODE)
		*(void **)slot = NULL;
	else if (count == 0 && im->mode == IMAGE_MEASURE)
		return NULL;
	return image_block(im, slot, size);
}

/* A string's size is known only from its text: look for the end before reserving. */
static void image_string(struct image *im, char **slot)
{
	const char *text = *slot;
	const char *end;

	if (im->error)
		return;
	if (im->mode != IMAGE_DECODE) {
		image_block(im, slot, text ? strlen(text) + 1 : 1);
		return;
	}
	if (im->next >= im->size) {
		image_fail(im, -EPROTO);
		return;
	}
	text = im->base + im->next;
	end = memchr(text, 0, im->size - im->next);
	if (!end) {
		image_fail(im, -EPROTO);
		return;
	}
	image_block(im, slot, (size_t)(end - text) + 1);
}

static void image_strings(struct image *im, struct boot_strings *strings)
{
	char **items;

	if (strings->count == UINT32_MAX) {
		image_fail(im, -EPROTO);
		return;
	}
	items = image_array(im, &strings->items, strings->count + 1, sizeof(char *));
	if (!items)
		return;
	for (uint32_t i = 0; i < strings->count && !im->error; i++)
		image_string(im, &items[i]);
	if (items[strings->count])
		image_fail(im, -EPROTO);
}

static void image_bool(struct image *im, const bool *value)
{
	if (*(const unsigned char *)value > 1)
		image_fail(im, -EPROTO);
}

static void image_check(struct image *im, bool valid)
{
	if (!valid)
		image_fail(im, im->mode == IMAGE_DECODE ? -EPROTO : -EINVAL);
}

static void image_process(struct image *im, struct boot_process *p)
{
	image_check(im, p->args.count > 0);
	image_string(im, &p->program);
	image_strings(im, &p->args);
	image_strings(im, &p->env);
	image_strings(im, &p->cgroups);
	image_check(im, p->cgroups.count % 2 == 0);
	image_string(im, &p->cwd);
	image_array(im, &p->additional_gids, p->additional_gid_count, sizeof(uint32_t));
	image_bool(im, &p->gids_of_host);
	image_array(im, &p->rlimits, p->rlimit_count, sizeof(struct boot_rlimit));
	image_bool(im, &p->has_oom_score_adj);
	image_bool(im, &p->no_new_privileges);
	image_bool(im, &p->exact_env);
	image_bool(im, &p->terminal);
	image_bool(im, &p->terminal_plain);
}

static void image_mounts(struct image *im, struct boot_config *c)
{
	struct boot_mount *mounts =
		image_array(im, &c->mounts, c->mount_count, sizeof(struct boot_mount));

	for (uint32_t i = 0; mounts && i < c->mount_count && !im->error; i++) {
		image_string(im, &mounts[i].destination);
		image_string(im, &mounts[i].type);
		image_string(im, &mounts[i].source);
		image_string(im, &mounts[i].data);
		image_array(im, &mounts[i].volume_within, mounts[i].volume_within_count,
			    sizeof(uint64_t));
		image_check(im, mounts[i].attach >= -1 &&
					mounts[i].attach < (int64_t)c->attach_count);
	}
}

static void image_devices(struct image *im, struct boot_config *c)
{
	struct boot_device *devices =
		image_array(im, &c->devices, c->device_count, sizeof(struct boot_device));

	for (uint32_t i = 0; devices && i < c->device_count && !im->error; i++)
		image_string(im, &devices[i].path);
}

static void image_config(struct image *im, struct boot_config *c)
{
	image_string(im, &c->id);
	image_string(im, &c->hostname);
	image_string(im, &c->domainname);
	image_string(im, &c->cgroups_path);
	image_process(im, &c->process);
	image_mounts(im, c);
	image_devices(im, c);
	image_strings(im, &c->masked_paths);
	image_strings(im, &c->readonly_paths);
	image_array(im, &c->uid_maps, c->uid_map_count, sizeof(struct boot_id_map));
	image_array(im, &c->gid_maps, c->gid_map_count, sizeof(struct boot_id_map));
	image_bool(im, &c->deny_setgroups);
	image_array(im, &c->time_offsets, c->time_offset_count, sizeof(struct boot_time_offset));
	image_strings(im, &c->annotations);
	image_strings(im, &c->sysctl);
	image_check(im, c->seccomp_count <= BOOT_SECCOMP_MAX);
	image_array(im, &c->seccomp, c->seccomp_count, sizeof(uint64_t));
	image_bool(im, &c->seccomp_log);
	image_check(im, c->annotations.count % 2 == 0 && c->sysctl.count % 2 == 0);
	image_check(im, c->platform < BOOT_PLATFORM_COUNT && c->overlay < BOOT_OVERLAY_COUNT);
	image_check(im, c->network < BOOT_NETWORK_COUNT);
	image_check(im, c->attach_count > 0 && c->cpu_count > 0);
	image_bool(im, &c->rootfs_readonly);
	image_bool(im, &c->notify);
	image_bool(im, &c->debug);
	image_bool(im, &c->strace);
	image_bool(im, &c->strict_memory);
}

static void image_walk(struct image *im, enum image_kind kind, void *root)
{
	if (kind == IMAGE_CONFIG)
		image_config(im, root);
	else
		image_process(im, root);
}

static int image_encode(enum image_kind kind, const void *root, size_t root_size, void **blob,
			size_t *size)
{
	struct image im = { .mode = IMAGE_MEASURE };
	size_t first = round_up(sizeof(struct image_head) + root_size, IMAGE_ALIGN);
	struct image_head *head;

	/* Measuring writes nothing, but shares the walk that does. */
	im.next = first;
	image_walk(&im, kind, (void *)(uintptr_t)root);
	if (im.error)
		return im.error;
	im.size = im.next;
	im.base = calloc(1, im.size);
	if (!im.base)
		return -ENOMEM;
	head = (void *)im.base;
	*head = (struct image_head){ IMAGE_MAGIC, kind, (uint32_t)root_size, im.size };
	memcpy(head + 1, root, root_size);
	im.mode = IMAGE_ENCODE;
	im.next = first;
	image_walk(&im, kind, head + 1);
	if (im.error) {
		free(im.base);
		return im.error;
	}
	*blob = im.base;
	*size = im.size;
	return 0;
}

/* Decodes @blob in place; *root then points into it. */
static int image_decode(enum image_kind kind, void *blob, size_t size, size_t root_size,
			void **root)
{
	struct image im = { .mode = IMAGE_DECODE, .base = blob, .size = size };
	struct image_head *head = blob;

	if (size < sizeof(*head) + root_size || head->magic != IMAGE_MAGIC ||
	    head->kind != kind || head->root_size != root_size || head->size != size)
		return -EPROTO;
	im.next = round_up(sizeof(*head) + root_size, IMAGE_ALIGN);
	image_walk(&im, kind, head + 1);
	if (!im.error && im.next != size)
		im.error = -EPROTO;
	if (!im.error)
		*root = head + 1;
	return im.error;
}

static int image_read(int fd, enum image_kind kind, size_t root_size, void *out, void **blob)
{
	void *root = NULL;
	char *data;
	size_t size;
	int ret;

	ret = host_control_read_file(fd, IMAGE_MAX_SIZE, &data, &size);
	if (ret < 0)
		return ret;
	ret = image_decode(kind, data, size, root_size, &root);
	if (ret) {
		free(data);
		return ret;
	}
	memcpy(out, root, root_size);
	*blob = data;
	return 0;
}

int boot_config_read(int fd, struct boot_config *out)
{
	void *blob;
	int ret = image_read(fd, IMAGE_CONFIG, sizeof(*out), out, &blob);

	if (ret == 0)
		out->blob = blob;
	return ret;
}

void boot_config_destroy(struct boot_config *config)
{
	free(config->blob);
	memset(config, 0, sizeof(*config));
}

int boot_process_read(int fd, struct boot_process *out, void **blob)
{
	return image_read(fd, IMAGE_PROCESS, sizeof(*out), out, blob);
}

int boot_config_encode(const struct boot_config *config, void **blob, size_t *size)
{
	return image_encode(IMAGE_CONFIG, config, sizeof(*config), blob, size);
}

int boot_process_encode(const struct boot_process *process, void **blob, size_t *size)
{
	return image_encode(IMAGE_PROCESS, process, sizeof(*process), blob, size);
}

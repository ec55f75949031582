/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The encoded configuration as the sentry reads it from a memfd ('c'), or the process of an EXEC
 * request ('p').  Whatever is accepted is complete, lies inside its block of memory, and encodes
 * again into something that is accepted.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sentry/control/boot_config.h"
#include "tests/fuzz/fuzz.h"
#include "util/cleanup.h"

static volatile size_t sum; /* of everything read, so that it is read */

static int memfd_of(const void *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	fuzz_check(fd >= 0 && write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0,
		   "no memfd");
	return fd;
}

static void read_bytes(const void *block, size_t size)
{
	const uint8_t *bytes = block;

	for (size_t i = 0; i < size; i++)
		sum += bytes[i];
}

static void read_text(const char *text)
{
	fuzz_check(text != NULL, "a string is NULL");
	sum += strlen(text);
}

static void read_strings(const struct boot_strings *s)
{
	fuzz_check(s->items != NULL && !s->items[s->count], "an array of strings has no end");
	for (uint32_t i = 0; i < s->count; i++)
		read_text(s->items[i]);
}

static void read_process(const struct boot_process *p)
{
	fuzz_check(p->args.count > 0, "no arguments");
	read_strings(&p->args);
	read_strings(&p->env);
	read_strings(&p->cgroups);
	fuzz_check(p->cgroups.count % 2 == 0, "a controller without its path");
	read_text(p->cwd);
	read_bytes(p->additional_gids, p->additional_gid_count * sizeof(*p->additional_gids));
	read_bytes(p->rlimits, p->rlimit_count * sizeof(*p->rlimits));
}

static void read_config(const struct boot_config *c)
{
	read_text(c->id);
	read_text(c->hostname);
	read_text(c->domainname);
	read_text(c->cgroups_path);
	read_process(&c->process);
	for (uint32_t i = 0; i < c->mount_count; i++) {
		read_text(c->mounts[i].destination);
		read_text(c->mounts[i].type);
		read_text(c->mounts[i].source);
		read_text(c->mounts[i].data);
		fuzz_check(c->mounts[i].attach < (int64_t)c->attach_count, "an attach point out of range");
	}
	for (uint32_t i = 0; i < c->device_count; i++)
		read_text(c->devices[i].path);
	read_strings(&c->masked_paths);
	read_strings(&c->readonly_paths);
	read_strings(&c->annotations);
	read_strings(&c->sysctl);
	read_bytes(c->uid_maps, c->uid_map_count * sizeof(*c->uid_maps));
	read_bytes(c->gid_maps, c->gid_map_count * sizeof(*c->gid_maps));
	fuzz_check(c->platform < BOOT_PLATFORM_COUNT && c->overlay < BOOT_OVERLAY_COUNT &&
			   c->network < BOOT_NETWORK_COUNT,
		   "an enumeration out of range");
}

static void try_config(const void *data, size_t size)
{
	AUTO_CLOSE int fd = memfd_of(data, size);
	AUTO_FREE void *again = NULL;
	AUTO_CLOSE int again_fd = -1;
	struct boot_config config, other;
	size_t again_size;

	if (boot_config_read(fd, &config) < 0)
		return;
	read_config(&config);
	fuzz_check(boot_config_encode(&config, &again, &again_size) == 0, "cannot be encoded again");
	fuzz_check(again_size == size, "encodes to another size");
	again_fd = memfd_of(again, again_size);
	fuzz_check(boot_config_read(again_fd, &other) == 0, "cannot be decoded again");
	boot_config_destroy(&other);
	boot_config_destroy(&config);
}

static void try_process(const void *data, size_t size)
{
	AUTO_CLOSE int fd = memfd_of(data, size);
	AUTO_FREE void *blob = NULL;
	struct boot_process process;

	if (boot_process_read(fd, &process, &blob) == 0)
		read_process(&process);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] == 'p')
		try_process(data + 1, size - 1);
	else
		try_config(data + 1, size - 1);
	return 0;
}

static struct boot_process some_process(void)
{
	static char *args[] = { (char *)"sh", (char *)"-c", (char *)"", NULL };
	static char *env[] = { (char *)"A=b", NULL };
	static char *cgroups[] = { (char *)"cpu", (char *)"/a", NULL };
	static uint32_t gids[] = { 1, 2, 3 };
	static struct boot_rlimit rlimits[] = { { 7, 1024, 4096 } };

	return (struct boot_process){
		.program = (char *)"", .args = { args, fuzz_random(4) ? 3 : 1 }, .env = { env, 1 }, .cgroups = { cgroups, 2 }, .cwd = (char *)"/",
		.additional_gids = gids, .additional_gid_count = fuzz_random(4),
		.rlimits = rlimits, .rlimit_count = fuzz_random(2),
	};
}

static void encode_config(struct boot_process process, void **blob, size_t *size)
{
	static char *none[] = { NULL };
	static char *pair[] = { (char *)"k", (char *)"v", NULL };
	static struct boot_mount mounts[] = {
		{ (char *)"/proc", (char *)"proc", (char *)"", (char *)"", 14, 0, -1 },
		{ (char *)"/d", (char *)"bind", (char *)"/s", (char *)"", 1, 0, 1 },
	};
	static struct boot_device device = { (char *)"/dev/x", 0020000, 1, 3, 0666, 0, 0 };
	static struct boot_id_map map = { 0, 1000, 1 };
	struct boot_config config = {
		.id = (char *)"c", .hostname = (char *)"h", .domainname = (char *)"",
		.cgroups_path = (char *)"/c", .process = process, .mounts = mounts,
		.mount_count = fuzz_random(3), .attach_count = 2, .masked_paths = { none, 0 },
		.readonly_paths = { none, 0 }, .devices = &device, .device_count = fuzz_random(2),
		.uid_maps = &map, .uid_map_count = fuzz_random(2), .annotations = { pair, 2 },
		.sysctl = { none, 0 }, .cpu_count = 1,
	};

	fuzz_check(boot_config_encode(&config, blob, size) == 0, "the sample cannot be encoded");
}

static size_t generate(uint8_t *out)
{
	struct boot_process process = some_process();
	bool whole = fuzz_random(4) != 0;
	AUTO_FREE void *blob = NULL;
	char *kept = process.args.items[process.args.count];
	size_t size = 0;

	process.args.items[process.args.count] = NULL;
	if (whole)
		encode_config(process, &blob, &size);
	else
		fuzz_check(boot_process_encode(&process, &blob, &size) == 0, "cannot be encoded");
	process.args.items[process.args.count] = kept;
	out[0] = whole ? 'c' : 'p';
	memcpy(out + 1, blob, size);
	fuzz_flip(out + 1, size, fuzz_random(4));
	/* The size is in the head: cut it there too, or be refused at once. */
	if (!fuzz_random(8)) {
		size = fuzz_random((uint32_t)size / 8) * 8;
		if (size >= 24)
			memcpy(out + 1 + 16, &size, sizeof(size));
	}
	return size + 1;
}

const struct fuzz_target fuzz_target = { "boot_config", 50000, generate };

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rights live in the FD: what a guest has mapped gives it no right that its open
 * file has not, and no byte of another object.
 */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sentry/platform/trap/stub_abi.h"

#define PAGE 4096UL

/* Made by ./run, which compares it afterwards. */
#define HOST_FILE "/host-file"
#define SECRET 0x5ec7e75ec7e75ec7UL

struct target {
	const char *path;
};

static int make_file(const char *path, size_t size, uint8_t fill)
{
	uint8_t *data = malloc(size);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	memset(data, fill, size);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		fail("%s: %m", path);
	free(data);
	return fd;
}

static void write_byte(void *at)
{
	*(volatile uint8_t *)at = 0xee;
}

static uint8_t first_byte(const char *path)
{
	uint8_t byte = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || pread(fd, &byte, 1, 0) != 1)
		fail("%s: %m", path);
	close(fd);
	return byte;
}

/* --- shared, read only ------------------------------------------------------------- */

static int protect_by_guest(void *arg)
{
	struct target *t = arg;
	int fd = open(t->path, O_RDONLY | O_CLOEXEC);
	void *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);

	if (fd < 0 || map == MAP_FAILED) {
		fail("%s: %m", t->path);
		return 1;
	}
	close(fd);
	CHECK(mprotect(map, PAGE, PROT_READ | PROT_WRITE) < 0 && errno == EACCES);
	CHECK(with_faults(write_byte, map) != 0);
	return 0;
}

/* By every way into the host's mprotect that the filter lets through. */
static int protect_by_site(void *arg)
{
	struct target *t = arg;
	int fd = open(t->path, O_RDONLY | O_CLOEXEC);
	uint8_t *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	int64_t result = 0;
	struct call call = { SYS_mprotect, { (uint64_t)map, PAGE, PROT_READ | PROT_WRITE } };

	close(fd);
	site_call(site_returning(), &call, &result);
	if (result >= 0)
		fail("%s: the stub's mprotect made a read-only file writable", t->path);
	if (with_faults(write_byte, map) == 0)
		fail("%s: written through a read-only mapping", t->path);
	return 0;
}

static int protect_by_gadget(void *arg)
{
	struct target *t = arg;
	int fd = open(t->path, O_RDONLY | O_CLOEXEC);
	uint8_t *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);

	close(fd);
	gadget_install();
	if (GADGET(SYS_mprotect, map, PAGE, PROT_READ | PROT_WRITE) >= 0)
		fail("%s: a rewritten stub made a read-only file writable", t->path);
	if (with_faults(write_byte, map) == 0)
		fail("%s: written through a read-only mapping", t->path);
	return 0;
}

void attack_rights_shared(void)
{
	static struct target targets[] = { { HOST_FILE }, { "/tmp/memory-file" } };
	int fd = make_file("/tmp/memory-file", 8 * PAGE, 'm');

	for (size_t i = 0; i < 2; i++) {
		uint8_t before = first_byte(targets[i].path);
		struct outcome o = in_child(protect_by_guest, &targets[i], 10000);

		if (!exited_with(&o, 0))
			fail("guest mprotect: %s", outcome_text(&o));
		o = in_child(protect_by_site, &targets[i], 10000);
		if (!(strict_memory() ? killed_by(&o, 9) : exited_with(&o, 0)))
			fail("mprotect at the stub's site: %s", outcome_text(&o));
		if (can_rewrite()) {
			o = in_child(protect_by_gadget, &targets[i], 10000);
			if (!exited_with(&o, 0))
				fail("mprotect from the stub's text: %s", outcome_text(&o));
		}
		CHECK(first_byte(targets[i].path) == before);
	}
	close(fd);
	unlink("/tmp/memory-file");
}

/* --- private ------------------------------------------------------------------------ */

static int write_private(void *arg)
{
	struct target *t = arg;
	int fd = open(t->path, O_RDONLY | O_CLOEXEC);
	uint8_t *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE, fd, 0);

	close(fd);
	if (map == MAP_FAILED) {
		fail("%s: %m", t->path);
		return 1;
	}
	memset(map, 0xee, PAGE);
	CHECK(msync(map, PAGE, MS_SYNC) == 0);
	CHECK(mprotect(map, PAGE, PROT_READ) == 0);
	CHECK(mprotect(map, PAGE, PROT_READ | PROT_WRITE) == 0);
	map[1] = 0xdd;
	CHECK(map[0] == 0xee);
	return 0;
}

/* The program's own text: private as well. */
static int write_text(void *arg)
{
	uint8_t *text = (uint8_t *)((uint64_t)make_file & ~(PAGE - 1));

	(void)arg;
	CHECK(mprotect(text, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
	for (size_t i = 0; i < 16; i++)
		((volatile uint8_t *)make_file)[i] ^= 0xff;
	return 0;
}

void attack_rights_private(void)
{
	static struct target targets[] = { { HOST_FILE }, { "/tmp/memory-file" } };
	uint8_t text[16];
	int fd = make_file("/tmp/memory-file", 8 * PAGE, 'm');
	struct outcome o;

	for (size_t i = 0; i < 2; i++) {
		uint8_t before = first_byte(targets[i].path);

		o = in_child(write_private, &targets[i], 10000);
		if (!exited_with(&o, 0))
			fail("private mapping: %s", outcome_text(&o));
		CHECK(first_byte(targets[i].path) == before);
	}
	memcpy(text, (void *)make_file, sizeof(text));
	o = in_child(write_text, NULL, 10000);
	if (!exited_with(&o, 0))
		fail("own text: %s", outcome_text(&o));
	CHECK(memcmp(text, (void *)make_file, sizeof(text)) == 0);
	close(fd);
	unlink("/tmp/memory-file");
}

/* --- growing -------------------------------------------------------------------------- */

static volatile bool secret_seen;

static void look_for_secret(void *arg)
{
	const volatile uint64_t *p = arg;

	for (size_t i = 0; i < PAGE / sizeof(*p); i++)
		if (p[i] == SECRET)
			secret_seen = true;
}

/* Everything in reach of a mapping that was grown to 1 MiB. */
static void search(uint8_t *map)
{
	for (size_t at = 0; at < 256 * PAGE; at += PAGE)
		with_faults(look_for_secret, map + at);
}

static int grow_file(void *arg)
{
	int fd = open(arg, O_RDWR | O_CLOEXEC);
	void *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	close(fd);
	map = mremap(map, PAGE, 256 * PAGE, MREMAP_MAYMOVE);
	if (map != MAP_FAILED)
		search(map);
	CHECK(!secret_seen);
	return 0;
}

static int grow_anonymous(void *arg)
{
	void *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(void)arg;
	map = mremap(map, PAGE, 256 * PAGE, MREMAP_MAYMOVE);
	if (map != MAP_FAILED)
		search(map);
	CHECK(!secret_seen);
	return 0;
}

static int grow_slots(void *arg)
{
	struct call call = { SYS_mremap, { STUB_SLOTS, STUB_SLOTS_SIZE, 2 * STUB_SLOTS_SIZE, 1 } };
	int64_t result = 0;

	(void)arg;
	site_call(site_returning(), &call, &result);
	return 1;
}

static int grow_slots_by_guest(void *arg)
{
	(void)arg;
	CHECK(mremap((void *)STUB_SLOTS, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED);
	CHECK(munmap((void *)STUB_SLOTS, PAGE) < 0);
	CHECK(mprotect((void *)STUB_TEXT, PAGE, PROT_READ | PROT_WRITE) < 0);
	CHECK(mmap((void *)STUB_TEXT, PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED);
	CHECK(madvise((void *)STUB_SLOTS, PAGE, MADV_DOFORK) < 0);
	return 0;
}

void attack_rights_mremap(void)
{
	static char path[] = "/tmp/small";
	uint64_t *neighbour;
	struct outcome o;
	int fd, other;

	/* Neighbours of every kind hold the secret: a file, shared and private memory. */
	fd = make_file(path, 100, 's');
	other = make_file("/tmp/neighbour", 64 * PAGE, 0);
	for (uint64_t at = 0; at < 64 * PAGE; at += 8)
		CHECK(pwrite(other, &(uint64_t){ SECRET }, 8, (off_t)at) == 8);
	neighbour =
		mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (size_t i = 0; i < 64 * PAGE / 8; i++)
		neighbour[i] = SECRET;
	o = in_child(grow_file, path, 10000);
	if (!exited_with(&o, 0))
		fail("growing a file's mapping: %s", outcome_text(&o));
	o = in_child(grow_anonymous, NULL, 10000);
	if (!exited_with(&o, 0))
		fail("growing shared memory: %s", outcome_text(&o));
	if (on_trap()) {
		o = in_child(grow_slots, NULL, 10000);
		if (!killed_by(&o, 9))
			fail("mremap of the slots at the stub's site: %s", outcome_text(&o));
	}
	o = in_child(grow_slots_by_guest, NULL, 10000);
	if (!exited_with(&o, 0))
		fail("changing the reserved area: %s", outcome_text(&o));
	close(fd);
	close(other);
}

/* --- advice ------------------------------------------------------------------------------ */

static int advise_at_site(void *arg)
{
	void *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct call call = { SYS_madvise, { (uint64_t)map, PAGE, *(uint64_t *)arg } };
	int64_t result = 0;

	site_call(site_returning(), &call, &result);
	return 0;
}

static int advise_by_guest(void *arg)
{
	int fd = open(HOST_FILE, O_RDONLY | O_CLOEXEC);
	void *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);

	(void)arg;
	CHECK(map != MAP_FAILED);
	CHECK(madvise(map, PAGE, MADV_REMOVE) < 0);
	for (int advice = 0; advice < 128; advice++)
		madvise(map, PAGE, advice);
	return 0;
}

static bool advice_is_harmless(uint64_t advice)
{
	static const uint8_t harmless[] = { 0, 1, 2, 3, 4, 8, 10, 14, 15, 20, 21, 22, 23 };

	return memchr(harmless, (int)(uint32_t)advice, sizeof(harmless)) && (uint32_t)advice < 128;
}

void attack_rights_advice(void)
{
	/* DOFORK, REMOVE, MERGEABLE; the width of an int; then all of them in the long form. */
	static const uint64_t wanted[] = { 11,
					   9,
					   12,
					   13,
					   16,
					   17,
					   18,
					   19,
					   24,
					   25,
					   100,
					   101,
					   4 | 1UL << 32,
					   11 | 1UL << 32,
					   (uint64_t)-1 };
	uint8_t before = first_byte(HOST_FILE);
	size_t count = sizeof(wanted) / sizeof(wanted[0]);
	struct outcome o = in_child(advise_by_guest, NULL, 10000);

	if (!exited_with(&o, 0))
		fail("guest madvise: %s", outcome_text(&o));
	CHECK(first_byte(HOST_FILE) == before);
	if (!on_trap())
		return;
	for (uint64_t i = 0; i < count + (long_form() ? 128 : 0); i++) {
		uint64_t advice = i < count ? wanted[i] : i - count;

		o = in_child(advise_at_site, &advice, 10000);
		if (advice_is_harmless(advice) && !strict_memory() ? !exited_with(&o, 0) : !killed_by(&o, 9))
			fail("advice %#llx at the stub's site: %s", (unsigned long long)advice,
			     outcome_text(&o));
	}
}

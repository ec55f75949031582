/* SPDX-License-Identifier: Apache-2.0 */
/* Threads against each other in one address space: files, mappings, exits. */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096UL
#define FILE_THREADS 8

static atomic_uint wrong;

/* --- each its own file ----------------------------------------------------------------- */

static unsigned file_turns;

static void *map_own_file(void *arg)
{
	uintptr_t self = (uintptr_t)arg;
	char path[64], data[PAGE];
	int fd;

	snprintf(path, sizeof(path), "/tmp/own-%u", (unsigned)self);
	memset(data, 'A' + (int)self, sizeof(data));
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, data, sizeof(data)) != (ssize_t)sizeof(data)) {
		atomic_fetch_add(&wrong, 1);
		return NULL;
	}
	for (unsigned i = 0; i < file_turns; i++) {
		int flags = i & 1 ? MAP_SHARED : MAP_PRIVATE;
		uint8_t *map = mmap(NULL, PAGE, PROT_READ, flags, fd, 0);

		if (map == MAP_FAILED || map[0] != 'A' + self || map[PAGE - 1] != 'A' + self)
			atomic_fetch_add(&wrong, 1);
		if (map != MAP_FAILED)
			munmap(map, PAGE);
	}
	close(fd);
	unlink(path);
	return NULL;
}

static int race_files(void *arg)
{
	pthread_t threads[FILE_THREADS];

	(void)arg;
	file_turns = long_form() ? 5000 : 500;
	for (uintptr_t i = 0; i < FILE_THREADS; i++)
		if (pthread_create(&threads[i], NULL, map_own_file, (void *)i) != 0)
			return 1;
	for (size_t i = 0; i < FILE_THREADS; i++)
		pthread_join(threads[i], NULL);
	if (wrong)
		fail("%u mappings of eight threads showed another's file", wrong);
	return 0;
}

void attack_race_files(void)
{
	struct outcome o = in_child(race_files, NULL, long_form() ? 60000 : 20000);

	if (!exited_with(&o, 0))
		fail("racing file mappings: %s", outcome_text(&o));
}

/* --- mapping and unmapping at random -------------------------------------------------------- */

#define ARENA_PAGES 64UL

static uint8_t *arena;
static unsigned map_turns;

static void verify(const uint64_t *p, size_t pages, uint64_t tag)
{
	for (size_t i = 0; i < pages; i++)
		if (p[i * PAGE / 8] != tag + i)
			atomic_fetch_add(&wrong, 1);
}

static void fill(uint64_t *p, size_t pages, uint64_t tag)
{
	for (size_t i = 0; i < pages; i++)
		p[i * PAGE / 8] = tag + i;
}

/* Whoever gets a range by NOREPLACE has it for itself. */
static void turn_in_arena(uint64_t *state, uint64_t tag)
{
	size_t pages = 1 + random_next(state) % 8;
	uint8_t *at = arena + random_next(state) % (ARENA_PAGES - pages) * PAGE;
	uint64_t *p = mmap(at, pages * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (p == MAP_FAILED) {
		if (errno != EEXIST)
			atomic_fetch_add(&wrong, 1);
		return;
	}
	if ((uint8_t *)p != at)
		atomic_fetch_add(&wrong, 1);
	fill(p, pages, tag);
	if (random_next(state) & 1)
		mprotect(p, pages * PAGE, PROT_READ);
	verify(p, pages, tag);
	munmap(p, pages * PAGE);
}

/* Anywhere, kept for a while, moved about. */
static void turn_anywhere(uint64_t *state, uint64_t tag)
{
	size_t pages = 1 + random_next(state) % 8;
	uint64_t *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);

	if (p == MAP_FAILED) {
		atomic_fetch_add(&wrong, 1);
		return;
	}
	fill(p, pages, tag);
	if (random_next(state) & 1) {
		uint64_t *moved = mremap(p, pages * PAGE, (pages + 3) * PAGE, MREMAP_MAYMOVE);

		if (moved == MAP_FAILED) {
			atomic_fetch_add(&wrong, 1);
		} else {
			p = moved;
			verify(p, pages, tag);
			munmap(p + pages * PAGE / 8, 3 * PAGE);
		}
	}
	verify(p, pages, tag);
	munmap(p, pages * PAGE);
}

static void *map_at_random(void *arg)
{
	uint64_t self = (uint64_t)(uintptr_t)arg, state = self * 99991;

	for (unsigned i = 0; i < map_turns; i++) {
		uint64_t tag = (self << 56) | ((uint64_t)i << 16);

		if (random_next(&state) & 1)
			turn_in_arena(&state, tag);
		else
			turn_anywhere(&state, tag);
	}
	return NULL;
}

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

static int race_maps(void *arg)
{
	pthread_t threads[2];

	(void)arg;
	map_turns = long_form() ? 20000 : 3000;
	arena = mmap(NULL, ARENA_PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(arena, ARENA_PAGES * PAGE);
	/* Nobody else settles there: threads' stacks come first. */
	for (uintptr_t i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, map_at_random, (void *)(i + 1)) != 0)
			return 1;
	for (unsigned i = 0; i < (long_form() ? 200U : 20U); i++) {
		struct outcome o = in_child(nothing, NULL, 5000);

		if (!exited_with(&o, 0))
			fail("fork beside mappers: %s", outcome_text(&o));
	}
	for (size_t i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	if (wrong)
		fail("%u mappings were lost or not one's own", wrong);
	return 0;
}

void attack_race_maps(void)
{
	struct outcome o = in_child(race_maps, NULL, long_form() ? 60000 : 20000);

	if (!exited_with(&o, 0))
		fail("racing mappings: %s", outcome_text(&o));
}

/* --- silent exits while the sentry copies --------------------------------------------------------
 */

static void *copy_for_ever(void *arg)
{
	static char data[1 << 20];
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	(void)arg;
	for (;;)
		if (read(zero, data, sizeof(data)) <= 0)
			return NULL;
	return NULL;
}

static void *exit_silently(void *arg)
{
	GADGET(SYS_exit, 0);
	return arg;
}

static int exit_beside_copies(void *arg)
{
	pthread_t copier, other;

	gadget_install();
	if (pthread_create(&copier, NULL, copy_for_ever, NULL) != 0)
		return 1;
	sleep_ms(5);
	/* The leader itself, or another thread. */
	if (*(int *)arg)
		exit_silently(NULL);
	pthread_create(&other, NULL, exit_silently, NULL);
	pthread_join(other, NULL);
	return 1;
}

/* The leader's guest thread ends; its host thread must stay for the copies of the other. */
static void *copies_without_leader(void *arg)
{
	static char data[65536];
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	(void)arg;
	sleep_ms(20);
	for (int i = 0; i < 300; i++) {
		memset(data, 1, sizeof(data));
		if (read(zero, data, sizeof(data)) != (ssize_t)sizeof(data) || data[0] ||
		    data[65535])
			_exit(1);
	}
	_exit(0);
}

static int leader_leaves(void *arg)
{
	pthread_t thread;

	(void)arg;
	pthread_create(&thread, NULL, copies_without_leader, NULL);
	pthread_exit(NULL);
}

void attack_race_exit(void)
{
	struct outcome o;

	for (int i = 0; i < (long_form() ? 200 : 30); i++) {
		int leader = i & 1;

		o = in_child(exit_beside_copies, &leader, 3000);
		if (!killed_by(&o, SIGKILL))
			fail("a silent exit of %s: %s", leader ? "the leader" : "a thread",
			     outcome_text(&o));
	}
	for (int i = 0; i < 10; i++) {
		o = in_child(leader_leaves, NULL, 5000);
		if (!exited_with(&o, 0))
			fail("calls after the leader's end: %s", outcome_text(&o));
	}
}

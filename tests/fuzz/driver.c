/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drives a fuzz target.  Without libFuzzer: runs the inputs kept in corpus/ (each was once a
 * finding, or reaches what random inputs do not), then random ones, and prints one TAP line.
 * With libFuzzer: mixes the target's own generator into libFuzzer's mutations.
 */
#include "config.h"

#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/log.h"

static uint64_t random_state = 1;

uint32_t fuzz_random(uint32_t below)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(random_state >> 33) % below;
}

void fuzz_flip(uint8_t *data, size_t size, unsigned count)
{
	static const uint8_t edges[] = { 0, 1, 0x7f, 0x80, 0xff };

	for (; size && count; count--) {
		uint8_t *at = data + fuzz_random((uint32_t)size);

		switch (fuzz_random(3)) {
		case 0:
			*at ^= (uint8_t)(1u << fuzz_random(8));
			break;
		case 1:
			*at = edges[fuzz_random(sizeof(edges))];
			break;
		default:
			*at = (uint8_t)fuzz_random(256);
		}
	}
}

void fuzz_found(const char *what)
{
	fprintf(stderr, "%s: %s\n", fuzz_target.name, what);
	abort();
}

#ifdef MOAT_LIBFUZZER

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	static uint8_t made[FUZZ_INPUT_MAX];
	size_t made_size;

	random_state = seed;
	if (fuzz_random(8))
		return LLVMFuzzerMutate(data, size, max);
	made_size = fuzz_target.generate(made);
	if (made_size > max)
		return LLVMFuzzerMutate(data, size, max);
	memcpy(data, made, made_size);
	return made_size;
}

#else

static uint8_t input[FUZZ_INPUT_MAX];

static unsigned long replay_at(int dir, const char *name);

static unsigned long replay_directory(int fd)
{
	AUTO_CLOSEDIR DIR *dir = fdopendir(fd);
	const struct dirent *entry;
	unsigned long count = 0;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			count += replay_at(dirfd(dir), entry->d_name);
	return count;
}

/* Runs a file, or all files of a directory: how many. */
static unsigned long replay_at(int dir, const char *name)
{
	AUTO_CLOSE int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t size;

	if (fd < 0 || fstat(fd, &st) < 0) {
		fprintf(stderr, "%s: cannot be opened\n", name);
		exit(1);
	}
	if (S_ISDIR(st.st_mode))
		return replay_directory(fcntl(fd, F_DUPFD_CLOEXEC, 0));
	size = read(fd, input, sizeof(input));
	if (size < 0) {
		fprintf(stderr, "%s: cannot be read\n", name);
		exit(1);
	}
	LLVMFuzzerTestOneInput(input, (size_t)size);
	return 1;
}

/* The corpus belongs to the source tree, which make check names. */
static unsigned long replay_corpus(void)
{
	const char *top = getenv("top_srcdir");
	char path[4096];

	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s", top ? top : ".", fuzz_target.name);
	return access(path, F_OK) ? 0 : replay_at(AT_FDCWD, path);
}

static void run_random(unsigned long runs, uint64_t seed)
{
	for (unsigned long i = 0; i < runs; i++) {
		/* Each run by itself, so that a finding is had again by -runs=1 -seed=N. */
		random_state = (seed + i) * 0x9e3779b97f4a7c15ull;
		LLVMFuzzerTestOneInput(input, fuzz_target.generate(input));
		if (i % 65536 == 65535)
			fprintf(stderr, "%s: %lu runs\n", fuzz_target.name, i + 1);
	}
}

int main(int argc, char **argv)
{
	unsigned long runs = fuzz_target.runs, replayed = 0;
	uint64_t seed = 1;

	log_set_output(2, LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
	for (int i = 1; i < argc; i++) {
		if (!strncmp(argv[i], "-runs=", 6)) {
			runs = strtoul(argv[i] + 6, NULL, 10);
		} else if (!strncmp(argv[i], "-seed=", 6)) {
			seed = strtoull(argv[i] + 6, NULL, 10);
		} else if (argv[i][0] == '-') {
			fprintf(stderr, "usage: %s [-runs=N] [-seed=N] [FILE|DIRECTORY]...\n", argv[0]);
			return 2;
		} else {
			if (!replayed)
				runs = 0;
			replayed += replay_at(AT_FDCWD, argv[i]);
		}
	}
	if (!replayed)
		replayed = replay_corpus();
	run_random(runs, seed);
	printf("1..1\nok 1 - %s: %lu kept inputs, %lu random ones\n", fuzz_target.name, replayed, runs);
	return 0;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a fuzz target supplies, and what the driver (driver.c) gives it.  One source serves two
 * drivers: libFuzzer in an --enable-fuzzing build, and our own loop of reproducible random inputs
 * everywhere else.  Both take -runs=N, -seed=N and files or directories of inputs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/compiler.h"

/* Inputs are never longer. */
#define FUZZ_INPUT_MAX ((size_t)1 << 16)

/* Aborts on a finding; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_target {
	const char *name;   /* also the folder below corpus/ */
	unsigned long runs; /* random inputs without -runs */
	/* Writes an input that is nearly right; its size, at most FUZZ_INPUT_MAX. */
	size_t (*generate)(uint8_t *out);
};
extern const struct fuzz_target fuzz_target;

/* 0 .. below - 1, reproducible by the seed. */
uint32_t fuzz_random(uint32_t below);
/* Changes up to @count bytes or bits. */
void fuzz_flip(uint8_t *data, size_t size, unsigned count);

/* Prints and aborts. */
NORETURN void fuzz_found(const char *what);

static inline void fuzz_check(bool good, const char *what)
{
	if (!good)
		fuzz_found(what);
}

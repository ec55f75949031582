/* SPDX-License-Identifier: Apache-2.0 */
/* signalfd: pending signals of the reading task as records of 128 bytes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/compiler.h"

struct file;

/* @mask without SIGKILL and SIGSTOP. */
int signalfd_file_new(uint64_t mask, uint32_t flags, struct file **out) MUST_CHECK;
bool file_is_signalfd(const struct file *file);
void signalfd_set_mask(struct file *file, uint64_t mask);

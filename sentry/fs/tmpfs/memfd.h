/* SPDX-License-Identifier: Apache-2.0 */
/* The internal mount behind memfd_create(2). */
#pragma once

#include "util/compiler.h"

struct user_namespace;

int memfd_init(struct user_namespace *user_ns) MUST_CHECK;

/* SPDX-License-Identifier: Apache-2.0 */
/* devpts: mountable, with its ptmx.  Opening that fails with ENXIO: there are no terminals yet. */
#pragma once

#include "util/compiler.h"

struct kernel;

/* Registers the type; once, at boot. */
int devpts_init(struct kernel *k) MUST_CHECK;

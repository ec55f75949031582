/* SPDX-License-Identifier: Apache-2.0 */
/* /dev of a new container. */
#pragma once

#include "sentry/boot/sandbox.h"

/* The default nodes and links, and those of config.json. */
int boot_devices(struct sandbox_container *c, struct boot_failure *why) MUST_CHECK;

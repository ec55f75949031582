/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nobody receives for ever only because whoever is to do so is busy: the receiver
 * serves what it received, and a call may take long (a slow host disk under a bind mount).
 * When notifications have waited for a tick, another worker is put to work.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "util/compiler.h"

struct trap_pool;

struct watchdog {
	struct trap_pool *pool;	  /* does not change */
	_Atomic uint32_t dormant; /* futex: 1 while somebody receives and nothing happens */
	_Atomic uint32_t received;
};

int watchdog_start(struct watchdog *dog, struct trap_pool *pool) MUST_CHECK;
/* Something was received. */
void watchdog_wake(struct watchdog *dog);

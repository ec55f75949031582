/* SPDX-License-Identifier: Apache-2.0 */
/* What counts against a user's limits: RLIMIT_NPROC, RLIMIT_SIGPENDING, RLIMIT_MSGQUEUE, RLIMIT_MEMLOCK (SHM_LOCK). */
#pragma once

#include <stdint.h>

#include "util/compiler.h"

enum user_resource { USER_PROCESSES, USER_SIGNALS, USER_QUEUE_BYTES, USER_LOCKED_PAGES,
		     USER_RESOURCE_COUNT };

/* Adds one if the count stays <= @limit; -EAGAIN, -ENOMEM. */
int user_charge(uint32_t kuid, enum user_resource resource, uint64_t limit) MUST_CHECK;
void user_uncharge(uint32_t kuid, enum user_resource resource);
/* The same for @amount. */
int user_charge_amount(uint32_t kuid, enum user_resource resource, uint64_t amount,
		       uint64_t limit) MUST_CHECK;
void user_uncharge_amount(uint32_t kuid, enum user_resource resource, uint64_t amount);
uint64_t user_charged(uint32_t kuid, enum user_resource resource);

/* SPDX-License-Identifier: Apache-2.0 */
#include "sentry/platform/trap/watchdog.h"

#include <stdbool.h>

#include "sentry/host/host_clock.h"
#include "sentry/host/host_futex.h"
#include "sentry/host/host_thread.h"
#include "sentry/platform/trap/trap.h"

#define TICK_NS 10000000

void watchdog_wake(struct watchdog *dog)
{
	atomic_fetch_add_explicit(&dog->received, 1, memory_order_relaxed);
	if (unlikely(atomic_load(&dog->dormant)) && atomic_exchange(&dog->dormant, 0))
		host_futex_wake(&dog->dormant, 1);
}

/* Sleeps while the receiver does too: what it receives wakes both. */
static void sleep_while_idle(struct watchdog *dog)
{
	atomic_store(&dog->dormant, 1);
	while (trap_pool_is_idle(dog->pool) && atomic_load(&dog->dormant))
		host_futex_wait(&dog->dormant, 1, HOST_FUTEX_FOREVER, false);
	atomic_store(&dog->dormant, 0);
}

static void tick(void)
{
	_Atomic uint32_t nobody = 0;
	uint64_t deadline = host_monotonic_ns() + TICK_NS;

	while (host_futex_wait(&nobody, 0, deadline, false) == 0)
		;
}

static void *watchdog(void *arg)
{
	struct watchdog *dog = arg;
	bool waited = false;
	uint32_t seen = 0;

	for (;;) {
		uint32_t received = atomic_load(&dog->received);

		if (received != seen)
			waited = false;
		else if (trap_pool_is_idle(dog->pool))
			sleep_while_idle(dog);
		else if (!trap_pool_has_waiting(dog->pool))
			waited = false;
		else if (!waited)
			waited = true;
		else
			trap_pool_relieve(dog->pool);
		seen = received;
		tick();
	}
	return NULL;
}

int watchdog_start(struct watchdog *dog, struct trap_pool *pool)
{
	dog->pool = pool;
	return host_thread_start("watchdog", watchdog, dog);
}

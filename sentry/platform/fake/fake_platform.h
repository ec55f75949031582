/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A platform inside the test process: guest memory is ordinary memory of the
 * process, reached through a translation, and nothing runs guest code: the test
 * plays the guest.  One thread at a time drives a context; the memory operations
 * of different contexts may run at the same time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/platform/platform.h"

/* fake_context_syscall: the context exited during the call. */
#define FAKE_EXITED INT64_MIN

/* Becomes the process's platform_instance.  @client may be NULL when no event is sent. */
int fake_platform_new(const struct context_client_ops *client, struct platform **out) MUST_CHECK;
/* Every context and address space must be gone. */
void fake_platform_free(struct platform *p);

/* A system call of @ctx's guest: runs handle() and returns the result it set. */
int64_t fake_context_syscall(struct context *ctx, uint64_t nr, const uint64_t args[6]);
/* Any event; follows CONTEXT_RESUME_AND_KICK and pending kicks with KICK events. */
enum context_action fake_context_event(struct context *ctx, const struct platform_event *event);
/* The next context that was started and has not run; NULL: none. Send it STARTED. */
struct context *fake_platform_take_started(struct platform *p);
/* Whether context_kick was called since the last event. */
bool fake_context_kicked(struct context *ctx);

/* Lets the @nth order from now on (1: the next) fail with @error; 0: none. */
void fake_platform_fail_order(struct platform *p, unsigned nth, int error);
/* How many orders to change an address space were carried out. */
uint64_t fake_platform_order_count(struct platform *p);
/* Called inside each order, before it is carried out; NULL: nothing. */
void fake_platform_set_order_hook(struct platform *p, void (*hook)(void *arg), void *arg);
/* Address spaces alive. */
unsigned fake_platform_space_count(struct platform *p);

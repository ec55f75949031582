/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ptrace platform without a kernel above it: small guest programs, and a
 * client that plays kernel for them and records what it is told.
 */
#pragma once

#include "tests/unit/unit.h"

#include <stdatomic.h>

#include "sentry/platform/platform.h"

#define GUEST_TEXT 0x400000UL
#define GUEST_DATA 0x500000UL
#define GUEST_STACK_TOP 0x510000UL
#define GUEST_PAGE 4096UL
#define GUEST_EVENTS 64

/* Guest calls of the tests. */
enum {
	CALL_DONE = 1000, /* ends the guest; its argument is the result */
	CALL_FORK,
	CALL_THREAD,
	CALL_VFORK,
	CALL_EXEC,
	CALL_SLEEP, /* until the test wakes it */
	CALL_MAP_OWN,
};

struct guest;

typedef enum context_action guest_handler(struct guest *g, const struct platform_event *e);

struct guest {
	struct context *ctx;
	struct address_space *as;
	struct guest *parent;
	guest_handler *handle; /* all events but STARTED, CALL_DONE and DIED */
	struct platform_event events[GUEST_EVENTS];
	struct guest_regs regs[GUEST_EVENTS];
	_Atomic unsigned count;
	_Atomic uint32_t ended; /* guest_await */
	_Atomic uint32_t wake;
	_Atomic uint32_t sleeping;
	_Atomic bool died;
	int host_status;
	uint64_t result;
};

extern struct platform *guest_platform;

/* A text that is mapped at GUEST_TEXT. */
#define GUEST_PROGRAM(name, text)                                    \
	extern const char name[], name##_end[];                      \
	__asm__(".pushsection .rodata\n" #name ":\n" text "\n" #name \
		"_end:\n.byte 0\n.popsection\n")
#define GUEST_START(g, program)                        \
	do {                                           \
		guest_load(g, program, program##_end); \
		context_start((g)->ctx);               \
	} while (0)

struct guest *guest_new(guest_handler *handle);
/* A record for a child of @g, with the same handler. */
struct guest *guest_child(struct guest *g);
void guest_load(struct guest *g, const char *begin, const char *end);
/* Releases context and address space; the record is the test's. */
enum context_action guest_end(struct guest *g);
/* Handler: ends the guest when the test is done with its context (wake). */
guest_handler guest_ends;
/* Wait for and set a flag of the record; a wait of ten seconds fails. */
void guest_await(_Atomic uint32_t *word);
void guest_post(_Atomic uint32_t *word);

/* main(): runs the group in a PID namespace of its own, so that no stub outlives it. */
int guest_main(int (*run_group)(void));

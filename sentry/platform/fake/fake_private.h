/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fake platform's objects.  Guest memory is translated in chunks of 1 GiB, each a
 * reserved window of the process; a region list says what is mapped, for fork and
 * for the host's rules about mremap.
 */
#pragma once

#include <stdatomic.h>

#include "sentry/platform/fake/fake_platform.h"
#include "sentry/platform/platform_ops.h"
#include "util/list.h"
#include "util/lock.h"
#include "util/refcount.h"

#define FAKE_CHUNK_SIZE (1ULL << 30)
/*
 * No space has more, as a host would not overcommit without end either: windows are searched one by
 * one, and a program file may ask for 128 TiB.
 */
#define FAKE_CHUNKS_MAX 256

struct fake_platform {
	struct platform base; /* first */
	const struct context_client_ops *client;
	struct mutex lock;	  /* LOCK_RANK_PLATFORM */
	struct list_node started; /* protected by lock */
	unsigned fail_countdown;  /* protected by lock */
	int fail_error;		  /* protected by lock */
	void (*hook)(void *arg);
	void *hook_arg;
	_Atomic uint64_t orders;
	_Atomic unsigned spaces;
};

struct fake_chunk {
	struct fake_chunk *next;
	uint64_t base;
	char *host;
};

struct fake_region {
	struct list_node node;
	uint64_t start, end;
	int prot;
	bool shared;
	int fd; /* a duplicate, owned; -1: anonymous */
	uint64_t offset;
};

struct fake_space {
	struct address_space base; /* first */
	struct fake_platform *platform;
	struct refcount refs;
	struct mutex lock;	    /* LOCK_RANK_LEAF */
	struct fake_chunk *chunks;  /* protected by lock */
	unsigned chunk_count;	    /* protected by lock */
	struct list_node regions;   /* by address; protected by lock */
};

struct fake_context {
	struct context base; /* first */
	struct fake_platform *platform;
	struct fake_space *space; /* reference */
	void *owner;
	struct guest_regs regs;
	int64_t result;
	_Atomic bool kicked;
	bool exited, in_event;
	struct list_node started_node;
};

int fake_space_new(struct fake_platform *p, struct fake_space **out) MUST_CHECK;
void fake_space_get(struct fake_space *s);
void fake_space_put(struct fake_space *s);
int fake_space_copy(struct fake_space *from, struct fake_space **out) MUST_CHECK;
ssize_t fake_space_move(struct fake_space *s, uint64_t addr, void *buf, size_t size, bool write);

/* @fd -1: anonymous.  All take and release the space's lock. */
int fake_space_map(struct fake_space *s, uint64_t addr, uint64_t size, int prot, bool shared,
		   int fd, uint64_t offset) MUST_CHECK;
int fake_space_unmap(struct fake_space *s, uint64_t addr, uint64_t size) MUST_CHECK;
int fake_space_protect(struct fake_space *s, uint64_t addr, uint64_t size, int prot) MUST_CHECK;
int fake_space_remap(struct fake_space *s, uint64_t old_addr, uint64_t old_size, uint64_t new_addr,
		     uint64_t new_size) MUST_CHECK;
int fake_space_advise(struct fake_space *s, uint64_t addr, uint64_t size, int advice) MUST_CHECK;
int fake_space_cmpxchg(struct fake_space *s, uint64_t addr, uint32_t expected, uint32_t desired,
		       uint32_t *found) MUST_CHECK;

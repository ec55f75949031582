/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct mm: a guest address space: its VMAs and policy.  No page tables: the
 * host's MMU code does the work in the stub (platform.h).  An operation that
 * changes the address space takes the calling context, whose stub thread makes
 * the host calls, and has two phases (design rule 4): the range is marked
 * changing under mm->lock, the lock is dropped, the host call made, and the
 * range settled or rolled back.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sentry/abi/guest_addr.h"
#include "sentry/mm/usercopy.h"
#include "sentry/wait/wait.h"
#include "util/compiler.h"
#include "util/list.h"
#include "util/lock.h"
#include "util/refcount.h"

struct address_space;
struct context;
struct platform;

/*
 * What can be mapped.  Embedded in struct file (sentry/vfs/file.h) and in the
 * objects of shared anonymous memory.
 */
struct mappable;
struct mappable_ops {
	void (*get)(struct mappable *m);
	void (*put)(struct mappable *m);
	/*
	 * The host FD to map, borrowed, with exactly the rights of the guest's open
	 * file; *host_offset is the object's @offset in it.  Checks @prot and
	 * @shared against the open mode (-EACCES), and -ENODEV when not mappable.
	 */
	int (*host_fd)(struct mappable *m, uint64_t offset, uint64_t size, int prot, bool shared,
		       int *fd, uint64_t *host_offset);
	/* Which of PROT_* an mprotect may later grant a mapping of it. */
	int (*max_prot)(struct mappable *m, bool shared);
	/* For /proc/PID/maps: path into @buf (may be empty), dev and ino. */
	void (*describe)(struct mappable *m, char *buf, size_t size, uint64_t *dev, uint64_t *ino);
	/*
	 * What all mappables of the same memory have in common (a file's inode), for futex
	 * keys; compared only.  NULL: the mappable itself.
	 */
	const void *(*identity)(struct mappable *m);
	/*
	 * A shared mapping that may (come to) write begins, @change 1, or ends, -1: before
	 * host_fd is asked for it, and after the host has unmapped it.  May be called under
	 * mm->lock: takes no lock.  NULL: nobody counts them.
	 */
	void (*count_writer)(struct mappable *m, int change);
	/* msync(MS_SYNC) of a shared mapping.  NULL: nothing to do. */
	int (*sync)(struct mappable *m, uint64_t offset, uint64_t size);
};
struct mappable {
	const struct mappable_ops *ops; /* does not change */
};

enum vma_flags {
	VMA_SHARED = 1 << 0,
	VMA_GROWSDOWN = 1 << 1,
	VMA_LOCKED = 1 << 2,
	VMA_NORESERVE = 1 << 3,
	VMA_DONTFORK = 1 << 4,
	VMA_WIPEONFORK = 1 << 5,
	VMA_DONTDUMP = 1 << 6,
	VMA_CHANGING = 1 << 7, /* between order and settling */
	VMA_HUGEPAGE = 1 << 8,
	VMA_NOHUGEPAGE = 1 << 9,
	VMA_SEALED = 1 << 10, /* mseal: stays where and as it is; inherited; see mm_unseal */
};

struct vma {
	struct list_node node;	/* sorted by start; protected by mm->lock */
	uint64_t start, end;	/* half open, page aligned */
	int prot;		/* LINUX_PROT_* */
	uint32_t flags;		/* enum vma_flags */
	struct mappable *object; /* reference, or NULL for private anonymous memory */
	uint64_t offset;	/* of start in object */
	const char *name;	/* static: "[heap]", "[stack]", "[vdso]", or NULL */
	int max_prot;		/* what mprotect may grant */
};

/* What a core dump takes: bits of core(5), and those of a new system. */
#define MM_DUMP_FILTER_BITS 9
#define MM_DUMP_FILTER_DEFAULT 0x33

struct vma_node;
/* Ordered set of VMAs (sentry/mm/vma_set.h): a list by address and a search tree over it. */
struct vma_set {
	struct list_node list;	/* struct vma by node */
	struct vma_node *root;
	uint32_t count;
};

/* Told when an executable begins and ceases to be an mm's (deny-write count). */
struct mm_exe_ops {
	void (*acquire)(struct mappable *exe); /* called by fork; takes no lock but leaves */
	void (*release)(struct mappable *exe);
};

struct mm {
	struct refcount refs;
	struct platform *platform;	  /* does not change */
	struct address_space *as;	  /* reference; does not change after creation */
	struct mutex lock;		  /* LOCK_RANK_MM */
	struct vma_set vmas;		  /* protected by lock */
	struct list_node changes;	  /* struct mm_change in flight; protected by lock */
	struct wait_queue change_wait;	  /* woken when one settles or a fork ends */
	uint32_t change_waiters;	  /* protected by lock */
	uint32_t forks;			  /* forks under way or waiting: no new change; protected by lock */
	uint32_t lock_future;		  /* mlockall(MCL_FUTURE): VMA_LOCKED or 0; protected by lock */
	_Atomic bool lock_on_fault;	  /* with MCL_ONFAULT: what is mapped is not populated */
	bool fork_unfinished;		  /* mm_fork_finish has something to do; only before start */
	uint64_t total_pages, locked_pages, data_pages, stack_pages; /* protected by lock */
	uint64_t brk_start, brk;	  /* protected by lock */
	uint64_t mmap_base;		  /* top of the mmap area; does not change after exec */
	/* set by the loader, changed by prctl(PR_SET_MM); protected by lock */
	uint64_t start_code, end_code, start_data, end_data, start_stack;
	uint64_t arg_start, arg_end, env_start, env_end;
	uint64_t auxv[64];		  /* key, value pairs, AT_NULL terminated */
	unsigned auxv_count;		  /* in uint64_t */
	guest_addr_t vdso_base, vdso_sigreturn; /* set by the loader */
	bool fixed_layout;		  /* nothing is placed at random; does not change after exec */
	bool clock_offsets;		  /* a time namespace's: the vDSO asks the kernel; set while
					     one task uses the mm */
	struct mappable *exe_file;	  /* reference to the executable's file; protected by lock */
	const struct mm_exe_ops *exe_ops; /* or NULL; changes with exe_file */
	_Atomic uint32_t discards;	  /* counts what may have taken pages away: changes, advice, forks */
	_Atomic bool huge_pages_disabled; /* prctl(PR_SET_THP_DISABLE): kept */
	_Atomic uint32_t dumpable;	  /* 0, 1, 2 as prctl(PR_GET_DUMPABLE) */
	_Atomic uint32_t dump_filter;	  /* /proc/PID/coredump_filter: kept by fork and exec */
	_Atomic uint32_t mdwe;		  /* prctl(PR_SET_MDWE): LINUX_PR_MDWE_* */
	_Atomic uint32_t membarrier;	  /* LINUX_MEMBARRIER_CMD_REGISTER_*, kept by fork */
	void *aio;			  /* private to sentry/fs/aio; set once, under lock */
	_Atomic uint32_t users;		  /* tasks using it; kept by kernel/ */
};

/* A new empty mm over a pristine address space (whose reference it takes). */
int mm_new(struct platform *platform, struct address_space *as, struct mm **out) MUST_CHECK;
/* After context_fork: the child's mm, VMAs as fork(2) has it (DONTFORK, WIPEONFORK
 * are carried out by the child's context before it starts: mm_fork_finish).  Takes
 * the reference on @child_as, on failure too. */
int mm_fork(struct mm *parent, struct address_space *child_as, struct mm **out) MUST_CHECK;
/* Brackets context_fork: waits until nothing is changing and keeps it so. */
int mm_fork_begin(struct mm *mm) MUST_CHECK; /* -EINTR: the task is being killed */
void mm_fork_end(struct mm *mm);
/* Carries out MADV_DONTFORK and MADV_WIPEONFORK in the child's context before its start.
 * A failure makes the caller give the child up. */
int mm_fork_finish(struct mm *child, struct context *child_ctx) MUST_CHECK;
/* What fork and exec pass on of PR_SET_MDWE. */
void mm_inherit_mdwe(struct mm *mm, const struct mm *old);
void mm_get(struct mm *mm);
void mm_put(struct mm *mm);

/* Limits that the caller (kernel) reads from the task. */
struct mm_limits {
	uint64_t address_space; /* RLIMIT_AS, bytes */
	uint64_t data;		/* RLIMIT_DATA */
	uint64_t stack;		/* RLIMIT_STACK */
	uint64_t memlock;	/* RLIMIT_MEMLOCK */
	void (*use_lock_right)(void); /* told when CAP_IPC_LOCK lets something go past memlock; NULL: without it */
	bool personality_read_implies_exec;
};

/* The semantics and errors of the system calls of the same name. */
int mm_mmap(struct mm *mm, struct context *ctx, const struct mm_limits *limits, uint64_t addr,
	    uint64_t size, int prot, int flags, struct mappable *object, uint64_t offset,
	    uint64_t *out) MUST_CHECK;
int mm_munmap(struct mm *mm, struct context *ctx, uint64_t addr, uint64_t size) MUST_CHECK;
int mm_mprotect(struct mm *mm, struct context *ctx, uint64_t addr, uint64_t size, int prot) MUST_CHECK;
int mm_mremap(struct mm *mm, struct context *ctx, const struct mm_limits *limits, uint64_t addr,
	      uint64_t old_size, uint64_t new_size, int flags, uint64_t new_addr, uint64_t *out)
	MUST_CHECK;
/* @ctx NULL: @mm is another process's; for hints only, which are checked and have no effect. */
int mm_madvise(struct mm *mm, struct context *ctx, uint64_t addr, uint64_t size, int advice) MUST_CHECK;
/* Returns the break in force afterwards. */
uint64_t mm_brk(struct mm *mm, struct context *ctx, const struct mm_limits *limits, uint64_t addr);
int mm_mlock(struct mm *mm, struct context *ctx, const struct mm_limits *limits, uint64_t addr, uint64_t size,
	     int flags) MUST_CHECK;
int mm_munlock(struct mm *mm, uint64_t addr, uint64_t size) MUST_CHECK;
int mm_mlockall(struct mm *mm, struct context *ctx, const struct mm_limits *limits, int flags) MUST_CHECK;
int mm_munlockall(struct mm *mm) MUST_CHECK;
int mm_mseal(struct mm *mm, uint64_t addr, uint64_t size, uint64_t flags) MUST_CHECK;
/* For what the kernel itself puts in the place of @vma, a copy. */
int mm_unseal(struct mm *mm, const struct vma *vma) MUST_CHECK;
int mm_msync(struct mm *mm, uint64_t addr, uint64_t size, int flags) MUST_CHECK;
/* Whether @m came from shared_memory_new. */
bool mappable_is_shared_memory(const struct mappable *m);
/* Whether all of [start, end), whole pages, is mapped; with @partly, whether any of it is. */
bool mm_is_mapped(struct mm *mm, uint64_t start, uint64_t end, bool partly);
int mm_mincore(struct mm *mm, uint64_t addr, uint64_t size, guest_addr_t vec) MUST_CHECK;

/*
 * A page fault at @addr with the hardware's @error_code: of the guest, in a FAULT event, or of a call of its
 * that copies.  0: the access is good now, let the guest try again; else it gets its SIGSEGV.
 */
int mm_fault(struct mm *mm, struct context *ctx, const struct mm_limits *limits, uint64_t addr,
	     uint64_t error_code) MUST_CHECK;

/*
 * Copies against the protection of the mapping, as debuggers do: private memory can be written,
 * any be read that mprotect could make readable.  -EFAULT.  @ctx: of the calling thread's task,
 * with registers.
 */
int mm_access_forced(struct mm *mm, struct context *ctx, uint64_t addr, void *buf, size_t size,
		     bool write) MUST_CHECK;

/* For the loader: like mmap with an exact place and a name for maps. */
int mm_map_fixed(struct mm *mm, struct context *ctx, uint64_t addr, uint64_t size, int prot,
		 uint32_t vma_flags, struct mappable *object, uint64_t offset, const char *name) MUST_CHECK;

/* A free range of @size for the loader: top down below mmap_base, or at @hint when that is free. */
int mm_find_free(struct mm *mm, uint64_t hint, uint64_t size, uint64_t *out) MUST_CHECK;
/* Replaces exe_file (taking references of its own); @exe and @ops may be NULL.  @ops->acquire
 * is not called: the caller has done what it does. */
void mm_set_exe_file(struct mm *mm, struct mappable *exe, const struct mm_exe_ops *ops);
/* A reference on the executable's mappable, or NULL. */
struct mappable *mm_exe_file_get(struct mm *mm) MUST_CHECK;

/* Copies the VMA that holds @addr or the next above it; takes a reference on its
 * object (mm_vma_release).  false: none.  For /proc and faults. */
bool mm_find_vma(struct mm *mm, uint64_t addr, struct vma *out) MUST_CHECK;
void mm_vma_release(struct vma *copy);

/* The futex key of an address: for a shared mapping (object, offset), else (mm, address). */
struct memory_key {
	const void *object; /* the mappable or the mm; compared only, a reference is held if object_ref */
	uint64_t offset;
	struct mappable *ref; /* reference or NULL */
};
int mm_memory_key(struct mm *mm, guest_addr_t addr, bool private_only, struct memory_key *out) MUST_CHECK;
void memory_key_release(struct memory_key *key);

/* A host FD for the object shared between all mappings of anonymous MAP_SHARED
 * memory: a memfd of its own. */
int shared_memory_new(uint64_t size, const char *name, struct mappable **out) MUST_CHECK;

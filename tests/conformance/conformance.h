/* SPDX-License-Identifier: Apache-2.0
 *
 * Conformance cases: small pieces of guest code that print what the kernel answered. The same
 * binary runs natively and in the sandbox and the two transcripts must be equal, so a case prints
 * only what has to be equal: results, errno names, modes and sizes; never pids, addresses, inode
 * numbers or times.
 *
 * Every case runs in a process of its own, in an empty scratch directory, as root with a
 * container's usual capabilities (CASE_WITH_SEARCH, CASE_WITH_ADMIN: one more), umask 022, all signals at their defaults, and no file descriptor
 * above 2.
 */
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* Exit status of a case that cannot run; see skip(). */
enum { CONF_SKIP = 77, CONF_SETUP_FAILED = 99 };

struct conf_case {
	const char *name;
	void (*run)(void);
	struct conf_case *next;
	int keeps; /* a capability that no other case has, or -1 */
};

/* A program run by exec: `conformance @NAME ARGS...`. */
struct conf_helper {
	const char *name;
	int (*run)(int argc, char **argv);
	struct conf_helper *next;
};

void conf_register_case(struct conf_case *entry);
void conf_register_helper(struct conf_helper *entry);

#define CASE(id) CONF_CASE(id, -1)
#define CASE_WITH_SEARCH(id) CONF_CASE(id, CAP_DAC_READ_SEARCH)
#define CASE_WITH_ADMIN(id) CONF_CASE(id, CAP_SYS_ADMIN)
#define CONF_CASE(id, capability)                                                  \
	static void case_##id(void);                                               \
	static struct conf_case entry_##id = { #id, case_##id, NULL, capability }; \
	__attribute__((constructor)) static void register_##id(void)   \
	{                                                              \
		conf_register_case(&entry_##id);                       \
	}                                                              \
	static void case_##id(void)

#define HELPER(id)                                                                    \
	static int helper_##id(int argc, char **argv);                                \
	static struct conf_helper helper_entry_##id = { "@" #id, helper_##id, NULL }; \
	__attribute__((constructor)) static void register_helper_##id(void)           \
	{                                                                             \
		conf_register_helper(&helper_entry_##id);                             \
	}                                                                             \
	static int helper_##id(int argc, char **argv)

/* Printing. Each call is one write(2), so that lines of several processes do not mix. None changes
 * errno. */
void note(const char *fmt, ...) PRINTF_LIKE(1, 2);
void show(const char *label, long result);	      /* the value, or -1 and errno's name */
void show_ok(const char *label, long result);	      /* "ok" for any result but -1 */
void show_ptr(const char *label, const void *result); /* as show_ok, for mmap() and friends */
void show_err(const char *label, int error); /* a returned errno (pthreads): 0 or its name */
void show_int(const char *label, long long value);
void show_hex(const char *label, unsigned long long value);
void show_str(const char *label, const char *value);
void show_target_of(const char *label, const char *path); /* what the link says, or -1 and errno's name */
void show_data(const char *label, const void *data,
	       ssize_t size);			 /* escaped bytes; size -1 shows errno */
void show_status(const char *label, int status); /* a wait status in words */
void show_wait(const char *label, pid_t pid);	 /* waits for pid, shows its status */
const char *errno_name(int error);

/* The case cannot run on this machine: prints the reason and exits. */
_Noreturn void skip(const char *reason);

/* For what a case needs but does not test: -1 ends the case with a message. */
#define MUST(expr) conf_must(#expr, (long)(expr))
long conf_must(const char *what, long result);

/* RUN_CHILD("label") { ... } runs the block in a forked child and shows how the child ended. */
#define RUN_CHILD(label) CONF_RUN_CHILD(label, __COUNTER__)
#define CONF_RUN_CHILD(label, n) CONF_RUN_CHILD_NAMED(label, n)
#define CONF_RUN_CHILD_NAMED(label, n)                                        \
	for (int conf_parent_##n = conf_child_begin(label); !conf_parent_##n; \
	     conf_parent_##n = conf_child_end())
int conf_child_begin(const char *label);
int conf_child_end(void);

/* Addresses no process has mapped; opaque to the compiler. */
void *bad_ptr(void);
void *kernel_ptr(void);

/* The running binary, as a path that works from any directory. */
const char *self_exe(void);

/* Gives up root: real, effective and saved ids become id, supplementary groups none, capabilities
 * none. */
void become_user(unsigned int id);

/* Creates or overwrites a file. */
void write_file(const char *path, const char *text, mode_t mode);
/* Shows at most 255 bytes of a file. */
void show_file(const char *label, const char *path);
/* Goes on in a directory of a tmpfs, whatever file system the cases run on. */
void use_tmpfs(void);
/* Mode in octal, link count and size. */
void show_stat(const char *label, const char *path);

/* Returns when thread tid of process pid sleeps (or is gone), or after some seconds. */
void wait_blocked(pid_t pid, pid_t tid);
/* The same for the states named by the letters of /proc/PID/stat: one that only death interrupts
 * sleeps in D, as a parent does behind vfork. */
void wait_state(pid_t pid, pid_t tid, const char *states);
void sleep_ms(long ms);
pid_t get_tid(void);

/* Monotonic milliseconds, for "did it wait at all" checks only. */
long long now_ms(void);

/* Driver modes; see driver.c and native.c. */
const struct conf_case *conf_first_case(void);
const struct conf_case *conf_find_case(const char *name);
const struct conf_helper *conf_find_helper(const char *name);
void conf_set_self(const char *argv0);
int conf_drive(int count, char **names);
int conf_native(int argc, char **argv);

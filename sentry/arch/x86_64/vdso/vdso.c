/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's vDSO: runs in guest code, on whatever stack the caller has, so each
 * function is a jump into the host's vDSO or a system call; it keeps no stack
 * frame and touches no register the C ABI does not let it.  Built as a shared object
 * of its own without libc and without relocations; see vdso.lds.
 */
#include <stdint.h>

#include "sentry/arch/x86_64/vdso/vdso_data.h"

#define SYS_GETTIMEOFDAY 96
#define SYS_TIME 201
#define SYS_CLOCK_GETTIME 228
#define SYS_CLOCK_GETRES 229
#define SYS_GETCPU 309

__attribute__((section(".vdso_data"), used, visibility("hidden")))
const volatile struct vdso_data vdso_data = { .magic = VDSO_DATA_MAGIC };

static inline __attribute__((always_inline)) long system_call(long nr, uint64_t a, uint64_t b,
							      uint64_t c)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return result;
}

typedef int (*call2_fn)(uint64_t a, uint64_t b);
typedef int (*call3_fn)(uint64_t a, uint64_t b, uint64_t c);
typedef long (*call1_fn)(uint64_t a);

#define EXPORT __attribute__((visibility("default"), used))
#define WEAK_ALIAS(name) __attribute__((visibility("default"), weak, alias(#name)))

EXPORT int __vdso_clock_gettime(uint64_t clock, uint64_t ts);
EXPORT int __vdso_clock_gettime(uint64_t clock, uint64_t ts)
{
	call2_fn fn = (call2_fn)vdso_data.clock_gettime;

	if (__builtin_expect(fn != 0, 1))
		return fn(clock, ts);
	return (int)system_call(SYS_CLOCK_GETTIME, clock, ts, 0);
}

EXPORT int __vdso_gettimeofday(uint64_t tv, uint64_t tz);
EXPORT int __vdso_gettimeofday(uint64_t tv, uint64_t tz)
{
	call2_fn fn = (call2_fn)vdso_data.gettimeofday;

	if (__builtin_expect(fn != 0, 1))
		return fn(tv, tz);
	return (int)system_call(SYS_GETTIMEOFDAY, tv, tz, 0);
}

EXPORT long __vdso_time(uint64_t t);
EXPORT long __vdso_time(uint64_t t)
{
	call1_fn fn = (call1_fn)vdso_data.time;

	if (__builtin_expect(fn != 0, 1))
		return fn(t);
	return system_call(SYS_TIME, t, 0, 0);
}

EXPORT int __vdso_clock_getres(uint64_t clock, uint64_t res);
EXPORT int __vdso_clock_getres(uint64_t clock, uint64_t res)
{
	call2_fn fn = (call2_fn)vdso_data.clock_getres;

	if (__builtin_expect(fn != 0, 1))
		return fn(clock, res);
	return (int)system_call(SYS_CLOCK_GETRES, clock, res, 0);
}

EXPORT int __vdso_getcpu(uint64_t cpu, uint64_t node, uint64_t unused);
EXPORT int __vdso_getcpu(uint64_t cpu, uint64_t node, uint64_t unused)
{
	call3_fn fn = (call3_fn)vdso_data.getcpu;

	if (__builtin_expect(fn != 0, 1))
		return fn(cpu, node, unused);
	return (int)system_call(SYS_GETCPU, cpu, node, unused);
}

/* The names without prefix, as Linux exports them. */
int clock_gettime(uint64_t, uint64_t) WEAK_ALIAS(__vdso_clock_gettime);
int gettimeofday(uint64_t, uint64_t) WEAK_ALIAS(__vdso_gettimeofday);
long time(uint64_t) WEAK_ALIAS(__vdso_time);
int clock_getres(uint64_t, uint64_t) WEAK_ALIAS(__vdso_clock_getres);
int getcpu(uint64_t, uint64_t, uint64_t) WEAK_ALIAS(__vdso_getcpu);

/* Where a handler without SA_RESTORER returns to. */
__asm__(".pushsection .vdso_sigreturn, \"ax\", @progbits\n"
	"mov $15, %eax\n"
	"syscall\n"
	"ud2\n"
	".popsection\n");

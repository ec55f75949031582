/* SPDX-License-Identifier: Apache-2.0 */
/* What a program asks of the system as a whole: names, log, random bytes, CPU. */
#include <stdio.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/prctl.h"
#include "sentry/abi/resource.h"
#include "sentry/host/host_clock.h"
#include "sentry/host/host_memory.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/klog.h"
#include "sentry/syscalls/handlers.h"
#include "util/checked.h"

/* --- names ------------------------------------------------------------------------- */

/* What UNAME26 makes of a release: programs of old that know no number behind 2.6 (2.6.40 was 3.0). */
static void old_release(char *release, size_t size)
{
	unsigned minor = 0;
	const char *rest = strchr(GUEST_RELEASE, '.');
	unsigned dots = 0;

	for (const char *p = rest ? rest + 1 : ""; *p >= '0' && *p <= '9'; p++)
		minor = minor * 10 + (unsigned)(*p - '0');
	for (rest = GUEST_RELEASE; *rest == '.' || (*rest >= '0' && *rest <= '9'); rest++) {
		if (*rest == '.' && ++dots >= 3)
			break;
	}
	snprintf(release, size, "2.6.%u%s", minor + 60, rest);
}

int64_t sys_uname(struct task *t, const struct syscall_args *a)
{
	struct uts_namespace *uts = t->namespaces->uts;
	struct linux_utsname name;

	memset(&name, 0, sizeof(name));
	memcpy(name.sysname, GUEST_SYSNAME, sizeof(GUEST_SYSNAME));
	memcpy(name.release, GUEST_RELEASE, sizeof(GUEST_RELEASE));
	memcpy(name.version, GUEST_VERSION, sizeof(GUEST_VERSION));
	memcpy(name.machine, GUEST_MACHINE, sizeof(GUEST_MACHINE));
	if ((t->personality & LINUX_PER_MASK) == LINUX_PER_LINUX32)
		memcpy(name.machine, GUEST_MACHINE_32, sizeof(GUEST_MACHINE_32));
	if (t->personality & LINUX_UNAME26)
		old_release(name.release, sizeof(name.release));
	mutex_lock(&uts->lock);
	memcpy(name.nodename, uts->nodename, sizeof(name.nodename));
	memcpy(name.domainname, uts->domainname, sizeof(name.domainname));
	mutex_unlock(&uts->lock);
	return copy_out(t->mm, arg_addr(a, 0), &name, sizeof(name));
}

static int64_t set_name(struct task *t, const struct syscall_args *a, bool domain)
{
	struct uts_namespace *uts = t->namespaces->uts;
	char name[UTS_NAME_SIZE] = { 0 };
	int32_t size = arg_int(a, 1);
	int rc;

	if (!credentials_ns_capable(t->cred, uts->user_ns, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	if (size < 0 || size > UTS_NAME_SIZE - 1)
		return -EINVAL;
	rc = copy_in(t->mm, name, arg_addr(a, 0), (size_t)size);
	if (rc)
		return rc;
	mutex_lock(&uts->lock);
	memcpy(domain ? uts->domainname : uts->nodename, name, sizeof(name));
	mutex_unlock(&uts->lock);
	return 0;
}

int64_t sys_sethostname(struct task *t, const struct syscall_args *a)
{
	return set_name(t, a, false);
}

int64_t sys_setdomainname(struct task *t, const struct syscall_args *a)
{
	return set_name(t, a, true);
}

/* --- log ---------------------------------------------------------------------------- */

#define SYSLOG_READ 2
#define SYSLOG_READ_ALL 3
#define SYSLOG_READ_CLEAR 4
#define SYSLOG_CLEAR 5
#define SYSLOG_CONSOLE_OFF 6
#define SYSLOG_CONSOLE_ON 7
#define SYSLOG_CONSOLE_LEVEL 8
#define SYSLOG_SIZE_UNREAD 9
#define SYSLOG_SIZE_BUFFER 10

static _Atomic size_t log_cleared; /* what SYSLOG_READ_ALL starts at */
static _Atomic size_t log_read;	   /* what SYSLOG_READ starts at */

static int64_t read_log(struct task *t, const struct syscall_args *a, int type)
{
	size_t size, start = type == SYSLOG_READ ? atomic_load(&log_read) : atomic_load(&log_cleared);
	const char *text = klog_text(&size);
	int32_t room = arg_int(a, 2);
	int rc;

	if (!a->v[1] || room < 0)
		return -EINVAL;
	if (!room)
		return 0;
	text += start;
	size -= start;
	/* The last lines that fit; for a read, the first bytes. */
	if (size > (size_t)room && type != SYSLOG_READ) {
		text += size - (size_t)room;
		size = (size_t)room;
		while (size && text[-1] != '\n') {
			text++;
			size--;
		}
	}
	size = MIN(size, (size_t)room);
	rc = copy_out(t->mm, arg_addr(a, 1), text, size);
	if (rc)
		return rc;
	if (type == SYSLOG_READ)
		atomic_store(&log_read, start + size);
	if (type == SYSLOG_READ_CLEAR)
		atomic_store(&log_cleared, start + size);
	return (int64_t)size;
}

int64_t sys_syslog(struct task *t, const struct syscall_args *a)
{
	int32_t type = arg_int(a, 0);
	size_t size;

	klog_text(&size);
	if (type != SYSLOG_READ_ALL && type != SYSLOG_SIZE_BUFFER &&
	    !credentials_root_capable(t->cred, LINUX_CAP_SYSLOG) &&
	    !credentials_root_capable(t->cred, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	switch (type) {
	case 0:
	case 1:
	case SYSLOG_CONSOLE_OFF:
	case SYSLOG_CONSOLE_ON:
		return 0;
	case SYSLOG_READ:
	case SYSLOG_READ_ALL:
	case SYSLOG_READ_CLEAR:
		return read_log(t, a, type);
	case SYSLOG_CLEAR:
		atomic_store(&log_cleared, size);
		return 0;
	case SYSLOG_CONSOLE_LEVEL:
		return arg_int(a, 2) < 1 || arg_int(a, 2) > 8 ? -EINVAL : 0;
	case SYSLOG_SIZE_UNREAD:
		return (int64_t)(size - atomic_load(&log_read));
	case SYSLOG_SIZE_BUFFER:
		return 1 << 14;
	default:
		return -EINVAL;
	}
}

/* --- random -------------------------------------------------------------------------- */

#define GRND_KNOWN 7U
#define GRND_RANDOM 2U
#define GRND_INSECURE 4U

int64_t sys_getrandom(struct task *t, const struct syscall_args *a)
{
	uint64_t size = MIN(a->v[1], IO_MAX_COUNT), done = 0;
	uint32_t flags = arg_u32(a, 2);
	uint8_t part[256];

	if (flags & ~GRND_KNOWN)
		return -EINVAL;
	if ((flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	while (done < size) {
		size_t want = (size_t)MIN(size - done, sizeof(part));
		ssize_t got;

		host_random(part, want);
		got = copy_out_partial(t->mm, guest_add(arg_addr(a, 0), done), part, want);
		if (got <= 0)
			break;
		done += (uint64_t)got;
		if ((size_t)got < want || (done >= GUEST_PAGE_SIZE && signal_interrupts(t)))
			break;
	}
	return done || !size ? (int64_t)done : -EFAULT;
}

/* --- CPU, memory, personality ---------------------------------------------------------- */

/*
 * The guest's CPUs are numbers of its own: the host's one that the thread ran on, folded into their range,
 * when the affinity allows it, else the first that it does.
 */
static uint32_t current_cpu(struct task *t)
{
	uint32_t cpu = context_cpu(t->context) % t->kernel->cpus;

	mutex_lock(&t->lock);
	if (!(t->cpu_mask[cpu / 64 % 16] & 1ULL << (cpu % 64)))
		for (unsigned i = 0; i < 16; i++)
			if (t->cpu_mask[i]) {
				cpu = i * 64 + (uint32_t)__builtin_ctzll(t->cpu_mask[i]);
				break;
			}
	mutex_unlock(&t->lock);
	return cpu;
}

int64_t sys_getcpu(struct task *t, const struct syscall_args *a)
{
	uint32_t cpu = current_cpu(t);
	int rc = 0;

	if (a->v[0])
		rc = copy_out_u32(t->mm, arg_addr(a, 0), cpu);
	if (!rc && a->v[1])
		rc = copy_out_u32(t->mm, arg_addr(a, 1), 0);
	return rc;
}

/*
 * Restartable sequences need the host's help at every preemption.  Registering the guest's area
 * with the host would give it, and be safe; but then the host writes the numbers of its own CPUs
 * there, which the guest's (current_cpu()) are not.  So there are none, as on a kernel without
 * CONFIG_RSEQ, but a bad registration is still called bad.
 */
int64_t sys_rseq(struct task *t, const struct syscall_args *a)
{
	uint64_t area = a->v[0];
	uint32_t size = arg_u32(a, 1), max_align = LINUX_RSEQ_ALIGN;

	/* Nothing is registered that could be taken back. */
	if (arg_u32(a, 2))
		return -EINVAL;
	if (size < LINUX_RSEQ_SIZE_ORIGINAL || area % max_align)
		return -EINVAL;
	if (area >= platform_address_max().v || platform_address_max().v - area < size)
		return -EFAULT;
	return -ENOSYS;
}

int64_t sys_personality(struct task *t, const struct syscall_args *a)
{
	uint32_t old = t->personality;

	if (arg_u32(a, 0) != 0xffffffffU)
		t->personality = arg_u32(a, 0);
	return old;
}

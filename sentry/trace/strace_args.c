/* SPDX-License-Identifier: Apache-2.0 */
/* See strace_args.h: a formatter per argument type. */
#include "sentry/trace/strace_args.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sentry/mm/usercopy.h"

#define STRING_SHOWN 32
#define ITEMS_SHOWN 8

struct flag_name {
	uint64_t bit;
	const char *name;
};

static const struct flag_name open_flags[] = {
	{ 1, "O_WRONLY" },	   { 2, "O_RDWR" },	     { 0100, "O_CREAT" },
	{ 0200, "O_EXCL" },	   { 0400, "O_NOCTTY" },     { 01000, "O_TRUNC" },
	{ 02000, "O_APPEND" },	   { 04000, "O_NONBLOCK" },  { 010000, "O_DSYNC" },
	{ 040000, "O_DIRECT" },	   { 0100000, "O_LARGEFILE" }, { 0200000, "O_DIRECTORY" },
	{ 0400000, "O_NOFOLLOW" }, { 01000000, "O_NOATIME" }, { 02000000, "O_CLOEXEC" },
	{ 010000000, "O_PATH" },
};

static const struct flag_name prot_flags[] = {
	{ 1, "PROT_READ" }, { 2, "PROT_WRITE" }, { 4, "PROT_EXEC" },
};

static const struct flag_name map_flags[] = {
	{ 1, "MAP_SHARED" },	   { 2, "MAP_PRIVATE" },	 { 0x10, "MAP_FIXED" },
	{ 0x20, "MAP_ANONYMOUS" }, { 0x100, "MAP_GROWSDOWN" },	 { 0x800, "MAP_DENYWRITE" },
	{ 0x4000, "MAP_NORESERVE" }, { 0x8000, "MAP_POPULATE" }, { 0x20000, "MAP_STACK" },
	{ 0x100000, "MAP_FIXED_NOREPLACE" },
};

static const struct flag_name clone_flags[] = {
	{ 0x100, "CLONE_VM" },		    { 0x200, "CLONE_FS" },
	{ 0x400, "CLONE_FILES" },	    { 0x800, "CLONE_SIGHAND" },
	{ 0x1000, "CLONE_PIDFD" },	    { 0x4000, "CLONE_VFORK" },
	{ 0x8000, "CLONE_PARENT" },	    { 0x10000, "CLONE_THREAD" },
	{ 0x20000, "CLONE_NEWNS" },	    { 0x40000, "CLONE_SYSVSEM" },
	{ 0x80000, "CLONE_SETTLS" },	    { 0x100000, "CLONE_PARENT_SETTID" },
	{ 0x200000, "CLONE_CHILD_CLEARTID" }, { 0x1000000, "CLONE_CHILD_SETTID" },
	{ 0x4000000, "CLONE_NEWUTS" },	    { 0x8000000, "CLONE_NEWIPC" },
	{ 0x10000000, "CLONE_NEWUSER" },    { 0x20000000, "CLONE_NEWPID" },
	{ 0x40000000, "CLONE_NEWNET" },
};

static const char *const futex_ops[] = {
	"FUTEX_WAIT", "FUTEX_WAKE", "FUTEX_FD", "FUTEX_REQUEUE", "FUTEX_CMP_REQUEUE",
	"FUTEX_WAKE_OP", "FUTEX_LOCK_PI", "FUTEX_UNLOCK_PI", "FUTEX_TRYLOCK_PI",
	"FUTEX_WAIT_BITSET", "FUTEX_WAKE_BITSET", "FUTEX_WAIT_REQUEUE_PI",
	"FUTEX_CMP_REQUEUE_PI", "FUTEX_LOCK_PI2",
};

static void format_flags(const struct flag_name *names, size_t count, uint64_t v,
			 const char *zero, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < count && used < size; i++) {
		if (!(v & names[i].bit))
			continue;
		v &= ~names[i].bit;
		used += (size_t)snprintf(buf + used, size - used, "%s%s", used ? "|" : "",
					 names[i].name);
	}
	if (v && used < size)
		snprintf(buf + used, size - used, "%s%#" PRIx64, used ? "|" : "", v);
	else if (used == 0)
		snprintf(buf, size, "%s", zero);
}

/* Printable text of bytes, quoted; cut when longer than shown. */
static void format_bytes(const char *bytes, size_t count, bool cut, char *buf, size_t size)
{
	size_t used = 1;

	buf[0] = '"';
	for (size_t i = 0; i < count && used + 8 < size; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c == '\n')
			used += (size_t)snprintf(buf + used, size - used, "\\n");
		else if (c == '"' || c == '\\')
			used += (size_t)snprintf(buf + used, size - used, "\\%c", c);
		else if (c >= ' ' && c < 127)
			buf[used++] = (char)c;
		else
			used += (size_t)snprintf(buf + used, size - used, "\\%o", c);
	}
	snprintf(buf + used, size - used, "\"%s", cut ? "..." : "");
}

static void format_string(struct task *t, uint64_t addr, char *buf, size_t size)
{
	char text[128];
	ssize_t n = addr ? copy_in_str(t->mm, text, guest_addr(addr), sizeof(text)) : -EFAULT;

	if (addr == 0)
		snprintf(buf, size, "NULL");
	else if (n >= 0 || n == -ENAMETOOLONG)
		format_bytes(text, strnlen(text, sizeof(text)), n < 0, buf, size);
	else
		snprintf(buf, size, "%#" PRIx64, addr);
}

static void format_data(struct task *t, uint64_t addr, uint64_t count, char *buf, size_t size)
{
	char bytes[STRING_SHOWN];
	size_t shown = MIN(count, sizeof(bytes));
	ssize_t n = shown ? copy_in_partial(t->mm, bytes, guest_addr(addr), shown) : 0;

	if (n < 0)
		snprintf(buf, size, "%#" PRIx64, addr);
	else
		format_bytes(bytes, (size_t)n, count > shown, buf, size);
}

static void format_vector(struct task *t, uint64_t addr, char *buf, size_t size)
{
	size_t used = 1;
	uint64_t item;

	snprintf(buf, size, "[");
	for (unsigned i = 0; i < ITEMS_SHOWN && used < size; i++) {
		char text[64];

		if (copy_in_u64(t->mm, &item, guest_addr(addr + 8UL * i)) < 0 || item == 0)
			break;
		format_string(t, item, text, sizeof(text));
		used += (size_t)snprintf(buf + used, size - used, "%s%s", i ? ", " : "", text);
	}
	if (used < size)
		snprintf(buf + used, size - used, "]");
}

static void format_timespec(struct task *t, uint64_t addr, char *buf, size_t size)
{
	int64_t ts[2];

	if (addr == 0)
		snprintf(buf, size, "NULL");
	else if (copy_in(t->mm, ts, guest_addr(addr), sizeof(ts)) < 0)
		snprintf(buf, size, "%#" PRIx64, addr);
	else
		snprintf(buf, size, "{%" PRId64 ", %" PRId64 "}", ts[0], ts[1]);
}

static void format_sigset(struct task *t, uint64_t addr, char *buf, size_t size)
{
	uint64_t set;

	if (addr == 0)
		snprintf(buf, size, "NULL");
	else if (copy_in_u64(t->mm, &set, guest_addr(addr)) < 0)
		snprintf(buf, size, "%#" PRIx64, addr);
	else
		snprintf(buf, size, "[%#" PRIx64 "]", set);
}

static void format_futex_op(uint64_t v, char *buf, size_t size)
{
	uint64_t op = v & 0x7f;

	if (op < ARRAY_SIZE(futex_ops))
		snprintf(buf, size, "%s%s%s", futex_ops[op], v & 128 ? "_PRIVATE" : "",
			 v & 256 ? "|FUTEX_CLOCK_REALTIME" : "");
	else
		snprintf(buf, size, "%#" PRIx64, v);
}

static void format_open_flags(uint64_t v, char *buf, size_t size)
{
	if ((v & 3) == 0)
		format_flags(open_flags, ARRAY_SIZE(open_flags), v, "O_RDONLY", buf, size);
	else
		format_flags(open_flags, ARRAY_SIZE(open_flags), v, "", buf, size);
}

static uint64_t next_value(const struct syscall_args *a, unsigned i)
{
	return i + 1 < 6 ? a->v[i + 1] : 0;
}

void strace_format_argument(struct task *t, const struct syscall_entry *entry,
			    const struct syscall_args *a, unsigned i, char *buf, size_t size)
{
	uint64_t v = a->v[i];

	switch ((enum arg_type)entry->arg_types[i]) {
	case ARG_DIRFD:
		if ((int32_t)v == LINUX_AT_FDCWD) {
			snprintf(buf, size, "AT_FDCWD");
			break;
		}
		snprintf(buf, size, "%d", (int32_t)v);
		break;
	case ARG_INT:
	case ARG_FD:
	case ARG_PID:
	case ARG_SIGNAL:
	case ARG_WHENCE:
	case ARG_CLOCK:
	case ARG_RESOURCE:
	case ARG_CMD:
		snprintf(buf, size, "%d", (int32_t)v);
		break;
	case ARG_UINT:
		snprintf(buf, size, "%u", (uint32_t)v);
		break;
	case ARG_SIZE:
	case ARG_OFFSET:
		snprintf(buf, size, "%" PRId64, (int64_t)v);
		break;
	case ARG_MODE:
		snprintf(buf, size, "%04o", (unsigned)v);
		break;
	case ARG_PATH:
	case ARG_STR:
		format_string(t, v, buf, size);
		break;
	case ARG_OPEN_FLAGS:
		format_open_flags(v, buf, size);
		break;
	case ARG_PROT:
		format_flags(prot_flags, ARRAY_SIZE(prot_flags), v, "PROT_NONE", buf, size);
		break;
	case ARG_MAP_FLAGS:
		format_flags(map_flags, ARRAY_SIZE(map_flags), v, "0", buf, size);
		break;
	case ARG_CLONE_FLAGS:
		format_flags(clone_flags, ARRAY_SIZE(clone_flags), v & ~0xffULL, "0", buf, size);
		break;
	case ARG_BUF_IN:
		format_data(t, v, next_value(a, i), buf, size);
		break;
	case ARG_ARGV:
		format_vector(t, v, buf, size);
		break;
	case ARG_TIMESPEC:
	case ARG_TIMEVAL:
		format_timespec(t, v, buf, size);
		break;
	case ARG_SIGSET:
		format_sigset(t, v, buf, size);
		break;
	case ARG_FUTEX_OP:
		format_futex_op(v, buf, size);
		break;
	default:
		if (v == 0)
			snprintf(buf, size, "NULL");
		else
			snprintf(buf, size, "%#" PRIx64, v);
		break;
	}
}

void strace_format_output(struct task *t, const struct syscall_entry *entry,
			  const struct syscall_args *a, int64_t result, char *buf, size_t size)
{
	for (unsigned i = 0; i < entry->arg_count; i++) {
		if (entry->arg_types[i] != ARG_BUF_OUT)
			continue;
		if (result > 0)
			format_data(t, a->v[i], (uint64_t)result, buf, size);
		else
			snprintf(buf, size, "%#" PRIx64, a->v[i]);
		return;
	}
	buf[0] = '\0';
}

void strace_format_result(int64_t result, char *buf, size_t size)
{
	if (result == -SYSCALL_NO_RETURN || result == -SYSCALL_EXITED)
		snprintf(buf, size, "?");
	else if (result >= -4095 && result < 0 && strerrorname_np((int)-result))
		snprintf(buf, size, "-1 %s", strerrorname_np((int)-result));
	else if (result >= -4095 && result < 0)
		snprintf(buf, size, "? (restart %d)", (int)-result);
	else if (result > 0xffff || result < 0)
		snprintf(buf, size, "%#" PRIx64, (uint64_t)result);
	else
		snprintf(buf, size, "%" PRId64, result);
}

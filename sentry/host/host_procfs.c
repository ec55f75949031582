/* SPDX-License-Identifier: Apache-2.0 */
/* See host_procfs.h.  The FD is written once at boot, so there is no lock. */
#include "sentry/host/host_procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "util/checked.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

#define PROC_MAGIC 0x9fa0
#define TICK_NS (1000000000ULL / 100)
#define NAME_SIZE 64
#define STAT_SIZE 1024
#define STATUS_SIZE 8192
#define SMAPS_CHUNK 65536
#define SMAPS_ENTRIES_MAX (1U << 20)
#define PAGE_SHIFT 12
#define PAGEMAP_BATCH 512

static int proc_fd = -1;

const char *const host_smaps_names[SMAPS_FIELD_COUNT] = {
	[SMAPS_RSS] = "Rss",
	[SMAPS_PSS] = "Pss",
	[SMAPS_PSS_DIRTY] = "Pss_Dirty",
	[SMAPS_SHARED_CLEAN] = "Shared_Clean",
	[SMAPS_SHARED_DIRTY] = "Shared_Dirty",
	[SMAPS_PRIVATE_CLEAN] = "Private_Clean",
	[SMAPS_PRIVATE_DIRTY] = "Private_Dirty",
	[SMAPS_REFERENCED] = "Referenced",
	[SMAPS_ANONYMOUS] = "Anonymous",
	[SMAPS_LAZY_FREE] = "LazyFree",
	[SMAPS_ANON_HUGE] = "AnonHugePages",
	[SMAPS_SHMEM_HUGE] = "ShmemPmdMapped",
	[SMAPS_FILE_HUGE] = "FilePmdMapped",
	[SMAPS_SWAP] = "Swap",
	[SMAPS_SWAP_PSS] = "SwapPss",
	[SMAPS_LOCKED] = "Locked",
};

/* --- the directory --------------------------------------------------------------- */

static int open_if_procfs(const char *path)
{
	AUTO_CLOSE int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statfs st;

	if (fd < 0 || fstatfs(fd, &st) < 0)
		return -errno;
	return st.f_type == PROC_MAGIC ? move_fd(&fd) : -ENOENT;
}

int host_procfs_open(void)
{
	int fd = open_if_procfs("/proc");

	if (fd < 0)
		fd = open_if_procfs("/");
	if (fd < 0)
		return fd;
	host_procfs_set(fd);
	return 0;
}

void host_procfs_set(int fd)
{
	if (proc_fd >= 0)
		close(proc_fd);
	proc_fd = fd;
}

int host_procfs_fd(void)
{
	return proc_fd;
}

/* --- reading ----------------------------------------------------------------------- */

/* PID/@leaf, or PID/task/TID/@leaf. */
static int open_leaf(pid_t pid, pid_t tid, const char *leaf)
{
	char name[NAME_SIZE];
	int fd;

	if (pid <= 0 || proc_fd < 0)
		return -ESRCH;
	if (tid)
		snprintf(name, sizeof(name), "%d/task/%d/%s", pid, tid, leaf);
	else
		snprintf(name, sizeof(name), "%d/%s", pid, leaf);
	fd = openat(proc_fd, name, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static ssize_t read_some(int fd, char *buf, size_t size)
{
	ssize_t n;

	do
		n = read(fd, buf, size);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* A file of one record, of which one read gives all that fits; NUL-terminated.  Its size. */
static ssize_t read_leaf(pid_t pid, pid_t tid, const char *leaf, char *buf, size_t size)
{
	AUTO_CLOSE int fd = open_leaf(pid, tid, leaf);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = read_some(fd, buf, size - 1);
	if (n >= 0)
		buf[n] = '\0';
	return n;
}

/* Decimal numbers with space between them; how many there are, at most @max. */
static unsigned parse_numbers(const char *at, uint64_t *fields, unsigned max)
{
	unsigned count = 0;

	while (count < max && *at) {
		char *end;

		fields[count] = strtoull(at, &end, 10);
		if (end == at)
			break;
		at = end;
		count++;
	}
	return count;
}

/* Numbers of stat after the name: fields 4 and up (3 is the state letter). */
static unsigned parse_stat(const char *text, uint64_t *fields, unsigned max)
{
	const char *at = strrchr(text, ')');

	return at && at[1] == ' ' && at[2] ? parse_numbers(at + 3, fields, max) : 0;
}

enum stat_field { /* index in what parse_stat gives */
	STAT_MINFLT = 10 - 4,
	STAT_MAJFLT = 12 - 4,
	STAT_UTIME = 14 - 4,
	STAT_STIME = 15 - 4,
	STAT_RSS = 24 - 4,
	STAT_FIELDS,
	STAT_PROCESSOR = 39 - 4,
};

void host_procfs_usage(pid_t pid, pid_t tid, struct host_usage *out)
{
	char text[STAT_SIZE];
	uint64_t fields[STAT_FIELDS];

	*out = (struct host_usage){ 0 };
	if (read_leaf(pid, tid, "stat", text, sizeof(text)) <= 0 ||
	    parse_stat(text, fields, STAT_FIELDS) < STAT_FIELDS)
		return;
	out->minor_faults = fields[STAT_MINFLT];
	out->major_faults = fields[STAT_MAJFLT];
	out->user_ns = fields[STAT_UTIME] * TICK_NS;
	out->system_ns = fields[STAT_STIME] * TICK_NS;
	out->rss_pages = fields[STAT_RSS];
}

int host_procfs_cpu(pid_t pid, pid_t tid)
{
	char text[STAT_SIZE];
	uint64_t fields[STAT_PROCESSOR + 1];

	if (read_leaf(pid, tid, "stat", text, sizeof(text)) <= 0 ||
	    parse_stat(text, fields, STAT_PROCESSOR + 1) <= STAT_PROCESSOR)
		return 0;
	return (int)fields[STAT_PROCESSOR];
}

void host_procfs_statm(pid_t pid, struct host_statm *out)
{
	char text[STAT_SIZE];
	uint64_t pages[3]; /* size, resident, shared */

	*out = (struct host_statm){ 0 };
	if (read_leaf(pid, 0, "statm", text, sizeof(text)) <= 0 || parse_numbers(text, pages, 3) < 3)
		return;
	out->rss_pages = pages[1];
	out->shared_pages = pages[2];
}

/* --- where it is ------------------------------------------------------------------------- */

/* "NR ARG0 ... ARG5 SP IP", or "-1 SP IP" outside of a call, or "running". */
int host_procfs_stack_pointer(pid_t pid, pid_t tid, uint64_t *out)
{
	char text[STAT_SIZE], *ip, *sp;
	ssize_t n = read_leaf(pid, tid, "syscall", text, sizeof(text));

	if (n < 0)
		return (int)n;
	ip = strrchr(text, ' ');
	if (!ip)
		return -EAGAIN;
	*ip = '\0';
	sp = strrchr(text, ' ');
	if (!sp)
		return -EAGAIN;
	*out = strtoull(sp + 1, NULL, 16);
	return 0;
}

/* --- status ----------------------------------------------------------------------------- */

void host_procfs_memory(pid_t pid, struct host_memory *out)
{
	static const struct {
		const char *key;
		size_t offset;
	} keys[] = {
		{ "VmPeak:", offsetof(struct host_memory, peak_kb) },
		{ "VmSize:", offsetof(struct host_memory, size_kb) },
		{ "VmHWM:", offsetof(struct host_memory, high_water_kb) },
		{ "VmRSS:", offsetof(struct host_memory, rss_kb) },
		{ "RssAnon:", offsetof(struct host_memory, anonymous_kb) },
		{ "RssFile:", offsetof(struct host_memory, file_kb) },
		{ "RssShmem:", offsetof(struct host_memory, shmem_kb) },
		{ "VmPTE:", offsetof(struct host_memory, pte_kb) },
		{ "VmSwap:", offsetof(struct host_memory, swap_kb) },
		{ "voluntary_ctxt_switches:", offsetof(struct host_memory, voluntary_switches) },
		{ "nonvoluntary_ctxt_switches:", offsetof(struct host_memory, involuntary_switches) },
	};
	char text[STATUS_SIZE], *save = NULL;

	*out = (struct host_memory){ 0 };
	if (read_leaf(pid, 0, "status", text, sizeof(text)) <= 0)
		return;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
			size_t size = strlen(keys[i].key);

			if (!strncmp(line, keys[i].key, size))
				*(uint64_t *)(void *)((char *)out + keys[i].offset) =
					strtoull(line + size, NULL, 10);
		}
	}
}

/* --- smaps -------------------------------------------------------------------------------- */

struct smaps_list {
	struct host_smaps_entry *entries; /* owned */
	size_t count, capacity;
	uint64_t start; /* mappings that end below are left out */
	size_t limit;
	bool skipping; /* fields belong to one that is left out */
};

/* 1: there are enough. */
static int smaps_new_entry(struct smaps_list *l, uint64_t start, uint64_t end)
{
	l->skipping = end <= l->start;
	if (l->skipping)
		return 0;
	if (l->count == l->limit)
		return 1;
	if (l->count == l->capacity) {
		size_t capacity = l->capacity ? 2 * l->capacity : 64;
		struct host_smaps_entry *grown;

		if (capacity > SMAPS_ENTRIES_MAX)
			return -E2BIG;
		grown = realloc(l->entries, capacity * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		l->entries = grown;
		l->capacity = capacity;
	}
	l->entries[l->count++] = (struct host_smaps_entry){ .start = start, .end = end };
	return 0;
}

static void smaps_field(struct host_smaps_entry *e, const char *line)
{
	const char *colon = strchr(line, ':');

	if (!colon)
		return;
	for (unsigned i = 0; i < SMAPS_FIELD_COUNT; i++) {
		size_t size = strlen(host_smaps_names[i]);

		if ((size_t)(colon - line) == size && !memcmp(line, host_smaps_names[i], size)) {
			e->kb[i] = strtoull(colon + 1, NULL, 10);
			return;
		}
	}
}

static int smaps_line(struct smaps_list *l, const char *line)
{
	uint64_t start;
	char *dash;

	/* fields begin with a capital letter; a range's digits are lower case */
	if (*line >= 'A' && *line <= 'Z') {
		if (l->count && !l->skipping)
			smaps_field(&l->entries[l->count - 1], line);
		return 0;
	}
	start = strtoull(line, &dash, 16);
	return *dash == '-' ? smaps_new_entry(l, start, strtoull(dash + 1, NULL, 16)) : 0;
}

/* Takes whole lines off the buffer; what is left of an incomplete one moves to its start. */
static int smaps_lines(struct smaps_list *l, char *buf, size_t *used)
{
	char *at = buf, *end;
	int rc = 0;

	while (rc == 0 && (end = memchr(at, '\n', *used - (size_t)(at - buf)))) {
		*end = '\0';
		rc = smaps_line(l, at);
		at = end + 1;
	}
	*used -= (size_t)(at - buf);
	memmove(buf, at, *used);
	return rc;
}

int host_procfs_smaps(pid_t pid, uint64_t start, size_t limit, struct host_smaps_entry **out,
		      size_t *count)
{
	AUTO_CLOSE int fd = open_leaf(pid, 0, "smaps");
	AUTO_FREE char *buf = malloc(SMAPS_CHUNK);
	struct smaps_list list = { .start = start, .limit = limit };
	size_t used = 0;
	int rc = fd < 0 ? fd : buf ? 0 : -ENOMEM;

	while (rc == 0) {
		ssize_t n = read_some(fd, buf + used, SMAPS_CHUNK - used);

		if (n <= 0) {
			rc = (int)n;
			break;
		}
		used += (size_t)n;
		rc = smaps_lines(&list, buf, &used);
		if (rc == 0 && used == SMAPS_CHUNK) /* no line is that long */
			rc = -EIO;
	}
	if (rc < 0) {
		free(list.entries);
		return rc == -ENOENT ? -ESRCH : rc;
	}
	*out = list.entries;
	*count = list.count;
	return 0;
}

/* --- pagemap --------------------------------------------------------------------------------- */

static int read_pagemap(int fd, uint64_t start, size_t count, uint64_t *words)
{
	for (size_t done = 0; done < count;) {
		ssize_t n = pread(fd, words + done, (count - done) * sizeof(words[0]),
				  (off_t)(((start >> PAGE_SHIFT) + done) * sizeof(words[0])));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EFAULT;
		done += (size_t)n / sizeof(words[0]);
	}
	return 0;
}

int host_procfs_pagemap(pid_t pid, uint64_t start, size_t count, uint64_t *words)
{
	AUTO_CLOSE int fd = open_leaf(pid, 0, "pagemap");
	int rc = fd < 0 ? fd : read_pagemap(fd, start, count, words);

	for (size_t i = 0; rc == 0 && i < count; i++)
		words[i] &= HOST_PAGEMAP_KNOWN;
	return rc;
}

int host_procfs_pages(pid_t pid, uint64_t start, size_t count, uint8_t *out)
{
	AUTO_CLOSE int fd = open_leaf(pid, 0, "pagemap");
	uint64_t words[PAGEMAP_BATCH];

	if (fd < 0)
		return fd;
	for (size_t done = 0, n; done < count; done += n) {
		int rc;

		n = MIN(count - done, PAGEMAP_BATCH);
		rc = read_pagemap(fd, start + (done << PAGE_SHIFT), n, words);
		if (rc < 0)
			return rc;
		for (size_t i = 0; i < n; i++)
			out[done + i] = (words[i] & HOST_PAGEMAP_PRESENT ? HOST_PAGE_PRESENT : 0) |
					(words[i] & HOST_PAGEMAP_SWAPPED ? HOST_PAGE_SWAPPED : 0);
	}
	return 0;
}

/* --- the network ------------------------------------------------------------------- */

int host_procfs_net(const char *file, struct strbuf *out)
{
	static const char *const known[] = { "snmp", "snmp6", "netstat", "sockstat", "sockstat6" };
	AUTO_CLOSE int fd = -1;
	char leaf[NAME_SIZE], buf[STATUS_SIZE];
	size_t i = 0;
	ssize_t n;

	while (i < ARRAY_SIZE(known) && strcmp(known[i], file) != 0)
		i++;
	if (i == ARRAY_SIZE(known))
		return -ENOENT;
	snprintf(leaf, sizeof(leaf), "net/%s", known[i]);
	fd = open_leaf(1, 0, leaf); /* ourselves */
	if (fd < 0)
		return -ENOENT;
	while ((n = read_some(fd, buf, sizeof(buf))) > 0)
		strbuf_add_bytes(out, buf, (size_t)n);
	return n < 0 ? (int)n : out->failed ? -ENOMEM : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * moat usage: the memory of a sandbox, as the host's kernel counts it; the sentry is not asked.
 * What processes share is counted once (PSS).  The sandbox's files in memory (tmpfs, the overlay's
 * upper layer, shared memory) are memfds that the sentry has open, counted by their blocks, as most
 * of them are mapped nowhere.  Memfds that are only mapped are our own: the sealed copy of moat, slots.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/command.h"
#include "runtime/container/container.h"
#include "runtime/container/sandbox_processes.h"
#include "runtime/json_print.h"
#include "util/cleanup.h"

#define BLOCK_SIZE 512u
#define MEMFD_PREFIX "/memfd:"
#define MAPS_INODE_COLUMN 5

struct options {
	bool full;
};

static const struct option_row rows[] = {
	{ "full", NULL, OPTION_BOOL, offsetof(struct options, full),
	  "tell the kinds of memory apart" },
};

/* Bytes. */
struct usage {
	uint64_t system;    /* of the sentry and the gofer, and what is ours in stubs */
	uint64_t anonymous; /* of the guest's processes */
	uint64_t mapped;    /* files that guest, sentry or gofer map */
	uint64_t memory_files;
	struct stat *files; /* the sentry's memfds, sorted by inode */
	size_t file_count;
};

static int compare_inode(const void *a, const void *b)
{
	uint64_t x = ((const struct stat *)a)->st_ino, y = ((const struct stat *)b)->st_ino;

	return (x > y) - (x < y);
}

/* --- open files ------------------------------------------------------------------ */

static bool is_memfd(int dir, const char *name, struct stat *st)
{
	char target[64];
	ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);

	if (n < 0)
		return false;
	target[n] = '\0';
	return !strncmp(target, MEMFD_PREFIX, strlen(MEMFD_PREFIX)) && fstatat(dir, name, st, 0) == 0;
}

/* Two descriptors of one file count once. */
static void sum_files(struct usage *u)
{
	uint64_t blocks = 0;

	qsort(u->files, u->file_count, sizeof(*u->files), compare_inode);
	for (size_t i = 0; i < u->file_count; i++) {
		if (i == 0 || u->files[i].st_ino != u->files[i - 1].st_ino)
			blocks += (uint64_t)u->files[i].st_blocks;
	}
	u->memory_files = blocks * BLOCK_SIZE;
}

static int find_memory_files(pid_t sentry, struct usage *u)
{
	AUTO_CLOSEDIR DIR *dir = NULL;
	const struct dirent *entry;
	size_t capacity = 0;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd", sentry);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir)) != NULL) {
		if (u->file_count == capacity) {
			struct stat *grown;

			capacity = capacity ? capacity * 2 : 64;
			grown = reallocarray(u->files, capacity, sizeof(*grown));
			if (!grown)
				return -ENOMEM;
			u->files = grown;
		}
		if (is_memfd(dirfd(dir), entry->d_name, &u->files[u->file_count]))
			u->file_count++;
	}
	if (u->file_count > 0)
		sum_files(u);
	return 0;
}

/* --- processes ------------------------------------------------------------------- */

/* "NAME:    123 kB" */
static bool read_kb(const char *line, const char *name, uint64_t *out)
{
	size_t length = strlen(name);

	if (strncmp(line, name, length) != 0)
		return false;
	*out = strtoull(line + length, NULL, 10);
	return true;
}

static FILE *open_of(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return fopen(path, "re");
}

/* A process without memory (one that ends) has nothing to read. */
static int add_rollup(pid_t pid, uint64_t *anonymous, uint64_t *mapped)
{
	AUTO_FCLOSE FILE *file = open_of(pid, "smaps_rollup");
	char line[256];
	uint64_t kb;

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		if (read_kb(line, "Pss_Anon:", &kb) || read_kb(line, "SwapPss:", &kb))
			*anonymous += kb * 1024;
		else if (read_kb(line, "Pss_File:", &kb))
			*mapped += kb * 1024;
	}
	return 0;
}

/* "START-END PERMISSIONS OFFSET DEVICE INODE   NAME": is it a memfd that is not among the open ones? */
static bool is_ours(const char *line, const struct usage *u)
{
	const char *inode = line;
	struct stat key = { 0 };

	if (!strstr(line, MEMFD_PREFIX))
		return false;
	for (int column = 1; inode && column < MAPS_INODE_COLUMN; column++) {
		inode = strchr(inode, ' ');
		inode = inode ? inode + 1 : NULL;
	}
	if (!inode)
		return false;
	key.st_ino = strtoull(inode, NULL, 10);
	return !u->file_count ||
	       !bsearch(&key, u->files, u->file_count, sizeof(*u->files), compare_inode);
}

static int add_own_memfds(pid_t pid, struct usage *u)
{
	AUTO_FCLOSE FILE *file = open_of(pid, "smaps");
	uint64_t kb, shared = 0;
	bool ours = false;
	char line[8192];

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		/* Mappings begin with an address, in lower case; what is said of them does not. */
		if (line[0] >= 'A' && line[0] <= 'Z') {
			if (ours && read_kb(line, "Pss:", &kb))
				shared = kb;
			/* Copies of pages of a private mapping are among the anonymous ones. */
			else if (ours && read_kb(line, "Anonymous:", &kb))
				u->system += (shared > kb ? shared - kb : 0) * 1024;
			continue;
		}
		ours = is_ours(line, u);
	}
	return 0;
}

static int add_process(pid_t pid, struct usage *u, uint64_t *anonymous)
{
	int ret = add_rollup(pid, anonymous, &u->mapped);

	return ret < 0 ? ret : add_own_memfds(pid, u);
}

static void add_stub(void *arg, pid_t pid, int32_t inner)
{
	struct usage *u = arg;

	(void)inner;
	/* One that has ended since it was listed uses nothing. */
	if (add_process(pid, u, &u->anonymous) < 0)
		return;
}

static int measure(const struct container *container, struct usage *out, struct error **err)
{
	pid_t sentry = container->sentry.pid;
	int ret = find_memory_files(sentry, out);

	if (ret == 0)
		ret = add_process(sentry, out, &out->system);
	if (ret == 0)
		ret = add_process(container->gofer.pid, out, &out->system);
	if (ret == -ENOENT)
		return error_set(err, -ESRCH, "container not running");
	if (ret < 0)
		return error_set_errno(err, ret, "read the memory use of the sandbox");
	sandbox_for_each_stub(container, add_stub, out);
	return 0;
}

static int print(const struct usage *u, bool full, struct error **err)
{
	struct json_writer w;

	json_writer_init(&w, NULL);
	json_write_object_begin(&w);
	if (full) {
		json_put_uint(&w, "System", u->system);
		json_put_uint(&w, "Anonymous", u->anonymous);
		json_put_uint(&w, "Mapped", u->mapped);
		json_put_uint(&w, "Tmpfs", u->memory_files);
	}
	json_put_uint(&w, "Total", u->system + u->anonymous + u->mapped + u->memory_files);
	json_write_object_end(&w);
	return json_print(&w, err);
}

static int run(const struct globals *globals, void *options, int argc, char **argv,
	       struct error **err)
{
	const struct options *o = options;
	AUTO_CONTAINER struct container *container = NULL;
	struct usage usage = { 0 };
	int ret;

	if (container_peek(globals, argv[0], &container, err) < 0)
		return error_code(*err);
	if (container_check_alive(container, err) < 0)
		return error_code(*err);
	ret = measure(container, &usage, err);
	if (ret == 0)
		ret = print(&usage, o->full, err);
	free(usage.files);
	return ret;
}

const struct command command_usage = {
	.name = "usage",
	.summary = "show how much memory a sandbox uses",
	.usage = "<container-id>",
	.description =
		"   The usage command prints the bytes of memory that the processes of a container's\n"
		"sandbox use on the host, as JSON. What they share with each other counts once.",
	.options = OPTION_TABLE(rows),
	.options_size = sizeof(struct options),
	.arguments_min = 1,
	.arguments_max = 1,
	.failure_status = 1,
	.run = run,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* execve and execveat: the path and the strings come in, task_exec does the rest. */
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/kernel/task_exec.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/syscalls/handlers.h"
#include "util/checked.h"
#include "util/cleanup.h"

#define MAX_ARG_STRLEN 131072
#define ARG_MAX_FLOOR 131072
#define STACK_LIMIT_DEFAULT (8ULL << 20)
#define POINTER_BATCH 64
#define MAX_STRINGS 0x7fffffffU

/* The strings so far, and what may still be added: Linux's bprm_stack_limits. */
struct collector {
	struct mm *mm;
	struct string_vector *out;
	uint64_t capacity;
	uint64_t *budget; /* bytes left for strings and their pointers, of both vectors */
};

static int reserve(struct collector *c, uint64_t more)
{
	uint64_t wanted = c->out->size + more, capacity = c->capacity ? c->capacity : 1024;
	char *grown;

	while (capacity < wanted)
		capacity *= 2;
	if (capacity == c->capacity)
		return 0;
	grown = realloc(c->out->bytes, capacity);
	if (!grown)
		return -ENOMEM;
	c->out->bytes = grown;
	c->capacity = capacity;
	return 0;
}

static int spend(struct collector *c, uint64_t bytes)
{
	if (bytes > *c->budget)
		return -E2BIG;
	*c->budget -= bytes;
	return 0;
}

static int add_string(struct collector *c, guest_addr_t src)
{
	uint64_t total = 0;
	char part[1024];

	for (;;) {
		/* Up to the page's end, so that a string may end right before a hole. */
		size_t want = MIN(sizeof(part), GUEST_PAGE_SIZE - src.v % GUEST_PAGE_SIZE);
		ssize_t got = copy_in_partial(c->mm, part, src, want);
		const char *end;
		size_t used;
		int rc;

		if (got <= 0)
			return -EFAULT;
		end = memchr(part, 0, (size_t)got);
		used = end ? (size_t)(end - part) + 1 : (size_t)got;
		total += used;
		if (total > MAX_ARG_STRLEN)
			return -E2BIG;
		rc = spend(c, used);
		if (!rc)
			rc = reserve(c, used);
		if (rc)
			return rc;
		memcpy(c->out->bytes + c->out->size, part, used);
		c->out->size += used;
		if (end)
			return 0;
		if ((size_t)got < want)
			return -EFAULT;
		src = guest_add(src, used);
	}
}

static int collect(struct mm *mm, guest_addr_t array, uint64_t *budget, struct string_vector *out)
{
	struct collector c = { .mm = mm, .out = out, .budget = budget };
	uint64_t pointers[POINTER_BATCH];
	int rc = 0;

	if (guest_is_null(array))
		return reserve(&c, 1);
	for (;;) {
		size_t want = sizeof(pointers);
		ssize_t got = copy_in_partial(mm, pointers, array, want);

		if (got < 8)
			return -EFAULT;
		for (size_t i = 0; i < (size_t)got / 8; i++) {
			if (!pointers[i])
				return reserve(&c, 1);
			if (out->count == MAX_STRINGS)
				return -E2BIG;
			rc = spend(&c, 8);
			if (!rc)
				rc = add_string(&c, guest_addr(pointers[i]));
			if (rc)
				return rc;
			out->count++;
		}
		array = guest_add(array, (uint64_t)got / 8 * 8);
	}
}

static uint64_t string_budget(struct task *t)
{
	uint64_t limit = STACK_LIMIT_DEFAULT / 4 * 3;

	limit = MIN(limit, task_rlimit(t, RLIM_STACK) / 4);
	return MAX(limit, ARG_MAX_FLOOR);
}

static int collect_all(struct task *t, guest_addr_t argv, guest_addr_t envv, const char *name,
		       struct string_vector *args, struct string_vector *env)
{
	uint64_t budget = string_budget(t);
	int rc;

	/* The file name is kept on the stack too, and one argument is always there. */
	if (strlen(name) + 1 + 8 > budget)
		return -E2BIG;
	budget -= strlen(name) + 1;
	rc = collect(t->mm, argv, &budget, args);
	if (!rc)
		rc = collect(t->mm, envv, &budget, env);
	if (rc || args->count)
		return rc;
	/* No program runs without argv[0]. */
	args->bytes[0] = 0;
	args->size = 1;
	args->count = 1;
	return 0;
}

static bool is_script(struct file *file)
{
	char start[2];

	return vfs_read_kernel(file, start, sizeof(start), 0) == 2 && start[0] == '#' &&
	       start[1] == '!';
}

/* What execveat was told about a file that it opened. */
struct exec_way {
	bool name_closes; /* the name goes through a descriptor that the exec closes */
	bool check;	  /* AT_EXECVE_CHECK: only whether the file may be executed, not what is in it */
};

static int64_t exec_file(struct task *t, struct file *file, const char *name, struct exec_way way,
			 guest_addr_t argv, guest_addr_t envv)
{
	struct string_vector args = { 0 }, env = { 0 };
	int64_t result = task_exec_check(t);

	if (!result)
		result = collect_all(t, argv, envv, name, &args, &env);
	if (way.check || result)
		goto out;
	/* Its interpreter could not open it. */
	if (way.name_closes && is_script(file))
		result = -ENOENT;
	if (!result)
		result = task_exec(t, file, name, &args, &env);
out:
	free(args.bytes);
	free(env.bytes);
	return result;
}

int64_t sys_execve(struct task *t, const struct syscall_args *a)
{
	struct vfs_context ctx = task_vfs_context(t);
	AUTO_FREE char *name = NULL;
	struct file *file;
	int64_t result = copy_in_path(t->mm, arg_addr(a, 0), &name);

	if (!result)
		result = exec_open(&ctx, LINUX_AT_FDCWD, name, LOOKUP_FOLLOW, &file);
	if (result)
		return result;
	result = exec_file(t, file, name, (struct exec_way){ 0 }, arg_addr(a, 1), arg_addr(a, 2));
	file_put(file);
	return result;
}

/* What the program is called: its path, or /dev/fd/N and what follows it. */
static char *display_name(int dirfd, const char *path)
{
	char *name;
	int rc;

	if (*path == '/' || dirfd == LINUX_AT_FDCWD)
		return strdup(path);
	rc = *path ? asprintf(&name, "/dev/fd/%d/%s", dirfd, path) :
		     asprintf(&name, "/dev/fd/%d", dirfd);
	return rc < 0 ? NULL : name;
}

static bool through_closing_fd(struct task *t, int dirfd, const char *path)
{
	return *path != '/' && dirfd != LINUX_AT_FDCWD && fd_table_get_cloexec(t->fds, dirfd) > 0;
}

int64_t sys_execveat(struct task *t, const struct syscall_args *a)
{
	struct vfs_context ctx = task_vfs_context(t);
	uint32_t flags = arg_u32(a, 4), lookup = LOOKUP_FOLLOW;
	AUTO_FREE char *path = NULL, *name = NULL;
	struct exec_way way;
	struct file *file;
	int64_t result;

	result = copy_in_path(t->mm, arg_addr(a, 1), &path);
	if (!result && !*path && !(flags & LINUX_AT_EMPTY_PATH))
		result = -ENOENT;
	if (result)
		return result;
	if (flags & ~(uint32_t)(LINUX_AT_EMPTY_PATH | LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_EXECVE_CHECK))
		return -EINVAL;
	if (flags & LINUX_AT_SYMLINK_NOFOLLOW)
		lookup &= ~(uint32_t)LOOKUP_FOLLOW;
	if (flags & LINUX_AT_EMPTY_PATH)
		lookup |= LOOKUP_EMPTY;
	name = display_name(arg_int(a, 0), path);
	if (!name)
		return -ENOMEM;
	result = exec_open(&ctx, arg_int(a, 0), path, lookup, &file);
	if (result)
		return result;
	way.name_closes = through_closing_fd(t, arg_int(a, 0), path);
	way.check = flags & LINUX_AT_EXECVE_CHECK;
	result = exec_file(t, file, name, way, arg_addr(a, 2), arg_addr(a, 3));
	file_put(file);
	return result;
}

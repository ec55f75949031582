/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two phases of program start-up.  Preparing follows #! lines to an ELF file,
 * opens its interpreter and checks all that execve(2) reports to the caller; loading
 * builds the new image.  A program holds its executable's "deny write" count
 * until the mm takes it over (mm_exe_ops).
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/mm.h"
#include "sentry/kernel/task_exec.h"
#include "sentry/loader/loader_private.h"
#include "util/checked.h"
#include "util/cleanup.h"

#define EFLAGS_START 0x202
#define USER_CS 0x33
#define USER_SS 0x2b

/* --- the executable and writers ---------------------------------------------------- */

static int file_deny_write(struct file *file)
{
	return file->inode ? inode_deny_write_access(file->inode) : 0;
}

static void file_allow_write(struct file *file)
{
	if (file->inode)
		inode_allow_write_access(file->inode);
}

/* The parent's count keeps writers out, so a fork's cannot fail. */
static void exe_acquire(struct mappable *exe)
{
	struct file *file = file_from_mappable(exe);

	if (file && file->inode)
		atomic_fetch_add(&inode_anchor(file->inode)->deny_write, 1);
}

static void exe_release(struct mappable *exe)
{
	struct file *file = file_from_mappable(exe);

	if (file)
		file_allow_write(file);
}

static const struct mm_exe_ops exe_ops = { .acquire = exe_acquire, .release = exe_release };

/* --- preparing ------------------------------------------------------------------------ */

/* A script's or an ELF file's interpreter. */
static int open_interpreter(const struct vfs_context *ctx, const char *name, struct file **out)
{
	return exec_open(ctx, LINUX_AT_FDCWD, name, LOOKUP_FOLLOW, out);
}

/* The first bytes of a file, zeroes behind its end. */
static int read_start(struct file *file, uint8_t start[BINPRM_SIZE])
{
	size_t done = 0;

	memset(start, 0, BINPRM_SIZE);
	while (done < BINPRM_SIZE) {
		ssize_t rc = vfs_read_kernel(file, start + done, BINPRM_SIZE - done, done);

		if (rc < 0)
			return (int)rc;
		if (rc == 0)
			break;
		done += (size_t)rc;
	}
	return 0;
}

/* One #! step: *file (whose reference is replaced) becomes the interpreter. */
static int enter_script(const struct vfs_context *ctx, struct program *p, struct file **file,
			const uint8_t start[BINPRM_SIZE], char **script_name, uint64_t stack_limit)
{
	const char *strings[3];
	uint32_t count = 0;
	struct script s;
	struct file *next;
	char *name;
	int rc = script_parse(start, &s);

	if (rc < 0)
		return rc;
	strings[count++] = s.interpreter;
	if (s.has_argument)
		strings[count++] = s.argument;
	strings[count++] = *script_name;
	rc = string_vector_prepend(&p->argv, 1, strings, count);
	if (rc == 0)
		rc = argument_limits_check(&p->argv, &p->envv, p->name, stack_limit);
	if (rc < 0)
		return rc;
	name = strdup(s.interpreter);
	if (!name)
		return -ENOMEM;
	rc = open_interpreter(ctx, name, &next);
	if (rc < 0) {
		free(name);
		return rc;
	}
	free(*script_name);
	*script_name = name;
	file_put(*file);
	*file = next;
	return 0;
}

/* Follows #! lines; on success *file is an ELF file whose writers are kept out. */
static int resolve(const struct vfs_context *ctx, struct program *p, struct file **file,
		   uint64_t stack_limit)
{
	AUTO_FREE char *script_name = strdup(p->name);
	uint8_t start[BINPRM_SIZE];
	int rc;

	if (!script_name)
		return -ENOMEM;
	for (unsigned depth = 0;; depth++) {
		if (depth > SCRIPT_DEPTH_MAX)
			return -ELOOP;
		rc = file_deny_write(*file);
		if (rc < 0)
			return rc;
		rc = read_start(*file, start);
		if (rc == 0 && !(start[0] == '#' && start[1] == '!')) {
			rc = elf_image_read(&p->main, *file, start);
			p->deny_write = rc == 0;
			if (rc == 0)
				return 0;
		}
		file_allow_write(*file);
		if (rc == 0)
			rc = enter_script(ctx, p, file, start, &script_name, stack_limit);
		if (rc < 0)
			return rc;
	}
}

static int prepare_elf_interpreter(const struct vfs_context *ctx, struct program *p)
{
	AUTO_FREE char *name = NULL;
	uint8_t start[BINPRM_SIZE];
	struct file *file;
	int rc = elf_image_interpreter(&p->main, &name);

	if (rc < 0 || !name)
		return rc;
	rc = open_interpreter(ctx, name, &file);
	if (rc < 0)
		return rc;
	rc = read_start(file, start);
	if (rc == 0)
		rc = elf_image_read(&p->interpreter, file, start);
	if (rc == -ENOEXEC)
		rc = -ELIBBAD;
	file_put(file);
	return rc;
}

static void set_comm(struct program *p)
{
	const char *slash = strrchr(p->name, '/'), *base = slash ? slash + 1 : p->name;

	memcpy(p->comm, base, strnlen(base, sizeof(p->comm) - 1));
}

static int prepare(const struct vfs_context *ctx, struct program *p, struct file *file,
		   uint64_t stack_limit)
{
	int rc = 0;

	set_comm(p);
	if (p->argv.count == 0) /* since Linux 5.18 */
		rc = string_vector_prepend(&p->argv, 0, (const char *const[]){ "" }, 1);
	if (rc == 0)
		rc = argument_limits_check(&p->argv, &p->envv, p->name, stack_limit);
	if (rc < 0)
		return rc;
	file_get(file);
	rc = resolve(ctx, p, &file, stack_limit);
	file_put(file);
	if (rc < 0)
		return rc;
	p->exec_stack = elf_image_exec_stack(&p->main);
	return prepare_elf_interpreter(ctx, p);
}

/* So that a failed execve leaves the caller's strings alone. */
static int copy_strings(struct string_vector *to, const struct string_vector *from)
{
	to->bytes = malloc(from->size + 1);
	if (!to->bytes)
		return -ENOMEM;
	if (from->size)
		memcpy(to->bytes, from->bytes, from->size);
	to->size = from->size;
	to->count = from->count;
	return 0;
}

int program_prepare(const struct vfs_context *ctx, struct file *file, const char *name,
		    struct string_vector *argv, struct string_vector *envv, uint64_t stack_limit,
		    struct program **out)
{
	struct program *p = calloc(1, sizeof(*p));
	int rc = p ? 0 : -ENOMEM;

	if (rc < 0)
		return rc;
	p->name = strdup(name);
	rc = p->name ? copy_strings(&p->argv, argv) : -ENOMEM;
	if (rc == 0)
		rc = copy_strings(&p->envv, envv);
	if (rc == 0)
		rc = prepare(ctx, p, file, stack_limit);
	if (rc < 0) {
		program_free(p);
		return rc;
	}
	string_vector_free(argv);
	string_vector_free(envv);
	*out = p;
	return 0;
}

void program_free(struct program *p)
{
	if (!p)
		return;
	if (p->deny_write)
		file_allow_write(p->main.file);
	elf_image_free(&p->main);
	elf_image_free(&p->interpreter);
	string_vector_free(&p->argv);
	string_vector_free(&p->envv);
	free(p->name);
	free(p);
}

struct file *program_file(struct program *p)
{
	return p->main.file;
}

const char *program_comm(const struct program *p)
{
	return p->comm;
}

/* --- loading ------------------------------------------------------------------------------ */

static int load_images(struct program *p, struct mm *mm, struct context *ctx,
		       struct elf_loaded *main, struct elf_loaded *interpreter)
{
	enum elf_place place = ELF_PLACE_EXACT;
	int rc;

	if (p->main.header.type == ELF_TYPE_DYN)
		place = p->interpreter.file ? ELF_PLACE_PIE : ELF_PLACE_MMAP;
	rc = elf_load(&p->main, mm, ctx, place, main);
	if (rc < 0 || !p->interpreter.file)
		return rc;
	place = p->interpreter.header.type == ELF_TYPE_DYN ? ELF_PLACE_MMAP : ELF_PLACE_EXACT;
	return elf_load(&p->interpreter, mm, ctx, place, interpreter);
}

static void record_layout(const struct program *p, struct mm *mm, const struct elf_loaded *main)
{
	bool static_pie = p->main.header.type == ELF_TYPE_DYN && !p->interpreter.file;
	uint64_t brk = layout_brk_start(mm, main->end_bss, static_pie);

	mutex_lock(&mm->lock);
	mm->start_code = main->start_code;
	mm->end_code = main->end_code;
	mm->start_data = main->start_data;
	mm->end_data = main->end_data;
	mm->brk_start = brk;
	mm->brk = brk;
	mutex_unlock(&mm->lock);
}

static int map_stack(const struct program *p, struct mm *mm, struct context *ctx, uint64_t top,
		     uint64_t size)
{
	int prot = LINUX_PROT_READ | LINUX_PROT_WRITE | (p->exec_stack ? LINUX_PROT_EXEC : 0);

	return mm_map_fixed(mm, ctx, top - size, size, prot, VMA_GROWSDOWN | VMA_NORESERVE, NULL, 0,
			    "[stack]");
}

static void start_registers(struct context *ctx, uint64_t entry, uint64_t sp)
{
	struct guest_regs *regs = context_regs(ctx);

	*regs = (struct guest_regs){ .rip = entry, .rsp = sp, .eflags = EFLAGS_START,
				     .cs = USER_CS, .ss = USER_SS };
}

int program_load(struct program *p, struct mm *mm, struct context *ctx,
		 const struct program_identity *identity, uint64_t stack_limit)
{
	uint64_t size = layout_stack_size(p, stack_limit), top = layout_stack_top(mm, size), sp = 0, entry;
	struct elf_loaded main = { 0 }, interpreter = { 0 };
	int rc = map_stack(p, mm, ctx, top, size);

	mm_set_exe_file(mm, &p->main.file->mappable, p->deny_write ? &exe_ops : NULL);
	p->deny_write = false;
	if (rc == 0)
		rc = load_images(p, mm, ctx, &main, &interpreter);
	if (rc < 0)
		return rc;
	record_layout(p, mm, &main);
	rc = vdso_map(mm, ctx);
	if (rc == 0)
		rc = stack_build(p, mm, top, size, &main, &interpreter, identity, &sp);
	if (rc < 0)
		return rc;
	entry = p->interpreter.file ? interpreter.entry : main.entry;
	if (entry >= platform_address_max().v)
		return -EINVAL;
	start_registers(ctx, entry, sp);
	address_space_set_host_command(mm->as, p->argv.bytes, p->argv.size);
	return 0;
}

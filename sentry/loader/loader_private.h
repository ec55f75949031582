/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the files of sentry/loader.  Every number in a file's headers is the
 * guest's: elf_image checks what execve(2) reports as an error before the point of no
 * return, elf_load the rest as it maps.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sentry/abi/elf.h"
#include "sentry/loader/loader.h"

#define BINPRM_SIZE 256		       /* BINPRM_BUF_SIZE */
#define ELF_PHNUM_MAX (65536 / sizeof(struct elf64_program_header))
#define SCRIPT_DEPTH_MAX 5
#define ARG_STRING_MAX ((size_t)128 * 1024) /* MAX_ARG_STRLEN */
#define STACK_SIZE_MAX (64ULL << 20)
#define STACK_SIZE_MIN (256ULL << 10)

struct elf_image {
	struct file *file; /* reference */
	struct elf64_header header;
	struct elf64_program_header *phdrs; /* header.phnum of them; owned */
};

struct program {
	struct elf_image main, interpreter; /* interpreter.file NULL: none */
	bool exec_stack;
	char *name;			    /* as given to execve; AT_EXECFN */
	char comm[16];
	struct string_vector argv, envv;
	bool deny_write;		    /* main.file's inode is counted as executing */
};

/* --- elf_image.c ------------------------------------------------------------------ */

/*
 * Parses the headers of @file, whose first bytes are in @start.  -ENOEXEC: not a
 * program for this machine.  On success @image owns a reference on @file.
 */
int elf_image_read(struct elf_image *image, struct file *file, const uint8_t start[BINPRM_SIZE])
	MUST_CHECK;
/* Frees what an image holds; empty is a no-op. */
void elf_image_free(struct elf_image *image);
/* The PT_INTERP path (malloc'ed), NULL when there is none; -ENOEXEC, -EIO, -ENOMEM. */
int elf_image_interpreter(const struct elf_image *image, char **out) MUST_CHECK;
bool elf_image_exec_stack(const struct elf_image *image);
/* Exactly @size bytes; -EIO when the file is shorter. */
int file_read_exact(struct file *file, void *buf, size_t size, uint64_t pos) MUST_CHECK;

/* --- elf_load.c ------------------------------------------------------------------- */

struct elf_loaded {
	uint64_t bias;			/* what was added to the file's addresses */
	uint64_t entry;
	uint64_t phdr;			/* address of the program headers, or 0 */
	uint64_t start_code, end_code, start_data, end_data, end_bss;
};

enum elf_place {
	ELF_PLACE_EXACT,  /* ET_EXEC */
	ELF_PLACE_PIE,    /* position independent, has an interpreter: low, for brk's sake */
	ELF_PLACE_MMAP,   /* an interpreter or a static-pie: the mmap area */
};

int elf_load(const struct elf_image *image, struct mm *mm, struct context *ctx,
	     enum elf_place place, struct elf_loaded *out) MUST_CHECK;

/* --- script.c ---------------------------------------------------------------------- */

struct script {
	char interpreter[BINPRM_SIZE];
	char argument[BINPRM_SIZE]; /* "" with has_argument false: none */
	bool has_argument;
};

/* Parses the first bytes of a file that begins with "#!": 0 or -ENOEXEC. */
int script_parse(const uint8_t start[BINPRM_SIZE], struct script *out) MUST_CHECK;

/* --- string_vector.c ---------------------------------------------------------------- */

void string_vector_free(struct string_vector *v);
/* Puts @strings (@count) before what @v has, after dropping its first @drop strings. */
int string_vector_prepend(struct string_vector *v, uint32_t drop, const char *const *strings,
			  uint32_t count) MUST_CHECK;
/* -E2BIG by Linux's rules for what must fit on the new stack. */
int argument_limits_check(const struct string_vector *argv, const struct string_vector *envv,
			  const char *name, uint64_t stack_limit) MUST_CHECK;

/* --- layout.c ----------------------------------------------------------------------- */

/* Uniform in [0, @limit), a multiple of the page size; 0 for a limit below a page, and for a fixed layout. */
uint64_t layout_random(const struct mm *mm, uint64_t limit);
/* The base of position independent executables. */
uint64_t layout_pie_base(const struct mm *mm);
uint64_t layout_stack_size(const struct program *p, uint64_t stack_limit);
/* Chooses the stack's top and sets mm->mmap_base below it. */
uint64_t layout_stack_top(struct mm *mm, uint64_t stack_size);
/* The first break above @end. */
uint64_t layout_brk_start(const struct mm *mm, uint64_t end, bool static_pie);

/* --- stack.c ------------------------------------------------------------------------ */

/* Writes strings, vectors and auxv below @top; records them in @mm; *sp is the stack pointer. */
int stack_build(const struct program *p, struct mm *mm, uint64_t top, uint64_t size,
		const struct elf_loaded *main, const struct elf_loaded *interpreter,
		const struct program_identity *identity, uint64_t *sp) MUST_CHECK;

/* --- vdso.c ------------------------------------------------------------------------- */

/* Maps the vDSO and sets mm->vdso_base and vdso_sigreturn. */
int vdso_map(struct mm *mm, struct context *ctx) MUST_CHECK;

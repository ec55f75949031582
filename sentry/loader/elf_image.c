/* SPDX-License-Identifier: Apache-2.0 */
/* ELF headers: reading and the checks that execve(2) makes before it gives up the old image. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/loader/loader_private.h"
#include "util/cleanup.h"

#define INTERPRETER_PATH_MAX 4096

int file_read_exact(struct file *file, void *buf, size_t size, uint64_t pos)
{
	size_t done = 0;

	while (done < size) {
		ssize_t rc = vfs_read_kernel(file, (char *)buf + done, size - done, pos + done);

		if (rc < 0)
			return (int)rc;
		if (rc == 0)
			return -EIO;
		done += (size_t)rc;
	}
	return 0;
}

static bool header_valid(const struct elf64_header *h)
{
	return !memcmp(h->ident, ELF_MAGIC, ELF_MAGIC_SIZE) &&
	       (h->type == ELF_TYPE_EXEC || h->type == ELF_TYPE_DYN) &&
	       h->machine == ELF_MACHINE_X86_64 &&
	       h->phentsize == sizeof(struct elf64_program_header) && h->phnum >= 1 &&
	       h->phnum <= ELF_PHNUM_MAX && h->phoff <= INT64_MAX - 65536;
}

int elf_image_read(struct elf_image *image, struct file *file, const uint8_t start[BINPRM_SIZE])
{
	AUTO_FREE struct elf64_program_header *phdrs = NULL;
	struct elf64_header header;
	size_t size;

	memcpy(&header, start, sizeof(header));
	if (!header_valid(&header))
		return -ENOEXEC;
	size = header.phnum * sizeof(*phdrs);
	phdrs = malloc(size);
	if (!phdrs)
		return -ENOMEM;
	if (file_read_exact(file, phdrs, size, header.phoff) < 0)
		return -ENOEXEC;
	image->header = header;
	image->phdrs = move_ptr(phdrs);
	image->file = file_get(file);
	return 0;
}

void elf_image_free(struct elf_image *image)
{
	free(image->phdrs);
	if (image->file)
		file_put(image->file);
	*image = (struct elf_image){ 0 };
}

static const struct elf64_program_header *find_phdr(const struct elf_image *image, uint32_t type)
{
	for (unsigned i = 0; i < image->header.phnum; i++)
		if (image->phdrs[i].type == type)
			return &image->phdrs[i];
	return NULL;
}

int elf_image_interpreter(const struct elf_image *image, char **out)
{
	const struct elf64_program_header *ph = find_phdr(image, ELF_PT_INTERP);
	AUTO_FREE char *path = NULL;
	int rc;

	*out = NULL;
	if (!ph)
		return 0;
	if (ph->filesz > INTERPRETER_PATH_MAX || ph->filesz < 2)
		return -ENOEXEC;
	if (ph->offset > INT64_MAX - INTERPRETER_PATH_MAX)
		return -EINVAL;
	path = malloc(ph->filesz);
	if (!path)
		return -ENOMEM;
	rc = file_read_exact(image->file, path, ph->filesz, ph->offset);
	if (rc < 0)
		return rc;
	if (path[ph->filesz - 1] != '\0')
		return -ENOEXEC;
	*out = move_ptr(path);
	return 0;
}

bool elf_image_exec_stack(const struct elf_image *image)
{
	const struct elf64_program_header *ph = NULL;

	/* the last one counts */
	for (unsigned i = 0; i < image->header.phnum; i++)
		if (image->phdrs[i].type == ELF_PT_GNU_STACK)
			ph = &image->phdrs[i];
	return ph && (ph->flags & ELF_PF_X);
}

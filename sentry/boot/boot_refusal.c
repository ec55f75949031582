/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that cannot be executed (no known format, an interpreter that is missing) is found out
 * late by runc: its own process in the container tries, says so on standard error and ends with 1,
 * when create has long succeeded.  Clients rely on it: Docker shows the reason in the container's
 * log.  Here the program is loaded ahead of the start, and a program that says the same takes the
 * place of one that execve(2) refuses.
 */
#include "sentry/boot/sandbox.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/fs/tmpfs/tmpfs.h"
#include "sentry/vfs/vfs.h"
#include "util/checked.h"
#include "util/compiler.h"

#define LOAD_ADDRESS 0x400000

struct PACKED speech {
	uint8_t mov_eax_write;
	uint32_t write;
	uint8_t mov_edi_fd;
	uint32_t fd;
	uint8_t mov_esi_text;
	uint32_t text;
	uint8_t mov_edx_size;
	uint32_t size;
	uint8_t syscall[2];
	uint8_t mov_eax_exit;
	uint32_t exit_group;
	uint8_t mov_edi_status;
	uint32_t status;
	uint8_t syscall_exit[2];
};

struct image {
	Elf64_Ehdr header;
	Elf64_Phdr segments[2];
	struct speech speech;
	char text[CONTROL_MESSAGE_SIZE + 1];
};

static void make_image(struct image *i, const char *message)
{
	size_t size;

	*i = (struct image){
		.header = {
			.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_entry = LOAD_ADDRESS + offsetof(struct image, speech),
			.e_phoff = offsetof(struct image, segments),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 2,
		},
		.segments = {
			{
				.p_type = PT_LOAD,
				.p_flags = PF_R | PF_X,
				.p_vaddr = LOAD_ADDRESS,
				.p_filesz = sizeof(*i),
				.p_memsz = sizeof(*i),
				.p_align = 4096,
			},
			{ .p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W },
		},
		.speech = {
			.mov_eax_write = 0xb8, .write = 1,
			.mov_edi_fd = 0xbf, .fd = 2,
			.mov_esi_text = 0xbe, .text = LOAD_ADDRESS + offsetof(struct image, text),
			.mov_edx_size = 0xba,
			.syscall = { 0x0f, 0x05 },
			.mov_eax_exit = 0xb8, .exit_group = 231,
			.mov_edi_status = 0xbf, .status = 1,
			.syscall_exit = { 0x0f, 0x05 },
		},
	};
	size = (size_t)snprintf(i->text, sizeof(i->text), "%s\n", message);
	i->speech.size = (uint32_t)MIN(size, sizeof(i->text) - 1);
}

int boot_refused(void *arg, int error, struct file **out)
{
	const struct boot_refusal *refusal = arg;
	struct boot_failure why = { "" };
	struct image image;
	struct io_iter from;
	struct file *file;
	uint64_t at = 0;
	ssize_t n;
	int rc = memfd_new("refusal", LINUX_MFD_EXEC, refusal->cred, &file);

	if (rc < 0)
		return rc;
	boot_failed_errno(&why, error, "exec %s", refusal->filename);
	make_image(&image, why.text);
	io_iter_init_buffer(&from, &image, sizeof(image));
	n = vfs_write(file, &from, &at, UINT64_MAX);
	if (n != sizeof(image)) {
		file_put(file);
		return n < 0 ? (int)n : -EIO;
	}
	*out = file;
	return 0;
}

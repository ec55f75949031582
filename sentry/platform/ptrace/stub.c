/* SPDX-License-Identifier: Apache-2.0 */
/* The stub's code and its ELF image; see stub.h. */
#include "sentry/platform/ptrace/stub.h"

#include <elf.h>
#include <string.h>

#include "util/compiler.h"
#include "util/file.h"

#define CODE_OFFSET 512

extern const char ptrace_stub_park[], ptrace_stub_call[], ptrace_stub_clone[],
	ptrace_stub_compare[], ptrace_stub_handler[], ptrace_stub_end[];

/* Position independent; `34` is pause(2). */
__asm__(".pushsection .rodata\n"
	".balign 16\n"
	".globl ptrace_stub_park, ptrace_stub_call, ptrace_stub_clone\n"
	".globl ptrace_stub_compare, ptrace_stub_handler, ptrace_stub_end\n"
	"ptrace_stub_park:\n"
	"1:	mov	$34, %eax\n"
	"	syscall\n"
	"	jmp	1b\n"
	"ptrace_stub_call:\n"
	"	syscall\n"
	"	int3\n"
	"ptrace_stub_clone:\n"
	"	syscall\n"
	"	test	%rax, %rax\n"
	"	jz	1b\n"
	"	int3\n"
	"ptrace_stub_compare:\n"
	"	lock cmpxchg	%edx, (%rdi)\n"
	"	int3\n"
	"ptrace_stub_handler:\n"
	"	int3\n"
	"ptrace_stub_end:\n"
	".byte 0\n"
	".popsection\n");

static const char *const entries[] = {
	[STUB_PARK] = ptrace_stub_park,
	[STUB_HOST_CALL] = ptrace_stub_call,
	[STUB_CLONE] = ptrace_stub_clone,
	[STUB_COMPARE] = ptrace_stub_compare,
	[STUB_HANDLER] = ptrace_stub_handler,
};

static uint64_t address_of(const char *label)
{
	return STUB_AREA + CODE_OFFSET + (uint64_t)(label - ptrace_stub_park);
}

uint64_t stub_entry_address(enum stub_entry entry)
{
	return address_of(entries[entry]);
}

uint64_t stub_text_end(void)
{
	return address_of(ptrace_stub_end);
}

int stub_write_image(int fd)
{
	struct {
		Elf64_Ehdr header;
		Elf64_Phdr segments[2];
		char code[STUB_PAGE_SIZE - sizeof(Elf64_Ehdr) - 2 * sizeof(Elf64_Phdr)];
	} image = {
		.header = {
			.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				     EV_CURRENT, ELFOSABI_SYSV },
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_entry = stub_entry_address(STUB_PARK),
			.e_phoff = sizeof(Elf64_Ehdr),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 2,
		},
		.segments = {
			{ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = STUB_AREA,
			  .p_paddr = STUB_AREA, .p_filesz = STUB_PAGE_SIZE,
			  .p_memsz = STUB_PAGE_SIZE, .p_align = STUB_PAGE_SIZE },
			{ .p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W, .p_align = 16 },
		},
	};

	_Static_assert(sizeof(image) == STUB_PAGE_SIZE, "one page");
	memcpy((char *)&image + CODE_OFFSET, ptrace_stub_park,
	       (size_t)(ptrace_stub_end - ptrace_stub_park));
	return fd_write_all(fd, &image, sizeof(image));
}

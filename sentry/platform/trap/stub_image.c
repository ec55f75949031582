/* SPDX-License-Identifier: Apache-2.0 */
/* The stub's executable, as built from stub/, inside moat: stub_image, stub_image_end. */
#include "sentry/platform/trap/stub_image.h"

__asm__(".pushsection .rodata\n"
	".globl stub_image\n"
	".globl stub_image_end\n"
	".balign 8\n"
	"stub_image:\n"
	/* relative to the build tree, where the compiler runs */
	".incbin \"sentry/platform/trap/stub.elf\"\n"
	"stub_image_end:\n"
	".byte 0\n"
	".popsection\n");

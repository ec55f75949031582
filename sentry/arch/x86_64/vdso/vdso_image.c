/* SPDX-License-Identifier: Apache-2.0 */
/* Embeds the shared object that vdso.c and vdso.lds make (see local.mk). */
#include "config.h"

#include "sentry/arch/x86_64/vdso/vdso_image.h"

__asm__(".pushsection .rodata\n"
	".balign 64\n"
	".globl vdso_image_start, vdso_image_end\n"
	".hidden vdso_image_start, vdso_image_end\n"
	"vdso_image_start:\n"
	".incbin \"sentry/arch/x86_64/vdso/vdso.so\"\n"
	"vdso_image_end:\n"
	".popsection\n");

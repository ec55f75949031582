# SPDX-License-Identifier: Apache-2.0
# The guest's vDSO is a shared object of its own, embedded by vdso_image.c.  The compiler's and
# the user's ordinary flags do not apply to it: it runs in guests, without libc and on any stack.
libsentry_a_SOURCES += %D%/vdso/vdso_image.c %D%/vdso/vdso_image.h %D%/vdso/vdso_data.h
EXTRA_DIST += %D%/vdso/vdso.c %D%/vdso/vdso.lds
CLEANFILES += %D%/vdso/vdso.so

vdso_cflags = -std=gnu17 -O2 -fPIC -ffreestanding -fvisibility=hidden -fno-stack-protector \
	-fcf-protection=none -mno-sse -fomit-frame-pointer -fasynchronous-unwind-tables \
	-U_FORTIFY_SOURCE -Wall -Wextra
vdso_ldflags = -nostdlib -shared -Wl,--hash-style=both -Wl,--build-id=none \
	-Wl,-soname,linux-vdso.so.1 -Wl,-Bsymbolic -Wl,-z,max-page-size=4096 -Wl,--no-undefined \
	-Wl,-z,noexecstack -Wl,--eh-frame-hdr -Wl,-s

%D%/vdso/vdso.so: %D%/vdso/vdso.c %D%/vdso/vdso_data.h %D%/vdso/vdso.lds
	@$(MKDIR_P) %D%/vdso
	$(AM_V_CCLD)$(CC) $(vdso_cflags) -I$(top_srcdir) $(vdso_ldflags) \
		-Wl,-T,$(top_srcdir)/%D%/vdso/vdso.lds -o $@ $(top_srcdir)/%D%/vdso/vdso.c

%D%/vdso/vdso_image.$(OBJEXT): %D%/vdso/vdso.so
libsentry_a_SOURCES += %D%/cpu_info.c %D%/cpu_info.h

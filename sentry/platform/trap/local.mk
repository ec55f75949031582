# SPDX-License-Identifier: Apache-2.0
# The stub is an executable of its own, embedded by stub_image.c.  The compiler's and the user's
# ordinary flags do not apply to it: it runs in guests, without libc and at a fixed address.
libsentry_a_SOURCES += \
	%D%/address_space.c \
	%D%/clone.c \
	%D%/context.c %D%/context.h \
	%D%/copy_window.c \
	%D%/memory.c \
	%D%/notify.c \
	%D%/order.c \
	%D%/placement.c \
	%D%/pool.c \
	%D%/process.c \
	%D%/slot_event.c \
	%D%/slot_memory.c \
	%D%/spin.c \
	%D%/stub_abi.h \
	%D%/stub_filter.c %D%/stub_filter.h \
	%D%/stub_image.c %D%/stub_image.h \
	%D%/sweep.c %D%/sweep.h \
	%D%/family.c \
	%D%/template.c \
	%D%/thread.c \
	%D%/tid_table.c \
	%D%/trap.c %D%/trap.h \
	%D%/vdso_table.c \
	%D%/watchdog.c %D%/watchdog.h \
	%D%/xstate.c
EXTRA_DIST += %D%/stub/stub.c %D%/stub/stub_copy.c %D%/stub/stub.h %D%/stub/stub_entry.S
CLEANFILES += %D%/stub.elf

stub_cflags = -std=gnu17 -O2 -ffreestanding -fpie -mgeneral-regs-only -mfsgsbase \
	-fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables -fno-jump-tables \
	-U_FORTIFY_SOURCE -Wall -Wextra
stub_ldflags = -nostdlib -static -Wl,-Ttext-segment=0x7fffe0000000 -Wl,--build-id=none \
	-Wl,-z,noexecstack -Wl,-z,max-page-size=4096 -Wl,-z,norelro -Wl,-s

%D%/stub.elf: %D%/stub/stub.c %D%/stub/stub_copy.c %D%/stub/stub.h %D%/stub/stub_entry.S %D%/stub_abi.h \
		%D%/../copy_kind.h
	@$(MKDIR_P) %D%
	$(AM_V_CCLD)$(CC) $(stub_cflags) -I$(top_srcdir) $(stub_ldflags) -o $@ \
		$(top_srcdir)/%D%/stub/stub.c $(top_srcdir)/%D%/stub/stub_copy.c \
		$(top_srcdir)/%D%/stub/stub_entry.S

%D%/stub_image.$(OBJEXT): %D%/stub.elf

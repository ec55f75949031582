# SPDX-License-Identifier: Apache-2.0
libsentry_a_SOURCES += \
	%D%/copy_struct.h \
	%D%/io_iter.c \
	%D%/mm.c %D%/mm.h %D%/mm_private.h \
	%D%/mm_advise.c \
	%D%/mm_change.c \
	%D%/mm_fault.c %D%/mm_force.c \
	%D%/mm_harden.c \
	%D%/mm_lock.c \
	%D%/mm_map.c \
	%D%/mm_pick.c \
	%D%/mm_protect.c \
	%D%/mm_range.c \
	%D%/mm_remap.c \
	%D%/mm_sync.c \
	%D%/mm_unmap.c \
	%D%/shared_memory.c \
	%D%/usercopy.c %D%/usercopy.h \
	%D%/vma_set.c %D%/vma_set.h

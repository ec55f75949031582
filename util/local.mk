# SPDX-License-Identifier: Apache-2.0
# Helpers that know nothing of containers.
libutil_a_SOURCES += \
	%D%/checked.h \
	%D%/clean_path.c %D%/clean_path.h \
	%D%/cleanup.h \
	%D%/compiler.h \
	%D%/error.c %D%/error.h \
	%D%/fd_pass.c %D%/fd_pass.h \
	%D%/file.c %D%/file.h \
	%D%/hash.c %D%/hash.h \
	%D%/hash_table.c %D%/hash_table.h \
	%D%/json_escape.c %D%/json_escape.h \
	%D%/list.h \
	%D%/lock.c %D%/lock.h %D%/lock_rank.h \
	%D%/log.c %D%/log.h \
	%D%/parse.c %D%/parse.h \
	%D%/refcount.c %D%/refcount.h \
	%D%/strbuf.c %D%/strbuf.h \
	%D%/string_list.c %D%/string_list.h \
	%D%/utf8.c %D%/utf8.h

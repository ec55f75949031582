# SPDX-License-Identifier: Apache-2.0
# The file server.  libgofer_a_SOURCES += %D%/name.c %D%/name.h
libgofer_a_SOURCES += %D%/protocol.h %D%/start.h %D%/start_read.h %D%/start.c %D%/gofer_main.c \
	%D%/confine.c %D%/confine.h %D%/seccomp_filter.c %D%/worker.c %D%/worker.h \
	%D%/server.h %D%/connection.c %D%/node_table.c %D%/node_table.h \
	%D%/call.c %D%/call.h %D%/object.c %D%/serve_walk.c %D%/serve_open.c %D%/serve_create.c \
	%D%/serve_remove.c %D%/serve_attr.c %D%/serve_readdir.c %D%/serve_xattr.c
if MOAT_DEBUG
libgofer_a_SOURCES += %D%/serve_debug.c
endif
# Elsewhere it is still part of the tree.
EXTRA_DIST += %D%/serve_debug.c

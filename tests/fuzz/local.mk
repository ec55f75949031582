# SPDX-License-Identifier: Apache-2.0
# check_PROGRAMS, TESTS and EXTRA_DIST of tests/fuzz.
check_PROGRAMS += %D%/gofer_server
TESTS += %D%/gofer_server
%C%_gofer_server_LDADD = libgofer.a libutil.a $(SECCOMP_LIBS) $(CAP_LIBS)
check_PROGRAMS += %D%/elf_loader
TESTS += %D%/elf_loader
%C%_elf_loader_LDADD = libfake.a $(LDADD)

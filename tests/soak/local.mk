# SPDX-License-Identifier: Apache-2.0
# Soak tests: tests/soak/run, see --help there.
check_PROGRAMS += tests/soak/soak

tests_soak_soak_SOURCES = tests/soak/soak.c
tests_soak_soak_CFLAGS = \
	-O2 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wno-unused-parameter -fno-pie -fno-sanitize=all
tests_soak_soak_LDFLAGS = -static
tests_soak_soak_LDADD = -lpthread

EXTRA_DIST += tests/soak/run

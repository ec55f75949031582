# SPDX-License-Identifier: Apache-2.0
# The hostile guests and the client that makes a debug build attack its own confinement.
# Run them with tests/attack/run, see --help there.

tests_attack_sources = \
	tests/attack/attack.c \
	tests/attack/attack.h \
	tests/attack/attack_list.c \
	tests/attack/every_file.c \
	tests/attack/filters.c \
	tests/attack/foreign.c \
	tests/attack/hand_over.c \
	tests/attack/hostile_stub.c \
	tests/attack/messages.c \
	tests/attack/objects.c \
	tests/attack/process.c \
	tests/attack/race.c \
	tests/attack/registers.c \
	tests/attack/rewritten.c \
	tests/attack/rights.c \
	tests/attack/silent.c \
	tests/attack/site.c \
	tests/attack/sites.c \
	tests/attack/slots.c \
	tests/attack/spaces.c \
	tests/attack/terminals.c \
	tests/attack/traced.c

check_PROGRAMS += tests/attack/attack tests/attack/confine_client tests/attack/console_client \
	tests/attack/pod_client

# No red zone: calls into the stub's text push on the stack of the code around them.  No stack
# protector, and nothing else that needs the C library's FS base: hostile_stub.c handles the host's signals.
tests_attack_attack_SOURCES = $(tests_attack_sources)
tests_attack_attack_CFLAGS = \
	-O2 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -fno-pie \
	-mno-red-zone -mfsgsbase -fno-stack-protector -fcf-protection=none -fno-sanitize=all \
	-U_FORTIFY_SOURCE
tests_attack_attack_LDFLAGS = -static
tests_attack_attack_LDADD = -lpthread

tests_attack_confine_client_SOURCES = tests/attack/confine_client.c
tests_attack_console_client_SOURCES = tests/attack/console_client.c
tests_attack_pod_client_SOURCES = tests/attack/pod_client.c
tests_attack_pod_client_LDADD = libsentry.a libutil.a

EXTRA_DIST += tests/attack/run

# The bench: tests/bench/bench prints the table, benchprog is what runs in the containers.

check_PROGRAMS += tests/bench/benchprog

tests_bench_benchprog_SOURCES = \
	tests/bench/benchnotify.c \
	tests/bench/benchprog.c \
	tests/bench/benchprog.h \
	tests/bench/benchpss.c
tests_bench_benchprog_CFLAGS = \
	-O2 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -fno-pie \
	-fno-sanitize=all
tests_bench_benchprog_LDFLAGS = -static
tests_bench_benchprog_LDADD = -lpthread

EXTRA_DIST += tests/bench/bench tests/bench/bench-clients

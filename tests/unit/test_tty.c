/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The line discipline against the host's: random modes, typed characters and output are given to
 * a pseudoterminal of the host and to one of ours, and both ends of both must see the same.
 * Limits and flow, which the host does not show exactly, are tested by themselves.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "sentry/fs/tty/tty.h"
#include "util/checked.h"

#define ROUNDS 400
#define STEPS 12
#define OUTPUT_SIZE 16384

static struct pty *ours;
static int master = -1, slave = -1;

static int setup(void **state)
{
	int unlock = 0;

	master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return -1;
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	return slave < 0 ? -1 : pty_new(0, &ours);
}

static int teardown(void **state)
{
	close(slave);
	close(master);
	pty_put(ours);
	return 0;
}

/* --- the same to both ------------------------------------------------------------------------- */

/*
 * The host moves bytes between the ends from a work queue: what it does depends on its pace, too,
 * when modes change before it came to them.  So a difference counts when it comes again at
 * a slower pace: a real one always does.
 */
static const int paces[] = { 1, 20, 300 }; /* milliseconds */
static int pace;
static bool differs, on_its_way;

/*
 * A poll that finds nothing to read waits for the work queue.  With something there to be read by
 * the slave nothing does, so what was written is given time, once.
 */
static void settle(void)
{
	struct pollfd entries[] = { { .fd = slave, .events = POLLIN },
				    { .fd = master, .events = POLLIN } };

	if (poll(&entries[0], 1, 0) != 0 && on_its_way)
		poll(NULL, 0, pace);
	on_its_way = false;
	poll(&entries[1], 1, 0);
}

static struct linux_termios2 random_modes(unsigned *seed)
{
	static const uint32_t input[] = { LINUX_ISTRIP, LINUX_INLCR, LINUX_IGNCR, LINUX_ICRNL,
					  LINUX_IUCLC,	LINUX_IUTF8, LINUX_PARMRK };
	static const uint32_t output[] = { LINUX_OPOST, LINUX_OLCUC,  LINUX_ONLCR, LINUX_OCRNL,
					   LINUX_ONOCR, LINUX_ONLRET, LINUX_XTABS };
	static const uint32_t local[] = { LINUX_ICANON,	 LINUX_ECHO,	LINUX_ECHOE,  LINUX_ECHOK,
					  LINUX_ECHONL,	 LINUX_ECHOCTL, LINUX_ECHOPRT, LINUX_ECHOKE,
					  LINUX_IEXTEN };
	struct linux_termios2 t = tty_default_termios;

	t.iflag = t.oflag = t.lflag = 0;
	for (size_t i = 0; i < ARRAY_SIZE(input); i++)
		t.iflag |= rand_r(seed) % 3 ? 0 : input[i];
	for (size_t i = 0; i < ARRAY_SIZE(output); i++)
		t.oflag |= rand_r(seed) % 2 ? 0 : output[i];
	for (size_t i = 0; i < ARRAY_SIZE(local); i++)
		t.lflag |= rand_r(seed) % 3 ? local[i] : 0;
	if (rand_r(seed) % 16 == 0)
		t.lflag |= LINUX_EXTPROC;
	t.cc[LINUX_VEOL] = rand_r(seed) % 4 ? 0 : 'e';
	t.cc[LINUX_VEOL2] = rand_r(seed) % 4 ? 0 : 'f';
	t.cc[LINUX_VMIN] = 0;
	return t;
}

static void set_modes(const struct linux_termios2 *t)
{
	assert_int_equal(ioctl(slave, LINUX_TCSETS2, t), 0);
	tty_set_termios(&ours->ends[PTY_SLAVE], t);
}

static size_t random_text(unsigned *seed, uint8_t *out, size_t max)
{
	static const char alphabet[] = "abcdefXYZ_ .\t\t\n\n\r\b\177\177\025\027\026\022\004\001\033"
				       "\303\244\342\202\254\377\200";
	size_t size = 1 + (size_t)rand_r(seed) % max;

	for (size_t i = 0; i < size; i++)
		out[i] = (uint8_t)alphabet[(size_t)rand_r(seed) % (sizeof(alphabet) - 1)];
	return size;
}

static void type_both(const uint8_t *text, size_t size)
{
	size_t taken;

	assert_int_equal(write(master, text, size), (ssize_t)size);
	on_its_way = true;
	settle();
	pty_lock(ours);
	taken = tty_input(&ours->ends[PTY_SLAVE], text, size);
	pty_unlock(ours);
	assert_int_equal(taken, size);
}

static void write_both(const uint8_t *text, size_t size)
{
	size_t taken;

	assert_int_equal(write(slave, text, size), (ssize_t)size);
	settle();
	pty_lock(ours);
	taken = n_tty_write(&ours->ends[PTY_SLAVE], text, size);
	pty_unlock(ours);
	assert_int_equal(taken, size);
}

/* --- and from both ------------------------------------------------------------------------------ */

static size_t host_output(uint8_t *out)
{
	size_t size = 0;
	ssize_t n;

	settle();
	while ((n = read(master, out + size, OUTPUT_SIZE - size)) > 0)
		size += (size_t)n;
	return size;
}

static size_t our_output(uint8_t *out)
{
	struct tty *tty = &ours->ends[PTY_MASTER];
	size_t size = 0, before;

	pty_lock(ours);
	do {
		before = size;
		n_tty_copy_raw(tty, out, &size, OUTPUT_SIZE);
		tty_refill(tty);
	} while (size != before);
	pty_unlock(ours);
	return size;
}

/* One read(2) of at most @want bytes, as sentry/fs/tty/tty_file.c does it; -1: nothing there. */
static ssize_t our_read(uint8_t *out, size_t want)
{
	struct tty *tty = &ours->ends[PTY_SLAVE];
	bool lines = tty->n.icanon && !(tty->termios.lflag & LINUX_EXTPROC), more;
	size_t size = 0;

	pty_lock(ours);
	if (!n_tty_input_available(tty, false)) {
		pty_unlock(ours);
		return -1;
	}
	do
		more = lines ? n_tty_copy_canon(tty, out, &size, want) :
			       n_tty_copy_raw(tty, out, &size, want);
	while (more && size < want);
	if (more && lines)
		n_tty_skip_eof(tty);
	pty_unlock(ours);
	return (ssize_t)size;
}

static void dump(const char *what, const uint8_t *bytes, size_t size)
{
	fprintf(stderr, "%s:", what);
	for (size_t i = 0; i < size; i++)
		fprintf(stderr, " %02x", bytes[i]);
	fprintf(stderr, "\n");
}

static void compare(const char *what, const uint8_t *host, ssize_t host_size,
			const uint8_t *our, ssize_t our_size)
{
	if (host_size == our_size && (host_size <= 0 || !memcmp(host, our, (size_t)host_size)))
		return;
	dump("host", host, host_size > 0 ? (size_t)host_size : 0);
	dump("ours", our, our_size > 0 ? (size_t)our_size : 0);
	fprintf(stderr, "%s: the host gives %zd bytes, we %zd\n", what, host_size, our_size);
	differs = true;
}

static void compare_output(void)
{
	static uint8_t host[OUTPUT_SIZE], our[OUTPUT_SIZE];
	size_t host_size = host_output(host), our_size = our_output(our);

	compare("output", host, (ssize_t)host_size, our, (ssize_t)our_size);
}

static bool compare_read(size_t want)
{
	uint8_t host[256], our[256];
	int count = 0;
	size_t readable;
	ssize_t host_size, our_size;

	settle();
	assert_int_equal(ioctl(slave, FIONREAD, &count), 0);
	pty_lock(ours);
	readable = n_tty_readable(&ours->ends[PTY_SLAVE]);
	pty_unlock(ours);
	if (count != (int)readable) {
		fprintf(stderr, "FIONREAD: the host says %d, we %zu\n", count, readable);
		differs = true;
		return false;
	}
	host_size = read(slave, host, want);
	our_size = our_read(our, want);
	/* With VMIN 0 the host gives 0 where there is nothing; that is the file's part. */
	if (our_size == -1)
		our_size = ours->ends[PTY_SLAVE].n.icanon ? -1 : 0;
	compare("read", host, host_size, our, our_size);
	return host_size > 0;
}

static void compare_round(unsigned seed)
{
	struct linux_termios2 modes = random_modes(&seed);
	uint8_t text[24];
	size_t size;

	set_modes(&modes);
	for (int step = 0; step < STEPS && !differs; step++) {
		switch (rand_r(&seed) % 8) {
		case 0:
			size = random_text(&seed, text, sizeof(text));
			write_both(text, size);
			break;
		case 1:
			compare_read(1 + (size_t)rand_r(&seed) % 20);
			break;
		case 2:
			modes.lflag ^= rand_r(&seed) % 2 ? LINUX_ICANON : LINUX_ECHO;
			set_modes(&modes);
			break;
		default:
			size = random_text(&seed, text, sizeof(text));
			type_both(text, size);
			break;
		}
		compare_output();
	}
	/* The end of a line, whatever the modes, so that the next round begins with nothing. */
	modes.iflag = 0;
	modes.lflag = 0;
	set_modes(&modes);
	while (!differs && compare_read(200))
		;
	if (!differs)
		compare_output();
}

static void test_as_the_host(void **state)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned seed = round * 7919 + 1;

		for (unsigned try = 0; try < ARRAY_SIZE(paces); try++) {
			differs = false;
			pace = paces[try];
			compare_round(seed);
			/* Columns and unfinished editing do not outlive a round. */
			teardown(NULL);
			assert_int_equal(setup(NULL), 0);
			if (!differs)
				break;
		}
		assert_false(differs);
	}
}

/* --- limits ------------------------------------------------------------------------------------- */

static void test_backlog(void **state)
{
	struct tty *tty = &ours->ends[PTY_SLAVE];
	struct linux_termios2 raw = tty_default_termios;
	static uint8_t bytes[32768], back[32768];
	size_t taken, got = 0, before;

	raw.iflag = raw.oflag = raw.lflag = 0;
	tty_set_termios(tty, &raw);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 31 + i / 251);
	pty_lock(ours);
	taken = tty_input(tty, bytes, sizeof(bytes));
	assert_int_equal(taken, N_TTY_SIZE - 1 + TTY_BACKLOG_SIZE);
	assert_int_equal(tty_input(tty, bytes, 1), 0);
	do {
		before = got;
		n_tty_copy_raw(tty, back, &got, MIN(got + 100, sizeof(back)));
		tty_refill(tty);
	} while (got != before);
	pty_unlock(ours);
	assert_int_equal(got, taken);
	assert_memory_equal(back, bytes, taken);
}

/* Echoes of a terminal whose output nobody takes neither grow without end nor stop the typing. */
static void test_echo_flood(void **state)
{
	struct tty *tty = &ours->ends[PTY_SLAVE];

	pty_lock(ours);
	tty_stop(tty);
	for (unsigned i = 0; i < 100000; i++) {
		const uint8_t typed[] = { 'a', '\t', 1, 0xff, 0177, '\t', '\n' };

		tty_input(tty, typed, sizeof(typed));
		if (i % 100 == 0)
			n_tty_flush_input(tty);
	}
	tty_start(tty);
	echo_process(tty);
	pty_unlock(ours);
	assert_true(tty->n.echo_head - tty->n.echo_tail < N_TTY_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_as_the_host, setup, teardown),
		cmocka_unit_test_setup_teardown(test_backlog, setup, teardown),
		cmocka_unit_test_setup_teardown(test_echo_flood, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

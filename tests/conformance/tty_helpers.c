/* SPDX-License-Identifier: Apache-2.0 */
#include "tty_helpers.h"

#define QUIET_MS 10 /* what has not come by then, after a push, does not come */
#define LATE_MS 200 /* by which a worker is late at most, where nothing can be done but wait */

struct pair pair_open(void)
{
	struct pair p = { .had_input = false };
	char name[64];
	int number, unlock = 0;

	p.master = (int)MUST(open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK));
	MUST(ioctl(p.master, TIOCSPTLCK, &unlock));
	MUST(ioctl(p.master, TIOCGPTN, &number));
	snprintf(name, sizeof(name), "/dev/pts/%d", number);
	p.slave = (int)MUST(open(name, O_RDWR | O_NOCTTY));
	return p;
}

void pair_close(struct pair *p)
{
	close(p->slave);
	close(p->master);
}

void type_data(struct pair *p, const void *data, size_t size)
{
	struct pollfd entry = { .fd = p->slave, .events = POLLIN };

	p->had_input = poll(&entry, 1, 0) > 0;
	if (write(p->master, data, size) != (ssize_t)size)
		note("typing %zu bytes: short or failed: %s", size, errno_name(errno));
}

void type_text(struct pair *p, const char *text)
{
	type_data(p, text, strlen(text));
}

/* Linux moves what was written with a worker; only a poll that finds nothing waits for it. */
void settle(struct pair *p)
{
	struct pollfd entries[] = { { .fd = p->slave, .events = POLLIN },
				    { .fd = p->master, .events = POLLIN } };

	if (p->had_input)
		sleep_ms(LATE_MS);
	for (int i = 0; i < 2; i++) {
		poll(&entries[0], 1, 0);
		poll(&entries[1], 1, 0);
		sleep_ms(3);
	}
}

void show_output(struct pair *p, const char *label)
{
	char all[16384];
	size_t size = 0;
	struct pollfd entry = { .fd = p->master, .events = POLLIN };

	settle(p);
	while (poll(&entry, 1, QUIET_MS) == 1 && size < sizeof(all)) {
		ssize_t n = read(p->master, all + size, sizeof(all) - size);

		if (n <= 0) {
			if (n < 0 && errno != EAGAIN)
				note("%s: ends with %s", label, errno_name(errno));
			break;
		}
		size += (size_t)n;
	}
	show_data(label, all, (ssize_t)size);
}

static void read_within(int fd, const char *label, size_t size, int timeout_ms)
{
	char buf[8192];
	struct pollfd entry = { .fd = fd, .events = POLLIN };

	if (poll(&entry, 1, timeout_ms) == 0) {
		note("%s: nothing to read", label);
		return;
	}
	show_data(label, buf, read(fd, buf, size < sizeof(buf) ? size : sizeof(buf)));
}

void show_read(int fd, const char *label, size_t size)
{
	/* What was typed may still be on its way. */
	read_within(fd, label, size, 40 * QUIET_MS);
}

void show_read_now(int fd, const char *label, size_t size)
{
	read_within(fd, label, size, 0);
}

void change_modes(int fd, tcflag_t clear_i, tcflag_t set_i, tcflag_t clear_o, tcflag_t set_o,
		  tcflag_t clear_l, tcflag_t set_l)
{
	struct termios t;

	MUST(tcgetattr(fd, &t));
	t.c_iflag = (t.c_iflag & ~clear_i) | set_i;
	t.c_oflag = (t.c_oflag & ~clear_o) | set_o;
	t.c_lflag = (t.c_lflag & ~clear_l) | set_l;
	MUST(tcsetattr(fd, TCSANOW, &t));
}

void set_cc(int fd, int which, cc_t value)
{
	struct termios t;

	MUST(tcgetattr(fd, &t));
	t.c_cc[which] = value;
	MUST(tcsetattr(fd, TCSANOW, &t));
}

void make_raw(int fd, cc_t min, cc_t time)
{
	struct termios t;

	MUST(tcgetattr(fd, &t));
	cfmakeraw(&t);
	t.c_cc[VMIN] = min;
	t.c_cc[VTIME] = time;
	MUST(tcsetattr(fd, TCSANOW, &t));
}

void take_terminal(struct pair *p)
{
	MUST(setsid());
	MUST(ioctl(p->slave, TIOCSCTTY, 0));
}

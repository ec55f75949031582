/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/fd_pass.h"
#include "util/log.h"

#define CONNECT_SECONDS 10
#define MASTER_NAME "/dev/ptmx" /* what runc calls the file it sends */
#define CHUNK 4096
#define OUTPUT_WAIT_MS 2000

static struct termios our_modes;

int console_check(bool terminal, bool detach, const char *socket, struct error **err)
{
	bool has_socket = socket && *socket;

	if (detach && terminal && !has_socket)
		return error_set(err, -EINVAL,
				 "cannot allocate tty if moat will detach without setting console socket");
	if ((!detach || !terminal) && has_socket)
		return error_set(err, -EINVAL, "cannot use console socket if moat will not detach or "
					       "allocate tty");
	return 0;
}

static int open_pair(struct console *c, struct error **err)
{
	struct termios modes;

	c->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (c->master < 0 || unlockpt(c->master) < 0)
		return error_set_errno(err, -errno, "open a terminal");
	/* Its own description: not blocking is the sentry's affair alone. */
	c->slave = ioctl(c->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (c->slave < 0 || tcgetattr(c->slave, &modes) < 0)
		return error_set_errno(err, -errno, "open the terminal's other end");
	cfmakeraw(&modes);
	if (tcsetattr(c->slave, TCSANOW, &modes) < 0)
		return error_set_errno(err, -errno, "set the terminal's modes");
	return 0;
}

static int set_size(struct console *c, const struct spec_console_size *size, struct error **err)
{
	struct winsize window = { 0 };

	if (!size)
		return 0;
	window.ws_row = (unsigned short)size->height;
	window.ws_col = (unsigned short)size->width;
	if (ioctl(c->master, TIOCSWINSZ, &window) < 0)
		return error_set_errno(err, -errno, "set the terminal's size");
	return 0;
}

static int connect_socket(struct console *c, const char *path, struct error **err)
{
	/* As long as a client may be busy; one that never accepts cannot hold us. */
	const struct timeval patience = { .tv_sec = CONNECT_SECONDS };
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return error_set(err, -ENAMETOOLONG, "--console-socket %s: the path is too long", path);
	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	c->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->socket < 0 ||
	    setsockopt(c->socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
	    connect(c->socket, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_set_errno(err, errno == EAGAIN ? -ETIMEDOUT : -errno,
				       "dial unix %s: connect", path);
	return 0;
}

/* The first of our files that is one, in runc's order; they may lead elsewhere, all of them. */
static int find_host(struct console *c, struct error **err)
{
	for (int fd = STDERR_FILENO; fd >= STDIN_FILENO; fd--) {
		if (!isatty(fd))
			continue;
		c->host = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		return c->host < 0 ? error_set_errno(err, -errno, "unable to get console") : 0;
	}
	c->host = open("/dev/tty", O_RDONLY | O_CLOEXEC);
	return c->host < 0 ? error_set_errno(err, -errno, "open /dev/tty") : 0;
}

int console_make(struct console *c, const struct spec_console_size *size, const char *socket,
		 struct error **err)
{
	if (size && (size->height > UINT16_MAX || size->width > UINT16_MAX))
		return error_set(err, -EINVAL, "process.consoleSize: larger than 65535");
	if (socket && *socket ? connect_socket(c, socket, err) < 0 : find_host(c, err) < 0)
		return error_code(*err);
	if (open_pair(c, err) < 0 || set_size(c, size, err) < 0)
		return error_code(*err);
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int console_send(struct console *c, struct error **err)
{
	int ret;

	if (c->socket < 0)
		return 0;
	ret = fd_pass_send(c->socket, MASTER_NAME, strlen(MASTER_NAME), &c->master, 1);
	if (ret < 0)
		return error_set_errno(err, ret, "send the terminal to --console-socket");
	close_fd(&c->socket);
	close_fd(&c->master);
	return 0;
}

void console_close_slave(struct console *c)
{
	close_fd(&c->slave);
}

void console_watch(struct console *c)
{
	if (ioctl(c->slave, TIOCSCTTY, 0) < 0)
		log_warning("console: a new size will not be noticed: %m");
	close_fd(&c->slave);
}

void console_close(struct console *c)
{
	close_fd(&c->master);
	close_fd(&c->slave);
	close_fd(&c->socket);
	close_fd(&c->host);
}

/* --- joined to ours ------------------------------------------------------------------------ */

void console_copy_size(struct console *c)
{
	struct winsize size;

	if (ioctl(c->host, TIOCGWINSZ, &size) == 0 && ioctl(c->master, TIOCSWINSZ, &size) < 0)
		log_debug("console: set size: %m");
}

void console_join(struct console *c)
{
	struct termios modes;

	console_copy_size(c);
	if (tcgetattr(c->host, &our_modes) < 0)
		return;
	modes = our_modes;
	cfmakeraw(&modes);
	/* As runc: the container's terminal leaves the line ends to ours. */
	modes.c_oflag |= OPOST;
	c->raw = tcsetattr(c->host, TCSANOW, &modes) == 0;
}

int console_input_fd(const struct console *c)
{
	return c->input_ended ? -1 : STDIN_FILENO;
}

static bool write_all(int fd, const char *bytes, size_t size)
{
	while (size) {
		ssize_t n = write(fd, bytes, size);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd entry = { .fd = fd, .events = POLLOUT };

			if (poll(&entry, 1, OUTPUT_WAIT_MS) <= 0)
				return false;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		size -= (size_t)n;
	}
	return true;
}

void console_carry_input(struct console *c)
{
	char bytes[CHUNK];
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0 || !write_all(c->master, bytes, (size_t)n))
		c->input_ended = true;
}

bool console_carry_output(struct console *c)
{
	char bytes[CHUNK];
	ssize_t n = read(c->master, bytes, sizeof(bytes));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	/* EIO: the sentry has closed the slave.  What cannot be shown is dropped. */
	return n > 0 && (write_all(STDOUT_FILENO, bytes, (size_t)n) || true);
}

void console_leave(struct console *c)
{
	struct pollfd entry = { .fd = c->master, .events = POLLIN };

	if (c->master < 0)
		return;
	/* The sentry has put everything there before it said that the process had ended. */
	while (poll(&entry, 1, 0) > 0 && console_carry_output(c))
		;
	if (c->raw)
		tcsetattr(c->host, TCSANOW, &our_modes);
	c->raw = false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gofer's server against any sequence of packets.  The input is a list of
 * records: two bytes of length, then that many bytes of packet.  Unless the packet's type has
 * its high bit set, the header's size is put right, so that the input gets past
 * the first check.  Never may: a descriptor leak, anything outside the attach
 * point be changed, or a reply be longer than a message.
 *
 * See driver.c for how it is run.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gofer/server.h"
#include "tests/fuzz/fuzz.h"
#include "util/checked.h"
#include "util/cleanup.h"

static struct gofer_server server;
static struct gofer_buffers buffers;
static char base[] = "/tmp/moat-fuzz-XXXXXX";
static int base_fd, root_fd;

static void put_file(int dir, const char *name)
{
	AUTO_CLOSE int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	fuzz_check(fd >= 0 && write(fd, "text\n", 5) == 5, "cannot make a file");
}

static void remove_tree(int dir_fd)
{
	AUTO_CLOSEDIR DIR *dir = fdopendir(dir_fd);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (!unlinkat(dirfd(dir), entry->d_name, 0))
			continue;
		remove_tree(openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
		unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
	}
}

static void remove_base(void)
{
	remove_tree(fcntl(base_fd, F_DUPFD_CLOEXEC, 0));
	rmdir(base);
}

static void make_tree(void)
{
	fuzz_check(mkdtemp(base), "cannot make a directory");
	base_fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put_file(base_fd, "canary");
	fuzz_check(!mkdirat(base_fd, "root", 0755), "cannot make a directory");
	root_fd = openat(base_fd, "root", O_PATH | O_CLOEXEC);
	fuzz_check(!mkdirat(root_fd, "d", 0755), "cannot make a directory");
	put_file(root_fd, "f");
	put_file(root_fd, "d/f");
	fuzz_check(!symlinkat("..", root_fd, "s"), "cannot make a symlink");
	atexit(remove_base);
	gofer_server_init(&server, open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC), false);
	server.node_limit = 64;
}

static unsigned int count_descriptors(void)
{
	AUTO_CLOSEDIR DIR *dir = opendir("/proc/self/fd");
	unsigned int count = 0;

	while (readdir(dir))
		count++;
	return count;
}

static struct gofer_connection *connect_server(void)
{
	struct gofer_connection *connection;
	int pair[2];

	fuzz_check(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), "no socketpair");
	close(pair[1]);
	fuzz_check(!gofer_connection_new(&server, 0, fcntl(root_fd, F_DUPFD_CLOEXEC, 0), pair[0], false,
				    &connection), "no connection");
	return connection;
}

static int send_packet(struct gofer_connection *connection, const uint8_t *packet, uint32_t size)
{
	struct gofer_request *request = (void *)buffers.request;
	const struct gofer_reply *reply = (const void *)buffers.reply;
	int fd = -1, err;

	memcpy(buffers.request, packet, size);
	if (size >= sizeof(*request)) {
		if (!(request->type & 0x8000))
			request->size = size;
		request->type &= 0x7fff;
	}
	err = gofer_connection_answer(connection, &buffers, size, &fd);
	fuzz_check(err || (reply->size >= sizeof(*reply) && reply->size <= GOFER_MESSAGE_MAX),
	      "a reply of impossible size");
	fuzz_check(err || reply->error <= 0, "a positive error");
	fuzz_check(fd < 0 || (!err && !reply->error), "a descriptor with an error");
	if (fd >= 0) {
		struct stat st;

		fuzz_check(!fstat(fd, &st) && S_ISREG(st.st_mode), "a descriptor of something not regular");
		close(fd);
	}
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gofer_attach_request attach = {
		.header = { .size = sizeof(attach), .type = GOFER_ATTACH },
		.version = GOFER_PROTOCOL_VERSION,
	};
	static unsigned int rounds;
	struct gofer_connection *connection;
	unsigned int before;

	if (!base_fd)
		make_tree();
	before = rounds++ % 64 ? 0 : count_descriptors();
	connection = connect_server();
	fuzz_check(!send_packet(connection, (const uint8_t *)&attach, sizeof(attach)), "attach failed");
	while (size >= 2) {
		uint32_t length = MIN((uint32_t)(data[0] | data[1] << 8), (uint32_t)size - 2);

		if (send_packet(connection, data + 2, length))
			break;
		data += 2 + length;
		size -= 2 + length;
	}
	gofer_connection_free(connection);
	if (before) {
		struct stat st;

		fuzz_check(count_descriptors() == before, "descriptors leak");
		fuzz_check(!fstatat(base_fd, "canary", &st, 0) && st.st_size == 5 && st.st_nlink == 1 &&
		      (st.st_mode & 07777) == 0644, "the canary outside was touched");
	}
	return 0;
}

/* A packet that is nearly right: small numbers, nodes that may exist, names that do. */
static uint32_t make_packet(uint8_t *out)
{
	static const char *const names[] = { "f", "d", "s", "n", "m", "..", "", "user.a", "a/b" };
	uint16_t type = (uint16_t)(1 + fuzz_random(GOFER_MESSAGE_END));
	const struct gofer_message_info *info = gofer_message_info(type);
	uint32_t size = info ? info->request_size : fuzz_random(64) + 8;

	memset(out, 0, size);
	for (uint32_t at = 8; at + 4 <= size; at += 4) {
		uint32_t value = fuzz_random(6) ? fuzz_random(4) : fuzz_random(1u << 31);

		memcpy(out + at, &value, 4);
	}
	if (fuzz_random(4)) { /* a node in the first field */
		uint64_t node = (uint64_t)(1 + fuzz_random(2)) << 32 | (1 + fuzz_random(4));

		memcpy(out + 8, &node, sizeof(node));
	}
	memcpy(out + 4, &type, sizeof(type));
	for (uint32_t i = fuzz_random(4); i; i--) {
		const char *name = names[fuzz_random(ARRAY_SIZE(names))];
		uint8_t length = (uint8_t)strlen(name);

		out[size++] = length;
		memcpy(out + size, name, length + 1u);
		size += length + 1u;
	}
	return size;
}

static size_t generate(uint8_t *out)
{
	size_t size = 0;

	for (uint32_t packets = 1 + fuzz_random(24); packets; packets--) {
		uint32_t length = make_packet(out + size + 2);

		for (uint32_t flips = fuzz_random(3); flips; flips--)
			if (!fuzz_random(4))
				fuzz_flip(out + size + 2, length, 1);
		out[size] = (uint8_t)length;
		out[size + 1] = (uint8_t)(length >> 8);
		size += length + 2;
	}
	return size;
}

const struct fuzz_target fuzz_target = { "gofer_server", 20000, generate };

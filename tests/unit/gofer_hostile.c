/* SPDX-License-Identifier: Apache-2.0 */
/* A client that lies: each request is refused, or ends the connection, and nothing more. */
#include "tests/unit/gofer_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/cleanup.h"

/* A well-formed request of every type, as bytes. */
struct packet {
	uint32_t size;
	uint8_t bytes[512] ALIGNED(8);
};

static void append(struct packet *p, const void *bytes, size_t size)
{
	assert_true(p->size + size <= sizeof(p->bytes));
	memcpy(p->bytes + p->size, bytes, size);
	p->size += (uint32_t)size;
}

static void append_name(struct packet *p, const char *name)
{
	uint8_t length = (uint8_t)strlen(name);

	append(p, &length, 1);
	append(p, name, length + 1u);
}

static void finish(struct packet *p, uint16_t type)
{
	*(struct gofer_request *)(void *)p->bytes =
		(struct gofer_request){ .size = p->size, .type = type, .sequence = 7 };
}

/* Also of the message that only --enable-debug builds serve. */
static uint32_t request_size(uint16_t type)
{
	const struct gofer_message_info *info = gofer_message_info(type);

	return info ? info->request_size : sizeof(struct gofer_debug_attack_request);
}

/* Fixed part by the table's size, then what makes it valid. */
static void build(struct packet *p, uint16_t type, uint64_t root)
{
	union {
		uint8_t bytes[256];
		struct gofer_attach_request attach;
		struct gofer_walk_request walk;
		struct gofer_open_request open;
		struct gofer_create_request create;
		struct gofer_symlink_request symlink;
		struct gofer_mknod_request mknod;
		struct gofer_link_request link;
		struct gofer_rename_request rename;
		struct gofer_readdir_request readdir;
		struct gofer_setxattr_request setxattr;
		struct gofer_release_request release;
	} u = { .bytes = { 0 } };
	const char *names[2] = { NULL, NULL };
	const void *data = NULL;
	size_t data_size = 0;

	u.open.object.node = root; /* where most messages have theirs */
	names[0] = "new";
	switch (type) {
	case GOFER_ATTACH:
		u.attach = (struct gofer_attach_request){ .version = GOFER_PROTOCOL_VERSION };
		names[0] = NULL;
		break;
	case GOFER_WALK:
		u.walk.count = 2;
		names[0] = "dir";
		names[1] = "sub";
		break;
	case GOFER_OPEN:
		u.open.access = GOFER_READ;
		names[0] = "hello";
		break;
	case GOFER_CREATE:
		u.create.access = GOFER_READ_WRITE;
		break;
	case GOFER_SYMLINK:
		u.symlink.target_length = 6;
		data = "target";
		data_size = 7;
		break;
	case GOFER_MKNOD:
		u.mknod.mode = S_IFIFO | 0600;
		break;
	case GOFER_LINK:
		u.link.new_parent.node = root;
		names[0] = "hello";
		names[1] = "hard";
		break;
	case GOFER_RENAME:
		u.rename.new_parent.node = root;
		names[0] = "hello";
		names[1] = "renamed";
		break;
	case GOFER_READDIR:
		u.readdir.size_max = GOFER_READDIR_MAX;
		names[0] = "dir";
		break;
	case GOFER_GETXATTR:
	case GOFER_REMOVEXATTR:
		names[0] = "hello";
		names[1] = "user.x";
		break;
	case GOFER_SETXATTR:
		u.setxattr.size = 3;
		names[0] = "hello";
		names[1] = "user.x";
		data = "abc";
		data_size = 3;
		break;
	case GOFER_STATFS:
	case GOFER_FSYNC:
		names[0] = NULL;
		break;
	case GOFER_RELEASE:
		u.release = (struct gofer_release_request){ .count = 1 };
		names[0] = NULL;
		data = &root;
		data_size = sizeof(root);
		break;
	case GOFER_SEAL:
	case GOFER_DEBUG_ATTACK:
		names[0] = NULL;
		break;
	default:
		break;
	}
	p->size = 0;
	append(p, u.bytes, request_size(type));
	for (int i = 0; i < 2 && names[i]; i++)
		append_name(p, names[i]);
	if (data)
		append(p, data, data_size);
	finish(p, type);
}

static struct gofer_buffers buffers;

/* What the server does with @p on a fresh connection: 0 or -EPROTO; *error is the reply's. */
static int answer(struct fixture *f, const struct packet *p, int *error)
{
	struct gofer_connection *connection;
	uint64_t root;
	int fd = -1, ret;

	connection = fixture_connect(f, false, &buffers, &root);
	memset(&buffers, 0xaa, sizeof(buffers));
	memcpy(buffers.request, p->bytes, p->size);
	ret = gofer_connection_answer(connection, &buffers, p->size, &fd);
	if (!ret) {
		const struct gofer_reply *reply = (const void *)buffers.reply;

		*error = reply->error;
		assert_true(reply->size <= sizeof(buffers.reply));
		assert_true(fd < 0 || !reply->error);
		for (uint32_t i = 0; i + 8 <= reply->size && reply->error; i += 4)
			assert_true(*(const uint32_t *)(const void *)(buffers.reply + i) != 0xaaaaaaaa);
	}
	if (fd >= 0)
		close(fd);
	gofer_connection_free(connection);
	return ret;
}

static uint64_t fixed_root(void)
{
	return 1ull << 32 | 1; /* the first id of every connection */
}

static bool is_served(uint16_t type)
{
	return type != GOFER_ATTACH && type != GOFER_DEBUG_ATTACK;
}

static void well_formed_is_served(void **state)
{
	struct packet p;

	for (uint16_t type = 1; type < GOFER_MESSAGE_END; type++) {
		int error = 1;

		build(&p, type, fixed_root());
		assert_int_equal(answer(*state, &p, &error), is_served(type) ? 0 : -EPROTO);
	}
}

static void truncated_at_every_byte(void **state)
{
	struct packet p;
	int error;

	for (uint16_t type = 1; type < GOFER_MESSAGE_END; type++) {
		build(&p, type, fixed_root());
		for (uint32_t whole = p.size, size = 0; size < whole; size++) {
			p.size = size;
			/* The header still says the old size, then what is true. */
			assert_int_equal(answer(*state, &p, &error), -EPROTO);
			if (size < sizeof(struct gofer_request))
				continue;
			finish(&p, type);
			assert_int_equal(answer(*state, &p, &error), -EPROTO);
			p.size = whole;
			finish(&p, type);
		}
	}
}

static void longer_than_it_is(void **state)
{
	struct packet p;
	int error;

	for (uint16_t type = 1; type < GOFER_MESSAGE_END; type++) {
		build(&p, type, fixed_root());
		append(&p, "", 1);
		assert_int_equal(answer(*state, &p, &error), -EPROTO);
		finish(&p, type);
		assert_int_equal(answer(*state, &p, &error), -EPROTO);
	}
}

static void unknown_types(void **state)
{
	static const uint16_t types[] = { 0, GOFER_MESSAGE_END, 255, 256, 0x7fff, 0xffff };
	struct packet p;
	int error;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		build(&p, GOFER_GETATTR, fixed_root());
		finish(&p, types[i]);
		assert_int_equal(answer(*state, &p, &error), -EPROTO);
	}
}

/* Puts @name, of @length bytes, in place of the request's first name. */
static void replace_name(struct packet *p, uint16_t type, const char *name, uint8_t length)
{
	uint32_t fixed = request_size(type);
	struct packet old = *p;
	uint32_t after = fixed + old.bytes[fixed] + 2u;

	p->size = fixed;
	append(p, &length, 1);
	append(p, name, length);
	append(p, "", 1);
	append(p, old.bytes + after, old.size - after);
	finish(p, type);
}

static void bad_names(void **state)
{
	static const struct {
		const char *name;
		uint8_t length;
	} bad[] = {
		{ ".", 1 }, { "..", 2 }, { "/", 1 }, { "a/b", 3 }, { "/etc", 4 }, { "../x", 4 },
		{ "a\0b", 3 }, { "\0", 1 }, { "x/", 2 },
	};
	int error;

	for (uint16_t type = 1; type < GOFER_MESSAGE_END; type++) {
		struct packet p;

		build(&p, type, fixed_root());
		if (!is_served(type) || type == GOFER_STATFS || type == GOFER_FSYNC || type == GOFER_RELEASE ||
		    type == GOFER_SEAL)
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
			struct packet broken = p;

			replace_name(&broken, type, bad[i].name, bad[i].length);
			assert_int_equal(answer(*state, &broken, &error), -EPROTO);
		}
	}
}

/* Every byte of every request set to extremes: no crash, no leak, never a foreign error code. */
static void every_byte_changed(void **state)
{
	static const uint8_t values[] = { 0, 1, 0x7f, 0x80, 0xff };
	unsigned int before = count_fds();
	struct packet p;

	for (uint16_t type = 1; type < GOFER_MESSAGE_END; type++) {
		for (uint32_t at = 8; build(&p, type, fixed_root()), at < p.size; at++) {
			for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
				int error = 0, ret;

				p.bytes[at] = values[i];
				ret = answer(*state, &p, &error);
				assert_true(ret == 0 || ret == -EPROTO);
				assert_true(error <= 0 && error > -4096);
			}
		}
	}
	assert_int_equal(count_fds(), before);
}

static void stale_and_invented_nodes(void **state)
{
	static const uint64_t nodes[] = { 0, 1, 2, 1ull << 32, 1ull << 32 | 2, 2ull << 32 | 1,
					  UINT64_MAX, UINT32_MAX, 1ull << 32 | UINT32_MAX };
	struct packet p;

	for (uint16_t type = 1; type < GOFER_MESSAGE_END; type++) {
		if (!is_served(type) || type == GOFER_RELEASE || type == GOFER_SEAL)
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
			int error = 0;

			build(&p, type, nodes[i]);
			assert_int_equal(answer(*state, &p, &error), 0);
			assert_int_equal(error, -ESTALE);
		}
	}
}

static void nothing_before_attach(void **state)
{
	struct fixture *f = *state;
	struct packet p;
	int pair[2], fd;

	for (uint16_t type = 2; type < GOFER_MESSAGE_END; type++) {
		struct gofer_connection *connection;

		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
		close(pair[1]);
		assert_int_equal(gofer_connection_new(&f->server, 0, dup(f->root_fd), pair[0], false,
						      &connection), 0);
		build(&p, type, fixed_root());
		memcpy(buffers.request, p.bytes, p.size);
		assert_int_equal(gofer_connection_answer(connection, &buffers, p.size, &fd), -EPROTO);
		gofer_connection_free(connection);
	}
}

/* Over a real socket: an FD that comes along, a packet too long, and the end of the connection. */
static void packets_that_carry_more(void **state)
{
	static uint8_t big[GOFER_MESSAGE_MAX + 8];
	struct fixture *f = *state;
	struct packet p;

	for (int kind = 0; kind < 3; kind++) {
		union {
			struct cmsghdr header;
			char bytes[CMSG_SPACE(sizeof(int))];
		} control = { .header = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
		struct iovec iov = { p.bytes, 0 };
		struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
		struct gofer_connection *connection;
		unsigned int before;
		int pair[2];

		build(&p, GOFER_ATTACH, 0);
		iov.iov_len = p.size;
		memcpy(CMSG_DATA(&control.header), &f->base_fd, sizeof(int));
		if (kind == 0) {
			msg.msg_control = &control;
			msg.msg_controllen = sizeof(control);
		} else if (kind == 1) {
			iov = (struct iovec){ big, sizeof(big) };
		}
		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
		assert_int_equal(gofer_connection_new(&f->server, 0, dup(f->root_fd), pair[0], false,
						      &connection), 0);
		before = count_fds();
		if (kind == 2)
			shutdown(pair[1], SHUT_WR);
		else
			assert_true(sendmsg(pair[1], &msg, 0) > 0);
		assert_int_equal(gofer_connection_serve(connection, &buffers), kind == 2 ? -EPIPE : -EPROTO);
		assert_int_equal(count_fds(), before);
		gofer_connection_free(connection);
		close(pair[1]);
	}
}

static atomic_bool racing;

/* Swaps `swap` between a directory, a symlink out of the tree, and a file. */
static void *swap_names(void *arg)
{
	int root = *(const int *)arg;

	while (atomic_load(&racing)) {
		syscall(SYS_renameat2, root, "real", root, "out", 2 /* RENAME_EXCHANGE */);
		syscall(SYS_renameat2, root, "real", root, "file", 2);
	}
	return NULL;
}

static void symlink_swap_never_escapes(void **state)
{
	static struct gofer_walk_result result;
	struct fixture *f = *state;
	struct gofer_entry entry;
	struct stat secret, st;
	pthread_t thread;
	struct served s;
	uint64_t root;

	assert_int_equal(fstatat(f->base_fd, "outside/secret", &secret, 0), 0);
	mkdirat(f->root_fd, "real", 0755);
	write_file(f->root_fd, "real/secret", "inside\n");
	write_file(f->root_fd, "file", "file\n");
	fixture_serve(f, "root", false, &s);
	root = gofer_client_root(s.client)->node;
	atomic_store(&racing, true);
	pthread_create(&thread, NULL, swap_names, &f->root_fd);
	for (int i = 0; i < 20000; i++) {
		int fd;

		assert_int_equal(gofer_walk(s.client, root, (const char *[]){ "real", "secret" }, 2,
					    GOFER_WALK_NODE, &result), 0);
		for (uint32_t n = 0; n < result.count; n++)
			assert_true(result.entries[n].attr.ino != secret.st_ino);
		if (result.count == 2) {
			fd = gofer_open(s.client, result.entries[0].node, "secret", GOFER_READ, 0, &entry);
			if (fd >= 0) {
				assert_int_equal(fstat(fd, &st), 0);
				assert_true(st.st_ino != secret.st_ino);
				close(fd);
			}
		}
		for (uint32_t n = 0; n < result.count; n++)
			gofer_release(s.client, result.entries[n].node);
		fd = gofer_open(s.client, root, "real", GOFER_READ, 0, &entry);
		assert_true(fd >= 0 || fd == -EISDIR || fd == -ELOOP);
		if (fd >= 0)
			close(fd);
	}
	atomic_store(&racing, false);
	pthread_join(thread, NULL);
	served_end(&s);
}

/* A node of a directory that is moved meanwhile still leads nowhere above it. */
static void rename_does_not_escape(void **state)
{
	struct gofer_entry dir, sub, entry;
	struct fixture *f = *state;
	struct served s;
	uint64_t root;

	fixture_serve(f, "root", false, &s);
	root = gofer_client_root(s.client)->node;
	assert_int_equal(gofer_lookup(s.client, root, "dir", GOFER_WALK_NODE, &dir, NULL), 0);
	assert_int_equal(gofer_lookup(s.client, dir.node, "sub", GOFER_WALK_NODE, &sub, NULL), 0);
	assert_int_equal(gofer_rename(s.client, dir.node, "sub", root, "sub", 0), 0);
	assert_int_equal(renameat(f->root_fd, "sub", f->base_fd, "outside/sub"), 0);
	assert_int_equal(gofer_lookup(s.client, sub.node, "..", 0, &entry, NULL), -EINVAL);
	assert_int_equal(gofer_lookup(s.client, sub.node, "deep", 0, &entry, NULL), 0);
	assert_int_equal(gofer_lookup(s.client, sub.node, "secret", 0, &entry, NULL), -ENOENT);
	served_end(&s);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(well_formed_is_served),
		CASE(truncated_at_every_byte),
		CASE(longer_than_it_is),
		CASE(unknown_types),
		CASE(bad_names),
		CASE(every_byte_changed),
		CASE(stale_and_invented_nodes),
		CASE(nothing_before_attach),
		CASE(packets_that_carry_more),
		CASE(symlink_swap_never_escapes),
		CASE(rename_does_not_escape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

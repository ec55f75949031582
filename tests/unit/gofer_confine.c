/* SPDX-License-Identifier: Apache-2.0 */
/* The gofer as a process: the start message, its confinement proved by attacks, and its end. */
#include "tests/unit/gofer_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config.h"
#include "gofer/start.h"
#include "util/cleanup.h"

#ifdef MOAT_TSAN
/* ThreadSanitizer's runtime starts threads of its own, which the filter does not allow. */
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

static const struct gofer_owner me = { 0, 0 };

struct message {
	struct gofer_start header;
	struct gofer_start_mount mounts[3];
};

static struct message start_message(uint32_t count, uint32_t flags)
{
	return (struct message){
		.header = { .magic = GOFER_START_MAGIC, .version = GOFER_START_VERSION, .flags = flags,
			    .mount_count = count, .log_fd = -1, .proc_fd = -1 },
	};
}

/* Runs gofer_main in a child on @size bytes of @message. */
static pid_t spawn(const struct message *message, size_t size)
{
	char number[16], name[] = "gofer", option[] = "--start-fd";
	char *argv[] = { name, option, number, NULL };
	int fd = memfd_create("start", 0);
	pid_t pid;

	assert_int_equal(write(fd, message, size), size);
	lseek(fd, 0, SEEK_SET);
	snprintf(number, sizeof(number), "%d", fd);
	pid = fork();
	if (pid == 0)
		_exit(gofer_main(3, argv));
	close(fd);
	return pid;
}

struct process {
	pid_t pid;
	struct gofer_client *clients[3];
};

static void spawn_serving(struct fixture *f, uint32_t count, uint32_t flags, struct process *out)
{
	struct message message = start_message(count, flags);
	int ours[3], theirs[3];

	for (uint32_t i = 0; i < count; i++) {
		int pair[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
		ours[i] = pair[0];
		theirs[i] = pair[1];
		message.mounts[i].socket_fd = pair[1];
		message.mounts[i].root_fd = openat(f->base_fd, "root", O_PATH | O_CLOEXEC);
		message.mounts[i].flags = i ? GOFER_MOUNT_READ_ONLY : 0;
	}
	out->pid = spawn(&message, sizeof(message.header) + count * sizeof(message.mounts[0]));
	for (uint32_t i = 0; i < count; i++) {
		close(theirs[i]);
		close(message.mounts[i].root_fd);
		assert_int_equal(gofer_client_new(ours[i], &out->clients[i]), 0);
	}
}

static int wait_status(pid_t pid)
{
	int status = -1;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void serves_and_ends_with_its_peers(void **state)
{
	struct gofer_entry entry;
	struct process p;
	int fd;

	spawn_serving(*state, 3, 0, &p);
	for (int i = 0; i < 3; i++) {
		uint64_t root = gofer_client_root(p.clients[i])->node;

		fd = gofer_open(p.clients[i], root, "hello", GOFER_READ, 0, &entry);
		assert_true(fd >= 0);
		close(fd);
		fd = gofer_open(p.clients[i], root, "hello", GOFER_WRITE, 0, &entry);
		assert_int_equal(fd < 0 ? fd : 0, i ? -EROFS : 0);
		if (fd >= 0)
			close(fd);
	}
	gofer_client_free(p.clients[0]);
	assert_int_equal(waitpid(p.pid, NULL, WNOHANG), 0);
	assert_int_equal(gofer_getattr(p.clients[2], gofer_client_root(p.clients[2])->node, "", &entry.attr), 0);
	gofer_client_free(p.clients[1]);
	gofer_client_free(p.clients[2]);
	assert_int_equal(wait_status(p.pid), 0);
}

/* The filter lets everything through that the protocol needs. */
static void every_message_passes_the_filter(void **state)
{
	static struct gofer_walk_result walk;
	struct gofer_setattr change = { .mask = GOFER_SET_ALL & ~GOFER_SET_ATIME_NOW, .mode = 0600,
					.size = 9, .atime = { .sec = 5 } };
	uint64_t buffer[GOFER_READDIR_MAX / 8], root;
	struct gofer_statfs_reply statfs;
	char target[GOFER_SYMLINK_MAX + 1];
	struct gofer_batch batch;
	struct gofer_entry entry;
	struct process p;
	struct gofer_client *c;

	spawn_serving(*state, 1, 0, &p);
	c = p.clients[0];
	root = gofer_client_root(c)->node;
	assert_int_equal(gofer_walk(c, root, (const char *[]){ "dir", "sub" }, 2, GOFER_WALK_NODE, &walk), 0);
	close(gofer_create(c, root, "new", 0640, (struct gofer_owner){ 3, 4 }, GOFER_WRITE, &entry));
	assert_int_equal(gofer_setattr(c, entry.node, "", &change, &entry.attr), 0);
	assert_int_equal(gofer_fsync(c, entry.node, false), 0);
	assert_int_equal(gofer_fsync(c, entry.node, true), 0);
	close(gofer_open(c, entry.node, "", GOFER_READ_WRITE, 0, &entry));
	assert_int_equal(gofer_mkdir(c, root, "d", 02755, (struct gofer_owner){ 3, 4 }, &entry), 0);
	assert_int_equal(gofer_symlink(c, root, "s", "t", (struct gofer_owner){ 3, 4 }, &entry), 0);
	assert_int_equal(gofer_readlink(c, root, "s", target), 0);
	assert_int_equal(gofer_mknod(c, root, "p", S_IFIFO | 0600, me, &entry), 0);
	assert_int_equal(gofer_mknod(c, root, "k", S_IFSOCK | 0600, me, &entry), 0);
	assert_int_equal(gofer_mknod(c, root, "r", S_IFREG | 0600, me, &entry), 0);
	assert_int_equal(gofer_link(c, root, "new", root, "new2", &entry), 0);
	assert_int_equal(gofer_link(c, entry.node ? entry.node : root, "new", root, "new3", &entry), 0);
	assert_int_equal(gofer_rename(c, root, "new3", root, "new4", GOFER_RENAME_NOREPLACE), 0);
	assert_int_equal(gofer_rename(c, root, "new4", root, "new2", GOFER_RENAME_EXCHANGE), 0);
	assert_int_equal(gofer_unlink(c, root, "d", GOFER_UNLINK_DIRECTORY), 0);
	assert_int_equal(gofer_statfs(c, root, &statfs), 0);
	assert_int_equal(gofer_readdir(c, root, "", 0, GOFER_READDIR_ATTR, buffer, GOFER_READDIR_MIN, &batch), 0);
	assert_int_equal(gofer_readdir(c, root, "", 1, GOFER_READDIR_ATTR, buffer, sizeof(buffer), &batch), 0);
	assert_true(gofer_setxattr(c, root, "new", "user.a", "1", 1, 0) != -EIO);
	assert_true(gofer_getxattr(c, root, "new", "user.a", target, 8) != -EIO);
	assert_true(gofer_listxattr(c, root, "new", target, 8) != -EIO);
	assert_true(gofer_removexattr(c, root, "new", "user.a") != -EIO);
	gofer_release(c, walk.entries[0].node);
	gofer_release_flush(c);
	/* Enough nodes that the table's memory is moved. */
	for (int i = 0; i < 5000; i++)
		assert_int_equal(gofer_lookup(c, root, "dir", GOFER_WALK_NODE, &entry, NULL), 0);
	gofer_client_free(c);
	assert_int_equal(wait_status(p.pid), 0);
}

static uint64_t status_field(pid_t pid, const char *field, int base)
{
	char path[64], line[256];
	uint64_t value = ~0ull;
	size_t length = strlen(field);

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	AUTO_FCLOSE FILE *file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, field, length) && line[length] == ':')
			value = strtoull(line + length + 1, NULL, base);
	return value;
}

static void privileges_are_gone(void **state)
{
	struct process p;

	spawn_serving(*state, 1, 0, &p);
	assert_int_equal(status_field(p.pid, "Seccomp", 10), 2);
	assert_int_equal(status_field(p.pid, "NoNewPrivs", 10), 1);
	/* CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, FSETID, SETFCAP at most. */
	assert_int_equal(status_field(p.pid, "CapPrm", 16) & ~0x8000001full, 0);
	assert_int_equal(status_field(p.pid, "CapEff", 16) & ~0x8000001full, 0);
	assert_int_equal(status_field(p.pid, "CapInh", 16), 0);
	assert_int_equal(status_field(p.pid, "CapAmb", 16), 0);
	gofer_client_free(p.clients[0]);
	assert_int_equal(wait_status(p.pid), 0);
}

#ifdef MOAT_DEBUG
static void attacks_kill_it(void **state)
{
	for (int attack = 1; attack < GOFER_ATTACK_END; attack++) {
		int32_t result = 0;
		struct process p;
		int status;

		spawn_serving(*state, 2, GOFER_START_DEBUG, &p);
		assert_int_equal(gofer_debug_attack(p.clients[0], (enum gofer_attack)attack, &result), -EIO);
		status = wait_status(p.pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGSYS);
		gofer_client_free(p.clients[0]);
		gofer_client_free(p.clients[1]);
	}
}

#endif

static void attacks_need_the_debug_flag(void **state)
{
	int32_t result;
	struct process p;

	spawn_serving(*state, 1, 0, &p);
	assert_int_equal(gofer_debug_attack(p.clients[0], GOFER_ATTACK_SOCKET, &result), -EIO);
	assert_int_equal(wait_status(p.pid), 0);
	gofer_client_free(p.clients[0]);
}

#ifndef MOAT_DEBUG
static void attacks_need_a_debug_build(void **state)
{
	int32_t result;
	struct process p;

	spawn_serving(*state, 1, GOFER_START_DEBUG, &p);
	for (int attack = 1; attack < GOFER_ATTACK_END; attack++)
		assert_int_equal(gofer_debug_attack(p.clients[0], (enum gofer_attack)attack, &result), -EIO);
	/* The violation ended the connection, and with it the gofer; nothing was attempted. */
	assert_int_equal(wait_status(p.pid), 0);
	gofer_client_free(p.clients[0]);
}
#endif

static void sigterm_ends_it(void **state)
{
	struct process p;

	spawn_serving(*state, 2, 0, &p);
	kill(p.pid, SIGTERM);
	assert_true(WIFSIGNALED(wait_status(p.pid)));
	gofer_client_free(p.clients[0]);
	gofer_client_free(p.clients[1]);
}

static void inherited_descriptors_are_closed(void **state)
{
	struct process p;
	char path[64], byte;
	int pipe_fds[2];

	assert_int_equal(pipe(pipe_fds), 0);
	spawn_serving(*state, 1, 0, &p);
	close(pipe_fds[1]);
	/* The gofer's copy of the write end is gone: end of file, at once. */
	assert_int_equal(read(pipe_fds[0], &byte, 1), 0);
	snprintf(path, sizeof(path), "/proc/%d/fd/0", p.pid);
	close(pipe_fds[0]);
	gofer_client_free(p.clients[0]);
	assert_int_equal(wait_status(p.pid), 0);
}

static void bad_start_messages(void **state)
{
	struct fixture *f = *state;
	struct message good = start_message(1, 0), bad;
	size_t size = sizeof(good.header) + sizeof(good.mounts[0]);

	good.mounts[0].root_fd = f->root_fd;
	good.mounts[0].socket_fd = f->base_fd;
	for (size_t cut = 0; cut < size; cut++)
		assert_int_equal(wait_status(spawn(&good, cut)), 1 << 8);
	assert_int_equal(wait_status(spawn(&good, size + 1)), 1 << 8);
#define BAD(field, value)                                            \
	do {                                                         \
		bad = good;                                          \
		bad.field = (value);                                 \
		assert_int_equal(wait_status(spawn(&bad, size)), 1 << 8); \
	} while (0)
	BAD(header.magic, 1);
	BAD(header.version, 2);
	BAD(header.flags, 4);
	BAD(header.mount_count, 0);
	BAD(header.mount_count, 2);
	BAD(header.mount_count, UINT32_MAX);
	BAD(header.log_fd, 4000);
	BAD(header.proc_fd, 4000);
	BAD(header.log_fd, f->root_fd);
	BAD(mounts[0].root_fd, -1);
	BAD(mounts[0].socket_fd, -1);
	BAD(mounts[0].socket_fd, f->root_fd);
	BAD(mounts[0].flags, 2);
	BAD(mounts[0].reserved, 1);
#undef BAD
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(bad_start_messages),
		CASE(serves_and_ends_with_its_peers),
		CASE(every_message_passes_the_filter),
		CASE(privileges_are_gone),
#ifdef MOAT_DEBUG
		CASE(attacks_kill_it),
#else
		CASE(attacks_need_a_debug_build),
#endif
		CASE(attacks_need_the_debug_flag),
		CASE(sigterm_ends_it),
		CASE(inherited_descriptors_are_closed),
	};

	if (SANITIZED) {
		puts("1..0 # SKIP ThreadSanitizer needs calls that the filter refuses");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/gofer_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/log.h"

void write_file(int dir_fd, const char *path, const char *text)
{
	int fd = openat(dir_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	log_set_output(-1, LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
	snprintf(f->base, sizeof(f->base), "/tmp/moat-gofer-XXXXXX");
	assert_non_null(mkdtemp(f->base));
	f->base_fd = open(f->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(f->base_fd, "root", 0755), 0);
	assert_int_equal(mkdirat(f->base_fd, "outside", 0755), 0);
	write_file(f->base_fd, "outside/secret", "secret\n");
	f->root_fd = openat(f->base_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->root_fd >= 0);
	write_file(f->root_fd, "hello", "hello\n");
	assert_int_equal(mkdirat(f->root_fd, "dir", 0755), 0);
	assert_int_equal(mkdirat(f->root_fd, "dir/sub", 0755), 0);
	write_file(f->root_fd, "dir/inner", "inner\n");
	write_file(f->root_fd, "dir/sub/deep", "deep\n");
	assert_int_equal(symlinkat("hello", f->root_fd, "link"), 0);
	assert_int_equal(symlinkat("../outside", f->root_fd, "out"), 0);
	assert_int_equal(symlinkat("/etc", f->root_fd, "abs"), 0);
	assert_int_equal(mknodat(f->root_fd, "pipe", S_IFIFO | 0600, 0), 0);
	assert_int_equal(mknodat(f->root_fd, "sock", S_IFSOCK | 0600, 0), 0);
	f->proc_fd = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	gofer_server_init(&f->server, f->proc_fd, false);
	*state = f;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	close(f->proc_fd);
	close(f->root_fd);
	close(f->base_fd);
	nftw(f->base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

static void *serve_thread(void *arg)
{
	struct gofer_connection *connection = arg;
	struct gofer_buffers *buffers = mmap(NULL, sizeof(*buffers), PROT_READ | PROT_WRITE,
					     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	while (!gofer_connection_serve(connection, buffers))
		;
	gofer_connection_free(connection);
	munmap(buffers, sizeof(*buffers));
	return NULL;
}

int fixture_serve_socket(struct fixture *f, const char *path, bool read_only, pthread_t *thread)
{
	int root = openat(f->base_fd, path, O_PATH | O_CLOEXEC);
	struct gofer_connection *connection;
	int pair[2];

	assert_true(root >= 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(gofer_connection_new(&f->server, 0, root, pair[0], read_only, &connection), 0);
	assert_int_equal(pthread_create(thread, NULL, serve_thread, connection), 0);
	return pair[1];
}

void fixture_serve(struct fixture *f, const char *path, bool read_only, struct served *out)
{
	int socket = fixture_serve_socket(f, path, read_only, &out->thread);

	assert_int_equal(gofer_client_new(socket, &out->client), 0);
}

void served_end(struct served *s)
{
	gofer_client_free(s->client);
	pthread_join(s->thread, NULL);
}

struct gofer_connection *fixture_connect(struct fixture *f, bool read_only,
					 struct gofer_buffers *buffers, uint64_t *root)
{
	struct gofer_attach_request *request = (void *)buffers->request;
	struct gofer_attach_reply *reply = (void *)buffers->reply;
	struct gofer_connection *connection;
	int pair[2], fd;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	close(pair[1]);
	assert_int_equal(gofer_connection_new(&f->server, 0, fcntl(f->root_fd, F_DUPFD_CLOEXEC, 0),
					      pair[0], read_only, &connection), 0);
	*request = (struct gofer_attach_request){
		.header = { .size = sizeof(*request), .type = GOFER_ATTACH },
		.version = GOFER_PROTOCOL_VERSION,
	};
	assert_int_equal(gofer_connection_answer(connection, buffers, sizeof(*request), &fd), 0);
	assert_int_equal(reply->header.error, 0);
	*root = reply->root.node;
	return connection;
}

unsigned int count_fds(void)
{
	AUTO_CLOSEDIR DIR *dir = opendir("/proc/self/fd");
	unsigned int count = 0;

	while (readdir(dir))
		count++;
	return count;
}

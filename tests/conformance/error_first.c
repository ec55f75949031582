/* SPDX-License-Identifier: Apache-2.0 */
/* Calls with several wrong arguments at once, combination by combination: which of them is told. */
#include "conformance.h"

#include <linux/kcmp.h>
#include <linux/keyctl.h>
#include <pty.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

static const struct {
	const char *name;
	int fd1, fd2;
} kcmp_files[] = { { "open", 1, 2 }, { "closed", 999, 1 }, { "negative", -1, -1 } };

static void show_kcmp(const char *who, pid_t one, pid_t two, int type, size_t file)
{
	long rc = syscall(SYS_kcmp, one, two, type, kcmp_files[file].fd1, kcmp_files[file].fd2);

	/* which of two objects is the greater one is chance */
	note("%s, type %d, %s: %s", who, type, kcmp_files[file].name,
	     rc == -1  ? errno_name(errno)
	     : rc == 0 ? "equal"
		       : "unequal");
}

CASE(order_kcmp)
{
	pid_t self = getpid(), child = (pid_t)MUST(fork());

	if (child == 0) {
		for (;;)
			pause();
	}
	for (int type = -1; type <= KCMP_TYPES + 1; type++) {
		for (size_t file = 0; file < ARRAY_SIZE(kcmp_files); file++) {
			show_kcmp("nobody", 4000000, self, type, file);
			show_kcmp("nobody second", self, 4000000, type, file);
			show_kcmp("zero", 0, 0, type, file);
			show_kcmp("self", self, self, type, file);
			show_kcmp("child", self, child, type, file);
		}
		RUN_CHILD("another user")
		{
			become_user(1234);
			show_kcmp("self and stranger", getpid(), child, type, 0);
			show_kcmp("stranger and self", child, getpid(), type, 1);
			show_kcmp("stranger and nobody", child, 4000000, type, 0);
		}
	}
	kill(child, SIGKILL);
	show_wait("child", child);
	show_kcmp("reaped", child, self, KCMP_VM, 0);
	child = (pid_t)MUST(fork());
	if (child == 0)
		_exit(0);
	siginfo_t info;
	MUST(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT));
	for (int type = -1; type <= KCMP_TYPES; type++)
		show_kcmp("dead", child, self, type, 0);
	show_wait("dead child", child);
}

/* Key ids, payloads and sizes; nobody has the authority to instantiate anything. */
CASE(order_keyctl_instantiate)
{
	static char text[64] = "text";
	static const struct iovec vectors[] = { { text, 4 }, { (void *)16, 4 } };
	const long payloads[] = { 0, (long)text, (long)bad_ptr(), (long)kernel_ptr(),
				  (long)vectors };
	static const long sizes[] = { 0, 1, 2, 4, 64, 1 << 20, (1 << 20) + 1, -1 };
	static const long ids[] = { 0, -1, -4, 999999 };
	static const int ops[] = { KEYCTL_INSTANTIATE, KEYCTL_INSTANTIATE_IOV };

	for (size_t o = 0; o < ARRAY_SIZE(ops); o++)
		for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
			for (size_t p = 0; p < ARRAY_SIZE(payloads); p++)
				for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
					long rc;

					/* text is no vector, nor is what is behind the vectors */
					if (ops[o] == KEYCTL_INSTANTIATE_IOV &&
					    (p == 1 || (p == 4 && sizes[s] == 4)))
						continue;
					rc = syscall(SYS_keyctl, ops[o], ids[i], payloads[p],
						     sizes[s], -2);
					note("op %d id %ld payload %zu size %ld: %s", ops[o],
					     ids[i], p, sizes[s],
					     rc == -1 ? errno_name(errno) : "0");
				}
}

CASE(order_socketpair)
{
	static const int families[] = { -1, 0, AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, 46, 100 };
	static const int types[] = { 0,
				     SOCK_STREAM,
				     SOCK_DGRAM,
				     SOCK_RAW,
				     SOCK_SEQPACKET,
				     SOCK_PACKET,
				     11,
				     15,
				     16,
				     SOCK_STREAM | SOCK_CLOEXEC,
				     SOCK_STREAM | 0x100000 };
	static const int protocols[] = { 0, 1, 6, 255, -1 };
	int pair[2];

	for (size_t f = 0; f < ARRAY_SIZE(families); f++)
		for (size_t t = 0; t < ARRAY_SIZE(types); t++)
			for (size_t p = 0; p < ARRAY_SIZE(protocols); p++) {
				int fam = families[f], type = types[t], prot = protocols[p];
				long rc;

				/* what Netlink protocols there are is the host's configuration */
				if (fam == AF_NETLINK && prot != 0 && prot != -1)
					continue;
				/* and raw sockets of the Internet are not there for everyone */
				if ((fam == AF_INET || fam == AF_INET6) &&
				    (type == SOCK_RAW || type == SOCK_PACKET))
					continue;
				rc = syscall(SYS_socketpair, fam, type, prot, bad_ptr());
				note("%d %#x %d, bad: %s", fam, type, prot,
				     rc == -1 ? errno_name(errno) : "0");
				rc = syscall(SYS_socketpair, fam, type, prot, pair);
				note("%d %#x %d: %s", fam, type, prot,
				     rc == -1 ? errno_name(errno) : "0");
				if (rc == 0) {
					close(pair[0]);
					close(pair[1]);
				}
			}
	show("next descriptor", dup(0));
}

CASE(order_lock_range)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const unsigned long addrs[] = { 0,
					1,
					(unsigned long)page,
					(unsigned long)page + 1,
					0x7ffffffff000UL,
					0x7ffffffffff0UL,
					0x800000000000UL,
					0xffff800000000000UL,
					0xfffffffffffff000UL,
					0xffffffffffffffffUL };
	static const unsigned long sizes[] = { 0,
					       1,
					       4096,
					       8192,
					       8193,
					       0x7ffffffff000UL,
					       0x800000000000UL,
					       0xffffffffffff0000UL,
					       0xfffffffffffff000UL,
					       0xffffffffffffffffUL };

	MUST(munmap(page + 4096, 4096));
	for (size_t a = 0; a < ARRAY_SIZE(addrs); a++)
		for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
			note("address %zu size %#lx", a, sizes[s]);
			show("mlock", syscall(SYS_mlock, addrs[a], sizes[s]));
			show("mlock2, flag", syscall(SYS_mlock2, addrs[a], sizes[s], 1));
			show("mlock2, unknown", syscall(SYS_mlock2, addrs[a], sizes[s], 2));
			show("munlock", syscall(SYS_munlock, addrs[a], sizes[s]));
			show("msync", syscall(SYS_msync, addrs[a], sizes[s], MS_ASYNC));
			show("msync, flags", syscall(SYS_msync, addrs[a], sizes[s], 8));
			show("mincore", syscall(SYS_mincore, addrs[a], sizes[s], bad_ptr()));
			show("madvise", syscall(SYS_madvise, addrs[a], sizes[s], MADV_NORMAL));
			show("madvise, unknown", syscall(SYS_madvise, addrs[a], sizes[s], 999));
			show("mseal, flags", syscall(462, addrs[a], sizes[s], 1));
		}
	show("as another", syscall(SYS_mlock, page, 4096));
	RUN_CHILD("no limit")
	{
		become_user(1234);
		show("beyond", syscall(SYS_mlock, 0x7ffffffff000UL, 1UL << 40));
		show("wraps", syscall(SYS_mlock, page, 0xfffffffffffff000UL));
	}
}

static void show_policy(const char *label, unsigned long flags, void *addr, unsigned long bits)
{
	unsigned long nodes[1024];
	int mode = -7;
	long rc;

	memset(nodes, 0x55, sizeof(nodes));
	rc = syscall(SYS_get_mempolicy, &mode, nodes, bits, addr, flags);
	note("%s: %s mode %#x nodes %lx %lx %lx", label, rc == -1 ? errno_name(errno) : "0", mode,
	     nodes[0], nodes[1], nodes[17]);
}

/* Flags, addresses and sizes under one policy and another. */
CASE(get_mempolicy_flags)
{
	static const unsigned long bits[] = { 0,    1,	  2,	64,   65,    66,
					      1024, 1025, 1026, 2048, 32769, 32770 };
	static const int modes[] = { 0, 1, 3, 2 | 0x8000, 3 | 0x4000, 4, 6 };
	unsigned long first = 1;
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t m = 0; m < ARRAY_SIZE(modes); m++) {
		note("mode %#x", modes[m]);
		show("set", syscall(SYS_set_mempolicy, modes[m], &first, 64));
		for (unsigned long flags = 0; flags <= 8; flags++) {
			note("flags %lu", flags);
			for (size_t b = 0; b < ARRAY_SIZE(bits); b++)
				show_policy("none", flags, NULL, bits[b]);
			show_policy("address", flags, page + 1, 64);
			show_policy("unmapped", flags, bad_ptr(), 64);
			show("bad mode",
			     syscall(SYS_get_mempolicy, bad_ptr(), NULL, 64, page, flags));
			show("bad nodes",
			     syscall(SYS_get_mempolicy, NULL, bad_ptr(), 64, page, flags));
		}
	}
}

CASE(order_mbind)
{
	static unsigned long none[64], first[64] = { 1 }, second[64] = { 2 },
				       far[64] = { [20] = 1 };
	const unsigned long *masks[] = { NULL, none, first, second, far, bad_ptr(), kernel_ptr() };
	static const unsigned long bits[] = {
		0, 1, 2, 64, 65, 1024, 1025, 2048, 32769, 32770, -1UL
	};
	static const int modes[] = { -1,	 0,	     1,		 2,	     3,
				     4,		 5,	     6,		 7,	     100,
				     0x8000 | 2, 0x4000 | 2, 0xc000 | 2, 0x2000 | 2, 0x2000 | 3,
				     0x8000,	 0x4000 | 1, 0x1000 };
	static const unsigned flags[] = { 0, 1, 2, 4, 8, 16 };
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const struct {
		void *at;
		unsigned long size;
	} ranges[] = { { page, 4096 }, { page + 1, 4096 },    { page, 0 },	  { page, 8193 },
		       { page, -1UL }, { page + 4096, 8192 }, { bad_ptr(), 4096 } };

	MUST(munmap(page + 4096, 4096));
	for (size_t m = 0; m < ARRAY_SIZE(modes); m++)
		for (size_t k = 0; k < ARRAY_SIZE(masks); k++)
			for (size_t b = 0; b < ARRAY_SIZE(bits); b++) {
				long rc = syscall(SYS_mbind, page, 4096, modes[m], masks[k],
						  bits[b], 0UL);

				note("mode %#x mask %zu bits %ld: %s", modes[m], k, (long)bits[b],
				     rc == -1 ? errno_name(errno) : "0");
				rc = syscall(SYS_set_mempolicy, modes[m], masks[k], bits[b]);
				note("set_mempolicy: %s", rc == -1 ? errno_name(errno) : "0");
				show_policy("policy", 0, NULL, bits[b]);
			}
	for (size_t r = 0; r < ARRAY_SIZE(ranges); r++)
		for (size_t f = 0; f < ARRAY_SIZE(flags); f++)
			for (size_t k = 2; k < ARRAY_SIZE(masks); k += 3) {
				long rc = syscall(SYS_mbind, ranges[r].at, ranges[r].size, 2,
						  masks[k], 64UL, (unsigned long)flags[f]);

				note("range %zu flags %u mask %zu: %s", r, flags[f], k,
				     rc == -1 ? errno_name(errno) : "0");
			}
}

/* A first path that is wrong in several ways, a second one that is wrong, too. */
CASE(order_two_paths)
{
	static const char *const olds[] = { "",	      "missing", "missing/x", "file",
					    "file/x", "dir",	 "link",      NULL };
	static const char *const news[] = { "", "missing/y", "new", "file", "file/y", "dir", NULL };
	static char long_path[5000];
	int fds[] = { AT_FDCWD, -1, 0 };

	memset(long_path, '/', sizeof(long_path) - 1);
	write_file("file", "text", 0644);
	MUST(mkdir("dir", 0755));
	MUST(symlink("nowhere", "link"));
	fds[2] = (int)MUST(open("file", O_RDONLY));
	for (size_t o = 0; o <= ARRAY_SIZE(olds); o++)
		for (size_t n = 0; n <= ARRAY_SIZE(news); n++)
			for (size_t f = 0; f < ARRAY_SIZE(fds); f++)
				for (size_t g = 0; g < ARRAY_SIZE(fds); g++) {
					const char *from = o == 7		   ? bad_ptr()
							   : o == ARRAY_SIZE(olds) ? long_path
										   : olds[o];
					const char *to = n == 6			 ? bad_ptr()
							 : n == ARRAY_SIZE(news) ? long_path
										 : news[n];

					RUN_CHILD("")
					{
						note("old %zu at %zu, new %zu at %zu", o, f, n, g);
						show("symlinkat",
						     syscall(SYS_symlinkat, from, fds[g], to));
						unlink("new");
						show("linkat", syscall(SYS_linkat, fds[f], from,
								       fds[g], to, 0));
						unlink("new");
						show("renameat2, none",
						     syscall(SYS_renameat2, fds[f], from, fds[g],
							     to, 1));
						rename("new", olds[o] ? olds[o] : "x");
						show("renameat", syscall(SYS_renameat, fds[f], from,
									 fds[g], to));
						unlink("new");
					}
					write_file("file", "text", 0644);
					mkdir("dir", 0755);
					(void)!symlink("nowhere", "link");
				}
}

static void vectors(int fd, const char *what)
{
	static char text[16];
	static struct iovec good[] = { { text, 4 } }, negative[] = { { text, (size_t)-1 } };
	static struct iovec much[] = { { text, 1UL << 62 }, { text, 1UL << 62 } },
			    odd[] = { { (void *)16, 4 } };
	struct iovec *const lists[] = { NULL, good, negative, much, odd, bad_ptr() };
	static const long counts[] = { 0, 1, 2, 1025, -1 }, offsets[] = { 0, -1, -2 };
	static const int flags[] = { 0, 1, 2, 8, 16, 32, 16 | 32, 64, 128, 0x100, 0x1000, -1 };

	for (size_t l = 0; l < ARRAY_SIZE(lists); l++)
		for (size_t c = 0; c < ARRAY_SIZE(counts); c++)
			for (size_t o = 0; o < ARRAY_SIZE(offsets); o++)
				for (size_t f = 0; f < ARRAY_SIZE(flags); f++) {
					/* the second vector of a list of one is chance */
					if (counts[c] == 2 && lists[l] != much && l != 0 && l != 5)
						continue;
					note("%s, list %zu count %ld offset %ld flags %#x", what, l,
					     counts[c], offsets[o], flags[f]);
					show("preadv2",
					     syscall(SYS_preadv2, fd, lists[l], counts[c],
						     offsets[o], offsets[o], flags[f]));
					show("pwritev2",
					     syscall(SYS_pwritev2, fd, lists[l], counts[c],
						     offsets[o], offsets[o], flags[f]));
				}
}

CASE(order_vectors)
{
	int pipe_fds[2];

	MUST(pipe2(pipe_fds, O_NONBLOCK));
	vectors(open("/dev/null", O_RDWR), "null");
	vectors(open("/dev/null", O_PATH), "path");
	vectors(pipe_fds[0], "pipe");
	vectors(open("/", O_RDONLY), "directory");
	vectors(epoll_create1(0), "epoll");
	vectors(-1, "none");
}

/* Two entries that are wrong each in its way, and a vector that the end of the memory cuts. */
CASE(order_vector_entries)
{
	static char text[8];
	const struct iovec entries[] = { { text, 4 },	     { kernel_ptr(), 4 }, { bad_ptr(), 4 },
					 { text, (size_t)-1 }, { NULL, 0 },	  { text, 1UL << 62 } };
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec *last = (struct iovec *)(void *)(page + 4096) - 1;
	int null = (int)MUST(open("/dev/null", O_RDWR)), zero = (int)MUST(open("/dev/zero", O_RDWR));
	int pair[2];

	MUST(munmap(page + 4096, 4096));
	MUST(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair));
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		*last = entries[i];
		show("cut", readv(zero, last, 2));
		for (size_t k = 0; k < ARRAY_SIZE(entries); k++) {
			const struct iovec both[] = { entries[i], entries[k] };
			const struct msghdr message = { .msg_iov = (struct iovec *)both,
							.msg_iovlen = 2 };

			note("entries %zu %zu", i, k);
			show("writev", writev(null, both, 2));
			show("readv", readv(zero, both, 2));
			show("sendmsg", sendmsg(pair[0], &message, 0));
			show("process_vm_readv",
			     process_vm_readv(getpid(), both, 2, &(struct iovec){ text, 4 }, 1, 0));
			show("process_vm_readv, of",
			     process_vm_readv(getpid(), &(struct iovec){ text, 4 }, 1, both, 2, 0));
			while (recv(pair[1], page, 4096, 0) >= 0)
				;
		}
	}
}

static void short_transfers(const char *what, int fd)
{
	static const int flags[] = { 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512 };
	char text[8];
	struct iovec vector = { text, sizeof(text) };

	note("%s", what);
	for (size_t f = 0; f < ARRAY_SIZE(flags); f++) {
		note("flags %#x", flags[f]);
		memcpy(text, "\1\0\0\0\0\0\0", sizeof(text));
		show_ok("writev", writev(fd, &vector, 1));
		show_ok("pwritev2", pwritev2(fd, &vector, 1, -1, flags[f]));
		show_ok("pwritev2 at 0", pwritev2(fd, &vector, 1, 0, flags[f]));
		lseek(fd, 0, SEEK_SET);
		show_ok("preadv2", preadv2(fd, &vector, 1, -1, flags[f]));
		show_ok("preadv2 at 0", preadv2(fd, &vector, 1, 0, flags[f]));
	}
	close(fd);
}

/* What files take of the flags, RWF_NOWAIT above all. */
CASE(vector_flags)
{
	use_tmpfs();
	static const char *const devices[] = { "/dev/null", "/dev/zero", "/dev/full", "/dev/random",
					       "/dev/urandom" };
	int pair[2], pipe_fds[2], master, slave;
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		short_transfers(devices[i], open(devices[i], O_RDWR));
	MUST(pipe2(pipe_fds, O_NONBLOCK));
	short_transfers("reading end", pipe_fds[0]);
	short_transfers("reading end closed", pipe_fds[1]);
	MUST(pipe2(pipe_fds, O_NONBLOCK));
	short_transfers("writing end", pipe_fds[1]);
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
	short_transfers("socket", pair[0]);
	MUST(mkfifo("fifo", 0600));
	short_transfers("fifo", open("fifo", O_RDWR | O_NONBLOCK));
	short_transfers("eventfd", eventfd(1, EFD_NONBLOCK));
	short_transfers("timerfd", timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	short_transfers("signalfd", signalfd(-1, &set, SFD_NONBLOCK));
	short_transfers("inotify", inotify_init1(IN_NONBLOCK));
	short_transfers("memfd", memfd_create("x", 0));
	short_transfers("file", open("file", O_RDWR | O_CREAT, 0600));
	short_transfers("appending", open("file", O_RDWR | O_APPEND));
	MUST(openpty(&master, &slave, NULL, NULL, NULL));
	fcntl(master, F_SETFL, O_NONBLOCK);
	fcntl(slave, F_SETFL, O_NONBLOCK);
	short_transfers("slave", slave);
	short_transfers("master", master);
}

static void on_pipe(int sig)
{
	note("signal %d", sig);
}

CASE(vector_no_signal)
{
	struct iovec vector = { (char *)"text", 4 };
	int pipe_fds[2], pair[2];

	signal(SIGPIPE, on_pipe);
	MUST(pipe(pipe_fds));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	close(pipe_fds[0]);
	close(pair[0]);
	show("pipe", pwritev2(pipe_fds[1], &vector, 1, -1, 0));
	show("pipe, quiet", pwritev2(pipe_fds[1], &vector, 1, -1, 0x100));
	show("socket", pwritev2(pair[1], &vector, 1, -1, 0));
	show("socket, quiet", pwritev2(pair[1], &vector, 1, -1, 0x100));
}

CASE(order_getsockopt)
{
	static const int families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };
	/* none that one of the sockets has */
	static const int levels[] = { -1, 2, 6, 58, 255, 269, 271, 9999 };
	static const int names[] = { -1, 0, 3, 9999 };
	static int value[64];
	static int sizes[] = { 4, 0, -1, 1 << 20 };

	for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
		int fd = (int)MUST(socket(families[f], SOCK_DGRAM, 0));

		for (size_t l = 0; l < ARRAY_SIZE(levels); l++)
			for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
				note("family %d level %d name %d", families[f], levels[l],
				     names[n]);
				show("getsockopt, bad size", syscall(SYS_getsockopt, fd, levels[l],
								     names[n], value, bad_ptr()));
				for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
					int size = sizes[s];

					note("size %d", size);
					show("getsockopt", syscall(SYS_getsockopt, fd, levels[l],
								   names[n], value, &size));
					size = sizes[s];
					show("getsockopt, bad value",
					     syscall(SYS_getsockopt, fd, levels[l], names[n],
						     bad_ptr(), &size));
					show("setsockopt, bad value",
					     syscall(SYS_setsockopt, fd, levels[l], names[n],
						     bad_ptr(), sizes[s]));
				}
			}
		close(fd);
	}
}

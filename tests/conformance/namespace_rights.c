/* SPDX-License-Identifier: Apache-2.0
 *
 * What the capabilities of a user namespace of one's own are not good for outside of it.
 */
#include "namespace.h"

#include <linux/sched.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <termios.h>

#define CAPS "security.capability"
#define EFFECTIVE 0x02000001U

/* An ordinary user's own namespace, in which it is root. */
static void user_becomes_root(void)
{
	become_user(1000);
	MUST(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)); /* else /proc/self is root's */
	MUST(unshare(CLONE_NEWUSER));
	MUST(write_proc("setgroups", "deny"));
	MUST(write_proc("uid_map", "0 1000 1"));
	MUST(write_proc("gid_map", "0 1000 1"));
}

static void copy_program(const char *name)
{
	char buf[65536];
	int from = (int)MUST(open(self_exe(), O_RDONLY | O_CLOEXEC));
	int to = (int)MUST(open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755));
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) > 0)
		MUST(write(to, buf, (size_t)n));
	close(from);
	close(to);
	MUST(chown(name, 1000, 1000));
}

static void show_caps(const char *label, const char *path)
{
	unsigned int value[8] = { 0 };
	ssize_t size = getxattr(path, CAPS, value, sizeof(value));

	show(label, size);
	for (ssize_t i = 0; i < size / 4; i++)
		show_hex("word", value[i]);
}

HELPER(rights_caps)
{
	char line[256];
	FILE *file = fopen("/proc/self/status", "re");

	(void)argc;
	(void)argv;
	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, "CapPrm", 6) == 0 || strncmp(line, "CapEff", 6) == 0)
			note("%s", strtok(line, "\n"));
	return 0;
}

static void run_it(void)
{
	char *const argv[] = { (char *)"x", (char *)"@rights_caps", NULL };

	execve("program", argv, (char *[]){ NULL });
	show("exec", -1);
}

CASE(rights_file_capabilities)
{
	unsigned int value[6] = { EFFECTIVE, 1U << 0 | 1U << 5, 0, 0, 0, 0 };

	MUST(chmod(".", 0777));
	copy_program("program");
	RUN_CHILD("in the user's own namespace")
	{
		user_becomes_root();
		show("set", setxattr("program", CAPS, value, 20, 0));
		show_caps("seen inside", "program");
		run_it();
	}
	show_caps("seen outside", "program");
	RUN_CHILD("outside")
	{
		become_user(1000);
		run_it();
	}
	RUN_CHILD("root's")
	run_it();
	RUN_CHILD("removed inside")
	{
		user_becomes_root();
		show("remove", removexattr("program", CAPS));
		show("again", removexattr("program", CAPS));
	}
	show_caps("then", "program");
	show("by root", setxattr("program", CAPS, value, 20, 0));
	RUN_CHILD("root's attribute, in the user's own namespace")
	{
		user_becomes_root();
		show_caps("seen inside", "program");
		run_it();
	}
}

CASE(rights_file_capabilities_versions)
{
	unsigned int value[7] = { 0x03000001U, 1U << 0, 0, 0, 0, 1000 };

	MUST(chmod(".", 0777));
	copy_program("program");
	show("version 3", setxattr("program", CAPS, value, 24, 0));
	show_caps("is", "program");
	RUN_CHILD("for the user's namespace")
	{
		user_becomes_root();
		show_caps("seen inside", "program");
		run_it();
	}
	RUN_CHILD("for another namespace")
	{
		become_user(1000);
		run_it();
	}
	value[5] = 0;
	show("version 3 of root", setxattr("program", CAPS, value, 24, 0));
	show_caps("is", "program");
	show("too short", setxattr("program", CAPS, value, 20, 0));
	show("too long", setxattr("program", CAPS, value, 25, 0));
	show("empty", setxattr("program", CAPS, value, 0, 0));
	show_caps("is", "program");
	MUST(setxattr("program", CAPS, (unsigned int[5]){ 0x02000000U }, 20, 0));
	value[0] = 0x02000000U;
	show("version 2 of that size", setxattr("program", CAPS, value, 24, 0));
	value[0] = 0x01000000U;
	show("version 1", setxattr("program", CAPS, value, 12, 0));
	show("small buffer", getxattr("program", CAPS, value, 4));
	show("size only", getxattr("program", CAPS, NULL, 0));
	RUN_CHILD("of a file of root")
	{
		MUST(chown("program", 0, 0));
		user_becomes_root();
		value[0] = 0x02000000U;
		show("set", setxattr("program", CAPS, value, 20, 0));
		show("bad value", setxattr("program", CAPS, value, 16, 0));
		show("remove", removexattr("program", CAPS));
		show("security.other", setxattr("program", "security.other", value, 4, 0));
	}
	RUN_CHILD("security.other of the user's file")
	{
		MUST(chown("program", 1000, 1000));
		user_becomes_root();
		show("set", setxattr("program", "security.other", value, 4, 0));
	}
}

CASE(rights_set_id)
{
	MUST(chmod(".", 0777));
	copy_program("program");
	MUST(chown("program", 1000, 2000));
	MUST(chmod("program", 06755));
	RUN_CHILD("a group without a name here")
	{
		user_becomes_root();
		run_it();
	}
	RUN_CHILD("a write keeps no set-id bits")
	{
		struct stat st;

		user_becomes_root();
		int fd = (int)MUST(open("program", O_WRONLY | O_CLOEXEC));
		MUST(write(fd, "x", 1));
		MUST(fstat(fd, &st));
		show_hex("mode after write", st.st_mode);
	}
	MUST(chmod("program", 06755));
	RUN_CHILD("nor does a truncation")
	{
		struct stat st;

		user_becomes_root();
		show("truncate", truncate("program", 10));
		MUST(stat("program", &st));
		show_hex("mode after truncate", st.st_mode);
	}
}

static int pty_pair(int *slave)
{
	int zero = 0, master = (int)MUST(open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC));

	MUST(ioctl(master, TIOCSPTLCK, &zero));
	*slave = (int)MUST(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY));
	return master;
}

CASE(rights_terminal)
{
	int slave, master = pty_pair(&slave), ready[2], end[2];
	char c;

	MUST(pipe(ready));
	MUST(pipe(end));
	pid_t owner = (pid_t)MUST(fork());
	if (owner == 0) {
		close(end[1]);
		setsid();
		MUST(ioctl(slave, TIOCSCTTY, 0));
		MUST(write(ready[1], "x", 1));
		(void)!read(end[0], &c, 1);
		_exit(0);
	}
	MUST(read(ready[0], &c, 1));
	RUN_CHILD("in a namespace of its own")
	{
		struct termios locked = { 0 };

		close(end[1]);
		setsid();
		enter_user_namespace();
		show("TIOCSTI", ioctl(slave, TIOCSTI, "a"));
		show("steal", ioctl(slave, TIOCSCTTY, 1));
		show("TIOCVHANGUP", ioctl(slave, TIOCVHANGUP));
		show("TIOCSLCKTRMIOS", ioctl(slave, TIOCSLCKTRMIOS, &locked));
		show("vhangup", syscall(SYS_vhangup));
		MUST(ioctl(slave, TIOCEXCL));
		show("exclusive", ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY));
		MUST(ioctl(slave, TIOCNXCL));
	}
	close(end[1]);
	show_wait("its owner", owner);
}

CASE(rights_limits)
{
	int id = msgget(IPC_PRIVATE, 0666);
	struct msqid_ds ds;
	pid_t pid = sleeper_flags(0);

	RUN_CHILD("in a namespace of its own")
	{
		struct rlimit none = { 0, 0 };
		cpu_set_t mask;

		MUST(sched_getaffinity(0, sizeof(mask), &mask));
		MUST(setrlimit(RLIMIT_MEMLOCK, &none));
		user_becomes_root();
		MUST(msgctl(id, IPC_STAT, &ds));
		show("affinity of another's process", sched_setaffinity(pid, sizeof(mask), &mask));
		show("mlock", mlock(&ds, sizeof(ds)));
		show("mlockall", mlockall(MCL_CURRENT));
	}
	RUN_CHILD("in a namespace of root")
	{
		enter_user_namespace();
		MUST(msgctl(id, IPC_STAT, &ds));
		ds.msg_qbytes = 1 << 20;
		show("msg_qbytes", msgctl(id, IPC_SET, &ds));
		show("seize with suspended filters",
		     ptrace(PTRACE_SEIZE, pid, NULL, PTRACE_O_SUSPEND_SECCOMP));
	}
	msgctl(id, IPC_RMID, NULL);
	kill_and_reap(pid);
}

CASE(rights_link_descriptor)
{
	char name[64];

	MUST(chmod(".", 0777));
	write_file("file", "x", 0600);
	int fd = (int)MUST(open("file", O_RDONLY | O_CLOEXEC));
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	RUN_CHILD("as the opener")
	show("link", linkat(fd, "", AT_FDCWD, "by-opener", AT_EMPTY_PATH));
	RUN_CHILD("in a namespace of its own")
	{
		user_becomes_root();
		show("link", linkat(fd, "", AT_FDCWD, "by-user", AT_EMPTY_PATH));
	}
	RUN_CHILD("of one's own opening there")
	{
		user_becomes_root();
		write_file("mine", "x", 0600);
		int own = (int)MUST(open("mine", O_RDONLY | O_CLOEXEC));
		show("link", linkat(own, "", AT_FDCWD, "by-root-there", AT_EMPTY_PATH));
	}
}

CASE(rights_claimed_ids)
{
	int pair[2];
	char c = 'x';
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec iov = { &c, 1 };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
				  .msg_controllen = sizeof(control) };

	MUST(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair));
	RUN_CHILD("in a namespace of its own")
	{
		struct ucred *claim = (struct ucred *)(void *)CMSG_DATA(&control.header);

		user_becomes_root();
		control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(*claim)),
						   .cmsg_level = SOL_SOCKET,
						   .cmsg_type = SCM_CREDENTIALS };
		*claim = (struct ucred){ getpid(), 0, 0 };
		show("itself", sendmsg(pair[0], &message, 0));
		claim->pid = getppid();
		show("another process", sendmsg(pair[0], &message, 0));
		*claim = (struct ucred){ getpid(), 5, 0 };
		show("an id without a name", sendmsg(pair[0], &message, 0));
	}
}

static long bind_port(int fd, unsigned short port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(port) };

	return bind(fd, (struct sockaddr *)&addr, sizeof(addr));
}

static void try_network(const char *label, int fd)
{
	int value = 7;

	note("%s", label);
	show("privileged port", bind_port(fd, 81));
	show("priority", setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &value, sizeof(value)));
	show("mark", setsockopt(fd, SOL_SOCKET, SO_MARK, &value, sizeof(value)));
	show("force", setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &value, sizeof(value)));
	show("debug", setsockopt(fd, SOL_SOCKET, SO_DEBUG, &value, sizeof(value)));
}

/* Rights over a network are asked in the user namespace that owns it. */
CASE(rights_over_networks)
{
	RUN_CHILD("networks of our own, whose ports are free")
	{
		MUST(unshare(CLONE_NEWUSER));
		MUST(unshare(CLONE_NEWNET));
		try_network("own", (int)MUST(socket(AF_INET, SOCK_DGRAM, 0)));
		int other = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));
		MUST(unshare(CLONE_NEWUSER));
		try_network("the parent's, without rights there", other);
		show("raw in the parent's", socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
		MUST(unshare(CLONE_NEWNET));
		try_network("still the parent's", other);
		try_network("a new one", (int)MUST(socket(AF_INET, SOCK_DGRAM, 0)));
	}
}

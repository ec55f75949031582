/* SPDX-License-Identifier: Apache-2.0
 *
 * User and group ids, capabilities, no_new_privs, set-id programs, resource limits, prctl.
 */
#include "conformance.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/fsuid.h>
#include <sys/resource.h>

static void show_ids(const char *label)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	MUST(getresuid(&r, &e, &s));
	MUST(getresgid(&rg, &eg, &sg));
	note("%s: uid %u %u %u gid %u %u %u", label, r, e, s, rg, eg, sg);
}

static void show_caps(const char *label)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) == -1)
		show(label, -1);
	else
		note("%s: effective %08x%08x permitted %08x%08x inheritable %08x%08x", label,
		     data[1].effective, data[0].effective, data[1].permitted, data[0].permitted,
		     data[1].inheritable, data[0].inheritable);
}

CASE(cred_setuid_root)
{
	show_ids("start");
	show_caps("start");
	RUN_CHILD("setuid as root sets all")
	{
		show("setuid", setuid(1000));
		show_ids("now");
		show_caps("now");
		show("back", setuid(0));
	}
	RUN_CHILD("seteuid keeps the others")
	{
		show("seteuid", seteuid(1000));
		show_ids("now");
		show_caps("now");
		show("back", seteuid(0));
		show_caps("back");
	}
}

CASE(cred_setresuid)
{
	RUN_CHILD("user")
	{
		show("set", setresuid(1000, 1001, 1002));
		show_ids("now");
		show("swap", setresuid(1001, 1002, 1000));
		show_ids("now");
		show("foreign", setresuid(1003, (uid_t)-1, (uid_t)-1));
		show("setreuid", setreuid((uid_t)-1, 1000));
		show_ids("now");
		show("setuid to saved", setuid(1000));
		show("setuid to foreign", setuid(5));
		show_ids("now");
	}
	RUN_CHILD("groups")
	{
		show("set", setresgid(10, 20, 30));
		show("setregid", setregid(40, 50));
		show_ids("now");
		MUST(setresuid(1000, 1000, 1000));
		show("foreign", setgid(60));
		show("own", setgid(40));
		show_ids("now");
	}
	show("getresuid bad pointer", syscall(SYS_getresuid, bad_ptr(), bad_ptr(), bad_ptr()));
	show("setuid -1", setuid((uid_t)-1));
}

CASE(cred_groups)
{
	gid_t groups[4] = { 30, 10, 20, 40 }, got[8];

	show("none", getgroups(0, NULL));
	RUN_CHILD("child")
	{
		show("set", setgroups(4, groups));
		int count = getgroups(8, got);
		show("get", count);
		for (int i = 0; i < count; i++)
			note("group %u", got[i]);
		show("too small", getgroups(2, got));
		show("negative", syscall(SYS_getgroups, -1, got));
		show("bad pointer", syscall(SYS_getgroups, 8, bad_ptr()));
		write_file("f", "", 0060);
		MUST(chown("f", 0, 20));
		MUST(setresuid(1000, 1000, 1000));
		show_ok("group gives access", open("f", O_RDWR));
		show("set as user", setgroups(1, groups));
	}
	show("too many", syscall(SYS_setgroups, 70000, groups));
}

CASE(cred_fsuid)
{
	RUN_CHILD("child")
	{
		write_file("f", "", 0600);
		show("setfsuid", setfsuid(1000));
		show("old", setfsuid((uid_t)-1));
		show("open", open("f", O_RDONLY));
		show_ok("create", open("g", O_RDWR | O_CREAT, 0600));
		show("setfsgid", setfsgid(77));
		show_ok("create", open("h", O_RDWR | O_CREAT, 0600));
		setfsuid(0);
		show_stat("g", "g");
		show_stat("h", "h");
	}
}

static void show_each_securebit(void)
{
	for (int i = 0; i < 14; i++) {
		char label[24];

		snprintf(label, sizeof(label), "bit %d", i);
		RUN_CHILD(label)
		{
			show("set", prctl(PR_SET_SECUREBITS, 1UL << i));
			show("same", prctl(PR_SET_SECUREBITS, 1UL << i));
			show("clear", prctl(PR_SET_SECUREBITS, 0UL));
			show("get", prctl(PR_GET_SECUREBITS));
		}
	}
	show("beyond an int", prctl(PR_SET_SECUREBITS, 1UL << 32));
	show("locked too", prctl(PR_SET_SECUREBITS, 0xf00UL));
	show("unlock", prctl(PR_SET_SECUREBITS, 0x500UL));
	show("get", prctl(PR_GET_SECUREBITS));
}

CASE(cred_securebits)
{
	RUN_CHILD("root")
	show_each_securebit();
	RUN_CHILD("user")
	{
		become_user(1000);
		show("nothing", prctl(PR_SET_SECUREBITS, 0UL));
		show_each_securebit();
	}
}

CASE(cred_keepcaps)
{
	RUN_CHILD("child")
	{
		show("get", prctl(PR_GET_KEEPCAPS));
		show("set", prctl(PR_SET_KEEPCAPS, 1));
		MUST(setresuid(1000, 1000, 1000));
		show_caps("kept permitted");
		struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
		struct __user_cap_data_struct data[2] = { { 0, 0, 0 }, { 0, 0, 0 } };
		data[0].permitted = data[0].effective = 1U << CAP_DAC_OVERRIDE;
		show("capset", syscall(SYS_capset, &header, data));
		show_caps("one");
		data[0].permitted |= 1U << CAP_CHOWN;
		show("regain", syscall(SYS_capset, &header, data));
		show("bad keepcaps", prctl(PR_SET_KEEPCAPS, 2));
	}
}

CASE(cred_capset_errors)
{
	struct __user_cap_header_struct header = { 0x12345678, 0 };
	struct __user_cap_data_struct data[2];

	show("bad version", syscall(SYS_capget, &header, data));
	show_hex("preferred", header.version);
	header.version = 0;
	show("query", syscall(SYS_capget, &header, NULL));
	header = (struct __user_cap_header_struct){ _LINUX_CAPABILITY_VERSION_3, 999999 };
	show("missing pid", syscall(SYS_capget, &header, data));
	header.pid = -1;
	show("negative pid", syscall(SYS_capget, &header, data));
	header.pid = 1;
	show("of init", syscall(SYS_capget, &header, data));
	show("set of another", syscall(SYS_capset, &header, data));
	header.pid = 0;
	show("bad pointer", syscall(SYS_capget, bad_ptr(), data));
	show("bad data", syscall(SYS_capset, &header, bad_ptr()));
	data[0] = data[1] = (struct __user_cap_data_struct){ ~0U, ~0U, 0 };
	show("more than permitted", syscall(SYS_capset, &header, data));
}

CASE(cred_bounding_and_ambient)
{
	for (int cap = 0; cap <= 40; cap += 5)
		note("bounding %d: %d", cap, prctl(PR_CAPBSET_READ, cap));
	show("bounding 99", prctl(PR_CAPBSET_READ, 99));
	show("drop", prctl(PR_CAPBSET_DROP, CAP_MKNOD));
	show("read", prctl(PR_CAPBSET_READ, CAP_MKNOD));
	show("ambient raise", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
	show("ambient set", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0));
	show("ambient clear", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
	RUN_CHILD("user cannot drop")
	{
		become_user(1000);
		show("drop", prctl(PR_CAPBSET_DROP, CAP_CHOWN));
	}
	show("securebits", prctl(PR_GET_SECUREBITS));
}

HELPER(ids)
{
	(void)argc;
	(void)argv;
	show_ids("after exec");
	show_caps("after exec");
	show_int("no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	show_int("dumpable", prctl(PR_GET_DUMPABLE));
	return 0;
}

static void copy_self(const char *path, mode_t mode)
{
	static char block[65536];
	int in = (int)MUST(open(self_exe(), O_RDONLY)),
	    out = (int)MUST(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755));
	ssize_t size;

	while ((size = read(in, block, sizeof(block))) > 0)
		MUST(write(out, block, (size_t)size));
	close(in);
	close(out);
	MUST(chmod(path, mode));
}

CASE(cred_exec_set_id)
{
	char *const argv[] = { (char *)(uintptr_t) "x", (char *)(uintptr_t) "@ids", NULL };
	char *const env[] = { NULL };

	copy_self("prog", 04755);
	RUN_CHILD("set-user-id root from a user")
	{
		become_user(1000);
		execve("./prog", argv, env);
		show("execve", -1);
	}
	RUN_CHILD("with no_new_privs")
	{
		become_user(1000);
		MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
		execve("./prog", argv, env);
		show("execve", -1);
	}
	MUST(chown("prog", 2000, 3000));
	MUST(chmod("prog", 06755));
	RUN_CHILD("set-user-id another from root")
	{
		execve("./prog", argv, env);
		show("execve", -1);
	}
	RUN_CHILD("both from a user")
	{
		become_user(1000);
		execve("./prog", argv, env);
		show("execve", -1);
	}
	MUST(chmod("prog", 0755));
	RUN_CHILD("plain as a user")
	{
		become_user(1000);
		execve("./prog", argv, env);
		show("execve", -1);
	}
	MUST(chmod("prog", 0744));
	RUN_CHILD("not executable for the user")
	{
		become_user(1000);
		show("execve", execve("./prog", argv, env));
	}
	MUST(chmod("prog", 0711));
	RUN_CHILD("not readable")
	{
		become_user(1000);
		show("execve", execve("./prog", argv, env));
	}
}

CASE(prctl_basics)
{
	char name[16] = "";

	show("set name", prctl(PR_SET_NAME, "a name that is too long"));
	show("get name", prctl(PR_GET_NAME, name));
	show_str("name", name);
	show("dumpable", prctl(PR_GET_DUMPABLE));
	show("set", prctl(PR_SET_DUMPABLE, 0));
	show("dumpable", prctl(PR_GET_DUMPABLE));
	show("set 2", prctl(PR_SET_DUMPABLE, 2));
	show("no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	show("set bad", prctl(PR_SET_NO_NEW_PRIVS, 2, 0, 0, 0));
	show("clear", prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
	show("set", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	show("no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	show("unknown", prctl(99999));
	show("name bad pointer", prctl(PR_SET_NAME, bad_ptr()));
	show("timerslack", prctl(PR_GET_TIMERSLACK) > 0);
}

CASE(rlimit_basics)
{
	static const int fixed[] = { RLIMIT_NOFILE, RLIMIT_CORE };
	struct rlimit limit;

	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++) {
		show("getrlimit", getrlimit((__rlimit_resource_t)fixed[i], &limit));
		note("%d: %lld %lld", fixed[i], (long long)limit.rlim_cur,
		     (long long)limit.rlim_max);
	}
	limit = (struct rlimit){ 100, 50 };
	show("soft above hard", setrlimit(RLIMIT_NOFILE, &limit));
	show("bad resource", syscall(SYS_setrlimit, 99, &limit));
	show("get bad resource", syscall(SYS_getrlimit, 99, &limit));
	show("bad pointer", syscall(SYS_setrlimit, RLIMIT_NOFILE, bad_ptr()));
	limit = (struct rlimit){ 64, 128 };
	show("set", setrlimit(RLIMIT_NOFILE, &limit));
	show("prlimit", prlimit(0, RLIMIT_NOFILE, NULL, &limit));
	note("%lld %lld", (long long)limit.rlim_cur, (long long)limit.rlim_max);
	show("dup2 at the limit", dup2(0, 64));
	show("dup2 below", dup2(0, 63));
	limit.rlim_max = 129;
	show("raise hard without the right", setrlimit(RLIMIT_NOFILE, &limit));
	show("prlimit missing", prlimit(999999, RLIMIT_NOFILE, NULL, &limit));
	RUN_CHILD("inherited")
	{
		getrlimit(RLIMIT_NOFILE, &limit);
		note("%lld %lld", (long long)limit.rlim_cur, (long long)limit.rlim_max);
		become_user(1000);
		show("another's", prlimit(getppid(), RLIMIT_NOFILE, NULL, &limit));
	}
}

static void on_xfsz(int sig)
{
	note("signal %d", sig);
}

CASE(rlimit_fsize)
{
	struct rlimit limit = { 1000, 1000 };
	static char data[2000];
	int fd = (int)MUST(open("f", O_RDWR | O_CREAT, 0600));

	MUST(setrlimit(RLIMIT_FSIZE, &limit));
	signal(SIGXFSZ, on_xfsz);
	show("cut", write(fd, data, 2000));
	show("at the limit", write(fd, data, 1));
	show("pwrite past it", pwrite(fd, data, 1, 1500));
	show("truncate", ftruncate(fd, 1001));
	show("truncate to it", ftruncate(fd, 1000));
	show("fallocate", fallocate(fd, 0, 0, 2000));
	show_stat("f", "f");
	int ends[2];
	MUST(pipe(ends));
	show("a pipe is not limited", write(ends[1], data, 2000));
	RUN_CHILD("default kills")
	{
		signal(SIGXFSZ, SIG_DFL);
		show("write", write(fd, data, 1));
	}
}

CASE(rlimit_nproc)
{
	struct rlimit limit = { 3, 3 };

	RUN_CHILD("user")
	{
		MUST(setrlimit(RLIMIT_NPROC, &limit));
		become_user(4321);
		for (int i = 0; i < 4; i++) {
			pid_t pid = fork();
			if (pid == 0)
				for (;;)
					pause();
			show_ok("fork", pid);
		}
		kill(0, SIGKILL);
	}
}

CASE(rlimit_memory)
{
	struct rlimit limit = { 64 << 20, 64 << 20 };

	RUN_CHILD("RLIMIT_AS")
	{
		MUST(setrlimit(RLIMIT_AS, &limit));
		show_ptr("128 MiB",
			 mmap(NULL, 128 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
		show_ptr("1 MiB",
			 mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	}
	RUN_CHILD("RLIMIT_DATA")
	{
		limit = (struct rlimit){ 1 << 20, 1 << 20 };
		MUST(setrlimit(RLIMIT_DATA, &limit));
		char *now = (char *)syscall(SYS_brk, 0);
		show_int("brk refused", (char *)syscall(SYS_brk, now + (16 << 20)) == now);
	}
	RUN_CHILD("RLIMIT_CPU")
	{
		limit = (struct rlimit){ 0, 10 };
		MUST(setrlimit(RLIMIT_CPU, &limit));
		for (volatile int i = 0;; i++)
			continue;
	}
}

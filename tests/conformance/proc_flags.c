/* SPDX-License-Identifier: Apache-2.0 */
/* The flags of a task in /proc/PID/stat: who used a capability, who was ended by what, whose addresses are random. */
#include "conformance.h"

#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/xattr.h>

static unsigned long flags_of(const char *process)
{
	char text[1024], path[64];
	unsigned long flags = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/stat", process);
	fd = (int)MUST(open(path, O_RDONLY | O_CLOEXEC));
	n = MUST(read(fd, text, sizeof(text) - 1));
	close(fd);
	text[n] = 0;
	sscanf(strrchr(text, ')'), ") %*c %*d %*d %*d %*d %*d %lu", &flags);
	return flags;
}

static void show_flags(const char *label)
{
	show_hex(label, flags_of("thread-self") & ~(unsigned long)0x400000);
}

/* --- privilege ----------------------------------------------------------------------- */

static void use_nothing(void)
{
	struct rlimit limit;

	close(open("file", O_CREAT | O_RDWR, 0600));
	chmod("file", 0640);
	getrlimit(RLIMIT_NPROC, &limit);
	setrlimit(RLIMIT_NPROC, &limit);
	MUST(setresuid(0, 0, 0));
	kill(getpid(), 0);
	munmap(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096);
}

static void use_chown(void)
{
	show("chown", chown("file", 1000, 1000));
}

static void use_read(void)
{
	write_file("secret", "x", 0);
	show_ok("open", open("secret", O_RDONLY));
}

static void use_access(void)
{
	write_file("secret", "x", 0);
	show("access", access("secret", R_OK | W_OK));
}

static void use_chmod(void)
{
	write_file("other", "x", 0600);
	show("chown", chown("other", 1000, 1000));
	RUN_CHILD("chmod")
	{
		show_flags("before");
		show("chmod", chmod("other", 0644));
		show_flags("after");
	}
}

static void use_setuid(void)
{
	show("setuid", setuid(0));
}

static void use_setgroups(void)
{
	gid_t group = 7;

	show("setgroups", syscall(SYS_setgroups, 1, &group));
}

static void use_bounding(void)
{
	show("drop", prctl(PR_CAPBSET_DROP, CAP_MKNOD));
}

static void use_securebits(void)
{
	show("securebits", prctl(PR_SET_SECUREBITS, 1));
}

static void use_root(void)
{
	show("chroot", chroot("/"));
}

static void use_node(void)
{
	show("mknod", mknod("node", S_IFCHR | 0600, 0x103));
}

static void use_whiteout(void)
{
	show("mknod", mknod("white", S_IFCHR | 0600, 0));
}

static void use_hostname(void)
{
	show("sethostname", sethostname("x", 1));
}

static void use_kill(void)
{
	pid_t pid = (pid_t)MUST(fork());

	if (pid == 0) {
		MUST(setresuid(1000, 1000, 1000));
		pause();
		_exit(0);
	}
	wait_blocked(pid, pid);
	show("kill", kill(pid, SIGTERM));
	show_wait("child", pid);
}

static void use_link(void)
{
	write_file("mine", "x", 0600);
	show("link", link("mine", "hard"));
}

static void use_xattr(void)
{
	char list[64];

	show("list", listxattr("/tmp", list, sizeof(list)));
}

CASE_WITH_ADMIN(stat_flag_privilege)
{
	static const struct {
		const char *label;
		void (*act)(void);
	} acts[] = {
		{ "nothing", use_nothing }, { "chown", use_chown },	  { "read", use_read },
		{ "access", use_access },   { "chmod", use_chmod },	  { "setuid", use_setuid },
		{ "groups", use_setgroups }, { "bounding", use_bounding }, { "securebits", use_securebits },
		{ "chroot", use_root },	    { "node", use_node },	  { "whiteout", use_whiteout },
		{ "hostname", use_hostname }, { "kill", use_kill },	  { "link", use_link },
		{ "xattr", use_xattr },
	};

	use_tmpfs();
	use_nothing();
	MUST(unshare(CLONE_NEWUTS));
	for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
		RUN_CHILD(acts[i].label)
		{
			show_flags("at first");
			acts[i].act();
			show_flags("then");
		}
	}
}

CASE(stat_flag_privilege_refused)
{
	use_tmpfs();
	write_file("secret", "x", 0);
	RUN_CHILD("user")
	{
		become_user(1000);
		show("chown", chown("secret", 1000, 1000));
		show("open", open("secret", O_RDONLY));
		show("setuid", setuid(0));
		show("chroot", chroot("/"));
		show("nice", setpriority(PRIO_PROCESS, 0, -5));
		show_flags("refused");
	}
}

HELPER(show_flags)
{
	(void)argc;
	(void)argv;
	show_flags("program");
	return 0;
}

CASE(stat_flag_privilege_inherited)
{
	char *argv[] = { (char *)"x", (char *)"@show_flags", NULL };

	RUN_CHILD("child")
	{
		show("setuid", setuid(0));
		show_flags("used");
		RUN_CHILD("its child")
		{
			show_flags("forked");
			execv(self_exe(), argv);
		}
		execv(self_exe(), argv);
	}
}

/* --- ends ------------------------------------------------------------------------------ */

static void show_zombie(const char *label, pid_t pid)
{
	siginfo_t info;
	char name[16];

	MUST(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	snprintf(name, sizeof(name), "%d", pid);
	show_hex(label, flags_of(name) & ~(unsigned long)0x400000);
	waitpid(pid, NULL, 0);
}

static void *waits(void *arg)
{
	pause();
	return arg;
}

static int end_thread(void *arg)
{
	syscall(SYS_exit_group, *(int *)arg);
	return 0;
}

CASE(stat_flag_ends)
{
	static const int signals[] = { SIGKILL, SIGTERM, SIGQUIT, SIGABRT, SIGSEGV, SIGXCPU, SIGALRM, SIGSYS };
	static char stack[65536] __attribute__((aligned(16)));
	pid_t pid;

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		pid = (pid_t)MUST(fork());
		if (pid == 0) {
			waits(NULL);
			_exit(0);
		}
		wait_blocked(pid, pid);
		MUST(kill(pid, signals[i]));
		show_zombie(strsignal(signals[i]), pid);
	}
	pid = (pid_t)MUST(fork());
	if (pid == 0)
		syscall(SYS_exit, 0);
	show_zombie("exit", pid);
	pid = (pid_t)MUST(fork());
	if (pid == 0)
		syscall(SYS_exit_group, 0);
	show_zombie("exit_group", pid);
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		static int status = 3;

		MUST(clone(end_thread, stack + sizeof(stack),
			   CLONE_VM | CLONE_THREAD | CLONE_SIGHAND | CLONE_FS | CLONE_FILES, &status));
		waits(NULL);
	}
	show_zombie("exit_group of a thread", pid);
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		MUST(prctl(PR_SET_DUMPABLE, 0));
		raise(SIGABRT);
	}
	show_zombie("not dumpable", pid);
	pid = (pid_t)MUST(fork());
	if (pid == 0)
		*(volatile int *)bad_ptr() = 1;
	show_zombie("fault", pid);
}

/* --- what prctl and others set ----------------------------------------------------------- */

CASE(stat_flag_machine_check)
{
	show("set early", prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0));
	show_flags("early");
	RUN_CHILD("child")
		show_flags("inherited");
	show("clear", prctl(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 0, 0, 0));
	show_flags("cleared");
	show("get", prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
	show("set late", prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_LATE, 0, 0));
	show_flags("late");
	show("get", prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
	show("set default", prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_DEFAULT, 0, 0));
	show_flags("default");
}

CASE(stat_flag_processes_exceeded)
{
	struct rlimit limit = { 0, 0 };
	char *argv[] = { (char *)"x", (char *)"@show_flags", NULL };
	pid_t pid;

	RUN_CHILD("child")
	{
		pid = (pid_t)MUST(fork());
		if (pid == 0) {
			MUST(setresuid(4321, 4321, 4321));
			pause();
		}
		wait_blocked(pid, pid);
		MUST(setrlimit(RLIMIT_NPROC, &limit));
		MUST(setresuid(4321, 4321, 4321));
		show_flags("over");
		show("fork", fork());
		show_flags("after the fork");
		MUST(kill(pid, SIGKILL));
		waitpid(pid, NULL, 0);
		show("exec", execv(self_exe(), argv));
		show_flags("after the exec");
	}
}


HELPER(show_random)
{
	char line[256];
	FILE *maps = fopen("/proc/self/maps", "re");

	(void)argc;
	show_hex(argv[1], flags_of("self") & 0x400000);
	/* a file for the parent to compare with the next one */
	while (maps && fgets(line, sizeof(line), maps))
		if (strstr(line, "[stack]"))
			write_file(argv[1], line, 0600);
	return 0;
}

static bool same_files(const char *a, const char *b)
{
	char text[2][256] = { { 0 }, { 0 } };
	const char *names[] = { a, b };

	for (int i = 0; i < 2; i++) {
		int fd = (int)MUST(open(names[i], O_RDONLY | O_CLOEXEC));

		MUST(read(fd, text[i], sizeof(text[i]) - 1));
		close(fd);
	}
	return !strcmp(text[0], text[1]);
}

CASE(stat_flag_random)
{
	static const struct {
		const char *label;
		unsigned long personality;
	} rows[] = { { "random", 0 }, { "fixed1", ADDR_NO_RANDOMIZE }, { "fixed2", ADDR_NO_RANDOMIZE } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		RUN_CHILD(rows[i].label)
		{
			char *argv[] = { (char *)"x", (char *)"@show_random", (char *)rows[i].label, NULL };
			unsigned long before = flags_of("self") & 0x400000;

			MUST(personality(rows[i].personality));
			show_int("not changed by personality", before == (flags_of("self") & 0x400000));
			execv(self_exe(), argv);
		}
	}
	show_int("fixed twice the same", same_files("fixed1", "fixed2"));
	show_int("random the same", same_files("random", "fixed1"));
}

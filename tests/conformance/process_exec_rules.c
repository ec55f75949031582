/* SPDX-License-Identifier: Apache-2.0
 *
 * exec once more: execveat's flags, interpreters and their limits, busy texts, set-id programs,
 * argument limits, what other threads see.
 */
#include "conformance.h"

#include <linux/prctl.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/xattr.h>

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

HELPER(exec_report)
{
	note("argc %d", argc);
	for (int i = 1; i < argc && i < 6; i++)
		show_str("argument", argv[i]);
	note("uid %u %u gid %u %u secure %lu", getuid(), geteuid(), getgid(), getegid(),
	     getauxval(AT_SECURE));
	show("dumpable", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
	return 0;
}

#ifndef AT_EXECVE_CHECK
#define AT_EXECVE_CHECK 0x10000
#endif

static char *const report_argv[] = { (char *)"conformance", (char *)"@exec_report", NULL };
static char *const no_env[] = { NULL };

static void copy_self(const char *path, mode_t mode)
{
	static char buffer[65536];
	int from = (int)MUST(open(self_exe(), O_RDONLY | O_CLOEXEC));
	int to = (int)MUST(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755));
	ssize_t size;

	while ((size = read(from, buffer, sizeof(buffer))) > 0)
		MUST(write(to, buffer, (size_t)size));
	close(from);
	MUST(fchmod(to, mode));
	close(to);
}

static long at(int dir, const char *path, int flags)
{
	return syscall(SYS_execveat, dir, path, report_argv, no_env, flags);
}

CASE(execveat_flags)
{
	int dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int file = open(self_exe(), O_RDONLY | O_CLOEXEC), plain = open("plain", O_RDWR | O_CREAT, 0644);

	MUST(symlink(self_exe(), "link"));
	show("bad flags", at(AT_FDCWD, "link", 1));
	show("no follow of a link", at(AT_FDCWD, "link", AT_SYMLINK_NOFOLLOW));
	show("bad directory", at(77, "x", 0));
	show("not a directory", at(file, "x", 0));
	show("empty without flag", at(file, "", 0));
	show("empty with a directory", at(dir, "", AT_EMPTY_PATH));
	show("empty with a closed fd", at(77, "", AT_EMPTY_PATH));
	show("empty of the working directory", at(AT_FDCWD, "", AT_EMPTY_PATH));
	show("not executable", at(plain, "", AT_EMPTY_PATH));
	show("null path", at(file, NULL, AT_EMPTY_PATH));
	RUN_CHILD("by descriptor")
	at(file, "", AT_EMPTY_PATH);
	int path = open(self_exe(), O_PATH | O_CLOEXEC);
	RUN_CHILD("by O_PATH")
	at(path, "", AT_EMPTY_PATH);
	RUN_CHILD("relative to a directory")
	at(dir, "link", 0);
}

CASE(execveat_check)
{
	int script = open("script", O_RDWR | O_CREAT | O_CLOEXEC, 0755);

	write_file("plain", "#!/bin/sh\n", 0644);
	write_file("garbage", "garbage", 0755);
	show("program", at(AT_FDCWD, self_exe(), AT_EXECVE_CHECK));
	show("garbage", at(AT_FDCWD, "garbage", AT_EXECVE_CHECK));
	show("not executable", at(AT_FDCWD, "plain", AT_EXECVE_CHECK));
	show("directory", at(AT_FDCWD, ".", AT_EXECVE_CHECK));
	show("missing", at(AT_FDCWD, "missing", AT_EXECVE_CHECK));
	show("open for writing", at(script, "", AT_EMPTY_PATH | AT_EXECVE_CHECK));
	close(script);
	script = open("script", O_RDONLY | O_CLOEXEC);
	show("script whose descriptor closes", at(script, "", AT_EMPTY_PATH | AT_EXECVE_CHECK));
	show("bad arguments", syscall(SYS_execveat, script, "", bad_ptr(), NULL, AT_EMPTY_PATH | AT_EXECVE_CHECK));
	show("bad environment", syscall(SYS_execveat, script, "", NULL, bad_ptr(), AT_EMPTY_PATH | AT_EXECVE_CHECK));
	show_int("it closed nothing", fcntl(script, F_GETFD));
}

CASE(execveat_script_by_descriptor)
{
	char text[512];

	snprintf(text, sizeof(text), "#!%s @exec_report\n", self_exe());
	write_file("script", text, 0755);
	int kept = open("script", O_RDONLY), closing = open("script", O_RDONLY | O_CLOEXEC);
	show("close-on-exec", at(closing, "", AT_EMPTY_PATH));
	RUN_CHILD("kept open")
	{
		close(closing);
		at(kept, "", AT_EMPTY_PATH);
	}
}

CASE(exec_interpreter_lines)
{
	static const char *const lines[] = {
		"#!", "#!\n", "#! \n", "#!\t \n", "#!/none\n", "#!/\n", "#!/etc\n", "#!relative\n",
		"#!/proc/self/status\n", "# !/bin/true\n", "!#/bin/true\n", "",
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		char label[24], name[24];

		snprintf(name, sizeof(name), "script%zu", i);
		write_file(name, lines[i], 0755);
		snprintf(label, sizeof(label), "line %zu", i);
		show(label, execve(name, report_argv, no_env));
	}
}

CASE(exec_interpreter_arguments)
{
	static const char *const rests[] = { " @exec_report", " @exec_report one two", " \t@exec_report  ",
					     " @exec_report\r" };
	char text[512];
	char *const argv[] = { (char *)"zero", (char *)"first", (char *)"second", NULL };

	for (size_t i = 0; i < ARRAY_SIZE(rests); i++) {
		char name[24];

		snprintf(name, sizeof(name), "s%zu", i);
		snprintf(text, sizeof(text), "#!%s%s\n", self_exe(), rests[i]);
		write_file(name, text, 0755);
		RUN_CHILD(name)
		{
			execve(name, argv, no_env);
			show("exec", -1);
		}
	}
}

CASE(exec_interpreter_line_length)
{
	for (int length = 250; length <= 260; length += 1) {
		char text[600], name[16];

		memset(text, 'x', sizeof(text));
		memcpy(text, "#!/", 3);
		text[length] = '\n';
		text[length + 1] = '\0';
		snprintf(name, sizeof(name), "s%d", length);
		write_file(name, text, 0755);
		show(name, execve(name, report_argv, no_env));
	}
}

CASE(exec_interpreter_depth)
{
	char text[600], name[16], before[16];

	snprintf(text, sizeof(text), "#!%s @exec_report\n", self_exe());
	write_file("s0", text, 0755);
	for (int i = 1; i < 8; i++) {
		char dir[400];

		snprintf(before, sizeof(before), "s%d", i - 1);
		snprintf(text, sizeof(text), "#!%s/%s\n", getcwd(dir, sizeof(dir)), before);
		snprintf(name, sizeof(name), "s%d", i);
		write_file(name, text, 0755);
		RUN_CHILD(name)
		{
			char *const argv[] = { (char *)"x", NULL };

			int null = open("/dev/null", O_WRONLY);
			int saved = dup(1);
			(void)saved;
			if (execve(name, argv, no_env) == -1)
				show("exec", -1);
			(void)null;
		}
	}
}

CASE(exec_busy_text)
{
	copy_self("program", 0755);
	int writer = open("program", O_RDWR | O_CLOEXEC);
	show("open for writing", execve("program", report_argv, no_env));
	close(writer);
	int ends[2];
	char byte;
	MUST(pipe2(ends, O_CLOEXEC));
	pid_t pid = (pid_t)MUST(fork());
	if (pid == 0) {
		char *const argv[] = { (char *)"program", (char *)"@exec_wait", NULL };

		execve("program", argv, no_env);
		_exit(1);
	}
	/* The other end is closed when the program is executed. */
	close(ends[1]);
	MUST(read(ends[0], &byte, 1));
	show("write while it runs", open("program", O_WRONLY | O_CLOEXEC));
	show("truncate", truncate("program", 0));
	show_ok("read", open("program", O_RDONLY | O_CLOEXEC));
	show("remove", unlink("program"));
	kill(pid, SIGKILL);
	show_wait("program", pid);
}

HELPER(exec_wait)
{
	for (int i = 0; i < 1000 && argc; i++)
		sleep_ms(10);
	return argv == NULL;
}

CASE(exec_set_uid)
{
	copy_self("root-uid", 04755);
	copy_self("user-uid", 04755);
	MUST(chown("user-uid", 1000, 1000));
	MUST(chmod("user-uid", 04755));
	copy_self("group", 02755);
	MUST(chown("group", 0, 2000));
	MUST(chmod("group", 02755));
	copy_self("group-lock", 02745);
	MUST(chmod("group-lock", 02644 | 0101));
	RUN_CHILD("user to root")
	{
		become_user(1234);
		execve("root-uid", report_argv, no_env);
		show("exec", -1);
	}
	RUN_CHILD("root to user")
	execve("user-uid", report_argv, no_env);
	RUN_CHILD("group")
	{
		become_user(1234);
		execve("group", report_argv, no_env);
	}
	RUN_CHILD("group without group execute")
	{
		become_user(1234);
		execve("group-lock", report_argv, no_env);
		show("exec", -1);
	}
	RUN_CHILD("no_new_privs")
	{
		become_user(1234);
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		execve("root-uid", report_argv, no_env);
	}
	RUN_CHILD("same user")
	{
		become_user(1000);
		execve("user-uid", report_argv, no_env);
	}
}

CASE(exec_set_uid_script)
{
	char text[512];

	snprintf(text, sizeof(text), "#!%s @exec_report\n", self_exe());
	write_file("script", text, 0755);
	MUST(chown("script", 1000, 1000));
	MUST(chmod("script", 06755));
	RUN_CHILD("the script's bits do not count")
	execve("script", report_argv, no_env);
}

HELPER(exec_caps)
{
	char line[256];
	FILE *file = fopen("/proc/self/status", "re");

	(void)argc;
	(void)argv;
	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, "Cap", 3) == 0)
			note("%s", strtok(line, "\n"));
	note("secure %lu", getauxval(AT_SECURE));
	return 0;
}

/* A version 2 security.capability value, little endian. */
static void set_caps(const char *path, unsigned int permitted, unsigned int inheritable, int effective)
{
	unsigned int value[5] = { 0x02000000U | (effective ? 1 : 0), permitted, inheritable, 0, 0 };

	show("setxattr", setxattr(path, "security.capability", value, sizeof(value), 0));
}

CASE(exec_file_capabilities)
{
	char *const argv[] = { (char *)"x", (char *)"@exec_caps", NULL };

	copy_self("program", 0755);
	set_caps("program", 1U << 0 | 1U << 5, 0, 1);
	RUN_CHILD("user")
	{
		become_user(1000);
		execve("program", argv, no_env);
		show("exec", -1);
	}
	RUN_CHILD("user with no_new_privs")
	{
		become_user(1000);
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		execve("program", argv, no_env);
	}
	RUN_CHILD("root")
	execve("program", argv, no_env);
	/* One that the bounding set lacks. */
	set_caps("program", 1U << 0 | 1U << 21, 0, 1);
	RUN_CHILD("not in the bounding set, effective")
	{
		become_user(1000);
		execve("program", argv, no_env);
		show("exec", -1);
	}
	set_caps("program", 1U << 0 | 1U << 21, 0, 0);
	RUN_CHILD("not in the bounding set, permitted")
	{
		become_user(1000);
		execve("program", argv, no_env);
		show("exec", -1);
	}
}

CASE(exec_argument_limits)
{
	struct rlimit stack = { 1 << 20, RLIM_INFINITY };
	char *text = malloc(200000);
	char *argv[40] = { (char *)"x", (char *)"@exec_report" };

	memset(text, 'a', 200000);
	text[131071] = '\0';
	argv[2] = text;
	MUST(setrlimit(RLIMIT_STACK, &stack));
	RUN_CHILD("one string of 128 KiB with its end")
	{
		int null = open("/dev/null", O_WRONLY);
		int out = dup(1);

		dup2(null, 1);
		execve(self_exe(), argv, no_env);
		dup2(out, 1);
		show("exec", -1);
	}
	text[131071] = 'a';
	text[131072] = '\0';
	show("a byte more", execve(self_exe(), argv, no_env));
	text[100000] = '\0';
	for (int i = 2; i < 5; i++)
		argv[i] = text;
	show("more than a quarter of the stack", execve(self_exe(), argv, no_env));
	show("bad argv", execve(self_exe(), bad_ptr(), no_env));
	show("bad envp", execve(self_exe(), report_argv, bad_ptr()));
	argv[2] = bad_ptr();
	show("bad string", execve(self_exe(), argv, no_env));
	show("bad path", execve(bad_ptr(), report_argv, no_env));
}

CASE(exec_empty_argv)
{
	char *const none[] = { NULL };

	RUN_CHILD("no arguments")
	{
		execve(self_exe(), none, no_env);
		show("exec", -1);
	}
	RUN_CHILD("null argv")
	{
		syscall(SYS_execve, self_exe(), NULL, NULL);
		show("exec", -1);
	}
}

CASE(exec_permissions)
{
	copy_self("none", 0644);
	copy_self("unreadable", 0711);
	MUST(mkdir("closed", 0700));
	copy_self("closed/program", 0755);
	show("root without execute", execve("none", report_argv, no_env));
	RUN_CHILD("user")
	{
		become_user(1000);
		show("not executable", execve("none", report_argv, no_env));
		show("closed directory", execve("closed/program", report_argv, no_env));
		show("a directory", execve("closed", report_argv, no_env));
		execve("unreadable", report_argv, no_env);
	}
}

CASE(exec_keeps_ids_and_limits)
{
	RUN_CHILD("child")
	{
		MUST(setresuid(1000, 0, 0));
		execve(self_exe(), report_argv, no_env);
	}
	RUN_CHILD("saved ids")
	{
		char *const argv[] = { (char *)"x", (char *)"@exec_saved", NULL };

		MUST(setresuid(1000, 1001, 1002));
		execve(self_exe(), argv, no_env);
	}
}

HELPER(exec_saved)
{
	uid_t r, e, s;

	(void)argc;
	(void)argv;
	getresuid(&r, &e, &s);
	note("%u %u %u secure %lu", r, e, s, getauxval(AT_SECURE));
	return 0;
}

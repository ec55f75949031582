/* SPDX-License-Identifier: Apache-2.0
 *
 * execve and execveat: arguments, environment, scripts, errors, what survives and what does not.
 */
#include "conformance.h"

#include <elf.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/resource.h>

HELPER(echo)
{
	for (int i = 0; i < argc; i++)
		note("argv[%d] \"%s\"", i + 1, argv[i]);
	return argc;
}

HELPER(environ)
{
	(void)argc;
	(void)argv;
	for (char **entry = environ; *entry != NULL; entry++)
		note("env \"%s\"", *entry);
	return 0;
}

/* Runs the binary with ARGS through path in a child. */
static void run_args(const char *label, const char *path, char *const argv[], char *const envp[])
{
	RUN_CHILD(label)
	{
		execve(path, argv, envp);
		show("execve", -1);
	}
}

#define ARGS(...) ((char *[]){ __VA_ARGS__, NULL })
static char *const no_env[] = { NULL };

CASE(exec_arguments)
{
	char long_arg[3000];

	memset(long_arg, 'x', sizeof(long_arg) - 1);
	long_arg[sizeof(long_arg) - 1] = '\0';
	run_args("plain", self_exe(), ARGS("any", "@echo", "one", "", "three four"), no_env);
	run_args("long", self_exe(), ARGS("any", "@echo", long_arg), no_env);
}

CASE(exec_environment)
{
	run_args("empty", self_exe(), ARGS("any", "@environ"), no_env);
	run_args("some", self_exe(), ARGS("any", "@environ"),
		 ARGS("A=1", "EMPTY=", "no equals", "A=2"));
}

CASE(exec_many_arguments)
{
	enum { COUNT = 5000 };
	char **argv = calloc(COUNT + 3, sizeof(*argv));
	char text[] = "0123456789";

	argv[0] = text;
	argv[1] = (char *)(uintptr_t) "@count";
	for (int i = 2; i < COUNT; i++)
		argv[i] = text;
	run_args("many", self_exe(), argv, no_env);
	free(argv);
}

HELPER(count)
{
	size_t total = 0;

	for (int i = 0; i < argc; i++)
		total += strlen(argv[i]) + 1;
	note("%d arguments, %zu bytes", argc, total);
	return 0;
}

CASE(exec_e2big)
{
	size_t size = 33 * 4096;
	char *arg = malloc(size);
	memset(arg, 'a', size - 1);
	arg[size - 1] = '\0';
	run_args("one argument of 132 KiB", self_exe(), ARGS("any", "@count", arg), no_env);
	arg[32 * 4096 - 1] = '\0';
	run_args("one argument of 128 KiB", self_exe(), ARGS("any", "@count", arg), no_env);
	arg[100000] = '\0';
	char **argv = calloc(102, sizeof(*argv));
	for (int i = 0; i < 101; i++)
		argv[i] = arg;
	run_args("10 MiB in all", self_exe(), argv, no_env);
	free(argv);
	free(arg);
}

CASE(exec_errors)
{
	char *const argv[] = { (char *)(uintptr_t) "x", NULL };
	char name[300];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	MUST(mkdir("dir", 0755));
	MUST(symlink("loop", "loop"));
	write_file("plain", "hello", 0644);
	write_file("garbage", "\177garbage", 0755);
	write_file("empty", "", 0755);
	write_file("shortelf", "\177ELF\2\1\1", 0755);
	show("missing", execve("missing", argv, no_env));
	show("empty path", execve("", argv, no_env));
	show("directory", execve("dir", argv, no_env));
	show("not executable", execve("plain", argv, no_env));
	show("garbage", execve("garbage", argv, no_env));
	show("empty file", execve("empty", argv, no_env));
	show("short ELF", execve("shortelf", argv, no_env));
	show("file as directory", execve("plain/x", argv, no_env));
	show("loop", execve("loop", argv, no_env));
	show("long name", execve(name, argv, no_env));
	show("bad path pointer", execve(bad_ptr(), argv, no_env));
	show("bad argv", execve(self_exe(), bad_ptr(), no_env));
	show("bad envp", execve(self_exe(), argv, bad_ptr()));
	char *bad_argv[] = { bad_ptr(), NULL };
	show("bad argv string", execve(self_exe(), bad_argv, no_env));
	show("null device", execve("/dev/null", argv, no_env));
}

static void write_elf(const char *path, const Elf64_Ehdr *header)
{
	int fd = (int)MUST(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755));

	MUST(write(fd, header, sizeof(*header)));
	MUST(ftruncate(fd, 4096));
	close(fd);
}

CASE(exec_bad_elf_headers)
{
	char *const argv[] = { (char *)(uintptr_t) "x", NULL };
	Elf64_Ehdr good = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr), .e_phoff = sizeof(Elf64_Ehdr), .e_phnum = 1,
	}, bad = good;

	bad.e_machine = EM_AARCH64;
	write_elf("machine", &bad);
	show("other machine", execve("machine", argv, no_env));
	bad = good;
	bad.e_type = ET_REL;
	write_elf("type", &bad);
	show("relocatable", execve("type", argv, no_env));
	bad = good;
	bad.e_phentsize = 1;
	write_elf("phentsize", &bad);
	show("phentsize", execve("phentsize", argv, no_env));
	bad = good;
	bad.e_phnum = 0;
	write_elf("phnum", &bad);
	show("no program headers", execve("phnum", argv, no_env));
	bad = good;
	bad.e_phoff = 1UL << 40;
	write_elf("phoff", &bad);
	show("phoff past the end", execve("phoff", argv, no_env));
}

CASE(exec_text_busy)
{
	char *const argv[] = { (char *)(uintptr_t) "x", NULL };

	write_file("script", "#!/bin/sh\n", 0755);
	int fd = (int)MUST(open("script", O_WRONLY));
	show("open for writing", execve("script", argv, no_env));
	close(fd);
	fd = (int)MUST(open("script", O_RDONLY));
	RUN_CHILD("open for reading")
	{
		execve("script", argv, no_env);
		show("execve", -1);
	}
}

static void write_script(const char *path, const char *interpreter, const char *rest)
{
	char text[5000];

	snprintf(text, sizeof(text), "#!%s%s\n", interpreter, rest);
	write_file(path, text, 0755);
}

CASE(exec_script)
{
	write_script("s1", self_exe(), " @echo");
	run_args("one argument", "./s1", ARGS("dropped", "a", "b"), no_env);
	write_script("s2", self_exe(), "   @echo  two words  ");
	run_args("arguments are not split", "./s2", ARGS("dropped", "a"), no_env);
	write_script("s3", " \t", "");
	run_args("no interpreter", "./s3", ARGS("x"), no_env);
	write_script("s4", "/missing", "");
	run_args("missing interpreter", "./s4", ARGS("x"), no_env);
	char link[4200] = "";
	memset(link, '/', 600);
	write_script("s6", link, self_exe());
	run_args("line too long", "./s6", ARGS("x"), no_env);
}

CASE(exec_script_chain)
{
	char name[16], interpreter[300], cwd[256];

	if (getcwd(cwd, sizeof(cwd)) == NULL)
		skip("no cwd");
	write_script("c0", self_exe(), " @basenames");
	for (int i = 1; i < 8; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		snprintf(interpreter, sizeof(interpreter), "%s/c%d", cwd, i - 1);
		write_script(name, interpreter, " x");
	}
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "./c%d", i);
		run_args(name, name, ARGS("z", "last"), no_env);
	}
}

HELPER(basenames)
{
	for (int i = 1; i < argc; i++)
		note("argv[%d] %s", i, basename(argv[i]));
	return 0;
}

CASE(exec_at)
{
	char *const argv[] = { (char *)(uintptr_t) "x", (char *)(uintptr_t) "@echo",
			       (char *)(uintptr_t) "hi", NULL };
	int fd = (int)MUST(open(self_exe(), O_RDONLY | O_CLOEXEC));
	int path_fd = (int)MUST(open(self_exe(), O_PATH));

	RUN_CHILD("empty path")
	{
		show("execveat", syscall(SYS_execveat, fd, "", argv, no_env, AT_EMPTY_PATH));
	}
	RUN_CHILD("O_PATH")
	{
		show("execveat", syscall(SYS_execveat, path_fd, "", argv, no_env, AT_EMPTY_PATH));
	}
	show("empty path without the flag", syscall(SYS_execveat, fd, "", argv, no_env, 0));
	show("bad flags", syscall(SYS_execveat, fd, "", argv, no_env, 0x8000));
	show("bad fd", syscall(SYS_execveat, 99, "x", argv, no_env, 0));
	MUST(symlink(self_exe(), "link"));
	show("nofollow",
	     syscall(SYS_execveat, AT_FDCWD, "link", argv, no_env, AT_SYMLINK_NOFOLLOW));
	RUN_CHILD("symlink")
	{
		show("execveat", syscall(SYS_execveat, AT_FDCWD, "link", argv, no_env, 0));
	}
	write_script("script", self_exe(), " @echo");
	int script = (int)MUST(open("script", O_RDONLY | O_CLOEXEC));
	show("script by a close-on-exec fd",
	     syscall(SYS_execveat, script, "", argv, no_env, AT_EMPTY_PATH));
}

HELPER(fds)
{
	(void)argc;
	(void)argv;
	for (int fd = 0; fd < 16; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			note("open: %d", fd);
	return 0;
}

CASE(exec_close_on_exec)
{
	int fd = (int)MUST(open("/dev/null", O_RDONLY));

	MUST(dup3(fd, 7, O_CLOEXEC));
	MUST(dup2(fd, 8));
	MUST(dup2(fd, 9));
	MUST(fcntl(9, F_SETFD, FD_CLOEXEC));
	MUST(dup2(fd, 10));
	MUST(fcntl(10, F_SETFD, FD_CLOEXEC));
	MUST(dup2(10, 11));
	run_args("exec", self_exe(), ARGS("x", "@fds"), no_env);
	show("the parent keeps its own", fcntl(7, F_GETFD));
}

static void handler(int sig)
{
	(void)sig;
}

HELPER(signals)
{
	sigset_t set;
	stack_t stack;

	(void)argc;
	(void)argv;
	show_int("USR1 default", signal(SIGUSR1, SIG_DFL) == SIG_DFL);
	show_int("USR2 ignored", signal(SIGUSR2, SIG_DFL) == SIG_IGN);
	sigprocmask(SIG_BLOCK, NULL, &set);
	show_int("HUP blocked", sigismember(&set, SIGHUP));
	show_int("INT blocked", sigismember(&set, SIGINT));
	sigpending(&set);
	show_int("HUP pending", sigismember(&set, SIGHUP));
	sigaltstack(NULL, &stack);
	show_int("stack disabled", stack.ss_flags == SS_DISABLE);
	show_int("alarm kept", alarm(0) > 0);
	show_int("umask kept", (long)umask(0));
	return 0;
}

CASE(exec_keeps_and_resets)
{
	static char stack_space[32768];
	stack_t stack = { .ss_sp = stack_space, .ss_size = sizeof(stack_space) };
	sigset_t set;

	signal(SIGUSR1, handler);
	signal(SIGUSR2, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	MUST(raise(SIGHUP));
	MUST(sigaltstack(&stack, NULL));
	umask(0456);
	alarm(15);
	execve(self_exe(), ARGS("x", "@signals"), no_env);
	show("execve", -1);
}

HELPER(auxv)
{
	static const struct {
		const char *name;
		unsigned long type;
	} shown[] = {
		{ "AT_PAGESZ", AT_PAGESZ }, { "AT_PHENT", AT_PHENT },	{ "AT_UID", AT_UID },
		{ "AT_EUID", AT_EUID },	    { "AT_GID", AT_GID },	{ "AT_EGID", AT_EGID },
		{ "AT_SECURE", AT_SECURE }, { "AT_CLKTCK", AT_CLKTCK }, { "AT_FLAGS", AT_FLAGS },
		{ "AT_HWCAP", AT_HWCAP },
	};

	(void)argc;
	(void)argv;
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
		note("%s %lu", shown[i].name, getauxval(shown[i].type));
	show_int("entry", getauxval(AT_ENTRY) != 0);
	show_int("phdr", getauxval(AT_PHDR) != 0);
	show_int("phnum", getauxval(AT_PHNUM) > 2);
	show_int("random", getauxval(AT_RANDOM) != 0);
	show_int("vdso", getauxval(AT_SYSINFO_EHDR) != 0);
	show_str("platform", (const char *)getauxval(AT_PLATFORM));
	show_int("execfn", strcmp((const char *)getauxval(AT_EXECFN), self_exe()) == 0);
	return 0;
}

CASE(exec_auxv)
{
	run_args("root", self_exe(), ARGS((char *)(uintptr_t)self_exe(), "@auxv"), no_env);
	RUN_CHILD("user")
	{
		become_user(1000);
		execve(self_exe(), ARGS((char *)(uintptr_t)self_exe(), "@auxv"), no_env);
		show("execve", -1);
	}
}

static pid_t leader;

static _Noreturn void *spin(void *arg)
{
	(void)arg;
	for (;;)
		pause();
}

HELPER(threads)
{
	char path[64];

	(void)argc;
	snprintf(path, sizeof(path), "/proc/self/task/%s", argv[1]);
	show_int("pid is the leader's", atol(argv[1]) == getpid());
	show_int("pid is tid", getpid() == get_tid());
	show_int("task exists", access(path, F_OK) == 0);
	return 17;
}

static void *exec_thread(void *arg)
{
	char text[16];

	(void)arg;
	snprintf(text, sizeof(text), "%d", (int)leader);
	execve(self_exe(), ARGS("x", "@threads", text), no_env);
	show("execve", -1);
	return NULL;
}

CASE(exec_from_thread)
{
	RUN_CHILD("process")
	{
		pthread_t threads[4];
		leader = getpid();
		for (int i = 0; i < 3; i++)
			pthread_create(&threads[i], NULL, spin, NULL);
		pthread_create(&threads[3], NULL, exec_thread, NULL);
		spin(NULL);
	}
}

CASE(exec_from_leader_with_threads)
{
	RUN_CHILD("process")
	{
		pthread_t threads[4];
		leader = getpid();
		for (int i = 0; i < 4; i++)
			pthread_create(&threads[i], NULL, spin, NULL);
		exec_thread(NULL);
	}
}

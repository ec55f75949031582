/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line of the conformance binary, and its driver: `all` and `some NAME...` run cases
 * one after the other and write a framed transcript to standard output:
 *
 *     @begin NAME
 *      each output line of the case behind one space
 *     @end NAME exited 0
 *
 * and `@done` at the very end, so that a reader sees in which case a sandbox died. The driver uses
 * as little of the kernel as it can, since what it uses must work before any case can: fork, files,
 * wait4, kill, one timer.
 */
#include "conformance.h"

#include <ftw.h>
#include <limits.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>

/* The longest need three on a machine that does nothing else, and ten times that beside a busy one;
 * the script that runs them waits longer than that. */
enum { CASE_SECONDS = 60 };

static volatile sig_atomic_t expired;

static void on_alarm(int sig)
{
	(void)sig;
	expired = 1;
}

static void set_timer(int seconds)
{
	/* It repeats, so that an expiry between the check and the wait is not lost. */
	struct itimerval timer = { { seconds ? 1 : 0, 0 }, { seconds, 0 } };

	expired = 0;
	setitimer(ITIMER_REAL, &timer, NULL);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	remove(path);
	return 0;
}

static void remove_tree(const char *path)
{
	nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* For good: no program that is executed gets them back. */
static void drop_capabilities(int kept)
{
	static const int special[] = { CAP_DAC_READ_SEARCH, CAP_SYS_ADMIN };
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct sets[2];

	if (syscall(SYS_capget, &header, sets) == -1)
		_exit(CONF_SETUP_FAILED);
	for (size_t i = 0; i < ARRAY_SIZE(special); i++) {
		if (special[i] == kept)
			continue;
		prctl(PR_CAPBSET_DROP, special[i], 0, 0, 0);
		sets[0].effective &= ~(1U << special[i]);
		sets[0].permitted &= ~(1U << special[i]);
	}
	if (syscall(SYS_capset, &header, sets) == -1)
		_exit(CONF_SETUP_FAILED);
}

/* The state every case may rely on. */
static void prepare_case(const struct conf_case *entry, const char *dir, const char *output)
{
	struct rlimit none = { 0, 0 };
	sigset_t empty;

	for (int sig = 1; sig < NSIG; sig++)
		if (sig != SIGKILL && sig != SIGSTOP && sig != 32 && sig != 33)
			signal(sig, SIG_DFL);
	sigemptyset(&empty);
	sigprocmask(SIG_SETMASK, &empty, NULL);
	setrlimit(RLIMIT_CORE, &none);
	drop_capabilities(entry->keeps);
	umask(022);
	setpgid(0, 0);
	if (output != NULL) {
		int null = open("/dev/null", O_RDONLY);
		int out = open(output, O_WRONLY | O_CREAT | O_APPEND, 0600);

		if (null == -1 || out == -1)
			_exit(CONF_SETUP_FAILED);
		dup2(null, 0);
		dup2(out, 1);
		dup2(out, 2);
	}
	if (syscall(SYS_close_range, 3U, ~0U, 0U) == -1)
		for (int fd = 3; fd < 64; fd++)
			close(fd);
	if (chdir(dir) == -1)
		_exit(CONF_SETUP_FAILED);
}

/* Reaps until pid ends; orphans of a case come to the driver when it is process 1. */
static const char *await_case(pid_t pid, char *text, size_t size)
{
	int status;

	set_timer(CASE_SECONDS);
	for (;;) {
		pid_t got = wait4(-1, &status, 0, NULL);

		if (got == pid)
			break;
		if (got == -1 && errno == EINTR && expired) {
			kill(-pid, SIGKILL);
			kill(pid, SIGKILL);
			snprintf(text, size, "timed out");
			return text;
		}
		if (got == -1 && errno != EINTR) {
			snprintf(text, size, "lost (wait4: %s)", errno_name(errno));
			return text;
		}
	}
	set_timer(0);
	if (WIFEXITED(status))
		snprintf(text, size, "exited %d", WEXITSTATUS(status));
	else
		snprintf(text, size, "killed by SIG%s", sigabbrev_np(WTERMSIG(status)));
	return text;
}

static void kill_leftovers(pid_t group)
{
	kill(-group, SIGKILL);
	if (getpid() == 1)
		kill(-1, SIGKILL);
	set_timer(2);
	while (!expired && wait4(-1, NULL, 0, NULL) > 0)
		continue;
	set_timer(0);
}

static void copy_output(const char *path)
{
	FILE *file = fopen(path, "re");
	bool line_start = true;
	int byte;

	if (file == NULL)
		return;
	while ((byte = getc(file)) != EOF) {
		if (line_start)
			putchar(' ');
		putchar(byte);
		line_start = byte == '\n';
	}
	fclose(file);
	if (!line_start)
		fputs("<no newline>\n", stdout);
}

static void drive_case(const char *base, const struct conf_case *entry)
{
	char dir[PATH_MAX], output[PATH_MAX], text[64];

	snprintf(dir, sizeof(dir), "%s/conf.%s", base, entry->name);
	snprintf(output, sizeof(output), "%s/conf-out.%s", base, entry->name);
	printf("@begin %s\n", entry->name);
	fflush(stdout);
	mkdir(dir, 0777);
	chmod(dir, 0777);
	pid_t pid = fork();
	if (pid == 0) {
		prepare_case(entry, dir, output);
		entry->run();
		_exit(0);
	}
	const char *ending = pid == -1 ? "not started" : await_case(pid, text, sizeof(text));
	if (pid > 0)
		kill_leftovers(pid);
	copy_output(output);
	printf("@end %s %s\n", entry->name, ending);
	fflush(stdout);
	unlink(output);
	remove_tree(dir);
}

int conf_drive(int count, char **names)
{
	const char *base = getenv("SCRATCH");
	struct sigaction action = { .sa_handler = on_alarm };

	if (base == NULL || base[0] == '\0')
		base = "/tmp";
	sigaction(SIGALRM, &action, NULL);
	if (count == 0)
		for (const struct conf_case *entry = conf_first_case(); entry != NULL;
		     entry = entry->next)
			drive_case(base, entry);
	for (int i = 0; i < count; i++) {
		const struct conf_case *entry = conf_find_case(names[i]);

		if (entry != NULL)
			drive_case(base, entry);
		else
			printf("@begin %s\n@end %s unknown\n", names[i], names[i]);
	}
	puts("@done");
	return fflush(stdout) == 0 ? 0 : 1;
}

static int run_one(const struct conf_case *entry)
{
	char dir[PATH_MAX];
	const char *base = getenv("SCRATCH");
	struct sigaction action = { .sa_handler = on_alarm };
	char text[64];

	snprintf(dir, sizeof(dir), "%s/conf.XXXXXX", base == NULL ? "/tmp" : base);
	if (mkdtemp(dir) == NULL || chmod(dir, 0777) == -1)
		return CONF_SETUP_FAILED;
	sigaction(SIGALRM, &action, NULL);
	pid_t pid = fork();
	if (pid == 0) {
		prepare_case(entry, dir, NULL);
		entry->run();
		_exit(0);
	}
	const char *ending = await_case(pid, text, sizeof(text));
	kill(-pid, SIGKILL);
	remove_tree(dir);
	fprintf(stderr, "%s: %s\n", entry->name, ending);
	return strcmp(ending, "exited 0") == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	const struct conf_helper *helper = argc > 1 ? conf_find_helper(argv[1]) : NULL;
	const struct conf_case *entry = argc == 2 ? conf_find_case(argv[1]) : NULL;

	if (argc > 0)
		conf_set_self(argv[0]);
	if (helper != NULL)
		return helper->run(argc - 1, argv + 1);
	if (entry != NULL)
		return run_one(entry);
	if (argc == 2 && strcmp(argv[1], "list") == 0) {
		for (entry = conf_first_case(); entry != NULL; entry = entry->next)
			puts(entry->name);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "all") == 0)
		return conf_drive(0, NULL);
	if (argc > 2 && strcmp(argv[1], "some") == 0)
		return conf_drive(argc - 2, argv + 2);
	if (argc > 3 && strcmp(argv[1], "native") == 0)
		return conf_native(argc - 2, argv + 2);
	fprintf(stderr, "usage: conformance list | CASE | all | some CASE... | native ROOTFS "
			"PROGRAM ARGS...\n");
	return 2;
}

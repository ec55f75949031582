/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver inside the container:
 *
 *   attack list         names, one a line
 *   attack run NAME     as init: bystander, attack, judgement; exits 0, 1 or 77 (skipped)
 *   attack hold NAME    as init: gets beyond control and stays there
 *   attack bystander    the second container: a line now and then until SIGTERM
 */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BYSTANDER_SIZE (256UL * 1024)

unsigned last_resort_ms = 5000;

static volatile int failures;
static volatile sig_atomic_t ending;

void fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("fail: ");
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
	fflush(stdout);
	failures++;
}

void note(const char *what)
{
	printf("trying: %s\n", what);
	fflush(stdout);
}

void skip(const char *why)
{
	printf("skip: %s\n", why);
	fflush(stdout);
	_exit(77);
}

bool on_trap(void)
{
	const char *platform = getenv("ATTACK_PLATFORM");

	return !platform || strcmp(platform, "trap") == 0;
}

bool strict_memory(void)
{
	return getenv("ATTACK_STRICT") != NULL;
}

bool can_rewrite(void)
{
	return on_trap() && !strict_memory();
}

bool long_form(void)
{
	return getenv("ATTACK_LONG") != NULL;
}

int verdict(int rc)
{
	fflush(stdout);
	return rc == 0 && failures ? 99 : rc;
}

uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void sleep_ms(unsigned ms)
{
	struct timespec ts = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

uint32_t random_next(uint64_t *state)
{
	*state = *state * 6364136223846793005UL + 1442695040888963407UL;
	return (uint32_t)(*state >> 33);
}

/* --- children ----------------------------------------------------------------- */

static bool ended(pid_t pid, int *status, uint64_t deadline)
{
	for (;;) {
		pid_t rc = waitpid(pid, status, WNOHANG);

		if (rc == pid || (rc < 0 && errno != EINTR))
			return true;
		if (now_ms() >= deadline)
			return false;
		sleep_ms(1);
	}
}

struct outcome await(pid_t pid, int timeout_ms)
{
	struct outcome o = { 0 };

	if (ended(pid, &o.status, now_ms() + (uint64_t)timeout_ms))
		return o;
	o.timed_out = true;
	kill(pid, SIGKILL);
	o.unkillable = !ended(pid, &o.status, now_ms() + last_resort_ms);
	return o;
}

struct outcome in_child(int (*body)(void *), void *arg, int timeout_ms)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		failures = 0;
		_exit(verdict(body(arg)));
	}
	if (pid < 0) {
		fail("fork: %m");
		return (struct outcome){ .unkillable = true };
	}
	return await(pid, timeout_ms);
}

bool exited_with(const struct outcome *o, int code)
{
	return !o->timed_out && WIFEXITED(o->status) && WEXITSTATUS(o->status) == code;
}

bool killed_by(const struct outcome *o, int signo)
{
	return !o->timed_out && WIFSIGNALED(o->status) && WTERMSIG(o->status) == signo;
}

const char *outcome_text(const struct outcome *o)
{
	static char text[80];

	if (o->unkillable)
		snprintf(text, sizeof(text), "went on after SIGKILL");
	else if (o->timed_out)
		snprintf(text, sizeof(text), "went on until it was killed");
	else if (WIFEXITED(o->status))
		snprintf(text, sizeof(text), "exited with %d", WEXITSTATUS(o->status));
	else
		snprintf(text, sizeof(text), "died of signal %d", WTERMSIG(o->status));
	return text;
}

/* --- bystanders ------------------------------------------------------------------ */

/* An ordinary life: false when something is not as it ought to be. */
static bool bystander_turn(uint8_t *memory, uint8_t fill, int pipefd[2], int file)
{
	uint8_t *fresh;
	char buf[64];

	memset(memory, fill, BYSTANDER_SIZE);
	memset(buf, fill, sizeof(buf));
	if (write(pipefd[1], buf, sizeof(buf)) != (ssize_t)sizeof(buf) ||
	    read(pipefd[0], buf, sizeof(buf)) != (ssize_t)sizeof(buf))
		return false;
	if (pwrite(file, buf, sizeof(buf), 0) != (ssize_t)sizeof(buf) ||
	    pread(file, buf, sizeof(buf), 0) != (ssize_t)sizeof(buf))
		return false;
	fresh = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (fresh == MAP_FAILED || fresh[0] != 0 || fresh[8191] != 0)
		return false;
	fresh[4096] = fill;
	if (munmap(fresh, 8192) < 0)
		return false;
	sleep_ms(5);
	for (size_t i = 0; i < sizeof(buf); i++)
		if ((uint8_t)buf[i] != fill)
			return false;
	for (size_t i = 0; i < BYSTANDER_SIZE; i++)
		if (memory[i] != fill)
			return false;
	return true;
}

/* *turns counts; returns when @ending is set: 0, or 1 when disturbed. */
static int bystander(volatile uint64_t *turns, bool talk)
{
	uint8_t *memory = malloc(BYSTANDER_SIZE);
	char name[] = "/tmp/bystander.XXXXXX";
	int pipefd[2], file = mkstemp(name);

	if (!memory || pipe(pipefd) < 0 || file < 0) {
		fail("bystander: %m");
		return 1;
	}
	unlink(name);
	while (!ending) {
		if (!bystander_turn(memory, (uint8_t)(*turns * 37 + 1), pipefd, file)) {
			fail("bystander disturbed in turn %llu", (unsigned long long)*turns);
			return 1;
		}
		++*turns;
		if (talk && *turns % 20 == 0) {
			printf("turn %llu\n", (unsigned long long)*turns);
			fflush(stdout);
		}
	}
	return 0;
}

static void on_term(int signo)
{
	(void)signo;
	ending = 1;
}

static int second_container(void)
{
	uint64_t turns = 0;
	int rc;

	signal(SIGTERM, on_term);
	rc = bystander(&turns, true);
	printf("%s\n", rc == 0 ? "undisturbed" : "disturbed");
	return rc;
}

static void judge_bystander(pid_t pid, volatile uint64_t *turns)
{
	uint64_t before = *turns, deadline = now_ms() + last_resort_ms;
	struct outcome o;

	while (*turns < before + 3 && now_ms() < deadline)
		sleep_ms(5);
	if (*turns < before + 3)
		fail("the bystander came to a halt in turn %llu", (unsigned long long)before);
	kill(pid, SIGTERM);
	o = await(pid, (int)last_resort_ms);
	if (!exited_with(&o, 0))
		fail("the bystander %s", outcome_text(&o));
}

/* All that the attack left behind, orphans of orphans too, can be ended and reaped. */
static void judge_leftovers(void)
{
	uint64_t deadline = now_ms() + last_resort_ms;
	pid_t rc = 0;

	while (now_ms() < deadline) {
		kill(-1, SIGKILL);
		while ((rc = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if (rc < 0)
			return;
		sleep_ms(5);
	}
	fail("processes of the attack go on after SIGKILL");
}

static int run_attack(const struct attack *a)
{
	volatile uint64_t *turns =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	if (a->trap_only && !on_trap())
		skip("about the trap platform's stub");
	if (a->rewrites && strict_memory())
		skip("in strict mode the stub's text cannot be changed");
	if (turns == MAP_FAILED) {
		fail("shared memory: %m");
		return 1;
	}
	signal(SIGTERM, on_term);
	pid = fork();
	if (pid == 0)
		_exit(bystander(turns, false));
	while (*turns == 0 && !failures)
		sleep_ms(1);
	a->run();
	judge_bystander(pid, turns);
	judge_leftovers();
	printf("%s\n", failures ? "failed" : "pass");
	fflush(stdout);
	return failures ? 1 : 0;
}

/* "gated": not before somebody is ready for it, who then writes a byte. */
static bool may_begin(const char *how)
{
	char byte;

	return strcmp(how, "run") == 0 || read(STDIN_FILENO, &byte, 1) == 1;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "list") == 0) {
		for (const struct attack *a = attacks; a->name; a++)
			printf("%s\n", a->name);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "bystander") == 0)
		return second_container();
	/* Natively some of the attempts would be what they look like. */
	if (getpid() != 1) {
		fprintf(stderr, "attack: only as a container's init\n");
		return 2;
	}
	if (argc == 3 && strcmp(argv[1], "hold") == 0)
		return hold(argv[2]);
	if (argc == 3 && (strcmp(argv[1], "run") == 0 || strcmp(argv[1], "gated") == 0))
		for (const struct attack *a = attacks; a->name; a++)
			if (strcmp(a->name, argv[2]) == 0)
				return may_begin(argv[1]) ? run_attack(a) : 2;
	fprintf(stderr, "usage: attack list | run NAME | gated NAME | hold NAME | bystander\n");
	return 2;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signal for a guest thread that is on its way back from the stub (stub_leave), at an instruction
 * of our choice.
 *
 * "kick_held guest", in the container: says that it is ready, makes calls until one takes very
 * long, then none any more.
 *
 * "kick_held hold PID PLACE COMMAND...", on the host: stops the stub at PLACE (look, vectors,
 * return) by a breakpoint, runs COMMAND, which sends SIGUSR1, and lets it go on.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sentry/platform/trap/stub_abi.h"

#define HELD_MS 500
#define LONG_MS 250
#define PATIENCE_MS 5000
#define STOPS_MAX 100000
#define BREAKPOINT 0xcc

enum { HANDLED = 7, LOST = 8, NOT_HELD = 9 };

static volatile sig_atomic_t handled;

static void handle(int signo)
{
	(void)signo;
	handled = 1;
}

/* Without a call: of the vDSO. */
static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int guest(void)
{
	long start, end;

	signal(SIGUSR1, handle);
	puts("ready");
	fflush(stdout);
	do {
		start = now_ms();
		syscall(SYS_prctl, PR_GET_DUMPABLE);
		end = now_ms();
		if (end - start < LONG_MS && handled)
			return NOT_HELD;
	} while (end - start < LONG_MS);
	while (!handled && now_ms() - end < PATIENCE_MS)
		;
	return handled ? HANDLED : LOST;
}

/* The address of @place in the stub's text, which is in @text; 0: not found. */
static unsigned long find(const char *place, const unsigned char *text, size_t size)
{
	static const unsigned char xrstor[] = { 0x48, 0x0f, 0xae, 0x2b }, iretq[] = { 0x48, 0xcf };
	static const unsigned char look[] = { 0x83, 0x39, 0x00 }; /* cmpl $0, (%rcx) */
	const unsigned char *vectors = memmem(text, size, xrstor, sizeof(xrstor)), *at = vectors;

	if (vectors && !strcmp(place, "return"))
		at = memmem(vectors, 128, iretq, sizeof(iretq));
	else if (vectors && !strcmp(place, "look"))
		at = memmem(vectors - 32, 32, look, sizeof(look));
	return at ? STUB_TEXT + (unsigned long)(at - text) : 0;
}

static size_t read_text(int memory, unsigned char *text, size_t size)
{
	size_t done = 0;

	while (done < size && pread(memory, text + done, 4096, (off_t)(STUB_TEXT + done)) == 4096)
		done += 4096;
	return done;
}

/* Goes on until the breakpoint at @at is hit; signals of the stub's own life are passed on. */
static int run_to(pid_t pid, unsigned long at)
{
	struct user_regs_struct regs;
	int status, sig = 0;

	for (int i = 0; i < STOPS_MAX; i++) {
		if (ptrace(PTRACE_CONT, pid, 0, sig) < 0 || waitpid(pid, &status, __WALL) < 0 ||
		    !WIFSTOPPED(status))
			return -1;
		if (ptrace(PTRACE_GETREGS, pid, 0, &regs) < 0)
			return -1;
		if (WSTOPSIG(status) == SIGTRAP && regs.rip == at + 1) {
			regs.rip = at;
			return (int)ptrace(PTRACE_SETREGS, pid, 0, &regs);
		}
		sig = status >> 16 ? 0 : WSTOPSIG(status);
	}
	return -1;
}

static int run_command(char **command)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execvp(command[0], command);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static int hold(pid_t pid, const char *place, char **command)
{
	static unsigned char text[STUB_TEXT_LIMIT - STUB_TEXT];
	const unsigned char breakpoint = BREAKPOINT;
	unsigned char instruction;
	unsigned long at;
	char path[64];
	int memory, status;

	alarm(20);
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	memory = open(path, O_RDWR | O_CLOEXEC);
	if (memory < 0 || ptrace(PTRACE_SEIZE, pid, 0, 0) < 0 ||
	    ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0 || waitpid(pid, &status, __WALL) < 0)
		return fail("seize");
	at = find(place, text, read_text(memory, text, sizeof(text)));
	if (!at || pread(memory, &instruction, 1, (off_t)at) != 1 ||
	    pwrite(memory, &breakpoint, 1, (off_t)at) != 1)
		return fail("breakpoint");
	if (run_to(pid, at) < 0 || pwrite(memory, &instruction, 1, (off_t)at) != 1)
		return fail("run to it");
	if (run_command(command) != 0)
		return fail("command");
	usleep(HELD_MS * 1000);
	return ptrace(PTRACE_DETACH, pid, 0, 0) < 0 ? fail("detach") : 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "guest"))
		return guest();
	if (argc > 4 && !strcmp(argv[1], "hold"))
		return hold((pid_t)strtol(argv[2], NULL, 10), argv[3], argv + 4);
	fprintf(stderr, "usage: kick_held guest | hold PID PLACE COMMAND...\n");
	return 2;
}

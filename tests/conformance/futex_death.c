/* SPDX-License-Identifier: Apache-2.0
 *
 * What the kernel does with futexes when a thread dies: robust lists, clear_child_tid.
 */
#include "conformance.h"

#include <linux/futex.h>

struct lock {
	struct robust_list node;
	uint32_t word;
};

struct shared {
	struct robust_list_head head;
	struct lock locks[6];
	uint32_t done;
};

static struct shared *shared;

static void prepare(void)
{
	shared = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	shared->head.futex_offset = offsetof(struct lock, word) - offsetof(struct lock, node);
	shared->head.list.next = &shared->head.list;
}

static void chain(int count)
{
	struct robust_list *last = &shared->head.list;

	for (int i = 0; i < count; i++) {
		last->next = &shared->locks[i].node;
		last = &shared->locks[i].node;
		last->next = &shared->head.list;
	}
}

static void use_list(void)
{
	MUST(syscall(SYS_set_robust_list, &shared->head, sizeof(shared->head)));
}

static void show_word(const char *label, uint32_t word, pid_t owner)
{
	note("%s: owner ok %d waiters %d died %d", label, (word & FUTEX_TID_MASK) == (uint32_t)owner,
	     !!(word & FUTEX_WAITERS), !!(word & FUTEX_OWNER_DIED));
}

CASE(robust_death_marks_locks)
{
	prepare();
	pid_t pid = (pid_t)MUST(fork());
	if (pid == 0) {
		use_list();
		chain(3);
		shared->locks[0].word = (uint32_t)getpid();
		shared->locks[1].word = (uint32_t)getpid() | FUTEX_WAITERS;
		shared->locks[2].word = 4711;
		_exit(0);
	}
	show_wait("owner", pid);
	show_word("held", shared->locks[0].word, 0);
	show_word("held, waited for", shared->locks[1].word, 0);
	show_int("another's", shared->locks[2].word);
}

CASE(robust_death_by_signal)
{
	prepare();
	pid_t pid = (pid_t)MUST(fork());
	if (pid == 0) {
		use_list();
		chain(1);
		shared->locks[0].word = (uint32_t)getpid();
		raise(SIGKILL);
	}
	show_wait("owner", pid);
	show_word("held", shared->locks[0].word, 0);
}

CASE(robust_death_by_exec)
{
	char *argv[] = { (char *)"conformance", (char *)"@nothing", NULL };

	prepare();
	pid_t pid = (pid_t)MUST(fork());
	if (pid == 0) {
		use_list();
		chain(1);
		shared->locks[0].word = (uint32_t)getpid();
		execv(self_exe(), argv);
	}
	show_wait("owner", pid);
	show_word("held", shared->locks[0].word, 0);
}

CASE(robust_death_wakes_waiter)
{
	prepare();
	pid_t waiter = getpid(), owner = (pid_t)MUST(fork());
	if (owner == 0) {
		use_list();
		chain(1);
		__atomic_store_n(&shared->locks[0].word, (uint32_t)getpid() | FUTEX_WAITERS,
				 __ATOMIC_SEQ_CST);
		wait_blocked(waiter, waiter);
		_exit(0);
	}
	uint32_t word;
	/* Asleep it is to be only in its wait for the lock. */
	while ((word = __atomic_load_n(&shared->locks[0].word, __ATOMIC_SEQ_CST)) == 0)
		sched_yield();
	show("wait", syscall(SYS_futex, &shared->locks[0].word, FUTEX_WAIT, word, NULL, NULL, 0));
	show_wait("owner", owner);
	show_word("held", shared->locks[0].word, 0);
}

CASE(robust_pending_operation)
{
	prepare();
	pid_t pid = (pid_t)MUST(fork());
	if (pid == 0) {
		use_list();
		shared->head.list_op_pending = &shared->locks[4].node;
		shared->locks[4].word = (uint32_t)getpid();
		_exit(0);
	}
	show_wait("owner", pid);
	show_word("pending", shared->locks[4].word, 0);
	/* A word of 0 whose unlock was under way wakes a waiter. */
	prepare();
	pid_t waiter = getpid();
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		use_list();
		shared->head.list_op_pending = &shared->locks[4].node;
		wait_blocked(waiter, waiter);
		_exit(0);
	}
	show("waiter", syscall(SYS_futex, &shared->locks[4].word, FUTEX_WAIT, 0,
			       &(struct timespec){ 30, 0 }, NULL, 0));
	show_wait("owner", pid);
	show_int("word", shared->locks[4].word);
}

CASE(robust_broken_lists)
{
	prepare();
	for (int how = 0; how < 4; how++) {
		pid_t pid = (pid_t)MUST(fork());

		if (pid == 0) {
			use_list();
			chain(2);
			shared->locks[0].word = (uint32_t)getpid();
			shared->locks[1].word = (uint32_t)getpid();
			if (how == 0)
				shared->locks[0].node.next = bad_ptr();
			if (how == 1)
				shared->locks[1].node.next = &shared->locks[0].node;
			if (how == 2)
				shared->head.list.next = NULL;
			if (how == 3)
				shared->head.futex_offset = 1L << 40;
			_exit(0);
		}
		char label[16];
		snprintf(label, sizeof(label), "how %d", how);
		show_wait(label, pid);
		show_int("first", !!(shared->locks[0].word & FUTEX_OWNER_DIED));
		show_int("second", !!(shared->locks[1].word & FUTEX_OWNER_DIED));
		prepare();
	}
}

CASE(robust_list_arguments)
{
	struct robust_list_head head;
	void *got;
	size_t size;

	show("size 0", syscall(SYS_set_robust_list, &head, 0));
	show("size 23", syscall(SYS_set_robust_list, &head, 23));
	show("size 25", syscall(SYS_set_robust_list, &head, 25));
	show("bad address", syscall(SYS_set_robust_list, bad_ptr(), 24));
	show("get", syscall(SYS_get_robust_list, 0, &got, &size));
	show_int("same", got == bad_ptr() && size == 24);
	show("get nobody", syscall(SYS_get_robust_list, 4000000, &got, &size));
	show("get negative", syscall(SYS_get_robust_list, -1, &got, &size));
	show("get bad head", syscall(SYS_get_robust_list, 0, bad_ptr(), &size));
	show("get bad size", syscall(SYS_get_robust_list, 0, &got, bad_ptr()));
	RUN_CHILD("a user of root's")
	{
		become_user(1000);
		show("get", syscall(SYS_get_robust_list, getppid(), &got, &size));
	}
}

static int exits_at_once(void *arg)
{
	(void)arg;
	syscall(SYS_exit, 0);
	return 0;
}

CASE(clear_child_tid_wakes)
{
	static char stack[65536] __attribute__((aligned(16)));
	static uint32_t tid;

	tid = 1;
	long made = clone(exits_at_once, stack + sizeof(stack),
			  CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_FS | CLONE_FILES |
				  CLONE_CHILD_CLEARTID | CLONE_PARENT_SETTID,
			  NULL, &tid, NULL, &tid);
	MUST(made);
	uint32_t now;
	while ((now = __atomic_load_n(&tid, __ATOMIC_SEQ_CST)) != 0)
		syscall(SYS_futex, &tid, FUTEX_WAIT, now, NULL, NULL, 0);
	note("cleared");
}

CASE(clear_child_tid_needs_a_partner)
{
	/* Without anyone else on the memory nothing is written. */
	prepare();
	pid_t pid = (pid_t)MUST(fork());
	if (pid == 0) {
		shared->done = 5;
		syscall(SYS_set_tid_address, &shared->done);
		_exit(0);
	}
	show_wait("child", pid);
	show_int("word", shared->done);
}

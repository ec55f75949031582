/* SPDX-License-Identifier: Apache-2.0 */
/* Shared memory segments: SHM_LOCK and what it counts against, SHM_INFO, SHM_STAT. */
#include "conformance.h"
#include "namespace.h"

#include <sys/ipc.h>
#include <sys/resource.h>
#include <sys/shm.h>

#define PAGE 4096

static int segment(size_t pages)
{
	return (int)MUST(shmget(IPC_PRIVATE, pages * PAGE, IPC_CREAT | 0600));
}

static void limit_locked(rlim_t pages, rlim_t more)
{
	struct rlimit limit = { pages * PAGE + more, RLIM_INFINITY };

	MUST(getrlimit(RLIMIT_MEMLOCK, &limit));
	limit.rlim_cur = pages * PAGE + more;
	MUST(setrlimit(RLIMIT_MEMLOCK, &limit));
}

static void show_locked(const char *label, int id)
{
	struct shmid_ds ds;

	MUST(shmctl(id, IPC_STAT, &ds));
	show_int(label, (ds.shm_perm.mode & SHM_LOCKED) != 0);
}

/* What earlier cases left would count. */
static void remove_all(void)
{
	struct shm_info info;
	struct shmid_ds ds;
	int highest = shmctl(0, SHM_INFO, (void *)&info);

	for (int i = 0; i <= highest; i++) {
		int id = shmctl(i, SHM_STAT, &ds);

		if (id >= 0)
			MUST(shmctl(id, IPC_RMID, NULL));
	}
}

CASE(shm_lock_limit)
{
	int two, one, large;

	remove_all();
	limit_locked(4, 100);
	two = segment(2);
	one = segment(1);
	large = segment(5);
	show("two pages", shmctl(two, SHM_LOCK, NULL));
	show_locked("locked", two);
	show("again", shmctl(two, SHM_LOCK, NULL));
	show("too large", shmctl(large, SHM_LOCK, NULL));
	show_locked("locked", large);
	show("one page", shmctl(one, SHM_LOCK, NULL));
	large = segment(2);
	show("too many", shmctl(large, SHM_LOCK, NULL));
	show("unlock one", shmctl(one, SHM_UNLOCK, NULL));
	show_locked("locked", one);
	show("unlock it again", shmctl(one, SHM_UNLOCK, NULL));
	show("now there is room", shmctl(large, SHM_LOCK, NULL));
	show("one page", shmctl(one, SHM_LOCK, NULL));
	/* What is gone counts no more, what is removed and attached does. */
	show("remove", shmctl(two, IPC_RMID, NULL));
	show("one page", shmctl(one, SHM_LOCK, NULL));
	void *at = shmat(large, NULL, 0);

	show_ptr("attach", at);
	show("remove", shmctl(large, IPC_RMID, NULL));
	two = segment(2);
	show("still counted", shmctl(two, SHM_LOCK, NULL));
	show("detach", shmdt(at));
	show("no more", shmctl(two, SHM_LOCK, NULL));
	show("a part of a page", shmctl((int)MUST(shmget(IPC_PRIVATE, 1, 0600)), SHM_LOCK, NULL));
	limit_locked(0, 0);
	show("nothing allowed", shmctl(segment(1), SHM_LOCK, NULL));
	show("unlocking is", shmctl(two, SHM_UNLOCK, NULL));
	limit_locked(0, 100);
	show("less than a page", shmctl(two, SHM_LOCK, NULL));
}

CASE(shm_lock_apart_from_mlock)
{
	void *at = mmap(NULL, 4 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	remove_all();
	limit_locked(4, 0);
	show("mlock", mlock(at, 4 * PAGE));
	show("segment", shmctl(segment(4), SHM_LOCK, NULL));
	show("another", shmctl(segment(1), SHM_LOCK, NULL));
}

CASE(shm_lock_of_a_user)
{
	int ids[4];
	pid_t pid;

	remove_all();
	limit_locked(4, 0);
	for (int i = 0; i < 4; i++)
		ids[i] = segment(2);
	RUN_CHILD("another process")
		show("lock", shmctl(ids[0], SHM_LOCK, NULL));
	show("second", shmctl(ids[1], SHM_LOCK, NULL));
	show("third", shmctl(ids[2], SHM_LOCK, NULL));
	RUN_CHILD("another user")
	{
		int id;

		become_user(4322);
		show("not its own", shmctl(ids[2], SHM_LOCK, NULL));
		show("not its own", shmctl(ids[0], SHM_UNLOCK, NULL));
		id = segment(2);
		show("own", shmctl(id, SHM_LOCK, NULL));
		show("remove", shmctl(id, IPC_RMID, NULL));
	}
	/* Who locked it is who it counts for. */
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		MUST(setresuid(4323, 0, 0));
		_exit(shmctl(ids[3], SHM_LOCK, NULL) ? errno : 0);
	}
	show_wait("by another real user", pid);
	show("unlock", shmctl(ids[3], SHM_UNLOCK, NULL));
	show("third", shmctl(ids[2], SHM_LOCK, NULL));
	for (int i = 0; i < 4; i++)
		show("remove", shmctl(ids[i], IPC_RMID, NULL));
	show("then one as large as the limit", shmctl(segment(4), SHM_LOCK, NULL));
}

CASE(shm_lock_rules)
{
	int id;

	remove_all();
	id = segment(1);
	show("no such", shmctl(0x7fffffff, SHM_LOCK, NULL));
	show("negative", shmctl(-1, SHM_LOCK, NULL));
	MUST(shmctl(id, IPC_RMID, NULL));
	show("gone", shmctl(id, SHM_LOCK, NULL));
	show("gone", shmctl(id, SHM_UNLOCK, NULL));
	RUN_CHILD("capable of its own namespace")
	{
		enter_user_namespace();
		MUST(unshare(CLONE_NEWIPC));
		limit_locked(0, 0);
		id = segment(1);
		show("no limit asked", shmctl(id, SHM_LOCK, NULL));
		limit_locked(1, 0);
		show("within the limit", shmctl(id, SHM_LOCK, NULL));
		show("beyond", shmctl(segment(1), SHM_LOCK, NULL));
	}
}

static void show_info(const char *label)
{
	struct shm_info info;
	struct shminfo limits;

	memset(&info, 0x55, sizeof(info));
	note("%s", label);
	show("info", shmctl(0, SHM_INFO, (void *)&info));
	show_int("used", info.used_ids);
	show_int("total", (long long)info.shm_tot);
	show_int("in memory", (long long)info.shm_rss);
	show_int("swapped", (long long)info.shm_swp);
	show_int("attempts", (long long)info.swap_attempts);
	show_int("successes", (long long)info.swap_successes);
	show("limits", shmctl(0, IPC_INFO, (void *)&limits));
	show_int("most", (long long)limits.shmmni);
	show_hex("largest", limits.shmmax);
	show_int("smallest", (long long)limits.shmmin);
	show_hex("all", limits.shmall);
	show_int("a process", (long long)limits.shmseg);
}

static void show_resident(void)
{
	char line[512];
	FILE *file = fopen("/proc/sysvipc/shm", "re");

	while (file && fgets(line, sizeof(line), file)) {
		unsigned long long size, rss, swap;

		if (sscanf(line, "%*d %*d %*o %llu %*d %*d %*d %*u %*u %*u %*u %*d %*d %*d %llu %llu", &size, &rss,
			   &swap) == 3)
			note("size %llu, %llu in memory, %llu swapped", size, rss, swap);
	}
	if (file)
		fclose(file);
}

CASE(shm_info_values)
{
	struct shmid_ds ds;
	int first, second;
	char *at;

	enter_user_namespace();
	MUST(unshare(CLONE_NEWIPC));
	show_info("empty");
	first = segment(3);
	second = (int)MUST(shmget(IPC_PRIVATE, 5 * PAGE + 1, 0600));
	show_info("two");
	at = shmat(first, NULL, 0);
	at[0] = at[PAGE] = 1;
	show_info("touched");
	show_resident();
	show_int("index 0", shmctl(0, SHM_STAT, &ds) == first);
	show_int("size", (long long)ds.shm_segsz);
	show_int("attached", (long long)ds.shm_nattch);
	show_int("creator", ds.shm_cpid == getpid());
	show_int("index 1", shmctl(1, SHM_STAT, &ds) == second);
	show_int("size", (long long)ds.shm_segsz);
	show("no such index", shmctl(2, SHM_STAT, &ds));
	show("bad address", shmctl(0, SHM_STAT, bad_ptr()));
	show("bad address", shmctl(0, SHM_INFO, bad_ptr()));
	show("bad address", shmctl(0, IPC_INFO, bad_ptr()));
	MUST(shmctl(first, IPC_RMID, NULL));
	show_info("first removed and attached");
	show_int("destroyed", shmctl(0, SHM_STAT, &ds) == first);
	show_hex("mode", ds.shm_perm.mode);
	MUST(shmdt(at));
	show_info("first gone");
	show("index 0", shmctl(0, SHM_STAT, &ds));
	RUN_CHILD("another user")
	{
		become_user(0);
		show_ok("any", shmctl(1, 15 /* SHM_STAT_ANY */, &ds));
	}
}

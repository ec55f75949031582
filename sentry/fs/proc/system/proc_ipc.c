/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/sysvipc: the System V objects of the reader's ipc namespace. */
#include <errno.h>

#include "sentry/fs/proc/proc_internal.h"
#include "sentry/ipc/msg.h"
#include "sentry/ipc/sem.h"
#include "sentry/ipc/shm.h"

static int show_msg(const struct proc_call *c, struct strbuf *out)
{
	struct task *t = task_current();
	struct linux_msginfo info;
	struct linux_msqid64_ds ds;
	int highest = t ? msg_info(t, LINUX_MSG_INFO, &info) : -1;

	strbuf_add(out, "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid "
			" cgid      stime      rtime      ctime\n");
	for (int i = 0; i <= highest; i++) {
		int id = msg_stat(t, i, LINUX_MSG_STAT_ANY, &ds);

		if (id < 0)
			continue;
		strbuf_addf(out, "%10d %10d  %4o  %10llu %10llu %5u %5u %5u %5u %5u %5u", ds.perm.key, id,
			    ds.perm.mode, (unsigned long long)ds.cbytes, (unsigned long long)ds.qnum,
			    (unsigned)ds.lspid, (unsigned)ds.lrpid, ds.perm.uid, ds.perm.gid,
			    ds.perm.cuid, ds.perm.cgid);
		strbuf_addf(out, " %10lld %10lld %10lld\n", (long long)ds.stime, (long long)ds.rtime,
			    (long long)ds.ctime);
	}
	return 0;
}

static int show_sem(const struct proc_call *c, struct strbuf *out)
{
	struct task *t = task_current();
	struct linux_seminfo info;
	struct linux_semid64_ds ds;
	int highest = t ? sem_info(t, LINUX_SEM_INFO, &info) : -1;

	strbuf_add(out, "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      "
			"ctime\n");
	for (int i = 0; i <= highest; i++) {
		int id = sem_stat(t, i, LINUX_SEM_STAT_ANY, &ds);

		if (id < 0)
			continue;
		strbuf_addf(out, "%10d %10d  %4o %10llu %5u %5u %5u %5u %10lld %10lld\n", ds.perm.key, id,
			    ds.perm.mode, (unsigned long long)ds.nsems, ds.perm.uid, ds.perm.gid,
			    ds.perm.cuid, ds.perm.cgid, (long long)ds.otime, (long long)ds.ctime);
	}
	return 0;
}

static int show_shm(const struct proc_call *c, struct strbuf *out)
{
	struct task *t = task_current();
	struct linux_shm_info info;
	struct linux_shmid64_ds ds;
	int highest = t ? shm_info(t, &info) : -1;

	strbuf_add(out, "       key      shmid perms                  size  cpid  lpid nattch   uid   "
			"gid  cuid  cgid      atime      dtime      ctime                   rss           "
			"       swap\n");
	for (int i = 0; i <= highest; i++) {
		int id = shm_stat(t, i, LINUX_SHM_STAT_ANY, &ds);

		if (id < 0)
			continue;
		strbuf_addf(out, "%10d %10d  %4o %21llu %5d %5d  %5llu %5u %5u %5u %5u", ds.perm.key, id,
			    ds.perm.mode, (unsigned long long)ds.segsz, ds.cpid, ds.lpid,
			    (unsigned long long)ds.nattch, ds.perm.uid, ds.perm.gid, ds.perm.cuid,
			    ds.perm.cgid);
		strbuf_addf(out, " %10lld %10lld %10lld %21llu %21u\n", (long long)ds.atime,
			    (long long)ds.dtime, (long long)ds.ctime,
			    (unsigned long long)shm_resident(t, id), 0U);
	}
	return 0;
}

static const struct proc_node sysvipc_nodes[] = {
	PROC_FILE("msg", 0444, show_msg),
	PROC_FILE("sem", 0444, show_sem),
	PROC_FILE("shm", 0444, show_shm),
};

const struct proc_dir proc_sysvipc_dir = PROC_DIR(sysvipc_nodes);

/* SPDX-License-Identifier: Apache-2.0 */
/* System V IPC: constants and structures of x86-64 Linux. */
#pragma once

#include <stdint.h>

#define LINUX_IPC_PRIVATE 0
#define LINUX_IPC_CREAT 01000
#define LINUX_IPC_EXCL 02000
#define LINUX_IPC_NOWAIT 04000

#define LINUX_IPC_RMID 0
#define LINUX_IPC_SET 1
#define LINUX_IPC_STAT 2
#define LINUX_IPC_INFO 3

struct linux_ipc64_perm {
	int32_t key;
	uint32_t uid, gid, cuid, cgid, mode;
	uint16_t seq, pad2;
	uint32_t pad3;
	uint64_t unused1, unused2;
};
_Static_assert(sizeof(struct linux_ipc64_perm) == 48, "struct ipc64_perm is 48 bytes");

/* --- message queues ---------------------------------------------------------------- */

#define LINUX_MSG_NOERROR 010000
#define LINUX_MSG_EXCEPT 020000
#define LINUX_MSG_COPY 040000

#define LINUX_MSG_STAT 11
#define LINUX_MSG_INFO 12
#define LINUX_MSG_STAT_ANY 13

#define LINUX_MSGMNI 32000
#define LINUX_MSGMAX 8192
#define LINUX_MSGMNB 16384

struct linux_msqid64_ds {
	struct linux_ipc64_perm perm;
	int64_t stime, rtime, ctime;
	uint64_t cbytes, qnum, qbytes;
	int32_t lspid, lrpid;
	uint64_t unused4, unused5;
};
_Static_assert(sizeof(struct linux_msqid64_ds) == 120, "struct msqid64_ds is 120 bytes");

struct linux_msginfo {
	int32_t msgpool, msgmap, msgmax, msgmnb, msgmni, msgssz, msgtql;
	uint16_t msgseg, pad;
};
_Static_assert(sizeof(struct linux_msginfo) == 32, "struct msginfo is 32 bytes");

/* --- shared memory --------------------------------------------------------------- */

#define LINUX_SHM_RDONLY 010000
#define LINUX_SHM_RND 020000
#define LINUX_SHM_REMAP 040000
#define LINUX_SHM_EXEC 0100000
#define LINUX_SHM_HUGETLB 04000
#define LINUX_SHM_NORESERVE 010000

#define LINUX_SHM_DEST 01000
#define LINUX_SHM_LOCKED 02000

#define LINUX_SHM_LOCK 11
#define LINUX_SHM_UNLOCK 12
#define LINUX_SHM_STAT 13
#define LINUX_SHM_INFO 14
#define LINUX_SHM_STAT_ANY 15

#define LINUX_SHMMNI 4096
#define LINUX_SHMMAX (UINT64_MAX - (1UL << 24))

struct linux_shmid64_ds {
	struct linux_ipc64_perm perm;
	uint64_t segsz;
	int64_t atime, dtime, ctime;
	int32_t cpid, lpid;
	uint64_t nattch, unused4, unused5;
};
_Static_assert(sizeof(struct linux_shmid64_ds) == 112, "struct shmid64_ds is 112 bytes");

struct linux_shminfo64 {
	uint64_t shmmax, shmmin, shmmni, shmseg, shmall, unused[4];
};
struct linux_shm_info {
	int32_t used_ids, pad;
	uint64_t shm_tot, shm_rss, shm_swp, swap_attempts, swap_successes;
};

/* --- semaphores ------------------------------------------------------------------- */

#define LINUX_SEM_UNDO 0x1000

#define LINUX_GETPID 11
#define LINUX_GETVAL 12
#define LINUX_GETALL 13
#define LINUX_GETNCNT 14
#define LINUX_GETZCNT 15
#define LINUX_SETVAL 16
#define LINUX_SETALL 17
#define LINUX_SEM_STAT 18
#define LINUX_SEM_INFO 19
#define LINUX_SEM_STAT_ANY 20

#define LINUX_SEMMNI 32000
#define LINUX_SEMMSL 32000
#define LINUX_SEMMNS (LINUX_SEMMNI * LINUX_SEMMSL)
#define LINUX_SEMOPM 500
#define LINUX_SEMVMX 32767

struct linux_sembuf {
	uint16_t num;
	int16_t op;
	int16_t flags;
};
_Static_assert(sizeof(struct linux_sembuf) == 6, "struct sembuf is 6 bytes");

struct linux_semid64_ds {
	struct linux_ipc64_perm perm;
	int64_t otime;
	uint64_t unused1;
	int64_t ctime;
	uint64_t unused2, nsems, unused3, unused4;
};
_Static_assert(sizeof(struct linux_semid64_ds) == 104, "struct semid64_ds is 104 bytes");

struct linux_seminfo {
	int32_t semmap, semmni, semmns, semmnu, semmsl, semopm, semume, semusz, semvmx, semaem;
};

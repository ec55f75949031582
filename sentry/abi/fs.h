/* SPDX-License-Identifier: Apache-2.0 */
/* Files: flags, modes and structures of x86-64 Linux's file system calls. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LINUX_PATH_MAX 4096

/* --- open(2) ---------------------------------------------------------------- */

#define LINUX_O_ACCMODE 00000003U
#define LINUX_O_RDONLY 00000000U
#define LINUX_O_WRONLY 00000001U
#define LINUX_O_RDWR 00000002U
#define LINUX_O_CREAT 00000100U
#define LINUX_O_EXCL 00000200U
#define LINUX_O_NOCTTY 00000400U
#define LINUX_O_TRUNC 00001000U
#define LINUX_O_APPEND 00002000U
#define LINUX_O_NONBLOCK 00004000U
#define LINUX_O_DSYNC 00010000U
#define LINUX_O_ASYNC 00020000U
#define LINUX_O_DIRECT 00040000U
#define LINUX_O_LARGEFILE 00100000U
#define LINUX_O_DIRECTORY 00200000U
#define LINUX_O_NOFOLLOW 00400000U
#define LINUX_O_NOATIME 01000000U
#define LINUX_O_CLOEXEC 02000000U
#define LINUX_O_SYNC (04000000U | LINUX_O_DSYNC)
#define LINUX_O_PATH 010000000U
#define LINUX_O_TMPFILE_BIT 020000000U
#define LINUX_O_TMPFILE (LINUX_O_TMPFILE_BIT | LINUX_O_DIRECTORY)
/* Everything open(2) knows; other bits are ignored by open and refused by openat2. */
#define LINUX_O_VALID                                                                            \
	(LINUX_O_ACCMODE | LINUX_O_CREAT | LINUX_O_EXCL | LINUX_O_NOCTTY | LINUX_O_TRUNC |       \
	 LINUX_O_APPEND | LINUX_O_NONBLOCK | LINUX_O_SYNC | LINUX_O_ASYNC | LINUX_O_DIRECT |     \
	 LINUX_O_LARGEFILE | LINUX_O_DIRECTORY | LINUX_O_NOFOLLOW | LINUX_O_NOATIME |            \
	 LINUX_O_CLOEXEC | LINUX_O_PATH | LINUX_O_TMPFILE_BIT)
/* What fcntl(F_SETFL) may change. */
#define LINUX_O_SETFL                                                                            \
	(LINUX_O_APPEND | LINUX_O_NONBLOCK | LINUX_O_ASYNC | LINUX_O_DIRECT | LINUX_O_NOATIME)

struct linux_open_how {
	uint64_t flags, mode, resolve;
};
#define LINUX_RESOLVE_NO_XDEV 0x01
#define LINUX_RESOLVE_NO_MAGICLINKS 0x02
#define LINUX_RESOLVE_NO_SYMLINKS 0x04
#define LINUX_RESOLVE_BENEATH 0x08
#define LINUX_RESOLVE_IN_ROOT 0x10
#define LINUX_RESOLVE_CACHED 0x20

/* --- modes -------------------------------------------------------------------- */

#define LINUX_S_IFMT 0170000U
#define LINUX_S_IFSOCK 0140000U
#define LINUX_S_IFLNK 0120000U
#define LINUX_S_IFREG 0100000U
#define LINUX_S_IFBLK 0060000U
#define LINUX_S_IFDIR 0040000U
#define LINUX_S_IFCHR 0020000U
#define LINUX_S_IFIFO 0010000U
#define LINUX_S_ISUID 04000U
#define LINUX_S_ISGID 02000U
#define LINUX_S_ISVTX 01000U
#define LINUX_S_IRUSR 0400U
#define LINUX_S_IWUSR 0200U
#define LINUX_S_IXUSR 0100U
#define LINUX_S_IXGRP 0010U
#define LINUX_S_IXUGO 0111U

#define LINUX_R_OK 4
#define LINUX_W_OK 2
#define LINUX_X_OK 1

/* d_type of a directory entry: the type bits of the mode. */
#define LINUX_DT_UNKNOWN 0
#define LINUX_DT(mode) (((mode) & LINUX_S_IFMT) >> 12)
#define LINUX_DT_DIR 4
#define LINUX_DT_REG 8
#define LINUX_DT_LNK 10

/* --- *at flags ------------------------------------------------------------------ */

#define LINUX_AT_SYMLINK_NOFOLLOW 0x100
#define LINUX_AT_EACCESS 0x200
#define LINUX_AT_REMOVEDIR 0x200
#define LINUX_AT_SYMLINK_FOLLOW 0x400
#define LINUX_AT_NO_AUTOMOUNT 0x800
#define LINUX_AT_HANDLE_MNT_ID_UNIQUE 0x1
#define LINUX_AT_HANDLE_CONNECTABLE 0x2
#define LINUX_AT_HANDLE_FID 0x200
#define LINUX_FILEID_KERNFS 0xfe
#define LINUX_FD_PIDFS_ROOT (-10002)
#define LINUX_AT_EMPTY_PATH 0x1000
#define LINUX_AT_RECURSIVE 0x8000
#define LINUX_AT_EXECVE_CHECK 0x10000
#define LINUX_AT_STATX_SYNC_TYPE 0x6000

#define LINUX_RENAME_NOREPLACE 1U
#define LINUX_RENAME_EXCHANGE 2U
#define LINUX_RENAME_WHITEOUT 4U

#define LINUX_SEEK_SET 0
#define LINUX_SEEK_CUR 1
#define LINUX_SEEK_END 2
#define LINUX_SEEK_DATA 3
#define LINUX_SEEK_HOLE 4

#define LINUX_FALLOC_FL_KEEP_SIZE 0x01
#define LINUX_FALLOC_FL_PUNCH_HOLE 0x02
#define LINUX_FALLOC_FL_NO_HIDE_STALE 0x04
#define LINUX_FALLOC_FL_COLLAPSE_RANGE 0x08
#define LINUX_FALLOC_FL_ZERO_RANGE 0x10
#define LINUX_FALLOC_FL_INSERT_RANGE 0x20
#define LINUX_FALLOC_FL_UNSHARE_RANGE 0x40

#define LINUX_UTIME_NOW 0x3fffffff
#define LINUX_UTIME_OMIT 0x3ffffffe

#define LINUX_XATTR_CREATE 1
#define LINUX_XATTR_REPLACE 2
#define LINUX_XATTR_NAME_MAX 255
#define LINUX_XATTR_SIZE_MAX 65536
#define LINUX_XATTR_LIST_MAX 65536

#define LINUX_CLOSE_RANGE_UNSHARE 2U
#define LINUX_CLOSE_RANGE_CLOEXEC 4U

#define LINUX_MFD_CLOEXEC 1U
#define LINUX_MFD_ALLOW_SEALING 2U
#define LINUX_MFD_HUGETLB 4U
#define LINUX_MFD_NOEXEC_SEAL 8U
#define LINUX_MFD_EXEC 16U
#define LINUX_MFD_NAME_MAX 249

#define LINUX_F_SEAL_SEAL 0x01U
#define LINUX_F_SEAL_SHRINK 0x02U
#define LINUX_F_SEAL_GROW 0x04U
#define LINUX_F_SEAL_WRITE 0x08U
#define LINUX_F_SEAL_FUTURE_WRITE 0x10U
#define LINUX_F_SEAL_EXEC 0x20U
#define LINUX_F_SEAL_ALL 0x3fU

/* preadv2, pwritev2 */
#define LINUX_RWF_HIPRI 0x01U
#define LINUX_RWF_DSYNC 0x02U
#define LINUX_RWF_SYNC 0x04U
#define LINUX_RWF_NOWAIT 0x08U
#define LINUX_RWF_APPEND 0x10U
#define LINUX_RWF_NOAPPEND 0x20U
#define LINUX_RWF_NOSIGNAL 0x100U

/* --- fcntl(2) -------------------------------------------------------------------- */

#define LINUX_F_DUPFD 0
#define LINUX_F_GETFD 1
#define LINUX_F_SETFD 2
#define LINUX_F_GETFL 3
#define LINUX_F_SETFL 4
#define LINUX_F_GETLK 5
#define LINUX_F_SETLK 6
#define LINUX_F_SETLKW 7
#define LINUX_F_SETOWN 8
#define LINUX_F_GETOWN 9
#define LINUX_F_SETSIG 10
#define LINUX_F_GETSIG 11
#define LINUX_F_SETOWN_EX 15
#define LINUX_F_GETOWN_EX 16
#define LINUX_F_GETOWNER_UIDS 17
#define LINUX_F_OFD_GETLK 36
#define LINUX_F_OFD_SETLK 37
#define LINUX_F_OFD_SETLKW 38
#define LINUX_F_SETLEASE 1024
#define LINUX_F_GETLEASE 1025
#define LINUX_F_NOTIFY 1026
#define LINUX_F_DUPFD_QUERY 1027
#define LINUX_F_DUPFD_CLOEXEC 1030
#define LINUX_F_CREATED_QUERY 1028
#define LINUX_F_GET_RW_HINT 1035
#define LINUX_F_SET_RW_HINT 1036
#define LINUX_RWH_WRITE_LIFE_EXTREME 5U
#define LINUX_F_SETPIPE_SZ 1031
#define LINUX_F_GETPIPE_SZ 1032
#define LINUX_F_ADD_SEALS 1033
#define LINUX_F_GET_SEALS 1034
#define LINUX_FD_CLOEXEC 1

#define LINUX_DN_ACCESS 0x1U
#define LINUX_DN_MODIFY 0x2U
#define LINUX_DN_CREATE 0x4U
#define LINUX_DN_DELETE 0x8U
#define LINUX_DN_RENAME 0x10U
#define LINUX_DN_ATTRIB 0x20U
#define LINUX_DN_MULTISHOT 0x80000000U

#define LINUX_F_OWNER_TID 0
#define LINUX_F_OWNER_PID 1
#define LINUX_F_OWNER_PGRP 2

struct linux_f_owner_ex {
	int32_t type, pid;
};

#define LINUX_F_RDLCK 0
#define LINUX_F_WRLCK 1
#define LINUX_F_UNLCK 2

struct linux_flock {
	int16_t type, whence;
	uint32_t pad;
	int64_t start, size;
	int32_t pid;
	uint32_t pad2;
};
_Static_assert(sizeof(struct linux_flock) == 32, "struct flock");

#define LINUX_LOCK_SH 1
#define LINUX_LOCK_EX 2
#define LINUX_LOCK_NB 4
#define LINUX_LOCK_UN 8
#define LINUX_LOCK_MAND 32

/* --- structures -------------------------------------------------------------------- */

struct linux_stat {
	uint64_t dev, ino, nlink;
	uint32_t mode, uid, gid, pad;
	uint64_t rdev;
	int64_t size, blksize, blocks;
	uint64_t atime, atime_nsec, mtime, mtime_nsec, ctime, ctime_nsec;
	int64_t unused[3];
};
_Static_assert(sizeof(struct linux_stat) == 144, "struct stat");

struct linux_statx_timestamp {
	int64_t sec;
	uint32_t nsec;
	int32_t reserved;
};

struct linux_statx {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, pad;
	uint64_t ino, size, blocks, attributes_mask;
	struct linux_statx_timestamp atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t mount_id;
	uint32_t dio_mem_align, dio_offset_align;
	uint64_t spare[12];
};
_Static_assert(sizeof(struct linux_statx) == 256, "struct statx");

#define LINUX_STATX_BASIC_STATS 0x7ffU
#define LINUX_STATX_BTIME 0x800U
#define LINUX_STATX_MNT_ID 0x1000U
#define LINUX_STATX_MNT_ID_UNIQUE 0x4000U
#define LINUX_STATX_RESERVED 0x80000000U
#define LINUX_STATX_ATTR_MOUNT_ROOT 0x2000U

struct linux_statfs {
	int64_t type, bsize;
	uint64_t blocks, bfree, bavail, files, ffree;
	int32_t fsid[2];
	int64_t namelen, frsize, flags, spare[4];
};
_Static_assert(sizeof(struct linux_statfs) == 120, "struct statfs");

/* Headers of what getdents gives; the name follows, and for the old call the type in the last byte. */
struct linux_dirent64 {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};
#define LINUX_DIRENT64_NAME_OFFSET 19
_Static_assert(offsetof(struct linux_dirent64, name) == LINUX_DIRENT64_NAME_OFFSET, "linux_dirent64");
#define LINUX_DIRENT_NAME_OFFSET 18

/* --- mount(2) ----------------------------------------------------------------------- */

#define LINUX_MS_RDONLY 1UL
#define LINUX_MS_NOSUID 2UL
#define LINUX_MS_NODEV 4UL
#define LINUX_MS_NOEXEC 8UL
#define LINUX_MS_SYNCHRONOUS 16UL
#define LINUX_MS_REMOUNT 32UL
#define LINUX_MS_MANDLOCK 64UL
#define LINUX_MS_DIRSYNC 128UL
#define LINUX_MS_NOSYMFOLLOW 256UL
#define LINUX_MS_NOATIME 1024UL
#define LINUX_MS_NODIRATIME 2048UL
#define LINUX_MS_BIND 4096UL
#define LINUX_MS_MOVE 8192UL
#define LINUX_MS_REC 16384UL
#define LINUX_MS_SILENT 32768UL
#define LINUX_MS_UNBINDABLE (1UL << 17)
#define LINUX_MS_PRIVATE (1UL << 18)
#define LINUX_MS_SLAVE (1UL << 19)
#define LINUX_MS_SHARED (1UL << 20)
#define LINUX_MS_RELATIME (1UL << 21)
#define LINUX_MS_STRICTATIME (1UL << 24)
#define LINUX_MS_LAZYTIME (1UL << 25)
/* open_tree, move_mount, mount_setattr. */
#define LINUX_OPEN_TREE_CLONE 1U
#define LINUX_OPEN_TREE_CLOEXEC LINUX_O_CLOEXEC
#define LINUX_MOVE_MOUNT_F_SYMLINKS 0x1U
#define LINUX_MOVE_MOUNT_F_AUTOMOUNTS 0x2U
#define LINUX_MOVE_MOUNT_F_EMPTY_PATH 0x4U
#define LINUX_MOVE_MOUNT_T_SYMLINKS 0x10U
#define LINUX_MOVE_MOUNT_T_AUTOMOUNTS 0x20U
#define LINUX_MOVE_MOUNT_T_EMPTY_PATH 0x40U
#define LINUX_MOVE_MOUNT_SET_GROUP 0x100U
#define LINUX_MOVE_MOUNT_BENEATH 0x200U
#define LINUX_MOVE_MOUNT_MASK 0x377U
#define LINUX_MOUNT_ATTR_RDONLY 0x1U
#define LINUX_MOUNT_ATTR_NOSUID 0x2U
#define LINUX_MOUNT_ATTR_NODEV 0x4U
#define LINUX_MOUNT_ATTR_NOEXEC 0x8U
#define LINUX_MOUNT_ATTR_ATIME 0x70U /* one of the three next, not bits */
#define LINUX_MOUNT_ATTR_RELATIME 0x0U
#define LINUX_MOUNT_ATTR_NOATIME 0x10U
#define LINUX_MOUNT_ATTR_STRICTATIME 0x20U
#define LINUX_MOUNT_ATTR_NODIRATIME 0x80U
#define LINUX_MOUNT_ATTR_IDMAP 0x100000U
#define LINUX_MOUNT_ATTR_NOSYMFOLLOW 0x200000U
#define LINUX_MOUNT_ATTR_SIZE_VER0 32

/* fsopen, fsconfig, fsmount, fspick. */
#define LINUX_FSOPEN_CLOEXEC 1U
#define LINUX_FSMOUNT_CLOEXEC 1U
#define LINUX_FSPICK_CLOEXEC 1U
#define LINUX_FSPICK_SYMLINK_NOFOLLOW 2U
#define LINUX_FSPICK_NO_AUTOMOUNT 4U
#define LINUX_FSPICK_EMPTY_PATH 8U

enum linux_fsconfig_command {
	LINUX_FSCONFIG_SET_FLAG,
	LINUX_FSCONFIG_SET_STRING,
	LINUX_FSCONFIG_SET_BINARY,
	LINUX_FSCONFIG_SET_PATH,
	LINUX_FSCONFIG_SET_PATH_EMPTY,
	LINUX_FSCONFIG_SET_FD,
	LINUX_FSCONFIG_CMD_CREATE,
	LINUX_FSCONFIG_CMD_RECONFIGURE,
	LINUX_FSCONFIG_CMD_CREATE_EXCL,
};

/* statmount, listmount. */
#define LINUX_MNT_ID_REQ_SIZE_VER0 24
#define LINUX_LISTMOUNT_REVERSE 1U
#define LINUX_LISTMOUNT_MAX 1000000
#define LINUX_STATMOUNT_SB_BASIC 0x1U
#define LINUX_STATMOUNT_MNT_BASIC 0x2U
#define LINUX_STATMOUNT_PROPAGATE_FROM 0x4U
#define LINUX_STATMOUNT_MNT_ROOT 0x8U
#define LINUX_STATMOUNT_MNT_POINT 0x10U
#define LINUX_STATMOUNT_FS_TYPE 0x20U
#define LINUX_STATMOUNT_MNT_NS_ID 0x40U
#define LINUX_STATMOUNT_MNT_OPTS 0x80U
#define LINUX_STATMOUNT_FS_SUBTYPE 0x100U
#define LINUX_STATMOUNT_SB_SOURCE 0x200U
#define LINUX_STATMOUNT_OPT_ARRAY 0x400U
#define LINUX_STATMOUNT_OPT_SEC_ARRAY 0x800U
#define LINUX_STATMOUNT_SUPPORTED_MASK 0x1000U
#define LINUX_STATMOUNT_MNT_UIDMAP 0x2000U
#define LINUX_STATMOUNT_MNT_GIDMAP 0x4000U
#define LINUX_STATMOUNT_SUPPORTED 0x7fffU

struct linux_mnt_id_req {
	uint32_t size, spare;
	uint64_t mnt_id, param, mnt_ns_id;
};
_Static_assert(sizeof(struct linux_mnt_id_req) == 32, "mnt_id_req");

struct linux_statmount {
	uint32_t size, mnt_opts; /* here and below strings: where they are in what follows */
	uint64_t mask;
	uint32_t sb_dev_major, sb_dev_minor;
	uint64_t sb_magic;
	uint32_t sb_flags, fs_type;
	uint64_t mnt_id, mnt_parent_id;
	uint32_t mnt_id_old, mnt_parent_id_old;
	uint64_t mnt_attr, mnt_propagation, mnt_peer_group, mnt_master, propagate_from;
	uint32_t mnt_root, mnt_point;
	uint64_t mnt_ns_id;
	uint32_t fs_subtype, sb_source, opt_num, opt_array, opt_sec_num, opt_sec_array;
	uint64_t supported_mask;
	uint32_t mnt_uidmap_num, mnt_uidmap, mnt_gidmap_num, mnt_gidmap;
	uint64_t spare[43];
};
_Static_assert(sizeof(struct linux_statmount) == 512, "statmount");

struct linux_mount_attr {
	uint64_t attr_set, attr_clr, propagation, userns_fd;
};

#define LINUX_MS_MGC_VAL 0xc0ed0000UL
#define LINUX_MS_MGC_MSK 0xffff0000UL

#define LINUX_MNT_FORCE 1
#define LINUX_MNT_DETACH 2
#define LINUX_MNT_EXPIRE 4
#define LINUX_UMOUNT_NOFOLLOW 8

/* f_flags of statfs */
#define LINUX_ST_RDONLY 0x1
#define LINUX_ST_NOSUID 0x2
#define LINUX_ST_NODEV 0x4
#define LINUX_ST_NOEXEC 0x8
#define LINUX_ST_SYNCHRONOUS 0x10
#define LINUX_ST_VALID 0x20
#define LINUX_ST_MANDLOCK 0x40
#define LINUX_ST_NOATIME 0x400
#define LINUX_ST_NODIRATIME 0x800
#define LINUX_ST_RELATIME 0x1000
#define LINUX_ST_NOSYMFOLLOW 0x2000

#define LINUX_TMPFS_MAGIC 0x01021994U
#define LINUX_OVERLAYFS_SUPER_MAGIC 0x794c7630U
#define LINUX_PROC_SUPER_MAGIC 0x9fa0
#define LINUX_DEVPTS_SUPER_MAGIC 0x1cd1
#define LINUX_ANON_INODE_FS_MAGIC 0x09041934U
#define LINUX_PID_FS_MAGIC 0x50494446U

/* --- splice(2) ------------------------------------------------------------------------ */

#define LINUX_SPLICE_F_MOVE 1U
#define LINUX_SPLICE_F_NONBLOCK 2U
#define LINUX_SPLICE_F_MORE 4U
#define LINUX_SPLICE_F_GIFT 8U
#define LINUX_SPLICE_F_ALL 15U

/* --- inotify(7) ------------------------------------------------------------------------ */

struct linux_inotify_event {
	int32_t wd;
	uint32_t mask, cookie, len;
	char name[];
};
_Static_assert(sizeof(struct linux_inotify_event) == 16, "struct inotify_event");

#define LINUX_IN_ACCESS 0x1U
#define LINUX_IN_MODIFY 0x2U
#define LINUX_IN_ATTRIB 0x4U
#define LINUX_IN_CLOSE_WRITE 0x8U
#define LINUX_IN_CLOSE_NOWRITE 0x10U
#define LINUX_IN_OPEN 0x20U
#define LINUX_IN_MOVED_FROM 0x40U
#define LINUX_IN_MOVED_TO 0x80U
#define LINUX_IN_CREATE 0x100U
#define LINUX_IN_DELETE 0x200U
#define LINUX_IN_DELETE_SELF 0x400U
#define LINUX_IN_MOVE_SELF 0x800U
#define LINUX_IN_ALL_EVENTS 0xfffU
#define LINUX_IN_UNMOUNT 0x2000U
#define LINUX_IN_Q_OVERFLOW 0x4000U
#define LINUX_IN_IGNORED 0x8000U
#define LINUX_IN_ONLYDIR 0x01000000U
#define LINUX_IN_DONT_FOLLOW 0x02000000U
#define LINUX_IN_EXCL_UNLINK 0x04000000U
#define LINUX_IN_MASK_CREATE 0x10000000U
#define LINUX_IN_MASK_ADD 0x20000000U
#define LINUX_IN_ISDIR 0x40000000U
#define LINUX_IN_ONESHOT 0x80000000U
#define LINUX_IN_CLOEXEC LINUX_O_CLOEXEC
#define LINUX_IN_NONBLOCK LINUX_O_NONBLOCK

/* --- device numbers as in struct stat ---------------------------------------------------- */

static inline uint64_t linux_makedev(uint32_t major, uint32_t minor)
{
	return (minor & 0xff) | (uint64_t)(major & 0xfff) << 8 | (uint64_t)(minor & ~0xffU) << 12;
}

static inline uint32_t linux_dev_major(uint64_t dev)
{
	return (uint32_t)(dev >> 8) & 0xfff;
}

static inline uint32_t linux_dev_minor(uint64_t dev)
{
	return (uint32_t)((dev & 0xff) | ((dev >> 12) & ~0xffULL));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file protocol between the sentry (client, not trusted) and the gofer
 * (server).  One SOCK_SEQPACKET socketpair per attach point (the rootfs and each
 * bind mount); one packet is one message; a request has exactly one reply, and a
 * connection has at most one request outstanding.  Both ends are on one machine
 * and of one build, so integers are native and structs are naturally aligned.
 *
 * File data never crosses the socket: OPEN and CREATE donate a host FD of a
 * *regular* file by SCM_RIGHTS, O_CLOEXEC and with exactly the access asked for.
 * Directories, FIFOs, sockets and devices are never opened on a client's behalf.
 *
 * Objects are named by a (node, name) pair: a node id the server handed out on
 * this connection, and a name in that directory, or the empty name for the node
 * itself.  So what was learnt from READDIR needs no node until it is opened.
 * A node pins one O_PATH descriptor in the gofer until RELEASE; when the limit
 * (struct gofer_attach_reply) is reached, requests that need one give ENFILE.
 *
 * A name on the wire ("packed name") is one length byte, the bytes, and a NUL.
 * A valid name has 1..255 bytes, no '/' and no NUL, and is not "." or "..".
 *
 * Anything malformed (unknown type, size that disagrees, invalid name, FDs
 * attached, undefined flag, non-zero padding) ends the connection.  A node id that is
 * stale or was never handed out is an honest mistake and gives ESTALE.
 */
#pragma once

#include <stdint.h>

#define GOFER_PROTOCOL_VERSION 1u

/* Largest packet in either direction: a full xattr (64 KiB) and its headers. */
#define GOFER_MESSAGE_MAX (68u * 1024)
#define GOFER_NAME_MAX 255u
#define GOFER_SYMLINK_MAX 4095u
#define GOFER_XATTR_NAME_MAX 255u
#define GOFER_XATTR_SIZE_MAX 65536u
#define GOFER_WALK_MAX 64u
#define GOFER_RELEASE_MAX 1024u
/* READDIR replies are never longer than this, whatever the client offers. */
#define GOFER_READDIR_MAX (64UL * 1024)

/*
 * The one list of messages: number, NAME, name, kind.  A message `name` has
 * `struct gofer_<name>_request`, `struct gofer_<name>_reply` and the server's handler
 * gofer_serve_<name>.  Kinds: QUERY changes nothing; MODIFY gets EROFS at a
 * read-only attach point before its handler is asked; DEBUG is a violation
 * unless the gofer was started with GOFER_START_DEBUG, and always in a build
 * without --enable-debug, which has no handler for it.
 */
#define GOFER_MESSAGES(X)                        \
	X(1, ATTACH, attach, QUERY)              \
	X(2, WALK, walk, QUERY)                  \
	X(3, OPEN, open, QUERY)                  \
	X(4, CREATE, create, MODIFY)             \
	X(5, MKDIR, mkdir, MODIFY)               \
	X(6, SYMLINK, symlink, MODIFY)           \
	X(7, MKNOD, mknod, MODIFY)               \
	X(8, LINK, link, MODIFY)                 \
	X(9, UNLINK, unlink, MODIFY)             \
	X(10, RENAME, rename, MODIFY)            \
	X(11, READLINK, readlink, QUERY)         \
	X(12, GETATTR, getattr, QUERY)           \
	X(13, SETATTR, setattr, MODIFY)          \
	X(14, READDIR, readdir, QUERY)           \
	X(15, STATFS, statfs, QUERY)             \
	X(16, GETXATTR, getxattr, QUERY)         \
	X(17, SETXATTR, setxattr, MODIFY)        \
	X(18, LISTXATTR, listxattr, QUERY)       \
	X(19, REMOVEXATTR, removexattr, MODIFY)  \
	X(20, FSYNC, fsync, QUERY)               \
	X(21, RELEASE, release, QUERY)           \
	X(22, SEAL, seal, QUERY)                 \
	X(23, DEBUG_ATTACK, debug_attack, DEBUG)

enum gofer_message {
#define GOFER_MESSAGE_ENUM(number, NAME, name, kind) GOFER_##NAME = (number),
	GOFER_MESSAGES(GOFER_MESSAGE_ENUM)
#undef GOFER_MESSAGE_ENUM
	GOFER_MESSAGE_END
};

/* Opens every request; @size counts the whole packet, and must. */
struct gofer_request {
	uint32_t size;
	uint16_t type; /* enum gofer_message */
	uint16_t sequence; /* comes back in the reply */
};

/* Opens every reply.  With @error set, nothing follows and no FD comes along. */
struct gofer_reply {
	uint32_t size;
	uint16_t type;
	uint16_t sequence;
	int32_t error; /* 0 or a negative errno */
	uint32_t reserved;
};

struct gofer_time {
	int64_t sec;
	uint32_t nsec;
	uint32_t reserved;
};

/* (dev, ino) number files stably on this host; both are the host's own. */
struct gofer_attr {
	uint64_t dev; /* major << 32 | minor */
	uint64_t ino;
	uint64_t size;
	uint64_t blocks; /* of 512 bytes */
	uint64_t rdev; /* as dev */
	uint32_t mode; /* type and permissions */
	uint32_t nlink;
	uint32_t uid;
	uint32_t gid;
	uint32_t blksize;
	uint32_t mount_id; /* differs where another host mount begins */
	struct gofer_time atime;
	struct gofer_time mtime;
	struct gofer_time ctime;
	struct gofer_time btime; /* 0 when the host file system keeps none */
};

/* A node (0: none was asked for) and what it is. */
struct gofer_entry {
	uint64_t node;
	struct gofer_attr attr;
};

/* A request whose object is (node, packed name or empty name). */
struct gofer_object {
	uint64_t node;
	/* Followed in the tail by a packed name; length 0 is the node itself. */
};

/* ATTACH: must be the first message of a connection, and only that. */
struct gofer_attach_request {
	struct gofer_request header;
	uint32_t version;
	uint32_t reserved;
};

#define GOFER_ATTACH_READ_ONLY 1u

struct gofer_attach_reply {
	struct gofer_reply header;
	struct gofer_entry root; /* any file type: a bind mount may be one file */
	uint32_t flags;
	uint32_t node_limit;
};

/*
 * SEAL: the attach point is read-only from now on, whatever comes.  A read-only root is one only when
 * the targets of its mounts have been made.
 */
struct gofer_seal_request {
	struct gofer_request header;
};

struct gofer_seal_reply {
	struct gofer_reply header;
};

/*
 * WALK: @count packed names follow, from directory @node.  Stops after the first
 * thing that is not a directory, and at the first that is missing.  Directories on
 * the way get a node; the last thing only with GOFER_WALK_NODE, or with
 * GOFER_WALK_DIRECTORY_NODE if it is a directory.
 */
#define GOFER_WALK_NODE 1u
#define GOFER_WALK_DIRECTORY_NODE 2u

struct gofer_walk_request {
	struct gofer_request header;
	uint64_t node;
	uint32_t count; /* 1..GOFER_WALK_MAX */
	uint32_t flags;
};

struct gofer_walk_reply {
	struct gofer_reply header;
	uint32_t count; /* of entries: the names that exist */
	int32_t stop; /* why the name after them does not: 0 or negative errno */
	uint32_t link_length; /* the last entry is a symlink: its target's bytes */
	uint32_t reserved;
	/* struct gofer_entry[count], then link_length bytes without NUL */
};

/* OPEN: a regular file; one FD comes with the reply.  Truncate and append are the client's. */
enum gofer_access { GOFER_READ = 1, GOFER_WRITE = 2, GOFER_READ_WRITE = 3 };
#define GOFER_OPEN_NODE 1u /* and give it a node */

struct gofer_open_request {
	struct gofer_request header;
	struct gofer_object object;
	uint32_t access;
	uint32_t flags;
	/* packed name */
};

struct gofer_open_reply {
	struct gofer_reply header;
	struct gofer_entry entry;
};

/* CREATE: always exclusive (EEXIST); a node and one FD. */
struct gofer_create_request {
	struct gofer_request header;
	struct gofer_object parent;
	uint32_t mode; /* 07777 */
	uint32_t uid;
	uint32_t gid;
	uint32_t access;
	/* packed name */
};

struct gofer_create_reply {
	struct gofer_reply header;
	struct gofer_entry entry;
};

struct gofer_mkdir_request {
	struct gofer_request header;
	struct gofer_object parent;
	uint32_t mode; /* 07777 */
	uint32_t uid;
	uint32_t gid;
	uint32_t reserved;
	/* packed name */
};

struct gofer_mkdir_reply {
	struct gofer_reply header;
	struct gofer_entry entry; /* with a node */
};

struct gofer_symlink_request {
	struct gofer_request header;
	struct gofer_object parent;
	uint32_t uid;
	uint32_t gid;
	uint32_t target_length; /* 1..GOFER_SYMLINK_MAX */
	uint32_t reserved;
	/* packed name, then target_length bytes without NUL inside, then a NUL */
};

struct gofer_symlink_reply {
	struct gofer_reply header;
	struct gofer_entry entry; /* without a node */
};

/* MKNOD: S_IFREG, S_IFIFO and S_IFSOCK; devices (and whiteouts) give EPERM. */
struct gofer_mknod_request {
	struct gofer_request header;
	struct gofer_object parent;
	uint32_t mode; /* type | 07777 */
	uint32_t uid;
	uint32_t gid;
	uint32_t reserved;
	/* packed name */
};

struct gofer_mknod_reply {
	struct gofer_reply header;
	struct gofer_entry entry; /* without a node */
};

/* LINK: @object (not a directory) gets the new name. */
struct gofer_link_request {
	struct gofer_request header;
	struct gofer_object object;
	struct gofer_object new_parent;
	/* packed name of object or empty, packed new name */
};

struct gofer_link_reply {
	struct gofer_reply header;
	struct gofer_entry entry; /* without a node; nlink as it now is */
};

#define GOFER_UNLINK_DIRECTORY 1u /* rmdir */

struct gofer_unlink_request {
	struct gofer_request header;
	struct gofer_object parent;
	uint32_t flags;
	uint32_t reserved;
	/* packed name */
};

struct gofer_unlink_reply {
	struct gofer_reply header;
};

#define GOFER_RENAME_NOREPLACE 1u
#define GOFER_RENAME_EXCHANGE 2u

struct gofer_rename_request {
	struct gofer_request header;
	struct gofer_object old_parent;
	struct gofer_object new_parent;
	uint32_t flags; /* at most one of the two */
	uint32_t reserved;
	/* packed old name, packed new name */
};

struct gofer_rename_reply {
	struct gofer_reply header;
};

struct gofer_readlink_request {
	struct gofer_request header;
	struct gofer_object object;
	/* packed name */
};

struct gofer_readlink_reply {
	struct gofer_reply header;
	uint32_t length;
	uint32_t reserved;
	/* target, without NUL */
};

struct gofer_getattr_request {
	struct gofer_request header;
	struct gofer_object object;
	/* packed name */
};

struct gofer_getattr_reply {
	struct gofer_reply header;
	struct gofer_attr attr;
};

/* SETATTR applies size, owner, mode, times in this order; the first error ends it. */
#define GOFER_SET_MODE 1u
#define GOFER_SET_UID 2u
#define GOFER_SET_GID 4u
#define GOFER_SET_SIZE 8u
#define GOFER_SET_ATIME 16u
#define GOFER_SET_MTIME 32u
#define GOFER_SET_ATIME_NOW 64u /* with SET_ATIME; the time is not looked at */
#define GOFER_SET_MTIME_NOW 128u
#define GOFER_SET_ALL 255u

struct gofer_setattr_request {
	struct gofer_request header;
	struct gofer_object object;
	uint32_t mask;
	uint32_t mode; /* 07777 */
	uint32_t uid;
	uint32_t gid;
	uint64_t size;
	struct gofer_time atime;
	struct gofer_time mtime;
	/* packed name */
};

struct gofer_setattr_reply {
	struct gofer_reply header;
	struct gofer_attr attr; /* after the change */
};

/*
 * READDIR: a batch of entries after @cookie (0: from the start), never "." and
 * "..".  With GOFER_READDIR_NODE the directory gets a node, so that opening a
 * directory by (parent, name) and reading its first batch is one message.
 */
#define GOFER_READDIR_NODE 1u
#define GOFER_READDIR_ATTR 2u /* attributes of each entry, else ino and type only */

struct gofer_readdir_request {
	struct gofer_request header;
	struct gofer_object object;
	uint64_t cookie;
	uint32_t size_max; /* of the reply; >= GOFER_READDIR_MIN */
	uint32_t flags;
	/* packed name */
};

struct gofer_readdir_reply {
	struct gofer_reply header;
	struct gofer_entry directory;
	uint32_t count;
	uint32_t end; /* 1: the directory ends after these */
	/* count times: struct gofer_dirent, name, NUL, zero padding to 8 bytes */
};

struct gofer_dirent {
	uint64_t cookie; /* resumes after this entry */
	uint32_t size; /* of this record with name and padding */
	uint8_t name_length;
	uint8_t type; /* DT_* */
	uint8_t has_attr; /* 0: only attr.ino is meaningful */
	uint8_t reserved;
	struct gofer_attr attr;
};

#define GOFER_READDIR_MIN 1024u

struct gofer_statfs_request {
	struct gofer_request header;
	uint64_t node;
};

struct gofer_statfs_reply {
	struct gofer_reply header;
	uint64_t type;
	uint64_t block_size;
	uint64_t fragment_size;
	uint64_t blocks;
	uint64_t blocks_free;
	uint64_t blocks_available;
	uint64_t files;
	uint64_t files_free;
	uint64_t name_max;
	uint64_t flags; /* ST_* */
};

/*
 * Extended attributes: "user.*" and "security.capability" only; all else is
 * EOPNOTSUPP and not listed ("trusted." and "system." steer the host's kernel).
 */
struct gofer_getxattr_request {
	struct gofer_request header;
	struct gofer_object object;
	uint32_t size_max; /* 0: only the size is wanted */
	uint32_t reserved;
	/* packed name, packed attribute name */
};

struct gofer_getxattr_reply {
	struct gofer_reply header;
	uint32_t size; /* of the value */
	uint32_t reserved;
	/* the value, unless size_max was 0 */
};

#define GOFER_XATTR_CREATE 1u
#define GOFER_XATTR_REPLACE 2u

struct gofer_setxattr_request {
	struct gofer_request header;
	struct gofer_object object;
	uint32_t flags;
	uint32_t size; /* of the value */
	/* packed name, packed attribute name, value */
};

struct gofer_setxattr_reply {
	struct gofer_reply header;
};

struct gofer_listxattr_request {
	struct gofer_request header;
	struct gofer_object object;
	/* packed name */
};

struct gofer_listxattr_reply {
	struct gofer_reply header;
	uint32_t size;
	uint32_t reserved;
	/* names, each with its NUL */
};

struct gofer_removexattr_request {
	struct gofer_request header;
	struct gofer_object object;
	/* packed name, packed attribute name */
};

struct gofer_removexattr_reply {
	struct gofer_reply header;
};

#define GOFER_FSYNC_DATA 1u

struct gofer_fsync_request {
	struct gofer_request header;
	uint64_t node; /* regular file or directory */
	uint32_t flags;
	uint32_t reserved;
};

struct gofer_fsync_reply {
	struct gofer_reply header;
};

/* RELEASE: @count node ids follow; unknown ones and the root are passed over. */
struct gofer_release_request {
	struct gofer_request header;
	uint32_t count; /* 1..GOFER_RELEASE_MAX */
	uint32_t reserved;
	/* uint64_t node[count] */
};

struct gofer_release_reply {
	struct gofer_reply header;
};

/* DEBUG_ATTACK: proves the confinement from the attacked side. */
enum gofer_attack {
	GOFER_ATTACK_OPEN_HOST = 1, /* open an absolute host path: ENOENT or worse */
	GOFER_ATTACK_SOCKET,
	GOFER_ATTACK_PTRACE,
	GOFER_ATTACK_EXECVE,
	GOFER_ATTACK_CLONE,
	GOFER_ATTACK_MOUNT,
	GOFER_ATTACK_MPROTECT_EXEC,
	GOFER_ATTACK_MKNOD_DEVICE,
	GOFER_ATTACK_END
};

struct gofer_debug_attack_request {
	struct gofer_request header;
	uint32_t attack;
	uint32_t reserved;
};

struct gofer_debug_attack_reply {
	struct gofer_reply header;
	int32_t result; /* what the forbidden call gave, if the gofer survived it */
	uint32_t reserved;
};

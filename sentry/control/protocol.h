/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control protocol: one SOCK_SEQPACKET socket per sandbox, bound in the state
 * directory by the command line, on which the sentry only accepts.
 *
 * A request is a control_header and the fixed body its row names, with at most the
 * row's number of FDs.  The answer is a control_reply_header with the request's
 * type and, if status is 0, the fixed body its row names; answers come in the order of
 * the requests.  A failure carries a text.  CONTROL_EVENT_EXITED follows on its own, once,
 * for each EXEC or WAIT that was answered with success; after a NOTIFY it does so unless
 * CONTROL_EVENT_READY, the same without a status, came before.
 *
 * When the connection of an EXEC or CREATE is closed before its process ended, that process is
 * killed: the waiter on the host stands for it, and a SIGKILL of the waiter reaches it so.
 *
 * A sandbox has a root container and may have more.  A header says which one a request concerns.
 * DESTROY ends what is left of one and forgets it; the root one lasts as long as the sandbox.
 *
 * The sentry checks every request though the command line is trusted; the command line
 * treats every answer as hostile (runtime/control_client.c).
 *
 * Boot uses the same kind of socket: see boot_channel.h.
 */
#pragma once

#include <stdint.h>

#define CONTROL_MAGIC 0x74616f6du /* "moat" */
#define CONTROL_VERSION 1u

#define CONTROL_MESSAGE_SIZE 512 /* texts of errors, NUL included */
#define CONTROL_MAX_FDS 250	 /* SCM_MAX_FD is 253 */
#define CONTROL_PS_PAGE 32
#define CONTROL_COMM_SIZE 16
#define CONTROL_CMDLINE_SIZE 512
#define CONTROL_TASKS_PAGE 32
#define CONTROL_CALL_NAME_SIZE 32
#define CONTROL_FILE_SIZE 256
#define CONTROL_ATTACK_SIZE 1024

/*
 * FDs of an EXEC: the encoded boot_process, stdin, stdout, stderr, preserved ones, and with `place` a
 * SEQPACKET socket: on it the sentry names what is to be put into the process's cgroups (control_place)
 * and goes on when that was done (control_placed).
 */
#define CONTROL_EXEC_FIXED_FDS 4

/* The container's first process, which has another number than 1 where the namespace is another's. */
#define CONTROL_PID_INIT 0

/* X(NAME, name, request body, reply body, most FDs) */
#define CONTROL_REQUESTS(X)                                                              \
	X(START, start, control_empty, control_empty, 0)                                 \
	X(EXEC, exec, control_exec_request, control_exec_reply, CONTROL_MAX_FDS)         \
	X(WAIT, wait, control_wait_request, control_empty, 0)                            \
	X(SIGNAL, signal, control_signal_request, control_empty, 0)                      \
	X(PAUSE, pause, control_empty, control_empty, 0)                                 \
	X(RESUME, resume, control_empty, control_empty, 0)                               \
	X(UPDATE, update, control_update_request, control_empty, 0)                      \
	X(RESIZE, resize, control_resize_request, control_empty, 0)                      \
	X(STATE, state, control_empty, control_state_reply, 0)                           \
	X(PS, ps, control_ps_request, control_ps_reply, 0)                               \
	X(TASKS, tasks, control_tasks_request, control_tasks_reply, 0)                   \
	X(STRACE, strace, control_strace_request, control_empty, 0)                      \
	X(ATTACK, attack, control_attack_request, control_attack_reply, 0)               \
	X(SHUTDOWN, shutdown, control_empty, control_empty, 0)                           \
	X(CREATE, create, control_create_request, control_create_reply, 1)               \
	X(DESTROY, destroy, control_empty, control_empty, 0)                             \
	X(NOTIFY, notify, control_empty, control_empty, 0)

enum control_type {
	CONTROL_NONE,
#define X(NAME, name, request, reply, fds) CONTROL_##NAME,
	CONTROL_REQUESTS(X)
#undef X
	CONTROL_TYPE_COUNT,
	CONTROL_EVENT_EXITED = 0x100,
	CONTROL_EVENT_READY, /* the container has said READY=1 to its notify socket */
};

enum control_sandbox_status {
	CONTROL_SANDBOX_CREATED, /* init is loaded and waits for START */
	CONTROL_SANDBOX_RUNNING,
	CONTROL_SANDBOX_PAUSED,
	CONTROL_SANDBOX_STOPPED, /* init has ended, the sentry is about to */
};

struct control_header {
	uint32_t magic;
	uint32_t version;
	uint32_t type;
	uint32_t container; /* the handle of whom it concerns: CREATE's; 0: the root container */
};

struct control_empty {
	uint32_t reserved; /* 0 */
};

/* The process is in FD 0; fd_count counts all FDs of the message. */
struct control_exec_request {
	uint32_t fd_count;
	uint32_t ignore_paused;
	uint32_t place; /* 0 or 1 */
	uint32_t reserved;
};

struct control_place {
	int32_t template_pid; /* of which the process's stubs are forked, in the sentry's PID namespace */
	uint32_t reserved;
};

struct control_placed {
	uint32_t reserved; /* 0 */
};

struct control_exec_reply {
	int32_t pid; /* in the container's PID namespace */
	uint32_t reserved;
};

struct control_wait_request {
	int32_t pid; /* CONTROL_PID_INIT, or in the container's PID namespace */
	uint32_t reserved;
};

struct control_signal_request {
	int32_t pid; /* CONTROL_PID_INIT, or in the container's PID namespace; ignored with all */
	int32_t signal;
	uint32_t all; /* every process of the container */
	uint32_t group; /* the whole process group of pid */
};

/* The host terminal that was given for init or the exec @pid has a new size. */
struct control_resize_request {
	int32_t pid; /* CONTROL_PID_INIT, or in the container's PID namespace */
	uint32_t reserved;
};

struct control_state_reply {
	uint32_t status; /* enum control_sandbox_status */
	uint32_t process_count;
	uint64_t task_count; /* threads too */
	uint64_t task_limit; /* 0: none */
};

/* Limits that changed, for the guest to see and for the sentry to keep. */
enum control_update_field {
	CONTROL_UPDATE_MEMORY = 1 << 0,
	CONTROL_UPDATE_SWAP = 1 << 1,
	CONTROL_UPDATE_SHARES = 1 << 2,
	CONTROL_UPDATE_QUOTA = 1 << 3,
	CONTROL_UPDATE_PERIOD = 1 << 4,
	CONTROL_UPDATE_PIDS = 1 << 5,
	CONTROL_UPDATE_ALL = (1 << 6) - 1,
};

struct control_update_request {
	uint64_t fields;	/* enum control_update_field: those that count */
	uint64_t memory_limit;	/* bytes; 0: none */
	uint64_t swap_limit;	/* memory + swap, bytes; 0: none */
	uint64_t cpu_shares;	/* 0: default */
	int64_t cpu_quota_us;	/* <= 0: none */
	uint64_t cpu_period_us; /* 0: default */
	uint64_t pids_limit;	/* guest tasks; 0: none */
};

enum control_pid_namespace {
	CONTROL_PID_NAMESPACE_NEW, /* below the root container's */
	CONTROL_PID_NAMESPACE_JOIN, /* that of the container @join */
};

/*
 * One more container.  The FD is a boot channel with all of its messages in it; the request concerns
 * container 0.  Its init is loaded and waits for START.  As with EXEC, closing the connection kills
 * it, and CONTROL_EVENT_EXITED is sent when it has ended.
 */
struct control_create_request {
	uint32_t pid_namespace; /* enum control_pid_namespace */
	uint32_t join;
	/* The container whose IPC namespace it has, if its configuration has no new one. */
	uint32_t join_ipc;
	uint32_t reserved;
};

struct control_create_reply {
	uint32_t handle; /* never 0, and never another's after it */
	/* What is to be put into the container's cgroups, in the sentry's PID namespace; 0: nothing. */
	int32_t template_pid; /* of which all of its later stubs are forked */
	int32_t init_pid;     /* the stub of its init */
	uint32_t reserved;
};

struct control_ps_request {
	int32_t after; /* answer with processes whose pid is greater */
	uint32_t reserved;
};

struct control_process {
	int32_t pid;	     /* in the container's PID namespace */
	int32_t ppid;	     /* 0: none visible */
	int32_t sandbox_pid; /* of the stub in the sentry's PID namespace; 0: none */
	uint32_t uid;
	uint64_t start_time;	  /* seconds since the epoch */
	uint64_t cpu_time;	  /* user + system, microseconds */
	uint32_t tty;		  /* device number, 0: none */
	uint32_t cmdline_size;	  /* bytes used in cmdline, arguments separated by NUL */
	char state;		  /* as in /proc/PID/stat */
	char reserved[7];
	char comm[CONTROL_COMM_SIZE];
	char cmdline[CONTROL_CMDLINE_SIZE];
};

/* Ascending pids; more != 0 if there are processes beyond the last one. */
struct control_ps_reply {
	uint32_t count;
	uint32_t more;
	struct control_process processes[CONTROL_PS_PAGE];
};

/* Answer with the threads of processes whose pid is greater, or equal with a greater tid. */
struct control_tasks_request {
	int32_t after_pid;
	int32_t after_tid;
};

/* A thread, and where it is: what its registers do not tell is read without stopping it. */
struct control_task {
	int32_t pid; /* both in the container's PID namespace */
	int32_t tid;
	char state; /* as in /proc/PID/stat */
	uint8_t in_call; /* the fields of the call and the place hold */
	char reserved[6];
	uint64_t call; /* number */
	uint64_t args[6];
	uint64_t ip;	      /* behind the instruction that made it */
	uint64_t file_offset; /* of ip in file */
	char comm[CONTROL_COMM_SIZE];
	char call_name[CONTROL_CALL_NAME_SIZE]; /* "": unknown */
	char file[CONTROL_FILE_SIZE];		/* what is mapped at ip; "": nothing with a name */
};

/* Ascending pids, and tids in each; more != 0 if there are threads beyond the last one. */
struct control_tasks_reply {
	uint32_t count;
	uint32_t more;
	struct control_task tasks[CONTROL_TASKS_PAGE];
};

struct control_strace_request {
	uint32_t on; /* 0 or 1 */
	uint32_t reserved;
};

/* Only in a --enable-debug build booted with --debug: attempt something forbidden. */
struct control_attack_request {
	uint32_t who; /* 0 sentry, 1 a stub */
	uint32_t what;
};

struct control_attack_reply {
	int64_t result; /* what the attempt returned: a negative errno when refused */
	char text[CONTROL_ATTACK_SIZE];
};

struct control_reply_header {
	uint32_t magic;
	uint32_t type;
	int32_t status; /* 0, or a negative errno and a text in message */
	uint32_t reserved;
	char message[CONTROL_MESSAGE_SIZE];
};

/* type is CONTROL_EVENT_EXITED or CONTROL_EVENT_READY, status 0. */
struct control_exited {
	int32_t pid; /* as in the request, CONTROL_PID_INIT for CREATE and NOTIFY */
	uint32_t wait_status; /* as wait4 reports it; 0 for CONTROL_EVENT_READY */
};

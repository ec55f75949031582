/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasks, thread groups, sessions, process groups: Linux's objects and names.
 *
 * Lock order: util/lock_rank.h.  `tasklist` (kernel->tasklist_lock) guards the
 * tree: parents, children, thread lists, groups, sessions.  Each thread group's
 * signal state hangs on its signal_handlers->lock (LINUX: siglock).
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "sentry/abi/guest_addr.h"
#include "sentry/cred/credentials.h"
#include "sentry/kernel/task_io.h"
#include "sentry/kernel/ptrace.h"
#include "sentry/kernel/sched_deadline.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/task_room.h"
#include "sentry/kernel/user_dispatch.h"
#include "sentry/mm/mm.h"
#include "sentry/platform/platform.h"
#include "sentry/vfs/vfs.h"
#include "sentry/wait/wait.h"
#include "util/list.h"
#include "util/lock.h"
#include "util/refcount.h"

struct cgroup_namespace;
struct ipc_namespace;
struct itimers;
struct kernel;
struct key;
struct linux_rusage;
struct net_namespace;
struct pid;
struct pid_namespace;
struct process_group;
struct seccomp_filter;
struct session;
struct task;
struct terminal;
struct thread_group;
struct time_namespace;
struct uts_namespace;
struct ktimer;
struct posix_timers;
struct vfork_completion;

#define TASK_COMM_SIZE 16
#define RLIMIT_COUNT 16
#define PID_NAMESPACE_DEPTH_MAX 32

struct rlimit64 {
	uint64_t soft, hard;
};

enum rlimit_id {
	RLIM_CPU, RLIM_FSIZE, RLIM_DATA, RLIM_STACK, RLIM_CORE, RLIM_RSS, RLIM_NPROC, RLIM_NOFILE,
	RLIM_MEMLOCK, RLIM_AS, RLIM_LOCKS, RLIM_SIGPENDING, RLIM_MSGQUEUE, RLIM_NICE, RLIM_RTPRIO,
	RLIM_RTTIME,
};

/* A number in each namespace from the task's own (level n) up to the root (0). */
struct task_pid {
	struct pid_namespace *ns; /* reference: the task's own */
	int32_t numbers[PID_NAMESPACE_DEPTH_MAX]; /* [level]; only 0..ns->level used */
	uint64_t ino; /* of pidfds; no other has it, ever */
};

/* What /proc/PID/stat calls state. */
enum task_state {
	TASK_RUNNING = 'R',
	TASK_SLEEPING = 'S',
	TASK_UNINTERRUPTIBLE = 'D',
	TASK_STOPPED = 'T',
	TASK_TRACED = 't',
	TASK_ZOMBIE = 'Z',
	TASK_DEAD = 'X',
};

struct namespaces {
	struct refcount refs;
	struct mount_namespace *mount;
	struct uts_namespace *uts;
	struct ipc_namespace *ipc;
	struct net_namespace *net;
	struct pid_namespace *pid_for_children;
	struct cgroup_namespace *cgroup;
	struct time_namespace *time, *time_for_children;
	/* the user namespace is in the credentials */
};

struct task {
	struct refcount refs;
	struct kernel *kernel;		  /* does not change */
	struct thread_group *group;	  /* reference; does not change */
	struct task_pid pid;		  /* thread id; changes only in de-threading exec, tasklist */
	struct context *context;	  /* owned; NULL once exited */
	struct mm *mm;			  /* reference; protected by lock; changes in exec, NULL after exit */
	struct fd_table *fds;		  /* reference; protected by lock */
	struct fs_context *fs;		  /* reference; protected by lock */
	struct namespaces *namespaces;	  /* reference; protected by lock */
	const struct credentials *cred;	  /* reference; protected by lock; task_cred() */
	struct mutex lock;		  /* LOCK_RANK_TASK */
	char comm[TASK_COMM_SIZE];	  /* protected by lock */
	_Atomic int state;		  /* enum task_state */
	struct sleeper sleeper;
	struct wait_entry call_wait;	  /* of a shelved call: SYSCALL_SHELVED */
	struct list_node thread_node;	  /* in group->threads; tasklist */
	struct pid *pid_object;		  /* reference until released; tasklist */

	/* signals: protected by group->handlers->lock */
	uint64_t blocked;		  /* signal mask */
	uint64_t real_blocked;		  /* the mask while sigtimedwait waits for some of it, else 0 */
	uint64_t saved_mask;		  /* to restore after sigsuspend, ppoll ... */
	bool restore_saved_mask;
	struct signal_queue pending;	  /* private to the thread */
	struct signal_stack altstack;	  /* only the task itself */
	_Atomic bool in_guest;		  /* between resume and the next event: kick it */
	_Atomic bool work_pending;	  /* signals, stop or death to look at before resume */
	bool kill_pending;		  /* must exit now: group exit or another's exec */
	bool stop_pending;		  /* takes part in the group stop under way */
	bool stop_dequeued;		  /* took a stop signal and no SIGCONT came since */
	bool exiting;			  /* will never run guest code again */

	/* the current system call; only the task's own pool thread (others: task_call_look) */
	uint64_t syscall_nr;
	uint64_t syscall_args[6];
	uint64_t syscall_rip;		  /* behind the instruction */
	_Atomic bool in_call;		  /* the last event was a call, or belongs to one */
	_Atomic bool through_block;	  /* ... which is restart_syscall in its stead */
	_Atomic uint64_t user_ip, user_sp; /* of the last event; sp 0: it came without registers */
	int64_t syscall_result;		  /* when restart is pending: -ERESTART* */
	int64_t syscall_return;		  /* what the guest gets in rax */
	bool call_shelved;		  /* the event at hand is a call to be made again */
	bool call_let_go;		  /* signals wait for the call it stands at; signal_defer.c */
	bool exit_requested;		  /* exit(2): leave with exit_code */
	uint64_t trapno, error_code, fault_address; /* of the last fault, for sigcontext */
	struct {
		uint64_t rip, addr;
		uint32_t count;
	} fault_retry;			  /* how often the last fault was tried again */
	bool syscall_restart_pending;
	struct restart_block {		  /* ERESTART_RESTARTBLOCK */
		int64_t (*fn)(struct task *t, struct restart_block *rb);
		uint64_t deadline;
		uint64_t args[4];
	} restart_block;

	/* seccomp.h: protected by group->handlers->lock, atomic for the task's own reads */
	_Atomic uint8_t seccomp_mode;
	_Atomic bool seccomp_no_new_privs; /* by another's TSYNC, not yet in cred */
	uint32_t seccomp_count;
	struct seccomp_filter *_Atomic seccomp_filter; /* reference */

	struct user_dispatch user_dispatch; /* only the task itself, or its tracer */
	struct task_room room;		  /* only the task itself */

	/* clone and exit */
	guest_addr_t clear_child_tid;	  /* only the task itself */
	guest_addr_t robust_list;	  /* head; read by get_robust_list under lock */
	uint64_t robust_list_size;
	_Atomic bool futex_released;	  /* gave up its PI futexes: nobody may wait for it */
	int exit_code;			  /* wait status form; set at exit */
	struct vfork_completion *vfork;	  /* reference until exec or exit; only the task itself */
	uint32_t parent_death_signal;	  /* protected by lock */
	uint32_t charged_uid;		  /* whose RLIMIT_NPROC count has this task; protected by lock */

	/* scheduling, as stored */
	int32_t nice, sched_policy, sched_priority; /* protected by lock */
	struct deadline_params deadline;  /* of SCHED_DEADLINE; protected by lock */
	uint64_t cpu_mask[16];		  /* protected by lock */
	uint64_t start_time_ns;		  /* CLOCK_MONOTONIC; does not change */
	uint64_t timer_slack_ns, default_timer_slack_ns;
	_Atomic uint32_t flags;		  /* LINUX_PF_*, but those that its state tells; only the task
					     itself changes them */
	/* Of host threads it had before, without rss_pages; protected by lock: task_usage() */
	struct host_usage usage;
	uint64_t cpu_seen_ns;		  /* private to cpu_taker.c, as the next; tasklist */
	int64_t cpu_credit_ns;
	uint64_t voluntary_switches, involuntary_switches;
	_Atomic uint64_t io[TASK_IO_COUNT]; /* only the task itself adds */
	guest_addr_t rseq_area;
	uint32_t rseq_size, rseq_signature;
	uint32_t personality;
	uint32_t io_priority;		  /* protected by lock */
	uint32_t login_uid, login_session; /* protected by lock; of audit: UINT32_MAX before a login */
	uint32_t memory_policy;		  /* as set_mempolicy stored it; only the task itself */
	uint64_t memory_nodes;		  /* which nodes it names, as get_mempolicy tells them */
	uint64_t set_child_tid;		  /* CLONE_CHILD_SETTID: written when first run; 0 none */
	void *sysv_undo;		  /* private to sysv_sem.c */
	struct key *session_keyring, *thread_keyring; /* references or NULL; only the task itself,
					     private to keys/ */
	int32_t key_request_default;	  /* KEYCTL_SET_REQKEY_KEYRING; only the task itself */
	struct task_ptrace ptrace;
};

struct thread_group {
	struct refcount refs;
	struct kernel *kernel;
	struct task *leader;		 /* borrowed from threads; changes in de-threading exec,
					    NULL once released; as threads */
	struct list_node threads;	 /* tasks not yet released; changed under tasklist AND
					    handlers->lock, read under either */
	uint32_t thread_count;		 /* tasks whose exit has not been notified; as threads */
	struct task_pid pid;		 /* the tgid in each namespace; does not change */
	_Atomic uint32_t live;		 /* tasks that have not begun to exit */
	struct pid *pid_object;		 /* reference until released; tasklist */
	struct task *creator;		 /* borrowed: the parent's thread that made it, or NULL; tasklist */
	bool zombie, released;		 /* tasklist */
	int exit_status;		 /* of a released one; tasklist */
	bool reaps_all;			 /* an init that is exiting: children vanish; tasklist */
	struct thread_group *parent;	 /* borrowed (alive as long as it has children); NULL for an
					    orphaned init; tasklist */
	struct list_node children;	 /* thread groups by `sibling`; tasklist */
	struct list_node sibling;	 /* tasklist */
	struct list_node all_node;	 /* kernel->groups; tasklist */
	struct process_group *process_group; /* reference; NULL once released; tasklist */
	struct list_node process_group_node; /* in its members; tasklist */
	struct terminal *terminal;	 /* reference or NULL: the controlling one; tasklist */
	struct pid *terminal_old_group;	 /* reference or NULL: its foreground when it was hung up;
					    tasklist */
	bool child_subreaper, has_execed;
	_Atomic uint32_t exec_count;	 /* of its own execve calls: another program since? */
	int exit_signal;		 /* to the parent; SIGCHLD, 0 none */
	struct wait_queue child_wait;	 /* wait4 callers; events: any child changed state */
	struct wait_queue exit_wait;	 /* pidfd poll; thread exits */

	struct mutex handlers_ref_lock;	 /* LOCK_RANK_LEAF: the pointer below, see signal_lock() */
	struct signal_handlers *handlers; /* reference; changes in exec, under both locks */
	/* protected by handlers->lock */
	struct signal_queue shared_pending;
	struct task *signal_target;	 /* borrowed from threads, or NULL: who took a signal to the group last */
	bool group_exiting;
	int group_exit_code;		 /* wait status form */
	struct task *dumper;		 /* compared only: who took the deadly signal, or NULL */
	struct task *group_exec_task;	 /* de-threading: the one that survives */
	uint32_t stop_count;		 /* threads that have yet to stop */
	uint32_t continues;		 /* how often a SIGCONT came */
	bool stopped;			 /* all of them have */
	bool continued_report, stop_report; /* not yet told to a waiting parent */
	bool unkillable;		 /* init of a pid namespace */
	bool continue_notify;		 /* the parent is to get CLD_CONTINUED */
	int stop_signal;		 /* 0: no stop under way or in force */
	struct wait_queue signal_wait;	 /* signal_wait_queue() */
	struct ktimer *kill_timer;	 /* ends the host process of threads deaf to kicks */
	struct wait_queue stop_wait;	 /* tasks that are stopped sleep here; continue wakes */

	struct rlimit64 limits[RLIMIT_COUNT]; /* protected by limits_lock */
	struct mutex limits_lock;	 /* LOCK_RANK_LEAF */
	struct {
		uint64_t user_ns, system_ns, minor_faults, major_faults, max_rss;
		uint64_t child_user_ns, child_system_ns, child_minor_faults, child_major_faults,
			child_max_rss;
		uint64_t io[TASK_IO_COUNT]; /* of dead threads, and children waited for */
	} usage;			 /* of dead threads and reaped children; tasklist */
	struct itimers *itimers;	 /* owned; private to itimer.c */
	struct posix_timers *posix_timers; /* owned; private to posix_timer.c */
	uint64_t start_time_ns;		 /* does not change */
	_Atomic int32_t oom_score_adj;
	struct task_container *container;	 /* reference; does not change */
	struct task_cgroup *cgroup;	 /* reference, or NULL: the container's own; does not change */
	struct key *process_keyring;	 /* reference or NULL; private to keys/ */
	/* told when the group is dead, for init and exec; runs without locks */
	void (*on_exit)(void *arg, int wait_status);
	void *on_exit_arg;
	struct list_node exit_watches;	 /* struct exit_watch; tasklist; empty once it is a zombie */
};

/* --- references and look-up -------------------------------------------------- */

struct task *task_get(struct task *t);
void task_put(struct task *t);
/* The task the calling pool thread serves. */
struct task *task_current(void);
/* References on a consistent view; the caller puts them. */
const struct credentials *task_cred(struct task *t) MUST_CHECK;
struct mm *task_mm_get(struct task *t) MUST_CHECK; /* NULL when exited */
struct fd_table *task_fds_get(struct task *t) MUST_CHECK;
struct fs_context *task_fs_get(struct task *t) MUST_CHECK;

/* Number of @t (thread) or its group as seen from @ns; 0 when not visible. */
int32_t task_tid_in(const struct task *t, const struct pid_namespace *ns);
int32_t task_tgid_in(const struct task *t, const struct pid_namespace *ns);
/* Reference or NULL. */
struct task *task_lookup(struct pid_namespace *ns, int32_t tid) MUST_CHECK;
struct task *task_lookup_group_leader(struct pid_namespace *ns, int32_t tgid) MUST_CHECK;
struct pid_namespace *task_pid_namespace(const struct task *t); /* borrowed */

uint64_t task_rlimit(struct task *t, enum rlimit_id id); /* the soft limit */

/* For handlers of the current task: borrowed, valid during the call. */
struct vfs_context task_vfs_context(struct task *t);
struct mm_limits task_mm_limits(struct task *t);

/*
 * Where guest code of @t is, for /proc/PID/syscall.  False: it runs.  A moment's truth of a task that does not sleep.
 */
struct task_position {
	int32_t call; /* its number, or -1 */
	uint64_t sp, ip;
};
bool task_position(struct task *t, struct task_position *out) MUST_CHECK;

/* For the task itself: a call, of which others may look at any word at any time. */
void task_call_set(struct task *t, uint64_t nr, const uint64_t args[6]);
/* A moment's truth, as task_position: its words may belong to two calls. */
uint64_t task_call_look(const struct task *t, uint64_t args[6]);

/* CPU and memory use so far, from the host. */
void task_usage(struct task *t, struct host_usage *out);
void thread_group_usage(struct thread_group *g, struct host_usage *out);
/* What wait(2) tells of it: its own and that of the children it waited for.  Holds tasklist. */
void thread_group_rusage_locked(struct thread_group *g, struct linux_rusage *out);

/* ptrace-style access check (PTRACE_MODE_READ or ATTACH, real creds or fs creds). */
enum ptrace_mode { PTRACE_MODE_READ = 1, PTRACE_MODE_ATTACH = 2, PTRACE_MODE_FSCREDS = 8, PTRACE_MODE_REALCREDS = 16 };
bool task_may_access(struct task *caller, struct task *target, int mode);
/* PTRACE_TRACEME: whether a parent with @cred may trace @child. */
bool task_may_be_traced(struct task *child, const struct credentials *cred);

/* Iterates the visible thread groups of @ns in tgid order from @from (>= 1): a
 * reference on the leader of the next group, its number in *tgid; or NULL. */
struct task *task_next_group(struct pid_namespace *ns, int32_t from, int32_t *tgid) MUST_CHECK;
/* The same over the threads of a group, by tid. */
struct task *task_next_thread(struct thread_group *g, struct pid_namespace *ns, int32_t from,
			      int32_t *tid) MUST_CHECK;

/* Process group and session of a group in @ns: 0 when not visible or released. */
int32_t task_pgid_in(struct task *t, struct pid_namespace *ns);
int32_t task_sid_in(struct task *t, struct pid_namespace *ns);
/* The parent's tgid in @ns, 0 when there is none or it is not visible. */
int32_t task_ppid_in(struct task *t, struct pid_namespace *ns);
/* enum task_state as /proc shows it. */
int task_state_char(struct task *t);
/* References on namespaces, NULL when exited. */
struct namespaces *task_namespaces_get(struct task *t) MUST_CHECK;
void namespaces_put(struct namespaces *ns);
struct user_namespace *task_user_namespace(struct task *t); /* borrowed; current task only */
/* Installs @cred (reference taken over) as the current task's. */
void task_set_cred(struct task *t, const struct credentials *cred);
bool task_capable(struct task *t, int capability); /* current task, in its own namespace */
/* LINUX_PF_*, of the current task or one that does not run yet. */
void task_set_flag(struct task *t, uint32_t flags, bool on);
struct thread_group *thread_group_get(struct thread_group *g);
void thread_group_put(struct thread_group *g);

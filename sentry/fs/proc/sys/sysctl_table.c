/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of /proc/sys, sorted by path so that directories are contiguous. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/cred/credentials.h"
#include "sentry/fs/aio/aio.h"
#include "sentry/fs/proc/proc_internal.h"
#include "sentry/fs/proc/sys/sysctl.h"
#include "sentry/fs/proc/sys/sysctl_mqueue.h"
#include "sentry/fs/proc/sys/sysctl_net.h"
#include "sentry/host/host_memory.h"
#include "sentry/kernel/pid_bitmap.h"
#include "sentry/vfs/dnotify.h"
#include "sentry/vfs/lease.h"
#include "util/parse.h"

#define TEXT(p, m, value) { .path = (p), .mode = (m), .initial = (value) }
#define NUMBER(p, value, lo, hi) { .path = (p), .mode = 0644, .initial = (value), .min = (lo), .max = (hi) }
#define SHOW(p, m, fn) { .path = (p), .mode = (m), .show = (fn) }
#define SHOW_STORE(p, fn, st) { .path = (p), .mode = 0644, .show = (fn), .store = (st) }
#define NAME(p, fn, st) { .path = (p), .mode = 0644, .show = (fn), .store = (st), .positioned = true }

/* --- names of the uts namespace ----------------------------------------------------------- */

static struct uts_namespace *caller_uts(struct namespaces **ns)
{
	struct task *t = task_current();

	*ns = t ? task_namespaces_get(t) : NULL;
	return *ns ? (*ns)->uts : kernel_built_uts();
}

static int show_uts(bool domain, struct strbuf *out)
{
	struct namespaces *ns;
	struct uts_namespace *uts = caller_uts(&ns);
	char name[UTS_NAME_SIZE];

	mutex_lock(&uts->lock);
	memcpy(name, domain ? uts->domainname : uts->nodename, sizeof(name));
	mutex_unlock(&uts->lock);
	namespaces_put(ns);
	name[sizeof(name) - 1] = '\0';
	strbuf_addf(out, "%s\n", name);
	return 0;
}

/* As Linux's proc_dostring; who may is a matter of the file's mode. */
static int store_uts(bool domain, const struct proc_call *c, const char *text)
{
	struct namespaces *ns;
	struct uts_namespace *uts = caller_uts(&ns);
	char *name = domain ? uts->domainname : uts->nodename;
	size_t size = strcspn(text, "\n");

	mutex_lock(&uts->lock);
	if (c->pos <= strnlen(name, UTS_NAME_SIZE - 1))
		snprintf(name + c->pos, UTS_NAME_SIZE - c->pos, "%.*s", (int)size, text);
	mutex_unlock(&uts->lock);
	namespaces_put(ns);
	return 0;
}

static int show_hostname(const struct proc_call *c, struct strbuf *out)
{
	return show_uts(false, out);
}

static int store_hostname(const struct proc_call *c, char *text, size_t size)
{
	return store_uts(false, c, text);
}

static int show_domainname(const struct proc_call *c, struct strbuf *out)
{
	return show_uts(true, out);
}

static int store_domainname(const struct proc_call *c, char *text, size_t size)
{
	return store_uts(true, c, text);
}

/* --- random ----------------------------------------------------------------------------------- */

static void add_uuid(uint8_t bytes[16], struct strbuf *out)
{
	bytes[6] = (bytes[6] & 0x0f) | 0x40;
	bytes[8] = (bytes[8] & 0x3f) | 0x80;
	for (unsigned i = 0; i < 16; i++)
		strbuf_addf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes[i]);
	strbuf_add_char(out, '\n');
}

static int show_uuid(const struct proc_call *c, struct strbuf *out)
{
	uint8_t bytes[16];

	host_random(bytes, sizeof(bytes));
	add_uuid(bytes, out);
	return 0;
}

static int show_boot_id(const struct proc_call *c, struct strbuf *out)
{
	static struct mutex lock = MUTEX_INIT(LOCK_RANK_LEAF);
	static uint8_t id[16]; /* protected by lock */
	static bool made;      /* protected by lock */
	uint8_t copy[16];

	mutex_lock(&lock);
	if (!made)
		host_random(id, sizeof(id));
	made = true;
	memcpy(copy, id, sizeof(copy));
	mutex_unlock(&lock);
	add_uuid(copy, out);
	return 0;
}

/* --- others ----------------------------------------------------------------------------------- */

static int store_number(char *text, int64_t min, int64_t max, int64_t *out)
{
	text[strcspn(text, "\n")] = '\0';
	return parse_i64(text, min, max, out) < 0 ? -EINVAL : 0;
}

static int show_pid_max(const struct proc_call *c, struct strbuf *out)
{
	strbuf_addf(out, "%d\n", c->super->ns->bitmap.max);
	return 0;
}

static int show_last_pid(const struct proc_call *c, struct strbuf *out)
{
	strbuf_addf(out, "%d\n", pid_namespace_last_pid(task_current() ? task_current()->pid.ns : c->super->ns));
	return 0;
}

static int store_last_pid(const struct proc_call *c, char *text, size_t size)
{
	struct task *t = task_current();
	int64_t value;

	if (!t)
		return -EPERM;
	if (!credentials_ns_capable(t->cred, t->pid.ns->user_ns, LINUX_CAP_SYS_ADMIN) &&
	    !credentials_ns_capable(t->cred, t->pid.ns->user_ns, LINUX_CAP_CHECKPOINT_RESTORE))
		return -EPERM;
	text[strcspn(text, "\n")] = '\0';
	if (parse_i64(text, 0, PID_MAX_LIMIT - 1, &value) < 0)
		return -EINVAL;
	pid_namespace_set_last_pid(t->pid.ns, (int32_t)value);
	return 0;
}

/* --- limits of the caller's user namespace ---------------------------------------------------- */

static struct user_namespace *caller_user_ns(void)
{
	struct task *t = task_current();

	return t ? t->cred->user_ns : kernel_get()->root_user_ns;
}

static int show_limit(enum namespace_kind kind, struct strbuf *out)
{
	strbuf_addf(out, "%lld\n", (long long)namespace_limit(caller_user_ns(), kind));
	return 0;
}

static int store_limit(enum namespace_kind kind, char *text)
{
	int64_t value;

	text[strcspn(text, "\n")] = '\0';
	if (parse_i64(text, 0, INT32_MAX, &value) < 0)
		return -EINVAL;
	namespace_limit_set(caller_user_ns(), kind, value);
	return 0;
}

#define NAMESPACE_LIMIT(name, kind)                                                        \
	static int show_##name##_limit(const struct proc_call *c, struct strbuf *out)      \
	{                                                                                  \
		return show_limit(kind, out);                                              \
	}                                                                                  \
	static int store_##name##_limit(const struct proc_call *c, char *text, size_t size) \
	{                                                                                  \
		return store_limit(kind, text);                                            \
	}

NAMESPACE_LIMIT(cgroup, NAMESPACE_CGROUP)
NAMESPACE_LIMIT(ipc, NAMESPACE_IPC)
NAMESPACE_LIMIT(mnt, NAMESPACE_MOUNT)
NAMESPACE_LIMIT(net, NAMESPACE_NET)
NAMESPACE_LIMIT(pid, NAMESPACE_PID)
NAMESPACE_LIMIT(time, NAMESPACE_TIME)
NAMESPACE_LIMIT(user, NAMESPACE_USER)
NAMESPACE_LIMIT(uts, NAMESPACE_UTS)

/* --- and more --------------------------------------------------------------------------------- */

static int show_threads_max(const struct proc_call *c, struct strbuf *out)
{
	int64_t limit = atomic_load(&kernel_get()->root_container->pids_limit);

	strbuf_addf(out, "%lld\n", (long long)(limit > 0 ? limit : 127000));
	return 0;
}

static int show_file_nr(const struct proc_call *c, struct strbuf *out)
{
	strbuf_add(out, "1024\t0\t9223372036854775807\n");
	return 0;
}

static int store_flag(char *text, _Atomic bool *flag)
{
	int64_t value;
	int rc = store_number(text, INT32_MIN, INT32_MAX, &value);

	if (rc == 0)
		*flag = value != 0;
	return rc;
}

static int show_dir_notify(const struct proc_call *c, struct strbuf *out)
{
	strbuf_addf(out, "%d\n", dnotify_enabled);
	return 0;
}

static int store_dir_notify(const struct proc_call *c, char *text, size_t size)
{
	return store_flag(text, &dnotify_enabled);
}

static int show_leases(const struct proc_call *c, struct strbuf *out)
{
	strbuf_addf(out, "%d\n", leases_enabled);
	return 0;
}

static int store_leases(const struct proc_call *c, char *text, size_t size)
{
	return store_flag(text, &leases_enabled);
}

static int show_lease_time(const struct proc_call *c, struct strbuf *out)
{
	strbuf_addf(out, "%u\n", lease_break_seconds);
	return 0;
}

static int store_lease_time(const struct proc_call *c, char *text, size_t size)
{
	int64_t value;
	int rc = store_number(text, 0, INT32_MAX, &value);

	if (rc == 0)
		lease_break_seconds = (uint32_t)value;
	return rc;
}

static int show_aio_count(const struct proc_call *c, struct strbuf *out)
{
	strbuf_addf(out, "%llu\n", (unsigned long long)aio_count());
	return 0;
}

static int show_aio_max(const struct proc_call *c, struct strbuf *out)
{
	strbuf_addf(out, "%llu\n", (unsigned long long)aio_max());
	return 0;
}

static int store_aio_max(const struct proc_call *c, char *text, size_t size)
{
	int64_t value;
	int rc = store_number(text, 0, INT64_MAX, &value);

	if (rc == 0)
		aio_set_max((uint64_t)value);
	return rc;
}

const struct sysctl sysctl_table[] = {
	SHOW_STORE("fs/aio-max-nr", show_aio_max, store_aio_max),
	SHOW("fs/aio-nr", 0444, show_aio_count),
	TEXT("fs/dentry-state", 0444, "0\t0\t45\t0\t0\t0"),
	SHOW_STORE("fs/dir-notify-enable", show_dir_notify, store_dir_notify),
	NUMBER("fs/file-max", "9223372036854775807", 0, INT64_MAX),
	SHOW("fs/file-nr", 0444, show_file_nr),
	TEXT("fs/inode-nr", 0444, "0\t0"),
	TEXT("fs/inode-state", 0444, "0\t0\t0\t0\t0\t0\t0"),
	NUMBER("fs/inotify/max_queued_events", "16384", 0, INT32_MAX),
	NUMBER("fs/inotify/max_user_instances", "128", 0, INT32_MAX),
	NUMBER("fs/inotify/max_user_watches", "65536", 0, INT32_MAX),
	SHOW_STORE("fs/lease-break-time", show_lease_time, store_lease_time),
	SHOW_STORE("fs/leases-enable", show_leases, store_leases),
	NUMBER("fs/mount-max", "100000", 1, INT32_MAX),
	SHOW_STORE("fs/mqueue/msg_default", sysctl_show_msg_default, sysctl_store_msg_default),
	SHOW_STORE("fs/mqueue/msg_max", sysctl_show_msg_max, sysctl_store_msg_max),
	SHOW_STORE("fs/mqueue/msgsize_default", sysctl_show_msgsize_default,
		   sysctl_store_msgsize_default),
	SHOW_STORE("fs/mqueue/msgsize_max", sysctl_show_msgsize_max, sysctl_store_msgsize_max),
	SHOW_STORE("fs/mqueue/queues_max", sysctl_show_queues_max, sysctl_store_queues_max),
	NUMBER("fs/nr_open", "1048576", 64, 2147483584),
	NUMBER("fs/overflowgid", "65534", 0, 65535),
	NUMBER("fs/overflowuid", "65534", 0, 65535),
	NUMBER("fs/pipe-max-size", "1048576", 4096, INT32_MAX),
	NUMBER("fs/pipe-user-pages-hard", "0", 0, INT64_MAX),
	NUMBER("fs/pipe-user-pages-soft", "16384", 0, INT64_MAX),
	NUMBER("fs/protected_fifos", "1", 0, 2),
	NUMBER("fs/protected_hardlinks", "1", 0, 1),
	NUMBER("fs/protected_regular", "1", 0, 2),
	NUMBER("fs/protected_symlinks", "1", 0, 1),
	NUMBER("fs/suid_dumpable", "0", 0, 2),
	TEXT("kernel/arch", 0444, GUEST_MACHINE),
	NUMBER("kernel/auto_msgmni", "0", 0, 1),
	TEXT("kernel/cap_last_cap", 0444, "40"),
	TEXT("kernel/core_pattern", 0644, "core"),
	NUMBER("kernel/core_uses_pid", "0", 0, 1),
	NUMBER("kernel/dmesg_restrict", "0", 0, 1),
	NAME("kernel/domainname", show_domainname, store_domainname),
	NAME("kernel/hostname", show_hostname, store_hostname),
	NUMBER("kernel/kptr_restrict", "0", 0, 2),
	TEXT("kernel/max_lock_depth", 0644, "1024"),
	NUMBER("kernel/msgmax", "8192", 0, INT32_MAX),
	NUMBER("kernel/msgmnb", "16384", 0, INT32_MAX),
	NUMBER("kernel/msgmni", "32000", 0, INT32_MAX),
	TEXT("kernel/ngroups_max", 0444, "65536"),
	{ .path = "kernel/ns_last_pid", .mode = 0666, .show = show_last_pid, .store = store_last_pid },
	TEXT("kernel/osrelease", 0444, GUEST_RELEASE),
	TEXT("kernel/ostype", 0444, GUEST_SYSNAME),
	NUMBER("kernel/overflowgid", "65534", 0, 65535),
	NUMBER("kernel/overflowuid", "65534", 0, 65535),
	NUMBER("kernel/panic", "0", INT32_MIN, INT32_MAX),
	NUMBER("kernel/perf_event_paranoid", "4", -1, 4),
	SHOW("kernel/pid_max", 0444, show_pid_max),
	TEXT("kernel/printk", 0644, "4\t4\t1\t7"),
	NUMBER("kernel/pty/max", "4096", 0, INT32_MAX),
	TEXT("kernel/pty/nr", 0444, "0"),
	NUMBER("kernel/pty/reserve", "1024", 0, INT32_MAX),
	SHOW("kernel/random/boot_id", 0444, show_boot_id),
	TEXT("kernel/random/entropy_avail", 0444, "256"),
	TEXT("kernel/random/poolsize", 0444, "256"),
	NUMBER("kernel/random/urandom_min_reseed_secs", "60", 0, INT32_MAX),
	SHOW("kernel/random/uuid", 0444, show_uuid),
	NUMBER("kernel/random/write_wakeup_threshold", "256", 0, INT32_MAX),
	NUMBER("kernel/randomize_va_space", "2", 0, 2),
	NUMBER("kernel/sched_autogroup_enabled", "0", 0, 1),
	NUMBER("kernel/sched_child_runs_first", "0", 0, 1),
	NUMBER("kernel/sched_rr_timeslice_ms", "100", 0, INT32_MAX),
	NUMBER("kernel/sched_rt_period_us", "1000000", 1, INT32_MAX),
	NUMBER("kernel/sched_rt_runtime_us", "950000", -1, INT32_MAX),
	TEXT("kernel/sem", 0644, "32000\t1024000000\t500\t32000"),
	NUMBER("kernel/shm_rmid_forced", "0", 0, 1),
	TEXT("kernel/shmall", 0644, "18446744073692774399"),
	TEXT("kernel/shmmax", 0644, "18446744073692774399"),
	NUMBER("kernel/shmmni", "4096", 0, 32768),
	NUMBER("kernel/sysrq", "0", 0, INT32_MAX),
	TEXT("kernel/tainted", 0444, "0"),
	SHOW("kernel/threads-max", 0444, show_threads_max),
	TEXT("kernel/version", 0444, GUEST_VERSION),
	TEXT("net/core/default_qdisc", 0644, "pfifo_fast"),
	NUMBER("net/core/netdev_max_backlog", "1000", 0, INT32_MAX),
	NUMBER("net/core/optmem_max", "131072", 0, INT32_MAX),
	NUMBER("net/core/rmem_default", "212992", 2304, INT32_MAX),
	NUMBER("net/core/rmem_max", "212992", 2304, INT32_MAX),
	NUMBER("net/core/somaxconn", "4096", 0, INT32_MAX),
	NUMBER("net/core/wmem_default", "212992", 4608, INT32_MAX),
	NUMBER("net/core/wmem_max", "212992", 4608, INT32_MAX),
	NUMBER("net/ipv4/ip_default_ttl", "64", 1, 255),
	NUMBER("net/ipv4/ip_forward", "0", 0, INT32_MAX),
	TEXT("net/ipv4/ip_local_port_range", 0644, "32768\t60999"),
	TEXT("net/ipv4/ip_local_reserved_ports", 0644, ""),
	NUMBER("net/ipv4/ip_nonlocal_bind", "0", 0, 1),
	SHOW_STORE("net/ipv4/ip_unprivileged_port_start", sysctl_show_port_start, sysctl_store_port_start),
	SHOW_STORE("net/ipv4/ping_group_range", sysctl_show_ping_groups, sysctl_store_ping_groups),
	TEXT("net/ipv4/tcp_available_congestion_control", 0444, "reno cubic"),
	TEXT("net/ipv4/tcp_congestion_control", 0644, "cubic"),
	NUMBER("net/ipv4/tcp_fin_timeout", "60", 0, INT32_MAX),
	NUMBER("net/ipv4/tcp_keepalive_intvl", "75", 0, INT32_MAX),
	NUMBER("net/ipv4/tcp_keepalive_probes", "9", 0, 255),
	NUMBER("net/ipv4/tcp_keepalive_time", "7200", 0, INT32_MAX),
	NUMBER("net/ipv4/tcp_max_syn_backlog", "512", 0, INT32_MAX),
	TEXT("net/ipv4/tcp_rmem", 0644, "4096\t131072\t6291456"),
	NUMBER("net/ipv4/tcp_sack", "1", 0, 255),
	NUMBER("net/ipv4/tcp_syncookies", "1", 0, 255),
	NUMBER("net/ipv4/tcp_timestamps", "1", 0, 255),
	NUMBER("net/ipv4/tcp_tw_reuse", "2", 0, 2),
	TEXT("net/ipv4/tcp_wmem", 0644, "4096\t16384\t4194304"),
	NUMBER("net/ipv6/conf/all/disable_ipv6", "0", 0, 1),
	NUMBER("net/ipv6/conf/default/disable_ipv6", "0", 0, 1),
	NUMBER("net/ipv6/conf/lo/disable_ipv6", "0", 0, 1),
	NUMBER("net/unix/max_dgram_qlen", "512", 0, INT32_MAX),
	SHOW_STORE("user/max_cgroup_namespaces", show_cgroup_limit, store_cgroup_limit),
	SHOW_STORE("user/max_ipc_namespaces", show_ipc_limit, store_ipc_limit),
	SHOW_STORE("user/max_mnt_namespaces", show_mnt_limit, store_mnt_limit),
	SHOW_STORE("user/max_net_namespaces", show_net_limit, store_net_limit),
	SHOW_STORE("user/max_pid_namespaces", show_pid_limit, store_pid_limit),
	SHOW_STORE("user/max_time_namespaces", show_time_limit, store_time_limit),
	SHOW_STORE("user/max_user_namespaces", show_user_limit, store_user_limit),
	SHOW_STORE("user/max_uts_namespaces", show_uts_limit, store_uts_limit),
	NUMBER("vm/admin_reserve_kbytes", "8192", 0, INT64_MAX),
	NUMBER("vm/dirty_background_ratio", "10", 0, 100),
	NUMBER("vm/dirty_ratio", "20", 0, 100),
	NUMBER("vm/drop_caches", "0", 0, 4),
	NUMBER("vm/max_map_count", "65530", 0, INT32_MAX),
	NUMBER("vm/min_free_kbytes", "67584", 0, INT32_MAX),
	NUMBER("vm/mmap_min_addr", "65536", 0, INT64_MAX),
	NUMBER("vm/nr_hugepages", "0", 0, 0),
	NUMBER("vm/oom_kill_allocating_task", "0", 0, INT32_MAX),
	NUMBER("vm/overcommit_kbytes", "0", 0, INT64_MAX),
	NUMBER("vm/overcommit_memory", "0", 0, 2),
	NUMBER("vm/overcommit_ratio", "50", 0, INT32_MAX),
	NUMBER("vm/page-cluster", "3", 0, 31),
	NUMBER("vm/panic_on_oom", "0", 0, 2),
	NUMBER("vm/swappiness", "60", 0, 200),
	NUMBER("vm/user_reserve_kbytes", "131072", 0, INT64_MAX),
	NUMBER("vm/vfs_cache_pressure", "100", 0, INT32_MAX),
};
const size_t sysctl_count = ARRAY_SIZE(sysctl_table);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc, sysfs, cgroup, devpts, mqueue and the devices, mounted in a tree as a
 * container has them, seen by a process on the fake platform.
 */
#include "config.h"

#include "tests/unit/unit.h"

#include "sentry/vfs/fs_config.h"
#include "sentry/abi/fs.h"
#include "sentry/abi/mm.h"
#include "sentry/fs/cgroup/cgroup.h"
#include "sentry/fs/dev/dev.h"
#include "sentry/fs/devpts/devpts.h"
#include "sentry/fs/mqueue/mqueue.h"
#include "sentry/fs/proc/proc.h"
#include "sentry/fs/proc/sys/sysctl.h"
#include "sentry/fs/sysfs/sysfs.h"
#include "sentry/fs/tmpfs/tmpfs.h"
#include "sentry/host/host_procfs.h"
#include "sentry/ipc/ipc_namespace.h"
#include "sentry/net/net_namespace.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/program.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/platform/fake/fake_platform.h"
#include "sentry/syscalls/handlers.h"

#define STACK_BASE 0x10000000ULL
#define STACK_SIZE 0x10000ULL
#define TEXT_SIZE 65536

static struct platform *platform;
static struct kernel *kernel;
static struct mount_namespace *mounts;
static struct fd_table *fds;
static struct file *image;
static struct context *init_ctx;
static struct task *init_task;
static char text[TEXT_SIZE];

/* --- a program that has arguments and an environment ------------------------------------ */

static const char arguments[] = "prog\0-x\0two words";
static const char environment[] = "A=1\0B=2";

struct program {
	struct file *file;
};

static int prepare_program(const struct vfs_context *ctx, struct file *file, const char *name,
			   struct string_vector *argv, struct string_vector *envv,
			   uint64_t stack_limit, struct program **out)
{
	*out = calloc(1, sizeof(**out));
	(*out)->file = file_get(file);
	return 0;
}

static void release_program(struct program *p)
{
	file_put(p->file);
	free(p);
}

static struct file *image_of_program(struct program *p)
{
	return p->file;
}

static const char *name_of_program(const struct program *p)
{
	return "a (b) c";
}

static int load_program(struct program *p, struct mm *mm, struct context *ctx,
			const struct program_identity *identity, uint64_t stack_limit)
{
	int rc = mm_map_fixed(mm, ctx, STACK_BASE, STACK_SIZE, LINUX_PROT_READ | LINUX_PROT_WRITE, 0,
			      NULL, 0, "[stack]");

	if (rc < 0)
		return rc;
	mm_set_exe_file(mm, &p->file->mappable, NULL);
	mm->start_stack = STACK_BASE + 64;
	mm->arg_start = STACK_BASE + 256;
	mm->arg_end = mm->arg_start + sizeof(arguments);
	mm->env_start = mm->arg_end;
	mm->env_end = mm->env_start + sizeof(environment);
	rc = copy_out(mm, guest_addr(mm->arg_start), arguments, sizeof(arguments));
	return rc < 0 ? rc : copy_out(mm, guest_addr(mm->env_start), environment, sizeof(environment));
}

static int64_t run_call(struct task *t, uint64_t nr, const uint64_t args[6])
{
	struct syscall_args a;

	memcpy(a.v, args, sizeof(a.v));
	if (nr == 57)
		return sys_fork(t, &a);
	return nr == 231 ? sys_exit_group(t, &a) : nr == 61 ? sys_wait4(t, &a) : -ENOSYS;
}

static const struct kernel_upcalls upcalls = {
	.syscall = run_call,
	.program_prepare = prepare_program,
	.program_free = release_program,
	.program_file = image_of_program,
	.program_comm = name_of_program,
	.program_load = load_program,
};

static const struct file_ops image_ops = { 0 };

/* --- the tree ------------------------------------------------------------------------------ */

static struct vfs_context context(void)
{
	return task_vfs_context(init_task);
}

static struct path place(const char *name)
{
	struct vfs_context ctx = context();
	struct path p = { NULL, NULL };

	assert_int_equal(vfs_lookup(&ctx, LINUX_AT_FDCWD, name, LOOKUP_FOLLOW, &p), 0);
	return p;
}

static void mount_type(const char *type, const char *at, const char *options)
{
	struct vfs_context ctx = context();
	const struct file_system_type *t = file_system_find(type);
	const struct fs_parameter source = { "source", FS_VALUE_STRING, type };
	struct fs_config config;
	struct path p;
	int rc = vfs_mkdir(&ctx, LINUX_AT_FDCWD, at, 0755);

	assert_true(rc == 0 || rc == -EEXIST);
	assert_non_null(t);
	assert_int_equal(fs_config_begin(t, ctx.cred, &config), 0);
	assert_int_equal(fs_config_set(&config, ctx.cred, &source), 0);
	assert_int_equal(fs_config_set_all(&config, ctx.cred, options), 0);
	assert_int_equal(fs_config_create(&config, false), 0);
	p = place(at);
	assert_int_equal(vfs_mount_sb(config.sb, NULL, &p, 0), 0);
	path_put(&p);
	fs_config_end(&config);
}

static struct context *take_started(void)
{
	struct platform_event started = { .kind = PLATFORM_EVENT_STARTED, .regs_valid = true };
	struct context *ctx = fake_platform_take_started(platform);

	assert_non_null(ctx);
	assert_int_equal(fake_context_event(ctx, &started), CONTEXT_RESUME);
	return ctx;
}

static void start_init(void)
{
	struct credentials *cred = credentials_new_root(kernel->root_user_ns);
	struct create_process_args args = {
		.file = image, .cred = cred, .fds = fds, .mounts = mounts, .cwd = "/", .umask = 022,
	};
	struct thread_group *g;
	int32_t tgid;

	for (int i = 0; i < RLIMIT_COUNT; i++)
		args.limits[i] = (struct rlimit64){ 1024, 4096 };
	args.limits[RLIM_FSIZE] = args.limits[RLIM_AS] = args.limits[RLIM_DATA] =
		args.limits[RLIM_STACK] = (struct rlimit64){ UINT64_MAX, UINT64_MAX };
	assert_int_equal(kernel_create_process(kernel, &args, &g), 0);
	credentials_put(cred);
	kernel_start_process(g);
	thread_group_put(g);
	init_ctx = take_started();
	init_task = task_next_group(kernel->root_pid_ns, 1, &tgid);
	assert_int_equal(tgid, 1);
}

static int set_up(void **state)
{
	struct kernel_config config = { .cpus = 2, .hostname = "box" };
	const struct container_limits limits = { .memory_limit = 64 << 20, .pids_limit = 9 };
	struct super_block *root;
	struct vfs_context ctx;
	struct path dev;

	assert_int_equal(host_procfs_open(), 0);
	assert_int_equal(fake_platform_new(&kernel_context_ops, &platform), 0);
	config.platform = platform;
	assert_int_equal(kernel_new(&config, &kernel), 0);
	kernel_set_upcalls(&upcalls);
	assert_int_equal(vfs_init(), 0);
	assert_int_equal(ipc_init(kernel), 0);
	assert_int_equal(net_init(kernel), 0);
	assert_int_equal(proc_init(kernel), 0);
	assert_int_equal(sysfs_init(kernel), 0);
	assert_int_equal(cgroup_init(kernel), 0);
	task_container_set_limits(kernel->root_container, &limits);
	assert_int_equal(devpts_init(kernel), 0);
	assert_int_equal(mqueue_init(kernel), 0);
	assert_int_equal(dev_init(kernel), 0);
	assert_int_equal(tmpfs_new(NULL, kernel->root_user_ns, &root), 0);
	assert_int_equal(mount_namespace_new(root, 0, kernel->root_user_ns, &mounts), 0);
	super_block_put(root);
	assert_int_equal(fd_table_new(&fds), 0);
	assert_int_equal(file_new_anonymous(&image_ops, "image", 0755, 0, NULL, &image), 0);
	start_init();
	task_enter_current(init_task);
	mount_type("proc", "/proc", "");
	mount_type("sysfs", "/sys", NULL);
	mount_type("cgroup", "/sys/fs/cgroup", NULL);
	ctx = context();
	assert_int_equal(vfs_mkdir(&ctx, LINUX_AT_FDCWD, "/dev", 0755), 0);
	dev = place("/dev");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(dev_populate_nodes(&ctx, &dev), 0);
		assert_int_equal(dev_populate_links(&ctx, &dev), 0);
	}
	assert_int_equal(dev_add(&ctx, &dev, "extra", LINUX_S_IFCHR | 0600, 99, 1, 7, 8), 0);
	path_put(&dev);
	mount_type("devpts", "/dev/pts", "newinstance,ptmxmode=0666,mode=0620,gid=5");
	mount_type("mqueue", "/dev/mqueue", NULL);
	return 0;
}

static int tear_down(void **state)
{
	task_enter_current(NULL);
	task_put(init_task);
	assert_int_equal(fake_context_syscall(init_ctx, 231, (const uint64_t[6]){ 0 }), FAKE_EXITED);
	assert_int_equal(fake_platform_space_count(platform), 0);
	file_put(image);
	fd_table_put(fds);
	mount_namespace_put(mounts);
	return 0;
}

/* --- helpers -------------------------------------------------------------------------------- */

static int open_at(const char *path, uint64_t flags, struct file **out)
{
	struct vfs_context ctx = context();
	struct open_how how = { .flags = flags, .mode = 0600 };

	return vfs_open(&ctx, LINUX_AT_FDCWD, path, &how, out);
}

/* The contents, or "E<errno>". */
static const char *contents(const char *path)
{
	struct file *file;
	size_t used = 0;
	ssize_t n = open_at(path, LINUX_O_RDONLY, &file);

	memset(text, 0, sizeof(text));
	if (n < 0) {
		snprintf(text, sizeof(text), "E%d", (int)-n);
		return text;
	}
	do {
		struct io_iter it;

		/* through the file's own position, in pieces */
		io_iter_init_buffer(&it, text + used, used + 100 < sizeof(text) ? 100 : 0);
		n = vfs_read(file, &it, NULL);
		used += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	file_put(file);
	if (n < 0)
		snprintf(text, sizeof(text), "E%d", (int)-n);
	return text;
}

static int write_to(const char *path, const char *value)
{
	struct file *file;
	struct io_iter it;
	ssize_t n = open_at(path, LINUX_O_WRONLY, &file);

	if (n < 0)
		return (int)n;
	io_iter_init_buffer(&it, (void *)(uintptr_t)value, strlen(value));
	n = vfs_write(file, &it, NULL, UINT64_MAX);
	file_put(file);
	return n < 0 ? (int)n : 0;
}

static const char *link_of(const char *path)
{
	struct vfs_context ctx = context();
	struct path p;
	char *target = NULL;
	int rc = vfs_lookup(&ctx, LINUX_AT_FDCWD, path, 0, &p);

	if (rc == 0) {
		rc = vfs_readlink(&p, &target);
		path_put(&p);
	}
	if (rc < 0)
		snprintf(text, sizeof(text), "E%d", -rc);
	else
		snprintf(text, sizeof(text), "%s", target);
	free(target);
	return text;
}

static struct inode_attr attr_of(const char *path)
{
	struct vfs_context ctx = context();
	struct inode_attr attr;
	struct path p;

	assert_int_equal(vfs_lookup(&ctx, LINUX_AT_FDCWD, path, 0, &p), 0);
	assert_int_equal(vfs_getattr(&p, &attr), 0);
	path_put(&p);
	return attr;
}

#define BATCH 3

struct listing {
	struct dir_context ctx; /* first */
	unsigned count;
	struct {
		char name[64];
		uint64_t ino;
		uint32_t type;
	} entries[BATCH];
};

static bool collect(struct dir_context *ctx, const char *name, size_t size, uint64_t next,
		    uint64_t ino, uint32_t type)
{
	struct listing *l = (struct listing *)ctx;

	if (l->count == BATCH)
		return false;
	snprintf(l->entries[l->count].name, sizeof(l->entries[0].name), "%.*s", (int)size, name);
	l->entries[l->count].ino = ino;
	l->entries[l->count++].type = type;
	return true;
}

static void check_entry(const char *dir, const char *name, uint64_t ino, uint32_t type)
{
	struct vfs_context ctx = context();
	char path[192];
	struct path p;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(vfs_lookup(&ctx, LINUX_AT_FDCWD, path, 0, &p), 0);
	assert_int_equal(LINUX_DT(p.dentry->inode->attr.mode), type);
	if (p.mount->root != p.dentry)
		assert_int_equal(p.dentry->inode->ino, ino);
	path_put(&p);
}

/* Every name, three at a time, each with the type and inode number that look-up gives. */
static const char *names(const char *dir)
{
	struct file *file;
	struct listing l;

	memset(text, 0, sizeof(text));
	assert_int_equal(open_at(dir, LINUX_O_RDONLY | LINUX_O_DIRECTORY, &file), 0);
	do {
		l = (struct listing){ .ctx = { .emit = collect } };
		assert_int_equal(vfs_iterate(file, &l.ctx), 0);
		for (unsigned i = 0; i < l.count; i++) {
			size_t used = strlen(text);

			snprintf(text + used, sizeof(text) - used, "%s ", l.entries[i].name);
			if (l.entries[i].name[0] != '.')
				check_entry(dir, l.entries[i].name, l.entries[i].ino, l.entries[i].type);
		}
	} while (l.count);
	file_put(file);
	return text;
}

static bool has_line(const char *path, const char *line)
{
	char wanted[256];

	snprintf(wanted, sizeof(wanted), "\n%s\n", line);
	memmove(text + 1, contents(path), sizeof(text) - 2);
	text[0] = '\n';
	return strstr(text, wanted) != NULL;
}

/* --- proc -------------------------------------------------------------------------------------- */

static void test_self(void **state)
{
	assert_string_equal(link_of("/proc/self"), "1");
	assert_string_equal(link_of("/proc/thread-self"), "1/task/1");
	assert_string_equal(link_of("/proc/mounts"), "self/mounts");
	assert_string_equal(link_of("/proc/self/cwd"), "/");
	assert_string_equal(link_of("/proc/self/root"), "/");
	assert_string_equal(link_of("/proc/self/exe"), "image");
	assert_string_equal(link_of("/proc/999/exe"), "E2");
	assert_string_equal(link_of("/proc/01/exe"), "E2");
	assert_string_equal(link_of("/proc/self/ns/pid"), "pid:[4026531836]");
	assert_int_equal(attr_of("/proc/self").size, 0);
	assert_int_equal(attr_of("/proc/1").mode, LINUX_S_IFDIR | 0555);
	assert_non_null(strstr(names("/proc"), " self "));
	assert_non_null(strstr(text, ". .. "));
	assert_non_null(strstr(text, " 1 "));
	names("/proc/1");
	names("/proc/1/task/1");
	assert_string_equal(names("/proc/1/task"), ". .. 1 ");
}

/* Every file can be read from end to end, and errors only where Linux has them. */
static void read_all(const char *dir, unsigned depth)
{
	char *list = strdup(names(dir)), *save = NULL;
	char path[256];

	for (char *n = strtok_r(list, " ", &save); n; n = strtok_r(NULL, " ", &save)) {
		struct inode_attr attr;

		snprintf(path, sizeof(path), "%s/%s", dir, n);
		if (n[0] == '.')
			continue;
		attr = attr_of(path);
		if ((attr.mode & LINUX_S_IFMT) == LINUX_S_IFDIR && depth)
			read_all(path, depth - 1);
		else if ((attr.mode & LINUX_S_IFMT) == LINUX_S_IFREG && attr.mode & 0444 &&
			 strcmp(n, "mem") != 0 && strcmp(n, "pagemap") != 0 && !strstr(path, "/attr/"))
			assert_false(contents(path)[0] == 'E' && strlen(text) < 4);
	}
	free(list);
}

static void test_all_readable(void **state)
{
	read_all("/proc", 6);
	read_all("/sys", 8);
}

static void test_stat(void **state)
{
	const char *stat = contents("/proc/1/stat"), *p;
	int fields = 2;

	assert_int_equal(strncmp(stat, "1 (a (b) c) R 0 ", 16), 0);
	for (p = strrchr(stat, ')'); *p; p++)
		fields += *p == ' ';
	assert_int_equal(fields, 52);
	assert_true(has_line("/proc/1/status", "Name:\ta (b) c"));
	assert_true(has_line("/proc/1/status", "Umask:\t0022"));
	assert_true(has_line("/proc/1/status", "Uid:\t0\t0\t0\t0"));
	assert_true(has_line("/proc/1/status", "Threads:\t1"));
	assert_true(has_line("/proc/1/status", "Cpus_allowed:\t3"));
	assert_true(has_line("/proc/1/status", "Cpus_allowed_list:\t0-1"));
	assert_true(has_line("/proc/1/status", "VmStk:\t      64 kB"));
	assert_true(has_line("/proc/1/limits",
			     "Max open files            1024                 4096                 files     "));
}

static void test_memory(void **state)
{
	struct file *file;
	struct io_iter it;
	char buf[64];
	uint64_t pos = STACK_BASE + 256;

	contents("/proc/1/cmdline");
	assert_memory_equal(text, arguments, sizeof(arguments));
	contents("/proc/self/environ");
	assert_memory_equal(text, environment, sizeof(environment));
	assert_string_equal(contents("/proc/self/maps"),
			    "10000000-10010000 rw-p 00000000 00:00 0                                  [stack]\n");
	assert_int_equal(open_at("/proc/self/mem", LINUX_O_RDWR, &file), 0);
	io_iter_init_buffer(&it, buf, 4);
	assert_int_equal(vfs_read(file, &it, &pos), 4);
	assert_memory_equal(buf, "prog", 4);
	io_iter_init_buffer(&it, buf, 4);
	pos = STACK_BASE - 4096;
	assert_int_equal(vfs_read(file, &it, &pos), -EIO);
	file_put(file);
}

static void test_writing(void **state)
{
	assert_int_equal(write_to("/proc/self/comm", "renamed process here"), 0);
	assert_string_equal(contents("/proc/self/comm"), "renamed process\n");
	assert_int_equal(write_to("/proc/self/oom_score_adj", "100\n"), 0);
	assert_string_equal(contents("/proc/self/oom_score_adj"), "100\n");
	assert_int_equal(write_to("/proc/self/oom_score_adj", "1001"), -EINVAL);
	assert_int_equal(write_to("/proc/self/oom_score_adj", "x"), -EINVAL);
	assert_int_equal(write_to("/proc/self/stat", "x"), -EINVAL);
	assert_string_equal(contents("/proc/sys/kernel/hostname"), "box\n");
	assert_int_equal(write_to("/proc/sys/kernel/hostname", "other\n"), 0);
	assert_string_equal(contents("/proc/sys/kernel/hostname"), "other\n");
	assert_int_equal(write_to("/proc/sys/kernel/ostype", "x"), -EACCES);
	assert_int_equal(write_to("/proc/x", "x"), -ENOENT);
}

static void test_fds(void **state)
{
	struct vfs_context ctx = context();
	struct file *file, *again;
	struct io_iter it;
	char path[64], buf[8];

	assert_int_equal(open_at("/file", LINUX_O_RDWR | LINUX_O_CREAT, &file), 0);
	assert_int_equal(fd_table_install(init_task->fds, file, 5, 100, true), 5);
	io_iter_init_buffer(&it, (char[]){ "hello" }, 5);
	assert_int_equal(vfs_write(file, &it, NULL, UINT64_MAX), 5);
	assert_string_equal(link_of("/proc/self/fd/5"), "/file");
	assert_int_equal(attr_of("/proc/self/fd/5").mode, LINUX_S_IFLNK | 0700);
	assert_int_equal(attr_of("/proc/self/fd/5").size, 64);
	assert_true(has_line("/proc/self/fdinfo/5", "pos:\t5"));
	assert_true(has_line("/proc/self/fdinfo/5", "flags:\t02100002"));
	assert_string_equal(names("/proc/self/fd"), ". .. 5 ");
	assert_string_equal(names("/proc/self/fdinfo"), ". .. 5 ");
	assert_int_equal(vfs_unlink(&ctx, LINUX_AT_FDCWD, "/file"), 0);
	assert_string_equal(link_of("/proc/self/fd/5"), "/file (deleted)");
	snprintf(path, sizeof(path), "/dev/fd/5");
	assert_int_equal(open_at(path, LINUX_O_RDONLY, &again), 0);
	io_iter_init_buffer(&it, buf, sizeof(buf));
	assert_int_equal(vfs_read(again, &it, NULL), 5);
	file_put(again);
	file_put(fd_table_remove(init_task->fds, 5));
	file_put(file);
	assert_string_equal(link_of("/proc/self/fd/5"), "E2");
}

static void test_mounts(void **state)
{
	assert_true(has_line("/proc/mounts", "proc /proc proc rw 0 0"));
	assert_true(has_line("/proc/mounts", "devpts /dev/pts devpts rw,gid=5,mode=620,ptmxmode=666 0 0"));
	assert_true(has_line("/proc/mounts", "cgroup /sys/fs/cgroup cgroup2 rw 0 0"));
	assert_non_null(strstr(contents("/proc/self/mountinfo"), " / /proc rw - proc proc rw\n"));
}

static void test_child(void **state)
{
	struct context *child;
	struct file *dir;
	struct vfs_context ctx = context();
	struct path p;

	task_enter_current(NULL);
	assert_int_equal(fake_context_syscall(init_ctx, 57, (const uint64_t[6]){ 0 }), 2);
	child = take_started();
	task_enter_current(init_task);
	assert_non_null(strstr(names("/proc"), " 2 "));
	assert_int_equal(open_at("/proc/2", LINUX_O_RDONLY | LINUX_O_DIRECTORY, &dir), 0);
	assert_string_equal(contents("/proc/1/task/1/children"), "2 ");
	task_enter_current(NULL);
	assert_int_equal(fake_context_syscall(child, 231, (const uint64_t[6]){ 7 }), FAKE_EXITED);
	task_enter_current(init_task);
	/* a zombie */
	assert_non_null(strstr(contents("/proc/2/stat"), ") Z 1 "));
	assert_string_equal(contents("/proc/2/cmdline"), "");
	assert_string_equal(link_of("/proc/2/exe"), "E2");
	assert_int_equal(attr_of("/proc/2/maps").uid, 0);
	task_enter_current(NULL);
	assert_int_equal(fake_context_syscall(init_ctx, 61, (const uint64_t[6]){ UINT64_MAX }), 2);
	task_enter_current(init_task);
	/* and gone, for those inside its directory as well */
	assert_int_equal(vfs_lookup(&ctx, LINUX_AT_FDCWD, "/proc/2", 0, &p), -ENOENT);
	p = (struct path){ dir->mount, dir->dentry };
	assert_true(vfs_lookup_from(&ctx, &p, "stat", 0, &p) < 0);
	file_put(dir);
}

/* --- the others ------------------------------------------------------------------------------ */

static void test_system(void **state)
{
	const struct sysctl *t = sysctl_table;

	assert_int_equal(strncmp(contents("/proc/version"), "Linux version ", 14), 0);
	assert_non_null(strstr(contents("/proc/cpuinfo"), "processor\t: 1\n"));
	assert_non_null(strstr(contents("/proc/meminfo"), "MemTotal:  "));
	assert_non_null(strstr(contents("/proc/stat"), "\ncpu1 "));
	for (size_t i = 0; i < sysctl_count; i++) {
		assert_true(i == 0 || strcmp(t[i - 1].path, t[i].path) < 0);
		assert_true(t[i].initial || t[i].show);
	}
	assert_int_equal(sysctl_set("net.core.somaxconn", "77"), 0);
	assert_int_equal(sysctl_number("net/core/somaxconn"), 77);
	assert_string_equal(contents("/proc/sys/net/core/somaxconn"), "77\n");
	assert_int_equal(sysctl_set("net.core.somaxconn", "-1"), -EINVAL);
	assert_int_equal(sysctl_set("kernel.ostype", "x"), -EPERM);
	assert_int_equal(sysctl_set("kernel.domainname", "here.org"), 0);
	assert_int_equal(sysctl_set("fs.mqueue.msg_max", "77"), 0);
	assert_int_equal(sysctl_set("kernel.nothing", "x"), -ENOENT);
	assert_string_equal(names("/proc/sys/kernel/pty"), ". .. max nr reserve ");
	assert_string_equal(names("/proc/sys"), ". .. fs kernel net user vm ");
	assert_string_equal(contents("/sys/devices/system/cpu/online"), "0-1\n");
	assert_string_equal(contents("/sys/class/net/lo/mtu"), "65536\n");
	assert_string_equal(contents("/sys/fs/cgroup/memory.max"), "67108864\n");
	assert_string_equal(contents("/sys/fs/cgroup/pids.max"), "9\n");
	assert_string_equal(contents("/sys/fs/cgroup/cgroup.procs"), "1\n");
	assert_string_equal(contents("/proc/self/cgroup"), "0::/\n");
}

static void test_devices(void **state)
{
	struct file *file;
	struct io_iter it;
	char buf[16];

	assert_string_equal(names("/dev"), ". .. null zero full random urandom tty fd stdin stdout "
					   "stderr ptmx pts shm mqueue extra ");
	assert_int_equal(attr_of("/dev/null").mode, LINUX_S_IFCHR | 0666);
	assert_int_equal(attr_of("/dev/null").rdev, linux_makedev(1, 3));
	assert_int_equal(attr_of("/dev/extra").uid, 7);
	assert_int_equal(attr_of("/dev/pts/ptmx").mode, LINUX_S_IFCHR | 0666);
	assert_int_equal(open_at("/dev/tty", LINUX_O_RDWR, &file), -ENXIO);
	assert_string_equal(names("/dev/pts"), ". .. ptmx ");
	assert_int_equal(open_at("/dev/ptmx", LINUX_O_RDWR, &file), 0);
	assert_string_equal(names("/dev/pts"), ". .. ptmx 0 ");
	assert_int_equal(attr_of("/dev/pts/0").mode, LINUX_S_IFCHR | 0620);
	assert_int_equal(attr_of("/dev/pts/0").gid, 5);
	file_put(file);
	assert_string_equal(names("/dev/pts"), ". .. ptmx ");
	assert_int_equal(open_at("/dev/extra", LINUX_O_RDWR, &file), -ENXIO);
	assert_int_equal(open_at("/dev/zero", LINUX_O_RDWR, &file), 0);
	memset(buf, 1, sizeof(buf));
	io_iter_init_buffer(&it, buf, sizeof(buf));
	assert_int_equal(vfs_read(file, &it, NULL), sizeof(buf));
	assert_int_equal(buf[15], 0);
	assert_true(dev_is_zero(file));
	assert_int_equal(vfs_llseek(file, 100, LINUX_SEEK_SET), 0);
	file_put(file);
	assert_int_equal(open_at("/dev/full", LINUX_O_RDWR, &file), 0);
	io_iter_init_buffer(&it, buf, sizeof(buf));
	assert_int_equal(vfs_write(file, &it, NULL, UINT64_MAX), -ENOSPC);
	file_put(file);
	assert_string_equal(contents("/dev/null"), "");
	assert_int_equal(write_to("/dev/null", "x"), 0);
	assert_int_equal(write_to("/dev/urandom", "x"), 0);
}

static void test_host_procfs(void **state)
{
	struct host_smaps_entry *entries, *part;
	struct host_usage usage;
	struct host_statm statm;
	size_t count, part_count;
	uint8_t page;
	uint64_t here = (uintptr_t)&count & ~4095ULL;

	host_procfs_usage(getpid(), 0, &usage);
	assert_true(usage.rss_pages > 0 && usage.minor_faults > 0);
	host_procfs_usage(getpid(), getpid(), &usage);
	assert_true(usage.minor_faults > 0);
	host_procfs_usage(0, 0, &usage);
	assert_int_equal(usage.rss_pages, 0);
	host_procfs_statm(getpid(), &statm);
	assert_true(statm.shared_pages > 0 && statm.rss_pages > statm.shared_pages);
	host_procfs_statm(0, &statm);
	assert_int_equal(statm.rss_pages, 0);
	assert_int_equal(host_procfs_smaps(getpid(), 0, SIZE_MAX, &entries, &count), 0);
	assert_true(count > 3 && entries[0].end > entries[0].start);
	assert_int_equal(host_procfs_smaps(getpid(), entries[0].end, 2, &part, &part_count), 0);
	assert_int_equal(part_count, 2);
	assert_int_equal(part[0].start, entries[1].start);
	assert_int_equal(part[1].end, entries[2].end);
	free(part);
	free(entries);
	assert_int_equal(host_procfs_smaps(getpid(), UINT64_MAX, 2, &part, &part_count), 0);
	assert_int_equal(part_count, 0);
	free(part);
	assert_int_equal(host_procfs_pages(getpid(), here, 1, &page), 0);
	assert_int_equal(page & HOST_PAGE_PRESENT, HOST_PAGE_PRESENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_self),	cmocka_unit_test(test_all_readable),
		cmocka_unit_test(test_stat),	cmocka_unit_test(test_memory),
		cmocka_unit_test(test_fds),	cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_child),	cmocka_unit_test(test_system),
		cmocka_unit_test(test_devices), cmocka_unit_test(test_writing),
		cmocka_unit_test(test_host_procfs),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

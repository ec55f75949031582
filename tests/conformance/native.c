/* SPDX-License-Identifier: Apache-2.0
 *
 * `conformance native ROOTFS PROGRAM ARGS...`: runs a program on the host kernel in surroundings
 * equal to those the OCI bundle of ./run describes: new namespaces, the same mounts, devices,
 * capabilities, limits and environment. It is what a native run, the oracle, means here. Keep it in
 * step with write_config in ./run.
 */
#include "conformance.h"

#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>

struct native_mount {
	const char *type;
	const char *target;
	unsigned long flags;
	const char *options;
};

static const struct native_mount mounts[] = {
	{ "proc", "/proc", 0, NULL },
	{ "tmpfs", "/dev", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k" },
	{ "devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC,
	  "newinstance,ptmxmode=0666,mode=0620,gid=5" },
	{ "tmpfs", "/dev/shm", MS_NOSUID | MS_NOEXEC | MS_NODEV, "mode=1777,size=65536k" },
	{ "mqueue", "/dev/mqueue", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL },
	{ "sysfs", "/sys", MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY, NULL },
	{ "tmpfs", "/tmp", 0, "mode=1777,size=262144k" },
};

static const struct {
	const char *name;
	unsigned int minor_number;
	unsigned int major_number;
} devices[] = {
	{ "null", 3, 1 },   { "zero", 5, 1 },	 { "full", 7, 1 },
	{ "random", 8, 1 }, { "urandom", 9, 1 }, { "tty", 0, 5 },
};

static const int kept_capabilities[] = {
	CAP_CHOWN,   CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH,  CAP_FSETID,	     CAP_FOWNER,
	CAP_MKNOD,   CAP_NET_RAW,      CAP_SETGID,	     CAP_SETUID,
	CAP_SETFCAP, CAP_SETPCAP,      CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT,
	CAP_KILL,    CAP_AUDIT_WRITE,  CAP_SYS_ADMIN,
};

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "conformance: native: %s: %s\n", what, strerror(errno));
	exit(CONF_SETUP_FAILED);
}

static void make_devices(void)
{
	umask(0);
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		char path[64];

		snprintf(path, sizeof(path), "dev/%s", devices[i].name);
		if (mknod(path, S_IFCHR | 0666,
			  makedev(devices[i].major_number, devices[i].minor_number)) == -1)
			fail(path);
	}
	umask(022);
	if (symlink("/proc/self/fd", "dev/fd") == -1 ||
	    symlink("/proc/self/fd/0", "dev/stdin") == -1 ||
	    symlink("/proc/self/fd/1", "dev/stdout") == -1 ||
	    symlink("/proc/self/fd/2", "dev/stderr") == -1 || symlink("pts/ptmx", "dev/ptmx") == -1)
		fail("symlinks in /dev");
}

static void enter_root(const char *rootfs)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL) == -1 || chdir(rootfs) == -1)
		fail(rootfs);
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		const struct native_mount *entry = &mounts[i];

		mkdir(entry->target + 1, 0755);
		if (mount(entry->type, entry->target + 1, entry->type, entry->flags,
			  entry->options) == -1)
			fail(entry->target);
		if (strcmp(entry->target, "/dev") == 0)
			make_devices();
	}
	if (syscall(SYS_pivot_root, ".", ".") == -1 || umount2(".", MNT_DETACH) == -1 ||
	    chdir("/") == -1)
		fail("pivot_root");
}

static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(kept_capabilities); i++)
		data[kept_capabilities[i] / 32].permitted |= 1U << (kept_capabilities[i] % 32);
	for (int cap = 0; cap < 64; cap++)
		if (!(data[cap / 32].permitted & (1U << (cap % 32))))
			prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted;
	if (setgroups(0, NULL) == -1 || syscall(SYS_capset, &header, data) == -1)
		fail("capset");
}

static _Noreturn void become_init(char **argv)
{
	static char scratch[PATH_MAX] = "SCRATCH=/tmp",
		    path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		    home[] = "HOME=/root";
	char *env[] = { path, home, scratch, NULL };
	struct rlimit files = { 1024, 4096 };

	if (getenv("SCRATCH") != NULL)
		snprintf(scratch, sizeof(scratch), "SCRATCH=%s", getenv("SCRATCH"));
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	enter_root(argv[0]);
	if (sethostname("conformance", 11) == -1 || setrlimit(RLIMIT_NOFILE, &files) == -1)
		fail("sethostname");
	setsid();
	syscall(SYS_close_range, 3U, ~0U, 0U);
	drop_capabilities();
	umask(022);
	execve(argv[1], argv + 1, env);
	fail(argv[1]);
}

/* As in the sandbox, whose loopback interface is up from the start. */
static void loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || ioctl(fd, SIOCSIFFLAGS, &ifr) == -1)
		fail("bring up the loopback interface");
	close(fd);
}

int conf_native(int argc, char **argv)
{
	int status;

	(void)argc;
	if (unshare(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET) == -1)
		fail("unshare");
	loopback_up();
	pid_t pid = fork();
	if (pid == 0)
		become_init(argv);
	if (pid == -1 || waitpid(pid, &status, 0) == -1)
		fail("fork");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors, capabilities and process flags; the system calls are in seccomp_filter.c. */
#include "gofer/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "util/checked.h"
#include "util/cleanup.h"

/* What acting for every user of the container's files takes; no device nodes. */
static const cap_value_t kept_capabilities[] = {
	CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID, CAP_SETFCAP,
};

/* A procfs of its own, mounted nowhere, in which only this process can be seen. */
static int private_procfs(void)
{
	AUTO_CLOSE int context = fsopen("proc", FSOPEN_CLOEXEC);

	if (context < 0)
		return -1;
	/* Older kernels lack these two; the mount then shows more, but is still private. */
	if (fsconfig(context, FSCONFIG_SET_STRING, "hidepid", "ptraceable", 0) < 0 ||
	    fsconfig(context, FSCONFIG_SET_STRING, "subset", "pid", 0) < 0)
		errno = 0;
	if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(context, FSMOUNT_CLOEXEC,
		       MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

int confine_open_proc(int proc_fd, struct error **err)
{
	AUTO_CLOSE int private = -1;
	int fd;

	if (proc_fd < 0)
		proc_fd = private = private_procfs();
	if (proc_fd >= 0)
		fd = openat(proc_fd, "self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	else
		fd = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : error_set_errno(err, -errno, "open a procfs");
}

static int compare_fds(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

int confine_descriptors(int *keep, size_t count, struct error **err)
{
	unsigned int next = 0;

	qsort(keep, count, sizeof(*keep), compare_fds);
	for (size_t i = 0; i <= count; i++) {
		unsigned int end = i < count ? (unsigned int)keep[i] : ~0u;

		if (next < end && close_range(next, end - (i < count), 0) < 0)
			return error_set_errno(err, -errno, "close inherited descriptors");
		next = end + 1;
	}
	return 0;
}

static int drop_capabilities(void)
{
	cap_t current = cap_get_proc(), kept = cap_init();
	int ret = -1;

	if (!current || !kept)
		goto out;
	for (size_t i = 0; i < ARRAY_SIZE(kept_capabilities); i++) {
		cap_flag_value_t have = CAP_CLEAR;

		if (cap_get_flag(current, kept_capabilities[i], CAP_PERMITTED, &have) < 0)
			goto out;
		if (have == CAP_CLEAR)
			continue;
		if (cap_set_flag(kept, CAP_PERMITTED, 1, &kept_capabilities[i], CAP_SET) < 0 ||
		    cap_set_flag(kept, CAP_EFFECTIVE, 1, &kept_capabilities[i], CAP_SET) < 0)
			goto out;
	}
	if (cap_reset_ambient() < 0 && errno != EINVAL)
		goto out;
	/* Without CAP_SETPCAP the bounding set stays, and no_new_privs alone makes it idle. */
	for (cap_value_t cap = 0; cap < cap_max_bits(); cap++)
		if (cap_get_bound(cap) == 1 && cap_drop_bound(cap) < 0 && errno != EPERM)
			goto out;
	ret = cap_set_proc(kept);
out:
	cap_free(current);
	cap_free(kept);
	return ret;
}

int confine_privileges(struct error **err)
{
	const struct rlimit no_core = { 0, 0 };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_set_errno(err, -errno, "set no_new_privs");
	if (setrlimit(RLIMIT_CORE, &no_core) < 0)
		return error_set_errno(err, -errno, "set the core limit");
	if (drop_capabilities() < 0)
		return error_set_errno(err, -errno, "drop capabilities");
	/* Last: changing credentials may set it again. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_set_errno(err, -errno, "make the process not dumpable");
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* ioctl_nsfs(2): numbers of namespaces that are never used again, and mount namespaces one after the other. */
#include "conformance.h"

#include <sys/ioctl.h>
#include <sys/mount.h>

#define NSIO 0xb7
#define NS_GET_MNTNS_ID _IOR(NSIO, 0x5, uint64_t)
#define NS_GET_ID _IOR(NSIO, 0xd, uint64_t)

struct info {
	uint32_t size, nr_mounts;
	uint64_t id;
};

#define NS_MNT_GET_INFO _IOR(NSIO, 0xa, struct info)
#define NS_MNT_GET_NEXT _IOR(NSIO, 0xb, struct info)
#define NS_MNT_GET_PREV _IOR(NSIO, 0xc, struct info)

static int open_ns(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	return (int)MUST(open(path, O_RDONLY | O_CLOEXEC));
}

static uint64_t id_of(int fd)
{
	uint64_t id = 0;

	MUST(ioctl(fd, NS_GET_ID, &id));
	return id;
}

CASE(namespace_numbers)
{
	static const char *const names[] = { "mnt", "pid", "user", "net", "uts", "ipc", "cgroup", "time" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		int fd = open_ns(names[i]), again = open_ns(names[i]);
		struct info info = { 0 };
		uint64_t id = 0;

		note("%s", names[i]);
		show("id", ioctl(fd, NS_GET_ID, &id));
		show_int("some", id != 0);
		show_int("the same again", id == id_of(again));
		for (size_t j = 0; j < i; j++)
			if (id_of(open_ns(names[j])) == id)
				note("as that of %s", names[j]);
		show("mount namespace's", ioctl(fd, NS_GET_MNTNS_ID, &id));
		show_int("the same", id == id_of(fd));
		show("info", ioctl(fd, NS_MNT_GET_INFO, &info));
		show_ok("next", i ? ioctl(fd, NS_MNT_GET_NEXT, &info) : 0);
		show("bad address", ioctl(fd, NS_GET_ID, bad_ptr()));
		show("bad address", ioctl(fd, NS_GET_MNTNS_ID, bad_ptr()));
	}
}

CASE_WITH_ADMIN(namespace_mount_info)
{
	struct {
		struct info info;
		uint64_t more[4];
	} large;
	struct info info = { 0 };
	uint32_t before;
	int fd;

	MUST(unshare(CLONE_NEWNS));
	use_tmpfs();
	fd = open_ns("mnt");
	show("info", ioctl(fd, NS_MNT_GET_INFO, &info));
	show_int("size", info.size);
	show_int("id", info.id == id_of(fd));
	before = info.nr_mounts;
	MUST(mount("none", ".", "tmpfs", 0, NULL));
	show("info", ioctl(fd, NS_MNT_GET_INFO, &info));
	show_int("more mounts", info.nr_mounts - before);
	show("no address", ioctl(fd, NS_MNT_GET_INFO, NULL));
	show("bad address", ioctl(fd, NS_MNT_GET_INFO, bad_ptr()));
	memset(&large, 0xff, sizeof(large));
	show("large", ioctl(fd, _IOC(_IOC_READ, NSIO, 0xa, sizeof(large)), &large));
	show_int("size", large.info.size);
	show_int("rest", (long long)(large.more[0] | large.more[3]));
	show("small", ioctl(fd, _IOC(_IOC_READ, NSIO, 0xa, 8), &large));
	show("written", ioctl(fd, _IOC(_IOC_WRITE, NSIO, 0xa, 16), &large));
	show("unknown", ioctl(fd, _IOC(_IOC_READ, NSIO, 0x20, 16), &large));
}

/* Only in the machine's first PID namespace can one go from one to the next. */
CASE_WITH_ADMIN(namespace_mount_walk)
{
	int fd = open_ns("mnt");
	struct info info;

	show("next", ioctl(fd, NS_MNT_GET_NEXT, &info));
	show("previous", ioctl(fd, NS_MNT_GET_PREV, &info));
	show("bad address", ioctl(fd, NS_MNT_GET_NEXT, bad_ptr()));
	show("no address", ioctl(fd, NS_MNT_GET_PREV, NULL));
	show("small", ioctl(fd, _IOC(_IOC_READ, NSIO, 0xb, 8), &info));
	show("of another kind", ioctl(open_ns("uts"), NS_MNT_GET_NEXT, &info));
	MUST(unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID));
	show("in namespaces of its own", ioctl(open_ns("mnt"), NS_MNT_GET_PREV, &info));
}

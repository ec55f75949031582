/* SPDX-License-Identifier: Apache-2.0 */
/* The options of mount(2), and the flags that belong to the file system and not to the mount. */
#include "mount_tree.h"

#include <sys/mount.h>
#include <sys/statvfs.h>

CASE(mount_options)
{
	static const char *const options[] = {
		"",
		",",
		"size=64k",
		"size=64k,,mode=700",
		"ro",
		"rw",
		"sync",
		"nosuch",
		"mode",
		"=x",
		"=,mode=711",
		"source=other",
		"source",
		"uid=5",
		"inode64",
		"inode64=1",
		"lazytime,dirsync",
		"mode=",
		"size=",
		"huge=never",
		"ro,rw",
		"nosuid",
	};

	begin();
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		int rc = mount("from", "t/a", "tmpfs", 0, options[i]);

		note("%s", options[i]);
		show(" mount", rc);
		if (rc < 0)
			continue;
		show_options(" options", "t/a");
		MUST(umount2("t/a", 0));
	}
	show("no source", mount(NULL, "t/a", "tmpfs", 0, "source=here"));
	show_options("options", "t/a");
	show("flags",
	     mount("", "t/b", "tmpfs",
		   MS_SYNCHRONOUS | MS_DIRSYNC | MS_LAZYTIME | MS_MANDLOCK | MS_RDONLY, NULL));
	show_options("options", "t/b");
	show("no such type", mount("x", "t/b", "nosuchfs", 0, "nosuch"));
	show("sysfs", mount("x", "t/b", "sysfs", 0, "nosuch"));
	show("mqueue", mount("x", "t/b", "mqueue", 0, "nosuch"));
}

static void show_line(const char *file, const char *at)
{
	static char line[4096];
	FILE *f = fopen(file, "re");

	MUST(f ? 0 : -1);
	while (fgets(line, sizeof(line), f)) {
		char *found = strstr(line, at);

		if (found)
			show_str(file, found + strlen(at));
	}
	fclose(f);
}

static unsigned int flags_of_super(const char *path)
{
	struct {
		uint32_t size, spare;
		uint64_t id, what;
	} request = { 24, 0, 0, 1 };
	uint64_t answer[64] = { 0 };
	char stx[256];

	MUST(syscall(SYS_statx, AT_FDCWD, path, 0, 0x4000, stx));
	memcpy(&request.id, stx + 0x90, sizeof(request.id));
	MUST(syscall(457, &request, answer, sizeof(answer), 0));
	return (unsigned int)answer[4];
}

CASE(mount_super_flags)
{
	static const unsigned long flags[] = { MS_SYNCHRONOUS, MS_DIRSYNC, MS_LAZYTIME,
					       MS_MANDLOCK };
	struct statvfs st;

	begin();
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		MUST(mount("none", "t/a", "tmpfs", flags[i] | MS_NOSUID, "mode=700"));
		show_options("options", "t/a");
		show_line("/proc/self/mounts", "/t/a ");
		MUST(statvfs("t/a", &st));
		show_hex("flags", st.f_flag);
		show_hex("super block's", flags_of_super("t/a"));
		show("remount", mount(NULL, "t/a", NULL, MS_REMOUNT, NULL));
		show_options("remounted", "t/a");
		show("remount",
		     mount(NULL, "t/a", NULL, MS_REMOUNT | MS_SYNCHRONOUS | MS_RDONLY, NULL));
		show_options("remounted", "t/a");
		MUST(umount2("t/a", 0));
	}
}

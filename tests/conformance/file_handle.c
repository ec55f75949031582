/* SPDX-License-Identifier: Apache-2.0
 *
 * Handles of files: what has none, what identifies only, and who may open one.
 */
#include "conformance.h"

#ifndef AT_HANDLE_FID
#define AT_HANDLE_FID 0x200
#endif

struct handle {
	struct file_handle h;
	unsigned char room[128];
};

static long name_to(int dir, const char *name, struct handle *h, unsigned bytes, int flags)
{
	int mount = -5;

	memset(h, 0, sizeof(*h));
	h->h.handle_bytes = bytes;
	return name_to_handle_at(dir, name, &h->h, &mount, flags);
}

CASE(name_to_handle_rules)
{
	struct handle h, again;
	int mount, ends[2];

	MUST(pipe(ends));
	show("proc", name_to(AT_FDCWD, "/proc/self/stat", &h, 128, 0));
	show_int("bytes stay", h.h.handle_bytes);
	show("pipe", name_to(ends[0], "", &h, 128, AT_EMPTY_PATH));
	show("nothing there", name_to(AT_FDCWD, "missing", &h, 128, 0));
	show("empty", name_to(AT_FDCWD, "", &h, 128, 0));
	show("bad directory", name_to(99, "f", &h, 128, 0));
	show("bad name", name_to_handle_at(AT_FDCWD, bad_ptr(), &h.h, &mount, 0));
	show("unknown flag", name_to(AT_FDCWD, ".", &h, 128, 0x100));
	show("identifying and connectable", name_to(AT_FDCWD, ".", &h, 128, AT_HANDLE_FID | 2));
	/* of proc, whose handles only identify */
	show("identifier", name_to(AT_FDCWD, "/proc/self/stat", &h, 128, AT_HANDLE_FID));
	show_int("bytes", h.h.handle_bytes);
	show_hex("type", (unsigned)h.h.handle_type);
	show("the same", name_to(AT_FDCWD, "/proc/self/stat", &again, 128, AT_HANDLE_FID));
	show_int("same", memcmp(&h, &again, 20) == 0);
	show("another", name_to(AT_FDCWD, "/proc/self/status", &again, 128, AT_HANDLE_FID));
	show_int("same", memcmp(&h, &again, 20) == 0);
	show("no room", name_to(AT_FDCWD, "/proc/self/stat", &h, 8, AT_HANDLE_FID));
	show_int("bytes", h.h.handle_bytes);
	show("just enough", name_to(AT_FDCWD, "/proc/self/stat", &h, 12, AT_HANDLE_FID));
	show("too much room", name_to(AT_FDCWD, "/proc/self/stat", &h, 129, AT_HANDLE_FID));
	show("bad handle", name_to_handle_at(AT_FDCWD, "/proc/self/stat", bad_ptr(), &mount, AT_HANDLE_FID));
	h.h.handle_bytes = 128;
	show("bad mount id", name_to_handle_at(AT_FDCWD, "/proc/self/stat", &h.h, bad_ptr(), AT_HANDLE_FID));
}

CASE(open_by_handle_rules)
{
	struct handle h = { .h = { .handle_bytes = 12, .handle_type = 1 } };
	int dir = (int)MUST(open(".", O_RDONLY));

	show("without the capability", open_by_handle_at(dir, &h.h, O_RDONLY));
	show("here", open_by_handle_at(AT_FDCWD, &h.h, O_RDONLY));
	show("bad directory", open_by_handle_at(99, &h.h, O_RDONLY));
	show("bad handle", open_by_handle_at(dir, bad_ptr(), O_RDONLY));
	show("both", open_by_handle_at(99, bad_ptr(), O_RDONLY));
	h.h.handle_bytes = 0;
	show("empty", open_by_handle_at(99, &h.h, O_RDONLY));
	h.h.handle_bytes = 129;
	show("too large", open_by_handle_at(99, &h.h, O_RDONLY));
	h.h.handle_bytes = 12;
	h.h.handle_type = -1;
	show("negative type", open_by_handle_at(99, &h.h, O_RDONLY));
}

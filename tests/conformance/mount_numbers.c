/* SPDX-License-Identifier: Apache-2.0 */
/* statmount and listmount: a case's mounts by their unique numbers. */
#include "mount_tree.h"

#include <sys/mount.h>
#include <sys/sysmacros.h>

#define ALL (~0ULL)
#define REVERSE 1U

struct request {
	uint32_t size, spare;
	uint64_t id, param, ns;
	uint64_t more[2];
};

struct answer {
	uint32_t size, options;
	uint64_t mask;
	uint32_t major, minor;
	uint64_t magic;
	uint32_t sb_flags, type;
	uint64_t id, parent;
	uint32_t old_id, old_parent;
	uint64_t attributes, propagation, group, master, from;
	uint32_t root, place;
	uint64_t ns;
	uint32_t subtype, source, option_count, option_array, security_count, security_array;
	uint64_t supported;
	uint32_t uid_count, uids, gid_count, gids;
	uint64_t spare[43];
	char text[8192];
};

static struct answer answer;

/* Unique, and as it is in mountinfo. */
static uint64_t id_of(const char *path, bool unique)
{
	struct statx stx;

	memset(&stx, 0, sizeof(stx));
	MUST(statx(AT_FDCWD, path, 0, unique ? 0x4000 : 0x1000, &stx));
	if (!(stx.stx_mask & (unique ? 0x4000U : 0x1000U)))
		note("%s: no number", path);
	return *(uint64_t *)(void *)((char *)&stx + 0x90);
}

static long ask(uint64_t id, uint64_t param, uint64_t size)
{
	struct request rq = { .size = 24, .id = id, .param = param };

	memset(&answer, 0x55, sizeof(answer));
	return syscall(457, &rq, &answer, size, 0);
}

static void show_text(const char *label, uint32_t at, uint64_t bit)
{
	if (answer.mask & bit)
		show_str(label, answer.text + at);
}

static void show_mount(const char *label, const char *path)
{
	uint64_t id = id_of(path, true);

	note("%s", label);
	show("statmount", ask(id, 0x7fff & ~0x1000ULL, sizeof(answer)));
	show_hex("mask", answer.mask);
	show_int("its number", answer.id == id);
	show_int("and the old one", answer.old_id == id_of(path, false));
	show_hex("magic", answer.magic);
	show_hex("file system's flags", answer.sb_flags);
	show_hex("attributes", answer.attributes);
	show_hex("propagation", answer.propagation);
	show_int("group", answer.group != 0);
	show_int("master", answer.master != 0);
	show_int("from", answer.from != 0);
	show_int("options", answer.option_count);
	show_int("others", answer.security_count | answer.uid_count | answer.gid_count);
	show_text("type", answer.type, 0x20);
	show_text("root", answer.root, 0x8);
	show_text("options", answer.options, 0x80);
	show_text("source", answer.source, 0x200);
	for (uint32_t i = 0, at = answer.option_array; answer.mask & 0x400 && i < answer.option_count; i++) {
		show_str("option", answer.text + at);
		at += (uint32_t)strlen(answer.text + at) + 1;
	}
}

CASE(statmount_fields)
{
	struct stat st;

	begin();
	MUST(mount("name", "t/a", "tmpfs", MS_NOSUID | MS_NOATIME, "size=1m,mode=700"));
	MUST(mkdir("t/a/x", 0700));
	MUST(mount("t/a/x", "t/b", NULL, MS_BIND, NULL));
	MUST(mount(NULL, "t/b", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOEXEC | MS_NODEV | MS_STRICTATIME, NULL));
	show_mount("tmpfs", "t/a");
	MUST(stat("t/a", &st));
	show_int("device", st.st_dev == makedev(answer.major, answer.minor));
	show_int("parent", answer.parent == id_of("t", true));
	show_int("old parent", answer.old_parent == id_of("t", false));
	show_int("place", strstr(answer.text + answer.place, "/t/a") != NULL);
	show_mount("bind mount", "t/b");
	propagate("t/a", MS_SHARED);
	MUST(bind_mount("t/a", "t/c"));
	MUST(bind_mount("t/a", "t/d"));
	propagate("t/c", MS_SLAVE);
	propagate("t/d", MS_SLAVE);
	propagate("t/d", MS_SHARED);
	show_mount("shared", "t/a");
	show_mount("slave", "t/c");
	show_mount("both", "t/d");
	propagate("t/b", MS_UNBINDABLE);
	show_mount("unbindable", "t/b");
	show_mount("proc", "/proc");
}

CASE(statmount_sizes)
{
	uint64_t id;

	begin();
	id = id_of("t", true);
	for (int bit = 0; bit < 64; bit += bit < 17 ? 1 : 23) {
		/* whose lengths are not the same natively */
		if (bit == 4 || bit == 7 || bit == 9 || bit == 10)
			continue;
		note("bit %d", bit);
		show("statmount", ask(id, 1ULL << bit, sizeof(answer)));
		show_int("size", answer.size);
		show_hex("mask", answer.mask);
		if (bit == 12)
			show_hex("supported", answer.supported);
	}
	show("nothing", ask(id, 0, sizeof(answer)));
	show_int("size", answer.size);
	show("head only", ask(id, 2, 8));
	show_int("size", answer.size);
	show("less than all", ask(id, 2, 511));
	show_int("size", answer.size);
	show("all", ask(id, 2, 512));
	show("no room at all", ask(id, 2, 0));
	show("no room for strings", ask(id, 0x20, 512));
	show("nor in less", ask(id, 0x20, 511));
	for (uint64_t size = 513; size < 522; size++)
		show("type", ask(id, 0x20, size));
	for (uint64_t size = 513; size < 516; size++)
		show("root", ask(id, 0x8, size));
}

CASE(statmount_rules)
{
	struct request rq = { .size = 24, .param = 2 };
	uint64_t id;

	begin();
	rq.id = id = id_of("t", true);
	show("unknown flag", syscall(457, &rq, &answer, sizeof(answer), 1));
	show("bad request", syscall(457, bad_ptr(), &answer, sizeof(answer), 0));
	show("bad answer", syscall(457, &rq, bad_ptr(), sizeof(answer), 0));
	rq.size = 23;
	show("small", syscall(457, &rq, &answer, sizeof(answer), 0));
	rq.size = 4097;
	show("large", syscall(457, &rq, &answer, sizeof(answer), 0));
	rq.size = sizeof(rq);
	show("with zeroes", syscall(457, &rq, &answer, sizeof(answer), 0));
	rq.more[1] = 1;
	show("with more", syscall(457, &rq, &answer, sizeof(answer), 0));
	rq.more[1] = 0;
	rq.ns = 1;
	show("unknown namespace", syscall(457, &rq, &answer, sizeof(answer), 0));
	rq.ns = 0;
	MUST(ask(id, 0x40, sizeof(answer)));
	rq.ns = answer.ns;
	show("own namespace", syscall(457, &rq, &answer, sizeof(answer), 0));
	show("an old number", ask(id_of("t", false), 2, sizeof(answer)));
	show("none", ask(0, 2, sizeof(answer)));
	show("unknown", ask(ALL - 5, 2, sizeof(answer)));
	MUST(umount2("t", MNT_DETACH));
	show("gone", ask(id, 2, sizeof(answer)));
}

static void list(const char *label, uint64_t id, uint64_t after, size_t max, unsigned int flags)
{
	struct request rq = { .size = 24, .id = id, .param = after };
	uint64_t ids[16] = { 0 };
	long count = syscall(458, &rq, ids, max, flags);

	show(label, count);
	for (long i = 0; i < count; i++) {
		char *at;

		MUST(ask(ids[i], 0x10, sizeof(answer)));
		at = strstr(answer.text + answer.place, "/t");
		note("| %s", at ? at : "?");
	}
}

CASE(listmount_order)
{
	uint64_t top, a;

	begin();
	tmpfs("t/a");
	MUST(mkdir("t/a/x", 0700));
	tmpfs("t/a/x");
	tmpfs("t/b");
	tmpfs("t/a");
	tmpfs("t/c");
	top = id_of("t", true);
	a = id_of("t/b", true);
	list("all below", top, 0, 16, 0);
	list("some", top, 0, 2, 0);
	list("none", top, 0, 0, 0);
	list("backwards", top, 0, 16, REVERSE);
	list("after one", top, a, 16, 0);
	list("before one", top, a, 16, REVERSE);
	list("after the last", top, id_of("t/c", true), 16, 0);
	list("of a leaf", a, 0, 16, 0);
	list("after what is not there", top, a + 1000, 16, 0);
	list("by an old number", id_of("t", false), 0, 16, 0);
	list("after an old number", top, 5, 16, 0);
	list("of what is not there", ALL - 7, 0, 16, 0);
	list("unknown flag", top, 0, 16, 2);
	list("too many", top, 0, 1000001, 0);
	show("bad address", syscall(458, &(struct request){ .size = 24, .id = top }, bad_ptr(), 4, 0));
	show("bad request", syscall(458, bad_ptr(), &top, 1, 0));
	MUST(chroot("t/a"));
	list("in another root", ALL, 0, 16, 0);
	RUN_CHILD("without privilege")
	{
		become_user(0);
		list("what is not seen", top, 0, 1, 0);
		show("of what is not seen", ask(top, 2, sizeof(answer)));
	}
}

CASE(mount_numbers_elsewhere)
{
	struct {
		struct file_handle h;
		unsigned char room[128];
	} h = { .h = { .handle_bytes = 128 } };
	uint64_t id = 0;

	begin();
	tmpfs("t/a");
	show("handle", name_to_handle_at(AT_FDCWD, "t/a", &h.h, (int *)(void *)&id, 1 /* AT_HANDLE_MNT_ID_UNIQUE */));
	show_int("the same", id == id_of("t/a", true));
	show_int("of the other", id != id_of("t", true));
	show_int("large", id > 1ULL << 31);
}

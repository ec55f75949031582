/* SPDX-License-Identifier: Apache-2.0
 *
 * File and shared mappings, memfd and seals, copy-on-write over fork, /proc/self/maps.
 */
#include "conformance.h"

#include <sys/uio.h>

#define PAGE 4096UL
#define RW (PROT_READ | PROT_WRITE)

static int file_of(const char *path, size_t size)
{
	int fd = (int)MUST(open(path, O_RDWR | O_CREAT | O_TRUNC, 0600));

	MUST(ftruncate(fd, (off_t)size));
	return fd;
}

static char *map_fd(int fd, size_t size, int flags, off_t offset)
{
	char *base = mmap(NULL, size, RW, flags, fd, offset);

	MUST((long)base);
	return base;
}

CASE(shared_file_coherence)
{
	char buffer[8] = "";
	int fd = file_of("f", 2 * PAGE);
	char *one = map_fd(fd, 2 * PAGE, MAP_SHARED, 0), *two = map_fd(fd, PAGE, MAP_SHARED, PAGE);

	memcpy(one, "mapped", 6);
	show_data("pread sees it", buffer, pread(fd, buffer, 6, 0));
	show("pwrite", pwrite(fd, "written", 7, PAGE));
	show_data("mapping sees it", one + PAGE, 7);
	show_data("other mapping too", two, 7);
	close(fd);
	two[0] = 'W';
	show_data("without fd", one + PAGE, 7);
	show("msync", msync(one, 2 * PAGE, MS_SYNC));
}

CASE(shared_file_between_processes)
{
	int fd = file_of("f", PAGE);
	char *base = map_fd(fd, PAGE, MAP_SHARED, 0);

	RUN_CHILD("child, inherited mapping")
	{
		memcpy(base, "child", 5);
	}
	show_data("parent", base, 5);
	RUN_CHILD("child, own mapping")
	{
		int own = (int)MUST(open("f", O_RDWR));
		memcpy(map_fd(own, PAGE, MAP_SHARED, 0), "CHILD", 5);
	}
	show_data("parent", base, 5);
	RUN_CHILD("child, pwrite")
	{
		show("pwrite", pwrite(fd, "third", 5, 0));
	}
	show_data("parent", base, 5);
}

CASE(private_file_is_copied)
{
	char buffer[8] = "";

	write_file("f", "original", 0600);
	int fd = (int)MUST(open("f", O_RDWR));
	char *base = map_fd(fd, PAGE, MAP_PRIVATE, 0);
	memcpy(base, "PRIVATE!", 8);
	show_data("file", buffer, pread(fd, buffer, 8, 0));
	show_data("mapping", base, 8);
	RUN_CHILD("child")
	{
		show_data("inherits", base, 8);
		base[0] = '?';
	}
	show_data("parent", base, 8);
	show_data("past the end of the file", base + 8, 4);
}

CASE(private_anonymous_over_fork)
{
	char *base = map_fd(-1, 64 * PAGE, MAP_PRIVATE | MAP_ANONYMOUS, 0);
	int ends[2];
	char byte;

	MUST(pipe(ends));
	memset(base, 'p', 64 * PAGE);
	pid_t pid = (pid_t)MUST(fork());
	if (pid == 0) {
		MUST(read(ends[0], &byte, 1));
		int bad = 0;
		for (size_t i = 0; i < 64 * PAGE; i++)
			bad += base[i] != 'p';
		memset(base, 'c', 64 * PAGE);
		_exit(bad != 0);
	}
	memset(base, 'q', 64 * PAGE);
	MUST(write(ends[1], "x", 1));
	show_wait("child saw the old bytes", pid);
	int bad = 0;
	for (size_t i = 0; i < 64 * PAGE; i++)
		bad += base[i] != 'q';
	show_int("parent's wrong bytes", bad);
}

CASE(shared_anonymous_over_fork)
{
	int *base = (int *)(void *)map_fd(-1, PAGE, MAP_SHARED | MAP_ANONYMOUS, 0);

	for (int i = 0; i < 4; i++)
		RUN_CHILD("child")
		{
			for (int j = 0; j < 1000; j++)
				__atomic_add_fetch(base, 1, __ATOMIC_SEQ_CST);
		}
	show_int("counted", *base);
}

CASE(shared_mremap)
{
	int fd = file_of("f", 8 * PAGE);

	for (int i = 0; i < 8; i++)
		MUST(pwrite(fd, &(char){ (char)('0' + i) }, 1, (off_t)(i * (int)PAGE)));
	char *base = map_fd(fd, 2 * PAGE, MAP_SHARED, PAGE);
	char *grown = mremap(base, 2 * PAGE, 6 * PAGE, MREMAP_MAYMOVE);
	show_ptr("grow", grown);
	note("%c %c %c", grown[0], grown[PAGE], grown[5 * PAGE]);
	char *copy = mremap(grown, 0, 2 * PAGE, MREMAP_MAYMOVE);
	show_ptr("duplicate with old size 0", copy);
	copy[0] = 'c';
	note("%c", grown[0]);
}

CASE(msync_errors)
{
	int fd = file_of("f", 2 * PAGE);
	char *base = map_fd(fd, 2 * PAGE, MAP_SHARED, 0);

	show("async", msync(base, PAGE, MS_ASYNC));
	show("invalidate", msync(base, PAGE, MS_INVALIDATE));
	show("both", msync(base, PAGE, MS_SYNC | MS_ASYNC));
	show("bad flags", msync(base, PAGE, 0x100));
	show("not aligned", msync(base + 1, PAGE, MS_SYNC));
	show("length 0", msync(base, 0, MS_SYNC));
	MUST(munmap(base, PAGE));
	show("hole", msync(base, 2 * PAGE, MS_SYNC));
}

CASE(memfd_basics)
{
	struct stat st;
	int fd = memfd_create("name", MFD_CLOEXEC);

	show_ok("create", fd);
	show("cloexec", fcntl(fd, F_GETFD));
	show_hex("flags", (unsigned int)fcntl(fd, F_GETFL));
	MUST(fstat(fd, &st));
	note("mode %o nlink %lu size %lld", st.st_mode, (unsigned long)st.st_nlink,
	     (long long)st.st_size);
	show("write", write(fd, "hello", 5));
	show("truncate", ftruncate(fd, 2 * PAGE));
	char *base = map_fd(fd, 2 * PAGE, MAP_SHARED, 0);
	show_data("mapped", base, 8);
	base[PAGE] = 'x';
	char byte = 0;
	show("pread", pread(fd, &byte, 1, PAGE));
	show_int("byte", byte);
	char link[64] = "", path[40];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	show_data("link", link, readlink(path, link, sizeof(link)));
	show("bad flags", memfd_create("x", 0x40000000));
	show("bad name", memfd_create(bad_ptr(), 0));
	char name[300];
	memset(name, 'n', 299);
	name[299] = '\0';
	show("long name", memfd_create(name, 0));
	show("seals without ALLOW_SEALING", fcntl(fd, F_GET_SEALS));
	show("add", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
}

CASE(memfd_seals)
{
	int fd = (int)MUST(memfd_create("s", MFD_ALLOW_SEALING));

	MUST(ftruncate(fd, 2 * PAGE));
	show("none yet", fcntl(fd, F_GET_SEALS));
	char *base = map_fd(fd, PAGE, MAP_SHARED, 0);
	show("write seal while mapped", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	MUST(munmap(base, PAGE));
	show("shrink", fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
	show("ftruncate down", ftruncate(fd, PAGE));
	show("ftruncate up", ftruncate(fd, 3 * PAGE));
	show("grow", fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	show("ftruncate up", ftruncate(fd, 4 * PAGE));
	show("write past the end", pwrite(fd, "x", 1, 3 * PAGE));
	show("write inside", pwrite(fd, "x", 1, 0));
	show("write seal", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	show("write", pwrite(fd, "x", 1, 0));
	show("punch", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE));
	show_ptr("map writable", mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0));
	show_ptr("map private", mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0));
	show("seal", fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
	show("no more", fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	show_hex("all", (unsigned int)fcntl(fd, F_GET_SEALS));
	show("bad seal", fcntl(fd, F_ADD_SEALS, 0x1000));
	show("on another file", fcntl(file_of("plain", 1), F_GET_SEALS));
	show("on a pipe", fcntl(STDIN_FILENO, F_GET_SEALS));
}

/* The permissions /proc/self/maps has for an address, and where the entry ends relative to it. */
static void show_maps(const char *label, const char *addr)
{
	char line[512];
	unsigned long start, end, offset;
	char perms[8] = "", path[400];
	FILE *maps = fopen("/proc/self/maps", "re");

	if (maps == NULL) {
		show(label, -1);
		return;
	}
	bool found = false;
	while (!found && fgets(line, sizeof(line), maps) != NULL) {
		path[0] = '\0';
		if (sscanf(line, "%lx-%lx %7s %lx %*s %*s %399s", &start, &end, perms, &offset,
			   path) < 4)
			continue;
		found = (uintptr_t)addr >= start && (uintptr_t)addr < end;
	}
	fclose(maps);
	if (found)
		note("%s: %s offset 0x%lx file %s", label, perms, offset,
		     path[0] == '/' ? basename(path) : path);
	else
		note("%s: not mapped", label);
}

CASE(maps_permissions)
{
	static int in_data = 1;
	char on_stack;
	int fd = file_of("somefile", 4 * PAGE);
	char *base = map_fd(fd, 3 * PAGE, MAP_SHARED, PAGE);

	show_maps("shared file", base);
	MUST(mprotect(base + PAGE, PAGE, PROT_READ));
	show_maps("after mprotect", base + PAGE);
	show_maps("behind it", base + 2 * PAGE);
	MUST(munmap(base, PAGE));
	show_maps("unmapped", base);
	char *private = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	show_maps("private rx", private);
	char *anon = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	show_maps("none", anon);
	show_maps("shared anonymous", map_fd(-1, PAGE, MAP_SHARED | MAP_ANONYMOUS, 0));
	show_maps("stack", &on_stack);
	show_maps("heap", (char *)syscall(SYS_brk, 0) - 1);
	show_maps("data", (char *)&in_data);
	MUST(unlink("somefile"));
	char line[512];
	int deleted = 0;
	FILE *maps = fopen("/proc/self/maps", "re");
	while (maps != NULL && fgets(line, sizeof(line), maps) != NULL)
		deleted += strstr(line, "somefile (deleted)") != NULL;
	show_int("deleted entries", deleted);
}

CASE(maps_are_sorted)
{
	char line[512];
	unsigned long start, end, last = 0;
	int wrong = 0, vdso = 0, stack = 0;
	FILE *maps = fopen("/proc/self/maps", "re");

	if (maps == NULL)
		skip("no /proc/self/maps");
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%lx-%lx", &start, &end) != 2 || start < last || end <= start)
			wrong++;
		last = end;
		vdso += strstr(line, "[vdso]") != NULL;
		stack += strstr(line, "[stack]") != NULL;
	}
	fclose(maps);
	note("wrong lines %d, vdso %d, stack %d", wrong, vdso, stack);
}

CASE(process_vm_access)
{
	char here[16] = "here", there[16] = "there", buffer[16] = "";
	struct iovec local = { buffer, 5 }, remote = { there, 5 };

	show("readv self", process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
	show_str("buffer", buffer);
	local.iov_base = here;
	show("writev self", process_vm_writev(getpid(), &local, 1, &remote, 1, 0));
	show_str("there", there);
	remote.iov_base = bad_ptr();
	show("bad remote", process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
	show("bad pid", process_vm_readv(999999, &local, 1, &remote, 1, 0));
	show("bad flags", process_vm_readv(getpid(), &local, 1, &remote, 1, 1));
}

CASE(mapping_keeps_file_alive)
{
	int fd = file_of("f", PAGE);
	char *base = map_fd(fd, PAGE, MAP_SHARED, 0);

	strcpy(base, "still here");
	MUST(unlink("f"));
	close(fd);
	show_str("deleted and closed", base);
	file_of("f", PAGE);
	show_str("new file of that name", base);
}

CASE(read_into_mapping_of_itself)
{
	int fd = file_of("f", 4 * PAGE);
	char *base = map_fd(fd, 4 * PAGE, MAP_SHARED, 0);

	memset(base, 'a', 2 * PAGE);
	show("pread into itself", pread(fd, base + 2 * PAGE, 2 * PAGE, 0));
	show_int("copied", base[4 * PAGE - 1]);
	show("pwrite from itself", pwrite(fd, base, PAGE, 3 * PAGE));
	show("read into read-only", (mprotect(base, PAGE, PROT_READ), pread(fd, base, PAGE, PAGE)));
	show("partly read-only", pread(fd, base + PAGE - 10, 100, 0));
}

static long remap(void *at, size_t size, int prot, size_t page, int flags)
{
	return syscall(SYS_remap_file_pages, at, size, prot, page, flags);
}

CASE(remap_file_pages)
{
	int fd = (int)MUST(open("f", O_RDWR | O_CREAT, 0600)), ro;

	for (int i = 0; i < 8; i++) {
		char page[4096];

		memset(page, 'a' + i, sizeof(page));
		MUST(write(fd, page, sizeof(page)));
	}
	ro = (int)MUST(open("f", O_RDONLY));
	char *map = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *read_only = mmap(NULL, 8 * 4096, PROT_READ, MAP_SHARED, ro, 0);
	char *private = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	char *anon = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	show("turned round", remap(map, 4096, 0, 7, 0));
	note("%c%c", map[0], map[4096]);
	map[0] = 'X';
	show("across two parts", remap(map, 2 * 4096, 0, 3, 0));
	note("%c%c%c%c", map[0], map[4096], map[2 * 4096], map[7 * 4096]);
	show("not aligned", remap(map + 100, 4096 + 100, 0, 1, 0));
	note("%c%c", map[0], map[4096]);
	show("flags are ignored", remap(map, 4096, 0, 2, MAP_PRIVATE | MAP_NONBLOCK));
	show("protection", remap(map, 4096, PROT_READ, 2, 0));
	show("nothing", remap(map, 0, 0, 2, 0));
	show("less than a page", remap(map, 100, 0, 2, 0));
	show("page wraps", remap(map, 4096, 0, (size_t)-1, 0));
	show("page far away", remap(map, 4096, 0, (size_t)1 << 60, 0));
	show("wraps", remap(map, (size_t)-1, 0, 0, 0));
	show("private", remap(private, 4096, 0, 2, 0));
	show("read-only", remap(read_only, 4096, 0, 2, 0));
	note("%c", read_only[0]);
	show("and stays so", mprotect(read_only, 4096, PROT_READ | PROT_WRITE));
	memset(anon, 'n', 4096);
	show("anonymous", remap(anon + 4096, 4096, 0, 0, 0));
	note("%c", anon[4096]);
	MUST(munmap(map + 4 * 4096, 4096));
	show("hole", remap(map + 3 * 4096, 3 * 4096, 0, 0, 0));
	show("not mapped", remap(map + 4 * 4096, 4096, 0, 0, 0));
	MUST(mprotect(map + 2 * 4096, 4096, PROT_READ));
	show("two protections", remap(map + 4096, 2 * 4096, 0, 0, 0));
	note("%c%c", map[4096], map[2 * 4096]);
}

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#define MFD_EXEC 0x0010U
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020
#endif

CASE(memfd_exec_seal)
{
	static const unsigned int flags[] = { 0, MFD_ALLOW_SEALING, MFD_EXEC | MFD_ALLOW_SEALING, MFD_NOEXEC_SEAL,
					      MFD_NOEXEC_SEAL | MFD_EXEC };
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		int fd = memfd_create("x", flags[i]);

		note("flags %x", flags[i]);
		show_ok("made", fd);
		if (fd < 0)
			continue;
		show_hex("seals", (unsigned)fcntl(fd, F_GET_SEALS));
		show("seal", fcntl(fd, F_ADD_SEALS, F_SEAL_EXEC));
		show_hex("seals", (unsigned)fcntl(fd, F_GET_SEALS));
		show("other bits", fchmod(fd, i < 3 ? 0711 : 0600));
		show("more", fchmod(fd, 0777));
		show("fewer", fchmod(fd, 0710));
		show("none", fchmod(fd, 0));
		show("owner", fchown(fd, 1, 1));
		show("set-id bits", fchmod(fd, 04711));
		MUST(fstat(fd, &st));
		show_hex("mode", st.st_mode);
		show("write", write(fd, "x", 1));
		close(fd);
	}
}

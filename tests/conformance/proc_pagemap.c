/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID/pagemap and clear_refs: what is said of pages, positions and sizes, who may ask. */
#include "conformance.h"

#define PAGE 4096UL
/* Not where the page is, which only the privileged see. */
#define BITS (0xffUL << 55)
#define TASK_SIZE 0x7ffffffff000UL

static int open_map(const char *process)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s/pagemap", process);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static void show_pages(const char *label, int fd, const char *at, size_t count)
{
	uint64_t words[16];

	memset(words, 0x5a, sizeof(words));
	show(label, pread(fd, words, count * 8, (off_t)((uintptr_t)at / PAGE * 8)));
	for (size_t i = 0; i < count; i++)
		note("| %zu: %#lx", i, (unsigned long)(words[i] & BITS));
}

static char *map(int flags, int fd, size_t pages)
{
	char *at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);

	MUST(at == MAP_FAILED ? -1 : 0);
	/* No page of another size. */
	MUST(madvise(at, pages * PAGE, MADV_NOHUGEPAGE));
	return at;
}

CASE(pagemap_bits)
{
	int fd = (int)MUST(open_map("self")), file = memfd_create("x", 0);
	char *anonymous = map(MAP_PRIVATE | MAP_ANONYMOUS, -1, 6), *shared, *private, *memory;
	char name[16];

	MUST(ftruncate(file, 6 * PAGE));
	shared = map(MAP_SHARED | MAP_ANONYMOUS, -1, 4);
	memory = map(MAP_SHARED, file, 4);
	private = map(MAP_PRIVATE, file, 4);
	anonymous[PAGE] = shared[PAGE] = memory[PAGE] = 1;
	show_pages("anonymous", fd, anonymous, 3);
	show_pages("shared", fd, shared, 3);
	show_pages("file", fd, memory, 3);
	private[PAGE] = 1;
	show_int("read", *(volatile char *)private);
	show_pages("private", fd, private, 4);
	show_int("read", *(volatile char *)(anonymous + 2 * PAGE));
	show_pages("page of zeroes", fd, anonymous + 2 * PAGE, 1);
	MUST(madvise(anonymous, 2 * PAGE, MADV_DONTNEED));
	show_pages("given up", fd, anonymous, 2);
	MUST(munmap(anonymous, PAGE));
	show_pages("unmapped", fd, anonymous, 1);
	anonymous[PAGE] = 1;
	MUST(mprotect(anonymous + PAGE, PAGE, PROT_NONE));
	show_pages("protected", fd, anonymous + PAGE, 1);
	anonymous[3 * PAGE] = 1;
	RUN_CHILD("child")
	{
		int own = (int)MUST(open_map("self"));

		show_pages("common", own, anonymous + 3 * PAGE, 1);
		anonymous[3 * PAGE] = 2;
		show_pages("its own", own, anonymous + 3 * PAGE, 1);
		snprintf(name, sizeof(name), "%d", getppid());
		show_pages("parent's", open_map(name), anonymous + 3 * PAGE, 1);
	}
}

CASE(pagemap_positions)
{
	int fd = (int)MUST(open_map("self"));
	uint64_t words[1024];
	const off_t end = (off_t)(TASK_SIZE / PAGE * 8);

	show("nothing", read(fd, words, 0));
	show("odd size", read(fd, words, 7));
	show("odd size", pread(fd, words, 12, 0));
	show("odd position", pread(fd, words, 8, 4));
	show("start", read(fd, words, 16));
	show_hex("words", words[0] | words[1]);
	show("position", lseek(fd, 0, SEEK_CUR));
	show("last", pread(fd, words, 8, end - 8));
	show("over the end", pread(fd, words, 64, end - 16));
	show("end", pread(fd, words, 8, end));
	show("far", pread(fd, words, 8, INT64_MAX / 8 * 8));
	show("from the end", lseek(fd, 0, SEEK_END));
	show("set", lseek(fd, 80, SEEK_SET) == 80 ? 0 : -1);
	show("on", lseek(fd, 8, SEEK_CUR));
	show("bad address", read(fd, bad_ptr(), 8));
	show("write", write(fd, words, 8));
	show("open for writing", open("/proc/self/pagemap", O_RDWR));
	show("hole", pread(fd, words, sizeof(words), 0x1000000000 / PAGE * 8));
}

CASE(pagemap_rights)
{
	pid_t pid = (pid_t)MUST(fork());
	char name[32];
	uint64_t word;
	int fd;

	if (pid == 0) {
		pause();
		_exit(0);
	}
	snprintf(name, sizeof(name), "%d", pid);
	fd = open_map(name);
	show_ok("of a child", fd);
	RUN_CHILD("user")
	{
		become_user(1000);
		show("of root's process", open_map(name));
		show("own", open_map("self"));
	}
	MUST(kill(pid, SIGKILL));
	show_wait("child", pid);
	show("of the dead", pread(fd, &word, 8, 0));
	show("open", open_map(name));
}

static void clear(const char *label, const char *text)
{
	int fd = (int)MUST(open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC));

	show(label, write(fd, text, strlen(text)));
	close(fd);
}

/* What has an effect is refused, see docs/compatibility.md; the rest is as it is. */
CASE(clear_refs_rules)
{
	int fd = (int)MUST(open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC));
	struct stat st;

	MUST(fstat(fd, &st));
	show_hex("mode", st.st_mode);
	clear("soft-dirty", "4");
	clear("soft-dirty", "4\n");
	clear("with spaces", "  4  ");
	clear("zero", "0");
	clear("six", "6");
	clear("negative", "-1");
	clear("word", "x");
	clear("number and more", "4 4");
	clear("hexadecimal", "0x4");
	clear("nothing", "");
	clear("spaces", "  ");
	show("bad address", write(fd, bad_ptr(), 1));
	show("read", read(fd, &st, 1));
	for (int i = 0; i < 2; i++) {
		int readable = (int)MUST(
			open("/proc/self/clear_refs", (i ? O_RDONLY : O_RDWR) | O_CLOEXEC));

		show("read what can be read", read(readable, &st, 1));
		show("nothing of it", read(readable, &st, 0));
		show("further on", pread(readable, &st, 1, 5));
		show("seek", lseek(readable, 3, SEEK_SET));
		close(readable);
	}
	RUN_CHILD("user")
	{
		become_user(1000);
		show("of root's", open("/proc/1/clear_refs", O_WRONLY));
	}
}

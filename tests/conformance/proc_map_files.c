/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID/map_files: links named by the addresses of mappings. */
#include "conformance.h"

#include <dirent.h>

#define PAGE 4096UL

static char map_path[128];

static const char *name_of(const char *format, const void *at, size_t pages)
{
	unsigned long start = (unsigned long)at;
	char name[96];

	snprintf(name, sizeof(name), format, start, start + pages * PAGE);
	snprintf(map_path, sizeof(map_path), "/proc/self/map_files/%s", name);
	return map_path;
}

static bool is_link(const char *path)
{
	char target[512];

	return readlink(path, target, sizeof(target)) > 0;
}

/* A file of @pages pages in the working directory, mapped. */
static char *map_file(const char *name, int open_flags, int prot, int flags, size_t pages)
{
	int fd;
	char *at;

	fd = (int)MUST(open(name, O_RDWR | O_CREAT, 0600));
	MUST(ftruncate(fd, (off_t)(pages * PAGE)));
	close(fd);
	fd = (int)MUST(open(name, open_flags));
	at = mmap(NULL, pages * PAGE, prot, flags, fd, 0);
	MUST(at == MAP_FAILED ? -1 : 0);
	close(fd);
	return at;
}

CASE(map_files_names)
{
	char *at;

	use_tmpfs();
	at = map_file("file", O_RDONLY, PROT_READ, MAP_PRIVATE, 4);
	show_int("found", is_link(name_of("%lx-%lx", at, 4)));
	show_target_of("space before", name_of(" %lx-%lx", at, 4));
	show_target_of("space within", name_of("%lx -%lx", at, 4));
	show_target_of("space behind", name_of("%lx-%lx ", at, 4));
	show_target_of("zero before", name_of("0%lx-%lx", at, 4));
	show_target_of("zero within", name_of("%lx-0%lx", at, 4));
	show_target_of("too long", name_of("10000000000000000%lx-%lx", at, 4));
	show_int("capitals", is_link(name_of("%lX-%lX", at, 4)));
	show_target_of("prefix", name_of("0x%lx-0x%lx", at, 4));
	show_target_of("shorter", name_of("%lx-%lx", at, 3));
	show_target_of("part", name_of("%lx-%lx", at + PAGE, 3));
	show_target_of("nothing", "/proc/self/map_files/-");
	show_target_of("no numbers", "/proc/self/map_files/x-y");
	show("make", mkdir("/proc/self/map_files/1000-2000", 0700));
	MUST(munmap(at + PAGE, PAGE));
	show_target_of("whole", name_of("%lx-%lx", at, 4));
	show_int("first", is_link(name_of("%lx-%lx", at, 1)));
	show_int("rest", is_link(name_of("%lx-%lx", at + 2 * PAGE, 2)));
}

static void show_link(const char *label, const void *at, size_t pages)
{
	struct stat st = { 0 };

	show(label, lstat(name_of("%lx-%lx", at, pages), &st));
	note("mode %o size %lld", st.st_mode, (long long)st.st_size);
}

CASE(map_files_kinds)
{
	char target[512] = "";
	char *at;
	int fd;

	use_tmpfs();
	show_link("for reading", map_file("a", O_RDONLY, PROT_READ, MAP_PRIVATE, 1), 1);
	show_link("for both", map_file("b", O_RDWR, PROT_READ, MAP_SHARED, 2), 2);
	at = map_file("c", O_RDWR, PROT_READ | PROT_WRITE, MAP_SHARED, 3);
	MUST(unlink("c"));
	show_int("deleted", readlink(name_of("%lx-%lx", at, 3), target, sizeof(target) - 1) > 0 &&
				    strstr(target, "/c (deleted)") != NULL);
	at = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	show_link("anonymous", at, 1);
	at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	show_link("shared anonymous", at, 1);
	show_target_of("target", map_path);
	fd = (int)MUST(memfd_create("name", 0));
	MUST(ftruncate(fd, PAGE));
	at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	show_link("memfd", at, 1);
	show_target_of("target", map_path);
}

/* The mappings of files in maps, in order, are the entries. */
CASE(map_files_listed)
{
	char line[1024], name[64], object[256];
	FILE *maps = fopen("/proc/self/maps", "re");
	DIR *dir = opendir("/proc/self/map_files");
	struct dirent *e;
	int files = 0, listed = 0, unknown = 0;
	unsigned long ino;
	struct stat st;

	show_int("dir", dir != NULL);
	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%63s %*s %*s %*s %lu %255s", name, &ino, object) == 3 &&
		    object[0] == '/')
			files++;
	while (dir && (e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		listed++;
		snprintf(line, sizeof(line), "/proc/self/map_files/%s", e->d_name);
		unknown += e->d_type != DT_LNK || readlink(line, object, sizeof(object)) < 1;
	}
	show_int("same number", files == listed && files > 0);
	show_int("unknown", unknown);
	show("of a thread", access("/proc/thread-self/map_files", F_OK));
	show("stat", stat("/proc/self/map_files", &st));
	show_int("mode", st.st_mode & 0777);
}

static void open_mapping(const void *at)
{
	char text[8] = "";
	int fd = open(name_of("%lx-%lx", at, 1), O_RDONLY);
	struct stat st;

	show_ok("open", fd);
	if (fd != -1)
		show_data("read", text, read(fd, text, 4));
	show("stat", stat(map_path, &st));
}

static char *text_mapped(void)
{
	char *at;

	use_tmpfs();
	at = map_file("file", O_RDWR, PROT_READ | PROT_WRITE, MAP_SHARED, 1);
	memcpy(at, "text", 4);
	return at;
}

CASE_WITH_ADMIN(map_files_followed)
{
	char *at = text_mapped();

	MUST(unlink("file"));
	open_mapping(at);
}

CASE(map_files_not_followed)
{
	open_mapping(text_mapped());
}

CASE(map_files_of_others)
{
	char path[128];
	int pipes[2];
	pid_t pid;
	char byte;

	MUST(pipe(pipes));
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		close(pipes[1]);
		(void)!read(pipes[0], &byte, 1);
		_exit(0);
	}
	snprintf(path, sizeof(path), "/proc/%d/map_files", pid);
	RUN_CHILD("user")
	{
		become_user(1000);
		show("open", open(path, O_RDONLY | O_DIRECTORY));
		show_ok("own", open("/proc/self/map_files", O_RDONLY | O_DIRECTORY));
	}
	close(pipes[1]);
	show_wait("child", pid);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * read, write and their relatives, offsets, sparse files, truncation, transfers between files.
 */
#include "conformance.h"

#include <limits.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

static int file_with(const char *path, const char *text)
{
	write_file(path, text, 0600);
	return (int)MUST(open(path, O_RDWR));
}

CASE(io_read_write)
{
	char buffer[32] = "";
	int fd = file_with("f", "0123456789");

	show_data("read", buffer, read(fd, buffer, 4));
	show_data("rest", buffer, read(fd, buffer, 30));
	show("at the end", read(fd, buffer, 1));
	show("write", write(fd, "abc", 3));
	show("zero", write(fd, "", 0));
	show("read zero", read(fd, buffer, 0));
	show_file("f", "f");
	show("offset", lseek(fd, 0, SEEK_CUR));
}

CASE(io_errors)
{
	char buffer[8];
	int fd = file_with("f", "0123456789"), dir = (int)MUST(open(".", O_RDONLY)), ends[2];

	MUST(pipe(ends));
	show("read EFAULT", read(fd, bad_ptr(), 10));
	show("read kernel address", read(fd, kernel_ptr(), 10));
	show("read at the end EFAULT", (lseek(fd, 10, SEEK_SET), read(fd, bad_ptr(), 10)));
	show("write EFAULT", write(fd, bad_ptr(), 10));
	show("zero with bad pointer", write(fd, bad_ptr(), 0));
	show("read EBADF", read(99, buffer, 1));
	show("read -1", read(-1, buffer, 1));
	show("read directory", read(dir, buffer, 1));
	show("write directory", write(dir, buffer, 1));
	show("pread pipe", pread(ends[0], buffer, 1, 0));
	show("pwrite pipe", pwrite(ends[1], buffer, 1, 0));
	show("pread negative", pread(fd, buffer, 1, -1));
	show("pwrite negative", pwrite(fd, buffer, 1, -1));
	show("read the wrong end", read(ends[1], buffer, 1));
	show("write the wrong end", write(ends[0], buffer, 1));
	show("huge count", syscall(SYS_read, fd, buffer, (size_t)-1));
	show("close", close(fd));
	show("close twice", close(fd));
	show("fsync bad", fsync(99));
	show("fsync pipe", fsync(ends[0]));
}

CASE(io_short_copy_at_bad_page)
{
	char *base = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = (int)MUST(open("f", O_RDWR | O_CREAT, 0600));

	MUST(ftruncate(fd, 8192));
	MUST(munmap(base + 4096, 4096));
	show("read across", read(fd, base + 4000, 1000));
	show("offset", lseek(fd, 0, SEEK_CUR));
	show("write across", pwrite(fd, base + 4000, 1000, 0));
	show_stat("f", "f");
	int ends[2];
	MUST(pipe(ends));
	show("pipe write across", write(ends[1], base + 4000, 1000));
}

CASE(io_vectors)
{
	char a[4] = "", b[8] = "";
	int fd = file_with("f", "0123456789");
	struct iovec iov[4] = { { a, 3 }, { NULL, 0 }, { b, 7 }, { bad_ptr(), 1 } };

	show("readv", readv(fd, iov, 3));
	note("%.3s %.7s", a, b);
	show("preadv", preadv(fd, iov, 3, 5));
	note("%.3s", a);
	show("writev", writev(fd, iov, 3));
	show("pwritev", pwritev(fd, iov, 1, 0));
	show_file("f", "f");
	show("preadv2 at the offset", preadv2(fd, iov, 1, -1, 0));
	show("preadv2 bad flags", preadv2(fd, iov, 1, 0, 0x4000));
	show("pwritev2 append", pwritev2(fd, iov, 1, 0, RWF_APPEND));
	show("pwritev2 dsync", pwritev2(fd, iov, 1, 0, RWF_DSYNC));
	show_stat("f", "f");
	show("count 0", readv(fd, iov, 0));
	show("count -1", syscall(SYS_readv, fd, iov, -1));
	show("count 1025", syscall(SYS_readv, fd, iov, 1025));
	show("bad iov", readv(fd, bad_ptr(), 1));
	show("bad base after good", (lseek(fd, 0, SEEK_SET), writev(fd, iov, 4)));
	iov[0].iov_len = (size_t)SSIZE_MAX + 1;
	show("length overflows", writev(fd, iov, 1));
}

CASE(io_lseek)
{
	int fd = file_with("f", "0123456789"), ends[2];

	MUST(pipe(ends));
	show("set", lseek(fd, 5, SEEK_SET));
	show("cur", lseek(fd, -2, SEEK_CUR));
	show("end", lseek(fd, -1, SEEK_END));
	show("past the end", lseek(fd, 100, SEEK_END));
	show("before the start", lseek(fd, -1, SEEK_SET));
	show("still", lseek(fd, 0, SEEK_CUR));
	show("bad whence", lseek(fd, 0, 9));
	show("overflow", lseek(fd, LONG_MAX, SEEK_CUR));
	show("pipe", lseek(ends[0], 0, SEEK_SET));
	show("bad fd", lseek(99, 0, SEEK_SET));
	show("write there", write(fd, "x", 1));
	show_stat("f", "f");
	show("largest", lseek(fd, LONG_MAX, SEEK_SET));
	show("write at the largest", write(fd, "x", 1));
}

CASE(io_sparse)
{
	int fd = (int)MUST(open("f", O_RDWR | O_CREAT, 0600));
	char byte = 'x';
	struct stat st;

	MUST(pwrite(fd, "a", 1, 0));
	MUST(pwrite(fd, "b", 1, 1 << 20));
	show("read the hole", pread(fd, &byte, 1, 4096 * 10));
	show_int("byte", byte);
	show_stat("f", "f");
	MUST(fstat(fd, &st));
	show_int("sparse", st.st_blocks < 100);
	show("data from 0", lseek(fd, 0, SEEK_DATA));
	show("hole from 0", lseek(fd, 0, SEEK_HOLE));
	show("data from the hole", lseek(fd, 8192, SEEK_DATA));
	show("hole from the data", lseek(fd, 1 << 20, SEEK_HOLE));
	show("data at the end", lseek(fd, (1 << 20) + 1, SEEK_DATA));
	show("hole past the end", lseek(fd, (1 << 20) + 5, SEEK_HOLE));
	show("negative", lseek(fd, -1, SEEK_DATA));
}

CASE(io_truncate)
{
	char buffer[16] = "";
	int fd = file_with("f", "0123456789");

	show("shrink", ftruncate(fd, 4));
	show("grow", ftruncate(fd, 8));
	show_data("data", buffer, pread(fd, buffer, 16, 0));
	show("by path", truncate("f", 2));
	show_stat("f", "f");
	show("negative", ftruncate(fd, -1));
	show("by path negative", truncate("f", -1));
	show("missing", truncate("missing", 0));
	MUST(mkdir("d", 0755));
	show("directory", truncate("d", 0));
	show("bad fd", ftruncate(99, 0));
	int ends[2];
	MUST(pipe(ends));
	show("pipe", ftruncate(ends[1], 0));
	show("write-only", ftruncate((int)MUST(open("f", O_WRONLY)), 1));
	show("read-only", ftruncate((int)MUST(open("f", O_RDONLY)), 1));
	show("/dev/null", truncate("/dev/null", 0));
}

CASE(io_fallocate)
{
	int fd = file_with("f", "0123456789"), ends[2];
	char buffer[16] = "";

	MUST(pipe(ends));
	show("grow", fallocate(fd, 0, 0, 100));
	show_stat("f", "f");
	show("keep size", fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 10000));
	show_stat("f", "f");
	show("punch", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2, 4));
	show_data("data", buffer, pread(fd, buffer, 10, 0));
	show("punch without keep", fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 4));
	show("length 0", fallocate(fd, 0, 0, 0));
	show("negative offset", fallocate(fd, 0, -1, 10));
	show("bad mode", fallocate(fd, 0x1000, 0, 10));
	show("pipe", fallocate(ends[1], 0, 0, 10));
	show("read-only", fallocate((int)MUST(open("f", O_RDONLY)), 0, 0, 10));
	show("directory", fallocate((int)MUST(open(".", O_RDONLY)), 0, 0, 10));
	show("too big", fallocate(fd, 0, 0, LONG_MAX));
	show_err("posix_fallocate", posix_fallocate(fd, 0, 200));
	show_stat("f", "f");
}

CASE(io_sendfile)
{
	int in = file_with("in", "0123456789"),
	    out = (int)MUST(open("out", O_RDWR | O_CREAT, 0600)), ends[2];
	off_t offset = 3;

	MUST(pipe(ends));
	show("with offset", sendfile(out, in, &offset, 4));
	show_int("offset", offset);
	show("in's own offset", lseek(in, 0, SEEK_CUR));
	show("without", sendfile(out, in, NULL, 100));
	show("in's own offset", lseek(in, 0, SEEK_CUR));
	show("at the end", sendfile(out, in, NULL, 100));
	show_file("out", "out");
	show("to a pipe", (offset = 0, sendfile(ends[1], in, &offset, 5)));
	show("from a pipe", sendfile(out, ends[0], NULL, 5));
	show("append", sendfile((int)MUST(open("out", O_WRONLY | O_APPEND)), in, NULL, 1));
	show("bad in", sendfile(out, 99, NULL, 1));
	show("bad out", sendfile(99, in, NULL, 1));
	show("bad offset", sendfile(out, in, bad_ptr(), 1));
	offset = -1;
	show("negative offset", sendfile(out, in, &offset, 1));
	show("out read-only", sendfile((int)MUST(open("in", O_RDONLY)), in, NULL, 1));
}

CASE(io_copy_file_range)
{
	int in = file_with("in", "0123456789"),
	    out = (int)MUST(open("out", O_RDWR | O_CREAT, 0600)), ends[2];
	off_t in_offset = 2, out_offset = 1;

	MUST(pipe(ends));
	show("offsets", copy_file_range(in, &in_offset, out, &out_offset, 5, 0));
	note("%ld %ld", (long)in_offset, (long)out_offset);
	show_file("out", "out");
	show("own offsets", copy_file_range(in, NULL, out, NULL, 100, 0));
	show_file("out", "out");
	show("at the end", copy_file_range(in, NULL, out, NULL, 100, 0));
	show("flags", copy_file_range(in, NULL, out, NULL, 1, 1));
	show("pipe", copy_file_range(in, NULL, ends[1], NULL, 1, 0));
	show("append",
	     copy_file_range(in, NULL, (int)MUST(open("out", O_WRONLY | O_APPEND)), NULL, 1, 0));
	in_offset = 0;
	out_offset = 2;
	show("overlap", copy_file_range(in, &in_offset, in, &out_offset, 5, 0));
	show("directory", copy_file_range((int)MUST(open(".", O_RDONLY)), NULL, out, NULL, 1, 0));
}

CASE(io_splice_and_tee)
{
	int in = file_with("in", "0123456789"),
	    out = (int)MUST(open("out", O_RDWR | O_CREAT, 0600)), one[2], two[2];
	loff_t offset = 4;
	char buffer[16];

	MUST(pipe2(one, O_NONBLOCK));
	MUST(pipe2(two, O_NONBLOCK));
	show("file to pipe", splice(in, NULL, one[1], NULL, 4, 0));
	show("file to pipe, offset", splice(in, &offset, one[1], NULL, 3, 0));
	show_int("offset", offset);
	show("tee", tee(one[0], two[1], 100, 0));
	show_data("two", buffer, read(two[0], buffer, 16));
	show("pipe to file", splice(one[0], NULL, out, NULL, 100, 0));
	show_file("out", "out");
	show("empty pipe", splice(one[0], NULL, out, NULL, 100, SPLICE_F_NONBLOCK));
	show("empty tee", tee(one[0], two[1], 100, SPLICE_F_NONBLOCK));
	show("two files", splice(in, NULL, out, NULL, 1, 0));
	show("offset of a pipe", splice(one[0], &offset, out, NULL, 1, 0));
	show("same pipe", splice(one[0], NULL, one[1], NULL, 1, 0));
	MUST(write(one[1], "pipe to pipe", 12));
	show("pipe to pipe", splice(one[0], NULL, two[1], NULL, 7, 0));
	show_data("two", buffer, read(two[0], buffer, 16));
	show_data("one", buffer, read(one[0], buffer, 16));
	show("tee of a file", tee(in, two[1], 1, 0));
	struct iovec iov = { buffer, 4 };
	memcpy(buffer, "vmsp", 4);
	show("vmsplice", vmsplice(one[1], &iov, 1, 0));
	show_data("one", buffer, read(one[0], buffer, 16));
	close(one[1]);
	show("splice at the end", splice(one[0], NULL, out, NULL, 1, 0));
	show("bad flags", splice(two[0], NULL, out, NULL, 1, 0x100));
}

CASE(io_sync_calls)
{
	int fd = file_with("f", "x"), ends[2];

	MUST(pipe(ends));
	show("fsync", fsync(fd));
	show("fdatasync", fdatasync(fd));
	show("sync_file_range", sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE));
	show("sync_file_range bad", sync_file_range(fd, 0, 0, 0x100));
	show("sync_file_range pipe", sync_file_range(ends[0], 0, 0, 0));
	show("syncfs", syncfs(fd));
	show("syncfs bad", syncfs(99));
	show_err("fadvise", posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL));
	show_err("fadvise bad", posix_fadvise(fd, 0, 0, 99));
	show_err("fadvise pipe", posix_fadvise(ends[0], 0, 0, POSIX_FADV_NORMAL));
	show("readahead", readahead(fd, 0, 1));
	show("readahead bad", readahead(99, 0, 1));
	show("fsync directory", fsync((int)MUST(open(".", O_RDONLY))));
}

CASE(io_deleted_file)
{
	int fd = file_with("f", "deleted");
	struct stat st;
	char buffer[64], path[32];

	MUST(unlink("f"));
	MUST(fstat(fd, &st));
	note("nlink %lu size %lld", (unsigned long)st.st_nlink, (long long)st.st_size);
	show_data("read", buffer, pread(fd, buffer, 16, 0));
	show("write", write(fd, "DEL", 3));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ssize_t size = readlink(path, buffer, sizeof(buffer) - 1);
	show_int("link says deleted",
		 size > 10 && memcmp(buffer + size - 10, " (deleted)", 10) == 0);
	int again = open(path, O_RDONLY);
	show_data("reopen", buffer, read(again, buffer, 16));
	show("linkat back", linkat(AT_FDCWD, path, AT_FDCWD, "g", AT_SYMLINK_FOLLOW));
	show_stat("old name", "f");
}

CASE(io_big_file_pattern)
{
	static unsigned char block[65536];
	int fd = (int)MUST(open("f", O_RDWR | O_CREAT, 0600));
	unsigned int sum = 0;

	for (unsigned int i = 0; i < 64; i++) {
		for (size_t j = 0; j < sizeof(block); j++)
			block[j] = (unsigned char)(i * 31 + j * 7);
		MUST(write(fd, block, sizeof(block)));
	}
	show_stat("f", "f");
	MUST(lseek(fd, 0, SEEK_SET));
	ssize_t size;
	while ((size = read(fd, block, 10007)) > 0)
		for (ssize_t j = 0; j < size; j++)
			sum = sum * 33 + block[j];
	show_hex("sum", sum);
}

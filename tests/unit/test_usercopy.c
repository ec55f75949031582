/* SPDX-License-Identifier: Apache-2.0 */
/* Copies at page edges, strings, the fault handler, iterators. */
#include "config.h"

#include "tests/unit/unit.h"

#include "sentry/abi/mm.h"
#include "sentry/mm/mm.h"
#include "sentry/platform/fake/fake_platform.h"

#define BASE 0x20000000ULL
#define PAGE GUEST_PAGE_SIZE
#define RW (LINUX_PROT_READ | LINUX_PROT_WRITE)

static struct platform *platform;
static struct context *ctx;
static struct mm *mm;

static void map_at(uint64_t addr, uint64_t size, int prot)
{
	assert_int_equal(mm_map_fixed(mm, ctx, addr, size, prot, 0, NULL, 0, NULL), 0);
}

static void put(uint64_t addr, const char *text, size_t size)
{
	assert_int_equal(copy_out(mm, guest_addr(addr), text, size), 0);
}

static void test_edges(void **state)
{
	char buf[64];

	map_at(BASE, PAGE, RW);
	put(BASE + PAGE - 4, "abcd", 4);
	assert_int_equal(copy_in(mm, buf, guest_addr(BASE + PAGE - 4), 4), 0);
	memset(buf, 'x', sizeof(buf));
	assert_int_equal(copy_in(mm, buf, guest_addr(BASE + PAGE - 4), 8), -EFAULT);
	assert_memory_equal(buf, "abcd\0\0\0\0x", 9); /* nothing stale behind the fault */
	assert_int_equal(copy_in_partial(mm, buf, guest_addr(BASE + PAGE - 4), 8), 4);
	assert_int_equal(copy_in_partial(mm, buf, guest_addr(BASE + PAGE), 8), -EFAULT);
	assert_int_equal(copy_in_partial(mm, buf, guest_addr(BASE + PAGE), 0), 0);
	assert_int_equal(copy_in(mm, buf, guest_addr(UINT64_MAX), 0), 0);
	assert_int_equal(copy_in(mm, buf, guest_addr(UINT64_MAX - 2), 8), -EFAULT);
	assert_int_equal(copy_in(mm, buf, guest_addr(platform_address_max().v), 8), -EFAULT);
	assert_int_equal(copy_out(mm, guest_addr(platform_address_max().v), "x", 1), -EFAULT);
	assert_int_equal(copy_out_partial(mm, guest_addr(BASE + PAGE - 2), "xyz", 3), 2);
	assert_int_equal(clear_out(mm, guest_addr(BASE), PAGE), 0);
	assert_int_equal(clear_out(mm, guest_addr(BASE + 1), PAGE), -EFAULT);
	assert_int_equal(copy_in(mm, buf, guest_addr(BASE + PAGE - 4), 4), 0);
	assert_memory_equal(buf, "\0\0\0\0", 4);
	map_at(BASE, PAGE, LINUX_PROT_READ);
	assert_int_equal(copy_out(mm, guest_addr(BASE), "x", 1), -EFAULT);
	map_at(BASE, PAGE, LINUX_PROT_NONE);
	assert_int_equal(copy_in(mm, buf, guest_addr(BASE), 1), -EFAULT);
}

static void test_strings(void **state)
{
	char buf[2 * PAGE], *path;

	map_at(BASE, 2 * PAGE, RW);
	put(BASE + PAGE - 4, "abc", 4);
	assert_int_equal(mm_munmap(mm, ctx, BASE + PAGE, PAGE), 0);
	assert_int_equal(copy_in_str(mm, buf, guest_addr(BASE + PAGE - 4), sizeof(buf)), 3);
	assert_string_equal(buf, "abc");
	assert_int_equal(copy_in_str(mm, buf, guest_addr(BASE + PAGE - 4), 3), -ENAMETOOLONG);
	assert_string_equal(buf, "ab");
	assert_int_equal(copy_in_str(mm, buf, guest_addr(BASE + PAGE - 4), 0), -ENAMETOOLONG);
	put(BASE + PAGE - 4, "abcd", 4);
	assert_int_equal(copy_in_str(mm, buf, guest_addr(BASE + PAGE - 4), sizeof(buf)), -EFAULT);
	assert_int_equal(copy_in_str(mm, buf, guest_addr(BASE + PAGE - 4), 4), -ENAMETOOLONG);
	/* over a page border, longer than the first chunk */
	map_at(BASE, 2 * PAGE, RW);
	memset(buf, 'q', sizeof(buf));
	put(BASE + 100, buf, PAGE);
	assert_int_equal(copy_in_str(mm, buf, guest_addr(BASE + 100), sizeof(buf)), PAGE);
	assert_int_equal(copy_in_path(mm, guest_addr(BASE + 100), &path), -ENAMETOOLONG);
	assert_int_equal(copy_in_path(mm, guest_addr(BASE + 101), &path), 0);
	assert_int_equal(strlen(path), PAGE - 1);
	free(path);
	assert_int_equal(copy_in_path(mm, guest_addr(0), &path), -EFAULT);
}

static unsigned faults;

static bool grow(struct mm *of, guest_addr_t addr, bool write)
{
	faults++;
	assert_ptr_equal(of, mm);
	if (addr.v != BASE + PAGE)
		return false;
	map_at(BASE + PAGE, PAGE, RW);
	return true;
}

static void test_fault_handler(void **state)
{
	char buf[16] = { 0 };

	map_at(BASE, PAGE, RW);
	assert_int_equal(mm_munmap(mm, ctx, BASE + PAGE, PAGE), 0);
	usercopy_set_fault_handler(grow);
	faults = 0;
	assert_int_equal(copy_out(mm, guest_addr(BASE + PAGE - 8), buf, 16), 0);
	assert_int_equal(faults, 1);
	assert_int_equal(copy_in(mm, buf, guest_addr(BASE + 2 * PAGE - 8), 16), -EFAULT);
	assert_int_equal(faults, 2);
	usercopy_set_fault_handler(NULL);
}

static size_t room_asked;
static bool room_there;

static bool room(struct mm *of, guest_addr_t addr, size_t size)
{
	assert_ptr_equal(of, mm);
	assert_int_equal(addr.v, BASE);
	room_asked = size;
	return room_there;
}

static void test_room_handler(void **state)
{
	static char buf[2 * PAGE];

	map_at(BASE, 2 * PAGE, RW);
	usercopy_set_room_handler(room);
	room_asked = 0;
	room_there = true;
	assert_int_equal(copy_out(mm, guest_addr(BASE), buf, PAGE - 1), 0);
	assert_int_equal(room_asked, 0);
	assert_int_equal(copy_out(mm, guest_addr(BASE), buf, 2 * PAGE), 0);
	assert_int_equal(room_asked, 2 * PAGE);
	room_there = false;
	assert_int_equal(copy_out(mm, guest_addr(BASE), buf, PAGE), -EFAULT);
	usercopy_set_room_handler(NULL);
}

static void test_iter(void **state)
{
	struct guest_iovec v[3] = { { BASE + 10, 4 }, { 0, 0 }, { BASE + PAGE - 3, 8 } }, *segments;
	struct io_iter it;
	char buf[32];

	map_at(BASE, PAGE, RW);
	assert_int_equal(mm_munmap(mm, ctx, BASE + PAGE, PAGE), 0);
	put(BASE + 100, (const char *)v, sizeof(v));
	assert_int_equal(io_iter_init_iovec(&it, mm, guest_addr(BASE + 100), 3, &segments), 0);
	assert_int_equal(it.count, 12);
	assert_int_equal(io_iter_copy_to(&it, "0123456789", 2), 2);
	assert_int_equal(io_iter_copy_to(&it, "23456789ab", 10), 5); /* up to the fault */
	assert_int_equal(io_iter_copy_to(&it, "x", 1), -EFAULT);
	free(segments);
	assert_int_equal(copy_in(mm, buf, guest_addr(BASE + 10), 4), 0);
	assert_memory_equal(buf, "0123", 4);
	assert_int_equal(copy_in(mm, buf, guest_addr(BASE + PAGE - 3), 3), 0);
	assert_memory_equal(buf, "456", 3);

	assert_int_equal(io_iter_init_iovec(&it, mm, guest_addr(BASE), 1025, &segments), -EINVAL);
	assert_int_equal(io_iter_init_iovec(&it, mm, guest_addr(BASE + PAGE), 1, &segments), -EFAULT);
	v[1].size = 1ULL << 63;
	put(BASE + 100, (const char *)v, sizeof(v));
	assert_int_equal(io_iter_init_iovec(&it, mm, guest_addr(BASE + 100), 3, &segments), -EINVAL);
	v[1].size = IO_MAX_COUNT;
	put(BASE + 100, (const char *)v, sizeof(v));
	assert_int_equal(io_iter_init_iovec(&it, mm, guest_addr(BASE + 100), 3, &segments), 0);
	assert_int_equal(it.count, IO_MAX_COUNT);
	free(segments);

	io_iter_init_guest(&it, mm, guest_addr(BASE), UINT64_MAX);
	assert_int_equal(it.count, IO_MAX_COUNT);
	io_iter_init_guest(&it, mm, guest_addr(BASE + PAGE - 5), 3);
	assert_int_equal(io_iter_zero(&it, 100), 3);
	assert_int_equal(io_iter_copy_from(&it, buf, 4), 0);
	io_iter_init_buffer(&it, buf, 6);
	assert_int_equal(io_iter_copy_to(&it, "abcdefgh", 4), 4);
	assert_int_equal(io_iter_copy_to(&it, "efgh", 4), 2);
	assert_memory_equal(buf, "abcdef", 6);
	io_iter_init_buffer(&it, buf, 6);
	assert_int_equal(io_iter_zero(&it, 2), 2);
	assert_memory_equal(buf, "\0\0cdef", 6);
}

static int set_up(void **state)
{
	struct address_space *as;
	int rc = fake_platform_new(NULL, &platform);

	if (rc == 0)
		rc = address_space_new(platform, NULL, &as);
	if (rc == 0)
		rc = context_new(platform, as, NULL, &ctx);
	return rc < 0 ? rc : mm_new(platform, as, &mm);
}

static int tear_down(void **state)
{
	context_destroy(ctx);
	mm_put(mm);
	fake_platform_free(platform);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_fault_handler),
		cmocka_unit_test(test_room_handler),
		cmocka_unit_test(test_iter),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

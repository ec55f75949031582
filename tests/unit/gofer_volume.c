/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes: who serves the same host tree shares its files' anchors, and nobody else does. */
#include "tests/unit/gofer_guest.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "sentry/abi/fs.h"
#include "sentry/fs/gofer/gofer_volume.h"

static struct gofer_volume_id part_of(struct fixture *f, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(f->root_fd, name, &st, 0), 0);
	return (struct gofer_volume_id){
		.dev = (uint64_t)major(st.st_dev) << 32 | minor(st.st_dev),
		.ino = st.st_ino,
	};
}

/* What the command line says of the tree that the fixture serves. */
static struct gofer_volume_id volume_of(struct fixture *f)
{
	return part_of(f, ".");
}

/* A reference. */
static struct inode *inode_of(struct guest *g, const char *name)
{
	struct inode *inode;
	struct path p;

	assert_int_equal(vfs_lookup(&g->ctx, LINUX_AT_FDCWD, name, 0, &p), 0);
	inode = inode_get(p.dentry->inode);
	path_put(&p);
	return inode;
}

/* Do both meet at @name, and at no other file? */
static bool meet(struct guest *a, struct guest *b, const char *name)
{
	struct inode *one = inode_of(a, name), *two = inode_of(b, name), *other = inode_of(b, "/dir/inner");
	bool same = inode_anchor(one) == inode_anchor(two);

	assert_ptr_not_equal(one, two);
	assert_ptr_not_equal(inode_anchor(one), inode_anchor(other));
	inode_put(one);
	inode_put(two);
	inode_put(other);
	return same;
}

static void shared_by_two(void **state)
{
	struct fixture *f = *state;
	struct gofer_volume_id id = volume_of(f);
	struct guest a, b, plain;

	guest_begin_volume(&a, f, GOFER_SHARED, false, &id);
	guest_begin_volume(&b, f, GOFER_SHARED, true, &id);
	guest_begin(&plain, f, GOFER_SHARED, false);
	assert_int_equal(gofer_volume_count(), 1);
	assert_true(meet(&a, &b, "/hello"));
	assert_true(meet(&a, &b, "/dir"));
	assert_true(meet(&a, &b, "/"));
	assert_false(meet(&a, &plain, "/hello"));
	assert_int_equal(a.sb->dev, b.sb->dev);
	assert_int_not_equal(a.sb->dev, plain.sb->dev);
	/* Each has its own options. */
	assert_false(a.sb->read_only);
	assert_true(b.sb->read_only);
	guest_end(&plain);
	guest_end(&a);
	/* What is left of the volume goes on. */
	assert_int_equal(gofer_volume_count(), 1);
	guest_begin_volume(&a, f, GOFER_SHARED, false, &id);
	assert_true(meet(&a, &b, "/hello"));
	guest_end(&b);
	guest_end(&a);
	assert_int_equal(gofer_volume_count(), 0);
}

/* One gofer serves the very files of another container's volume, or says so: nothing is shared for that. */
static void claimed_falsely(void **state)
{
	struct fixture *f = *state;
	struct gofer_volume_id id = volume_of(f), other = id;
	struct guest a, b;

	other.ino++;
	guest_begin_volume(&a, f, GOFER_SHARED, false, &id);
	guest_begin_volume(&b, f, GOFER_SHARED, false, &other);
	assert_int_equal(gofer_volume_count(), 1);
	assert_false(meet(&a, &b, "/hello"));
	assert_false(meet(&a, &b, "/"));
	assert_int_not_equal(a.sb->dev, b.sb->dev);
	guest_end(&b);
	other = (struct gofer_volume_id){ .dev = id.dev + 1, .ino = id.ino };
	guest_begin_volume(&b, f, GOFER_SHARED, false, &other);
	assert_false(meet(&a, &b, "/hello"));
	guest_end(&b);
	guest_end(&a);
}

static bool same_file(struct guest *a, const char *in_a, struct guest *b, const char *in_b)
{
	struct inode *one = inode_of(a, in_a), *two = inode_of(b, in_b);
	bool same = inode_anchor(one) == inode_anchor(two);

	inode_put(one);
	inode_put(two);
	return same;
}

/* Whichever is there first. */
static void part_of_another(void **state)
{
	struct fixture *f = *state;
	struct gofer_volume_id whole = volume_of(f), part = part_of(f, "dir");
	const uint64_t within[] = { 12345, whole.ino, 2 }, elsewhere[] = { 12345, 2 };
	struct guest a, b;

	for (int turn = 0; turn < 2; turn++) {
		part.within = within;
		part.within_count = 3;
		if (turn == 0)
			guest_begin_volume(&a, f, GOFER_SHARED, false, &whole);
		guest_begin_part(&b, f, "root/dir", GOFER_SHARED, false, &part);
		if (turn == 1)
			guest_begin_volume(&a, f, GOFER_SHARED, false, &whole);
		assert_int_equal(gofer_volume_count(), 1);
		assert_true(same_file(&a, "/dir/inner", &b, "/inner"));
		assert_true(same_file(&a, "/dir", &b, "/"));
		assert_int_equal(a.sb->dev, b.sb->dev);
		/* One file system's end is not the other's. */
		guest_end(turn ? &b : &a);
		assert_int_equal(gofer_volume_count(), 1);
		guest_end(turn ? &a : &b);
		assert_int_equal(gofer_volume_count(), 0);
	}
	guest_begin_volume(&a, f, GOFER_SHARED, false, &whole);
	part.within = elsewhere;
	part.within_count = 2;
	guest_begin_part(&b, f, "root/dir", GOFER_SHARED, false, &part);
	assert_int_equal(gofer_volume_count(), 2);
	assert_false(same_file(&a, "/dir/inner", &b, "/inner"));
	guest_end(&b);
	/* Numbers are those of one device. */
	part.within = within;
	part.dev++;
	guest_begin_part(&b, f, "root/dir", GOFER_SHARED, false, &part);
	assert_false(same_file(&a, "/dir/inner", &b, "/inner"));
	guest_end(&b);
	guest_end(&a);
}

/* A file of the same name, perhaps of the same number, is another one to both. */
static void made_again(void **state)
{
	struct fixture *f = *state;
	struct gofer_volume_id id = volume_of(f);
	struct inode *kept;
	struct guest a, b;

	guest_begin_volume(&a, f, GOFER_SHARED, false, &id);
	guest_begin_volume(&b, f, GOFER_SHARED, false, &id);
	kept = inode_of(&a, "/hello");
	assert_int_equal(vfs_unlink(&b.ctx, LINUX_AT_FDCWD, "/hello"), 0);
	for (int i = 0; i < 8; i++) {
		struct inode *fresh;

		file_put(open_file(&b, "/hello", LINUX_O_RDWR | LINUX_O_CREAT | LINUX_O_EXCL));
		fresh = inode_of(&b, "/hello");
		assert_ptr_not_equal(inode_anchor(kept), inode_anchor(fresh));
		inode_put(fresh);
		assert_true(meet(&a, &b, "/hello"));
		assert_int_equal(vfs_unlink(&a.ctx, LINUX_AT_FDCWD, "/hello"), 0);
	}
	inode_put(kept);
	guest_end(&a);
	guest_end(&b);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(shared_by_two),
		CASE(claimed_falsely),
		CASE(part_of_another),
		CASE(made_again),
	};

	umask(022);
	if (vfs_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

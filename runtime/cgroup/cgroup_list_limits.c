/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits of config.json that are lists: of block devices, huge page sizes, interfaces and RDMA
 * devices.  Each entry is a line that is written to a file of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/cgroup/cgroup.h"

#define LINE_SIZE 256
#define FILE_SIZE 96

struct target {
	const struct cgroup_set *set;
	const char *what; /* the property, for errors */
	const char *v1, *v2; /* its controller */
};

static const struct cgroup_dir *dir_of(const struct target *t)
{
	const struct cgroup_dir *dir = cgroup_dir_find(t->set, t->v1);

	return dir && !dir->unified ? dir : cgroup_dir_find(t->set, t->v2);
}

/* @v1_file, @v2_file: NULL where there is no such limit. */
static int put(const struct target *t, const char *v1_file, const char *v2_file, const char *line,
	       struct error **err)
{
	const struct cgroup_dir *dir = dir_of(t);
	const char *file = dir && dir->unified ? v2_file : v1_file;

	if (!dir)
		return error_set(err, -ENOENT, "linux.resources.%s: no %s cgroup", t->what, t->v1);
	if (!file)
		return error_set(err, -EOPNOTSUPP, "linux.resources.%s: cgroup v%d has no such limit",
				 t->what, dir->unified ? 2 : 1);
	return cgroup_write_file(dir, file, line, err);
}

static bool has_file(const struct target *t, const char *file)
{
	const struct cgroup_dir *dir = dir_of(t);
	char path[8192];

	if (!dir)
		return false;
	snprintf(path, sizeof(path), "%s/%s", dir->path, file);
	return access(path, F_OK) == 0;
}

/* --- block devices ------------------------------------------------------------------------ */

/* The BFQ scheduler has files of its own, for the same weights. */
static int put_weight(const struct target *t, const char *prefix, uint64_t weight, struct error **err)
{
	bool bfq = has_file(t, "blkio.bfq.weight");
	bool device = *prefix != '\0';
	char v1[LINE_SIZE], v2[LINE_SIZE];
	const struct cgroup_dir *dir = dir_of(t);

	snprintf(v1, sizeof(v1), "%s%" PRIu64, prefix, weight);
	if (!dir || !dir->unified)
		return put(t, device ? (bfq ? "blkio.bfq.weight_device" : "blkio.weight_device")
				     : (bfq ? "blkio.bfq.weight" : "blkio.weight"),
			   NULL, v1, err);
	if (has_file(t, "io.bfq.weight"))
		return put(t, NULL, "io.bfq.weight", v1, err);
	/* 10..1000 maps onto 1..10000. */
	snprintf(v2, sizeof(v2), "%s%" PRIu64, device ? prefix : "default ",
		 weight < 10 ? 1 : 1 + (weight - 10) * 9999 / 990);
	return put(t, NULL, "io.weight", v2, err);
}

static int put_weights(const struct cgroup_set *set, const struct spec_block_io *b, struct error **err)
{
	const struct target weight = { set, "blockIO.weight", "blkio", "io" };
	const struct target leaf = { set, "blockIO.leafWeight", "blkio", "io" };
	char line[LINE_SIZE];

	if (b->weight.value && put_weight(&weight, "", b->weight.value, err) < 0)
		return error_code(*err);
	snprintf(line, sizeof(line), "%u", b->leaf_weight.value);
	if (b->leaf_weight.value && put(&leaf, "blkio.leaf_weight", NULL, line, err) < 0)
		return error_code(*err);
	for (size_t i = 0; i < b->weight_device.count; i++) {
		const struct spec_weight_device *d = &b->weight_device.items[i];

		snprintf(line, sizeof(line), "%" PRId64 ":%" PRId64 " ", d->major, d->minor);
		if (d->weight.value && put_weight(&weight, line, d->weight.value, err) < 0)
			return error_code(*err);
		snprintf(line, sizeof(line), "%" PRId64 ":%" PRId64 " %u", d->major, d->minor,
			 d->leaf_weight.value);
		if (d->leaf_weight.value && put(&leaf, "blkio.leaf_weight_device", NULL, line, err) < 0)
			return error_code(*err);
	}
	return 0;
}

struct throttle {
	const char *what, *v1_file, *v2_key;
	const struct spec_throttle_device *items;
	size_t count;
};

static int put_throttle(const struct cgroup_set *set, const struct throttle *t, struct error **err)
{
	const struct target target = { set, t->what, "blkio", "io" };
	const struct cgroup_dir *dir = dir_of(&target);
	char line[LINE_SIZE];

	for (size_t i = 0; i < t->count; i++) {
		const struct spec_throttle_device *d = &t->items[i];
		int n = snprintf(line, sizeof(line), "%" PRId64 ":%" PRId64 " ", d->major, d->minor);

		if (!dir || !dir->unified)
			snprintf(line + n, sizeof(line) - (size_t)n, "%" PRIu64, d->rate);
		else if (d->rate == 0) /* v1's way to say: none */
			snprintf(line + n, sizeof(line) - (size_t)n, "%s=max", t->v2_key);
		else
			snprintf(line + n, sizeof(line) - (size_t)n, "%s=%" PRIu64, t->v2_key, d->rate);
		if (put(&target, t->v1_file, "io.max", line, err) < 0)
			return error_code(*err);
	}
	return 0;
}

#define THROTTLE(b, field, property, v1, v2) \
	{ "blockIO." property, "blkio.throttle." v1, v2, (b)->field.items, (b)->field.count }

static int put_block_io(const struct cgroup_set *set, const struct spec_block_io *b, struct error **err)
{
	const struct throttle throttles[] = {
		THROTTLE(b, throttle_read_bps_device, "throttleReadBpsDevice", "read_bps_device", "rbps"),
		THROTTLE(b, throttle_write_bps_device, "throttleWriteBpsDevice", "write_bps_device",
			 "wbps"),
		THROTTLE(b, throttle_read_iops_device, "throttleReadIOPSDevice", "read_iops_device",
			 "riops"),
		THROTTLE(b, throttle_write_iops_device, "throttleWriteIOPSDevice", "write_iops_device",
			 "wiops"),
	};

	if (put_weights(set, b, err) < 0)
		return error_code(*err);
	for (size_t i = 0; i < ARRAY_SIZE(throttles); i++) {
		if (put_throttle(set, &throttles[i], err) < 0)
			return error_code(*err);
	}
	return 0;
}

/* --- pages, interfaces, RDMA ----------------------------------------------------------------- */

/* Pages in use, and, where the host counts them, those reserved by a mapping. */
static int put_pages(const struct cgroup_set *set, const struct spec_hugepage_limit *h,
		     struct error **err)
{
	const struct target t = { set, "hugepageLimits", "hugetlb", "hugetlb" };
	char v1[FILE_SIZE], v2[FILE_SIZE], line[LINE_SIZE];
	const struct cgroup_dir *dir = dir_of(&t);

	if (strchr(h->page_size, '/'))
		return error_set(err, -EINVAL, "linux.resources.hugepageLimits: \"%s\" is no size",
				 h->page_size);
	snprintf(line, sizeof(line), "%" PRIu64, h->limit);
	snprintf(v1, sizeof(v1), "hugetlb.%s.limit_in_bytes", h->page_size);
	snprintf(v2, sizeof(v2), "hugetlb.%s.max", h->page_size);
	if (put(&t, v1, v2, line, err) < 0)
		return error_code(*err);
	snprintf(v1, sizeof(v1), "hugetlb.%s.rsvd.limit_in_bytes", h->page_size);
	snprintf(v2, sizeof(v2), "hugetlb.%s.rsvd.max", h->page_size);
	return has_file(&t, dir && dir->unified ? v2 : v1) ? put(&t, v1, v2, line, err) : 0;
}

static int put_network(const struct cgroup_set *set, const struct spec_network *n, struct error **err)
{
	const struct target class = { set, "network.classID", "net_cls", "net_cls" };
	const struct target priorities = { set, "network.priorities", "net_prio", "net_prio" };
	char line[LINE_SIZE];

	snprintf(line, sizeof(line), "%u", n->class_id.value);
	if (n->class_id.value && put(&class, "net_cls.classid", NULL, line, err) < 0)
		return error_code(*err);
	for (size_t i = 0; i < n->priorities.count; i++) {
		const struct spec_interface_priority *p = &n->priorities.items[i];

		if (snprintf(line, sizeof(line), "%s %u", p->name, p->priority) >= LINE_SIZE)
			return error_set(err, -EINVAL, "linux.resources.network.priorities[%zu].name: too "
					 "long", i);
		if (put(&priorities, "net_prio.ifpriomap", NULL, line, err) < 0)
			return error_code(*err);
	}
	return 0;
}

static int put_rdma(const struct cgroup_set *set, const struct spec_rdma *r, struct error **err)
{
	const struct target t = { set, "rdma", "rdma", "rdma" };
	char line[LINE_SIZE];
	int n = snprintf(line, sizeof(line), "%s", r->device);

	if (n >= 200)
		return error_set(err, -EINVAL, "linux.resources.rdma: a device's name is too long");
	if (r->hca_handles.set)
		n += snprintf(line + n, sizeof(line) - (size_t)n, " hca_handle=%u", r->hca_handles.value);
	if (r->hca_objects.set)
		n += snprintf(line + n, sizeof(line) - (size_t)n, " hca_object=%u", r->hca_objects.value);
	return put(&t, "rdma.max", "rdma.max", line, err);
}

/* --- all ---------------------------------------------------------------------------------- */

bool cgroup_lists_wanted(const struct spec_resources *r)
{
	const struct spec_block_io *b = r->block_io;

	return r->hugepage_limits.count > 0 || r->rdma.count > 0 ||
	       (r->network && (r->network->class_id.value || r->network->priorities.count > 0)) ||
	       (b && (b->weight.value || b->leaf_weight.value || b->weight_device.count > 0 ||
		      b->throttle_read_bps_device.count > 0 || b->throttle_write_bps_device.count > 0 ||
		      b->throttle_read_iops_device.count > 0 ||
		      b->throttle_write_iops_device.count > 0));
}

int cgroup_write_lists(const struct cgroup_set *set, const struct spec_resources *r, struct error **err)
{
	if (r->block_io && put_block_io(set, r->block_io, err) < 0)
		return error_code(*err);
	for (size_t i = 0; i < r->hugepage_limits.count; i++) {
		if (put_pages(set, &r->hugepage_limits.items[i], err) < 0)
			return error_code(*err);
	}
	if (r->network && put_network(set, r->network, err) < 0)
		return error_code(*err);
	for (size_t i = 0; i < r->rdma.count; i++) {
		if (put_rdma(set, &r->rdma.items[i], err) < 0)
			return error_code(*err);
	}
	return 0;
}

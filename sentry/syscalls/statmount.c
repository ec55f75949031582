/* SPDX-License-Identifier: Apache-2.0 */
/* statmount, listmount: the mounts of the caller's own namespace by their unique numbers. */
#include "config.h"

#include <string.h>

#include "sentry/mm/copy_struct.h"
#include "sentry/syscalls/mount_call.h"
#include "util/checked.h"
#include "util/strbuf.h"

#define STRINGS                                                                                  \
	(LINUX_STATMOUNT_MNT_ROOT | LINUX_STATMOUNT_MNT_POINT | LINUX_STATMOUNT_FS_TYPE |        \
	 LINUX_STATMOUNT_MNT_OPTS | LINUX_STATMOUNT_FS_SUBTYPE | LINUX_STATMOUNT_SB_SOURCE |     \
	 LINUX_STATMOUNT_OPT_ARRAY | LINUX_STATMOUNT_OPT_SEC_ARRAY | LINUX_STATMOUNT_MNT_UIDMAP | \
	 LINUX_STATMOUNT_MNT_GIDMAP)

/* Other namespaces are as good as gone to whoever asks. */
static int copy_request(struct task *t, guest_addr_t at, struct linux_mnt_id_req *out)
{
	uint32_t size;
	int rc = copy_in_u32(t->mm, &size, at);

	*out = (struct linux_mnt_id_req){ 0 };
	if (rc == 0)
		rc = copy_in_struct(t->mm, out, sizeof(*out), LINUX_MNT_ID_REQ_SIZE_VER0, at, size);
	if (rc < 0)
		return rc;
	return out->spare || out->mnt_id <= MOUNT_UNIQUE_OFFSET ? -EINVAL : 0;
}

static bool is_own_namespace(const struct task *t, const struct linux_mnt_id_req *rq)
{
	return !rq->mnt_ns_id || rq->mnt_ns_id == t->namespaces->mount->ino;
}

static struct path root_of(struct task *t)
{
	struct path root;

	mutex_lock(&t->fs->lock);
	root = path_get(&t->fs->root);
	mutex_unlock(&t->fs->lock);
	return root;
}

/* --- statmount ---------------------------------------------------------------------------- */

struct answer {
	struct linux_statmount sm;
	uint64_t wanted, size; /* of the guest's buffer */
	struct strbuf strings;
};

static uint64_t propagation_of(const struct mount_info *m)
{
	uint64_t propagation = (m->group ? LINUX_MS_SHARED : 0) | (m->master ? LINUX_MS_SLAVE : 0) |
			       (m->unbindable ? LINUX_MS_UNBINDABLE : 0);

	return propagation ? propagation : LINUX_MS_PRIVATE;
}

static void add_numbers(struct answer *an, const struct mount_info *m)
{
	struct linux_statmount *sm = &an->sm;

	if (an->wanted & LINUX_STATMOUNT_SB_BASIC) {
		sm->sb_dev_major = linux_dev_major(m->dev);
		sm->sb_dev_minor = linux_dev_minor(m->dev);
		sm->sb_magic = m->magic;
		sm->sb_flags = (m->sb_read_only ? LINUX_MS_RDONLY : 0) |
			       (m->sb_flags & (LINUX_MS_SYNCHRONOUS | LINUX_MS_DIRSYNC | LINUX_MS_LAZYTIME));
	}
	if (an->wanted & LINUX_STATMOUNT_MNT_BASIC) {
		sm->mnt_id = MOUNT_UNIQUE_OFFSET + (uint64_t)m->id;
		sm->mnt_parent_id = MOUNT_UNIQUE_OFFSET + (uint64_t)m->parent_id;
		sm->mnt_id_old = (uint32_t)m->id;
		sm->mnt_parent_id_old = (uint32_t)m->parent_id;
		sm->mnt_attr = mount_flags_to_attributes(m->flags);
		sm->mnt_propagation = propagation_of(m);
		sm->mnt_peer_group = (uint64_t)m->group;
		sm->mnt_master = (uint64_t)m->master;
	}
	if (an->wanted & LINUX_STATMOUNT_PROPAGATE_FROM && m->master)
		sm->propagate_from = (uint64_t)m->dominating;
	sm->mask |= an->wanted & (LINUX_STATMOUNT_SB_BASIC | LINUX_STATMOUNT_MNT_BASIC |
				  LINUX_STATMOUNT_PROPAGATE_FROM);
}

/* As Linux: nothing is said of an empty one, and the strings must leave a byte of the buffer. */
static int add_bytes(struct answer *an, uint64_t what, const char *bytes, size_t size, uint32_t *offset)
{
	if (!(an->wanted & what))
		return 0;
	if (!an->strings.length)
		strbuf_add_char(&an->strings, '\0');
	if (!size)
		return 0;
	if (sizeof(an->sm) + an->strings.length + size >= an->size)
		return -EOVERFLOW;
	*offset = (uint32_t)an->strings.length;
	strbuf_add_bytes(&an->strings, bytes, size);
	strbuf_add_char(&an->strings, '\0');
	an->sm.mask |= what;
	return 0;
}

static int add_string(struct answer *an, uint64_t what, const char *text, uint32_t *offset)
{
	return add_bytes(an, what, text ? text : "", text ? strlen(text) : 0, offset);
}

/* The options one by one. */
static int add_option_array(struct answer *an, const char *options)
{
	char text[sizeof(((struct mount_info *)NULL)->super_options)];
	size_t size = strlen(options);
	uint32_t count = size > 0;
	int rc;

	memcpy(text, options, size + 1);
	for (size_t i = 0; i < size; i++) {
		if (text[i] == ',') {
			text[i] = '\0';
			count++;
		}
	}
	rc = add_bytes(an, LINUX_STATMOUNT_OPT_ARRAY, text, size, &an->sm.opt_array);
	if (rc == 0 && an->wanted & LINUX_STATMOUNT_OPT_ARRAY)
		an->sm.opt_num = count;
	return rc;
}

static int add_strings(struct answer *an, const struct mount_info *m)
{
	const char *options = m->super_options + (m->super_options[0] == ',');
	struct linux_statmount *sm = &an->sm;
	int rc = add_string(an, LINUX_STATMOUNT_FS_TYPE, m->fs_type, &sm->fs_type);

	if (rc == 0)
		rc = add_string(an, LINUX_STATMOUNT_MNT_ROOT, m->root, &sm->mnt_root);
	if (rc == 0)
		rc = add_string(an, LINUX_STATMOUNT_MNT_POINT, m->mountpoint, &sm->mnt_point);
	if (rc == 0)
		rc = add_string(an, LINUX_STATMOUNT_MNT_OPTS, options, &sm->mnt_opts);
	if (rc == 0)
		rc = add_option_array(an, options);
	/* No file system has options of a security module, or a sub-type, no mount maps ids. */
	if (rc == 0)
		rc = add_string(an, LINUX_STATMOUNT_OPT_SEC_ARRAY, NULL, &sm->opt_sec_array);
	if (rc == 0)
		rc = add_string(an, LINUX_STATMOUNT_FS_SUBTYPE, NULL, &sm->fs_subtype);
	if (rc == 0)
		rc = add_string(an, LINUX_STATMOUNT_SB_SOURCE, m->source, &sm->sb_source);
	if (rc == 0)
		rc = add_string(an, LINUX_STATMOUNT_MNT_UIDMAP, NULL, &sm->mnt_uidmap);
	if (rc == 0)
		rc = add_string(an, LINUX_STATMOUNT_MNT_GIDMAP, NULL, &sm->mnt_gidmap);
	return rc == 0 && an->strings.failed ? -ENOMEM : rc;
}

static int put_answer(struct task *t, struct answer *an, guest_addr_t buf)
{
	size_t size = MIN(an->size, sizeof(an->sm));
	int rc = 0;

	if (an->strings.length)
		rc = copy_out(t->mm, guest_add(buf, sizeof(an->sm)), an->strings.data, an->strings.length);
	an->sm.size = (uint32_t)(size + an->strings.length);
	return rc < 0 ? rc : copy_out(t->mm, buf, &an->sm, size);
}

static int answer(struct task *t, const struct mount_info *m, struct answer *an, guest_addr_t buf)
{
	int rc;

	if (!m->mountpoint && !may_mount(t))
		return -EPERM;
	add_numbers(an, m);
	rc = add_strings(an, m);
	if (an->wanted & LINUX_STATMOUNT_MNT_NS_ID) {
		an->sm.mnt_ns_id = t->namespaces->mount->ino;
		an->sm.mask |= LINUX_STATMOUNT_MNT_NS_ID;
	}
	if (an->wanted & LINUX_STATMOUNT_SUPPORTED_MASK) {
		an->sm.supported_mask = LINUX_STATMOUNT_SUPPORTED;
		an->sm.mask |= LINUX_STATMOUNT_SUPPORTED_MASK;
	}
	return rc < 0 ? rc : put_answer(t, an, buf);
}

int64_t sys_statmount(struct task *t, const struct syscall_args *a)
{
	struct answer an = { .size = a->v[2], .strings = STRBUF_INIT };
	AUTO_PATH struct path root = { NULL, NULL };
	struct mount_info info = { 0 };
	struct linux_mnt_id_req rq;
	int rc;

	if (arg_u32(a, 3))
		return -EINVAL;
	rc = copy_request(t, arg_addr(a, 0), &rq);
	if (rc < 0)
		return rc;
	if (!is_own_namespace(t, &rq))
		return -ENOENT;
	an.wanted = rq.param;
	if (an.wanted & STRINGS && an.size == sizeof(an.sm))
		return -EOVERFLOW;
	root = root_of(t);
	rc = mount_namespace_describe(t->namespaces->mount, &root, rq.mnt_id, &info);
	if (rc < 0)
		return rc;
	rc = answer(t, &info, &an, arg_addr(a, 1));
	strbuf_free(&an.strings);
	mount_info_release(&info);
	return rc;
}

/* --- listmount ---------------------------------------------------------------------------- */

/* Those of @list behind @last in the order asked for, @max at most; how many. */
static int64_t put_numbers(struct task *t, uint64_t *list, size_t count, uint64_t last, bool reverse, size_t max,
			   guest_addr_t out)
{
	size_t from = 0;
	int rc;

	if (reverse) {
		for (size_t i = 0; i < count / 2; i++) {
			uint64_t other = list[i];

			list[i] = list[count - 1 - i];
			list[count - 1 - i] = other;
		}
	}
	while (last && from < count && (reverse ? list[from] >= last : list[from] <= last))
		from++;
	count = MIN(count - from, max);
	rc = count ? copy_out(t->mm, out, list + from, count * sizeof(*list)) : 0;
	return rc < 0 ? rc : (int64_t)count;
}

int64_t sys_listmount(struct task *t, const struct syscall_args *a)
{
	bool reverse = arg_u32(a, 3) & LINUX_LISTMOUNT_REVERSE;
	AUTO_PATH struct path root = { NULL, NULL };
	AUTO_FREE uint64_t *list = NULL;
	struct linux_mnt_id_req rq;
	size_t count;
	int rc;

	if (arg_u32(a, 3) & ~LINUX_LISTMOUNT_REVERSE)
		return -EINVAL;
	if (a->v[2] > LINUX_LISTMOUNT_MAX)
		return -EOVERFLOW;
	rc = copy_request(t, arg_addr(a, 0), &rq);
	if (rc == 0 && rq.param && rq.param <= MOUNT_UNIQUE_OFFSET)
		rc = -EINVAL;
	if (rc == 0 && !is_own_namespace(t, &rq))
		rc = -ENOENT;
	if (rc < 0)
		return rc;
	root = root_of(t);
	rc = mount_namespace_numbers(t->namespaces->mount, &root, t->cred, rq.mnt_id, &list, &count);
	return rc < 0 ? rc : put_numbers(t, list, count, rq.param, reverse, a->v[2], arg_addr(a, 1));
}

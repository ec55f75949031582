/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uid_map, gid_map, setgroups: user_namespaces(7).  A map is written once, in one
 * write from the beginning of the file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/cred/user_namespace.h"
#include "sentry/fs/proc/proc_internal.h"
#include "util/checked.h"

/* The namespace of the process; a reference. */
static struct user_namespace *ns_of(struct task *t)
{
	const struct credentials *cred = task_cred(t);
	struct user_namespace *ns = user_namespace_get(cred->user_ns);

	credentials_put(cred);
	return ns;
}

static struct user_namespace *target_ns(const struct proc_call *c)
{
	return ns_of(c->task);
}

/* --- showing --------------------------------------------------------------------------- */

static unsigned copy_extents_locked(const struct user_namespace *ns, enum id_map_kind kind,
				    struct id_map_extent *out)
{
	const struct id_map_extent *from = kind == ID_MAP_UID ? ns->uid_map :
					   kind == ID_MAP_GID ? ns->gid_map : ns->projid_map;
	unsigned count = kind == ID_MAP_UID ? ns->uid_map_count :
			 kind == ID_MAP_GID ? ns->gid_map_count : ns->projid_map_count;

	count = MIN(count, (unsigned)ID_MAP_EXTENTS_MAX);
	if (count)
		memcpy(out, from, count * sizeof(*out));
	return count;
}

static uint32_t outside_id(struct user_namespace *ns, enum id_map_kind kind, uint32_t kernel_id)
{
	switch (kind) {
	case ID_MAP_UID:
		return uid_from_kernel(ns, kernel_id);
	case ID_MAP_GID:
		return gid_from_kernel(ns, kernel_id);
	default:
		return projid_from_kernel(ns, kernel_id);
	}
}

/* The outside as the reader sees it: of the parent when the reader is in @ns itself. */
static int show_map(const struct proc_call *c, enum id_map_kind kind, struct strbuf *out)
{
	struct user_namespace *ns = target_ns(c), *lower = proc_user_ns(c);
	struct id_map_extent extents[ID_MAP_EXTENTS_MAX];
	unsigned count;

	if (lower == ns && ns->parent)
		lower = ns->parent;
	mutex_lock(&ns->lock);
	count = copy_extents_locked(ns, kind, extents);
	mutex_unlock(&ns->lock);
	if (!ns->parent && !count)
		strbuf_addf(out, "%10u %10u %10u\n", 0U, 0U, UINT32_MAX);
	for (unsigned i = 0; i < count; i++) {
		uint32_t outside = lower == ns ? extents[i].outside :
						 outside_id(lower, kind, extents[i].outside);

		strbuf_addf(out, "%10u %10u %10u\n", extents[i].inside, outside, extents[i].count);
	}
	user_namespace_put(ns);
	return 0;
}

int proc_show_uid_map(const struct proc_call *c, struct strbuf *out)
{
	return show_map(c, ID_MAP_UID, out);
}

int proc_show_gid_map(const struct proc_call *c, struct strbuf *out)
{
	return show_map(c, ID_MAP_GID, out);
}

int proc_show_projid_map(const struct proc_call *c, struct strbuf *out)
{
	return show_map(c, ID_MAP_PROJID, out);
}

int proc_show_setgroups(const struct proc_call *c, struct strbuf *out)
{
	struct user_namespace *ns = target_ns(c);

	mutex_lock(&ns->lock);
	strbuf_add(out, ns->setgroups_allowed ? "allow\n" : "deny\n");
	mutex_unlock(&ns->lock);
	user_namespace_put(ns);
	return 0;
}

#define SETGROUPS_SIZE 8 /* of the text with its end */

/* --- writing ------------------------------------------------------------------------------ */

static int parse_extent(char **at, struct id_map_extent *e)
{
	uint32_t *const fields[] = { &e->inside, &e->outside, &e->count };
	char *p = *at;
	uint32_t last;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		unsigned long long value;
		char *end;

		p += strspn(p, " \t");
		if (*p < '0' || *p > '9')
			return -EINVAL;
		value = strtoull(p, &end, 10);
		if (value > UINT32_MAX)
			return -EINVAL;
		*fields[i] = (uint32_t)value;
		p = end;
	}
	p += strspn(p, " \t");
	if (*p && *p != '\n')
		return -EINVAL;
	if (!e->count || add_overflows(e->inside, e->count, &last) ||
	    add_overflows(e->outside, e->count, &last) || e->inside == ID_INVALID ||
	    e->outside == ID_INVALID)
		return -EINVAL;
	*at = *p ? p + 1 : p;
	return 0;
}

static int parse_extents(char *text, struct id_map_extent *extents, unsigned *count)
{
	*count = 0;
	while (*text) {
		int rc;

		if (*count == ID_MAP_EXTENTS_MAX)
			return -EINVAL;
		rc = parse_extent(&text, &extents[*count]);
		if (rc < 0)
			return rc;
		(*count)++;
	}
	return *count ? 0 : -EINVAL;
}

/* Linux's new_idmap_permitted: one's own id alone, or the capability in the parent. */
static bool may_map(struct user_namespace *ns, enum id_map_kind kind,
		    const struct credentials *cred, const struct id_map_extent *extents,
		    unsigned count)
{
	bool group = kind == ID_MAP_GID;
	int cap = group ? LINUX_CAP_SETGID : LINUX_CAP_SETUID;

	/* Anybody with CAP_SYS_ADMIN inside, which has been checked. */
	if (kind == ID_MAP_PROJID)
		return true;

	if (count == 1 && extents[0].count == 1 && ns->owner_uid == cred->euid) {
		if (group) {
			bool denied;

			mutex_lock(&ns->lock);
			denied = !ns->setgroups_allowed;
			mutex_unlock(&ns->lock);
			if (denied && gid_to_kernel(ns->parent, extents[0].outside) == cred->egid)
				return true;
		} else if (uid_to_kernel(ns->parent, extents[0].outside) == cred->euid) {
			return true;
		}
	}
	return credentials_ns_capable(cred, ns->parent, cap);
}

int proc_may_store_map(const struct proc_call *c, uint64_t whole)
{
	struct user_namespace *ns = target_ns(c);
	struct task *caller = task_current();
	int rc = 0;

	if (!ns->parent ||
	    (caller && caller->cred->user_ns != ns && caller->cred->user_ns != ns->parent))
		rc = -EPERM;
	else if (c->pos || whole >= GUEST_PAGE_SIZE)
		rc = -EINVAL;
	user_namespace_put(ns);
	return rc;
}

static int store_map(const struct proc_call *c, char *text, size_t size, enum id_map_kind kind)
{
	struct id_map_extent *extents;
	struct task *caller = task_current();
	struct user_namespace *ns;
	unsigned count = 0;
	int rc;

	ns = target_ns(c);
	extents = calloc(ID_MAP_EXTENTS_MAX, sizeof(*extents));
	rc = !extents ? -ENOMEM : !ns->parent ? -EPERM : 0;
	if (rc == 0 && caller && !credentials_ns_capable(caller->cred, ns, LINUX_CAP_SYS_ADMIN))
		rc = -EPERM;
	if (rc == 0)
		rc = parse_extents(text, extents, &count);
	if (rc == 0 && caller && !may_map(ns, kind, caller->cred, extents, count))
		rc = -EPERM;
	if (rc == 0)
		rc = user_namespace_set_map(ns, kind, extents, count);
	free(extents);
	user_namespace_put(ns);
	return rc;
}

int proc_store_uid_map(const struct proc_call *c, char *text, size_t size)
{
	return store_map(c, text, size, ID_MAP_UID);
}

int proc_store_gid_map(const struct proc_call *c, char *text, size_t size)
{
	return store_map(c, text, size, ID_MAP_GID);
}

int proc_store_projid_map(const struct proc_call *c, char *text, size_t size)
{
	return store_map(c, text, size, ID_MAP_PROJID);
}

int proc_may_set_groups(struct inode *inode)
{
	struct task *t = proc_task(inode), *caller = task_current();
	struct user_namespace *ns;
	bool may;

	if (!t)
		return -ESRCH;
	ns = ns_of(t);
	may = !caller || credentials_ns_capable(caller->cred, ns, LINUX_CAP_SYS_ADMIN);
	user_namespace_put(ns);
	task_put(t);
	return may ? 0 : -EACCES;
}

int proc_store_setgroups(const struct proc_call *c, char *text, size_t size)
{
	struct user_namespace *ns;
	size_t word = text[0] == 'a' ? 5 : 4;
	bool allow;
	int rc = 0;

	if (c->pos || size >= SETGROUPS_SIZE || (strncmp(text, "allow", 5) && strncmp(text, "deny", 4)) ||
	    text[word + strspn(text + word, " \t\n\v\f\r")])
		return -EINVAL;
	allow = text[0] == 'a';
	ns = target_ns(c);
	mutex_lock(&ns->lock);
	if (allow && !ns->setgroups_allowed)
		rc = -EPERM;
	else if (!allow && ns->gid_map_count)
		rc = -EPERM;
	else
		ns->setgroups_allowed = allow;
	mutex_unlock(&ns->lock);
	user_namespace_put(ns);
	return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User and group ids.  Each call makes a changed copy of the credentials, applies the
 * capability rules of a change of user (cap_task_fix_setuid), and installs it.
 */
#include "sentry/abi/capability.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/syscalls/handlers.h"

/* --- reading ---------------------------------------------------------------------- */

int64_t sys_getuid(struct task *t, const struct syscall_args *a)
{
	return uid_from_kernel(t->cred->user_ns, t->cred->uid);
}

int64_t sys_geteuid(struct task *t, const struct syscall_args *a)
{
	return uid_from_kernel(t->cred->user_ns, t->cred->euid);
}

int64_t sys_getgid(struct task *t, const struct syscall_args *a)
{
	return gid_from_kernel(t->cred->user_ns, t->cred->gid);
}

int64_t sys_getegid(struct task *t, const struct syscall_args *a)
{
	return gid_from_kernel(t->cred->user_ns, t->cred->egid);
}

static int copy_out_three(struct task *t, const struct syscall_args *a, const uint32_t ids[3])
{
	int rc = 0;

	for (unsigned i = 0; i < 3 && !rc; i++)
		rc = copy_out_u32(t->mm, arg_addr(a, i), ids[i]);
	return rc;
}

int64_t sys_getresuid(struct task *t, const struct syscall_args *a)
{
	const struct credentials *c = t->cred;
	uint32_t ids[3] = { uid_from_kernel(c->user_ns, c->uid), uid_from_kernel(c->user_ns, c->euid),
			    uid_from_kernel(c->user_ns, c->suid) };

	return copy_out_three(t, a, ids);
}

int64_t sys_getresgid(struct task *t, const struct syscall_args *a)
{
	const struct credentials *c = t->cred;
	uint32_t ids[3] = { gid_from_kernel(c->user_ns, c->gid), gid_from_kernel(c->user_ns, c->egid),
			    gid_from_kernel(c->user_ns, c->sgid) };

	return copy_out_three(t, a, ids);
}

/* --- changing --------------------------------------------------------------------- */

static void fix_capabilities(struct credentials *cred, const struct credentials *old)
{
	uint32_t root = uid_to_kernel(old->user_ns, 0);
	bool was_root = old->uid == root || old->euid == root || old->suid == root;
	bool is_root = cred->uid == root || cred->euid == root || cred->suid == root;

	if (was_root && !is_root) {
		if (!(old->securebits & LINUX_SECBIT_KEEP_CAPS))
			cred->permitted = cred->effective = 0;
		cred->ambient = 0;
	}
	if (old->euid == root && cred->euid != root)
		cred->effective = 0;
	if (old->euid != root && cred->euid == root)
		cred->effective = cred->permitted;
}

static bool may_setuid(const struct task *t)
{
	return credentials_capable(t->cred, LINUX_CAP_SETUID);
}

static bool may_setgid(const struct task *t)
{
	return credentials_capable(t->cred, LINUX_CAP_SETGID);
}

static int64_t install(struct task *t, struct credentials *cred)
{
	const struct credentials *old = t->cred;

	if (old->euid != cred->euid || old->egid != cred->egid || old->fsuid != cred->fsuid ||
	    old->fsgid != cred->fsgid || (cred->permitted & ~old->permitted)) {
		atomic_store(&t->mm->dumpable, 0);
		mutex_lock(&t->lock);
		t->parent_death_signal = 0;
		mutex_unlock(&t->lock);
	}
	task_set_cred(t, cred);
	return 0;
}

static int64_t install_uid(struct task *t, struct credentials *cred)
{
	cred->fsuid = cred->euid;
	if (!(t->cred->securebits & LINUX_SECBIT_NO_SETUID_FIXUP))
		fix_capabilities(cred, t->cred);
	return install(t, cred);
}

static int64_t install_gid(struct task *t, struct credentials *cred)
{
	cred->fsgid = cred->egid;
	return install(t, cred);
}

static int64_t refuse(struct credentials *cred)
{
	credentials_put(cred);
	return -EPERM;
}

int64_t sys_setuid(struct task *t, const struct syscall_args *a)
{
	uint32_t uid = uid_to_kernel(t->cred->user_ns, arg_u32(a, 0));
	struct credentials *cred;

	if (uid == ID_INVALID)
		return -EINVAL;
	cred = credentials_copy(t->cred);
	if (!cred)
		return -ENOMEM;
	if (may_setuid(t))
		cred->uid = cred->suid = uid;
	else if (uid != cred->uid && uid != cred->suid)
		return refuse(cred);
	cred->euid = uid;
	return install_uid(t, cred);
}

int64_t sys_setgid(struct task *t, const struct syscall_args *a)
{
	uint32_t gid = gid_to_kernel(t->cred->user_ns, arg_u32(a, 0));
	struct credentials *cred;

	if (gid == ID_INVALID)
		return -EINVAL;
	cred = credentials_copy(t->cred);
	if (!cred)
		return -ENOMEM;
	if (may_setgid(t))
		cred->gid = cred->sgid = gid;
	else if (gid != cred->gid && gid != cred->sgid)
		return refuse(cred);
	cred->egid = gid;
	return install_gid(t, cred);
}

/* -1 stays -1 ("unchanged"); false: an id that is not mapped. */
static bool map_ids(struct task *t, const struct syscall_args *a, unsigned count, bool group,
		    uint32_t out[3])
{
	for (unsigned i = 0; i < count; i++) {
		uint32_t id = arg_u32(a, i);

		out[i] = id == ID_INVALID ? id :
			 group ? gid_to_kernel(t->cred->user_ns, id) :
				 uid_to_kernel(t->cred->user_ns, id);
		if (id != ID_INVALID && out[i] == ID_INVALID)
			return false;
	}
	return true;
}

int64_t sys_setreuid(struct task *t, const struct syscall_args *a)
{
	const struct credentials *old = t->cred;
	struct credentials *cred;
	uint32_t id[3];

	if (!map_ids(t, a, 2, false, id))
		return -EINVAL;
	cred = credentials_copy(old);
	if (!cred)
		return -ENOMEM;
	if (id[0] != ID_INVALID) {
		cred->uid = id[0];
		if (id[0] != old->uid && id[0] != old->euid && !may_setuid(t))
			return refuse(cred);
	}
	if (id[1] != ID_INVALID) {
		cred->euid = id[1];
		if (id[1] != old->uid && id[1] != old->euid && id[1] != old->suid && !may_setuid(t))
			return refuse(cred);
	}
	if (id[0] != ID_INVALID || (id[1] != ID_INVALID && id[1] != old->uid))
		cred->suid = cred->euid;
	return install_uid(t, cred);
}

int64_t sys_setregid(struct task *t, const struct syscall_args *a)
{
	const struct credentials *old = t->cred;
	struct credentials *cred;
	uint32_t id[3];

	if (!map_ids(t, a, 2, true, id))
		return -EINVAL;
	cred = credentials_copy(old);
	if (!cred)
		return -ENOMEM;
	if (id[0] != ID_INVALID) {
		cred->gid = id[0];
		if (id[0] != old->gid && id[0] != old->egid && !may_setgid(t))
			return refuse(cred);
	}
	if (id[1] != ID_INVALID) {
		cred->egid = id[1];
		if (id[1] != old->gid && id[1] != old->egid && id[1] != old->sgid && !may_setgid(t))
			return refuse(cred);
	}
	if (id[0] != ID_INVALID || (id[1] != ID_INVALID && id[1] != old->gid))
		cred->sgid = cred->egid;
	return install_gid(t, cred);
}

/* Each given id must be one of the three there are. */
static bool among(const uint32_t id[3], uint32_t x, uint32_t y, uint32_t z)
{
	for (unsigned i = 0; i < 3; i++)
		if (id[i] != ID_INVALID && id[i] != x && id[i] != y && id[i] != z)
			return false;
	return true;
}

int64_t sys_setresuid(struct task *t, const struct syscall_args *a)
{
	const struct credentials *old = t->cred;
	struct credentials *cred;
	uint32_t id[3];

	if (!map_ids(t, a, 3, false, id))
		return -EINVAL;
	if (!among(id, old->uid, old->euid, old->suid) && !may_setuid(t))
		return -EPERM;
	cred = credentials_copy(old);
	if (!cred)
		return -ENOMEM;
	if (id[0] != ID_INVALID)
		cred->uid = id[0];
	if (id[1] != ID_INVALID)
		cred->euid = id[1];
	if (id[2] != ID_INVALID)
		cred->suid = id[2];
	return install_uid(t, cred);
}

int64_t sys_setresgid(struct task *t, const struct syscall_args *a)
{
	const struct credentials *old = t->cred;
	struct credentials *cred;
	uint32_t id[3];

	if (!map_ids(t, a, 3, true, id))
		return -EINVAL;
	if (!among(id, old->gid, old->egid, old->sgid) && !may_setgid(t))
		return -EPERM;
	cred = credentials_copy(old);
	if (!cred)
		return -ENOMEM;
	if (id[0] != ID_INVALID)
		cred->gid = id[0];
	if (id[1] != ID_INVALID)
		cred->egid = id[1];
	if (id[2] != ID_INVALID)
		cred->sgid = id[2];
	return install_gid(t, cred);
}

/* The old value is returned whatever happens. */
int64_t sys_setfsuid(struct task *t, const struct syscall_args *a)
{
	const struct credentials *old = t->cred;
	uint32_t result = uid_from_kernel(old->user_ns, old->fsuid), root = uid_to_kernel(old->user_ns, 0);
	uint32_t uid = uid_to_kernel(old->user_ns, arg_u32(a, 0));
	struct credentials *cred;

	if (uid == ID_INVALID || uid == old->fsuid ||
	    (uid != old->uid && uid != old->euid && uid != old->suid && !may_setuid(t)))
		return result;
	cred = credentials_copy(old);
	if (!cred)
		return result;
	cred->fsuid = uid;
	if (!(old->securebits & LINUX_SECBIT_NO_SETUID_FIXUP)) {
		if (old->fsuid == root && uid != root)
			cred->effective &= ~LINUX_CAP_FS_SET;
		if (old->fsuid != root && uid == root)
			cred->effective |= cred->permitted & LINUX_CAP_FS_SET;
	}
	install(t, cred);
	return result;
}

int64_t sys_setfsgid(struct task *t, const struct syscall_args *a)
{
	const struct credentials *old = t->cred;
	uint32_t result = gid_from_kernel(old->user_ns, old->fsgid);
	uint32_t gid = gid_to_kernel(old->user_ns, arg_u32(a, 0));
	struct credentials *cred;

	if (gid == ID_INVALID || gid == old->fsgid ||
	    (gid != old->gid && gid != old->egid && gid != old->sgid && !may_setgid(t)))
		return result;
	cred = credentials_copy(old);
	if (!cred)
		return result;
	cred->fsgid = gid;
	install(t, cred);
	return result;
}

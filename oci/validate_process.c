/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Validation of the process object.  Where runc checks the same thing the words
 * are runc's, since its callers' tests look for them.
 */
#include "oci/spec.h"

#include <errno.h>
#include <string.h>

#include "oci/capability.h"
#include "oci/rlimit.h"
#include "oci/schedule.h"

#define OOM_SCORE_ADJ_LIMIT 1000
#define IO_PRIORITY_MAX 7
#define ID_MAX 2147483647u /* runc's limit, not the kernel's */

static int validate_rlimits(const struct spec_process *p, struct error **err)
{
	unsigned seen = 0;

	for (size_t i = 0; i < p->rlimits.count; i++) {
		const struct spec_rlimit *limit = &p->rlimits.items[i];
		int number = oci_rlimit_number(limit->type);

		if (number < 0)
			return error_set(err, -EINVAL, "invalid rlimit type: %s", limit->type);
		if (seen & (1u << number))
			return error_set(err, -EINVAL, "process.rlimits[%zu]: duplicate type %s", i,
					 limit->type);
		seen |= 1u << number;
		if (limit->soft > limit->hard)
			return error_set(err, -EINVAL,
					 "process.rlimits[%zu]: %s: soft limit %llu exceeds hard limit %llu",
					 i, limit->type, (unsigned long long)limit->soft,
					 (unsigned long long)limit->hard);
	}
	return 0;
}

static int validate_scheduling(const struct spec_process *p, struct error **err)
{
	const struct spec_scheduler *s = p->scheduler;
	const struct spec_io_priority *io = p->io_priority;

	if (s && oci_scheduler_policy(s->policy) < 0)
		return error_set(err, -EINVAL, "process.scheduler.policy: \"%s\" is unknown",
				 s->policy);
	for (size_t i = 0; s && i < s->flags.count; i++)
		if (!oci_scheduler_flag(s->flags.items[i]))
			return error_set(err, -EINVAL, "process.scheduler.flags[%zu]: \"%s\" is unknown",
					 i, s->flags.items[i]);
	if (s && (s->nice < -20 || s->nice > 19))
		return error_set(err, -EINVAL,
				 "process.scheduler.nice: expected an integer from -20 to 19, found %d",
				 s->nice);
	if (io && oci_io_class(io->class) < 0)
		return error_set(err, -EINVAL, "process.ioPriority.class: \"%s\" is unknown",
				 io->class);
	if (io && (io->priority < 0 || io->priority > IO_PRIORITY_MAX))
		return error_set(err, -EINVAL,
				 "process.ioPriority.priority: expected an integer from 0 to %d, found %d",
				 IO_PRIORITY_MAX, io->priority);
	return 0;
}

static int validate_user(const struct spec_user *u, struct error **err)
{
	bool valid = u->uid <= ID_MAX && u->gid <= ID_MAX;

	for (size_t i = 0; i < u->additional_gids.count; i++)
		valid &= u->additional_gids.items[i] <= ID_MAX;
	if (!valid)
		return error_set(err, -EINVAL,
				 "unable to start container process: unable to setup user: uids and gids must be "
				 "in range 0-%u", ID_MAX);
	if (u->umask.set && u->umask.value > 0777)
		return error_set(err, -EINVAL,
				 "process.user.umask: expected an integer from 0 to 511, found %u",
				 u->umask.value);
	return 0;
}

static int validate_env(const struct spec_process *p, struct error **err)
{
	for (size_t i = 0; i < p->env.count; i++) {
		const char *equals = strchr(p->env.items[i], '=');

		if (!equals)
			return error_set(err, -EINVAL,
					 "unable to start container process: invalid environment variable: "
					 "\"%s\"", p->env.items[i]);
		if (equals == p->env.items[i])
			return error_set(err, -EINVAL,
					 "unable to start container process: environment variable name "
					 "can't be empty: \"%s\"", p->env.items[i]);
	}
	return 0;
}

/* As capset(2) wants it.  Names that are not known count for nothing; the caller warns of them. */
static int validate_capabilities(const struct spec_process *p, struct error **err)
{
	const struct spec_capabilities *c = p->capabilities;

	if (!c)
		return 0;
	if (oci_capability_set(&c->effective, NULL) & ~oci_capability_set(&c->permitted, NULL))
		return error_set(err, -EPERM,
				 "unable to apply caps: operation not permitted: process.capabilities: "
				 "all that is effective has to be permitted");
	if (oci_capability_set(&c->inheritable, NULL) & ~oci_capability_set(&c->bounding, NULL))
		return error_set(err, -EPERM,
				 "unable to apply caps: operation not permitted: process.capabilities: "
				 "all that is inheritable has to be in the bounding set");
	return 0;
}

int spec_validate_process(const struct spec_process *p, struct error **err)
{
	int error;

	if (!p)
		return error_set(err, -EINVAL, "process property must not be empty");
	if (!p->cwd || !*p->cwd)
		return error_set(err, -EINVAL, "Cwd property must not be empty");
	if (*p->cwd != '/')
		return error_set(err, -EINVAL, "Cwd must be an absolute path");
	if (!p->args.count)
		return error_set(err, -EINVAL, "args must not be empty");
	if (p->oom_score_adj.set && (p->oom_score_adj.value < -OOM_SCORE_ADJ_LIMIT ||
				     p->oom_score_adj.value > OOM_SCORE_ADJ_LIMIT))
		return error_set(err, -EINVAL,
				 "process.oomScoreAdj: expected an integer from %d to %d, found %d",
				 -OOM_SCORE_ADJ_LIMIT, OOM_SCORE_ADJ_LIMIT, p->oom_score_adj.value);
	error = validate_user(&p->user, err);
	if (!error)
		error = validate_env(p, err);
	if (!error)
		error = validate_capabilities(p, err);
	if (!error)
		error = validate_rlimits(p, err);
	if (!error)
		error = validate_scheduling(p, err);
	return error;
}

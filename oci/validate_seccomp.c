/* SPDX-License-Identifier: Apache-2.0 */
/* linux.seccomp: the names it may use.  Unknown system calls are not an error (a newer kernel's). */
#include "oci/validate_linux.h"

#include <errno.h>

#include "oci/name_set.h"

#define SECCOMP_ARGS_MAX 6

static const char *const actions[] = {
	"SCMP_ACT_KILL",  "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP",
	"SCMP_ACT_ERRNO", "SCMP_ACT_TRACE",	    "SCMP_ACT_ALLOW",	    "SCMP_ACT_LOG",
	"SCMP_ACT_NOTIFY", NULL,
};
static const char *const operators[] = { "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE",
					  "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT",
					  "SCMP_CMP_MASKED_EQ", NULL };
static const char *const architectures[] = {
	"SCMP_ARCH_X86",      "SCMP_ARCH_X86_64",  "SCMP_ARCH_X32",	     "SCMP_ARCH_ARM",
	"SCMP_ARCH_AARCH64",  "SCMP_ARCH_MIPS",	   "SCMP_ARCH_MIPS64",	     "SCMP_ARCH_MIPS64N32",
	"SCMP_ARCH_MIPSEL",   "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC",
	"SCMP_ARCH_PPC64",    "SCMP_ARCH_PPC64LE", "SCMP_ARCH_S390",	     "SCMP_ARCH_S390X",
	"SCMP_ARCH_PARISC",   "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64",     "SCMP_ARCH_LOONGARCH64",
	"SCMP_ARCH_M68K",     "SCMP_ARCH_SH",	   "SCMP_ARCH_SHEB",	     NULL,
};
static const char *const flags[] = { "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
				      "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
				      "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", NULL };

static int validate_list(const struct string_list *list, const char *const *set, const char *what,
			 struct error **err)
{
	for (size_t i = 0; i < list->count; i++)
		if (!name_set_has(set, list->items[i]))
			return error_set(err, -EINVAL, "linux.seccomp.%s[%zu]: \"%s\" is unknown",
					 what, i, list->items[i]);
	return 0;
}

static int validate_rule(const struct spec_seccomp_rule *rule, size_t index, struct error **err)
{
	if (!rule->names.count)
		return error_set(err, -EINVAL, "linux.seccomp.syscalls[%zu].names: is empty", index);
	if (string_list_contains(&rule->names, ""))
		return error_set(err, -EINVAL,
				 "linux.seccomp.syscalls[%zu].names: empty string is not a valid syscall",
				 index);
	if (!name_set_has(actions, rule->action))
		return error_set(err, -EINVAL,
				 "linux.seccomp.syscalls[%zu].action: \"%s\" is unknown", index,
				 rule->action);
	for (size_t i = 0; i < rule->args.count; i++) {
		const struct spec_seccomp_arg *arg = &rule->args.items[i];

		if (arg->index >= SECCOMP_ARGS_MAX)
			return error_set(err, -EINVAL,
					 "linux.seccomp.syscalls[%zu].args[%zu].index: expected an integer from 0 to %d, found %u",
					 index, i, SECCOMP_ARGS_MAX - 1, arg->index);
		if (!name_set_has(operators, arg->op))
			return error_set(err, -EINVAL,
					 "linux.seccomp.syscalls[%zu].args[%zu].op: \"%s\" is unknown",
					 index, i, arg->op);
	}
	return 0;
}

int spec_validate_seccomp(const struct spec_seccomp *seccomp, struct error **err)
{
	int error;

	if (!name_set_has(actions, seccomp->default_action))
		return error_set(err, -EINVAL, "linux.seccomp.defaultAction: \"%s\" is unknown",
				 seccomp->default_action);
	error = validate_list(&seccomp->architectures, architectures, "architectures", err);
	if (!error)
		error = validate_list(&seccomp->flags, flags, "flags", err);
	for (size_t i = 0; !error && i < seccomp->syscalls.count; i++)
		error = validate_rule(&seccomp->syscalls.items[i], i, err);
	return error;
}

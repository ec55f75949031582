/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libseccomp makes the program; it is not loaded here but handed to the sentry, which checks
 * it as it checks the guest's own.  As with runc, rules of one call that name an argument twice
 * are alternatives, rules equal to the default are left out, and calls newer than every call of
 * the profile give ENOSYS, so that a libc that probes for them takes its fallback.
 */
#include "runtime/sandbox/seccomp_compile.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"

#define X32_BIT 0x40000000u
#define ARGS_MAX 6

static void cleanup_filter(scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
}

static int action_number(const char *name, const struct opt_u32 *errno_ret, uint32_t *out)
{
	uint32_t data = errno_ret->set ? errno_ret->value : EPERM;
	const struct {
		const char *name;
		uint32_t action;
	} actions[] = {
		{ "SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD },
		{ "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD },
		{ "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS },
		{ "SCMP_ACT_TRAP", SCMP_ACT_TRAP },
		{ "SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(data) },
		{ "SCMP_ACT_TRACE", SCMP_ACT_TRACE(data) },
		{ "SCMP_ACT_LOG", SCMP_ACT_LOG },
		{ "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW },
	};

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (!strcmp(name, actions[i].name)) {
			*out = actions[i].action;
			return 0;
		}
	}
	return -EOPNOTSUPP;
}

static int find_action(const char *name, const struct opt_u32 *errno_ret, uint32_t *out,
		       struct error **err)
{
	if (action_number(name, errno_ret, out) < 0)
		return error_set(err, -EOPNOTSUPP, "linux.seccomp: %s is not supported", name);
	return 0;
}

static enum scmp_compare operator_number(const char *name)
{
	static const struct {
		const char *name;
		enum scmp_compare op;
	} operators[] = {
		{ "SCMP_CMP_NE", SCMP_CMP_NE }, { "SCMP_CMP_LT", SCMP_CMP_LT },
		{ "SCMP_CMP_LE", SCMP_CMP_LE }, { "SCMP_CMP_EQ", SCMP_CMP_EQ },
		{ "SCMP_CMP_GE", SCMP_CMP_GE }, { "SCMP_CMP_GT", SCMP_CMP_GT },
		{ "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
	};

	for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
		if (!strcmp(name, operators[i].name))
			return operators[i].op;
	return _SCMP_CMP_MIN; /* refused by libseccomp; validation knows all names */
}

/* --- rules --------------------------------------------------------------------------------- */

static int add_call(scmp_filter_ctx filter, int nr, uint32_t action,
		    const struct spec_seccomp_rule *rule)
{
	struct scmp_arg_cmp args[ARGS_MAX] = { 0 };
	unsigned seen = 0, count = 0;
	bool twice = false;
	int ret;

	for (size_t i = 0; i < rule->args.count; i++) {
		twice |= seen >> rule->args.items[i].index & 1;
		seen |= 1u << rule->args.items[i].index;
	}
	for (size_t i = 0; i < rule->args.count; i++) {
		const struct spec_seccomp_arg *arg = &rule->args.items[i];

		args[count++] = (struct scmp_arg_cmp){ arg->index, operator_number(arg->op),
						       arg->value, arg->value_two };
		if (!twice)
			continue;
		ret = seccomp_rule_add_array(filter, action, nr, 1, args);
		if (ret < 0)
			return ret;
		count = 0;
	}
	return twice ? 0 : seccomp_rule_add_array(filter, action, nr, count, args);
}

static int add_rule(scmp_filter_ctx filter, const struct spec_seccomp_rule *rule,
		    uint32_t default_action, int *newest, struct error **err)
{
	uint32_t action;

	if (find_action(rule->action, &rule->errno_ret, &action, err) < 0)
		return error_code(*err);
	for (size_t i = 0; i < rule->names.count; i++) {
		const char *name = rule->names.items[i];
		int nr = seccomp_syscall_resolve_name(name), ret;

		if (nr == __NR_SCMP_ERROR)
			continue; /* of a kernel that libseccomp does not know */
		if (nr > *newest)
			*newest = nr;
		if (action == default_action)
			continue;
		ret = add_call(filter, nr, action, rule);
		if (ret < 0)
			return error_set_errno(err, ret, "linux.seccomp: rule for %s", name);
	}
	return 0;
}

/* The guest is x86-64; rules for machines it cannot be have nothing to match. */
static int add_architectures(scmp_filter_ctx filter, const struct string_list *names,
			     struct error **err)
{
	static const struct {
		const char *name;
		uint32_t arch;
	} known[] = { { "SCMP_ARCH_X86", SCMP_ARCH_X86 }, { "SCMP_ARCH_X32", SCMP_ARCH_X32 } };

	for (size_t i = 0; i < names->count; i++) {
		for (size_t k = 0; k < ARRAY_SIZE(known); k++) {
			int ret = strcmp(names->items[i], known[k].name) ?
					  0 : seccomp_arch_add(filter, known[k].arch);

			if (ret < 0 && ret != -EEXIST)
				return error_set_errno(err, ret, "linux.seccomp: %s", known[k].name);
		}
	}
	return 0;
}

/* --- the program ------------------------------------------------------------------------------ */

/* Calls above @newest, of x86-64 proper, are ENOSYS; the rest goes on behind. */
static size_t put_newer(struct sock_filter *to, uint32_t newest)
{
	const struct sock_filter prologue[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, newest, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	};

	if (to)
		memcpy(to, prologue, sizeof(prologue));
	return ARRAY_SIZE(prologue);
}

/* Only a default that refuses would hide from a program that a call is not there. */
static bool hides_newer_calls(uint32_t default_action)
{
	return default_action == SCMP_ACT_KILL_THREAD || default_action == SCMP_ACT_KILL_PROCESS ||
	       default_action == SCMP_ACT_TRAP ||
	       (default_action != SCMP_ACT_ERRNO(ENOSYS) &&
		(default_action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO);
}

static int export_program(struct boot_arena *arena, scmp_filter_ctx filter, bool prologue,
			  int newest, struct boot_config *out, struct error **err)
{
	AUTO_CLOSE int fd = memfd_create("moat-seccomp", MFD_CLOEXEC);
	size_t first = prologue ? put_newer(NULL, 0) : 0, count;
	struct stat st;
	int ret = fd < 0 ? -errno : seccomp_export_bpf(filter, fd);

	if (ret == 0 && fstat(fd, &st) < 0)
		ret = -errno;
	if (ret != 0)
		return error_set_errno(err, ret, "linux.seccomp: make the filter");
	count = (size_t)st.st_size / sizeof(struct sock_filter);
	if (first + count > BPF_MAXINSNS)
		return error_set(err, -E2BIG, "linux.seccomp: the filter has %zu instructions",
				 first + count);
	out->seccomp = arena_array(arena, first + count, sizeof(*out->seccomp));
	if (!out->seccomp)
		return 0; /* the arena remembers */
	if (prologue)
		put_newer((struct sock_filter *)out->seccomp, (uint32_t)newest);
	if (pread(fd, out->seccomp + first, count * sizeof(struct sock_filter), 0) !=
	    (ssize_t)(count * sizeof(struct sock_filter)))
		return error_set(err, -EIO, "linux.seccomp: read the filter back");
	out->seccomp_count = (uint32_t)(first + count);
	return 0;
}

int seccomp_compile(struct boot_arena *arena, const struct spec_seccomp *from,
		    struct boot_config *out, struct error **err)
{
	CLEANUP(cleanup_filter) scmp_filter_ctx filter = NULL;
	uint32_t default_action;
	int newest = 0;

	_Static_assert(sizeof(*out->seccomp) == sizeof(struct sock_filter), "an instruction");
	if (find_action(from->default_action, &from->default_errno_ret, &default_action, err) < 0)
		return error_code(*err);
	filter = seccomp_init(default_action);
	if (!filter)
		return error_set(err, -EINVAL, "linux.seccomp.defaultAction: libseccomp refuses %s",
				 from->default_action);
	if (add_architectures(filter, &from->architectures, err) < 0)
		return error_code(*err);
	for (size_t i = 0; i < from->syscalls.count; i++)
		if (add_rule(filter, &from->syscalls.items[i], default_action, &newest, err) < 0)
			return error_code(*err);
	for (size_t i = 0; i < from->flags.count; i++)
		out->seccomp_log |= !strcmp(from->flags.items[i], "SECCOMP_FILTER_FLAG_LOG");
	return export_program(arena, filter, newest && hides_newer_calls(default_action), newest, out,
			      err);
}

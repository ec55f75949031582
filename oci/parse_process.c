/* SPDX-License-Identifier: Apache-2.0 */
/* The process object of config.json. */
#include "oci/spec_types.h"

static const struct json_field console_size_fields[] = {
	FIELD(struct spec_console_size, height, "height", U64, .required = true),
	FIELD(struct spec_console_size, width, "width", U64, .required = true),
};
static const struct json_struct console_size_type =
	JSON_STRUCT(struct spec_console_size, console_size_fields);

static const struct json_field user_fields[] = {
	FIELD(struct spec_user, uid, "uid", U32, .keep_empty = true),
	FIELD(struct spec_user, gid, "gid", U32, .keep_empty = true),
	FIELD(struct spec_user, umask, "umask", OPT_U32),
	FIELD_U32S(struct spec_user, additional_gids, "additionalGids"),
	FIELD(struct spec_user, username, "username", STRING),
};
static const struct json_struct user_type = JSON_STRUCT(struct spec_user, user_fields);

static const struct json_field capabilities_fields[] = {
	FIELD(struct spec_capabilities, bounding, "bounding", STRINGS),
	FIELD(struct spec_capabilities, effective, "effective", STRINGS),
	FIELD(struct spec_capabilities, inheritable, "inheritable", STRINGS),
	FIELD(struct spec_capabilities, permitted, "permitted", STRINGS),
	FIELD(struct spec_capabilities, ambient, "ambient", STRINGS),
};
static const struct json_struct capabilities_type =
	JSON_STRUCT(struct spec_capabilities, capabilities_fields);

static const struct json_field rlimit_fields[] = {
	FIELD(struct spec_rlimit, type, "type", STRING, .required = true),
	FIELD(struct spec_rlimit, hard, "hard", U64, .required = true, .keep_empty = true),
	FIELD(struct spec_rlimit, soft, "soft", U64, .required = true, .keep_empty = true),
};
static const struct json_struct rlimit_type = JSON_STRUCT(struct spec_rlimit, rlimit_fields);

static const struct json_field scheduler_fields[] = {
	FIELD(struct spec_scheduler, policy, "policy", STRING, .required = true),
	FIELD(struct spec_scheduler, nice, "nice", I32),
	FIELD(struct spec_scheduler, priority, "priority", I32),
	FIELD(struct spec_scheduler, flags, "flags", STRINGS),
	FIELD(struct spec_scheduler, runtime, "runtime", U64),
	FIELD(struct spec_scheduler, deadline, "deadline", U64),
	FIELD(struct spec_scheduler, period, "period", U64),
};
static const struct json_struct scheduler_type =
	JSON_STRUCT(struct spec_scheduler, scheduler_fields);

static const struct json_field io_priority_fields[] = {
	FIELD(struct spec_io_priority, class, "class", STRING, .required = true),
	FIELD(struct spec_io_priority, priority, "priority", I32, .keep_empty = true),
};
static const struct json_struct io_priority_type =
	JSON_STRUCT(struct spec_io_priority, io_priority_fields);

static const struct json_field exec_cpu_affinity_fields[] = {
	FIELD(struct spec_exec_cpu_affinity, initial, "initial", STRING),
	FIELD(struct spec_exec_cpu_affinity, final, "final", STRING),
};
static const struct json_struct exec_cpu_affinity_type =
	JSON_STRUCT(struct spec_exec_cpu_affinity, exec_cpu_affinity_fields);

static const struct json_field process_fields[] = {
	FIELD(struct spec_process, terminal, "terminal", BOOL),
	FIELD_OBJECT_PTR(struct spec_process, console_size, "consoleSize",
			 struct spec_console_size, &console_size_type),
	FIELD_OBJECT(struct spec_process, user, "user", struct spec_user, &user_type,
		     .keep_empty = true),
	FIELD(struct spec_process, args, "args", STRINGS),
	FIELD_IGNORED("commandLine"), /* Windows */
	FIELD(struct spec_process, env, "env", STRINGS),
	FIELD(struct spec_process, cwd, "cwd", STRING),
	FIELD_OBJECT_PTR(struct spec_process, capabilities, "capabilities",
			 struct spec_capabilities, &capabilities_type),
	FIELD_OBJECTS(struct spec_process, rlimits, "rlimits", struct spec_rlimit, &rlimit_type),
	FIELD(struct spec_process, no_new_privileges, "noNewPrivileges", BOOL),
	FIELD(struct spec_process, apparmor_profile, "apparmorProfile", STRING),
	FIELD(struct spec_process, oom_score_adj, "oomScoreAdj", OPT_I32),
	FIELD_OBJECT_PTR(struct spec_process, scheduler, "scheduler", struct spec_scheduler,
			 &scheduler_type),
	FIELD(struct spec_process, selinux_label, "selinuxLabel", STRING),
	FIELD_OBJECT_PTR(struct spec_process, io_priority, "ioPriority", struct spec_io_priority,
			 &io_priority_type),
	FIELD_OBJECT_PTR(struct spec_process, exec_cpu_affinity, "execCPUAffinity",
			 struct spec_exec_cpu_affinity, &exec_cpu_affinity_type),
};
const struct json_struct spec_process_type = JSON_STRUCT(struct spec_process, process_fields);

/* SPDX-License-Identifier: Apache-2.0 */
/* The linux.seccomp object of config.json. */
#include "oci/spec_types.h"

static const struct json_field arg_fields[] = {
	FIELD(struct spec_seccomp_arg, index, "index", U32, .required = true, .keep_empty = true),
	FIELD(struct spec_seccomp_arg, value, "value", U64, .required = true, .keep_empty = true),
	FIELD(struct spec_seccomp_arg, value_two, "valueTwo", U64),
	FIELD(struct spec_seccomp_arg, op, "op", STRING, .required = true),
};
static const struct json_struct arg_type = JSON_STRUCT(struct spec_seccomp_arg, arg_fields);

static const struct json_field rule_fields[] = {
	FIELD(struct spec_seccomp_rule, names, "names", STRINGS, .required = true),
	FIELD(struct spec_seccomp_rule, action, "action", STRING, .required = true),
	FIELD(struct spec_seccomp_rule, errno_ret, "errnoRet", OPT_U32),
	FIELD_OBJECTS(struct spec_seccomp_rule, args, "args", struct spec_seccomp_arg, &arg_type),
};
static const struct json_struct rule_type = JSON_STRUCT(struct spec_seccomp_rule, rule_fields);

static const struct json_field seccomp_fields[] = {
	FIELD(struct spec_seccomp, default_action, "defaultAction", STRING, .required = true),
	FIELD(struct spec_seccomp, default_errno_ret, "defaultErrnoRet", OPT_U32),
	FIELD(struct spec_seccomp, architectures, "architectures", STRINGS),
	FIELD(struct spec_seccomp, flags, "flags", STRINGS),
	FIELD(struct spec_seccomp, listener_path, "listenerPath", STRING),
	FIELD(struct spec_seccomp, listener_metadata, "listenerMetadata", STRING),
	FIELD_OBJECTS(struct spec_seccomp, syscalls, "syscalls", struct spec_seccomp_rule,
		      &rule_type),
};
const struct json_struct spec_seccomp_type = JSON_STRUCT(struct spec_seccomp, seccomp_fields);

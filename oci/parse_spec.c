/* SPDX-License-Identifier: Apache-2.0 */
/* The top level of config.json: root, mounts, hooks; the rest is in parse_*.c. */
#include "oci/spec_types.h"

static const struct json_field root_fields[] = {
	FIELD(struct spec_root, path, "path", STRING, .required = true),
	FIELD(struct spec_root, readonly, "readonly", BOOL),
};
static const struct json_struct root_type = JSON_STRUCT(struct spec_root, root_fields);

static const struct json_field mount_fields[] = {
	FIELD(struct spec_mount, destination, "destination", STRING, .required = true),
	FIELD(struct spec_mount, type, "type", STRING),
	FIELD(struct spec_mount, source, "source", STRING),
	FIELD(struct spec_mount, options, "options", STRINGS),
	FIELD_OBJECTS(struct spec_mount, uid_mappings, "uidMappings", struct spec_id_mapping,
		      &id_mapping_type),
	FIELD_OBJECTS(struct spec_mount, gid_mappings, "gidMappings", struct spec_id_mapping,
		      &id_mapping_type),
};
static const struct json_struct mount_type = JSON_STRUCT(struct spec_mount, mount_fields);

static const struct json_field hook_fields[] = {
	FIELD(struct spec_hook, path, "path", STRING, .required = true),
	FIELD(struct spec_hook, args, "args", STRINGS),
	FIELD(struct spec_hook, env, "env", STRINGS),
	FIELD(struct spec_hook, timeout, "timeout", OPT_I32),
};
static const struct json_struct hook_type = JSON_STRUCT(struct spec_hook, hook_fields);

#define HOOKS(member, json_name) \
	FIELD_OBJECTS(struct spec_hooks, member, json_name, struct spec_hook, &hook_type)

static const struct json_field hooks_fields[] = {
	HOOKS(prestart, "prestart"),
	HOOKS(create_runtime, "createRuntime"),
	HOOKS(create_container, "createContainer"),
	HOOKS(start_container, "startContainer"),
	HOOKS(poststart, "poststart"),
	HOOKS(poststop, "poststop"),
};
static const struct json_struct hooks_type = JSON_STRUCT(struct spec_hooks, hooks_fields);

static const struct json_field spec_fields[] = {
	FIELD(struct spec, oci_version, "ociVersion", STRING, .required = true),
	FIELD_OBJECT_PTR(struct spec, process, "process", struct spec_process,
			 &spec_process_type),
	FIELD_OBJECT_PTR(struct spec, root, "root", struct spec_root, &root_type),
	FIELD(struct spec, hostname, "hostname", STRING),
	FIELD(struct spec, domainname, "domainname", STRING),
	FIELD_OBJECTS(struct spec, mounts, "mounts", struct spec_mount, &mount_type),
	FIELD_OBJECT(struct spec, hooks, "hooks", struct spec_hooks, &hooks_type),
	FIELD(struct spec, annotations, "annotations", STRING_MAP),
	FIELD_OBJECT_PTR(struct spec, linux_config, "linux", struct spec_linux,
			 &spec_linux_type),
	/* Other platforms' sections. */
	FIELD_IGNORED("solaris"),
	FIELD_IGNORED("windows"),
	FIELD_IGNORED("vm"),
	FIELD_IGNORED("zos"),
	FIELD_IGNORED("freebsd"),
};
const struct json_struct spec_type = JSON_STRUCT(struct spec, spec_fields);

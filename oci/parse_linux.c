/* SPDX-License-Identifier: Apache-2.0 */
/* The linux object of config.json; resources and seccomp have files of their own. */
#include "oci/spec_types.h"

static const struct json_field id_mapping_fields[] = {
	FIELD(struct spec_id_mapping, container_id, "containerID", U32, .required = true,
	      .keep_empty = true),
	FIELD(struct spec_id_mapping, host_id, "hostID", U32, .required = true, .keep_empty = true),
	FIELD(struct spec_id_mapping, size, "size", U32, .required = true, .keep_empty = true),
};
const struct json_struct id_mapping_type = JSON_STRUCT(struct spec_id_mapping, id_mapping_fields);

static const struct json_field namespace_fields[] = {
	FIELD(struct spec_namespace, type, "type", STRING, .required = true),
	FIELD(struct spec_namespace, path, "path", STRING),
};
static const struct json_struct namespace_type =
	JSON_STRUCT(struct spec_namespace, namespace_fields);

static const struct json_field device_fields[] = {
	FIELD(struct spec_device, path, "path", STRING, .required = true),
	FIELD(struct spec_device, type, "type", STRING, .required = true),
	FIELD(struct spec_device, major, "major", I64),
	FIELD(struct spec_device, minor, "minor", I64),
	FIELD(struct spec_device, file_mode, "fileMode", OPT_U32),
	FIELD(struct spec_device, uid, "uid", OPT_U32),
	FIELD(struct spec_device, gid, "gid", OPT_U32),
};
static const struct json_struct device_type = JSON_STRUCT(struct spec_device, device_fields);

static const struct json_field net_device_fields[] = {
	FIELD(struct spec_net_device, name, "name", STRING),
};
static const struct json_struct net_device_type =
	JSON_STRUCT(struct spec_net_device, net_device_fields);

static const struct json_field intel_rdt_fields[] = {
	FIELD(struct spec_intel_rdt, clos_id, "closID", STRING),
	FIELD(struct spec_intel_rdt, l3_cache_schema, "l3CacheSchema", STRING),
	FIELD(struct spec_intel_rdt, mem_bw_schema, "memBwSchema", STRING),
	FIELD(struct spec_intel_rdt, enable_cmt, "enableCMT", BOOL),
	FIELD(struct spec_intel_rdt, enable_mbm, "enableMBM", BOOL),
};
static const struct json_struct intel_rdt_type =
	JSON_STRUCT(struct spec_intel_rdt, intel_rdt_fields);

static const struct json_field personality_fields[] = {
	FIELD(struct spec_personality, domain, "domain", STRING, .required = true),
	FIELD(struct spec_personality, flags, "flags", STRINGS),
};
static const struct json_struct personality_type =
	JSON_STRUCT(struct spec_personality, personality_fields);

static const struct json_field time_offset_fields[] = {
	FIELD(struct spec_time_offset, secs, "secs", I64),
	FIELD(struct spec_time_offset, nanosecs, "nanosecs", U32),
};
static const struct json_struct time_offset_type =
	JSON_STRUCT(struct spec_time_offset, time_offset_fields);

static const struct json_field linux_fields[] = {
	FIELD_OBJECTS(struct spec_linux, uid_mappings, "uidMappings", struct spec_id_mapping,
		      &id_mapping_type),
	FIELD_OBJECTS(struct spec_linux, gid_mappings, "gidMappings", struct spec_id_mapping,
		      &id_mapping_type),
	FIELD(struct spec_linux, sysctl, "sysctl", STRING_MAP),
	FIELD_OBJECT_PTR(struct spec_linux, resources, "resources", struct spec_resources,
			 &spec_resources_type),
	FIELD(struct spec_linux, cgroups_path, "cgroupsPath", STRING),
	FIELD_OBJECTS(struct spec_linux, namespaces, "namespaces", struct spec_namespace,
		      &namespace_type),
	FIELD_OBJECTS(struct spec_linux, devices, "devices", struct spec_device, &device_type),
	FIELD_OBJECT_MAP(struct spec_linux, net_devices, "netDevices", struct spec_net_device,
			 &net_device_type),
	FIELD_OBJECT_PTR(struct spec_linux, seccomp, "seccomp", struct spec_seccomp,
			 &spec_seccomp_type),
	FIELD(struct spec_linux, rootfs_propagation, "rootfsPropagation", STRING),
	FIELD(struct spec_linux, masked_paths, "maskedPaths", STRINGS),
	FIELD(struct spec_linux, readonly_paths, "readonlyPaths", STRINGS),
	FIELD(struct spec_linux, mount_label, "mountLabel", STRING),
	FIELD_OBJECT_PTR(struct spec_linux, intel_rdt, "intelRdt", struct spec_intel_rdt,
			 &intel_rdt_type),
	FIELD_OBJECT_PTR(struct spec_linux, personality, "personality", struct spec_personality,
			 &personality_type),
	FIELD_OBJECT_MAP(struct spec_linux, time_offsets, "timeOffsets", struct spec_time_offset,
			 &time_offset_type),
};
const struct json_struct spec_linux_type = JSON_STRUCT(struct spec_linux, linux_fields);

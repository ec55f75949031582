/* SPDX-License-Identifier: Apache-2.0 */
/* The linux.resources object of config.json, which `update` takes alone. */
#include "oci/spec_types.h"

static const struct json_field device_rule_fields[] = {
	FIELD(struct spec_device_rule, allow, "allow", BOOL, .keep_empty = true),
	FIELD(struct spec_device_rule, type, "type", STRING),
	FIELD(struct spec_device_rule, major, "major", OPT_I64),
	FIELD(struct spec_device_rule, minor, "minor", OPT_I64),
	FIELD(struct spec_device_rule, access, "access", STRING),
};
static const struct json_struct device_rule_type =
	JSON_STRUCT(struct spec_device_rule, device_rule_fields);

static const struct json_field memory_fields[] = {
	FIELD(struct spec_memory, limit, "limit", OPT_I64),
	FIELD(struct spec_memory, reservation, "reservation", OPT_I64),
	FIELD(struct spec_memory, swap, "swap", OPT_I64),
	FIELD(struct spec_memory, kernel, "kernel", OPT_I64),
	FIELD(struct spec_memory, kernel_tcp, "kernelTCP", OPT_I64),
	FIELD(struct spec_memory, swappiness, "swappiness", OPT_U64),
	FIELD(struct spec_memory, disable_oom_killer, "disableOOMKiller", OPT_BOOL),
	FIELD(struct spec_memory, use_hierarchy, "useHierarchy", OPT_BOOL),
	FIELD(struct spec_memory, check_before_update, "checkBeforeUpdate", OPT_BOOL),
};
static const struct json_struct memory_type = JSON_STRUCT(struct spec_memory, memory_fields);

static const struct json_field cpu_fields[] = {
	FIELD(struct spec_cpu, shares, "shares", OPT_U64),
	FIELD(struct spec_cpu, quota, "quota", OPT_I64),
	FIELD(struct spec_cpu, burst, "burst", OPT_U64),
	FIELD(struct spec_cpu, period, "period", OPT_U64),
	FIELD(struct spec_cpu, realtime_runtime, "realtimeRuntime", OPT_I64),
	FIELD(struct spec_cpu, realtime_period, "realtimePeriod", OPT_U64),
	FIELD(struct spec_cpu, cpus, "cpus", STRING),
	FIELD(struct spec_cpu, mems, "mems", STRING),
	FIELD(struct spec_cpu, idle, "idle", OPT_I64),
};
static const struct json_struct cpu_type = JSON_STRUCT(struct spec_cpu, cpu_fields);

static const struct json_field pids_fields[] = {
	FIELD(struct spec_pids, limit, "limit", OPT_I64),
};
static const struct json_struct pids_type = JSON_STRUCT(struct spec_pids, pids_fields);

static const struct json_field weight_device_fields[] = {
	FIELD(struct spec_weight_device, major, "major", I64, .required = true, .keep_empty = true),
	FIELD(struct spec_weight_device, minor, "minor", I64, .required = true, .keep_empty = true),
	FIELD(struct spec_weight_device, weight, "weight", OPT_U16),
	FIELD(struct spec_weight_device, leaf_weight, "leafWeight", OPT_U16),
};
static const struct json_struct weight_device_type =
	JSON_STRUCT(struct spec_weight_device, weight_device_fields);

static const struct json_field throttle_device_fields[] = {
	FIELD(struct spec_throttle_device, major, "major", I64, .required = true,
	      .keep_empty = true),
	FIELD(struct spec_throttle_device, minor, "minor", I64, .required = true,
	      .keep_empty = true),
	FIELD(struct spec_throttle_device, rate, "rate", U64, .required = true, .keep_empty = true),
};
static const struct json_struct throttle_device_type =
	JSON_STRUCT(struct spec_throttle_device, throttle_device_fields);

#define THROTTLE(member, json_name)                                          \
	FIELD_OBJECTS(struct spec_block_io, member, json_name, struct spec_throttle_device, \
		      &throttle_device_type)

static const struct json_field block_io_fields[] = {
	FIELD(struct spec_block_io, weight, "weight", OPT_U16),
	FIELD(struct spec_block_io, leaf_weight, "leafWeight", OPT_U16),
	FIELD_OBJECTS(struct spec_block_io, weight_device, "weightDevice",
		      struct spec_weight_device, &weight_device_type),
	THROTTLE(throttle_read_bps_device, "throttleReadBpsDevice"),
	THROTTLE(throttle_write_bps_device, "throttleWriteBpsDevice"),
	THROTTLE(throttle_read_iops_device, "throttleReadIOPSDevice"),
	THROTTLE(throttle_write_iops_device, "throttleWriteIOPSDevice"),
};
static const struct json_struct block_io_type = JSON_STRUCT(struct spec_block_io, block_io_fields);

static const struct json_field hugepage_limit_fields[] = {
	FIELD(struct spec_hugepage_limit, page_size, "pageSize", STRING, .required = true),
	FIELD(struct spec_hugepage_limit, limit, "limit", U64, .required = true,
	      .keep_empty = true),
};
static const struct json_struct hugepage_limit_type =
	JSON_STRUCT(struct spec_hugepage_limit, hugepage_limit_fields);

static const struct json_field interface_priority_fields[] = {
	FIELD(struct spec_interface_priority, name, "name", STRING, .required = true),
	FIELD(struct spec_interface_priority, priority, "priority", U32, .required = true,
	      .keep_empty = true),
};
static const struct json_struct interface_priority_type =
	JSON_STRUCT(struct spec_interface_priority, interface_priority_fields);

static const struct json_field network_fields[] = {
	FIELD(struct spec_network, class_id, "classID", OPT_U32),
	FIELD_OBJECTS(struct spec_network, priorities, "priorities",
		      struct spec_interface_priority, &interface_priority_type),
};
static const struct json_struct network_type = JSON_STRUCT(struct spec_network, network_fields);

static const struct json_field rdma_fields[] = {
	FIELD(struct spec_rdma, hca_handles, "hcaHandles", OPT_U32),
	FIELD(struct spec_rdma, hca_objects, "hcaObjects", OPT_U32),
};
static const struct json_struct rdma_type = JSON_STRUCT(struct spec_rdma, rdma_fields);

static const struct json_field resources_fields[] = {
	FIELD_OBJECTS(struct spec_resources, devices, "devices", struct spec_device_rule,
		      &device_rule_type),
	FIELD_OBJECT_PTR(struct spec_resources, memory, "memory", struct spec_memory,
			 &memory_type),
	FIELD_OBJECT_PTR(struct spec_resources, cpu, "cpu", struct spec_cpu, &cpu_type),
	FIELD_OBJECT_PTR(struct spec_resources, pids, "pids", struct spec_pids, &pids_type),
	FIELD_OBJECT_PTR(struct spec_resources, block_io, "blockIO", struct spec_block_io,
			 &block_io_type),
	FIELD_OBJECTS(struct spec_resources, hugepage_limits, "hugepageLimits",
		      struct spec_hugepage_limit, &hugepage_limit_type),
	FIELD_OBJECT_PTR(struct spec_resources, network, "network", struct spec_network,
			 &network_type),
	FIELD_OBJECT_MAP(struct spec_resources, rdma, "rdma", struct spec_rdma, &rdma_type),
	FIELD(struct spec_resources, unified, "unified", STRING_MAP),
};
const struct json_struct spec_resources_type =
	JSON_STRUCT(struct spec_resources, resources_fields);

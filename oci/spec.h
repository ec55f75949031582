/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.json of OCI runtime-spec 1.2 as typed structures.  Names and units are
 * the specification's.  A string, list or nested structure that is absent (or
 * null) in the file is NULL or has count 0; a number whose absence means
 * something is a `struct opt_*`.  A spec is read-only once loaded; every pointer
 * in it is owned by it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/compiler.h"
#include "util/error.h"
#include "util/string_list.h"

struct opt_bool { bool set; bool value; };
struct opt_i32 { bool set; int32_t value; };
struct opt_i64 { bool set; int64_t value; };
struct opt_u16 { bool set; uint16_t value; };
struct opt_u32 { bool set; uint32_t value; };
struct opt_u64 { bool set; uint64_t value; };

#define SPEC_ARRAY(type)        \
	struct {                \
		type *items;    \
		size_t count;   \
	}

/* Sorted by key, keys unique. */
struct string_pair {
	char *key;
	char *value;
};
struct string_map {
	struct string_pair *items;
	size_t count;
};
/* NULL when absent; borrowed. */
const char *string_map_get(const struct string_map *map, const char *key);

struct spec_id_mapping {
	uint32_t container_id;
	uint32_t host_id;
	uint32_t size;
};

/* process */

struct spec_console_size {
	uint64_t height;
	uint64_t width;
};

struct spec_user {
	uint32_t uid;
	uint32_t gid;
	struct opt_u32 umask;
	SPEC_ARRAY(uint32_t) additional_gids;
	char *username;
};

struct spec_capabilities {
	struct string_list bounding;
	struct string_list effective;
	struct string_list inheritable;
	struct string_list permitted;
	struct string_list ambient;
};

struct spec_rlimit {
	char *type; /* "RLIMIT_NOFILE" */
	uint64_t hard;
	uint64_t soft;
};

struct spec_scheduler {
	char *policy;
	int32_t nice;
	int32_t priority;
	struct string_list flags;
	uint64_t runtime;
	uint64_t deadline;
	uint64_t period;
};

struct spec_io_priority {
	char *class;
	int32_t priority;
};

struct spec_exec_cpu_affinity {
	char *initial;
	char *final;
};

struct spec_process {
	bool terminal;
	struct spec_console_size *console_size;
	struct spec_user user;
	struct string_list args;
	struct string_list env;
	char *cwd;
	struct spec_capabilities *capabilities;
	SPEC_ARRAY(struct spec_rlimit) rlimits;
	bool no_new_privileges;
	char *apparmor_profile;
	struct opt_i32 oom_score_adj;
	struct spec_scheduler *scheduler;
	char *selinux_label;
	struct spec_io_priority *io_priority;
	struct spec_exec_cpu_affinity *exec_cpu_affinity;
};

struct spec_root {
	char *path; /* as written: may be relative to the bundle */
	bool readonly;
};

struct spec_mount {
	char *destination;
	char *type;
	char *source;
	struct string_list options;
	SPEC_ARRAY(struct spec_id_mapping) uid_mappings;
	SPEC_ARRAY(struct spec_id_mapping) gid_mappings;
};

struct spec_hook {
	char *path;
	struct string_list args; /* args.items[0] is argv[0]; empty: path alone */
	struct string_list env;
	struct opt_i32 timeout; /* seconds, > 0 */
};

struct spec_hook_list {
	struct spec_hook *items;
	size_t count;
};

struct spec_hooks {
	struct spec_hook_list prestart;
	struct spec_hook_list create_runtime;
	struct spec_hook_list create_container;
	struct spec_hook_list start_container;
	struct spec_hook_list poststart;
	struct spec_hook_list poststop;
};

/* linux.resources */

struct spec_device_rule {
	bool allow;
	char *type; /* "a", "b", "c"; NULL: all */
	struct opt_i64 major;
	struct opt_i64 minor;
	char *access; /* of "rwm"; NULL: all */
};

struct spec_memory {
	struct opt_i64 limit; /* bytes; -1: unlimited */
	struct opt_i64 reservation;
	struct opt_i64 swap; /* memory + swap */
	struct opt_i64 kernel;
	struct opt_i64 kernel_tcp;
	struct opt_u64 swappiness;
	struct opt_bool disable_oom_killer;
	struct opt_bool use_hierarchy;
	struct opt_bool check_before_update;
};

struct spec_cpu {
	struct opt_u64 shares;
	struct opt_i64 quota; /* microseconds */
	struct opt_u64 burst;
	struct opt_u64 period;
	struct opt_i64 realtime_runtime;
	struct opt_u64 realtime_period;
	char *cpus;
	char *mems;
	struct opt_i64 idle;
};

struct spec_pids {
	struct opt_i64 limit;
};

struct spec_weight_device {
	int64_t major;
	int64_t minor;
	struct opt_u16 weight;
	struct opt_u16 leaf_weight;
};

struct spec_throttle_device {
	int64_t major;
	int64_t minor;
	uint64_t rate;
};

struct spec_block_io {
	struct opt_u16 weight;
	struct opt_u16 leaf_weight;
	SPEC_ARRAY(struct spec_weight_device) weight_device;
	SPEC_ARRAY(struct spec_throttle_device) throttle_read_bps_device;
	SPEC_ARRAY(struct spec_throttle_device) throttle_write_bps_device;
	SPEC_ARRAY(struct spec_throttle_device) throttle_read_iops_device;
	SPEC_ARRAY(struct spec_throttle_device) throttle_write_iops_device;
};

struct spec_hugepage_limit {
	char *page_size; /* "2MB" */
	uint64_t limit;
};

struct spec_interface_priority {
	char *name;
	uint32_t priority;
};

struct spec_network {
	struct opt_u32 class_id;
	SPEC_ARRAY(struct spec_interface_priority) priorities;
};

struct spec_rdma {
	char *device; /* the map's key */
	struct opt_u32 hca_handles;
	struct opt_u32 hca_objects;
};

struct spec_resources {
	SPEC_ARRAY(struct spec_device_rule) devices;
	struct spec_memory *memory;
	struct spec_cpu *cpu;
	struct spec_pids *pids;
	struct spec_block_io *block_io;
	SPEC_ARRAY(struct spec_hugepage_limit) hugepage_limits;
	struct spec_network *network;
	SPEC_ARRAY(struct spec_rdma) rdma; /* sorted by device */
	struct string_map unified;
};

/* linux */

struct spec_namespace {
	char *type;
	char *path; /* NULL: a new one */
};

struct spec_device {
	char *path;
	char *type;
	int64_t major;
	int64_t minor;
	struct opt_u32 file_mode;
	struct opt_u32 uid;
	struct opt_u32 gid;
};

struct spec_net_device {
	char *host_name; /* the map's key */
	char *name;	 /* in the container; NULL: the same */
};

struct spec_seccomp_arg {
	uint32_t index;
	uint64_t value;
	uint64_t value_two;
	char *op;
};

struct spec_seccomp_rule {
	struct string_list names;
	char *action;
	struct opt_u32 errno_ret;
	SPEC_ARRAY(struct spec_seccomp_arg) args;
};

struct spec_seccomp {
	char *default_action;
	struct opt_u32 default_errno_ret;
	struct string_list architectures;
	struct string_list flags;
	char *listener_path;
	char *listener_metadata;
	SPEC_ARRAY(struct spec_seccomp_rule) syscalls;
};

struct spec_intel_rdt {
	char *clos_id;
	char *l3_cache_schema;
	char *mem_bw_schema;
	bool enable_cmt;
	bool enable_mbm;
};

struct spec_personality {
	char *domain;
	struct string_list flags;
};

struct spec_time_offset {
	char *clock; /* the map's key: "monotonic", "boottime" */
	int64_t secs;
	uint32_t nanosecs;
};

struct spec_linux {
	SPEC_ARRAY(struct spec_id_mapping) uid_mappings;
	SPEC_ARRAY(struct spec_id_mapping) gid_mappings;
	struct string_map sysctl;
	struct spec_resources *resources;
	char *cgroups_path;
	SPEC_ARRAY(struct spec_namespace) namespaces;
	SPEC_ARRAY(struct spec_device) devices;
	SPEC_ARRAY(struct spec_net_device) net_devices; /* sorted by host_name */
	struct spec_seccomp *seccomp;
	char *rootfs_propagation;
	struct string_list masked_paths;
	struct string_list readonly_paths;
	char *mount_label;
	struct spec_intel_rdt *intel_rdt;
	struct spec_personality *personality;
	SPEC_ARRAY(struct spec_time_offset) time_offsets; /* sorted by clock */
};

struct spec {
	char *oci_version;
	struct spec_process *process;
	struct spec_root *root;
	char *hostname;
	char *domainname;
	SPEC_ARRAY(struct spec_mount) mounts;
	struct spec_hooks hooks;
	struct string_map annotations;
	struct spec_linux *linux_config; /* `linux` is a macro of the GNU dialect */
	/* One line for each unknown property, for the log: they are no errors. */
	struct string_list warnings;
};

/* A config.json larger than this is refused unread. */
#define SPEC_SIZE_MAX (16u << 20)

/*
 * Reads, parses and validates.  Errors name the file and the JSON path:
 *   config.json: process.args[2]: expected a string, found a number
 */
int spec_load(const char *path, struct spec **out, struct error **err) MUST_CHECK;
/* The same from memory, without validation; @name stands for the file in errors. */
int spec_parse(const char *json, size_t size, const char *name, struct spec **out,
	       struct error **err) MUST_CHECK;
/* NULL is a no-op. */
void spec_free(struct spec *spec);

/* For `exec --process`: a process object alone, validated. */
int spec_load_process(const char *path, struct spec_process **out, struct error **err) MUST_CHECK;
int spec_parse_process(const char *json, size_t size, const char *name, struct spec_process **out,
		       struct error **err) MUST_CHECK;
void spec_process_free(struct spec_process *process);

/* For `update --resources`: a resources object alone. */
int spec_parse_resources(const char *json, size_t size, const char *name,
			 struct spec_resources **out, struct error **err) MUST_CHECK;
void spec_resources_free(struct spec_resources *resources);

/* What types cannot express: absolute paths, known names, duplicates, ranges. */
int spec_validate(const struct spec *spec, struct error **err) MUST_CHECK;
int spec_validate_process(const struct spec_process *process, struct error **err) MUST_CHECK;

/* The namespace entry of @type ("pid", "network", ...), or NULL. */
const struct spec_namespace *spec_namespace_find(const struct spec *spec, const char *type);
/* NULL when absent; borrowed. */
const char *spec_annotation(const struct spec *spec, const char *key);

/*
 * The text `moat spec` writes, as runc does byte for byte; @rootless maps @uid
 * and @gid to root.  The caller frees it; NULL: out of memory.
 */
char *spec_default_json(bool rootless, uint32_t uid, uint32_t gid) MUST_CHECK;

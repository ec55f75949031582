/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.json to struct boot_config: what a container is.  Strings are borrowed from the spec
 * until they are encoded; arrays made here hang on an arena that is freed at the end.
 */
#include "runtime/sandbox/boot_config_build.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "oci/namespace.h"
#include "runtime/sandbox/boot_arena.h"
#include "runtime/sandbox/id_maps.h"
#include "runtime/sandbox/seccomp_compile.h"
#include "runtime/sandbox/volume_name.h"
#include "sentry/control/boot_config.h"
#include "util/cleanup.h"
#include "util/file.h"
#include "util/parse.h"

#define MOUNT_FLAGS_PASSED                                                                  \
	(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME |        \
	 MS_RELATIME | MS_STRICTATIME | MS_SYNCHRONOUS | MS_DIRSYNC | MS_BIND | MS_REC)
#define DEFAULT_DEVICE_MODE 0666u

bool mount_is_read_only(const struct mount_flags *flags)
{
	return mount_flags_flat(flags) & MS_RDONLY;
}

/* config.json may name file systems that only the host's kernel has. */
static int check_type(const struct spec_mount *mount, struct error **err)
{
	static const char *const known[] = { "proc",   "sysfs",	 "tmpfs",  "devpts",
					     "mqueue", "cgroup", "cgroup2" };

	for (size_t i = 0; mount->type && i < ARRAY_SIZE(known); i++) {
		if (!strcmp(mount->type, known[i]))
			return 0;
	}
	return error_set(err, -EINVAL, "mount %s: file system type \"%s\" is not supported",
			 mount->destination, mount->type ? mount->type : "");
}

/* Containers of a sandbox that show the same host object share it.  A source that is not there fails later. */
static void name_volume(struct boot_arena *arena, const char *source, struct boot_mount *to)
{
	struct volume_name name;

	volume_name(source, &name);
	to->volume_dev = name.dev;
	to->volume_ino = name.ino;
	to->volume_within = arena_array(arena, name.within_count, sizeof(*to->volume_within));
	if (!to->volume_within)
		return;
	memcpy(to->volume_within, name.within, name.within_count * sizeof(*name.within));
	to->volume_within_count = name.within_count;
}

static int convert_mount(struct boot_arena *arena, const struct spec_mount *from,
			 uint32_t *attach_count, struct boot_mount *to, struct error **err)
{
	struct mount_flags flags;
	bool bind;

	if (mount_flags_parse(&from->options, &flags, err) < 0)
		return error_wrap(err, "mount %s", from->destination);
	bind = mount_is_bind(from, &flags);
	*to = (struct boot_mount){
		.destination = from->destination,
		.type = bind ? arena_text(arena, "bind") : from->type,
		.source = from->source ? from->source : arena_text(arena, ""),
		.data = arena_text(arena, flags.data ? flags.data : ""),
		.flags = (mount_flags_flat(&flags) & MOUNT_FLAGS_PASSED) | (bind ? MS_BIND : 0),
		.propagation = (uint32_t)flags.propagation,
		.copy_up = flags.tmpcopyup,
		.attach = bind ? (int32_t)(*attach_count)++ : -1,
	};
	mount_flags_free(&flags);
	if (!bind)
		return check_type(from, err);
	name_volume(arena, from->source, to);
	return 0;
}

static int convert_mounts(struct boot_arena *arena, const struct spec *spec,
			  struct boot_config *c, struct error **err)
{
	c->mounts = arena_array(arena, spec->mounts.count, sizeof(*c->mounts));
	c->attach_count = 1;
	for (size_t i = 0; c->mounts && i < spec->mounts.count; i++) {
		if (convert_mount(arena, &spec->mounts.items[i], &c->attach_count, &c->mounts[i],
				  err) < 0)
			return error_code(*err);
		c->mount_count++;
	}
	return 0;
}

static uint32_t device_type(const char *type)
{
	if (!strcmp(type, "b"))
		return S_IFBLK;
	return !strcmp(type, "p") ? S_IFIFO : S_IFCHR;
}

static void convert_devices(struct boot_arena *arena, const struct spec_linux *from,
			    struct boot_config *c)
{
	c->devices = arena_array(arena, from->devices.count, sizeof(*c->devices));
	for (size_t i = 0; c->devices && i < from->devices.count; i++) {
		const struct spec_device *d = &from->devices.items[i];

		c->devices[c->device_count++] = (struct boot_device){
			.path = d->path,
			.type = device_type(d->type),
			.major = (uint32_t)d->major,
			.minor = (uint32_t)d->minor,
			.mode = d->file_mode.set ? d->file_mode.value & 07777 : DEFAULT_DEVICE_MODE,
			.uid = d->uid.value,
			.gid = d->gid.value,
		};
	}
}

/* Pairs of a map, one after the other. */
static struct boot_strings convert_map(struct boot_arena *arena, const struct string_map *map)
{
	struct boot_strings out = { arena_array(arena, map->count * 2 + 1, sizeof(char *)), 0 };

	for (size_t i = 0; out.items && i < map->count; i++) {
		out.items[out.count++] = map->items[i].key;
		out.items[out.count++] = map->items[i].value;
	}
	return out;
}

static struct boot_id_map *convert_id_map(struct boot_arena *arena, const struct spec_id_mapping *from,
					  size_t count, uint32_t *out_count)
{
	struct boot_id_map *maps = arena_array(arena, count, sizeof(*maps));

	for (size_t i = 0; maps && i < count; i++)
		maps[i] = (struct boot_id_map){ from[i].container_id, from[i].host_id,
						from[i].size };
	*out_count = maps ? (uint32_t)count : 0;
	return maps;
}

/* What the containers of a pod may share. */
static bool is_of_pod(int number)
{
	return number == OCI_NAMESPACE_PID || number == OCI_NAMESPACE_IPC ||
	       number == OCI_NAMESPACE_UTS;
}

/*
 * Namespaces to be joined belong to other sandboxes or to the host, and cannot be entered: what the
 * container is to share with their members, it could not.
 */
static int convert_namespaces(const struct spec_linux *from, bool in_sandbox,
			      struct boot_config *c, struct error **err)
{
	for (size_t i = 0; i < from->namespaces.count; i++) {
		const struct spec_namespace *ns = &from->namespaces.items[i];
		int number = oci_namespace_number(ns->type);
		bool network = number == OCI_NAMESPACE_NETWORK, joined = ns->path && *ns->path;

		if (number < 0)
			return error_set(err, -EINVAL, "linux.namespaces[%zu].type: unknown \"%s\"",
					 i, ns->type);
		/* The sentry is born in it, or with --network=none has no use for it. */
		if (joined && !network && !(in_sandbox && is_of_pod(number)))
			return error_set(err, -EINVAL,
					 "linux.namespaces[%zu].path: joining a %s namespace is not "
					 "supported: a sandbox has its own", i, ns->type);
		if (!joined)
			c->new_namespaces |= (uint64_t)(unsigned)oci_namespaces[number].clone_flag;
	}
	return 0;
}

/* Of this process's CPUs those of the container's cpuset; a list that is none fails at its cgroup. */
static uint64_t usable_cpus(const struct spec_cpu *cpu)
{
	cpu_set_t mine, wanted;

	if (sched_getaffinity(0, sizeof(mine), &mine) < 0)
		return 1;
	if (cpu && cpu->cpus && parse_cpu_list(cpu->cpus, &wanted) == 0)
		CPU_AND(&mine, &mine, &wanted);
	return CPU_COUNT(&mine) ? (uint64_t)CPU_COUNT(&mine) : 1;
}

static uint32_t count_cpus(const struct spec_cpu *cpu)
{
	uint64_t count = usable_cpus(cpu);
	uint64_t period = cpu && cpu->period.set && cpu->period.value ? cpu->period.value : 100000;
	uint64_t quota;

	if (!cpu || !cpu->quota.set || cpu->quota.value <= 0)
		return (uint32_t)count;
	quota = (uint64_t)cpu->quota.value;
	quota = quota / period + (quota % period != 0);
	return (uint32_t)(quota < count ? quota : count);
}

static uint64_t positive(const struct opt_i64 *value)
{
	return value->set && value->value > 0 ? (uint64_t)value->value : 0;
}

static void convert_resources(const struct spec_resources *r, struct boot_config *c)
{
	c->cpu_count = count_cpus(r ? r->cpu : NULL);
	if (!r)
		return;
	if (r->memory) {
		c->memory_limit = positive(&r->memory->limit);
		c->memory_swap_limit = positive(&r->memory->swap);
	}
	if (r->pids)
		c->pids_limit = positive(&r->pids->limit);
	if (!r->cpu)
		return;
	c->cpu_shares = r->cpu->shares.set ? r->cpu->shares.value : 0;
	c->cpu_quota_us = r->cpu->quota.set ? r->cpu->quota.value : 0;
	c->cpu_period_us = r->cpu->period.set ? r->cpu->period.value : 0;
}

static uint64_t convert_propagation(const char *name)
{
	const struct mount_option *option = name ? mount_option_find(name) : NULL;

	return option && option->kind == MOUNT_OPTION_PROPAGATION ? option->flags : 0;
}

static void convert_time_offsets(struct boot_arena *arena, const struct spec_linux *from,
				 struct boot_config *c)
{
	size_t count = from->time_offsets.count;

	c->time_offsets = arena_array(arena, count, sizeof(*c->time_offsets));
	for (size_t i = 0; c->time_offsets && i < count; i++) {
		const struct spec_time_offset *offset = &from->time_offsets.items[i];
		int clock = !strcmp(offset->clock, "monotonic") ? CLOCK_MONOTONIC : CLOCK_BOOTTIME;

		c->time_offsets[c->time_offset_count++] =
			(struct boot_time_offset){ clock, offset->nanosecs, offset->secs };
	}
}

static int convert_linux(struct boot_arena *arena, const struct spec_linux *from, bool in_sandbox,
			 struct boot_config *c, struct error **err)
{
	if (convert_namespaces(from, in_sandbox, c, err) < 0)
		return error_code(*err);
	convert_devices(arena, from, c);
	c->rootfs_propagation = convert_propagation(from->rootfs_propagation);
	c->masked_paths = arena_strings(arena, &from->masked_paths);
	c->readonly_paths = arena_strings(arena, &from->readonly_paths);
	c->sysctl = convert_map(arena, &from->sysctl);
	convert_time_offsets(arena, from, c);
	c->personality = from->personality && !strcmp(from->personality->domain, "LINUX32") ? PER_LINUX32
											    : PER_LINUX;
	/* Without the namespace they mean nothing. */
	if (c->new_namespaces & CLONE_NEWUSER) {
		c->uid_maps = convert_id_map(arena, from->uid_mappings.items,
					     from->uid_mappings.count, &c->uid_map_count);
		c->gid_maps = convert_id_map(arena, from->gid_mappings.items,
					     from->gid_mappings.count, &c->gid_map_count);
	}
	convert_resources(from->resources, c);
	return from->seccomp ? seccomp_compile(arena, from->seccomp, c, err) : 0;
}

static enum boot_platform platform_of(const char *name)
{
	if (!name)
		return BOOT_PLATFORM_ANY;
	return !strcmp(name, "ptrace") ? BOOT_PLATFORM_PTRACE : BOOT_PLATFORM_TRAP;
}

static void convert_globals(const struct globals *g, struct boot_config *c)
{
	c->platform = platform_of(g->platform);
	c->strict_memory = g->strict_memory;
	c->overlay = !strcmp(g->overlay, "none") ? BOOT_OVERLAY_NONE : BOOT_OVERLAY_MEMORY;
	c->network = !strcmp(g->network, "host") ? BOOT_NETWORK_HOST : BOOT_NETWORK_NONE;
	c->debug = g->debug;
	c->strace = g->strace;
}

static int convert_config(struct boot_arena *arena, const struct spec *spec, const char *id,
			  bool in_sandbox, struct boot_config *c, struct error **err)
{
	static const struct spec_linux no_linux;
	const struct spec_linux *linux_config = spec->linux_config ? spec->linux_config : &no_linux;
	const char *cgroups_path = linux_config->cgroups_path;

	c->id = arena_text(arena, id);
	c->hostname = arena_text(arena, spec->hostname ? spec->hostname : "");
	c->domainname = arena_text(arena, spec->domainname ? spec->domainname : "");
	c->cgroups_path = cgroups_path && *cgroups_path == '/' ? arena_text(arena, cgroups_path)
							       : arena_join(arena, "/", id);
	c->rootfs_readonly = spec->root->readonly;
	c->deny_setgroups = id_maps_deny_setgroups(spec);
	c->annotations = convert_map(arena, &spec->annotations);
	if (convert_mounts(arena, spec, c, err) < 0)
		return error_code(*err);
	return convert_linux(arena, linux_config, in_sandbox, c, err);
}

/* Seals nothing: the receiver has its own copy by the time it answers. */
static int store_blob(const void *blob, size_t size, int *fd, struct error **err)
{
	AUTO_CLOSE int memfd = memfd_create("moat-config", MFD_CLOEXEC);
	int ret = memfd < 0 ? -errno : fd_write_all(memfd, blob, size);

	if (ret == 0 && lseek(memfd, 0, SEEK_SET) < 0)
		ret = -errno;
	if (ret < 0)
		return error_set_errno(err, ret, "memfd for the sandbox's configuration");
	*fd = move_fd(&memfd);
	return 0;
}

int boot_config_build(const struct globals *globals, const struct spec *spec, const char *id,
		      const struct boot_extra *extra, int *fd, struct error **err)
{
	AUTO_ARENA struct boot_arena arena = { 0 };
	struct boot_config config = { 0 };
	AUTO_FREE void *blob = NULL;
	size_t size;
	int ret;

	if (convert_config(&arena, spec, id, extra->in_sandbox, &config, err) < 0 ||
	    arena_process(&arena, spec->process, extra, &config.process, err) < 0)
		return error_code(*err);
	convert_globals(globals, &config);
	config.notify = extra->notify;
	if (extra->unmapped) {
		config.uid_map_count = config.gid_map_count = 0;
		config.deny_setgroups = false;
	}
	ret = arena.failed ? -ENOMEM : boot_config_encode(&config, &blob, &size);
	if (ret < 0)
		return error_set_errno(err, ret, "encode the sandbox's configuration");
	return store_blob(blob, size, fd, err);
}

int boot_process_build(const struct spec_process *process, const struct boot_extra *extra,
		       int *fd, struct error **err)
{
	AUTO_ARENA struct boot_arena arena = { 0 };
	struct boot_process converted = { 0 };
	AUTO_FREE void *blob = NULL;
	size_t size;
	int ret;

	if (arena_process(&arena, process, extra, &converted, err) < 0)
		return error_code(*err);
	ret = arena.failed ? -ENOMEM : boot_process_encode(&converted, &blob, &size);
	if (ret < 0)
		return error_set_errno(err, ret, "encode the process");
	return store_blob(blob, size, fd, err);
}

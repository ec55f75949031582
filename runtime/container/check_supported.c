/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refused is what a container would be wrong without.  What it can do without is ignored with a
 * warning, and listed in docs/compatibility.md.
 */
#include "runtime/container/check_supported.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "oci/capability.h"
#include "oci/mount_option.h"
#include "runtime/sandbox/boot_config_build.h"
#include "runtime/sandbox/id_mapped.h"
#include "util/log.h"
#include "util/parse.h"
#include "util/strbuf.h"

static bool maps(const struct spec_id_mapping *items, size_t count, uint32_t id)
{
	for (size_t i = 0; i < count; i++) {
		if (id >= items[i].container_id && id - items[i].container_id < items[i].size)
			return true;
	}
	return false;
}

/* "uid=5"; what is no number is for the file system to refuse. */
static bool names_unmapped(const char *option, const char *key, const struct spec_id_mapping *items,
			   size_t count)
{
	size_t length = strlen(key);
	uint32_t id;

	return !strncmp(option, key, length) && parse_u32(option + length, &id) == 0 &&
	       !maps(items, count, id);
}

static int check_rootless_mount(const struct spec_linux *l, const struct spec_mount *mount,
				struct error **err)
{
	for (size_t i = 0; i < mount->options.count; i++) {
		const char *option = mount->options.items[i];

		if (names_unmapped(option, "uid=", l->uid_mappings.items, l->uid_mappings.count))
			return error_set(err, -EINVAL, "cannot specify uid= mount options for unmapped "
						       "uid in rootless containers");
		if (names_unmapped(option, "gid=", l->gid_mappings.items, l->gid_mappings.count))
			return error_set(err, -EINVAL, "cannot specify gid= mount options for unmapped "
						       "gid in rootless containers");
	}
	return 0;
}

/* Without privilege there is nothing but a user namespace to get rights from: in runc's words. */
static int check_rootless(const struct spec *spec, struct error **err)
{
	if (geteuid() == 0)
		return 0;
	if (!spec_namespace_find(spec, "user"))
		return error_set(err, -EPERM, "rootless container requires user namespaces");
	for (size_t i = 0; i < spec->mounts.count; i++) {
		if (check_rootless_mount(spec->linux_config, &spec->mounts.items[i], err) < 0)
			return error_code(*err);
	}
	return 0;
}

static int check_mount(const struct spec *spec, const struct spec_mount *mount, struct error **err)
{
	struct mount_flags flags;
	int ret = mount_flags_parse(&mount->options, &flags, err);

	if (ret < 0)
		return ret;
	if (id_mapped_kind(mount, &flags) != ID_MAPPING_NONE)
		ret = id_mapped_check(spec, mount, mount_is_bind(mount, &flags), err);
	mount_flags_free(&flags);
	return ret;
}

static int check_mounts(const struct spec *spec, struct error **err)
{
	for (size_t i = 0; i < spec->mounts.count; i++) {
		if (check_mount(spec, &spec->mounts.items[i], err) < 0)
			return error_wrap(err, "config.json: mounts[%zu]", i);
	}
	return 0;
}

static int check_linux(const struct spec *spec, struct error **err)
{
	const struct spec_linux *l = spec->linux_config;

	if (l->intel_rdt)
		return error_set(err, -EOPNOTSUPP, "config.json: linux.intelRdt: not supported");
	/* runc binds the root file system after it has made it so, which fails. */
	if (l->rootfs_propagation && strstr(l->rootfs_propagation, "unbindable"))
		return error_set(err, -EINVAL, "config.json: linux.rootfsPropagation: \"%s\" cannot be",
				 l->rootfs_propagation);
	if (l->net_devices.count > 0)
		return error_set(err, -EOPNOTSUPP, "config.json: linux.netDevices: not supported");
	return 0;
}

static void warn_at(const char *where, const char *property, const char *value)
{
	if (value && *value)
		log_warning("%s%s: \"%s\" has no effect", where, property, value);
}

static void warn(const char *property, const char *value)
{
	warn_at("config.json: ", property, value);
}

static void add_unknown(const struct string_list *names, struct string_list *unknown)
{
	for (size_t i = 0; i < names->count; i++) {
		const char *name = names->items[i];

		/* Without memory for it the warning is shorter. */
		if (oci_capability_number(name) < 0 && !string_list_contains(unknown, name) &&
		    string_list_add(unknown, name) < 0)
			return;
	}
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void warn_of_capabilities(const struct spec_capabilities *c)
{
	const struct string_list *const sets[] = { &c->bounding, &c->effective, &c->inheritable,
						   &c->permitted, &c->ambient };
	AUTO_STRING_LIST struct string_list unknown = STRING_LIST_INIT;
	AUTO_STRBUF struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		add_unknown(sets[i], &unknown);
	if (unknown.count == 0)
		return;
	qsort(unknown.items, unknown.count, sizeof(unknown.items[0]), compare_names);
	for (size_t i = 0; i < unknown.count; i++)
		strbuf_addf(&text, "%s%s", i ? " " : "", unknown.items[i]);
	log_warning("ignoring unknown or unavailable capabilities: [%s]",
		    text.failed ? "" : strbuf_text(&text));
}

void warn_of_process(const struct spec_process *process, const char *where)
{
	warn_at(where, "process.apparmorProfile", process->apparmor_profile);
	warn_at(where, "process.selinuxLabel", process->selinux_label);
	if (process->exec_cpu_affinity) {
		warn_at(where, "process.execCPUAffinity.initial", process->exec_cpu_affinity->initial);
		warn_at(where, "process.execCPUAffinity.final", process->exec_cpu_affinity->final);
	}
	if (process->capabilities)
		warn_of_capabilities(process->capabilities);
}

static void warn_of_mounts(const struct spec *spec)
{
	for (size_t i = 0; i < spec->mounts.count; i++) {
		const struct spec_mount *m = &spec->mounts.items[i];

		for (size_t o = 0; o < m->options.count; o++) {
			const struct mount_option *option = mount_option_find(m->options.items[o]);

			if (option && option->support == MOUNT_OPTION_IGNORED)
				log_warning("config.json: mounts[%zu].options: \"%s\" has no effect", i,
					    m->options.items[o]);
		}
	}
}

static void warn_of_memory(const struct spec_memory *m)
{
	if (m->kernel.set && m->kernel.value != 0)
		log_warning("Kernel memory settings are ignored and will be removed"); /* runc's words */
	if (m->use_hierarchy.value)
		warn("linux.resources.memory.useHierarchy", "true");
	if (m->check_before_update.value)
		warn("linux.resources.memory.checkBeforeUpdate", "true");
}

static void warn_of_ignored(const struct spec *spec)
{
	const struct spec_linux *l = spec->linux_config;

	warn_of_process(spec->process, "config.json: ");
	warn_of_mounts(spec);
	if (!l)
		return;
	warn("linux.mountLabel", l->mount_label);
	if (l->resources && l->resources->memory)
		warn_of_memory(l->resources->memory);
	for (size_t i = 0; l->personality && i < l->personality->flags.count; i++)
		warn("linux.personality.flags", l->personality->flags.items[i]);
}

int check_supported(const struct spec *spec, struct error **err)
{
	if (check_rootless(spec, err) < 0 || check_mounts(spec, err) < 0 ||
	    (spec->linux_config && check_linux(spec, err) < 0))
		return error_code(*err);
	warn_of_ignored(spec);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.sysctl: a name is allowed when it belongs to a namespace that the
 * container has for itself; anything else would change the host.
 */
#include "oci/validate_linux.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *name; /* a trailing dot: everything below */
	const char *namespace;
} sysctls[] = {
	{ "kernel.msgmax", "ipc" },    { "kernel.msgmnb", "ipc" },
	{ "kernel.msgmni", "ipc" },    { "kernel.sem", "ipc" },
	{ "kernel.shmall", "ipc" },    { "kernel.shmmax", "ipc" },
	{ "kernel.shmmni", "ipc" },    { "kernel.shm_rmid_forced", "ipc" },
	{ "fs.mqueue.", "ipc" },       { "net.", "network" },
	{ "kernel.domainname", "uts" }, { "kernel.hostname", "uts" },
};

/* Compares in either spelling, net.ipv4.x or net/ipv4/x. */
static bool sysctl_matches(const char *pattern, const char *name)
{
	bool slashes = strchr(name, '/') != NULL;

	for (; *pattern; pattern++, name++) {
		char expected = *pattern == '.' && slashes ? '/' : *pattern;

		if (*name != expected)
			return false;
	}
	return !*name || pattern[-1] == '.';
}

static int validate_one(const struct spec *spec, const char *name, struct error **err)
{
	if (strstr(name, ".."))
		return error_set(err, -EINVAL, "sysctl \"%s\" is not a valid name", name);
	if (sysctl_matches("kernel.hostname", name))
		return error_set(err, -EINVAL,
				 "sysctl \"%s\" is not allowed as it conflicts with the OCI \"hostname\" field",
				 name);
	for (size_t i = 0; i < ARRAY_SIZE(sysctls); i++) {
		if (!sysctl_matches(sysctls[i].name, name))
			continue;
		if (spec_namespace_find(spec, sysctls[i].namespace))
			return 0;
		if (!strcmp(sysctls[i].namespace, "network"))
			return error_set(err, -EINVAL,
					 "sysctl \"%s\" not allowed in host network namespace", name);
		return error_set(err, -EINVAL,
				 "sysctl \"%s\" is not allowed in the hosts %s namespace", name,
				 sysctls[i].namespace);
	}
	return error_set(err, -EINVAL, "sysctl \"%s\" is not in a separate kernel namespace", name);
}

int spec_validate_sysctl(const struct spec *spec, struct error **err)
{
	const struct string_map *sysctl = &spec->linux_config->sysctl;
	int error = 0;

	for (size_t i = 0; !error && i < sysctl->count; i++)
		error = validate_one(spec, sysctl->items[i].key, err);
	return error;
}

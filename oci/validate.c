/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Validation of the top level of config.json: what no single property can tell.
 * The process and linux objects have files of their own.
 */
#include "oci/spec.h"

#include <errno.h>
#include <string.h>

#include "oci/mount_option.h"
#include "oci/validate_linux.h"

static const char *skip_number(const char *text)
{
	const char *p = text;

	while (*p >= '0' && *p <= '9')
		p++;
	return p == text ? NULL : p;
}

/* "1.<minor>.<patch>", with what SemVer allows behind it. */
static bool version_supported(const char *version)
{
	const char *p = version;

	if (strncmp(p, "1.", 2) || !(p = skip_number(p + 2)) || *p != '.')
		return false;
	p = skip_number(p + 1);
	return p && (!*p || *p == '-' || *p == '+');
}

static int validate_hooks(const struct spec_hook_list *list, const char *kind, struct error **err)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct spec_hook *hook = &list->items[i];

		if (*hook->path != '/')
			return error_set(err, -EINVAL, "hooks.%s[%zu].path: \"%s\" is not absolute",
					 kind, i, hook->path);
		if (hook->timeout.set && hook->timeout.value <= 0)
			return error_set(err, -EINVAL,
					 "hooks.%s[%zu].timeout: must be greater than zero", kind, i);
	}
	return 0;
}

static int validate_all_hooks(const struct spec_hooks *h, struct error **err)
{
	const struct {
		const char *kind;
		const struct spec_hook_list *list;
	} kinds[] = {
		{ "prestart", &h->prestart },
		{ "createRuntime", &h->create_runtime },
		{ "createContainer", &h->create_container },
		{ "startContainer", &h->start_container },
		{ "poststart", &h->poststart },
		{ "poststop", &h->poststop },
	};
	int error = 0;

	for (size_t i = 0; !error && i < ARRAY_SIZE(kinds); i++)
		error = validate_hooks(kinds[i].list, kinds[i].kind, err);
	return error;
}

static int validate_options(const struct spec_mount *m, struct error **err)
{
	struct mount_flags flags;
	bool bind;

	if (mount_flags_parse(&m->options, &flags, err) < 0)
		return error_wrap(err, "mount %s", m->destination);
	bind = mount_is_bind(m, &flags);
	mount_flags_free(&flags);
	return !bind || (m->source && *m->source) ? 0 :
		error_set(err, -EINVAL, "mount %s: a bind mount needs a source", m->destination);
}

static int validate_mounts(const struct spec *spec, struct error **err)
{
	for (size_t i = 0; i < spec->mounts.count; i++) {
		const struct spec_mount *m = &spec->mounts.items[i];

		if (*m->destination != '/')
			return error_set(err, -EINVAL, "mounts[%zu].destination: \"%s\" is not absolute",
					 i, m->destination);
		if ((m->uid_mappings.count != 0) != (m->gid_mappings.count != 0))
			return error_set(err, -EINVAL,
					 "mounts[%zu]: uidMappings and gidMappings go together", i);
		if (validate_options(m, err) < 0)
			return error_code(*err);
	}
	return 0;
}

static int validate_names(const struct spec *spec, struct error **err)
{
	bool uts = spec_namespace_find(spec, "uts") != NULL;

	if (spec->hostname && *spec->hostname && !uts)
		return error_set(err, -EINVAL,
				 "unable to set hostname without a private UTS namespace");
	if (spec->domainname && *spec->domainname && !uts)
		return error_set(err, -EINVAL,
				 "unable to set domainname without a private UTS namespace");
	if (spec->hostname && strlen(spec->hostname) > 64)
		return error_set(err, -EINVAL, "hostname: longer than 64 bytes");
	if (spec->domainname && strlen(spec->domainname) > 64)
		return error_set(err, -EINVAL, "domainname: longer than 64 bytes");
	/* The key is arbitrary, but an empty one cannot be addressed by anyone. */
	if (spec->annotations.count && !*spec->annotations.items[0].key)
		return error_set(err, -EINVAL, "annotations: a key is empty");
	return 0;
}

int spec_validate(const struct spec *spec, struct error **err)
{
	int error;

	if (!version_supported(spec->oci_version))
		return error_set(err, -EINVAL, "ociVersion: expected a 1.x version, found \"%s\"",
				 spec->oci_version);
	error = spec_validate_process(spec->process, err);
	if (error)
		return error;
	if (!spec->root)
		return error_set(err, -EINVAL, "root must be specified");
	if (!*spec->root->path)
		return error_set(err, -EINVAL, "root.path: is empty");
	error = validate_mounts(spec, err);
	if (!error)
		error = validate_names(spec, err);
	if (!error)
		error = validate_all_hooks(&spec->hooks, err);
	if (!error && spec->linux_config)
		error = spec_validate_linux(spec, err);
	return error;
}

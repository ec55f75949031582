/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The features document.  It says what is honoured, not what is parsed: names
 * come from the tables that the parser and the validator use, and whole features
 * from the list below, which is to be changed with the code that brings one.
 */
#include "config.h"

#include "oci/features.h"

#include <string.h>

#include "oci/annotation.h"
#include "oci/capability.h"
#include "oci/json_write.h"
#include "oci/mount_option.h"
#include "oci/namespace.h"

static const char *const hooks[] = { "prestart",	"createRuntime", "createContainer",
				      "startContainer", "poststart",	 "poststop" };

/* A name that ends in a dot stands for all that begin with it. */
static const char *const annotations[] = {
	ANNOTATION_CRIO_TYPE,	ANNOTATION_CRIO_SANDBOX,   ANNOTATION_CRI_TYPE,
	ANNOTATION_CRI_SANDBOX, ANNOTATION_SYSTEMD_PREFIX, NULL,
};

/* linux.<object>.<property>; rows of one object are adjacent. */
static const struct {
	const char *object, *property;
	bool supported;
} switches[] = {
	{ "cgroup", "v1", true },
	{ "cgroup", "v2", true },
	{ "cgroup", "systemd", true },
	{ "cgroup", "systemdUser", true },
	{ "cgroup", "rdma", false },
	{ "apparmor", "enabled", false },
	{ "selinux", "enabled", false },
	{ "intelRdt", "enabled", false },
};

static void put_switches(struct json_writer *w)
{
	const char *object = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(switches); i++) {
		if (!object || strcmp(switches[i].object, object)) {
			if (object)
				json_write_object_end(w);
			object = switches[i].object;
			json_put_object(w, object);
		}
		json_put_bool(w, switches[i].property, switches[i].supported);
	}
	json_write_object_end(w);
}

static void put_names(struct json_writer *w, const char *property, const char *const *names)
{
	json_put_array(w, property);
	for (; *names; names++)
		json_write_string(w, *names);
	json_write_array_end(w);
}

/* What linux.seccomp may name; the guest's machine is x86-64. */
static void put_seccomp(struct json_writer *w)
{
	static const char *const actions[] = {
		"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS",
		"SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP", NULL };
	static const char *const operators[] = {
		"SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_LE", "SCMP_CMP_LT",
		"SCMP_CMP_MASKED_EQ", "SCMP_CMP_NE", NULL };
	static const char *const archs[] = { "SCMP_ARCH_X32", "SCMP_ARCH_X86", "SCMP_ARCH_X86_64",
					     NULL };
	static const char *const flags[] = {
		"SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
		"SECCOMP_FILTER_FLAG_LOG", NULL };

	json_put_object(w, "seccomp");
	json_put_bool(w, "enabled", true);
	put_names(w, "actions", actions);
	put_names(w, "operators", operators);
	put_names(w, "archs", archs);
	put_names(w, "knownFlags", flags);
	put_names(w, "supportedFlags", flags);
	json_write_object_end(w);
}

static void put_linux(struct json_writer *w)
{
	json_put_object(w, "linux");
	json_put_array(w, "namespaces");
	for (size_t i = 0; i < OCI_NAMESPACE_COUNT; i++)
		if (oci_namespaces[i].honoured)
			json_write_string(w, oci_namespaces[i].name);
	json_write_array_end(w);
	json_put_array(w, "capabilities");
	for (unsigned i = 0; i < OCI_CAPABILITY_COUNT; i++)
		json_write_string(w, oci_capability_name(i));
	json_write_array_end(w);
	put_switches(w);
	put_seccomp(w);
	json_put_object(w, "mountExtensions");
	json_put_object(w, "idmap");
	json_put_bool(w, "enabled", true);
	json_write_object_end(w);
	json_write_object_end(w);
	json_write_object_end(w);
}

char *features_json(void)
{
	struct json_writer w;

	json_writer_init(&w, "    ");
	json_write_object_begin(&w);
	json_put_string(&w, "ociVersionMin", OCI_VERSION_MIN);
	json_put_string(&w, "ociVersionMax", OCI_VERSION_MAX);
	json_put_array(&w, "hooks");
	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
		json_write_string(&w, hooks[i]);
	json_write_array_end(&w);
	json_put_array(&w, "mountOptions");
	for (size_t i = 0; i < mount_option_count; i++)
		if (mount_options[i].support == MOUNT_OPTION_HONOURED)
			json_write_string(&w, mount_options[i].name);
	json_write_array_end(&w);
	put_linux(&w);
	json_put_object(&w, "annotations");
	json_put_string(&w, "io.moat.version", PACKAGE_VERSION);
	json_write_object_end(&w);
	put_names(&w, "potentiallyUnsafeConfigAnnotations", annotations);
	json_write_object_end(&w);
	return json_writer_finish(&w);
}

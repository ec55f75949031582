/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/systemd/sd_bus.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>

#define LIBRARY "libsystemd.so.0"

static const struct {
	const char *name;
	size_t offset;
} rows[] = {
#define SD_BUS_ROW(name) { #name, offsetof(struct sd_bus_library, name) },
	SD_BUS_FUNCTIONS(SD_BUS_ROW)
#undef SD_BUS_ROW
};

const struct sd_bus_library *sd_bus_library(struct error **err)
{
	static struct sd_bus_library library;
	static void *handle;

	if (handle)
		return &library;
	handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		error_set(err, -ENOENT, "--systemd-cgroup needs " LIBRARY ": %s", dlerror());
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		void **field = (void **)(void *)((char *)&library + rows[i].offset);

		*field = dlsym(handle, rows[i].name);
		if (!*field) {
			handle = NULL;
			error_set(err, -ENOENT, LIBRARY " is too old: it has no %s", rows[i].name);
			return NULL;
		}
	}
	return &library;
}

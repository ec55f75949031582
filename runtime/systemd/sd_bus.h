/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libsystemd's sd-bus, loaded when it is first wanted: it brings five more libraries, which every start of
 * moat, the sandbox's and the gofer's included, would wait for.
 */
#pragma once

#include <systemd/sd-bus.h>

#include "util/error.h"

#define SD_BUS_FUNCTIONS(ROW)                                                        \
	ROW(sd_bus_new) ROW(sd_bus_set_address) ROW(sd_bus_start) ROW(sd_bus_open_system) \
	ROW(sd_bus_open_user) ROW(sd_bus_flush_close_unref) ROW(sd_bus_get_owner_creds)   \
	ROW(sd_bus_creds_get_owner_uid) ROW(sd_bus_creds_unref) ROW(sd_bus_call)          \
	ROW(sd_bus_process) ROW(sd_bus_wait) ROW(sd_bus_match_signal)                     \
	ROW(sd_bus_get_property_string) ROW(sd_bus_error_free)              \
	ROW(sd_bus_message_new_method_call) ROW(sd_bus_message_append_basic)              \
	ROW(sd_bus_message_open_container) ROW(sd_bus_message_close_container)            \
	ROW(sd_bus_message_read_basic) ROW(sd_bus_message_unref)

struct sd_bus_library {
#define SD_BUS_FIELD(name) __typeof__(&(name)) name;
	SD_BUS_FUNCTIONS(SD_BUS_FIELD)
#undef SD_BUS_FIELD
};

/* NULL, with the error set: it is not on this host. */
const struct sd_bus_library *sd_bus_library(struct error **err) MUST_CHECK;

/* SPDX-License-Identifier: Apache-2.0 */
/* The properties of a container's unit. */
#pragma once

#include <sys/types.h>

#include "oci/spec.h"
#include "runtime/systemd/property.h"
#include "runtime/systemd/unit_name.h"

/* Those that a new unit is made with; @pid: the first process in it.  @v2: the host has cgroup v2 alone. */
void unit_base_properties(const struct unit_name *unit, pid_t pid, bool v2,
			  struct property_list *list);
/*
 * One for each annotation "org.systemd.property.NAME".  A NAME that ends in "Sec" is given in seconds, and is
 * the property with "USec".
 */
int unit_annotation_properties(const struct string_map *annotations, struct property_list *list,
			       struct error **err) MUST_CHECK;
/*
 * The limits that systemd knows, as its properties; @version: systemd's, which older ones know fewer of.
 */
int unit_limit_properties(const struct spec_resources *resources, bool v2, int version,
			  struct property_list *list, struct error **err) MUST_CHECK;

/* "0-2,8" as bits, the first one in the lowest place of the first byte; malloc'ed. */
int unit_cpu_list_bits(const char *text, uint8_t **out, size_t *count) MUST_CHECK;

/* SPDX-License-Identifier: Apache-2.0 */
/* The field tables of config.json's structures, shared between the files of oci/. */
#pragma once

#include "oci/json_bind.h"

extern const struct json_struct spec_type;
extern const struct json_struct spec_process_type;
extern const struct json_struct spec_linux_type;
extern const struct json_struct spec_resources_type;
extern const struct json_struct spec_seccomp_type;
extern const struct json_struct id_mapping_type;

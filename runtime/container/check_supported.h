/* SPDX-License-Identifier: Apache-2.0 */
/* What a valid config.json may ask for and this runtime does not have. */
#pragma once

#include "oci/spec.h"
#include "util/error.h"

/*
 * Writes into the log what of @process has no effect, each line after @where ("config.json: "): labels of the host, and
 * capabilities that do not exist, in runc's words.
 */
void warn_of_process(const struct spec_process *process, const char *where);

int check_supported(const struct spec *spec, struct error **err) MUST_CHECK;

/* SPDX-License-Identifier: Apache-2.0 */
/* What a valid config.json may ask for and this runtime does not have. */
#pragma once

#include "oci/spec.h"
#include "util/error.h"

int check_supported(const struct spec *spec, struct error **err) MUST_CHECK;

/* SPDX-License-Identifier: Apache-2.0 */
/* The part of validation that concerns the linux object. */
#pragma once

#include "oci/spec.h"

int spec_validate_linux(const struct spec *spec, struct error **err) MUST_CHECK;
int spec_validate_seccomp(const struct spec_seccomp *seccomp, struct error **err) MUST_CHECK;
int spec_validate_sysctl(const struct spec *spec, struct error **err) MUST_CHECK;

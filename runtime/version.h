/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The runtime-spec release that is implemented; also ociVersion of `moat state`. */
#define MOAT_SPEC_VERSION "1.2.0"

/* Set by packagers; the version alone names a release. */
#ifndef MOAT_COMMIT
#define MOAT_COMMIT "v" PACKAGE_VERSION
#endif

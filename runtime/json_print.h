/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "oci/json_write.h"
#include "util/compiler.h"
#include "util/error.h"

/* Finishes the document and prints it as a line on standard output.  -ENOMEM. */
int json_print(struct json_writer *w, struct error **err) MUST_CHECK;

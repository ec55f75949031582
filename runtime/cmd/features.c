/* SPDX-License-Identifier: Apache-2.0 */
/* moat features: what this runtime supports, as the OCI features document. */
#include <errno.h>
#include <stdio.h>

#include "oci/features.h"
#include "runtime/command.h"
#include "util/cleanup.h"

static int run(const struct globals *globals, void *options, int argc, char **argv,
	       struct error **err)
{
	AUTO_FREE char *text = features_json();

	if (!text)
		return error_set(err, -ENOMEM, "out of memory");
	puts(text);
	return 0;
}

const struct command command_features = {
	.name = "features",
	.summary = "show the enabled features",
	.usage = "",
	.description = "   The result is parsable as a JSON.",
	.arguments_min = 0,
	.arguments_max = 0,
	.failure_status = 1,
	.run = run,
};

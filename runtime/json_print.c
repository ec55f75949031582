/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/json_print.h"

#include <errno.h>
#include <stdio.h>

#include "util/cleanup.h"

int json_print(struct json_writer *w, struct error **err)
{
	AUTO_FREE char *text = json_writer_finish(w);

	if (!text)
		return error_set(err, -ENOMEM, "out of memory");
	puts(text);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Writing the OCI state object, in the field order of runc's hooks. */
#include "oci/state.h"

#include "oci/json_write.h"

const char *oci_status_name(enum oci_status status)
{
	static const char *const names[] = {
		[OCI_CREATING] = "creating", [OCI_CREATED] = "created", [OCI_RUNNING] = "running",
		[OCI_PAUSED] = "paused",     [OCI_STOPPED] = "stopped",
	};

	return names[status];
}

char *oci_state_json(const struct oci_state *state)
{
	struct json_writer w;

	json_writer_init(&w, NULL);
	json_write_object_begin(&w);
	json_put_string(&w, "ociVersion", state->oci_version);
	json_put_string(&w, "id", state->id);
	json_put_string(&w, "status", oci_status_name(state->status));
	if (state->pid)
		json_put_int(&w, "pid", state->pid);
	json_put_string(&w, "bundle", state->bundle);
	if (state->annotations && state->annotations->count) {
		json_put_object(&w, "annotations");
		for (size_t i = 0; i < state->annotations->count; i++)
			json_put_string(&w, state->annotations->items[i].key,
					state->annotations->items[i].value);
		json_write_object_end(&w);
	}
	json_write_object_end(&w);
	return json_writer_finish(&w);
}

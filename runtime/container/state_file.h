/* SPDX-License-Identifier: Apache-2.0 */
/* state.json: reading into and freeing of the recorded part of struct container. */
#pragma once

#include "runtime/container/container.h"

/* A missing file leaves the container CONTAINER_CREATING with nothing recorded. */
int state_file_read(struct container *container, struct error **err) MUST_CHECK;
void state_file_clear(struct container *container);

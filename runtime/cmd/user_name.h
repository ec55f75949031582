/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * The name of @uid in the host's /etc/passwd, or "#uid".  From the file, not from name services,
 * which a runtime has no business to ask.
 */
void user_name(uint32_t uid, char *name, size_t size);

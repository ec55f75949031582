/* SPDX-License-Identifier: Apache-2.0 */
/* The table behind sentry/vfs/fifo.h: written at boot, read-only afterwards. */
#include "sentry/vfs/fifo.h"

struct vfs_upcalls vfs_upcalls;

/* SPDX-License-Identifier: Apache-2.0 */
/* Names of process.scheduler and process.ioPriority; numbers are Linux's. */
#pragma once

#include <stdint.h>

/* "SCHED_FIFO" and so on; -1 when unknown. */
int oci_scheduler_policy(const char *name);
/* "SCHED_FLAG_RESET_ON_FORK" and so on, as sched_attr.sched_flags; 0 when unknown. */
uint64_t oci_scheduler_flag(const char *name);
/* "IOPRIO_CLASS_RT" and so on; -1 when unknown. */
int oci_io_class(const char *name);

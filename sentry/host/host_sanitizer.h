/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds with a sanitizer: its findings inside the sentry go to the debug log, and end it.  In other
 * builds there is nothing behind these.
 */
#pragma once

/* Where reports go from now on; @fd stays the caller's and open. */
void host_sanitizer_report_to(int fd);

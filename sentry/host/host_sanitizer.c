/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "sentry/host/host_sanitizer.h"

#include <stdint.h>

#if defined(MOAT_SANITIZERS) || defined(MOAT_TSAN)
#include <sanitizer/common_interface_defs.h>

void host_sanitizer_report_to(int fd)
{
	/* The interface takes the number as a pointer. */
	__sanitizer_set_report_fd((void *)(intptr_t)fd);
}
#else
void host_sanitizer_report_to(int fd)
{
	(void)fd;
}
#endif

#ifdef MOAT_TSAN
/*
 * The sentry has no environment.  A race ends the process, so that no test passes with one; deadlocks are
 * the affair of lock ranks: ThreadSanitizer does not see that directories are locked in
 * pairs under the rename lock.
 */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "halt_on_error=1:detect_deadlocks=0";
}
#endif

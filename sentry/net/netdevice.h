/* SPDX-License-Identifier: Apache-2.0 */
/* The loopback interface: what the SIOCGIF* requests say about it, on any socket. */
#pragma once

#include <stdint.h>

struct mm;
struct socket;

#define LOOPBACK_INDEX 1
#define LOOPBACK_MTU 65536
#define LOOPBACK_FLAGS 0x49U /* IFF_UP | IFF_LOOPBACK | IFF_RUNNING */

/* -ENOTTY for requests that are not about interfaces; -ENODEV for other names. */
int64_t netdevice_ioctl(struct socket *s, struct mm *mm, uint32_t cmd, uint64_t arg);

/* SPDX-License-Identifier: Apache-2.0 */
/* Interfaces: the SIOCGIF* requests, on any socket, from the tables of the network's provider. */
#pragma once

#include <stdint.h>

struct mm;
struct socket;

/* The loopback interface of a network that has nothing else. */
#define LOOPBACK_INDEX 1
#define LOOPBACK_MTU 65536
#define LOOPBACK_FLAGS 0x49U /* IFF_UP | IFF_LOOPBACK | IFF_RUNNING */

/* -ENOTTY for requests that are not about interfaces; -ENODEV for names that there are none of. */
int64_t netdevice_ioctl(struct socket *s, struct mm *mm, uint32_t cmd, uint64_t arg);

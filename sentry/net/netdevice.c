/* SPDX-License-Identifier: Apache-2.0 */
/* The SIOCGIF* requests, for the loopback interface, from constants. */
#include "sentry/net/netdevice.h"

#include <errno.h>
#include <string.h>

#include "sentry/abi/ioctl.h"
#include "sentry/abi/netlink.h"
#include "sentry/abi/socket.h"
#include "sentry/mm/usercopy.h"
#include "util/checked.h"

#define NAME_SIZE 16

struct linux_ifreq {
	char name[NAME_SIZE];
	union {
		struct linux_sockaddr_in addr;
		int16_t flags;
		int32_t number;
		uint8_t bytes[24];
	};
};
_Static_assert(sizeof(struct linux_ifreq) == 40, "ifreq");

struct linux_ifconf {
	int32_t size;
	uint32_t pad;
	uint64_t buffer;
};

static void set_address(struct linux_ifreq *r, uint8_t a, uint8_t d)
{
	uint8_t bytes[4] = { a, 0, 0, d };

	r->addr = (struct linux_sockaddr_in){ .family = LINUX_AF_INET };
	memcpy(&r->addr.addr, bytes, sizeof(bytes));
}

/* SIOCGIFCONF: a list of ifreq, or with a null buffer only its size. */
static int64_t list_interfaces(struct mm *mm, uint64_t arg)
{
	struct linux_ifreq request = { .name = "lo" };
	struct linux_ifconf conf;

	if (copy_in(mm, &conf, guest_addr(arg), sizeof(conf)))
		return -EFAULT;
	set_address(&request, 127, 1);
	if (conf.buffer && conf.size >= (int32_t)sizeof(request)) {
		if (copy_out(mm, guest_addr(conf.buffer), &request, sizeof(request)))
			return -EFAULT;
	} else if (conf.buffer) {
		conf.size = 0;
		return copy_out(mm, guest_addr(arg), &conf, sizeof(conf));
	}
	conf.size = sizeof(request);
	return copy_out(mm, guest_addr(arg), &conf, sizeof(conf));
}

/* Fills the union for "lo"; -ENOTTY when @cmd is none of ours. */
static int answer(uint32_t cmd, struct linux_ifreq *r)
{
	memset(r->bytes, 0, sizeof(r->bytes));
	switch (cmd) {
	case LINUX_SIOCGIFFLAGS:
		r->flags = LOOPBACK_FLAGS;
		return 0;
	case LINUX_SIOCGIFADDR:
	case LINUX_SIOCGIFDSTADDR:
		set_address(r, 127, 1);
		return 0;
	case LINUX_SIOCGIFBRDADDR:
		set_address(r, 0, 0);
		return 0;
	case LINUX_SIOCGIFNETMASK:
		set_address(r, 255, 0);
		return 0;
	case LINUX_SIOCGIFMETRIC:
		return 0;
	case LINUX_SIOCGIFMTU:
		r->number = LOOPBACK_MTU;
		return 0;
	case LINUX_SIOCGIFHWADDR:
		r->addr.family = LINUX_ARPHRD_LOOPBACK;
		return 0;
	case LINUX_SIOCGIFINDEX:
		r->number = LOOPBACK_INDEX;
		return 0;
	case LINUX_SIOCGIFTXQLEN:
		r->number = 1000;
		return 0;
	case LINUX_SIOCGIFMAP:
		return 0;
	default:
		return -ENOTTY;
	}
}

static int64_t name_of_index(struct mm *mm, uint64_t arg)
{
	struct linux_ifreq request;

	if (copy_in(mm, &request, guest_addr(arg), sizeof(request)))
		return -EFAULT;
	if (request.number != LOOPBACK_INDEX)
		return -ENODEV;
	memset(request.name, 0, NAME_SIZE);
	memcpy(request.name, "lo", 2);
	return copy_out(mm, guest_addr(arg), &request, sizeof(request));
}

int64_t netdevice_ioctl(struct socket *s, struct mm *mm, uint32_t cmd, uint64_t arg)
{
	struct linux_ifreq request = { 0 };
	int rc;

	if (cmd == LINUX_SIOCGIFCONF)
		return list_interfaces(mm, arg);
	if (cmd == LINUX_SIOCGIFNAME)
		return name_of_index(mm, arg);
	rc = answer(cmd, &request);
	if (rc)
		return rc;
	if (copy_in(mm, &request, guest_addr(arg), sizeof(request)))
		return -EFAULT;
	request.name[NAME_SIZE - 1] = '\0';
	if (strcmp(request.name, "lo"))
		return -ENODEV;
	rc = answer(cmd, &request);
	return rc ? rc : copy_out(mm, guest_addr(arg), &request, sizeof(request));
}

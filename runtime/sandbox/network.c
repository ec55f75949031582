/* SPDX-License-Identifier: Apache-2.0 */
/* See network.h. */
#include "runtime/sandbox/network.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/container/namespace_look.h"
#include "util/cleanup.h"
#include "util/file.h"
#include "util/log.h"

#define OWN_NAMESPACE "/proc/self/ns/net"
#define PORT_START "net/ipv4/ip_unprivileged_port_start"
#define PING_GROUPS "net/ipv4/ping_group_range"

static int open_namespace(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int bring_loopback_up(void)
{
	AUTO_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo" };

	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		return -errno;
	request.ifr_flags |= IFF_UP;
	return ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}

/* Below /proc/sys, in the namespace that we are in. */
static int write_parameter(const char *name, const char *value)
{
	char path[256];

	if (snprintf(path, sizeof(path), "/proc/sys/%s", name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return file_write_text(AT_FDCWD, path, value);
}

/* What the sentry, which has no rights over the namespace, has to be able to give its guests. */
static void open_rights(const char *groups)
{
	int ret = write_parameter(PORT_START, "0");

	if (ret == 0)
		ret = write_parameter(PING_GROUPS, groups);
	if (ret < 0)
		log_warning("network namespace: ports below 1024 and ping sockets stay restricted: %s",
			    strerror(-ret));
}

/* Ours, or the machine's: its parameters are nobody's to change. */
static bool is_shared(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (namespace_is_of(&st, "self", "net") || namespace_is_of(&st, "1", "net"));
}

int network_enter(const struct launch_network *network, struct error **err)
{
	if (network->target >= 0 && setns(network->target, CLONE_NEWNET) < 0)
		return error_set_errno(err, -errno, "enter the network namespace");
	return 0;
}

int network_leave(const struct launch_network *network, struct error **err)
{
	if (network->target >= 0 && setns(network->own, CLONE_NEWNET) < 0)
		return error_set_errno(err, -errno, "leave the network namespace");
	return 0;
}

/* In a process that ends with it. */
static int in_child(const struct launch_network *n, void (*work)(void), struct error **err)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		if (setns(n->target, CLONE_NEWNET) < 0)
			_exit(1);
		work();
		_exit(0);
	}
	if (child < 0)
		return error_set_errno(err, -errno, "fork");
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return status ? error_set(err, -EPERM, "enter the network namespace: operation not permitted") : 0;
}

static void open_all_rights(void)
{
	open_rights("0 2147483647");
}

static int join(const char *path, struct launch_network *n, struct error **err)
{
	bool shared;

	n->target = open_namespace(path);
	if (n->target < 0)
		return error_set_errno(err, n->target, "open network namespace %s", path);
	shared = is_shared(n->target);
	if (n->one_way)
		return shared ? 0 : in_child(n, open_all_rights, err);
	if (network_enter(n, err) < 0)
		return error_code(*err);
	if (!shared)
		open_all_rights();
	return network_leave(n, err);
}

/* Made by us it is owned by our user namespace, as a container's of runc is, and not by the sentry's. */
static int make(struct launch_network *n, struct error **err)
{
	int ret;

	if (n->one_way || unshare(CLONE_NEWNET) < 0) {
		if (!n->one_way && errno != EPERM)
			return error_set_errno(err, -errno, "make a network namespace");
		n->clone_flags = CLONE_NEWNET;
		n->of_child = true;
		return 0;
	}
	n->target = open_namespace(OWN_NAMESPACE);
	if (n->target < 0)
		return error_set_errno(err, n->target, "open %s", OWN_NAMESPACE);
	ret = bring_loopback_up();
	if (ret < 0)
		return error_set_errno(err, ret, "bring the loopback interface up");
	open_rights("0 2147483647");
	return network_leave(n, err);
}

int network_prepare(const struct spec *spec, bool host, struct launch_network *out, struct error **err)
{
	const struct spec_namespace *ns = spec_namespace_find(spec, "network");

	if (!host) {
		out->clone_flags = CLONE_NEWNET;
		return 0;
	}
	out->own = open_namespace(OWN_NAMESPACE);
	if (out->own < 0)
		return error_set_errno(err, out->own, "open %s", OWN_NAMESPACE);
	if (!ns)
		return 0;
	/* Root of a user namespace (a rootless podman's) has no right over what it was born in. */
	out->one_way = geteuid() == 0 && setns(out->own, CLONE_NEWNET) < 0 && errno == EPERM;
	return ns->path && *ns->path ? join(ns->path, out, err) : make(out, err);
}

void network_close(struct launch_network *network)
{
	if (network->target >= 0)
		close(network->target);
	if (network->own >= 0)
		close(network->own);
	network->target = network->own = -1;
}

int network_set_up_own(void)
{
	int ret = bring_loopback_up();

	if (ret == 0)
		open_rights("0 0"); /* only our root's group has a name there */
	return ret;
}

int network_of_container(const struct spec *spec, const struct launch_network *network)
{
	const struct spec_namespace *ns = spec_namespace_find(spec, "network");

	if (ns && ns->path && *ns->path)
		return open_namespace(ns->path);
	if (network->of_child)
		return -EPERM;
	return fcntl(network->target >= 0 ? network->target : network->own, F_DUPFD_CLOEXEC, 0);
}

/* --- linux.sysctl ---------------------------------------------------------------------------- */

/* The two that the sentry checks by itself, with the spec's values, are left open on the host. */
static bool is_network(const char *name)
{
	return !strncmp(name, "net/", 4) && strcmp(name, PORT_START) != 0 && strcmp(name, PING_GROUPS) != 0;
}

static int set_one(const char *key, const char *value, struct error **err)
{
	char name[256];
	int ret;

	if (snprintf(name, sizeof(name), "%s", key) >= (int)sizeof(name))
		return error_set(err, -ENAMETOOLONG, "sysctl %s: name too long", key);
	for (char *p = name; *p && !strchr(key, '/'); p++)
		*p = *p == '.' ? '/' : *p;
	if (!is_network(name))
		return 0;
	ret = write_parameter(name, value);
	return ret < 0 ? error_set_errno(err, ret, "sysctl %s", key) : 0;
}

/* Without privilege only the child could, and it has no connection to the log yet. */
static void warn_of_sysctls(const struct string_map *sysctl, const struct launch_network *network)
{
	for (size_t i = 0; (network->of_child || network->one_way) && i < sysctl->count; i++) {
		if (!strncmp(sysctl->items[i].key, "net", 3))
			log_warning("sysctl %s: without privilege it is not set for the host's side of the network",
				    sysctl->items[i].key);
	}
}

int network_set_sysctls(const struct spec *spec, const struct launch_network *network, struct error **err)
{
	const struct string_map *sysctl = spec->linux_config ? &spec->linux_config->sysctl : NULL;
	int ret = 0;

	if (!sysctl || !sysctl->count)
		return 0;
	if (network->target < 0 || network->one_way) {
		warn_of_sysctls(sysctl, network);
		return 0;
	}
	if (network_enter(network, err) < 0)
		return error_code(*err);
	for (size_t i = 0; ret == 0 && i < sysctl->count; i++)
		ret = set_one(sysctl->items[i].key, sysctl->items[i].value, err);
	if (ret < 0) {
		AUTO_ERROR struct error *second = NULL;

		return network_leave(network, &second) < 0 ? error_code(second) : ret;
	}
	return network_leave(network, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POSIX message queues and their file system, one of each IPC namespace.  A message queue
 * descriptor is an open file of it, whether mq_open or open made it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sentry/abi/mqueue.h"
#include "util/compiler.h"

struct file;
struct ipc_namespace;
struct kernel;
struct linux_sigevent;
struct mq_message;
struct task;

/* Registers the type; once, at boot. */
int mqueue_init(struct kernel *k) MUST_CHECK;

/* mq_open by the current task; @attr: NULL for the defaults.  *out: a reference. */
int mqueue_open(struct task *t, const char *name, uint32_t flags, uint32_t mode,
		const struct linux_mq_attr *attr, struct file **out) MUST_CHECK;
int mqueue_unlink(struct task *t, const char *name) MUST_CHECK;

bool file_is_mqueue(const struct file *file);

/* -ENOMEM; freed by mqueue_message_free or taken over by mqueue_send. */
int mqueue_message_new(uint64_t size, uint32_t priority, struct mq_message **out) MUST_CHECK;
void mqueue_message_free(struct mq_message *m);
char *mqueue_message_data(struct mq_message *m);
uint64_t mqueue_message_size(const struct mq_message *m);
uint32_t mqueue_message_priority(const struct mq_message *m);

/* The longest message of an open queue. */
uint64_t mqueue_message_max(struct file *file);
/*
 * @deadline: ns of CLOCK_REALTIME or DEADLINE_NONE.  The message is taken over, on failure
 * too.  -EAGAIN (O_NONBLOCK), -ETIMEDOUT, -EINTR, -ENOMEM.
 */
int mqueue_send(struct task *t, struct file *file, struct mq_message *m, uint64_t deadline) MUST_CHECK;
int mqueue_receive(struct task *t, struct file *file, uint64_t deadline,
		   struct mq_message **out) MUST_CHECK;

/* Whether mq_notify can send to @socket_file: -EINVAL, -EAGAIN. */
int mqueue_notify_check(struct file *socket_file) MUST_CHECK;
/*
 * mq_notify: @event NULL: no more.  @cookie: of SIGEV_THREAD, LINUX_MQ_COOKIE_SIZE bytes;
 * @socket_file: where it goes, else NULL.  -EBUSY; -EINVAL and -EAGAIN of the socket.
 */
int mqueue_notify(struct task *t, struct file *file, const struct linux_sigevent *event,
		  const void *cookie, struct file *socket_file) MUST_CHECK;
/* @new NULL: only asks. */
void mqueue_get_set_attr(struct file *file, const struct linux_mq_attr *new, struct linux_mq_attr *old);

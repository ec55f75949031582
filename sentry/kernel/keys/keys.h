/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and keyrings: what add_key, request_key and keyctl do for the current task.  Results are
 * serial numbers or negative errnos as Linux gives them; names and payloads are copies in sentry memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/compiler.h"

struct credentials;
struct key;
struct strbuf;
struct task;
struct thread_group;

#define KEY_TYPE_SIZE 32
#define KEY_DESCRIPTION_MAX 4096
#define KEY_PAYLOAD_MAX (1024 * 1024 - 1)

/* Life of a task's keyrings; fork's child has its parent's session, a new thread's group the process's. */
void task_keys_inherit(struct task *child, struct task *parent);
/* execve: thread and process keyring go. */
void task_keys_exec(struct task *t);
/* The thread keyring follows the user for whom files are accessed. */
void task_keys_set_cred(struct task *t, const struct credentials *cred);
void task_keys_release(struct task *t);
void thread_group_keys_release(struct thread_group *g);
/* For a process of the container: the session keyring of that name, made as runc does, for root,
 * when it is the first.  -ENOMEM. */
int task_keys_new_session(struct task *t, const char *name) MUST_CHECK;

/* @description NULL: none was given. */
int64_t key_add(struct task *t, const char *type, const char *description, const void *payload,
		size_t size, int32_t ring);
int64_t key_request(struct task *t, const char *type, const char *description, int32_t destination);

int64_t key_get_keyring_id(struct task *t, int32_t id, bool create);
/* @name NULL: a new anonymous one. */
int64_t key_join_session(struct task *t, const char *name);
int64_t key_update(struct task *t, int32_t id, const void *payload, size_t size);
int64_t key_revoke(struct task *t, int32_t id);
/* @uid, @gid as the caller sees them, -1: as it is. */
int64_t key_chown(struct task *t, int32_t id, uint32_t uid, uint32_t gid);
int64_t key_setperm(struct task *t, int32_t id, uint32_t perm);
/* Text with its NUL is appended to @out. */
int64_t key_describe(struct task *t, int32_t id, struct strbuf *out);
int64_t key_clear(struct task *t, int32_t ring);
int64_t key_link(struct task *t, int32_t id, int32_t ring);
int64_t key_unlink(struct task *t, int32_t id, int32_t ring);
int64_t key_move(struct task *t, int32_t id, int32_t from, int32_t to, bool exclusive);
int64_t key_search(struct task *t, int32_t ring, const char *type, const char *description,
		   int32_t destination);
/* The payload, malloc'ed, into *out; its size. */
int64_t key_read(struct task *t, int32_t id, void **out);
int64_t key_set_timeout(struct task *t, int32_t id, uint32_t seconds);
int64_t key_invalidate(struct task *t, int32_t id);
/* Only whether it may be seen: there are no labels. */
int64_t key_get_security(struct task *t, int32_t id);
int64_t key_get_persistent(struct task *t, uint32_t uid, int32_t destination);
int64_t key_set_request_default(struct task *t, int32_t which);

/* /proc/keys and /proc/key-users as @t sees them. */
void keys_show(struct task *t, struct strbuf *out);
void key_users_show(struct task *t, struct strbuf *out);

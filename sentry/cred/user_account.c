/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters per kernel uid.  An account exists while one of its counts is not
 * zero.  One leaf lock guards everything.
 */
#include "sentry/cred/user_account.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "util/hash.h"
#include "util/hash_table.h"
#include "util/lock.h"
#include "util/log.h"

struct user_account {
	struct hash_node node;
	uint32_t kuid;
	uint64_t counts[USER_RESOURCE_COUNT];
};

static struct mutex lock = MUTEX_INIT(LOCK_RANK_LEAF);
static struct hash_table accounts; /* protected by lock */
static bool initialised;	   /* protected by lock */

static struct user_account *find_locked(uint32_t kuid)
{
	struct hash_node *n;

	if (!initialised) {
		hash_table_init(&accounts);
		initialised = true;
	}
	hash_table_for_each_hash(n, &accounts, hash_u64(kuid)) {
		struct user_account *u = container_of(n, struct user_account, node);

		if (u->kuid == kuid)
			return u;
	}
	return NULL;
}

static struct user_account *make_locked(uint32_t kuid)
{
	struct user_account *u = find_locked(kuid);

	if (u)
		return u;
	u = calloc(1, sizeof(*u));
	if (!u)
		return NULL;
	u->kuid = kuid;
	hash_table_insert(&accounts, &u->node, hash_u64(kuid));
	return u;
}

static void drop_if_empty_locked(struct user_account *u)
{
	for (int i = 0; i < USER_RESOURCE_COUNT; i++)
		if (u->counts[i])
			return;
	hash_table_remove(&accounts, &u->node);
	free(u);
}

int user_charge_amount(uint32_t kuid, enum user_resource resource, uint64_t amount, uint64_t limit)
{
	struct user_account *u;
	int rc = 0;

	mutex_lock(&lock);
	u = make_locked(kuid);
	if (!u) {
		rc = -ENOMEM;
	} else if (amount > limit || u->counts[resource] > limit - amount) {
		rc = -EAGAIN;
		drop_if_empty_locked(u);
	} else {
		u->counts[resource] += amount;
	}
	mutex_unlock(&lock);
	return rc;
}

void user_uncharge_amount(uint32_t kuid, enum user_resource resource, uint64_t amount)
{
	struct user_account *u;

	mutex_lock(&lock);
	u = find_locked(kuid);
	ASSERT(u && u->counts[resource] >= amount);
	u->counts[resource] -= amount;
	drop_if_empty_locked(u);
	mutex_unlock(&lock);
}

int user_charge(uint32_t kuid, enum user_resource resource, uint64_t limit)
{
	return user_charge_amount(kuid, resource, 1, limit);
}

void user_uncharge(uint32_t kuid, enum user_resource resource)
{
	user_uncharge_amount(kuid, resource, 1);
}

uint64_t user_charged(uint32_t kuid, enum user_resource resource)
{
	struct user_account *u;
	uint64_t count;

	mutex_lock(&lock);
	u = find_locked(kuid);
	count = u ? u->counts[resource] : 0;
	mutex_unlock(&lock);
	return count;
}

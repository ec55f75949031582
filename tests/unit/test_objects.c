/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Message queues, keys and the newer futex calls, made by a guest on the fake platform: the order
 * of messages against a model, nets of keyrings, and every refusal of futex_waitv and its kin.
 */
#include "config.h"

#include "tests/unit/unit.h"

#include "sentry/abi/fs.h"
#include "sentry/abi/keys.h"
#include "sentry/abi/mm.h"
#include "sentry/abi/mqueue.h"
#include "sentry/fs/mqueue/mqueue.h"
#include "sentry/fs/tmpfs/tmpfs.h"
#include "sentry/ipc/ipc_namespace.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/program.h"
#include "sentry/platform/fake/fake_platform.h"
#include "sentry/syscalls/handlers.h"

#define STACK_BASE 0x10000000ULL
#define STACK_SIZE 0x20000ULL
#define AT_NAME STACK_BASE
#define AT_ATTR (STACK_BASE + 0x100)
#define AT_DATA (STACK_BASE + 0x200)
#define AT_TIME (STACK_BASE + 0x400)
#define AT_WORDS (STACK_BASE + 0x500)
#define AT_WAITERS (STACK_BASE + 0x1000)
#define NOWHERE 0x20000000ULL

static struct platform *platform;
static struct kernel *kernel;
static struct mount_namespace *mounts;
static struct fd_table *fds;
static struct file *image;
static struct context *guest;

/* --- a guest that does what the test says ------------------------------------------------ */

struct program {
	int nothing;
};

static int prepare(const struct vfs_context *ctx, struct file *file, const char *name,
		   struct string_vector *argv, struct string_vector *envv, uint64_t stack_limit,
		   struct program **out)
{
	static struct program program;

	*out = &program;
	return 0;
}

static void release(struct program *p)
{
}

static struct file *file_of(struct program *p)
{
	return image;
}

static const char *comm_of(const struct program *p)
{
	return "objects";
}

static int load(struct program *p, struct mm *mm, struct context *ctx,
		const struct program_identity *identity, uint64_t stack_limit)
{
	return mm_map_fixed(mm, ctx, STACK_BASE, STACK_SIZE, LINUX_PROT_READ | LINUX_PROT_WRITE, 0,
			    NULL, 0, NULL);
}

static int64_t dispatch(struct task *t, uint64_t nr, const uint64_t args[6])
{
	static const struct {
		uint64_t nr;
		syscall_fn fn;
	} calls[] = {
		{ 231, sys_exit_group }, { 240, sys_mq_open }, { 241, sys_mq_unlink },
		{ 242, sys_mq_timedsend }, { 243, sys_mq_timedreceive }, { 248, sys_add_key },
		{ 250, sys_keyctl }, { 449, sys_futex_waitv }, { 454, sys_futex_wake },
		{ 455, sys_futex_wait }, { 456, sys_futex_requeue },
	};
	struct syscall_args a;

	memcpy(a.v, args, sizeof(a.v));
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i].nr == nr)
			return calls[i].fn(t, &a);
	return -ENOSYS;
}

static const struct kernel_upcalls upcalls = {
	.syscall = dispatch, .program_prepare = prepare, .program_free = release,
	.program_file = file_of, .program_comm = comm_of, .program_load = load,
};

static const struct file_ops image_ops = { 0 };

static void start_guest(void)
{
	struct platform_event started = { .kind = PLATFORM_EVENT_STARTED, .regs_valid = true };
	struct credentials *cred = credentials_new_root(kernel->root_user_ns);
	struct create_process_args args = { .file = image, .cred = cred, .fds = fds,
					    .mounts = mounts, .cwd = "/",
					    .pid_ns = kernel->root_pid_ns };
	struct thread_group *g;

	for (int i = 0; i < RLIMIT_COUNT; i++)
		args.limits[i] = (struct rlimit64){ UINT64_MAX, UINT64_MAX };
	assert_int_equal(kernel_create_process(kernel, &args, &g), 0);
	credentials_put(cred);
	kernel_start_process(g);
	thread_group_put(g);
	guest = fake_platform_take_started(platform);
	assert_non_null(guest);
	assert_int_equal(fake_context_event(guest, &started), CONTEXT_RESUME);
}

static int set_up(void **state)
{
	struct kernel_config config = { .cpus = 2 };
	struct super_block *root;

	assert_int_equal(fake_platform_new(&kernel_context_ops, &platform), 0);
	config.platform = platform;
	assert_int_equal(kernel_new(&config, &kernel), 0);
	kernel_set_upcalls(&upcalls);
	assert_int_equal(vfs_init(), 0);
	assert_int_equal(ipc_init(kernel), 0);
	assert_int_equal(mqueue_init(kernel), 0);
	assert_int_equal(tmpfs_new(NULL, kernel->root_user_ns, &root), 0);
	assert_int_equal(mount_namespace_new(root, 0, kernel->root_user_ns, &mounts), 0);
	assert_int_equal(fd_table_new(&fds), 0);
	assert_int_equal(file_new_anonymous(&image_ops, "image", 0755, 0, NULL, &image), 0);
	start_guest();
	return 0;
}

#define call(nr, ...) fake_context_syscall(guest, nr, (const uint64_t[6]){ __VA_ARGS__ })

static uint64_t poke(uint64_t addr, const void *data, size_t size)
{
	assert_int_equal(address_space_write(context_address_space(guest), guest_addr(addr), data, size),
			 size);
	return addr;
}

static uint64_t text(const char *s)
{
	return poke(AT_NAME, s, strlen(s) + 1);
}

static void peek(uint64_t addr, void *data, size_t size)
{
	assert_int_equal(address_space_read(context_address_space(guest), guest_addr(addr), data, size),
			 size);
}

/* --- message queues -------------------------------------------------------------------------- */

#define MESSAGES 300

struct model {
	uint32_t priority[MESSAGES], serial[MESSAGES];
	unsigned count;
};

/* The highest priority, and of that the oldest. */
static uint32_t model_take(struct model *m, uint32_t *priority)
{
	unsigned best = 0;
	uint32_t serial;

	for (unsigned i = 1; i < m->count; i++)
		if (m->priority[i] > m->priority[best])
			best = i;
	serial = m->serial[best];
	*priority = m->priority[best];
	m->count--;
	for (unsigned i = best; i < m->count; i++) {
		m->priority[i] = m->priority[i + 1];
		m->serial[i] = m->serial[i + 1];
	}
	return serial;
}

static void receive_and_compare(uint64_t q, struct model *m)
{
	uint32_t serial, priority, expected, from;
	int64_t rc = call(243, q, AT_DATA, 8, AT_DATA + 16, 0);

	if (!m->count) {
		assert_int_equal(rc, -EAGAIN);
		return;
	}
	expected = model_take(m, &from);
	assert_int_equal(rc, 4);
	peek(AT_DATA, &serial, 4);
	peek(AT_DATA + 16, &priority, 4);
	assert_int_equal(serial, expected);
	assert_int_equal(priority, from);
}

static void send_and_note(uint64_t q, struct model *m, uint32_t serial, uint32_t priority)
{
	int64_t rc = call(242, q, poke(AT_DATA, &serial, 4), 4, priority, 0);

	assert_int_equal(rc, m->count < MESSAGES ? 0 : -EAGAIN);
	if (rc)
		return;
	m->priority[m->count] = priority;
	m->serial[m->count++] = serial;
}

static void test_message_order(void **state)
{
	const struct linux_mq_attr attr = { .maxmsg = MESSAGES, .msgsize = 8 };
	uint64_t flags = LINUX_O_CREAT | LINUX_O_RDWR | LINUX_O_NONBLOCK;
	static struct model m;
	int64_t q = call(240, text("order"), flags, 0600, poke(AT_ATTR, &attr, sizeof(attr)));

	assert_true(q >= 0);
	assert_int_equal(call(241, text("order")), 0);
	srand(20240607);
	for (uint32_t i = 0; i < 6000; i++) {
		/* waves: it is full and empty several times */
		if ((uint32_t)rand() % 100 < (i / 1000 % 2 ? 35U : 65U))
			send_and_note((uint64_t)q, &m, i, (uint32_t)rand() % 7);
		else
			receive_and_compare((uint64_t)q, &m);
	}
	while (m.count)
		receive_and_compare((uint64_t)q, &m);
	receive_and_compare((uint64_t)q, &m);
}

static void test_message_refusals(void **state)
{
	struct linux_mq_attr attr = { .maxmsg = 2, .msgsize = 8 };
	uint64_t flags = LINUX_O_CREAT | LINUX_O_RDWR | LINUX_O_NONBLOCK;
	int64_t q;

	assert_int_equal(call(240, NOWHERE, flags, 0600, 0), -EFAULT);
	assert_int_equal(call(240, text("q"), flags, 0600, NOWHERE), -EFAULT);
	attr.maxmsg = INT64_MIN;
	assert_int_equal(call(240, text("q"), flags, 0600, poke(AT_ATTR, &attr, sizeof(attr))), -EINVAL);
	attr.maxmsg = INT64_MAX;
	assert_int_equal(call(240, text("q"), flags, 0600, poke(AT_ATTR, &attr, sizeof(attr))), -EINVAL);
	attr.maxmsg = 2;
	attr.msgsize = INT64_MAX;
	assert_int_equal(call(240, text("q"), flags, 0600, poke(AT_ATTR, &attr, sizeof(attr))), -EINVAL);
	attr.msgsize = 8;
	q = call(240, text("q"), flags, 0600, poke(AT_ATTR, &attr, sizeof(attr)));
	assert_true(q >= 0);
	assert_int_equal(call(242, (uint64_t)q, AT_DATA, 9, 0, 0), -EMSGSIZE);
	assert_int_equal(call(242, (uint64_t)q, AT_DATA, UINT64_MAX, 0, 0), -EMSGSIZE);
	assert_int_equal(call(242, (uint64_t)q, AT_DATA, 8, 32768, 0), -EINVAL);
	assert_int_equal(call(242, (uint64_t)q, NOWHERE, 8, 0, 0), -EFAULT);
	assert_int_equal(call(242, (uint64_t)q, AT_DATA, 8, 32767, 0), 0);
	assert_int_equal(call(243, (uint64_t)q, AT_DATA, 7, 0, 0), -EMSGSIZE);
	/* As in Linux a message that cannot be stored is lost. */
	assert_int_equal(call(243, (uint64_t)q, NOWHERE, 8, 0, 0), -EFAULT);
	assert_int_equal(call(243, (uint64_t)q, AT_DATA, 8, 0, 0), -EAGAIN);
	assert_int_equal(call(241, text("q")), 0);
}

/* --- keys --------------------------------------------------------------------------------------- */

#define PROCESS_KEYRING ((uint64_t)(int64_t)-2)

static int64_t add_key(const char *type, const char *name, const char *payload, uint64_t ring)
{
	uint64_t data = payload ? poke(AT_DATA, payload, strlen(payload)) : 0;

	poke(AT_ATTR, type, strlen(type) + 1);
	return call(248, AT_ATTR, text(name), data, payload ? strlen(payload) : 0, ring);
}

static void test_key_nets(void **state)
{
	int64_t rings[8], key;
	char name[24], payload[8];

	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "ring-%d", i);
		rings[i] = add_key("keyring", name, NULL, i ? (uint64_t)rings[i - 1] : PROCESS_KEYRING);
		/* deeper than Linux nests is refused by the link that makes it so */
		if (rings[i] < 0)
			break;
	}
	assert_true(rings[0] > 0 && rings[1] > 0 && rings[2] > 0);
	assert_int_equal(call(250, 8 /* LINK */, (uint64_t)rings[0], (uint64_t)rings[2]), -EDEADLK);
	assert_int_equal(call(250, 8, (uint64_t)rings[1], (uint64_t)rings[1]), -EDEADLK);
	key = add_key("user", "deep", "payload", (uint64_t)rings[2]);
	assert_true(key > 0);
	poke(AT_ATTR, "user", 5);
	assert_int_equal(call(250, 10 /* SEARCH */, PROCESS_KEYRING, AT_ATTR, text("deep"), 0), key);
	assert_int_equal(call(250, 11 /* READ */, (uint64_t)key, AT_DATA, 7), 7);
	peek(AT_DATA, payload, 7);
	assert_memory_equal(payload, "payload", 7);
	assert_int_equal(call(250, 11, (uint64_t)key, NOWHERE, 7), -EFAULT);
	assert_int_equal(call(250, 11, (uint64_t)key, AT_DATA, UINT64_MAX), 7);
	assert_int_equal(call(250, 3 /* REVOKE */, (uint64_t)key), 0);
	assert_int_equal(call(250, 11, (uint64_t)key, AT_DATA, 7), -EKEYREVOKED);
	assert_int_equal(call(250, 11, 0x7fffffff, AT_DATA, 7), -ENOKEY);
}

static void test_key_sizes(void **state)
{
	poke(AT_ATTR, "user", 5);
	assert_int_equal(call(248, AT_ATTR, text("k"), AT_DATA, 1048576, PROCESS_KEYRING), -EINVAL);
	assert_int_equal(call(248, AT_ATTR, text("k"), AT_DATA, UINT64_MAX, PROCESS_KEYRING), -EINVAL);
	assert_int_equal(call(248, AT_ATTR, text("k"), AT_DATA, 32768, PROCESS_KEYRING), -EINVAL);
	assert_int_equal(call(248, AT_ATTR, text("k"), NOWHERE, 8, PROCESS_KEYRING), -EFAULT);
	assert_int_equal(call(248, NOWHERE, text("k"), AT_DATA, 8, PROCESS_KEYRING), -EFAULT);
	assert_int_equal(call(248, AT_ATTR, NOWHERE, AT_DATA, 8, PROCESS_KEYRING), -EFAULT);
}

/* --- futexes -------------------------------------------------------------------------------------- */

struct wanted {
	uint64_t value, addr;
	uint32_t flags, reserved;
};

#define SIZE_U32 2U
#define PRIVATE 128U

static int64_t waitv(struct wanted w, unsigned count, unsigned at)
{
	struct wanted all[128];
	const struct { int64_t sec, nsec; } past = { 0, 1 };

	for (unsigned i = 0; i < ARRAY_SIZE(all); i++)
		all[i] = (struct wanted){ 0, AT_WORDS, SIZE_U32 | PRIVATE, 0 };
	all[at] = w;
	poke(AT_TIME, &past, sizeof(past));
	return call(449, poke(AT_WAITERS, all, sizeof(all)), count, 0, AT_TIME, 1);
}

static void test_futex_waitv(void **state)
{
	const struct wanted good = { 0, AT_WORDS, SIZE_U32 | PRIVATE, 0 };
	const uint32_t zero = 0;
	struct wanted w;

	poke(AT_WORDS, &zero, sizeof(zero));
	assert_int_equal(waitv(good, 1, 0), -ETIMEDOUT);
	assert_int_equal(waitv(good, 128, 127), -ETIMEDOUT);
	assert_int_equal(waitv(good, 0, 0), -EINVAL);
	assert_int_equal(waitv(good, 129, 0), -EINVAL);
	for (unsigned at = 0; at < 128; at += 127) {
		w = good;
		w.value = 1;
		assert_int_equal(waitv(w, 128, at), -EAGAIN);
		w = good;
		w.reserved = 1;
		assert_int_equal(waitv(w, 128, at), -EINVAL);
		w = good;
		w.flags = 0x1000;
		assert_int_equal(waitv(w, 128, at), -EINVAL);
		w = good;
		w.addr++;
		assert_int_equal(waitv(w, 128, at), -EINVAL);
		w = good;
		w.addr = NOWHERE;
		assert_int_equal(waitv(w, 128, at), -EFAULT);
		w.addr = UINT64_MAX - 3;
		assert_int_equal(waitv(w, 128, at), -EFAULT);
	}
	assert_int_equal(call(449, AT_WAITERS, 1, 1, 0, 1), -EINVAL);
	assert_int_equal(call(449, NOWHERE, 1, 0, AT_TIME, 1), -EFAULT);
	assert_int_equal(call(449, AT_WAITERS, 1, 0, NOWHERE, 1), -EFAULT);
	assert_int_equal(call(449, AT_WAITERS, 1, 0, AT_TIME, 77), -EINVAL);
}

static void test_futex_calls(void **state)
{
	const uint32_t zero = 0;

	poke(AT_WORDS, &zero, sizeof(zero));
	assert_int_equal(call(454, AT_WORDS, UINT32_MAX, 1, SIZE_U32 | PRIVATE), 0);
	assert_int_equal(call(454, AT_WORDS, 0, 1, SIZE_U32 | PRIVATE), -EINVAL);
	assert_int_equal(call(454, AT_WORDS, 1ULL << 32, 1, SIZE_U32 | PRIVATE), -EINVAL);
	assert_int_equal(call(454, AT_WORDS, 1, 1, UINT32_MAX), -EINVAL);
	assert_int_equal(call(454, AT_WORDS + 2, 1, 1, SIZE_U32 | PRIVATE), -EINVAL);
	assert_int_equal(call(455, AT_WORDS, 1, UINT64_MAX, SIZE_U32 | PRIVATE, 0, 1), -EINVAL);
	assert_int_equal(call(455, AT_WORDS, 1, 1, SIZE_U32 | PRIVATE, 0, 1), -EAGAIN);
	assert_int_equal(call(455, NOWHERE, 1, 1, SIZE_U32 | PRIVATE, 0, 1), -EFAULT);
	assert_int_equal(call(456, NOWHERE, 0, 1, 1), -EFAULT);
	assert_int_equal(call(456, AT_WAITERS, 1, 1, 1), -EINVAL);
	assert_int_equal(call(456, AT_WAITERS, 0, UINT32_MAX, 1), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message_order), cmocka_unit_test(test_message_refusals),
		cmocka_unit_test(test_key_nets),      cmocka_unit_test(test_key_sizes),
		cmocka_unit_test(test_futex_waitv),   cmocka_unit_test(test_futex_calls),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}

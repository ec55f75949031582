/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys and keyrings: add_key, request_key and keyctl in a session keyring of the case's own.
 */
#include "conformance.h"

#include <grp.h>
#include <linux/keyctl.h>
#include <pthread.h>

#define OTHER 45678 /* a user of nobody else's */

static long add(const void *type, const void *description, const void *payload, size_t size, long ring)
{
	return syscall(SYS_add_key, type, description, payload, size, (int)ring);
}

static long request(const void *type, const void *description, const void *callout, long ring)
{
	return syscall(SYS_request_key, type, description, callout, (int)ring);
}

static long ctl(int op, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	return syscall(SYS_keyctl, op, a, b, c, d);
}

static long join(void)
{
	long ring = ctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0);

	if (ring < 0)
		skip("no session keyrings");
	return ring;
}

static void show_key(const char *label, long id)
{
	char text[512];
	long n = ctl(KEYCTL_DESCRIBE, (unsigned long)id, (unsigned long)text, sizeof(text), 0);

	show_data(label, text, n > (long)sizeof(text) ? (ssize_t)sizeof(text) : n);
}

static void show_payload(const char *label, long id)
{
	char text[512];
	long n = ctl(KEYCTL_READ, (unsigned long)id, (unsigned long)text, sizeof(text), 0);

	show_data(label, text, n > (long)sizeof(text) ? (ssize_t)sizeof(text) : n);
}

static long count_links(long ring)
{
	return ctl(KEYCTL_READ, (unsigned long)ring, 0, 0, 0) / 4;
}

CASE(keys_add)
{
	char longest[4097];
	long ring = join(), key, again;

	show_key("session", ring);
	show_ok("add", key = add("user", "conf:one", "payload", 7, KEY_SPEC_SESSION_KEYRING));
	show_key("described", key);
	show_payload("read", key);
	show_ok("update by adding", again = add("user", "conf:one", "other", 5, ring));
	show_int("same key", again == key);
	show_payload("read", key);
	show_ok("logon", key = add("logon", "conf:logon", "secret", 6, ring));
	show_key("described", key);
	show_payload("read", key);
	show_ok("keyring", key = add("keyring", "conf-ring", NULL, 0, ring));
	show_key("described", key);
	show_payload("empty", key);
	show_ok("keyring again", again = add("keyring", "conf-ring", NULL, 0, ring));
	show_int("another", again != key);
	show_int("links", count_links(ring));

	show("no type", add("nosuchtype", "d", "p", 1, ring));
	show("dot type", add(".user", "d", "p", 1, ring));
	show("empty type", add("", "d", "p", 1, ring));
	show("long type", add("tttttttttttttttttttttttttttttttt", "d", "p", 1, ring));
	show("type EFAULT", add(bad_ptr(), "d", "p", 1, ring));
	show("no description", add("user", NULL, "p", 1, ring));
	show("empty description", add("user", "", "p", 1, ring));
	show("description EFAULT", add("user", bad_ptr(), "p", 1, ring));
	memset(longest, 'd', sizeof(longest));
	longest[4096] = '\0';
	show("description 4096", add("user", longest, "p", 1, ring));
	longest[4095] = '\0';
	show_ok("description 4095", add("user", longest, "p", 1, ring));
	show("keyring with a dot", add("keyring", ".d", NULL, 0, ring));
	show_ok("user with a dot", add("user", ".d", "p", 1, ring));
	show("no payload", add("user", "d", NULL, 0, ring));
	show("payload EFAULT", add("user", "d", bad_ptr(), 1, ring));
	show("payload 1 MiB", add("user", "d", "p", 1 << 20, ring));
	show("keyring with payload", add("keyring", "d", "p", 1, ring));
	show("logon without colon", add("logon", "plain", "p", 1, ring));
	show("logon starts with it", add("logon", ":plain", "p", 1, ring));
	show("ring 0", add("user", "d", "p", 1, 0));
	show("group keyring", add("user", "d", "p", 1, KEY_SPEC_GROUP_KEYRING));
	show("ring -9", add("user", "d", "p", 1, -9));
	show("authority", add("user", "d", "p", 1, KEY_SPEC_REQKEY_AUTH_KEY));
	show("not a ring", add("user", "d", "p", 1, add("user", "x", "p", 1, ring)));
	show("no such ring", add("user", "d", "p", 1, 0x7fffffff));
}

CASE(keys_payload_sizes)
{
	char *big = calloc(1, 40000), small[4] = "....";
	long ring = join(), key = add("user", "conf:big", big, 32767, ring);

	show_ok("32767", key);
	show("32768", add("user", "conf:big2", big, 32768, ring));
	show("size", ctl(KEYCTL_READ, (unsigned long)key, 0, 0, 0));
	show("short", ctl(KEYCTL_READ, (unsigned long)key, (unsigned long)small, 4, 0));
	show_data("untouched", small, 4);
	show("EFAULT", ctl(KEYCTL_READ, (unsigned long)key, (unsigned long)bad_ptr(), 40000, 0));
	show("update", ctl(KEYCTL_UPDATE, (unsigned long)key, (unsigned long)"new", 3, 0));
	show_payload("read", key);
	show("update with nothing", ctl(KEYCTL_UPDATE, (unsigned long)key, 0, 0, 0));
	show("update too long", ctl(KEYCTL_UPDATE, (unsigned long)key, (unsigned long)big, 4097, 0));
	show("update EFAULT", ctl(KEYCTL_UPDATE, (unsigned long)key, (unsigned long)bad_ptr(), 3, 0));
	show("update a ring", ctl(KEYCTL_UPDATE, (unsigned long)ring, (unsigned long)"x", 1, 0));
	show("update none", ctl(KEYCTL_UPDATE, 0x7ffffff0, (unsigned long)"x", 1, 0));
}

CASE(keys_special_rings)
{
	static const char *const names[] = { "thread", "process", "session", "user", "user session" };

	join();
	for (int i = 1; i <= 8; i++) {
		note("id -%d", i);
		show_ok("get", ctl(KEYCTL_GET_KEYRING_ID, (unsigned long)-i, 0, 0, 0));
	}
	for (int i = 0; i < 5; i++) {
		long id = ctl(KEYCTL_GET_KEYRING_ID, (unsigned long)(-1 - i), 1, 0, 0);

		show_ok(names[i], id);
		show_key(names[i], id);
		show_int("same", id == ctl(KEYCTL_GET_KEYRING_ID, (unsigned long)(-1 - i), 0, 0, 0));
		show_int("by number", id == ctl(KEYCTL_GET_KEYRING_ID, (unsigned long)id, 0, 0, 0));
	}
	show("0", ctl(KEYCTL_GET_KEYRING_ID, 0, 1, 0, 0));
	show("-9", ctl(KEYCTL_GET_KEYRING_ID, (unsigned long)-9, 1, 0, 0));
}

CASE(keys_links)
{
	long ring = join(), a, b, key, other;

	a = MUST(add("keyring", "conf-a", NULL, 0, ring));
	b = MUST(add("keyring", "conf-b", NULL, 0, ring));
	key = MUST(add("user", "conf:k", "1", 1, a));
	show("link", ctl(KEYCTL_LINK, (unsigned long)key, (unsigned long)b, 0, 0));
	show("link again", ctl(KEYCTL_LINK, (unsigned long)key, (unsigned long)b, 0, 0));
	show_int("links", count_links(b));
	other = MUST(add("user", "conf:k", "2", 1, ring));
	show("replaces", ctl(KEYCTL_LINK, (unsigned long)other, (unsigned long)b, 0, 0));
	show_int("links", count_links(b));
	show("not there", ctl(KEYCTL_UNLINK, (unsigned long)key, (unsigned long)b, 0, 0));
	show("unlink", ctl(KEYCTL_UNLINK, (unsigned long)other, (unsigned long)b, 0, 0));
	show("a in b", ctl(KEYCTL_LINK, (unsigned long)a, (unsigned long)b, 0, 0));
	show("b in a", ctl(KEYCTL_LINK, (unsigned long)b, (unsigned long)a, 0, 0));
	show("a in a", ctl(KEYCTL_LINK, (unsigned long)a, (unsigned long)a, 0, 0));
	show("into a key", ctl(KEYCTL_LINK, (unsigned long)a, (unsigned long)key, 0, 0));
	show("unlink from a key", ctl(KEYCTL_UNLINK, (unsigned long)a, (unsigned long)key, 0, 0));
	show("no such key", ctl(KEYCTL_LINK, 0x7ffffff1, (unsigned long)a, 0, 0));
	show("no such ring", ctl(KEYCTL_LINK, (unsigned long)key, 0x7ffffff1, 0, 0));
	show("move", ctl(KEYCTL_MOVE, (unsigned long)key, (unsigned long)a, (unsigned long)b, 0));
	show_int("a", count_links(a));
	show_int("b", count_links(b));
	show("not there", ctl(KEYCTL_MOVE, (unsigned long)key, (unsigned long)a, (unsigned long)b, 0));
	show("same ring", ctl(KEYCTL_MOVE, (unsigned long)key, (unsigned long)b, (unsigned long)b, 0));
	show("exclusive", ctl(KEYCTL_MOVE, (unsigned long)key, (unsigned long)b, (unsigned long)ring, 1));
	show("flags", ctl(KEYCTL_MOVE, (unsigned long)key, (unsigned long)b, (unsigned long)ring, 2));
	show("clear", ctl(KEYCTL_CLEAR, (unsigned long)b, 0, 0, 0));
	show_int("b", count_links(b));
	show("clear a key", ctl(KEYCTL_CLEAR, (unsigned long)other, 0, 0, 0));
	show("clear none", ctl(KEYCTL_CLEAR, 0x7ffffff1, 0, 0, 0));
}

CASE(keys_depth)
{
	long rings[10], ring = join(), key;
	char name[16];

	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "deep-%d", i);
		rings[i] = add("keyring", name, NULL, 0, i ? rings[i - 1] : ring);
		show_ok(name, rings[i]);
		snprintf(name, sizeof(name), "conf:%d", i);
		key = add("user", name, "x", 1, rings[i]);
		show_ok(name, key);
		show_int("found", request("user", name, NULL, 0) == key);
	}
}

CASE(keys_search)
{
	long ring = join(), a, key, found;

	a = MUST(add("keyring", "conf-a", NULL, 0, ring));
	key = MUST(add("user", "conf:find", "1", 1, a));
	found = request("user", "conf:find", NULL, 0);
	show_int("request", found == key);
	show("no such", request("user", "conf:absent", NULL, 0));
	show("other type", request("logon", "conf:find", NULL, 0));
	show("bad type", request("nosuchtype", "conf:find", NULL, 0));
	show("dot type", request(".user", "conf:find", NULL, 0));
	show("description EFAULT", request("user", bad_ptr(), NULL, 0));
	show("null description", request("user", NULL, NULL, 0));
	show("callout EFAULT", request("user", "conf:find", bad_ptr(), 0));
	show("bad ring", request("user", "conf:find", NULL, -6));
	show_int("into session", request("user", "conf:find", NULL, KEY_SPEC_SESSION_KEYRING) == key);
	show_int("links", count_links(ring));
	found = ctl(KEYCTL_SEARCH, (unsigned long)a, (unsigned long)"user", (unsigned long)"conf:find", 0);
	show_int("search", found == key);
	show("absent", ctl(KEYCTL_SEARCH, (unsigned long)a, (unsigned long)"user", (unsigned long)"no", 0));
	show("bad type", ctl(KEYCTL_SEARCH, (unsigned long)a, (unsigned long)"zz", (unsigned long)"no", 0));
	show("in a key", ctl(KEYCTL_SEARCH, (unsigned long)key, (unsigned long)"user",
			     (unsigned long)"conf:find", 0));
	show("revoke", ctl(KEYCTL_REVOKE, (unsigned long)key, 0, 0, 0));
	show("revoke again", ctl(KEYCTL_REVOKE, (unsigned long)key, 0, 0, 0));
	show("request revoked", request("user", "conf:find", NULL, 0));
	show("search revoked", ctl(KEYCTL_SEARCH, (unsigned long)a, (unsigned long)"user",
				   (unsigned long)"conf:find", 0));
	show_payload("read revoked", key);
	show_key("describe revoked", key);
	show("unlink revoked", ctl(KEYCTL_UNLINK, (unsigned long)key, (unsigned long)a, 0, 0));
	show_ok("again", key = add("user", "conf:find", "2", 1, a));
	show("invalidate", ctl(KEYCTL_INVALIDATE, (unsigned long)key, 0, 0, 0));
	show("request invalid", request("user", "conf:find", NULL, 0));
	show("revoke a ring", ctl(KEYCTL_REVOKE, (unsigned long)a, 0, 0, 0));
	show("add to it", add("user", "conf:x", "1", 1, a));
}

CASE(keys_timeout)
{
	long ring = join(), key = MUST(add("user", "conf:t", "1", 1, ring));

	/* Whole seconds of the clock are counted: a short one may be over at once. */
	show("set", ctl(KEYCTL_SET_TIMEOUT, (unsigned long)key, 1000, 0, 0));
	show_payload("read", key);
	show("shorten", ctl(KEYCTL_SET_TIMEOUT, (unsigned long)key, 1, 0, 0));
	sleep_ms(2100);
	show_payload("expired", key);
	show("request", request("user", "conf:t", NULL, 0));
	show("no such", ctl(KEYCTL_SET_TIMEOUT, 0x7ffffff1, 1, 0, 0));
	show_ok("add anew", add("user", "conf:t2", "2", 1, ring));
}

CASE(keys_permissions)
{
	static const unsigned masks[] = { 0x3f000000, 0x01000000, 0x02000000, 0x04000000, 0x08000000,
					  0x10000000, 0x003f0000, 0x0000003f, 0x0b0b0000, 0 };
	long ring = join(), key;

	show("bad bits", ctl(KEYCTL_SETPERM, (unsigned long)ring, 0x40000000, 0, 0));
	for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
		note("permissions %08x", masks[i]);
		key = MUST(add("user", "conf:p", "p", 1, ring));
		show("setperm", ctl(KEYCTL_SETPERM, (unsigned long)key, masks[i], 0, 0));
		show_key("describe", key);
		show_payload("read", key);
		show("update", ctl(KEYCTL_UPDATE, (unsigned long)key, (unsigned long)"q", 1, 0));
		show_ok("request", request("user", "conf:p", NULL, 0));
		show("link", ctl(KEYCTL_LINK, (unsigned long)key, (unsigned long)ring, 0, 0));
		show("setperm", ctl(KEYCTL_SETPERM, (unsigned long)key, 0x3f3f0000, 0, 0));
		show("chown", ctl(KEYCTL_CHOWN, (unsigned long)key, 0, 0, 0));
		show("add", add("user", "conf:p", "r", 1, ring) == key ? 0 : -1);
		show("unlink", ctl(KEYCTL_UNLINK, (unsigned long)key, (unsigned long)ring, 0, 0));
	}
}

CASE(keys_owner)
{
	long ring = join(), key = MUST(add("user", "conf:o", "p", 1, ring));

	show("nothing", ctl(KEYCTL_CHOWN, 0x7ffffff1, (unsigned long)-1, (unsigned long)-1, 0));
	show("same user", ctl(KEYCTL_CHOWN, (unsigned long)key, 0, (unsigned long)-1, 0));
	show("another", ctl(KEYCTL_CHOWN, (unsigned long)key, OTHER, (unsigned long)-1, 0));
	show("another group", ctl(KEYCTL_CHOWN, (unsigned long)key, (unsigned long)-1, OTHER, 0));
	show_key("described", key);
	RUN_CHILD("another user")
	{
		become_user(OTHER);
		show_key("inherited session", ring);
		show_payload("read", key);
		show("revoke", ctl(KEYCTL_REVOKE, (unsigned long)key, 0, 0, 0));
		show("timeout", ctl(KEYCTL_SET_TIMEOUT, (unsigned long)key, 0, 0, 0));
		show("setperm", ctl(KEYCTL_SETPERM, (unsigned long)key, 0x3f000000, 0, 0));
		join();
		show_key("not possessed", ring);
		show_payload("read", key);
		show("update", ctl(KEYCTL_UPDATE, (unsigned long)key, (unsigned long)"q", 1, 0));
		show_ok("own", key = add("user", "conf:own", "p", 1, KEY_SPEC_USER_KEYRING));
		show_key("own", key);
		show_key("user keyring", ctl(KEYCTL_GET_KEYRING_ID, (unsigned long)-4, 0, 0, 0));
	}
}

CASE(keys_quota)
{
	long n, ring;
	char name[32], *big = calloc(1, 20000);

	RUN_CHILD("keys")
	{
		become_user(OTHER + 1);
		ring = join();
		for (n = 0; n < 300; n++) {
			snprintf(name, sizeof(name), "conf:%ld", n);
			if (add("user", name, "x", 1, ring) < 0)
				break;
		}
		show("end", -1);
		note("between %d", n > 150 && n <= 200);
	}
	RUN_CHILD("bytes")
	{
		become_user(OTHER + 2);
		ring = join();
		show("too many", add("user", "conf:b", big, 20000, ring));
		show_ok("many", add("user", "conf:b", big, 15000, ring));
		show("more", add("user", "conf:c", big, 6000, ring));
		show("grow", add("user", "conf:b", big, 19990, ring));
		show_ok("shrink", add("user", "conf:b", big, 100, ring));
		show_ok("more", add("user", "conf:c", big, 6000, ring));
	}
}

static void *thread_main(void *arg)
{
	long *ids = arg;

	ids[0] = ctl(KEYCTL_GET_KEYRING_ID, (unsigned long)-3, 0, 0, 0);
	ids[1] = ctl(KEYCTL_GET_KEYRING_ID, (unsigned long)-2, 0, 0, 0);
	ids[2] = ctl(KEYCTL_GET_KEYRING_ID, (unsigned long)-1, 0, 0, 0);
	ids[3] = ctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0);
	return NULL;
}

HELPER(keys_after_exec)
{
	(void)argc;
	show_int("session kept", ctl(KEYCTL_GET_KEYRING_ID, (unsigned long)-3, 0, 0, 0) == atol(argv[1]));
	show("process", ctl(KEYCTL_GET_KEYRING_ID, (unsigned long)-2, 0, 0, 0));
	show("thread", ctl(KEYCTL_GET_KEYRING_ID, (unsigned long)-1, 0, 0, 0));
	show_payload("found still", request("user", "conf:e", NULL, 0));
	return 0;
}

CASE(keys_inheritance)
{
	long session = join(), process = ctl(KEYCTL_GET_KEYRING_ID, (unsigned long)-2, 1, 0, 0);
	long thread = ctl(KEYCTL_GET_KEYRING_ID, (unsigned long)-1, 1, 0, 0), ids[4];
	char text[32];
	pthread_t t;

	MUST(add("user", "conf:e", "kept", 4, session));
	MUST(pthread_create(&t, NULL, thread_main, ids));
	pthread_join(t, NULL);
	show_int("thread: session", ids[0] == session);
	show_int("thread: process", ids[1] == process);
	show_int("thread: thread", ids[2] > 0 && ids[2] != thread);
	show_ok("thread: joins", ids[3]);
	show_int("ours is as it was", ctl(KEYCTL_GET_KEYRING_ID, (unsigned long)-3, 0, 0, 0) == session);
	RUN_CHILD("fork")
	{
		show_int("session", ctl(KEYCTL_GET_KEYRING_ID, (unsigned long)-3, 0, 0, 0) == session);
		show("process", ctl(KEYCTL_GET_KEYRING_ID, (unsigned long)-2, 0, 0, 0));
		show("thread", ctl(KEYCTL_GET_KEYRING_ID, (unsigned long)-1, 0, 0, 0));
		snprintf(text, sizeof(text), "%ld", session);
		ctl(KEYCTL_GET_KEYRING_ID, (unsigned long)-1, 1, 0, 0);
		ctl(KEYCTL_GET_KEYRING_ID, (unsigned long)-2, 1, 0, 0);
		execl(self_exe(), "conformance", "@keys_after_exec", text, (char *)NULL);
	}
	MUST(setresuid(-1, OTHER, -1));
	show_key("thread keyring", thread);
	show_key("process keyring", process);
	show_key("session keyring", session);
	MUST(setresuid(-1, 0, -1));
	show_key("thread keyring", thread);
}

CASE(keys_join)
{
	long a, b;

	show_ok("join", a = ctl(KEYCTL_JOIN_SESSION_KEYRING, (unsigned long)"conf-named", 0, 0, 0));
	show_key("named", a);
	RUN_CHILD("another process")
	{
		b = ctl(KEYCTL_JOIN_SESSION_KEYRING, (unsigned long)"conf-named", 0, 0, 0);
		show_int("is another", b != a && b > 0);
	}
	show("search for its owner", ctl(KEYCTL_SETPERM, (unsigned long)a, 0x3f1b0000, 0, 0));
	RUN_CHILD("another process")
	{
		join();
		b = ctl(KEYCTL_JOIN_SESSION_KEYRING, (unsigned long)"conf-named", 0, 0, 0);
		show_int("is it", b == a);
		show("once more", ctl(KEYCTL_JOIN_SESSION_KEYRING, (unsigned long)"conf-named", 0, 0, 0));
	}
	show("dot", ctl(KEYCTL_JOIN_SESSION_KEYRING, (unsigned long)".conf", 0, 0, 0));
	show("EFAULT", ctl(KEYCTL_JOIN_SESSION_KEYRING, (unsigned long)bad_ptr(), 0, 0, 0));
	show("empty", ctl(KEYCTL_JOIN_SESSION_KEYRING, (unsigned long)"", 0, 0, 0));
}

CASE(keys_other_operations)
{
	unsigned char caps[4] = { 9, 9, 9, 9 };
	long ring = join(), key = MUST(add("user", "conf:s", "p", 1, ring));
	char buf[8] = "zzzzzzz";

	show("instantiate", ctl(KEYCTL_INSTANTIATE, (unsigned long)key, (unsigned long)"p", 1, 0));
	show("instantiate much", ctl(KEYCTL_INSTANTIATE, (unsigned long)key, 0, 1 << 20, 0));
	show("negate", ctl(KEYCTL_NEGATE, (unsigned long)key, 1, 0, 0));
	show("reject 0", ctl(KEYCTL_REJECT, (unsigned long)key, 1, 0, 0));
	show("reject", ctl(KEYCTL_REJECT, (unsigned long)key, 1, ENOKEY, 0));
	show("assume", ctl(KEYCTL_ASSUME_AUTHORITY, (unsigned long)key, 0, 0, 0));
	show("assume none", ctl(KEYCTL_ASSUME_AUTHORITY, 0, 0, 0, 0));
	show("assume -1", ctl(KEYCTL_ASSUME_AUTHORITY, (unsigned long)-1, 0, 0, 0));
	show("security", ctl(KEYCTL_GET_SECURITY, (unsigned long)key, (unsigned long)buf, 8, 0));
	show_data("text", buf, 4);
	show("security of none", ctl(KEYCTL_GET_SECURITY, 0x7ffffff1, 0, 0, 0));
	for (long i = -1; i <= 8; i++)
		show("default keyring", ctl(KEYCTL_SET_REQKEY_KEYRING, (unsigned long)i, 0, 0, 0));
	show("capabilities", ctl(KEYCTL_CAPABILITIES, (unsigned long)caps, 4, 0, 0));
	show_hex("rest", (unsigned)(caps[2] | caps[3]));
	show("capabilities, 0", ctl(KEYCTL_CAPABILITIES, 0, 0, 0, 0));
	show("capabilities EFAULT", ctl(KEYCTL_CAPABILITIES, (unsigned long)bad_ptr(), 4, 0, 0));
	show("describe, size", ctl(KEYCTL_DESCRIBE, (unsigned long)key, 0, 0, 0));
	show("describe, short", ctl(KEYCTL_DESCRIBE, (unsigned long)key, (unsigned long)buf, 8, 0));
	show_data("untouched", buf, 4);
	show("describe EFAULT", ctl(KEYCTL_DESCRIBE, (unsigned long)key, (unsigned long)bad_ptr(), 99, 0));
	show("no such operation", ctl(999, 0, 0, 0, 0));
}

CASE(keys_persistent)
{
	long ring = join(), id;

	show_ok("mine", id = ctl(KEYCTL_GET_PERSISTENT, (unsigned long)-1, (unsigned long)ring, 0, 0));
	show_key("described", id);
	show_int("linked", count_links(ring));
	show_int("same", id == ctl(KEYCTL_GET_PERSISTENT, 0, (unsigned long)-3, 0, 0));
	show("no ring", ctl(KEYCTL_GET_PERSISTENT, 0, 0x7ffffff1, 0, 0));
	RUN_CHILD("another user")
	{
		become_user(OTHER);
		ring = join();
		show("root's", ctl(KEYCTL_GET_PERSISTENT, 0, (unsigned long)ring, 0, 0));
		show_ok("own", id = ctl(KEYCTL_GET_PERSISTENT, OTHER, (unsigned long)ring, 0, 0));
		show_key("described", id);
	}
}

CASE(keys_proc)
{
	long ring = join(), key = MUST(add("user", "conf:proc", "12345", 5, ring));
	char line[256], number[16];
	FILE *f;

	MUST(add("keyring", "conf-empty", NULL, 0, ring));
	MUST(ctl(KEYCTL_SET_TIMEOUT, (unsigned long)key, 7300, 0, 0));
	snprintf(number, sizeof(number), "%08lx", (unsigned long)key);
	for (int pass = 0; pass < 2; pass++) {
		f = fopen("/proc/keys", "r");
		if (!f)
			skip("no /proc/keys");
		while (fgets(line, sizeof(line), f))
			if (pass ? !strncmp(line, number, 8) : !!strstr(line, "conf-empty"))
				show_str("line", line + 8);
		fclose(f);
	}
}

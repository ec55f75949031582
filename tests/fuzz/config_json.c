/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.json: parse, validate, convert for the sentry.  The first byte of an input selects what the
 * rest is: a whole configuration, the process of `exec --process`, resources.  What passes
 * validation must convert into a blob that the sentry's decoder takes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "oci/spec.h"
#include "runtime/sandbox/boot_config_build.h"
#include "sentry/control/boot_config.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/full_config.h"
#include "util/cleanup.h"

static const struct globals globals = { .platform = "trap", .overlay = "memory", .network = "none" };
static const struct boot_extra no_extra;

/* An error is one that was given a text, of one line. */
static void check_error(int ret, struct error **err)
{
	fuzz_check(ret <= 0, "a positive result");
	fuzz_check((ret < 0) == (*err != NULL), "error and result disagree");
	if (*err)
		fuzz_check(*error_message(*err) && !strchr(error_message(*err), '\n'),
			   "an error's text is empty or has several lines");
	error_free(*err);
	*err = NULL;
}

static void convert(const struct spec *spec)
{
	struct error *err = NULL;
	struct boot_config config;
	AUTO_CLOSE int fd = -1;
	int ret = boot_config_build(&globals, spec, "fuzz", &no_extra, &fd, &err);

	/* What is valid and not supported (yet): -EINVAL with a text of its own. */
	if (ret < 0 && err && !strstr(error_message(err), "not supported"))
		fuzz_found(error_message(err));
	check_error(ret, &err);
	if (ret < 0)
		return;
	fuzz_check(boot_config_read(fd, &config) == 0, "the sentry refuses the converted configuration");
	boot_config_destroy(&config);
}

static void try_config(const char *json, size_t size)
{
	struct error *err = NULL;
	struct spec *spec = NULL;
	int ret = spec_parse(json, size, "config.json", &spec, &err);

	fuzz_check((ret == 0) == (spec != NULL), "result and specification disagree");
	check_error(ret, &err);
	if (ret < 0)
		return;
	ret = spec_validate(spec, &err);
	check_error(ret, &err);
	if (ret == 0)
		convert(spec);
	spec_free(spec);
}

static void try_process(const char *json, size_t size)
{
	struct error *err = NULL;
	struct spec_process *process = NULL;
	int ret = spec_parse_process(json, size, "process.json", &process, &err);

	check_error(ret, &err);
	if (ret < 0)
		return;
	ret = spec_validate_process(process, &err);
	check_error(ret, &err);
	if (ret == 0) {
		int fd = -1;

		ret = boot_process_build(process, &no_extra, &fd, &err);
		check_error(ret, &err);
		if (ret == 0)
			close(fd);
	}
	spec_process_free(process);
}

static void try_resources(const char *json, size_t size)
{
	struct error *err = NULL;
	struct spec_resources *resources = NULL;
	int ret = spec_parse_resources(json, size, "resources.json", &resources, &err);

	check_error(ret, &err);
	if (ret == 0)
		spec_resources_free(resources);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE char *json = NULL;

	if (size == 0 || size > FUZZ_INPUT_MAX)
		return 0;
	/* Of exactly that size, so that a sanitizer sees a read behind the end. */
	json = malloc(size);
	fuzz_check(json != NULL, "out of memory");
	memcpy(json, data + 1, size - 1);
	if (data[0] == 'p')
		try_process(json, size - 1);
	else if (data[0] == 'r')
		try_resources(json, size - 1);
	else
		try_config(json, size - 1);
	return 0;
}

/* A configuration that converts, and one that has every property. */
static const char *const texts[] = {
	"c{\"ociVersion\":\"1.0.2\",\"process\":{\"user\":{\"uid\":0,\"gid\":0,\"additionalGids\":[1,2]},"
	"\"args\":[\"sh\",\"-c\",\"true\"],\"env\":[\"PATH=/bin\",\"A=\"],\"cwd\":\"/\","
	"\"capabilities\":{\"bounding\":[\"CAP_KILL\"],\"permitted\":[\"CAP_KILL\"],\"effective\":[\"CAP_KILL\"]},"
	"\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":4096,\"soft\":1024}],"
	"\"oomScoreAdj\":-5,\"noNewPrivileges\":true},\"root\":{\"path\":\"rootfs\"},"
	"\"hostname\":\"h\",\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
	"{\"destination\":\"/d\",\"type\":\"bind\",\"source\":\"/tmp\",\"options\":[\"rbind\",\"ro\",\"rprivate\"]},"
	"{\"destination\":\"/tmp\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"mode=1777\",\"size=65536k\"]}],"
	"\"annotations\":{\"a\":\"b\"},\"linux\":{\"resources\":{\"memory\":{\"limit\":1000000},"
	"\"cpu\":{\"quota\":200000,\"period\":100000,\"shares\":10},\"pids\":{\"limit\":10}},"
	"\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"mount\"}],\"devices\":[{\"path\":\"/dev/f\",\"type\":\"c\","
	"\"major\":10,\"minor\":229,\"fileMode\":438,\"uid\":0,\"gid\":0}],\"maskedPaths\":[\"/proc/kcore\"],"
	"\"readonlyPaths\":[\"/proc/sys\"],\"rootfsPropagation\":\"rslave\"}}",
	"c" FULL_CONFIG,
	"p" FULL_PROCESS,
	"r" FULL_RESOURCES,
};

static const char *const values[] = {
	"0", "-1", "1", "true", "false", "null", "\"\"", "[]", "{}", "[[]]", "4294967295", "4294967296",
	"9223372036854775807", "-9223372036854775808", "18446744073709551615", "18446744073709551616",
	"1e400", "0.5", "\"\\u0000\"", "\"\\ud800\"", "\"/\"", "\"..\"", "[null]", "[\"\"]", "[{}]",
	"\"a/b\"", "\"\xff\"", "{\"a\":1,\"a\":2}", "1000000000000000000000000000000",
};

/* Where the value begins that the token around @at belongs to. */
static size_t value_begin(const uint8_t *text, size_t size, size_t at)
{
	while (at < size && text[at] != ':' && text[at] != '[' && text[at] != ',')
		at++;
	return at < size ? at + 1 : size;
}

static size_t value_end(const uint8_t *text, size_t size, size_t at)
{
	unsigned depth = 0;

	for (; at < size; at++) {
		if (text[at] == '[' || text[at] == '{')
			depth++;
		else if (text[at] == ']' || text[at] == '}') {
			if (depth-- == 0)
				break;
		} else if (text[at] == ',' && depth == 0) {
			break;
		}
	}
	return at;
}

/* Replaces [from, to) by @insert; the new size. */
static size_t splice(uint8_t *text, size_t size, size_t from, size_t to, const char *insert)
{
	size_t length = strlen(insert);

	if (size - (to - from) + length > FUZZ_INPUT_MAX)
		return size;
	memmove(text + from + length, text + to, size - to);
	memcpy(text + from, insert, length);
	return size - (to - from) + length;
}

static size_t change(uint8_t *text, size_t size)
{
	size_t from = value_begin(text, size, 1 + fuzz_random((uint32_t)size - 1));
	size_t to = value_end(text, size, from);

	switch (fuzz_random(4)) {
	case 0: /* a value and its name, or only one of them, disappears */
		return splice(text, size, from > 1 ? from - fuzz_random(2) : from, to, "");
	case 1:
		fuzz_flip(text + 1, size - 1, 1);
		return size;
	default:
		return splice(text, size, from, to, values[fuzz_random(ARRAY_SIZE(values))]);
	}
}

static size_t generate(uint8_t *out)
{
	const char *text = texts[fuzz_random(3) ? 0 : fuzz_random(ARRAY_SIZE(texts))];
	size_t size = strlen(text);

	memcpy(out, text, size);
	for (uint32_t n = fuzz_random(5); n && size > 2; n--)
		size = change(out, size);
	return fuzz_random(16) ? size : fuzz_random((uint32_t)size);
}

const struct fuzz_target fuzz_target = { "config_json", 20000, generate };

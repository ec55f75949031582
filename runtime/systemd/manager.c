/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of org.freedesktop.systemd1.Manager.  One that starts or stops a unit gives back a job, whose end
 * comes as a signal; no signal is looked at before the job is known.
 */
#include "runtime/systemd/manager.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/systemd/sd_bus.h"
#include "util/cleanup.h"
#include "util/log.h"
#include "util/parse.h"

#define SERVICE "org.freedesktop.systemd1"
#define OBJECT "/org/freedesktop/systemd1"
#define INTERFACE SERVICE ".Manager"
#define UNIT_EXISTS SERVICE ".UnitExists"
#define PRIVATE_ADDRESS "unix:path=/run/systemd/private"
#define MODE "replace"

#define USEC_PER_SEC 1000000ull
#define TIMEOUT_USEC (30 * USEC_PER_SEC)

struct manager {
	const struct sd_bus_library *lib;
	sd_bus *bus;
	bool direct; /* to systemd itself: there is no bus in between, and a message has no sender */
	/* The job that is waited for; NULL: none. */
	char *job;
	char *result; /* how it ended; NULL: not yet */
};

/* --- connection ------------------------------------------------------------------------------ */

static int job_removed(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct manager *m = userdata;
	const char *job, *unit, *result;
	uint32_t id;

	if (m->lib->sd_bus_message_read_basic(message, 'u', &id) < 0 ||
	    m->lib->sd_bus_message_read_basic(message, 'o', &job) < 0 ||
	    m->lib->sd_bus_message_read_basic(message, 's', &unit) < 0 ||
	    m->lib->sd_bus_message_read_basic(message, 's', &result) < 0)
		return 0;
	if (m->job && !m->result && !strcmp(job, m->job)) {
		m->result = strdup(result);
		if (!m->result)
			return -ENOMEM;
	}
	return 0;
}

/* For root alone. */
static int open_private(struct manager *m)
{
	int ret = m->lib->sd_bus_new(&m->bus);

	if (ret >= 0)
		ret = m->lib->sd_bus_set_address(m->bus, PRIVATE_ADDRESS);
	return ret < 0 ? ret : m->lib->sd_bus_start(m->bus);
}

static int connect_bus(struct manager *m, bool user)
{
	int ret = user ? m->lib->sd_bus_open_user(&m->bus) : m->lib->sd_bus_open_system(&m->bus);

	if (ret < 0 && !user && geteuid() == 0) {
		m->direct = true;
		ret = open_private(m);
		/* The half of it is freed. */
		if (ret < 0)
			m->bus = m->lib->sd_bus_flush_close_unref(m->bus);
	}
	return ret;
}

int manager_open(bool user, struct manager **out, struct error **err)
{
	AUTO_MANAGER struct manager *m = calloc(1, sizeof(*m));
	int ret;

	if (!m)
		return error_set(err, -ENOMEM, "out of memory");
	m->lib = sd_bus_library(err);
	if (!m->lib)
		return error_code(*err);
	ret = connect_bus(m, user);
	if (ret >= 0)
		ret = m->lib->sd_bus_match_signal(m->bus, NULL, m->direct ? NULL : SERVICE, OBJECT,
						  INTERFACE, "JobRemoved", job_removed, m);
	if (ret < 0)
		return error_set_errno(err, ret, "failed to connect to dbus (hint: for rootless containers, "
				       "maybe you need to install dbus-user-session package)");
	*out = move_ptr(m);
	return 0;
}

void manager_close(struct manager *m)
{
	if (!m)
		return;
	if (m->bus)
		m->lib->sd_bus_flush_close_unref(m->bus);
	free(m->job);
	free(m->result);
	free(m);
}

/* --- what it says of itself ------------------------------------------------------------------- */

int manager_owner(struct manager *m, uid_t *out, struct error **err)
{
	sd_bus_creds *creds = NULL;
	int ret = m->lib->sd_bus_get_owner_creds(m->bus, SD_BUS_CREDS_OWNER_UID | SD_BUS_CREDS_AUGMENT,
						 &creds);

	if (ret >= 0)
		ret = m->lib->sd_bus_creds_get_owner_uid(creds, out);
	m->lib->sd_bus_creds_unref(creds);
	return ret < 0 ? error_set_errno(err, ret, "owner of the bus") : 0;
}

static int get_property(struct manager *m, const char *name, char **out, struct error **err)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int ret = m->lib->sd_bus_get_property_string(m->bus, SERVICE, OBJECT, INTERFACE, name, &error, out);

	if (ret < 0)
		ret = error_set(err, ret, "systemd's property %s: %s", name,
				error.message ? error.message : strerror(-ret));
	m->lib->sd_bus_error_free(&error);
	return ret < 0 ? ret : 0;
}

int manager_cgroup(struct manager *m, char **out, struct error **err)
{
	return get_property(m, "ControlGroup", out, err);
}

/* "v252.38-1", "252" */
int manager_version(struct manager *m)
{
	AUTO_ERROR struct error *err = NULL;
	AUTO_FREE char *text = NULL;
	char *digits;
	int version = 0;

	if (get_property(m, "Version", &text, &err) < 0) {
		log_warning("unable to get systemd version: %s", error_message(err));
		return 0;
	}
	digits = text + (*text == 'v');
	digits[strspn(digits, "0123456789")] = '\0';
	if (parse_int(digits, 1, INT32_MAX, &version) < 0)
		log_warning("unable to get systemd version: \"%s\"", text);
	return version;
}

/* --- messages ---------------------------------------------------------------------------------- */

static int put_value(const struct manager *m, sd_bus_message *message, const struct value *value);

/* A container with the items; @contents: their type. */
static int put_items(const struct manager *m, sd_bus_message *message, const struct value *value,
		     const char *contents)
{
	int ret = m->lib->sd_bus_message_open_container(message, (char)value->type, contents);

	for (size_t i = 0; ret >= 0 && i < value->count; i++)
		ret = put_value(m, message, &value->items[i]);
	return ret < 0 ? ret : m->lib->sd_bus_message_close_container(message);
}

static int put_variant(const struct manager *m, sd_bus_message *message, const struct value *item)
{
	AUTO_FREE char *signature = value_signature(item);
	int ret;

	if (!signature)
		return -ENOMEM;
	ret = m->lib->sd_bus_message_open_container(message, SD_BUS_TYPE_VARIANT, signature);
	if (ret >= 0)
		ret = put_value(m, message, item);
	return ret < 0 ? ret : m->lib->sd_bus_message_close_container(message);
}

static int put_value(const struct manager *m, sd_bus_message *message, const struct value *value)
{
	const uint8_t byte = (uint8_t)value->number;
	const uint16_t half = (uint16_t)value->number;
	const uint32_t word = (uint32_t)value->number;
	const void *bytes = value->text;

	switch (value->type) {
	case VALUE_ARRAY:
		return put_items(m, message, value, value->contents);
	case VALUE_VARIANT:
		return put_variant(m, message, &value->items[0]);
	case VALUE_STRING:
	case VALUE_OBJECT_PATH:
	case VALUE_SIGNATURE:
		break;
	case VALUE_BYTE:
		bytes = &byte;
		break;
	case VALUE_INT16:
	case VALUE_UINT16:
		bytes = &half;
		break;
	case VALUE_BOOL:
	case VALUE_INT32:
	case VALUE_UINT32:
		bytes = &word;
		break;
	case VALUE_INT64:
	case VALUE_UINT64:
		bytes = &value->number;
		break;
	case VALUE_DOUBLE:
		bytes = &value->real;
		break;
	}
	return m->lib->sd_bus_message_append_basic(message, (char)value->type, bytes);
}

static int put_property(const struct manager *m, sd_bus_message *message, const struct property *property)
{
	int ret = m->lib->sd_bus_message_open_container(message, SD_BUS_TYPE_STRUCT, "sv");

	if (ret >= 0)
		ret = m->lib->sd_bus_message_append_basic(message, 's', property->name);
	if (ret >= 0)
		ret = put_variant(m, message, &property->value);
	return ret < 0 ? ret : m->lib->sd_bus_message_close_container(message);
}

static int put_properties(const struct manager *m, sd_bus_message *message,
			  const struct property_list *list)
{
	int ret = property_list_failed(list) ? -ENOMEM :
		m->lib->sd_bus_message_open_container(message, SD_BUS_TYPE_ARRAY, "(sv)");

	for (size_t i = 0; ret >= 0 && i < list->count; i++)
		ret = put_property(m, message, &list->items[i]);
	return ret < 0 ? ret : m->lib->sd_bus_message_close_container(message);
}

/* A call whose first argument is the unit; it is the caller's to free. */
static int new_call(const struct manager *m, const char *method, const char *unit, sd_bus_message **out)
{
	int ret = m->lib->sd_bus_message_new_method_call(m->bus, out, SERVICE, OBJECT, INTERFACE, method);

	return ret < 0 ? ret : m->lib->sd_bus_message_append_basic(*out, 's', unit);
}

/* Takes @message, which making had the result @ret.  @reply: NULL, or to be freed. */
static int send_call(const struct manager *m, sd_bus_message *message, int ret, sd_bus_message **reply,
		     struct error **err)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;

	if (ret >= 0)
		ret = m->lib->sd_bus_call(m->bus, message, TIMEOUT_USEC, &error, reply);
	if (ret < 0 && error.name && !strcmp(error.name, UNIT_EXISTS))
		ret = -EEXIST;
	if (ret < 0)
		ret = error.message ? error_set(err, ret, "%s", error.message)
				    : error_set_errno(err, ret, "call systemd");
	m->lib->sd_bus_error_free(&error);
	m->lib->sd_bus_message_unref(message);
	return ret < 0 ? ret : 0;
}

/* --- jobs -------------------------------------------------------------------------------------- */

static uint64_t now_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * USEC_PER_SEC + (uint64_t)now.tv_nsec / 1000;
}

/* Until the job has ended; -ETIMEDOUT. */
static int wait_job(struct manager *m)
{
	uint64_t end = now_usec() + TIMEOUT_USEC;

	while (!m->result) {
		int ret = m->lib->sd_bus_process(m->bus, NULL);
		uint64_t now = now_usec();

		if (ret < 0)
			return ret;
		if (ret > 0)
			continue;
		if (now >= end)
			return -ETIMEDOUT;
		ret = m->lib->sd_bus_wait(m->bus, end - now);
		if (ret < 0 && ret != -EINTR)
			return ret;
	}
	return 0;
}

/* Takes @message, as send_call.  Leaves how the job ended in ->result.  @what, @unit: for the error. */
static int run_job(struct manager *m, sd_bus_message *message, int ret, const char *what, const char *unit,
		   struct error **err)
{
	sd_bus_message *reply = NULL;
	const char *job;

	free(move_ptr(m->job));
	free(move_ptr(m->result));
	if (send_call(m, message, ret, &reply, err) < 0)
		return error_code(*err);
	ret = m->lib->sd_bus_message_read_basic(reply, 'o', &job);
	if (ret > 0) {
		m->job = strdup(job);
		ret = m->job ? wait_job(m) : -ENOMEM;
	} else if (ret == 0) {
		ret = -EPROTO;
	}
	m->lib->sd_bus_message_unref(reply);
	if (ret == -ETIMEDOUT)
		return error_set(err, ret, "Timeout waiting for systemd to %s %s", what, unit);
	return ret < 0 ? error_set_errno(err, ret, "wait for systemd to %s %s", what, unit) : 0;
}

static bool job_is_done(const struct manager *m)
{
	return m->result && !strcmp(m->result, "done");
}

/* A unit that failed stays until it is told that this has been seen. */
static int reset_failed(struct manager *m, const char *unit, struct error **err)
{
	sd_bus_message *message = NULL;
	int ret = new_call(m, "ResetFailedUnit", unit, &message);

	return send_call(m, message, ret, NULL, err);
}

static void reset_failed_quietly(struct manager *m, const char *unit)
{
	AUTO_ERROR struct error *err = NULL;

	if (reset_failed(m, unit, &err) < 0)
		log_debug("unable to reset failed unit %s: %s", unit, error_message(err));
}

static int start_once(struct manager *m, const char *unit, const struct property_list *properties,
		      struct error **err)
{
	sd_bus_message *message = NULL;
	int ret = new_call(m, "StartTransientUnit", unit, &message);

	if (ret >= 0)
		ret = m->lib->sd_bus_message_append_basic(message, 's', MODE);
	if (ret >= 0)
		ret = put_properties(m, message, properties);
	/* Units to be made along with it: none. */
	if (ret >= 0)
		ret = m->lib->sd_bus_message_open_container(message, SD_BUS_TYPE_ARRAY, "(sa(sv))");
	if (ret >= 0)
		ret = m->lib->sd_bus_message_close_container(message);
	return run_job(m, message, ret, "create", unit, err);
}

int manager_start_unit(struct manager *m, const char *unit, const struct property_list *properties,
		       struct error **err)
{
	struct error *first = NULL;
	int ret = start_once(m, unit, properties, &first);

	if (ret == -EEXIST) {
		error_free(first);
		first = NULL;
		reset_failed_quietly(m, unit);
		ret = start_once(m, unit, properties, &first);
	}
	if (ret == 0 && !job_is_done(m))
		ret = error_set(&first, -EIO, "error creating systemd unit `%s`: got `%s`", unit, m->result);
	if (ret < 0) {
		*err = first;
		/* Of another one, or never made: not ours to reset. */
		if (m->job)
			reset_failed_quietly(m, unit);
	}
	return ret;
}

int manager_attach(struct manager *m, const char *unit, pid_t pid, struct error **err)
{
	const uint32_t number = (uint32_t)pid;
	sd_bus_message *message = NULL;
	int ret = new_call(m, "AttachProcessesToUnit", unit, &message);

	/* Not in a cgroup below the unit's. */
	if (ret >= 0)
		ret = m->lib->sd_bus_message_append_basic(message, 's', "");
	if (ret >= 0)
		ret = m->lib->sd_bus_message_open_container(message, SD_BUS_TYPE_ARRAY, "u");
	if (ret >= 0)
		ret = m->lib->sd_bus_message_append_basic(message, 'u', &number);
	if (ret >= 0)
		ret = m->lib->sd_bus_message_close_container(message);
	return send_call(m, message, ret, NULL, err);
}

int manager_set_properties(struct manager *m, const char *unit, const struct property_list *properties,
			   struct error **err)
{
	const int runtime = true;
	sd_bus_message *message = NULL;
	int ret = new_call(m, "SetUnitProperties", unit, &message);

	if (ret >= 0)
		ret = m->lib->sd_bus_message_append_basic(message, 'b', &runtime);
	if (ret >= 0)
		ret = put_properties(m, message, properties);
	if (send_call(m, message, ret, NULL, err) < 0)
		return error_wrap(err, "unable to set unit properties");
	return 0;
}

int manager_stop_unit(struct manager *m, const char *unit, struct error **err)
{
	struct error *failed = NULL;
	sd_bus_message *message = NULL;
	int ret = new_call(m, "StopUnit", unit, &message);

	if (ret >= 0)
		ret = m->lib->sd_bus_message_append_basic(message, 's', MODE);
	ret = run_job(m, message, ret, "remove", unit, &failed);
	if (ret == 0 && !job_is_done(m))
		log_warning("error removing unit `%s`: got `%s`. Continuing...", unit, m->result);
	/* It ends by itself with its last process. */
	if (ret < 0 && !m->job) {
		log_debug("stop unit %s: %s", unit, error_message(failed));
		error_free(failed);
		failed = NULL;
		ret = 0;
	}
	reset_failed_quietly(m, unit);
	if (ret < 0)
		*err = failed;
	return ret;
}

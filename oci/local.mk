# SPDX-License-Identifier: Apache-2.0
# config.json, state and features as OCI defines them.
liboci_a_SOURCES += \
	%D%/annotation.h \
	%D%/capability.c %D%/capability.h \
	%D%/features.c %D%/features.h \
	%D%/json.c %D%/json.h \
	%D%/json_bind.c %D%/json_bind.h \
	%D%/json_unbind.c \
	%D%/json_write.c %D%/json_write.h \
	%D%/mount_option.c %D%/mount_option.h \
	%D%/name_set.h \
	%D%/namespace.c %D%/namespace.h \
	%D%/parse_linux.c \
	%D%/parse_process.c \
	%D%/parse_resources.c \
	%D%/parse_seccomp.c \
	%D%/parse_spec.c \
	%D%/rlimit.c %D%/rlimit.h \
	%D%/schedule.c %D%/schedule.h \
	%D%/spec.c %D%/spec.h %D%/spec_types.h \
	%D%/spec_default.c \
	%D%/state.c %D%/state.h \
	%D%/validate.c \
	%D%/validate_linux.c %D%/validate_linux.h \
	%D%/validate_process.c \
	%D%/validate_seccomp.c \
	%D%/validate_sysctl.c

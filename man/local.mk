# SPDX-License-Identifier: Apache-2.0
dist_man_MANS += \
	%D%/moat.8 \
	%D%/moat-checkpoint.8 \
	%D%/moat-create.8 \
	%D%/moat-debug.8 \
	%D%/moat-delete.8 \
	%D%/moat-do.8 \
	%D%/moat-events.8 \
	%D%/moat-exec.8 \
	%D%/moat-features.8 \
	%D%/moat-kill.8 \
	%D%/moat-list.8 \
	%D%/moat-list-syscalls.8 \
	%D%/moat-pause.8 \
	%D%/moat-ps.8 \
	%D%/moat-restore.8 \
	%D%/moat-resume.8 \
	%D%/moat-run.8 \
	%D%/moat-spec.8 \
	%D%/moat-start.8 \
	%D%/moat-state.8 \
	%D%/moat-update.8 \
	%D%/moat-usage.8 \
	%D%/moat-wait.8

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Replaces what could steer a terminal or split a line, in text that is not ours: by '?'. */
void sanitize_text(char *text);

/* SPDX-License-Identifier: Apache-2.0 */
/* The stub's executable inside moat. */
#pragma once

extern const unsigned char stub_image[], stub_image_end[];

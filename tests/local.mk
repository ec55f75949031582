# SPDX-License-Identifier: Apache-2.0
include tests/unit/local.mk
include tests/conformance/local.mk
include tests/integration/local.mk
include tests/attack/local.mk
include tests/bench/local.mk
include tests/cri/local.mk
include tests/fuzz/local.mk
include tests/soak/local.mk

# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += %D%/cri.bats %D%/cri_client.py %D%/cri_helpers.bash \
	%D%/streaming.py

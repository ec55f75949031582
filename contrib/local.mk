# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += %D%/check %D%/demo %D%/packages %D%/lint-hardening %D%/lint-includes %D%/static-checks %D%/cppcheck-suppressions \
	%D%/install-containerd %D%/install-docker \
	%D%/kubernetes/README.md %D%/kubernetes/moat.toml %D%/kubernetes/pod.yaml \
	%D%/kubernetes/runtimeclass.yaml
TESTS += contrib/lint-hardening contrib/lint-includes

bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = %D%/completion/moat
zshcompletiondir = $(datadir)/zsh/site-functions
dist_zshcompletion_DATA = %D%/completion/_moat

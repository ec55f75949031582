# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += %D%/check %D%/demo %D%/packages %D%/lint-includes %D%/static-checks %D%/cppcheck-suppressions
TESTS += contrib/lint-includes

bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = %D%/completion/moat
zshcompletiondir = $(datadir)/zsh/site-functions
dist_zshcompletion_DATA = %D%/completion/_moat

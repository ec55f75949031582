# SPDX-License-Identifier: Apache-2.0
docs_made = $(top_srcdir)/%D%/compatibility.md

EXTRA_DIST += %D%/architecture.md %D%/compatibility-notes.in %D%/compatibility.md \
	%D%/make-compatibility %D%/performance.md %D%/security.md %D%/status.md contrib/lint-docs
TESTS += contrib/lint-docs
noinst_DATA = $(docs_made)

# Part of the tree, hence made there, and only where it can be: a distribution has it already.  A
# failure is not one of the build; contrib/lint-docs reports it.
$(docs_made): $(top_srcdir)/%D%/make-compatibility $(top_srcdir)/%D%/compatibility-notes.in \
		$(top_srcdir)/sentry/syscalls/syscalls.def
	$(AM_V_GEN)if test -w $(top_srcdir)/%D%; then new=$@.$$$$; \
		if $(top_srcdir)/%D%/make-compatibility $(top_srcdir) >$$new; then mv $$new $@; \
		else rm -f $$new; fi; fi

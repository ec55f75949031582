# SPDX-License-Identifier: Apache-2.0
# MOAT_TRY_CFLAGS(VARIABLE, FLAGS, [MORE], [MORE], [MORE], [IF-REFUSED])
# Appends to VARIABLE each flag that the compiler takes without a warning.
# A group that must stay together is given in double quotes.
AC_DEFUN([MOAT_TRY_CFLAGS], [
for moat_flag in $2 $3 $4 $5; do
	AC_MSG_CHECKING([whether $CC takes $moat_flag])
	moat_saved_cflags=$CFLAGS
	CFLAGS="-Werror $CFLAGS $moat_flag"
	AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>]], [[puts("");]])],
		[AC_MSG_RESULT([yes]); $1="$$1 $moat_flag"; CFLAGS=$moat_saved_cflags],
		[AC_MSG_RESULT([no]); CFLAGS=$moat_saved_cflags
		$6])
done])

# MOAT_TRY_LDFLAGS(VARIABLE, FLAGS, [MORE]): the same for the linker.
AC_DEFUN([MOAT_TRY_LDFLAGS], [
for moat_flag in $2 $3; do
	AC_MSG_CHECKING([whether the linker takes $moat_flag])
	moat_saved_ldflags=$LDFLAGS
	moat_saved_cflags=$CFLAGS
	LDFLAGS="$LDFLAGS $moat_flag"
	CFLAGS="$CFLAGS -fPIE"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
		[AC_MSG_RESULT([yes]); $1="$$1 $moat_flag"], [AC_MSG_RESULT([no])])
	LDFLAGS=$moat_saved_ldflags
	CFLAGS=$moat_saved_cflags
done])

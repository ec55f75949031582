# SPDX-License-Identifier: Apache-2.0
libsentry_a_SOURCES += %D%/n_tty.h %D%/n_tty_echo.c %D%/n_tty_erase.c %D%/n_tty_erase.h \
	%D%/n_tty_read.c %D%/n_tty_receive.c %D%/pty.c %D%/pty_ioctl.c %D%/tty.h %D%/tty_file.c \
	%D%/tty_ioctl.c %D%/tty_job.c %D%/tty_open.c %D%/tty_termios.c

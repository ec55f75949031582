/* SPDX-License-Identifier: Apache-2.0 */
/* termios(3) as the kernel has it: flags, control characters, structures, ioctl requests. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LINUX_NCCS 19

/* c_cc */
#define LINUX_VINTR 0
#define LINUX_VQUIT 1
#define LINUX_VERASE 2
#define LINUX_VKILL 3
#define LINUX_VEOF 4
#define LINUX_VTIME 5
#define LINUX_VMIN 6
#define LINUX_VSWTC 7
#define LINUX_VSTART 8
#define LINUX_VSTOP 9
#define LINUX_VSUSP 10
#define LINUX_VEOL 11
#define LINUX_VREPRINT 12
#define LINUX_VDISCARD 13
#define LINUX_VWERASE 14
#define LINUX_VLNEXT 15
#define LINUX_VEOL2 16

/* c_iflag */
#define LINUX_IGNBRK 0000001U
#define LINUX_BRKINT 0000002U
#define LINUX_IGNPAR 0000004U
#define LINUX_PARMRK 0000010U
#define LINUX_INPCK 0000020U
#define LINUX_ISTRIP 0000040U
#define LINUX_INLCR 0000100U
#define LINUX_IGNCR 0000200U
#define LINUX_ICRNL 0000400U
#define LINUX_IUCLC 0001000U
#define LINUX_IXON 0002000U
#define LINUX_IXANY 0004000U
#define LINUX_IXOFF 0010000U
#define LINUX_IMAXBEL 0020000U
#define LINUX_IUTF8 0040000U

/* c_oflag */
#define LINUX_OPOST 0000001U
#define LINUX_OLCUC 0000002U
#define LINUX_ONLCR 0000004U
#define LINUX_OCRNL 0000010U
#define LINUX_ONOCR 0000020U
#define LINUX_ONLRET 0000040U
#define LINUX_TABDLY 0014000U
#define LINUX_XTABS 0014000U

/* c_cflag */
#define LINUX_CBAUD 0010017U
#define LINUX_CBAUDEX 0010000U
#define LINUX_BOTHER 0010000U
#define LINUX_B38400 0000017U
#define LINUX_CSIZE 0000060U
#define LINUX_CS8 0000060U
#define LINUX_CREAD 0000200U
#define LINUX_PARENB 0000400U
#define LINUX_CLOCAL 0004000U
#define LINUX_ADDRB 04000000000U
#define LINUX_IBSHIFT 16

/* c_lflag */
#define LINUX_ISIG 0000001U
#define LINUX_ICANON 0000002U
#define LINUX_ECHO 0000010U
#define LINUX_ECHOE 0000020U
#define LINUX_ECHOK 0000040U
#define LINUX_ECHONL 0000100U
#define LINUX_NOFLSH 0000200U
#define LINUX_TOSTOP 0000400U
#define LINUX_ECHOCTL 0001000U
#define LINUX_ECHOPRT 0002000U
#define LINUX_ECHOKE 0004000U
#define LINUX_IEXTEN 0100000U
#define LINUX_EXTPROC 0200000U

struct linux_termios2 {
	uint32_t iflag, oflag, cflag, lflag;
	uint8_t line;
	uint8_t cc[LINUX_NCCS];
	uint32_t ispeed, ospeed;
};
_Static_assert(sizeof(struct linux_termios2) == 44, "struct termios2");
/* struct termios is the same without the speeds. */
#define LINUX_TERMIOS_SIZE offsetof(struct linux_termios2, ispeed)
_Static_assert(LINUX_TERMIOS_SIZE == 36, "struct termios");

#define LINUX_NCC 8
struct linux_termio {
	uint16_t iflag, oflag, cflag, lflag;
	uint8_t line;
	uint8_t cc[LINUX_NCC];
};
_Static_assert(sizeof(struct linux_termio) == 18, "struct termio");

struct linux_winsize {
	uint16_t rows, cols, xpixel, ypixel;
};

/* requests; those that others know too are in ioctl.h */
#define LINUX_TCGETA 0x5405U
#define LINUX_TCSETA 0x5406U
#define LINUX_TCSETAW 0x5407U
#define LINUX_TCSETAF 0x5408U
#define LINUX_TCSBRK 0x5409U
#define LINUX_TCXONC 0x540aU
#define LINUX_TCFLSH 0x540bU
#define LINUX_TIOCEXCL 0x540cU
#define LINUX_TIOCNXCL 0x540dU
#define LINUX_TIOCSTI 0x5412U
#define LINUX_TIOCGSOFTCAR 0x5419U
#define LINUX_TIOCSSOFTCAR 0x541aU
#define LINUX_TIOCCONS 0x541dU
#define LINUX_TIOCPKT 0x5420U
#define LINUX_TIOCSETD 0x5423U
#define LINUX_TIOCGETD 0x5424U
#define LINUX_TCSBRKP 0x5425U
#define LINUX_TIOCSBRK 0x5427U
#define LINUX_TIOCCBRK 0x5428U
#define LINUX_TCGETS2 0x802c542aU
#define LINUX_TCSETS2 0x402c542bU
#define LINUX_TCSETSW2 0x402c542cU
#define LINUX_TCSETSF2 0x402c542dU
#define LINUX_TIOCGPTN 0x80045430U
#define LINUX_TIOCSPTLCK 0x40045431U
#define LINUX_TIOCGDEV 0x80045432U
#define LINUX_TIOCSIG 0x40045436U
#define LINUX_TIOCVHANGUP 0x5437U
#define LINUX_TIOCGPKT 0x80045438U
#define LINUX_TIOCGPTLCK 0x80045439U
#define LINUX_TIOCGEXCL 0x80045440U
#define LINUX_TIOCGPTPEER 0x5441U
#define LINUX_TIOCGLCKTRMIOS 0x5456U
#define LINUX_TIOCSLCKTRMIOS 0x5457U

#define LINUX_TCIFLUSH 0
#define LINUX_TCOFLUSH 1
#define LINUX_TCIOFLUSH 2
#define LINUX_TCOOFF 0
#define LINUX_TCOON 1
#define LINUX_TCIOFF 2
#define LINUX_TCION 3

#define LINUX_TIOCPKT_DATA 0
#define LINUX_TIOCPKT_FLUSHREAD 1
#define LINUX_TIOCPKT_FLUSHWRITE 2
#define LINUX_TIOCPKT_STOP 4
#define LINUX_TIOCPKT_START 8
#define LINUX_TIOCPKT_NOSTOP 16
#define LINUX_TIOCPKT_DOSTOP 32
#define LINUX_TIOCPKT_IOCTL 64

#define LINUX_N_TTY 0

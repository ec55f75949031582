/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pseudoterminals.  A struct pty is the pair: two struct tty, the master's and the slave's,
 * under one lock.  What is written to one end is the other end's input.
 *
 *	master write -> slave's n_tty (echo, editing, signals) -> slave read
 *	slave write -> output processing -> master's n_tty (raw) -> master read
 *
 * Input that n_tty has no room for waits in the end's backlog; a writer sees no room once that is
 * full too.  References: open files, the entry in devpts, processes whose controlling terminal it
 * is (by way of pty.terminal, whose count is the pair's).
 *
 * Signals and wake-ups are noted under the lock and carried out by pty_unlock.  Lock order:
 * devpts, tasklist, pty.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/abi/termios.h"
#include "sentry/fs/tty/n_tty.h"
#include "sentry/kernel/terminal.h"
#include "sentry/vfs/async.h"
#include "sentry/wait/wait.h"
#include "util/list.h"
#include "util/lock.h"

struct devpts;
struct file;
struct inode;
struct kernel;
struct pty;

#define TTY_BACKLOG_SIZE 8192U
#define PTY_SLAVE_MAJOR 136U

enum pty_end { PTY_MASTER, PTY_SLAVE };

struct tty {
	struct pty *pty;	 /* does not change */
	enum pty_end end;	 /* does not change */
	struct wait_queue queue;
	/* the rest: pty->lock */
	struct linux_termios2 termios;
	struct n_tty n;
	uint8_t *backlog;	 /* ring of TTY_BACKLOG_SIZE; NULL until it was needed */
	uint32_t backlog_head, backlog_size;
	uint64_t echoes_from;	 /* the other end's read_head when the input at hand came */
	bool stopped;		 /* output is held: ^S, or TCOOFF */
	bool tco_stopped;	 /* by TCOOFF: only TCOON ends it */
	bool packet;		 /* TIOCPKT */
	uint8_t packet_status;	 /* of this end, for a reader of the other in packet mode */
	bool exclusive;
	bool io_error;		 /* the end is closed */
	bool other_closed;	 /* nobody has the other end open any more */
	uint32_t open_count;
	struct list_node files;	 /* struct tty_file */
	bool wake;		 /* noted for pty_unlock */
	bool input_ready;	 /* likewise: a line or character came */
	struct async_list async; /* files with O_ASYNC; its own lock */
};

struct pty {
	struct terminal terminal; /* the slave's; its reference count is the pair's */
	struct mutex lock;	  /* LOCK_RANK_TTY */
	struct tty ends[2];
	struct linux_winsize size; /* lock */
	bool locked;		  /* TIOCSPTLCK; lock */
	bool dead;		  /* the master is closed; lock */
	bool released;		  /* both ends are; lock */
	uint32_t signals;	  /* noted for pty_unlock: bit n-1 for signal n */
	uint32_t index;		  /* does not change */
	struct devpts *devpts;	  /* where its name is; reference until released; NULL in tests */
	struct inode *inode;	  /* the slave's, reference until the master is closed; devpts' lock */
};

/* An open file of one end. */
struct tty_file {
	struct list_node node;	  /* tty->files; pty->lock */
	struct tty *tty;	  /* with a reference on the pair */
	_Atomic bool hung_up;	  /* set under pty->lock */
};

/* --- the pair: pty.c ----------------------------------------------------------------- */

/* One reference, the caller's.  Not in any devpts. */
int pty_new(uint32_t index, struct pty **out) MUST_CHECK;
void pty_get(struct pty *pty);
void pty_put(struct pty *pty);
static inline struct pty *pty_of(struct terminal *terminal)
{
	return (struct pty *)terminal;
}
static inline struct tty *tty_other(struct tty *tty)
{
	return &tty->pty->ends[tty->end == PTY_MASTER ? PTY_SLAVE : PTY_MASTER];
}

void pty_lock(struct pty *pty) NO_LOCK_ANALYSIS;
/* Then wakes and signals as noted.  Neither tasklist nor another lock may be held. */
void pty_unlock(struct pty *pty) NO_LOCK_ANALYSIS;

/* Room for output of @tty, and output: it arrives at the other end.  Returns what was taken. */
size_t tty_write_room(const struct tty *tty);
size_t tty_output(struct tty *tty, const uint8_t *bytes, size_t count);
/* Typed characters for @tty; returns what was taken. */
size_t tty_input(struct tty *tty, const uint8_t *bytes, size_t count);
/* After n_tty was read: moves what waited. */
void tty_refill(struct tty *tty);
void tty_start(struct tty *tty);
void tty_stop(struct tty *tty);
void tty_drop_backlog(struct tty *tty);
/* Drops output that has not arrived. */
void tty_flush_output(struct tty *tty);
/* Drops input; the other end hears of it in packet mode. */
void tty_flush_input(struct tty *tty);
void tty_signal(struct tty *tty, int signo);
/* A flag of @pty, read under the lock. */
bool pty_flag(struct pty *pty, const bool *flag);
void tty_packet_event(struct tty *tty, uint8_t clear, uint8_t set);

/* Opening and closing of files; take the lock.  tty_attach: the file is private_data. */
int tty_attach(struct tty *tty, struct file *file) MUST_CHECK;
void tty_detach(struct tty_file *tf);
/* vhangup: every file of the slave is dead, its session has no terminal any more. */
void pty_hangup(struct pty *pty);
void pty_set_size(struct pty *pty, const struct linux_winsize *size);

/* --- modes: tty_termios.c -------------------------------------------------------------- */

extern const struct linux_termios2 tty_default_termios;
/* Takes the lock. */
void tty_set_termios(struct tty *tty, const struct linux_termios2 *wanted);
/* What a speed in c_cflag means. */
void tty_termios_set_speeds(struct linux_termios2 *t);

/* --- files: tty_file.c, tty_open.c ------------------------------------------------------- */

extern const struct file_ops tty_file_ops;
struct tty_file *tty_file_of(struct file *file);
/* The slave of @pty for an open file that is being made. */
int pty_open_slave(struct pty *pty, struct file *file) MUST_CHECK;
/* Registers the drivers 5:0, 5:2 and 136:*; once, at boot. */
int tty_init(struct kernel *k) MUST_CHECK;
/* vhangup(2)'s second half: the current task's terminal. */
void tty_hangup_current(void);

/* --- ioctl ----------------------------------------------------------------------------------- */

struct mm;
int64_t tty_file_ioctl(struct file *file, struct mm *mm, uint32_t cmd, uint64_t arg);
/* Each: -ENOIOCTLCMD when the request is none of its own. */
#define TTY_NO_IOCTL (-515)
int64_t tty_mode_ioctl(struct tty *tty, struct mm *mm, uint32_t cmd, uint64_t arg);
int64_t tty_job_ioctl(struct file *file, struct tty *tty, struct mm *mm, uint32_t cmd, uint64_t arg);
int64_t pty_master_ioctl(struct file *file, struct tty *tty, struct mm *mm, uint32_t cmd, uint64_t arg);

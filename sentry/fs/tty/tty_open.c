/* SPDX-License-Identifier: Apache-2.0 */
/* Opening of terminals: /dev/pts/N, /dev/ptmx, and /dev/tty, which is one's own. */
#include <errno.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"
#include "sentry/fs/devpts/devpts.h"
#include "sentry/fs/tty/tty.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/device.h"
#include "sentry/vfs/file.h"

#define TTY_MAJOR 5
#define TTY_MINOR 0
#define PTMX_MINOR 2
#define SLAVE_MINORS (1U << 20)

static int open_slave(struct pty *pty, struct file *file)
{
	struct tty *slave = &pty->ends[PTY_SLAVE];
	struct task *t = task_current();
	int rc;

	pty_lock(pty);
	if (pty->dead || pty->locked)
		rc = -EIO;
	else if (slave->exclusive && t && !credentials_root_capable(t->cred, LINUX_CAP_SYS_ADMIN))
		rc = -EBUSY;
	else
		rc = tty_attach(slave, file);
	pty_unlock(pty);
	return rc;
}

int pty_open_slave(struct pty *pty, struct file *file)
{
	bool noctty = file->flags & LINUX_O_NOCTTY;
	int rc = open_slave(pty, file);

	if (!rc && !noctty && task_current())
		terminal_opened(task_current(), &pty->terminal, file->can_read);
	return rc;
}

static int open_own(struct inode *inode, struct file *file, uint32_t minor)
{
	struct terminal *own = task_current() ? terminal_of(task_current()) : NULL;
	int rc;

	if (!own)
		return -ENXIO;
	rc = open_slave(pty_of(own), file);
	terminal_put(own);
	return rc;
}

static int open_ptmx(struct inode *inode, struct file *file, uint32_t minor)
{
	return devpts_open_ptmx(inode, file);
}

static int open_node(struct inode *inode, struct file *file, uint32_t minor)
{
	return devpts_open_node(inode, file);
}

void tty_hangup_current(void)
{
	struct terminal *own = terminal_of(task_current());

	if (!own)
		return;
	pty_hangup(pty_of(own));
	terminal_put(own);
}

int tty_init(struct kernel *k)
{
	int rc = device_register(LINUX_S_IFCHR, TTY_MAJOR, TTY_MINOR, 1, "/dev/tty", open_own);

	if (!rc)
		rc = device_register(LINUX_S_IFCHR, TTY_MAJOR, PTMX_MINOR, 1, "/dev/ptmx", open_ptmx);
	if (!rc)
		rc = device_register(LINUX_S_IFCHR, PTY_SLAVE_MAJOR, 0, SLAVE_MINORS, "pts", open_node);
	return rc;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Sessions and process groups, scheduling, uname, sysinfo, unknown system calls, x86 specifics.
 */
#include "conformance.h"

#include <asm/prctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

CASE(session_basics)
{
	show_int("own group", getpgrp() == getpid());
	show("setsid as a leader", setsid());
	RUN_CHILD("child")
	{
		show_int("setsid", setsid() == getpid());
		show_int("sid", getsid(0) == getpid());
		show_int("pgrp", getpgrp() == getpid());
		show("again", setsid());
		show("setpgid of a session leader", setpgid(0, 0));
		show("getsid of the parent", getsid(getppid()) == getpid());
	}
	show("getsid missing", getsid(999999));
	show("getpgid missing", getpgid(999999));
	show("getsid negative", getsid(-1));
}

CASE(setpgid_rules)
{
	int ends[2];
	char byte;

	MUST(pipe(ends));
	pid_t pid = (pid_t)MUST(fork());
	if (pid == 0) {
		close(ends[1]);
		MUST(read(ends[0], &byte, 1));
		_exit(getpgrp() == getpid());
	}
	show("negative pid", setpgid(-1, 0));
	show("negative group", setpgid(0, -1));
	show("missing", setpgid(999999, 0));
	show("parent is no child", setpgid(getppid(), 0));
	show("a group that is not there", setpgid(pid, 999999));
	show("child", setpgid(pid, pid));
	show_int("moved", getpgid(pid) == pid);
	show("join its group", setpgid(0, pid));
	show_int("joined", getpgrp() == pid);
	show("back", setpgid(0, 0));
	MUST(write(ends[1], "x", 1));
	show_wait("child leads its group", pid);
	MUST(pipe(ends));
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		char text[16];
		snprintf(text, sizeof(text), "%d", ends[1]);
		execl(self_exe(), "x", "@waitfd", text, NULL);
		_exit(1);
	}
	close(ends[1]);
	MUST(read(ends[0], &byte, 1));
	show("after its exec", setpgid(pid, pid));
	kill(pid, SIGKILL);
	show_wait("child", pid);
}

HELPER(waitfd)
{
	if (argc < 2 || write((int)strtol(argv[1], NULL, 10), "x", 1) != 1)
		return 1;
	for (;;)
		pause();
}

static int told_fd;

static void on_hup(int sig)
{
	if (write(told_fd, sig == SIGHUP ? "h" : "?", 1) != 1)
		_exit(1);
}

CASE(orphaned_group_gets_hangup)
{
	int ends[2];
	char told[8];

	MUST(pipe(ends));
	told_fd = ends[1];
	RUN_CHILD("session leader")
	{
		MUST(setsid());
		RUN_CHILD("middle")
		{
			MUST(setpgid(0, 0));
			pid_t pid = (pid_t)MUST(fork());
			if (pid == 0) {
				signal(SIGHUP, on_hup);
				raise(SIGSTOP);
				_exit(write(ends[1], "c", 1) != 1);
			}
			int status;
			MUST(waitpid(pid, &status, WUNTRACED));
			show_status("stopped", status);
		}
		size_t have = 0;
		while (have < 2)
			have += (size_t)MUST(read(ends[0], told + have, 1));
		show_data("the stopped orphan was told and goes on", told, 2);
	}
}

CASE(priority_basics)
{
	errno = 0;
	show("get", getpriority(PRIO_PROCESS, 0));
	show("raw get", syscall(SYS_getpriority, PRIO_PROCESS, 0));
	show("nice", nice(5));
	show("raw get", syscall(SYS_getpriority, PRIO_PROCESS, 0));
	show("set", setpriority(PRIO_PROCESS, 0, 100));
	show("clamped", syscall(SYS_getpriority, PRIO_PROCESS, 0));
	show("lower without the right", setpriority(PRIO_PROCESS, 0, 0));
	show("bad which", setpriority((__priority_which_t)9, 0, 0));
	show("missing", setpriority(PRIO_PROCESS, 999999, 0));
	show("get missing", syscall(SYS_getpriority, PRIO_PROCESS, 999999));
	RUN_CHILD("inherited")
	{
		show("raw get", syscall(SYS_getpriority, PRIO_PROCESS, 0));
	}
}

CASE(sched_basics)
{
	struct sched_param param = { 0 };
	cpu_set_t set;

	show("policy", sched_getscheduler(0));
	show("param", sched_getparam(0, &param));
	show_int("priority", param.sched_priority);
	show("max fifo", sched_get_priority_max(SCHED_FIFO));
	show("min fifo", sched_get_priority_min(SCHED_FIFO));
	show("max other", sched_get_priority_max(SCHED_OTHER));
	show("max unknown", sched_get_priority_max(99));
	show("yield", sched_yield());
	show("batch", sched_setscheduler(0, SCHED_BATCH, &param));
	show("policy", sched_getscheduler(0));
	show("idle", sched_setscheduler(0, SCHED_IDLE, &param));
	param.sched_priority = 5;
	show("other with priority", sched_setscheduler(0, SCHED_OTHER, &param));
	show("unknown policy", sched_setscheduler(0, 77, &param));
	show("missing", sched_getscheduler(999999));
	show("negative", sched_getscheduler(-1));
	show("affinity", sched_getaffinity(0, sizeof(set), &set));
	show("small mask", syscall(SYS_sched_getaffinity, 0, 1, &set));
	show("odd mask", syscall(SYS_sched_getaffinity, 0, 9, &set));
	show("set the same", sched_setaffinity(0, sizeof(set), &set));
	int first = 0;
	while (!CPU_ISSET(first, &set))
		first++;
	CPU_ZERO(&set);
	show("set none", sched_setaffinity(0, sizeof(set), &set));
	CPU_SET(first, &set);
	show("set one", sched_setaffinity(0, sizeof(set), &set));
	MUST(sched_getaffinity(0, sizeof(set), &set));
	show_int("count", CPU_COUNT(&set));
	show_int("getcpu", sched_getcpu() == first);
	unsigned int cpu = 9, node = 9;
	show("raw getcpu", syscall(SYS_getcpu, &cpu, &node, NULL));
	show_int("same", cpu == (unsigned int)first);
	struct timespec interval;
	show("rr interval", sched_rr_get_interval(0, &interval));
}

CASE(uname_shape)
{
	struct utsname name;
	int major_version = 0, minor_version = 0;

	show("uname", uname(&name));
	note("%s %s %s", name.sysname, name.nodename, name.machine);
	show_int("version", sscanf(name.release, "%d.%d", &major_version, &minor_version) == 2 &&
				    major_version >= 4);
	show("bad pointer", syscall(SYS_uname, bad_ptr()));
	show("sethostname", sethostname("x", 1));
	show("setdomainname", setdomainname("x", 1));
	char host[64];
	show("gethostname", gethostname(host, sizeof(host)));
	show_str("host", host);
}

CASE(sysinfo_shape)
{
	struct sysinfo info;

	memset(&info, 0xff, sizeof(info));
	show("sysinfo", sysinfo(&info));
	show_int("uptime", info.uptime > 0);
	show_int("total", info.totalram > 0 && info.freeram <= info.totalram);
	show_int("procs", info.procs > 0);
	show_int("unit", info.mem_unit);
	show("bad pointer", syscall(SYS_sysinfo, bad_ptr()));
}

CASE(unknown_syscalls)
{
	static const long numbers[] = { 337,  380,    400,	  423, 510, 511, 600,
					1000, 0xffff, 0x7fffffff, -1,  -2,  174, 180,
					181,  183,    184,	  185, 214, 215, 236 };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		char label[32];
		snprintf(label, sizeof(label), "%ld", numbers[i]);
		show(label, syscall(numbers[i], 0, 0, 0, 0, 0, 0));
	}
}

CASE(privileged_syscalls)
{
	show("reboot", syscall(SYS_reboot, 0xfee1dead, 672274793, 0x01234567, 0));
	show("mount", syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL));
	show("umount", syscall(SYS_umount2, "/tmp", 0));
	show("pivot_root", syscall(SYS_pivot_root, "/", "/"));
	show("vhangup", syscall(SYS_vhangup));
	show("adjtimex bad pointer", syscall(SYS_adjtimex, bad_ptr()));
}

CASE(arch_prctl_basics)
{
	unsigned long fs = 0, fs_register, gs = 1;

	show("get fs", syscall(SYS_arch_prctl, ARCH_GET_FS, &fs));
	__asm__("movq %%fs:0, %0" : "=r"(fs_register));
	show_int("is the thread pointer", fs == fs_register);
	show("get gs", syscall(SYS_arch_prctl, ARCH_GET_GS, &gs));
	show_hex("gs", gs);
	static uint64_t area[4] = { 0x1122334455667788 };
	show("set gs", syscall(SYS_arch_prctl, ARCH_SET_GS, area));
	uint64_t value;
	__asm__ volatile("movq %%gs:0, %0" : "=r"(value));
	show_hex("through gs", value);
	RUN_CHILD("inherited")
	{
		__asm__ volatile("movq %%gs:0, %0" : "=r"(value));
		show_hex("through gs", value);
	}
	show("set fs to the kernel half", syscall(SYS_arch_prctl, ARCH_SET_FS, kernel_ptr()));
	show("unknown", syscall(SYS_arch_prctl, 0x9999, 0));
	show("bad pointer", syscall(SYS_arch_prctl, ARCH_GET_FS, bad_ptr()));
}

CASE(x86_instructions)
{
	uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
	char vendor[13] = "";

	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	memcpy(vendor, &ebx, 4);
	memcpy(vendor + 4, &edx, 4);
	memcpy(vendor + 8, &ecx, 4);
	show_str("cpuid vendor", vendor);
	uint64_t one = __builtin_ia32_rdtsc(), two = __builtin_ia32_rdtsc();
	show_int("rdtsc goes on", two >= one);
	uint16_t cs, ss, ds;
	__asm__("mov %%cs, %0; mov %%ss, %1; mov %%ds, %2" : "=r"(cs), "=r"(ss), "=r"(ds));
	note("cs 0x%x ss 0x%x ds 0x%x", cs, ss, ds);
}

CASE(rseq_errors)
{
	show("bad length", syscall(SYS_rseq, bad_ptr(), 1, 0, 0));
}

CASE(membarrier_basics)
{
	show("query", syscall(SYS_membarrier, 0, 0, 0) > 0);
	show("bad command", syscall(SYS_membarrier, 0x40000000, 0, 0));
}

CASE(uname_personality)
{
	struct utsname name;

	for (size_t i = 0; i < 3; i++) {
		static const unsigned long personalities[] = { 0x0008, 0x0020000, 0x0020008 };

		syscall(SYS_personality, personalities[i]);
		MUST(uname(&name));
		show_str("machine", name.machine);
		name.release[4] = '\0';
		show_int("old release", !strcmp(name.release, "2.6."));
	}
	RUN_CHILD("inherited")
	{
		MUST(uname(&name));
		show_str("machine", name.machine);
	}
}

CASE(set_tid_address_basics)
{
	int tid = 0;

	show_int("returns the tid", syscall(SYS_set_tid_address, &tid) == get_tid());
	show("get_thread_area is 32 bit", syscall(SYS_get_thread_area, &tid));
	show("personality", syscall(SYS_personality, 0xffffffff));
	show("set", syscall(SYS_personality, 0x0040000));
	show("query", syscall(SYS_personality, 0xffffffff));
}

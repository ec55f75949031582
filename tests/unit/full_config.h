/* SPDX-License-Identifier: Apache-2.0 */
/* A config.json with every property of runtime-spec 1.2, in the order and layout we write. */
#pragma once

#define FULL_MAPPINGS "[{\"containerID\":0,\"hostID\":100000,\"size\":65536}]"
#define FULL_HOOK(name)                                                                         \
	"\"" name "\":[{\"path\":\"/bin/" name "\",\"args\":[\"" name "\",\"-v\"],"             \
	"\"env\":[\"A=1\"],\"timeout\":5}]"
#define FULL_THROTTLE "[{\"major\":8,\"minor\":0,\"rate\":18446744073709551615}]"

#define FULL_PROCESS                                                                            \
	"{\"terminal\":true,\"consoleSize\":{\"height\":24,\"width\":80},"                      \
	"\"user\":{\"uid\":1,\"gid\":2,\"umask\":18,\"additionalGids\":[3,2147483647],"         \
	"\"username\":\"u\"},\"args\":[\"sh\",\"-c\",\"\"],\"env\":[\"PATH=/bin\",\"E=\"],"     \
	"\"cwd\":\"/w\",\"capabilities\":{\"bounding\":[\"CAP_KILL\",\"CAP_BPF\"],"             \
	"\"effective\":[\"CAP_CHOWN\"],\"inheritable\":[\"CAP_BPF\"],"                          \
	"\"permitted\":[\"CAP_SYSLOG\",\"CAP_CHOWN\"],\"ambient\":[\"CAP_MKNOD\"]},"            \
	"\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"hard\":18446744073709551615,\"soft\":0}],"    \
	"\"noNewPrivileges\":true,\"apparmorProfile\":\"a\",\"oomScoreAdj\":-1000,"             \
	"\"scheduler\":{\"policy\":\"SCHED_DEADLINE\",\"nice\":-20,\"priority\":1,"             \
	"\"flags\":[\"SCHED_FLAG_RECLAIM\"],\"runtime\":1,\"deadline\":2,\"period\":3},"        \
	"\"selinuxLabel\":\"s\",\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":4}," \
	"\"execCPUAffinity\":{\"initial\":\"0-1\",\"final\":\"2,3\"}}"

#define FULL_RESOURCES                                                                          \
	"{\"devices\":[{\"allow\":false,\"type\":\"c\",\"major\":1,\"minor\":3,"                \
	"\"access\":\"rwm\"}],"                                                                 \
	"\"memory\":{\"limit\":-1,\"reservation\":2,\"swap\":3,\"kernel\":4,\"kernelTCP\":5,"   \
	"\"swappiness\":60,\"disableOOMKiller\":false,\"useHierarchy\":true,"                   \
	"\"checkBeforeUpdate\":true},"                                                          \
	"\"cpu\":{\"shares\":1024,\"quota\":-1,\"burst\":1,\"period\":100000,"                  \
	"\"realtimeRuntime\":1,\"realtimePeriod\":2,\"cpus\":\"0-3\",\"mems\":\"0\",\"idle\":0},"    \
	"\"pids\":{\"limit\":100},"                                                             \
	"\"blockIO\":{\"weight\":10,\"leafWeight\":65535,"                                      \
	"\"weightDevice\":[{\"major\":8,\"minor\":0,\"weight\":1,\"leafWeight\":2}],"           \
	"\"throttleReadBpsDevice\":" FULL_THROTTLE ",\"throttleWriteBpsDevice\":" FULL_THROTTLE \
	",\"throttleReadIOPSDevice\":" FULL_THROTTLE                                            \
	",\"throttleWriteIOPSDevice\":" FULL_THROTTLE "},"                                      \
	"\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":9}],"                              \
	"\"network\":{\"classID\":1048577,\"priorities\":[{\"name\":\"eth0\",\"priority\":0}]}," \
	"\"rdma\":{\"mlx5_0\":{\"hcaHandles\":3,\"hcaObjects\":4},\"mlx5_1\":{}},"              \
	"\"unified\":{\"memory.high\":\"1\"}}"

#define FULL_LINUX                                                                              \
	"{\"uidMappings\":" FULL_MAPPINGS ",\"gidMappings\":" FULL_MAPPINGS                     \
	",\"sysctl\":{\"kernel.shmmax\":\"1\",\"net.core.somaxconn\":\"2\"},"                   \
	"\"resources\":" FULL_RESOURCES ",\"cgroupsPath\":\"/moat/x\","                         \
	"\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"network\",\"path\":\"/run/ns\"},"       \
	"{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":\"mount\"},{\"type\":\"user\"},"       \
	"{\"type\":\"cgroup\"},{\"type\":\"time\"}],"                                           \
	"\"devices\":[{\"path\":\"/dev/fuse\",\"type\":\"c\",\"major\":10,\"minor\":229,"       \
	"\"fileMode\":438,\"uid\":0,\"gid\":0}],"                                               \
	"\"netDevices\":{\"eth1\":{\"name\":\"ext\"}},"                                         \
	"\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,"             \
	"\"architectures\":[\"SCMP_ARCH_X86_64\"],"                                             \
	"\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\"],\"listenerPath\":\"/run/l\","                  \
	"\"listenerMetadata\":\"m\",\"syscalls\":[{\"names\":[\"read\",\"no_such_call\"],"      \
	"\"action\":\"SCMP_ACT_ALLOW\",\"errnoRet\":1,\"args\":[{\"index\":5,\"value\":0,"      \
	"\"valueTwo\":7,\"op\":\"SCMP_CMP_MASKED_EQ\"}]}]},"                                    \
	"\"rootfsPropagation\":\"rslave\",\"maskedPaths\":[\"/proc/kcore\"],"                   \
	"\"readonlyPaths\":[\"/proc/sys\"],\"mountLabel\":\"l\","                               \
	"\"intelRdt\":{\"closID\":\"c\",\"l3CacheSchema\":\"L3:0=f\",\"memBwSchema\":\"MB:0=1\"," \
	"\"enableCMT\":true,\"enableMBM\":true},"                                               \
	"\"personality\":{\"domain\":\"LINUX32\",\"flags\":[\"f\"]},"                           \
	"\"timeOffsets\":{\"boottime\":{\"secs\":-5,\"nanosecs\":6},\"monotonic\":{\"secs\":7}}}"

#define FULL_CONFIG                                                                             \
	"{\"ociVersion\":\"1.2.0\",\"process\":" FULL_PROCESS                                   \
	",\"root\":{\"path\":\"rootfs\",\"readonly\":true},\"hostname\":\"h\","                 \
	"\"domainname\":\"d\",\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\","        \
	"\"source\":\"proc\",\"options\":[\"ro\"],\"uidMappings\":" FULL_MAPPINGS               \
	",\"gidMappings\":" FULL_MAPPINGS "}],"                                                 \
	"\"hooks\":{" FULL_HOOK("prestart") "," FULL_HOOK("createRuntime") ","                  \
	FULL_HOOK("createContainer") "," FULL_HOOK("startContainer") ","                        \
	FULL_HOOK("poststart") "," FULL_HOOK("poststop") "},"                                   \
	"\"annotations\":{\"a.b/c\":\"1\",\"z\":\"\"},\"linux\":" FULL_LINUX "}"

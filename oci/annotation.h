/* SPDX-License-Identifier: Apache-2.0 */
/* The annotations of config.json that change what is done; `features` lists them. */
#pragma once

/* What a container is in its pod, and which container is the pod's first: in containerd's words and in CRI-O's. */
#define ANNOTATION_CRI_TYPE "io.kubernetes.cri.container-type"
#define ANNOTATION_CRI_SANDBOX "io.kubernetes.cri.sandbox-id"
#define ANNOTATION_CRIO_TYPE "io.kubernetes.cri-o.ContainerType"
#define ANNOTATION_CRIO_SANDBOX "io.kubernetes.cri-o.SandboxID"

/* Followed by the name of a property of the container's unit. */
#define ANNOTATION_SYSTEMD_PREFIX "org.systemd.property."

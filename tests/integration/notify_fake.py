#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# A service manager's NOTIFY_SOCKET: notify_fake.py SOCKET LOG writes a line for each datagram that comes
# and how many descriptors came with it, which it closes.  A SOCKET that begins with @ is an abstract name.
import os
import socket
import sys

path, log = sys.argv[1:]
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind("\0" + path[1:] if path[0] == "@" else path)
with open(log, "w", buffering=1) as out:
    out.write("listening\n")
    while True:
        data, fds, _, _ = socket.recv_fds(server, 65536, 8)
        out.write(f"{data.decode()!r} {len(fds)}\n")
        for fd in fds:
            os.close(fd)

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
A small client of containerd's CRI socket, and what it does with a pod.

cri_client.py SOCKET HANDLER DIRECTORY: runs pods of the runtime HANDLER, with logs and a volume below
DIRECTORY, and prints what it sees, which has to be the same whatever the runtime is.

The messages are written here field by field: a number, and what is in it.  Protobuf on the wire is a
list of (number << 3 | kind) and a value; strings, bytes and messages (kind 2) have a length in front,
numbers (kind 0) are in groups of seven bits.
"""
import os
import sys
import time

import grpc

import streaming


def number(value):
    value &= (1 << 64) - 1
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def message(fields):
    """fields: [(number, value)]; a value is a number, text, bytes, a message, a list or a map of texts."""
    out = b""
    for key, value in fields:
        if isinstance(value, dict):
            for k, v in value.items():
                out += message([(key, message([(1, k), (2, v)]))])
        elif isinstance(value, (list, tuple)):
            for v in value:
                out += message([(key, v)])
        elif isinstance(value, int):
            out += number(key << 3) + number(value)
        else:
            data = value.encode() if isinstance(value, str) else value
            out += number(key << 3 | 2) + number(len(data)) + data
    return out


def parse(data):
    """{number: last value}"""
    out, at = {}, 0

    def read():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = read()
        if key & 7 == 0:
            value = read()
        elif key & 7 == 2:
            size = read()
            value = data[at:at + size]
            at += size
        else:
            size = 8 if key & 7 == 1 else 4
            value = data[at:at + size]
            at += size
        out[key >> 3] = value
    return out


IMAGE = message([(1, "localhost/moat-test-box:1")])
NAMESPACE_POD, NAMESPACE_CONTAINER, NAMESPACE_NODE, NAMESPACE_TARGET = range(4)
PORT = 17780
STATES = ["created", "running", "exited", "unknown"]


class Runtime:
    def __init__(self, socket, handler, directory):
        self.channel = grpc.insecure_channel("unix://" + socket)
        self.handler, self.directory = handler, directory

    def call(self, method, fields):
        f = self.channel.unary_unary("/runtime.v1.RuntimeService/" + method, lambda m: m, parse)
        return f(message(fields), timeout=60)

    def stream(self, method, fields, query=""):
        url = self.call(method, fields)[1].decode()
        return streaming.Stream(url + ("?" + query if query else ""))

    def pod(self, name, pid=NAMESPACE_CONTAINER):
        namespaces = message([(1, NAMESPACE_NODE), (2, pid), (3, NAMESPACE_POD)])
        linux = message([(1, "/moat-cri-test"), (2, message([(1, namespaces)]))])
        metadata = message([(1, name), (2, name + self.handler), (3, "test")])
        config = message([(1, metadata), (3, self.directory), (8, linux)])
        pod = self.call("RunPodSandbox", [(1, config), (2, self.handler)])[1].decode()
        return Pod(self, pod, config, pid)


class Pod:
    def __init__(self, runtime, pod, config, pid):
        self.runtime, self.id, self.config, self.pid = runtime, pod, config, pid

    def container(self, name, script, attempt=0, memory=0, target=None, more=()):
        r = self.runtime
        namespaces = [(1, NAMESPACE_NODE), (2, NAMESPACE_TARGET if target else self.pid)]
        if target:
            namespaces.append((4, target.id))
        linux = message([(1, message([(4, memory)])), (2, message([(3, message(namespaces))]))])
        volume = message([(1, "/volume"), (2, os.path.join(r.directory, "volume"))])
        config = message([(1, message([(1, name), (2, attempt)])), (2, IMAGE),
                          (3, ["/bin/sh", "-c", script]), (7, volume),
                          (11, "%s-%d.log" % (name, attempt)), (15, linux), *more])
        made = r.call("CreateContainer", [(1, self.id), (2, config), (3, self.config)])[1].decode()
        c = Container(r, made, name, attempt)
        r.call("StartContainer", [(1, made)])
        return c

    def forward(self, port):
        return self.runtime.stream("PortForward", [(1, self.id), (2, port)], "port=%d" % port)

    def remove(self):
        self.runtime.call("StopPodSandbox", [(1, self.id)])
        self.runtime.call("RemovePodSandbox", [(1, self.id)])


class Container:
    def __init__(self, runtime, container, name, attempt):
        self.runtime, self.id, self.name, self.attempt = runtime, container, name, attempt

    def exec(self, script):
        answer = self.runtime.call("ExecSync", [(1, self.id), (2, ["/bin/sh", "-c", script]), (3, 30)])
        return answer.get(1, b"").decode().strip(), answer.get(3, 0)

    def exec_stream(self, script, stdin=0, tty=0):
        return self.runtime.stream("Exec", [(1, self.id), (2, ["/bin/sh", "-c", script]), (3, tty), (4, stdin),
                                            (5, 1), (6, 1 - tty)])

    def attach(self, tty=0):
        return self.runtime.stream("Attach", [(1, self.id), (2, 1), (3, tty), (4, 1), (5, 1 - tty)])

    def status(self):
        s = parse(self.runtime.call("ContainerStatus", [(1, self.id)])[1])
        return STATES[s.get(3, 0)], s.get(7, 0)

    def wait(self):
        for _ in range(400):
            if self.status()[0] == "exited":
                break
            time.sleep(0.05)
        return self.status()

    def stats(self):
        s = parse(self.runtime.call("ContainerStats", [(1, self.id)])[1])
        cpu = parse(parse(s[2]).get(2, b"")).get(1, 0)
        memory = parse(parse(s[3]).get(2, b"")).get(1, 0)
        return cpu, memory

    def log(self):
        path = os.path.join(self.runtime.directory, "%s-%d.log" % (self.name, self.attempt))
        with open(path) as lines:
            return [line.split(" ", 3)[3].strip() for line in lines]

    def stop(self):
        self.runtime.call("StopContainer", [(1, self.id), (2, 0)])

    def remove(self):
        self.runtime.call("RemoveContainer", [(1, self.id)])


def show(what, value):
    print("%s: %s" % (what, value), flush=True)


def three_containers(runtime):
    pod = runtime.pod("three")
    a = pod.container("a", "echo started; exec sleep 1000")
    b = pod.container("b", "while ! [ -e /volume/end ]; do sleep 0.05; done; exit 7")
    c = pod.container("c", "i=0; while :; do i=$((i + 1)); done", memory=50 << 20)
    for each in a, b, c:
        show("exec in " + each.name, each.exec("echo hello from $0; ls /volume; exit 3"))
        show("processes of " + each.name, each.exec("ls -d /proc/[0-9]* | wc -l | tr -d ' ' | "
                                                    "grep -q '^[3-9]$' && echo few"))
    show("one root for each", (a.exec("touch /mine"), b.exec("ls /mine >/dev/null 2>&1"))[1])
    a.exec("echo text of a >/volume/file")
    show("shared volume", c.exec("cat /volume/file"))
    show("limit", c.exec("cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes "
                         "2>/dev/null"))
    time.sleep(0.5)
    cpu, memory = c.stats()
    show("statistics", (cpu > 50_000_000, 0 < memory < 50 << 20))
    show("log", a.log())
    a.exec("touch /volume/end")
    show("b has ended", b.wait())
    again = pod.container("b", "exec sleep 1000", attempt=1)
    show("b again", (again.status(), again.exec("echo works")))
    os.unlink(os.path.join(runtime.directory, "volume/end"))
    a.runtime.call("ReopenContainerLog", [(1, a.id)])
    a.stop()
    show("a was stopped", a.wait())
    show("others", (c.status(), again.status()))
    for each in a, b:
        each.remove()
    pod.remove()


def shared_processes(runtime):
    pod = runtime.pod("shared", NAMESPACE_POD)
    a = pod.container("a", "exec sleep 4321")
    b = pod.container("b", "exec sleep 1000")
    seen = "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c 'sleep 432[1]'"
    show("b sees a", b.exec(seen))
    show("b kills a", b.exec("for p in /proc/[0-9]*; do grep -qs 432[1] $p/cmdline && "
                             "kill -9 ${p#/proc/}; done; :"))
    show("a was killed", a.wait())
    show("b goes on", b.status())
    pod.remove()


def debug_container(runtime):
    pod = runtime.pod("debug")
    a = pod.container("a", "exec sleep 4321")
    b = pod.container("b", "exec sleep 1000")
    seen = "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c 'sleep 432[1]'"
    show("b does not see a", b.exec(seen))
    debug = pod.container("debug", "exec sleep 1001", target=a)
    show("a debugger of a does", debug.exec(seen))
    pod.remove()


STDIN, TTY = [(12, 1)], [(12, 1), (14, 1)]


def streams(runtime):
    pod = runtime.pod("streams")
    a = pod.container("a", "while read line; do echo got $line; echo err >&2; [ $line = end ] && exit 4; done; exit 5",
                      more=STDIN)
    b = pod.container("b", "stty size; while read line; do stty size; echo got $line; done; exit 6", more=TTY)
    show("exec", streaming.outcome(a.exec_stream("echo out; echo err >&2; exit 3").rest()))
    s = a.exec_stream("cat; echo done", stdin=1)
    s.send(streaming.STDIN, b"first\n")
    show("exec with input", s.until(b"first"))
    s.close()
    s = a.exec_stream("stty size; read x; stty size; tty", stdin=1, tty=1)
    s.until(b"\n")
    s.send(streaming.RESIZE, b'{"Width": 101, "Height": 33}')
    time.sleep(0.5)
    s.send(streaming.STDIN, b"x\n")
    show("exec with a terminal", s.until(b"/dev/pts/").split()[1:4])
    s.close()
    s = a.attach()
    s.send(streaming.STDIN, b"one\n")
    show("attached", s.until(b"got one\n"))
    other = a.attach()
    time.sleep(0.5)
    s.send(streaming.STDIN, b"two\n")
    show("attached twice", (s.until(b"got two\n"), other.until(b"got two\n")))
    other.close()
    s.send(streaming.STDIN, b"end\n")
    s.until(b"got end\n")
    show("its end", a.wait())
    s = b.attach(tty=1)
    s.send(streaming.RESIZE, b'{"Width": 77, "Height": 22}')
    time.sleep(0.5)
    s.send(streaming.STDIN, b"line\n")
    show("attached to a terminal", s.until(b"got line").split()[-4:])
    s.send(streaming.STDIN, b"\x04")
    show("end of file", b.wait())
    pod.remove()


def forwarded_port(runtime):
    pod = runtime.pod("forward")
    c = pod.container("c", "mkdir /www; seq 5000 >/www/numbers; exec httpd -f -h /www -p 127.0.0.1:%d" % PORT)
    for _ in range(100):
        if c.exec("netstat -ltn | grep -c 127.0.0.1:%d" % PORT)[0] == "1":
            break
        time.sleep(0.05)
    for path in b"/numbers", b"/none":
        s = pod.forward(PORT)
        s.send(0, b"GET " + path + b" HTTP/1.0\r\n\r\n")
        got = s.rest()
        show("forwarded", (got[0][:2] == PORT.to_bytes(2, "little"), got[0].split(b"\r\n")[0][2:],
                           len(got[0].split(b"\r\n\r\n")[1]), got.get(1, b"")[2:]))
    pod.remove()


def main():
    runtime = Runtime(*sys.argv[1:])
    os.makedirs(os.path.join(runtime.directory, "volume"), exist_ok=True)
    three_containers(runtime)
    shared_processes(runtime)
    debug_container(runtime)
    streams(runtime)
    forwarded_port(runtime)


main()

# SPDX-License-Identifier: Apache-2.0
"""
The streams that containerd's CRI plugin serves over HTTP: a WebSocket (RFC 6455) whose messages begin
with the number of a channel.  For exec and attach 0 to 2 are the standard streams, 3 says at the end how
it went, 4 is the terminal's size; for a forwarded port 0 is its data and 1 its errors, and each begins
with the port's number.
"""
import base64
import json
import os
import socket
import struct
import urllib.parse

STDIN, STDOUT, STDERR, STATUS, RESIZE = range(5)
CONTINUED, TEXT, BINARY, CLOSE, PING = 0, 1, 2, 8, 9


class Stream:
    def __init__(self, url):
        at = urllib.parse.urlsplit(url)
        self.socket = socket.create_connection((at.hostname, at.port), timeout=30)
        self.pending = b""
        key = base64.b64encode(os.urandom(16)).decode()
        target = at.path + ("?" + at.query if at.query else "")
        self.socket.sendall(("GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\nOrigin: http://%s\r\n"
                             "Sec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n"
                             % (target, at.netloc, key, at.netloc)).encode())
        while b"\r\n\r\n" not in self.pending:
            self.receive()
        head, self.pending = self.pending.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(head.decode())

    def receive(self):
        data = self.socket.recv(65536)
        if not data:
            raise EOFError
        self.pending += data

    def take(self, size):
        while len(self.pending) < size:
            self.receive()
        data, self.pending = self.pending[:size], self.pending[size:]
        return data

    def send(self, channel, data):
        data = bytes([channel]) + data
        mask = os.urandom(4)
        size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack("!H", len(data))
        self.socket.sendall(bytes([0x80 | BINARY]) + size + mask +
                            bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def frame(self):
        """(channel, data), or None at the end."""
        while True:
            try:
                first, size = self.take(2)
                if size == 126:
                    size, = struct.unpack("!H", self.take(2))
                elif size == 127:
                    size, = struct.unpack("!Q", self.take(8))
                data = self.take(size)
            except (EOFError, ConnectionResetError):
                return None
            if first & 15 == CLOSE:
                return None
            if first & 15 in (CONTINUED, TEXT, BINARY) and data:
                return data[0], data[1:]

    def until(self, text, channel=STDOUT):
        """Reads on until @text has come by the channel; what came by it."""
        seen = b""
        while text not in seen:
            frame = self.frame()
            if frame is None:
                raise EOFError(seen)
            if frame[0] == channel:
                seen += frame[1]
        return seen

    def rest(self):
        """{channel: all that comes until the end}"""
        out = {}
        while True:
            frame = self.frame()
            if frame is None:
                return out
            out[frame[0]] = out.get(frame[0], b"") + frame[1]

    def close(self):
        self.socket.close()


def outcome(channels):
    """Standard output, errors and the status that channel 3 gave."""
    status = json.loads(channels.get(STATUS, b"{}") or b"{}")
    causes = status.get("details", {}).get("causes", [])
    return (channels.get(STDOUT, b"").decode(), channels.get(STDERR, b"").decode(),
            status.get("status"), [c["message"] for c in causes if c.get("reason") == "ExitCode"])

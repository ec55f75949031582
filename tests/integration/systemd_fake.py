#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
#
# A stand-in for systemd on a bus of its own: the calls of org.freedesktop.systemd1.Manager that runtimes make.
# It checks what it is given as systemd does, makes the cgroups, moves the processes, sets limits, and takes a
# scope away when its last process has gone.
#	systemd_fake.py --bus ADDRESS --log FILE [--version TEXT] [--control-group PATH] [--owner UID] [--job RESULT]
#			[--leftover UNIT] [--busy UNIT] [--private PATH]
# The log has one call a line, as JSON.  "ready" on standard output says that calls are answered.
import argparse
import json
import os
import re
import signal

import dbus
import dbus.mainloop.glib
import dbus.server
import dbus.service
from gi.repository import GLib

SERVICE = "org.freedesktop.systemd1"
OBJECT = "/org/freedesktop/systemd1"
MANAGER = SERVICE + ".Manager"
UNLIMITED = 2**64 - 1
POLL_MS = 20

# What a transient scope may be given, of what runtimes give it.
SCOPE_PROPERTIES = {
    "Description": "s", "Slice": "s", "PIDs": "au", "Delegate": "b", "DefaultDependencies": "b",
    "MemoryAccounting": "b", "CPUAccounting": "b", "IOAccounting": "b", "BlockIOAccounting": "b",
    "TasksAccounting": "b", "CollectMode": "s", "TimeoutStopUSec": "t", "RuntimeMaxUSec": "t",
    "After": "as", "Before": "as", "Wants": "as", "KillSignal": "i", "SendSIGHUP": "b",
}
LIMITS = {
    "MemoryLimit": "t", "MemoryMax": "t", "MemoryLow": "t", "MemoryMin": "t", "MemoryHigh": "t",
    "MemorySwapMax": "t", "CPUShares": "t", "CPUWeight": "t", "CPUQuotaPerSecUSec": "t",
    "CPUQuotaPeriodUSec": "t", "BlockIOWeight": "t", "TasksMax": "t", "AllowedCPUs": "ay",
    "AllowedMemoryNodes": "ay", "DevicePolicy": "s", "DeviceAllow": "a(ss)",
}
# A slice holds no processes.
SLICE_PROPERTIES = {k: v for k, v in SCOPE_PROPERTIES.items() if k not in ("PIDs", "Slice", "Delegate")}

# Values outside of these systemd refuses.
RANGES = {"CPUShares": (2, 262144), "CPUWeight": (1, 10000), "BlockIOWeight": (10, 1000),
          "TasksMax": (1, UNLIMITED), "MemoryLimit": (1, UNLIMITED), "MemoryMax": (1, UNLIMITED),
          "CPUQuotaPeriodUSec": (1, UNLIMITED), "CPUQuotaPerSecUSec": (1, UNLIMITED)}

V1_CONTROLLERS = ("cpu", "cpuacct", "memory", "blkio", "devices", "pids")


class Refused(dbus.DBusException):
    def __init__(self, name, text):
        super().__init__(text)
        self._dbus_error_name = name


def invalid(text):
    return Refused("org.freedesktop.DBus.Error.InvalidArgs", text)


def signature(value):
    if isinstance(value, dbus.Array):
        return "a" + str(value.signature)
    for kind, code in ((dbus.Boolean, "b"), (dbus.Byte, "y"), (dbus.Int16, "n"), (dbus.UInt16, "q"),
                       (dbus.Int32, "i"), (dbus.UInt32, "u"), (dbus.Int64, "x"), (dbus.UInt64, "t"),
                       (dbus.Double, "d"), (dbus.ObjectPath, "o"), (dbus.Signature, "g"),
                       (dbus.String, "s")):
        if isinstance(value, kind):
            return code
    return type(value).__name__


def plain(value):
    if isinstance(value, dbus.Boolean):
        return bool(value)
    if isinstance(value, (dbus.Array, dbus.Struct)):
        return [plain(item) for item in value]
    if isinstance(value, dbus.Double):
        return float(value)
    return int(value) if isinstance(value, int) else str(value)


def write(path, text):
    try:
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
    except OSError as error:
        # The host's kernel may be without the controller.
        print(f"{path}: {error}", flush=True)


def hierarchies():
    """Where systemd keeps its tree: the mount points, those that it tracks processes by first."""
    found = {}
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        for line in file:
            left, right = line.split(" - ")
            kind, _, options = right.split()
            if kind == "cgroup2":
                found["unified"] = left.split()[4]
            elif kind == "cgroup":
                for name in options.split(","):
                    if name == "name=systemd" or name in V1_CONTROLLERS:
                        found[name] = left.split()[4]
    return found


def slice_path(name):
    stem = name.removesuffix(".slice")
    if not name.endswith(".slice") or "/" in name or not stem:
        raise invalid(f"Invalid slice {name}")
    if stem == "-":
        return ""
    parts = stem.split("-")
    if "" in parts:
        raise invalid(f"Invalid slice {name}")
    return "".join("/" + "-".join(parts[:i + 1]) + ".slice" for i in range(len(parts)))


class Unit:
    def __init__(self, name, below, given):
        self.name = name
        self.mounts = hierarchies()
        self.v2 = set(self.mounts) == {"unified"}
        self.dirs = {kind: mount + below for kind, mount in self.mounts.items()}
        for kind, path in self.dirs.items():
            self.make(self.mounts[kind], path, kind)
        for pid in given["PIDs"]:
            self.attach(pid)

    def attach(self, pid):
        for path in self.dirs.values():
            with open(path + "/cgroup.procs", "w", encoding="ascii") as file:
                file.write(str(pid))

    def give(self, top, owner):
        """A user's systemd makes cgroups as that user."""
        for kind, path in self.dirs.items():
            while len(path) >= len(self.mounts[kind] + top):
                for name in ("", "/cgroup.procs", "/cgroup.subtree_control", "/cgroup.threads"):
                    os.chown(path + name, owner, owner)
                path = os.path.dirname(path)

    def make(self, mount, path, kind):
        at = mount
        for part in path[len(mount):].strip("/").split("/"):
            if kind == "unified":
                with open(at + "/cgroup.controllers", encoding="ascii") as file:
                    for controller in file.read().split():
                        write(at + "/cgroup.subtree_control", "+" + controller)
            at += "/" + part
            os.makedirs(at, exist_ok=True)

    def processes(self):
        found = set()
        for path in self.dirs.values():
            for at, _, _ in os.walk(path):
                try:
                    with open(at + "/cgroup.procs", encoding="ascii") as file:
                        found.update(int(line) for line in file)
                except OSError:
                    pass
        return found

    def remove(self):
        for path in self.dirs.values():
            for at, _, _ in os.walk(path, topdown=False):
                try:
                    os.rmdir(at)
                except OSError:
                    pass

    def set(self, name, value):
        number = -1 if value == UNLIMITED else value
        word = "max" if value == UNLIMITED else str(value)
        v1 = {"MemoryLimit": ("memory", "memory.limit_in_bytes", number),
              "CPUShares": ("cpu", "cpu.shares", number),
              "TasksMax": ("pids", "pids.max", word)}
        v2 = {"MemoryMax": ("unified", "memory.max", word),
              "MemoryLow": ("unified", "memory.low", word),
              "MemorySwapMax": ("unified", "memory.swap.max", word),
              "CPUWeight": ("unified", "cpu.weight", number),
              "TasksMax": ("unified", "pids.max", word)}
        row = (v2 if self.v2 else v1).get(name)
        if row and row[0] in self.dirs:
            write(f"{self.dirs[row[0]]}/{row[1]}", str(row[2]))


class Manager(dbus.service.Object):
    SUPPORTS_MULTIPLE_CONNECTIONS = True

    def __init__(self, bus, options):
        super().__init__(bus, OBJECT)
        self.options = options
        self.units = {}
        self.failed = set(options.leftover)
        self.jobs = 0
        self.claim = dbus.service.BusName(SERVICE, bus)
        GLib.timeout_add(POLL_MS, self.collect)

    def serve(self, path):
        self.server = dbus.server.Server("unix:path=" + path)
        self.server.on_connection_added.append(lambda peer: self.add_to_connection(peer, OBJECT))
        self.server.on_connection_removed.append(lambda peer: self.remove_from_connection(peer, OBJECT))

    def log(self, method, unit, **more):
        with open(self.options.log, "a", encoding="utf-8") as file:
            json.dump({"method": method, "unit": unit, **more}, file)
            file.write("\n")

    def collect(self):
        for unit in list(self.units.values()):
            if not unit.processes():
                unit.remove()
                del self.units[unit.name]
        return True

    def job(self, unit, result):
        self.jobs += 1
        path = dbus.ObjectPath(f"{OBJECT}/job/{self.jobs}")
        if result != "never":
            # That of another one first, which nobody must take for it.
            GLib.timeout_add(POLL_MS, self.end_job, self.jobs + 1000, path + "0", unit, "canceled")
            GLib.timeout_add(POLL_MS * 2, self.end_job, self.jobs, path, unit, result)
        return path

    def end_job(self, number, path, unit, result):
        self.JobRemoved(number, path, unit, result)
        return False

    def check(self, unit, properties, known):
        given = {}
        for name, value in properties:
            if name not in known:
                raise Refused("org.freedesktop.DBus.Error.PropertyReadOnly",
                              f"Cannot set property {name}, or unknown property.")
            if signature(value) != known[name]:
                raise invalid(f"{name} is {signature(value)}, not {known[name]}")
            given[str(name)] = plain(value)
            low, high = RANGES.get(name, (None, None))
            if low is not None and not low <= given[name] <= high:
                raise invalid(f"{name}= is out of range: {given[name]}")
            if known[name] == "ay" and not any(given[name]):
                raise invalid(f"{name}= is empty")
        return given

    def check_name(self, unit):
        if len(unit) > 255 or not re.fullmatch(r"[0-9A-Za-z:_.\\@-]+\.(scope|slice)", unit):
            raise invalid(f"Unit name {unit} is not valid.")

    def listed(self, properties):
        return [[str(name), signature(value), plain(value)] for name, value in properties]

    @dbus.service.method(MANAGER, in_signature="ssa(sv)a(sa(sv))", out_signature="o")
    def StartTransientUnit(self, unit, mode, properties, aux):
        self.log("StartTransientUnit", unit, mode=mode, properties=self.listed(properties), aux=plain(aux))
        self.check_name(unit)
        if mode not in ("replace", "fail", "isolate"):
            raise invalid(f"Job mode {mode} invalid.")
        if unit in self.units or unit in self.failed or unit in self.options.busy:
            raise Refused(SERVICE + ".UnitExists", f"Unit {unit} was already loaded or has a fragment file.")
        if unit.endswith(".slice"):
            self.check(unit, properties, {**SLICE_PROPERTIES, **LIMITS})
            return self.job(unit, self.options.job)
        given = self.check(unit, properties, {**SCOPE_PROPERTIES, **LIMITS})
        if not given.get("PIDs"):
            raise invalid("Scope has no PIDs. Refusing.")
        for pid in given["PIDs"]:
            if not os.path.exists(f"/proc/{pid}"):
                raise invalid(f"Failed to set unit properties: no process {pid}")
        if self.options.job == "done":
            below = self.options.control_group + slice_path(given.get("Slice", "system.slice"))
            self.units[unit] = Unit(unit, f"{below}/{unit}", given)
            if self.options.owner is not None:
                self.units[unit].give(self.options.control_group, self.options.owner)
            for name, value in given.items():
                self.units[unit].set(name, value)
        elif self.options.job != "never":
            self.failed.add(unit)
        return self.job(unit, self.options.job)

    @dbus.service.method(MANAGER, in_signature="ssau", out_signature="")
    def AttachProcessesToUnit(self, unit, below, pids):
        self.log("AttachProcessesToUnit", unit, below=below, pids=plain(pids))
        if unit not in self.units:
            raise Refused(SERVICE + ".NoSuchUnit", f"Unit {unit} not loaded.")
        if below:
            raise invalid(f"No cgroup {below}")
        for pid in pids:
            if self.options.owner is not None and os.stat(f"/proc/{pid}").st_uid != self.options.owner:
                raise Refused("org.freedesktop.DBus.Error.AccessDenied", f"Process {pid} not owned by client's UID.")
            self.units[unit].attach(pid)

    @dbus.service.method(MANAGER, in_signature="sba(sv)", out_signature="")
    def SetUnitProperties(self, unit, runtime, properties):
        self.log("SetUnitProperties", unit, runtime=bool(runtime), properties=self.listed(properties))
        if unit not in self.units:
            raise Refused(SERVICE + ".NoSuchUnit", f"Unit {unit} not loaded.")
        for name, value in self.check(unit, properties, LIMITS).items():
            self.units[unit].set(name, value)

    @dbus.service.method(MANAGER, in_signature="ss", out_signature="o")
    def StopUnit(self, unit, mode):
        self.log("StopUnit", unit, mode=mode)
        if unit not in self.units:
            raise Refused(SERVICE + ".NoSuchUnit", f"Unit {unit} not loaded.")
        for pid in self.units[unit].processes():
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
        return self.job(unit, "done")

    @dbus.service.method(MANAGER, in_signature="s", out_signature="")
    def ResetFailedUnit(self, unit):
        self.log("ResetFailedUnit", unit)
        if unit not in self.failed and unit not in self.units:
            raise Refused(SERVICE + ".NoSuchUnit", f"Unit {unit} not loaded.")
        self.failed.discard(unit)

    @dbus.service.method(dbus.PROPERTIES_IFACE, in_signature="ss", out_signature="v")
    def Get(self, interface, name):
        values = {"Version": self.options.version, "ControlGroup": self.options.control_group}
        if interface != MANAGER or name not in values:
            raise Refused("org.freedesktop.DBus.Error.UnknownProperty", f"Unknown property {name}")
        return dbus.String(values[name], variant_level=1)

    @dbus.service.signal(MANAGER, signature="uoss")
    def JobRemoved(self, number, job, unit, result):
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bus", required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--private", help="also answer at this path, without a bus")
    parser.add_argument("--version", default="252.38-1~deb12u1")
    parser.add_argument("--control-group", default="")
    parser.add_argument("--owner", type=int, help="the user whose systemd it is")
    parser.add_argument("--job", default="done", help="how jobs that start units end; 'never'")
    parser.add_argument("--leftover", action="append", default=[], help="a unit that has failed")
    parser.add_argument("--busy", action="append", default=[], help="a unit of somebody else's")
    options = parser.parse_args()
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    manager = Manager(dbus.bus.BusConnection(options.bus), options)
    if options.private:
        manager.serve(options.private)
    print("ready", flush=True)
    GLib.MainLoop().run()
    del manager


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""What DIMSE costs: associate and echo and release, C-FIND by patient, C-GET and C-MOVE of a series; Hilum, Debian's Orthanc
and DCMTK's dcmqrscp in turn in one run, by one client.

    make dimse                        5,000 studies, 500 CT images, in clear text on loopback
    make dimse DIMSE="--studies 1000 --images 100"
    make dimse DIMSE="--studies 100000 --parts servers"
    make dimse DIMSE="--parts facade" rules and archives only (facade.py); the rest of the page stays

The client counts what it is sent and throws it away. Beside the servers stands a bound: a program that sends the same
instances from memory to the same client, and looks up nothing. Writes DIMSE.md.
"""

import argparse
import contextlib
import datetime
import multiprocessing
import os
import pathlib
import platform
import random
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "conformance" / "clients"), str(ROOT / "conformance" / "bench")]
import facade  # noqa: E402
import other_archives  # noqa: E402
import raw_dimse  # noqa: E402
import small_images  # noqa: E402
from dicom_compare import raw_bytes_of_data_set  # noqa: E402
from hilum_server import HilumServer  # noqa: E402
from pydicom.uid import generate_uid  # noqa: E402
from raw_dimse import EXPLICIT, IMPLICIT, RELEASE_RP, RELEASE_RQ, command, element, p_data, text, uid  # noqa: E402
from series import ct_series  # noqa: E402

CALLER, SINK = "BENCH", "DISCARD"
VERIFICATION, CT = b"1.2.840.10008.1.1", b"1.2.840.10008.5.1.4.1.1.2"
FIND, MOVE, GET = (b"1.2.840.10008.5.1.4.1.2.2." + number for number in (b"1", b"2", b"3"))
# Of a P-DATA-TF that this side sends; dcmqrscp takes no longer one by its default.
FRAGMENT = 16000
# It has 500 at most, and forgets the oldest.
DCMQRSCP_STUDIES = 400
# Where the second part of the page begins.
FACADE = "## An old PACS behind Hilum\n"


class Stream:
    """Messages from a socket; of data sets only the bytes are counted."""

    def __init__(self, connection):
        self.socket = connection
        self.buffer = bytearray(1 << 20)
        self.view = memoryview(self.buffer)
        self.start = self.end = 0
        self.bytes = 0

    def need(self, count):
        if self.end - self.start >= count:
            return
        rest = bytes(self.view[self.start : self.end])
        self.view[: len(rest)] = rest
        self.start, self.end = 0, len(rest)
        while self.end < count:
            got = self.socket.recv_into(self.view[self.end :])
            if not got:
                raise ConnectionError("closed")
            self.end += got

    def take(self, count):
        self.need(count)
        self.start += count
        return bytes(self.view[self.start - count : self.start])

    def drop(self, count):
        while count:
            here = min(count, self.end - self.start)
            self.start += here
            count -= here
            if count:
                self.start, self.end = 0, self.socket.recv_into(self.view)
                if not self.end:
                    raise ConnectionError("closed")

    def pdu(self):
        kind, _, length = struct.unpack(">BBI", self.take(6))
        return kind, length

    def message(self):
        """(context, command elements); ConnectionError with the kind of another PDU."""
        commands, parts = None, b""
        while True:
            kind, length = self.pdu()
            if kind != 4:
                self.take(length)
                raise ConnectionError(kind)
            while length:
                size, context, control = struct.unpack(">IBB", self.take(6))
                length -= size + 4
                if control & 1:
                    parts += self.take(size - 2)
                else:
                    self.bytes += size - 2
                    self.drop(size - 2)
                if control & 2:
                    if control & 1:
                        commands = raw_dimse.elements(parts)
                        if commands[0, 0x0800] == b"\x01\x01":
                            return context, commands
                    else:
                        return context, commands


def number_of(commands, which):
    return struct.unpack("<H", commands[0, which])[0]


def stored(context, commands):
    """The C-STORE-RSP."""
    return p_data(context, command(
        0x8001, affected_class=commands[0, 0x0002], answers=commands[0, 0x0110], status=0, data_set=0x0101,
        affected_instance=commands[0, 0x1000]), True)


def store_request(message, sop_class, instance, data, context=1):
    """A whole C-STORE-RQ as it goes over the wire."""
    out = [p_data(context, command(0x0001, affected_class=uid(sop_class), message=message, priority=0, data_set=1,
                                   affected_instance=uid(instance)), True)]
    for at in range(0, len(data), FRAGMENT):
        out.append(p_data(context, data[at : at + FRAGMENT], False, at + FRAGMENT >= len(data)))
    return b"".join(out)


# Processes beside


def sink(port_given):
    """A storage SCP that takes everything and keeps nothing."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    port_given.send(listener.getsockname()[1])

    def serve(connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError), connection:
            stream = Stream(connection)
            _, length = stream.pdu()
            connection.sendall(raw_dimse.associate_ac(stream.take(length), max_pdu=131072))
            try:
                while True:
                    context, commands = stream.message()
                    connection.sendall(stored(context, commands))
            except ConnectionError as ended:
                if ended.args == (5,):
                    connection.sendall(RELEASE_RP)

    # A server may keep its association for a while, so that the next has another beside it.
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


def bound(port_given, requests):
    """An SCP that answers a C-GET by sending instances from memory."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    port_given.send(listener.getsockname()[1])
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError), connection:
            stream = Stream(connection)
            _, length = stream.pdu()
            connection.sendall(raw_dimse.associate_ac(stream.take(length)))
            context, commands = stream.message()
            for each in requests:
                connection.sendall(each)
                stream.message()
            connection.sendall(p_data(context, command(
                0x8010, affected_class=commands[0, 0x0002], answers=commands[0, 0x0110], status=0, data_set=0x0101), True))
            with contextlib.suppress(ConnectionError):
                stream.message()


@contextlib.contextmanager
def beside(target, *arguments):
    """A process of ours that listens; gives its port."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=target, args=(theirs, *arguments), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join(10)


# The client


class Server:
    """One of the servers, as the client calls it."""

    def __init__(self, name, title, port, studies=None):
        self.name, self.title, self.port = name, title, port
        # How many it can have; None is any number.
        self.studies = studies

    def associate(self, contexts, roles=()):
        connection = socket.create_connection(("127.0.0.1", self.port), 60)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(raw_dimse.associate_rq(self.title, CALLER, contexts, roles=roles))
        stream = Stream(connection)
        kind, length = stream.pdu()
        body = stream.take(length)
        if kind != 2:
            raise SystemExit(f"{self.name} does not associate: PDU {kind} {body.hex()}")
        if len(raw_dimse.accepted(body)) != len(contexts):
            raise SystemExit(f"{self.name} accepts not all of the contexts")
        return connection, stream

    def release(self, connection, stream):
        connection.sendall(RELEASE_RQ)
        kind, length = stream.pdu()
        if kind != 6:
            raise SystemExit(f"{self.name} answers a release with PDU {kind}")
        stream.take(length)
        connection.close()

    def store(self, files):
        connection, stream = self.associate([(1, CT, [EXPLICIT])])
        for number, (instance, data) in enumerate(files):
            connection.sendall(store_request(number % 60000 + 1, CT, instance, data))
            _, commands = stream.message()
            if number_of(commands, 0x0900):
                raise SystemExit(f"{self.name} stores with status {number_of(commands, 0x0900):04X}")
        self.release(connection, stream)

    def echo(self):
        """Seconds for an association with one C-ECHO, from the connection to the release."""
        begun = time.perf_counter()
        connection, stream = self.associate([(1, VERIFICATION, [IMPLICIT])])
        connection.sendall(p_data(1, command(0x0030, affected_class=uid(VERIFICATION), message=1, data_set=0x0101), True))
        stream.message()
        self.release(connection, stream)
        return time.perf_counter() - begun

    def finds(self, patients):
        """Seconds of each C-FIND of a patient's studies, on one association."""
        connection, stream = self.associate([(1, FIND, [IMPLICIT])])
        times = []
        for number, patient in enumerate(patients):
            keys = b"".join((
                element(8, 0x0020, b""), element(8, 0x0050, b""), element(8, 0x0052, text("STUDY")),
                element(0x10, 0x0010, b""), element(0x10, 0x0020, text(patient)), element(0x20, 0x000D, b"")))
            begun = time.perf_counter()
            connection.sendall(p_data(1, command(
                0x0020, affected_class=uid(FIND), message=number + 1, priority=0, data_set=1), True) + p_data(1, keys, False))
            matches = 0
            while True:
                _, commands = stream.message()
                status = number_of(commands, 0x0900)
                if status not in (0xFF00, 0xFF01):
                    break
                matches += 1
            times.append(time.perf_counter() - begun)
            if (status, matches) != (0, 1):
                raise SystemExit(f"{self.name} answers a C-FIND with {matches} matches and status {status:04X}")
        self.release(connection, stream)
        return times

    def keys(self, study):
        return element(8, 0x0052, text("STUDY")) + element(0x20, 0x000D, uid(study))

    def get(self, study, count, size):
        """Seconds of a C-GET of a study, of `size` bytes, on an association of its own."""
        connection, stream = self.associate([(1, CT, [EXPLICIT]), (3, GET, [IMPLICIT])], roles=[CT])
        begun = time.perf_counter()
        connection.sendall(p_data(3, command(0x0010, affected_class=uid(GET), message=1, priority=0, data_set=1), True)
                           + p_data(3, self.keys(study), False))
        received = 0
        while True:
            context, commands = stream.message()
            if number_of(commands, 0x0100) == 0x0001:
                received += 1
                connection.sendall(stored(context, commands))
            elif number_of(commands, 0x0900) != 0xFF00:
                break
        taken = time.perf_counter() - begun
        if received != count or number_of(commands, 0x0900) or stream.bytes != size:
            raise SystemExit(f"{self.name} sends {received} instances by C-GET, of {stream.bytes} bytes, status "
                             f"{number_of(commands, 0x0900):04X}")
        connection.close() if self.name == "bound" else self.release(connection, stream)
        return taken

    def move(self, study, count):
        """Seconds of a C-MOVE of a study to the sink."""
        connection, stream = self.associate([(1, MOVE, [IMPLICIT])])
        begun = time.perf_counter()
        connection.sendall(p_data(1, command(
            0x0021, affected_class=uid(MOVE), message=1, priority=0, data_set=1, destination=text(SINK)), True)
            + p_data(1, self.keys(study), False))
        while True:
            _, commands = stream.message()
            if number_of(commands, 0x0900) != 0xFF00:
                break
        taken = time.perf_counter() - begun
        completed = number_of(commands, 0x1021) if (0, 0x1021) in commands else None
        if number_of(commands, 0x0900) or completed != count:
            raise SystemExit(f"{self.name} moves {completed} instances, status {number_of(commands, 0x0900):04X}")
        self.release(connection, stream)
        return taken


def send_from_memory(port, requests):
    """Seconds to send the instances to the sink, as a C-MOVE would that looks up nothing."""
    server = Server("bound", SINK, port)
    connection, stream = server.associate([(1, CT, [EXPLICIT])])
    begun = time.perf_counter()
    for each in requests:
        connection.sendall(each)
        stream.message()
    taken = time.perf_counter() - begun
    server.release(connection, stream)
    return taken


@contextlib.contextmanager
def hilum(name, folder, sink_port, *options):
    server = HilumServer(folder, options=["--plain-loopback"])
    server.command("init", folder, "--http-port", 0, "--dimse-port", 0, "--mllp-port", 0, *options)
    server.add_ae(CALLER)
    server.add_ae(SINK, port=sink_port)
    server.start()
    try:
        yield Server(name, server.dimse["ae"], server.dimse["port"])
    finally:
        server.stop()


def rounds(options, servers, patients, study, requests, size, sink_port, bound_port):
    """{what: {server: values}}; the servers in turn, the first round not counted."""
    told = {"echo": {}, "find": {}, "get": {}, "move": {}}

    def note(what, name, values, number):
        if number:
            told[what].setdefault(name, []).extend(values)

    chosen = random.Random(11)
    memory = Server("bound", "BOUND", bound_port)
    for number in range(options.rounds + 1):
        print(f"round {number} of {options.rounds}", file=sys.stderr, flush=True)
        for server in servers:
            note("echo", server.name, [server.echo() for _ in range(100)], number)
            some = [chosen.choice(patients[: server.studies]) for _ in range(100)]
            note("find", server.name, server.finds(some), number)
            note("get", server.name, [server.get(study, options.images, size)], number)
            note("move", server.name, [server.move(study, options.images)], number)
        note("get", "bound", [memory.get(study, options.images, size)], number)
        note("move", "bound", [send_from_memory(sink_port, requests)], number)
    return told


def table(options, told):
    lines = ["| what | server | median | least | most | unit | to the bound | aim |", "|---|---|---:|---:|---:|---|---:|---|"]
    for what, title, aim in (("echo", "associate, echo, release", "<= 0.3 ms"), ("find", "C-FIND by patient", "<= 5 ms")):
        for name, values in told[what].items():
            values = sorted(each * 1000 for each in values)
            middle = statistics.median(values)
            lines.append(f"| {title} | {name} | {middle:.2f} | {values[0]:.2f} | {values[-1]:.2f} | ms | - | "
                         f"{aim if name.startswith('Hilum') else '-'} |")
    for what, title in (("get", f"C-GET of {options.images} CT"), ("move", f"C-MOVE of {options.images} CT")):
        limit = statistics.median(options.images / each for each in told[what]["bound"])
        for name, values in told[what].items():
            values = sorted(options.images / each for each in values)
            middle = statistics.median(values)
            lines.append(f"| {title} | {name} | {middle:.0f} | {values[0]:.0f} | {values[-1]:.0f} | instances/s | "
                         f"{middle / limit:.2f} | {'>= 0.7 of the bound' if name.startswith('Hilum') else '-'} |")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=5000, help="studies of one small image, each of another patient")
    parser.add_argument("--orthanc-studies", type=int, default=5000, help="of these, for Orthanc takes long to store many")
    parser.add_argument("--images", type=int, default=500, help="CT images of the study that is retrieved")
    parser.add_argument("--rounds", type=int, default=7, help="rounds that count")
    parser.add_argument("--without-dcmtk", action="store_true", help="dcmqrscp takes long to store many studies")
    parser.add_argument("--forwarded", type=int, default=100, help="images that go on by a rule, or come from an archive")
    parser.add_argument("--parts", default="servers,facade", help="joined by commas: servers, facade")
    parser.add_argument("--note", help="said of the machine, such as that it is busy")
    parser.add_argument("--out", default=str(ROOT / "conformance" / "bench" / "DIMSE.md"))
    options = parser.parse_args()
    parts, out = options.parts.split(","), pathlib.Path(options.out)
    before = out.read_text() if out.exists() else ""
    first, _, second = before.partition(FACADE)
    second = FACADE + second if second else ""
    if "servers" in parts:
        first = servers_text(options)
    if "facade" in parts:
        with tempfile.TemporaryDirectory(prefix="hilum-facade-") as folder:
            about = machine(options)
            second = facade.text(options, facade.measure(options, pathlib.Path(folder), Server, store_request), about)
    page = "\n\n".join(part.strip() for part in (first, second) if part.strip()) + "\n"
    out.write_text(page)
    print(page)


def machine(options):
    """The lines that say where and when."""
    return [
        f"- Date: {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}",
        f"- Machine: {os.cpu_count()} cores, {platform.machine()}; {orthanc_version()} and DCMTK's programs, Debian's; all share "
        f"the cores; load {os.getloadavg()[0]:.1f} at the start{', ' + options.note if options.note else ''}",
    ]


def orthanc_version():
    return subprocess.run(["Orthanc", "--version"], capture_output=True, text=True).stdout.splitlines()[0]


def servers_text(options):
    """The first part of the page: associations, C-FIND, C-GET and C-MOVE."""
    patients = [f"P{number:06d}" for number in range(options.studies)]
    small = []
    for patient in patients:
        image = small_images.image(1, generate_uid(), generate_uid(), patient, f"Bench^{patient}")
        small.append((str(image.SOPInstanceUID).encode(), raw_bytes_of_data_set(small_images.part10(image))))
    study, _, files = ct_series(options.images)
    study = str(study).encode()
    series = facade.instances(files)
    requests = [store_request(number + 1, CT, instance, data) for number, (instance, data) in enumerate(series)]
    size = sum(len(data) for _, data in series)
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="hilum-dimse-") as name, contextlib.ExitStack() as stack:
        folder = pathlib.Path(name)
        sink_port = stack.enter_context(beside(sink))
        bound_port = stack.enter_context(beside(bound, requests))
        known = [(CALLER, 104), (SINK, sink_port)]
        orthanc = stack.enter_context(other_archives.orthanc(folder / "orthanc", modalities=known, StorageCompression=False))
        servers = [
            stack.enter_context(hilum("Hilum, encrypted at rest", folder / "sealed", sink_port)),
            stack.enter_context(hilum("Hilum, not encrypted", folder / "plain", sink_port, "--no-encryption")),
            Server(
                f"Orthanc, {options.orthanc_studies} studies" if options.orthanc_studies < options.studies else "Orthanc",
                orthanc.title, orthanc.port, options.orthanc_studies),
        ]
        if not options.without_dcmtk:
            dcmtk = stack.enter_context(other_archives.dcmqrscp(folder / "dcmqrscp", modalities=known))
            servers.append(Server(f"dcmqrscp, {DCMQRSCP_STUDIES} studies", dcmtk.title, dcmtk.port, DCMQRSCP_STUDIES))
        for server in servers:
            begun = time.monotonic()
            server.store(small[: server.studies])
            server.store(series)
            print(f"{server.name}: {len(small)} studies and {len(series)} images stored in {time.monotonic() - begun:.0f} s",
                  file=sys.stderr, flush=True)
        # Until studies are published and nothing else is done.
        time.sleep(10)
        told = rounds(options, servers, patients, study, requests, size, sink_port, bound_port)
    return "\n".join([
        "# DIMSE beside Orthanc and DCMTK", "",
        f"Written by `make dimse`: clear text on loopback, one client, the servers in turn in one run; {options.rounds} rounds, "
        "the first one before them not counted; of each round 100 associations with C-ECHO, 100 C-FIND of a patient's studies "
        f"among {options.studies} on one association, a C-GET and a C-MOVE of one study.", "",
        f"- Date: {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}",
        f"- Machine: {os.cpu_count()} cores, {platform.machine()}; {orthanc_version()} and DCMTK's dcmqrscp, Debian's; client, sink and "
        f"servers share the cores; load {load:.1f} at the start{', ' + options.note if options.note else ''}",
        f"- A CT image is {size // options.images} bytes, Explicit VR Little Endian, sent as it is stored", "",
        *table(options, told), "",
        "The bound of C-GET sends the same instances from memory to the same client, that of C-MOVE to the same sink; neither "
        "looks anything up, reads a disk or writes an audit trail. Both, the client and the sink are Python and read each byte.",
    ])


if __name__ == "__main__":
    main()

"""What an old PACS behind Hilum costs, for `make dimse`: how fast images go on by a rule, and how soon a study comes that only
an archive has."""

import concurrent.futures
import contextlib
import statistics
import struct
import subprocess
import sys
import time

import other_archives
from check_query_retrieve import free_port
from check_scp import wait_for_port
from dicom_compare import raw_bytes_of_data_set
from hilum_server import HilumServer
from series import Door, ct_series
from smart import BackendClient

CALLER, RECEIVER = "BENCH", "DISCARD"
CT, EXPLICIT = b"1.2.840.10008.5.1.4.1.1.2", b"1.2.840.10008.1.2.1"
# Stored at once, each by an association of its own.
STUDIES = 5
# What a command puts into the outbox is found by looking.
RULES = f"""
routing:
  destinations: [{{ name: receiver, peer: {RECEIVER} }}]
  rules: [{{ to: receiver }}]
limits: {{ delivery-tick-seconds: 1 }}
"""


def instances(files):
    """(SOP Instance UID, bytes of the data set) of Part 10 files of ``ct_series``."""
    found = []
    for file in files:
        data = raw_bytes_of_data_set(file)
        # The SOP Instance UID is the second element of each.
        at = data.index(b"\x08\0\x18\0UI") + 8
        found.append((data[at : at + struct.unpack_from("<H", data, at - 2)[0]].rstrip(b"\0"), data))
    return found


class Receiver:
    """DCMTK's storescp, which takes everything and keeps nothing; what it got is counted by what it says."""

    def __init__(self, folder):
        self.path, self.port = folder / "storescp.log", free_port()
        with open(self.path, "ab") as log:
            self.process = subprocess.Popen(
                ["storescp", "-v", "--ignore", "--fork", "-aet", RECEIVER, "-pdu", "131072", str(self.port)],
                stdout=log, stderr=log, env={"DCMDICTPATH": "/usr/share/libdcmtk17/dicom.dic", "PATH": "/usr/bin:/bin",
                                             "TCP_NODELAY": "1"})
        wait_for_port(self.port, self.process)
        self.log = open(self.path, "rb")

    def until(self, count, seconds=120):
        """Waits for so many images more; gives the seconds from the first of them to the last, and how many came after the
        first look that found some."""
        end, rest, first = time.monotonic() + seconds, b"", None
        while True:
            text = rest + self.log.read()
            lines, _, rest = text.rpartition(b"\n")
            count -= lines.count(b"Received Store Request")
            now = time.perf_counter()
            if first is None and b"Received Store Request" in lines:
                first, left = now, count
            if count <= 0:
                return now - first, left
            if time.monotonic() > end:
                raise SystemExit(f"storescp lacks {count} images after {seconds} s")
            time.sleep(0.005)

    def stop(self):
        self.log.close()
        self.process.terminate()
        self.process.wait(20)


class Arrival:
    """Milliseconds until the first byte, the first image and the last byte of an answer with all of a study."""

    def __init__(self, door, study, count, size):
        begun = time.perf_counter()
        door.connection.request("GET", f"{door.path}/studies/{study}", None, {
            **door.headers, "Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'})
        answer = door.connection.getresponse()
        if answer.status != 200:
            raise SystemExit(f"WADO-RS was answered {answer.status}: {answer.read(300)!r}")
        parts = [answer.read(1)]
        self.first_byte = (time.perf_counter() - begun) * 1000
        parts.append(answer.read(size))
        self.first_image = (time.perf_counter() - begun) * 1000
        parts.append(answer.read())
        self.all = (time.perf_counter() - begun) * 1000
        if (found := b"".join(parts).count(b"DICM\x02\x00\x00\x00UL")) != count:
            raise SystemExit(f"{found} parts instead of {count}")


class Hilum:
    def __init__(self, stack, name, folder, receiver, archive_port, server_type, *options):
        self.name = name
        server = HilumServer(folder, options=["--plain-loopback"])
        server.command("init", folder, "--http-port", 0, "--dimse-port", 0, "--mllp-port", 0, *options)
        server.add_ae(CALLER)
        server.command("peer", "add", folder, "--ae", RECEIVER, "--host", "127.0.0.1", "--port", receiver.port, "--offers",
                       "store")
        server.command("peer", "add", folder, "--ae", "ORTHANC", "--host", "127.0.0.1", "--port", archive_port, "--archive",
                       "--offers", "echo,find,get")
        with open(folder / "hilum.yaml", "a") as file:
            file.write(RULES)
        self.backend = BackendClient(server, name.split()[-1], "ES384", "system/*.cruds", folder.parent)
        server.start()
        stack.callback(server.stop)
        self.server, self.caller = server, server_type(name, server.dimse["ae"], server.dimse["port"])

    def door(self):
        self.backend.token = None
        return Door(self.server.dicomweb, {"Authorization": f"Bearer {self.backend.bearer()}"})


def measure(options, folder, server_type, store_request):
    """{what: {who: values}}: images a second, and milliseconds. `server_type` and `store_request` are those of dimse.py."""
    count = options.forwarded
    told = {}

    def note(what, who, value, number):
        if number:
            told.setdefault(what, {}).setdefault(who, []).append(value)

    with contextlib.ExitStack() as stack:
        receiver = Receiver(folder)
        stack.callback(receiver.stop)
        archive = stack.enter_context(other_archives.orthanc(
            folder / "orthanc", modalities=[("HILUM", 104), (CALLER, 104)], StorageCompression=False))
        there = server_type("Orthanc", archive.title, archive.port)
        servers = [
            Hilum(stack, "Hilum, encrypted at rest", folder / "sealed", receiver, archive.port, server_type),
            Hilum(stack, "Hilum, not encrypted", folder / "plain", receiver, archive.port, server_type, "--no-encryption"),
        ]
        for number in range(options.rounds + 1):
            print(f"round {number} of {options.rounds}", file=sys.stderr, flush=True)
            for server in servers:
                study, _, files = ct_series(count)
                begun = time.perf_counter()
                server.caller.store(instances(files))
                note("taken, one", server.name, count / (time.perf_counter() - begun), number)
                receiver.until(count)
                note("sent on, one", server.name, count / (time.perf_counter() - begun), number)

                some = [instances(ct_series(count // STUDIES)[2]) for _ in range(STUDIES)]
                begun = time.perf_counter()
                with concurrent.futures.ThreadPoolExecutor(STUDIES) as threads:
                    list(threads.map(server.caller.store, some))
                note("taken, several", server.name, count / (time.perf_counter() - begun), number)
                receiver.until(count)
                note("sent on, several", server.name, count / (time.perf_counter() - begun), number)

                server.server.command("route", "send", server.server.folder, study, "--to", "receiver")
                taken, left = receiver.until(count)
                note("sent on, stored", server.name, left / taken if left else 0, number)
            series = instances(ct_series(count)[2])
            requests = [store_request(index + 1, CT, *each) for index, each in enumerate(series)]
            memory = server_type("storescp", RECEIVER, receiver.port)
            connection, stream = memory.associate([(1, CT, [EXPLICIT])])
            begun = time.perf_counter()
            for each in requests:
                connection.sendall(each)
                stream.message()
            note("sent on, stored", "from memory", count / (time.perf_counter() - begun), number)
            memory.release(connection, stream)
            receiver.until(count)

            study, _, files = ct_series(count)
            there.store(instances(files))
            size = sum(len(raw_bytes_of_data_set(file)) for file in files)
            note("all of it", "Orthanc, by C-GET", there.get(str(study).encode(), count, size) * 1000, number)
            for server in servers:
                door = server.door()
                for what in ("", ", again"):
                    arrival = Arrival(door, study, count, len(files[0]))
                    note(f"first byte{what}", server.name, arrival.first_byte, number)
                    note(f"first image{what}", server.name, arrival.first_image, number)
                    note(f"all of it{what}", server.name, arrival.all, number)
    return told


def table(options, told):
    count = options.forwarded
    lines = ["| what | server | median | least | most | unit |", "|---|---|---:|---:|---:|---|"]
    titles = [
        ("taken, one", f"C-STORE of {count} CT of one study", "instances/s"),
        ("sent on, one", "until the last of them is there", "instances/s"),
        ("taken, several", f"C-STORE of {count} CT of {STUDIES} studies at once", "instances/s"),
        ("sent on, several", "until the last of them is there", "instances/s"),
        ("sent on, stored", f"{count} CT of one study that are stored, from the first there to the last", "instances/s"),
        ("first byte", "WADO-RS of a study that only Orthanc has: first byte", "ms"),
        ("first image", "the first image whole", "ms"), ("all of it", f"all {count} images", "ms"),
        ("first byte, again", "the same study again, from here: first byte", "ms"),
        ("first image, again", "the first image whole", "ms"), ("all of it, again", f"all {count} images", "ms"),
    ]
    for what, title, unit in titles:
        for who, values in told[what].items():
            digits = 1 if unit == "ms" else 0
            lines.append(f"| {title} | {who} | {statistics.median(values):.{digits}f} | {min(values):.{digits}f} | "
                         f"{max(values):.{digits}f} | {unit} |")
    return lines


def text(options, told, machine):
    return "\n".join([
        "## An old PACS behind Hilum", "",
        f"Images that a modality stores and a rule sends on to DCMTK's `storescp --ignore`, by two associations at most: from the "
        f"first C-STORE here to its last answer, and until the last image is there; and by `hilum route send`. Studies that only Orthanc has, "
        f"fetched by C-GET while WADO-RS sends them, and the same again as copies. {options.rounds} rounds, the first one before "
        "them not counted.", "", *machine, "", *table(options, told), "",
        "From memory: the script's client sends images to `storescp` and looks nothing up. Orthanc gives the study to the same "
        "client by C-GET, which keeps nothing; Hilum answers an image to Orthanc, and sends it on by WADO-RS, when it is durable.",
    ])

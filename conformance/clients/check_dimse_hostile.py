"""Peers that do not keep to the protocol: archives and destinations that answer Hilum's requests wrongly or never, callers
that ask for too much, and thousands of associations that end badly. PS3.8 §9.2, PS3.7 §9 and §10."""

import contextlib
import os
import socket
import struct
import threading
import time

import requests
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid
from pynetdicom import build_context
from pynetdicom.sop_class import (
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelMove,
)

import raw_dimse
import small_images
from check_archives import Web, value
from check_query_retrieve import identifier
from check_scp import association, code
from check_scu import Notices, perform, raw_listener
from raw_dimse import ABORT, EXPLICIT, IMPLICIT, RELEASE_RQ, command, element, p_data, pdu, text, uid
from report import equal, expect, quick

STUDY_FIND, STUDY_MOVE = StudyRootQueryRetrieveInformationModelFind, StudyRootQueryRetrieveInformationModelMove
BAD = "PS3.7 §9.1"
CYCLES = int(os.environ.get("HILUM_ASSOCIATION_CYCLES", "10000"))


# Hostile SCPs


def match(study, patient="HOSTILE1", name="Hostile^One", more=b""):
    """An answer to a C-FIND of studies, Implicit VR Little Endian."""
    return (element(8, 0x0020, b"20200101") + element(8, 0x0052, text("STUDY")) + more + element(0x10, 0x0010, text(name))
            + element(0x10, 0x0020, text(patient)) + element(0x20, 0x000D, uid(study)))


class Scp:
    """What came to one association of a hostile SCP, and its answers."""

    def __init__(self, connection):
        self.connection = raw_dimse.Connection(connection, timeout=120)

    def accept(self, **how):
        kind, body = self.connection.pdu()
        if kind != 1:
            raise ConnectionError(f"PDU {kind}")
        self.connection.send(raw_dimse.associate_ac(body, syntax=IMPLICIT, **how))

    def request(self):
        self.context, self.command, _ = self.connection.message()
        self.message = struct.unpack("<H", self.command[0, 0x0110])[0]
        self.field = struct.unpack("<H", self.command[0, 0x0100])[0]

    def answer(self, status, data=None, message=None, field=None, context=None, claims=None):
        context = context or self.context
        self.connection.send(p_data(context, command(
            field or self.field | 0x8000, affected_class=self.command[0, 0x0002],
            answers=self.message if message is None else message, status=status,
            data_set=0x0101 if data is None and not claims else 1), True))
        if data is not None:
            for at in range(0, max(len(data), 1), 16000):
                self.connection.send(p_data(context, data[at : at + 16000], False, at + 16000 >= len(data)))


def endless(scp):
    while True:
        scp.answer(0xFF00, match(generate_uid()))


def drip(scp, data):
    for byte in data:
        scp.connection.send(bytes([byte]))
        time.sleep(0.5)


def after_find(body):
    """A peer that accepts all, reads one request and does `body`; then it waits for the end."""
    def serve(connection):
        scp = Scp(connection)
        scp.accept()
        scp.request()
        body(scp)
        with contextlib.suppress(OSError):
            while connection.recv(4096):
                pass
    return serve


def drips_the_acceptance(connection):
    raw_dimse.Connection(connection).pdu()
    drip(Scp(connection), raw_dimse.pdu(2, bytes(200)))


def accepts_with(**how):
    def serve(connection):
        scp = Scp(connection)
        scp.accept(**how)
        scp.request()
        scp.answer(0x0000)
        time.sleep(1)
    return serve


UNPROPOSED = [(99, IMPLICIT)]

ARCHIVES = {
    "pendings without an end": after_find(endless),
    "another Message ID": after_find(lambda scp: scp.answer(0x0000, message=scp.message + 1)),
    "a response of another command": after_find(lambda scp: scp.answer(0x0000, field=0x8021)),
    "a request instead of a response": after_find(lambda scp: scp.answer(0x0000, field=0x0001)),
    "a response on another context": after_find(lambda scp: scp.answer(0x0000, context=77)),
    "a pending response without a data set": after_find(lambda scp: (scp.answer(0xFF00), scp.answer(0x0000))),
    "a data set that is none": after_find(lambda scp: (scp.answer(0xFF00, b"\xff" * 3001), scp.answer(0x0000))),
    "a data set that never ends": after_find(
        lambda scp: (scp.answer(0xFF00, claims=True), [scp.connection.send(
            p_data(scp.context, bytes(16000), False, False)) for _ in range(4000)])),
    "a command that never ends": after_find(
        lambda scp: [scp.connection.send(p_data(scp.context, bytes(16000), True, False)) for _ in range(4000)]),
    "final responses one after the other": after_find(lambda scp: [scp.answer(0x0000) for _ in range(50)]),
    "an unknown PDU": after_find(lambda scp: scp.connection.send(pdu(0x99, bytes(100)))),
    "a PDU of 4 GiB": after_find(lambda scp: scp.connection.send(b"\x04\0\xff\xff\xff\xf0" + bytes(100000))),
    "a PDV longer than its PDU": after_find(
        lambda scp: scp.connection.send(pdu(4, struct.pack(">IBB", 0x7FFFFFFF, 1, 3) + bytes(10)))),
    "nothing to a C-FIND": after_find(lambda scp: time.sleep(60)),
    "a response that drips": after_find(lambda scp: drip(scp, p_data(scp.context, bytes(1000), True))),
    "half a PDU and the end": after_find(
        lambda scp: (scp.connection.send(p_data(scp.context, bytes(1000), True)[:500]), scp.connection.close())),
    "a release instead of a response": after_find(lambda scp: scp.connection.send(RELEASE_RQ)),
    "an abort instead of a response": after_find(lambda scp: scp.connection.send(ABORT)),
    "an acceptance twice": after_find(lambda scp: scp.connection.send(
        pdu(2, struct.pack(">HH", 1, 0) + bytes(64) + raw_dimse.item(0x10, raw_dimse.APPLICATION)))),
    "an acceptance of what was not proposed": accepts_with(extra=UNPROPOSED),
    "no context accepted": accepts_with(result=3),
    "an acceptance that drips": drips_the_acceptance,
    "nothing to an association request": lambda connection: time.sleep(60),
    "UIDs that are paths": after_find(lambda scp: (
        scp.answer(0xFF00, match("../../../../etc/passwd")), scp.answer(0xFF00, match("1.2/../3")),
        scp.answer(0xFF00, match("1." * 4000 + "1")), scp.answer(0xFF00, match("")), scp.answer(0x0000))),
    "text of a megabyte": after_find(lambda scp: (
        scp.answer(0xFF00, match(generate_uid(), name="N" * 1000000)), scp.answer(0x0000))),
    "a value beyond the data set": after_find(lambda scp: (
        scp.answer(0xFF00, match("1.2.3") + struct.pack("<HHI", 0x20, 0x10, 0x7FFFFFF0) + bytes(40)),
        scp.answer(0x0000))),
    "what was not asked for": after_find(lambda scp: (
        [scp.answer(0xFF00, match(generate_uid(), patient="SOMEBODYELSE")) for _ in range(200)], scp.answer(0x0000))),
}


def good(study):
    return after_find(lambda scp: (scp.answer(0xFF00, match(study)), scp.answer(0x0000)))


def check_archives(report, doors, backend):
    """They, and one that keeps to the protocol, as archives of one search."""
    server = doors[0].server
    web = Web(server, backend)
    # Of a UID that comes first on a page of QIDO-RS, which has a thousand.
    local = small_images.study("HOSTILE1", "Hostile^One", date="20200101")
    remote = "1.1." + generate_uid()[-30:].lstrip("0.").replace(".", "")
    with association(doors[0], [build_context(CTImageStorage, ExplicitVRLittleEndian),
                                build_context(SecondaryCaptureImageStorage, ExplicitVRLittleEndian)]) as made:
        for each in local:
            equal(code(made.send_c_store(each)), "0000", "C-STORE status")
    names = list(ARCHIVES)
    # Sixteen archives are asked at a time.
    for part in (names[:14], names[14:]):
        check_part(report, doors[0], web, part, local[0].StudyInstanceUID, remote)


def outcomes(server):
    """{archive: outcomes of queries} as the metrics tell them."""
    found = {}
    for line in requests.get(f"{server.http}/metrics", verify=server.verify, timeout=60).text.splitlines():
        if line.startswith("hilum_archive_queries_total{") and not line.endswith(" 0"):
            labels = dict(part.split("=", 1) for part in line[line.index("{") + 1 : line.index("}")].split(","))
            found.setdefault(labels["archive"].strip('"'), set()).add(labels["outcome"].strip('"'))
    return found


# What some of these answer can be read all the same.
READABLE = {"UIDs that are paths", "text of a megabyte", "what was not asked for", "final responses one after the other",
            "an acceptance of what was not proposed"}


def check_part(report, door, web, names, local, remote):
    server = door.server
    with contextlib.ExitStack() as stack:
        titles = {}

        def add(name, title, serve):
            port = stack.enter_context(raw_listener(serve))
            server.command("peer", "add", server.folder, "--ae", title, "--host", "127.0.0.1", "--port", port, "--archive")
            titles[name] = title
        for name in names:
            add(name, f"HOSTILE{list(ARCHIVES).index(name):02d}", ARCHIVES[name])
        add("good", "AGOODONE", good(remote))
        time.sleep(10)  # all are noticed within five
        before = server.rss_kib()

        def searched():
            begun = time.monotonic()
            matches, answer = web(PatientID="HOSTILE1", limit=5000)
            taken = time.monotonic() - begun
            found = {value(each, "0020000D") for each in matches}
            expect({local, remote} <= found, "the study here or that of the good archive is missing")
            expect(all(each and set(each) <= set("0123456789.") and len(each) <= 64 for each in found), "a UID that is none")
            expect(answer.headers.get("Warning", "").startswith("299"), "no Warning 299")
            quick(taken, 7)
            grown = (server.rss_kib() - before) / 1024
            expect(grown < 200, f"{grown:.0f} MiB more resident")
            return f"{taken:.1f} s, {len(matches)} matches, {grown:.0f} MiB more resident"
        report.check("hostile", f"QIDO-RS over {len(names)} hostile archives and a good one: {names[0]} to {names[-1]}",
                     searched, BAD)

        counted = outcomes(server)
        for name in names:
            def outcome(name=name):
                found = counted.get(titles[name])
                expect(found, "not counted")
                expect(found != {"answered"} or name in READABLE, f"{found}")
                return ", ".join(sorted(found))
            report.check("hostile", f"an archive that answers with {name}", outcome, BAD)

        def by_find():
            begun = time.monotonic()
            with association(door, [build_context(STUDY_FIND)]) as made:
                answers = list(made.send_c_find(identifier("STUDY", PatientID="HOSTILE1", StudyInstanceUID=""), STUDY_FIND))
            equal(code(answers[-1][0]), "0000", "final status")
            uids = {each.StudyInstanceUID for _, each in answers if each is not None}
            expect({local, remote} <= uids, "the study here or that of the good archive is missing")
            equal(counted.get("AGOODONE"), {"answered"}, "outcome of the good one")
            return f"{time.monotonic() - begun:.1f} s"
        report.check("hostile", f"C-FIND over the same {len(names)} archives at rest", by_find, BAD)
        for title in titles.values():
            server.command("peer", "remove", server.folder, "--ae", title)


def request_then(body):
    """A peer that takes each request to its end and then does `body`."""
    def serve(connection):
        scp = Scp(connection)
        kind, request = scp.connection.pdu()
        scp.connection.send(raw_dimse.associate_ac(request))
        while True:
            scp.request()
            body(scp)
    return serve


def close_hard(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


DESTINATIONS = {
    "aborts after each instance": request_then(lambda scp: scp.connection.send(ABORT)),
    "answers another Message ID": request_then(lambda scp: scp.answer(0x0000, message=scp.message ^ 1)),
    "answers another command": request_then(lambda scp: scp.answer(0x0000, field=0x8140)),
    "answers pending": request_then(lambda scp: scp.answer(0xFF00)),
    "answers out of resources": request_then(lambda scp: scp.answer(0xA700)),
    "answers with a status of nobody": request_then(lambda scp: scp.answer(0x1234)),
    "answers twice": request_then(lambda scp: (scp.answer(0x0000), scp.answer(0x0000))),
    "closes at once": lambda connection: None,
    "resets at once": close_hard,
    "speaks HTTP": lambda connection: (connection.recv(1000), connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
    "accepts no context": accepts_with(result=4),
    "releases in the middle": request_then(lambda scp: scp.connection.send(RELEASE_RQ)),
    "sends half a response": request_then(lambda scp: (scp.connection.send(p_data(1, bytes(100), True)[:50]),
                                                     scp.connection.close())),
}


def check_destinations(report, door):
    server = door.server
    study = small_images.study("HOSTILE2", "Hostile^Two")
    with association(door, [build_context(CTImageStorage, ExplicitVRLittleEndian),
                            build_context(SecondaryCaptureImageStorage, ExplicitVRLittleEndian)]) as made:
        for each in study:
            equal(code(made.send_c_store(each)), "0000", "C-STORE status")
    with contextlib.ExitStack() as stack:
        titles = {}
        for number, (name, serve) in enumerate(DESTINATIONS.items()):
            port = stack.enter_context(raw_listener(serve))
            titles[name] = f"HOSTDEST{number:02d}"
            server.command("peer", "add", server.folder, "--ae", titles[name], "--host", "127.0.0.1", "--port", port)
        results = {}

        def move(name):
            begun = time.monotonic()
            with association(door, [build_context(STUDY_MOVE)]) as made:
                answers = list(made.send_c_move(
                    identifier("STUDY", StudyInstanceUID=study[0].StudyInstanceUID), titles[name], STUDY_MOVE))
            status = answers[-1][0]
            results[name] = (code(status), status.get("NumberOfFailedSuboperations"),
                             status.get("NumberOfCompletedSuboperations"), time.monotonic() - begun)
        threads = [threading.Thread(target=move, args=(name,)) for name in DESTINATIONS]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(180)
        for name in DESTINATIONS:
            def ended(name=name):
                expect(name in results, "no final response")
                status, failed, completed, taken = results[name]
                expect(taken < 60, f"{taken:.0f} s")
                if name == "answers twice":
                    # The second answer ends the association; what was answered before it counts.
                    expect(status in ("0000", "B000", "A702"), status)
                else:
                    equal(status, "A702", "final status")
                    equal(failed, len(study), "failed sub-operations")
                equal(failed + completed, len(study), "sub-operations that ended")
                return f"{status} after {taken:.1f} s"
            report.check("hostile", f"C-MOVE to a destination that {name}", ended, "PS3.4 §C.4.2")
        for title in titles.values():
            server.command("peer", "remove", server.folder, "--ae", title)


RECEIVERS = {
    "answer another Message ID": request_then(lambda scp: scp.answer(0x0000, message=scp.message ^ 1)),
    "answer another command": request_then(lambda scp: scp.answer(0x0000, field=0x8030)),
    "answer pending": request_then(lambda scp: scp.answer(0xFF00)),
    "never answer": request_then(lambda scp: time.sleep(120)),
    "answer byte by byte": request_then(lambda scp: drip(scp, p_data(scp.context, bytes(400), True))),
    "abort": request_then(lambda scp: scp.connection.send(ABORT)),
    "answer an unknown PDU": request_then(lambda scp: scp.connection.send(pdu(0x99, bytes(100)))),
    "never accept": lambda connection: time.sleep(120),
    "close at once": lambda connection: None,
}


# More than there are places for deliveries; each destination has two of them.
SILENT = {f"silence {number}": RECEIVERS["never answer"] for number in range(24)}


def check_receivers(report, door, receivers, words):
    """Performed steps are told to a good peer in time whatever others that are told too do."""
    server = door.server
    good_one = Notices("GOODMPPS")
    titles = {}
    with contextlib.ExitStack() as stack:
        stack.callback(good_one.stop)

        def add(title, port):
            server.command("peer", "add", server.folder, "--ae", title, "--host", "127.0.0.1", "--port", port,
                           "--offers", "mpps")
        add(good_one.title, good_one.port)
        for number, (name, serve) in enumerate(receivers.items()):
            titles[name] = f"HOSTMPPS{number:02d}"
            add(titles[name], stack.enter_context(raw_listener(serve)))

        def told():
            slowest = 0
            for _ in range(5):
                instance = generate_uid()
                begun = time.monotonic()
                perform(door, instance)
                for what in ("N-CREATE", "N-SET"):
                    expect(good_one.wait(lambda kind, _, uid, __, what=what: (kind, uid) == (what, instance), 20),
                           f"no {what} came in 20 s")
                slowest = max(slowest, time.monotonic() - begun)
            equal(len([each for each in good_one.told if each[0] == "N-CREATE"]), 5, "N-CREATE")
            return f"each step is told in {slowest:.1f} s"
        report.check("hostile", f"MPPS reaches a good peer beside {words}", told, "PS3.4 §F.7")
        for title in (good_one.title, *titles.values()):
            server.command("peer", "remove", server.folder, "--ae", title)


# Hostile SCUs


def check_callers(report, door):
    server = door.server

    def add(title, work, clause=BAD):
        report.check("hostile", f"{title}, {door.name}", work, clause)

    def find(keys):
        begun = time.monotonic()
        with association(door, [build_context(STUDY_FIND)]) as made:
            status = list(made.send_c_find(keys, STUDY_FIND))[-1][0]
        return code(status), time.monotonic() - begun

    def keys(count):
        it = identifier("STUDY", PatientID="HOSTILE1", StudyInstanceUID="")
        for number in range(count):
            it.add_new((0x0009 + 2 * (number // 4000), 0x1000 + number % 4000), "LO", "*")
        return it
    for count in (1000, 20000):
        def many(count=count):
            status, taken = find(keys(count))
            expect(status in ("0000", "A700", "C000"), status)
            quick(taken, 5)
            return f"{status} after {taken:.2f} s"
        add(f"C-FIND with {count} keys", many)

    def uids(count):
        return identifier("STUDY", StudyInstanceUID=[f"1.2.3.{number}" for number in range(count)])
    for count, wanted in ((10000, ("0000", "A900", "A700")), (300000, ("A700",))):
        def list_of(count=count, wanted=wanted):
            status, taken = find(uids(count))
            expect(status in wanted, status)
            quick(taken, 10)
            return f"{status} after {taken:.2f} s"
        add(f"C-FIND of {count} UIDs", list_of)

    def wildcards():
        status, taken = find(identifier("STUDY", PatientName="*".join("a" * 30) + "*", StudyInstanceUID=""))
        expect(status in ("0000", "A900"), status)
        quick(taken, 5)
        return f"{status} after {taken:.2f} s"
    add("C-FIND by thirty wildcards", wildcards)

    def moved(made, destination):
        """The status of a C-MOVE of a study that is not there."""
        made.send(p_data(1, command(0x0021, affected_class=uid(str(STUDY_MOVE)), message=1, priority=0, data_set=1,
                                    destination=text(destination)), True)
                  + p_data(1, element(8, 0x0052, text("STUDY")) + element(0x20, 0x000D, uid("1.2.3")), False))
        _, answer, _ = made.message()
        return struct.unpack("<H", answer[0, 0x0900])[0]

    def nowhere():
        made = raw_dimse.associate(door, "CLIENTS", [(1, STUDY_MOVE.encode(), [IMPLICIT])])
        begun = time.monotonic()
        for number in range(300):
            equal(moved(made, f"NOWHERE{number}"), 0xA801, "status")
        made.close()
        return f"{(time.monotonic() - begun) / 300 * 1000:.1f} ms each"
    add("300 C-MOVE to destinations that are no peers", nowhere, "PS3.4 §C.4.2")

    def odd_destinations():
        for name in (b"", b" ", b"A" * 17, b"../../etc", b"127.0.0.1:104", b"A\\B", b"\x00\x01\x02\x03", b"\xff" * 16):
            made = raw_dimse.associate(door, "CLIENTS", [(1, STUDY_MOVE.encode(), [IMPLICIT])])
            try:
                equal(f"{moved(made, name):04X}", "A801", f"status for {name!r}")
            finally:
                made.close()
    add("C-MOVE to what is no AE title", odd_destinations, "PS3.4 §C.4.2")

    def commitment(count):
        begun, before = time.monotonic(), server.rss_kib()
        request = Dataset()
        request.TransactionUID, request.ReferencedSOPSequence = generate_uid(), []
        for number in range(count):
            it = Dataset()
            it.ReferencedSOPClassUID, it.ReferencedSOPInstanceUID = CTImageStorage, f"1.2.3.4.{number}"
            request.ReferencedSOPSequence.append(it)
        with association(door, [build_context(StorageCommitmentPushModel)]) as made:
            made.dimse_timeout = 60
            sent = time.monotonic()
            status, _ = made.send_n_action(request, 1, StorageCommitmentPushModel, StorageCommitmentPushModelInstance)
        grown = (server.rss_kib() - before) / 1024
        expect(grown < 64, f"{grown:.0f} MiB more resident")
        return code(status), time.monotonic() - sent, grown

    for count, wanted in ((10001, ("0213",)), (100000, ("A700", "0213"))):
        def committed(count=count, wanted=wanted):
            status, taken, grown = commitment(count)
            expect(status in wanted, status)
            return f"{status} after {taken:.1f} s with the sending, {grown:.0f} MiB more resident"
        add(f"storage commitment of {count} instances", committed, "PS3.4 §J.3.2")

    def cancels():
        made = raw_dimse.associate(door, "CLIENTS", [(1, STUDY_FIND.encode(), [IMPLICIT])])
        made.send(p_data(1, command(0x0FFF, answers=1, data_set=0x0101), True) * 10000)
        made.send(p_data(1, command(0x0020, affected_class=uid(str(STUDY_FIND)), message=3, priority=0, data_set=1), True)
                  + p_data(1, element(8, 0x0052, text("STUDY")) + element(0x20, 0x000D, uid("1.2.3")), False))
        _, answer, _ = made.message()
        made.close()
        equal(struct.unpack("<H", answer[0, 0x0900])[0], 0, "status")
    add("10,000 C-CANCEL of nothing, then a C-FIND", cancels, "PS3.7 §9.3.2.3")

    def unanswered():
        """Requests one after the other without reading an answer end in an A-ABORT, not in memory."""
        made = raw_dimse.associate(door, "CLIENTS", [(1, b"1.2.840.10008.1.1", [IMPLICIT])])
        echo = p_data(1, command(0x0030, affected_class=uid("1.2.840.10008.1.1"), message=1, data_set=0x0101), True)
        with contextlib.suppress(OSError):
            for _ in range(200):
                made.send(echo * 100)
        kinds = set()
        with contextlib.suppress(OSError):
            while True:
                kinds.add(made.pdu()[0])
        made.close()
        expect(kinds <= {4, 7}, f"PDUs {kinds}")
    add("20,000 C-ECHO that nobody waits for", unanswered, "PS3.7 §D.3.3.3")

    def contexts():
        syntaxes = [f"1.2.840.10008.1.2.4.{number}".encode() for number in range(200)]
        made = raw_dimse.connect(door)
        with contextlib.suppress(OSError):
            made.send(raw_dimse.associate_rq(door.dimse["ae"], "CLIENTS", [
                (2 * number + 1, b"1.2.840.10008.1.1", syntaxes) for number in range(128)]))
            kind, _ = made.pdu()
            expect(kind in (3, 7), f"PDU {kind}")
        made.close()
    add("128 contexts of 200 transfer syntaxes", contexts, "PS3.8 §9.3.2")


# Associations that end badly


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


ENDS = {
    "A-ABORT": lambda made: made.send(ABORT), "closed": lambda made: None,
    "reset": lambda made: close_hard(made.socket), "released": lambda made: (made.send(RELEASE_RQ), made.pdu()),
    "half a request": lambda made: made.send(
        p_data(1, command(0x0030, affected_class=uid("1.2.840.10008.1.1"), message=1, data_set=0x0101), True)[:40]),
}


def check_cycles(report, doors):
    server = doors[0].server

    def run(door, count):
        ends = list(ENDS.values())
        refused = 0
        for number in range(count):
            try:
                made = raw_dimse.associate(door, "CLIENTS", [(1, b"1.2.840.10008.1.1", [IMPLICIT, EXPLICIT])])
            except ConnectionError:
                refused += 1
                continue
            # After an A-ABORT half of the time, else one of the other ends.
            (ends[0] if number % 2 else ends[1 + number // 2 % (len(ends) - 1)])(made)
            made.close()
        return refused

    for door, count in ((doors[0], CYCLES), (doors[1], CYCLES // 10)):
        def leaks(door=door, count=count):
            # What the allocator and the pools take once is there before it is measured.
            run(door, max(count // 5, 2000))
            time.sleep(2)
            files, resident = descriptors(server), server.rss_kib()
            begun = time.monotonic()
            refused = run(door, count)
            taken = time.monotonic() - begun
            for _ in range(300):
                if descriptors(server) <= files:
                    break
                time.sleep(0.2)
            grown = server.rss_kib() - resident
            expect(descriptors(server) <= files, f"{descriptors(server)} descriptors, {files} before")
            # 100 bytes for each that is lost would be more; the rest is what the allocator keeps.
            expect(grown < 6144 + count // 10, f"{grown} KiB more resident")
            equal(refused, 0, "associations refused")
            return f"{taken / count * 1000:.2f} ms each, {files} descriptors before and after, {grown} KiB more resident"
        report.check("hostile", f"{count} associations that end by A-ABORT, FIN, RST, half a request or release, {door.name}",
                     leaks, "PS3.8 §9.2.3")

    def places():
        with contextlib.ExitStack() as stack:
            for _ in range(20):
                made = raw_dimse.associate(doors[0], "CLIENTS", [(1, b"1.2.840.10008.1.1", [IMPLICIT])])
                stack.callback(made.close)
    report.check("hostile", "all 20 places of the caller are free afterwards", places, "PS3.8 §9.3.4")


def check(report, doors, backend):
    check_archives(report, doors, backend)
    check_destinations(report, doors[0])
    check_receivers(report, doors[0], RECEIVERS, f"{len(RECEIVERS)} that {', '.join(RECEIVERS)}")
    check_receivers(report, doors[0], SILENT, f"{len(SILENT)} that never answer")
    for door in doors:
        check_callers(report, door)
    check_cycles(report, doors)

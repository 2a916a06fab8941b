"""Hilum as SCP, door by door (clear text and TLS), as DCMTK's tools and pynetdicom see it.
PS3.8, PS3.7, PS3.4 Annexes A to C."""

import contextlib
import os
import pathlib
import socket
import subprocess
import threading
import time

import pydicom
from pydicom.uid import (
    CTImageStorage, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, SecondaryCaptureImageStorage,
    UltrasoundImageStorage,
)
from pynetdicom import AE, AllStoragePresentationContexts, build_context, build_role, evt
from pynetdicom.pdu_primitives import SOPClassExtendedNegotiation, UserIdentityNegotiation
from pynetdicom.sop_class import (
    PatientRootQueryRetrieveInformationModelFind,
    PatientRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)

import check_dicom
import own_certificate
import small_images
from check_query_retrieve import Receiver, free_port, identifier
from report import equal, expect, quick

FIND, MOVE, GET = "PS3.4 §C.4.1", "PS3.4 §C.4.2", "PS3.4 §C.4.3"
CANCEL = "PS3.7 §9.3.2.3"
STUDY_FIND = StudyRootQueryRetrieveInformationModelFind
STUDY_GET = StudyRootQueryRetrieveInformationModelGet
STUDY_MOVE = StudyRootQueryRetrieveInformationModelMove


class Checkpoint(threading.Event):
    """For pynetdicom's thread that waits for the peer's requests: as it comes, it may take a response that is fast from
    under the hands of who asked, who then waits in vain. So it has a moment to be where it is held."""

    def clear(self):
        super().clear()
        time.sleep(0.004)


@contextlib.contextmanager
def association(door, contexts, title="CLIENTS", negotiation=(), handlers=(), max_pdu=16382):
    ae = AE(ae_title=title)
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 120
    ae.requested_contexts = list(contexts)
    where = door.dimse
    made = ae.associate(
        where["host"], where["port"], ae_title=where["ae"], tls_args=door.dimse_tls(), max_pdu=max_pdu,
        ext_neg=list(negotiation), evt_handlers=list(handlers))
    held = Checkpoint()
    held.set()
    made._reactor_checkpoint, before = held, made._reactor_checkpoint
    before.set()
    try:
        yield made
    finally:
        if made.is_established:
            made.release()


def code(status):
    return f"{status.Status:04X}" if "Status" in status else "none"


def options(sop_class, data):
    item = SOPClassExtendedNegotiation()
    item.sop_class_uid = sop_class
    item.service_class_application_information = data
    return item


class Material:
    """What is stored before the checks: a study, and one of many images."""

    def __init__(self, door, many):
        self.study = small_images.study("SCP1", "Scp^Probe^^Dr", date="20260203", time="101500", accession="SCPACC1")
        self.many = small_images.study("SCP2", "Scp^Many", count=many)
        contexts = [build_context(CTImageStorage, ExplicitVRLittleEndian),
                    build_context(SecondaryCaptureImageStorage, ExplicitVRLittleEndian)]
        with association(door, contexts) as made:
            for each in self.study + self.many:
                equal(code(made.send_c_store(each)), "0000", "C-STORE status")
        self.uid, self.many_uid = self.study[0].StudyInstanceUID, self.many[0].StudyInstanceUID
        self.uids = {str(each.SOPInstanceUID) for each in self.study}


# DCMTK


def uids_in(folder):
    return {str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID)
            for path in folder.iterdir() if path.is_file()}


def wait_for_port(port, process=None):
    for _ in range(600):
        with contextlib.suppress(OSError), contextlib.closing(socket.create_connection(("127.0.0.1", port), 1)):
            return
        if process and process.poll() is not None:
            break
        time.sleep(0.1)
    raise AssertionError(f"nobody listens on {port} after a minute, or it ended")


@contextlib.contextmanager
def listening(command, port, log=None):
    """A program of others that listens on a port of loopback while the block runs; `log` takes what it says."""
    environment = {"DCMDICTPATH": "/usr/share/libdcmtk17/dicom.dic", "PATH": "/usr/sbin:/usr/bin:/bin", "TCP_NODELAY": "1"}
    with open(log or os.devnull, "ab") as out:
        process = subprocess.Popen([str(word) for word in command], env=environment, stdout=out, stderr=out)
    try:
        wait_for_port(port, process)
        yield process
    finally:
        process.terminate()
        process.wait(60)


def check_dcmtk(report, door, material, folder, ports, receivers):
    def add(title, work, clause):
        report.check("scp-dcmtk", f"{title}, {door.name}", work, clause)

    def succeeds(tool, *words):
        def run():
            status, text = check_dicom.dcmtk(door, tool, *words)
            equal(status, 0, text[-400:])
            return None
        return run

    add("echoscu 50 times on one association", succeeds("echoscu", "--repeat", 50), "PS3.7 §9.1.5")
    add("echoscu with 128 contexts of 38 transfer syntaxes",
        succeeds("echoscu", "-ppc", 128, "-pts", 38), "PS3.8 §9.3.2.2")
    add("echoscu --abort", succeeds("echoscu", "--abort"), "PS3.8 §9.3.8")

    for pdu in (4096, 131072):
        def stored(pdu=pdu):
            paths = small_images.write(folder / f"storescu-{door.name}-{pdu}", small_images.study("SCP3", "Scp^Stored"))
            status, text = check_dicom.dcmtk(door, "storescu", "-pdu", pdu, "-xe", *paths)
            equal(status, 0, text[-400:])
        add(f"storescu of five files with PDUs of {pdu}", stored, "PS3.4 §B.2.3")

    def identified():
        status, text = check_dicom.dcmtk(
            door, "storescu", "-usr", "someone", "-pwd", "secret", "-xe",
            *small_images.write(folder / f"identified-{door.name}", small_images.study("SCP3", "Scp^Stored")))
        equal(status, 0, text[-400:])
    add("storescu with a user name and a passcode, which are passed over", identified, "PS3.7 §D.3.3.7")

    study = material.study[0]
    levels = [
        ("-P", "PATIENT", ["PatientID=SCP1", "PatientName"], 1),
        ("-S", "STUDY", ["PatientName=scp^pr*", "StudyInstanceUID", "NumberOfStudyRelatedInstances"], 1),
        ("-S", "STUDY", ["StudyDate=20260203-20260203", "StudyTime=100000-110000", "AccessionNumber=SCPACC1"], 1),
        ("-S", "STUDY", ["PatientID=SCP1", "ModalitiesInStudy=OT"], 1),
        ("-S", "STUDY", ["PatientID=SCP1", "StudyDate=-20200101"], 0),
        ("-S", "SERIES", [f"StudyInstanceUID={material.uid}", "SeriesInstanceUID", "Modality"], 2),
        ("-S", "IMAGE", [f"StudyInstanceUID={material.uid}", f"SeriesInstanceUID={study.SeriesInstanceUID}",
                         "SOPInstanceUID"], 4),
        ("-P", "IMAGE", ["PatientID=SCP1", f"StudyInstanceUID={material.uid}",
                         f"SeriesInstanceUID={study.SeriesInstanceUID}", "SOPInstanceUID"], 4),
    ]
    for root, level, keys, count in levels:
        def found(root=root, level=level, keys=keys, count=count):
            words = [word for key in [f"QueryRetrieveLevel={level}", *keys] for word in ("-k", key)]
            into = folder / f"findscu-{door.name}-{free_port()}"
            into.mkdir()
            status, text = check_dicom.dcmtk(door, "findscu", root, "-X", "-od", into, *words)
            equal(status, 0, text[-400:])
            equal(len(list(into.iterdir())), count, "answers")
        told = " ".join(key for key in keys if "UID=" not in key)
        add(f"findscu {root} {level} {told}", found, FIND)

    def cancelled():
        status, text = check_dicom.dcmtk(
            door, "findscu", "-S", "--cancel", 1, "-k", "QueryRetrieveLevel=IMAGE", "-k",
            f"StudyInstanceUID={material.many_uid}", "-k", f"SeriesInstanceUID={material.many[0].SeriesInstanceUID}",
            "-k", "SOPInstanceUID")
        equal(status, 0, text[-400:])
    add("findscu --cancel after the first of many", cancelled, CANCEL)

    # These tools of DCMTK 3.6.7 have no TLS.
    if door.dimse["tls"]:
        return

    def sent():
        into = folder / "dcmsend"
        small_images.write(into, small_images.study("SCP4", "Scp^Sent", count=30))
        status, text = check_dicom.dcmtk(door, "dcmsend", "+sd", into)
        equal(status, 0, text[-400:])
        expect("31" in text, text[-400:])
    add("dcmsend of a folder", sent, "PS3.4 §B.2.3")

    def terminated():
        status, text = check_dicom.dcmtk(door, "termscu")
        expect(door.is_running(), "the server is gone")
        equal(check_dicom.dcmtk(door, "echoscu")[0], 0, "echoscu afterwards")
        return f"exit code {status}"
    add("termscu does not end the server", terminated, "PS3.8 §9.3.3.2")

    for root, level, keys, wanted in (
            ("-P", "PATIENT", ["PatientID=SCP1"], material.uids),
            ("-S", "STUDY", [f"StudyInstanceUID={material.uid}"], material.uids),
            ("-S", "SERIES", [f"StudyInstanceUID={material.uid}", f"SeriesInstanceUID={study.SeriesInstanceUID}"],
             {str(each.SOPInstanceUID) for each in material.study[:-1]}),
            ("-S", "IMAGE", [f"StudyInstanceUID={material.uid}", f"SeriesInstanceUID={study.SeriesInstanceUID}",
                             f"SOPInstanceUID={study.SOPInstanceUID}"], {str(study.SOPInstanceUID)})):
        words = [word for key in [f"QueryRetrieveLevel={level}", *keys] for word in ("-k", key)]

        def got(root=root, level=level, words=words, wanted=wanted):
            into = folder / f"getscu-{level}"
            into.mkdir()
            status, text = check_dicom.dcmtk(door, "getscu", root, "-od", into, *words)
            equal(status, 0, text[-400:])
            equal(uids_in(into), wanted, "instances")
        add(f"getscu {root} {level}", got, GET)

        def moved(root=root, level=level, words=words, wanted=wanted):
            into = folder / f"movescu-{level}"
            into.mkdir()
            status, text = check_dicom.dcmtk(
                door, "movescu", root, "-aet", "MOVESELF", "+P", ports["MOVESELF"], "-aem", "MOVESELF", "-od", into, *words)
            equal(status, 0, text[-400:])
            equal(uids_in(into), wanted, "instances")
        add(f"movescu {root} {level} to itself", moved, MOVE)

    words = ["-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={material.uid}"]
    key, certificate = ports["key"], ports["certificate"]
    for title, more in (("PLAINSCP", []), ("TLSSCP", ["+tls", key, certificate, "-ic"]),
                        ("ABORTSCP", ["--abort-after"]), ("REFUSESCP", ["--refuse"])):
        def to_storescp(title=title, more=more):
            into = folder / title
            into.mkdir()
            command = ["storescp", *more, "-aet", title, "-od", into, ports[title]]
            with listening(command, ports[title]):
                status, text = check_dicom.dcmtk(door, "movescu", "-S", "-aem", title, *words)
            if title in ("PLAINSCP", "TLSSCP"):
                equal(status, 0, text[-400:])
                equal(uids_in(into), material.uids, "instances")
            else:
                expect("Refused: Out" in text or "Failed" in text or "Refused" in text or "A702" in text.upper(),
                       text[-400:])
        what = {"PLAINSCP": "storescp", "TLSSCP": "storescp by TLS", "ABORTSCP": "storescp --abort-after fails in words",
                "REFUSESCP": "storescp --refuse fails in words"}[title]
        add(f"movescu to {what}", to_storescp, MOVE)

    def cancelled_move():
        before = len(receivers["SLOWSCP"].received)
        status, text = check_dicom.dcmtk(
            door, "movescu", "-S", "--cancel", 1, "-aem", "SLOWSCP", "-k", "QueryRetrieveLevel=STUDY", "-k",
            f"StudyInstanceUID={material.many_uid}")
        sent = len(receivers["SLOWSCP"].received) - before
        expect(sent < 20, f"{sent} were moved all the same: {text[-300:]}")
        return f"exit code {status}, {sent} instances"
    add("movescu --cancel after the first response", cancelled_move, CANCEL)


# pynetdicom


def check_negotiation(report, door, material, token):
    def add(title, work, clause):
        report.check("scp-pynetdicom", f"{title}, {door.name}", work, clause)

    def roles():
        find = build_role(STUDY_FIND, scu_role=True, scp_role=True)
        contexts = [build_context(STUDY_FIND), build_context(CTImageStorage), build_context(STUDY_GET)]
        with association(door, contexts, negotiation=[find, build_role(CTImageStorage, scp_role=True)]) as made:
            given = {item.sop_class_uid: (item.scu_role, item.scp_role)
                     for item in made.acceptor.role_selection.values()}
            equal(given.get(CTImageStorage), (False, True), "roles of CT Image Storage")
            expect(given.get(STUDY_FIND, (True, False)) == (True, False), f"roles of FIND: {given.get(STUDY_FIND)}")
    add("role selection: SCP of storage, never of FIND", roles, "PS3.7 §D.3.3.4")

    def get_of_one_class():
        received = []

        def store(event):
            received.append(str(event.request.AffectedSOPInstanceUID))
            return 0x0000
        with association(door, [build_context(STUDY_GET), build_context(CTImageStorage)],
                         negotiation=[build_role(CTImageStorage, scp_role=True)],
                         handlers=[(evt.EVT_C_STORE, store)]) as made:
            answers = list(made.send_c_get(identifier("STUDY", StudyInstanceUID=material.uid), STUDY_GET))
        status, failed = answers[-1]
        equal(code(status), "B000", "status")
        equal((status.NumberOfCompletedSuboperations, status.NumberOfFailedSuboperations), (4, 1), "completed, failed")
        uids = failed.FailedSOPInstanceUIDList
        equal(str(uids), str(material.study[-1].SOPInstanceUID), "Failed SOP Instance UID List")
        equal(set(received), {str(each.SOPInstanceUID) for each in material.study[:-1]}, "instances")
    add("C-GET counts what has no context as failed, and the rest goes on", get_of_one_class, GET)

    def get_without_role():
        with association(door, [build_context(STUDY_GET), build_context(CTImageStorage)]) as made:
            status, _ = list(made.send_c_get(identifier("STUDY", StudyInstanceUID=material.uid), STUDY_GET))[-1]
        equal(code(status), "A702", "status")
    add("C-GET without the SCP role fails all", get_without_role, GET)

    def extended():
        negotiation = options(STUDY_FIND, b"\x01\x01\x01\x01\x01")
        with association(door, [build_context(STUDY_FIND)], negotiation=[negotiation]) as made:
            answer = made.acceptor.sop_class_extended
            equal({str(uid): bytes(data)[:5] for uid, data in answer.items()}, {str(STUDY_FIND): b"\x01\x01\x01\0\0"}, "answer")
    add("extended negotiation of FIND: relational, combined date and time, fuzzy", extended, "PS3.4 §C.5.1.1")

    def shorter():
        with association(door, [build_context(STUDY_FIND)], negotiation=[options(STUDY_FIND, b"\x01")]) as made:
            answer = made.acceptor.sop_class_extended
            equal([bytes(data) for data in answer.values()], [b"\x01"], "answer")
    add("extended negotiation is answered in as many bytes as were proposed", shorter, "PS3.4 §C.5.1.1")

    def combined():
        keys = identifier("STUDY", PatientID="SCP1", StudyDate="20260203-20260204", StudyTime="090000-080000")
        for data, wanted in ((None, 0), (b"\x00\x01", 1)):
            negotiation = [options(STUDY_FIND, data)] if data else []
            with association(door, [build_context(STUDY_FIND)], negotiation=negotiation) as made:
                answers = list(made.send_c_find(keys, STUDY_FIND))
            equal(sum(1 for status, _ in answers if code(status) in ("FF00", "FF01")), wanted, f"matches, {data}")
    add("date and time are combined when that was negotiated and apart else", combined, "PS3.4 §C.2.2.2.5")

    def fuzzy():
        keys = identifier("STUDY", PatientID="SCP1", PatientName="PROOBE SKP", StudyInstanceUID="")
        for data, wanted in ((None, 0), (b"\x00\x00\x01", 1)):
            negotiation = [options(STUDY_FIND, data)] if data else []
            with association(door, [build_context(STUDY_FIND)], negotiation=negotiation) as made:
                answers = list(made.send_c_find(keys, STUDY_FIND))
            equal(sum(1 for status, _ in answers if code(status) in ("FF00", "FF01")), wanted, f"matches, {data}")
    add("a name is found by its sound, in any order, when that was negotiated", fuzzy, "PS3.4 §C.2.2.2.1.1")

    for kind, primary, secondary in ((1, b"someone", b""), (2, b"someone", b"secret"), (3, b"a kerberos ticket", b""),
                                     (4, b"<saml/>", b""), (5, b"not.a.token", b""), (5, token.encode(), b"")):
        def identity(kind=kind, primary=primary, secondary=secondary):
            user = UserIdentityNegotiation()
            user.user_identity_type, user.primary_field = kind, primary
            user.positive_response_requested = True
            if secondary:
                user.secondary_field = secondary
            with association(door, [build_context(Verification)], negotiation=[user]) as made:
                if primary == b"not.a.token":
                    expect(made.is_rejected, "not rejected")
                    answer = made.acceptor.primitive
                    equal((answer.result, answer.result_source, answer.diagnostic), (1, 1, 1), "rejection")
                    return "rejected 1/1/1"
                expect(made.is_established, "not established")
                equal(code(made.send_c_echo()), "0000", "C-ECHO")
                response = made.acceptor.user_identity
                return f"response {'given' if response is not None else 'none'}"
        name = {1: "user name", 2: "with passcode", 3: "Kerberos", 4: "SAML", 5: "JWT"}[kind]
        add(f"user identity type {kind}, {name}{', valid' if primary == token.encode() else ''}", identity, "PS3.7 §D.3.3.7")

    def several_contexts():
        syntaxes = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian]
        contexts = [build_context(CTImageStorage, each) for each in syntaxes]
        with association(door, contexts) as made:
            accepted = [(context.context_id, str(context.transfer_syntax[0])) for context in made.accepted_contexts]
            equal(accepted, [(2 * n + 1, str(each)) for n, each in enumerate(syntaxes)], "accepted contexts")
            study = small_images.study("SCP5", "Scp^Contexts", count=2)[:2]
            for each in study:
                equal(code(made.send_c_store(each)), "0000", "C-STORE status")
    add("three contexts of one class, each with its transfer syntax", several_contexts, "PS3.8 §9.3.2.2")

    def many_contexts():
        contexts = [build_context(context.abstract_syntax, [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
                    for context in AllStoragePresentationContexts[:127]] + [build_context("1.2.840.10008.99.7")]
        with association(door, contexts) as made:
            expect(made.is_established, "not established")
            equal(len(made.accepted_contexts), 127, "accepted contexts")
            equal([(c.abstract_syntax, c.result) for c in made.rejected_contexts], [("1.2.840.10008.99.7", 3)], "rejected")
    add("128 contexts, one of an unknown class", many_contexts, "PS3.8 §9.3.3.2")

    # 0 is without a limit.
    for size in (1024, 1025, 4097, 16383, 65535, 1048577, 0):
        def pdus(size=size):
            longest, received = [0], []

            def seen(event):
                if type(event.pdu).__name__ == "P_DATA_TF":
                    longest[0] = max(longest[0], event.pdu.pdu_length)

            def store(event):
                received.append(str(event.request.AffectedSOPInstanceUID))
                return 0x0000
            contexts = [build_context(STUDY_GET), build_context(STUDY_FIND),
                        *(build_context(uid, ExplicitVRLittleEndian) for uid in (
                            CTImageStorage, SecondaryCaptureImageStorage, UltrasoundImageStorage))]
            big = small_images.image(1, pydicom.uid.generate_uid(), pydicom.uid.generate_uid(), "SCP6", "Scp^Pdu",
                                     sop_class=UltrasoundImageStorage, modality="US")
            big.Rows, big.Columns, big.PixelData = 300, 500, bytes(range(250)) * 1200
            with association(door, contexts, max_pdu=size, handlers=[(evt.EVT_C_STORE, store), (evt.EVT_PDU_RECV, seen)],
                             negotiation=[build_role(UltrasoundImageStorage, scu_role=True, scp_role=True)]) as made:
                expect(made.is_established, "not established")
                equal(code(made.send_c_store(big)), "0000", "C-STORE status")
                answers = list(made.send_c_find(identifier("STUDY", StudyInstanceUID=material.uid), STUDY_FIND))
                equal([code(status) for status, _ in answers], ["FF00", "0000"], "C-FIND statuses")
                status, _ = list(made.send_c_get(identifier("STUDY", StudyInstanceUID=big.StudyInstanceUID), STUDY_GET))[-1]
                equal(code(status), "0000", "C-GET status")
            equal(received, [str(big.SOPInstanceUID)], "instances")
            expect(not size or longest[0] <= size, f"a P-DATA-TF of {longest[0]} bytes")
            return f"longest P-DATA-TF {longest[0]}"
        add(f"maximum length {size}", pdus, "PS3.8 §D.1")

    def too_small():
        with association(door, [build_context(Verification)], max_pdu=512) as made:
            expect(made.is_rejected, "not rejected")
    add("maximum length 512 is rejected", too_small, "PS3.8 §D.1")


def check_cancel(report, door, material, receivers):
    def add(title, work, clause):
        report.check("scp-pynetdicom", f"{title}, {door.name}", work, clause)

    def within_a_second(made, answers, model, after=1):
        """(final status, seconds from the C-CANCEL to it, responses before it)."""
        begun, last, count = None, None, 0
        for status, _ in answers:
            last, count = status, count + 1
            if count == after:
                begun = time.monotonic()
                made.send_c_cancel(9, query_model=model)
        expect(begun is not None, "no response before the final one")
        taken = time.monotonic() - begun
        quick(taken, 1, "until the final response")
        return last, taken

    def find():
        with association(door, [build_context(STUDY_FIND)]) as made:
            keys = identifier("IMAGE", StudyInstanceUID=material.many_uid,
                              SeriesInstanceUID=material.many[0].SeriesInstanceUID, SOPInstanceUID="")
            last, taken = within_a_second(made, made.send_c_find(keys, STUDY_FIND, msg_id=9), STUDY_FIND)
            expect(code(last) in ("FE00", "0000"), code(last))
            answers = list(made.send_c_find(identifier("STUDY", StudyInstanceUID=material.uid), STUDY_FIND))
            equal(code(answers[-1][0]), "0000", "the next C-FIND")
        return f"{code(last)} after {taken * 1000:.0f} ms"
    add("C-CANCEL of a C-FIND ends it within a second, and the association goes on", find, CANCEL)

    def get():
        def store(event):
            time.sleep(0.05)
            return 0x0000
        with association(door, [build_context(STUDY_GET), build_context(CTImageStorage)],
                         negotiation=[build_role(CTImageStorage, scp_role=True)],
                         handlers=[(evt.EVT_C_STORE, store)]) as made:
            keys = identifier("STUDY", StudyInstanceUID=material.many_uid)
            last, taken = within_a_second(made, made.send_c_get(keys, STUDY_GET, msg_id=9), STUDY_GET)
        equal(code(last), "FE00", "final status")
        expect(last.NumberOfRemainingSuboperations > 0, "nothing remains")
        return f"{taken * 1000:.0f} ms"
    add("C-CANCEL of a C-GET ends it within a second with what remains", get, CANCEL)

    def move():
        with association(door, [build_context(STUDY_MOVE)]) as made:
            keys = identifier("STUDY", StudyInstanceUID=material.many_uid)
            last, taken = within_a_second(made, made.send_c_move(keys, "SLOWSCP", STUDY_MOVE, msg_id=9), STUDY_MOVE)
        equal(code(last), "FE00", "final status")
        return f"{taken * 1000:.0f} ms"
    add("C-CANCEL of a C-MOVE to a slow destination ends it within a second", move, CANCEL)

    def pending():
        with association(door, [build_context(STUDY_MOVE)]) as made:
            keys = identifier("STUDY", StudyInstanceUID=material.uid)
            times = [time.monotonic()]
            for status, _ in made.send_c_move(keys, "SLOWEST", STUDY_MOVE):
                times.append(time.monotonic())
            equal(code(status), "0000", "final status")
        longest = max(b - a for a, b in zip(times, times[1:]))
        quick(longest, 3, "without a response")
        return f"longest pause {longest:.1f} s"
    add("pending responses of a C-MOVE to a destination that takes four seconds for each", pending, MOVE)

    def two_at_once():
        """The same study to two destinations, and a third caller gets it meanwhile."""
        finals = {}

        def run(destination):
            with association(door, [build_context(STUDY_MOVE)]) as made:
                keys = identifier("STUDY", StudyInstanceUID=material.uid)
                finals[destination] = code(list(made.send_c_move(keys, destination, STUDY_MOVE))[-1][0])
        threads = [threading.Thread(target=run, args=(title,)) for title in ("SCPRECV", "SCPRECV2")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(180)
        equal(finals, {"SCPRECV": "0000", "SCPRECV2": "0000"}, "final statuses")
        for title in finals:
            expect(material.uids <= set(receivers[title].received), f"not all arrived at {title}")
    add("two C-MOVE of one study at once to two destinations", two_at_once, MOVE)


def check_queries(report, door, material):
    def add(title, work, clause):
        report.check("scp-pynetdicom", f"{title}, {door.name}", work, clause)

    def find(keys, model=STUDY_FIND, negotiation=()):
        with association(door, [build_context(model)], negotiation=negotiation) as made:
            answers = list(made.send_c_find(keys, model))
        return [status for status, _ in answers], [match for _, match in answers if match is not None]

    def uid_list():
        keys = identifier("STUDY", StudyInstanceUID=[material.uid, material.many_uid, "1.2.3"])
        _, matches = find(keys)
        equal({m.StudyInstanceUID for m in matches}, {material.uid, material.many_uid}, "matches")
    add("C-FIND by a list of UIDs", uid_list, "PS3.4 §C.2.2.2.2")

    def character_set():
        keys = identifier("STUDY", StudyInstanceUID=material.uid, PatientName="")
        keys.SpecificCharacterSet = "ISO_IR 100"
        _, matches = find(keys)
        expect("SpecificCharacterSet" in matches[0] and matches[0].SpecificCharacterSet == "ISO_IR 100",
               f"Specific Character Set {matches[0].get('SpecificCharacterSet')!r}")
    add("C-FIND is answered in the character set of the request", character_set, "PS3.4 §C.4.1.1.3.2")

    def bad_level():
        statuses, _ = find(identifier("PATIENT", PatientID="SCP1"))
        equal(code(statuses[-1]), "A900", "status")
        equal(statuses[-1].OffendingElement, 0x00080052, "Offending Element")
    add("C-FIND at PATIENT level of the Study Root is A900 naming the level", bad_level, FIND)

    def patient_get():
        received = []

        def store(event):
            received.append(str(event.request.AffectedSOPInstanceUID))
            return 0x0000
        model = PatientRootQueryRetrieveInformationModelGet
        uids = (CTImageStorage, SecondaryCaptureImageStorage)
        with association(door, [build_context(model), *(build_context(uid) for uid in uids)],
                         negotiation=[build_role(uid, scp_role=True) for uid in uids],
                         handlers=[(evt.EVT_C_STORE, store)]) as made:
            status, _ = list(made.send_c_get(identifier("PATIENT", PatientID="SCP1"), model))[-1]
        equal(code(status), "0000", "status")
        equal(set(received), material.uids, "instances")
    add("C-GET of a patient in Implicit VR of what is stored in Explicit VR", patient_get, GET)

    def patients():
        _, matches = find(identifier("PATIENT", PatientID="SCP?", PatientName=""),
                          PatientRootQueryRetrieveInformationModelFind)
        ids = [m.PatientID for m in matches]
        equal(len(ids), len(set(ids)), "patients, each once")
        expect({"SCP1", "SCP2"} <= set(ids), f"patients {ids}")
    add("C-FIND of patients by a wildcard, each once", patients, FIND)


def prepare(server, folder):
    """Adds the destinations; before the server starts. Gives their ports and receivers."""
    ports = {title: free_port() for title in ("MOVESELF", "PLAINSCP", "TLSSCP", "ABORTSCP", "REFUSESCP")}
    key, certificate, digest = own_certificate.make(folder, "tlsscp")
    ports.update(key=key, certificate=certificate)
    for title in ("MOVESELF", "PLAINSCP", "ABORTSCP", "REFUSESCP"):
        server.add_ae(title, port=ports[title])
    server.command("peer", "add", server.folder, "--ae", "TLSSCP", "--host", "127.0.0.1", "--port", ports["TLSSCP"],
                   "--tls", digest, "--may", "echo")
    receivers = {"SCPRECV": Receiver("SCPRECV"), "SCPRECV2": Receiver("SCPRECV2"),
                 "SLOWSCP": Receiver("SLOWSCP", delay=0.3), "SLOWEST": Receiver("SLOWEST", delay=4)}
    for title, receiver in receivers.items():
        server.add_ae(title, port=receiver.port)
    return ports, receivers


def check(report, doors, folder, prepared, token):
    """`doors` of one running server, `prepared` is that of ``prepare``, `token` an access token."""
    ports, receivers = prepared
    folder = pathlib.Path(folder) / "scp"
    folder.mkdir()
    material = Material(doors[0], many=400)
    for door in doors:
        check_dcmtk(report, door, material, folder, ports, receivers)
        check_negotiation(report, door, material, token)
        check_queries(report, door, material)
        check_cancel(report, door, material, receivers)
    for receiver in receivers.values():
        receiver.stop()

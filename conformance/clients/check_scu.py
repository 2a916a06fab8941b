"""Hilum as SCU: what `hilum peer test` says of programs of others, and what is told to them (MPPS, IAN, commitment)."""

import contextlib
import json
import pathlib
import socket
import subprocess
import threading
import time

from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid
from pynetdicom import AE, build_context, evt
from pynetdicom.sop_class import (
    InstanceAvailabilityNotification,
    ModalityPerformedProcedureStep,
    ModalityWorklistInformationFind,
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)

import check_hl7
import check_mpps
import hilum_server
import other_archives
import own_certificate
import small_images
from check_query_retrieve import free_port
from check_scp import association, code, listening
from report import equal, expect

TEST = "PS3.2 §N.7"
MPPS, IAN, COMMIT = "PS3.4 §F.7", "PS3.4 §R.3", "PS3.4 §J.3.3"


class Tester:
    """`hilum peer test` of a peer that is added for it and removed again."""

    def __init__(self, server):
        self.server = server

    def __call__(self, title, port, offers, tls=None, calling=None):
        """The findings; the exit code must agree with them."""
        words = ["--ae", title, "--host", "127.0.0.1", "--port", port, "--offers", offers]
        self.server.command("peer", "add", self.server.folder, *words, *(["--tls", tls] if tls else []))
        try:
            done = subprocess.run(
                [str(hilum_server.BINARY), "peer", "test", str(self.server.folder), "--ae", title, "--json",
                 *(["--calling-ae", calling] if calling else [])],
                capture_output=True, text=True, timeout=180, stdin=subprocess.DEVNULL)
        finally:
            self.server.command("peer", "remove", self.server.folder, "--ae", title)
        expect(done.stdout.startswith("["), f"exit code {done.returncode}: {done.stderr[-300:]}")
        findings = json.loads(done.stdout)
        failed = [each for each in findings if each["outcome"] == "fail"]
        equal(done.returncode, 1 if failed else 0, f"exit code beside {failed}")
        expect(all(each.get("fix") for each in failed), "a failure does not say what to change")
        return findings


def fine(findings, *steps):
    """All of these steps are ok and nothing fails; the findings in short."""
    bad = [each for each in findings if each["outcome"] == "fail"]
    expect(not bad, f"{bad}")
    done = {each["step"] for each in findings if each["outcome"] == "ok"}
    expect(set(steps) <= done, f"{set(steps) - done} not ok: {findings}")
    return "; ".join(each["text"] for each in findings if each["outcome"] != "ok")


def fails(findings, step, *words):
    """The one failure is of this step and says these words; all of what it says."""
    bad = [each for each in findings if each["outcome"] == "fail"]
    equal([each["step"] for each in bad], [step], f"failing steps of {findings}")
    for word in words:
        expect(word in bad[0]["text"] + bad[0]["fix"], f"{word!r} is not in {bad[0]}")
    return f"{bad[0]['text']}; to do: {bad[0]['fix']}"


@contextlib.contextmanager
def application(title, contexts, handlers=(), tls=None, **attributes):
    """A pynetdicom AE that listens; gives its port."""
    ae = AE(ae_title=title)
    for each in contexts:
        if isinstance(each, tuple):
            ae.add_supported_context(each[0], scu_role=each[1], scp_role=each[2])
        else:
            ae.add_supported_context(each)
    for name, value in attributes.items():
        setattr(ae, name, value)
    listener = ae.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=list(handlers), ssl_context=tls and own_certificate.server_context(*tls))
    try:
        yield listener.socket.getsockname()[1]
    finally:
        listener.shutdown()


@contextlib.contextmanager
def raw_listener(serve):
    """A socket that is no DICOM peer: `serve(connection)` in a thread for each connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=guarded, args=(connection,), daemon=True).start()

    def guarded(connection):
        with contextlib.suppress(OSError), connection:
            serve(connection)

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


ALL = [Verification, StudyRootQueryRetrieveInformationModelFind, StudyRootQueryRetrieveInformationModelMove,
       StudyRootQueryRetrieveInformationModelGet, CTImageStorage, ModalityPerformedProcedureStep,
       InstanceAvailabilityNotification, ModalityWorklistInformationFind, StorageCommitmentPushModel]


def no_matches(event):
    yield 0x0000, None


def check_peer_test(report, server, folder):
    test = Tester(server)
    key, certificate, digest = own_certificate.make(folder, "peertest")
    other_digest = own_certificate.make(folder, "another")[2]

    def add(title, work):
        report.check("peer-test", title, work, TEST)

    # DCMTK

    def storescp(tls):
        port = free_port()
        into = folder / f"storescp-{tls or 'clear'}-{port}"
        into.mkdir()
        command = ["storescp", *(["+tls", key, certificate, "-ic"] if tls else []), "-aet", "STORESCP", "-od", into, port]
        return listening(command, port), port

    def clear():
        running, port = storescp(False)
        with running:
            return fine(test("STORESCP", port, "echo,store"), "connect", "associate", "context", "echo")
    add("storescp", clear)

    def pinned():
        running, port = storescp(True)
        with running:
            return fine(test("STORESCP", port, "echo,store", tls=digest), "connect", "tls", "associate", "context", "echo")
    add("storescp by TLS with the certificate that counts", pinned)

    # Who the user is, as the configuration says.

    def identified():
        told = []

        def user(event):
            told.append((event.user_id_type, event.primary_field, event.secondary_field or None))
            # JSON Web Tokens are of nobody here.
            return event.user_id_type != 5, None

        passcode, token = folder / "passcode", folder / "token"
        for path, text in ((passcode, "open sesame\n"), (token, "a.b.c\n")):
            path.write_text(text)
            path.chmod(0o600)
        configured = server.folder / "hilum.yaml"
        before = configured.read_text()
        configured.write_text(
            f"{before}\nidentities:\n  NAMED: {{ user: hilum }}\n"
            f"  SECRET: {{ user: hilum, passcode-file: {passcode} }}\n"
            f"  TOKEN: {{ jwt-file: {token} }}\n")
        try:
            with application("ANY", [Verification], [(evt.EVT_USER_ID, user)]) as port:
                for title in ("NAMED", "SECRET"):
                    fine(test(title, port, "echo"), "associate", "echo")
                refused = fails(test("TOKEN", port, "echo"), "associate")
        finally:
            configured.write_text(before)
        equal(told, [(1, b"hilum", None), (2, b"hilum", b"open sesame"), (5, b"a.b.c", None)], "user identities")
        return refused
    report.check("peer-test", "a peer is told of the user by name, passcode or token, and may refuse", identified,
                 "PS3.7 §D.3.3.7")

    def another():
        running, port = storescp(True)
        with running:
            return fails(test("STORESCP", port, "echo,store", tls=other_digest), "tls", digest)
    add("storescp by TLS with another certificate", another)

    def unverified():
        running, port = storescp(True)
        with running:
            return fails(test("STORESCP", port, "echo,store", tls="on"), "tls", digest, "client-authorities")
    add("storescp by TLS with a certificate of nobody known", unverified)

    def tls_called_clear():
        running, port = storescp(True)
        with running:
            return fails(test("STORESCP", port, "echo,store"), "associate", "--tls")
    add("storescp by TLS that is called in clear text", tls_called_clear)

    def clear_called_tls():
        running, port = storescp(False)
        with running:
            return fails(test("STORESCP", port, "echo,store", tls="on"), "tls", "--tls off")
    add("storescp in clear text that is called by TLS", clear_called_tls)

    def storescp_refuses():
        port = free_port()
        with listening(["storescp", "--refuse", port], port):
            return fails(test("STORESCP", port, "echo,store"), "associate")
    add("storescp --refuse", storescp_refuses)

    def storescp_no_find():
        running, port = storescp(False)
        with running:
            findings = test("STORESCP", port, "echo,find,store")
        bad = [each for each in findings if each["outcome"] == "fail"]
        expect(bad and all(each["step"] == "context" for each in bad), f"{findings}")
        expect("--offers" in bad[0]["fix"], bad[0]["fix"])
        return bad[0]["text"] + "; to do: " + bad[0]["fix"]
    add("storescp that is said to find", storescp_no_find)

    def dcmqrscp():
        with other_archives.dcmqrscp(folder / "peertest-dcmqrscp") as archive:
            return fine(test(archive.title, archive.port, "echo,find,move,get,store"), "associate", "echo", "find")
    add("dcmqrscp", dcmqrscp)

    def dcmqrscp_unknown():
        with other_archives.dcmqrscp(
                folder / "peertest-dcmqrscp2", modalities=[("SOMEBODY", 104)], more=["peers-only"]) as archive:
            return fails(test(archive.title, archive.port, "echo,find"), "associate", "HILUM")
    add("dcmqrscp that does not know the caller", dcmqrscp_unknown)

    def dcmqrscp_title():
        with other_archives.dcmqrscp(folder / "peertest-dcmqrscp3") as archive:
            return fails(test("NOTITSTITLE", archive.port, "echo,find"), "associate")
    add("dcmqrscp by another title", dcmqrscp_title)

    # Orthanc

    def orthanc():
        with other_archives.orthanc(folder / "peertest-orthanc", modalities=[("HILUM", 104)]) as archive:
            return fine(test(archive.title, archive.port, "echo,find,move,get,store,commit"), "associate", "echo", "find")
    add("Orthanc", orthanc)

    def orthanc_tls():
        with other_archives.orthanc(folder / "peertest-orthanc4", modalities=[("HILUM", 104)],
                                    tls=(key, certificate, server.ca)) as archive:
            return fine(test(archive.title, archive.port, "echo,find,move,get,store,commit", tls=digest),
                        "tls", "associate", "echo", "find")
    add("Orthanc by TLS that checks this server's certificate", orthanc_tls)

    def orthanc_distrusts():
        with other_archives.orthanc(folder / "peertest-orthanc5", modalities=[("HILUM", 104)],
                                    tls=(key, certificate, certificate)) as archive:
            return fails(test(archive.title, archive.port, "echo,find", tls=digest), "associate", "this server's certificate")
    add("Orthanc by TLS that does not take this server's certificate", orthanc_distrusts)

    def orthanc_unknown():
        with other_archives.orthanc(folder / "peertest-orthanc2") as archive:
            findings = test(archive.title, archive.port, "echo,find,move,get,store")
        bad = [each for each in findings if each["outcome"] == "fail"]
        expect(bad, f"nothing fails: {findings}")
        return "; ".join(f"{each['step']}: {each['text']}" for each in bad)
    add("Orthanc that does not know the caller", orthanc_unknown)

    def orthanc_title():
        with other_archives.orthanc(folder / "peertest-orthanc3", modalities=[("HILUM", 104)]) as archive:
            return fails(test("WRONG", archive.port, "echo,find"), "associate", "not called WRONG")
    add("Orthanc by another title", orthanc_title)

    # pynetdicom

    def everything():
        with application("PYAE", ALL, [(evt.EVT_C_FIND, no_matches)]) as port:
            findings = test("PYAE", port, "echo,find,move,get,store,commit,mpps,ian,worklist")
        return fine(findings, "associate", "echo", "find", "worklist", "context")
    add("a pynetdicom AE with all services", everything)

    def everything_tls():
        with application("PYAE", ALL, [(evt.EVT_C_FIND, no_matches)], tls=(key, certificate)) as port:
            findings = test("PYAE", port, "echo,find,move,get,store,commit,mpps,ian,worklist", tls=digest)
        return fine(findings, "tls", "associate", "echo", "find", "worklist", "context")
    add("a pynetdicom AE with all services by TLS", everything_tls)

    def calling():
        with application("PYAE", ALL, require_calling_aet=["OTHER"]) as port:
            told = fails(test("PYAE", port, "echo"), "associate", "does not know HILUM", "1/1/3")
            fine(test("PYAE", port, "echo", calling="OTHER"), "associate", "echo")
            return told
    add("a peer that knows another title, and then by that title", calling)

    def called():
        with application("PYAE", ALL, require_called_aet=True) as port:
            return fails(test("ANOTHER", port, "echo"), "associate", "not called ANOTHER", "1/1/7")
    add("a peer of another title", called)

    def full():
        with application("PYAE", ALL, maximum_associations=1) as port:
            ae = AE()
            ae.add_requested_context(Verification)
            held = ae.associate("127.0.0.1", port)
            try:
                return fails(test("PYAE", port, "echo"), "associate", "takes no association now")
            finally:
                held.release()
    add("a peer that is full", full)

    def refuses_find():
        def failing(event):
            yield 0xA700, None
        with application("PYAE", ALL, [(evt.EVT_C_FIND, failing)]) as port:
            return fails(test("PYAE", port, "echo,find"), "find", "A700")
    add("a peer whose C-FIND fails", refuses_find)

    def heeds_no_key():
        def always(event):
            for _ in range(50):
                match = Dataset()
                match.QueryRetrieveLevel, match.StudyInstanceUID = "STUDY", generate_uid()
                yield 0xFF00, match
            yield 0x0000, None
        with application("PYAE", ALL, [(evt.EVT_C_FIND, always)]) as port:
            findings = test("PYAE", port, "echo,find")
        notes = [each for each in findings if each["step"] == "find"]
        equal([each["outcome"] for each in notes], ["note"], f"finding {notes}")
        return notes[0]["text"]
    add("a peer that answers with what was not asked for", heeds_no_key)

    # No DICOM

    def nobody():
        return fails(test("NOBODY", free_port(), "echo"), "connect", "--port")
    add("where nobody listens", nobody)

    for title, serve in (
            ("that speaks HTTP", lambda c: (c.recv(1000), c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"))),
            ("that closes at once", lambda c: None),
            ("that says nothing", lambda c: time.sleep(30)),
            ("that answers with an A-ABORT", lambda c: (c.recv(1000), c.sendall(bytes([7, 0, 0, 0, 0, 4, 0, 0, 2, 0])))),
            ("that announces a PDU of 4 GiB", lambda c: (c.recv(1000), c.sendall(b"\x02\0\xff\xff\xff\xff"), time.sleep(15)))):
        def strange(serve=serve):
            with raw_listener(serve) as port:
                begun = time.monotonic()
                told = fails(test("STRANGE", port, "echo"), "associate")
                expect(time.monotonic() - begun < 25, "it took more than 25 s")
                return told
        add(f"a listener {title}", strange)


class Notices:
    """A pynetdicom SCP of MPPS and IAN that writes down what it is told."""

    def __init__(self, title, tls=None):
        self.title, self.told, self.condition = title, [], threading.Condition()
        self.answers = {}
        ae = AE(ae_title=title)
        ae.add_supported_context(ModalityPerformedProcedureStep)
        ae.add_supported_context(InstanceAvailabilityNotification)
        self.listener = ae.start_server(
            ("127.0.0.1", 0), block=False, ssl_context=tls and own_certificate.server_context(*tls),
            evt_handlers=[(evt.EVT_N_CREATE, self.created), (evt.EVT_N_SET, self.changed)])
        self.port = self.listener.socket.getsockname()[1]

    def created(self, event):
        request = event.request
        return self.note("N-CREATE", str(request.AffectedSOPClassUID), str(request.AffectedSOPInstanceUID),
                         event.attribute_list)

    def changed(self, event):
        request = event.request
        return self.note("N-SET", str(request.RequestedSOPClassUID), str(request.RequestedSOPInstanceUID),
                         event.modification_list)

    def note(self, what, sop_class, uid, attributes):
        with self.condition:
            answers = self.answers.get(what, [])
            status = answers.pop(0) if answers else 0x0000
            self.told.append((what, sop_class, uid, attributes, status))
            self.condition.notify_all()
        return status, attributes

    def wait(self, matches, seconds=90):
        """The first notice for which `matches(what, sop_class, uid, attributes)`."""
        with self.condition:
            def found():
                return next((each for each in self.told if matches(*each[:4])), None)
            self.condition.wait_for(found, seconds)
            return found()

    def stop(self):
        self.listener.shutdown()


def step_of(study):
    step = check_mpps.begun(study)
    step.PatientName, step.PatientID, step.PatientBirthDate, step.PatientSex = "Scu^Step", "SCU1", "", ""
    return step


def perform(door, instance):
    """A step that begins and ends; its study."""
    study = generate_uid()
    changes = check_mpps.completed()
    changes.PerformedSeriesSequence[0].ProtocolName = "CHEST"
    with association(door, [build_context(ModalityPerformedProcedureStep)]) as made:
        status, _ = made.send_n_create(step_of(study), ModalityPerformedProcedureStep, instance)
        equal(code(status), "0000", "N-CREATE status")
        status, _ = made.send_n_set(changes, ModalityPerformedProcedureStep, instance)
        equal(code(status), "0000", "N-SET status")
    return study


def check_notices(report, door, receivers):
    for receiver in receivers:
        def forwarded(receiver=receiver):
            uid = generate_uid()
            study = perform(door, uid)
            first = receiver.wait(lambda what, _, told, __: (what, told) == ("N-CREATE", uid))
            expect(first, "no N-CREATE came")
            equal(first[3].PerformedProcedureStepStatus, "IN PROGRESS", "status of the N-CREATE")
            equal(first[3].ScheduledStepAttributesSequence[0].StudyInstanceUID, study, "study")
            last = receiver.wait(lambda what, _, told, __: (what, told) == ("N-SET", uid))
            expect(last, "no N-SET came")
            equal(last[3].PerformedProcedureStepStatus, "COMPLETED", "status of the N-SET")
            expect("PatientID" not in last[3], "the N-SET tells who the patient is")
        report.check("scu", f"MPPS is forwarded to {receiver.title}", forwarded, MPPS)

    plain = receivers[0]

    def unknown_there():
        uid = generate_uid()
        plain.answers = {"N-SET": [0x0112]}
        perform(door, uid)
        done = plain.wait(lambda what, _, told, __: (what, told) == ("N-SET", uid) and [
            each[0] for each in plain.told if each[2] == uid][-3:] == ["N-SET", "N-CREATE", "N-SET"], 120)
        expect(done, f"told {[each[0] for each in plain.told if each[2] == uid]}")
    report.check("scu", "a step that the peer lost (0112) is created there again and then ended", unknown_there, MPPS)

    def already_there():
        uid = generate_uid()
        plain.answers = {"N-CREATE": [0x0111]}
        perform(door, uid)
        expect(plain.wait(lambda what, _, told, __: (what, told) == ("N-SET", uid)), "no N-SET came")
    report.check("scu", "a step that the peer has already (0111) goes on", already_there, MPPS)

    for receiver in receivers:
        def available(receiver=receiver):
            # Only of a patient who is known here anybody is told.
            check_hl7.acknowledged(check_hl7.ask(door, check_hl7.adt(f"IAN-{receiver.title}", "SCU2", "Scu", "Available")),
                                   f"IAN-{receiver.title}")
            images = small_images.study("SCU2", "Scu^Available")
            for each in images:
                each.IssuerOfPatientID = check_hl7.FACILITY
            with association(door, [build_context(CTImageStorage, ExplicitVRLittleEndian),
                                    build_context(SecondaryCaptureImageStorage, ExplicitVRLittleEndian)]) as made:
                for each in images:
                    equal(code(made.send_c_store(each)), "0000", "C-STORE status")
            study = images[0].StudyInstanceUID
            told = receiver.wait(lambda _, sop_class, __, attributes: (
                sop_class == InstanceAvailabilityNotification and attributes.StudyInstanceUID == study))
            expect(told, "no notification came")
            items = [item for series in told[3].ReferencedSeriesSequence for item in series.ReferencedSOPSequence]
            equal({item.ReferencedSOPInstanceUID for item in items}, {each.SOPInstanceUID for each in images}, "instances")
            equal({item.InstanceAvailability for item in items}, {"ONLINE"}, "Instance Availability")
            equal({item.RetrieveAETitle for item in items}, {door.dimse["ae"]}, "Retrieve AE Title")
            expect("ReferencedPerformedProcedureStepSequence" in told[3], "no Referenced Performed Procedure Step Sequence")
        report.check("scu", f"a study is told of to {receiver.title}", available, IAN)


def check_commitment(report, door, committer, tls):
    """The report by TLS, on an association that Hilum opens."""
    reports, arrived = [], threading.Event()

    def told(event):
        reports.append((event.event_type, event.event_information))
        arrived.set()
        return 0x0000, None
    ae = AE(ae_title=committer[0])
    ae.add_supported_context(StorageCommitmentPushModel, scu_role=False, scp_role=True)
    listener = ae.start_server(("127.0.0.1", committer[1]), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, told)],
                               ssl_context=own_certificate.server_context(*tls))

    def reported():
        images = small_images.study("SCU3", "Scu^Committed")
        request = Dataset()
        request.TransactionUID, request.ReferencedSOPSequence = generate_uid(), []
        for each in images:
            item = Dataset()
            item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = each.SOPClassUID, each.SOPInstanceUID
            request.ReferencedSOPSequence.append(item)
        with association(door, [build_context(CTImageStorage, ExplicitVRLittleEndian),
                                build_context(SecondaryCaptureImageStorage, ExplicitVRLittleEndian),
                                build_context(StorageCommitmentPushModel)], title=committer[0]) as made:
            for each in images:
                equal(code(made.send_c_store(each)), "0000", "C-STORE status")
            status, _ = made.send_n_action(request, 1, StorageCommitmentPushModel, StorageCommitmentPushModelInstance)
            equal(code(status), "0000", "N-ACTION status")
            # The association ends before the report can have been agreed on.
            made.abort()
        expect(arrived.wait(90), "no report came")
        event_type, information = reports[-1]
        equal((event_type, information.TransactionUID), (1, request.TransactionUID), "report")
        equal(len(information.ReferencedSOPSequence), len(images), "instances committed")

    report.check("scu", "storage commitment after an A-ABORT is reported by TLS on a new association", reported, COMMIT)
    listener.shutdown()


def prepare(server, folder):
    """Adds the peers that are told; before the server starts."""
    key, certificate, digest = own_certificate.make(folder, "notices")
    receivers = [Notices("NOTICES"), Notices("TLSNOTICES", (key, certificate))]
    for receiver, tls in zip(receivers, ("off", digest)):
        server.command("peer", "add", server.folder, "--ae", receiver.title, "--host", "127.0.0.1", "--port",
                       receiver.port, "--tls", tls, "--offers", "mpps,ian")
    committer = ("TLSCOMMIT", free_port())
    server.command("peer", "add", server.folder, "--ae", committer[0], "--host", "127.0.0.1", "--port", committer[1],
                   "--tls", digest, "--may", "store,commit", "--offers", "echo")
    return receivers, committer, (key, certificate)


def check(report, doors, folder, prepared):
    receivers, committer, tls = prepared
    folder = pathlib.Path(folder) / "scu"
    folder.mkdir()
    check_peer_test(report, doors[0].server, folder)
    check_notices(report, doors[0], receivers)
    check_commitment(report, doors[1], committer, tls)
    for receiver in receivers:
        receiver.stop()

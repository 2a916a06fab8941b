"""C-FIND, C-GET and C-MOVE of stored studies, driven by DCMTK and pynetdicom. PS3.4 Annex C."""

import contextlib
import pathlib
import socket
import subprocess
import time

import pydicom
from pydicom.dataset import Dataset
from pynetdicom import AE, build_context, build_role, evt
from pynetdicom.pdu_primitives import SOPClassExtendedNegotiation
from pynetdicom.sop_class import (
    PatientRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
)

import check_dicom
import dicom_compare
from report import equal, expect

FIND = "PS3.4 §C.4.1"
MOVE = "PS3.4 §C.4.2"
GET = "PS3.4 §C.4.3"


def free_port():
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def identifier(level, **values):
    keys = Dataset()
    keys.QueryRetrieveLevel = level
    for keyword, value in values.items():
        setattr(keys, keyword, value)
    return keys


def query(server, keys, sop_class=StudyRootQueryRetrieveInformationModelFind, options=None):
    """(statuses, matches) of one C-FIND; `options` is the application information that is proposed."""
    ae = AE(ae_title="CLIENTS")
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 120
    ae.add_requested_context(sop_class)
    negotiation = []
    if options:
        item = SOPClassExtendedNegotiation()
        item.sop_class_uid = sop_class
        item.service_class_application_information = options
        negotiation.append(item)
    where = server.dimse
    association = ae.associate(
        where["host"], where["port"], ae_title=where["ae"], ext_neg=negotiation, tls_args=server.dimse_tls())
    expect(association.is_established, "association not established")
    try:
        statuses, matches = [], []
        for status, match in association.send_c_find(keys, sop_class):
            statuses.append(status)
            if match is not None:
                matches.append(match)
        return statuses, matches
    finally:
        association.release()


def check_find(report, server, sample):
    def studies():
        statuses, matches = query(
            server, identifier("STUDY", StudyInstanceUID=sample.study, PatientName="", ModalitiesInStudy="",
                               NumberOfStudyRelatedInstances=None))
        equal([f"{s.Status:04X}" for s in statuses], ["FF00", "0000"], "statuses")
        equal(matches[0].StudyInstanceUID, sample.study, "Study Instance UID")
        equal(matches[0].RetrieveAETitle, server.dimse["ae"], "Retrieve AE Title")
        equal(matches[0].QueryRetrieveLevel, "STUDY", "Query/Retrieve Level")

    report.check("pynetdicom", "C-FIND of a study", studies, FIND)

    def images():
        statuses, matches = query(
            server, identifier("IMAGE", StudyInstanceUID=sample.study, SeriesInstanceUID=sample.series,
                               SOPInstanceUID=""))
        equal(f"{statuses[-1].Status:04X}", "0000", "final status")
        expect(str(sample.sop_instance) in [m.SOPInstanceUID for m in matches], "the instance is not among the matches")

    report.check("pynetdicom", "C-FIND of the images of a series", images, FIND)

    def patients():
        patient = str(sample.data_set.PatientID)
        statuses, matches = query(
            server, identifier("PATIENT", PatientID=patient), PatientRootQueryRetrieveInformationModelFind)
        equal(f"{statuses[-1].Status:04X}", "0000", "final status")
        expect(patient in [m.PatientID for m in matches], "the patient is not among the matches")

    report.check("pynetdicom", "C-FIND of a patient", patients, FIND)

    def missing_key():
        statuses, matches = query(server, identifier("SERIES", SeriesInstanceUID=""))
        equal(f"{statuses[-1].Status:04X}", "A900", "status")
        equal(statuses[-1].OffendingElement, 0x0020000D, "Offending Element")

    report.check("pynetdicom", "C-FIND without the key of the level above is A900 naming it", missing_key, FIND)

    def relational():
        statuses, matches = query(
            server, identifier("SERIES", SeriesInstanceUID=sample.series), options=b"\x01\x01")
        equal([f"{s.Status:04X}" for s in statuses], ["FF00", "0000"], "statuses")

    report.check("pynetdicom", "a relational C-FIND needs no key of the level above", relational, "PS3.4 §C.5.1.1")

    def unsupported():
        statuses, _ = query(server, identifier("STUDY", StudyInstanceUID=sample.study, OtherPatientIDs=""))
        equal(f"{statuses[0].Status:04X}", "FF01", "status")

    report.check("pynetdicom", "a C-FIND key that no answer has is told by FF01", unsupported, FIND)

    for root, level in (("-S", "STUDY"), ("-P", "PATIENT")):
        def findscu(root=root, level=level):
            code, text = check_dicom.dcmtk(
                server, "findscu", root, "-k", f"QueryRetrieveLevel={level}", "-k", f"PatientID={sample.data_set.PatientID}",
                "-k", "PatientName", *(["-k", f"StudyInstanceUID={sample.study}"] if level == "STUDY" else []))
            equal(code, 0, text[-300:])
            expect("Find Response: 1" in text or "Received Find Response 1" in text, f"no answer: {text[-400:]}")

        report.check("dcmtk", f"findscu {root} at {level} level", findscu, FIND)


class Receiver:
    """pynetdicom as a storage SCP that keeps what it gets."""

    def __init__(self, title, delay=0):
        self.port = free_port()
        self.received = {}
        self.delay = delay
        ae = AE(ae_title=title)
        ae.supported_contexts = []
        for context in check_dicom_contexts():
            ae.add_supported_context(*context)
        self.server = ae.start_server(
            ("127.0.0.1", self.port), block=False, evt_handlers=[(evt.EVT_C_STORE, self.store)])

    def store(self, event):
        time.sleep(self.delay)
        self.received[str(event.request.AffectedSOPInstanceUID)] = (
            event.request.DataSet.getvalue(), str(event.context.transfer_syntax), event.request.MoveOriginatorApplicationEntityTitle)
        return 0x0000

    def stop(self):
        self.server.shutdown()


def check_dicom_contexts():
    from pynetdicom import AllStoragePresentationContexts
    from pydicom.uid import AllTransferSyntaxes
    return [(context.abstract_syntax, list(AllTransferSyntaxes)) for context in AllStoragePresentationContexts]


def move(server, keys, destination, cancel_after=None):
    association = check_dicom.associate(server, [build_context(StudyRootQueryRetrieveInformationModelMove)])
    try:
        statuses = []
        for status, failed in association.send_c_move(
                keys, destination, StudyRootQueryRetrieveInformationModelMove, msg_id=7):
            statuses.append((status, failed))
            if cancel_after and len(statuses) == cancel_after:
                association.send_c_cancel(7, query_model=StudyRootQueryRetrieveInformationModelMove)
        return statuses
    finally:
        if association.is_established:
            association.release()


def check_move(report, server, samples, receiver):
    for sample in samples:
        def moved(sample=sample):
            statuses = move(server, identifier("STUDY", StudyInstanceUID=sample.study), "RECEIVER")
            status = statuses[-1][0]
            equal(f"{status.Status:04X}", "0000", "final status")
            expect(status.NumberOfCompletedSuboperations >= 1, "nothing was completed")
            expect("NumberOfRemainingSuboperations" not in status, "remaining sub-operations in the final response")
            data, syntax, originator = receiver.received[str(sample.sop_instance)]
            equal(syntax, str(sample.transfer_syntax), "transfer syntax")
            equal(data, dicom_compare.raw_bytes_of_data_set(sample.data), "data set")
            equal(originator, "CLIENTS", "Move Originator")

        report.check("pynetdicom", f"C-MOVE of {sample.name} as it is stored", moved, MOVE)

    def unknown():
        statuses = move(server, identifier("STUDY", StudyInstanceUID=samples[0].study), "NOWHERE")
        equal(f"{statuses[-1][0].Status:04X}", "A801", "status")

    report.check("pynetdicom", "C-MOVE to a destination that is no peer is A801", unknown, MOVE)

    def dead():
        statuses = move(server, identifier("STUDY", StudyInstanceUID=samples[0].study), "DEADHOST")
        equal(f"{statuses[-1][0].Status:04X}", "A702", "status")
        expect(str(samples[0].sop_instance) in statuses[-1][1].FailedSOPInstanceUIDList, "not in the failed list")

    report.check("pynetdicom", "C-MOVE to a host where nobody listens is A702 with the failed list", dead, MOVE)


def get(server, sop_class, syntax, keys):
    """What comes by C-GET in one transfer syntax, by role selection: (SOP Instance UID, encoded data set, data set with its
    meta information). The final status has to be 0000."""
    received = []

    def store(event):
        data_set = event.dataset
        data_set.file_meta = event.file_meta
        received.append((str(event.request.AffectedSOPInstanceUID), event.request.DataSet.getvalue(), data_set))
        return 0x0000

    ae = AE(ae_title="CLIENTS")
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 120
    ae.add_requested_context(StudyRootQueryRetrieveInformationModelGet)
    ae.add_requested_context(sop_class, syntax)
    where = server.dimse
    association = ae.associate(
        where["host"], where["port"], ae_title=where["ae"], tls_args=server.dimse_tls(),
        ext_neg=[build_role(sop_class, scp_role=True)], evt_handlers=[(evt.EVT_C_STORE, store)])
    expect(association.is_established, "association not established")
    try:
        final = None
        for status, _ in association.send_c_get(keys, StudyRootQueryRetrieveInformationModelGet):
            final = status
        equal(f"{final.Status:04X}", "0000", "final status")
    finally:
        association.release()
    return received


def check_get(report, server, samples):
    for sample in samples:
        def got(sample=sample):
            keys = identifier("IMAGE", StudyInstanceUID=sample.study, SeriesInstanceUID=sample.series,
                              SOPInstanceUID=str(sample.sop_instance))
            received = {uid: encoded for uid, encoded, _ in get(server, sample.sop_class, sample.transfer_syntax, keys)}
            equal(received.get(str(sample.sop_instance)), dicom_compare.raw_bytes_of_data_set(sample.data), "data set")

        report.check("pynetdicom", f"C-GET of {sample.name} by role selection", got, GET)


def check_dcmtk(report, server, sample, folder):
    def getscu():
        into = pathlib.Path(folder) / "getscu"
        into.mkdir(exist_ok=True)
        code, text = check_dicom.dcmtk(
            server, "getscu", "-S", "-od", into, "-k", "QueryRetrieveLevel=STUDY", "-k",
            f"StudyInstanceUID={sample.study}")
        equal(code, 0, text[-300:])
        uids = [str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID) for path in into.iterdir()]
        expect(str(sample.sop_instance) in uids, f"not received: {text[-300:]}")

    report.check("dcmtk", "getscu -S of a study", getscu, GET)

    def movescu():
        into = pathlib.Path(folder) / "movescu"
        into.mkdir(exist_ok=True)
        port = server.dcmtk_port
        environment = {"DCMDICTPATH": "/usr/share/libdcmtk17/dicom.dic", "PATH": "/usr/bin:/bin", "TCP_NODELAY": "1"}
        receiver = subprocess.Popen(
            ["storescp", "-aet", "DCMTKSCP", "-od", str(into), str(port)], env=environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for _ in range(600):
                with contextlib.suppress(OSError), contextlib.closing(socket.create_connection(("127.0.0.1", port), 1)):
                    break
                time.sleep(0.1)
            code, text = check_dicom.dcmtk(
                server, "movescu", "-S", "-aem", "DCMTKSCP", "-k", "QueryRetrieveLevel=STUDY", "-k",
                f"StudyInstanceUID={sample.study}")
            equal(code, 0, text[-300:])
            uids = [str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID) for path in into.iterdir()]
            expect(str(sample.sop_instance) in uids, f"not received: {text[-300:]}")
        finally:
            receiver.terminate()
            receiver.wait(60)

    report.check("dcmtk", "movescu -S of a study to storescp", movescu, MOVE)


def prepare(server):
    """Adds the destinations; before the server starts."""
    receiver = Receiver("RECEIVER")
    server.dcmtk_port = free_port()
    server.add_ae("RECEIVER", port=receiver.port)
    server.add_ae("DCMTKSCP", port=server.dcmtk_port)
    server.add_ae("DEADHOST", port=free_port())
    return receiver


def check(report, server, samples, receiver, folder):
    """`samples` are stored; `receiver` is that of ``prepare``."""
    native = next(s for s in samples if str(s.transfer_syntax) == "1.2.840.10008.1.2.1" and "PixelData" in s.data_set
                  and s.data_set.get("PatientID"))
    compressed = [s for s in samples if s.transfer_syntax.is_encapsulated][:3]
    check_find(report, server, native)
    check_move(report, server, [native, *compressed], receiver)
    check_get(report, server, [native, *compressed])
    # Neither getscu nor movescu of DCMTK speaks TLS: `run.py --plain` has them.
    if not server.dimse.get("tls"):
        check_dcmtk(report, server, native, folder)
    receiver.stop()

"""Unified Procedure Step by pynetdicom and by plain HTTP: the same workitems by both. PS3.4 Annex CC, PS3.18 §11."""

import threading

from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from pynetdicom import AE, evt
from pynetdicom.sop_class import (
    UnifiedProcedureStepEvent,
    UnifiedProcedureStepPull,
    UnifiedProcedureStepPush,
    UnifiedProcedureStepQuery,
    UnifiedProcedureStepWatch,
)

from report import equal, expect

CLAUSE = "PS3.4 Annex CC"
WEB = "PS3.18 §11"
ALL = "1.2.840.10008.5.1.4.34.5"
JSON = {"Content-Type": "application/dicom+json", "Accept": "application/dicom+json"}


class Performer:
    """An AE that does workitems, and listens for reports."""

    def __init__(self, title="PERFORMER"):
        self.title = title
        self.reports = []
        self.arrived = threading.Condition()
        ae = AE(ae_title=title)
        # The one that opens the association is to be the SCP.
        ae.add_supported_context(UnifiedProcedureStepEvent, scu_role=False, scp_role=True)
        self.server = ae.start_server(
            ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, self.report)])
        self.port = self.server.socket.getsockname()[1]

    def report(self, event):
        with self.arrived:
            information = event.event_information
            self.reports.append(
                (str(event.request.AffectedSOPInstanceUID), event.event_type, information.get("ProcedureStepState")))
            self.arrived.notify_all()
        return 0x0000, None

    def has(self, wanted, seconds=30):
        """Whether a report comes in time."""
        with self.arrived:
            return self.arrived.wait_for(lambda: wanted in self.reports, seconds)

    def ask(self, server, work):
        ae = AE(ae_title=self.title)
        ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 120
        for abstract_syntax in (
                UnifiedProcedureStepPush, UnifiedProcedureStepPull, UnifiedProcedureStepWatch,
                UnifiedProcedureStepQuery):
            ae.add_requested_context(abstract_syntax)
        where = server.dimse
        association = ae.associate(where["host"], where["port"], ae_title=where["ae"], tls_args=server.dimse_tls())
        expect(association.is_established, "association not established")
        try:
            return work(association)
        finally:
            association.release()

    def stop(self):
        self.server.shutdown()


def prepare(server):
    """Adds the peer; before the server starts."""
    performer = Performer()
    server.command(
        "peer", "add", server.folder, "--ae", performer.title, "--may", "all", "--offers", "ups", "--host", "127.0.0.1",
        "--port", performer.port)
    return performer


def code(value):
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = "99CLIENTS"
    item.CodeMeaning = value
    return item


def workitem(label):
    step = Dataset()
    step.SpecificCharacterSet = "ISO_IR 192"
    step.ProcedureStepState = "SCHEDULED"
    step.ScheduledProcedureStepPriority = "MEDIUM"
    step.ProcedureStepLabel = "Schädel auswerten"
    step.WorklistLabel = label
    step.ScheduledProcedureStepStartDateTime = "20260105101500"
    step.InputReadinessState = "READY"
    step.PatientName = "Doe^Jane"
    step.PatientID = "UPS1"
    step.PatientBirthDate = ""
    step.PatientSex = ""
    step.ScheduledStationNameCodeSequence = [code("STATION")]
    step.ScheduledWorkitemCodeSequence = [code("READ")]
    step.InputInformationSequence = []
    step.ReferencedRequestSequence = []
    return step


def performed(transaction):
    done = Dataset()
    done.PerformedStationNameCodeSequence = [code("STATION")]
    done.PerformedWorkitemCodeSequence = [code("READ")]
    done.PerformedProcedureStepStartDateTime = "20260105101500"
    done.PerformedProcedureStepEndDateTime = "20260105103000"
    done.OutputInformationSequence = []
    changes = Dataset()
    changes.TransactionUID = transaction
    changes.UnifiedProcedureStepPerformedProcedureSequence = [done]
    return changes


def change(state, transaction):
    information = Dataset()
    information.ProcedureStepState = state
    information.TransactionUID = transaction
    return information


def check(report, server, backend, performer):
    first, second, transaction = generate_uid(), generate_uid(), generate_uid()

    def act(association, information, action, uid, context):
        status, _ = association.send_n_action(
            information, action, UnifiedProcedureStepPush, uid, meta_uid=context)
        return f"{status.Status:04X}"

    def watch():
        information = Dataset()
        information.ReceivingAE = performer.title
        information.DeletionLock = "FALSE"
        equal(
            performer.ask(server, lambda a: act(a, information, 3, ALL, UnifiedProcedureStepWatch)), "0000",
            "status of the subscription")
        information.ReceivingAE = "STRANGER"
        equal(
            performer.ask(server, lambda a: act(a, information, 3, ALL, UnifiedProcedureStepWatch)), "C308",
            "status of a subscription for a stranger")

    report.check("pynetdicom", "UPS Watch subscribes to the worklist, and no stranger: C308", watch, CLAUSE)

    def push():
        step = workitem("CLIENTS")
        status, _ = performer.ask(server, lambda a: a.send_n_create(step, UnifiedProcedureStepPush, first))
        equal(f"{status.Status:04X}", "0000", "N-CREATE status")
        status, _ = performer.ask(server, lambda a: a.send_n_create(step, UnifiedProcedureStepPush, first))
        equal(f"{status.Status:04X}", "0111", "status of the second N-CREATE")
        expect(performer.has((first, 1, "SCHEDULED")), f"no report of the creation: {performer.reports}")

    report.check("pynetdicom", "UPS Push creates a workitem, which subscribers are told of", push, CLAUSE)

    def find():
        keys = Dataset()
        keys.SOPInstanceUID = ""
        keys.ProcedureStepState = "SCHEDULED"
        keys.WorklistLabel = "CLI*"
        keys.PatientName = "doe^*"
        keys.ScheduledProcedureStepStartDateTime = "20260105-20260106"
        keys.ScheduledStationNameCodeSequence = [code("STATION")]
        for context in (UnifiedProcedureStepPull, UnifiedProcedureStepWatch, UnifiedProcedureStepQuery):
            found = performer.ask(
                server, lambda a, context=context: [m for _, m in a.send_c_find(keys, context) if m is not None])
            equal([match.SOPInstanceUID for match in found], [first], "matches")
        keys.ScheduledProcedureStepStartDateTime = "20260106-"
        found = performer.ask(
            server, lambda a: [m for _, m in a.send_c_find(keys, UnifiedProcedureStepPull) if m is not None])
        equal(found, [], "matches on another day")

    report.check("pynetdicom", "UPS Pull, Watch and Query find it by state, label, name, station and time", find, CLAUSE)

    def life():
        def pull(association):
            pulled = UnifiedProcedureStepPull
            equal(act(association, change("IN PROGRESS", transaction), 1, first, pulled), "0000", "claim")
            equal(act(association, change("IN PROGRESS", generate_uid()), 1, first, pulled), "C301", "second claim")
            equal(act(association, change("COMPLETED", transaction), 1, first, pulled), "C304", "early completion")
            status, _ = association.send_n_set(
                performed(transaction), UnifiedProcedureStepPush, first, meta_uid=pulled)
            equal(f"{status.Status:04X}", "0000", "N-SET status")
            equal(act(association, change("COMPLETED", transaction), 1, first, pulled), "0000", "completion")
            equal(act(association, change("COMPLETED", transaction), 1, first, pulled), "B306", "second completion")
            status, got = association.send_n_get(
                [0x00741000, 0x00741204], UnifiedProcedureStepPush, first, meta_uid=pulled)
            equal(f"{status.Status:04X}", "0000", "N-GET status")
            equal(got.ProcedureStepState, "COMPLETED", "state")

        performer.ask(server, pull)
        for state in ("IN PROGRESS", "COMPLETED"):
            expect(performer.has((first, 1, state)), f"no report of {state}: {performer.reports}")

    report.check("pynetdicom", "UPS Pull claims, performs and completes it; each state is reported", life, CLAUSE)

    session = backend.session()
    base = server.dicomweb + "/workitems"

    def web():
        body = f"[{workitem('WEB').to_json()}]"
        answer = session.post(f"{base}?{second}", data=body, headers=JSON, timeout=30)
        equal(answer.status_code, 201, "status of the creation")
        expect(answer.headers["Location"].endswith("/workitems/" + second), f"Location {answer.headers['Location']}")
        equal(session.post(f"{base}?{second}", data=body, headers=JSON, timeout=30).status_code, 409, "second creation")
        found = session.get(f"{base}?WorklistLabel=WEB&ProcedureStepState=SCHEDULED", headers=JSON, timeout=30)
        equal([item["00080018"]["Value"][0] for item in found.json()], [second], "matches")
        got = session.get(f"{base}/{second}", headers=JSON, timeout=30).json()[0]
        equal(got["00741204"]["Value"], ["Schädel auswerten"], "label")
        expect("00081195" not in got, "the Transaction UID is shown")
        state = f"{base}/{second}/state"
        body = f"[{change('IN PROGRESS', transaction).to_json()}]"
        equal(session.put(state, data=body, headers=JSON, timeout=30).status_code, 200, "claim")
        body = f"[{change('IN PROGRESS', generate_uid()).to_json()}]"
        refused = session.put(state, data=body, headers=JSON, timeout=30)
        equal(refused.status_code, 409, "second claim")
        expect("Warning" in refused.headers, "no Warning")
        expect(performer.has((second, 1, "IN PROGRESS")), f"no report of the claim: {performer.reports}")

    report.check("http", "UPS-RS creates, finds, shows and claims a workitem; the AE is told", web, WEB)

    def both():
        def cancel(association):
            reason = Dataset()
            reason.ReasonForCancellation = "doubled"
            return act(association, reason, 2, second, UnifiedProcedureStepPush)

        equal(performer.ask(server, cancel), "0000", "status of the request to cancel")
        expect(performer.has((second, 2, None)), f"no report of the request: {performer.reports}")
        body = f"[{change('CANCELED', transaction).to_json()}]"
        answer = session.put(f"{base}/{second}/state", data=body, headers=JSON, timeout=30)
        equal(answer.status_code, 200, "cancellation")
        expect(performer.has((second, 1, "CANCELED")), f"no report of the end: {performer.reports}")
        equal(session.delete(f"{base}/{ALL}/subscribers/{performer.title}", timeout=30).status_code, 200, "status")

    report.check("http", "UPS by DIMSE and by HTTP are one worklist: asked to cancel there, canceled here", both, WEB)
    performer.stop()

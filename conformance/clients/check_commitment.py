"""Storage Commitment Push Model by pynetdicom: reports on the same association and on one that Hilum opens. PS3.4 §J.3."""

import threading

from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from pynetdicom import AE, evt
from pynetdicom.sop_class import StorageCommitmentPushModel, StorageCommitmentPushModelInstance

from check_query_retrieve import free_port
from report import equal, expect

CLAUSE = "PS3.4 §J.3"


class Committer:
    """An AE that asks for commitment, and listens for reports."""

    def __init__(self, title="COMMITTER"):
        self.title = title
        self.port = free_port()
        self.reports = []
        self.arrived = threading.Event()
        ae = AE(ae_title=title)
        # The one that opens the association is to be the SCP.
        ae.add_supported_context(StorageCommitmentPushModel, scu_role=False, scp_role=True)
        self.server = ae.start_server(
            ("127.0.0.1", self.port), block=False,
            evt_handlers=[(evt.EVT_N_EVENT_REPORT, self.handler("new association"))])

    def handler(self, where):
        def report(event):
            self.reports.append((where, event.event_type, event.event_information))
            self.arrived.set()
            return 0x0000, None

        return report

    def ask(self, server, references, stays):
        """The status of N-ACTION; with `stays` the association is kept until the report has come."""
        self.arrived.clear()
        ae = AE(ae_title=self.title)
        ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 120
        ae.add_requested_context(StorageCommitmentPushModel)
        where = server.dimse
        association = ae.associate(
            where["host"], where["port"], ae_title=where["ae"], tls_args=server.dimse_tls(),
            evt_handlers=[(evt.EVT_N_EVENT_REPORT, self.handler("same association"))])
        expect(association.is_established, "association not established")
        request = Dataset()
        request.TransactionUID = generate_uid()
        request.ReferencedSOPSequence = []
        for sop_class, instance in references:
            item = Dataset()
            item.ReferencedSOPClassUID = sop_class
            item.ReferencedSOPInstanceUID = instance
            request.ReferencedSOPSequence.append(item)
        status, _ = association.send_n_action(
            request, 1, StorageCommitmentPushModel, StorageCommitmentPushModelInstance)
        if stays:
            self.arrived.wait(90)
        association.release()
        return status.Status, request.TransactionUID

    def stop(self):
        self.server.shutdown()


def prepare(server):
    """Adds the peer; before the server starts."""
    committer = Committer()
    server.add_ae(committer.title, port=committer.port)
    return committer


def check(report, server, samples, committer):
    """`samples` are stored."""
    stored = [(s.sop_class, s.sop_instance) for s in samples[:5]]

    def same():
        status, transaction = committer.ask(server, stored, stays=True)
        equal(f"{status:04X}", "0000", "N-ACTION status")
        where, event_type, information = committer.reports[-1]
        equal((where, event_type, information.TransactionUID), ("same association", 1, transaction), "report")
        equal(len(information.ReferencedSOPSequence), len(stored), "instances committed")

    report.check("pynetdicom", "storage commitment is reported on the same association", same, CLAUSE)

    def new():
        unknown = (samples[0].sop_class, generate_uid())
        status, transaction = committer.ask(server, [*stored, unknown], stays=False)
        equal(f"{status:04X}", "0000", "N-ACTION status")
        expect(committer.arrived.wait(90), "no report came in 90 s")
        where, event_type, information = committer.reports[-1]
        equal((where, event_type, information.TransactionUID), ("new association", 2, transaction), "report")
        equal([f"{item.FailureReason:04X}" for item in information.FailedSOPSequence], ["0112"], "failure reasons")
        equal(len(information.ReferencedSOPSequence), len(stored), "instances committed")

    report.check("pynetdicom", "storage commitment is reported on a new association with what failed", new, CLAUSE)

    def invalid():
        status, _ = committer.ask(server, [], stays=False)
        equal(f"{status:04X}", "0115", "N-ACTION status")

    report.check("pynetdicom", "storage commitment of nothing is 0115", invalid, CLAUSE)
    committer.stop()

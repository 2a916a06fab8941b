"""Hilum asks by storage commitment that what its rules sent is kept: pynetdicom AEs take it and report, on the
association that asks or on one of their own, of all or of some. PS3.4 §J.3."""

import json
import threading
import time

from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid
from pynetdicom import AE, build_context, build_role, evt
from pynetdicom.sop_class import StorageCommitmentPushModel, StorageCommitmentPushModelInstance

import small_images
from check_hl7_out import own_database
from check_scp import Checkpoint, association, code
from hilum_server import HilumServer
from report import equal, expect, within

ASK, TAKE = "PS3.4 §J.3.2", "PS3.4 §J.3.3"
COMMIT = StorageCommitmentPushModel
# A study is asked for once it is quiet for 10 s, looked for every 5 s.
PATIENCE = 120

RULES = """
routing:
  destinations:
    - { name: same, peer: SAME, commitment: true }
    - { name: other, peer: OTHER, commitment: true, report-hours: 1 }
  rules:
    - { from: TOSAME, to: same }
    - { from: TOOTHER, to: other }
limits: { delivery-tick-seconds: 1 }
"""


def references(items):
    return sorted((str(each.ReferencedSOPClassUID), str(each.ReferencedSOPInstanceUID)) for each in items)


def named(images):
    return sorted((str(each.SOPClassUID), str(each.SOPInstanceUID)) for each in images)


class Archive:
    """An AE that stores, is asked for commitment, and reports."""

    def __init__(self, title, server, reports_here):
        self.title, self.server, self.reports_here = title, server, reports_here
        self.stored = []  # SOP Instance UIDs, in the order in which they came
        self.asked = []  # action informations
        self.answers = []  # how reports were answered
        # Failure reason by SOP Instance UID; nobody's but of the next transactions.
        self.fails = {}
        ae = AE(ae_title=title)
        for each in (CTImageStorage, SecondaryCaptureImageStorage, COMMIT):
            ae.add_supported_context(each)
        self.listener = ae.start_server(
            ("127.0.0.1", 0), block=False,
            evt_handlers=[(evt.EVT_C_STORE, self.stores), (evt.EVT_N_ACTION, self.is_asked)])
        self.port = self.listener.socket.getsockname()[1]

    def stores(self, event):
        self.stored.append(str(event.request.AffectedSOPInstanceUID))
        return 0x0000

    def is_asked(self, event):
        request = event.action_information
        self.asked.append(request)
        held = Checkpoint()
        held.set()
        event.assoc._reactor_checkpoint = held
        # Behind the answer to this request, for which its thread has to be here no more.
        threading.Timer(0.2, self.reports, [request, event.assoc if self.reports_here else None]).start()
        return 0x0000, None

    def reports(self, request, made=None):
        self.answers.append(self.report(self.information(request), made))

    def information(self, request):
        told = Dataset()
        told.TransactionUID = request.TransactionUID
        told.RetrieveAETitle = self.title
        kept, lost = [], []
        for each in request.ReferencedSOPSequence:
            item = Dataset()
            item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = (
                each.ReferencedSOPClassUID, each.ReferencedSOPInstanceUID)
            reason = self.fails.get(str(each.ReferencedSOPInstanceUID))
            if reason:
                item.FailureReason = reason
            (lost if reason else kept).append(item)
        if kept:
            told.ReferencedSOPSequence = kept
        if lost:
            told.FailedSOPSequence = lost
        return told

    def report(self, information, made=None, title=None):
        """The status of N-EVENT-REPORT, on an association that is there or on a new one."""
        opened = None
        if made is None:
            ae = AE(ae_title=title or self.title)
            ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 120
            ae.add_requested_context(COMMIT)
            where = self.server.dimse
            made = opened = ae.associate(
                where["host"], where["port"], ae_title=where["ae"], tls_args=self.server.dimse_tls(),
                ext_neg=[build_role(COMMIT, scp_role=True)])
            if not made.is_established:
                return "no association"
            held = Checkpoint()
            held.set()
            made._reactor_checkpoint, before = held, made._reactor_checkpoint
            before.set()
        try:
            status, _ = made.send_n_event_report(
                information, 2 if "FailedSOPSequence" in information else 1, COMMIT, StorageCommitmentPushModelInstance)
            return code(status)
        finally:
            if opened:
                opened.release()

    def wait(self, what, count):
        """`what`, one of the lists, once it has so many."""
        found = getattr(self, what)
        within(PATIENCE, lambda: len(found) >= count)
        expect(len(found) >= count, f"{len(found)} {what} at {self.title}, not {count}")
        return found

    def stop(self):
        self.listener.shutdown()


class Site:
    def __init__(self, folder, postgres):
        self.server = HilumServer(
            folder / "hilum", postgres=own_database(postgres, "committed"), log=folder / "hilum.log",
            options=["--plain-loopback"])
        self.server.init()
        self.same, self.other = Archive("SAME", self.server, True), Archive("OTHER", self.server, False)
        for each in (self.same, self.other):
            self.server.command(
                "peer", "add", self.server.folder, "--ae", each.title, "--host", "127.0.0.1", "--port", each.port,
                "--may", "commit", "--offers", "store,commit")
        for title in ("TOSAME", "TOOTHER"):
            self.server.add_ae(title, may="store")
        self.server.add_ae("MALLORY", may="commit")
        with open(self.server.folder / "hilum.yaml", "a") as file:
            file.write(RULES)
        self.server.start()

    def store(self, title, patient):
        images = small_images.study(patient, "Committed^Carl")
        contexts = [build_context(CTImageStorage, ExplicitVRLittleEndian),
                    build_context(SecondaryCaptureImageStorage, ExplicitVRLittleEndian)]
        with association(self.server, contexts, title=title) as made:
            for each in images:
                equal(code(made.send_c_store(each)), "0000", "C-STORE status")
        return images

    def entries(self, destination, state):
        out = self.server.command("outbox", "list", self.server.folder, "--destination", destination, "--state", state,
                                  "--json", "--limit", 1000)
        return json.loads(out)["entries"]

    def state(self, request):
        """How a transaction stands here: its state, and how many instances are not kept."""
        out = self.server.command("route", "commitments", self.server.folder, "--json")
        return next(((each["state"], each["failed"]) for each in json.loads(out)
                     if each["transaction"] == request.TransactionUID), None)

    def stop(self):
        for each in (self.same, self.other):
            each.stop()
        return self.server.stop()


def check(report, folder, postgres):
    folder = folder / "committed"
    folder.mkdir()
    site = Site(folder, postgres)
    same, other = site.same, site.other

    def add(title, work, clause):
        report.check("committed", title, work, clause)

    def all_kept():
        images = site.store("TOSAME", "COMMIT1")
        request = same.wait("asked", 1)[0]
        equal(references(request.ReferencedSOPSequence), named(images), "instances asked for")
        equal(same.wait("answers", 1), ["0000"], "status of the report")
        expect(within(PATIENCE, lambda: site.entries("commit/same", "done")), "the request is not done")
        equal((len(same.asked), len(same.stored)), (1, len(images)), "requests, and instances sent")
        equal(site.state(request), ("committed", 0), "state")

    def one_lost():
        images = site.store("TOOTHER", "COMMIT2")
        lost = str(images[1].SOPInstanceUID)
        other.fails = {lost: 0x0112}
        first = other.wait("asked", 1)[0]
        equal(references(first.ReferencedSOPSequence), named(images), "instances asked for")
        other.wait("answers", 1)
        other.fails = {}
        second = other.wait("asked", 2)[1]
        equal([uid for _, uid in references(second.ReferencedSOPSequence)], [lost], "instances asked for again")
        expect(second.TransactionUID != first.TransactionUID, "the same transaction")
        equal(other.wait("answers", 2), ["0000", "0000"], "status of the reports")
        equal(other.stored.count(lost), 2, "times that it was sent")
        equal(len(other.stored), len(images) + 1, "instances sent")
        equal([site.state(each) for each in (first, second)], [("failed", 1), ("committed", 0)], "states")

    def refused():
        asked = other.asked[0]
        unknown = other.information(asked)
        unknown.TransactionUID = generate_uid()
        equal(other.report(unknown), "0115", "of a transaction of nobody")
        equal(other.report(same.information(same.asked[0])), "0115", "of another's transaction")
        equal(other.report(other.information(asked), title="MALLORY"), "0115", "by somebody else")
        other.fails = {str(each.ReferencedSOPInstanceUID): 0x0112 for each in asked.ReferencedSOPSequence}
        before = len(other.stored)
        equal(other.report(other.information(asked)), "0000", "a second time")
        other.fails = {}
        time.sleep(3)
        equal(len(other.stored), before, "instances sent after the second report")

    def parked():
        images = site.store("TOSAME", "COMMIT3")
        lost = str(images[0].SOPInstanceUID)
        requests, sent = len(same.asked), len(same.stored)
        same.fails = {lost: 0x0112}
        same.wait("asked", requests + 2)
        found = within(PATIENCE, lambda: site.entries("commit/same", "parked"))
        expect(found, "nothing is parked")
        equal(found[0]["failure"], "SAME does not commit to 1 of 1 instances, 0112 (no such object instance): 1", "reason")
        equal(same.stored.count(lost), 2, "times that it was sent")
        same.fails = {}
        site.server.command("outbox", "replay", site.server.folder, "--destination", "commit/same")
        last = same.wait("asked", requests + 3)[-1]
        equal([uid for _, uid in references(last.ReferencedSOPSequence)], [lost], "instances asked for at last")
        within(PATIENCE, lambda: len(same.answers) >= requests + 3)
        equal(set(same.answers), {"0000"}, "status of the reports")
        equal(site.entries("commit/same", "parked"), [], "what is parked")
        return f"{len(same.stored) - sent} sent by then"

    try:
        add("what a rule sent is asked for, and the report taken on the association that asks", all_kept, ASK)
        add("an instance that is not kept (0112, on an association of the peer) is sent again and then kept", one_lost, TAKE)
        add("a report of another's transaction, or of nobody's, is 0115, and a second one changes nothing", refused, TAKE)
        add("what is lost twice is parked with its reason, and sent anew when it is replayed", parked, TAKE)
    finally:
        exit_code = site.stop()
    report.check("committed", "SIGTERM drains and exits 0", lambda: equal(exit_code, 0, "exit code"))

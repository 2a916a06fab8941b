"""kill -9 while images go on by rules, come from an archive, and workitems are worked on; with the delivery kills.

forward   C-STORE, sent on to a storage SCP (pynetdicom) and to a Store over HTTPS (Python's server), both of others
fetch     WADO-RS of studies that only a slow archive has (C-FIND and C-GET by pynetdicom)
workitem  UPS-RS: each workitem is created, claimed and completed

An acknowledged instance reaches both receivers with the bytes it had. A study that the archive was asked for is here whole
in the end, whoever still waited for it, and is served when the archive has ended. A workitem is at least where it was
acknowledged to be, at most one step further, and never further back than it was seen.
"""

import json
import random
import threading
import time

from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind, StudyRootQueryRetrieveInformationModelGet

import ledger
import workers
from posts import Posts

DOORS = ("forward", "fetch", "workitem")
STATES = ("SCHEDULED", "IN PROGRESS", "COMPLETED")

RULES = """
routing:
  destinations:
    - {{ name: pacs, peer: FORWARDEE }}
    - {{ name: web, stow: "https://127.0.0.1:{port}/studies" }}
  rules: [{{ from: LEDGER, to: [pacs, web] }}]
"""


class Forwardee:
    """A storage SCP that takes a while for some, and keeps digests."""

    def __init__(self):
        self.random, self.arrivals = random.Random(3), []
        ae = AE(ae_title="FORWARDEE")
        ae.add_supported_context(ledger.CT, ExplicitVRLittleEndian)
        self.server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, self.store)])
        self.port = self.server.socket.getsockname()[1]

    def store(self, event):
        self.arrivals.append((str(event.request.AffectedSOPInstanceUID), ledger.digest(event.request.DataSet.getvalue())))
        time.sleep(self.random.uniform(0, 0.01))
        return 0x0000

    def stop(self):
        self.server.shutdown()


class Web(Posts):
    """The origin server of Store transactions, one instance in each. PS3.18 §10.5."""

    def __init__(self, context):
        self.arrivals = []
        super().__init__(context, self.take)

    def take(self, headers, body):
        boundary = headers["Content-Type"].split("boundary=")[1].strip('"').encode()
        if not body.endswith(b"\r\n--" + boundary + b"--\r\n"):
            return None
        file = body.split(b"\r\n\r\n", 1)[1][: -len(boundary) - 8]
        instance = workers.instance_uid(file)
        self.arrivals.append((instance, ledger.digest(ledger.after_meta(file))))
        return "application/dicom+json", json.dumps({"00081199": {"vr": "SQ", "Value": [{
            "00081150": {"vr": "UI", "Value": [ledger.CT]}, "00081155": {"vr": "UI", "Value": [instance]}}]}}).encode()


class Archive:
    """A PACS that has every study that `fetch` may ask for, and is slow to send one."""

    def __init__(self, prefixes):
        self.items = {str(workers.archived_study(f"{prefix}fetch-{number}")): f"{prefix}fetch-{number}"
                      for prefix in prefixes for number in range(1, 500)}
        self.asked, self.running = {}, 0
        self.lock = threading.Lock()
        ae = AE(ae_title="ARCHIVE")
        ae.add_supported_context(StudyRootQueryRetrieveInformationModelFind)
        ae.add_supported_context(StudyRootQueryRetrieveInformationModelGet)
        ae.add_supported_context(ledger.CT, ExplicitVRLittleEndian, scu_role=False, scp_role=True)
        self.server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[
            (evt.EVT_C_FIND, self.find), (evt.EVT_C_GET, self.get)])
        self.port = self.server.socket.getsockname()[1]

    def find(self, event):
        uid = str(event.identifier.get("StudyInstanceUID", ""))
        if uid in self.items and event.identifier.QueryRetrieveLevel == "STUDY":
            first = workers.archived(self.items[uid])[0]
            match = Dataset()
            match.QueryRetrieveLevel, match.StudyInstanceUID = "STUDY", uid
            for keyword in ("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime",
                            "AccessionNumber", "StudyID", "ReferringPhysicianName"):
                setattr(match, keyword, first.get(keyword, ""))
            match.NumberOfStudyRelatedInstances = workers.ARCHIVED
            yield 0xFF00, match
        yield 0x0000, None

    def get(self, event):
        uid = str(event.identifier.StudyInstanceUID)
        instances = workers.archived(self.items[uid]) if uid in self.items else []
        with self.lock:
            self.asked[uid] = self.asked.get(uid, 0) + 1
            self.running += 1
        try:
            yield len(instances)
            for each in instances:
                time.sleep(0.02)
                yield 0xFF00, each
        finally:
            with self.lock:
                self.running -= 1

    def stop(self):
        if self.server:
            self.server.shutdown()
        self.server = None


class Images:
    """The receivers and the archive, and what is looked for in the end."""

    def __init__(self, server, context, kills):
        self.server = server
        self.forwardee, self.web = Forwardee(), Web(context)
        self.archive = Archive([f"d{number}" for number in range(1, kills + 1)])
        self.seen, self.interrupted = {}, 0
        with open(server.folder / "hilum.yaml", "a") as file:
            file.write(RULES.format(port=self.web.port))
        server.command("peer", "add", server.folder, "--ae", "FORWARDEE", "--host", "127.0.0.1", "--port",
                       self.forwardee.port, "--offers", "store")
        server.command("peer", "add", server.folder, "--ae", "ARCHIVE", "--host", "127.0.0.1", "--port", self.archive.port,
                       "--archive", "--offers", "echo,find,get")

    def killing(self):
        """The server is killed next."""
        self.interrupted += self.archive.running

    def stop(self):
        for each in (self.forwardee, self.web, self.archive):
            each.stop()

    def workitems(self, session, items, acked, totals):
        """Where each workitem is; after each start and in the end."""
        reached, tried = {}, {}
        for item in items:
            name, state = workers.workitem_of(item)
            tried[name] = state
            if item in acked:
                reached[name] = state
        for name, most in tried.items():
            least = max(reached.get(name, -1), self.seen.get(name, -1))
            answer = session.get(f"{self.server.dicomweb}/workitems/{ledger.uid('workitem', name)}", timeout=20,
                                 headers={"Accept": "application/dicom+json"})
            if answer.status_code not in (200, 404):
                totals.finding("lost", f"workitem {name}", f"read {answer.status_code}")
                continue
            found = STATES.index(answer.json()[0]["00741000"]["Value"][0]) if answer.status_code == 200 else -1
            if found < least:
                totals.finding("lost", f"workitem {name}", f"{found}, and was {least} of {STATES}")
            elif found > most:
                totals.finding("half", f"workitem {name}", f"{found}, and was at most asked to be {most} of {STATES}")
            self.seen[name] = found

    def fetched(self, session, acked, totals, seconds=60):
        """Waits until nothing is fetched any more, ends the archive and reads each study that it was asked for."""
        until = time.monotonic() + seconds
        while True:
            under_way = session.get(self.server.http + "/ops/fetches", timeout=20, params={"limit": 1000}).json()["fetches"]
            if not under_way or time.monotonic() > until:
                break
            time.sleep(0.2)
        for each in under_way:
            totals.finding("lost", f"study {each['studyInstanceUID']}", f"{each['state']}: {each.get('failure')}")
        self.archive.stop()
        for uid, item in self.archive.items.items():
            if uid not in self.archive.asked and item not in acked:
                continue
            try:
                found = workers.retrieved(session, self.server, uid)
            except (workers.End, OSError) as error:
                totals.finding("lost" if item in acked else "half", f"study {item}", str(error)[:200])
                continue
            if found != workers.archived_digests(item):
                totals.finding("lost" if item in acked else "half", f"study {item}", "is not what the archive has")

    def forwarded(self, checker, acked, totals):
        """Every acknowledged instance came to both as it was; gives the repeats."""
        wanted = {str(ledger.uid(item)): item for item in acked}
        known = {str(ledger.uid(item)): item for item in workers.COMMITTED}
        repeats = 0
        for name, arrivals in (("pacs", self.forwardee.arrivals), ("web", self.web.arrivals)):
            digests = {}
            for uid, digest in arrivals:
                digests.setdefault(uid, set()).add(digest)
            repeats += len(arrivals) - len(digests)
            for uid, item in wanted.items():
                if uid not in digests:
                    totals.finding("lost", f"image {item}", f"acknowledged, and never sent to {name}")
                elif digests[uid] != {ledger.digest(ledger.after_meta(ledger.part10(ledger.instance(item))))}:
                    totals.finding("half", f"image {item}", f"sent to {name} as something else")
            for uid in digests.keys() - wanted.keys() - known.keys():
                listed = checker.session.get(
                    f"{self.server.dicomweb}/instances", timeout=20, params={"SOPInstanceUID": uid},
                    headers={"Accept": "application/dicom+json"})
                if listed.status_code != 200 or len(listed.json()) != 1:
                    totals.finding("half", f"image {uid}", f"sent to {name}, and not there")
        return repeats

    def check(self, checker, items, acked, totals):
        """Gives repeats: of images that were sent on, and of retrievals of one study from the archive."""
        self.workitems(checker.session, items["workitem"], acked["workitem"], totals)
        self.fetched(checker.session, acked["fetch"], totals)
        return {"forward": self.forwarded(checker, acked["forward"], totals),
                "fetch": sum(count - 1 for count in self.archive.asked.values())}

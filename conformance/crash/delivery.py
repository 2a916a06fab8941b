"""kill -9 while the outbox is delivered: what was acknowledged by one door has to reach somebody else.

reports   results by MLLP, told to a RIS as ORU^R01 (python-hl7's server)
steps     N-CREATE and N-SET of performed procedure steps, forwarded to an MPPS SCP (pynetdicom)
commit    storage commitment asked for, reported by N-EVENT-REPORT on a new association (pynetdicom)
hooks     Observations by FHIR, told to a rest-hook (Python's HTTPS server)
images    sent on, fetched and worked on meanwhile: see images.py

The receivers live on, outside: they take what comes, some of it slowly. Every acknowledged item must reach its receiver
at least once, whatever was repeated under one id (MSH-10, SOP Instance UID, Transaction UID, Hilum-Event-Id) with the same
content, and nothing may be told that is not there.
"""

import json
import random
import time

from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.sop_class import ModalityPerformedProcedureStep, StorageCommitmentPushModel

import custody
import images
import ledger
import ris
import workers
from hilum_server import HilumServer
from posts import Posts
from smart import BackendClient

DOORS = ("report", "step", "commit", "fhir", *images.DOORS)

PROFILE = """
destinations:
  ris:
    peer: RIS|EAST
    connections: 4
    send: [{ event: result }]
"""


class RIS:
    def __init__(self):
        self.random = random.Random(1)
        self.receiver = ris.Receiver(lambda arrival: [self.random.uniform(0, 0.02), ris.answer(arrival)])

    def told(self):
        """(what it is of, the id of the event, its content) of each that came."""
        return [(a.part("OBR", 18, 1), a.control, a.text) for a in list(self.receiver.arrivals)]

    def stop(self):
        self.receiver.stop()


class Steps:
    """An MPPS SCP as the standard has it. PS3.4 §F.7.2."""

    def __init__(self):
        self.states, self.repeats = {}, 0
        ae = AE(ae_title="STEPS")
        ae.add_supported_context(ModalityPerformedProcedureStep)
        self.server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[
            (evt.EVT_N_CREATE, self.create), (evt.EVT_N_SET, self.set)])
        self.port = self.server.socket.getsockname()[1]

    def create(self, event):
        uid, data = event.request.AffectedSOPInstanceUID, event.attribute_list
        if uid in self.states:
            self.repeats += 1
            return 0x0111, None
        self.states[uid] = data.PerformedProcedureStepStatus
        return 0x0000, data

    def set(self, event):
        uid, data = event.request.RequestedSOPInstanceUID, event.modification_list
        if uid not in self.states:
            return 0x0112, None
        if self.states[uid] != "IN PROGRESS":
            self.repeats += 1
            status = Dataset()
            status.Status, status.ErrorID = 0x0110, 0xA710
            return status, None
        self.states[uid] = data.get("PerformedProcedureStepStatus", self.states[uid])
        return 0x0000, data

    def stop(self):
        self.server.shutdown()


class Committer:
    def __init__(self):
        self.reports = []
        ae = AE(ae_title="COMMITTER")
        ae.add_supported_context(StorageCommitmentPushModel, scu_role=False, scp_role=True)
        self.server = ae.start_server(
            ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, self.report)])
        self.port = self.server.socket.getsockname()[1]

    def report(self, event):
        information = event.event_information
        self.reports.append((str(information.TransactionUID), event.event_type, sorted(
            str(item.ReferencedSOPInstanceUID) for item in information.get("ReferencedSOPSequence", []))))
        return 0x0000, None

    def told(self):
        return [(uid, uid, (kind, tuple(instances))) for uid, kind, instances in list(self.reports)]

    def stop(self):
        self.server.shutdown()


class Hook(Posts):
    """The endpoint of a Subscription."""

    def __init__(self, context):
        self.calls = []
        super().__init__(context, self.take)

    def take(self, headers, body):
        if headers.get("Hilum-Event") != "handshake":
            self.calls.append((headers["Hilum-Event-Id"], body))
        return "", b""

    def told(self):
        found = []
        for event, body in list(self.calls):
            resource = json.loads(body)
            found.append((f"{resource['id']}/{resource['meta']['versionId']}", event, body))
        return found


def waiting(server):
    """Entries of the outbox that are on their way."""
    return sum(len(json.loads(server.command("outbox", "list", server.folder, "--state", state, "--json"))["entries"])
               for state in ("waiting", "leased"))


def settle(server, totals, seconds=90):
    until = time.monotonic() + seconds
    while waiting(server):
        if time.monotonic() > until:
            totals.finding("lost", "outbox", f"{waiting(server)} entries wait still after {seconds} s")
            return
        time.sleep(0.2)
    parked = json.loads(server.command("outbox", "list", server.folder, "--state", "parked", "--json"))["entries"]
    for entry in parked:
        totals.finding("lost", f"entry {entry['number']} of {entry['kind']}", f"parked: {entry.get('failure')}")


def events(name, told, wanted, totals):
    """Each wanted one came; what came several times came under one id with one content. Gives how many were repeats."""
    ids, contents = {}, {}
    for subject, event, content in told:
        ids.setdefault(subject, set()).add(event)
        contents.setdefault(event, set()).add(content)
    for subject in wanted:
        if subject not in ids:
            totals.finding("lost", f"{name} {subject}", "acknowledged, and never told")
    for subject, found in ids.items():
        if len(found) > 1:
            totals.finding("half", f"{name} {subject}", f"told under {len(found)} ids")
    for event, found in contents.items():
        if len(found) > 1:
            totals.finding("half", f"{name} {event}", "told twice with other content")
    return len(told) - len(contents)


def check(server, backend, checker_type, totals, journals, receivers, beside):
    ris_server, steps, committer, hook = receivers
    items, acked = {door: [] for door in DOORS}, {door: {} for door in DOORS}
    for door, path in journals:
        intents, acks = ledger.read_journal(path)
        items[door] += intents
        acked[door].update(acks)
    checker = checker_type(server, backend, totals)
    accession = {f"A{item.replace('-', '')}"[:16]: item for item in items["report"]}
    by_item = {item: number for number, item in accession.items()}
    repeats = {"reports": events("report", ris_server.told(), [by_item[item] for item in acked["report"]], totals)}
    for number, _, _ in ris_server.told():
        item = accession.get(number)
        if item is None or item not in acked["report"]:
            if not checker.search("DiagnosticReport", identifier=f"F{(item or '').replace('-', '')}"):
                totals.finding("half", f"report {item or number}", "told, and not there")
    for item in acked["step"]:
        state, ends = steps.states.get(workers.step_uid(item)), int(item.rsplit("-", 1)[1]) % 2 == 0
        if state is None or ends and state != "COMPLETED":
            totals.finding("lost", f"step {item}", f"acknowledged, and told as {state}")
    repeats["steps"] = steps.repeats
    repeats["commit"] = events(
        "commitment", committer.told(), [str(ledger.uid("transaction", item)) for item in acked["commit"]], totals)
    wanted = tuple(sorted(str(ledger.uid(name)) for name in workers.COMMITTED))
    for uid, _, content in committer.told():
        if content != (1, wanted):
            totals.finding("half", f"commitment {uid}", "not all of the images are committed")
    repeats["hooks"] = events("hook", hook.told(), [f"{ack['id']}/1" for ack in acked["fhir"].values()], totals)
    there = {}
    for subject, _, body in hook.told():
        there[subject] = json.loads(body)["identifier"][0]["value"]
    for subject, item in there.items():
        if item not in acked["fhir"] and not checker.search("Observation", identifier=f"urn:hilum:ledger|{item}"):
            totals.finding("half", f"hook {subject}", "told, and not there")
    repeats.update(beside.check(checker, items, acked, totals))
    for door, items_of in items.items():
        totals.sent += len(items_of)
        totals.acknowledged += len(acked[door])
        totals.by_door[door] = len(acked[door])
    return repeats


def run(kind, arguments, checker_type, totals, folder, rng):
    """Kills under delivery on one database kind. Findings go to `totals`; gives figures."""
    server = HilumServer(folder / "delivery", postgres=custody.Databases(kind, folder).empty(),
                         log=folder / "delivery.log", options=["--plain-loopback"] if arguments.plain else [])
    server.init()
    receivers = [RIS(), Steps(), Committer(), Hook(ris.server_context(server, folder, asks=False))]
    ris_server, steps, committer, hook = receivers
    with open(server.folder / "site.yaml", "a") as file:
        file.write(PROFILE)
    with open(server.folder / "hilum.yaml", "a") as file:
        file.write("\noutbound: { allow-networks: [127.0.0.0/8], authorities: tls/ca.pem }\n")
    server.add_ae("LEDGER")
    server.add_ae("COMMITTER", port=committer.port)
    server.command("peer", "add", server.folder, "--ae", "STEPS", "--host", "127.0.0.1", "--port", steps.port,
                   "--may", "echo", "--offers", "mpps")
    server.command("peer", "add", server.folder, "--mllp-app", "RIS", "--mllp-facility", "EAST", "--host", "127.0.0.1",
                   "--port", ris_server.receiver.port, "--offers", "all")
    server.add_sender(workers.check_hl7.SENDER, workers.check_hl7.FACILITY)
    beside = images.Images(server, ris.server_context(server, folder, asks=False), arguments.delivery_kills)
    backend = BackendClient(server, "delivery", "ES384", "system/*.cruds", folder)
    starts, journals = [], []
    try:
        server.start()
        store = workers.c_store(server, None)
        for name in workers.COMMITTED:
            store(name)
        made = backend.session().post(server.fhir + "/Subscription", timeout=20, json={
            "resourceType": "Subscription", "status": "requested", "reason": "the ledger",
            "criteria": "Observation?code=urn:hilum:ledger|item",
            "channel": {"type": "rest-hook", "endpoint": f"https://127.0.0.1:{hook.port}/hook",
                        "payload": "application/fhir+json"}})
        if made.status_code != 201:
            raise SystemExit(f"Subscription: {made.status_code} {made.text[:300]}")
        for index in range(1, arguments.delivery_kills + 1):
            backend.token = None
            load = custody.Load(server, backend, folder, f"d{index}", DOORS)
            journals += load.journals
            time.sleep(rng.uniform(0.1, max(0.1, arguments.seconds)))
            if not server.is_running():
                raise SystemExit(f"the server ended by itself:\n{server.log_tail()}")
            beside.killing()
            server.kill()
            load.join()
            server.start()
            starts.append(server.start_seconds)
            backend.token = None
            path = dict(load.journals)["workitem"]
            beside.workitems(backend.session(), *ledger.read_journal(path), totals)
        settle(server, totals)
        backend.token = None
        repeats = check(server, backend, checker_type, totals, journals, receivers, beside)
        if server.stop() != 0:
            totals.findings.append("delivery: SIGTERM: exit code not 0")
    finally:
        if server.is_running():
            server.kill()
        for receiver in (*receivers, beside):
            receiver.stop()
    print(f"{kind} delivery: {arguments.delivery_kills} kills, acknowledged "
          f"{', '.join(f'{door} {count}' for door, count in totals.by_door.items())}; repeated "
          f"{', '.join(f'{name} {count}' for name, count in repeats.items())}; "
          f"{beside.interrupted} fetches broken off: {totals.lost} lost, {totals.half} half-told; "
          f"ready again in {max(starts, default=0):.2f} s at most", flush=True)
    return {"repeats": repeats, "interrupted": beside.interrupted, "ready_again_seconds_max": max(starts, default=0)}

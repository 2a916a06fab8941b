"""HL7 v2 out: what a RIS and an EHR that others wrote are sent, and what becomes of it when they misbehave.

A Hilum of its own, whose destinations are python-hl7's MLLP server (clear text, and TLS with client certificates) and
bare sockets. Every message that leaves is read by python-hl7 field by field, and validated by hl7apy.
"""

import base64
import json
import os
import pathlib
import random
import re
import subprocess
import threading
import time

from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message
from pydicom.uid import generate_uid
from pynetdicom import build_context
from pynetdicom.sop_class import ModalityPerformedProcedureStep

import check_dicom
import check_hl7
import check_mpps
import dicom_files
from hilum_server import HilumServer
from report import equal, expect, within
from ris import RawReceiver, Receiver, answer, server_context
from smart import BackendClient

GROUP = "hl7-out"
FACILITY = "EAST"
TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"
PDF = b"%PDF-1.4\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n"
VIEWER = "https://viewer.example/studies/{study}"
EVIL = "O'Neil|^~\\&\rZZZ|1|no segment\r\nZZY|2"

# Three fillers, by modality; a copy of everything in eight lanes; and a receiver that is down for a while.
PROFILE = """
destinations:
  orm:
    peer: ORM|EAST
    version: 2.3.1
    sending_facility: NORTH
    report: { contents: [text, observations, link], text_as: TX, link_as: TX, viewer: "%(viewer)s" }
    send:
      - { event: order, as: ORM^O01, modalities: [CT] }
      - { event: result, modalities: [CT] }
      - { event: patient, as: ADT^A31 }
      - { event: merge }
      - { event: images, as: ORM^O01, modalities: [CT] }
  omg:
    peer: OMG|EAST
    tls: { server_name: localhost }
    report: { contents: [text, observations, documents, link], viewer: "%(viewer)s" }
    send:
      - { event: order, as: OMG^O19, modalities: [MR] }
      - { event: result, modalities: [MR] }
      - { event: patient, as: ADT^A28 }
      - { event: merge }
      - { event: images, modalities: [CT] }
  omi:
    peer: OMI|EAST
    send: [{ event: order, as: OMI^O23, modalities: [US] }]
  accept:
    peer: ACCEPT|EAST
    role: filler
    acknowledgment: accept
    send: [{ event: order, as: ORM^O01, modalities: [XA] }]
  lanes:
    peer: LANES|EAST
    connections: 8
    send: [{ event: result, modalities: [NM] }]
  stop:
    peer: STOP|EAST
    on_answer: { AE: stop }
    send: [{ event: result, modalities: [RF] }]
  down:
    peer: DOWN|EAST
    connections: 2
    connect_seconds: 1
    send: [{ event: result, modalities: [PT] }]
"""

# A destination for each kind of misbehaviour; what is sent to it is a file.
GAME = """  %(name)s:
    peer: %(peer)s|EAST
    connect_seconds: 1
    answer_seconds: 1
%(more)s    send: [{ event: result, modalities: [%(name)s] }]
"""


class Site:
    """The server with its destinations and their receivers."""

    def __init__(self, folder, plain, postgres):
        self.folder = pathlib.Path(folder)
        self.server = HilumServer(
            self.folder / "hl7-out", postgres=own_database(postgres), log=self.folder / "hl7-out.log",
            options=["--plain-loopback"] if plain else [])
        self.server.init()
        self.fillers = 0
        self.delays = random.Random(20260101)
        self.orm, self.omi = Receiver(self.fill("ORR^O02")), Receiver(self.fill("ORI^O24"))
        self.omg = Receiver(self.fill("ORG^O20"), tls=server_context(self.server, self.folder))
        self.accept = Receiver(lambda arrival: [answer(arrival, "CA")])
        self.lanes = Receiver(lambda arrival: [self.delays.uniform(0.05, 0.15), answer(arrival)])
        self.stopped = set()
        self.stop = Receiver(lambda arrival: [answer(arrival, "AE" if self.is_first(arrival) else "AA")])
        self.down = Receiver()
        self.down.stop()
        self.games = {name: Game(name, *game) for name, game in GAMES.items()}
        profile = PROFILE % {"viewer": VIEWER}
        for game in self.games.values():
            profile += GAME % {"name": game.name, "peer": game.peer, "more": game.settings}
        with open(self.server.folder / "site.yaml", "a") as file:
            file.write(profile)
        # What a command puts into the outbox is found by looking.
        with open(self.server.folder / "hilum.yaml", "a") as file:
            file.write("\nlimits: { delivery-tick-seconds: 1 }\n")
        self.server.configure("# worklist-stations:", "worklist-stations: { CT: [CT1] }")
        self.add("ORM", self.orm.port)
        self.add("OMG", self.omg.port, "--tls", "on")
        for name in ("omi", "accept", "lanes", "stop", "down"):
            self.add(name.upper(), getattr(self, name).port)
        for game in self.games.values():
            self.add(game.peer, game.receiver.port)
        self.server.add_sender(check_hl7.SENDER, check_hl7.FACILITY)
        self.server.add_ae("CLIENTS")
        self.backend = BackendClient(self.server, "ehr", "ES384", "system/*.cruds", self.folder)
        self.server.start()
        self.session = self.backend.session()

    def add(self, application, port, *more):
        self.server.command("peer", "add", self.server.folder, "--mllp-app", application, "--mllp-facility", FACILITY,
                            "--host", "127.0.0.1", "--port", port, "--may", "orders", "--offers", "all", *more)

    def fill(self, kind):
        """Answers to a new order with the filler's number, as an order filler does."""
        def script(arrival):
            if arrival.at("ORC", 1) not in ("NW", "RO") and len(arrival.segments("ORC")) < 2:
                return [answer(arrival)]
            more = []
            for index, orc in enumerate(arrival.segments("ORC")):
                if str(orc[1]) in ("NW", "RO"):
                    self.fillers += 1
                    more.append(f"ORC|OK|{arrival.at('ORC', 2, index)}|FN{self.fillers}^RIS")
            return [answer(arrival, more=more, kind=kind)]
        return script

    def is_first(self, arrival):
        return arrival.part("OBR", 18, 1) == "ST1" and not self.stopped and not self.stopped.add("ST1")

    # FHIR

    def put(self, kind, id, **resource):
        found = self.session.put(f"{self.server.fhir}/{kind}/{id}", timeout=30,
                                 json={"resourceType": kind, "id": id, **resource})
        expect(found.status_code in (200, 201), f"PUT {kind}/{id}: {found.status_code} {found.text[:300]}")

    def get(self, kind, id):
        found = self.session.get(f"{self.server.fhir}/{kind}/{id}", timeout=30)
        equal(found.status_code, 200, f"GET {kind}/{id}")
        return found.json()

    def patient(self, id, **more):
        self.put("Patient", id, identifier=[identifier("MR", "urn:hilum:site:mrn", id.upper())],
                 **{"name": [{"family": EVIL, "given": ["Ann", "B"]}], "birthDate": "1980-02-03", "gender": "female",
                    "address": [{"line": ["1 Main St"], "city": "Town", "postalCode": "12345"}],
                    "telecom": [{"system": "phone", "use": "home", "value": "+1 555 0100"}], **more})

    def order(self, id, patient, modality, status="active", **more):
        self.put("ServiceRequest", id, **{
            "status": status, "intent": "order", "subject": {"reference": f"Patient/{patient}"},
            "category": [{"coding": [{"system": "http://snomed.info/sct", "code": "363679005"}]}],
            "identifier": [identifier("PLAC", "urn:ehr:orders", f"PL-{id}"),
                           identifier("ACSN", "urn:hilum:site:accession", f"AC-{id}")],
            "code": {"coding": [{"system": "http://loinc.org", "code": "24627-2", "display": "CT Chest"}]},
            "orderDetail": [{"coding": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": modality}]}],
            "occurrenceDateTime": "2026-12-01T09:00:00Z", "authoredOn": "2026-11-29T09:00:00Z", "priority": "urgent",
            "requester": {"identifier": {"system": "urn:ehr:staff", "value": "D7"}, "display": "Doctor"},
            "reasonCode": [{"text": "cough"}], "note": [{"text": EVIL}], **more})

    def entries(self, destination, **query):
        words = [word for key, value in query.items() for word in ("--" + key, value)]
        out = self.server.command("outbox", "list", self.server.folder, "--destination", f"hl7/{destination}",
                                  "--json", "--limit", 1000, *words)
        return json.loads(out)["entries"]

    def settled(self, destination, count, timeout=120):
        """The entries of a destination, oldest first, once none of them waits."""
        until = time.monotonic() + timeout
        while True:
            found = self.entries(destination)
            if len(found) >= count and all(e["state"] not in ("waiting", "leased") for e in found):
                return sorted(found, key=lambda e: e["number"])
            states = [(e["state"], e.get("failure")) for e in found]
            expect(time.monotonic() < until, f"hl7/{destination} is not settled after {timeout} s: {states}")
            time.sleep(0.2)

    def close(self):
        code = self.server.stop()
        for receiver in (self.orm, self.omg, self.omi, self.accept, self.lanes, self.stop, self.down):
            receiver.stop()
        for game in self.games.values():
            game.receiver.stop()
        return code


def own_database(postgres, label="hl7_out"):
    """A new database beside the one that a connection string names; None for SQLite."""
    if not postgres:
        return None
    name = f"{label}_{os.getpid()}"
    subprocess.run(["psql", "--no-psqlrc", "--quiet", "--dbname", postgres, "--command", f"CREATE DATABASE {name}"],
                   check=True, capture_output=True, text=True)
    return f"{postgres} dbname={name}"


def identifier(kind, system, value):
    return {"type": {"coding": [{"system": TYPES, "code": kind}]}, "system": system, "value": value}


# Misbehaviour

class Game:
    """A receiver that misbehaves, and the messages that are sent to it: `script(receiver, connection, number)`."""

    def __init__(self, name, script, outcomes, settings=""):
        self.name, self.peer, self.outcomes = name, name.upper(), outcomes
        self.settings = "".join(f"    {line}\n" for line in settings.splitlines())
        self.receiver = RawReceiver(script)
        self.lock = threading.Lock()

    def controls(self):
        return [f"{self.peer[:14]}-{number + 1}" for number in range(len(self.outcomes))]


def message(peer, control):
    """Each is long enough to need several reads, and is of one order: what follows waits."""
    lines = [f"MSH|^~\\&|HILUM||{peer}|{FACILITY}|20260101120000||ORU^R01^ORU_R01|{control}|P|2.5.1",
             "PID|1||GAME^^^HOSP^MR||Game^Gwen", "OBR|1|PL1|FI1|CTCHEST^CT chest^L" + "|" * 21 + "F"]
    lines += [f"OBX|{n}|TX|IMP^Impression^L||line {n}||||||F" for n in range(1, 60)]
    return "\r".join(lines) + "\r"


def each(first, then=lambda receiver, connection, arrival: receiver.write(connection, answer(arrival))):
    """`first` deals with the first message that the receiver gets, `then` with all others."""
    def script(receiver, connection, number):
        while True:
            arrival = receiver.read(connection)
            if arrival is None:
                return
            (first if len(receiver.controls) == 1 else then)(receiver, connection, arrival)
    return script


def wrong_id(receiver, connection, arrival):
    receiver.write(connection, answer(arrival).replace(f"MSA|AA|{arrival.control}", "MSA|AA|ANOTHER"))


def two(receiver, connection, arrival):
    receiver.write(connection, answer(arrival))
    receiver.write(connection, answer(arrival, "AE"))
    # That of the message behind it, before it is there.
    receiver.write(connection, answer(arrival, "AR"))


def late(receiver, connection, arrival):
    time.sleep(1.6)
    receiver.write(connection, answer(arrival))
    connection.settimeout(2)


def garbage(receiver, connection, arrival):
    connection.sendall(bytes(random.Random(1).randbytes(4096)).replace(b"\x0b", b"."))


def megabyte(receiver, connection, arrival):
    connection.sendall(b"\x0b" + answer(arrival).encode() + b"NTE|1||" + b"x" * (1 << 20) + b"\x1c\r")


def drip(receiver, connection, arrival):
    """A whole answer, a byte at a time: slower than it may."""
    for byte in (b"\x0b" + answer(arrival).encode() + b"\x1c\r"):
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


def coded(code):
    return lambda receiver, connection, arrival: receiver.write(
        connection, answer(arrival, code, more=["ERR|||207^Application internal error^HL70357|E"]))


def hang_up(receiver, connection, arrival):
    connection.close()
    raise OSError


def idle_close(receiver, connection, number):
    """Answers one message and closes the connection, as firewalls do."""
    arrival = receiver.read(connection)
    if arrival:
        receiver.write(connection, answer(arrival))


# name: what the receiver does, (state, attempts) of each message, settings
GAMES = {
    "wrong-id": (each(wrong_id), [("done", 2), ("done", 1)]),
    "two": (each(two), [("done", 1), ("done", 1)]),
    "none": (each(lambda *_: None), [("done", 2), ("done", 1)]),
    "late": (each(late), [("done", 2), ("done", 1)]),
    "garbage": (each(garbage), [("done", 2), ("done", 1)]),
    "megabyte": (each(megabyte), [("done", 2), ("done", 1)]),
    "drip": (each(drip), [("done", 2), ("done", 1)]),
    "hang-up": (each(hang_up), [("done", 2), ("done", 1)]),
    "idle": (idle_close, [("done", 1), ("done", 1), ("done", 1)]),
    "class-ae": (each(coded("AE")), [("parked", 1), ("done", 1)]),
    "class-ar": (each(coded("AR")), [("done", 2), ("done", 1)]),
    "class-ce": (each(coded("CE")), [("done", 2), ("done", 1)], "acknowledgment: accept"),
    "class-cr": (each(coded("CR")), [("parked", 1), ("done", 1)], "acknowledgment: accept"),
    "class-ca": (each(coded("CA")), [("done", 1), ("done", 1)], "acknowledgment: accept"),
    "class-xx": (each(coded("XX")), [("done", 2), ("done", 1)]),
}


def check_games(report, site):
    for game in site.games.values():
        for control in game.controls():
            path = site.folder / f"{control}.hl7"
            path.write_text(message(game.peer, control))
            site.server.command("message", "send", site.server.folder, "--destination", game.name, "--file", path)

    def states(game):
        found = sorted(site.entries(game.name), key=lambda e: e["number"])
        return [(e["state"], e["attempts"]) for e in found]

    until = time.monotonic() + 90
    waiting = dict(site.games)
    while waiting and time.monotonic() < until:
        waiting = {name: game for name, game in waiting.items() if states(game) != game.outcomes}
        time.sleep(0.1)
    for name, game in site.games.items():
        def outcome(game=game):
            equal(states(game), game.outcomes, "state and attempts of each message")
            # One after another, each as often as it was tried, and no other one's answer is taken for it.
            wanted = [control for control, (_, attempts) in zip(game.controls(), game.outcomes)
                      for _ in range(attempts)]
            equal(game.receiver.controls, wanted, "MSH-10 of what arrived")
            if any(attempts > 1 for _, attempts in game.outcomes) and not name.startswith("class"):
                expect(game.receiver.count > 1, "it was sent again on the connection that had failed")

        report.check(GROUP, f"answers: {name}", outcome, "HL7 v2.5.1 §2.9.2")


# What leaves

def check_patients(report, site):
    def fields(arrival, event):
        equal(arrival.kind, f"ADT^{event}", "MSH-9")
        equal(arrival.at("EVN", 1), event, "EVN-1")
        equal(arrival.part("PID", 3, 1), "P1", "PID-3.1")
        equal((arrival.part("PID", 3, 4), arrival.part("PID", 3, 5)), ("HOSP", "MR"), "PID-3.4 and 5")
        expect("O'Neil|^~\\&" in arrival.part("PID", 5, 1), f"PID-5.1 {arrival.part('PID', 5, 1)!r}")
        equal(arrival.part("PID", 5, 3), "B", "PID-5.3")
        equal((arrival.at("PID", 7), arrival.at("PID", 8)), ("19800203", "F"), "PID-7 and 8")
        equal((arrival.part("PID", 11, 1), arrival.part("PID", 11, 5)), ("1 Main St", "12345"), "PID-11")
        equal(arrival.part("PID", 13, 1), "+1 555 0100", "PID-13")
        names = [str(segment[0]) for segment in arrival.message]
        equal(names, ["MSH", "EVN", "PID", "PV1"], "segments")

    def created():
        site.patient("p1")
        fields(site.orm.wait(lambda a: a.part("PID", 3, 1) == "P1", "A31 of a new person"), "A31")
        fields(site.omg.wait(lambda a: a.part("PID", 3, 1) == "P1", "A28 of a new person"), "A28")
        site.patient("p1", gender="other")
        found = site.omg.wait(lambda a: a.part("PID", 3, 1) == "P1" and a.at("PID", 8) == "O", "A31 of a change")
        equal(found.kind, "ADT^A31", "MSH-9 of the change")
        site.patient("p1", gender="other")

    report.check(GROUP, "a Patient by FHIR leaves as ADT^A28 and A31, and its text makes no segment", created,
                 "HL7 v2.5.1 §3.3.28, §3.3.31")

    def tls():
        certificate = site.omg.peers[0]
        expect(certificate, "no client certificate was shown")

    report.check(GROUP, "TLS with a client certificate that the receiver verifies", tls, "RFC 8446 §4.4.2")

    def merged():
        for name in ("MG1", "MG2"):
            check_hl7.acknowledged(check_hl7.ask(site.server, check_hl7.adt(f"A-{name}", name)), f"A-{name}")
        a40 = "\r".join([check_hl7.msh("ADT^A40^ADT_A39", "A40-1"), "EVN|A40|20260101120000",
                         "PID|1||MG1^^^TESTS^MR||Probe^Adam||19700102|M", "MRG|MG2^^^TESTS^MR", ""])
        check_hl7.acknowledged(check_hl7.ask(site.server, a40), "A40-1")
        for receiver in (site.orm, site.omg):
            found = receiver.wait(lambda a: a.kind == "ADT^A40", "A40")
            # The survivor goes by both numbers from now on.
            numbers = [number.split("^")[0] for number in found.at("PID", 3).split("~")]
            expect("MG1" in numbers, f"PID-3 of the survivor: {numbers}")
            equal(found.part("MRG", 1, 1), "MG2", "MRG-1 of the retired record")
            told = [a.part("PID", 3, 1) for a in receiver.arrivals[: receiver.arrivals.index(found)]]
            expect({"MG1", "MG2"} <= set(told), "the merge came before what it merges")

    report.check(GROUP, "a merge leaves as ADT^A40, behind what was told of both", merged, "HL7 v2.5.1 §3.3.40")


def check_orders(report, site):
    cases = [("orm", "CT", "ORM^O01", "2.3.1", "ORR^O02"), ("omg", "MR", "OMG^O19", "2.5.1", "ORG^O20"),
             ("omi", "US", "OMI^O23", "2.5.1", "ORI^O24")]
    for name, modality, kind, version, reply in cases:
        receiver = getattr(site, name)

        def of(order, control, receiver=receiver):
            return receiver.wait(
                lambda a: a.part("ORC", 2, 1) == f"PL-{order}" and a.at("ORC", 1) == control, f"{control} of {order}")

        def new(name=name, modality=modality, kind=kind, version=version, of=of):
            order = f"{name}1"
            site.order(order, "p1", modality)
            found = of(order, "NW")
            equal((found.kind, found.at("MSH", 12)), (kind, version), "MSH-9 and 12")
            equal((found.at("MSH", 3), found.at("MSH", 5), found.at("MSH", 6)), ("HILUM", name.upper(), FACILITY),
                  "MSH-3, 5 and 6")
            equal(found.at("ORC", 3), "", "ORC-3 before there is a number")
            equal(found.at("ORC", 5), "", "ORC-5 of a new order")
            equal(found.at("ORC", 9)[:14], "20261129090000", "ORC-9")
            equal(found.part("ORC", 12, 1), "D7", "ORC-12.1")
            equal((found.part("OBR", 4, 1), found.part("OBR", 4, 2), found.part("OBR", 4, 3)),
                  ("24627-2", "CT Chest", "LN"), "OBR-4")
            equal(found.part("OBR", 31, 2), "cough", "OBR-31")
            expect("O'Neil|^~\\&" in found.message.unescape(found.at("NTE", 3)), f"NTE-3 {found.at('NTE', 3)!r}")
            expect(not any(str(s[0]) in ("ZZZ", "ZZY") for s in found.message), "text has become a segment")
            if name == "orm":
                start = found.at("OBR", 27).split("^")
                equal((start[3][:14], start[5]), ("20261201090000", "T"), "OBR-27: start and priority")
            else:
                equal((found.at("TQ1", 7)[:14], found.at("TQ1", 9)), ("20261201090000", "T"), "TQ1-7 and 9")
            place = ("IPC", 1) if name == "omi" else ("OBR", 18)
            equal(found.part(*place, 1), f"AC-{order}", "accession number")
            if name == "omi":
                equal(found.at("IPC", 5), "US", "IPC-5")

        report.check(GROUP, f"a ServiceRequest by FHIR leaves as {kind} NW, every field of it", new,
                     "HL7 v2.5.1 §4.4, IHE RAD-2")

        def numbered(name=name):
            until = time.monotonic() + 60
            while True:
                found = {kinds["code"]: i["value"] for i in site.get("ServiceRequest", f"{name}1")["identifier"]
                         for kinds in i.get("type", {}).get("coding", [])}
                if "FILL" in found:
                    break
                expect(time.monotonic() < until, f"no filler number in 60 s: {found}")
                time.sleep(0.05)
            equal(found["PLAC"], f"PL-{name}1", "the placer number stays")
            expect(found["FILL"].startswith("FN"), f"filler number {found['FILL']}")

        report.check(GROUP, f"the filler's number in {reply} is kept with the order", numbered, "HL7 v2.5.1 §4.4.2")

        def life(name=name, modality=modality, receiver=receiver, of=of):
            order = f"{name}1"
            filler = next(i["value"] for i in site.get("ServiceRequest", order)["identifier"]
                          if i.get("type", {}).get("coding", [{}])[0].get("code") == "FILL")
            numbers = [identifier("PLAC", "urn:ehr:orders", f"PL-{order}"),
                       identifier("ACSN", "urn:hilum:site:accession", f"AC-{order}"),
                       next(i for i in site.get("ServiceRequest", order)["identifier"] if i["value"] == filler)]
            site.order(order, "p1", modality, priority="stat", identifier=numbers)
            changed = of(order, "XO")
            equal((changed.part("ORC", 3, 1), changed.at("ORC", 5)), (filler, "SC"), "ORC-3 and 5 of the change")
            site.order(order, "p1", modality, priority="stat", identifier=numbers, status="on-hold")
            equal(of(order, "HD").at("ORC", 5), "HD", "ORC-5 of the hold")
            site.order(order, "p1", modality, priority="stat", identifier=numbers)
            equal(of(order, "RL").at("ORC", 5), "SC", "ORC-5 of the release")
            site.order(order, "p1", modality, priority="stat", identifier=numbers, status="revoked")
            equal(of(order, "CA").at("ORC", 5), "CA", "ORC-5 of the cancel")
            told = [a.at("ORC", 1) for a in receiver.arrivals if a.part("ORC", 2, 1) == f"PL-{order}"]
            equal(told, ["NW", "XO", "HD", "RL", "CA"], "what was told of the order, in order")

        report.check(GROUP, f"{kind}: change, hold, release and cancel, each once and in order", life,
                     "HL7 v2.5.1 table 0119")

        def replaced(name=name, modality=modality, of=of):
            site.order(f"{name}2", "p1", modality)
            of(f"{name}2", "NW")
            site.order(f"{name}3", "p1", modality, replaces=[{"reference": f"ServiceRequest/{name}2"}])
            pair = of(f"{name}2", "RP")
            equal([(str(s[1]), str(s[2]).split("^")[0]) for s in pair.segments("ORC")],
                  [("RP", f"PL-{name}2"), ("RO", f"PL-{name}3")], "ORC-1 and 2 of the pair")

        report.check(GROUP, f"{kind}: ServiceRequest.replaces makes an RP and RO pair", replaced,
                     "HL7 v2.5.1 §4.5.1.1")

    def refused():
        site.orm.script, kept = (lambda a: [answer(a, more=[f"ORC|UA|{a.at('ORC', 2)}"], kind="ORR^O02")]
                                 if a.at("ORC", 1) == "NW" else [answer(a)]), site.orm.script
        try:
            site.order("orm9", "p1", "CT")
            until = time.monotonic() + 60
            while True:
                parked = [e for e in site.entries("orm") if e["state"] == "parked"]
                if parked:
                    break
                expect(time.monotonic() < until, "the refused order is not parked in 60 s")
                time.sleep(0.1)
            expect("UA" in parked[0]["failure"], parked[0]["failure"])
        finally:
            site.orm.script = kept

    report.check(GROUP, "an order that the filler cannot take (UA) is parked with the code", refused,
                 "HL7 v2.5.1 table 0119")

    def filler_role():
        site.order("acc1", "p1", "XA")
        new = site.accept.wait(lambda a: a.part("ORC", 2, 1) == "PL-acc1", "the order")
        equal((new.at("ORC", 1), new.at("ORC", 5)), ("SN", "SC"), "ORC-1 and 5 in the filler's words")
        equal((new.at("MSH", 15), new.at("MSH", 16)), ("AL", "NE"), "MSH-15 and 16")
        site.order("acc1", "p1", "XA", status="revoked")
        site.accept.wait(lambda a: a.part("ORC", 2, 1) == "PL-acc1" and a.at("ORC", 1) == "OC", "the cancel")
        equal({e["state"] for e in site.settled("accept", 2)}, {"done"}, "states after CA")

    report.check(GROUP, "enhanced mode: CA delivers; a copy is told in the codes of a filler", filler_role,
                 "HL7 v2.5.1 §2.9.3")


def oru(control, patient, accession, status, lines, modality, more=()):
    return "\r".join([
        check_hl7.msh("ORU^R01^ORU_R01", control), f"PID|1||{patient}^^^TESTS^MR||Probe^Adam||19700102|M", "PV1|1|O",
        check_hl7.segment("ORC", {1: "RE", 2: f"P{accession}^CLIENTS", 3: f"F{accession}^RIS"}),
        check_hl7.segment("OBR", {1: "1", 2: f"P{accession}^CLIENTS", 3: f"F{accession}^RIS", 4: "CTCHEST^CT chest^L",
                                  7: "20260102093000", 16: check_hl7.DOCTOR, 18: accession, 22: "20260102100000",
                                  24: modality, 25: status}),
        *[check_hl7.segment("OBX", {1: str(n), 2: "TX", 3: "IMP^Impression^L", 5: line, 11: status})
          for n, line in enumerate(lines, 1)],
        *more, ""])


def dictated(site, name, modality):
    """An order by HL7 whose report is to be told."""
    text = check_hl7.order(f"O-{name}", f"PT{name}", name, f"P{name}", f"F{name}").replace("|CT|", f"|{modality}|")
    check_hl7.acknowledged(check_hl7.ask(site.server, text), f"O-{name}")


def send_image(site, patient, accession, uid, **changes):
    """One image of a study by C-STORE."""
    name, path = dicom_files.test_files()[0][0]
    sample = dicom_files.relabelled(name, path, f"hl7-out-{accession}")
    data = sample.data_set
    data.Modality, data.AccessionNumber, data.PatientID = "CT", accession, patient
    data.PatientName, data.PatientBirthDate, data.PatientSex = "Probe^Adam", "19700102", "M"
    data.StudyInstanceUID = uid
    for name, value in changes.items():
        setattr(data, name, value)
    association = check_dicom.associate(site.server, [build_context(sample.sop_class, sample.transfer_syntax)])
    try:
        equal(f"{association.send_c_store(data).Status:04X}", "0000", "C-STORE status")
    finally:
        association.release()


def check_reports(report, site):
    uid = check_hl7.study_uid("RA1")
    pdf = base64.b64encode(PDF).decode()
    more = [check_hl7.segment("OBX", {1: "8", 2: "NM", 3: "8277-6^Body surface^LN", 5: "1.90", 6: "m2^m2^UCUM",
                                      7: "1.5-2.1", 8: "N", 11: "%s"}),
            check_hl7.segment("OBX", {1: "9", 2: "ED", 3: "PDF^Report^L", 5: f"^AP^PDF^Base64^{pdf}", 11: "%s"})]

    def told(receiver, accession, state, count):
        return receiver.wait_all(
            lambda arrivals: (lambda found: found if len(found) >= count else None)(
                [a for a in arrivals if a.kind == "ORU^R01" and a.part("OBR", 18, 1) == accession
                 and a.at("OBR", 25) == state]), f"ORU {state} of {accession}")[-1]

    def values(arrival, kind):
        return [arrival.message.unescape(str(s[5])) for s in arrival.segments("OBX") if str(s[2]) == kind]

    def plain():
        dictated(site, "RA1", "CT")
        send_image(site, "PTRA1", "RA1", uid, IssuerOfPatientID="TESTS")
        for number, (status, lines) in enumerate(
                [("P", ["first look"]), ("F", ["all clear", "no nodule"]), ("C", ["a nodule", "of 4 mm"])], 1):
            text = oru(f"RA1-{number}", "PTRA1", "RA1", status, lines, "CT", [line % status for line in more[:1]])
            check_hl7.acknowledged(check_hl7.ask(site.server, text), f"RA1-{number}")
            found = told(site.orm, "RA1", status, 1)
            equal((found.part("ORC", 2, 1), found.part("ORC", 3, 1)), ("PRA1", "FRA1"), "ORC-2 and 3")
            equal((found.part("OBR", 4, 1), found.part("OBR", 16, 1)), ("CTCHEST", "1234"), "OBR-4 and 16")
            words = values(found, "TX")
            equal(words[: len(lines)], lines, "the lines of the report")
            link = VIEWER.replace("{study}", uid)
            expect(link in words, f"no link: {words}")
            number_of = [s for s in found.segments("OBX") if str(s[2]) == "NM"]
            equal((str(number_of[0][5]), str(number_of[0][6]).split("^")[0], str(number_of[0][7]),
                   str(number_of[0][8])), ("1.90", "m2", "1.5-2.1", "N"), "the number as it was sent")
            equal({str(s[11]) for s in found.segments("OBX") if str(s[2]) in ("TX", "NM")}, {status}, "OBX-11")
            study = [str(s[5]) for s in found.segments("OBX") if str(s[3]).startswith("113014")]
            equal(study, [uid], "the study's UID")
            equal([str(s[1]) for s in found.segments("OBX")],
                  [str(n) for n in range(1, len(found.segments("OBX")) + 1)], "OBX-1")
        sent = [a.at("OBR", 25) for a in site.orm.arrivals if a.kind == "ORU^R01" and a.part("OBR", 18, 1) == "RA1"]
        equal(sent, ["P", "F", "C"], "the states, each once and in order")

    report.check(GROUP, "ORU^R01 preliminary, final, corrected: text, numbers, study and link in 2.3.1", plain,
                 "HL7 v2.5.1 §7.3.1, IHE RAD-28")

    def document():
        dictated(site, "RB1", "NMR")
        send_image(site, "PTRB1", "RB1", check_hl7.study_uid("RB1"), IssuerOfPatientID="TESTS")
        text = oru("RB1-1", "PTRB1", "RB1", "F", ["all", "clear"], "NMR", [line % "F" for line in more])
        check_hl7.acknowledged(check_hl7.ask(site.server, text), "RB1-1")
        found = told(site.omg, "RB1", "F", 1)
        words = values(found, "FT")
        expect(any("all" in w and "clear" in w for w in words), f"FT {words}")
        documents = [s for s in found.segments("OBX") if str(s[2]) == "ED"]
        equal(len(documents), 1, "documents")
        parts = str(documents[0][5]).split("^")
        equal((parts[1], parts[2], parts[3]), ("AP", "PDF", "Base64"), "OBX-5.2 to 4")
        equal(base64.b64decode(parts[4]), PDF, "the PDF's bytes")
        links = [str(s[5]) for s in found.segments("OBX") if str(s[2]) == "RP"]
        expect(links and links[0].startswith(VIEWER.split("{")[0]), f"RP {links}")
        again = oru("RB1-2", "PTRB1", "RB1", "F", ["all", "clear"], "NMR", [line % "F" for line in more])
        check_hl7.acknowledged(check_hl7.ask(site.server, again), "RB1-2")
        time.sleep(0.5)
        equal(len([a for a in site.omg.arrivals if a.part("OBR", 18, 1) == "RB1" and a.kind == "ORU^R01"]), 1,
              "messages of what is no news")

    report.check(GROUP, "ORU^R01 with formatted text, the PDF's bytes and the link; no news is not sent", document,
                 "HL7 v2.5.1 §2.A.24")

    def born():
        site.order("born1", "p1", "MR")
        form = {"contentType": "application/pdf", "data": pdf, "title": "Report"}

        def put(status, conclusion, **more):
            site.put("DiagnosticReport", "born1", status=status, code={"text": "MR head"},
                     category=[{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "RAD"}]}],
                     subject={"reference": "Patient/p1"}, basedOn=[{"reference": "ServiceRequest/born1"}],
                     issued="2026-11-29T10:00:00Z", effectiveDateTime="2026-11-29T09:30:00Z",
                     resultsInterpreter=[{"identifier": {"system": "urn:ehr:staff", "value": "R9"}, "display": "Reader"}],
                     conclusion=conclusion, **more)

        site.put("Observation", "size1", status="final", code={"text": "Diameter"}, subject={"reference": "Patient/p1"},
                 valueQuantity={"value": 4.20, "unit": "mm", "system": "http://unitsofmeasure.org", "code": "mm"})
        for count, (status, code, conclusion) in enumerate(
                [("preliminary", "P", "first look"), ("final", "F", EVIL), ("corrected", "C", "two nodules"),
                 ("appended", "C", "two nodules\nAddendum: seen in 2024 too")], 1):
            put(status, conclusion, presentedForm=[form], result=[{"reference": "Observation/size1"}])
            found = told(site.omg, "AC-born1", code, 2 if status == "appended" else 1)
            equal(found.part("ORC", 2, 1), "PL-born1", "ORC-2")
            equal(found.part("OBR", 4, 2), "MR head", "OBR-4")
            expect(found.at("OBR", 32).startswith("R9"), f"OBR-32 {found.at('OBR', 32)!r}")
            equal(found.at("OBR", 22)[:14], "20261129100000", "OBR-22")
            words = " ".join(values(found, "FT"))
            expect(conclusion.split("\n")[0].split("\r")[0] in words, f"FT {words!r}")
            equal([str(s[5]) for s in found.segments("OBX") if str(s[2]) == "NM"], ["4.2"], "the measurement")
            equal(len([s for s in found.segments("OBX") if str(s[2]) == "ED"]), 1, "documents")
            expect(not found.segments("ZZZ"), "text has become a segment")
        put("entered-in-error", "two nodules")
        withdrawn = told(site.omg, "AC-born1", "C", 3)
        equal({str(s[11]) for s in withdrawn.segments("OBX")}, {"W"}, "OBX-11 of a withdrawal")

    report.check(GROUP, "a DiagnosticReport by FHIR leaves as ORU^R01: preliminary, final, corrected, addendum, withdrawn",
                 born, "HL7 v2.5.1 §7.3.1")


def check_work(report, site):
    """MPPS and images, of an order that came by FHIR."""
    accession, order = "AC-work1", "work1"

    def progress():
        site.patient("p2", name=[{"family": "Probe", "given": ["Adam"]}], birthDate="1970-01-02", gender="male")
        site.order(order, "p2", "CT")
        entry = check_mpps.listed(site.server, accession)[0]
        step, uid = check_mpps.performed(entry, accession), generate_uid()
        association = check_dicom.associate(site.server, [build_context(ModalityPerformedProcedureStep)])
        try:
            status, _ = association.send_n_create(step, ModalityPerformedProcedureStep, uid)
            equal(f"{status.Status:04X}", "0000", "N-CREATE status")
            site.orm.wait(lambda a: a.part("ORC", 2, 1) == f"PL-{order}" and (a.at("ORC", 1), a.at("ORC", 5)) == ("SC", "IP"),
                          "SC, IP")
            status, _ = association.send_n_set(check_mpps.completed(), ModalityPerformedProcedureStep, uid)
            equal(f"{status.Status:04X}", "0000", "N-SET status")
            site.orm.wait(lambda a: a.part("ORC", 2, 1) == f"PL-{order}" and (a.at("ORC", 1), a.at("ORC", 5)) == ("SC", "CM"),
                          "SC, CM")
        finally:
            association.release()
        return entry.StudyInstanceUID

    report.check(GROUP, "MPPS leaves as ORM^O01 SC, IP and CM", lambda: progress() and None, "IHE RAD-3")

    def available():
        uid = generate_uid()
        site.order("work2", "p2", "CT", identifier=[
            identifier("PLAC", "urn:ehr:orders", "PL-work2"), identifier("ACSN", "urn:hilum:site:accession", "AC-work2"),
            {"system": "urn:dicom:uid", "value": f"urn:oid:{uid}"}])
        send_image(site, "P2", "AC-work2", uid)
        found = site.orm.wait(lambda a: a.part("ORC", 2, 1) == "PL-work2" and a.at("ORC", 5) == "A", "SC, A")
        equal(found.at("ORC", 1), "SC", "ORC-1")
        equal(found.part("ZDS", 1, 1), uid, "ZDS-1")
        found = site.omg.wait(lambda a: a.part("OBR", 18, 1) == "AC-work2" and a.at("OBR", 25) == "R", "ORU, R")
        studies = [str(s[5]) for s in found.segments("OBX") if str(s[3]).startswith("113014")]
        equal(studies, [uid], "the study's UID")
        links = [str(s[5]) for s in found.segments("OBX") if str(s[2]) == "RP"]
        expect(links and uid in links[0], f"the link {links}")

    report.check(GROUP, "images that can be fetched leave as ORM^O01 SC, A and as ORU^R01 R with the link", available,
                 "IHE RAD-3")


def check_enhanced(report, site):
    def asked():
        text = check_hl7.adt("ENH1", "ENH1").replace("|P|2.5.1", "|P|2.5.1|||AL|AL")
        with check_hl7.TLSClient(site.server) as client:
            received = client.send_message(text)
            while received.count(b"\x1c\r") < 2:
                more = client.socket.recv(65536)
                expect(more, f"the connection ended after {received!r}")
                received += more
        answers = [frame.split(b"\x0b")[-1].decode() for frame in received.split(b"\x1c\r") if frame]
        codes = [re.search(r"MSA\|(..)\|(\w+)", text).groups() for text in answers]
        equal(codes, [("CA", "ENH1"), ("AA", "ENH1")], "accept and application acknowledgment")
        controls = {text.split("|")[9] for text in answers}
        expect(len(controls) == 2 and "ENH1" not in controls, f"MSH-10 of the answers {controls}")

    report.check(GROUP, "enhanced mode inbound: CA, then AA as a message of its own", asked, "HL7 v2.5.1 §2.9.3")


def check_lanes(report, site):
    def ordered():
        patients, changes = 8, 6
        for n in range(patients):
            dictated(site, f"LN{n}", "NMS")
        texts = [[oru(f"LN{n}-{k}", f"PTLN{n}", f"LN{n}", "P" if k < changes - 1 else "F", [f"state {k}"], "NMS")
                  .replace("|20260102100000|", f"|202601021000{k:02d}|") for k in range(changes)] for n in range(patients)]
        for k in range(changes):
            for n in range(patients):
                check_hl7.acknowledged(check_hl7.ask(site.server, texts[n][k]), f"LN{n}-{k}")
        site.lanes.wait_all(lambda arrivals: True if len(arrivals) >= patients * changes else None, "all of the reports")
        for n in range(patients):
            states = [str(next(s for s in a.segments("OBX"))[5]) for a in site.lanes.arrivals
                      if a.part("OBR", 18, 1) == f"LN{n}"]
            equal(states, [f"state {k}" for k in range(changes)], f"states of patient {n}")
        lanes = len(site.lanes.peers)
        expect(2 <= lanes <= 8, f"{lanes} connections")
        return f"{lanes} connections"

    report.check(GROUP, "eight lanes keep the order of each patient", ordered, "HL7 v2.5.1 §2.9.2")


def check_stop(report, site):
    def stopped():
        for name in ("ST1", "ST2"):
            dictated(site, name, "RF")
        for name, number, status in (("ST1", 1, "P"), ("ST1", 2, "F"), ("ST2", 3, "F")):
            text = oru(f"{name}-{number}", f"PT{name}", name, status, [f"state {number}"], "RF")
            check_hl7.acknowledged(check_hl7.ask(site.server, text), f"{name}-{number}")
        site.stop.wait(lambda a: a.part("OBR", 18, 1) == "ST2", "the other patient's report")

        def entries():
            return sorted(site.entries("stop"), key=lambda e: e["number"])

        wanted = ["parked", "waiting", "done"]
        # It has arrived there before its answer counts here.
        within(60, lambda: [e["state"] for e in entries()] == wanted)
        found = entries()
        equal([e["state"] for e in found], wanted, "states")
        site.server.command("outbox", "replay", site.server.folder, "--entry", found[0]["number"])
        equal([e["state"] for e in site.settled("stop", 3)], ["done"] * 3, "states after the replay")
        controls = [a.control for a in site.stop.arrivals if a.part("OBR", 18, 1) == "ST1"]
        equal(controls, [found[0]["eventID"]] * 2 + [found[1]["eventID"]], "MSH-10 of what arrived")

    report.check(GROUP, "answers: AE stops the patient's lane where the site says so, until it is replayed", stopped,
                 "HL7 v2.5.1 §2.9.2")


def check_down(report, site):
    def delivered():
        count = 50
        for n in range(count):
            dictated(site, f"DN{n}", "PT")
            check_hl7.acknowledged(
                check_hl7.ask(site.server, oru(f"DN{n}-F", f"PTDN{n}", f"DN{n}", "F", [f"report {n}"], "PT")), f"DN{n}-F")
        waiting = site.entries("down")
        equal([e["state"] for e in waiting if e["state"] == "done"], [], "delivered while it is down")
        equal(len(waiting), count, "waiting reports")
        site.down.start()
        site.down.wait_all(lambda arrivals: True if len(arrivals) >= count else None, "all of the reports", 60)
        site.settled("down", count)
        equal(sorted(a.control for a in site.down.arrivals), sorted(e["eventID"] for e in waiting),
              "MSH-10 of what came, and of what waited")
        equal(sorted(a.part("OBR", 18, 1) for a in site.down.arrivals), sorted(f"DN{n}" for n in range(count)), "reports")

    report.check(GROUP, "a receiver that is down for the time of 50 reports gets each once, under the MSH-10 that waited",
                 delivered, "HL7 v2.5.1 §2.9.2")


# What hl7apy says that the standard does not.
NOT_SO = [
    r"OBX\.OBX_4",  # conditional in every version: only where one code is there several times
    r"ORM_O01_(CHOICE|OBRRQDRQ1RXOODSODT_SUPPGRP)\.",  # one of these is there: it asks for each
    r"not in table",  # tables that a site extends, and UTF-8, which the field says in old versions too
]


def check_hl7apy(report, site):
    by_kind = {}
    for receiver in (site.orm, site.omg, site.omi, site.accept, site.lanes, site.stop, site.down):
        for arrival in receiver.arrivals:
            by_kind.setdefault((arrival.kind, arrival.at("MSH", 12)), []).append(arrival)
    for (kind, version), arrivals in sorted(by_kind.items()):
        def valid(arrivals=arrivals):
            problems = {}
            for arrival in arrivals:
                # Segments of sites are in no structure.
                text = "\r".join(line for line in arrival.text.split("\r") if line and not line.startswith("Z")) + "\r"
                path = site.folder / "hl7apy.txt"
                path.unlink(missing_ok=True)
                try:
                    parse_message(text, validation_level=VALIDATION_LEVEL.TOLERANT, find_groups=True).validate(
                        report_file=str(path))
                except Exception as error:  # it raises the first of what it writes to the file
                    if not path.exists() and not isinstance(error, AttributeError):  # its own
                        problems[f"{type(error).__name__}: {error}"] = arrival.at("ORC", 1)
                for line in path.read_text().splitlines() if path.exists() else []:
                    if not any(re.search(pattern, line) for pattern in NOT_SO):
                        problems[line] = arrival.at("ORC", 1)
            expect(not problems, f"{problems}")
            return f"{len(arrivals)} messages"

        report.check(GROUP, f"hl7apy validates {kind} in {version}", valid, "HL7 v2.5.1 §2.5")


def check(report, folder, plain=False, postgres=None):
    site = Site(folder, plain, postgres)
    try:
        check_patients(report, site)
        check_orders(report, site)
        check_reports(report, site)
        check_work(report, site)
        check_enhanced(report, site)
        check_lanes(report, site)
        check_stop(report, site)
        check_down(report, site)
        check_games(report, site)
        check_hl7apy(report, site)
    finally:
        code = site.close()
    report.check(GROUP, "SIGTERM with parked and waiting messages drains and exits 0",
                 lambda: equal(code, 0, "exit code"))

"""The audit trail as others see it: a RESTful and two syslog receivers in processes of their own, which are killed and come
back, get every row in order; their XML is looked at by the shape of PS3.15 §A.5; a patient's own token sees who looked at
their images.

    python check_audit.py               # alone; HILUM names the binary
    python check_audit.py receive ...   # what the check starts
"""

import base64
import http.server
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET

import jwt
import pydicom
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydicom.uid import generate_uid
from pynetdicom import AE
from pynetdicom.sop_class import (
    CTImageStorage, ModalityPerformedProcedureStep, StudyRootQueryRetrieveInformationModelFind as STUDY_FIND,
    StudyRootQueryRetrieveInformationModelMove as STUDY_MOVE)

import alone
import check_launch
import check_mpps
import check_signin
import own_certificate
import small_images
from check_hl7 import FACILITY, SENDER, adt, ask, msh
from check_hl7_out import own_database
from check_query_retrieve import free_port
from hilum_server import HilumServer
from report import equal, expect, within
from smart import BackendClient

GROUP = "audit"
REST, SYSLOG, PATIENT = "IHE ITI-20 (RESTful)", "RFC 5425; PS3.15 §A.5, §A.6", "promise: audit"


# MARK: Receivers: processes that write a line for each event before they answer


class Rest(http.server.BaseHTTPRequestHandler):
    """A FHIR server that takes AuditEvents, one by one and in batches, and gives tokens to who signs for them."""

    protocol_version = "HTTP/1.1"
    settings = {}

    def log_message(self, *words):
        pass

    def reply(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        public = self.settings["public"]
        if self.path == "/token":
            signed = dict(pair.split("=", 1) for pair in body.decode().split("&"))["client_assertion"]
            told = jwt.decode(signed, public, algorithms=["ES384"], audience=self.settings["audience"])
            return self.reply(200, {"access_token": "let-" + told["iss"], "token_type": "bearer", "expires_in": 300})
        if public and self.headers.get("Authorization") != "Bearer let-hilum":
            return self.reply(401, {})
        if self.headers.get("Content-Type") != "application/fhir+json":
            return self.reply(415, {})
        resource = json.loads(body)
        if self.path == "/arr/AuditEvent":
            return self.reply(self.take(resource), {})
        if self.path != "/arr" or resource.get("type") != "batch":
            return self.reply(404, {})
        entries = []
        for entry in resource["entry"]:
            good = entry["request"] == {"method": "POST", "url": "AuditEvent"}
            entries.append({"response": {"status": str(self.take(entry["resource"]) if good else 400)}})
        self.reply(200, {"resourceType": "Bundle", "type": "batch-response", "entry": entries})

    def take(self, event):
        refused = pathlib.Path(self.settings["file"] + ".refuse")
        if refused.exists() and refused.read_text() in json.dumps(event.get("subtype", [])):
            return 422
        keep(self.settings["file"], json.dumps(event).encode())
        return 201


def keep(path, line):
    with open(path, "ab") as file:
        file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())


def receive_syslog(connection, path, ends_well):
    """RFC 5425: octet counting, until the sender's end."""
    buffer = b""
    while True:
        data = connection.recv(65536)
        if not data:
            break
        buffer += data
        while b" " in buffer[:12]:
            count, rest = buffer.split(b" ", 1)
            if len(rest) < int(count):
                break
            keep(path, base64.b64encode(rest[: int(count)]))
            buffer = rest[int(count):]
    if ends_well:
        connection.unwrap()
    connection.close()


def receive(kind, port, key, certificate, authority, path, *more):
    context = own_certificate.server_context(key, certificate)
    if authority != "-":
        context.load_verify_locations(authority)
        context.verify_mode = ssl.CERT_REQUIRED
    if kind == "rest":
        public = pathlib.Path(more[0]).read_bytes() if more else None
        Rest.settings = {"public": public, "audience": f"https://127.0.0.1:{port}/token", "file": path}
        server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Rest)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        server.handle_error = lambda *words: None
        print("ready", flush=True)
        return server.serve_forever()
    listener = socket.create_server(("127.0.0.1", int(port)), reuse_port=False)
    print("ready", flush=True)
    while True:
        plain, _ = listener.accept()

        def serve(plain=plain):
            try:
                receive_syslog(context.wrap_socket(plain, server_side=True), path, "ends" in more)
            except (OSError, ssl.SSLError):
                plain.close()

        threading.Thread(target=serve, daemon=True).start()


class Receiver:
    """One of those as a process that can be killed and started again."""

    def __init__(self, kind, folder, name, authority="-", *more):
        self.key, self.certificate, _ = own_certificate.make(folder, name)
        self.port = free_port()
        self.path = folder / f"{name}.events"
        self.words = [kind, self.port, self.key, self.certificate, authority, self.path, *more]
        self.process = None

    def start(self):
        # While nobody listens there, its port may be lent to a connection of somebody else.
        for _ in range(20):
            self.process = subprocess.Popen(
                [sys.executable, __file__, "receive", *map(str, self.words)], stdout=subprocess.PIPE, text=True)
            if self.process.stdout.readline().strip() == "ready":
                return
            self.process.wait()
            time.sleep(0.5)
        raise AssertionError(f"the receiver does not listen at {self.port}")

    def kill(self):
        if self.process and self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def lines(self):
        return self.path.read_bytes().splitlines() if self.path.exists() else []

    def events(self):
        return [json.loads(line) for line in self.lines()]

    def messages(self):
        return [base64.b64decode(line) for line in self.lines()]


# MARK: The site


CONFIGURATION = """
outbound: {{ allow-networks: [127.0.0.0/8] }}
audit:
  feeds:
    - name: rest
      fhir: https://127.0.0.1:{rest}/arr
      token: {{ url: "https://127.0.0.1:{rest}/token", client: hilum, scope: system/AuditEvent.c, key: keys/arr.key }}
      authorities: {folder}/rest.pem
      alarm-minutes: 1
    - name: siem
      syslog: 127.0.0.1:{siem}
      certificate: tls/server.pem
      key: tls/server.key
      authorities: {folder}/siem.pem
    - name: blunt
      syslog: localhost:{blunt}
      message-id: IHE+RFC-3881
      authorities: {folder}/blunt.pem
    - {{ name: nobody, syslog: "127.0.0.1:1" }}
"""


class Site:
    def __init__(self, folder, postgres=None):
        self.folder = folder
        self.server = HilumServer(folder / "audit", postgres=own_database(postgres, "audit"), log=folder / "audit.log")
        # The same after a restart: it is what events call this server.
        self.server.init(ports=(free_port(), 0, 0))
        private = ec.generate_private_key(ec.SECP384R1())
        path = self.server.folder / "keys" / "arr.key"
        path.write_bytes(private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        path.chmod(0o600)
        public = folder / "arr.pub"
        public.write_bytes(private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
        self.rest = Receiver("rest", folder, "rest", "-", public)
        self.siem = Receiver("syslog", folder, "siem", self.server.ca, "ends")
        self.blunt = Receiver("syslog", folder, "blunt")
        path = self.server.folder / "hilum.yaml"
        # In the place of the block that is there: a key stands once.
        before, _, rest = path.read_text().partition("\naudit:\n")
        rest = rest.partition("\n\n")[2]
        path.write_text(before + "\n\n" + rest + CONFIGURATION.format(
            rest=self.rest.port, siem=self.siem.port, blunt=self.blunt.port, folder=folder))
        self.server.add_sender(SENDER, FACILITY)
        self.server.add_ae("CLIENTS", port=1)
        self.backend = BackendClient(self.server, "everything", "ES384", "system/*.cruds", folder)
        for each in self.receivers:
            each.start()
        self.server.start()

    @property
    def receivers(self):
        return [self.rest, self.siem, self.blunt]

    def close(self):
        code = self.server.stop()
        for each in self.receivers:
            each.kill()
        return code

    def last(self):
        """The number of the newest row."""
        answer = self.backend.session().get(f"{self.server.fhir}/AuditEvent?_count=1", timeout=30)
        return int(answer.json()["entry"][0]["resource"]["id"].removeprefix("trail-"))

    def numbers(self, receiver):
        if receiver is self.rest:
            return [int(event["meta"]["source"].rsplit("-", 1)[1]) for event in receiver.events()]
        return [int(re.search(rb'\[meta sequenceId="(\d+)"\]', message).group(1)) for message in receiver.messages()]


def whole(site, receiver, last, parked=()):
    """Every row up to one came, each for the first time in order. How many came twice."""
    wanted = [number for number in range(1, last + 1) if number not in parked]
    within(180, lambda: set(wanted) <= set(site.numbers(receiver)))
    numbers = site.numbers(receiver)
    first = list(dict.fromkeys(number for number in numbers if number <= last))
    equal(first, wanted, "rows in order")
    return len(numbers) - len(set(numbers))


def traffic(site, count, name):
    session = site.backend.session()
    for index in range(count):
        session.put(f"{site.server.fhir}/Basic/{name}{index}", timeout=30,
                    json={"resourceType": "Basic", "id": f"{name}{index}", "code": {"text": "x"}}).raise_for_status()


# MARK: Shapes


def look_at(message, kind):
    """One syslog message with an audit message: RFC 5424 §6, PS3.15 §A.5.1, §A.5.2. The document's root."""
    head = re.match(rb"<(84|85)>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z) (\S{1,255}) hilum (\d+) (\S+) (\[[^\]]*\]) "
                    rb"\xef\xbb\xbf", message)
    expect(head, f"the head {message[:120]!r}")
    equal(head.group(5).decode(), kind, "MSGID")
    root = ET.fromstring(message[head.end():])
    equal(root.tag, "AuditMessage", "the root")
    order = ["EventIdentification", "ActiveParticipant", "AuditSourceIdentification", "ParticipantObjectIdentification"]
    places = [order.index(child.tag) for child in root]
    equal(places, sorted(places), "the order of elements")
    equal([places.count(0), places.count(2)], [1, 1], "one event and one source")
    expect(places.count(1) >= 1, "a participant")
    event = root[0]
    expect(event.attrib["EventActionCode"] in "CRUDE" and event.attrib["EventOutcomeIndicator"] in ("0", "4", "8", "12"),
           f"the event {event.attrib}")
    equal(event.attrib["EventOutcomeIndicator"] == "0", head.group(1) == b"85", "severity by outcome")
    coded = [each for each in root.iter() if each.tag in (
        "EventID", "EventTypeCode", "RoleIDCode", "ParticipantObjectIDTypeCode")]
    for each in coded:
        expect(set(each.attrib) == {"csd-code", "codeSystemName", "originalText"}, f"{each.tag} {each.attrib}")
    equal([child.tag for child in event][0], "EventID", "first in the event")
    for each in root.findall("ActiveParticipant"):
        expect(each.attrib["UserID"] and each.attrib["UserIsRequestor"] in ("true", "false"), f"{each.attrib}")
        expect(each.attrib.get("NetworkAccessPointTypeCode", "2") in ("1", "2", "3", "4", "5"), f"{each.attrib}")
    expect(root.find("AuditSourceIdentification").attrib["AuditSourceID"], "the source")
    for each in root.findall("ParticipantObjectIdentification"):
        expect(each.attrib["ParticipantObjectID"] and each.attrib["ParticipantObjectTypeCode"] in "1234", f"{each.attrib}")
        equal([child.tag for child in each][0], "ParticipantObjectIDTypeCode", "first in the object")
        expect(len(each) == 2 and each[1].tag in ("ParticipantObjectName", "ParticipantObjectQuery"), "name or query")
        if each[1].tag == "ParticipantObjectQuery":
            base64.b64decode(each[1].text, validate=True)
    return root


# MARK: The check


def check(report, folder, postgres=None):
    site = Site(pathlib.Path(folder), postgres)
    try:
        drive(report, site)
    finally:
        code = site.close()
    report.check(GROUP, "SIGTERM drains and exits 0", lambda: equal(code, 0, "exit code"))


def drive(report, site):
    server = site.server

    def add(title, work, clause):
        report.check(GROUP, title, work, clause)

    def fed():
        traffic(site, 20, "first")
        last = site.last()
        return ", ".join(f"{whole(site, each, last)} twice" for each in site.receivers)

    add("a RESTful and two syslog repositories get every row from the first, in order", fed, f"{REST}; {SYSLOG}")

    def killed():
        """kill -9 in the middle of it, several times; what came in between is there afterwards."""
        for turn in range(3):
            sender = threading.Thread(target=traffic, args=(site, 40, f"kill{turn}x"))
            sender.start()
            time.sleep(0.4)
            for each in site.receivers:
                each.kill()
            sender.join()
            time.sleep(0.5)
            for each in site.receivers:
                each.start()
        last = site.last()
        return ", ".join(f"{whole(site, each, last)} twice" for each in site.receivers)

    add("repositories that are killed and come back miss nothing", killed, PATIENT)

    def restarted():
        """The server too: it goes on where it was."""
        for each in site.receivers:
            each.kill()
        traffic(site, 10, "away")
        server.kill()
        server.start()
        for each in site.receivers:
            each.start()
        traffic(site, 5, "back")
        last = site.last()
        return ", ".join(f"{whole(site, each, last)} twice" for each in site.receivers)

    add("a server that is killed meanwhile goes on from its place in the trail", restarted, PATIENT)

    def shapes():
        kinds = {}
        for receiver, kind in ((site.siem, "DICOM+RFC3881"), (site.blunt, "IHE+RFC-3881")):
            messages = receiver.messages()
            for message in messages:
                root = look_at(message, kind)
                code = root.find("EventIdentification/EventID").attrib["csd-code"]
                kinds[code] = kinds.get(code, 0) + 1
        expect({"110100", "110114"} <= set(kinds), f"{kinds}")
        return f"{sum(kinds.values())} messages of {len(kinds)} kinds"

    add("each audit message is well formed and of the shape of A.5.1", shapes, SYSLOG)

    def resources():
        for event in site.rest.events():
            equal(event["resourceType"], "AuditEvent", "type")
            expect("id" not in event and event["agent"] and event["source"]["observer"], "what a create takes")
            for entity in event.get("entity", []):
                reference = entity.get("what", {}).get("reference")
                expect(reference is None or reference.startswith(server.fhir + "/"), f"reference {reference}")
        return f"{len(site.rest.events())} events"

    add("each AuditEvent says where it is from, and its references lead here", resources, REST)

    def refused():
        """One that is refused is parked by its number; the rest goes on."""
        pathlib.Path(str(site.rest.path) + ".refuse").write_text('"vread"')
        session = site.backend.session()
        session.get(f"{server.fhir}/Basic/first0/_history/1", timeout=30).raise_for_status()
        traffic(site, 5, "refused")
        last = site.last()
        listed = within(90, lambda: (lambda text: text if "are parked" in text else None)(
            server.command("audit", "feed", "list", server.folder)))
        expect(listed and "the repository answers 422" in listed, f"feed list: {listed}")
        parked = [int(number) for number in re.findall(r"row (\d+) of", listed)]
        equal(len(parked), 1, "parked rows")
        whole(site, site.rest, last, parked)
        pathlib.Path(str(site.rest.path) + ".refuse").unlink()
        expect("1 rows taken" in server.command("audit", "feed", "retry", server.folder, "rest"), "retry")
        expect(parked[0] in site.numbers(site.rest), "the row came")
        expect("parked" not in server.command("audit", "feed", "list", server.folder), "nothing is parked any more")

    add("a row that is refused is parked and named, and taken later by an order", refused, PATIENT)

    def told():
        listed = server.command("audit", "feed", "list", server.folder)
        expect("nobody\tsyslog over TLS to 127.0.0.1:1" in listed and "rows wait" in listed, listed)
        for name in ("rest", "siem", "blunt"):
            expect(server.command("audit", "feed", "test", server.folder, name).startswith("ok"), name)
        try:
            server.command("audit", "feed", "test", server.folder, "nobody")
            raise AssertionError("a test of nobody passed")
        except Exception as error:
            expect("ended with 1" in str(error), str(error))
        metrics = requests.get(server.http + "/metrics", verify=server.verify, timeout=30)
        if metrics.status_code == 200:
            expect('hilum_audit_feed_failing{feed="nobody"} 1' in metrics.text, "the metric of a feed that fails")
            expect('hilum_audit_feed_failing{feed="rest"} 0' in metrics.text, "and of one that does not")
        doctor = server.command("doctor", server.folder)
        expect("audit feed siem: syslog over TLS" in doctor, doctor)

    add("list, test, doctor and metrics say in words how each feed is", told, PATIENT)

    def cut():
        """What a feed has not told is not cut."""
        exported = site.folder / "exported"
        server.command("audit", "export", server.folder, exported)
        out = server.command("audit", "cut", server.folder, "--exported", exported, "--keep-days", "0")
        expect("nothing to cut: feeds have told rows up to 0" in out, out)

    add("rows that a repository does not have yet are not cut", cut, PATIENT)

    images(report, site)
    completeness(report, site)


def images(report, site):
    """Who looked at my images: as the patient's own token says it."""
    server = site.server
    launches = check_launch.Site(server, site.backend)
    launch = check_launch.Launch(launches, launches.public, check_launch.SCOPE.replace("launch ", "", 1))
    # The patient themself: who works here does not read the trail.
    code = check_signin.add(server, "ada", "patient", "--patient", launches.patient)
    check_signin.choose_password(server, "ada", code)
    launch.browser.get(launch.path())
    launch.browser.post("/account/sign-in", name="ada", password=check_launch.PASSWORD)
    launch.browser.get(check_launch.Forms(launch.browser.page.text).refresh)
    token = launch.redeem(launch.allow(launches.patient)["code"]).json()["access_token"]
    session = site.backend.session()
    url = f"{server.fhir}/Patient/{launches.patient}"
    patient = session.get(url, timeout=30).json()
    patient["identifier"] = [{"system": "urn:hilum:site:mrn", "value": "AUD1"}]
    session.put(url, json=patient, timeout=30).raise_for_status()
    study, series = generate_uid(), generate_uid()
    sent = [small_images.image(number, study, series, "AUD1", "Launch^Ada") for number in (1, 2)]
    others = small_images.study("AUD2", "Other^Otto")

    def use():
        # The number without an authority is of the site's own, as that of the images is.
        answer = ask(server, "\r".join([
            msh("ADT^A08^ADT_A01", "AUD-A08"), "EVN|A08|20260101120000", "PID|1||AUD1^^^^MR||Launch^Ada||19600102|F",
            "PV1|1|N", ""]))
        expect(b"MSA|AA" in answer, f"{answer}")
        entity = AE("CLIENTS")
        entity.add_requested_context(CTImageStorage)
        entity.add_requested_context(STUDY_FIND)
        association = entity.associate("127.0.0.1", server.dimse["port"], ae_title=server.dimse["ae"],
                                       tls_args=server.dimse_tls())
        expect(association.is_established, "the association")
        for each in sent + [each for each in others if each.SOPClassUID == CTImageStorage]:
            equal(association.send_c_store(each).Status, 0, "C-STORE")
        keys = pydicom.Dataset()
        keys.QueryRetrieveLevel, keys.PatientID, keys.StudyInstanceUID = "STUDY", "AUD1", ""
        list(association.send_c_find(keys, STUDY_FIND))
        association.release()
        web = site.backend.session()
        for path, accept in ((f"/studies/{study}/metadata", "application/dicom+json"),
                             (f"/studies/{study}", "multipart/related; type=application/dicom"),
                             (f"/studies/{study}/series/{series}/rendered", "image/png"),
                             (f"/studies?StudyInstanceUID={study}", "application/dicom+json"),
                             ("/studies?PatientID=AUD1", "application/dicom+json")):
            web.get(server.dicomweb + path, headers={"Accept": accept}, timeout=60).raise_for_status()

    report.check(GROUP, "images come and are looked at by every door", use, PATIENT)

    def seen():
        answer = requests.get(f"{server.fhir}/AuditEvent?_count=200", verify=server.verify, timeout=60,
                              headers={"Authorization": f"Bearer {token}"})
        equal(answer.status_code, 200, answer.text[:300])
        events = [entry["resource"] for entry in answer.json()["entry"] if entry["search"]["mode"] == "match"]
        kinds, studies = {}, 0
        for event in events:
            for code in event.get("subtype", []):
                kinds[code["code"]] = kinds.get(code["code"], 0) + 1
            references = [entity["what"].get("reference") for entity in event["entity"] if "what" in entity]
            patients = {each.split("/_history")[0] for each in references if each and each.startswith("Patient/")}
            equal(patients, {f"Patient/{launches.patient}"}, "patients of the event")
            studies += any(entity.get("what", {}).get("identifier", {}).get("value") == f"urn:oid:{study}"
                           for entity in event["entity"])
            expect("network" not in event["agent"][0], "no addresses")
        for kind, least in (("store", 2), ("C-FIND", 1), ("metadata", 1), ("retrieve", 1), ("rendered", 1),
                            ("search", 2), ("ADT^A08", 1)):
            expect(kinds.get(kind, 0) >= least, f"{kind}: {kinds}")
        names = {agent.get("name") for event in events for agent in event["agent"]}
        expect({"CLIENTS", site.backend.id} <= names, f"by whom: {names}")
        expect(studies >= 5, f"{studies} events name the study")
        expect("AUD2" not in answer.text and others[0].StudyInstanceUID not in answer.text, "nothing of another patient")
        return f"{len(events)} events"

    report.check(GROUP, "the patient's token sees who stored, found and looked at their images", seen, PATIENT)


# What is done, and how its row is named. IHE BALP 1.1, IHE ITI-20, PS3.15 §A.5.3.
WANTED = {
    "start", "stop", "client register", "peer add", "user add", "user lock", "audit-export", "token", "create", "read",
    "vread", "update", "patch", "delete", "search-type", "history-instance", "history-type", "history-system",
    "$export", "store", "search", "metadata", "retrieve", "instances", "C-FIND", "C-MOVE", "ADT^A04", "N-CREATE",
    "A-ASSOCIATE", "sign-in", "authorize", "messages", "quarantine", "outbox",
}


def completeness(report, site):
    """Every kind of interaction, and its row."""
    server = site.server

    def walk():
        session = site.backend.session()
        base, kind = server.fhir, {"Content-Type": "application/fhir+json"}

        def done(method, url, **more):
            answer = session.request(method, url, timeout=60, **more)
            expect(answer.status_code < 400, f"{method} {url}: {answer.status_code} {answer.text[:200]}")
            return answer

        made = done("POST", f"{base}/Basic", json={"resourceType": "Basic", "code": {"text": "x"}}, headers=kind).json()
        url = f"{base}/Basic/{made['id']}"
        for path in ("", "/_history/1", "/_history"):
            done("GET", url + path)
        done("PUT", url, json={**made, "code": {"text": "y"}}, headers=kind)
        done("PATCH", url, json=[{"op": "replace", "path": "/code/text", "value": "z"}],
             headers={"Content-Type": "application/json-patch+json"})
        for path in ("/Basic", "/Basic/_history", "/_history?_count=2"):
            done("GET", base + path)
        done("DELETE", url)
        done("GET", f"{base}/$export", headers={"Prefer": "respond-async", "Accept": "application/fhir+json"})
        for path in ("/ops/messages", "/ops/quarantine", "/ops/outbox"):
            done("GET", server.http + path)
        study, series = generate_uid(), generate_uid()
        it = small_images.image(1, study, series, "WALK1", "Walk^Wanda")
        entity = AE("CLIENTS")
        for model in (CTImageStorage, STUDY_FIND, STUDY_MOVE, ModalityPerformedProcedureStep):
            entity.add_requested_context(model)
        association = entity.associate("127.0.0.1", server.dimse["port"], ae_title=server.dimse["ae"],
                                       tls_args=server.dimse_tls())
        equal(association.send_c_store(it).Status, 0, "C-STORE")
        keys = pydicom.Dataset()
        keys.QueryRetrieveLevel, keys.StudyInstanceUID = "STUDY", study
        list(association.send_c_find(keys, STUDY_FIND))
        list(association.send_c_move(keys, "CLIENTS", STUDY_MOVE))
        status, _ = association.send_n_create(check_mpps.begun(study), ModalityPerformedProcedureStep, generate_uid())
        equal(status.Status, 0, "N-CREATE")
        association.release()
        stranger = AE("STRANGER")
        stranger.add_requested_context(CTImageStorage)
        refused = stranger.associate("127.0.0.1", server.dimse["port"], ae_title=server.dimse["ae"],
                                     tls_args=server.dimse_tls())
        expect(not refused.is_established, "a stranger is let in")
        for path in (f"/studies/{study}/metadata", f"/studies/{study}", f"/studies?StudyInstanceUID={study}",
                     f"/studies/{study}/series/{series}/instances/{it.SOPInstanceUID}/frames/1"):
            accept = "application/dicom+json" if "metadata" in path or "?" in path else "multipart/related"
            done("GET", server.dicomweb + path, headers={"Accept": accept})
        expect(b"MSA|AA" in ask(server, adt("WALK-1", "WALK1")), "ADT")
        code = check_signin.add(server, "walker", "practitioner", "--fhir-user", "Practitioner/walker")
        check_signin.choose_password(server, "walker", code)
        browser = check_signin.Browser(server)
        browser.sign_in("walker")
        server.command("user", "lock", server.folder, "walker")
        server.command("audit", "export", server.folder, site.folder / "walked")
        server.stop()
        server.start()
        session = site.backend.session()
        found, next_url = set(), f"{server.fhir}/AuditEvent?_count=500"
        while next_url:
            page = session.get(next_url, timeout=60).json()
            for entry in page.get("entry", []):
                found |= {code["code"] for code in entry["resource"].get("subtype", [])}
            next_url = next((link["url"] for link in page["link"] if link["relation"] == "next"), None)
        names = {"110120": "start", "110121": "stop", "110122": "sign-in", "ITI-71": "token"}
        found |= {names[code] for code in found if code in names}
        expect(WANTED <= found, f"no row of {sorted(WANTED - found)}; there are {sorted(found)}")
        return f"{len(found)} kinds"

    report.check(GROUP, "every kind of interaction leaves its row", walk, "IHE BALP 1.1; PS3.15 §A.5.3")


def main():
    """By itself."""
    if sys.argv[1:2] == ["receive"]:
        return receive(*sys.argv[2:])
    return alone.whole("audit", check)


if __name__ == "__main__":
    sys.exit(main())

"""One process a door: each sends items as fast as they are acknowledged, until the server is gone."""

import io
import json
import os
import signal
import time

import pydicom
import requests
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, build_context, evt
from pynetdicom.sop_class import (
    ModalityPerformedProcedureStep,
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
)

import ledger
import check_hl7
import check_mpps
import check_ups


class End(Exception):
    pass


def run(door, server, token, path, prefix, started):
    """Spawned: `server` is a HilumServer without its process, `started` an event set at the first acknowledgement."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    journal = ledger.Journal(path)
    item, number = "before the first", 0
    try:
        send = DOORS[door](server, token)
        while True:
            number += 1
            item = f"{prefix}{door}-{number}"
            journal.write(intent=item)
            row = send(item)
            journal.write(ack=item, **(row or {}))
            started.set()
    except Exception as error:  # the server was killed in the middle, or refused: the last line of the journal says
        with open(f"{path}.end", "a") as file:
            file.write(f"{item}: {type(error).__name__}: {str(error)[:300]}\n")
    os._exit(0)


def c_store(server, token):
    made = association(server, "LEDGER", build_context(ledger.CT, ExplicitVRLittleEndian))

    def send(item):
        if not made.is_established:
            raise End("no association")
        data = ledger.instance(item)
        ledger.part10(data)  # fills the meta information that names the transfer syntax
        status = made.send_c_store(data)
        if status.get("Status") != 0:
            raise End(f"C-STORE status {status.get('Status')}: {status.get('ErrorComment')}")

    return send


def session(server, token):
    made = requests.Session()
    made.verify = server.verify
    made.trust_env = False
    made.headers["Authorization"] = f"Bearer {token}"
    return made


def stow(server, token):
    http = session(server, token)

    def send(item):
        body = (b"--ledger\r\nContent-Type: application/dicom\r\n\r\n" + ledger.part10(ledger.instance(item))
                + b"\r\n--ledger--\r\n")
        answer = http.post(
            server.dicomweb + "/studies", data=body, timeout=20,
            headers={"Content-Type": 'multipart/related; type="application/dicom"; boundary=ledger',
                     "Accept": "application/dicom+json"})
        if answer.status_code != 200:
            raise End(f"STOW {answer.status_code}: {answer.text[:200]}")

    return send


def fhir(server, token):
    http = session(server, token)

    def send(item):
        answer = http.post(server.fhir + "/Observation", data=json.dumps(ledger.observation(item)), timeout=20,
                           headers={"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"})
        if answer.status_code != 201:
            raise End(f"create {answer.status_code}: {answer.text[:200]}")
        return {"id": answer.json()["id"]}

    return send


def transaction(server, token):
    http = session(server, token)

    def send(item):
        answer = http.post(server.fhir, data=json.dumps(ledger.transaction(item)), timeout=20,
                           headers={"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"})
        if answer.status_code != 200:
            raise End(f"transaction {answer.status_code}: {answer.text[:200]}")

    return send


def message(item):
    """Every second item is an order, the others admit a patient."""
    number = int(item.rsplit("-", 1)[1])
    if number % 2:
        return check_hl7.adt(item, item, family="Ledger", given=f"N{number}")
    short = item.replace("-", "")
    return check_hl7.order(item, item, f"A{short}"[:16], f"P{short}", f"F{short}")


def mllp(server, token, made=message):
    client = check_hl7.TLSClient(server)

    def send(item):
        answer = client.send_message(made(item))
        while answer and not answer.endswith(b"\x1c\r"):
            more = client.socket.recv(65536)
            if not more:
                raise End("connection closed")
            answer += more
        if not answer:
            raise End("connection closed")
        check_hl7.acknowledged(answer[1:-2], item)

    return send


def report(server, token):
    """Results of orders that nobody announced: each makes its patient, order and report."""
    return mllp(server, token, result)


def result(item):
    short = item.replace("-", "")
    return check_hl7.result(item, item, f"A{short}"[:16], f"P{short}", f"F{short}", "F", f"report of {item}")


def association(server, title, *contexts, handlers=()):
    ae = AE(ae_title=title)
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 20
    ae.requested_contexts = list(contexts)
    where = server.dimse
    made = ae.associate(
        where["host"], where["port"], ae_title=where["ae"], tls_args=server.dimse_tls(), evt_handlers=list(handlers))
    if not made.is_established:
        raise End("no association")
    return made


def step_uid(item):
    """Two items are one step: the first begins it, the second ends it."""
    series, number = item.rsplit("-", 1)
    return ledger.uid("step", f"{series}-{(int(number) + 1) // 2}")


def step(server, token):
    made = association(server, "LEDGER", build_context(ModalityPerformedProcedureStep))

    def send(item):
        if int(item.rsplit("-", 1)[1]) % 2:
            status, _ = made.send_n_create(ledger.step(item), ModalityPerformedProcedureStep, step_uid(item))
        else:
            status, _ = made.send_n_set(check_mpps.completed(), ModalityPerformedProcedureStep, step_uid(item))
        if status.get("Status") != 0:
            raise End(f"status {status.get('Status')}: {status.get('ErrorComment')}")

    return send


COMMITTED = [f"committed-{number}" for number in range(1, 4)]


def commit(server, token):
    """Asks for commitment of three images, each time on an association of its own; the report is for its listener."""
    def send(item):
        request = Dataset()
        request.TransactionUID = ledger.uid("transaction", item)
        request.ReferencedSOPSequence = []
        for name in COMMITTED:
            reference = Dataset()
            reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = ledger.CT, ledger.uid(name)
            request.ReferencedSOPSequence.append(reference)
        # One that comes before the release is not taken: it comes again to the listener.
        made = association(server, "COMMITTER", build_context(StorageCommitmentPushModel),
                           handlers=[(evt.EVT_N_EVENT_REPORT, lambda event: (0x0110, None))])
        status, _ = made.send_n_action(
            request, 1, StorageCommitmentPushModel, StorageCommitmentPushModelInstance)
        if status.get("Status") != 0:
            raise End(f"N-ACTION status {status.get('Status')}")
        # A report that crosses the release ends pynetdicom's thread, and the release is waited for in vain.
        made.acse_timeout = 2
        made.release()

    return send


def forward(server, token):
    """What a rule sends on; at a rate that those who get it can bear."""
    store = c_store(server, token)

    def send(item):
        store(item)
        time.sleep(0.02)

    return send


ARCHIVED = 12


def archived_study(item):
    return ledger.uid("study", f"archived {item}")


def archived(item):
    """The images of a study that an archive has."""
    images = [ledger.instance(f"archived {item}-{number}") for number in range(1, ARCHIVED + 1)]
    for each in images:
        ledger.part10(each)  # fills the meta information that names the transfer syntax
    return images


def archived_digests(item):
    return {str(each.SOPInstanceUID): ledger.digest(ledger.after_meta(ledger.part10(each))) for each in archived(item)}


def instance_uid(file):
    """The SOP Instance UID of a Part 10 file."""
    return str(pydicom.dcmread(io.BytesIO(file), stop_before_pixels=True).SOPInstanceUID)


def retrieved(http, server, study):
    """The digests of a study's instances, by UID. Throws ``End`` when it is not served whole."""
    answer = http.get(f"{server.dicomweb}/studies/{study}", timeout=30, headers={
        "Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'})
    if answer.status_code != 200:
        raise End(f"WADO-RS {answer.status_code}: {answer.text[:200]}")
    boundary = answer.headers["Content-Type"].split("boundary=")[1].split(";")[0].strip('"').encode()
    parts = (b"\r\n" + answer.content).split(b"\r\n--" + boundary)
    if not parts[-1].startswith(b"--"):
        raise End("the body has no end")
    files = [part.split(b"\r\n\r\n", 1)[1] for part in parts[1:-1]]
    return {instance_uid(file): ledger.digest(ledger.after_meta(file)) for file in files}


def fetch(server, token):
    http = session(server, token)

    def send(item):
        found = retrieved(http, server, archived_study(item))
        if found != archived_digests(item):
            raise End(f"{len(found)} instances, or others than the archive has")

    return send


def workitem_of(item):
    """Three items are one workitem: created, claimed and completed. Gives its name and which of these it is."""
    series, number = item.rsplit("-", 1)
    return f"{series}-{(int(number) + 2) // 3}", (int(number) + 2) % 3


def workitem(server, token):
    http = session(server, token)
    http.headers["Content-Type"] = http.headers["Accept"] = "application/dicom+json"

    def ask(method, path, data, status):
        answer = http.request(method, f"{server.dicomweb}/workitems{path}", data=f"[{data.to_json()}]", timeout=20)
        if answer.status_code != status:
            raise End(f"{method} {answer.status_code}: {answer.headers.get('Warning')} {answer.text[:200]}")

    def send(item):
        name, step = workitem_of(item)
        uid, transaction = ledger.uid("workitem", name), ledger.uid("transaction of workitem", name)
        if step == 0:
            ask("POST", f"?{uid}", check_ups.workitem("LEDGER"), 201)
        elif step == 1:
            ask("PUT", f"/{uid}/state", check_ups.change("IN PROGRESS", transaction), 200)
        else:
            ask("POST", f"/{uid}", check_ups.performed(transaction), 200)
            ask("PUT", f"/{uid}/state", check_ups.change("COMPLETED", transaction), 200)

    return send


DOORS = {"cstore": c_store, "stow": stow, "fhir": fhir, "transaction": transaction, "mllp": mllp, "report": report,
         "step": step, "commit": commit, "forward": forward, "fetch": fetch, "workitem": workitem}

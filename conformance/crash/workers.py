"""One process a door: each sends items as fast as they are acknowledged, until the server is gone."""

import json
import os
import signal

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
        made.release()

    return send


DOORS = {"cstore": c_store, "stow": stow, "fhir": fhir, "transaction": transaction, "mllp": mllp, "report": report,
         "step": step, "commit": commit}

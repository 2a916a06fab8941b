"""HL7 v2 over MLLP with python-hl7, and what the messages made visible in FHIR."""

import hl7
from hl7.client import MLLPClient

from report import equal, expect

SENDER, FACILITY = "CLIENTS", "TESTS"


class TLSClient(MLLPClient):
    """python-hl7's client, its socket wrapped in TLS where the listener wants it."""

    def __init__(self, server):
        where = server.mllp
        super().__init__(where["host"], where["port"])
        self.socket.settimeout(90)
        if where.get("tls"):
            self.socket = server.tls_context().wrap_socket(self.socket, server_hostname="localhost")


def ask(server, message):
    """One message on a connection of its own; the ACK without its frame."""
    with TLSClient(server) as client:
        answer = client.send_message(message)
        while answer and not answer.endswith(b"\x1c\r"):
            more = client.socket.recv(65536)
            if not more:
                break
            answer += more
    expect(answer.startswith(b"\x0b") and answer.endswith(b"\x1c\r"), f"no whole frame: {answer[:60]!r}")
    return answer[1:-2]


def msh(kind, control):
    return f"MSH|^~\\&|{SENDER}|{FACILITY}|HILUM|HILUM|20260101120000||{kind}|{control}|P|2.5.1"


def adt(control, patient, family="Probe", given="Adam", event="A04"):
    return "\r".join([
        msh(f"ADT^{event}^ADT_A01", control), f"EVN|{event}|20260101120000",
        f"PID|1||{patient}^^^TESTS^MR||{family}^{given}||19700102|M|||1 Main St^^Town^ST^12345^USA",
        "PV1|1|O", ""])


def segment(name, fields):
    """A segment from its fields by number: `segment("OBR", {1: "1", 4: "X"})` is `OBR|1|||X`."""
    return "|".join([name, *[fields.get(index, "") for index in range(1, max(fields) + 1)]])


DOCTOR = "1234^Doctor^Dora"


def order(control, patient, accession, placer, filler, order_control="NW"):
    return "\r".join([
        msh("ORM^O01^ORM_O01", control), f"PID|1||{patient}^^^TESTS^MR||Probe^Adam||19700102|M", "PV1|1|O",
        segment("ORC", {1: order_control, 2: f"{placer}^CLIENTS", 3: f"{filler}^RIS", 5: "SC", 7: "^^^20260102090000^^R",
                        9: "20260101120000", 12: DOCTOR}),
        segment("OBR", {1: "1", 2: f"{placer}^CLIENTS", 3: f"{filler}^RIS", 4: "CTCHEST^CT chest^L", 16: DOCTOR,
                        18: accession, 19: f"RP{accession}", 20: f"SPS{accession}", 24: "CT", 36: "20260102090000"}),
        f"ZDS|{study_uid(accession)}^HILUM^Application^DICOM", ""])


def study_uid(accession):
    return f"2.25.{int.from_bytes(accession.encode(), 'big')}"


def result(control, patient, accession, placer, filler, status, text):
    return "\r".join([
        msh("ORU^R01^ORU_R01", control), f"PID|1||{patient}^^^TESTS^MR||Probe^Adam||19700102|M", "PV1|1|O",
        segment("ORC", {1: "RE", 2: f"{placer}^CLIENTS", 3: f"{filler}^RIS"}),
        segment("OBR", {1: "1", 2: f"{placer}^CLIENTS", 3: f"{filler}^RIS", 4: "CTCHEST^CT chest^L", 7: "20260102093000",
                        16: DOCTOR, 18: accession, 22: "20260102100000", 24: "CT", 25: status}),
        segment("OBX", {1: "1", 2: "TX", 3: "IMP^Impression^L", 5: text, 11: status}), ""])


def acknowledged(answer, control, codes=("AA",)):
    text = answer.decode("utf-8")
    parsed = hl7.parse(text)
    equal(str(parsed.segment("MSA")[2]), control, "MSA-2")
    code = str(parsed.segment("MSA")[1])
    expect(code in codes, f"MSA-1 {code}: {text[-200:]!r}")
    return parsed


def check(report, server, backend, patient="CLIENT1", accession="ACC100"):
    session = backend.session()

    def search(kind, **parameters):
        answer = session.get(f"{server.fhir}/{kind}", params=parameters, timeout=30)
        equal(answer.status_code, 200, f"{kind} search ({answer.text[:160]})")
        return [entry["resource"] for entry in answer.json().get("entry", []) if entry.get("search", {}).get("mode") != "include"]

    def admit():
        acknowledged(ask(server, adt("ADT1", patient)), "ADT1")
        found = search("Patient", identifier=f"{patient}")
        equal(len(found), 1, "patients")
        equal(found[0]["name"][0]["family"], "Probe", "family name")
        equal(found[0]["birthDate"], "1970-01-02", "birth date")

    report.check("hl7", "ADT^A04 makes a Patient", admit, "HL7 v2.5.1 §3.3.4")

    def update():
        acknowledged(ask(server, adt("ADT2", patient, given="Adamo", event="A08")), "ADT2")
        found = search("Patient", identifier=patient)
        equal(len(found), 1, "patients")
        equal(found[0]["name"][0]["given"], ["Adamo"], "given name after A08")

    report.check("hl7", "ADT^A08 changes it", update, "HL7 v2.5.1 §3.3.8")

    def duplicate():
        message = adt("ADT3", patient, given="Ada")
        first, second = ask(server, message), ask(server, message)
        equal(second, first, "the ACK of the same message again")

    report.check("hl7", "the same message again gets the stored ACK", duplicate, "HL7 v2.5.1 §2.9.2")

    def new_order():
        acknowledged(ask(server, order("ORM1", patient, accession, "PL100", "FI100")), "ORM1")
        found = search("ServiceRequest", identifier=accession)
        equal(len(found), 1, "service requests")
        values = {i.get("value") for i in found[0]["identifier"]}
        expect({"PL100", "FI100", accession} <= values, f"identifiers {values}")

    report.check("hl7", "ORM^O01 makes a ServiceRequest with placer, filler, accession", new_order, "HL7 v2.5.1 §4.4.1")

    def report_of():
        for control, status, text, wanted in (("ORU1", "P", "first look", "preliminary"), ("ORU2", "F", "all clear", "final"),
                                              ("ORU3", "C", "not all clear", "corrected")):
            acknowledged(ask(server, result(control, patient, accession, "PL100", "FI100", status, text)), control)
            found = search("DiagnosticReport", identifier="FI100")
            found = found or search("DiagnosticReport")
            equal(len(found), 1, "diagnostic reports")
            equal(found[0]["status"], wanted, "status")

    report.check("hl7", "ORU^R01 preliminary, final, corrected: one DiagnosticReport", report_of, "HL7 v2.5.1 §7.3.1")

    refusals = [
        ("no MSH", b"PID|1||X\r", ("AE", "AR")),
        ("unknown message type", (msh("ZZZ^Z99", "BAD1") + "\r").encode(), ("AE", "AR")),
        ("no control id", msh("ADT^A04", "").encode() + b"\rPID|1||X^^^T^MR||A^B\r", ("AE", "AR")),
        ("ADT without PID", (msh("ADT^A04^ADT_A01", "BAD2") + "\rEVN|A04\r").encode(), ("AE", "AR")),
        ("unsupported version", msh("ADT^A04^ADT_A01", "BAD3").replace("2.5.1", "9.9").encode() + b"\rPID|1||X^^^T^MR||A\r",
         ("AE", "AR", "AA")),
    ]
    for name, message, codes in refusals:
        def refuse(message=message, codes=codes):
            answer = ask(server, message).decode("utf-8", "replace")
            expect("MSA|" in answer, f"no MSA: {answer[:100]!r}")
            code = answer.split("MSA|")[1][:2]
            expect(code in codes, f"MSA-1 {code}")
            if code != "AA":
                expect("\rERR|" in answer, "no ERR segment")

        report.check("hl7", f"refused: {name}", refuse, "HL7 v2.5.1 §2.9.2.2")

    def goes_on():
        with TLSClient(server) as client:
            client.socket.sendall(b"\x0bMSH|garbage without an end")
        with TLSClient(server) as client:
            client.socket.sendall(b"nothing of HL7 at all\r\n\r\n")
        acknowledged(ask(server, adt("ADT9", patient)), "ADT9")

    report.check("hl7", "cut frames and noise do not stop the listener", goes_on, "HL7 v2.5.1 App. C")

    def stranger():
        message = adt("ADT10", "STRANGE1").replace(f"|{SENDER}|", "|STRANGER|")
        answer = ask(server, message).decode()
        code = answer.split("MSA|")[1][:2]
        expect(code in ("AR", "AE"), f"a sender that nobody added got {code}")

    report.check("hl7", "a sender that nobody added is refused", stranger, "HL7 v2.5.1 §2.9.2.2")
    return accession

"""What modalities ask and tell, by plain HTTP: worklist, performed steps, storage commitment. PS3.18 §13 to §15."""

import time

from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

import check_mpps
from report import equal, expect

JSON = {"Content-Type": "application/dicom+json", "Accept": "application/dicom+json"}


def model(data_set):
    """A flat data set of texts and its one level of items as a document of the Native DICOM Model."""
    def attributes(each):
        return "".join(
            f'<DicomAttribute tag="{element.tag:08X}" vr="{element.VR}">{values(element)}</DicomAttribute>'
            for element in each)

    def values(element):
        if element.VR == "SQ":
            return "".join(
                f'<Item number="{number}">{attributes(item)}</Item>' for number, item in enumerate(element.value, 1))
        return f'<Value number="1">{element.value}</Value>' if element.value else ""

    return f'<?xml version="1.0" encoding="UTF-8"?><NativeDicomModel>{attributes(data_set)}</NativeDicomModel>'.encode()


def references(samples):
    request = Dataset()
    request.ReferencedSOPSequence = []
    for sop_class, instance in samples:
        item = Dataset()
        item.ReferencedSOPClassUID = sop_class
        item.ReferencedSOPInstanceUID = instance
        request.ReferencedSOPSequence.append(item)
    return request.to_json()


def check(report, server, backend, samples, accession):
    """`samples` are stored; an order of the accession number is on the worklist."""
    session = backend.session()
    steps = server.dicomweb + "/modality-scheduled-procedure-steps"
    performed = server.dicomweb + "/modality-performed-procedure-steps/" + generate_uid()

    def entries(query):
        answer = session.get(f"{steps}?{query}", headers=JSON, timeout=30)
        equal(answer.status_code, 200, "status of the search")
        return answer.json()

    def worklist():
        by_dimse = check_mpps.listed(server, accession)
        by_web = entries(f"AccessionNumber={accession}")
        equal([entry["0020000D"]["Value"][0] for entry in by_web], [str(e.StudyInstanceUID) for e in by_dimse],
              "studies of the worklist")
        expect(by_web, "the order is not on the worklist")
        step = by_web[0]["00400100"]["Value"][0]
        modality = step["00080060"]["Value"][0]
        path = "ScheduledProcedureStepSequence.Modality"
        equal(len(entries(f"AccessionNumber={accession}&{path}={modality}")), len(by_web), "of its modality")
        equal(entries(f"AccessionNumber={accession}&{path}=XX"), [], "of another modality")
        equal(session.get(f"{steps}?PatientWeight=1", headers=JSON, timeout=30).status_code, 400, "no matching key")

    report.check("http", "the worklist by HTTP has the entries of C-FIND", worklist, "PS3.18 §14.4")

    def mpps():
        entry = check_mpps.listed(server, accession)[0]
        created = check_mpps.performed(entry, accession)
        xml = {"Content-Type": "application/dicom+xml"}
        equal(session.post(performed, data=model(created), headers=xml, timeout=30).status_code, 201, "creation in XML")
        equal(session.post(performed, data=created.to_json(), headers=JSON, timeout=30).status_code, 409, "second one")
        change = check_mpps.completed().to_json()
        equal(session.post(f"{performed}?update", data=change, headers=JSON, timeout=30).status_code, 200, "update")
        expect(not check_mpps.listed(server, accession), "the completed step is on the worklist still")
        equal(session.post(f"{performed}?update", data=change, headers=JSON, timeout=30).status_code, 409, "late update")
        got = session.get(f"{performed}?includefield=PerformedProcedureStepStatus", headers=JSON, timeout=30).json()[0]
        equal(got["00400252"]["Value"], ["COMPLETED"], "state")
        unknown = server.dicomweb + "/modality-performed-procedure-steps/" + generate_uid()
        equal(session.get(unknown, headers=JSON, timeout=30).status_code, 404, "unknown step")

    report.check("http", "MPPS by HTTP creates and completes a step, which leaves the worklist of C-FIND", mpps, "PS3.18 §15")

    def commitment():
        stored = [(s.sop_class, s.sop_instance) for s in samples[:5]]
        missing = (stored[0][0], generate_uid())
        url = server.dicomweb + "/commitment-requests/" + generate_uid()
        answer = session.post(url, data=references(stored + [missing]), headers=JSON, timeout=60)
        for _ in range(120):
            if answer.status_code != 202:
                break
            time.sleep(1)
            answer = session.get(url, headers=JSON, timeout=30)
        equal(answer.status_code, 200, "status")
        outcome = answer.json()
        equal({item["00081155"]["Value"][0] for item in outcome["00081199"]["Value"]}, {uid for _, uid in stored},
              "committed")
        failed = outcome["00081198"]["Value"]
        equal([(item["00081155"]["Value"][0], item["00081197"]["Value"][0]) for item in failed], [(missing[1], 0x0112)],
              "failed")
        equal(session.get(url, headers=JSON, timeout=30).json(), outcome, "the outcome asked for again")
        again = session.post(url, data=references(stored), headers=JSON, timeout=60)
        equal(again.status_code, 409, "the transaction UID used again")
        many = references([(stored[0][0], f"1.2.{n}") for n in range(10_001)])
        url = server.dicomweb + "/commitment-requests/" + generate_uid()
        equal(session.post(url, data=many, headers=JSON, timeout=60).status_code, 413, "too many")

    if samples:
        report.check("http", "commitment by HTTP: what is stored is committed to, and what is not says why", commitment,
                     "PS3.18 §13")

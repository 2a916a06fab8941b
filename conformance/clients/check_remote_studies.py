"""Debian's Orthanc as the archive behind Hilum: what it has of a known patient is FHIR ImagingStudy here, and priors are
fetched when an order comes. A server of its own, with a rule in `hilum.yaml`.

    python check_remote_studies.py      # alone; HILUM names the binary
"""

import json
import pathlib
import sys
import tempfile
import time

import other_archives
import small_images
from check_hl7 import FACILITY, SENDER, adt, ask, order
from check_query_retrieve import free_port
from hilum_server import HilumServer
from report import Report, equal, expect, within
from smart import BackendClient

FHIR, PROMISE = "FHIR R4 imagingstudy.html", "promise: archives"
AVAILABILITY = "http://hl7.org/fhir/3.0/StructureDefinition/extension-ImagingStudy.availability"
CONFIGURATION = """
prefetch: [{ name: ct, on: order, modality: CT, priors: { modality: CT, number: 1 } }]
archives: { ORTHANC: { poll: { days: 2, minutes: 1 } } }
"""


class Case:
    def __init__(self, report, server, backend, folder):
        self.report, self.server, self.backend, self.folder = report, server, backend, folder
        self.session = backend.session()
        self.patient = "HERE1"
        self.older = small_images.study(self.patient, "Prior^Paula", date="20240304", description="CT thorax", accession="OLD1")
        self.newer = small_images.study(self.patient, "Prior^Paula", date="20250304", description="CT chest", accession="OLD2")
        self.today = small_images.study(
            self.patient, "Prior^Paula", date=time.strftime("%Y%m%d", time.gmtime()), modality="MR", accession="OLD3")
        self.later = small_images.study("HERE2", "Later^Lars", date="20230304", accession="OLD4")
        # Of the same name and birth date, and of nobody who is known here.
        self.other = small_images.study("ELSEWHERE1", "Prior^Paula", date="20250606", description="CT chest")

    def add(self, title, work, clause):
        self.report.check("archives", f"ImagingStudy: {title}", work, clause)

    def get(self, path, **parameters):
        answer = self.session.get(self.server.http + path, params=parameters, timeout=60)
        expect(answer.status_code == 200, f"{path}: {answer.status_code}: {answer.text[:200]}")
        return answer.json()

    def bundle(self, **parameters):
        return self.get("/fhir/ImagingStudy", **parameters)

    def studies(self, **parameters):
        """By Study Instance UID."""
        found = {}
        for entry in self.bundle(**parameters).get("entry", []):
            resource = entry["resource"]
            if resource["resourceType"] == "ImagingStudy":
                uid = next(each["value"] for each in resource["identifier"] if each["value"].startswith("urn:oid:"))
                found[uid.removeprefix("urn:oid:")] = resource
        return found

    @staticmethod
    def availability(resource):
        return next((each["valueCode"] for each in resource.get("extension", []) if each["url"] == AVAILABILITY), None)

    def fetches(self, state):
        return self.get("/ops/fetches", state=state)["fetches"]

    def run(self):
        (older, newer, other) = (each[0].StudyInstanceUID for each in (self.older, self.newer, self.other))
        for number, (patient, family, given) in enumerate([(self.patient, "Prior", "Paula"), ("HERE2", "Later", "Lars")]):
            ask(self.server, adt(f"RS1{number}", patient, family, given).replace("^^^TESTS^MR", "^^^HOSP^MR"))
        person = within(60, lambda: self.get("/fhir/Patient", identifier=self.patient).get("entry"))[0]["resource"]["id"]
        with other_archives.orthanc(
            self.folder / "orthanc", modalities=[("HILUM", self.server.dimse["port"])],
        ) as archive:
            archive.store(small_images.write(self.folder / "there", self.older + self.newer + self.other + self.later))
            self.server.command(
                "peer", "add", self.server.folder, "--ae", archive.title, "--host", "127.0.0.1", "--port", archive.port,
                "--archive", "--archive-key", "ModalitiesInStudy", "--offers", "find,get")

            def by_patient():
                found = within(60, lambda: self.studies(patient=person))
                equal(set(found), {older, newer}, "studies")
                equal({self.availability(each) for each in found.values()}, {"NEARLINE"}, "availability")
                equal(found[newer]["subject"]["reference"], f"Patient/{person}", "subject")
                equal(found[newer]["started"][:10], "2025-03-04", "started")
                equal(found[newer]["numberOfInstances"], 5, "numberOfInstances")
                self.ids = {uid: each["id"] for uid, each in found.items()}
                listed = {each["uid"]: each for each in found[newer].get("series", [])}
                equal(set(listed), {str(each.SeriesInstanceUID) for each in self.newer}, "series")
                equal({each["modality"]["code"] for each in listed.values()},
                      {each.Modality for each in self.newer}, "modalities of the series")
                read = self.get(f"/fhir/ImagingStudy/{self.ids[older]}")
                equal({each["uid"] for each in read.get("series", [])},
                      {str(each.SeriesInstanceUID) for each in self.older}, "series of what is read")
            self.add("found by patient, those of the very patient alone", by_patient, FHIR)

            def refused():
                answer = self.session.delete(f"{self.server.fhir}/ImagingStudy/{self.ids[newer]}", timeout=30)
                equal(answer.status_code, 409, "status of DELETE")
            self.add("not deleted by a client", refused, FHIR)

            def tried():
                ask(self.server, order("RS2", self.patient, "NEW1", "PL1", "FI1").replace("^^^TESTS^MR", "^^^HOSP^MR"))
                lines = json.loads(self.server.command("prefetch", "test", self.server.folder, "NEW1", "--json"))
                verdicts = {line.get("studyInstanceUID"): line.get("verdict") for line in lines}
                expect(verdicts.get(newer) in ("fetched", "known"), f"{verdicts}")
                equal(verdicts.get(older), "beyond-number", "of the older one")
                expect(other not in verdicts, "another patient's study is looked at")
            self.add("hilum prefetch test says what a rule would do", tried, PROMISE)

            def prefetched():
                whole = within(90, lambda: self.fetches("whole"))
                equal([each["studyInstanceUID"] for each in whole], [newer], "studies")
                equal(whole[0].get("reason"), "prefetch ct: order", "reason")
                equal(whole[0]["instances"], 5, "instances")
                online = within(90, lambda: self.availability(self.studies(patient=person)[newer]) == "ONLINE")
                expect(online, "not told to be here")
                equal(self.studies(patient=person)[newer]["id"], self.ids[newer], "id")
            self.add("an order has the newest prior fetched, and the same resource goes on", prefetched, PROMISE)

            def polled():
                archive.store(small_images.write(self.folder / "today", self.today))
                uid = self.today[0].StudyInstanceUID
                # Without a patient nobody is asked.
                found = within(180, lambda: self.studies(started="ge2026").get(uid))
                expect(found, "not told of by a poll")
                equal(self.availability(found), "NEARLINE", "availability")
            self.add("a study of today is told of by a poll", polled, PROMISE)

        def stopped():
            answer = self.session.get(
                f"{self.server.dicomweb}/studies/{newer}/metadata", headers={"Accept": "application/dicom+json"}, timeout=60)
            equal(answer.status_code, 200, "status")
            equal(len(answer.json()), 5, "instances")
        self.add("what was prefetched is served after Orthanc has stopped", stopped, PROMISE)

        def warned():
            time.sleep(31)
            bundle = self.bundle(patient=person)
            outcomes = [each["resource"] for each in bundle["entry"] if each["resource"]["resourceType"] == "OperationOutcome"]
            expect(outcomes, "no OperationOutcome")
            equal(outcomes[0]["issue"][0]["severity"], "warning", "severity")
            equal(set(self.studies(patient=person)), {older, newer, self.today[0].StudyInstanceUID}, "studies")
        self.add("a search says that Orthanc does not answer, and shows what is known", warned, "FHIR R4 search.html")

        def killed():
            message = order("RS3", "HERE2", "NEW2", "PL2", "FI2")
            ask(self.server, message.replace("^^^TESTS^MR", "^^^HOSP^MR").replace("Probe^Adam", "Later^Lars"))
            self.server.kill()
            self.server.start()
            with other_archives.orthanc(
                self.folder / "orthanc", modalities=[("HILUM", self.server.dimse["port"])], port=archive.port,
            ):
                uid = self.later[0].StudyInstanceUID
                found = within(240, lambda: uid in [each["studyInstanceUID"] for each in self.fetches("whole")])
            expect(found, "not fetched")
        self.add("an order that came while Orthanc was down, before a kill -9, has its prior fetched", killed, PROMISE)


def check(report, folder):
    folder = pathlib.Path(folder) / "remote-studies"
    folder.mkdir(parents=True)
    server = HilumServer(folder / "server")
    # The same ports after a kill, so that tokens stay good.
    server.init(ports=(free_port(), free_port(), free_port()))
    with open(folder / "server" / "hilum.yaml", "a", encoding="utf-8") as configuration:
        configuration.write(CONFIGURATION)
    server.add_sender(SENDER, FACILITY)
    backend = BackendClient(server, "everything", "ES384", "system/*.cruds", folder)
    server.start()
    try:
        Case(report, server, backend, folder).run()
    finally:
        server.stop()


if __name__ == "__main__":
    report = Report()
    with tempfile.TemporaryDirectory() as made:
        check(report, made)
    print(report.again(), end="")
    print(report.summary())
    sys.exit(1 if report.failed else 0)

"""Archives of others behind Hilum: studies that only they have are found by QIDO-RS and C-FIND here. PS3.4 §C.4.1,
PS3.18 §10.6. Debian's Orthanc and DCMTK's dcmqrscp are the archives."""

import contextlib
import pathlib
import time

from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, SecondaryCaptureImageStorage
from pynetdicom import build_context
from pynetdicom.sop_class import (
    PatientRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelFind,
)

import other_archives
import own_certificate
import small_images
from check_query_retrieve import identifier
from check_scp import association, code
from report import equal, expect, quick

QIDO, FIND = "PS3.18 §10.6", "PS3.4 §C.4.1"
STUDY_FIND, PATIENT_FIND = StudyRootQueryRetrieveInformationModelFind, PatientRootQueryRetrieveInformationModelFind


def find(door, keys, model=STUDY_FIND):
    """(final status, matches)."""
    with association(door, [build_context(model)]) as made:
        answers = list(made.send_c_find(keys, model))
    return answers[-1][0], [match for _, match in answers if match is not None]


class Web:
    """QIDO-RS of the server."""

    def __init__(self, server, backend):
        self.base, self.session = server.dicomweb, backend.session()

    def __call__(self, path="/studies", **keys):
        """(matches, answer)."""
        answer = self.session.get(
            self.base + path, params=keys, headers={"Accept": "application/dicom+json"}, timeout=60)
        expect(answer.status_code in (200, 204), f"{answer.status_code}: {answer.text[:200]}")
        return (answer.json() if answer.content else []), answer


def value(match, tag):
    return (match.get(tag, {}).get("Value") or [None])[0]


class Case:
    """One archive with what lies there and here, and the checks of it."""

    def __init__(self, report, doors, backend, folder, name, start, knows_modalities, tls="off"):
        self.report, self.doors, self.name, self.folder = report, doors, name, folder
        self.server = doors[0].server
        self.web = Web(self.server, backend)
        self.start, self.knows_modalities, self.tls = start, knows_modalities, tls
        patient = "ARCH" + "".join(each for each in name.upper() if each.isalpha())
        self.patient = patient
        self.there = small_images.study(patient, "Archived^Anna", date="20150304", time="143000", accession=f"{patient}A")
        self.latin = small_images.study(f"{patient}L", "Müller^Jörg", date="20150305")
        self.both = small_images.study(patient, "Archived^Anna", date="20160101", accession=f"{patient}B")
        self.here = small_images.study(patient, "Archived^Anna", date="20170101", accession=f"{patient}C")
        self.uid = self.there[0].StudyInstanceUID

    def add(self, title, work, clause):
        self.report.check("archives", f"{self.name}: {title}", work, clause)

    def run(self):
        contexts = [build_context(CTImageStorage, ExplicitVRLittleEndian),
                    build_context(SecondaryCaptureImageStorage, ExplicitVRLittleEndian)]
        with association(self.doors[0], contexts) as made:
            for each in self.both + self.here:
                equal(code(made.send_c_store(each)), "0000", "C-STORE status")
        with self.start(self.folder) as archive:
            archive.store(small_images.write(self.folder / "there", self.there + self.latin + self.both))
            self.title = archive.title
            key = ["--archive-key", "ModalitiesInStudy"] if self.knows_modalities else []
            self.server.command(
                "peer", "add", self.server.folder, "--ae", archive.title, "--host", "127.0.0.1", "--port", archive.port,
                "--archive", "--tls", self.tls, *key)
            self.port = archive.port
            try:
                self.noticed()
                self.found_by_web()
                for door in self.doors:
                    self.found_by_find(door)
            except AssertionError as error:
                self.report.add("archives", f"{self.name}: the archive is asked", False, error)
        self.stopped()
        self.server.command("peer", "remove", self.server.folder, "--ae", archive.title)
        self.removed()

    def noticed(self):
        """An archive counts within five seconds."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if self.web(StudyInstanceUID=self.uid)[0]:
                return
            time.sleep(0.25)
        raise AssertionError("the archive's study is not found 60 s after hilum peer add")

    def found_by_web(self):
        def by_uid():
            matches, answer = self.web(StudyInstanceUID=self.uid)
            equal([value(each, "0020000D") for each in matches], [self.uid], "Study Instance UID")
            equal(value(matches[0], "00080054"), self.title, "Retrieve AE Title")
            equal(value(matches[0], "00080056"), "NEARLINE", "Instance Availability")
            equal(value(matches[0], "00100020"), self.patient, "Patient ID")
            equal(value(matches[0], "00100010")["Alphabetic"], "Archived^Anna", "Patient's Name")
            expect("Warning" not in answer.headers, answer.headers.get("Warning"))
        self.add("a study that lies only there is found by QIDO-RS", by_uid, QIDO)

        queries = [
            ("Patient ID", {"PatientID": self.patient}), ("a name with a wildcard", {"PatientName": "Archived*"}),
            ("a range of dates", {"StudyDate": "20150301-20150331"}),
            ("date and time", {"StudyDate": "20150304", "StudyTime": "140000-150000"}),
            ("Accession Number", {"AccessionNumber": f"{self.patient}A"}),
        ]
        for title, keys in queries:
            def by(keys=keys):
                matches, _ = self.web(**keys)
                expect(self.uid in [value(each, "0020000D") for each in matches], f"not among {len(matches)} matches")
            self.add(f"found by QIDO-RS by {title}", by, QIDO)

        def by_modality():
            matches, answer = self.web(PatientID=self.patient, ModalitiesInStudy="CT", includefield="ModalitiesInStudy")
            found = [value(each, "0020000D") for each in matches]
            # An archive that does not tell of the modalities cannot be shown to match.
            equal(self.uid in found, self.knows_modalities, "the archive's study is among the matches")
            expect(self.here[0].StudyInstanceUID in found, "the local study is not among the matches")
        self.add("QIDO-RS by Modalities in Study", by_modality, QIDO)

        def not_matching():
            for keys in ({"StudyTime": "010000-020000"}, {"PatientSex": "M"}, {"AccessionNumber": "NOSUCH"},
                         {"ModalitiesInStudy": "US"}):
                matches, _ = self.web(PatientID=self.patient, StudyInstanceUID=self.uid, **keys)
                equal([value(each, "0020000D") for each in matches], [], f"matches of {keys}")
        self.add("what does not match is filtered here", not_matching, QIDO)

        def text():
            matches, _ = self.web(PatientID=f"{self.patient}L")
            equal([value(each, "00100010")["Alphabetic"] for each in matches], ["Müller^Jörg"], "Patient's Name")
            matches, _ = self.web(PatientName="Müller*", StudyDate="20150305")
            expect(self.latin[0].StudyInstanceUID in [value(each, "0020000D") for each in matches], "not found by name")
        self.add("text beyond ASCII is asked and told", text, QIDO)

        def series():
            matches, _ = self.web(f"/studies/{self.uid}/series")
            equal({value(each, "0020000E") for each in matches}, {each.SeriesInstanceUID for each in self.there}, "series")
            equal({value(each, "00080060") for each in matches}, {"CT", "OT"}, "Modality")
        self.add("its series are found by QIDO-RS", series, QIDO)

        def merged():
            matches, _ = self.web(PatientID=self.patient)
            found = {value(each, "0020000D"): value(each, "00080054") for each in matches}
            equal(found, {self.uid: self.title, self.both[0].StudyInstanceUID: None, self.here[0].StudyInstanceUID: None},
                  "studies and the archive that has them")
            local = next(each for each in matches if value(each, "0020000D") == self.both[0].StudyInstanceUID)
            expect(value(local, "00081190"), "no Retrieve URL of a study that lies here")
            equal(len(matches), 3, "matches")
        self.add("a study that lies here too is told of once, as here", merged, QIDO)

        def pages():
            seen = []
            for offset in range(4):
                matches, _ = self.web(PatientID=self.patient, limit=1, offset=offset)
                seen += [value(each, "0020000D") for each in matches]
            equal(len(seen), 3, "studies on four pages of one")
            equal(len(set(seen)), 3, "distinct studies")
        self.add("pages of QIDO-RS go over what is here and there", pages, QIDO)

    def found_by_find(self, door):
        def studies():
            status, matches = find(door, identifier(
                "STUDY", PatientID=self.patient, StudyInstanceUID="", PatientName="", StudyDate="", InstanceAvailability=""))
            equal(code(status), "0000", "final status")
            found = {each.StudyInstanceUID: each.RetrieveAETitle for each in matches}
            ae = door.dimse["ae"]
            equal(found, {self.uid: self.title, self.both[0].StudyInstanceUID: ae, self.here[0].StudyInstanceUID: ae},
                  "studies and where they are retrieved")
            equal({each.InstanceAvailability for each in matches if each.StudyInstanceUID == self.uid}, {"NEARLINE"},
                  "Instance Availability")
        self.add(f"found by C-FIND of studies, {door.name}", studies, FIND)

        def titles():
            for title, archives in (("HILUM_ORTHANC", ["ORTHANC"]), ("HILUM_ALONE", [])):
                keys = identifier("STUDY", PatientID=self.patient, StudyInstanceUID="")
                status, matches = find(door.called(title), keys)
                equal(code(status), "0000", "final status")
                found = {each.StudyInstanceUID for each in matches}
                here = {self.both[0].StudyInstanceUID, self.here[0].StudyInstanceUID}
                equal(found, here | ({self.uid} if self.title in archives else set()), f"studies of {title}")
        self.add(f"found by C-FIND of a title that it stands behind alone, {door.name}", titles, FIND)

        def series():
            _, matches = find(door, identifier("SERIES", StudyInstanceUID=self.uid, SeriesInstanceUID="", Modality=""))
            equal({each.SeriesInstanceUID for each in matches}, {each.SeriesInstanceUID for each in self.there}, "series")
        self.add(f"its series are found by C-FIND, {door.name}", series, FIND)

        def patient():
            _, matches = find(door, identifier("PATIENT", PatientID=f"{self.patient}L", PatientName=""), PATIENT_FIND)
            equal([str(each.PatientName) for each in matches], ["Müller^Jörg"], "patients")
        self.add(f"a patient who is known there only is found by C-FIND, {door.name}", patient, FIND)

    def stopped(self):
        # Of dcmqrscp the process of an association that is kept (for a second) is still there.
        time.sleep(5)

        def by_web():
            begun = time.monotonic()
            matches, answer = self.web(PatientID=self.patient)
            taken = time.monotonic() - begun
            equal({value(each, "0020000D") for each in matches},
                  {self.both[0].StudyInstanceUID, self.here[0].StudyInstanceUID}, "studies")
            expect(answer.headers.get("Warning", "").startswith("299"), f"Warning {answer.headers.get('Warning')}")
            quick(taken, 6)
            return answer.headers["Warning"]
        self.add("stopped: QIDO-RS answers what is here with Warning 299", by_web, "PS3.18 §8.3.4.4")

        def by_find():
            status, matches = find(self.doors[0], identifier("STUDY", PatientID=self.patient, StudyInstanceUID=""))
            equal(code(status), "0000", "final status")
            equal(len(matches), 2, "matches")
        self.add("stopped: C-FIND answers what is here", by_find, FIND)

        def again():
            with self.start(self.folder, port=self.port):
                until = time.monotonic() + 120
                while time.monotonic() < until:
                    if self.web(StudyInstanceUID=self.uid)[0]:
                        return
                    time.sleep(1)
            raise AssertionError("not found 120 s after the archive was there again")
        self.add("started again: its study is found again", again, QIDO)

    def removed(self):
        def gone():
            until = time.monotonic() + 60
            while time.monotonic() < until:
                matches, answer = self.web(StudyInstanceUID=self.uid)
                if not matches and "Warning" not in answer.headers:
                    return
                time.sleep(0.25)
            raise AssertionError("still asked 60 s after hilum peer remove")
        self.add("removed: it is not asked any more", gone, QIDO)


def check(report, doors, backend, folder):
    folder = pathlib.Path(folder) / "archives"
    folder.mkdir()
    modalities = [("HILUM", 104)]
    tls = own_certificate.make(folder, "orthanctls")

    @contextlib.contextmanager
    def orthanc(folder, port=None):
        with other_archives.orthanc(folder, modalities=modalities, port=port) as archive:
            yield archive

    @contextlib.contextmanager
    def orthanc_tls(folder, port=None):
        with other_archives.orthanc(folder, title="ORTHANCTLS", modalities=modalities, port=port,
                                    tls=(*tls[:2], doors[0].server.ca)) as archive:
            yield archive

    @contextlib.contextmanager
    def dcmqrscp(folder, port=None):
        with other_archives.dcmqrscp(folder, modalities=modalities, port=port) as archive:
            yield archive

    Case(report, doors, backend, folder / "orthanc", "Orthanc", orthanc, knows_modalities=True).run()
    Case(report, doors, backend, folder / "orthanctls", "Orthanc by TLS", orthanc_tls, knows_modalities=True,
         tls=tls[2]).run()
    Case(report, doors, backend, folder / "dcmqrscp", "dcmqrscp", dcmqrscp, knows_modalities=False).run()

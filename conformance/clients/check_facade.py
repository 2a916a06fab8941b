"""An old PACS behind Hilum: what only it has is retrieved here, and what is stored here goes on to it by a rule, also after
it was away. Debian's Orthanc and DCMTK's dcmqrscp, each fetched from by C-GET and by C-MOVE. PS3.4 Annex C, PS3.18 §10.4."""

import json
import os
import threading
import time

from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from pynetdicom import build_context
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind as STUDY_FIND

import check_dicom
import check_hl7
import other_archives
import small_images
from check_hl7_out import own_database
from check_query_retrieve import Receiver, free_port, identifier, move
from check_remote_studies import Case as RemoteCase
from check_scp import association, code
from dicom_compare import raw_bytes_of_data_set
from hilum_server import HilumServer
from report import equal, expect, within
from smart import BackendClient

WADO, MOVE, FIND, QIDO, STORE = "PS3.18 §10.4", "PS3.4 §C.4.2", "PS3.4 §C.4.1", "PS3.18 §10.6", "PS3.4 §B"
FORWARDED = 50
# Images of the study that several ask for at once: 20 MB, which takes a while.
LARGE = 40

RULES = """
routing:
  destinations:
    - { name: orthanc, peer: ORTHANC }
    - { name: dcmqrscp, peer: DCMQRSCP }
  rules:
    - { from: TOORTHANC, to: orthanc }
    - { from: TODCMQRSCP, to: dcmqrscp }
limits: { delivery-tick-seconds: 1 }
"""


def large(patient):
    """CT images of 512 x 512, in one series."""
    study, series = generate_uid(), generate_uid()
    images = [small_images.image(number, study, series, patient, "Facade^Large") for number in range(1, LARGE + 1)]
    for each in images:
        each.Rows = each.Columns = 512
        each.PixelData = os.urandom(512 * 512 * 2)
    return images


def told(data_set):
    """What it says, without what belongs to one encoding of it."""
    return {str(each.tag): each.value for each in data_set if each.tag.element}


def same(found, wanted):
    """The same instances with the same attributes and pixels."""
    found, wanted = ({each.SOPInstanceUID: told(each) for each in some} for some in (found, wanted))
    equal(sorted(found), sorted(wanted), "SOP Instance UIDs")
    for uid, attributes in wanted.items():
        equal(found[uid], attributes, "attributes")


class Facade:
    """Hilum with a receiver for C-MOVE, and rules that send what two modalities store to the archives."""

    def __init__(self, folder, postgres):
        self.folder = folder
        self.server = HilumServer(
            folder / "hilum", postgres=own_database(postgres), log=folder / "hilum.log", options=["--plain-loopback"])
        self.server.init()
        self.third = Receiver("THIRD")
        self.server.add_ae("CLIENTS")
        self.server.add_ae("THIRD", port=self.third.port)
        for title in ("TOORTHANC", "TODCMQRSCP"):
            self.server.add_ae(title)
        self.server.add_sender(check_hl7.SENDER, check_hl7.FACILITY)
        with open(self.server.folder / "hilum.yaml", "a") as file:
            file.write(RULES)
        self.backend = BackendClient(self.server, "facade", "ES384", "system/*.cruds", folder)
        self.server.start()

    def web(self):
        return check_dicom.web_client(self.server, self.backend)

    def get(self, base, path, **keys):
        answer = self.backend.session().get(base + path, params=keys, timeout=60)
        expect(answer.status_code in (200, 204), f"{path}: {answer.status_code}: {answer.text[:200]}")
        return answer.json() if answer.content else []

    def fetches(self, study):
        """Entries of /ops/fetches of a study that is here."""
        found = self.get(self.server.http, "/ops/fetches", state="whole", limit=1000)["fetches"]
        return [each for each in found if each["studyInstanceUID"] == study]

    def moved(self, images):
        """Moves a study to the third AE, which has to get all of it."""
        for each in images:
            self.third.received.pop(str(each.SOPInstanceUID), None)
        statuses = move(self.server, identifier("STUDY", StudyInstanceUID=images[0].StudyInstanceUID), "THIRD")
        last = statuses[-1][0]
        equal(code(last), "0000", f"final status ({last.get('ErrorComment')})")
        equal(last.NumberOfCompletedSuboperations, len(images), "completed sub-operations")
        for each in images:
            data = self.third.received.get(str(each.SOPInstanceUID))
            expect(data, f"{each.SOPInstanceUID} did not come to the third AE")
            if data[1] == ExplicitVRLittleEndian:
                equal(data[0], raw_bytes_of_data_set(small_images.part10(each)), "bytes of the data set")

    def killed(self):
        """kill -9 and another start; the doors are others then."""
        self.server.kill()
        self.server.start()
        self.backend.token = None

    def stop(self):
        self.third.stop()
        return self.server.stop()


class Case:
    """One archive and one way to fetch from it."""

    def __init__(self, report, facade, start, name, way, forwards):
        self.report, self.facade, self.start, self.way, self.forwards = report, facade, start, way, forwards
        self.name, self.title = f"{name} by C-{way.upper()}", name.upper()
        self.folder = facade.folder / f"{name.lower()}-{way}"
        patient = f"FAC{name.upper()}{way.upper()}"
        self.studies = [small_images.study(patient, "Facade^Fay", accession=f"{patient}{n}"[:16]) for n in range(5)]
        self.large = large(f"{patient}L")
        self.patient, self.port = patient, free_port()

    def add(self, title, work, clause):
        return self.report.check("facade", f"{self.name}: {title}", work, clause)

    def archive(self):
        known = [("HILUM", self.facade.server.dimse["port"]), ("CLIENTS", 104)]
        return self.start(self.folder, modalities=known, port=self.port, verbose=True)

    def run(self):
        server = self.facade.server
        self.add("its patient is admitted by HL7", self.admitted, "HL7 v2.5.1 §3.3.4")
        with self.archive() as archive:
            every = [each for study in self.studies for each in study] + self.large
            archive.store(small_images.write(self.folder / "there", every))
            server.command(
                "peer", "add", server.folder, "--ae", self.title, "--host", "127.0.0.1", "--port", self.port, "--archive",
                "--offers", f"echo,find,store,{self.way}", "--may", "echo,store")
            if self.add("a study that lies only there is found by QIDO-RS and C-FIND", self.found, QIDO):
                self.add("hilum peer test learns what it matches, and keeps that", self.learned, FIND)
                self.add("so are its series and instances, by QIDO-RS", self.found_below, QIDO)
                self.add("so are its series and instances, by C-FIND", self.found_below_by_find, FIND)
                self.retrieved(archive)
        # The process of a kept association is there for a second more.
        time.sleep(5)
        self.served()
        if self.forwards:
            self.forwarded()
        server.command("peer", "remove", server.folder, "--ae", self.title)

    def admitted(self):
        """The patient is known here, else what is fetched is kept aside and is no ImagingStudy."""
        message = check_hl7.adt(self.patient, self.patient, "Facade", "Fay").replace("^^^TESTS^", "^^^HOSP^")
        check_hl7.acknowledged(check_hl7.ask(self.facade.server, message.replace("19700102|M", "19700101|O")), self.patient)

    def found(self):
        wanted = {each[0].StudyInstanceUID for each in self.studies}
        until = time.monotonic() + 60
        while True:
            matches = self.facade.get(self.facade.server.dicomweb, "/studies", PatientID=self.patient)
            if {each["0020000D"]["Value"][0] for each in matches} == wanted:
                break
            expect(time.monotonic() < until, f"{len(matches)} of {len(wanted)} studies 60 s after hilum peer add")
            time.sleep(0.25)
        equal({each["00080056"]["Value"][0] for each in matches}, {"NEARLINE"}, "Instance Availability")
        keys = identifier("STUDY", PatientID=self.patient, StudyInstanceUID="", InstanceAvailability="")
        with association(self.facade.server, [build_context(STUDY_FIND)]) as made:
            answers = [match for _, match in made.send_c_find(keys, STUDY_FIND) if match is not None]
        equal({(each.StudyInstanceUID, each.RetrieveAETitle, each.InstanceAvailability) for each in answers},
              {(uid, self.title, "NEARLINE") for uid in wanted}, "matches of C-FIND")

    def learned(self):
        """Orthanc matches ModalitiesInStudy, dcmqrscp does not know it."""
        server = self.facade.server
        findings = json.loads(server.command("peer", "test", server.folder, "--ae", self.title, "--json"))
        told = [each for each in findings if each["step"] == "keys"]
        expect(told and all(each["outcome"] != "fail" for each in told), f"{told}")
        peers = json.loads(server.command("peer", "list", server.folder, "--json"))
        keys = next(each["archive"]["keys"] for each in peers if each["name"] == self.title)
        equal("modalitiesInStudy" in keys, "ORTHANC" in self.title, f"{keys}")
        matches = self.facade.get(server.dicomweb, "/studies", PatientID=self.patient, ModalitiesInStudy="XA")
        equal(matches, [], "studies of a modality that none has")
        return " ".join(keys)

    def found_below(self):
        """Of the last study, which nothing has fetched yet."""
        images = self.studies[-1]
        study = images[0].StudyInstanceUID

        def told(path, tag, **keys):
            matches = self.facade.get(self.facade.server.dicomweb, path, **keys)
            equal({each["00080056"]["Value"][0] for each in matches}, {"NEARLINE"}, "Instance Availability")
            equal({each["00100020"]["Value"][0] for each in matches}, {self.patient}, "Patient ID")
            return sorted(each[tag]["Value"][0] for each in matches)
        series = sorted({each.SeriesInstanceUID for each in images})
        instances = sorted(each.SOPInstanceUID for each in images)
        equal(told(f"/studies/{study}/series", "0020000E"), series, "series of the study")
        equal(told("/series", "0020000E", StudyInstanceUID=study), series, "series by the study's UID")
        equal(told(f"/studies/{study}/instances", "00080018"), instances, "instances of the study")
        wanted = sorted(each.SOPInstanceUID for each in images if each.SeriesInstanceUID == series[0])
        equal(told(f"/studies/{study}/series/{series[0]}/instances", "00080018"), wanted, "instances of a series")
        every = {each.SeriesInstanceUID for study in self.studies for each in study}
        every |= {each.SeriesInstanceUID for each in self.large}
        found = set(told("/series", "0020000E", PatientID=self.patient))
        expect(found <= every and set(series) <= found, f"{len(found)} series of the patient")

    def found_below_by_find(self):
        images = self.studies[-1]
        study, series = images[0].StudyInstanceUID, images[0].SeriesInstanceUID
        with association(self.facade.server, [build_context(STUDY_FIND)]) as made:
            def find(level, **keys):
                answers = [match for _, match in made.send_c_find(identifier(level, **keys), STUDY_FIND) if match is not None]
                equal({each.RetrieveAETitle for each in answers}, {self.title}, "Retrieve AE Title")
                return answers
            by_series = find("SERIES", StudyInstanceUID=study, SeriesInstanceUID="", Modality="")
            equal({(each.SeriesInstanceUID, each.Modality) for each in by_series},
                  {(each.SeriesInstanceUID, each.Modality) for each in images}, "series")
            by_image = find("IMAGE", StudyInstanceUID=study, SeriesInstanceUID=series, SOPInstanceUID="", InstanceNumber="")
            equal({each.SOPInstanceUID for each in by_image},
                  {each.SOPInstanceUID for each in images if each.SeriesInstanceUID == series}, "instances")

    def retrieved(self, archive):
        by_series, by_instance, by_frame, by_metadata, by_move = self.studies

        def series():
            one = [each for each in by_series if each.SOPClassUID == CTImageStorage]
            found = self.facade.web().retrieve_series(one[0].StudyInstanceUID, one[0].SeriesInstanceUID)
            same(found, one)
        self.add("WADO-RS of a series", series, WADO)

        def instance():
            one = by_instance[2]
            same([self.facade.web().retrieve_instance(one.StudyInstanceUID, one.SeriesInstanceUID, one.SOPInstanceUID)], [one])
        self.add("WADO-RS of an instance", instance, WADO)

        def frames():
            one = by_frame[1]
            found = self.facade.web().retrieve_instance_frames(
                one.StudyInstanceUID, one.SeriesInstanceUID, one.SOPInstanceUID, frame_numbers=[1])
            equal(found, [one.PixelData], "frame 1")
        self.add("WADO-RS of a frame", frames, WADO)

        def metadata():
            found = self.facade.web().retrieve_study_metadata(by_metadata[0].StudyInstanceUID)
            equal({each["00080018"]["Value"][0] for each in found}, {each.SOPInstanceUID for each in by_metadata}, "instances")
            equal({each["00100020"]["Value"][0] for each in found}, {self.patient}, "Patient ID")
        self.add("WADO-RS of metadata", metadata, WADO)

        self.add("C-MOVE of a study to a third AE", lambda: self.facade.moved(by_move), MOVE)

        def shared():
            before, study = archive.retrievals(), self.large[0].StudyInstanceUID
            failures, ready = [], threading.Barrier(3)

            def caller(work):
                try:
                    ready.wait(60)
                    work()
                except Exception as error:  # told by the check
                    failures.append(f"{type(error).__name__}: {error}")

            clients = [self.facade.web(), self.facade.web()]
            works = [lambda client=client: same(client.retrieve_study(study), self.large) for client in clients]
            works.append(lambda: self.facade.moved(self.large))
            threads = [threading.Thread(target=caller, args=(work,)) for work in works]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(300)
            equal(failures, [], "failures")
            equal(archive.retrievals() - before, 1, "C-GET and C-MOVE requests at the archive")
            entries = self.facade.fetches(study)
            equal([(each["attempts"], each["instances"]) for each in entries], [(1, LARGE)], "attempts and instances")
        self.add("two by WADO-RS and one by C-MOVE at once share one fetch", shared, WADO)

    def served(self):
        def again():
            study = self.large[0].StudyInstanceUID
            same(self.facade.web().retrieve_study(study), self.large)
            one = self.studies[0][0]
            same(self.facade.web().retrieve_series(one.StudyInstanceUID, one.SeriesInstanceUID),
                 [each for each in self.studies[0] if each.SeriesInstanceUID == one.SeriesInstanceUID])
            self.facade.moved(self.studies[2])
        self.add("stopped: what was fetched is served by WADO-RS and C-MOVE", again, WADO)

        def as_fhir():
            for study in self.studies:
                name = f"urn:dicom:uid|urn:oid:{study[0].StudyInstanceUID}"

                def found(name=name):
                    entries = self.facade.get(self.facade.server.fhir, "/ImagingStudy", identifier=name).get("entry", [])
                    return [(RemoteCase.availability(each["resource"]), each["resource"].get("numberOfInstances"))
                            for each in entries]
                # It was one already when it lay in the archive alone; what is here is published when it is quiet.
                within(90, lambda: found() == [("ONLINE", len(study))])
                equal(found(), [("ONLINE", len(study))], "ImagingStudy")
        self.add("stopped: what was fetched is an ImagingStudy", as_fhir, "FHIR R4 ImagingStudy")

    def forwarded(self):
        """Stores by C-STORE while the archive is away, and then looks there."""
        caller, study, series = f"TO{self.title}", generate_uid(), generate_uid()
        images = [small_images.image(number, study, series, f"{self.patient}F", "Facade^Forward")
                  for number in range(1, FORWARDED + 1)]

        def stored():
            with association(self.facade.server, [build_context(CTImageStorage, ExplicitVRLittleEndian)], caller) as made:
                equal({code(made.send_c_store(each)) for each in images}, {"0000"}, "C-STORE statuses")
        if not self.add(f"stopped: {FORWARDED} are stored that a rule sends there", stored, STORE):
            return
        self.facade.killed()

        def there(archive):
            class Door:
                dimse = {"host": "127.0.0.1", "port": archive.port, "ae": archive.title}
                dimse_tls = staticmethod(lambda: None)
            keys = identifier("IMAGE", StudyInstanceUID=study, SeriesInstanceUID=series, SOPInstanceUID="")
            with association(Door, [build_context(STUDY_FIND)]) as made:
                return [str(each.SOPInstanceUID) for _, each in made.send_c_find(keys, STUDY_FIND) if each is not None]

        def arrives():
            wanted = sorted(str(each.SOPInstanceUID) for each in images)
            with self.archive() as archive:
                begun = time.monotonic()
                found = []
                while len(found) < len(wanted) and time.monotonic() < begun + 180:
                    time.sleep(0.5)
                    found = there(archive)
                taken = time.monotonic() - begun
                # Nothing comes after it.
                time.sleep(1)
                equal(sorted(there(archive)), wanted, "SOP Instance UIDs at the archive")
            return f"all after {taken:.0f} s"
        self.add(f"started again, after a kill -9 here: all {FORWARDED} arrive, each once", arrives, STORE)


def check(report, folder, postgres):
    folder = folder / "facade"
    folder.mkdir()
    facade = Facade(folder, postgres)
    try:
        for start, name in ((other_archives.orthanc, "Orthanc"), (other_archives.dcmqrscp, "dcmqrscp")):
            for way in ("get", "move"):
                Case(report, facade, start, name, way, forwards=way == "get").run()
    finally:
        exit_code = facade.stop()
    report.check("facade", "SIGTERM drains and exits 0", lambda: equal(exit_code, 0, "exit code"))

"""Metadata with bulk data by STOW-RS, judged by pydicom and dciodvfy; rejection notes and deletion, at every door before and
after. PS3.18 §10.5.1.2; IHE RAD TF-2 §4.66."""

import io
import json
import pathlib
import shutil
import subprocess

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import generate_frames
from pydicom.uid import EncapsulatedPDFStorage, ExplicitVRLittleEndian, KeyObjectSelectionDocumentStorage
from pynetdicom import build_context

import check_dicom
import check_query_retrieve
import dicom_files
from dicom_files import uid_for
from report import equal, expect
from smart import BackendClient

STORE, NOTE = "PS3.18 §10.5.1.2", "IHE RAD-66"
# Native and compressed, of one frame and of several.
NAMES = ("CT_small.dcm", "MR_small_RLE.dcm", "JPEG2000.dcm", "examples_ybr_color.dcm", "JPGLosslessP14SV1_1s_1f_8b.dcm")
FRAMES = {"1.2.840.10008.1.2.4.50": "image/jpeg", "1.2.840.10008.1.2.4.57": "image/jpeg",
          "1.2.840.10008.1.2.4.70": "image/jpeg", "1.2.840.10008.1.2.4.80": "image/jls",
          "1.2.840.10008.1.2.4.90": "image/jp2", "1.2.840.10008.1.2.4.91": "image/jp2",
          "1.2.840.10008.1.2.5": "image/dicom-rle"}


def multipart(kind, parts):
    """(Content-Type, body) of parts, each (type, location or None, bytes)."""
    body = b""
    for media, location, content in parts:
        body += b"\r\n--parts\r\nContent-Type: " + media.encode() + b"\r\n"
        if location:
            body += b"Content-Location: " + location.encode() + b"\r\n"
        body += b"\r\n" + content
    return f'multipart/related; type="{kind}"; boundary=parts', body + b"\r\n--parts--\r\n"


def metadata(data_set, uri):
    """The data set in DICOM JSON, its pixels as a BulkDataURI."""
    rest = pydicom.Dataset({tag: element for tag, element in data_set.items() if tag != 0x7FE00010})
    model = rest.to_json_dict(bulk_data_threshold=1 << 30, bulk_data_element_handler=lambda element: uri)
    model["7FE00010"] = {"vr": "OW", "BulkDataURI": uri}
    return json.dumps([model]).encode()


def pixels(sample):
    """The parts of a sample's pixel data: the value, or each frame."""
    syntax = sample.transfer_syntax
    if not syntax.is_encapsulated:
        return [("application/octet-stream", "pixels", sample.data_set.PixelData)]
    frames = generate_frames(sample.data_set.PixelData, number_of_frames=int(sample.data_set.get("NumberOfFrames", 1)))
    return [(f"{FRAMES[syntax]}; transfer-syntax={syntax}", "pixels", frame) for frame in frames]


def check_tools(report):
    """What the checks below judge by; without it they fail too."""
    report.check("metadata", "dciodvfy is there", lambda: expect(
        shutil.which("dciodvfy"), "no dciodvfy: install dicom3tools (docker/setup.sh)"))


def failure_reasons(answer):
    """The Failure Reasons of a STOW answer in JSON. PS3.18 Table I.1-1."""
    items = [item for tag in ("00081198", "0008119A") for item in answer.json().get(tag, {}).get("Value", [])]
    return [item["00081197"]["Value"][0] for item in items]


def ct(files, door):
    """The sample that has every door, whether or not it is among those of this run."""
    every = files + dicom_files.test_files()[0]
    return dicom_files.relabelled(*next(file for file in every if pathlib.Path(file[0]).name == "CT_small.dcm"), door)


def errors_of(path):
    """The lines of dciodvfy's errors about a file."""
    expect(shutil.which("dciodvfy"), "no dciodvfy")
    run = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, timeout=60, errors="replace")
    return {line for line in (run.stdout + run.stderr).splitlines() if line.startswith("Error")}


def check_metadata(report, server, session, files, folder):
    """Images whose metadata and pixels are sent apart."""
    for name, path in files:
        if pathlib.Path(name).name not in NAMES:
            continue
        sample = dicom_files.relabelled(name, path, "metadata")

        def store(sample=sample):
            kind, body = multipart("application/dicom+json", [
                ("application/dicom+json", None, metadata(sample.data_set, "pixels")), *pixels(sample)])
            answer = session.post(
                server.dicomweb + "/studies", data=body, timeout=60,
                headers={"Content-Type": kind, "Accept": "application/dicom+json"})
            equal(answer.status_code, 200, f"status, {answer.text[:300]}")
            url = (f"{server.dicomweb}/studies/{sample.study}/series/{sample.series}"
                   f"/instances/{sample.sop_instance}")
            data = check_dicom.retrieve_part10(session, url)
            made = pydicom.dcmread(io.BytesIO(data))
            equal(str(made.file_meta.MediaStorageSOPInstanceUID), str(sample.sop_instance), "file meta information")
            expect((made.pixel_array == sample.data_set.pixel_array).all(), "other pixels")
            before, after = pathlib.Path(folder) / "before.dcm", pathlib.Path(folder) / "after.dcm"
            before.write_bytes(sample.data)
            after.write_bytes(data)
            new = errors_of(after) - errors_of(before)
            expect(not new, f"dciodvfy finds {sorted(new)[:3]}")

        report.check("metadata", f"{sample.name} in parts decodes as it was, and dciodvfy finds nothing new", store, STORE)

    def elsewhere():
        sample = ct(files, "elsewhere")
        kind, body = multipart("application/dicom+json", [
            ("application/dicom+json", None, metadata(sample.data_set, "http://127.0.0.1:9/pixels"))])
        answer = session.post(
            server.dicomweb + "/studies", data=body, timeout=60,
            headers={"Content-Type": kind, "Accept": "application/dicom+json"})
        equal(answer.status_code, 409, "status")
        equal(failure_reasons(answer), [0xC000], "failure reasons")

    report.check("metadata", "bulk data elsewhere is not fetched", elsewhere, STORE)


PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n%%EOF"


def document():
    """What is said of an encapsulated PDF, but for what follows from its part. PS3.3 §A.45.1."""
    said = Dataset()
    said.PatientName, said.PatientID, said.PatientBirthDate, said.PatientSex = "CLIENTS^DOCUMENT", "D-1", "", ""
    said.StudyDate, said.StudyTime, said.AccessionNumber, said.ReferringPhysicianName = "20260101", "120000", "", ""
    said.StudyInstanceUID, said.StudyID = uid_for("document", "study"), ""
    said.SeriesInstanceUID, said.SeriesNumber, said.Modality = uid_for("document", "series"), 1, "DOC"
    said.SOPInstanceUID, said.InstanceNumber = uid_for("document", "instance"), 1
    said.Manufacturer, said.ConversionType = "CLIENTS", "WSD"
    said.ContentDate, said.ContentTime, said.AcquisitionDateTime = "20260101", "120000", ""
    said.BurnedInAnnotation, said.DocumentTitle, said.ConceptNameCodeSequence = "YES", "", []
    return said


def check_document(report, server, session, folder):
    """An encapsulated PDF of a metadata part and a part of application/pdf."""
    def store():
        said = document()
        model = said.to_json_dict()
        model["00420011"] = {"vr": "OB", "BulkDataURI": "document"}
        kind, body = multipart("application/dicom+json", [
            ("application/dicom+json", None, json.dumps([model]).encode()), ("application/pdf", "document", PDF)])
        answer = session.post(
            server.dicomweb + "/studies", data=body, timeout=60,
            headers={"Content-Type": kind, "Accept": "application/dicom+json"})
        equal(answer.status_code, 200, f"status, {answer.text[:300]}")
        data = check_dicom.retrieve_part10(
            session, f"{server.dicomweb}/studies/{said.StudyInstanceUID}/series/{said.SeriesInstanceUID}"
            f"/instances/{said.SOPInstanceUID}")
        made = pydicom.dcmread(io.BytesIO(data))
        equal(made.SOPClassUID, EncapsulatedPDFStorage, "SOP class")
        equal(made.EncapsulatedDocument[:made.EncapsulatedDocumentLength], PDF, "document")
        path = pathlib.Path(folder) / "document.dcm"
        path.write_bytes(data)
        equal(errors_of(path), set(), "dciodvfy")

    report.check("metadata", "a PDF is an object of its class, and dciodvfy finds nothing", store, STORE)


def rejection(sample, code, meaning):
    """A rejection note of one instance. PS3.3 §A.35.4."""
    note = Dataset()
    note.SOPClassUID = KeyObjectSelectionDocumentStorage
    note.SOPInstanceUID = uid_for("note", sample.name, code)
    note.StudyInstanceUID = sample.study
    note.SeriesInstanceUID = uid_for("note", sample.name, "series")
    note.PatientID, note.PatientName = sample.data_set.PatientID, sample.data_set.PatientName
    note.Modality, note.SeriesNumber, note.InstanceNumber = "KO", 99, 1
    note.ContentDate, note.ContentTime, note.ValueType = "20260101", "120000", "CONTAINER"
    title = Dataset()
    title.CodeValue, title.CodingSchemeDesignator, title.CodeMeaning = code, "DCM", meaning
    note.ConceptNameCodeSequence = [title]
    instance = Dataset()
    instance.ReferencedSOPClassUID, instance.ReferencedSOPInstanceUID = sample.sop_class, sample.sop_instance
    series = Dataset()
    series.SeriesInstanceUID, series.ReferencedSOPSequence = sample.series, [instance]
    study = Dataset()
    study.StudyInstanceUID, study.ReferencedSeriesSequence = sample.study, [series]
    note.CurrentRequestedProcedureEvidenceSequence = [study]
    note.file_meta = FileMetaDataset()
    note.file_meta.MediaStorageSOPClassUID = note.SOPClassUID
    note.file_meta.MediaStorageSOPInstanceUID = note.SOPInstanceUID
    note.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return note


def doors(server, session, sample):
    """Which doors show the instance, by name."""
    seen = set()
    url = f"{server.dicomweb}/studies/{sample.study}"
    found = session.get(url + "/instances", timeout=30)
    if found.status_code == 200 and any(
            match["00080018"]["Value"] == [str(sample.sop_instance)] for match in found.json()):
        seen.add("QIDO")
    one = f"{url}/series/{sample.series}/instances/{sample.sop_instance}"
    for name, path, accept in (
            ("WADO", one, 'multipart/related; type="application/dicom"; transfer-syntax=*'),
            ("metadata", one + "/metadata", "application/dicom+json"), ("rendered", one + "/rendered", "image/jpeg")):
        if session.get(path, headers={"Accept": accept}, timeout=60).status_code == 200:
            seen.add(name)
    keys = check_query_retrieve.identifier(
        "IMAGE", StudyInstanceUID=sample.study, SeriesInstanceUID=sample.series, SOPInstanceUID="")
    _, matches = check_query_retrieve.query(server, keys)
    if any(match.SOPInstanceUID == sample.sop_instance for match in matches):
        seen.add("C-FIND")
    keys.SOPInstanceUID = sample.sop_instance
    got = check_query_retrieve.get(server, sample.sop_class, sample.transfer_syntax, keys)
    if any(uid == str(sample.sop_instance) for uid, _, _ in got):
        seen.add("C-GET")
    return seen


EVERY = {"QIDO", "WADO", "metadata", "rendered", "C-FIND", "C-GET"}


def decide(server, session, sample, ask):
    answer = session.post(
        f"{server.http}/ops/quarantine/{sample.study}/{ask}", data={"reason": "as told"}, timeout=30)
    equal(answer.status_code, 200, f"{ask}, {answer.text[:200]}")


def check_rejection(report, server, session, files, folder):
    sample = ct(files, "iocm")
    if not check_dicom.send_by_c_store(report, server, [sample]):
        return

    def store_note(code, meaning, title="CLIENTS", status="0000"):
        note = rejection(sample, code, meaning)
        association = check_dicom.associate(
            server, [build_context(KeyObjectSelectionDocumentStorage, ExplicitVRLittleEndian)], title)
        try:
            equal(f"{association.send_c_store(note).get('Status', 0xFFFF):04X}", status, "C-STORE status")
        finally:
            association.release()

    def without_role():
        # As many peers are: they may store, and nobody said that they may delete.
        server.add_ae("STORESONLY", may="echo,store")
        store_note("113001", "Rejected for Quality Reasons", "STORESONLY", "0124")
        equal(doors(server, session, sample), EVERY, "doors after")

    report.check("iocm", "a note of an AE that may store and not reject is refused", without_role, NOTE)

    def by_note():
        equal(doors(server, session, sample), EVERY, "doors before")
        store_note("113037", "Rejected for Patient Safety Reasons")
        equal(doors(server, session, sample), set(), "doors after")
        check_dicom.send_by_c_store(report, server, [sample])
        equal(doors(server, session, sample), set(), "doors after it was sent again")
        decide(server, session, sample, "undo")
        equal(doors(server, session, sample), EVERY, "doors after undo")

    report.check("iocm", "a rejection note by C-STORE hides from every door, until it is undone", by_note, NOTE)

    def by_method():
        url = f"{server.dicomweb}/studies/{sample.study}"
        equal(session.delete(url, timeout=30).status_code, 400, "without a code")
        equal(session.delete(url + "?code=113039", timeout=30).status_code, 204, "status")
        equal(doors(server, session, sample), set(), "doors after")
        equal(session.delete(url + "?code=113039", timeout=30).status_code, 404, "a second time")
        check_dicom.send_by_c_store(report, server, [sample])
        equal(doors(server, session, sample), EVERY, "doors after it was sent again")

    def without_right():
        storer = BackendClient(server, "storer", "ES384", "system/ImagingStudy.c", folder).session()
        file = io.BytesIO()
        rejection(sample, "113001", "Rejected for Quality Reasons").save_as(file, enforce_file_format=True)
        kind, body = multipart("application/dicom", [("application/dicom", None, file.getvalue())])
        answer = storer.post(
            server.dicomweb + "/studies", data=body, timeout=30,
            headers={"Content-Type": kind, "Accept": "application/dicom+json"})
        equal(answer.status_code, 409, "status")
        equal(failure_reasons(answer), [0x0124], "failure reasons")
        equal(doors(server, session, sample), EVERY, "doors after")

    report.check("iocm", "a note of who may create and not delete is refused", without_right, NOTE)

    report.check("iocm", "DELETE for the end of retention hides, and what is sent again is new", by_method, NOTE)


def check(report, server, backend, files, folder):
    session = backend.session()
    check_tools(report)
    check_metadata(report, server, session, files, folder)
    check_document(report, server, session, folder)
    check_rejection(report, server, session, files, folder)

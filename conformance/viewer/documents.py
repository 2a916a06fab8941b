"""What the viewer shows beside plain series: key images, a structured report, panes by modality; and an EHR's launch into a
study."""

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    BasicTextSRStorage, DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, KeyObjectSelectionDocumentStorage,
    generate_uid)

from report import equal, expect

FINDING = "A nodule of 8 mm <img src=x onerror=alert(1)>"
DAY, VIEWS_DAY = "20230131", "20220131"


def code(value, scheme, meaning):
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return Sequence([item])


def document(image, series, number, modality, sop_class, title, content):
    """A document about an image of the same study: a container with the content items. PS3.3 §C.17."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = sop_class
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = series + ".1"
    for keyword in ("StudyInstanceUID", "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate",
                    "StudyTime", "StudyID", "AccessionNumber", "StudyDescription"):
        setattr(data, keyword, image[keyword].value)
    data.SeriesInstanceUID, data.Modality, data.SeriesNumber, data.InstanceNumber = series, modality, number, 1
    data.SeriesDescription = title[0].CodeMeaning
    data.ContentDate, data.ContentTime = data.StudyDate, data.StudyTime
    data.ValueType, data.ContinuityOfContent, data.ConceptNameCodeSequence = "CONTAINER", "SEPARATE", title
    data.ContentSequence = Sequence(content)
    return data


def objects(phantom):
    """A study of six images, a selection of two of them and a report; and one of two views of digital X-ray."""
    study = generate_uid()[:44].rstrip(".")
    images = [phantom(study, study + ".1", number) for number in range(1, 7)]
    for image in images:
        image.StudyDate, image.StudyDescription, image.SeriesDescription = DAY, "With documents", "Six"
    marks = []
    for image in (images[1], images[4]):
        reference, mark = Dataset(), Dataset()
        reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
        mark.RelationshipType, mark.ValueType, mark.ReferencedSOPSequence = "CONTAINS", "IMAGE", Sequence([reference])
        marks.append(mark)
    words = Dataset()
    words.RelationshipType, words.ValueType, words.TextValue = "CONTAINS", "TEXT", FINDING
    words.ConceptNameCodeSequence = code("121071", "DCM", "Finding")
    views = generate_uid()[:44].rstrip(".")
    films = [phantom(views, f"{views}.{series}", 1) for series in (1, 2)]
    for film in films:
        film.StudyDate, film.StudyDescription, film.Modality = VIEWS_DAY, "Two views", "DX"
        film.SOPClassUID = film.file_meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    return study, images + films + [
        document(images[0], study + ".8", 90, "KO", KeyObjectSelectionDocumentStorage,
                 code("113000", "DCM", "Of Interest"), marks),
        document(images[0], study + ".9", 91, "SR", BasicTextSRStorage,
                 code("18748-4", "LN", "Diagnostic imaging report"), [words])]


def checks(driver, server, page, backend, patient, study, study_button):
    """(name, work, clause) of each; `study` is that of ``objects``."""

    def with_documents():
        page.open(server.http + "/viewer", "of 48")
        study_button("With documents").click()
        page.shows("Six, image 1 of 6")

    def series(words):
        page.wait(lambda: next((one for one in page.all("#series button") if words in one.text), None),
                  f"the series {words!r}").click()

    def key_images():
        with_documents()
        series("Of Interest")
        page.shows("Key images, image 1 of 2")
        page.shot("12-key-images")

    def report():
        with_documents()
        series("Diagnostic imaging report")
        page.reads("#report-text", FINDING)
        equal(len(page.all("#report-text *")), 0, "elements of what a report says")
        page.shot("12-structured-report")

    def views():
        page.open(server.http + "/viewer", "of 48")
        study_button("Two views").click()
        page.panes(2)
        for pane in (0, 1):
            page.shows("image 1 of 1", pane=pane)
        page.shot("12-two-views")

    def launched():
        """An EHR names the study: it is open at once, though it is not the newest."""
        session = backend.session()
        found = session.get(f"{server.fhir}/ImagingStudy", params={"identifier": f"urn:dicom:uid|urn:oid:{study}"}, timeout=60)
        reference = f"ImagingStudy/{found.json()['entry'][0]['resource']['id']}"
        made = session.post(server.http + "/ops/launches", timeout=60, json={
            "client_id": "hilum-viewer", "patient": patient, "fhirContext": [{"reference": reference}]})
        equal(made.status_code, 201, made.text[:300])
        page.open(made.json()["url"], "Six, image 1 of 6")
        expect("launch=" not in driver.current_url, "the handle is left in the address")

    return [
        ("key images by their selection", key_images, "PS3.3 §A.35.4"),
        ("a structured report as text", report, "PS3.3 §A.35.1"), ("two panes for views of one kind", views, ""),
        ("an EHR opens the study that it names", launched, "SMART 2.2 app-launch"),
    ]

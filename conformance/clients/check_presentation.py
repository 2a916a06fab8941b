"""WADO-RS rendered of presentation states and key object selections: grey and turning against DCMTK's dcmp2pgm, within
two grey levels; areas, shutters and graphics, which that tool does not draw, against what their numbers say."""

import io
import pathlib
import subprocess
import tempfile

import numpy
import pydicom
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

import small_images
from dicom_files import uid_for
from report import equal, expect

STATE = "1.2.840.10008.5.1.4.1.1.11.1"
SELECTION = "1.2.840.10008.5.1.4.1.1.88.59"
CLAUSE = "PS3.4 §N.2, PS3.18 §8.7.2"
# DCMTK cuts fractions off where Hilum rounds, at two places.
LEVELS = 2
ROWS, COLUMNS = 48, 64


def image(name, signed):
    """A ramp of 8 bits, or of 12 signed ones."""
    it = small_images.image(1, uid_for("presentation", "study"), uid_for("presentation", "series"), "PRES1", "State^Of")
    it.SOPInstanceUID = it.file_meta.MediaStorageSOPInstanceUID = uid_for("presentation", name)
    it.Rows, it.Columns = ROWS, COLUMNS
    if signed:
        it.BitsStored, it.HighBit, it.PixelRepresentation = 12, 11, 1
        values = (numpy.arange(ROWS * COLUMNS) * 4_095 // (ROWS * COLUMNS - 1) - 2_048).astype("<i2")
    else:
        it.BitsAllocated, it.BitsStored, it.HighBit = 8, 8, 7
        values = (numpy.arange(ROWS * COLUMNS) * 7 % 256).astype("u1")
    it.PixelData = values.tobytes()
    return it, values.reshape(ROWS, COLUMNS)


def refer(it, frames=None):
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = it.SOPClassUID, it.SOPInstanceUID
    if frames:
        item.ReferencedFrameNumber = frames
    return item


def beside(it, name, sop_class, modality):
    """An object without pixels in the study of an image."""
    other = Dataset()
    other.file_meta = pydicom.dataset.FileMetaDataset()
    other.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    other.SOPClassUID = other.file_meta.MediaStorageSOPClassUID = sop_class
    other.SOPInstanceUID = other.file_meta.MediaStorageSOPInstanceUID = uid_for("presentation", name)
    other.StudyInstanceUID, other.SeriesInstanceUID = it.StudyInstanceUID, uid_for("presentation", name, "series")
    other.Modality, other.PatientID, other.PatientName = modality, it.PatientID, it.PatientName
    other.PatientBirthDate = other.PatientSex = other.StudyID = other.StudyDate = other.StudyTime = ""
    other.AccessionNumber = other.Manufacturer = other.ReferringPhysicianName = ""
    other.SeriesNumber = other.InstanceNumber = 1
    return other


def state(it, name, **attributes):
    """A state of one image, shown whole; `attributes` are more of it."""
    other = beside(it, name, STATE, "PR")
    series = Dataset()
    series.ReferencedImageSequence, series.SeriesInstanceUID = [refer(it)], it.SeriesInstanceUID
    other.ReferencedSeriesSequence = [series]
    area = Dataset()
    area.DisplayedAreaTopLeftHandCorner, area.DisplayedAreaBottomRightHandCorner = [1, 1], [COLUMNS, ROWS]
    area.PresentationSizeMode, area.PresentationPixelAspectRatio = "SCALE TO FIT", [1, 1]
    other.DisplayedAreaSelectionSequence = [area]
    other.ContentLabel, other.ContentDescription, other.ContentCreatorName = "TEST", "", ""
    other.PresentationCreationDate, other.PresentationCreationTime = "20260102", "081500"
    other.PresentationLUTShape = "IDENTITY"
    for key, value in attributes.items():
        setattr(other, key, value)
    return other


def window(center, width):
    item = Dataset()
    item.WindowCenter, item.WindowWidth = center, width
    return [item]


def table(first, bits, entries):
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [len(entries), first & 0xFFFF, bits])
    item.add_new("LUTData", "OW", numpy.array(entries, "<u2").tobytes())
    return item


def grey_states(plain, signed):
    """(name, image, attributes) of what dcmp2pgm applies."""
    lut = Dataset()
    lut.VOILUTSequence = [table(0, 8, [min(255, value * value // 255) for value in range(256)])]
    return [
        ("identity", plain, {}),
        ("inverse", plain, {"PresentationLUTShape": "INVERSE"}),
        ("window", plain, {"SoftcopyVOILUTSequence": window("100", "80")}),
        ("voi-lut", plain, {"SoftcopyVOILUTSequence": [lut]}),
        ("rescale", signed, {"RescaleSlope": "2", "RescaleIntercept": "-100", "RescaleType": "US",
                             "SoftcopyVOILUTSequence": window("40", "1500")}),
        ("signed-as-it-is", signed, {}),
        ("turned", plain, {"ImageRotation": 90, "ImageHorizontalFlip": "Y"}),
        ("half", plain, {"ImageRotation": 180, "ImageHorizontalFlip": "N"}),
        ("three-quarters", plain, {"ImageRotation": 270, "ImageHorizontalFlip": "N"}),
    ]


def pgm(folder, it, by):
    """What dcmp2pgm makes of an image under a state."""
    paths = []
    for name, each in (("image", it), ("state", by)):
        path = folder / f"{name}.dcm"
        path.write_bytes(small_images.part10(each))
        paths.append(path)
    out = folder / "out.pgm"
    subprocess.run(["dcmp2pgm", "-p", paths[1], paths[0], out], check=True, capture_output=True, timeout=60)
    return numpy.asarray(Image.open(out)).astype(int)


def parts_of(answer):
    """Head and body of each part."""
    boundary = answer.headers["Content-Type"].split("boundary=")[1].strip('"').encode()
    for part in answer.content.split(b"--" + boundary)[1:-1]:
        head, _, body = part.partition(b"\r\n\r\n")
        yield head, body[:-2]


def check(report, server, backend):
    session = backend.session()
    plain, values = image("plain", False)
    signed, _ = image("signed", True)

    def store(it):
        part = b"--part\r\nContent-Type: application/dicom\r\n\r\n" + small_images.part10(it) + b"\r\n--part--\r\n"
        kind = 'multipart/related; type="application/dicom"; boundary=part'
        answer = session.post(server.dicomweb + "/studies", data=part, timeout=60,
                              headers={"Content-Type": kind, "Accept": "application/dicom+json"})
        expect(answer.status_code == 200, f"stored with {answer.status_code}: {answer.text[:200]}")

    for it in (plain, signed):
        store(it)

    def rendered(it, accept="image/png", **parameters):
        path = f"/studies/{it.StudyInstanceUID}/series/{it.SeriesInstanceUID}/instances/{it.SOPInstanceUID}/rendered"
        return session.get(server.dicomweb + path, params=parameters, headers={"Accept": accept}, timeout=60)

    def pixels(it, **parameters):
        answer = rendered(it, **parameters)
        equal(answer.status_code, 200, f"status ({answer.text[:200] if answer.status_code != 200 else ''})")
        return numpy.asarray(Image.open(io.BytesIO(answer.content))).astype(int)

    def stored(it):
        store(it)
        return it

    def compare(name, it, attributes):
        by = stored(state(it, name, **attributes))
        with tempfile.TemporaryDirectory() as folder:
            right = pgm(pathlib.Path(folder), it, by)
        left = pixels(by)
        equal(left.shape, right.shape, "rows and columns")
        worst = int(numpy.abs(left - right).max())
        expect(worst <= LEVELS, f"{worst} grey levels")
        return f"within {worst}"

    for name, it, attributes in grey_states(plain, signed):
        # within two grey levels
        report.check("presentation", f"{name} as dcmp2pgm shows it",
                     lambda name=name, it=it, attributes=attributes: compare(name, it, attributes), CLAUSE)

    def area():
        by = state(plain, "area")
        by.DisplayedAreaSelectionSequence[0].DisplayedAreaTopLeftHandCorner = [-1, 5]
        by.DisplayedAreaSelectionSequence[0].DisplayedAreaBottomRightHandCorner = [20, 14]
        right = numpy.zeros((10, 22), int)
        right[:, 2:] = values[4:14, :20]
        expect(numpy.array_equal(pixels(stored(by)), right), "not the area")

    def shutter():
        by = state(plain, "shutter", ShutterShape="RECTANGULAR", ShutterPresentationValue=0x8000,
                   ShutterLeftVerticalEdge=11, ShutterRightVerticalEdge=20, ShutterUpperHorizontalEdge=6,
                   ShutterLowerHorizontalEdge=9)
        right = numpy.full((ROWS, COLUMNS), 128)
        right[5:9, 10:20] = values[5:9, 10:20]
        expect(numpy.array_equal(pixels(stored(by)), right), "not the rectangle")

    def graphics():
        line, layer, annotation = Dataset(), Dataset(), Dataset()
        line.GraphicAnnotationUnits, line.GraphicDimensions, line.NumberOfGraphicPoints = "PIXEL", 2, 2
        line.GraphicData, line.GraphicType, line.GraphicFilled = [4.5, 20.5, 40.5, 20.5], "POLYLINE", "N"
        layer.GraphicLayer, layer.GraphicLayerOrder = "LINES", 1
        layer.GraphicLayerRecommendedDisplayGrayscaleValue = 0x4000
        annotation.GraphicLayer, annotation.GraphicObjectSequence = "LINES", [line]
        by = stored(state(plain, "graphics", GraphicLayerSequence=[layer], GraphicAnnotationSequence=[annotation]))
        right = values.astype(int)
        right[20, 4:41] = 64
        expect(numpy.array_equal(pixels(by), right), "not the line")
        # Of a region the same pixels, and a smaller picture is smaller.
        expect(numpy.array_equal(pixels(by, viewport="16,16,0,16,16,16"), right[16:32, :16]), "not the region")
        equal(pixels(by, viewport="32,32").shape, (24, 32), "the viewport")

    def references():
        both = state(plain, "both")
        elsewhere = Dataset()
        elsewhere.ReferencedSOPClassUID, elsewhere.ReferencedSOPInstanceUID = plain.SOPClassUID, "1.2.3.4.5"
        both.ReferencedSeriesSequence[0].ReferencedImageSequence = [elsewhere, refer(plain), refer(signed), refer(both)]
        del both.DisplayedAreaSelectionSequence
        stored(both)
        answer = rendered(both, 'multipart/related; type="image/png"')
        equal(answer.status_code, 200, "status")
        expect("2 of the 4" in answer.headers.get("Warning", ""), "no Warning of what is not here")
        found = list(parts_of(answer))
        equal(len(found), 2, "parts")
        expect(all(str(both.SOPInstanceUID).encode() in head for head, _ in found), "Content-Location")
        alone = state(plain, "alone")
        alone.ReferencedSeriesSequence[0].ReferencedImageSequence = [elsewhere]
        equal(rendered(stored(alone)).status_code, 404, "a state of an image that is not here")
        equal(rendered(both, "text/html").status_code, 406, "a state as HTML")

    def selection():
        it = beside(plain, "selection", SELECTION, "KO")
        title, item = Dataset(), Dataset()
        title.CodeValue, title.CodingSchemeDesignator, title.CodeMeaning = "113000", "DCM", "Of Interest"
        it.ValueType, it.ConceptNameCodeSequence, it.ContinuityOfContent = "CONTAINER", [title], "SEPARATE"
        it.ContentDate, it.ContentTime = "20260102", "081500"
        item.RelationshipType, item.ValueType, item.ReferencedSOPSequence = "CONTAINS", "IMAGE", [refer(plain)]
        it.ContentSequence = [item]
        stored(it)
        expect("Of Interest" in rendered(it, "text/html").text, "the title is not in the text")
        expect(numpy.array_equal(pixels(it), values), "not the image that was selected")
        answer = rendered(it, 'multipart/related; type="image/png"')
        heads = [head for head, _ in parts_of(answer)]
        equal(len(heads), 1, "parts")
        expect(f"/instances/{plain.SOPInstanceUID}/frames/1/rendered".encode() in heads[0], "Content-Location")

    for name, work, clause in (
            ("a displayed area that reaches beyond the image", area, "PS3.3 §C.10.4"),
            ("a rectangular shutter", shutter, "PS3.3 §C.7.6.11"), ("graphics of a layer", graphics, "PS3.3 §C.10.5"),
            ("images that are there and that are not", references, "PS3.18 §8.7.2"),
            ("a key object selection", selection, "PS3.3 §A.35.4")):
        report.check("presentation", name, work, clause)

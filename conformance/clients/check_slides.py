"""A slide in tiles, read by wsidicom's web client: QIDO-RS, metadata, and frames in the transfer syntax that it prefers.
Colours grow with the place, so that every pixel tells where it lies."""

import io

import numpy
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, VLWholeSlideMicroscopyImageStorage

import check_dicom
from dicom_files import uid_for
from report import equal, expect

CLAUSE = "PS3.18 §10.4.1.1.6"
SIZE, TILE = (200, 150), 64
# (location, size) of what is read: within a tile, over several, and to the slide's edge.
REGIONS = (((5, 5), (30, 20)), ((50, 40), (100, 80)), ((128, 100), (72, 50)))
# (greatest, mean) difference of a colour.
EXACT, LOSSY = (1, 1), (16, 2)


def colours(left, top, width, height, down=1):
    """Red by column, green by row, of a level that is so many times smaller than the slide."""
    y, x = numpy.mgrid[top:top + height, left:left + width]
    columns, rows = SIZE[0] // down, SIZE[1] // down
    return numpy.stack([255 * x / columns, 255 * y / rows, numpy.full(x.shape, 128.0)], axis=-1).clip(0, 255)


def code(value, scheme, meaning):
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def level(study, series, number, down, syntax):
    """One level of the pyramid. PS3.3 §A.32.8."""
    columns, rows = SIZE[0] // down, SIZE[1] // down
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = VLWholeSlideMicroscopyImageStorage
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = uid_for(series, str(number))
    data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = study, series, uid_for(study, "frame")
    data.PatientName, data.PatientID = "Slide^Seen", "SLIDE1"
    data.StudyDate, data.StudyTime, data.AcquisitionDateTime = "20240131", "101500", "20240131101500"
    data.Modality, data.SeriesNumber, data.InstanceNumber = "SM", 1, number
    data.ImageType = ["ORIGINAL" if down == 1 else "DERIVED", "PRIMARY", "VOLUME", "NONE" if down == 1 else "RESAMPLED"]
    data.DimensionOrganizationType, data.VolumetricProperties = "TILED_FULL", "VOLUME"
    data.TotalPixelMatrixColumns, data.TotalPixelMatrixRows, data.TotalPixelMatrixFocalPlanes = columns, rows, 1
    data.ImagedVolumeWidth, data.ImagedVolumeHeight, data.ImagedVolumeDepth = SIZE[0] / 1000, SIZE[1] / 1000, 0.001
    data.FocusMethod, data.ExtendedDepthOfField = "AUTO", "NO"
    data.BurnedInAnnotation, data.SpecimenLabelInImage, data.ContainerIdentifier = "NO", "NO", "S-1"
    origin = Dataset()
    origin.XOffsetInSlideCoordinateSystem, origin.YOffsetInSlideCoordinateSystem = 0, 0
    data.ImageOrientationSlide, data.TotalPixelMatrixOriginSequence = [0, 1, 0, 1, 0, 0], Sequence([origin])
    path = Dataset()
    path.OpticalPathIdentifier = "1"
    path.IlluminationTypeCodeSequence = Sequence([code("111744", "DCM", "Brightfield illumination")])
    path.IlluminationColorCodeSequence = Sequence([code("371251000", "SCT", "White color")])
    data.NumberOfOpticalPaths, data.OpticalPathSequence = 1, Sequence([path])
    measures, shared = Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [0.001 * down] * 2, 0.001
    shared.PixelMeasuresSequence = Sequence([measures])
    data.SharedFunctionalGroupsSequence = Sequence([shared])
    data.SamplesPerPixel, data.PlanarConfiguration = 3, 0
    data.PhotometricInterpretation = "YBR_FULL_422" if syntax == JPEGBaseline8Bit else "YBR_RCT"
    data.Rows = data.Columns = TILE
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelRepresentation = 7, 0
    tiles = [colours(left, top, TILE, TILE, down).astype("u1")
             for top in range(0, rows, TILE) for left in range(0, columns, TILE)]
    data.NumberOfFrames = len(tiles)
    if syntax == JPEGBaseline8Bit:
        data.LossyImageCompression = "01"
        data.PixelData = encapsulate([jpeg(tile) for tile in tiles])
    else:
        data.LossyImageCompression = "00"
        data.PixelData = encapsulate([jpeg_2000(tile) for tile in tiles])
    data["PixelData"].VR = "OB"
    return data


def jpeg(tile):
    out = io.BytesIO()
    Image.fromarray(tile).save(out, "JPEG", quality=95)
    return out.getvalue()


def jpeg_2000(tile):
    out = io.BytesIO()
    Image.fromarray(tile).save(out, "JPEG2000", no_jp2=True, irreversible=False)
    return out.getvalue()


def stored(data):
    """As a file, read again: what is sent is what a file has."""
    out = io.BytesIO()
    data.save_as(out, enforce_file_format=True)
    return pydicom.dcmread(io.BytesIO(out.getvalue()))


def check(report, server, backend):
    client = check_dicom.web_client(server, backend)
    # The client asks for the stored transfer syntax alone, which the answer to its search names, and reads tiles without
    # compression in none.
    for name, syntax, within in (
            ("a slide in JPEG", JPEGBaseline8Bit, LOSSY), ("a slide in JPEG 2000", JPEG2000Lossless, EXACT)):
        study, series = uid_for("slides", name, "study"), uid_for("slides", name, "series")

        def read(study=study, series=series, syntax=syntax, within=within):
            from wsidicom import WsiDicom
            from wsidicom.web.wsidicom_web_client import WsiDicomWebClient

            answer = client.store_instances([stored(level(study, series, 1, 1, syntax)),
                                             stored(level(study, series, 2, 2, syntax))])
            expect(not answer.get("FailedSOPSequence"), f"failed: {answer.get('FailedSOPSequence')}")
            with WsiDicom.open_web(WsiDicomWebClient(client), study, series) as slide:
                sizes = [(each.size.width, each.size.height) for each in slide.levels]
                equal(sizes, [SIZE, (SIZE[0] // 2, SIZE[1] // 2)], "levels")
                most = 0
                for place, size in REGIONS:
                    found = numpy.asarray(slide.read_region(place, 0, size))[:, :, :3].astype(float)
                    difference = numpy.abs(found - colours(*place, *size))
                    most = max(most, difference.max())
                    expect(difference.max() <= within[0] and difference.mean() <= within[1],
                           f"{place}: {difference.max():.1f} at most, {difference.mean():.2f} in the mean")
                half = numpy.asarray(slide.read_region((10, 10), 1, (60, 50)))[:, :, :3].astype(float)
                expect(numpy.abs(half - colours(10, 10, 60, 50, 2)).max() <= within[0], "the second level")
            return f"colours within {most:.1f}"

        report.check("slides", f"{name}, by wsidicom's web client", read, CLAUSE)

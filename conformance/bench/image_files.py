"""Images for bench/images.py: pictures of bodies and noise that compress about as those of patients do, and one object of
any length."""

import io
import struct

import numpy
import pydicom
from pydicom.uid import (
    ComputedRadiographyImageStorage, CTImageStorage, ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage, generate_uid)

# Whose codecs pydicom writes them with; one other than the codecs of the servers that are measured.
ENCODERS = {JPEGLSLossless: "pyjpegls", JPEG2000Lossless: "pylibjpeg"}


class Image:
    """Where an image is found, its Part 10 file, and its values as they are without compression."""

    def __init__(self, data_set, pixels):
        self.study, self.series = str(data_set.StudyInstanceUID), str(data_set.SeriesInstanceUID)
        self.instance = str(data_set.SOPInstanceUID)
        self.rows, self.columns = data_set.Rows, data_set.Columns
        self.pixels = pixels
        out = io.BytesIO()
        data_set.save_as(out, enforce_file_format=True)
        self.file = out.getvalue()

    @property
    def path(self):
        return f"/studies/{self.study}/series/{self.series}/instances/{self.instance}"


def head(study, series, number, sop_class, modality, rows, columns):
    """The attributes of an image of 12 bits, without its pixels."""
    it = pydicom.Dataset()
    it.file_meta = pydicom.dataset.FileMetaDataset()
    it.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    it.SOPClassUID = it.file_meta.MediaStorageSOPClassUID = sop_class
    it.SOPInstanceUID = it.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    it.StudyInstanceUID, it.SeriesInstanceUID = study, series
    it.PatientID, it.PatientName, it.PatientBirthDate, it.PatientSex = "IMAGES1", "IMAGES^ONE", "19700101", "O"
    it.StudyDate, it.StudyTime, it.StudyID, it.AccessionNumber = "20260102", "0800", "1", ""
    it.Modality, it.SeriesNumber, it.InstanceNumber = modality, 1, number
    it.SamplesPerPixel, it.PhotometricInterpretation = 1, "MONOCHROME2"
    it.Rows, it.Columns = rows, columns
    it.BitsAllocated, it.BitsStored, it.HighBit, it.PixelRepresentation = 16, 12, 11, 0
    return it


def body(rows, columns, number, random):
    """Values of 12 bits: an oval with an inner structure that changes from image to image, air around it, and noise."""
    down, across = numpy.mgrid[0:rows, 0:columns].astype(numpy.float32)
    down, across = down / rows * 2 - 1, across / columns * 2 - 1
    distance = (down / 0.7) ** 2 + (across / 0.85) ** 2
    values = numpy.where(distance < 1, 1060 + 180 * numpy.sin(9 * down + number / 9) * numpy.cos(7 * across), 24)
    values[(down - 0.2) ** 2 + (across + 0.1) ** 2 < 0.02] = 2300
    values += random.normal(0, 9, values.shape)
    return numpy.clip(values, 0, 4095).astype("<u2")


def series(count, kind="CT", syntax=ExplicitVRLittleEndian):
    """A study of one series, of CT (512 x 512) or of CR (2500 x 2048)."""
    rows, columns, sop_class, window = {
        "CT": (512, 512, CTImageStorage, (40, 400)), "CR": (2500, 2048, ComputedRadiographyImageStorage, (2048, 4096))}[kind]
    random = numpy.random.default_rng(7)
    study, uid, images = generate_uid(), generate_uid(), []
    for number in range(1, count + 1):
        image = head(study, uid, number, sop_class, kind, rows, columns)
        if kind == "CT":
            image.RescaleIntercept, image.RescaleSlope = -1024, 1
            image.PixelSpacing = [0.8, 0.8]
            image.ImagePositionPatient, image.ImageOrientationPatient = [0, 0, number], [1, 0, 0, 0, 1, 0]
        image.WindowCenter, image.WindowWidth = window
        pixels = body(rows, columns, number, random).tobytes()
        image.PixelData = pixels
        image["PixelData"].VR = "OW"
        if syntax != ExplicitVRLittleEndian:
            image.compress(syntax, encoding_plugin=ENCODERS[syntax], generate_instance_uid=False)
        images.append(Image(image, pixels))
    return images


def large(path, wanted):
    """Writes a multi-frame image of about so many bytes; gives its path below DICOMweb and its length."""
    side, frames = 512, max(1, wanted // (512 * 512 * 2))
    image = head(generate_uid(), generate_uid(), 1, MultiFrameGrayscaleWordSecondaryCaptureImageStorage, "OT", side, side)
    image.NumberOfFrames = frames
    with open(path, "wb") as file:
        image.save_as(file, enforce_file_format=True)
        file.seek(0, io.SEEK_END)
        file.write(struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OW", 0, frames * side * side * 2))
        frame = body(side, side, 1, numpy.random.default_rng(7)).tobytes()
        for _ in range(frames):
            file.write(frame)
    where = f"/studies/{image.StudyInstanceUID}/series/{image.SeriesInstanceUID}/instances/{image.SOPInstanceUID}"
    return where, path.stat().st_size

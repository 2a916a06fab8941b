"""Studies of tiny images that are made here, for checks that need many or known ones."""

import io

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid


def image(number, study, series, patient, name, date="20260102", time="081500", sop_class=CTImageStorage,
          modality="CT", description="", accession="", syntax=ExplicitVRLittleEndian):
    """One image of 2 x 2 pixels of 16 bit."""
    it = Dataset()
    it.SpecificCharacterSet = "ISO_IR 100"
    it.SOPClassUID, it.SOPInstanceUID = sop_class, generate_uid()
    it.StudyDate, it.StudyTime, it.AccessionNumber = date, time, accession
    it.Modality = modality
    it.StudyDescription = description
    it.PatientName, it.PatientID, it.PatientBirthDate, it.PatientSex = name, patient, "19700101", "O"
    it.StudyInstanceUID, it.SeriesInstanceUID, it.StudyID = study, series, "S1"
    it.SeriesNumber, it.InstanceNumber = 1, number
    it.SamplesPerPixel, it.PhotometricInterpretation = 1, "MONOCHROME2"
    it.Rows = it.Columns = 2
    it.BitsAllocated, it.BitsStored, it.HighBit, it.PixelRepresentation = 16, 16, 15, 0
    it.PixelData = bytes(range(8))
    it.file_meta = FileMetaDataset()
    it.file_meta.TransferSyntaxUID = syntax
    it.file_meta.MediaStorageSOPClassUID = sop_class
    it.file_meta.MediaStorageSOPInstanceUID = it.SOPInstanceUID
    return it


def study(patient, name, count=4, **values):
    """`count` CT images in one series, and one secondary capture in a second one."""
    uid, series, other = generate_uid(), generate_uid(), generate_uid()
    images = [image(number, uid, series, patient, name, **values) for number in range(1, count + 1)]
    values.pop("modality", None)
    return images + [image(1, uid, other, patient, name, sop_class=SecondaryCaptureImageStorage, modality="OT", **values)]


def part10(data_set):
    out = io.BytesIO()
    data_set.save_as(out, enforce_file_format=True)
    return out.getvalue()


def write(folder, images):
    """As files; gives their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, each in enumerate(images):
        path = folder / f"{number:04d}.dcm"
        path.write_bytes(part10(each))
        paths.append(path)
    return paths


def read(path):
    return pydicom.dcmread(path)

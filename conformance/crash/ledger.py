"""The outside ledger: what was sent, what was acknowledged, each line on disk before the next step.

An item's content follows from its id alone, so the journal holds ids only: `{"intent": id}` before the send and
`{"ack": id, ...}` after the acknowledgement. A crash of the server never touches it.
"""

import hashlib
import io
import json
import os
import pathlib
import random
import sys

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, UID

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients"))

import check_mpps  # noqa: E402

CT = UID("1.2.840.10008.5.1.4.1.1.2")


class Journal:
    def __init__(self, path):
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def write(self, **row):
        os.write(self.file, (json.dumps(row) + "\n").encode())
        os.fsync(self.file)


def read_journal(path):
    """(ids in order, acknowledged id to its row)"""
    intents, acks = [], {}
    if path.exists():
        for line in path.read_text().splitlines():
            row = json.loads(line)
            if "intent" in row:
                intents.append(row["intent"])
            else:
                acks[row["ack"]] = row
    return intents, acks


def uid(*words):
    return UID(f"2.25.{int.from_bytes(hashlib.sha256('|'.join(words).encode()).digest()[:16], 'big')}")


def instance(item):
    """A CT slice of 8 to 528 KB: explicit little endian, its pixels pseudo-random from the id."""
    rng = random.Random(item)
    side = rng.choice([64, 128, 256, 512])
    series = item.rsplit("-", 1)[0]
    data = Dataset()
    data.SOPClassUID = CT
    data.SOPInstanceUID = uid(item)
    data.StudyInstanceUID = uid("study", series)
    data.SeriesInstanceUID = uid("series", series)
    data.StudyDate, data.StudyTime, data.AccessionNumber = "20260101", "120000", ""
    data.Modality = "CT"
    data.PatientName, data.PatientID, data.PatientBirthDate, data.PatientSex = "Ledger^Lea", f"L{series}", "19700101", "F"
    data.ReferringPhysicianName = data.StudyID = ""
    data.SeriesNumber, data.InstanceNumber = 1, int(item.rsplit("-", 1)[1])
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows = data.Columns = side
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 0
    data.PixelData = rng.randbytes(side * side * 2)
    data["PixelData"].VR = "OW"
    return data


def part10(data):
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    out = io.BytesIO()
    pydicom.dcmwrite(out, data, enforce_file_format=True)
    return out.getvalue()


def after_meta(file):
    """The data set's bytes of a Part 10 file."""
    length = int.from_bytes(file[140:144], "little")  # the value of (0002,0000)
    return file[144 + length:]


def digest(data):
    return hashlib.sha256(data).hexdigest()


def transaction(item):
    """A patient with two observations, in an order that no store would choose."""
    rng = random.Random(item)

    def entry(name, resource):
        return {"fullUrl": f"urn:ledger:{name}", "resource": resource,
                "request": {"method": "POST", "url": resource["resourceType"]}}

    def part(name):
        return entry(name, {
            "resourceType": "Observation", "status": "final", "subject": {"reference": "urn:ledger:patient"},
            "identifier": [{"system": "urn:hilum:ledger", "value": f"{item}-{name}"}],
            "code": {"text": item}, "valueString": rng.randbytes(rng.randrange(8, 900)).hex()})

    return {"resourceType": "Bundle", "type": "transaction", "entry": [
        part("one"),
        entry("patient", {"resourceType": "Patient", "identifier": [{"system": "urn:hilum:ledger", "value": item}],
                          "name": [{"family": "Ledger"}]}),
        part("two")]}


def step(item):
    """A performed procedure step that nobody scheduled, of a patient of its own."""
    data = check_mpps.begun(uid("study of step", item), station="LEDGER")
    data.PatientName, data.PatientID, data.PatientBirthDate, data.PatientSex = "Ledger^Lea", item, "", ""
    return data


def observation(item):
    rng = random.Random(item)
    return {
        "resourceType": "Observation", "status": "final",
        "identifier": [{"system": "urn:hilum:ledger", "value": item}],
        "code": {"coding": [{"system": "urn:hilum:ledger", "code": "item"}], "text": item},
        "valueString": rng.randbytes(rng.randrange(8, 900)).hex(),
        "extension": [{"url": "http://example.org/ledger", "valueString": item}],
    }

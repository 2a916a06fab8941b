"""pydicom's own test files: which are valid Part 10, and copies of them under new UIDs."""

import hashlib
import io
import pathlib
import warnings

import pydicom
from pydicom.uid import UID, MediaStorageDirectoryStorage

warnings.filterwarnings("ignore", module="pydicom")


# An explicit UN stays UN: what pydicom knows of private elements is not in the file.
pydicom.config.replace_un_with_known_vr = False

# Files that pydicom reads with a warning and that are broken all the same.
BROKEN = {"rtplan_truncated.dcm": "the data set ends inside an element (PS3.5 §7.1)"}


class Sample:
    """A prepared Part 10 file: `data` are its bytes, `name` says where it comes from."""

    def __init__(self, name, data):
        self.name = name
        self.data = data
        self.data_set = pydicom.dcmread(io.BytesIO(data))
        meta = self.data_set.file_meta
        self.transfer_syntax = meta.TransferSyntaxUID
        self.sop_class = meta.MediaStorageSOPClassUID
        self.sop_instance = meta.MediaStorageSOPInstanceUID
        self.study = str(self.data_set.StudyInstanceUID)
        self.series = str(self.data_set.SeriesInstanceUID)
        self.data_set.decode()


def uid_for(*words):
    """A UID that is the same in every run: 2.25 and 128 bits of a hash."""
    digest = hashlib.sha256("|".join(words).encode()).digest()[:16]
    return UID(f"2.25.{int.from_bytes(digest, 'big')}")


def test_files():
    """(samples' paths, refused) of pydicom's package: refused holds the name and the reason of each."""
    base = pathlib.Path(pydicom.__file__).parent / "data"
    valid, refused = [], []
    for path in sorted(p for p in base.rglob("*") if p.is_file()):
        with open(path, "rb") as file:
            if file.read(132)[128:] != b"DICM":
                continue
        name = str(path.relative_to(base))
        reason = why_invalid(path)
        if reason:
            refused.append((name, reason))
        else:
            valid.append((name, path))
    return valid, refused


def why_invalid(path):
    if path.name in BROKEN:
        return BROKEN[path.name]
    try:
        data_set = pydicom.dcmread(path)
        meta = data_set.file_meta
        for keyword in ("MediaStorageSOPClassUID", "MediaStorageSOPInstanceUID", "TransferSyntaxUID"):
            if not getattr(meta, keyword, None):
                return f"file meta information without {keyword} (PS3.10 §7.1)"
        if meta.MediaStorageSOPClassUID == MediaStorageDirectoryStorage:
            return "a DICOMDIR is not a composite object"
        for keyword in ("SOPClassUID", "SOPInstanceUID"):
            if not data_set.get(keyword):
                return f"data set without {keyword} (PS3.3 C.12.1)"
        if data_set.SOPClassUID != meta.MediaStorageSOPClassUID:
            return "SOP class of meta information and data set differ"
        if not UID(meta.MediaStorageSOPClassUID).is_valid:
            return "SOP class UID is not a UID"
        if not meta.TransferSyntaxUID.is_transfer_syntax:
            return f"not a transfer syntax: {meta.TransferSyntaxUID}"
        if data_set.is_implicit_VR != meta.TransferSyntaxUID.is_implicit_VR:
            return "the data set is not in the transfer syntax that the meta information names"
        data_set.decode()
        for _ in data_set.iterall():
            pass
        relabelled(str(path), path, "trial")
    except Exception as error:  # pydicom raises many kinds; each makes the file unfit as a reference
        return f"pydicom itself cannot read and write it: {type(error).__name__}: {str(error).splitlines()[0][:90]}"
    return None


def relabelled(name, path, door):
    """A copy under UIDs of its own, so that the same file can enter by several doors; nothing else is changed."""
    data_set = pydicom.dcmread(path)
    data_set.SOPInstanceUID = uid_for(door, name, "instance")
    data_set.SeriesInstanceUID = uid_for(door, name, "series")
    data_set.StudyInstanceUID = uid_for(door, name, "study")
    data_set.file_meta.MediaStorageSOPInstanceUID = data_set.SOPInstanceUID
    out = io.BytesIO()
    data_set.save_as(out, enforce_file_format=True)
    return Sample(name, out.getvalue())

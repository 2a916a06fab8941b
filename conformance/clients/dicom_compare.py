"""Element-by-element comparison of data sets: after retrieval of the instance, and of its DICOM JSON metadata."""

import base64
import io
import math
import struct
import warnings

import pydicom
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag

warnings.filterwarnings("ignore", module="pydicom")

BULK = {"OB", "OD", "OF", "OL", "OV", "OW", "UN"}


def is_volatile(tag):
    """Not part of the DICOM JSON model, or recomputed by every writer: group lengths (PS3.18 F.2.2) and padding."""
    return tag.element == 0 or tag == 0xFFFCFFFC


def raw_bytes_of_data_set(part10):
    """The bytes after the file meta information."""
    stream = io.BytesIO(part10)
    stream.seek(132)
    pydicom.filereader._read_file_meta_info(stream)
    return part10[stream.tell():]


def values(element):
    value = element.value
    if value is None or value == "" or value == b"":
        return []
    if isinstance(value, (MultiValue, list, tuple)):
        return list(value)
    return [value]


def same_value(a, b, vr):
    if vr in {"FL", "FD"} or isinstance(a, float) and isinstance(b, float):
        return float(a) == float(b) or math.isnan(float(a)) and math.isnan(float(b))
    if vr == "UN" or isinstance(a, bytes):
        return bytes(a).rstrip(b"\0") == bytes(b).rstrip(b"\0")
    if vr in {"DS", "IS"}:
        return str(a).strip() == str(b).strip() or float(a) == float(b)
    return str(a).rstrip(" \0") == str(b).rstrip(" \0")


PIXEL_DATA = 0x7FE00010
WORD_BYTES = {"OW": 2, "OL": 4, "OF": 4, "OD": 8, "OV": 8}


def swapped(value, vr):
    """A value of words in the other byte order."""
    size = WORD_BYTES.get(vr, 1)
    value = bytes(value)
    return b"".join(value[i : i + size][::-1] for i in range(0, len(value), size)) if size > 1 else value


def same_vr(tag, a, b, is_encapsulated):
    # PS3.5 §A.4: encapsulated pixel data is OB; some of the files say OW, and some senders correct it on the way.
    return a == b or is_encapsulated and tag == PIXEL_DATA and {a, b} <= {"OB", "OW"}


def differences(wanted, found, path="", is_encapsulated=False, swap=False):
    """What differs between two data sets, as texts that name the element and never a patient's value.

    `swap`: the wanted one came in the other byte order, so words of binary values are turned round.
    """
    out = []
    tags = {e.tag for e in wanted if not is_volatile(e.tag)} | {e.tag for e in found if not is_volatile(e.tag)}
    for tag in sorted(tags):
        where = f"{path}{BaseTag(tag)}"
        if tag not in found:
            out.append(f"{where} lost")
            continue
        if tag not in wanted:
            out.append(f"{where} added")
            continue
        a, b = wanted[tag], found[tag]
        if not same_vr(tag, a.VR, b.VR, is_encapsulated):
            out.append(f"{where} VR {a.VR} became {b.VR}")
            continue
        if a.VR == "SQ":
            if len(a.value) != len(b.value):
                out.append(f"{where} {len(a.value)} items became {len(b.value)}")
                continue
            for index, (x, y) in enumerate(zip(a.value, b.value)):
                out += differences(x, y, f"{where}[{index}].", is_encapsulated, swap)
            continue
        xs, ys = values(a), values(b)
        if swap and a.VR in WORD_BYTES:
            xs = [swapped(x, a.VR) for x in xs]
        if len(xs) != len(ys) or not all(same_value(x, y, a.VR) for x, y in zip(xs, ys)):
            out.append(f"{where} {a.VR} value differs")
    return out


def count_elements(data_set):
    return sum(1 + sum(count_elements(item) for item in e.value) if e.VR == "SQ" else 1 for e in data_set)


# DICOM JSON, PS3.18 Annex F


def json_differences(wanted, model, path="", is_encapsulated=False, swap=False, is_implicit=False):
    """What the server's DICOM JSON of an instance has different from the data set."""
    out = []
    seen = set()
    for element in wanted:
        # JSON is UTF-8, so the character set is the server's to state (PS3.18 F.2).
        if is_volatile(element.tag) or element.tag.group == 2 or element.tag == 0x00080005:
            continue
        key = f"{element.tag:08X}"
        seen.add(key)
        where = f"{path}{key}"
        if key not in model:
            out.append(f"{where} {element.VR} lost")
            continue
        entry = model[key]
        if element.tag.is_private_creator and {entry.get("vr"), element.VR} == {"UN", "LO"}:
            continue  # PS3.5 §7.8.1: a private creator is LO, whatever the file calls it
        if is_implicit and element.tag.is_private and entry.get("vr") == "UN":
            continue  # the file does not say the VR; pydicom's private dictionary does
        if not same_vr(element.tag, entry.get("vr"), element.VR, is_encapsulated):
            out.append(f"{where} VR {element.VR} became {entry.get('vr')}")
            continue
        out += value_difference(element, entry, where, is_encapsulated, swap, is_implicit)
    for key in model:
        # Attributes of the retrieval itself may be added: Retrieve URL, Instance Availability, character set.
        if key not in seen and key not in {"00081190", "00080056", "00080005", "00083002", "00083001"} and not key.startswith("0002"):
            if not key.endswith("0000") and key != "FFFCFFFC":
                out.append(f"{path}{key} added")
    return out


def value_difference(element, entry, where, is_encapsulated, swap, is_implicit):
    vr = element.VR
    if vr == "SQ":
        items = entry.get("Value", [])
        if len(items) != len(element.value):
            return [f"{where} {len(element.value)} items became {len(items)}"]
        out = []
        for index, (item, model) in enumerate(zip(element.value, items)):
            out += json_differences(item, model, f"{where}[{index}].", is_encapsulated, swap, is_implicit)
        return out
    if vr in BULK:
        wanted = swapped(element.value or b"", vr) if swap else element.value or b""
        if "BulkDataURI" in entry:
            return []
        if "InlineBinary" in entry:
            found = base64.b64decode(entry["InlineBinary"])
            return [] if found.rstrip(b"\0") == bytes(wanted).rstrip(b"\0") else [f"{where} {vr} bytes differ"]
        return [] if len(wanted) == 0 else [f"{where} {vr} has neither BulkDataURI nor InlineBinary"]
    found = entry.get("Value", [])
    wanted = values(element)
    if "BulkDataURI" in entry:
        return []
    if len(found) != len(wanted):
        # Empty values inside and at the end of a multi-valued element are null; a single empty one has no Value.
        if [w for w in wanted if str(w) != ""] or [f for f in found if f is not None]:
            return [f"{where} {vr} {len(wanted)} values became {len(found)}"]
        return []
    for a, b in zip(wanted, found):
        if not same_json_value(vr, a, b):
            return [f"{where} {vr} value differs"]
    return []


def same_json_value(vr, wanted, found):
    if found is None:
        return str(wanted).strip() == ""
    if vr == "PN":
        groups = str(wanted).split("=")
        names = ["Alphabetic", "Ideographic", "Phonetic"]
        return all(
            (found.get(name, "")).rstrip(" ^") == (groups[i] if i < len(groups) else "").rstrip(" ^")
            for i, name in enumerate(names))
    if vr == "AT":
        return f"{int(wanted):08X}" == str(found).upper()
    if vr in {"DS", "IS", "FL", "FD", "SL", "SS", "UL", "US", "SV", "UV"}:
        try:
            a, b = float(wanted), float(found)
            if vr == "FL":  # the shortest text of a 32-bit number is not that of the same number in 64 bits
                a, b = struct.unpack("ff", struct.pack("ff", a, b))
            return a == b or math.isnan(a) and math.isnan(b)
        except (TypeError, ValueError, OverflowError):
            return str(wanted).strip() == str(found).strip()
    return str(wanted).rstrip(" \0") == str(found).rstrip(" \0") or str(wanted).strip(" \0") == str(found).strip(" \0")

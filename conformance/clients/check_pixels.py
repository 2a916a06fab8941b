"""Every frame of pydicom's, pydicom-data's and wsidicom-data's images, decoded by `hilum pixels --decode` and compared
with what pydicom decodes by pylibjpeg (libjpeg, OpenJPEG), pyjpegls and its own RLE and native readers.

Lossless syntaxes and native pixels are compared bit for bit; lossy ones within the errors of TOLERANCE. With --encode,
what Hilum encodes from each frame is decoded by the same judges. Use: check_pixels.py HILUM [--workers] [--encode]
"""

import argparse
import collections
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import convert_color_space, get_decoder
from pydicom.uid import UID

warnings.simplefilter("ignore")

LOSSLESS = {
    "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81",
    "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.5",
}
# (greatest difference of a sample, mean difference): two decoders of JPEG may differ by one in each transform; chrominance
# of fewer samples is interpolated in different ways, which shows at sharp edges only.
TOLERANCE = {"gray": (2, 0.6), "colour": (8, 0.6), "jpeg2000": (1, 0.1)}


VERBOSE = False
SECONDS = 3600  # that decoding and encoding all frames may take: minutes on a machine that does little else


def expected(data, index, syntax):
    """The values of a frame by pydicom, colour as coded."""
    decoder = get_decoder(UID(syntax))
    plugin = "pylibjpeg" if syntax.startswith("1.2.840.10008.1.2.4.") else ""
    if syntax in ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"):
        plugin = "pyjpegls"
    if syntax == "1.2.840.10008.1.2.5":
        plugin = "pydicom"
    array, about = decoder.as_array(data, index=index, raw=True, decoding_plugin=plugin)
    if "PixelData" not in data:
        return array, about
    if syntax == "1.2.840.10008.1.2.2" and array.dtype.itemsize == 4 and data["PixelData"].VR == "OW":
        # OW is words of 16 bits, whatever the cells are (PS3.5 6.2); pydicom swaps 32 bits.
        array = array >> 16 | array << 16
    stored, high = data.BitsStored, data.HighBit
    if syntax in ("1.2.840.10008.1.2.5",) or not UID(syntax).is_compressed:
        width = array.dtype.itemsize * 8
        if stored < data.BitsAllocated and array.dtype.kind in "iu":
            unsigned = array.astype(f"u{width // 8}", copy=False)
            shifted = unsigned << (width - 1 - high)
            kind = "i" if data.PixelRepresentation else "u"
            array = shifted.view(f"{kind}{width // 8}") >> (width - stored)
    return array, about


def ours(folder, fields):
    rows, columns, samples, size = (int(text) for text in fields[3:7])
    kind = "i" if fields[8] == "signed" else "u"
    raw = (folder / f"{fields[0]}-{fields[1]}.raw").read_bytes()
    shape = (rows, columns) if samples == 1 else (rows, columns, samples)
    return numpy.frombuffer(raw, f"<{kind}{size}").reshape(shape)


def compare(name, left, right, limits):
    """None, or what differs."""
    if left.shape != right.shape:
        return f"shape {left.shape} is {right.shape} by the judge"
    if left.dtype.kind == "u" and right.dtype.kind == "f":
        left = left.view(f"f{left.dtype.itemsize}")
    if limits is None:
        return None if numpy.array_equal(left, right) else f"{int((left != right).sum())} samples differ"
    difference = numpy.abs(left.astype(numpy.int64) - right.astype(numpy.int64))
    if VERBOSE:
        print(f"{name}: within {int(difference.max())}, {difference.mean():.3f} in the mean")
    if difference.max() > limits[0] or difference.mean() > limits[1]:
        return f"differs by {int(difference.max())}, {difference.mean():.2f} in the mean"
    return None


def bare_frames(folder):
    """The codestreams of wsidicom-data as files."""
    try:
        import wsidicom_data
    except ImportError:
        return []
    encoded = Path(wsidicom_data.__file__).parent / "data" / "encoded"
    names = {entry.name: uid for uid, entry in ((u, UID(u)) for u in pydicom.uid.UID_dictionary)}
    known = {name.replace(" ", "_").replace(":", ""): uid for name, uid in names.items()}
    made = []
    for path in sorted(encoded.iterdir()):
        title, colour, bits = path.stem.rsplit("-", 2)
        uid = {
            "JPEG_Baseline_(Process_1)": "1.2.840.10008.1.2.4.50",
            "JPEG_Extended_(Process_2_and_4)": "1.2.840.10008.1.2.4.51",
            "JPEG_Lossless,_Non-Hierarchical_(Process_14)": "1.2.840.10008.1.2.4.57",
        }.get(title) or known.get(title)
        data = path.read_bytes()
        if uid is None or not UID(uid).is_compressed:
            continue
        image = Dataset()
        image.file_meta = FileMetaDataset()
        image.file_meta.TransferSyntaxUID = UID(uid)
        image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
        image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID = f"1.2.3.{len(made) + 1}"
        image.Rows = image.Columns = 1024
        image.SamplesPerPixel = 1 if colour == "GRAYSCALE" else 3
        image.PhotometricInterpretation = {"GRAYSCALE": "MONOCHROME2", "RGB": "RGB", "YBR": "YBR_FULL_422"}[colour]
        if colour == "YBR":
            image.PhotometricInterpretation = "YBR_ICT" if ".4.91" in uid else "YBR_RCT" if ".4.90" in uid else "YBR_FULL"
        if "Lossless," in title and colour == "YBR":
            image.PhotometricInterpretation = "RGB"  # the same codestream as its RGB
        if image.SamplesPerPixel == 3:
            image.PlanarConfiguration = 0
        image.BitsStored = int(bits)
        image.BitsAllocated = 8 if int(bits) == 8 else 16
        image.HighBit = image.BitsStored - 1
        image.PixelRepresentation = 0
        size = frame_size(data)
        if size:
            image.Rows, image.Columns = size
        image.PixelData = encapsulate([data])
        path = folder / f"wsi{len(made)}.dcm"
        pydicom.dcmwrite(path, image, enforce_file_format=True)
        made.append(path)
    return made


def frame_size(data):
    """Rows and columns of a JPEG, JPEG-LS or JPEG 2000 codestream; None for RLE."""
    if data[:4] == b"\xff\x4f\xff\x51":
        return (int.from_bytes(data[12:16], "big"), int.from_bytes(data[8:12], "big"))
    at = 2
    while data[:2] == b"\xff\xd8" and at + 9 < len(data):
        if data[at + 1] in (0xC0, 0xC1, 0xC2, 0xC3, 0xF7):
            return (int.from_bytes(data[at + 5 : at + 7], "big"), int.from_bytes(data[at + 7 : at + 9], "big"))
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return (240, 240) if data[:2] != b"\xff\xd8" else None


def images(folder):
    places = [Path(pydicom.__file__).parent / "data" / "test_files"]
    try:
        import data_store

        places.append(Path(data_store.__file__).parent / "data")
    except ImportError:
        pass
    found = [path for place in places for path in sorted(place.rglob("*")) if path.is_file()]
    return found + bare_frames(folder)


def lossy(values):
    """What a lossy codec may change: 6 % of the range in the mean, anything at an edge."""
    values = values.astype(numpy.int64)
    width = int(values.max() - values.min()) + 16
    # The header alone is most of what a ratio leaves to a tiny image.
    return (width, (0.06 if values.size >= 4_096 else 0.5) * width)


def decode_again(fields, bytes_, uid):
    """What a judge makes of a frame that Hilum encoded, against the values it was made from."""
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = UID(uid)
    image.Rows, image.Columns = int(fields[3]), int(fields[4])
    image.SamplesPerPixel = int(fields[5])
    image.BitsAllocated = 8 * int(fields[6])
    image.BitsStored = int(fields[7])
    image.HighBit = image.BitsStored - 1
    image.PixelRepresentation = 1 if fields[8] == "signed" else 0
    image.PhotometricInterpretation = fields[11]
    if image.SamplesPerPixel == 3:
        image.PlanarConfiguration = 0
    image.PixelData = encapsulate([bytes_])
    image["PixelData"].VR = "OB"
    array, about = expected(image, 0, uid)
    if fields[9] == "RGB" and about["photometric_interpretation"].startswith("YBR_FULL"):
        array = convert_color_space(array, "YBR_FULL", "RGB")
    return array


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("hilum")
    parser.add_argument("--workers", action="store_true", help="decode in child processes")
    parser.add_argument("--encode", metavar="UID", default="none", help="encode again in this transfer syntax")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--allow", type=int, default=0, help="frames that Hilum may refuse and the judge decodes")
    options = parser.parse_args()
    global VERBOSE
    options.encode = None if options.encode == "none" else options.encode
    VERBOSE = options.verbose
    # Frames that were compared, by syntax; and those of which there is less to say.
    counts, notes = collections.Counter(), collections.Counter()
    failures = []
    refused = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = {f"f{index}": path for index, path in enumerate(images(folder))}
        command = [options.hilum, "pixels", "--folder", name]
        if options.workers:
            command += ["--workers", "2"]
        if options.encode:
            command += ["--as", options.encode]
        command += [part for key, path in files.items() for part in ("--decode", f"{key}={path}")]
        what = f"encoded as {UID(options.encode).name}" if options.encode else "decoded"
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            print(f"FAIL: frames {what}: hilum pixels had not ended after {SECONDS} s")
            return 1
        if done.returncode != 0:
            print(done.stderr[-2000:])
            print(f"FAIL: frames {what}: hilum pixels ended with {done.returncode}")
            return 1
        for line in done.stdout.splitlines():
            fields = line.split("\t")
            path = files[fields[0]]
            if fields[2] == "none":
                continue
            try:
                data = pydicom.dcmread(path)
                syntax = str(data.file_meta.TransferSyntaxUID)
            except Exception:
                continue
            label = f"{path.name}#{fields[1]} ({UID(syntax).name})"
            try:
                right, about = expected(data, int(fields[1]) if fields[1] != "-" else 0, syntax)
            except Exception as error:
                right, why = None, f"{type(error).__name__}: {error}"
            if fields[2] == "error":
                (refused if right is not None else []).append(f"{label}: {fields[3]}")
                if options.verbose:
                    print("refused", label, fields[3], "" if right is not None else "(the judge too)")
                continue
            left = ours(folder, fields)
            if right is None:
                if options.verbose:
                    print("no judge", label, why[:150])
                notes["without a judge"] += 1
                continue
            if syntax in LOSSLESS:
                limits = None
            elif ".4.9" in syntax or ".4.20" in syntax:
                limits = TOLERANCE["jpeg2000"]
            else:
                limits = TOLERANCE["colour" if left.ndim == 3 else "gray"]
            wrong = compare(label, left, right, limits)
            if options.encode and fields[12] == "refused":
                notes["decoded, and not encoded: depth, sign or colour"] += 1
                if options.verbose:
                    print("not encoded", label, fields[13])
            elif not wrong and options.encode:
                bytes_ = (folder / f"{fields[0]}-{fields[1]}.coded").read_bytes()
                try:
                    again = decode_again(fields, bytes_, options.encode)
                    wrong = compare(label, again, left, None if fields[12] == "lossless" else lossy(left))
                except Exception as error:
                    wrong = f"the judge cannot decode it: {error}"
                wrong = wrong and "encoded: " + wrong
            counts[UID(syntax).name] += 1
            if wrong:
                failures.append(f"{label}: {wrong}; {fields[9]} here, {about['photometric_interpretation']} there")
    for key, count in [*sorted(counts.items()), *sorted(notes.items())]:
        print(f"{count:5d} {key}")
    for text in refused:
        print("REFUSED", text)
    for text in failures:
        print("DIFFERS", text)
    # Once more in a few lines: what is looked at where only the end of an output is kept.
    failed = failures + (refused if len(refused) > options.allow else [])
    for text in failed[:20]:
        print(f"FAIL: frames {what}: {text[:300]}")
    if len(failed) > 20:
        print(f"FAIL: {len(failed) - 20} more")
    print(f"{sum(counts.values()) - len(failures)} passed, {len(failures) + max(0, len(refused) - options.allow)} failed")
    return 1 if failures or len(refused) > options.allow else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Seeds for conformance/fuzz: small frames of pydicom's own files with their sizes before them, and the vectors.

    seeds.py FOLDER     one folder below it for each decoder
"""

import pathlib
import struct
import sys
import warnings

import pydicom
from pydicom.data import get_testdata_files
from pydicom.encaps import generate_frames

ROOT = pathlib.Path(__file__).resolve().parents[2]
BY_SYNTAX = {
    "1.2.840.10008.1.2.5": ["rle"], "1.2.840.10008.1.2.4.57": ["jpeg-lossless"], "1.2.840.10008.1.2.4.70": ["jpeg-lossless"],
    "1.2.840.10008.1.2.4.50": ["jpeg-sequential"], "1.2.840.10008.1.2.4.51": ["jpeg-sequential"],
    "1.2.840.10008.1.2.4.80": ["jpeg-ls"], "1.2.840.10008.1.2.4.90": ["jpeg-2000"], "1.2.840.10008.1.2.4.91": ["jpeg-2000"],
}
BY_VECTORS = {"dicom": ["dicom"], "hl7": ["hl7v2"], "json": ["json"], "dicom-json": ["json"]}
FRAME_BYTES = 1 << 16


def frames():
    """(decoder, name, seed) of each first frame that is small."""
    for path in sorted(get_testdata_files("*.dcm")):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                image = pydicom.dcmread(path)
            decoders = BY_SYNTAX.get(str(image.file_meta.TransferSyntaxUID), [])
            if not decoders or image.Rows * image.Columns > 1 << 16:
                continue
            frame = next(generate_frames(image.PixelData, number_of_frames=int(image.get("NumberOfFrames", 1))))
        except Exception as error:  # damaged on purpose, many of them
            print(f"{pathlib.Path(path).name}: no seed, {type(error).__name__}", file=sys.stderr)
            continue
        if len(frame) <= FRAME_BYTES - 6:
            head = struct.pack("<HHBB", image.Rows, image.Columns, image.SamplesPerPixel - 1, image.BitsAllocated // 8 - 1)
            for decoder in decoders:
                yield decoder, pathlib.Path(path).name, head + frame


def main():
    folder = pathlib.Path(sys.argv[1])
    count = 0
    seeds = list(frames())
    for decoder, folders in BY_VECTORS.items():
        for name in folders:
            seeds += [(decoder, each.name, each.read_bytes()) for each in (ROOT / "conformance" / "vectors" / name).iterdir()]
    for each in (ROOT / "conformance" / "vectors" / "fuzz").glob("*/*"):
        seeds.append((each.parent.name, each.name, each.read_bytes()))
    for decoder in {*sum(BY_SYNTAX.values(), []), *BY_VECTORS}:
        (folder / decoder).mkdir(parents=True, exist_ok=True)
    for decoder, name, seed in seeds:
        (folder / decoder / name).write_bytes(seed)
        count += 1
    print(f"{count} seeds")


if __name__ == "__main__":
    main()

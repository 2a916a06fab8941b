"""Compressed images asked for in another transfer syntax: pydicom's test files, stored by STOW-RS, are got without
compression by dicomweb-client, pynetdicom (C-GET) and DCMTK's getscu, and in other compressions by dicomweb-client; pydicom
with pylibjpeg and pyjpegls decodes what was sent and what comes, and numpy compares them.

Without loss every value is equal; of what lost values before, two decoders may differ by the errors of TOLERANCE.
"""

import io
import pathlib

import numpy
import pydicom
from pydicom.pixels import pixel_array
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

import check_dicom
import check_iocm
import dicom_files
from check_query_retrieve import get, identifier
from report import equal, expect

FRAMES = "PS3.18 §8.7.3.3"
INSTANCES = "PS3.18 §8.7.3.4"
LOSSY = {"1.2.840.10008.1.2.4.50": "gray", "1.2.840.10008.1.2.4.51": "gray", "1.2.840.10008.1.2.4.91": "jpeg2000",
         "1.2.840.10008.1.2.4.203": "jpeg2000"}
# Whatever is kept in these has lost values.
ALWAYS_LOSSY = ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51")
# What is kept in these may have: the data set tells.
MAYBE_LOSSY = ("1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.93", "1.2.840.10008.1.2.4.203")
# (greatest difference of a sample, mean difference), as in check_pixels.py.
TOLERANCE = {"gray": (2, 0.6), "colour": (8, 1.2), "jpeg2000": (1, 0.1)}
# Written by Hilum without loss, by the media type that has it as its default (PS3.18 Table 8.7.3-5).
WRITTEN = {"image/jpeg": "1.2.840.10008.1.2.4.70", "image/jls": "1.2.840.10008.1.2.4.80",
           "image/jp2": "1.2.840.10008.1.2.4.90", "image/dicom-rle": "1.2.840.10008.1.2.5"}
JPEG_2000 = "1.2.840.10008.1.2.4.91"
FRAMES_MAX = 6


def values(data_set):
    """Every value as pydicom and its codecs give it, luminance and chrominance as RGB."""
    return pixel_array(data_set)


def judged(sample):
    """The values of a sample, None where the judge has no decoder for it or refuses it."""
    try:
        return values(sample.data_set)
    except Exception:  # pydicom raises many kinds
        return None


def compare(found, wanted, sample):
    found, wanted = found.astype(numpy.int64), wanted.astype(numpy.int64)
    equal(found.shape, wanted.shape, "shape")
    kind = LOSSY.get(str(sample.transfer_syntax))
    if kind == "gray" and sample.data_set.SamplesPerPixel == 3:
        kind = "colour"
    most, mean = TOLERANCE.get(kind, (0, 0))
    difference = numpy.abs(found - wanted)
    expect(difference.max(initial=0) <= most and difference.mean() <= mean,
           f"values differ by {difference.max(initial=0)} at most and {difference.mean():.3f} in the mean")
    return "equal" if not difference.any() else f"within {difference.max()}"


def samples():
    """Images whose frames the judge can decode: the compressed ones, and native ones to be compressed."""
    compressed, native = [], []
    for name, path in dicom_files.test_files()[0]:
        sample = dicom_files.relabelled(name, path, "transcode")
        if "PixelData" not in sample.data_set or sample.data_set.BitsAllocated % 8 or len(sample.data) > 4 << 20:
            continue
        pixels = judged(sample)
        if pixels is None:
            continue
        if sample.transfer_syntax.is_encapsulated:
            compressed.append((sample, pixels))
        elif sample.data_set.BitsAllocated <= 16 and sample.data_set.get("SamplesPerPixel") in (1, 3):
            native.append((sample, pixels))
    return compressed, native[::4]


def frame_count(sample):
    return int(sample.data_set.get("NumberOfFrames") or 1)


def check_web(report, client, compressed):
    explicit = str(ExplicitVRLittleEndian)
    for sample, pixels in compressed:
        uids = (sample.study, sample.series, str(sample.sop_instance))

        def instance(sample=sample, pixels=pixels, uids=uids):
            found = client.retrieve_instance(*uids, media_types=(("application/dicom", explicit),))
            equal(str(found.file_meta.TransferSyntaxUID), explicit, "transfer syntax")
            equal(str(found.SOPInstanceUID), uids[2], "SOP Instance UID")
            return compare(values(found), pixels, sample)

        report.check("transcode-wado", f"{sample.name} in Explicit VR Little Endian", instance, INSTANCES)

        def unnamed(sample=sample, pixels=pixels, uids=uids):
            syntax = str(sample.transfer_syntax)
            stays = syntax in ALWAYS_LOSSY or (
                syntax in MAYBE_LOSSY and sample.data_set.get("LossyImageCompression") != "00")
            for found in (client.retrieve_instance(*uids, media_types=("application/dicom",)),
                          *client.retrieve_study(uids[0])):
                equal(str(found.file_meta.TransferSyntaxUID), syntax if stays else explicit, "transfer syntax")
                compare(values(found), pixels, sample)

        report.check("transcode-wado", f"{sample.name} where no transfer syntax is named", unnamed, INSTANCES)

        def study(sample=sample, pixels=pixels, uids=uids):
            found = client.retrieve_study(uids[0], media_types=(("application/dicom", explicit),))
            equal([str(f.file_meta.TransferSyntaxUID) for f in found], [explicit], "transfer syntaxes")
            return compare(values(found[0]), pixels, sample)

        report.check("transcode-wado", f"the study of {sample.name} in Explicit VR Little Endian", study, INSTANCES)

        def frames(sample=sample, uids=uids):
            numbers = list(range(1, min(frame_count(sample), FRAMES_MAX) + 1))
            whole = client.retrieve_instance(*uids, media_types=(("application/dicom", explicit),))
            size = whole.Rows * whole.Columns * whole.SamplesPerPixel * whole.BitsAllocated // 8
            found = client.retrieve_instance_frames(
                *uids, frame_numbers=numbers, media_types=("application/octet-stream",))
            equal(len(found), len(numbers), "frames")
            for number, frame in zip(numbers, found):
                equal(frame, whole.PixelData[(number - 1) * size:number * size], f"frame {number}")

        report.check("transcode-wado", f"frames of {sample.name} as octets", frames, FRAMES)


def check_written(report, client, session, base, images):
    for sample, pixels in images:
        uids = (sample.study, sample.series, str(sample.sop_instance))
        for media_type, syntax in WRITTEN.items():
            if str(sample.transfer_syntax) == syntax:
                continue

            def instance(sample=sample, pixels=pixels, uids=uids, syntax=syntax):
                found = client.retrieve_instance(*uids, media_types=(("application/dicom", syntax),))
                equal(str(found.file_meta.TransferSyntaxUID), syntax, "transfer syntax")
                equal(str(found.SOPInstanceUID), uids[2], "SOP Instance UID")
                return compare(values(found), pixels, sample)

            report.check("transcode-written", f"{sample.name} in {syntax}", instance, INSTANCES)

            def frame(uids=uids, media_type=media_type, syntax=syntax, sample=sample):
                url = f"{base}/studies/{uids[0]}/series/{uids[1]}/instances/{uids[2]}/frames/1"
                answer = session.get(url, headers={"Accept": f'multipart/related; type="{media_type}"'}, timeout=60)
                equal(answer.status_code, 200, "status")
                # What is stored under this media type stays what it is.
                wanted = syntax
                if media_type == "image/jpeg" and str(sample.transfer_syntax).startswith("1.2.840.10008.1.2.4.5"):
                    wanted = str(sample.transfer_syntax)
                if media_type in ("image/jls", "image/jp2") and str(sample.transfer_syntax)[:-1] == syntax[:-1]:
                    wanted = str(sample.transfer_syntax)
                expect(f"transfer-syntax={wanted}".encode() in answer.content[:400],
                       f"the part is {answer.content[:200]}")

            report.check("transcode-written", f"a frame of {sample.name} as {media_type}", frame, FRAMES)


def check_valid(report, session, base, folder, compressed, written):
    """What is written, judged by dciodvfy beside what was sent."""
    pairs = [(sample, str(ExplicitVRLittleEndian)) for sample, _ in compressed]
    pairs += [(sample, syntax) for sample, _ in written for syntax in WRITTEN.values()
              if str(sample.transfer_syntax) != syntax]
    # With loss it is another instance, which says how it was made.
    pairs += [(sample, JPEG_2000) for sample, _ in written if not sample.transfer_syntax.is_encapsulated]

    def judged_again():
        found, count = [], 0
        before, after = pathlib.Path(folder) / "sent.dcm", pathlib.Path(folder) / "got.dcm"
        for sample, syntax in pairs:
            url = f"{base}/studies/{sample.study}/series/{sample.series}/instances/{sample.sop_instance}"
            answer = session.get(url, headers={"Accept": f"application/dicom; transfer-syntax={syntax}"}, timeout=60)
            equal(answer.status_code, 200, f"{sample.name} in {syntax}")
            before.write_bytes(sample.data)
            after.write_bytes(answer.content)
            new = check_iocm.errors_of(after) - check_iocm.errors_of(before)
            found += [f"{sample.name} in {syntax}: {line}" for line in sorted(new)]
            count += 1
        expect(not found, f"{len(found)} errors: {found[:3]}")
        return f"{count} objects"

    report.check("transcode-written", "dciodvfy finds nothing that was not in the input", judged_again, INSTANCES)


def check_refusal(report, session, base, sample):
    def lossy():
        url = (f"{base}/studies/{sample.study}/series/{sample.series}/instances/{sample.sop_instance}/frames/1")
        answer = session.get(
            url, headers={"Accept": "image/jphc; transfer-syntax=1.2.840.10008.1.2.4.201"}, timeout=60)
        equal(answer.status_code, 406, "status")
        expect("available:" in answer.text and "application/octet-stream" in answer.text, answer.text[:300])

    report.check("transcode-wado", "what is not written here is 406 with what there is", lossy, "PS3.18 §8.7.3")


def check_get(report, server, compressed):
    for sample, pixels in compressed:
        for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
            def got(sample=sample, pixels=pixels, syntax=syntax):
                received = [data_set for _, _, data_set in get(
                    server, sample.sop_class, syntax, identifier("STUDY", StudyInstanceUID=sample.study))]
                equal(len(received), 1, "instances")
                equal(str(received[0].file_meta.TransferSyntaxUID), str(syntax), "transfer syntax")
                return compare(values(received[0]), pixels, sample)

            report.check("transcode-get", f"C-GET of {sample.name} in {syntax.name}", got, "PS3.4 §C.4.3.3.1")


def check_getscu(report, server, folder, sample, pixels):
    def getscu():
        into = pathlib.Path(folder) / "getscu-native"
        into.mkdir(exist_ok=True)
        code, text = check_dicom.dcmtk(
            server, "getscu", "-S", "-od", into, "-k", "QueryRetrieveLevel=STUDY", "-k",
            f"StudyInstanceUID={sample.study}")
        equal(code, 0, text[-300:])
        found = [pydicom.dcmread(path) for path in into.iterdir()]
        equal([str(f.SOPInstanceUID) for f in found], [str(sample.sop_instance)], "received")
        expect(not found[0].file_meta.TransferSyntaxUID.is_encapsulated, "it came compressed")
        return compare(values(found[0]), pixels, sample)

    report.check("transcode-get", f"getscu of {sample.name}, which proposes little endian alone", getscu,
                 "PS3.4 §C.4.3.3.1")


def check(report, server, clear, backend, folder):
    """`clear` is the DICOM door in clear text."""
    compressed, native = samples()
    client, session = check_dicom.web_client(server, backend), backend.session()
    stored = set()
    for sample, _ in compressed + native:
        def store(sample=sample):
            answer = client.store_instances([pydicom.dcmread(io.BytesIO(sample.data))])
            expect(not answer.get("FailedSOPSequence"), f"failed: {answer.get('FailedSOPSequence')}")

        if report.check("transcode-stow", sample.name, store, "PS3.18 §10.5"):
            stored.add(sample.name)
    compressed = [pair for pair in compressed if pair[0].name in stored]
    native = [pair for pair in native if pair[0].name in stored]
    check_web(report, client, compressed)
    lossless = [pair for pair in compressed if str(pair[0].transfer_syntax) not in LOSSY]
    # JPEG, JPEG-LS and JPEG 2000 have values of 16 bits at most.
    written = [pair for pair in native + lossless[::3] if pair[0].data_set.BitsAllocated <= 16]
    check_written(report, client, session, server.dicomweb, written)
    check_valid(report, session, server.dicomweb, folder, compressed, written)
    check_refusal(report, session, server.dicomweb, compressed[0][0])
    check_get(report, server, compressed)
    # DCMTK's getscu speaks no TLS.
    check_getscu(report, clear, folder, *lossless[0])
    report.note(f"transcode: {len(compressed)} compressed and {len(native)} native images, decoded and compared by pydicom.")

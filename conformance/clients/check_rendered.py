"""WADO-RS rendered and thumbnail: pictures of pydicom's images against what pydicom's modality and VOI LUTs make of
their values, within one grey level; sizes, parameters, reports, documents and refusals."""

import io
import struct

import numpy
import pydicom
from PIL import Image, ImageCms
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut, pixel_array
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

import small_images
from dicom_files import Sample, uid_for
from report import equal, expect

RENDERED = "PS3.18 §10.4.1.1.3"
LOSSY = ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.91",
         "1.2.840.10008.1.2.4.203")
# Grey levels that a picture of lossless pixels may differ by, and in the mean where two decoders of JPEG stand between.
LEVELS, LOSSY_MEAN = 1, 3.0


class NoJudge(Exception):
    """pydicom has no word on this image."""


def frame_count(data):
    """Number of Frames, 1 where it is none or no number."""
    try:
        return max(1, int(data.get("NumberOfFrames", 1) or 1))
    except ValueError:
        return 1


def output_range(data):
    """What apply_windowing takes for black and white: the ends of its y_range."""
    if "ModalityLUTSequence" in data:
        return 0, 2 ** data.ModalityLUTSequence[0].LUTDescriptor[2] - 1
    bits = data.BitsStored
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if data.PixelRepresentation else (0, 2**bits - 1)
    if data.get("RescaleSlope") is not None and data.get("RescaleIntercept") is not None:
        ends = sorted(float(data.RescaleSlope) * end + float(data.RescaleIntercept) for end in (low, high))
        low, high = ends
    return low, high


def shown(data, index):
    """The picture of a frame as an array of 8 bits, and which of its pixels are to be compared."""
    if any(0x6000 <= element.tag.group <= 0x601E for element in data) or "ShutterShape" in data:
        raise NoJudge("overlays or shutters")
    if "SharedFunctionalGroupsSequence" in data or "PerFrameFunctionalGroupsSequence" in data:
        raise NoJudge("functional groups")
    if data.SamplesPerPixel not in (1, 3):
        raise NoJudge("samples")
    if data.file_meta.TransferSyntaxUID == ExplicitVRBigEndian and data.BitsAllocated == 32:
        # OW is words of 16 bits, whatever the cells are (PS3.5 6.2); pydicom swaps 32 bits.
        raise NoJudge("cells of two words in big endian")
    try:
        values = pixel_array(data, index=index)
    except Exception as error:
        raise NoJudge(str(error)) from error
    every = numpy.ones(values.shape[:2], bool)
    kind = data.PhotometricInterpretation
    if kind == "PALETTE COLOR":
        colours = apply_color_lut(values, data)
        return (colours >> 8 if colours.dtype == numpy.uint16 else colours).astype(numpy.int64), every
    if data.SamplesPerPixel == 3:
        if values.dtype != numpy.uint8:
            raise NoJudge("colour of more than 8 bits")
        return values.astype(numpy.int64), every
    if "PixelPaddingValue" in data:
        every &= values != data.PixelPaddingValue
    modality = apply_modality_lut(values, data).astype(numpy.float64)
    is_float = values.dtype.kind == "f"
    if "VOILUTSequence" in data:
        levels = apply_voi_lut(apply_modality_lut(values, data), data)
        parts = levels / (2 ** data.VOILUTSequence[0].LUTDescriptor[2] - 1)
    elif data.get("WindowCenter") is not None and data.get("WindowWidth") is not None:
        low, high = output_range(data)
        parts = (apply_voi_lut(modality, data) - low) / (high - low)
    elif is_float or data.BitsStored > 8:
        # Hilum's own choice: LINEAR_EXACT between the 0.5th and the 99.5th percentile.
        ordered = numpy.sort(modality[every])
        rank = (ordered.size - 1) // 200
        low, high = ordered[rank], ordered[ordered.size - 1 - rank]
        parts = numpy.clip((modality - low) / max(high - low, 1e-6), 0, 1)
    else:
        low, high = output_range(data)
        parts = (modality - low) / (high - low)
    if kind == "MONOCHROME1" or data.get("PresentationLUTShape") == "INVERSE":
        parts = 1 - parts
    return numpy.floor(numpy.clip(parts, 0, 1) * 255 + 0.5).astype(numpy.int64), every


def picture(answer, kind="image/png"):
    equal(answer.status_code, 200, f"status ({answer.text[:200] if answer.status_code != 200 else ''})")
    equal(answer.headers["Content-Type"], kind, "Content-Type")
    equal(int(answer.headers["Content-Length"]), len(answer.content), "Content-Length")
    image = Image.open(io.BytesIO(answer.content))
    image.load()
    return image


def url_of(server, sample):
    return f"{server.dicomweb}/studies/{sample.study}/series/{sample.series}/instances/{sample.sop_instance}"


def square(data):
    ratio = data.get("PixelAspectRatio") or data.get("PixelSpacing")
    return not ratio or abs(float(ratio[0]) / float(ratio[1]) - 1) < 0.001


def check_pictures(report, server, session, samples):
    """Every image that pydicom can show; returns those that were equal."""
    compared = without = 0
    equal_ones = []
    for sample in samples:
        data = sample.data_set
        if "PixelData" not in data and "FloatPixelData" not in data and "DoubleFloatPixelData" not in data:
            continue
        middle = (frame_count(data) + 1) // 2

        def render(sample=sample, data=data, middle=middle):
            nonlocal compared, without
            answer = session.get(
                f"{url_of(server, sample)}/frames/{middle}/rendered", headers={"Accept": "image/png"}, timeout=120)
            try:
                right, every = shown(data, middle - 1)
            except NoJudge as reason:
                without += 1
                expect(answer.status_code in (200, 404, 406, 409, 413), f"status {answer.status_code}")
                return f"{answer.status_code}; no judge: {str(reason)[:80]}"
            left = numpy.asarray(picture(answer)).astype(numpy.int64)
            if not square(data):
                expect(left.shape != right.shape, "pixels that are not square were not stretched")
                return "stretched"
            equal(left.shape, right.shape, "rows, columns and samples")
            difference = numpy.abs(left - right)[every]
            if str(sample.transfer_syntax) in LOSSY:
                expect(difference.mean() <= LOSSY_MEAN, f"{difference.mean():.2f} grey levels in the mean")
            else:
                worst = int(difference.max()) if difference.size else 0
                expect(worst <= LEVELS, f"{worst} grey levels, {(difference > LEVELS).sum()} pixels")
            compared += 1
            if sample.data_set.SamplesPerPixel == 1 and middle == 1:
                equal_ones.append(sample)
            return f"within {int(difference.max()) if difference.size else 0}"

        report.check("rendered", sample.name, render, "PS3.4 §N.2, PS3.3 §C.11")
    report.note(f"rendered: {compared} pictures compared with pydicom's, {without} without a judge.")
    return equal_ones


def check_parameters(report, server, session, sample):
    base = url_of(server, sample)
    rows, columns = sample.data_set.Rows, sample.data_set.Columns

    def get(path, accept="image/png", **parameters):
        return session.get(base + path, params=parameters, headers={"Accept": accept}, timeout=60)

    def types():
        for accept, kind in (("*/*", "image/jpeg"), ("image/jpeg", "image/jpeg"), ("image/png", "image/png"),
                             ("image/gif", "image/gif"), ("text/html, image/*;q=0.5", "image/jpeg")):
            equal(picture(get("/rendered", accept), kind).size, (columns, rows), accept)

    def viewport():
        scale = min(100 / columns, 60 / rows)
        wide, high = picture(get("/rendered", viewport="100,60")).size
        expect(abs(wide - columns * scale) <= 1 and abs(high - rows * scale) <= 1, f"{wide} x {high}")
        region = picture(get("/rendered", viewport="16,16,0,0,16,16"))
        whole = numpy.asarray(picture(get("/rendered")))
        expect(numpy.array_equal(numpy.asarray(region), whole[:16, :16]), "the region is not the image's corner")
        turned = picture(get("/rendered", viewport="16,16,,,-16,16"))
        expect(numpy.array_equal(numpy.asarray(turned), whole[:16, :16][:, ::-1]), "not turned over")

    def window():
        black = numpy.asarray(picture(get("/rendered", window="1000000,1,linear")))
        equal(int(black.max()), 255 if sample.data_set.PhotometricInterpretation == "MONOCHROME1" else 0, "grey")
        for shape in ("linear", "linear-exact", "sigmoid"):
            picture(get("/rendered", window=f"40,400,{shape}"))

    def quality():
        small, large = (len(get("/rendered", "image/jpeg", quality=q).content) for q in (5, 100))
        expect(small < large, f"{small} bytes of quality 5, {large} of 100")

    def bad_values():
        for name, value in (("viewport", "0,1"), ("viewport", "10"), ("viewport", "9000,9000"), ("viewport", "a,b"),
                            ("window", "1,2"), ("window", "1,0,linear"), ("window", "1,2,cubic"), ("quality", "0"),
                            ("quality", "101"), ("annotation", "name"), ("iccprofile", "cmyk"),
                            ("viewport", "10,10,100000,0")):
            equal(get("/rendered", **{name: value}).status_code, 400, f"status of {name}={value}")

    def refusals():
        equal(get("/rendered", "text/html").status_code, 406, "text/html of an image")
        equal(get("/frames/999999/rendered").status_code, 404, "past the last frame")
        equal(get("/frames/0/rendered").status_code, 400, "frame 0")
        missing = session.get(f"{server.dicomweb}/studies/1.2.3.4/rendered", timeout=30)
        equal(missing.status_code, 404, "a study that is not there")

    def annotations():
        plain = numpy.asarray(picture(get("/rendered")))
        written = numpy.asarray(picture(get("/rendered", annotation="patient,technique")))
        equal(written.shape, plain.shape, "rows and columns")
        changed = numpy.nonzero((written != plain).reshape(plain.shape[0], -1).any(axis=1))[0]
        expect(changed.size > 0, "nothing was written")
        expect("ETag" not in get("/rendered", annotation="patient").headers, "an ETag of a patient's name")

    def head_and_tag():
        got = get("/rendered")
        head = session.head(base + "/rendered", headers={"Accept": "image/png"}, timeout=60)
        equal((head.status_code, head.content), (200, b""), "HEAD")
        equal(head.headers["Content-Length"], str(len(got.content)), "Content-Length of HEAD")
        again = session.get(base + "/rendered", timeout=60, headers={
            "Accept": "image/png", "If-None-Match": got.headers["ETag"]})
        equal((again.status_code, again.content), (304, b""), "If-None-Match")

    def thumbnails():
        for level in (f"/studies/{sample.study}", f"/studies/{sample.study}/series/{sample.series}"):
            for words, side in (({}, 128), ({"viewport": "40,40"}, 40)):
                answer = session.get(
                    server.dicomweb + level + "/thumbnail", params=words, headers={"Accept": "image/png"}, timeout=60)
                equal(max(picture(answer).size), side, f"longer side of {level}")
        equal(max(picture(get("/thumbnail", "image/jpeg", viewport="64,64"), "image/jpeg").size), 64, "longer side")
        equal(max(picture(get("/frames/1/thumbnail")).size), 128, "longer side of a frame's")
        equal(get("/thumbnail", viewport="64,64,0,0,1,1").status_code, 400, "a region of a thumbnail")

    def parts():
        answer = session.get(f"{server.dicomweb}/studies/{sample.study}/rendered", timeout=60, headers={
            "Accept": 'multipart/related; type="image/jpeg"'})
        equal(answer.status_code, 200, "status")
        expect(answer.headers["Content-Type"].startswith('multipart/related; type="image/jpeg"'), "Content-Type")
        boundary = answer.headers["Content-Type"].split("boundary=")[1].strip('"').encode()
        found = answer.content.split(b"--" + boundary)
        equal((len(found), found[-1]), (3, b"--\r\n"), "parts")
        head, _, body = found[1].partition(b"\r\n\r\n")
        expect(b"Content-Location: " in head and head.count(b"/frames/1/rendered") == 1, "Content-Location")
        Image.open(io.BytesIO(body[:-2])).load()

    for name, work, clause in (
            ("JPEG by default; PNG and GIF", types, "PS3.18 §8.7.4"), ("viewport", viewport, "PS3.18 §8.3.5.1.3"),
            ("window", window, "PS3.18 §8.3.5.1.4"), ("quality", quality, "PS3.18 §8.3.5.1.2"),
            ("values that are none are 400", bad_values, "PS3.18 §8.3.5"), ("404 and 406", refusals, RENDERED),
            ("annotations are drawn", annotations, "PS3.18 §8.3.5.1.1"),
            ("HEAD and If-None-Match", head_and_tag, "RFC 9110 §9.3.2, §13.1.2"),
            ("thumbnails of every level", thumbnails, "PS3.18 §10.4.1.1.4"), ("a study as parts", parts, RENDERED)):
        report.check("rendered", name, work, clause)


def encapsulated_pdf():
    """A PDF of an odd length in a study of its own."""
    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.104.1"
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = uid_for("rendered", "pdf", "instance")
    data.StudyInstanceUID = uid_for("rendered", "pdf", "study")
    data.SeriesInstanceUID = uid_for("rendered", "pdf", "series")
    data.PatientID, data.PatientName, data.Modality = "RENDERED1", "Rendered^Document", "DOC"
    document = b"%PDF-1.4\n" + b"1 0 obj\n" * 5_000 + b"%%EOF"
    data.MIMETypeOfEncapsulatedDocument = "application/pdf"
    data.EncapsulatedDocument = document + b"\0" * (len(document) % 2)
    data.EncapsulatedDocumentLength = len(document)
    out = io.BytesIO()
    data.save_as(out, enforce_file_format=True)
    return Sample("pdf", out.getvalue()), document


def wide_profile():
    """A profile of ICC.1 version 2 that nobody else has: other primaries than those of sRGB, the power of 1.9."""
    def tag(kind, body):
        body = kind + bytes(4) + body
        return body + bytes(-len(body) % 4)

    def xyz(*values):
        return tag(b"XYZ ", b"".join(struct.pack(">i", round(value * 65536)) for value in values))
    name = b"Of a test\0"
    curve = tag(b"curv", struct.pack(">IH", 1, round(1.9 * 256)))
    tags = [(b"desc", tag(b"desc", struct.pack(">I", len(name)) + name + bytes(78))), (b"cprt", tag(b"text", b"None\0")),
            (b"wtpt", xyz(0.9642, 1, 0.8249)), (b"rXYZ", xyz(0.56, 0.28, 0.01)), (b"gXYZ", xyz(0.24, 0.66, 0.06)),
            (b"bXYZ", xyz(0.1642, 0.06, 0.7549)), (b"rTRC", curve), (b"gTRC", curve), (b"bTRC", curve)]
    table, body, place = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for sign, content in tags:
        table += struct.pack(">4sII", sign, place + len(body), len(content))
        body += content
    head = struct.pack(">I4sI4s4s4s6H4s", place + len(body), bytes(4), 0x02100000, b"mntr", b"RGB ", b"XYZ ",
                       2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    whole = head + bytes(128 - len(head)) + table + body
    return whole + bytes(len(whole) % 2)


def photograph(profile):
    """A colour image of 64 x 64 with a profile, in a study of its own, and its pixels."""
    steps = numpy.linspace(0, 255, 64).round().astype(numpy.uint8)
    pixels = numpy.stack([numpy.tile(steps, (64, 1)), numpy.tile(steps[:, None], (1, 64)),
                          numpy.tile(steps[::-1], (64, 1))], axis=-1)
    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.77.1.4"
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = uid_for("rendered", "colours", "instance")
    data.StudyInstanceUID = uid_for("rendered", "colours", "study")
    data.SeriesInstanceUID = uid_for("rendered", "colours", "series")
    data.PatientID, data.PatientName, data.Modality = "RENDERED2", "Rendered^Colours", "XC"
    data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = 64, 64, 3, "RGB"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 8, 8, 7, 0
    data.PlanarConfiguration = 0
    data.ICCProfile = profile
    data.PixelData = pixels.tobytes()
    out = io.BytesIO()
    data.save_as(out, enforce_file_format=True)
    return Sample("colours", out.getvalue()), pixels


def check_series(report, server, session, client):
    def one_window():
        series = [numpy.arange(4096, dtype=numpy.uint16).reshape(64, 64) * factor for factor in (1, 3, 7)]
        ordered = numpy.sort(numpy.concatenate([values.ravel() for values in series]).astype(numpy.float64))
        rank = (ordered.size - 1) // 200
        low, high = ordered[rank], ordered[ordered.size - 1 - rank]
        images = small_images.study("RENDERED3", "Rendered^Series", count=len(series))[:-1]
        for image, values in zip(images, series):
            image.Rows, image.Columns = values.shape
            image.PixelData = values.tobytes()
            answer = client.store_instances([pydicom.dcmread(io.BytesIO(small_images.part10(image)))])
            expect(not answer.get("FailedSOPSequence"), "not stored")
        for image, values in zip(images, series):
            wanted = numpy.floor(numpy.clip((values - low) / (high - low), 0, 1) * 255 + 0.5)
            base = (f"{server.dicomweb}/studies/{image.StudyInstanceUID}/series/{image.SeriesInstanceUID}"
                    f"/instances/{image.SOPInstanceUID}")
            for path in ("/rendered", "/frames/1/rendered", "/thumbnail?viewport=64,64"):
                got = numpy.asarray(picture(session.get(base + path, headers={"Accept": "image/png"}, timeout=60)))
                apart = numpy.abs(got.astype(int) - wanted).max()
                expect(apart <= LEVELS, f"image {image.InstanceNumber}, {path}: {apart} levels apart")

    report.check("rendered", "images of a series without windows are shown by one", one_window, RENDERED)


def check_texts(report, server, session, client, samples):
    def reports():
        found = 0
        for sample in samples:
            data = sample.data_set
            if "PixelData" in data or data.get("ValueType") != "CONTAINER" or "ContentSequence" not in data:
                continue
            page = session.get(url_of(server, sample) + "/rendered", headers={"Accept": "text/html"}, timeout=60)
            equal((page.status_code, page.headers["Content-Type"]), (200, "text/html; charset=utf-8"), sample.name)
            expect("script" not in page.headers.get("Content-Security-Policy", "script"), "no policy for the page")
            equal(page.text.count("<li>"), page.text.count("</li>"), "items")
            plain = session.get(url_of(server, sample) + "/rendered", headers={"Accept": "text/plain"}, timeout=60)
            for item in data.iterall():
                if item.keyword == "TextValue" and item.value:
                    line = str(item.value).splitlines()[0][:40]
                    expect(line in plain.text, f"{sample.name}: a text of the report is not shown")
            refused = session.get(url_of(server, sample) + "/rendered", headers={"Accept": "image/jpeg"}, timeout=60)
            equal(refused.status_code, 406, "a report as JPEG")
            found += 1
        expect(found > 0, "no report among the samples")
        return f"{found} reports"

    def document():
        sample, wanted = encapsulated_pdf()
        answer = client.store_instances([pydicom.dcmread(io.BytesIO(sample.data))])
        expect(not answer.get("FailedSOPSequence"), "not stored")
        got = session.get(url_of(server, sample) + "/rendered", timeout=60)
        equal((got.status_code, got.headers["Content-Type"]), (200, "application/pdf"), "status and type")
        equal(got.content, wanted, "the document")
        equal(session.get(url_of(server, sample) + "/thumbnail", timeout=60).status_code, 406, "its thumbnail")

    def colours():
        profile = wide_profile()
        sample, pixels = photograph(profile)
        answer = client.store_instances([pydicom.dcmread(io.BytesIO(sample.data))])
        expect(not answer.get("FailedSOPSequence"), "not stored")

        def got(space, accept="image/png"):
            return picture(session.get(url_of(server, sample) + "/rendered", params={"iccprofile": space},
                                       headers={"Accept": accept}, timeout=60), accept)
        own = got("yes")
        expect(numpy.array_equal(numpy.asarray(own), pixels), "with its own profile the colours are as stored")
        equal(own.info.get("icc_profile"), profile, "the profile in PNG")
        equal(got("yes", "image/jpeg").info.get("icc_profile"), profile, "the profile in JPEG")
        expect(not got("no").info.get("icc_profile"), "no profile was asked for")
        most = 0
        for space in ("srgb", "adobergb", "rommrgb", "displayp3"):
            made = got(space)
            embedded = made.info["icc_profile"]
            # To the profile that the picture names, and of sRGB also to one of the judge's own.
            targets = [ImageCms.ImageCmsProfile(io.BytesIO(embedded))]
            if space == "srgb":
                targets.append(ImageCms.createProfile("sRGB"))
            for target in targets:
                wanted = ImageCms.profileToProfile(
                    Image.fromarray(pixels), ImageCms.ImageCmsProfile(io.BytesIO(profile)), target,
                    renderingIntent=ImageCms.Intent.PERCEPTUAL)
                apart = numpy.abs(numpy.asarray(made).astype(int) - numpy.asarray(wanted).astype(int)).max()
                expect(apart <= LEVELS, f"{space}: {apart} levels apart")
                most = max(most, int(apart))
        return f"{most} levels apart at most"

    report.check("rendered", "colours by profiles", colours, "PS3.18 §8.3.5.1.5")
    report.check("rendered", "structured reports as HTML and text", reports, "PS3.18 §8.7.4")
    report.check("rendered", "an encapsulated PDF", document, "PS3.18 §8.7.4")


def check(report, server, backend, client, samples):
    """`samples` are stored; `client` stores more."""
    session = backend.session()
    shown_ones = check_pictures(report, server, session, samples)
    # Large ones tell more of sizes.
    for sample in sorted(shown_ones, key=lambda one: -min(one.data_set.Rows, one.data_set.Columns)):
        data = sample.data_set
        if min(data.Rows, data.Columns) >= 16 and square(data) and frame_count(data) == 1 \
                and data.get("BurnedInAnnotation") != "YES":
            check_parameters(report, server, session, sample)
            break
    else:
        report.add("rendered", "parameters", False, "no image to ask for with parameters", RENDERED)
    check_series(report, server, session, client)
    check_texts(report, server, session, client, samples)

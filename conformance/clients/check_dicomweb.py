"""DICOMweb beside what dicomweb-client asks for: ranges and conditions, pixel data, ZIP archives, the URI service, keys that
the index does not have, and capabilities. Raw requests; Python's own zipfile and XML reader are the judges."""

import io
import xml.etree.ElementTree
import zipfile

from report import equal, expect

WADL = "{http://wadl.dev.java.net/2009/02}"
DICOM = "application/dicom; transfer-syntax=*"


def url_of(server, sample):
    return f"{server.dicomweb}/studies/{sample.study}/series/{sample.series}/instances/{sample.sop_instance}"


def native(samples):
    """A small image without compression, of one frame and 8 or 16 bits."""
    for sample in samples:
        data = sample.data_set
        if "PixelData" in data and str(sample.transfer_syntax) == "1.2.840.10008.1.2.1" \
                and int(data.get("NumberOfFrames", 1) or 1) == 1 and data.BitsAllocated in (8, 16) \
                and data.Rows >= 16 and data.Columns >= 16:
            return sample
    return None


def check_ranges(report, session, base):
    def ranges():
        for path, accept in (("", DICOM), ("/frames/1", "application/octet-stream"),
                             ("/bulkdata/7FE00010", "application/octet-stream"),
                             ("/pixeldata", "application/octet-stream")):
            def get(**headers):
                fields = {name.replace("_", "-"): value for name, value in headers.items()}
                return session.get(base + path, headers={"Accept": accept, **fields}, timeout=60)

            whole = get()
            equal((whole.status_code, whole.headers["Accept-Ranges"]), (200, "bytes"), path)
            tag, size = whole.headers["ETag"], len(whole.content)
            expect(tag.startswith('"'), f"{path}: no strong tag")
            expect("immutable" in whole.headers["Cache-Control"] and "private" in whole.headers["Cache-Control"], path)
            for first, last in ((0, 0), (1, 99), (size - 1, size - 1), (100, size - 1)):
                part = get(Range=f"bytes={first}-{last}", If_Range=tag)
                equal((part.status_code, part.content), (206, whole.content[first:last + 1]), f"{path} {first}-{last}")
                equal(part.headers["Content-Range"], f"bytes {first}-{last}/{size}", path)
            equal(get(Range="bytes=-10").content, whole.content[-10:], f"{path}: the last ten")
            beyond = get(Range=f"bytes={size}-")
            equal((beyond.status_code, beyond.headers["Content-Range"]), (416, f"bytes */{size}"), path)
            equal(get(Range="bytes=0-1,4-5").status_code, 200, f"{path}: several ranges")
            equal(get(Range="bytes=0-1", If_Range='"x"').status_code, 200, f"{path}: If-Range of another")
            same = get(If_None_Match=tag)
            equal((same.status_code, same.content), (304, b""), f"{path}: If-None-Match")
            equal(get(If_Match='"x"').status_code, 412, f"{path}: If-Match")

    def metadata():
        first = session.get(base + "/metadata", timeout=60)
        again = session.get(base + "/metadata", headers={"If-None-Match": first.headers["ETag"]}, timeout=60)
        equal((first.status_code, again.status_code, again.content), (200, 304, b""), "metadata")

    report.check("dicomweb", "ranges and conditions of an instance, a frame and bulk data", ranges, "RFC 9110 §14")
    report.check("dicomweb", "metadata that has not changed is 304", metadata, "RFC 9110 §13.1.2")


def check_archives(report, server, session, base, sample):
    def archive(url, **words):
        answer = session.get(url, headers={"Accept": "application/zip; transfer-syntax=*"}, timeout=120, **words)
        equal((answer.status_code, answer.headers["Content-Type"]), (200, "application/zip"), url)
        found = zipfile.ZipFile(io.BytesIO(answer.content))
        equal(found.testzip(), None, "a file whose checksum is wrong")
        return found

    def archives():
        name = f"{sample.study}/{sample.series}/{sample.sop_instance}.dcm"
        stored = session.get(base, headers={"Accept": DICOM}, timeout=60).content
        for url in (base, f"{server.dicomweb}/studies/{sample.study}/series/{sample.series}",
                    f"{server.dicomweb}/studies/{sample.study}"):
            found = archive(url)
            expect(name in found.namelist(), f"{name} is not in {found.namelist()}")
            equal(found.read(name), stored, url)
            expect(all(each.compress_type == zipfile.ZIP_STORED for each in found.infolist()), "compressed")

    def refused():
        other = session.get(base, headers={"Accept": "application/zip; transfer-syntax=1.2.3"}, timeout=60)
        equal(other.status_code, 406, "a transfer syntax that is none")

    report.check("dicomweb", "study, series and instance as ZIP", archives, "PS3.18 §8.6.1.3")
    report.check("dicomweb", "an archive in an unknown transfer syntax is 406", refused, "PS3.18 §8.7.8")


def check_uri(report, server, session, base, sample):
    uids = [("requestType", "WADO"), ("studyUID", sample.study), ("seriesUID", sample.series),
            ("objectUID", sample.sop_instance)]

    def get(*more, start=uids):
        return session.get(server.dicomweb + "/wado", params=list(start) + list(more), timeout=60)

    def objects():
        stored = session.get(base, headers={"Accept": DICOM}, timeout=60).content
        got = get(("contentType", "application/dicom"), ("transferSyntax", "*"))
        equal((got.status_code, got.content), (200, stored), "the object")
        backwards = get(start=list(reversed(uids + [("contentType", "application/dicom")])))
        equal(backwards.content, stored, "in another order")

    def pictures():
        data = sample.data_set
        default = get()
        equal((default.status_code, default.headers["Content-Type"]), (200, "image/jpeg"), "by default")
        png = get(("contentType", "image/png"))
        same = session.get(base + "/rendered", headers={"Accept": "image/png"}, timeout=60)
        equal(png.content, same.content, "the rendered resource")
        small = get(("contentType", "image/png"), ("rows", "8"), ("columns", "8"))
        also = session.get(base + "/rendered", params={"viewport": "8,8"}, headers={"Accept": "image/png"}, timeout=60)
        equal(small.content, also.content, "rows and columns")
        part = get(("contentType", "image/png"), ("region", "0,0,0.5,0.5"))
        # Pixels that are not square leave one of the two smaller.
        limits = (data.Columns + 1) // 2, (data.Rows + 1) // 2
        sides = [int.from_bytes(part.content[at:at + 4], "big") for at in (16, 20)]
        expect(any(a == b for a, b in zip(sides, limits)) and all(a <= b for a, b in zip(sides, limits)),
               f"a region of {limits} is {sides}")
        windowed = get(("contentType", "image/png"), ("windowCenter", "100"), ("windowWidth", "50"))
        equal(windowed.status_code, 200, "window")

    def refusals():
        for more in ([("rows", "0")], [("rows", "5"), ("rows", "5")], [("windowCenter", "1")], [("region", "0,0,2,1")],
                     [("anonymize", "yes")], [("presentationUID", "1.2.3")], [("imageQuality", "101")],
                     [("contentType", "application/dicom"), ("rows", "5")]):
            equal(get(*more).status_code, 400, str(more))
        equal(get(start=uids[:3]).status_code, 400, "without objectUID")
        equal(get(start=uids[:3] + [("objectUID", "1.2.3.4")]).status_code, 404, "an object that is not there")
        equal(get(("contentType", "video/mpeg")).status_code, 406, "video")
        equal(get(("frameNumber", "2")).status_code, 404, "past the last frame")

    report.check("dicomweb", "WADO-URI gives the object", objects, "PS3.18 §9.4")
    report.check("dicomweb", "WADO-URI gives what the rendered resources give", pictures, "PS3.18 §9.5")
    report.check("dicomweb", "WADO-URI refuses what is malformed or not done", refusals, "PS3.18 §9.1.2")


def check_search(report, server, session, sample):
    def keys():
        data = sample.data_set
        study = [("StudyInstanceUID", sample.study)]
        where = f"{server.dicomweb}/studies/{sample.study}/series/{sample.series}/instances"
        got = session.get(where, params=[("Rows", str(data.Rows)), ("BitsAllocated", str(data.BitsAllocated))], timeout=60)
        uids = [each["00080018"]["Value"][0] for each in got.json()]
        expect(sample.sop_instance in uids, "not found by Rows and BitsAllocated")
        none = session.get(where, params=[("Rows", str(data.Rows + 1)), ("SOPInstanceUID", sample.sop_instance)], timeout=60)
        equal((none.status_code, none.json()), (200, []), "another number of rows")
        full = session.get(where, params=[("includefield", "all"), ("SOPInstanceUID", sample.sop_instance)], timeout=60)
        expect("00280010" in full.json()[0] and "7FE00010" not in full.json()[0], "includefield=all of an instance")
        one = session.get(server.dicomweb + "/studies", params=study + [("includefield", "all")], timeout=60)
        expect("00280010" not in one.json()[0], "includefield=all of a study has attributes of instances")
        equal(session.get(where, params=[("AcquisitionDate", "soon")], timeout=60).status_code, 400, "no date")

    report.check("dicomweb", "keys beyond the index, and includefield=all", keys, "PS3.18 §8.3.4")


def check_capabilities(report, server, session):
    def described():
        answer = session.options(server.dicomweb, timeout=30)
        equal((answer.status_code, answer.headers["Content-Type"]), (200, "application/vnd.sun.wadl+xml"), "WADL")
        root = xml.etree.ElementTree.fromstring(answer.text)
        equal(root.tag, WADL + "application", "root")
        names = {each.get("id") for each in root.iter(WADL + "method")}
        expect({"searchStudies", "retrieveFrames", "storeInstances", "retrieveByURI"} <= names, str(names))
        study = session.options(server.dicomweb + "/studies/1.2.3", headers={"Accept": "application/json"}, timeout=30)
        equal((study.status_code, study.headers["Content-Type"]), (200, "application/json"), "JSON")
        expect({"GET", "POST", "OPTIONS"} <= set(study.headers["Allow"].split(", ")), study.headers["Allow"])
        equal(study.json()["application"]["resources"]["resource"][0]["path"], "studies/{study}", "path")

    report.check("dicomweb", "capabilities by OPTIONS", described, "PS3.18 §8.9")


def check(report, server, backend, samples):
    """`samples` are stored."""
    session = backend.session()
    check_capabilities(report, server, session)
    sample = native(samples)
    if sample is None:
        report.add("dicomweb", "ranges", False, "no native image among the samples", "RFC 9110 §14")
        return
    base = url_of(server, sample)
    check_ranges(report, session, base)
    check_archives(report, server, session, base, sample)
    check_uri(report, server, session, base, sample)
    check_search(report, server, session, sample)

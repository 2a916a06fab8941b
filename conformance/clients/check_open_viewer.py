"""The calls that an open viewer makes from a page of its own origin (OHIF with dicomweb-client.js and a WADO-RS image
loader), replayed: before each, the question that a browser asks (Fetch Standard §4.8); of each answer, what the browser
would let the page read. numpy compares the pixels with what was stored."""

import re
from urllib.parse import urlsplit

import numpy
import requests
from pydicom.encaps import generate_frames

import check_iocm
from report import equal, expect

ORIGIN, OTHER = "https://ohif.example", "https://elsewhere.example"
CLAUSE = "Fetch Standard §3.2"
JSON = "application/dicom+json"
OCTETS = "multipart/related; type=application/octet-stream; transfer-syntax=*"
# What a page may read without being allowed to. Fetch Standard §2.2.2.
SAFE = {"cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma"}


def prepare(server):
    """Lets pages of the viewer's origin call; before the server starts."""
    with open(server.folder / "hilum.yaml", "a") as file:
        file.write(f'cors: {{ origins: ["{ORIGIN}"] }}\n')


class Browser:
    """A page of an origin: each request that is not simple is preceded by a preflight."""

    def __init__(self, server, token, origin=ORIGIN):
        self.server, self.token, self.origin = server, token, origin
        self.session = requests.Session()
        self.session.verify = server.verify
        self.session.trust_env = False

    def preflight(self, method, url, fields):
        """The answer to a browser's question; a browser never sends the token with it."""
        return self.session.options(url, timeout=60, headers={
            "Origin": self.origin, "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": ",".join(sorted(fields))})

    def fetch(self, path, accept, method="GET", **words):
        url = self.server.dicomweb + path
        fields = {"authorization": f"Bearer {self.token}", "accept": accept, **words.pop("fields", {})}
        asked = self.preflight(method, url, fields)
        expect(asked.ok, f"preflight of {path}: {asked.status_code}")
        equal(asked.headers.get("Access-Control-Allow-Origin"), self.origin, f"preflight of {path}: the origin")
        allowed = {name.strip().lower() for name in asked.headers["Access-Control-Allow-Headers"].split(",")}
        expect(set(fields) <= allowed, f"preflight of {path}: {set(fields) - allowed} may not be sent")
        methods = asked.headers["Access-Control-Allow-Methods"].split(", ")
        expect(method in methods, f"preflight of {path}: {methods}")
        answer = self.session.request(method, url, headers={**fields, "Origin": self.origin}, timeout=120, **words)
        equal(answer.headers.get("Access-Control-Allow-Origin"), self.origin, f"{path}: the origin")
        expect("Access-Control-Allow-Credentials" not in answer.headers, f"{path}: cookies would be sent along")
        expect("Origin" in answer.headers.get("Vary", ""), f"{path}: a cache would give it to other origins")
        exposed = {name.strip().lower() for name in answer.headers.get("Access-Control-Expose-Headers", "").split(",")}
        answer.readable = {name.lower(): value for name, value in answer.headers.items()
                           if name.lower() in SAFE | exposed}
        return answer


def parts(answer):
    """The (head, content) of each part, as a page splits them."""
    boundary = re.search(r'boundary="?([^";]+)"?', answer.readable["content-type"]).group(1).encode()
    found = []
    for piece in answer.content.split(b"--" + boundary)[1:-1]:
        head, content = piece.removeprefix(b"\r\n").split(b"\r\n\r\n", 1)
        found.append((head.decode("ascii"), content.removesuffix(b"\r\n")))
    return found


def check_study_list(report, page, sample):
    def studies():
        # The list of studies, then one that is opened by its UID.
        more = "00081030,00080060,00080090"
        listed = page.fetch(f"/studies?limit=101&offset=0&fuzzymatching=false&includefield={more}", JSON)
        equal((listed.status_code, listed.readable["content-type"].split(";")[0]), (200, JSON), "the list")
        one = page.fetch(f"/studies?limit=101&offset=0&fuzzymatching=false&includefield={more}"
                         f"&StudyInstanceUID={sample.study}", JSON).json()
        equal([each["0020000D"]["Value"][0] for each in one], [sample.study], "the study")
        for tag in ("00080020", "00080061", "00100010", "00100020", "00201206", "00201208"):
            expect(tag in one[0], f"the study has no {tag}")
        patient = sample.data_set.PatientID
        # By the first thousand: other checks store studies of the same patient.
        prior = page.fetch(f"/studies?limit=1000&offset=0&fuzzymatching=true&PatientID={patient}", JSON)
        expect(sample.study in [each["0020000D"]["Value"][0] for each in prior.json()], "not among the patient's")

    def series():
        found = page.fetch(f"/studies/{sample.study}/series?includefield=00080021,00080031,0008103E,00200011", JSON)
        equal([each["0020000E"]["Value"][0] for each in found.json()], [sample.series], "the series")
        for tag in ("00080060", "00201209"):
            expect(tag in found.json()[0], f"the series has no {tag}")

    def metadata():
        found = page.fetch(f"/studies/{sample.study}/series/{sample.series}/metadata", JSON).json()[0]
        for keyword in ("Rows", "Columns", "BitsAllocated", "PixelRepresentation", "SamplesPerPixel"):
            tag = f"{int(sample.data_set[keyword].tag):08X}"
            equal(found[tag]["Value"][0], sample.data_set[keyword].value, keyword)
        expect("BulkDataURI" in found["7FE00010"], "the pixels have no address")

    report.check("open-viewer", "the list of studies, one study, and priors of its patient", studies, "PS3.18 §10.6")
    report.check("open-viewer", "the series of a study with what the list shows", series, "PS3.18 §10.6")
    report.check("open-viewer", "the metadata of a series describes its pixels", metadata, "PS3.18 §10.4.1.1.2")


def check_images(report, page, sample, base):
    def frames():
        answer = page.fetch(f"{base}/frames/1", OCTETS)
        equal(answer.status_code, 200, "a frame")
        (head, content), = parts(answer)
        expect("application/octet-stream" in head and "1.2.840.10008.1.2.1" in head, head)
        data = sample.data_set
        shape = (data.Rows, data.Columns) if data.SamplesPerPixel == 1 else (data.Rows, data.Columns, data.SamplesPerPixel)
        dtype = f"<{'i' if data.PixelRepresentation else 'u'}{data.BitsAllocated // 8}"
        found = numpy.frombuffer(content[:int(numpy.prod(shape)) * data.BitsAllocated // 8], dtype).reshape(shape)
        expect((found == numpy.frombuffer(data.PixelData[:found.nbytes], dtype).reshape(shape)).all(), "other values")

    def bulk():
        found = page.fetch(f"{base}/metadata", JSON).json()[0]["7FE00010"]["BulkDataURI"]
        path = urlsplit(found).path.removeprefix(urlsplit(page.server.dicomweb).path)
        answer = page.fetch(path, "multipart/related; type=application/octet-stream")
        equal(parts(answer)[0][1], sample.data_set.PixelData, "the value that the metadata names")

    def pictures():
        for path, accept, start in (("/thumbnail", "image/jpeg", b"\xff\xd8"), ("/rendered", "image/jpeg", b"\xff\xd8"),
                                    ("/frames/1/rendered", "image/png", b"\x89PNG")):
            answer = page.fetch(base + path, accept)
            equal((answer.status_code, answer.readable["content-type"]), (200, accept), path)
            expect(answer.content.startswith(start), f"{path}: {answer.content[:8]}")

    def again():
        first = page.fetch(base, "application/dicom; transfer-syntax=*")
        tag = first.readable["etag"]
        same = page.fetch(base, "application/dicom; transfer-syntax=*", fields={"if-none-match": tag})
        equal((same.status_code, same.content), (304, b""), "If-None-Match")
        some = page.fetch(base, "application/dicom; transfer-syntax=*", fields={"range": "bytes=128-131"})
        equal((some.status_code, some.content, some.readable["content-range"][:14]), (206, b"DICM", "bytes 128-131/"),
              "a range")

    report.check("open-viewer", "a frame as it is stored, by the unquoted type of the loader", frames, "PS3.18 §8.7.3.5")
    report.check("open-viewer", "the pixels by the address in the metadata", bulk, "PS3.18 §10.4.3.3.2")
    report.check("open-viewer", "thumbnail and rendered images", pictures, "PS3.18 §10.4.1.1.3")
    report.check("open-viewer", "conditions and ranges, whose fields the page may read", again, CLAUSE)


def check_compressed(report, page, samples):
    """Frames of compressed images as they are stored, which the viewer's own codecs read."""
    def frames():
        for sample in samples:
            path = f"/studies/{sample.study}/series/{sample.series}/instances/{sample.sop_instance}/frames/1"
            answer = page.fetch(path, OCTETS)
            equal(answer.status_code, 200, sample.name)
            (head, content), = parts(answer)
            expect(f"transfer-syntax={sample.transfer_syntax}" in head, f"{sample.name}: {head}")
            wanted = next(generate_frames(
                sample.data_set.PixelData, number_of_frames=int(sample.data_set.get("NumberOfFrames") or 1)))
            # A byte that makes it even may be there or not.
            equal(content[:len(wanted) - 1], wanted[:-1], sample.name)

    report.check("open-viewer", f"frames of {len(samples)} compressed images as they are stored", frames, "PS3.18 §8.7.3.3")


def check_refusals(report, page, other, base):
    def elsewhere():
        asked = other.preflight("GET", other.server.dicomweb + base, {"authorization": "", "accept": ""})
        equal((asked.status_code, asked.headers.get("Access-Control-Allow-Origin")), (403, None), "the preflight")
        answer = other.session.get(other.server.dicomweb + "/studies?limit=1", timeout=60, headers={
            "Origin": OTHER, "Authorization": f"Bearer {other.token}", "Accept": JSON})
        equal(answer.headers.get("Access-Control-Allow-Origin"), None, "what a page of elsewhere may read")

    def errors():
        # What is refused is readable, so that the viewer can say why.
        for path, accept, status in ((base + "/frames/100000", OCTETS, 404), (base, "image/x-none", 406),
                                     ("/studies?StudyDate=yesterday", JSON, 400)):
            answer = page.fetch(path, accept)
            equal(answer.status_code, status, path)
            expect(answer.text, f"{path}: no words")
        nobody = Browser(page.server, "none").fetch("/studies?limit=1", JSON)
        equal((nobody.status_code, "www-authenticate" in nobody.readable), (401, True), "without a good token")

    report.check("open-viewer", "a page of elsewhere is told nothing", elsewhere, CLAUSE)
    report.check("open-viewer", "the page can read why something is refused", errors, CLAUSE)


def check_store(report, page, sample):
    def store():
        body = b"--page\r\nContent-Type: application/dicom\r\n\r\n" + sample.data + b"\r\n--page--\r\n"
        answer = page.fetch("/studies", JSON, "POST", data=body, fields={
            "content-type": 'multipart/related; type="application/dicom"; boundary=page'})
        equal(answer.status_code, 200, answer.text[:300])

    return report.check("open-viewer", "an image is stored from the page", store, "PS3.18 §10.5")


def check(report, server, backend, samples, files):
    """`samples` are stored; `files` are those of ``dicom_files.test_files``."""
    token = backend.bearer()
    page, other = Browser(server, token), Browser(server, token, OTHER)
    sample = check_iocm.ct(files, "open-viewer")
    if not check_store(report, page, sample):
        return
    base = f"/studies/{sample.study}/series/{sample.series}/instances/{sample.sop_instance}"
    check_study_list(report, page, sample)
    check_images(report, page, sample, base)
    # The first of each syntax; all of them are compared, decoded, in check_transcode.py.
    by_syntax = {str(each.transfer_syntax): each for each in reversed(samples)
                 if each.transfer_syntax.is_encapsulated and "PixelData" in each.data_set}
    check_compressed(report, page, list(by_syntax.values()))
    check_refusals(report, page, other, base)

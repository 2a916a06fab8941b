#!/usr/bin/env python3
"""A series as one multipart answer, from Hilum and from Debian's Orthanc, in turn in one run.

    make series                       100 and 500 CT images, both over HTTP on loopback
    make series SERIES="--sizes 50"

Each answer is read to its end and its parts are counted; the first of each is not counted. Writes SERIES.md.
"""

import argparse
import contextlib
import datetime
import http.client
import io
import json
import os
import pathlib
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from urllib.parse import urlsplit

import numpy
import pydicom
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "conformance" / "clients"))
from hilum_server import HilumServer  # noqa: E402
from smart import BackendClient  # noqa: E402

PLUGIN = pathlib.Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
BOUNDARY = "hilum-series"


def ct_series(count):
    """Part 10 files of one series: 512 x 512, 16 bit, noise, so that nothing in it compresses."""
    study, series = generate_uid(), generate_uid()
    noise = numpy.random.default_rng(7)
    files = []
    for number in range(1, count + 1):
        image = pydicom.Dataset()
        image.SOPClassUID, image.SOPInstanceUID = CTImageStorage, generate_uid()
        image.StudyInstanceUID, image.SeriesInstanceUID = study, series
        image.PatientID, image.PatientName, image.Modality = "S1", "SERIES^ONE", "CT"
        image.StudyDate, image.StudyTime, image.StudyID, image.AccessionNumber = "20260102", "0800", "1", ""
        image.SeriesNumber, image.InstanceNumber = 1, number
        image.Rows = image.Columns = 512
        image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
        image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 16, 15, 0
        image.PixelData = noise.integers(0, 1 << 16, 512 * 512, dtype=numpy.uint16).tobytes()
        image.file_meta = pydicom.dataset.FileMetaDataset()
        image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        image.file_meta.MediaStorageSOPClassUID = CTImageStorage
        image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
        buffer = io.BytesIO()
        image.save_as(buffer, enforce_file_format=True)
        files.append(buffer.getvalue())
    return study, series, files


class Door:
    """One connection to a DICOMweb server."""

    def __init__(self, base, headers=None):
        parts = urlsplit(base)
        self.path, self.headers = parts.path, headers or {}
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=120)

    def ask(self, method, path, body=None, headers=None):
        fields = {**self.headers, **(headers or {})}
        try:
            self.connection.request(method, self.path + path, body, fields)
            answer = self.connection.getresponse()
        except http.client.RemoteDisconnected:
            # A connection that was idle while others were asked may be closed (RFC 9112 section 9.3.1).
            self.connection.close()
            self.connection.request(method, self.path + path, body, fields)
            answer = self.connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path} was answered {answer.status}: {content[:300]!r}")
        return content

    def store(self, files):
        """STOW-RS, ten objects a request."""
        for start in range(0, len(files), 10):
            body = b"".join(
                b"--%s\r\nContent-Type: application/dicom\r\n\r\n%s\r\n" % (BOUNDARY.encode(), file)
                for file in files[start : start + 10]
            ) + b"--%s--\r\n" % BOUNDARY.encode()
            kind = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
            self.ask("POST", "/studies", body, {"Content-Type": kind, "Accept": "application/dicom+json"})

    def series(self, study, series, count):
        """Milliseconds until the last byte of all instances of a series."""
        begun = time.perf_counter()
        content = self.ask(
            "GET", f"/studies/{study}/series/{series}",
            headers={"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'},
        )
        taken = (time.perf_counter() - begun) * 1000
        if (found := content.count(b"DICM\x02\x00\x00\x00UL")) != count:
            raise SystemExit(f"{found} parts instead of {count}")
        return taken


@contextlib.contextmanager
def orthanc_process(folder, plugins=(), **settings):
    """Debian's Orthanc with its DICOMweb plugin, and others; gives the base of DICOMweb and the process."""
    if not PLUGIN.exists():
        raise SystemExit("Orthanc with its DICOMweb plugin is missing: docker/setup.sh bench installs it")
    folder.mkdir()
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    (folder / "orthanc.json").write_text(json.dumps({
        "StorageDirectory": str(folder / "storage"), "IndexDirectory": str(folder / "index"), "HttpPort": port,
        "DicomServerEnabled": False, "RemoteAccessAllowed": False, "AuthenticationEnabled": False,
        "Plugins": [str(each) for each in (PLUGIN, *plugins)], "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        **settings,
    }))
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(["Orthanc", str(folder / "orthanc.json")], stdout=log, stderr=log)
    try:
        base = f"http://127.0.0.1:{port}/dicom-web"
        for _ in range(200):
            with contextlib.suppress(OSError):
                Door(base).ask("GET", "/studies?limit=1", headers={"Accept": "application/dicom+json"})
                break
            time.sleep(0.1)
        else:
            raise SystemExit((folder / "log").read_text()[-2000:])
        yield base, process
    finally:
        process.terminate()
        process.wait(20)


@contextlib.contextmanager
def orthanc(folder):
    """Gives the base of DICOMweb alone."""
    with orthanc_process(folder) as (base, _):
        yield base


@contextlib.contextmanager
def hilum(folder, *options):
    """Hilum in clear text on loopback; gives the base of DICOMweb and the headers of a client."""
    server = HilumServer(folder, options=["--plain-loopback"])
    server.command("init", folder, "--http-port", 0, "--dimse-port", 0, "--mllp-port", 0, *options)
    server.start()
    try:
        client = BackendClient(server, "series", "ES384", "system/*.cruds", folder.parent)
        yield server.dicomweb, {"Authorization": f"Bearer {client.bearer()}"}
    finally:
        server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="100,500", help="images of a series, joined by commas")
    parser.add_argument("--rounds", type=int, default=15, help="answers of each server that count")
    parser.add_argument("--out", default=str(ROOT / "conformance" / "bench" / "SERIES.md"))
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="hilum-series-") as name:
        folder = pathlib.Path(name)
        with orthanc(folder / "orthanc") as base, hilum(folder / "sealed") as sealed, \
                hilum(folder / "plain", "--no-encryption") as plain:
            doors = {
                "Orthanc": Door(base), "Hilum, encrypted at rest": Door(*sealed),
                "Hilum, not encrypted": Door(*plain),
            }
            for count in map(int, options.sizes.split(",")):
                study, series, files = ct_series(count)
                print(f"{count} images of {len(files[0])} bytes: storing", file=sys.stderr, flush=True)
                for door in doors.values():
                    door.store(files)
                times = {title: [] for title in doors}
                for number in range(options.rounds + 1):
                    for title, door in doors.items():
                        taken = door.series(study, series, count)
                        if number:
                            times[title].append(taken)
                other = statistics.median(times["Orthanc"])
                for title, found in times.items():
                    middle = statistics.median(found)
                    rows.append((count, title, middle, min(found), max(found), other / middle))
    version = subprocess.run(["Orthanc", "--version"], capture_output=True, text=True).stdout.splitlines()[0]
    text = "\n".join([
        "# A series as one answer", "",
        "Written by `make series`: WADO-RS of all instances of a series as one `multipart/related` answer, over HTTP on "
        f"loopback, one connection, the servers in turn in one run; {options.rounds} answers of each, the first one "
        "before them not counted.", "",
        f"- Date: {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}",
        f"- Machine: {os.cpu_count()} cores, {platform.machine()}; {version}, Debian's, with its DICOMweb plugin", "",
        "| images of 525 KB | server | median, ms | least | most | as fast as Orthanc, times |", "|---:|---|---:|---:|---:|---:|",
        *(f"| {c} | {t} | {m:.0f} | {a:.0f} | {b:.0f} | {r:.2f} |" for c, t, m, a, b, r in rows), "",
    ])
    pathlib.Path(options.out).write_text(text)
    print(text)


if __name__ == "__main__":
    main()

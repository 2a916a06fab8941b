#!/usr/bin/env python3
"""Images by DICOMweb: rendered frames, thumbnails, images in another transfer syntax, instances, a series and its metadata,
and one object of 2 GB; from Hilum and Debian's Orthanc, and the same bytes as files from nginx as bound, in turn in one run.

    make images                       about 15 minutes, over HTTP on loopback
    make images IMAGES="--seconds 2 --rounds 1 --large-mb 200"

Each kind of answer is looked at once before it is measured: a picture opens and has its size, a file has the transfer
syntax and the values that it should have. What a server does not do stands in the table as such. Writes IMAGES.md, and
the figures as JSON beside it in .build-tools/bench.
"""

import argparse
import contextlib
import datetime
import io
import json
import os
import pathlib
import platform
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import measuring
import PIL.Image
import pydicom
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless

import image_files
import series
import web_servers
from web_servers import Reader, Refused

ROOT = pathlib.Path(__file__).resolve().parents[2]
ANY = 'multipart/related; type="application/dicom"; transfer-syntax=*'
EXPLICIT = f'multipart/related; type="application/dicom"; transfer-syntax={ExplicitVRLittleEndian}'
BOUNDARY = "hilum-images"
NGINX, OTHER = "nginx, the same bytes as files", "Orthanc"


class Ask:
    """One kind of request: what it is called, its paths (one a picture or object), and who looks at an answer."""

    def __init__(self, name, accept, images, suffix, check, others_suffix=None):
        self.name, self.accept, self.images, self.check = name, accept, images, check
        self.file = re.sub(r"\W+", "-", name)
        self.suffix, self.others_suffix = suffix, others_suffix or suffix

    def paths(self, server):
        """Of the bound they are the names of files that `lay` has written."""
        if server.name == NGINX:
            return [f"/{self.file}-{number}" for number in range(len(self.images))]
        suffix = self.others_suffix if server.name == OTHER else self.suffix
        return [image.path + suffix for image in self.images]


def picture(side=None):
    """Looks at a rendered frame of its own size, or at one that fits into a square."""
    def check(content, image):
        found = PIL.Image.open(io.BytesIO(content))
        found.load()
        wanted = (image.columns, image.rows)
        if side:
            wanted = tuple(max(1, round(each * side / max(wanted))) for each in wanted)
        if any(abs(a - b) > 1 for a, b in zip(found.size, wanted)):
            raise Refused(f"a picture of {found.size[0]} x {found.size[1]}, not {wanted[0]} x {wanted[1]}")
    return check


def dicom_file(syntax):
    """Looks at a multipart answer of one file in a transfer syntax."""
    def check(content, image):
        at = content.find(b"DICM")
        if at < 128:
            raise Refused("no file within the answer")
        found = pydicom.dcmread(io.BytesIO(content[at - 128:]), stop_before_pixels=True)
        if found.file_meta.TransferSyntaxUID != syntax:
            raise Refused(f"sent as {found.file_meta.TransferSyntaxUID.name}")
        if syntax == ExplicitVRLittleEndian and image.pixels not in content:
            raise Refused("other values than were stored")
    return check


def asks(ct, cr, jpeg_ls, jpeg_2000):
    """What is asked for over and over. Orthanc's plugin has no thumbnails: it is asked for pictures of their size."""
    some = ct[:100]
    return [
        Ask("rendered, CT 512 x 512 to JPEG", "image/jpeg", some, "/frames/1/rendered?window=40,400,linear", picture()),
        Ask("rendered, CR 2048 x 2500 to JPEG", "image/jpeg", cr, "/frames/1/rendered?window=2048,4096,linear", picture()),
        Ask("thumbnail of a CT, 128 x 128", "image/jpeg", some, "/thumbnail?viewport=128,128", picture(128),
            "/rendered?viewport=128,128"),
        Ask("CT from JPEG-LS to Explicit VR Little Endian", EXPLICIT, jpeg_ls, "", dicom_file(ExplicitVRLittleEndian)),
        Ask("CT from JPEG 2000 to Explicit VR Little Endian", EXPLICIT, jpeg_2000, "", dicom_file(ExplicitVRLittleEndian)),
        Ask("instance, CT of 525 KB as stored", ANY, some, "", dicom_file(ExplicitVRLittleEndian)),
    ]


class Figures:
    """What was found, a row for each kind of request and server."""

    def __init__(self, minutes):
        self.rows, self.end = [], time.monotonic() + minutes * 60

    def row(self, what, server, unit):
        for row in self.rows:
            if (row["what"], row["server"], row["unit"]) == (what, server, unit):
                return row
        self.rows.append({"what": what, "server": server, "unit": unit, "values": [], "first_ms": [], "peak_mib": None,
                          "refused": None})
        return self.rows[-1]

    def take(self, row, work):
        """Adds what `work` finds, unless the server has refused before or the time is over."""
        if row["refused"]:
            return
        if time.monotonic() > self.end:
            row["refused"] = row["refused"] or (None if row["values"] else "not measured, the time was over")
            return
        measuring.progress(f"{row['what']}: {row['server']}")
        try:
            work(row)
        except (Refused, OSError, subprocess.TimeoutExpired) as refusal:
            row["refused"] = " ".join(str(refusal).split())[:200]

    def close(self):
        """Medians, and what they are beside the bound and Orthanc; more is better but for times."""
        for row in self.rows:
            row["median"] = statistics.median(row["values"]) if row["values"] else None
            row["first_median_ms"] = statistics.median(row["first_ms"]) if row["first_ms"] else None
        for row in self.rows:
            for name, word in ((NGINX, "of_bound"), (OTHER, "of_orthanc")):
                other = next((each["median"] for each in self.rows if each["server"] == name
                              and (each["what"], each["unit"]) == (row["what"], row["unit"])), None)
                row[word] = None
                if other and row["median"]:
                    row[word] = other / row["median"] if row["unit"] == "ms" else row["median"] / other


def lay(server, ask, root):
    """Writes what a server answers as files for the bound."""
    reader = Reader(server)
    for path, name in zip(ask.paths(server), ask.paths(web_servers.WebServer(NGINX, "", None))):
        (root / name[1:]).write_bytes(reader.whole(path, ask.accept))
    reader.close()


def over_and_over(given, figures, every, servers, folder):
    """Requests a second of some connections, and one at a time how long the first byte takes."""
    for ask in every:
        for server in servers:
            def look(row, server=server, ask=ask):
                reader = Reader(server)
                try:
                    if server.name != NGINX:
                        ask.check(reader.whole(ask.paths(server)[0], ask.accept), ask.images[0])
                    for path in (ask.paths(server) * 20)[:20]:
                        row["first_ms"].append(reader.read(path, ask.accept)[0])
                finally:
                    reader.close()
            figures.take(figures.row(ask.name, server.name, "a second"), look)
        for _ in range(given.rounds):
            for server in servers:
                figures.take(
                    figures.row(ask.name, server.name, "a second"),
                    lambda row, server=server, ask=ask: row["values"].append(web_servers.wrk(
                        server, ask.paths(server), ask.accept, given.seconds, given.connections, folder)))


def whole_answers(given, figures, servers, ct, root, plain):
    """A series as one answer, and its metadata: milliseconds to the last byte, one at a time."""
    where = f"/studies/{ct[0].study}/series/{ct[0].series}"
    for what, path, accept, name in (
            (f"series of {len(ct)} CT as one multipart answer", where, ANY, "series"),
            (f"metadata of a series of {len(ct)}", where + "/metadata", "application/dicom+json", "metadata")):
        with contextlib.closing(Reader(plain)) as reader, contextlib.suppress(Refused):
            (root / name).write_bytes(reader.whole(path, accept))
        sizes = {}
        for number in range(given.answers + 1):
            for server in servers:
                def once(row, server=server, path=path, accept=accept, number=number, what=what):
                    with contextlib.closing(Reader(server)) as reader:
                        at = f"/{name}" if server.name == NGINX else path
                        if not number:
                            content = reader.whole(at, accept)
                            count = len(json.loads(content)) if name == "metadata" else content.count(b"DICM\x02\x00\x00\x00UL")
                            if count != len(ct):
                                raise Refused(f"{count} of {len(ct)} instances")
                            sizes[server.name] = len(content)
                            server.forget_peak()
                            return
                        first, last, size = reader.read(at, accept)
                        # The answers of a server differ in their boundary at most.
                        if abs(size - sizes[server.name]) > 200 * len(ct):
                            raise Refused(f"{size} bytes after {sizes[server.name]}")
                        row["values"].append(last)
                        row["first_ms"].append(first)
                        if server.name != NGINX:
                            row["peak_mib"] = measuring.peak_mib(server)
                figures.take(figures.row(what, server.name, "ms"), once)


def one_large(given, figures, folder):
    """An object of about `--large-mb`, in and out; each server by itself, so that its memory and disk are its own."""
    if not given.large_mb:
        return
    source = folder / "large.dcm"
    measuring.progress("writing the large object")
    path, length = image_files.large(source, given.large_mb * 1_000_000)
    into, out = (f"one object of {length / 1e9:.1f} GB, {word}" for word in ("stored by STOW-RS", "retrieved"))
    unit, single = "MB/s", "application/dicom; transfer-syntax=*"

    def store(row, server):
        opening = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        closing = f"\r\n--{BOUNDARY}--\r\n".encode()

        def parts(file):
            yield opening
            while block := file.read(1 << 20):
                yield block
            yield closing

        with open(source, "rb") as file, contextlib.closing(Reader(server)) as reader:
            seconds = reader.send("/studies", f'multipart/related; type="application/dicom"; boundary={BOUNDARY}',
                                  parts(file), len(opening) + length + len(closing))
        row["values"].append(length / 1e6 / seconds)
        row["peak_mib"] = measuring.peak_mib(server)

    def retrieve(row, server, at, accept):
        with contextlib.closing(Reader(server)) as reader:
            first, last, size = reader.read(at, accept)
        if size < length:
            raise Refused(f"{size} of {length} bytes")
        row["values"].append(length / 1e6 / (last / 1000))
        row["first_ms"].append(first)
        if server.name != NGINX:
            row["peak_mib"] = measuring.peak_mib(server)

    begin = [
        lambda at: web_servers.nginx(at), lambda at: web_servers.orthanc(at),
        lambda at: web_servers.hilum("Hilum, encrypted at rest", at),
        lambda at: web_servers.hilum("Hilum, not encrypted", at, "--no-encryption")]
    for number, start in enumerate(begin):
        with tempfile.TemporaryDirectory(prefix="large-", dir=folder) as name, \
                start(pathlib.Path(name) / f"large{number}") as server:
            is_bound = server.name == NGINX
            if is_bound:
                (pathlib.Path(name) / f"large{number}" / "root" / "large").symlink_to(source)
            else:
                server.forget_peak()
                row = figures.row(into, server.name, unit)
                figures.take(row, lambda row: store(row, server))
                if row["refused"]:
                    figures.row(out, server.name, unit)["refused"] = "it was not stored"
                    continue
                server.forget_peak()
            for _ in range(given.rounds):
                # Orthanc's plugin answers in parts alone.
                accept = ANY if server.name == OTHER else single
                figures.take(figures.row(out, server.name, unit),
                             lambda row: retrieve(row, server, "/large" if is_bound else path, accept))


def machine(given):
    """Facts of the machine and the versions of what is compared."""
    def words(*command):
        with contextlib.suppress(OSError, IndexError):
            done = subprocess.run(command, capture_output=True, text=True)
            return (done.stdout + done.stderr).strip().splitlines()[0]
        return f"{command[0]}: none"

    cpu = next((line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    gdcm = "with GDCM for JPEG 2000" if web_servers.GDCM.exists() else "without a decoder for JPEG 2000"
    return {
        "date": f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}", "processor": cpu, "cores": os.cpu_count(),
        "memory_gib": round(memory), "kernel": platform.release(), "load": round(os.getloadavg()[0], 1),
        "orthanc": f"{words('Orthanc', '--version')}, Debian's, with its DICOMweb plugin, {gdcm}",
        "nginx": words("nginx", "-v"), "note": given.note or ""}


def text(given, about, rows):
    def number(value, digits=0):
        return "-" if value is None else f"{value:.{digits}f}"

    lines = []
    for row in rows:
        spread = "-" if row["median"] is None else f"{min(row['values']):.0f} to {max(row['values']):.0f}"
        middle = "; ".join(filter(None, (None if row["median"] is None else number(row["median"]), row["refused"]))) or "-"
        lines.append(
            f"| {row['what']} | {row['server']} | {middle.replace('|', '/')} | {spread} | {row['unit']} | "
            f"{number(row['of_bound'], 2)} | {number(row['of_orthanc'], 2)} | {number(row['first_median_ms'], 2)} | "
            f"{number(row['peak_mib'])} |")
    return "\n".join([
        "# Images by DICOMweb beside Orthanc and nginx", "",
        f"Written by `make images`: HTTP without TLS on loopback, the servers in turn in one run; {given.rounds} rounds of "
        f"{given.seconds} s with {given.connections} connections by wrk where the unit is \"a second\", else one answer after "
        f"the other ({given.answers} of each; the first one before them not counted; {given.rounds} of the large object). "
        "Times are told until the last byte; first bytes are those of the body, one request at a time, the median.", "",
        f"- Date: {about['date']}",
        f"- Machine: {about['processor']}, {about['cores']} cores, {about['memory_gib']} GiB, Linux {about['kernel']}, load "
        f"{about['load']} at the start{', ' + about['note'] if about['note'] else ''}; clients and servers share the cores",
        f"- {about['orthanc']}; {about['nginx']}", "",
        "| what | server | median | least to most | unit | to the bound | to Orthanc | first byte, ms | peak memory, MiB |",
        "|---|---|---:|---:|---|---:|---:|---:|---:|", *lines, "",
        "Ratios above 1 are faster. The bound sends what Hilum has answered, as a file that is in memory, and makes, reads or "
        "checks nothing: of pictures and of images in another transfer syntax it says what the wire and the client allow, and "
        "no more. Pictures are JPEG of quality as each server has it by default, of the same window. Orthanc's plugin has no "
        "thumbnails; it is asked for pictures of 128 x 128. Peak memory is the most that was resident in the process while it "
        "was asked for this. Hilum checks a token for each request, and has an audit row before the "
        "first of those that it counts as one event (decision 0065).", ""])


def work():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=500, help="CT of the series")
    parser.add_argument("--seconds", type=int, default=4, help="of a round")
    parser.add_argument("--rounds", type=int, default=3, help="rounds that count")
    parser.add_argument("--answers", type=int, default=7, help="of a series and of its metadata, that count")
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--large-mb", type=int, default=2000, help="10^6 bytes of the large object; 0 leaves it out")
    parser.add_argument("--minutes", type=float, default=30, help="what is not begun by then is left out")
    parser.add_argument("--note", help="said of the machine, such as that it is busy")
    parser.add_argument("--out", default=str(ROOT / "conformance" / "bench" / "IMAGES.md"))
    parser.add_argument("--json", default=str(ROOT / ".build-tools" / "bench" / "images.json"))
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    about, figures = machine(given), Figures(given.minutes)
    measuring.progress("making images")
    ct, cr = image_files.series(given.images), image_files.series(8, "CR")
    jpeg_ls, jpeg_2000 = (image_files.series(50, syntax=each) for each in (JPEGLSLossless, JPEG2000Lossless))
    every = asks(ct, cr, jpeg_ls, jpeg_2000)
    with tempfile.TemporaryDirectory(prefix="hilum-images-") as name:
        folder = pathlib.Path(name)
        with web_servers.nginx(folder / "nginx") as nginx, web_servers.orthanc(folder / "orthanc") as orthanc, \
                web_servers.hilum("Hilum, encrypted at rest", folder / "sealed") as sealed, \
                web_servers.hilum("Hilum, not encrypted", folder / "plain", "--no-encryption") as plain:
            for server in (orthanc, sealed, plain):
                measuring.progress(f"storing: {server.name}")
                door = series.Door(server.base, server.headers())
                door.store([image.file for group in (ct, cr, jpeg_ls, jpeg_2000) for image in group])
                door.connection.close()
            # Until studies are published and nothing else is done.
            time.sleep(10)
            root = folder / "nginx" / "root"
            for ask in every:
                # What is refused is told of each server; the bound has no file then.
                with contextlib.suppress(Refused):
                    lay(plain, ask, root)
            servers = [nginx, orthanc, sealed, plain]
            over_and_over(given, figures, every, servers, folder)
            whole_answers(given, figures, servers, ct, root, plain)
        one_large(given, figures, folder)
    figures.close()
    page = text(given, about, figures.rows)
    pathlib.Path(given.out).write_text(page)
    out = pathlib.Path(given.json)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"machine": about, "rows": figures.rows}, indent=1) + "\n")
    measuring.progress()
    print(page)
    if any(row["refused"] and row["server"].startswith("Hilum") for row in figures.rows):
        print("Hilum refused some of it, see the table", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    measuring.main(work)

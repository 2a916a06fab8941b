"""Hostile peers and failing systems against a Hilum of its own, each beside good clients of every door.

Every case has a server of its own, runs for seconds, and ends with: the server lives, the good clients were served, each
object that was acknowledged to them reads back, and what the case itself promises. Only loopback (127.0.0.0/8).
"""

import argparse
import contextlib
import ctypes
import errno
import io
import os
import pathlib
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from urllib.parse import urlsplit

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "clients"), str(HERE.parent / "crash"), str(HERE)]

import hilum_server  # noqa: E402
import ledger  # noqa: E402
import slow  # noqa: E402
import smart  # noqa: E402
from good import DOORS, Measure  # noqa: E402
from hilum_server import BINARY, HilumServer, ServerError  # noqa: E402
from smart import BackendClient  # noqa: E402

MIB = 1 << 20


class Server(HilumServer):
    """With a limit of descriptors and an environment of its own."""

    nofile, environment = None, {}

    def start(self, timeout=60):
        real, nofile, extra = subprocess.Popen, self.nofile, self.environment

        def popen(*words, **options):
            if nofile:
                options["preexec_fn"] = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (nofile, nofile))
            options["env"] = {**options["env"], **extra}
            return real(*words, **options)

        hilum_server.subprocess.Popen = popen
        try:
            return super().start(timeout)
        finally:
            hilum_server.subprocess.Popen = real

    def where(self):
        return {"http": urlsplit(self.http).port, "mllp": self.mllp["port"], "dimse": self.dimse["port"],
                "tls": self.http.startswith("https"), "ca": self.ca}

    def metric(self, name):
        """The sum of a metric's series."""
        connection = slow.http.client.HTTPConnection("127.0.0.1", urlsplit(self.http).port, timeout=10)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))

    def peak_mib(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024


class Case:
    """One case: its server, its good clients, and its findings."""

    def __init__(self, name, tls=False, nofile=None, environment=None, limits="", folder=None):
        self.name, self.findings, self.notes = name, [], []
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix=f"hilum-hostile-{name}."))
        self.server = Server(self.folder / "hilum", log=self.folder.with_suffix(".log"),
                             options=[] if tls else ["--plain-loopback"])
        self.server.nofile, self.server.environment = nofile, environment or {}
        self.limits, self.measures = limits, []

    def __enter__(self):
        self.server.init()
        self.server.add_ae("GOOD", may="store,echo")
        self.server.add_sender("GOOD", "G", may="adt")
        if self.limits:
            settings = self.server.folder / "hilum.yaml"
            settings.write_text(settings.read_text() + f"limits: {{ {self.limits} }}\n")
        self.client = BackendClient(self.server, "reader", "ES384", "system/*.rs system/*.cruds", self.folder)
        self.server.start()
        return self

    def __exit__(self, kind, error, trace):
        with contextlib.suppress(Exception):
            if self.server.is_running():
                self.server.kill()
        if kind is None and all(ok for ok, _ in self.findings):
            self.folder.with_suffix(".log").unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def good(self, prefix):
        measure = Measure(self.server.where(), f"{self.name}-{prefix}-")
        self.measures.append(measure)
        return measure

    def expect(self, ok, text):
        self.findings.append((bool(ok), text))
        if not ok:
            print(f"   {self.name}: NOT {text}")

    def note(self, text):
        self.notes.append(text)

    def end(self, share=1.0, doors=DOORS, restarted=True):
        """Common findings: alive, good clients served, acknowledged objects read back, a clean stop."""
        self.expect(self.server.is_running(), "the server lives")
        if not self.server.is_running():
            return
        for door in doors:
            served = [measure.succeeded(door) for measure in self.measures]
            good, all_of = sum(s[0] for s in served), sum(s[1] for s in served)
            self.expect(all_of and good >= share * all_of, f"good {door} clients are served: {good} of {all_of}")
        for measure in self.measures:
            for failure in measure.failures()[:3]:
                self.note(failure)
        stored = [item for measure in self.measures for item in measure.stored()]
        lost = [item for item in stored if not self.reads_back(item)]
        self.expect(not lost, f"each of {len(stored)} acknowledged objects reads back ({len(lost)} lost)")
        if restarted:
            self.expect(self.server.stop() == 0, "SIGTERM ends it with 0")

    def reads_back(self, item):
        data = ledger.instance(item)
        path = f"/studies/{data.StudyInstanceUID}/series/{data.SeriesInstanceUID}/instances/{data.SOPInstanceUID}"
        answer = self.client.session().get(
            self.server.dicomweb + path, headers={"Accept": "application/dicom; transfer-syntax=*"}, timeout=20)
        return answer.status_code == 200 and ledger.after_meta(answer.content) == ledger.after_meta(ledger.part10(data))

    def row(self):
        ok = all(ok for ok, _ in self.findings)
        served = "; ".join(
            f"{door} {sum(m.succeeded(door)[0] for m in self.measures)}/{sum(m.succeeded(door)[1] for m in self.measures)}"
            f" in {slowest(self.measures, door)} ms" for door in DOORS)
        return f"| {self.name} | {served} | {'; '.join(self.notes[:4]) or '-'} | {'yes' if ok else 'NO'} |"


def slowest(measures, door):
    """The 95th percentile over all measures of those that succeeded, in milliseconds."""
    times = sorted(item[2] for measure in measures for item in measure.of(door) if item[3] is None)
    return f"{times[int(len(times) * 0.95)] * 1e3:.0f}" if times else "-"


def connect(port, source="127.0.0.1", timeout=2):
    return socket.create_connection(("127.0.0.1", port), timeout=timeout, source_address=(source, 0))


class Held:
    """Connections that are held open, and how long each lived."""

    def __init__(self):
        self.open, self.lived, self.refused = [], [], 0
        self.stopped = threading.Event()

    def add(self, port, source, first=b"", timeout=2):
        try:
            made = connect(port, source, timeout)
            if first:
                made.sendall(first)
            made.setblocking(False)
            self.open.append((made, time.monotonic()))
        except OSError:
            self.refused += 1

    def look(self, drip=b""):
        still = []
        for made, begun in self.open:
            try:
                if drip:
                    made.send(drip)
                if made.recv(65536):
                    still.append((made, begun))
                    continue
            except BlockingIOError:
                still.append((made, begun))
                continue
            except OSError:
                pass
            self.lived.append(time.monotonic() - begun)
            made.close()
        self.open = still

    def hold(self, seconds, drip=b"", every=1.0):
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.open:
            self.look(drip)
            time.sleep(every)

    def close(self):
        for made, _ in self.open:
            made.close()
        self.open = []


def silent_tls(case):
    """X7: connections from 20 addresses that never begin TLS at MLLP, 1,000 of one address at DIMSE, 1,000 at HTTP."""
    where = case.server.where()
    with case.good("before"):
        time.sleep(3)
    held = Held()
    with case.good("beside"):
        for number in range(200):
            held.add(where["mllp"], f"127.0.1.{number % 20 + 1}")
        for number in range(1000):
            held.add(where["dimse"], "127.0.2.1")
            held.add(where["http"], "127.0.2.1")
        begun = len(held.open)
        held.hold(14)
    case.expect(not held.open, f"each of {begun} silent connections is closed ({len(held.open)} are open)")
    longest = max(held.lived, default=0)
    case.expect(longest <= 13, f"the last after {longest:.1f} s of at most 10")
    case.note(f"{begun} connections, the last closed after {longest:.1f} s")
    held.close()
    case.end()


def noise(case):
    """X7: start blocks without an end at MLLP, commands that ask for nothing at DIMSE."""
    where = case.server.where()
    held = Held()
    with case.good("beside"):
        for number in range(10):
            held.add(where["mllp"], "127.0.1.1", b"\x0bMSH|")
        held.hold(36, b"\x0bMSH|")
    longest = max(held.lived, default=99)
    case.expect(not held.open and longest <= 33, f"frames begun anew are closed after {longest:.1f} s of at most 30")
    case.note(f"frames begun anew closed after {longest:.1f} s")
    held.close()
    case.end()


def endless_bodies(case):
    """X1: bodies without an end, by length and by chunks, to a door that has refused them."""
    where = case.server.where()
    heads = [
        b"POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n",
        b"POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /dicomweb/studies HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n",
    ]
    sent = [0] * len(heads)

    def pour(index):
        with connect(where["http"], "127.0.1.1", 20) as made, contextlib.suppress(OSError):
            made.sendall(heads[index])
            chunk = b"x" * 65536
            framed = b"10000\r\n" + chunk + b"\r\n" if b"chunked" in heads[index] else chunk
            end = time.monotonic() + 20
            while time.monotonic() < end:
                made.sendall(framed)
                sent[index] += len(chunk)

    before = case.server.rss_kib() / 1024
    with case.good("beside"):
        threads = [threading.Thread(target=pour, args=(index,)) for index in range(len(heads))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    case.expect(max(sent) < 64 * MIB, f"a refused body is not read on: at most {max(sent) / MIB:.1f} MiB were taken")
    grown = case.server.rss_kib() / 1024 - before
    case.note(f"{', '.join(f'{count / MIB:.1f}' for count in sent)} MiB taken; resident +{grown:.0f} MB")
    case.end()


def descriptors(case):
    """X6: thousands of connections at every door, with few descriptors."""
    where = case.server.where()
    flooding = threading.Event()

    def flood(port, source, first):
        while not flooding.is_set():
            held = Held()
            for _ in range(500):
                held.add(port, source, first, timeout=0.3)
                if flooding.is_set():
                    break
            held.hold(1)
            held.close()

    request = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    threads = [threading.Thread(target=flood, args=words, daemon=True) for words in [
        (where["http"], "127.0.1.1", request), (where["http"], "127.0.1.2", request),
        (where["dimse"], "127.0.1.3", b""), (where["mllp"], "127.0.1.4", b"")]]
    with case.good("beside"):
        for thread in threads:
            thread.start()
        time.sleep(20)
        flooding.set()
        for thread in threads:
            thread.join(10)
    with case.good("after"):
        time.sleep(4)
    case.note(f"refused {case.server.metric('hilum_connections_refused_total'):.0f}, "
              f"displaced {case.server.metric('hilum_connections_displaced_total'):.0f}, "
              f"EMFILE at accept {case.server.metric('hilum_accepts_failed_total'):.0f}")
    case.end(share=0.98)


def headers(case):
    """X8: 10 associations of one AE with headers of 60 MiB each, at once."""
    from pydicom.uid import ExplicitVRLittleEndian
    from pynetdicom import AE, build_context
    before = case.server.rss_kib() / 1024
    statuses = []

    def send(number):
        ae = AE(ae_title="GOOD")
        ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 60
        ae.requested_contexts = [build_context(ledger.CT, ExplicitVRLittleEndian)]
        association = ae.associate("127.0.0.1", case.server.dimse["port"], ae_title="HILUM",
                                   bind_address=("127.0.1.1", 0))
        data = ledger.instance(f"{case.name}-header-{number}")
        data.add_new(0x00091010, "UT", "x" * (60 * MIB - 4096))
        ledger.part10(data)
        with contextlib.suppress(Exception):
            statuses.append(association.send_c_store(data).get("Status"))
        association.abort()

    with case.good("beside"):
        threads = [threading.Thread(target=send, args=(number,)) for number in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    peak = case.server.peak_mib()
    time.sleep(12)
    after = case.server.rss_kib() / 1024
    case.expect(set(statuses) <= {0, 0xA700}, f"each is stored or told to try again: {sorted(set(map(str, statuses)))}")
    case.expect(peak - before < 640, f"memory is bounded in sum: {before:.0f} MB, at most {peak:.0f} MB")
    case.expect(after - before < 200, f"and given back: {after:.0f} MB at the end")
    case.note(f"{statuses.count(0)} stored, {statuses.count(0xA700)} A700; resident {before:.0f}, peak {peak:.0f}, "
              f"after {after:.0f} MB")
    case.end(share=0.98)


def deflated(case):
    """X8: an object of a few MiB that inflates to 300, and two requests at once for its last frame."""
    import pydicom
    from pydicom.uid import DeflatedExplicitVRLittleEndian
    data = ledger.instance(f"{case.name}-deflated-1")
    frames, side = 150, 1024
    data.Rows = data.Columns = side
    data.NumberOfFrames = frames
    line = bytes(range(256)) * 8
    noise_of = os.urandom(20000)
    data.PixelData = b"".join(
        (number.to_bytes(4, "little") + noise_of + line * 1024)[:side * side * 2] for number in range(frames))
    ledger.part10(data)
    out = io.BytesIO()
    data.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    pydicom.dcmwrite(out, data, enforce_file_format=True)
    file = out.getvalue()
    session = case.client.session()
    body = b"--b\r\nContent-Type: application/dicom\r\n\r\n" + file + b"\r\n--b--\r\n"
    answer = session.post(case.server.dicomweb + "/studies", data=body, timeout=120, headers={
        "Content-Type": 'multipart/related; type="application/dicom"; boundary=b', "Accept": "application/dicom+json"})
    case.expect(answer.status_code == 200, f"an object of {len(file) / MIB:.1f} MiB is stored: {answer.status_code}")
    path = (f"{case.server.dicomweb}/studies/{data.StudyInstanceUID}/series/{data.SeriesInstanceUID}/instances/"
            f"{data.SOPInstanceUID}")
    before, answers = case.server.rss_kib() / 1024, []
    worst = [before]
    done = threading.Event()

    def watch():
        while not done.is_set():
            worst[0] = max(worst[0], case.server.rss_kib() / 1024)
            time.sleep(0.02)

    def get(frame, wanted):
        got = case.client.session().get(f"{path}/frames/{frame}", timeout=60, headers={
            "Accept": "application/octet-stream"})
        answers.append(got.status_code == 200 and got.content == wanted)

    watcher = threading.Thread(target=watch)
    watcher.start()
    one = data.PixelData[-side * side * 2:]
    begun = time.monotonic()
    with case.good("beside"):
        threads = [threading.Thread(target=get, args=(frames, one)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.monotonic() - begun
        whole = case.client.session().get(path, timeout=120, stream=True, headers={
            "Accept": "application/dicom; transfer-syntax=1.2.840.10008.1.2.1"})
        size = sum(len(piece) for piece in whole.iter_content(MIB))
        time.sleep(2)
    done.set()
    watcher.join()
    case.expect(answers == [True, True], "both frames are those that were stored")
    case.expect(size > frames * side * side * 2, f"inflated as a whole it has all its bytes: {size / MIB:.0f} MiB")
    grown = worst[0] - before
    case.expect(grown < 96, f"two frames of it and the whole cost +{grown:.0f} MB")
    case.note(f"{len(file) / MIB:.1f} MiB inflating to {size / MIB:.0f}: +{grown:.0f} MB, two last frames in {seconds:.1f} s")
    case.end()


def guessing(case):
    """X17: 300 AE titles, and 300 HL7 senders, guessed in a row from one address."""
    from pynetdicom import AE
    where = case.server.where()
    answers = {"unknown": 0, "later": 0}
    with case.good("beside"):
        for number in range(300):
            ae = AE(ae_title=f"GUESS{number}")
            ae.acse_timeout = ae.network_timeout = 5
            ae.add_requested_context("1.2.840.10008.1.1")
            association = ae.associate("127.0.0.1", where["dimse"], ae_title="HILUM", bind_address=("127.0.1.1", 0))
            rejected = association.acceptor.primitive or association.requestor.primitive
            reason = getattr(rejected, "result", None)
            answers["later" if reason == 2 else "unknown"] += 1
        with connect(where["mllp"], "127.0.1.1") as made:
            for number in range(300):
                made.sendall(f"\x0bMSH|^~\\&|G{number}|X|H|H|2026||ADT^A08|{number}|P|2.5\r\x1c\r".encode())
                made.recv(65536)
    log = case.server.log_path.read_text(errors="replace")
    lines = sum(1 for line in log.splitlines() if "association refused" in line)
    case.expect(lines <= 45, f"the log has {lines} lines of 300 guesses")
    held = case.server.metric("hilum_callers_held_back_total")
    case.expect(held >= 500, f"{held:.0f} of 600 guesses were held back")
    case.note(f"{answers['unknown']} and {answers['later']} guesses answered and put off, {lines} log lines")
    case.end()


@contextlib.contextmanager
def small_disk(mib):
    """A folder on a file system of its own."""
    folder = tempfile.mkdtemp(prefix="hilum-hostile-disk.")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=False)
        os.rmdir(folder)


def post_token(case):
    client = case.client
    signed = smart.assertion(client.key, client.id, client.token_url)
    return smart.post_token(client.token_url, signed, client.scope, case.server.verify)


def fresh_token(case):
    """Whether a token is given, or put off as what passes is."""
    answer = post_token(case)
    return answer.status_code == 200 or (
        answer.status_code == 503 and "retry-after" in answer.headers
        and answer.json().get("error") == "temporarily_unavailable")


def disk_full(case):
    """X4: the disk fills up; reads go on, and writes do as soon as there is space again."""
    with case.good("before"):
        time.sleep(2)
    filler = case.folder / "filler"
    with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 65536)
    full = Measure(case.server.where(), f"{case.name}-full-")
    with full:
        time.sleep(5)
    tokens = [fresh_token(case) for _ in range(8)]
    case.expect(all(tokens), "a token is given or put off with 503 and Retry-After, of 8 asked for on the full disk")
    stored, of = full.succeeded("store")
    read, asked = full.succeeded("http")
    case.expect(case.server.is_running(), "the server lives on a full disk")
    case.expect(asked and read == asked, f"reads go on: {read} of {asked}")
    case.note(f"full: {stored} of {of} stored, {full.succeeded('mllp')[0]} of {full.succeeded('mllp')[1]} messages taken")
    filler.unlink()
    time.sleep(6)
    case.measures = [case.measures[0]]
    case.expect(post_token(case).status_code == 200, "tokens are given again")
    with case.good("after"):
        time.sleep(4)
    lost = [item for item in full.stored() if not case.reads_back(item)]
    case.expect(not lost, f"what was acknowledged on the full disk reads back ({len(lost)} lost)")
    case.end()


def build_faults(folder):
    library = folder / "faults.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(HERE / "faults.c"), "-ldl"], check=True)
    return library


def fault(call, code, needs_restart):
    """A system call on the blobs folder that fails for three seconds while good clients work."""
    def play(case):
        control = pathlib.Path(case.server.environment["HILUM_FAULTS"])
        with case.good("before"):
            time.sleep(2)
        during = Measure(case.server.where(), f"{case.name}-during-")
        with during:
            time.sleep(1)
            control.write_text(f"{call} {code} /blobs")
            time.sleep(3)
            control.write_text("")
        case.expect(case.server.is_running(), "the server lives")
        read, asked = during.succeeded("http")
        case.expect(asked and read == asked, f"reads go on: {read} of {asked}")
        case.note(f"during: {during.succeeded('store')[0]} of {during.succeeded('store')[1]} stored")
        if needs_restart and case.server.is_running():
            # What fsync or a write has lost cannot be known to be there: the store asks for a restart.
            case.server.stop()
            case.server.start()
        with case.good("after"):
            time.sleep(4)
        lost = [item for item in during.stored() if not case.reads_back(item)]
        case.expect(not lost, f"what was acknowledged meanwhile reads back ({len(lost)} lost)")
        case.end()
    return play


def cases():
    """name: (how its server is made, what is played, whether it needs root)"""
    made = {
        "silent-tls": ({"tls": True}, silent_tls, False),
        "noise": ({}, noise, False),
        "endless-bodies": ({}, endless_bodies, False),
        "descriptors-256": ({"nofile": 256}, descriptors, False),
        "descriptors-1024": ({"nofile": 1024}, descriptors, False),
        "headers": ({}, headers, False),
        "deflated": ({}, deflated, False),
        "guessing": ({}, guessing, False),
        "disk-full": ({}, disk_full, True),
    }
    for call, code, needs_restart in [
            ("opendir", errno.EMFILE, False), ("open", errno.EMFILE, False), ("rename", errno.EIO, True),
            ("write", errno.ENOSPC, False), ("write", errno.EIO, True), ("fsync", errno.EIO, True)]:
        made[f"{call}-{errno.errorcode[code]}"] = ({"faults": True}, fault(call, code, needs_restart), False)
    return made


def play(name, options, body, needs_root):
    faults = options.pop("faults", False)
    with contextlib.ExitStack() as stack:
        if needs_root:
            disk = stack.enter_context(small_disk(192))
            options["folder"] = pathlib.Path(disk) / "case"
            options["folder"].mkdir()
        if faults:
            folder = pathlib.Path(tempfile.mkdtemp(prefix="hilum-hostile-faults."))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            (folder / "control").write_text("")
            options["environment"] = {"LD_PRELOAD": str(build_faults(folder)), "HILUM_FAULTS": str(folder / "control")}
        case = Case(name, **options)
        try:
            with case:
                body(case)
        except (OSError, ServerError, subprocess.CalledProcessError) as error:
            case.expect(False, f"to be played to its end: {type(error).__name__}: {error}")
    return case


def main():
    known = cases()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help=f"some of slow,{','.join(known)}, joined by commas")
    parser.add_argument("--http", type=int, default=2000, help="slow HTTP peers of `slow`")
    parser.add_argument("--mllp", type=int, default=500, help="slow MLLP peers")
    parser.add_argument("--dimse", type=int, default=500, help="slow DIMSE peers")
    arguments = parser.parse_args()
    if not BINARY.exists():
        sys.exit(f"{BINARY} is not there: make build")
    wanted = arguments.only.split(",") if arguments.only else ["slow", *known]
    for name in wanted:
        if name != "slow" and name not in known:
            parser.error(f"no case is called {name}")
    findings, rows, slow_text = [], [], ""
    for name in wanted:
        print(f"== {name}", flush=True)
        if name == "slow":
            slow_text, slow_findings = slow.run(arguments)
            findings += [(ok, "slow") for ok in slow_findings]
            continue
        options, body, needs_root = known[name]
        if needs_root and os.geteuid() != 0:
            print("   left out: needs root")
            continue
        case = play(name, dict(options), body, needs_root)
        findings += case.findings
        rows.append(case.row())
        for ok, text in case.findings:
            print(f"   {'ok ' if ok else 'NOT'} {text}")
        for text in case.notes:
            print(f"       {text}")
    table = ["| case | good clients: served, 95th percentile | what was seen | passed |", "|---|---|---|---|", *rows]
    text = "\n".join([
        "# Hostile peers and failing systems", "",
        f"Made by `make hostile` on {time.strftime('%Y-%m-%d')}: each case has a server of its own and good clients of "
        "every door beside it.", "", *table, ""]) + ("\n" + slow_text.replace("# Slow", "## Slow") if slow_text else "")
    if not arguments.only and (arguments.http, arguments.mllp, arguments.dimse) == (2000, 500, 500):
        (HERE / "RESULTS.md").write_text(text)
    elif rows:
        print("\n".join(table))
    passed = sum(1 for ok, _ in findings if ok)
    print(f"hostile: {passed} passed, {len(findings) - passed} failed")
    sys.exit(0 if passed == len(findings) else 1)


if __name__ == "__main__":
    main()

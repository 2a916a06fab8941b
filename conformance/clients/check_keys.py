"""Keys at rest: the master key changed beside the running server and under kill -9, kept by a program that wraps, a backup
of before the change, export files whose keys die first, and bodies that are sealed in the database."""

import hashlib
import io
import json
import pathlib
import random
import shutil
import sqlite3
import stat
import subprocess
import time
from urllib.parse import urlsplit

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, UID, generate_uid

from hilum_server import BINARY, HilumServer
from report import equal, expect
from smart import BackendClient

GROUP = "keys"
CT = UID("1.2.840.10008.5.1.4.1.1.2")

# What a device does, played by a program: AES-256-CBC by a key that it alone reads.
DEVICE = """#!/bin/sh
here=$(dirname "$0")
env > "$here/seen.env"
case "$1" in
wrap) exec openssl enc -aes-256-cbc -pbkdf2 -pass "file:$here/device.secret" ;;
unwrap) exec openssl enc -d -aes-256-cbc -pbkdf2 -pass "file:$here/device.secret" ;;
*) exit 9 ;;
esac
"""


def image(number):
    """A CT slice of 32 KiB, different for each number."""
    data = Dataset()
    data.SOPClassUID = CT
    data.SOPInstanceUID = generate_uid(entropy_srcs=["keys", str(number)])
    data.StudyInstanceUID = generate_uid(entropy_srcs=["keys", "study"])
    data.SeriesInstanceUID = generate_uid(entropy_srcs=["keys", "series"])
    data.PatientID, data.PatientName, data.Modality = "KEYS1", "Keys^Test", "CT"
    data.InstanceNumber = number
    data.Rows = data.Columns = 128
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation, data.SamplesPerPixel = 15, 0, 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.PixelData = random.Random(number).randbytes(128 * 128 * 2)
    return data


def part10(data):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = data.SOPClassUID, data.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta = meta
    out = io.BytesIO()
    pydicom.dcmwrite(out, data, enforce_file_format=True)
    return out.getvalue()


def store(server, backend, numbers):
    for number in numbers:
        body = b"--k\r\nContent-Type: application/dicom\r\n\r\n" + part10(image(number)) + b"\r\n--k--\r\n"
        answer = backend.session().post(
            server.dicomweb + "/studies", data=body, timeout=30,
            headers={"Content-Type": 'multipart/related; type="application/dicom"; boundary=k'})
        equal(answer.status_code, 200, f"STOW of image {number}: {answer.text[:200]}")


def read(server, backend, numbers):
    """Every image comes back with its pixels."""
    session = backend.session()
    for number in numbers:
        data = image(number)
        answer = session.get(
            f"{server.dicomweb}/studies/{data.StudyInstanceUID}/series/{data.SeriesInstanceUID}"
            f"/instances/{data.SOPInstanceUID}", timeout=30, headers={"Accept": "application/dicom"})
        equal(answer.status_code, 200, f"image {number}")
        expect(data.PixelData in answer.content, f"the pixels of image {number}")


def objects(server):
    """SHA-256 of every object's file, by name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in (server.folder / "blobs" / "objects").rglob("*") if path.is_file()}


def run(*words):
    return subprocess.run([str(BINARY), *map(str, words)], capture_output=True, text=True, timeout=120,
                          stdin=subprocess.DEVNULL)


def rotate(server):
    return json.loads(server.command("key", "rotate", server.folder, "--json"))


def killed_change(server, seconds):
    """A change of the master key that is killed after so many seconds: whether it had not ended by then, and what
    `hilum key list` did afterwards."""
    process = subprocess.Popen([str(BINARY), "key", "rotate", str(server.folder)], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    process.kill()
    return process.wait() < 0, run("key", "list", server.folder, "--json")


def again(server, backend):
    backend.token = None
    server.start()


def export(server, backend):
    """A finished export: where its status is, and its files."""
    session = backend.session()
    start = session.get(f"{server.fhir}/$export", params={"_type": "Patient"}, timeout=30,
                        headers={"Accept": "application/fhir+json", "Prefer": "respond-async"})
    equal(start.status_code, 202, "kick-off")
    where = start.headers["Content-Location"]
    for _ in range(900):
        status = session.get(where, timeout=30)
        if status.status_code != 202:
            break
        time.sleep(0.2)
    equal(status.status_code, 200, "status")
    return where, [output["url"] for output in status.json()["output"]]


def erasable(server):
    return [path for path in (server.folder / "blobs" / "objects").rglob("*") if path.is_file() and path.name[4] == "x"]


def check(report, folder, plain=False, postgres=None):
    folder = pathlib.Path(folder)
    options = ["--plain-loopback"] if plain else []
    # PostgreSQL's database is the other checks' too; what is shown here of it is in the unit tests of both.
    server = HilumServer(folder / "keys", log=folder / "keys.log", options=options)
    try:
        drive(report, server, folder, options)
    finally:
        if server.is_running():
            server.kill()
    device(report, folder, options)
    bodies(report, folder, options)


def drive(report, server, folder, options):
    server.init()
    backend = BackendClient(server, "keys", "ES384", "system/*.cruds", folder)
    key = server.folder / "keys" / "master.key"
    first = key.read_bytes()
    server.start()
    store(server, backend, range(1, 6))

    def mode():
        key.chmod(0o644)
        try:
            refused = run("doctor", server.folder)
            expect(refused.returncode == 1 and f"chmod 600 {key}" in refused.stdout, refused.stdout)
        finally:
            key.chmod(0o600)

    report.check(GROUP, "a master key that others may read is refused and said how to mend", mode, "NIST SP 800-53 SC-12")

    def backup():
        server.command("backup", server.folder, folder / "keys-backup", "--with-keys")
        expect((folder / "keys-backup" / "store.keys").exists(), "the backup has the store's keys")
        for path in (folder / "keys-backup").rglob("*"):
            if path.is_file() and "keys" not in path.parts[-2:-1]:
                expect(first.strip() not in path.read_bytes(), f"{path} holds the master key")

    report.check(GROUP, "a backup of before the change", backup, "R20")

    def beside():
        before = objects(server)
        result = rotate(server)
        expect(result["isChanged"] and not result["isResumed"], result)
        equal(objects(server), before, "objects")
        expect(key.read_bytes() != first, "the master key is another")
        rows = [entry["resource"] for entry in backend.session().get(
            server.fhir + "/AuditEvent?_count=50", timeout=30).json()["entry"]]
        said = [row["outcomeDesc"] for row in rows
                if any(code["code"] == "key rotate" for code in row.get("subtype", []))]
        equal(said, [f"ended: the store's keys are under {result['masterKey']}", "begun"], "the audit trail, newest first")
        read(server, backend, range(1, 6))
        store(server, backend, range(6, 9))
        return f"{len(before)} objects untouched"

    report.check(GROUP, "hilum key rotate beside the running server touches no object", beside, "NIST SP 800-57 §5.3")

    def restart():
        equal(server.stop(), 0, "exit code")
        again(server, backend)
        read(server, backend, range(1, 9))
        store(server, backend, range(9, 11))
        text = run("doctor", server.folder).stdout
        expect("opens the store's keys, which are 2" in text, text)
        expect("an old one is kept" in text, text)
        listed = json.loads(server.command("key", "list", server.folder, "--json"))
        equal(len(listed["storeKeys"]), 2, "keys of the store")
        equal([len(file["masterKeys"]) for file in listed["files"]], [1, 1], "master keys of the files")

    report.check(GROUP, "after a restart all images read; doctor and key list name the keys", restart, "R21")

    def old_alone():
        equal(server.stop(), 0, "exit code")
        now = key.read_bytes()
        key.write_bytes(first)
        refused = run("serve", server.folder, *options)
        expect(refused.returncode != 0 and "the master key is not this store's" in refused.stderr + refused.stdout,
               refused.stderr)
        key.write_bytes(now)
        again(server, backend)
        read(server, backend, range(1, 11))

    report.check(GROUP, "the old master key opens nothing any more", old_alone, "NIST SP 800-57 §8.3")

    def restored():
        target = HilumServer(folder / "keys-restored", log=folder / "keys-restored.log", options=options)
        target.command("restore", folder / "keys-backup", target.folder)
        other = BackendClient(target, "restored", "ES384", "system/*.cruds", folder)
        target.start()
        try:
            read(target, other, range(1, 6))
        finally:
            equal(target.stop(), 0, "exit code")

    report.check(GROUP, "a backup of before the change restores with the old master key", restored, "R20")

    def kills():
        killed = 0
        for _ in range(40):
            was_killed, opened = killed_change(server, random.uniform(0, 0.25))
            killed += was_killed
            equal(opened.returncode, 0, f"after a kill: {opened.stderr}")
        rotate(server)
        read(server, backend, range(1, 11))
        equal(server.stop(), 0, "exit code")
        again(server, backend)
        read(server, backend, range(1, 11))
        server.command("verify", server.folder, "--mib-per-second", "0")
        return f"{killed} of 40 killed on their way"

    report.check(GROUP, "kill -9 of a change at any moment loses no key", kills, "R1")

    def copies():
        equal(server.stop(), 0, "exit code")
        one, two = server.folder / "keys" / "store.keys", server.folder / "blobs" / "store.keys"
        kept = one.read_bytes()
        for path in (one, two):
            for bad in (None, kept[:-20], kept[:100] + bytes([kept[100] ^ 1]) + kept[101:]):
                path.unlink()
                if bad:
                    path.write_bytes(bad)
                again(server, backend)
                read(server, backend, (1, 10))
                text = run("doctor", server.folder).stdout
                expect(f"cp {two if path == one else one} {path}" in text, text)
                equal(server.stop(), 0, "exit code")
                path.write_bytes(kept)
        one.write_bytes(kept[:-20])
        two.write_bytes(kept[:-20])
        refused = run("serve", server.folder, *options)
        expect(refused.returncode != 0 and "the store's keys" in refused.stderr + refused.stdout, refused.stderr)
        one.write_bytes(kept)
        two.write_bytes(kept)
        again(server, backend)
        read(server, backend, range(1, 11))

    report.check(GROUP, "one of the two files of keys is enough; doctor says how to make the other", copies, "R21")

    def exports():
        session = backend.session()
        made = session.post(f"{server.fhir}/Patient", json={"resourceType": "Patient", "name": [{"family": "Keys"}]},
                            headers={"Content-Type": "application/fhir+json"}, timeout=30)
        equal(made.status_code, 201, "create")
        where, urls = export(server, backend)
        files = erasable(server)
        equal(len(files), len(urls), "files with a key of their own")
        for url in urls:
            equal(session.get(url, headers={"Accept": "application/fhir+ndjson"}, timeout=30).status_code, 200, "file")
        recovered = {path: path.read_bytes() for path in files}
        for content in recovered.values():
            equal(content[108:244], bytes(136), "the place of a key in the file")
        database = sqlite3.connect(f"file:{server.folder}/hilum.sqlite?mode=ro", uri=True)
        wrapped = [row[0] for row in database.execute("SELECT wrapped FROM blob_keys")]
        database.close()
        equal(len(wrapped), len(files), "kept keys")
        equal(session.delete(where, timeout=30).status_code, 202, "delete")
        database = sqlite3.connect(f"file:{server.folder}/hilum.sqlite?mode=ro", uri=True)
        equal(database.execute("SELECT COUNT(*) FROM blob_keys").fetchone()[0], 0, "kept keys after the deletion")
        database.close()
        equal(server.stop(), 0, "exit code")
        content = (server.folder / "hilum.sqlite").read_bytes()
        for one in wrapped:
            expect(one not in content, "a forgotten key is still in the database's file")
        # The recovered bytes are of no use, and nobody trips over them.
        for path, content in recovered.items():
            path.write_bytes(content)
        again(server, backend)
        for url in urls:
            # At the port of now.
            here = server.http + urlsplit(url).path
            expect(backend.session().get(here, timeout=30).status_code in (404, 410), "a deleted file")
        read(server, backend, range(1, 11))
        server.command("verify", server.folder, "--mib-per-second", "0")
        return f"{len(files)} files"

    report.check(GROUP, "the keys of export files die with the export; recovered bytes open with nothing", exports,
                 "Bulk Data 2.0 §Security; NIST SP 800-88 §2.5")
    report.check(GROUP, "SIGTERM drains and exits 0", lambda: equal(server.stop(), 0, "exit code"))


def device(report, folder, options):
    """A master key that never leaves a device: a program wraps and unwraps."""

    def whole():
        expect(shutil.which("openssl"), "the openssl program")
        place = folder / "device"
        place.mkdir()
        (place / "device.secret").write_text(random.randbytes(24).hex())
        program = place / "hook"
        program.write_text(DEVICE)
        program.chmod(stat.S_IRWXU)
        server = HilumServer(folder / "wrapped", log=folder / "wrapped.log", options=options)
        server.command("init", server.folder, "--http-port", 0, "--dimse-port", 0, "--mllp-port", 0, "--master-key",
                       f"wrapping-command:{program}")
        expect(not (server.folder / "keys" / "master.key").exists(), "no master key in a file")
        backend = BackendClient(server, "wrapped", "ES384", "system/*.cruds", folder)
        server.start()
        try:
            store(server, backend, range(1, 4))
            equal(server.stop(), 0, "exit code")
            again(server, backend)
            read(server, backend, range(1, 4))
            text = run("doctor", server.folder).stdout
            expect("master key: program" in text and "FAIL  master key" not in text, text)
            # Away: nothing is served, and it is said.
            equal(server.stop(), 0, "exit code")
            program.rename(place / "away")
            refused = run("serve", server.folder, *options)
            expect(refused.returncode != 0 and str(program) in refused.stderr + refused.stdout, refused.stderr)
            (place / "away").rename(program)
            again(server, backend)
            read(server, backend, range(1, 4))
        finally:
            if server.is_running():
                equal(server.stop(), 0, "exit code")

    report.check(GROUP, "a program that wraps and unwraps keeps the master key", whole, "PKCS#11 hook")


def bodies(report, folder, options):
    """What resources say is sealed in the database: beside the server, under kill -9, and read as before."""
    canary, count = "Kanarienvogel-93ce", 400
    server = HilumServer(folder / "bodies", log=folder / "bodies.log", options=options)
    server.init()
    configuration = server.folder / "hilum.yaml"
    backend = BackendClient(server, "bodies", "ES384", "system/*.cruds", folder)

    def put(number):
        body = {"resourceType": "Basic", "id": f"b{number}", "code": {"text": "note"},
                "extension": [{"url": "urn:x", "valueString": f"{canary} {number} " + "x" * 2000}]}
        answer = backend.session().put(f"{server.fhir}/Basic/b{number}", json=body, timeout=30,
                                       headers={"Content-Type": "application/fhir+json"})
        equal(answer.status_code, 201, f"Basic {number}")

    def whole(numbers):
        session = backend.session()
        for number in numbers:
            answer = session.get(f"{server.fhir}/Basic/b{number}", timeout=30)
            equal(answer.status_code, 200, f"Basic {number}")
            expect(f"{canary} {number} " in answer.text, f"the text of {number}")

    def files():
        return [path.name for path in server.folder.glob("hilum.sqlite*") if canary.encode() in path.read_bytes()]

    def sealed():
        expect(files(), "clear bodies are found where they are")
        text = configuration.read_text()
        expect("# encrypt-bodies: false" in text, "the default")
        configuration.write_text(text.replace("# encrypt-bodies: false", "encrypt-bodies: true "))
        killed = 0
        for _ in range(20):
            process = subprocess.Popen([str(BINARY), "key", "seal", str(server.folder)], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(random.uniform(0, 0.2))
            process.kill()
            killed += process.wait() < 0
            whole((0, count // 2, count - 1))
        json.loads(server.command("key", "seal", server.folder, "--json"))
        whole(range(0, count, 7))
        equal(server.stop(), 0, "exit code")
        again(server, backend)
        put(count)
        result = json.loads(server.command("key", "seal", server.folder, "--json", "--vacuum"))
        expect(result["seals"], result)
        whole(range(0, count + 1, 7))
        expect("bodies: sealed, those looked at open" in run("doctor", server.folder).stdout, "doctor")
        equal(server.stop(), 0, "exit code")
        equal(files(), [], "files that hold the canary")
        server.command("verify", server.folder, "--mib-per-second", "0")
        again(server, backend)
        return f"{killed} of 20 runs killed on their way"

    def moved():
        equal(server.stop(), 0, "exit code")
        database = sqlite3.connect(server.folder / "hilum.sqlite")
        database.execute("UPDATE resource_versions SET body = (SELECT o.body FROM resource_versions o WHERE o.id = 'b1') "
                         "WHERE id = 'b2'")
        database.commit()
        database.close()
        again(server, backend)
        answer = backend.session().get(f"{server.fhir}/Basic/b2", timeout=30)
        equal(answer.status_code, 500, "a body of another row")
        equal(answer.json()["resourceType"], "OperationOutcome", "its answer")
        expect(canary not in answer.text, "nothing of the other row is told")
        whole((1, 3))
        named = run("verify", server.folder)
        expect(named.returncode == 1 and "resource_versions.body of Basic/b2/1" in named.stdout, named.stdout)

    server.start()
    try:
        for number in range(count):
            put(number)
        report.check(GROUP, "bodies are sealed beside the server and under kill -9; no file holds them in clear", sealed,
                     "NIST SP 800-111")
        report.check(GROUP, "a body in another row's place is refused alone and named", moved, "NIST SP 800-38D")
    finally:
        if server.is_running():
            equal(server.stop(), 0, "exit code")

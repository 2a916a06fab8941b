"""What an operator can do to a store between its database and its blobs folder, under the outside ledger.

backup    under mixed load, killed three times and taken up again, then restored to an empty folder: what was
          acknowledged before the last run began is there; what a killed run left is not restored
older     the backup's database put back beside the blobs folder as it went on, served, adopted: no image is lost
swapped   an empty database beside the folder: it stores no image and touches none; adopted: no image is lost; the first
          database put back and adopted: nothing at all is lost
foreign   another server's configuration names the folder: it stores no image and touches none

In each every blob file is made to look 90 days old first, so that no grace time hides a sweep.
"""

import copy
import itertools
import multiprocessing
import os
import pathlib
import random
import re
import shutil
import subprocess
import time

import ledger
import workers
from hilum_server import BINARY, HilumServer
from smart import BackendClient

IMAGES = ("cstore", "stow")


class Databases:
    """Makes, copies and switches databases, of either kind."""

    # Of all of them: each database of this process has a name of its own.
    numbers = itertools.count(1)

    def __init__(self, kind, folder):
        self.kind, self.folder = kind, folder
        self.base = os.environ.get("HILUM_TEST_POSTGRES", "")

    def psql(self, *words):
        subprocess.run(["psql", "--no-psqlrc", "--quiet", "--dbname", self.base, "--command", *words],
                       check=True, capture_output=True, text=True)

    def empty(self):
        """A connection string of a new empty database; None for SQLite."""
        if self.kind == "sqlite":
            return None
        name = f"custody_{os.getpid()}_{next(self.numbers)}"
        self.psql(f"CREATE DATABASE {name}")
        return f"{self.base} dbname={name}"

    def use(self, server, source):
        """Switches a stopped server to a database: a file or None (a new one), or a connection string."""
        if self.kind == "sqlite":
            for suffix in ("", "-wal", "-shm"):
                pathlib.Path(f"{server.folder}/hilum.sqlite{suffix}").unlink(missing_ok=True)
            if source:
                shutil.copy(source, server.folder / "hilum.sqlite")
        else:
            server.configure("postgres:", f'postgres: "{source}"')

    def keep(self, server):
        """What `use` takes to come back to the database that a stopped server has now."""
        if self.kind == "sqlite":
            kept = self.folder / f"kept-{next(self.numbers)}.sqlite"
            shutil.copy(server.folder / "hilum.sqlite", kept)
            wal = server.folder / "hilum.sqlite-wal"
            if wal.exists() and wal.stat().st_size:
                raise SystemExit("the database was not closed: its log is not empty")
            return kept
        return re.search(r'^  postgres: "(.*)"$', (server.folder / "hilum.yaml").read_text(), re.M).group(1)

    def of_backup(self, backup):
        """What `use` takes to come to a backup's database."""
        copy = next((backup / "database").iterdir())
        if self.kind == "sqlite":
            return copy
        target = self.empty()
        subprocess.run(["pg_restore", "--no-owner", "--exit-on-error", "--dbname", target, str(copy)],
                       check=True, capture_output=True, text=True)
        return target


def files(folder):
    """Every blob file of a blobs folder, by name, wherever it lies."""
    return {path.name for top in ("objects", "set-aside") for path in (folder / top).rglob("*")
            if path.is_file() and len(path.name) >= 26 and not path.name.endswith(".reason")}


def age(folder):
    then = time.time() - 90 * 86400
    for top in ("objects", "set-aside"):
        for path in (folder / top).rglob("*"):
            if path.is_file():
                os.utime(path, (then, then))


def ledger_server(databases, arguments, folder, name):
    """A new server that knows who loads it, not started; and the client of the load."""
    server = HilumServer(folder / name, postgres=databases.empty(), log=folder / f"{name}.log",
                         options=["--plain-loopback"] if arguments.plain else [])
    server.init()
    server.add_ae("LEDGER")
    server.add_sender(workers.check_hl7.SENDER, workers.check_hl7.FACILITY)
    return server, BackendClient(server, "ledger", "ES384", "system/*.cruds", folder)


def on(server, backend):
    """The same client at another server that knows it."""
    other = copy.copy(backend)
    other.server, other.token = server, None
    return other


class Load:
    """Mixed load at all doors until the server goes."""

    def __init__(self, server, backend, folder, prefix, doors):
        context = multiprocessing.get_context("spawn")
        bare = HilumServer(server.folder, log=server.log_path)
        bare.endpoints = server.endpoints
        self.journals, self.running = [], []
        for door in doors:
            path = folder / f"{prefix}-{door}.journal"
            self.journals.append((door, path))
            started = context.Event()
            process = context.Process(
                target=workers.run, args=(door, bare, backend.bearer(), str(path), prefix, started), daemon=True)
            process.start()
            self.running.append((door, process, started))
        for door, process, started in self.running:
            if not started.wait(60):
                raise SystemExit(f"no item was acknowledged by {door}: {self.end(door)}\n{server.log_tail()}")

    def end(self, door):
        """Why a door's sender has ended, as far as it says."""
        path = pathlib.Path(f"{dict(self.journals)[door]}.end")
        return path.read_text() if path.exists() else ""

    def check(self):
        """All senders go on."""
        for door, process, _ in self.running:
            if not process.is_alive():
                raise SystemExit(f"{door} ended before the kill: {self.end(door)}")

    def acknowledged(self):
        return {(door, item) for door, path in self.journals for item in ledger.read_journal(path)[1]}

    def join(self):
        for _, process, _ in self.running:
            process.join(60)
            if process.is_alive():
                process.kill()


def look(server, backend, checker_type, totals, journals, wanted, doors, limit=0):
    """Reads the items of the doors, all or `limit` of each; those of `wanted` count as acknowledged."""
    backend.token = None
    checker = checker_type(server, backend, totals)
    there = 0
    for door, path in journals:
        if door not in doors:
            continue
        intents, acks = ledger.read_journal(path)
        for item in random.sample(intents, limit) if 0 < limit < len(intents) else intents:
            ack = acks.get(item) if wanted is None or (door, item) in wanted else None
            there += checker.look(door, item, ack) == "there"
    return there


def refuses_images(server, backend, totals, what):
    """A foreign database stores no image: 503 by STOW-RS."""
    backend.token = None
    body = (b"--ledger\r\nContent-Type: application/dicom\r\n\r\n" + ledger.part10(ledger.instance(f"{what}-1"))
            + b"\r\n--ledger--\r\n")
    answer = backend.session().post(
        server.dicomweb + "/studies", data=body, timeout=20,
        headers={"Content-Type": 'multipart/related; type="application/dicom"; boundary=ledger'})
    if answer.status_code != 503:
        totals.finding("extra", what, f"an image was answered {answer.status_code} over a foreign folder")


def unchanged(before, folder, totals, what):
    gone = before - files(folder)
    for name in sorted(gone):
        totals.finding("lost", name, f"its file is gone after {what}")


def killed_backups(server, backup, target, databases, totals, kills=3):
    """Backups that a SIGKILL ends on their way; what is there after each is no backup to restore from."""
    killed = 0
    for number in range(kills):
        process = subprocess.Popen(
            [str(BINARY), "backup", str(server.folder), str(backup), "--with-keys", "--mib-per-second", "4"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0.2, 0.6) * (number + 1))
        process.kill()
        killed += process.wait() < 0
        if (backup / "backup.json").exists():
            continue
        words = ["restore", str(backup), str(target)]
        if databases.kind == "postgres":
            words += ["--postgres", databases.empty()]
        if subprocess.run([str(BINARY), *words], capture_output=True, timeout=60).returncode == 0:
            totals.findings.append("custody: what a killed backup left was restored")
        shutil.rmtree(target, ignore_errors=True)
    return killed


def pass_over(server, seconds=2.0):
    """Starts, lets the first pass over the folder end, and stops."""
    server.start()
    time.sleep(seconds)
    return server.stop()


def run(kind, arguments, checker_type, totals, folder):
    """All four, on one database kind. Findings go to `totals`; gives a line of figures."""
    databases = Databases(kind, folder)
    options = ["--plain-loopback"] if arguments.plain else []
    server, backend = ledger_server(databases, arguments, folder, "custody")
    blobs = server.folder / "blobs"
    backup = folder / "backup"
    every = ("cstore", "stow", "mllp", "fhir")
    figures = {}
    try:
        # backup under load
        server.start()
        load = Load(server, backend, folder, "custody", every)
        time.sleep(arguments.custody_seconds)
        figures["backup_kills"] = killed_backups(server, backup, folder / "half", databases, totals)
        before_backup = load.acknowledged()
        begun = time.monotonic()
        server.command("backup", server.folder, backup, "--with-keys")
        figures["backup_seconds"] = round(time.monotonic() - begun, 2)
        time.sleep(arguments.custody_seconds)
        if server.stop() != 0:
            totals.findings.append("custody: SIGTERM under load: exit code not 0")
        load.join()
        journals = load.journals
        figures["before_backup"], figures["acknowledged"] = len(before_backup), len(load.acknowledged())
        restored = HilumServer(folder / "restored", log=folder / "restored.log", options=options)
        words = ["restore", backup, restored.folder]
        if kind == "postgres":
            words += ["--postgres", databases.empty()]
        begun = time.monotonic()
        restored.command(*words)
        figures["restore_seconds"] = round(time.monotonic() - begun, 2)
        restored.command("verify", restored.folder, "--mib-per-second", "0")
        restored.start()
        other = on(restored, backend)
        look(restored, other, checker_type, totals, journals, before_backup, every, arguments.custody_items)
        restored.stop()

        # the backup's database beside the folder as it went on
        kept = databases.keep(server)
        present = files(blobs)
        databases.use(server, databases.of_backup(backup))
        age(blobs)
        pass_over(server)
        pass_over(server)
        unchanged(present, blobs, totals, "an older database")
        server.command("adopt", server.folder)
        age(blobs)
        server.start()
        backend.token = None
        figures["older_images"] = look(server, backend, checker_type, totals, journals, None, IMAGES, arguments.custody_items)
        server.stop()
        unchanged(present, blobs, totals, "the adoption by an older database")

        # an empty database, and the first one again
        databases.use(server, databases.empty())
        server.add_ae("LEDGER")
        server.add_sender(workers.check_hl7.SENDER, workers.check_hl7.FACILITY)
        swapped = BackendClient(server, "swapped", "ES384", "system/*.cruds", folder)
        server.start()
        refuses_images(server, swapped, totals, "swapped")
        time.sleep(1)
        server.stop()
        unchanged(present, blobs, totals, "an empty database")
        server.command("adopt", server.folder)
        server.start()
        figures["swapped_images"] = look(server, swapped, checker_type, totals, journals, None, IMAGES, arguments.custody_items)
        server.stop()
        databases.use(server, kept)
        pass_over(server)
        unchanged(present, blobs, totals, "the first database put back")
        server.command("adopt", server.folder)
        server.start()
        figures["all_again"] = look(server, backend, checker_type, totals, journals, None, every, arguments.custody_items)
        server.stop()

        # another server's configuration names the folder
        stranger = HilumServer(folder / "stranger", postgres=databases.empty(), log=folder / "stranger.log", options=options)
        stranger.init()
        their = BackendClient(stranger, "stranger", "ES384", "system/*.cruds", folder)
        stranger.configure("blobs:", f"blobs: {blobs}")
        shutil.copy(server.folder / "keys" / "master.key", stranger.folder / "keys" / "master.key")
        age(blobs)
        stranger.start()
        refuses_images(stranger, their, totals, "foreign")
        time.sleep(1)
        stranger.stop()
        unchanged(present, blobs, totals, "a foreign server")
        server.start()
        look(server, backend, checker_type, totals, journals, None, IMAGES, arguments.custody_items)
        server.stop()
        server.command("verify", server.folder, "--mib-per-second", "0")
    finally:
        for one in (server, locals().get("restored"), locals().get("stranger")):
            if one and one.is_running():
                one.kill()
    print(f"{kind} custody: {figures}, {totals.lost} lost, {totals.half} half-visible", flush=True)
    return figures

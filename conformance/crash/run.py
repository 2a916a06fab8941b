"""kill -9 of a running Hilum at random moments under mixed load; an outside ledger looks for losses after each restart.

Every acknowledged item must be readable and equal (SHA-256 of the data set for instances, JSON for FHIR, the patient and
order of a message for HL7); every other item fully there or fully absent. A message without an ACK is sent again and
must then be acknowledged and count once.
"""

import argparse
import contextlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "clients"))
sys.path.insert(0, str(HERE))

import check_dicom  # noqa: E402
import check_hl7  # noqa: E402
import custody  # noqa: E402
import delivery  # noqa: E402
import keys  # noqa: E402
import ledger  # noqa: E402
import workers  # noqa: E402
from hilum_server import BINARY, HilumServer  # noqa: E402
from smart import BackendClient  # noqa: E402


class Totals:
    def __init__(self):
        self.sent = self.acknowledged = self.lost = self.half = self.extra = 0
        self.by_door = {}
        self.findings = []

    def finding(self, kind, item, why):
        setattr(self, kind, getattr(self, kind) + 1)
        self.findings.append(f"{kind}: {item}: {why}")
        print(f"  {kind.upper()}: {item}: {why}", flush=True)

    def count(self, journals):
        """What was sent by the journals, and acknowledged."""
        for door, path in journals:
            intents, acks = ledger.read_journal(path)
            self.sent += len(intents)
            self.acknowledged += len(acks)
            self.by_door[door] = self.by_door.get(door, 0) + len(acks)


class Checker:
    """Reads each item back by another door than it came in."""

    def __init__(self, server, backend, totals):
        self.server, self.totals = server, totals
        self.session = backend.session()

    def look(self, door, item, ack):
        state, why = getattr(self, door)(item, ack)
        if state == "wrong":
            self.totals.finding("lost" if ack else "half", item, why)
        elif state == "absent" and ack:
            self.totals.finding("lost", item, why)
        return state

    def instance(self, item, ack):
        data = ledger.instance(item)
        base = (f"{self.server.dicomweb}/studies/{data.StudyInstanceUID}/series/{data.SeriesInstanceUID}"
                f"/instances/{data.SOPInstanceUID}")
        wanted = ledger.digest(ledger.after_meta(ledger.part10(data)))
        listed = self.session.get(
            f"{self.server.dicomweb}/studies/{data.StudyInstanceUID}/instances", timeout=30,
            params={"SOPInstanceUID": str(data.SOPInstanceUID)}, headers={"Accept": "application/dicom+json"})
        if listed.status_code not in (200, 204, 404):
            return "wrong", f"QIDO {listed.status_code}"
        in_list = listed.status_code == 200 and len(listed.json()) > 0
        try:
            found = ledger.digest(ledger.after_meta(check_dicom.retrieve_part10(self.session, base)))
        except AssertionError as error:
            if in_list:
                return "wrong", f"listed but not readable: {error}"
            return ("absent", str(error)) if "404" in str(error) else ("wrong", str(error))
        if not in_list:
            return "wrong", "readable but not listed"
        return ("there", "") if found == wanted else ("wrong", "the data set is not what was sent")

    cstore = stow = instance

    def search(self, kind, **parameters):
        answer = self.session.get(f"{self.server.fhir}/{kind}", params=parameters, timeout=30)
        if answer.status_code != 200:
            raise AssertionError(f"{kind} search {answer.status_code}: {answer.text[:120]}")
        return [entry["resource"] for entry in answer.json().get("entry", [])]

    def fhir(self, item, ack):
        if ack:
            answer = self.session.get(f"{self.server.fhir}/Observation/{ack['id']}", timeout=30)
            if answer.status_code != 200:
                return "absent", f"read {answer.status_code}"
        found = self.search("Observation", identifier=f"urn:hilum:ledger|{item}")
        if not found:
            return ("wrong", "readable but not found by search") if ack else ("absent", "")
        if len(found) > 1:
            return "wrong", f"there {len(found)} times"
        for resource in [found[0], answer.json()] if ack else found:
            stripped = {k: v for k, v in resource.items() if k not in ("id", "meta")}
            if stripped != ledger.observation(item):
                return "wrong", "the resource is not what was sent"
        return "there", ""

    def transaction(self, item, ack):
        """All three resources, or none of them, with the links that the server made."""
        patients = self.search("Patient", identifier=f"urn:hilum:ledger|{item}")
        parts = [self.search("Observation", identifier=f"urn:hilum:ledger|{item}-{name}") for name in ("one", "two")]
        counts = [len(patients), *map(len, parts)]
        if counts == [0, 0, 0]:
            return "absent", ""
        if counts != [1, 1, 1]:
            return "wrong", f"a transaction half applied: {counts}"
        for found, sent in zip(parts, ledger.transaction(item)["entry"][::2]):
            wanted = dict(sent["resource"], subject={"reference": f"Patient/{patients[0]['id']}"})
            if {k: v for k, v in found[0].items() if k not in ("id", "meta")} != wanted:
                return "wrong", "the resource is not what was sent"
        return "there", ""

    def mllp(self, item, ack):
        patients = self.search("Patient", identifier=item)
        if len(patients) > 1:
            return "wrong", f"{len(patients)} patients"
        is_order = int(item.rsplit("-", 1)[1]) % 2 == 0
        if is_order:
            orders = self.search("ServiceRequest", identifier=f"P{item.replace('-', '')}")
            if len(orders) > 1:
                return "wrong", f"{len(orders)} orders"
            if bool(orders) != bool(patients):
                return "wrong", f"{len(patients)} patients with {len(orders)} orders"
        if not patients:
            return "absent", "no patient"
        family = patients[0].get("name", [{}])[0].get("family")
        return ("there", "") if family in ("Ledger", "Probe") else ("wrong", f"family name {family!r}")


def one_round(index, server, backend, arguments, folder, rng):
    """Mixed load until a kill; its journals."""
    load = custody.Load(server, backend, folder, f"r{index}", arguments.doors)
    load.check()
    time.sleep(rng.uniform(0.0, arguments.seconds))
    if not server.is_running():
        raise SystemExit(f"the server ended by itself:\n{server.log_tail()}")
    server.kill()
    load.join()
    return load.journals


def check_round(server, backend, totals, journals, resend):
    checker = Checker(server, backend, totals)
    counts = {"there": 0, "absent": 0, "wrong": 0}
    for door, path in journals:
        intents, acks = ledger.read_journal(path)
        for item in intents:
            state = checker.look(door, item, acks.get(item))
            if item not in acks:
                counts[state] += 1
            if resend and door == "mllp" and item not in acks:
                try:
                    check_hl7.acknowledged(check_hl7.ask(server, workers.message(item)), item)
                    if checker.mllp(item, True)[0] != "there":
                        totals.finding("half", item, "sent again and acknowledged, but not there once")
                except Exception as error:  # a refusal of the repeat is the finding
                    totals.finding("half", item, f"sent again: {type(error).__name__}: {error}")
    return counts


@contextlib.contextmanager
def own_folder(name, arguments, totals):
    """A temporary folder; it is kept where something was found or broke off, and where that was asked for."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"hilum-{name}."))
    ended_well = False
    try:
        yield folder
        ended_well = True
    finally:
        if arguments.keep or totals.findings or not ended_well:
            print(f"kept in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def run_database(database, arguments):
    totals = Totals()
    with own_folder(f"crash-{database}", arguments, totals) as folder:
        return kill_under_load(database, arguments, totals, folder)


def kill_under_load(database, arguments, totals, folder):
    seed = arguments.seed if arguments.seed is not None else random.randrange(1 << 32)
    rng = random.Random(seed)
    journals, starts = [], []
    unacknowledged = {"there": 0, "absent": 0, "wrong": 0}
    postgres = None
    if database == "postgres":
        postgres = os.environ.get("HILUM_TEST_POSTGRES")
        if not postgres:
            raise SystemExit("HILUM_TEST_POSTGRES is not set: run this by conformance/crash/run.sh")
    server = HilumServer(folder / "hilum", postgres=postgres, log=folder / "hilum.log",
                         options=["--plain-loopback"] if arguments.plain else [])
    begun = time.monotonic()
    try:
        server.init()
        server.add_ae("LEDGER")
        server.add_sender(check_hl7.SENDER, check_hl7.FACILITY)
        backend = BackendClient(server, "ledger", "ES384", "system/*.cruds", folder)
        server.start()
        for index in range(1, arguments.kills + 1):
            backend.token = None
            mine = one_round(index, server, backend, arguments, folder, rng)
            journals += mine
            server.start()
            starts.append(server.start_seconds)
            backend.token = None
            counts = check_round(server, backend, totals, mine, resend=True)
            for key, value in counts.items():
                unacknowledged[key] += value
            acks = {door: len(ledger.read_journal(path)[1]) for door, path in mine}
            print(f"{database} kill {index}/{arguments.kills}: {acks}, ready again in {starts[-1]:.2f} s", flush=True)
        backend.token = None
        check_round(server, backend, totals, journals, resend=False)
        code = server.stop()
        if code != 0:
            totals.findings.append(f"SIGTERM: exit code {code}")
    finally:
        if server.is_running():
            server.kill()
        totals.count(journals)
    print(f"{database}: {arguments.kills} kills, {totals.sent} items sent, {totals.acknowledged} acknowledged "
          f"({', '.join(f'{d} {n}' for d, n in totals.by_door.items())}): {totals.lost} lost, {totals.half} half-visible; "
          f"{unacknowledged['there']} without ACK were there, {unacknowledged['absent']} were not; "
          f"ready again in {max(starts, default=0):.2f} s at most; seed {seed}; {time.monotonic() - begun:.0f} s", flush=True)
    return {"database": database, "kills": arguments.kills, "sent": totals.sent, "acknowledged": totals.acknowledged,
            "lost": totals.lost, "half_visible": totals.half, "by_door": totals.by_door,
            "ready_again_seconds_max": max(starts, default=0), "seed": seed, "findings": totals.findings}


def run_custody(database, arguments):
    totals = Totals()
    begun = time.monotonic()
    with own_folder(f"custody-{database}", arguments, totals) as folder:
        figures = custody.run(database, arguments, Checker, totals, folder)
    return {"database": database, "custody": True, **figures, "lost": totals.lost, "half_visible": totals.half,
            "seconds": round(time.monotonic() - begun), "findings": totals.findings}


def run_beside(module, kills, database, arguments):
    """Kills as `delivery` and `keys` bring them about; the result is marked by the module's name."""
    seed = arguments.seed if arguments.seed is not None else random.randrange(1 << 32)
    totals = Totals()
    begun = time.monotonic()
    name = module.__name__
    with own_folder(f"{name}-{database}", arguments, totals) as folder:
        figures = module.run(database, arguments, Checker, totals, folder, random.Random(seed))
    return {"database": database, name: True, "kills": kills, **figures, "lost": totals.lost,
            "half_visible": totals.half, "sent": totals.sent, "acknowledged": totals.acknowledged,
            "by_door": totals.by_door, "seed": seed, "seconds": round(time.monotonic() - begun),
            "findings": totals.findings}


def write_results(results):
    revision = subprocess.run(["git", "-C", str(HERE), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    lines = [
        "# kill -9 under mixed load", "",
        f"Made by `make crash` on {time.strftime('%Y-%m-%d')} at revision {revision.stdout.strip() or 'unknown'}: C-STORE, "
        "STOW-RS, MLLP, FHIR create and transactions at once, each acknowledgement in an fsynced journal outside the server, the process "
        "killed at random moments; after each restart, and again at the end, everything is read back.", "",
        "| database | kills | sent | acknowledged | C-STORE | STOW | MLLP | FHIR | transactions | lost | half-visible | longest start, s | seed |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for r in (r for r in results if not {"custody", "delivery", "keys"} & r.keys()):
        doors = [str(r["by_door"].get(door, 0)) for door in ("cstore", "stow", "mllp", "fhir", "transaction")]
        lines.append(
            f"| {r['database']} | {r['kills']} | {r['sent']} | {r['acknowledged']} | {' | '.join(doors)} | {r['lost']} | "
            f"{r['half_visible']} | {r['ready_again_seconds_max']:.2f} | {r['seed']} |")
    lines += [
        "", "## Database and blobs folder apart", "",
        "A backup under the same load, restored to an empty folder; its database put back beside the folder; an empty "
        "database; the first one again; another server's configuration. Images read back of those acknowledged.", "",
        "| database | acknowledged | of them before the backup | backup, s | restore, s | images after an older database | after an "
        "empty one | all items with the first again | lost | half-visible |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for r in (r for r in results if "custody" in r):
        lines.append(
            f"| {r['database']} | {r['acknowledged']} | {r['before_backup']} | {r['backup_seconds']:.2f} | "
            f"{r['restore_seconds']:.2f} | {r['older_images']} | {r['swapped_images']} | {r['all_again']} | {r['lost']} | "
            f"{r['half_visible']} |")
    lines += [
        "", "## kill -9 while others are told", "",
        "Results by MLLP, performed procedure steps, commitment requests and Observations at once; what follows from each is "
        "told to a RIS, an MPPS SCP, a listener for commitment reports and a rest-hook that live on. Repeated: what came more "
        "than once, under the id of the first. Beside them images that a rule sends on by C-STORE and by STOW-RS, studies that "
        "are fetched from a slow archive, and workitems by UPS-RS.", "",
        "| database | kills | acknowledged | reports, repeated | steps, repeated | commitments, repeated | hooks, repeated | images "
        "sent on, repeated | studies fetched, begun again | fetches broken off | steps of workitems | lost | half-told | seed |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for r in (r for r in results if "delivery" in r):
        told = [f"{r['by_door'].get(door, 0)}, {r['repeats'][name]}" for door, name in (
            ("report", "reports"), ("step", "steps"), ("commit", "commit"), ("fhir", "hooks"),
            ("forward", "forward"), ("fetch", "fetch"))]
        lines.append(f"| {r['database']} | {r['kills']} | {r['acknowledged']} | {' | '.join(told)} | {r['interrupted']} | "
                     f"{r['by_door'].get('workitem', 0)} | {r['lost']} | {r['half_visible']} | {r['seed']} |")
    lines += [
        "", "## kill -9 while the master key is changed", "",
        "Under the same load changes of the master key are killed, then the server; what was acknowledged reads with the key "
        "that is in place, and in the end with the last one alone.", "",
        "| database | kills of the server | changes killed on their way | acknowledged | images read at the end | lost | half-visible | seed |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for r in (r for r in results if "keys" in r):
        lines.append(f"| {r['database']} | {r['kills']} | {r['changes_killed']} | {r['acknowledged']} | {r['images']} | "
                     f"{r['lost']} | {r['half_visible']} | {r['seed']} |")
    lines += ["", *[f"- {finding}" for r in results for finding in r["findings"]]]
    (HERE / "RESULTS.md").write_text("\n".join(lines).rstrip() + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20, help="for each database; 0 for none")
    parser.add_argument("--database", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--seconds", type=float, default=2.0, help="the longest time from full load to the kill")
    parser.add_argument("--doors", default="cstore,stow,mllp,fhir,transaction")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--custody-seconds", type=float, default=1.0, help="of load before and after the backup")
    parser.add_argument("--custody-items", type=int, default=0, help="items of each door that are read back; 0 for all")
    parser.add_argument("--no-custody", action="store_true", help="leave out backup, restore and swapped databases")
    parser.add_argument("--delivery-kills", type=int, default=10,
                        help="for each database, while others are told; 0 for none")
    parser.add_argument("--key-kills", type=int, default=5,
                        help="for each database, while the master key is changed; 0 for none")
    parser.add_argument("--plain", action="store_true", help="clear text on loopback instead of TLS")
    parser.add_argument("--keep", action="store_true", help="keep the folders")
    parser.add_argument("--json", help="also write the results here")
    arguments = parser.parse_args()
    arguments.doors = arguments.doors.split(",")
    if not BINARY.exists():
        sys.exit(f"{BINARY} is not there: make build")
    databases = ["sqlite", "postgres"] if arguments.database == "both" else [arguments.database]
    results = [run_database(database, arguments) for database in databases if arguments.kills]
    if not arguments.no_custody:
        results += [run_custody(database, arguments) for database in databases]
    for module, kills in ((delivery, arguments.delivery_kills), (keys, arguments.key_kills)):
        if kills:
            results += [run_beside(module, kills, database, arguments) for database in databases]
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(results, indent=1))
    if arguments.database == "both" and arguments.kills >= 20:
        write_results(results)
    failed = sum(1 for result in results if result["findings"])
    print(f"crash: {len(results) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

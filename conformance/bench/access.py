#!/usr/bin/env python3
"""What access costs: processor time of the server for a request, and requests a second, of reads and searches by a
system, a patient and a user token, in turn on one server; and of the check of a token that was not seen before. A token of
one patient is measured twice: as a practitioner has it, who launched an application for a patient of theirs, and as the
patient themself has it.

    make access                                    both databases
    make access ACCESS="--only sqlite --seconds 5 --json"

The last column is the processor time over that of the system token (aim of either patient token: 1.3 at most). The row of
tokens seen first is read with as many tokens as requests: what it takes more than the read above it is the check of the
signature and of what the token came of.
"""

import argparse
import threading
import time

import measuring
from measuring import Connection

import requests

import check_launch
import check_signin
from check_launch import REDIRECT, Launch
from smart import BackendClient, assertion, post_token

OBSERVATIONS = 20
# The level of a token that a patient has of their own record.
OWN = "patient, their own"


class Site:
    """A practitioner, their patients and others', and an application of each level. What `Launch` needs of a site."""

    def __init__(self, server, folder, patients):
        self.server = server
        self.backend = BackendClient(server, "system", "ES384", "system/*.cruds", folder)
        server.start()
        entries = [{"resourceType": "Practitioner", "id": "reader", "name": [{"family": "Reader"}]}]
        for number in range(patients):
            entries.append({
                "resourceType": "Patient", "id": f"p{number}", "name": [{"family": f"Bench{number}"}],
                "birthDate": "1960-01-02", "generalPractitioner": [{"reference": "Practitioner/reader"}]})
            entries += [{
                "resourceType": "Observation", "id": f"p{number}-{each}", "status": "final",
                "code": {"coding": [{"system": "http://loinc.org", "code": "2339-0"}], "text": "Glucose"},
                "subject": {"reference": f"Patient/p{number}"}, "effectiveDateTime": f"2024-01-{1 + each:02}",
                "valueQuantity": {"value": 60 + each, "unit": "mg/dL"}} for each in range(OBSERVATIONS)]
        session = self.backend.session()
        for start in range(0, len(entries), 500):
            measuring.progress(f"filling: {start} of {len(entries)}")
            bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [
                {"resource": each, "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"}}
                for each in entries[start:start + 500]]}
            session.post(server.fhir, json=bundle, timeout=120,
                         headers={"Content-Type": "application/fhir+json", "Prefer": "return=minimal"}).raise_for_status()
        code = check_signin.add(server, "reader", "practitioner", "--fhir-user", "Practitioner/reader")
        check_signin.choose_password(server, "reader", code)
        check_signin.choose_password(server, "own", check_signin.add(server, "own", "patient", "--patient", "p7"))
        self.apps = {level: self.register(scope) for level, scope in (
            ("patient", "launch/patient patient/*.rs"), ("user", "user/*.rs"))}

    def register(self, scope):
        out = self.server.command(
            "client", "register", self.server.folder, "--name", f"bench {scope}", "--public", "--redirect-uri", REDIRECT,
            "--scope", scope)
        return check_launch.Site.word(out, "client_id"), scope

    def token(self, **fields):
        return requests.post(self.server.http + "/oauth/token", data=fields, verify=self.server.verify, timeout=30)

    def bearer(self, level):
        """A new token of a level."""
        if level == "system":
            signed = assertion(self.backend.key, self.backend.id, self.backend.token_url)
            answer = post_token(self.backend.token_url, signed, "system/*.rs", self.server.verify)
        else:
            client, scope = self.apps["user" if level == "user" else "patient"]
            launch = Launch(self, client, scope, person="own" if level == OWN else "reader")
            launch.open()
            # What the person has agreed to once is remembered.
            told = launch.answer() if launch.browser.left else launch.allow(None if level == "user" else "p7")
            answer = launch.redeem(told["code"])
        answer.raise_for_status()
        return answer.json()["access_token"]


def run(server, path, bearers, seconds, connections):
    """Requests on some connections at once; each sends the next of the tokens, and all of one token go on for so long."""
    done, failed, lock = [0], [], threading.Lock()
    end = time.monotonic() + seconds
    left = list(bearers) if len(bearers) > 1 else None

    def work():
        connection = Connection(server)
        count = 0
        try:
            while time.monotonic() < end:
                if left is None:
                    bearer = bearers[0]
                else:
                    with lock:
                        if not left:
                            break
                        bearer = left.pop()
                headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
                status, _, body = connection.send("GET", path, headers)
                if status != 200:
                    failed.append(f"{path}: {status} {body[:200]!r}")
                    return
                count += 1
        finally:
            connection.close()
            with lock:
                done[0] += count

    threads = [threading.Thread(target=work, daemon=True) for _ in range(connections)]
    before, begun = measuring.cpu_seconds(server), time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = time.monotonic() - begun
    if failed:
        raise SystemExit(failed[0])
    cpu = measuring.cpu_seconds(server) - before
    return {"requests": done[0], "rate": round(done[0] / taken), "cpu_us": round(cpu / max(done[0], 1) * 1e6, 1)}


ASKS = [("read of an Observation", "/fhir/Observation/p7-3"), ("read of a Patient", "/fhir/Patient/p7"),
        ("search, a page of 20", "/fhir/Observation?patient=p7&_count=20"),
        ("search, by code and date", "/fhir/Observation?patient=p7&code=2339-0&date=ge2024-01-05&_sort=-date")]


def measure(given, kind):
    rows = []
    with measuring.server(given, kind) as (server, folder):
        site = Site(server, folder, given.patients)

        def row(label, level, path, bearers, system=None):
            measuring.progress(f"{kind}: {label}, {level}")
            found = run(server, path, bearers, given.seconds, given.connections)
            rows.append({"database": kind, "request": label, "token": level, **found,
                         "over_system": round(found["cpu_us"] / system, 2) if system else ""})
            return found["cpu_us"]

        row("nothing (/health/live)", "-", "/health/live", [None])
        for label, path in ASKS:
            system = None
            for level in ("system", "patient", OWN, "user"):
                bearer = site.bearer(level)
                run(server, path, [bearer], min(given.seconds, 1), given.connections)
                found = row(label, level, path, [bearer], system)
                system = system or found
        label, path = ASKS[0]
        measuring.progress(f"{kind}: making tokens")
        bearers = [site.bearer("system") for _ in range(given.tokens)]
        base = next(each for each in rows if each["request"] == label and each["token"] == "system")["cpu_us"]
        row(label, "system, seen first", path, bearers, base)
    return rows


def work():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8, help="of each row")
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--patients", type=int, default=500)
    parser.add_argument("--tokens", type=int, default=500, help="of the row of tokens seen first")
    given = measuring.arguments(parser)
    rows = [row for kind in measuring.databases(given) for row in measure(given, kind)]
    measuring.tell(given, rows, [
        ("database", "database"), ("request", "request"), ("token", "token"), ("a second", "rate"),
        ("CPU µs", "cpu_us"), ("over system", "over_system")])


if __name__ == "__main__":
    measuring.main(work)

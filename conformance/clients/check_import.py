"""Bulk imports of a server of its own: from a file server that behaves and from one that does not, of its own export,
through kill -9, and by the command line. Bulk Data Import proposal; decision 0040."""

import collections
import gzip
import http.server
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

import requests

import own_certificate
from check_hl7_out import own_database
from check_query_retrieve import free_port
from hilum_server import BINARY, HilumServer
from report import Report, equal, expect
from smart import BackendClient, Key, write_jwks

GROUP, CLAUSE = "import", "Bulk Data Import proposal"
LINES = 20_000
FILE_BYTES = 200 << 20

LIMITS = f"""
limits: {{ import-grace-seconds: 3, import-attempts: 2, import-file-bytes: {FILE_BYTES}, imports: 4,
  imports-per-client: 4 }}
"""


def patient(number, **more):
    return {"resourceType": "Patient", "id": f"imp-{number}", "name": [{"family": "Import", "given": [str(number)]}],
            "identifier": [{"type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203",
                                                 "code": "MR"}]}, "system": "urn:example:imp", "value": str(number)}],
            **more}


def observation(number, subject=0):
    return {"resourceType": "Observation", "id": f"imp-{number}", "status": "final", "code": {"text": "count"},
            "valueInteger": number, "subject": {"reference": f"Patient/imp-{subject}"}}


def ndjson(resources):
    return b"".join(json.dumps(each).encode() + b"\n" for each in resources)


class Files:
    """A server of files over TLS; some paths misbehave."""

    def __init__(self, folder):
        key, self.certificate, _ = own_certificate.make(folder, "files")
        self.contents = {}
        self.requests = []
        self.changes = collections.Counter()
        self.slow = 0.0
        files = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *words):
                pass

            def do_GET(self):
                files.requests.append((self.path, dict(self.headers)))
                try:
                    game = getattr(files, "game_" + self.path.strip("/").split("/")[0].replace("-", "_"), None)
                    (game or files.serve)(self)
                except OSError:
                    self.close_connection = True

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.socket = own_certificate.server_context(key, self.certificate).wrap_socket(
            self.server.socket, server_side=True)
        self.base = f"https://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def head(self, call, status, **fields):
        call.send_response(status)
        for name, value in fields.items():
            call.send_header(name.replace("_", "-"), str(value))
        call.end_headers()

    def serve(self, call):
        body = self.contents.get(call.path)
        if body is None:
            return self.head(call, 404, Content_Length=0)
        fields = {"ETag": f'"{hash(body)}"', "Accept-Ranges": "bytes"}
        status, first = 200, 0
        found = re.fullmatch(r"bytes=(\d+)-", call.headers.get("Range", ""))
        if found:
            status, first = 206, int(found.group(1))
            fields["Content-Range"] = f"bytes {first}-{len(body) - 1}/{len(body)}"
        body = body[first:]
        self.head(call, status, Content_Length=len(body), **fields)
        for start in range(0, len(body), 65536):
            call.wfile.write(body[start:start + 65536])
            if self.slow:
                time.sleep(self.slow)

    # Misbehaviour

    def game_gzip(self, call):
        body = gzip.compress(self.contents["/" + call.path.strip("/").split("/", 1)[1]])
        self.head(call, 200, Content_Encoding="gzip", Content_Length=len(body))
        call.wfile.write(body)

    def game_bomb(self, call):
        body = gzip.compress(bytes(150 << 20), 9)
        self.head(call, 200, Content_Encoding="gzip", Content_Length=len(body))
        call.wfile.write(body)

    def game_endless(self, call):
        self.head(call, 200, Connection="close")
        while True:
            call.wfile.write(b" " * 65536)

    def game_drip(self, call):
        self.head(call, 200, Content_Length=1 << 20)
        while True:
            call.wfile.write(b"{")
            call.wfile.flush()
            time.sleep(0.5)

    def game_redirect(self, call):
        self.head(call, 302, Location="https://127.0.0.1:1/secret", Content_Length=0)

    def game_changing(self, call):
        """Breaks off in the middle, and is another file from then on."""
        self.changes[call.path] += 1
        body = ndjson(observation(900_000 + number) for number in range(2_000))
        self.head(call, 200, ETag=f'"{self.changes[call.path]}"', Content_Length=len(body))
        call.wfile.write(body if self.changes[call.path] > 1 else body[:len(body) // 2])
        call.close_connection = True

    def game_huge_line(self, call):
        good = ndjson([observation(800_001)])
        size = 100 << 20
        self.head(call, 200, Content_Length=size + 1 + len(good))
        for _ in range(size >> 20):
            call.wfile.write(b"x" * (1 << 20))
        call.wfile.write(b"\n" + good)


class Importer:
    """A server whose imports are watched."""

    def __init__(self, folder, plain, postgres):
        self.folder = folder
        self.files = Files(folder)
        self.server = HilumServer(folder / "import", postgres=own_database(postgres, "import"),
                                  log=folder / "import.log", options=["--plain-loopback"] if plain else [])
        self.server.init(ports=(free_port(), 0, 0))
        self.key = Key("ES384", "imports")
        self.client = BackendClient(self.server, "importer", "ES384", "system/*.cruds", folder)
        self.stranger = BackendClient(self.server, "stranger", "ES384", "system/*.cruds", folder)
        self.reader = BackendClient(self.server, "reader", "ES384", "system/*.rs", folder)
        self.own = self.server.register_client(
            "own-export", write_jwks(folder / "own-export.jwks.json", [self.key]), "system/*.rs")
        pem = self.server.folder / "keys" / "imports.pem"
        pem.write_bytes(self.key.pem())
        pem.chmod(0o600)
        # Where the server is, which is part of what its own export's files want a token for.
        self.server.start()
        base = self.server.http
        self.server.stop()
        authorities = self.server.folder / "authorities.pem"
        own = pathlib.Path(self.server.ca)
        authorities.write_bytes(self.files.certificate.read_bytes() + (own.read_bytes() if own.exists() else b""))
        with open(self.server.folder / "hilum.yaml", "a") as file:
            file.write(LIMITS)
            file.write(f"\noutbound: {{ allow-networks: [127.0.0.0/8, \"::1\"], authorities: {authorities} }}\n")
            if base.startswith("https:"):
                file.write(
                    f"imports:\n  sources:\n    - {{ base: '{base}/fhir', url: '{base}/oauth/token', "
                    f"client: '{self.own}', scope: 'system/*.rs', key: keys/imports.pem, key-id: imports }}\n")
        self.server.start()

    def stop(self):
        self.files.stop()
        return self.server.stop()

    def kick_off(self, body, client=None, prefer="respond-async", status=202):
        answer = (client or self.client).session().post(
            self.server.fhir + "/$import", json=body, headers={"Prefer": prefer}, timeout=60)
        equal(answer.status_code, status, f"kick-off: {answer.text[:200]}")
        return answer

    def listed(self, *inputs, **more):
        return {"inputFormat": "application/fhir+ndjson",
                "input": [{"type": kind, "url": self.files.base + path} for kind, path in inputs], **more}

    def wait(self, url, seconds=300):
        until = time.monotonic() + seconds
        while True:
            answer = self.client.session().get(url, timeout=60)
            if answer.status_code != 202:
                return answer
            expect(re.match(r"\d+%", answer.headers.get("X-Progress", "")), "no X-Progress")
            expect(answer.headers.get("Retry-After"), "no Retry-After")
            expect(time.monotonic() < until, f"not done after {seconds} s: {answer.headers['X-Progress']}")
            time.sleep(0.2)

    def run(self, body, seconds=300):
        """The manifest of an import, and the outcomes of what was refused as (line, code, text)."""
        answer = self.wait(self.kick_off(body).headers["Content-Location"], seconds)
        equal(answer.status_code, 200, f"status: {answer.text[:200]}")
        manifest = answer.json()
        outcomes = []
        for file in manifest["error"]:
            text = self.client.session().get(file["url"], timeout=60)
            equal(text.headers["Content-Type"], "application/fhir+ndjson", "type of the outcomes")
            lines = [json.loads(line) for line in text.text.splitlines()]
            equal(len(lines), file["count"], "count of outcomes")
            for line in lines:
                issue = line["issue"][0]
                outcomes.append((issue.get("extension", [{}])[0].get("valueInteger"), issue["code"],
                                 issue.get("details", {}).get("text", "")))
        return manifest, outcomes

    def counts(self, manifest):
        return tuple(manifest["extension"][name] for name in ("created", "updated", "unchanged", "refused"))

    def total(self, query):
        answer = self.client.session().get(f"{self.server.fhir}/{query}&_summary=count", timeout=60)
        equal(answer.status_code, 200, query)
        return answer.json()["total"]


def check(report, folder, plain=False, postgres=None):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="import.", dir=folder))
    site = Importer(folder, plain, postgres)

    def row(name, work):
        report.check(GROUP, name, lambda: work(site), CLAUSE)

    try:
        row("files are imported in the order of their types", files_in_order)
        row("the same again makes no version", again)
        row("Parameters and gzip are taken", parameters)
        row("who may not, and what is none, is refused", refused)
        row("bad lines are told with their numbers", bad_lines)
        row("a bomb, an endless file, a drip, redirects and 404 end their own file", hostile)
        row("a line of 100 MB is refused and the next one stored", huge_line)
        row("a file that changes while it is read is named", changing)
        row("no line merges patients", merging)
        row("two imports of the same ids at once", at_once)
        row("DELETE ends an import, and what it stored stays", cancelled)
        if not plain:
            row("its own export is imported by its manifest, and nothing of it is new", own_export)
        report.check(GROUP, f"kill -9 in an import of {LINES:,} lines: it goes on, and each line is counted once",
                     lambda: killed(site), "promise: jobs")
        row("hilum import: files, again, dry run, errors, list, cancel", command)
    finally:
        code = site.stop()
        report.check(GROUP, "the server ends well", lambda: equal(code, 0, "exit code"))


def files_in_order(site):
    site.files.contents["/a/Observation.ndjson"] = ndjson(observation(number, number % 10) for number in range(200))
    site.files.contents["/a/Patient.ndjson"] = ndjson(patient(number) for number in range(10))
    site.files.requests.clear()
    files = ("Observation", "/a/Observation.ndjson"), ("Patient", "/a/Patient.ndjson")
    manifest, outcomes = site.run(site.listed(*files))
    equal(outcomes, [], "outcomes")
    equal(site.counts(manifest), (210, 0, 0, 0), "counts")
    equal([path for path, _ in site.files.requests], ["/a/Patient.ndjson", "/a/Observation.ndjson"], "order")
    equal([file["count"] for file in manifest["output"]], [10, 200], "output")
    equal(site.total("Observation?subject=Patient/imp-3"), 20, "found by its subject")


def again(site):
    manifest, _ = site.run(site.listed(("Observation", "/a/Observation.ndjson"), ("Patient", "/a/Patient.ndjson")))
    equal(site.counts(manifest), (0, 0, 210, 0), "counts")
    answer = site.client.session().get(site.server.fhir + "/Observation/imp-7", timeout=30)
    equal(answer.json()["meta"]["versionId"], "1", "version")
    site.files.slow = 0.5
    try:
        site.files.contents["/slow"] = ndjson(observation(number) for number in range(5_000))
        body = site.listed(("Observation", "/slow"))
        first, second = (site.kick_off(body).headers["Content-Location"] for _ in range(2))
        equal(first, second, "the job of the same kick-off")
    finally:
        site.files.slow = 0
    equal(site.wait(first).status_code, 200, "status")


def parameters(site):
    site.files.contents["/b/Observation.ndjson"] = ndjson(observation(10_000 + number) for number in range(500))
    body = {"resourceType": "Parameters", "parameter": [
        {"name": "inputFormat", "valueCode": "application/fhir+ndjson"},
        {"name": "inputSource", "valueUri": "https://ehr.example/fhir"},
        {"name": "input", "part": [{"name": "type", "valueCode": "Observation"},
                                   {"name": "url", "valueUrl": site.files.base + "/gzip/b/Observation.ndjson"}]}]}
    manifest, outcomes = site.run(body)
    equal(outcomes, [], "outcomes")
    equal(site.counts(manifest), (500, 0, 0, 0), "counts")


def refused(site):
    good = site.listed(("Patient", "/a/Patient.ndjson"))
    site.kick_off(good, prefer="return=minimal", status=400)
    site.kick_off(good, site.reader, status=403)
    for body in ({}, {"input": []}, site.listed(("Bogus", "/x")), site.listed(("Patient", "/x"), bogus=1),
                 {"input": [{"type": "Patient", "url": "http://127.0.0.1/x"}]},
                 {"input": [{"type": "Patient", "url": "file:///etc/passwd"}]}):
        site.kick_off(body, status=400)
    equal(requests.post(site.server.fhir + "/$import", json=good, verify=site.server.verify, timeout=30).status_code,
          401, "without a token")
    url = site.kick_off(good).headers["Content-Location"]
    for client in (site.stranger, site.reader):
        equal(client.session().get(url, timeout=30).status_code, 404, "another client's status")
        equal(client.session().delete(url, timeout=30).status_code, 404, "another client's DELETE")
    site.wait(url)


def bad_lines(site):
    lines = [b"\xef\xbb\xbf" + ndjson([observation(20_000)])[:-1] + b"\r", b"", b"{", ndjson([patient(1)])[:-1],
             ndjson([observation(20_000, 1)])[:-1], b'{"resourceType":"Bogus","id":"1"}', b"\x00", b"\xff\xfe",
             b'{"resourceType":"Observation","id":"imp-no-status","code":{"text":"x"}}',
             b'{"resourceType":"Observation","status":"final","code":{"text":"x"}}', ndjson([observation(20_001)])[:-1]]
    site.files.contents["/bad"] = b"\n".join(lines)
    manifest, outcomes = site.run(site.listed(("Observation", "/bad")))
    equal([line for line, _, _ in outcomes], [3, 4, 5, 6, 7, 8, 9, 10], "lines")
    equal(outcomes[2][1], "duplicate", "the second of one id")
    equal(site.counts(manifest), (2, 0, 0, 8), "counts")


def hostile(site):
    games = {"/bomb": "inflates to more than", "/endless": f"more than {FILE_BYTES} bytes", "/drip": "bytes a second",
             "/redirect": "redirects are not followed", "/nothing-here": "404"}
    before = site.server.rss_kib()
    inputs = [("Observation", path) for path in games]
    site.files.contents["/c"] = ndjson([observation(30_000)])
    body = site.listed(*inputs, ("Observation", "/c"))
    # An address of a private network, and a host that is not there.
    body["input"] += [{"type": "Observation", "url": "https://10.1.2.3/x"},
                      {"type": "Observation", "url": "https://nobody.invalid/x"}]
    manifest, outcomes = site.run(body)
    equal(len(outcomes), len(games) + 2, "outcomes")
    for (_, _, text), words in zip(outcomes, games.values()):
        expect(words in text, f"{words!r} is not in {text!r}")
    expect("private or reserved" in outcomes[-2][2], outcomes[-2][2])
    expect("no address" in outcomes[-1][2], outcomes[-1][2])
    equal(site.counts(manifest)[0], 1, "created")
    grown = (site.server.rss_kib() - before) / 1024
    expect(grown < 200, f"{grown:.0f} MiB more resident")
    return f"{grown:+.0f} MiB resident"


def huge_line(site):
    before = site.server.rss_kib()
    manifest, outcomes = site.run(site.listed(("Observation", "/huge-line")))
    equal([(line, code) for line, code, _ in outcomes], [(1, "too-long")], "outcomes")
    equal(site.counts(manifest), (1, 0, 0, 1), "counts")
    return f"{(site.server.rss_kib() - before) / 1024:+.0f} MiB resident"


def changing(site):
    site.files.contents["/d"] = ndjson([patient(500)])
    manifest, outcomes = site.run(site.listed(("Observation", "/changing"), ("Patient", "/d")))
    equal(len(outcomes), 1, "outcomes")
    expect("changed while it was read" in outcomes[0][2], outcomes[0][2])
    expect(site.counts(manifest)[0] < 2_001, "a file of two halves was imported")
    equal(site.total("Patient?_id=imp-500"), 1, "the other file")


def merging(site):
    other = patient(0)
    other["id"] = "imp-other"
    link = patient(700, active=False, link=[{"other": {"reference": "Patient/imp-0"}, "type": "replaced-by"}])
    site.files.contents["/e"] = ndjson([other, link])
    _, outcomes = site.run(site.listed(("Patient", "/e")))
    equal([(line, code) for line, code, _ in outcomes], [(1, "conflict")], "outcomes")
    equal(site.total("Patient?identifier=urn:example:imp|0"), 1, "who has the number")


def at_once(site):
    for name, value in (("/x", 1), ("/y", 2)):
        site.files.contents[name] = ndjson(
            {**observation(40_000 + number), "valueInteger": value} for number in range(500))
    urls = [site.kick_off(site.listed(("Observation", name))).headers["Content-Location"] for name in ("/x", "/y")]
    for url in urls:
        answer = site.wait(url)
        equal((answer.status_code, answer.json()["error"]), (200, []), "status")
    found = site.client.session().get(site.server.fhir + "/Observation/imp-40499", timeout=30).json()
    expect(found["valueInteger"] in (1, 2) and found["meta"]["versionId"] == "2", str(found["meta"]))


def cancelled(site):
    site.files.contents["/f"] = ndjson(observation(50_000 + number) for number in range(5_000))
    site.files.slow = 0.3
    try:
        url = site.kick_off(site.listed(("Observation", "/f"))).headers["Content-Location"]
        until = time.monotonic() + 180
        while site.total("Observation?_id=imp-50000") == 0:
            expect(time.monotonic() < until, "nothing was stored in three minutes")
        equal(site.client.session().delete(url, timeout=30).status_code, 202, "DELETE")
    finally:
        site.files.slow = 0
    equal(site.client.session().get(url, timeout=30).status_code, 404, "status")
    time.sleep(1)
    equal(site.total("Observation?_id=imp-50000"), 1, "what was stored")
    equal(site.total("Observation?_id=imp-54999"), 0, "what was not")


def own_export(site):
    session = site.client.session()
    answer = session.get(site.server.fhir + "/$export?_type=Patient,Observation", headers={"Prefer": "respond-async"},
                         timeout=60)
    equal(answer.status_code, 202, "export")
    exported = answer.headers["Content-Location"]
    # The manifest is its client's alone, so that client is the one that the source knows this server as.
    own = OwnClient(site)
    answer = own.get(site.server.fhir + "/$export?_type=Patient,Observation", headers={"Prefer": "respond-async"})
    equal(answer.status_code, 202, "export")
    body = {"resourceType": "Parameters", "parameter": [
        {"name": "exportUrl", "valueUrl": answer.headers["Content-Location"]},
        {"name": "exportType", "valueCode": "static"},
        {"name": "inputSource", "valueUri": site.server.fhir}]}
    manifest, outcomes = site.run(body)
    equal(outcomes, [], "outcomes")
    created, updated, unchanged, refused_lines = site.counts(manifest)
    equal((created, updated, refused_lines), (0, 0, 0), "counts")
    expect(unchanged > 1_000, f"{unchanged} resources")
    # Another client's manifest is not there for it.
    body["parameter"][0]["valueUrl"] = exported
    answer = site.wait(site.kick_off(body).headers["Content-Location"])
    equal(answer.status_code, 500, "another client's manifest")
    return f"{unchanged} resources"


class OwnClient(BackendClient):
    """The client that the server is known as at its own token endpoint."""

    def __init__(self, site):
        self.server, self.key, self.scope, self.id = site.server, site.key, "system/*.rs", site.own
        self.fetched, self.token, self.lifetime = 0.0, None, 0

    def get(self, url, **more):
        return self.session().get(url, timeout=60, **more)


def killed(site):
    site.files.contents["/k"] = ndjson(observation(100_000 + number) for number in range(LINES))
    begun = time.monotonic()
    url = site.kick_off(site.listed(("Observation", "/k"))).headers["Content-Location"]
    kills, lines = 0, 0
    for share in (0.1, 0.4, 0.7):
        while True:
            answer = site.client.session().get(url, timeout=60)
            if answer.status_code != 202:
                break
            lines = int(re.search(r"(\d+) lines", answer.headers["X-Progress"]).group(1))
            if lines >= share * LINES:
                break
            time.sleep(0.05)
        if answer.status_code != 202:
            break
        site.server.kill()
        kills += 1
        site.server.start()
    answer = site.wait(url)
    equal(answer.status_code, 200, "status")
    equal(site.counts(answer.json()), (LINES, 0, 0, 0), f"counts after {kills} kills")
    expect(kills > 0, "it was done before it could be killed")
    for number in (0, LINES // 2, LINES - 1):
        found = site.client.session().get(f"{site.server.fhir}/Observation/imp-{100_000 + number}", timeout=30).json()
        equal(found["meta"]["versionId"], "1", "version")
    # Without kills.
    site.files.contents["/l"] = ndjson(observation(200_000 + number) for number in range(LINES))
    begun = time.monotonic()
    site.run(site.listed(("Observation", "/l")))
    return f"{kills} kills; {LINES / (time.monotonic() - begun):,.0f} lines/s without"


def command(site):
    folder = site.folder / "files"
    folder.mkdir()
    (folder / "Patient.ndjson").write_bytes(ndjson(patient(1_000 + number) for number in range(20)))
    observations = [observation(300_000 + number, 1_000) for number in range(1_000)]
    if site.server.fhir.startswith("https:"):
        # Found as the server's own, as if the server had written it.
        observations[0]["subject"]["reference"] = f"{site.server.fhir}/Patient/imp-1000"
    (folder / "1.Observation.ndjson.gz").write_bytes(gzip.compress(ndjson(observations) + b"{\n"))

    def run(*words, code=0):
        done = subprocess.run([str(BINARY), "import", *map(str, words)], capture_output=True, text=True, timeout=300,
                              stdin=subprocess.DEVNULL)
        equal(done.returncode, code, f"hilum import {' '.join(map(str, words[:2]))}: {done.stderr[-500:]}")
        return done

    home = site.server.folder
    tried = json.loads(run(home, folder, "--dry-run", "--json", code=1).stdout)
    equal((tried["created"], tried["refused"]), (1_020, 1), "dry run")
    equal(site.total("Patient?_id=imp-1000"), 0, "what a dry run keeps")
    errors = site.folder / "errors.ndjson"
    first = json.loads(run(home, folder, "--json", "--errors", errors, code=1).stdout)
    equal((first["created"], first["refused"], first["state"]), (1_020, 1, "complete"), "first run")
    (outcome,) = [json.loads(line) for line in errors.read_text().splitlines()]
    equal(outcome["issue"][0]["extension"][0]["valueInteger"], 1_001, "line")
    second = json.loads(run(home, folder, "--json", code=1).stdout)
    equal((second["created"], second["unchanged"]), (0, 1_020), "second run")
    by_url = run(home, site.files.base + "/a/Patient.ndjson")
    expect("10 unchanged" in by_url.stdout, by_url.stdout)
    listed = json.loads(run("list", home, "--json").stdout)
    expect(any(each["created"] == 1_020 and each["state"] == "complete" for each in listed), "not in the list")
    run(home, folder / "missing.ndjson", code=64)
    cancelled_command(site, run)
    equal(site.total("Observation?subject=Patient/imp-1000"), 1_000, "found by the server")


def cancelled_command(site, run):
    """One that was killed and is not given again is under way until it is ended by its id."""
    site.files.contents["/left/Observation.ndjson"] = ndjson(observation(400_000 + number) for number in range(5_000))
    home = site.server.folder

    def states(*wanted):
        return [each["id"] for each in json.loads(run("list", home, "--json").stdout) if each["state"] in wanted]

    before = states("running")
    site.files.slow = 0.3
    try:
        left = subprocess.Popen([str(BINARY), "import", str(home), site.files.base + "/left/Observation.ndjson"],
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 180
        while site.total("Observation?_id=imp-400000") == 0:
            expect(time.monotonic() < until, "nothing was stored in three minutes")
        left.kill()
        left.wait()
    finally:
        site.files.slow = 0
    (name,) = set(states("running")) - set(before)
    run("cancel", home, name)
    expect(name in states("cancelled"), "not cancelled")
    run("cancel", home, name, code=64)
    equal(site.total("Observation?_id=imp-400000"), 1, "what was stored")


if __name__ == "__main__":
    report = Report()
    with tempfile.TemporaryDirectory(prefix="hilum-import.") as place:
        check(report, pathlib.Path(place), plain="--plain" in sys.argv)
    for group, name, _, state, detail in report.rows:
        print(f"{state}: {name}: {detail}")
    print(report.again(), end="")
    sys.exit(1 if report.failed else 0)

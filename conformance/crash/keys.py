"""The master key is changed again and again under mixed load, and both the change and the server are killed at random
moments, under the outside ledger: whatever was acknowledged reads with the master key that is in place, and in the end
with the last one alone."""

import json

import check_keys
import custody

DOORS = ("cstore", "stow", "fhir", "mllp")


def change(server, rng, kills, totals):
    """Changes of the master key that a SIGKILL ends on their way; how many it did end."""
    killed = 0
    for _ in range(kills):
        was_killed, listed = check_keys.killed_change(server, rng.uniform(0.0, 0.3))
        killed += was_killed
        if listed.returncode != 0:
            totals.finding("lost", "store.keys", f"no key opens after a killed change: {listed.stderr[-300:]}")
    return killed


def run(kind, arguments, checker_type, totals, folder, rng):
    """On one database kind. Findings go to `totals`; gives a line of figures."""
    server, backend = custody.ledger_server(custody.Databases(kind, folder), arguments, folder, "keys")
    figures = {"changes_killed": 0, "images": 0}
    journals = []
    try:
        server.start()
        for number in range(arguments.key_kills):
            backend.token = None
            load = custody.Load(server, backend, folder, f"k{number}", DOORS)
            figures["changes_killed"] += change(server, rng, 3, totals)
            server.kill()
            load.join()
            journals += load.journals
            server.start()
            custody.look(server, backend, checker_type, totals, load.journals, None, DOORS)
        result = json.loads(server.command("key", "rotate", server.folder, "--json"))
        listed = json.loads(server.command("key", "list", server.folder, "--json"))
        if any(file["masterKeys"] != [result["masterKey"]] for file in listed["files"]):
            totals.findings.append(f"keys: more than one master key is left: {listed['files']}")
        figures["store_keys"] = len(listed["storeKeys"])
        if server.stop() != 0:
            totals.findings.append("keys: SIGTERM: exit code not 0")
        server.start()
        figures["images"] = custody.look(server, backend, checker_type, totals, journals, None, custody.IMAGES)
        custody.look(server, backend, checker_type, totals, journals, None, ("fhir", "mllp"))
        server.stop()
        server.command("verify", server.folder, "--mib-per-second", "0")
    finally:
        if server.is_running():
            server.kill()
        totals.count(journals)
    print(f"{kind} keys: {figures}, {totals.acknowledged} acknowledged, {totals.lost} lost, {totals.half} half-visible",
          flush=True)
    return figures

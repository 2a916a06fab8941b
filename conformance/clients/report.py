"""The table of passes and failures. A failure that is listed in expected-failures.csv (with its reason) is expected;
one that is listed and passes all the same is said, so that the list shrinks."""

import csv
import fnmatch
import pathlib
import platform
import subprocess
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent


class TooSlow(AssertionError):
    """A time beyond its limit. What else the machine does may cost a check one try, and not all: see ``Report.check``."""


class Report:
    def __init__(self, expected=HERE / "expected-failures.csv"):
        self.rows = []
        self.notes = []
        self.expected = []
        with open(expected, newline="") as file:
            for row in csv.DictReader(line for line in file if not line.startswith("#")):
                self.expected.append((row["check"], row["reason"]))
        self.begun = time.time()

    def reason_expected(self, name):
        for pattern, reason in self.expected:
            if fnmatch.fnmatchcase(name, pattern):
                return reason
        return None

    def add(self, group, check, ok, detail="", clause=""):
        name = f"{group}/{check}"
        reason = self.reason_expected(name)
        if ok:
            state = "pass" if reason is None else "pass (was expected to fail)"
        else:
            state = "FAIL" if reason is None else "expected failure"
        self.rows.append((group, check, clause, state, str(detail or reason or "")))
        if state != "pass":
            print(f"  {state}: {name}: {str(detail)[:900]}", flush=True)
        return ok

    def check(self, group, check, work, clause=""):
        """Runs `work`; an exception is a failure, a returned string is the detail of a pass. What was too slow is tried
        again, three times in all."""
        slow = []
        while True:
            try:
                detail = work()
                words = [detail] if isinstance(detail, str) and detail else []
                return self.add(group, check, True, "; ".join(words + [f"before that {each}" for each in slow]), clause)
            except TooSlow as error:
                slow.append(str(error))
                if len(slow) == 3:
                    return self.raised(group, check, TooSlow(f"three times: {', '.join(slow)}").with_traceback(
                        error.__traceback__), clause)
            except Exception as error:  # every failure is a row, whatever raised it
                return self.raised(group, check, error, clause)

    def raised(self, group, check, error, clause=""):
        """The row of what ended in an exception."""
        last = traceback.extract_tb(error.__traceback__)[-1]
        text = f"{type(error).__name__}: {error} ({pathlib.Path(last.filename).name}:{last.lineno})"
        return self.add(group, check, False, " ".join(text.split())[:900], clause)

    def note(self, text):
        self.notes.append(text)

    def count(self, *states):
        return sum(1 for row in self.rows if row[3] in states)

    @property
    def failed(self):
        return self.count("FAIL")

    def again(self, most=40):
        """The failed checks with what they say, in a few lines: what is looked at first where only the end of an output is
        kept. Empty where none failed."""
        failed = [f"FAIL: {group}/{check}: {' '.join(detail.split())[:400]}"
                  for group, check, _, state, detail in self.rows if state == "FAIL"]
        more = [f"FAIL: {len(failed) - most} more"] if len(failed) > most else []
        return "".join(line + "\n" for line in failed[:most] + more)

    def summary(self):
        expected, surprising = self.count("expected failure"), self.count("pass (was expected to fail)")
        passed = self.count("pass") + surprising
        more = f", {expected} failed as expected" if expected else ""
        return f"{passed} passed, {self.failed} failed{more}"

    def markdown(self, title):
        groups = {}
        for group, _, _, state, _ in self.rows:
            counts = groups.setdefault(group, {"pass": 0, "FAIL": 0, "expected": 0})
            counts["pass" if state.startswith("pass") else "expected" if state.startswith("exp") else "FAIL"] += 1
        revision = subprocess.run(["git", "-C", str(HERE), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
        lines = [
            f"# {title}", "",
            f"Made by `make clients` on {time.strftime('%Y-%m-%d')} at revision {revision.stdout.strip() or 'unknown'} "
            f"({platform.system()} {platform.machine()}, Python {platform.python_version()}), "
            f"{time.time() - self.begun:.0f} s: **{self.summary()}**.", "",
            "| group | passed | failed | failed as expected |", "|---|---|---|---|",
        ]
        lines += [f"| {g} | {c['pass']} | {c['FAIL']} | {c['expected']} |" for g, c in groups.items()]
        lines += ["", *[f"- {note}" for note in self.notes], "" if self.notes else None]
        lines = [line for line in lines if line is not None]
        bad = [row for row in self.rows if row[3] != "pass"]
        if bad:
            lines += ["## What did not simply pass", "", "| check | clause | result | detail |", "|---|---|---|---|"]
            lines += [f"| {g}/{c} | {k} | {s} | {cell(d)} |" for g, c, k, s, d in bad] + [""]
        lines += ["## Every check", "", "| check | clause | result | detail |", "|---|---|---|---|"]
        lines += [f"| {g}/{c} | {k} | {s} | {cell(d)} |" for g, c, k, s, d in self.rows]
        return "\n".join(lines) + "\n"


def cell(text):
    return text.replace("|", "\\|").replace("\n", " ")[:240]


def expect(condition, message):
    if not condition:
        raise AssertionError(message)


def equal(found, wanted, what):
    if found != wanted:
        raise AssertionError(f"{what}: {str(found)[:160]!r}, not {str(wanted)[:160]!r}")


def quick(taken, most, what=""):
    """A time in seconds that may be at most so long."""
    if taken >= most:
        raise TooSlow(f"{taken:.2f} s{what and ' ' + what}, not less than {most}")


def within(seconds, work):
    """What `work` gives once it is something, at the latest after so long, which is a minute or more."""
    until = time.monotonic() + seconds
    while True:
        found = work()
        if found or time.monotonic() > until:
            return found
        time.sleep(0.25)

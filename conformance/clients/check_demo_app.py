"""`hilum demo` leaves an application that its EHR launches for the demo's patient: opened in Chromium, signed in to, allowed,
and followed into the viewer. Screenshots are kept. Needs `docker/setup.sh viewer`; `make viewer` runs it."""

import re
import signal
import subprocess
import threading

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from browser_page import BrowserPage
from hilum_server import BINARY
from report import equal, expect

CLAUSE = "SMART 2.2 app-launch"
LINE = re.compile(r"(http://127\.0\.0\.1:\d+/ehr)\s+sign in as (\S+) with (\S+)")


class Demo:
    """The demo as a user runs it, until Ctrl-C."""

    def __init__(self, folder):
        self.lines, self.ready, self.found = [], threading.Event(), None
        self.process = subprocess.Popen([str(BINARY), "demo", "--keep", str(folder)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line)
            match = LINE.search(line)
            if match:
                self.found = match.groups()
            if "Ctrl-C ends it" in line:
                self.ready.set()
        self.ready.set()

    def tail(self):
        return "".join(self.lines[-15:])[-600:]

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(180)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return None


def whole(report, driver, folder, screenshots):
    demo = Demo(folder / "demo")
    try:
        drive(report, driver, demo, BrowserPage(driver, screenshots))
    finally:
        if demo.process.poll() is None:
            demo.process.kill()


def drive(report, driver, demo, page):
    def launched():
        expect(demo.ready.wait(600) and demo.found, f"the demo names no application: {demo.tail()}")
        address, name, password = demo.found
        driver.delete_all_cookies()
        driver.get(address)
        page.at("/account/sign-in")
        page.find("#name").send_keys(name)
        page.find("#password").send_keys(password, Keys.ENTER)
        page.at("/auth/authorize")
        page.shot("demo-1-consent")
        page.follow("button[value=allow]")
        page.at("/callback")
        page.shot("demo-2-app")
        text = page.reads("main", "DEMO, PHANTOM")
        expect("images" in text, text)
        expect(any(status in text for status in ("final", "amended", "corrected")), text)
        expect(len(page.all("main li")) >= 2, text)

    report.check("demo", "an app is launched for the demo's patient and lists studies and reports", launched, CLAUSE)

    def viewer():
        # That of the story, which has more images than the prior in the old archive.
        rows = [row for row in page.all("main li") if row.find_elements(By.CSS_SELECTOR, "a")]
        expect(rows, f"no study in the app; the page shows: {page.shown()}")
        story = max(rows, key=lambda row: int((re.findall(r"(\d+) images", row.text) or ["0"])[0]))
        page.leave(story.find_element(By.CSS_SELECTOR, "a").click, "the study")
        page.find(".pane")
        page.wait(lambda: "image 1 of" in (page.find(".pane").get_attribute("aria-label") or ""), "the first image")
        page.shot("demo-3-viewer")

    report.check("demo", "the app's study opens in the viewer without another question", viewer, CLAUSE)
    report.check("demo", "Ctrl-C ends the demo", lambda: equal(demo.stop(), 0, "exit code"))

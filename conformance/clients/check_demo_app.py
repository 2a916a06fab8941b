"""`hilum demo` leaves an application that its EHR launches for the demo's patient: opened in Chromium, signed in to, allowed,
and followed into the viewer. Screenshots are kept. Needs `docker/setup.sh viewer`; `make viewer` runs it."""

import re
import signal
import subprocess
import threading

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

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
            return self.process.wait(90)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return None


def whole(report, driver, folder, screenshots):
    demo = Demo(folder / "demo")

    def wait(condition, what):
        WebDriverWait(driver, 30, 0.1).until(lambda _: condition(), what)

    def find(selector):
        return driver.find_element(By.CSS_SELECTOR, selector)

    def launched():
        expect(demo.ready.wait(240) and demo.found, f"the demo names no application: {demo.tail()}")
        address, name, password = demo.found
        driver.delete_all_cookies()
        driver.get(address)
        wait(lambda: "/account/sign-in" in driver.current_url, driver.current_url)
        find("#name").send_keys(name)
        find("#password").send_keys(password, Keys.ENTER)
        wait(lambda: "/auth/authorize" in driver.current_url, driver.current_url)
        driver.save_screenshot(str(screenshots / "demo-1-consent.png"))
        find("button[value=allow]").click()
        wait(lambda: "/callback" in driver.current_url, driver.current_url)
        driver.save_screenshot(str(screenshots / "demo-2-app.png"))
        text = find("main").text
        expect("DEMO, PHANTOM" in text and "images" in text, text)
        expect(any(status in text for status in ("final", "amended", "corrected")), text)
        expect(len(driver.find_elements(By.CSS_SELECTOR, "main li")) >= 2, text)

    report.check("demo", "an app is launched for the demo's patient and lists studies and reports", launched, CLAUSE)

    def viewer():
        # That of the story, which has more images than the prior in the old archive.
        rows = [row for row in driver.find_elements(By.CSS_SELECTOR, "main li") if row.find_elements(By.CSS_SELECTOR, "a")]
        story = max(rows, key=lambda row: int((re.findall(r"(\d+) images", row.text) or ["0"])[0]))
        story.find_element(By.CSS_SELECTOR, "a").click()
        wait(lambda: driver.find_elements(By.CSS_SELECTOR, ".pane"), driver.current_url)
        wait(lambda: "image 1 of" in (find(".pane").get_attribute("aria-label") or ""), "the first image")
        driver.save_screenshot(str(screenshots / "demo-3-viewer.png"))

    report.check("demo", "the app's study opens in the viewer without another question", viewer, CLAUSE)
    report.check("demo", "Ctrl-C ends the demo", lambda: equal(demo.stop(), 0, "exit code"))
    if demo.process.poll() is None:
        demo.process.kill()

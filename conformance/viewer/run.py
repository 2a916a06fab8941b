"""The viewer in a real browser: its modules by themselves, then the whole of it against a Hilum with known images, from the
sign-in to planes across a volume. Screenshots are kept in the folder of --screenshots."""

import argparse
import http.server
import io
import json
import math
import pathlib
import shutil
import sys
import tempfile
import threading
import time
from urllib.parse import parse_qs, urlsplit

import numpy
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, VLWholeSlideMicroscopyImageStorage, generate_uid
from selenium import webdriver
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.common.actions.wheel_input import ScrollOrigin
from selenium.webdriver.support.ui import WebDriverWait

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "clients"))

import check_browser_launch  # noqa: E402
import check_demo_app  # noqa: E402
import check_passkeys  # noqa: E402
import check_signin  # noqa: E402
from hilum_server import HilumServer  # noqa: E402
from report import Report, equal, expect  # noqa: E402
from smart import BackendClient  # noqa: E402

ASSETS = ROOT / "Sources/API/ViewerAPI/Assets"
SIDE, SLICES = 128, 48
STEP = 2.0  # mm between slices
MANY = 500  # slices of the large series
TILE = 256
SLIDE = (2048, 1536)  # columns and rows of the finest level
NAME = "PHANTOM^<img src=x onerror=alert(1)>"


class ModuleFiles(http.server.BaseHTTPRequestHandler):
    """The viewer's modules and their tests, on loopback."""

    def do_GET(self):
        name = self.path.rsplit("/", 1)[-1]
        file = HERE / name if name == "module_tests.js" else ASSETS / name if name else None
        body = file.read_bytes() if file and file.exists() else b"<!DOCTYPE html><title>modules</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if file else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def browser(width=1280, height=900):
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in ("--headless=new", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
                     "--force-device-scale-factor=1", f"--window-size={width},{height}"):
        options.add_argument(argument)
    options.accept_insecure_certs = True
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    driver.set_script_timeout(60)
    return driver


def modules(report, driver):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), ModuleFiles)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_address[1]}"
    driver.get(base + "/")
    results = driver.execute_async_script(
        "const done = arguments[1]; import(arguments[0]).then((module) => module.run())"
        ".then(done, (error) => done([{name: 'import', error: String(error)}]))", base + "/module_tests.js")
    for result in results:
        report.add("modules", result["name"], "error" not in result, result.get("error", ""))
    server.shutdown()
    expect(len(results) >= 10, f"{len(results)} tests")


def voxel(z, y, x):
    """The phantom: a ramp along each axis, so that every place can be told by its value (HU)."""
    return -500 + 4 * x + 2 * y + 5 * z


def phantom(study, series, number):
    y, x = numpy.mgrid[0:SIDE, 0:SIDE]
    z = number - 1
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = CTImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = f"{series}.{number}"
    data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = study, series, study + ".9"
    data.PatientName, data.PatientID, data.PatientBirthDate, data.PatientSex = NAME, "VIEW-1", "19600102", "F"
    data.StudyDate, data.StudyTime, data.StudyID, data.AccessionNumber = "20260131", "101500", "1", ""
    data.StudyDescription, data.SeriesDescription = "Chest <b>CT</b>", "Ramp"
    data.Modality, data.SeriesNumber, data.InstanceNumber, data.BodyPartExamined = "CT", 2, number, "CHEST"
    data.ImagePositionPatient, data.ImageOrientationPatient = [-64, -64, STEP * z], [1, 0, 0, 0, 1, 0]
    data.PixelSpacing, data.SliceThickness = [1, 1], STEP
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows = data.Columns = SIDE
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation = 15, 1
    data.RescaleSlope, data.RescaleIntercept, data.RescaleType = 1, -1000, "HU"
    data.WindowCenter, data.WindowWidth = 0, 1000
    data.PixelData = (voxel(z, y, x) + 1000).astype("<i2").tobytes()
    return data


def level(study, series, number, down):
    """One level of a slide: red grows with the column, green with the row, so that every place can be told."""
    columns, rows = SLIDE[0] // down, SLIDE[1] // down
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = VLWholeSlideMicroscopyImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = f"{series}.{number}"
    data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = study, series, study + ".9"
    data.PatientName, data.PatientID, data.PatientBirthDate, data.PatientSex = NAME, "VIEW-1", "19600102", "F"
    data.StudyDate, data.StudyTime, data.StudyID, data.AccessionNumber = "20240131", "101500", "1", ""
    data.StudyDescription, data.SeriesDescription = "Slide of tissue", "Pyramid"
    data.Modality, data.SeriesNumber, data.InstanceNumber = "SM", 1, number
    data.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE" if down == 1 else "RESAMPLED"]
    data.DimensionOrganizationType = "TILED_FULL"
    data.TotalPixelMatrixColumns, data.TotalPixelMatrixRows = columns, rows
    measures = Dataset()
    measures.PixelSpacing, measures.SliceThickness = [0.001 * down, 0.001 * down], 0.001
    shared = Dataset()
    shared.PixelMeasuresSequence = Sequence([measures])
    data.SharedFunctionalGroupsSequence = Sequence([shared])
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PlanarConfiguration = 3, "RGB", 0
    data.Rows = data.Columns = TILE
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelRepresentation = 7, 0
    tiles = []
    for top in range(0, rows, TILE):
        for left in range(0, columns, TILE):
            y, x = numpy.mgrid[top:top + TILE, left:left + TILE]
            red, green = 255 * x / columns, 255 * y / rows
            tiles.append(numpy.stack([red, green, numpy.full_like(red, 128)], axis=-1).clip(0, 255).astype("u1"))
    data.NumberOfFrames = len(tiles)
    data.PixelData = numpy.concatenate(tiles).tobytes()
    return data


def part10(data):
    out = io.BytesIO()
    data.save_as(out, enforce_file_format=True)
    return out.getvalue()


def store(server, backend, objects):
    boundary = "viewer-test"
    body = b"".join(
        b"--" + boundary.encode() + b"\r\nContent-Type: application/dicom\r\n\r\n" + part10(data) + b"\r\n"
        for data in objects) + f"--{boundary}--\r\n".encode()
    answer = backend.session().post(
        server.dicomweb + "/studies", data=body, timeout=120,
        headers={"Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}',
                 "Accept": "application/dicom+json"})
    equal(answer.status_code, 200, answer.text[:300])


class Page:
    """The viewer as a person sees it."""

    def __init__(self, driver, screenshots):
        self.driver, self.screenshots = driver, screenshots

    def wait(self, condition, what, seconds=30):
        WebDriverWait(self.driver, seconds, 0.1).until(lambda _: condition(), what)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def click(self, selector):
        self.find(selector).click()

    def message(self):
        return self.find("#message").text

    def shot(self, name):
        self.driver.save_screenshot(str(self.screenshots / f"{name}.png"))

    def label(self, pane=0):
        panes = self.driver.find_elements(By.CSS_SELECTOR, ".pane")
        return (panes[pane].get_attribute("aria-label") or "") if len(panes) > pane else ""

    def grey(self, x, y, pane=0):
        """The grey at a point of a pane, 0 to 255, without what is drawn over the image."""
        return self.driver.execute_script(
            """const canvas = document.querySelectorAll('.pane')[arguments[2]].querySelector('canvas');
            const copy = document.createElement('canvas');
            copy.width = canvas.width; copy.height = canvas.height;
            const context = copy.getContext('2d');
            context.drawImage(canvas, 0, 0);
            return [...context.getImageData(arguments[0], arguments[1], 1, 1).data.slice(0, 3)];""", x, y, pane)[0]

    def colour(self, x, y, pane=0):
        """The colour at a point of what is drawn over the image, where the tiles of a slide are."""
        return self.driver.execute_script(
            """const canvas = document.querySelectorAll('.pane')[arguments[2]].querySelectorAll('canvas')[1];
            return [...canvas.getContext('2d').getImageData(arguments[0], arguments[1], 1, 1).data.slice(0, 3)];""",
            x, y, pane)

    def size(self, pane=0):
        return self.driver.execute_script(
            "const box = document.querySelectorAll('.pane')[arguments[0]].getBoundingClientRect();"
            "return [Math.round(box.width), Math.round(box.height)]", pane)

    def drag(self, start, end, pane=0):
        """From one point of a pane to another, in its own pixels."""
        element = self.driver.find_elements(By.CSS_SELECTOR, ".pane")[pane]
        width, height = self.size(pane)
        actions = ActionChains(self.driver, duration=50)
        actions.move_to_element_with_offset(element, round(start[0] - width / 2), round(start[1] - height / 2))
        actions.click_and_hold()
        actions.move_by_offset(round(end[0] - start[0]) // 2, round(end[1] - start[1]) // 2)
        actions.move_by_offset(
            round(end[0] - start[0]) - round(end[0] - start[0]) // 2,
            round(end[1] - start[1]) - round(end[1] - start[1]) // 2)
        actions.release().perform()


def screen_map(page, rows, columns, aspect=1.0, pane=0):
    """From an image's point to a pane's, for a view that fits."""
    width, height = page.size(pane)
    factor = min(width / columns, height / (rows * aspect))
    return lambda x, y: (width / 2 + (x - columns / 2) * factor, height / 2 + (y - rows / 2) * factor * aspect)


def windowed(value, center=0, width=1000):
    """PS3.3 C.11.2.1.2.1 to 0...255."""
    return 255 * min(1, max(0, (value - (center - 0.5)) / (width - 1) + 0.5))


def whole(report, driver, folder, screenshots):
    server = HilumServer(folder / "hilum", log=folder / "hilum.log")
    server.init()
    backend = BackendClient(server, "everything", "ES384", "system/*.cruds", folder)
    server.start()
    try:
        session = backend.session()
        family, given = NAME.split("^")
        answer = session.post(server.fhir + "/Patient", timeout=30, json={
            "resourceType": "Patient", "birthDate": "1960-01-02", "gender": "female",
            "identifier": [{"system": "urn:hilum:site:mrn", "value": "VIEW-1"}],
            "name": [{"family": family, "given": [given]}]})
        equal(answer.status_code, 201, answer.text[:300])
        patient = answer.json()["id"]
        study = generate_uid()[:44].rstrip(".")
        store(server, backend, [phantom(study, study + ".1", number) for number in range(1, SLICES + 1)])
        many = generate_uid()[:44].rstrip(".")
        large = [phantom(many, many + ".1", number) for number in range(1, MANY + 1)]
        for data in large:
            data.StudyDate, data.StudyDescription = "20250131", "Five hundred"
        store(server, backend, large)
        slide = generate_uid()[:44].rstrip(".")
        store(server, backend, [level(slide, slide + ".1", number, down) for number, down in ((1, 1), (2, 2), (3, 4))])
        report_text = "No <script>alert(1)</script> finding."
        answer = session.post(server.fhir + "/DiagnosticReport", timeout=30, json={
            "resourceType": "DiagnosticReport", "status": "final", "code": {"text": "CT chest"},
            "subject": {"reference": f"Patient/{patient}"}, "effectiveDateTime": "2026-01-31", "conclusion": report_text,
            "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\"><b>In a frame</b></div>"}})
        equal(answer.status_code, 201, answer.text[:300])
        code = check_signin.add(
            server, "ada", "patient", "--fhir-user", f"Patient/{patient}", "--patient", patient)
        check_signin.choose_password(server, "ada", code)
        drive(report, driver, server, Page(driver, screenshots), study, report_text)
    finally:
        server.stop()
        log = server.log_tail(20_000)
    report.check("viewer", "no name of a patient is in the log", lambda: expect("PHANTOM" not in log, "it is there"))


def drive(report, driver, server, page, study, report_text):
    def sign_in():
        driver.get(server.http + "/viewer")
        page.wait(lambda: "/account/sign-in" in driver.current_url, "the sign-in page")
        page.shot("1-sign-in")
        page.find("#name").send_keys("ada")
        page.find("#password").send_keys(check_signin.PASSWORD, Keys.ENTER)
        # The server's own viewer asks for no consent: what it is given stays where it is.
        begun = time.monotonic()
        page.wait(lambda: driver.find_elements(By.CSS_SELECTOR, "#app:not([hidden])"), "the viewer")
        page.wait(lambda: "image 1 of 48" in page.label(), page.label())
        page.wait(lambda: page.grey(*map(round, middle())) > 0, "the first image")
        seconds = time.monotonic() - begun
        page.shot("3-first-image")
        url = urlsplit(driver.current_url)
        equal((url.path, url.query), ("/viewer", ""), "the address")
        kept = driver.execute_script("return JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
        expect("eyJ" not in kept and "token" not in kept, kept)
        return f"first image {seconds:.2f} s after the sign-in"

    def middle():
        return screen_map(page, SIDE, SIDE)(64.5, 64.5)

    def pixels():
        place = screen_map(page, SIDE, SIDE)
        for x, y in ((64, 64), (20, 100), (110, 12), (5, 5)):
            grey = page.grey(*(round(part) for part in place(x, y)))
            wanted = windowed(voxel(0, y - 0.5, x - 0.5))
            expect(abs(grey - wanted) <= 2, f"({x}, {y}): {grey}, not {wanted:.1f}")

    def texts():
        equal(page.find("#patient-name").text, NAME.replace("^", ", "), "the name")
        expect("Chest <b>CT</b>" in page.find("#studies").text, page.find("#studies").text)
        equal(len(driver.find_elements(By.CSS_SELECTOR, "#app img[onerror], #app script")), 0, "elements of a name")
        expect("Not for diagnosis" in page.find("header").text, "the warning")

    def scroll():
        pane = page.find(".pane")
        for _ in range(5):
            ActionChains(driver).scroll_from_origin(ScrollOrigin.from_element(pane), 0, 100).perform()
        page.wait(lambda: "image 6 of 48" in page.label(), page.label())
        page.find(".pane").send_keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
        page.wait(lambda: "image 8 of 48" in page.label(), page.label())
        place = screen_map(page, SIDE, SIDE)
        wanted = windowed(voxel(7, 63.5, 63.5))
        page.wait(lambda: abs(page.grey(*map(round, place(64, 64))) - wanted) <= 2, "the eighth image")
        page.find(".pane").send_keys(Keys.END)
        page.wait(lambda: "image 48 of 48" in page.label(), page.label())
        page.find(".pane").send_keys(Keys.HOME)
        page.wait(lambda: "image 1 of 48" in page.label(), page.label())

    def window():
        before = page.grey(*map(round, middle()))
        page.click('[data-tool="window"]')
        page.drag((300, 200), (300, 350))
        darker = page.grey(*map(round, middle()))
        expect(darker < before - 10, f"{before}, then {darker} after the level went up")
        page.find(".pane").send_keys(Keys.CONTROL, "z")
        page.wait(lambda: page.grey(*map(round, middle())) == before, "the undone window")
        page.find(".pane").send_keys("i")
        page.wait(lambda: abs(page.grey(*map(round, middle())) - (255 - before)) <= 1, "the inverted image")
        page.find(".pane").send_keys("0")

    def measures():
        place = screen_map(page, SIDE, SIDE)
        page.click('[data-tool="length"]')
        page.drag(place(20, 20), place(60, 50))
        found = float(page.message().split()[0])
        expect(abs(found - 50) < 0.6, page.message())
        page.click('[data-tool="ellipse"]')
        page.drag(place(30, 70), place(70, 110))
        y, x = numpy.mgrid[0:SIDE, 0:SIDE]
        inside = ((x + 0.5 - 50) / 20) ** 2 + ((y + 0.5 - 90) / 20) ** 2 <= 1
        values = voxel(0, y, x)[inside]
        words = page.message().split(", ")
        area, mean, deviation = float(words[0].split()[0]), float(words[1].split()[1]), float(words[2].split()[1])
        expect(abs(area - math.pi * 400) < 25, page.message())
        expect(abs(mean - values.mean()) < 3 and "HU" in words[1], f"{page.message()}, not {values.mean():.1f}")
        expect(abs(deviation - values.std()) < 2, f"{page.message()}, not {values.std():.1f}")
        page.shot("4-measures")
        page.find(".pane").send_keys("0")

    def planes():
        page.click("#reformat")
        page.wait(lambda: len(driver.find_elements(By.CSS_SELECTOR, ".pane")) == 4, "four panes")
        page.wait(lambda: "image 65 of 128" in page.label(1), page.label(1))
        aspect = STEP
        place = screen_map(page, SLICES, SIDE, aspect, pane=1)
        for x, row in ((64, 24), (20, 10), (100, 40)):
            wanted = windowed(voxel(SLICES - 1 - (row - 0.5), 64, x - 0.5))
            grey = page.grey(*map(round, place(x, row)), pane=1)
            expect(abs(grey - wanted) <= 3, f"along rows ({x}, {row}): {grey}, not {wanted:.1f}")
        place = screen_map(page, SLICES, SIDE, aspect, pane=2)
        wanted = windowed(voxel(SLICES - 1 - 23.5, 79.5, 64))
        grey = page.grey(*map(round, place(80, 24)), pane=2)
        expect(abs(grey - wanted) <= 3, f"along columns: {grey}, not {wanted:.1f}")
        page.shot("5-planes")
        page.find("#layout").send_keys("1")
        page.wait(lambda: len(driver.find_elements(By.CSS_SELECTOR, ".pane")) == 1, "one pane")

    def cine():
        page.find(".pane").send_keys(Keys.HOME)
        page.click("#cine")
        page.wait(lambda: "image 5 of 48" in page.label() or "image 6 of 48" in page.label(), page.label())
        page.click("#cine")
        now = page.label()
        time.sleep(0.5)
        equal(page.label(), now, "a stopped cine")

    def panels():
        page.click("#show-metadata")
        page.find("#metadata-search").send_keys("Ramp")
        page.wait(lambda: "Ramp" in page.find("#metadata").text, page.find("#metadata").text[:200])
        page.click("#show-reports")
        page.find("#reports button").click()
        equal(page.find("#report-text").text, report_text, "the report")
        page.shot("6-report")
        page.click("#show-reports")

    def link():
        page.find(".pane").send_keys(Keys.HOME, Keys.ARROW_DOWN, Keys.ARROW_DOWN)
        page.wait(lambda: "image 3 of 48" in page.label(), page.label())
        page.click("#copy-link")
        address = driver.current_url
        expect(f"study={study}" in address and "frame=1" in address and "eyJ" not in address, address)
        driver.get("about:blank")
        driver.get(address)
        page.wait(lambda: driver.find_elements(By.CSS_SELECTOR, ".pane") and "image 3 of 48" in page.label(), "the same image")

    def phone():
        driver.set_window_size(400, 800)
        wide = driver.execute_script("return document.documentElement.scrollWidth")
        expect(wide <= 500, f"{wide} px wide")
        page.shot("7-phone")
        driver.set_window_size(1280, 900)

    def processor():
        """The same image where there is no WebGL."""
        script = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": """
            const get = HTMLCanvasElement.prototype.getContext;
            HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
              return kind === 'webgl2' ? null : get.call(this, kind, ...rest);
            };"""})
        driver.get(server.http + "/viewer")
        page.wait(lambda: driver.find_elements(By.CSS_SELECTOR, ".pane") and "image 1 of 48" in page.label(), "the viewer")
        page.wait(lambda: page.grey(*map(round, middle())) > 0, "the first image")
        pixels()
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)

    def study_button(words):
        return next(one for one in driver.find_elements(By.CSS_SELECTOR, "#studies button") if words in one.text)

    FIRST = """
        const [button, done] = arguments;
        const begun = performance.now();
        let first;
        const look = () => {
          const pane = document.querySelector('.pane'), canvas = pane.querySelector('canvas');
          const label = pane.getAttribute('aria-label') || '';
          const copy = document.createElement('canvas');
          copy.width = copy.height = 1;
          copy.getContext('2d').drawImage(canvas, canvas.width / 2, canvas.height / 2, 1, 1, 0, 0, 1, 1);
          const isThere = copy.getContext('2d').getImageData(0, 0, 1, 1).data[0] > 0;
          const isPart = label.includes('loading the rest'), isWhole = label.includes('of 500');
          if (isThere && (isPart || isWhole)) first ??= [performance.now() - begun, isPart];
          if (isThere && isWhole) return done([...first, performance.now() - begun]);
          requestAnimationFrame(look);
        };
        button.click();
        requestAnimationFrame(look);"""

    def five_hundred():
        """The first image of a large series, from the click; then the same where the attributes of all are slow to come."""
        def open_viewer():
            driver.get(server.http + "/viewer")
            page.wait(lambda: driver.find_elements(By.CSS_SELECTOR, ".pane") and "of 48" in page.label(), "the viewer")
            page.wait(lambda: page.grey(*map(round, middle())) > 0, "the first image")

        open_viewer()
        first, _, whole = driver.execute_async_script(FIRST, study_button("Five hundred"))
        page.shot("8-five-hundred")
        expect(first <= 1000, f"{first:.0f} ms to the first image")
        script = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": """
            const real = window.fetch;
            window.fetch = async (...asked) => {
              const path = String(asked[0]?.url ?? asked[0]);
              const answer = await real(...asked);
              if (path.includes('/series/') && path.endsWith('/metadata') && !path.includes('/instances/')) {
                await new Promise((resolve) => setTimeout(resolve, 3000));
              }
              return answer;
            };"""})
        open_viewer()
        slow, is_part, _ = driver.execute_async_script(FIRST, study_button("Five hundred"))
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
        expect(is_part and slow <= 1000, f"{slow:.0f} ms, before all attributes had come: {is_part}")
        return f"first image {first:.0f} ms after the click, {whole:.0f} ms to all attributes; {slow:.0f} ms where those take 3 s"

    def beside():
        """A prior study beside the open one: the two scroll by the same way in the patient."""
        driver.get(server.http + "/viewer")
        page.wait(lambda: driver.find_elements(By.CSS_SELECTOR, ".pane") and "image 1 of 48" in page.label(), "the viewer")
        page.click('.beside[aria-label*="Five hundred"]')
        page.wait(lambda: len(driver.find_elements(By.CSS_SELECTOR, ".pane")) == 2, "two panes")
        page.wait(lambda: "of 500" in page.label(1), page.label(1))
        page.wait(lambda: "2025-01-31" in page.label(1) and "2026-01-31" in page.label(0), "the day of each")
        page.wait(lambda: page.find("#link").get_attribute("aria-pressed") == "true", "linked panes")
        page.find(".pane").send_keys(*[Keys.ARROW_DOWN] * 4)
        page.wait(lambda: "image 5 of 48" in page.label(0) and "image 5 of 500" in page.label(1), page.label(1))
        page.shot("8-beside")

    def keys():
        page.find(".pane").send_keys("?")
        page.wait(lambda: page.find("#help").get_attribute("open"), "the list of keys")
        expect("Undo, redo" in page.find("#help").text, page.find("#help").text[:200])
        page.shot("8-keys")
        page.click("#close-help")
        page.wait(lambda: not page.find("#help").get_attribute("open"), "no list of keys")

    def slide():
        """A pyramid by the tiles in view: the level that fits the screen, then the finest where it is enlarged."""
        driver.get(server.http + "/viewer")
        page.wait(lambda: driver.find_elements(By.CSS_SELECTOR, ".pane") and "of 48" in page.label(), "the viewer")
        study_button("Slide of tissue").click()
        page.wait(lambda: "Pyramid, image 1 of 1" in page.label(), page.label())
        page.wait(lambda: not page.find(".pane-status").text, page.find(".pane-status").text)
        place = screen_map(page, SLIDE[1], SLIDE[0])
        for x, y in ((1024, 768), (300, 500), (1700, 1200)):
            found = page.colour(*map(round, place(x, y)))
            wanted = [255 * x / SLIDE[0], 255 * y / SLIDE[1], 128]
            expect(all(abs(a - b) <= 8 for a, b in zip(found, wanted)), f"({x}, {y}): {found}, not {wanted}")
        page.shot("9-slide")

        def finest():
            return {url.path for url in requests() if ".1.1/frames/" in url.path and url.path.endswith("/rendered")}

        equal(finest(), set(), "tiles of the finest level in the overview")
        page.find(".pane").send_keys(*("+" * 8))
        page.wait(lambda: finest() and not page.find(".pane-status").text, page.find(".pane-status").text)
        expect(len(finest()) <= 24, f"{len(finest())} of 48 tiles")
        found = page.colour(*(round(part / 2) + 20 for part in page.size()))
        expect(abs(found[0] - 128) <= 10 and abs(found[1] - 128) <= 10, found)
        page.shot("10-slide-enlarged")

    def look(name, title):
        """A page as it is: without scripts of its own, with labels and contrast, at a desk's and a phone's width."""
        page.wait(lambda: title in page.find("h1").text, page.find("h1").text)
        equal(len(driver.find_elements(By.CSS_SELECTOR, "script, main img, [style]")), 0, f"{name}: elements of a name")
        page.shot(f"11-{name}")
        equal(driver.execute_script(check_browser_launch.PROBLEMS), [], name)
        driver.set_window_size(400, 800)
        wide = driver.execute_script("return document.documentElement.scrollWidth")
        page.shot(f"11-{name}-phone")
        driver.set_window_size(1280, 900)
        expect(wide <= 500, f"{name}: {wide} px wide")

    def resources():
        """FHIR as pages, by the session of the sign-in: from the types to a resource, its versions, and what refers to it."""
        driver.get(server.http + "/fhir")
        look("resources", "Resources")
        page.find('main th a[href="/fhir/Patient"]').click()
        look("search", "Patient")
        page.find('main tbody th a[href^="/fhir/Patient/"]').click()
        look("patient", "Patient")
        expect(NAME.split("^")[1] in page.find("main").text, page.find("main").text[:300])
        page.find('main a[href^="/fhir/DiagnosticReport?patient="]').click()
        page.find('main tbody th a[href^="/fhir/DiagnosticReport/"]').click()
        look("report", "DiagnosticReport")
        driver.switch_to.frame(page.find("iframe[sandbox]"))
        equal(driver.find_element(By.TAG_NAME, "b").text, "In a frame", "the narrative")
        driver.switch_to.default_content()
        page.find("main a[href$='/_history']").click()
        look("history", "History")
        driver.get(server.http + "/fhir/Patient?birthdate=yesterday")
        look("wrong-search", "Patient")
        equal(page.find("form.filter [name=birthdate]").get_attribute("value"), "yesterday", "what was asked for")
        driver.get(server.http + "/fhir/Patient/unknown")
        look("not-there", "There is no such page")

    def contract():
        driver.get(server.http + "/openapi")
        look("contract", "The contract")
        page.find('main a[href="/openapi/fhir"]').click()
        look("contract-fhir", "FHIR")
        page.find('a[href="#read"]').click()
        expect(page.find("#read").is_displayed() and driver.current_url.endswith("#read"), driver.current_url)

    def of_all():
        driver.get(server.http + "/viewer?patients=mine")
        page.wait(lambda: driver.find_elements(By.CSS_SELECTOR, "#app:not([hidden])"), "the viewer")
        page.wait(lambda: "image 1 of 48" in page.label(), page.label())
        page.wait(lambda: "PHANTOM" in page.find("#patient-name").text, "whose study is open")
        expect("PHANTOM" in page.find("#studies").text, "whose study each is")
        equal(urlsplit(driver.current_url).query, "patients=mine", "the address")
        # No page of consent says what is asked for, so the request does.
        asked = [url for url in requests() if url.path == "/auth/authorize"][-1]
        scopes = parse_qs(asked.query)["scope"][0].split()
        expect("user/ImagingStudy.rs" in scopes and not [one for one in scopes if "patient" in one.split("/")], scopes)

    sent = []

    def requests():
        """All that the browser has asked for so far: what its log has told it does not tell again."""
        for entry in driver.get_log("performance"):
            event = json.loads(entry["message"])["message"]
            if event["method"] == "Network.requestWillBeSent":
                sent.append(urlsplit(event["params"]["request"]["url"]))
        return sent

    def nothing_from_elsewhere():
        hosts = {url.netloc for url in requests()}
        hosts = {host for host in hosts if host and not host.startswith("127.0.0.1")}
        expect(hosts <= {urlsplit(server.http).netloc}, hosts)
        errors = [entry["message"] for entry in driver.get_log("browser")
                  if entry["level"] == "SEVERE" or "Content Security Policy" in entry["message"]]
        # Without the routes of rendering there are no thumbnails; that is no error of the page.
        errors = [text for text in errors if "favicon" not in text]
        # Pages that were asked for what is wrong, or not there.
        errors = [text for text in errors if "/fhir/Patient/unknown" not in text and "birthdate=yesterday" not in text]
        expect(not errors, errors[:3])

    checks = [
        ("sign-in, first image without a page of consent", sign_in, "SMART 2.2 app-launch"),
        ("the first image's pixels", pixels, "PS3.3 C.11.2.1.2"), ("names are text", texts, ""),
        ("wheel and keys go through the series", scroll, ""), ("window by drag, undo, invert", window, ""),
        ("length and ellipse in real units", measures, "PS3.3 C.7.6.3.1.1"),
        ("planes across the volume", planes, "PS3.3 C.7.6.2.1.1"), ("cine", cine, ""), ("attributes and reports", panels, ""),
        ("a link leads to the same image", link, ""), ("a phone's width", phone, "WCAG 2.2 §1.4.10"),
        ("without WebGL", processor, ""), ("all of a person's patients", of_all, "SMART 2.2 scopes"),
        ("first image of 500 within a second of the click", five_hundred, ""),
        ("a prior study beside the open one", beside, "PS3.3 C.7.6.2.1.1"), ("what the keys do", keys, ""),
        ("a slide by the tiles in view", slide, "PS3.3 C.8.12.4"),
        ("resources as pages", resources, "FHIR R4 http.html#mime-type"), ("the contract as pages", contract, "OpenAPI 3.1"),
        ("nothing from elsewhere, no policy broken", nothing_from_elsewhere, "CSP 3"),
    ]
    for name, work, clause in checks:
        if not report.check("viewer", name, work, clause):
            page.shot("failed-" + name.split()[0].strip(","))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--screenshots", type=pathlib.Path, default=ROOT / ".build-tools/viewer")
    arguments = parser.parse_args()
    arguments.screenshots.mkdir(parents=True, exist_ok=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hilum-viewer."))
    report = Report()
    driver = browser()
    try:
        modules(report, driver)
        whole(report, driver, folder, arguments.screenshots)
        check_passkeys.whole(report, driver, folder, arguments.screenshots)
        check_browser_launch.whole(report, driver, folder, arguments.screenshots)
        check_demo_app.whole(report, driver, folder, arguments.screenshots)
    finally:
        driver.quit()
        shutil.rmtree(folder, ignore_errors=True)
    print(report.summary())
    print(f"screenshots in {arguments.screenshots}")
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()

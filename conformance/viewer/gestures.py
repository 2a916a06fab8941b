"""What hands do in the viewer beyond scrolling and windows: fingers, turned and moved images, the other measures, saving."""

import pathlib

import numpy
import pydicom
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By

from report import equal, expect


def checks(driver, server, page, at, drawn, windowed, voxel, side):
    """(name, work, clause) of each; `at(x, y)` is a point of the image in its pane, of a view that fits."""

    def opened():
        page.open(server.http + "/viewer", "image 1 of 48")
        drawn()

    def click(x, y):
        pane = driver.find_elements(By.CSS_SELECTOR, ".pane")[0]
        width, height = page.size()
        place = at(x, y)()
        ActionChains(driver, duration=50).move_to_element_with_offset(
            pane, round(place[0] - width / 2), round(place[1] - height / 2)).click().perform()

    def touch(kind, *points):
        """Fingers at points of the pane, in its own pixels."""
        left, top = driver.execute_script(
            "const box = document.querySelector('.pane').getBoundingClientRect(); return [box.left, box.top]")
        driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [
            {"x": left + x, "y": top + y, "id": number} for number, (x, y) in enumerate(points)]})

    def fingers():
        opened()
        width, height = page.size()
        x, y = width / 2, height / 2
        page.click('[data-tool="scroll"]')
        step = max(2, height / 48)
        touch("touchStart", (x, y))
        touch("touchMove", (x, y + 5 * step))
        touch("touchEnd")
        page.shows("image 6 of 48")
        # Two fingers twice as far apart, around the middle: whatever the tool, twice as large and where it was.
        touch("touchStart", (x - 50, y), (x + 50, y))
        touch("touchMove", (x - 75, y), (x + 75, y))
        touch("touchMove", (x - 100, y), (x + 100, y))
        touch("touchEnd")
        for there, seen in ((96, 80), (40, 52)):
            page.becomes(at(there, 64), windowed(voxel(5, 63.5, seen - 0.5)), 2, f"({seen}, 64), enlarged to two")
        # Two fingers together move it.
        touch("touchStart", (x - 50, y), (x + 50, y))
        touch("touchMove", (x - 20, y), (x + 80, y))
        touch("touchEnd")
        page.becomes(lambda: (at(96, 64)()[0] + 30, at(96, 64)()[1]), windowed(voxel(5, 63.5, 79.5)), 2, "moved by two")
        page.find(".pane").send_keys("0")
        page.becomes(at(96, 64), windowed(voxel(5, 63.5, 95.5)), 2, "as at the beginning")

    def turned():
        opened()
        pane = page.find(".pane")
        grey = windowed(voxel(0, 99.5, 19.5))
        pane.send_keys("f")
        page.becomes(at(side - 20, 100), grey, 2, "flipped")
        pane.send_keys("0")
        pane.send_keys("r")
        page.becomes(at(side - 100, 20), grey, 2, "a quarter to the right")
        pane.send_keys("0")
        page.click('[data-tool="pan"]')
        page.drag((300, 200), (340, 230))
        page.becomes(lambda: tuple(part + by for part, by in zip(at(20, 100)(), (40, 30))), grey, 2, "moved")
        pane.send_keys("0")
        page.becomes(at(20, 100), grey, 2, "as at the beginning")

    def measures():
        opened()
        page.click('[data-tool="angle"]')
        page.drag(at(20, 64)(), at(64, 64)())
        click(64, 20)
        page.wait(lambda: page.message().endswith("°"), "an angle")
        expect(abs(float(page.message()[:-1]) - 90) < 1, page.message())
        page.click('[data-tool="probe"]')
        click(40.5, 30.5)
        page.wait(lambda: page.message() == f"{voxel(0, 30, 40)} HU, (40, 30)", lambda: f"a value; {page.message()}")
        page.click('[data-tool="rectangle"]')
        page.drag(at(30, 70)(), at(70, 110)())
        page.wait(lambda: "SD" in page.message(), "mean and deviation of a rectangle")
        y, x = numpy.mgrid[70:110, 30:70]
        values = voxel(0, y, x)
        words = page.message().split(", ")
        area, mean, deviation = float(words[0].split()[0]), float(words[1].split()[1]), float(words[2].split()[1])
        # A pixel of the screen at each side.
        expect(abs(area - 1600) < 40 and abs(mean - values.mean()) < 4 and abs(deviation - values.std()) < 3,
               f"{page.message()}, not {values.mean():.1f} and {values.std():.1f}")
        page.shot("4-angle-probe-rectangle")

    def saved():
        opened()
        folder = pathlib.Path(page.screenshots).resolve() / "saved"
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
        page.click("#download")
        page.wait(lambda: list(folder.glob("*.dcm")), "a saved file")
        found, = folder.glob("*.dcm")
        data = page.wait(lambda: found.stat().st_size > 2 * side * side and pydicom.dcmread(found), "all of it")
        equal((str(data.SOPInstanceUID) + ".dcm", data.InstanceNumber), (found.name, 1), "the object that is shown")
        equal(numpy.frombuffer(data.PixelData, "<i2")[5], voxel(0, 0, 5) + 1000, "a value")

    return [
        ("fingers scroll, enlarge and move", fingers, "Pointer Events Level 2"),
        ("flipped, turned and moved", turned, ""), ("angle, probe and rectangle in real units", measures, ""),
        ("the shown object is saved", saved, ""),
    ]

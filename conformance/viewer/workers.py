"""Frames that workers decode beside the page: a series of 200 slices of 512 x 512, and the page that has no worker, one that
does not start, and one that dies."""

import contextlib

import numpy
from selenium.webdriver.common.keys import Keys

from report import TooSlow, equal, expect

SLICES, SIDE = 200, 512
BATCH = 50  # slices of one request that stores them
LONGEST = 500  # ms that the page's own thread may be busy at a stretch while the slices come
GONE = "frameworker.js.gone"

# What keeps the page's thread for longer than 50 ms, from the first image on: what comes before starts the page.
WATCH = """
window.hilumTasks = [];
window.addEventListener('painted', () => { window.hilumFirst ??= performance.now(); }, true);
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) window.hilumTasks.push([one.startTime, one.duration]);
}).observe({ type: 'longtask', buffered: true });
"""
WATCHED = """
const tasks = (window.hilumTasks ?? []).filter(([start]) => start > window.hilumFirst).map(([, lasted]) => lasted);
return [tasks.length, Math.max(0, ...tasks)];
"""
COUNTS = """
const { workers, byWorkers, byPage } = document.querySelector('#panes').dataset;
return [workers, byWorkers, byPage].map((count) => Number(count ?? 0));
"""
WITHOUT = "delete window.Worker;"
NOT_THERE = """
const Real = window.Worker;
window.Worker = class extends Real { constructor(address, options) { super(`${address}.gone`, options); } };
"""
DYING = """
const Real = window.Worker;
window.hilumDied = 0;
window.Worker = class extends Real {
  postMessage(...given) {
    super.postMessage(...given);
    this.terminate();
    window.hilumDied += 1;
    this.dispatchEvent(new Event('error'));
  }
};
"""


def voxel(z, x):
    """A ramp along the columns and the slices (HU)."""
    return -400 + x + z


def batches(phantom, study):
    """The slices, some at a time: twelve bits stored of sixteen, unsigned."""
    x = numpy.broadcast_to(numpy.arange(SIDE), (SIDE, SIDE))
    for first in range(1, SLICES + 1, BATCH):
        batch = []
        for number in range(first, first + BATCH):
            data = phantom(study, study + ".1", number)
            data.StudyDate, data.StudyDescription, data.SeriesDescription = "20210131", "Two hundred", "Fine"
            data.Rows = data.Columns = SIDE
            data.BitsStored, data.HighBit, data.PixelRepresentation, data.RescaleIntercept = 12, 11, 0, -1024
            data.PixelData = (voxel(number - 1, x) + 1024).astype("<u2").tobytes()
            batch.append(data)
        yield batch


def counts(driver):
    """Workers that take jobs; frames decoded by workers, and by the page."""
    return driver.execute_script(COUNTS)


def opened(driver, server, page, study):
    """The series, in a page of its own."""
    driver.get("about:blank")
    page.open(f"{server.http}/viewer#study={study}", f"image 1 of {SLICES}")


def loaded(driver, server, page, study):
    """The same, once all of it is in memory."""
    opened(driver, server, page, study)
    page.reaches(lambda: counts(driver), lambda found: sum(found[1:]) >= SLICES, f"all of {SLICES} frames in memory")


@contextlib.contextmanager
def injected(driver, source):
    """A script that runs before those of a page."""
    script = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})
    try:
        yield
    finally:
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


def checks(driver, server, page, study, at, drawn, pixels, windowed):
    """(name, work, clause) of each; somebody is signed in."""

    def becomes(z, what):
        for x, y in ((100, 50), (256, 256), (450, 400)):
            page.becomes(at(x, y, SIDE, SIDE), windowed(voxel(z, x - 0.5)), 2, f"({x}, {y}) {what}")

    def beside():
        with injected(driver, WATCH):
            loaded(driver, server, page, study)
        found, by_workers, by_page = counts(driver)
        expect(found >= 1 and by_workers > by_page, f"{by_workers} frames by {found} workers, {by_page} by the page")
        equal(by_workers + by_page, SLICES, "frames, each decoded once")
        many, longest = driver.execute_script(WATCHED)
        if longest > LONGEST:
            raise TooSlow(f"the page's thread was busy for {longest:.0f} ms at a stretch, more than {LONGEST}")
        becomes(0, "of the first slice")
        page.find(".pane").send_keys(Keys.END)
        page.shows(f"image {SLICES} of {SLICES}")
        becomes(SLICES - 1, "of the last slice")
        page.shot("14-by-workers")
        return (f"{by_workers} frames by workers ({found}), {by_page} by the page; its thread was busy for more than 50 ms "
                f"{many} times, for {longest:.0f} ms at most")

    def without():
        alone(WITHOUT)

    def not_there():
        alone(NOT_THERE)

    def alone(source):
        with injected(driver, source):
            driver.get("about:blank")
            page.open(server.http + "/viewer", "image 1 of 48")
            drawn()
            pixels()
            found = counts(driver)
            expect(found[:2] == [0, 0] and found[2] >= 1, f"workers, frames by workers, by the page: {found}")

    def dying():
        with injected(driver, DYING):
            opened(driver, server, page, study)
            page.reaches(lambda: [driver.execute_script("return window.hilumDied"), *counts(driver)],
                         lambda found: found[0] >= 1 and found[3] >= 20, "twenty frames by the page beside dead workers")
            equal(counts(driver)[1], 0, "frames by workers")
            becomes(0, "of the first slice")

    return [
        ("frames by workers, the page's thread free", beside, "HTML Standard §10.2"),
        ("without workers", without, ""), ("workers that do not start", not_there, ""),
        ("workers that die in their work", dying, ""),
    ]

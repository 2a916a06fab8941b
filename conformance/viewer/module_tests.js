// Tests of the viewer's pure modules, run in a browser by run.py: resolves to a list of {name, error}.

import {
  Affine, ImagePlane, angle, crossline, directionLetters, imageToScreen, length, regionArea, regionStatistics, regularStack,
} from "/assets/geometry.js";
import { Tag, date, numbers, personName, text } from "/assets/dicomjson.js";
import { ImageFrame, framesOfSeries, percentileWindow, sampleFormat, samples, windowed } from "/assets/pixels.js";
import { FrameDecoder } from "/assets/decoder.js";
import { alike, following } from "/assets/follow.js";
import { FrameLoader } from "/assets/loader.js";
import { parts } from "/assets/dicomweb.js";
import { answerIn, isForFrame, stateOfWindow } from "/assets/popup.js";
import { reformats, volumeOf, whyNoVolume } from "/assets/reformat.js";
import { slideOf } from "/assets/slide.js";

const tests = [];
const test = (name, body) => tests.push({ name, body });

function equal(found, wanted, within = 0) {
  const isEqual = (a, b) => Array.isArray(b)
    ? Array.isArray(a) && a.length === b.length && a.every((value, index) => isEqual(value, b[index]))
    : typeof b === "number" ? Math.abs(a - b) <= within : a === b;
  if (!isEqual(found, wanted)) throw new Error(`${JSON.stringify(found)} is not ${JSON.stringify(wanted)}`);
}

const axial = (z, options = {}) => ImagePlane.make(
  [-100, -100, z], [1, 0, 0, 0, 1, 0], options.spacing ?? [0.5, 0.25], options.rows ?? 400, options.columns ?? 800);
const element = (vr, ...Value) => ({ vr, Value });

function slice(z, number, more = {}) {
  return {
    [Tag.sopInstance]: element("UI", `1.2.${number}`), [Tag.seriesInstance]: element("UI", "1.1"),
    [Tag.instanceNumber]: element("IS", number), [Tag.rows]: element("US", 2), [Tag.columns]: element("US", 3),
    [Tag.samples]: element("US", 1), [Tag.photometric]: element("CS", "MONOCHROME2"),
    [Tag.bitsAllocated]: element("US", 16), [Tag.bitsStored]: element("US", 16), [Tag.signed]: element("US", 1),
    [Tag.position]: element("DS", 0, 0, z), [Tag.orientation]: element("DS", 1, 0, 0, 0, 1, 0),
    [Tag.spacing]: element("DS", 2, 1), [Tag.modality]: element("CS", "CT"), ...more,
  };
}

test("PS3.3 C.7.6.2.1-1: the middle of the first pixel is Image Position (Patient)", () => {
  equal(axial(30).toPatient([0.5, 0.5]), [-100, -100, 30]);
  equal(axial(30).toPatient([4.5, 2.5]), [-99, -99, 30]);
  equal(axial(30).toImage([-99, -99, 30]), [4.5, 2.5]);
});

test("Directions that are no unit vectors, or no spacing, are no plane", () => {
  equal(ImagePlane.make([0, 0, 0], [2, 0, 0, 0, 1, 0], [1, 1], 1, 1), undefined);
  equal(ImagePlane.make([0, 0, 0], [1, 0, 0, 1, 0, 0], [1, 1], 1, 1), undefined);
  equal(ImagePlane.make([0, 0, 0], [1, 0, 0, 0, 1, 0], [0, 1], 1, 1), undefined);
  equal(ImagePlane.make(undefined, [1, 0, 0, 0, 1, 0], [1, 1], 1, 1), undefined);
});

test("A coronal image is a line across an axial one", () => {
  const coronal = ImagePlane.make([-100, -50, 200], [1, 0, 0, 0, 0, -1], [1, 1], 400, 200);
  const points = crossline(axial(30), coronal).sort((a, b) => a[0] - b[0]);
  equal(points.map((point) => point[1]), [100.5, 100.5], 1e-6);
  equal(points.map((point) => point[0]), [-1.5, 798.5], 1e-6);
  equal(crossline(axial(30), axial(40)), undefined);
  equal(crossline(axial(300), coronal), undefined);
});

test("PS3.3 C.7.6.1.1.1: letters of a direction", () => {
  equal(directionLetters([1, 0, 0]), "L");
  equal(directionLetters([-1, 0, 0]), "R");
  equal(directionLetters([0, 1, 0]), "P");
  equal(directionLetters([0, 0, 1]), "H");
  equal(directionLetters([0.6, -0.8, 0]), "AL");
});

test("A map and its inverse; turned and flipped views fit", () => {
  const image = { rows: 100, columns: 200, aspect: 2 };
  for (const rotation of [0, 90, 180, 270]) {
    for (const flipped of [false, true]) {
      const map = imageToScreen(image, { zoom: 1, pan: [0, 0], rotation, flipped }, 400, 400);
      const corners = [[0, 0], [200, 0], [200, 100], [0, 100]].map((corner) => map.apply(corner));
      equal(Math.min(...corners.flat()), 0, 1e-9);
      equal(Math.max(...corners.flat()), 400, 1e-9);
      equal(map.inverse.apply(map.apply([17, 23])), [17, 23], 1e-9);
    }
  }
  equal(imageToScreen(image, { zoom: 1, pan: [0, 0], rotation: 90, flipped: false }, 400, 400).apply([0, 0]), [400, 0], 1e-9);
  equal(imageToScreen(image, { zoom: 1, pan: [0, 0], rotation: 0, flipped: true }, 400, 400).apply([0, 0]), [400, 0], 1e-9);
  equal(Affine.translation(3, 4).after(Affine.scaling(2, 5)).apply([1, 1]), [5, 9]);
});

test("Lengths, angles and areas in real units", () => {
  equal(length([0, 0], [3, 4], [1, 1]), 5);
  equal(length([0, 0], [4, 0], [0.25, 0.5]), 1);
  equal(angle([1, 0], [0, 0], [0, 2], [1, 1]), 90, 1e-9);
  equal(angle([1, 0], [0, 0], [1, 1], [2, 2]), 45, 1e-9);
  equal(angle([0, 0], [0, 0], [1, 1], [1, 1]), 0);
  equal(regionArea("rectangle", [0, 0], [4, -2], [0.5, 0.5]), 2);
  equal(regionArea("ellipse", [0, 0], [4, 2], [1, 1]), 2 * Math.PI, 1e-9);
});

test("Statistics of what lies within, by the middles of pixels", () => {
  const value = (x, y) => 10 * y + x;
  const whole = regionStatistics("rectangle", [0, 0], [3, 2], 2, 3, value);
  equal([whole.count, whole.mean, whole.least, whole.greatest], [6, 6, 0, 12], 1e-9);
  equal(whole.deviation, Math.sqrt([36, 25, 16, 16, 25, 36].reduce((a, b) => a + b) / 6), 1e-9);
  equal(regionStatistics("rectangle", [1.9, 1.9], [0.6, 0.6], 2, 3, value).count, 1);
  equal(regionStatistics("ellipse", [0, 0], [4, 4], 4, 4, value).count, 12);
  equal(regionStatistics("ellipse", [-9, -9], [-5, -5], 4, 4, value).count, 0);
});

test("A regular stack in any order, and one with a gap", () => {
  const found = regularStack([axial(20), axial(0), axial(10)]);
  equal([found.order, found.step], [[1, 2, 0], 10]);
  equal(regularStack([axial(0), axial(10), axial(21)]), undefined);
  equal(regularStack([axial(0), axial(0), axial(0)]), undefined);
  equal(regularStack([axial(0), axial(10), axial(20, { rows: 10 })]), undefined);
  equal(regularStack([axial(0), undefined, axial(20)]), undefined);
});

test("Planes across a volume stand upright", () => {
  const frames = framesOfSeries([slice(0, 1), slice(3, 2), slice(6, 3)]);
  const volume = volumeOf(frames);
  equal(volume.step, 3);
  const images = [0, 1, 2].map((z) => ({ samples: Int16Array.from({ length: 6 }, (_, index) => 100 * z + index) }));
  const [rows, columns] = reformats(frames, volume, images);
  equal([rows.stack.length, columns.stack.length], [2, 3]);
  equal([...rows.stack[1].image.samples], [203, 204, 205, 103, 104, 105, 3, 4, 5]);
  equal([...columns.stack[2].image.samples], [202, 205, 102, 105, 2, 5]);
  const frame = rows.stack[1].frame;
  equal([frame.rows, frame.columns, frame.aspect], [3, 3, 3]);
  equal(frame.plane.position, [0, 2, 6]);
  equal(frame.plane.columnDirection, [0, 0, -1], 1e-12);
  equal(frame.unit.size, [1, 3]);
  if (frame.key === frames[0].key) throw new Error("a reformatted frame has a key of its own");
  equal(volumeOf(framesOfSeries([slice(0, 1), slice(3, 2), slice(7, 3)])), undefined);
});

/** A slice of a volume that stands askew in the patient. */
function askew(number, orientation, step, more = {}) {
  const [row, column] = [orientation.slice(0, 3), orientation.slice(3)];
  const normal = [row[1] * column[2] - row[2] * column[1], row[2] * column[0] - row[0] * column[2], row[0] * column[1] - row[1] * column[0]];
  return slice(0, number, {
    [Tag.position]: element("DS", ...normal.map((value, axis) => [7, -3, 11][axis] + value * step * number)),
    [Tag.orientation]: element("DS", ...orientation), ...more });
}

test("Planes across a volume in any position show each voxel where it lies in the patient", () => {
  const [c, s] = [Math.cos(0.4), Math.sin(0.4)];
  const positions = {
    axial: [1, 0, 0, 0, 1, 0], coronal: [1, 0, 0, 0, 0, -1], sagittal: [0, 1, 0, 0, 0, -1], feetFirst: [-1, 0, 0, 0, 1, 0],
    tilted: [1, 0, 0, 0, c, s], turned: [c, s, 0, -s, c, 0], oblique: [c, s, 0, -s * c, c * c, s],
  };
  for (const [name, orientation] of Object.entries(positions)) {
    const frames = framesOfSeries([1, 2, 3, 4].map((number) => askew(number, orientation, 1.5)));
    const volume = volumeOf(frames);
    if (!volume) throw new Error(`${name}: ${whyNoVolume(frames)}`);
    // Each value tells its voxel.
    const images = frames.map((_, z) => ({ samples: Int16Array.from({ length: 6 }, (_, index) => 10 * z + index) }));
    for (const { name: plane, stack } of reformats(frames, volume, images)) {
      for (const { frame, image } of stack) {
        for (let y = 0; y < frame.rows; y += 1) {
          for (let x = 0; x < frame.columns; x += 1) {
            const sample = image.samples[y * frame.columns + x];
            const [z, index] = [Math.floor(sample / 10), sample % 10];
            const wanted = frames[z].plane.toPatient([index % 3 + 0.5, Math.floor(index / 3) + 0.5]);
            equal(frame.plane.toPatient([x + 0.5, y + 0.5]), wanted, 1e-9);
          }
        }
        // As people look at it: the feet or the back below, the left or the back at the right.
        const down = frame.plane.columnDirection;
        if (!plane.startsWith("Oblique")) equal(down[2] < -0.5 || (plane === "Axial" && down[1] > 0.5), true);
      }
    }
  }
  const named = (orientation) => {
    const frames = framesOfSeries([1, 2, 3].map((number) => askew(number, orientation, 2)));
    const images = frames.map(() => ({ samples: new Int16Array(6) }));
    return reformats(frames, volumeOf(frames), images).map(({ name }) => name);
  };
  equal(named(positions.axial), ["Coronal", "Sagittal"]);
  equal(named(positions.sagittal), ["Axial", "Coronal"]);
  equal(named(positions.coronal), ["Axial", "Sagittal"]);
});

test("PS3.3 C.11.1: slices of several scales are brought to one in the planes across them", () => {
  const scaled = (z, slope) => slice(z, z + 1, { [Tag.slope]: element("DS", slope), [Tag.intercept]: element("DS", 1) });
  const frames = framesOfSeries([scaled(0, 0.5), scaled(1, 2), scaled(2, 4)]);
  const images = frames.map(() => ({ samples: Uint16Array.from([0, 1, 2, 3, 4, 5]) }));
  const [{ stack }] = reformats(frames, volumeOf(frames), images);
  equal([...stack[0].image.samples], [1, 5, 9, 1, 3, 5, 1, 1.5, 2]);
  equal([stack[0].frame.slope, stack[0].frame.intercept], [1, 0]);
});

test("Why a series is no volume, in words", () => {
  const why = (...dataSets) => whyNoVolume(framesOfSeries(dataSets));
  equal(why(slice(0, 1), slice(1, 2)), "A volume has three images or more.");
  equal(why(...[0, 1, 2].map((z) => slice(z, z, { [Tag.position]: { vr: "DS" } }))), "These images do not say where they lie in the patient.");
  equal(why(...[0, 1, 2].map((z) => slice(z, z, { [Tag.photometric]: element("CS", "RGB") }))), "Planes are made of grey images alone.");
  equal(why(...[0, 1, 2].map((z) => slice(z, z, { [Tag.frameOfReference]: element("UI", `1.${z}`) }))),
    "These images have no place in common: their frames of reference differ.");
  equal(why(slice(0, 1), slice(1, 2), slice(3, 3)).startsWith("This is no regular volume"), true);
  equal(why(slice(0, 1), slice(1, 2), slice(2, 3)), undefined);
});

test("A linked pane shows what lies nearest, as far from where both were looked at together, or the same part of the way", () => {
  const stack = (places, frame, more = {}) => framesOfSeries(places.map((z, index) =>
    slice(z, index, { [Tag.frameOfReference]: element("UI", frame), ...more }))).map((one) => ({ frame: one }));
  const own = stack([0, 5, 10, 15, 20], "1.9");
  equal(following(own, 3, stack([-10, 0, 11, 16, 40], "1.9")), 3);
  const prior = stack([100, 102, 104, 106, 108, 110, 112, 114, 116, 118], "1.8");
  equal(following(own, 2, prior, { here: 0, there: 1 }), 6);
  equal(following(own, 0, prior, { here: 2, there: 1 }), 0);
  // Acquired the other way round.
  const turned = { [Tag.orientation]: element("DS", 1, 0, 0, 0, -1, 0) };
  equal(following(own, 2, stack([20, 15, 10, 5, 0], "1.8", turned), { here: 0, there: 4 }), 2);
  equal(following(own, 4, prior), 9);
  // Across each other, as the planes of one volume are: nothing goes with it.
  const across = { [Tag.orientation]: element("DS", 1, 0, 0, 0, 0, -1) };
  equal(following(own, 3, stack([0, 5, 10], "1.9", across)), undefined);
  equal(following(own, 3, stack([0, 5, 10], "1.8", across), { here: 0, there: 0 }), undefined);
  // No frame of reference is none in common.
  equal(following(stack([0, 5], ""), 1, stack([100, 0, 5], "")), 2);
  equal(following(own, 1, stack([0, 1, 2], "1.8", { [Tag.position]: { vr: "DS" } }), { here: 0, there: 0 }), 1);
});

test("Of a prior study the series that is like the one that is open", () => {
  const entry = (uid, modality, words, count) => ({ [Tag.seriesInstance]: element("UI", uid), [Tag.modality]: element("CS", modality),
    [Tag.seriesDescription]: element("LO", words), [Tag.seriesInstances]: element("IS", count) });
  const list = [entry("1", "PT", "Lung 1.0", 9), entry("2", "CT", "Scout", 2), entry("3", "CT", "LUNG, 2.0 mm", 40), entry("4", "CT", "Bone", 300)];
  equal(text(alike(list, entry("9", "CT", "Lung 1.0 mm", 1)), Tag.seriesInstance), "3");
  equal(text(alike(list, entry("9", "CT", "Other", 1)), Tag.seriesInstance), "4");
  equal(text(alike(list, entry("9", "MR", "Lung 1.0", 1)), Tag.seriesInstance), "1");
  equal(alike([], entry("9", "MR", "", 1)), undefined);
});

test("RFC 2046 5.1.1: the parts of a body, whatever bytes they hold", () => {
  const bytes = (words) => Uint8Array.from(words, (letter) => letter.charCodeAt(0));
  const body = bytes("--b\r\nContent-Type: image/png\r\n\r\none\r\n--c\r\n--b\r\n\r\n\u00ff\r\n--b--\r\n");
  const found = parts(body, 'multipart/related; type="image/png"; boundary="b"');
  equal(found.map((part) => String.fromCharCode(...part)), ["one\r\n--c", "\u00ff"]);
  equal(parts(bytes("--b--\r\n"), "multipart/related; boundary=b").length, 0);
  equal(parts(bytes("--b\r\n\r\ncut"), "multipart/related; boundary=b").length, 0);
  equal(parts(bytes(""), "image/png").length, 0);
});

test("Images are in the order of their numbers, and along the normal where they have none", () => {
  const unnumbered = (z) => slice(z, z, { [Tag.instanceNumber]: { vr: "IS" } });
  equal(framesOfSeries([unnumbered(9), unnumbered(2), unnumbered(5)]).map((frame) => frame.plane.position[2]), [2, 5, 9]);
  equal(framesOfSeries([slice(9, 1), slice(2, 3), slice(5, 2)]).map((frame) => frame.plane.position[2]), [9, 5, 2]);
});

test("PS3.3 C.11.2.1.2.1 and C.11.2.1.3: windows", () => {
  const linear = { center: 40, width: 400, shape: "LINEAR" };
  equal(windowed(-160, linear), 0, 1e-9);
  equal(windowed(39.5, linear), 0.5, 1e-9);
  equal(windowed(239, linear), 1, 1e-9);
  equal([0, 1].map((value) => windowed(value, { center: 1, width: 1, shape: "LINEAR" })), [0, 1]);
  equal(windowed(50, { center: 50, width: 100, shape: "LINEAR_EXACT" }), 0.5);
  equal(windowed(100, { center: 50, width: 100, shape: "LINEAR_EXACT" }), 1);
  equal(windowed(50, { center: 50, width: 100, shape: "SIGMOID" }), 0.5);
});

test("Samples of 12 bits, signed, high bit above; a short frame is an error", () => {
  const set = (stored, high, signed) => slice(0, 1, {
    [Tag.bitsStored]: element("US", stored), [Tag.highBit]: element("US", high), [Tag.signed]: element("US", signed),
  });
  const words = (...list) => Uint16Array.from([...list, ...Array(6 - list.length).fill(0)]).buffer;
  const read = (buffer, dataSet) => samples(buffer, sampleFormat(dataSet));
  equal([...read(words(0xFFFF, 0x0800, 0x07FF), set(12, 11, 1))].slice(0, 3), [-1, -2048, 2047]);
  equal([...read(words(0xFFFF, 0x0800), set(12, 11, 0))].slice(0, 2), [4095, 2048]);
  equal([...read(words(0xFFF0, 0x8000), set(12, 15, 1))].slice(0, 2), [-1, -2048]);
  const bytes = slice(0, 1, { [Tag.bitsAllocated]: element("US", 8), [Tag.bitsStored]: element("US", 8) });
  equal([...read(Uint8Array.from([255, 128, 127, 0, 1, 2, 9]).buffer, bytes)], [-1, -128, 127, 0, 1, 2]);
  equal([...read(Uint8Array.from([0x01, 0x02, ...Array(10).fill(0)]).buffer, set(16, 15, 0))].slice(0, 1), [0x0201]);
  let isRefused = false;
  try { read(new ArrayBuffer(11), set(12, 11, 0)); } catch { isRefused = true; }
  equal(isRefused, true);
});

test("A window of samples without one leaves padding out", () => {
  const frame = new ImageFrame(slice(0, 1, { [Tag.padding]: element("SS", -2000), [Tag.intercept]: element("DS", -1000) }), 0);
  const array = Int16Array.from({ length: 1000 }, (_, index) => (index < 500 ? -2000 : index));
  const window = percentileWindow(array, frame);
  equal(window.center, (505 + 994) / 2 - 1000, 3);
  equal(window.width, 490, 6);
  const same = percentileWindow(Float32Array.from(array), frame);
  equal([same.center, same.width], [window.center, window.width]);
  const negative = percentileWindow(Int8Array.from([-128, -128, 127, 127]), { slope: 1, intercept: 0 });
  equal([negative.center, negative.width], [-0.5, 255]);
  equal(percentileWindow(Int16Array.from([-2000, -2000]), frame).width, 1);
});

test("Attributes: values of the wrong kind are none", () => {
  equal(numbers({ "00280030": element("DS", "a", 1) }, Tag.spacing, 2), undefined);
  equal(text({}, Tag.modality), "");
  equal(personName("DOE^JANE^ANN^DR^MD=x"), "DOE, JANE ANN (DR, MD)");
  equal(date("20260131"), "2026-01-31");
  equal(date("soon"), "soon");
  const frames = framesOfSeries([slice(0, 2), slice(3, 1), { [Tag.modality]: element("CS", "SR") }]);
  equal(frames.map((frame) => frame.instance), ["1.2.1", "1.2.2"]);
});

test("PS3.3 C.8.5.5.1.15: ultrasound is measured by its region, in mm", () => {
  const region = { [Tag.regionUnitX]: element("US", 3), [Tag.regionUnitY]: element("US", 3),
    [Tag.regionDeltaX]: element("FD", 0.02), [Tag.regionDeltaY]: element("FD", 0.03) };
  const frame = new ImageFrame(slice(0, 1, { [Tag.spacing]: { vr: "DS" }, [Tag.regions]: element("SQ", region) }), 0);
  equal(frame.unit.size, [0.2, 0.3], 1e-12);
  equal(frame.unit.name, "mm");
});

/** A level of a pyramid of 1000 by 700 pixels in tiles of 256. */
function level(down, more = {}) {
  const [columns, rows] = [Math.ceil(1000 / down), Math.ceil(700 / down)];
  const tiles = Math.ceil(columns / 256) * Math.ceil(rows / 256);
  return slice(0, down, {
    [Tag.sopClass]: element("UI", "1.2.840.10008.5.1.4.1.1.77.1.6"), [Tag.rows]: element("US", 256), [Tag.columns]: element("US", 256),
    [Tag.imageType]: element("CS", "ORIGINAL", "PRIMARY", "VOLUME", "NONE"), [Tag.organization]: element("CS", "TILED_FULL"),
    [Tag.totalColumns]: element("UL", columns), [Tag.totalRows]: element("UL", rows), [Tag.frames]: element("IS", tiles),
    [Tag.frameOfReference]: element("UI", "1.9"), ...more,
  });
}

test("PS3.3 C.8.12.4: the levels of a pyramid are one image, and label and overview stay beside it", () => {
  const label = level(4, { [Tag.imageType]: element("CS", "ORIGINAL", "PRIMARY", "LABEL", "NONE") });
  const { entry, rest } = slideOf([level(4), label, level(1), level(2)]);
  equal([entry.frame.columns, entry.frame.rows], [1000, 700]);
  equal(entry.image.slide.levels.map((one) => one.columns), [1000, 500, 250]);
  equal(rest.length, 1);
  equal(slideOf([slice(0, 1)]), undefined);
});

test("PS3.3 C.8.12.4: the level is the coarsest that is as fine as the screen, the finest beyond it", () => {
  const { slide } = slideOf([level(1), level(2), level(4)]).entry.image;
  equal([2, 1, 0.6, 0.5, 0.25, 0.01].map((factor) => slide.levelFor(factor).columns), [1000, 1000, 1000, 500, 250, 250]);
});

test("PS3.3 C.7.6.17.3: tiles in full order by row, those in view alone, cut at the edge of the image", () => {
  const { slide } = slideOf([level(1), level(4)]).entry.image;
  const all = slide.tilesIn(slide.base, [0, 0, 1000, 700]);
  equal(all.map(({ tile }) => tile.index).sort((a, b) => a - b), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  equal(slide.tilesIn(slide.base, [300, 300, 400, 400]).map(({ tile }) => tile.index), [5]);
  const [corner] = slide.tilesIn(slide.base, [990, 690, 2000, 2000]);
  equal([corner.tile.index, corner.x, corner.y, corner.columns, corner.rows], [11, 768, 512, 232, 188]);
  const [coarse] = slide.tilesIn(slide.levels[1], [-50, -50, 2000, 2000]);
  equal([coarse.width, coarse.height, coarse.columns, coarse.rows], [1000, 700, 250, 175]);
  equal(slide.tilesIn(slide.base, [-500, -500, -10, -10]).length, 0);
});

test("PS3.3 C.8.12.6.1: tiles of a sparse image are where their frames say, and a place out of the image is none", () => {
  const place = (column, row) => ({ [Tag.slidePosition]: element("SQ", {
    [Tag.columnPosition]: element("SL", column), [Tag.rowPosition]: element("SL", row) }) });
  const { slide } = slideOf([level(1, {
    [Tag.organization]: element("CS", "TILED_SPARSE"), [Tag.frames]: element("IS", 4),
    [Tag.perFrame]: element("SQ", place(257, 513), place(1, 1), place(0, 1), place(100001, 1)) })]).entry.image;
  equal([[0, 0], [1, 2], [2, 0], [3, 2]].map(([column, row]) => slide.base.indexAt(column, row)), [1, 0, undefined, undefined]);
  const many = slideOf([level(1, { [Tag.totalColumns]: element("UL", 1e9), [Tag.totalRows]: element("UL", 1e9) })]).entry.image.slide;
  equal(many.tilesIn(many.base, [0, 0, 1e9, 1e9]).length <= 600, true);
});

test("HTML 9.3: the answer of a sign-in is taken from the window that was opened alone, of this origin, to this request", () => {
  const [opened, state] = [{}, stateOfWindow("s")];
  const asked = { origin: "https://hilum.test", opened, state };
  const told = { code: "c", state, iss: "https://hilum.test", more: "x", error: 1 };
  const message = (changes) => ({ origin: "https://hilum.test", source: opened, data: { hilumSignIn: told }, ...changes });
  equal(answerIn(message({}), asked).toString(), `code=c&state=${state}&iss=https%3A%2F%2Fhilum.test`);
  for (const changes of [
    { origin: "https://ehr.test" }, { origin: "null" }, { source: {} }, { source: null }, { data: undefined }, { data: "code" },
    { data: { hilumSignIn: null } }, { data: { hilumSignIn: "code" } }, { data: { hilumSignIn: { ...told, state: undefined } } },
    { data: { hilumSignIn: { ...told, state: stateOfWindow("t") } } },
  ]) equal(answerIn(message(changes), asked), undefined);
  // Before a window was opened, and where none could be.
  equal(answerIn(message({ source: null }), { ...asked, opened: null }), undefined);
  equal(answerIn(message({ source: undefined }), { ...asked, opened: undefined }), undefined);
});

test("The answer to a request of a frame is told from that of this window by its state", () => {
  equal(isForFrame(new URLSearchParams({ code: "c", state: stateOfWindow("s") })), true);
  equal(isForFrame(new URLSearchParams({ code: "c", state: "s" })), false);
  equal(isForFrame(new URLSearchParams({ code: "c" })), false);
});

/** A worker that does nothing by itself: what it is sent is kept, what it answers is said by the test. */
class QuietWorker extends EventTarget {
  jobs = [];
  isTerminated = false;
  postMessage(message, transfer) { this.jobs.push(structuredClone(message, { transfer })); }
  terminate() { this.isTerminated = true; }
  say(data) { this.dispatchEvent(Object.assign(new Event("message"), { data })); }
}

/** A decoder with such workers; what is fetched is counted. */
function decoderWith(count, patience = 60_000) {
  const workers = [];
  const decoder = new FrameDecoder({
    count, patience, start() {
      workers.push(new QuietWorker());
      return workers.at(-1);
    },
  });
  const fetched = { count: 0 };
  const buffer = async () => {
    fetched.count += 1;
    return Uint16Array.from([1, 2, 3, 4, 5, 6]).buffer;
  };
  return { decoder, workers, fetched, samples: (number, signal) => decoder.samples(new ImageFrame(slice(0, number), 0), buffer, signal) };
}

/** Until all that can go on by itself has. */
const settled = () => new Promise((resolve) => { setTimeout(resolve, 0); });
const outcome = (promise) => promise.then((image) => [...image.samples], (error) => error.name);

test("Frames are decoded by a worker from when it is ready and by the page before", async () => {
  const { decoder, workers: [worker], samples: decode } = decoderWith(1);
  equal([...(await decode(1)).samples], [1, 2, 3, 4, 5, 6]);
  equal([worker.jobs.length, decoder.workers, decoder.byPage], [0, 0, 1]);
  worker.say({ isReady: true });
  const image = decode(2);
  await settled();
  equal(worker.jobs.length, 1);
  // The stored windows are none here, so the worker is asked for one.
  equal([worker.jobs[0].buffer.byteLength, worker.jobs[0].format.length, worker.jobs[0].scale.slope], [12, 6, 1]);
  worker.say({ samples: Int16Array.from([7, 8]), window: { center: 7 } });
  const { samples: found, window, bytes } = await image;
  equal([...found, window.center, bytes], [7, 8, 7, 4]);
  equal([decoder.byWorkers, decoder.byPage], [1, 1]);
});

test("A worker has one job at a time, in the order of asking; one that is given up is not begun", async () => {
  const { workers: [worker], decoder, samples: decode } = decoderWith(1);
  worker.say({ isReady: true });
  const aborter = new AbortController();
  const [running, dropped, kept] = [decode(1, aborter.signal), decode(2, aborter.signal), decode(3)].map(outcome);
  await settled();
  equal(worker.jobs.length, 1);
  aborter.abort();
  equal([await running, await dropped], ["AbortError", "AbortError"]);
  let isClosed = false;
  worker.say({ bitmap: { close() { isClosed = true; } } });
  equal([isClosed, worker.jobs.length], [true, 2]);
  worker.say({ samples: Int16Array.from([9]) });
  equal(await kept, [9]);
  equal([decoder.byWorkers, decoder.byPage], [1, 0]);
});

test("What a worker that dies had to do, and what waits for it, is done by the page", async () => {
  const { workers: [worker], decoder, fetched, samples: decode } = decoderWith(1);
  worker.say({ isReady: true });
  const [running, waiting] = [decode(1), decode(2)].map(outcome);
  await settled();
  worker.dispatchEvent(new Event("error"));
  equal(await running, [1, 2, 3, 4, 5, 6]);
  equal(await waiting, [1, 2, 3, 4, 5, 6]);
  // The bytes that went with the worker are asked for again, and no others.
  equal([fetched.count, worker.isTerminated, decoder.workers, decoder.byPage], [3, true, 0, 2]);
});

test("A worker that says nothing, or that cannot, holds no image up", async () => {
  const { workers: [worker], decoder, samples: decode } = decoderWith(1, 1);
  worker.say({ isReady: true });
  equal(await outcome(decode(1)), [1, 2, 3, 4, 5, 6]);
  equal([decoder.workers, await outcome(decode(2)), worker.jobs.length], [0, [1, 2, 3, 4, 5, 6], 1]);
  worker.say({ samples: Int16Array.from([7]) });
  equal([decoder.workers, decoder.byWorkers, decoder.byPage], [1, 0, 2]);
  const image = outcome(decode(3));
  await settled();
  worker.say({ problem: "no memory" });
  equal([await image, decoder.byPage], [[1, 2, 3, 4, 5, 6], 3]);
});

test("Without workers the page decodes", async () => {
  const decoder = new FrameDecoder({ start() { throw new Error("none here"); } });
  const frame = new ImageFrame(slice(0, 1), 0);
  const { samples: found, bytes } = await decoder.samples(frame, async () => Uint16Array.from([1, 2, 3, 4, 5, 6]).buffer);
  equal([...found, bytes, decoder.byPage], [1, 2, 3, 4, 5, 6, 12, 1]);
  const short = await decoder.samples(frame, async () => new ArrayBuffer(11)).catch((error) => error.message);
  equal(short, "The frame has 11 bytes, 12 are expected.");
});

test("A real worker decodes samples and pictures, and hands them over", async () => {
  const decoder = new FrameDecoder({ count: 1 });
  await new Promise((resolve) => {
    decoder.addEventListener("changed", resolve, { once: true });
    setTimeout(resolve, 30_000);
  });
  equal(decoder.workers, 1);
  const frame = new ImageFrame(slice(0, 1, { [Tag.bitsStored]: element("US", 12) }), 0);
  const buffer = Uint16Array.from([0xFFFF, 0x0800, 0x07FF, 0, 1, 2]).buffer;
  const { samples: found, window } = await decoder.samples(frame, async () => buffer);
  equal([...found, window.width, buffer.byteLength], [-1, -2048, 2047, 0, 1, 2, 4095, 0]);
  const canvas = new OffscreenCanvas(3, 2);
  canvas.getContext("2d").fillRect(0, 0, 3, 2);
  const { bitmap } = await decoder.picture(await canvas.convertToBlob());
  equal([bitmap.width, bitmap.height, decoder.byWorkers, decoder.byPage], [3, 2, 2, 0]);
});

/** A loader whose frames come when the test says so: `asked` are {number, signal, come()} in the order of asking. */
function loaderOf(count, more = {}) {
  const asked = [];
  const archive = {
    samples: (frame, signal) => new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
      asked.push({ number: frame.index, signal, come: () => resolve(new Uint16Array(6).buffer) });
    }),
  };
  const loader = new FrameLoader(archive, new FrameDecoder({ count: 0 }));
  const frames = Array.from({ length: count }, (_, index) => Object.assign(new ImageFrame(slice(0, 1), index), more));
  return { asked, loader, frames };
}

test("What is near to where one is now is loaded before what was near", async () => {
  const { asked, loader, frames } = loaderOf(20);
  const from = (place, who) => frames.forEach((frame, index) => loader.load(frame, Math.abs(index - place), who).catch(() => {}));
  const [one, other] = [{}, {}];
  from(0, one);
  equal(asked.map(({ number }) => number), [0, 1, 2, 3, 4, 5]);
  from(19, one);
  asked[0].come();
  await settled();
  equal(asked.at(-1).number, 19);
  // Another pane's wish counts beside it.
  from(10, other);
  asked[1].come();
  await settled();
  equal(asked.at(-1).number, 10);
});

test("What nobody looks at any more is not asked for; what is on its way is given up, and asked for again by whoever wants it", async () => {
  const { asked, loader, frames } = loaderOf(8);
  const images = frames.map((frame) => outcome(loader.load(frame, frame.index)));
  loader.forget((frame) => frame.index === 1);
  equal([await images[0], await images[7]], ["AbortError", "AbortError"]);
  equal(asked.map(({ signal }) => signal.aborted), [true, false, true, true, true, true]);
  const again = outcome(loader.load(frames[0]));
  asked[1].come();
  equal(await images[1], [0, 0, 0, 0, 0, 0]);
  await settled();
  equal([asked.length, asked[6].number], [7, 0]);
  asked[6].come();
  equal(await again, [0, 0, 0, 0, 0, 0]);
  equal([loader.has(frames[0]), loader.has(frames[2])], [true, false]);
});

test("Tiles that are on their way are let come", async () => {
  const { asked, loader, frames } = loaderOf(8, { isTile: true });
  const images = frames.map((frame) => outcome(loader.load(frame, frame.index)));
  loader.forget(() => false);
  equal([asked.length, asked[0].signal.aborted, await images[7]], [6, false, "AbortError"]);
  asked[0].come();
  equal(await images[0], [0, 0, 0, 0, 0, 0]);
});

export async function run() {
  const results = [];
  for (const { name, body } of tests) {
    try {
      await body();
      results.push({ name });
    } catch (error) {
      results.push({ name, error: String(error.message ?? error) });
    }
  }
  return results;
}

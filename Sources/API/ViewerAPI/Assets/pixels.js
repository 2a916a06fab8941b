// What the samples of an image mean: stored values, modality values, windows. PS3.3 C.11.

import { Tag, items, number, numbers, text, values } from "./dicomjson.js";
import { ImagePlane, dot } from "./geometry.js";

/** One frame of an instance, with all that is needed to show it. */
export class ImageFrame {
  /** @param dataSet the instance's metadata; @param index of the frame, from 0 */
  constructor(dataSet, index) {
    this.dataSet = dataSet;
    this.index = index;
    this.study = text(dataSet, Tag.studyInstance);
    this.series = text(dataSet, Tag.seriesInstance);
    this.instance = text(dataSet, Tag.sopInstance);
    this.rows = number(dataSet, Tag.rows, 0);
    this.columns = number(dataSet, Tag.columns, 0);
    const groups = [items(dataSet, Tag.perFrame)[index], items(dataSet, Tag.shared)[0]];
    const functional = (macro) => groups.map((group) => items(group, macro)[0]).find(Boolean);
    const measures = functional(Tag.pixelMeasures) ?? dataSet;
    const spacing = numbers(measures, Tag.spacing, 2);
    const position = numbers(functional(Tag.planePosition) ?? dataSet, Tag.position, 3);
    const orientation = numbers(functional(Tag.planeOrientation) ?? dataSet, Tag.orientation, 6);
    this.plane = ImagePlane.make(position, orientation, spacing, this.rows, this.columns);
    this.frameOfReference = text(dataSet, Tag.frameOfReference);
    this.unit = unit(dataSet, spacing);
    const aspect = numbers(dataSet, Tag.aspect, 2);
    this.aspect = spacing ? spacing[0] / spacing[1] : aspect && aspect[1] > 0 ? aspect[0] / aspect[1] : 1;
    if (!(this.aspect > 0.01 && this.aspect < 100)) this.aspect = 1;
    const transformation = functional(Tag.transformation) ?? dataSet;
    this.slope = number(transformation, Tag.slope, 1) || 1;
    this.intercept = number(transformation, Tag.intercept, 0);
    const type = text(transformation, Tag.rescaleType);
    this.valueUnit = type === "US" ? "" : type || (text(dataSet, Tag.modality) === "CT" ? "HU" : "");
    this.windows = windows(functional(Tag.frameVOI) ?? dataSet);
    this.isInverse = text(dataSet, Tag.photometric) === "MONOCHROME1" || text(dataSet, Tag.presentationShape) === "INVERSE";
    this.padding = number(dataSet, Tag.padding);
    this.key = `${this.instance}/${this.index + 1}`;
  }

  /** Whether raw samples can be windowed here; else the server renders the frame. */
  get isGrey() {
    return number(this.dataSet, Tag.samples, 1) === 1 && text(this.dataSet, Tag.photometric).startsWith("MONOCHROME")
      && [8, 16].includes(number(this.dataSet, Tag.bitsAllocated));
  }

  /** Frames a second that the object asks for; 10 where it does not. */
  get rate() {
    const time = number(this.dataSet, Tag.frameTime);
    const rate = number(this.dataSet, Tag.displayRate) ?? number(this.dataSet, Tag.cineRate) ?? (time > 0 ? 1000 / time : 10);
    return Math.max(1, Math.min(60, rate));
  }
}

/**
 * All frames of a series' instances, as they are scrolled through: by number; along the normal where the images are parallel
 * and have no numbers of their own.
 */
export function framesOfSeries(dataSets) {
  const frames = dataSets.flatMap((dataSet) => {
    if (!(number(dataSet, Tag.rows, 0) > 0)) return [];
    const count = Math.max(1, Math.min(100_000, number(dataSet, Tag.frames, 1)));
    return Array.from({ length: count }, (_, index) => new ImageFrame(dataSet, index));
  });
  const numberOf = (frame) => number(frame.dataSet, Tag.instanceNumber, 0);
  const normal = frames[0]?.plane?.normal;
  const isNumbered = new Set(frames.map(numberOf)).size > 1;
  const isParallel = normal && frames.every(({ plane }) => plane && dot(plane.normal, normal) > 0.99);
  const placeOf = (frame) => (isParallel && !isNumbered ? dot(frame.plane.position, normal) : 0);
  return frames.sort((a, b) => numberOf(a) - numberOf(b) || (a.instance === b.instance ? 0 : placeOf(a) - placeOf(b)) || (a.instance < b.instance ? -1 : a.instance > b.instance ? 1 : 0)
    || a.index - b.index);
}

/** What a pixel measures: [along columns, along rows] and what in; pixels where nothing tells. */
function unit(dataSet, spacing) {
  if (spacing && spacing[0] > 0 && spacing[1] > 0) return { size: [spacing[1], spacing[0]], name: "mm" };
  const region = items(dataSet, Tag.regions)[0];
  const centimetres = 3;  // PS3.3 C.8.5.5.1.15
  if (region && number(region, Tag.regionUnitX) === centimetres && number(region, Tag.regionUnitY) === centimetres) {
    const [x, y] = [Math.abs(number(region, Tag.regionDeltaX, 0)), Math.abs(number(region, Tag.regionDeltaY, 0))];
    if (x > 0 && y > 0) return { size: [x * 10, y * 10], name: "mm" };
  }
  const detector = numbers(dataSet, Tag.detectorSpacing, 2);
  if (detector && detector[0] > 0 && detector[1] > 0) {
    return { size: [detector[1], detector[0]], name: "mm at the detector" };
  }
  return { size: [1, 1], name: "px" };
}

function windows(dataSet) {
  const [centers, widths] = [values(dataSet, Tag.windowCenter).map(Number), values(dataSet, Tag.windowWidth).map(Number)];
  const names = values(dataSet, Tag.windowName);
  const shape = text(dataSet, Tag.voiFunction) || "LINEAR";
  return centers
    .map((center, index) => ({ center, width: widths[index], name: names[index] ?? "", shape }))
    .filter((window) => Number.isFinite(window.center) && window.width >= (window.shape === "LINEAR" ? 1 : 1e-6));
}

/** How the samples of an instance's frames lie in their bytes: `length` samples of so many bits. PS3.5 8.1.1. */
export function sampleFormat(dataSet) {
  const allocated = number(dataSet, Tag.bitsAllocated, 16);
  const stored = Math.min(allocated, number(dataSet, Tag.bitsStored, allocated));
  return {
    allocated, stored, shift: Math.max(0, number(dataSet, Tag.highBit, stored - 1) + 1 - stored),
    isSigned: number(dataSet, Tag.signed, 0) === 1,
    length: number(dataSet, Tag.rows, 0) * number(dataSet, Tag.columns, 0),
  };
}

/** An error where a frame has fewer bytes than its format says. */
export function expectWhole(buffer, { allocated, length }) {
  const bytes = length * allocated / 8;
  if (buffer.byteLength < bytes) throw new Error(`The frame has ${buffer.byteLength} bytes, ${bytes} are expected.`);
}

/**
 * The samples of one frame in little endian as a typed array, which takes the buffer over; bits beyond Bits Stored are cut,
 * signs extended.
 *
 * @param format of `sampleFormat`
 */
export function samples(buffer, format) {
  const { allocated, stored, shift, isSigned, length } = format;
  expectWhole(buffer, format);
  const types = allocated === 8 ? [Uint8Array, Int8Array] : [Uint16Array, Int16Array];
  const array = new types[isSigned ? 1 : 0](buffer, 0, length);
  if (stored === allocated && shift === 0) return array;
  const unused = 32 - stored;
  for (let index = 0; index < array.length; index += 1) {
    const value = (array[index] >> shift) << unused;
    array[index] = isSigned ? value >> unused : value >>> unused;
  }
  return array;
}

/** How often each value is among some of the samples, without padding: [[value, count]] from the least on. */
function counted(array, padding) {
  const step = Math.max(1, Math.floor(array.length / 65536));
  if (array instanceof Float32Array) {
    const counts = new Map();
    for (let index = 0; index < array.length; index += step) counts.set(array[index], (counts.get(array[index]) ?? 0) + 1);
    counts.delete(padding);
    return [...counts].sort((a, b) => a[0] - b[0]);
  }
  const least = array instanceof Int16Array || array instanceof Int8Array ? -32768 : 0;
  const counts = new Uint32Array(65536);
  for (let index = 0; index < array.length; index += step) counts[array[index] - least] += 1;
  const found = [];
  counts.forEach((count, place) => {
    if (count > 0 && place + least !== padding) found.push([place + least, count]);
  });
  return found;
}

/**
 * A window for samples without one: all between the 1st and the 99th percentile, without padding. Modality values.
 *
 * @param frame what of the frame it takes: {padding, slope, intercept}
 */
export function percentileWindow(array, frame) {
  const sorted = counted(array, frame.padding);
  const total = sorted.reduce((sum, [, count]) => sum + count, 0);
  const at = (share) => {
    let sum = 0;
    for (const [value, count] of sorted) {
      sum += count;
      if (sum >= share * total) return value;
    }
    return sorted.at(-1)?.[0] ?? 0;
  };
  const [low, high] = [at(0.01), at(0.99)].map((value) => value * frame.slope + frame.intercept).sort((a, b) => a - b);
  return { center: (low + high) / 2, width: Math.max(1, high - low), name: "", shape: "LINEAR_EXACT" };
}

/**
 * The place of a modality value in a window, 0 to 1. PS3.3 C.11.2.1.2.1 (LINEAR), C.11.2.1.3.1 (SIGMOID),
 * C.11.2.1.3.2 (LINEAR_EXACT).
 */
export function windowed(value, { center, width, shape }) {
  if (shape === "SIGMOID") return 1 / (1 + Math.exp(-4 * (value - center) / width));
  if (shape === "LINEAR_EXACT") return Math.max(0, Math.min(1, (value - center) / width + 0.5));
  if (width <= 1) return value <= center - 0.5 ? 0 : 1;
  return Math.max(0, Math.min(1, (value - (center - 0.5)) / (width - 1) + 0.5));
}

/** Windows that people call by name. */
export const presets = {
  CT: [
    ["Soft tissue", 40, 400], ["Lung", -600, 1500], ["Bone", 480, 2500], ["Brain", 40, 80], ["Abdomen", 60, 400],
    ["Liver", 90, 150], ["Mediastinum", 50, 350], ["Angio", 300, 600],
  ].map(([name, center, width]) => ({ name, center, width, shape: "LINEAR" })),
};

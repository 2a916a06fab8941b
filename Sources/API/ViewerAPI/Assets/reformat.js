// Reformatting a regular volume: planes across the slices of a series, as further stacks (multiplanar reconstruction).
//
// The planes lie along the volume's own axes, however those lie in the patient: nothing is interpolated.

import { ImagePlane, add, dot, regularStack, scale } from "./geometry.js";

const bytesMax = 1 << 30;
const names = ["Sagittal", "Coronal", "Axial"];
// What people look for at the right and at the bottom, by the patient's axis that a plane is across (PS3.3 C.7.6.2.1.1).
const looks = [[[0, 1, 0], [0, 0, -1]], [[1, 0, 0], [0, 0, -1]], [[1, 0, 0], [0, 1, 0]]];

/** Why a stack of frames is no volume that can be cut, in words; undefined where it is one. */
export function whyNoVolume(frames) {
  if (frames.length < 3) return "A volume has three images or more.";
  if (!frames.every((frame) => frame.isGrey)) return "Planes are made of grey images alone.";
  if (!frames.every((frame) => frame.plane)) return "These images do not say where they lie in the patient.";
  const [first] = frames;
  if (frames.some((frame) => frame.frameOfReference !== first.frameOfReference)) {
    return "These images have no place in common: their frames of reference differ.";
  }
  if (frames.some((frame) => frame.valueUnit !== first.valueUnit)) return "These images are of several units.";
  if (first.rows * first.columns * frames.length * 2 > bytesMax) return "This volume is too large for the memory of a page.";
  return regularStack(frames.map((frame) => frame.plane))
    ? undefined : "This is no regular volume: its images must be parallel, in line and equally far apart.";
}

/** The order and the step of a stack of frames that is a volume; undefined where it is none. */
export function volumeOf(frames) {
  return whyNoVolume(frames) === undefined ? regularStack(frames.map((frame) => frame.plane)) : undefined;
}

/**
 * The two other planes of a volume as stacks of frames, each a view on samples in memory: as people look at an axial,
 * coronal or sagittal plane where they are nearest to one.
 *
 * @param frames the series; @param volume {order, step} of `volumeOf`; @param images the frames' samples, in their order
 * @returns [{name, stack: [{frame, image}]}], across the columns' direction and across the rows'
 */
export function reformats(frames, volume, images) {
  const first = frames[volume.order[0]];
  const { rows, columns, plane } = first;
  const slices = volume.order.map((index) => ({
    samples: images[index].samples, slope: frames[index].slope, intercept: frames[index].intercept,
  }));
  // Slices of several scales are brought to one: that of the values themselves.
  const isScaled = slices.some((slice) => slice.slope !== first.slope || slice.intercept !== first.intercept
    || slice.samples.constructor !== slices[0].samples.constructor);
  const axes = [
    { axis: 0, direction: plane.rowDirection, spacing: plane.spacing[1], count: columns },
    { axis: 1, direction: plane.columnDirection, spacing: plane.spacing[0], count: rows },
    { axis: 2, direction: plane.normal, spacing: volume.step, count: slices.length },
  ];
  return [1, 0].map((across) => {
    const { name, right, down } = look(axes, across);
    const fixed = axes[across];
    // The middle of the first pixel of the first plane.
    const corner = [right, down].reduce((place, side) => side.isReversed
      ? add(place, scale(side.axis.direction, side.axis.spacing * (side.axis.count - 1))) : place, plane.position);
    const direction = ({ axis, isReversed }) => (isReversed ? scale(axis.direction, -1) : axis.direction);
    const [wide, tall] = [right.axis, down.axis];
    const stack = Array.from({ length: fixed.count }, (_, index) => {
      const frame = Object.create(first);
      Object.assign(frame, {
        index, rows: tall.count, columns: wide.count, isReformatted: true,
        plane: new ImagePlane(add(corner, scale(fixed.direction, index * fixed.spacing)),
          [...direction(right), ...direction(down)], [tall.spacing, wide.spacing], tall.count, wide.count),
        unit: { size: [wide.spacing, tall.spacing], name: "mm" }, aspect: tall.spacing / wide.spacing,
        ...(isScaled ? { slope: 1, intercept: 0, padding: undefined } : {}),
      });
      Object.defineProperty(frame, "key", { value: `${first.series}/across ${across}/${index}` });
      return { frame, image: lazily(() => cut(slices, columns, isScaled, { axis: across, index }, right, down)) };
    });
    return { name, stack };
  });
}

/** How the plane across an axis is looked at: its name, and which axis goes to the right and which down. */
function look(axes, across) {
  const normal = axes[across].direction.map(Math.abs);
  const nearest = normal.indexOf(Math.max(...normal));
  const [toRight, toBottom] = looks[nearest];
  const [one, other] = axes.filter(({ axis }) => axis !== across);
  const fits = (wide, tall) => Math.abs(dot(wide.direction, toRight)) + Math.abs(dot(tall.direction, toBottom));
  const [wide, tall] = fits(one, other) >= fits(other, one) ? [one, other] : [other, one];
  return {
    name: normal[nearest] > 0.9 ? names[nearest] : `Oblique (${names[nearest].toLowerCase()})`,
    right: { axis: wide, isReversed: dot(wide.direction, toRight) < 0 },
    down: { axis: tall, isReversed: dot(tall.direction, toBottom) < 0 },
  };
}

function cut(slices, columns, isScaled, fixed, right, down) {
  const [wide, tall] = [right.axis.count, down.axis.count];
  const samples = new (isScaled ? Float32Array : slices[0].samples.constructor)(wide * tall);
  const at = [0, 0, 0];
  at[fixed.axis] = fixed.index;
  for (let row = 0; row < tall; row += 1) {
    at[down.axis.axis] = down.isReversed ? tall - 1 - row : row;
    for (let column = 0; column < wide; column += 1) {
      at[right.axis.axis] = right.isReversed ? wide - 1 - column : column;
      const slice = slices[at[2]];
      const sample = slice.samples[at[1] * columns + at[0]];
      samples[row * wide + column] = isScaled ? sample * slice.slope + slice.intercept : sample;
    }
  }
  return samples;
}

function lazily(make) {
  let samples;
  return { get samples() { return (samples ??= make()); } };
}

// Reformatting a regular volume: planes across the slices of a series, as further stacks (multiplanar reconstruction).

import { ImagePlane, add, regularStack, scale } from "./geometry.js";

const bytesMax = 1 << 30;

/** Whether a stack of frames is a regular volume that fits into memory: its order and step, or undefined. */
export function volumeOf(frames) {
  if (frames.length < 3 || !frames.every((frame) => frame.isGrey && frame.plane)) return undefined;
  const [first] = frames;
  if (frames.some((frame) => frame.frameOfReference !== first.frameOfReference || frame.slope !== first.slope
    || frame.intercept !== first.intercept)) return undefined;
  if (first.rows * first.columns * frames.length * 2 > bytesMax) return undefined;
  return regularStack(frames.map((frame) => frame.plane));
}

/**
 * The two other planes of a volume as stacks of frames, each a view on samples in memory.
 *
 * @param frames the series; @param volume {order, step} of `volumeOf`; @param images the frames' samples, in their order
 * @returns [{name, frames: [{frame, image}]}]
 */
export function reformats(frames, volume, images) {
  const first = frames[volume.order[0]];
  const { rows, columns, plane } = first;
  const slices = volume.order.map((index) => images[index].samples);
  const depth = slices.length;
  const Samples = slices[0].constructor;
  // Rows go against the normal, so that an axial volume stands upright.
  const downwards = scale(plane.normal, -1);
  const top = add(plane.position, scale(plane.normal, volume.step * (depth - 1)));
  const make = (name, count, width, direction, spacing, origin, sampleAt) => ({
    name,
    stack: Array.from({ length: count }, (_, index) => {
      const frame = Object.create(first);
      const position = add(top, origin(index));
      Object.assign(frame, {
        index, rows: depth, columns: width, isReformatted: true,
        plane: new ImagePlane(position, [...direction, ...downwards], [volume.step, spacing], depth, width),
        unit: { size: [spacing, volume.step], name: "mm" }, aspect: volume.step / spacing,
      });
      Object.defineProperty(frame, "key", { value: `${first.series}/${name}/${index}` });
      return { frame, image: lazily(() => cut(Samples, depth, width, slices, (slice, x) => sampleAt(slice, x, index))) };
    }),
  });
  return [
    make("along rows", rows, columns, plane.rowDirection, plane.spacing[1],
      (index) => scale(plane.columnDirection, index * plane.spacing[0]),
      (slice, x, index) => slice[index * columns + x]),
    make("along columns", columns, rows, plane.columnDirection, plane.spacing[0],
      (index) => scale(plane.rowDirection, index * plane.spacing[1]),
      (slice, x, index) => slice[x * columns + index]),
  ];
}

function cut(Samples, depth, width, slices, sampleAt) {
  const samples = new Samples(depth * width);
  for (let row = 0; row < depth; row += 1) {
    const slice = slices[depth - 1 - row];
    for (let x = 0; x < width; x += 1) samples[row * width + x] = sampleAt(slice, x);
  }
  return samples;
}

function lazily(make) {
  let samples;
  return { get samples() { return (samples ??= make()); } };
}

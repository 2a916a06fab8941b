// Geometry of images: planes in the patient, the way from an image to the screen, measurements. Pure.
//
// Points of an image are in pixels from its upper left corner, so the centre of the first pixel is (0.5, 0.5). Points of the
// patient are in mm in the patient's coordinate system (PS3.3 C.7.6.2.1.1).

export const add = (a, b) => a.map((value, index) => value + b[index]);
export const subtract = (a, b) => a.map((value, index) => value - b[index]);
export const scale = (a, factor) => a.map((value) => value * factor);
export const dot = (a, b) => a.reduce((sum, value, index) => sum + value * b[index], 0);
export const norm = (a) => Math.sqrt(dot(a, a));
export const cross = (a, b) => [
  a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0],
];

/** An image's place in the patient. */
export class ImagePlane {
  /**
   * @param {number[]} position Image Position (Patient), mm
   * @param {number[]} orientation Image Orientation (Patient): six direction cosines
   * @param {number[]} spacing Pixel Spacing, mm: between rows, between columns
   */
  constructor(position, orientation, spacing, rows, columns) {
    this.position = position;
    this.rowDirection = orientation.slice(0, 3);
    this.columnDirection = orientation.slice(3, 6);
    this.normal = cross(this.rowDirection, this.columnDirection);
    this.spacing = spacing;
    this.rows = rows;
    this.columns = columns;
  }

  /** Undefined for directions that are not perpendicular unit vectors, or no spacing. */
  static make(position, orientation, spacing, rows, columns) {
    if (!position || !orientation || !spacing || !(spacing[0] > 0) || !(spacing[1] > 0)) return undefined;
    const plane = new ImagePlane(position, orientation, spacing, rows, columns);
    const { rowDirection, columnDirection } = plane;
    const isUnit = (vector) => Math.abs(norm(vector) - 1) < 1e-2;
    if (!isUnit(rowDirection) || !isUnit(columnDirection) || Math.abs(dot(rowDirection, columnDirection)) > 1e-2) {
      return undefined;
    }
    return plane;
  }

  /** The patient's point of an image's point. PS3.3 equation C.7.6.2.1-1. */
  toPatient([x, y]) {
    const alongRow = scale(this.rowDirection, (x - 0.5) * this.spacing[1]);
    const alongColumn = scale(this.columnDirection, (y - 0.5) * this.spacing[0]);
    return add(this.position, add(alongRow, alongColumn));
  }

  /** The image's point nearest to a patient's point. */
  toImage(point) {
    const offset = subtract(point, this.position);
    return [
      dot(offset, this.rowDirection) / this.spacing[1] + 0.5, dot(offset, this.columnDirection) / this.spacing[0] + 0.5,
    ];
  }

  /** Signed distance of a patient's point from the plane, mm. */
  distance(point) {
    return dot(subtract(point, this.position), this.normal);
  }

  get corners() {
    return [[0, 0], [this.columns, 0], [this.columns, this.rows], [0, this.rows]].map((corner) => this.toPatient(corner));
  }
}

/**
 * Where another image's rectangle cuts this plane: two points of this image, or undefined where it does not, or where both
 * are parallel.
 */
export function crossline(plane, other) {
  const corners = other.corners;
  const sides = corners.map((corner) => plane.distance(corner));
  const points = [];
  for (let index = 0; index < 4; index += 1) {
    const next = (index + 1) % 4;
    const [a, b] = [sides[index], sides[next]];
    if ((a < 0) === (b < 0) || Math.abs(a - b) < 1e-6) continue;
    points.push(plane.toImage(add(corners[index], scale(subtract(corners[next], corners[index]), a / (a - b)))));
  }
  return points.length === 2 ? points : undefined;
}

/** The letters of a direction in the patient, the greatest part first: `L`, `AR` … PS3.3 C.7.6.1.1.1. */
export function directionLetters(direction) {
  const names = [["R", "L"], ["A", "P"], ["F", "H"]];
  return [0, 1, 2]
    .filter((axis) => Math.abs(direction[axis]) > 0.3)
    .sort((a, b) => Math.abs(direction[b]) - Math.abs(direction[a]))
    .map((axis) => names[axis][direction[axis] > 0 ? 1 : 0])
    .join("");
}

/**
 * Images of a series as a volume: in order along the normal, and the distance between them. Undefined where they are not
 * parallel, not in line, or not equally far apart within a hundredth.
 */
export function regularStack(planes) {
  if (planes.length < 3 || planes.some((plane) => !plane)) return undefined;
  const first = planes[0];
  const isLike = (plane) =>
    plane.rows === first.rows && plane.columns === first.columns
    && Math.abs(plane.spacing[0] - first.spacing[0]) < 1e-3 && Math.abs(plane.spacing[1] - first.spacing[1]) < 1e-3
    && norm(subtract(plane.rowDirection, first.rowDirection)) < 1e-3
    && norm(subtract(plane.columnDirection, first.columnDirection)) < 1e-3;
  if (!planes.every(isLike)) return undefined;
  const order = planes
    .map((plane, index) => ({ index, place: dot(plane.position, first.normal) }))
    .sort((a, b) => a.place - b.place);
  const step = (order[order.length - 1].place - order[0].place) / (order.length - 1);
  if (!(step > 1e-3)) return undefined;
  const origin = planes[order[0].index].position;
  for (let index = 0; index < order.length; index += 1) {
    const expected = add(origin, scale(first.normal, step * index));
    if (norm(subtract(planes[order[index].index].position, expected)) > Math.max(0.01 * step, 1e-2)) return undefined;
  }
  return { order: order.map((entry) => entry.index), step };
}

/** An affine map of the plane: x' = a·x + c·y + e, y' = b·x + d·y + f. */
export class Affine {
  constructor(a = 1, b = 0, c = 0, d = 1, e = 0, f = 0) {
    Object.assign(this, { a, b, c, d, e, f });
  }

  apply([x, y]) {
    return [this.a * x + this.c * y + this.e, this.b * x + this.d * y + this.f];
  }

  /** First `inner`, then this. */
  after(inner) {
    return new Affine(
      this.a * inner.a + this.c * inner.b, this.b * inner.a + this.d * inner.b,
      this.a * inner.c + this.c * inner.d, this.b * inner.c + this.d * inner.d,
      this.a * inner.e + this.c * inner.f + this.e, this.b * inner.e + this.d * inner.f + this.f);
  }

  get inverse() {
    const determinant = this.a * this.d - this.b * this.c;
    return new Affine(
      this.d / determinant, -this.b / determinant, -this.c / determinant, this.a / determinant,
      (this.c * this.f - this.d * this.e) / determinant, (this.b * this.e - this.a * this.f) / determinant);
  }

  static translation(x, y) { return new Affine(1, 0, 0, 1, x, y); }
  static scaling(x, y) { return new Affine(x, 0, 0, y, 0, 0); }
  static rotation(degrees) {
    const radians = degrees * Math.PI / 180;
    const [cosine, sine] = [Math.cos(radians), Math.sin(radians)];
    return new Affine(cosine, sine, -sine, cosine, 0, 0);
  }
}

/**
 * From an image to a viewport.
 *
 * @param image {rows, columns, aspect}: aspect is the height of a pixel over its width
 * @param view {zoom, pan: [x, y] in screen pixels, rotation in degrees, flipped}; zoom 1 fits the image into the viewport
 */
export function imageToScreen(image, view, width, height) {
  const [tall, wide] = [image.rows * image.aspect, image.columns];
  const turned = view.rotation % 180 !== 0;
  const fit = Math.min(width / (turned ? tall : wide), height / (turned ? wide : tall));
  const factor = fit * view.zoom;
  return Affine.translation(width / 2 + view.pan[0], height / 2 + view.pan[1])
    .after(Affine.rotation(view.rotation))
    .after(Affine.scaling(view.flipped ? -factor : factor, factor * image.aspect))
    .after(Affine.translation(-image.columns / 2, -image.rows / 2));
}

/** The length of a line, in units of `unit`: [along columns, along rows] of a pixel. */
export function length(a, b, unit) {
  return Math.hypot((b[0] - a[0]) * unit[0], (b[1] - a[1]) * unit[1]);
}

/** The angle at the second of three points, in degrees, 0 to 180. */
export function angle(a, corner, b, unit) {
  const first = [(a[0] - corner[0]) * unit[0], (a[1] - corner[1]) * unit[1]];
  const second = [(b[0] - corner[0]) * unit[0], (b[1] - corner[1]) * unit[1]];
  const lengths = norm(first) * norm(second);
  if (lengths === 0) return 0;
  return Math.acos(Math.max(-1, Math.min(1, dot(first, second) / lengths))) * 180 / Math.PI;
}

/**
 * Of the pixels whose centres are in the rectangle of two corners, or in the ellipse within it: count, mean, standard
 * deviation (of all of them), least and greatest. `value(x, y)` gives a pixel's value.
 */
export function regionStatistics(shape, a, b, rows, columns, value) {
  const [left, right] = [Math.min(a[0], b[0]), Math.max(a[0], b[0])];
  const [top, bottom] = [Math.min(a[1], b[1]), Math.max(a[1], b[1])];
  const [middleX, middleY] = [(left + right) / 2, (top + bottom) / 2];
  const [radiusX, radiusY] = [(right - left) / 2, (bottom - top) / 2];
  let [count, mean, squares, least, greatest] = [0, 0, 0, Infinity, -Infinity];
  for (let y = Math.max(0, Math.floor(top)); y < Math.min(rows, Math.ceil(bottom)); y += 1) {
    for (let x = Math.max(0, Math.floor(left)); x < Math.min(columns, Math.ceil(right)); x += 1) {
      const [centreX, centreY] = [x + 0.5, y + 0.5];
      if (centreX < left || centreX > right || centreY < top || centreY > bottom) continue;
      if (shape === "ellipse" && ((centreX - middleX) / radiusX) ** 2 + ((centreY - middleY) / radiusY) ** 2 > 1) continue;
      const sample = value(x, y);
      count += 1;
      const difference = sample - mean;
      mean += difference / count;
      squares += difference * (sample - mean);
      least = Math.min(least, sample);
      greatest = Math.max(greatest, sample);
    }
  }
  return { count, mean, deviation: count > 0 ? Math.sqrt(squares / count) : 0, least, greatest };
}

/** The area of the rectangle of two corners, or of the ellipse within it, in squares of `unit`. */
export function regionArea(shape, a, b, unit) {
  const rectangle = Math.abs((b[0] - a[0]) * unit[0] * (b[1] - a[1]) * unit[1]);
  return shape === "ellipse" ? rectangle * Math.PI / 4 : rectangle;
}

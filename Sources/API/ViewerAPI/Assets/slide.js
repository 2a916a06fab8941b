// Slides: the levels of a pyramid as one image, of which the tiles in view are shown. PS3.3 C.8.12.4, C.7.6.17.3.

import { Tag, items, number, text, values } from "./dicomjson.js";
import { ImageFrame } from "./pixels.js";

const slideClass = "1.2.840.10008.5.1.4.1.1.77.1.6";
const tilesMax = 600;  // in one view of one level; more are not asked for
const placesMax = 20_000;  // of the grid that one view looks at, whether a tile is there or not
const framesMax = 4_000_000;  // of one instance

/** Whether an instance is a level of a pyramid: a whole slide image of the specimen itself. */
export function isLevel(dataSet) {
  return text(dataSet, Tag.sopClass) === slideClass && values(dataSet, Tag.imageType)[2] === "VOLUME"
    && number(dataSet, Tag.totalColumns, 0) > 0 && number(dataSet, Tag.totalRows, 0) > 0
    && number(dataSet, Tag.columns, 0) > 0 && number(dataSet, Tag.rows, 0) > 0;
}

/** A tile as a frame that the loader can load. */
class TileFrame extends ImageFrame {
  isTile = true;
  constructor(level, index) {
    super(level.outline, index);
    this.slide = level.slide;
  }

  /** The server renders tiles, whatever they are made of. */
  get isGrey() { return false; }
}

/** One instance of the pyramid. */
class Level {
  #tiles = new Map();  // by index of the frame
  #places;

  constructor(dataSet, slide) {
    this.slide = slide;
    this.dataSet = dataSet;
    // What a tile needs, without the thousands of functional groups.
    this.outline = Object.fromEntries(Object.entries(dataSet).filter(([tag]) => tag !== Tag.perFrame));
    [this.columns, this.rows] = [number(dataSet, Tag.totalColumns), number(dataSet, Tag.totalRows)];
    [this.tileColumns, this.tileRows] = [number(dataSet, Tag.columns), number(dataSet, Tag.rows)];
    this.across = Math.ceil(this.columns / this.tileColumns);
    this.down = Math.ceil(this.rows / this.tileRows);
    this.frames = Math.min(framesMax, number(dataSet, Tag.frames, 1));
    if (text(dataSet, Tag.organization) !== "TILED_FULL") this.#places = sparse(dataSet, this);
  }

  /** The index of the frame at a place of the grid; undefined where there is none. The first plane and path alone. */
  indexAt(column, row) {
    if (this.#places) return this.#places.get(row * this.across + column);
    const index = row * this.across + column;
    return column < this.across && row < this.down && index < this.frames ? index : undefined;
  }

  tile(index) {
    let tile = this.#tiles.get(index);
    if (!tile) this.#tiles.set(index, tile = new TileFrame(this, index));
    return tile;
  }
}

/** Frames by their places in the grid, of an instance that names them one by one. PS3.3 C.8.12.6.1. */
function sparse(dataSet, level) {
  const places = new Map();
  items(dataSet, Tag.perFrame).slice(0, framesMax).forEach((group, index) => {
    const place = items(group, Tag.slidePosition)[0];
    const [column, row] = [number(place, Tag.columnPosition), number(place, Tag.rowPosition)];
    if (!(column >= 1) || !(row >= 1)) return;
    const [x, y] = [Math.floor((column - 1) / level.tileColumns), Math.floor((row - 1) / level.tileRows)];
    const key = y * level.across + x;
    if (x < level.across && y < level.down && !places.has(key)) places.set(key, index);
  });
  return places;
}

/** The pyramid: levels from the finest to the coarsest, and the tiles of them that a view needs. */
export class Slide {
  #pending = new Set();  // keys of tiles that are on their way

  constructor(dataSets) {
    const finest = dataSets.reduce((a, b) => (number(b, Tag.totalColumns) > number(a, Tag.totalColumns) ? b : a));
    const shape = (dataSet) => number(dataSet, Tag.totalColumns) / number(dataSet, Tag.totalRows);
    this.levels = dataSets
      .filter((dataSet) => text(dataSet, Tag.frameOfReference) === text(finest, Tag.frameOfReference)
        && Math.abs(shape(dataSet) / shape(finest) - 1) < 0.05)
      .map((dataSet) => new Level(dataSet, this))
      .sort((a, b) => b.columns - a.columns);
    [this.base] = this.levels;
  }

  /** The level whose pixels are no larger than the screen's, and no finer than needed. `factor`: screen by base pixels. */
  levelFor(factor) {
    const fine = this.levels.filter((level) => this.base.columns / level.columns * factor <= 1.01);
    return fine.at(-1) ?? this.base;
  }

  /**
   * The tiles of a level that a box of the base image touches, from the middle outwards.
   *
   * @param box [left, top, right, bottom] in pixels of the base
   * @returns [{tile, x, y, width, height, columns, rows}]: places in pixels of the base, parts of the tile that are image
   */
  tilesIn(level, [left, top, right, bottom]) {
    const [wide, tall] = [this.base.columns / level.columns, this.base.rows / level.rows];
    const range = (from, to, size, count) => [
      Math.max(0, Math.floor(from / size)), Math.min(count - 1, Math.floor(to / size))];
    const [firstX, lastX] = range(left / wide, right / wide, level.tileColumns, level.across);
    const [firstY, lastY] = range(top / tall, bottom / tall, level.tileRows, level.down);
    const found = [];
    let looked = 0;
    for (let row = firstY; row <= lastY && looked < placesMax; row += 1) {
      for (let column = firstX; column <= lastX && found.length < tilesMax && looked < placesMax; column += 1) {
        looked += 1;
        const index = level.indexAt(column, row);
        if (index === undefined) continue;
        const columns = Math.min(level.tileColumns, level.columns - column * level.tileColumns);
        const rows = Math.min(level.tileRows, level.rows - row * level.tileRows);
        found.push({
          tile: level.tile(index), columns, rows, x: column * level.tileColumns * wide, y: row * level.tileRows * tall,
          width: columns * wide, height: rows * tall,
        });
      }
    }
    const middle = [(left + right) / 2, (top + bottom) / 2];
    const distance = (one) => Math.hypot(one.x + one.width / 2 - middle[0], one.y + one.height / 2 - middle[1]);
    return found.sort((a, b) => distance(a) - distance(b));
  }

  /**
   * Draws what is here, coarse levels below fine ones, and asks for what is not: the coarsest level whole, for the
   * overview, then the tiles in view.
   *
   * @param map from the base image to the canvas; @param changed called when a tile has come
   * @returns whether all tiles in view are drawn
   */
  paint(context, map, loader, changed) {
    const { canvas } = context;
    const corners = [[0, 0], [canvas.width, 0], [0, canvas.height], [canvas.width, canvas.height]]
      .map((corner) => map.inverse.apply(corner));
    const box = [
      Math.min(...corners.map(([x]) => x)), Math.min(...corners.map(([, y]) => y)),
      Math.max(...corners.map(([x]) => x)), Math.max(...corners.map(([, y]) => y))];
    const wanted = this.levelFor(Math.sqrt(Math.abs(map.a * map.d - map.b * map.c)));
    const coarsest = this.levels.at(-1);
    const first = this.tilesIn(coarsest, [0, 0, this.base.columns, this.base.rows]).slice(0, 16);
    const inView = this.tilesIn(wanted, box);
    const asked = new Set([...first, ...inView].map(({ tile }) => tile.key));
    // What has left the view is not waited for.
    loader.forget((frame) => frame.slide !== this || asked.has(frame.key));
    context.setTransform(map.a, map.b, map.c, map.d, map.e, map.f);
    context.imageSmoothingEnabled = true;
    const between = this.levels.filter((level) => level.columns < wanted.columns && level !== coarsest).reverse();
    const bleed = 0.5 / Math.sqrt(Math.abs(map.a * map.d - map.b * map.c));
    for (const one of [...first, ...between.flatMap((level) => this.tilesIn(level, box))]) {
      this.#draw(context, one, loader.get(one.tile), bleed);
    }
    let isWhole = true;
    inView.forEach((one) => {
      const image = loader.get(one.tile);
      if (image) this.#draw(context, one, image, bleed);
      else isWhole = false;
    });
    [...first, ...inView].forEach(({ tile }, order) => {
      if (loader.has(tile) || this.#pending.has(tile.key)) return;
      this.#pending.add(tile.key);
      loader.load(tile, order).then(changed, () => {}).finally(() => this.#pending.delete(tile.key));
    });
    context.setTransform(1, 0, 0, 1, 0, 0);
    return isWhole;
  }

  #draw(context, { x, y, width, height, columns, rows }, image, bleed) {
    if (!image?.bitmap) return;
    context.drawImage(image.bitmap, 0, 0, columns, rows, x, y, width + bleed, height + bleed);
  }
}

/**
 * The slide of a series: an entry of a stack whose image is the pyramid, and the other data sets (label, overview).
 * Undefined where the series has no levels.
 */
export function slideOf(dataSets) {
  const levels = dataSets.filter(isLevel);
  if (levels.length === 0) return undefined;
  const slide = new Slide(levels);
  const { base } = slide;
  const frame = new ImageFrame(base.outline, 0);
  [frame.rows, frame.columns, frame.plane] = [base.rows, base.columns, undefined];
  frame.isSlide = true;
  Object.defineProperty(frame, "key", { value: `${frame.instance}/slide` });
  return { entry: { frame, image: { slide } }, rest: dataSets.filter((dataSet) => !levels.includes(dataSet)) };
}

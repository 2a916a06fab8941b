// One pane: a stack of frames, how it is looked at, what was measured on it, and how it is drawn.

import {
  angle, crossline, directionLetters, imageToScreen, length, regionArea, regionStatistics, scale,
} from "./geometry.js";
import { Painter } from "./painter.js";
import { percentileWindow } from "./pixels.js";

const pointsOf = { length: 2, angle: 3, ellipse: 2, rectangle: 2, probe: 1 };
const undoMax = 100;

export class Viewport extends EventTarget {
  /** The stack: frames with {frame, image?}; an image that is not there is loaded. */
  stack = [];
  index = 0;
  view = { zoom: 1, pan: [0, 0], rotation: 0, flipped: false };
  window = undefined;
  isInverse = false;
  isSmooth = true;
  #title = "";
  #annotations = new Map();  // by frame key
  #undo = [];
  #redo = [];
  #image;
  #shownKey;
  #wanted = false;
  #failure;
  #size;  // of the pane in CSS pixels
  #lines = [];

  constructor(loader) {
    super();
    this.loader = loader;
    this.element = document.createElement("div");
    this.element.className = "pane";
    this.element.tabIndex = 0;
    this.element.setAttribute("role", "group");
    this.canvas = document.createElement("canvas");
    this.overlay = document.createElement("canvas");
    this.overlay.setAttribute("role", "img");
    this.status = document.createElement("p");
    this.status.className = "pane-status";
    this.status.setAttribute("role", "status");
    this.element.append(this.canvas, this.overlay, this.status);
    this.painter = Painter.make(this.canvas);
    this.canvas.addEventListener("repaint", () => this.draw());
    this.observer = new ResizeObserver(() => this.#resize());
    this.observer.observe(this.element);
  }

  close() {
    this.observer.disconnect();
    this.element.remove();
  }

  /** What the stack is called; it is drawn on the image. */
  get title() { return this.#title; }
  set title(title) {
    this.#title = title;
    this.draw();
  }

  get entry() { return this.stack[this.index]; }
  get frame() { return this.entry?.frame; }
  get image() { return this.#image; }
  /** How far the image may be enlarged: a slide to four screen pixels for each of its own. */
  get zoomMax() { return this.frame?.isSlide ? Math.max(40, 4 * this.frame.columns / Math.max(1, this.element.clientWidth)) : 40; }
  get annotations() { return this.#annotations.get(this.frame?.key) ?? []; }

  /** Shows another stack from the beginning; `keeps` leaves window and view as they are. */
  show(stack, { title = "", index = 0, keeps = false } = {}) {
    this.stack = stack;
    this.title = title;
    this.#image = this.#shownKey = undefined;
    if (!keeps) {
      this.view = { zoom: 1, pan: [0, 0], rotation: 0, flipped: false };
      this.window = undefined;
      this.isInverse = false;
      this.#undo = [];
      this.#redo = [];
    }
    this.index = -1;
    this.scrollTo(index);
  }

  scrollTo(index) {
    const next = Math.max(0, Math.min(this.stack.length - 1, index));
    if (next === this.index || this.stack.length === 0) {
      if (this.stack.length === 0) this.draw();
      return;
    }
    this.direction = next >= this.index ? 1 : -1;
    this.index = next;
    this.#load();
    this.dispatchEvent(new Event("scrolled"));
  }

  async #load() {
    const entry = this.entry;
    this.#failure = undefined;
    const present = entry.image ?? this.loader.get(entry.frame);
    if (present) this.#present(entry, present);
    else this.draw();
    this.#prefetch();
    if (present) return;
    try {
      const image = await this.loader.load(entry.frame, 0, this);
      if (this.entry === entry) this.#present(entry, image);
    } catch (error) {
      if (this.entry !== entry || error.name === "AbortError") return;
      this.#failure = error.message;
      this.draw();
    }
  }

  /** What comes next in the direction of scrolling first, then the rest from near to far. */
  #prefetch() {
    for (let distance = 1; distance < this.stack.length; distance += 1) {
      for (const index of [this.index + this.direction * distance, this.index - this.direction * distance]) {
        const entry = this.stack[index];
        if (entry && !entry.image && !this.loader.has(entry.frame)) {
          this.loader.load(entry.frame, distance, this).catch(() => {});
        }
      }
      if (distance > 600) break;
    }
  }

  #present(entry, image) {
    this.#image = image;
    this.#shownKey = entry.frame.key;
    if (!this.window && image.samples) this.window = this.#firstWindow;
    this.draw();
    this.dispatchEvent(new Event("presented"));
  }

  /** The window to begin with: as stored, else by the samples. */
  get #firstWindow() {
    return this.frame.windows[0] ?? this.#image.window ?? percentileWindow(this.#image.samples, this.frame);
  }

  // MARK: What a person does, with a way back

  /** Changes view, window, inversion or annotations by `change`; several changes of one gesture are one step back. */
  change(change, gesture = undefined) {
    const last = this.#undo.at(-1);
    if (!gesture || last?.gesture !== gesture) {
      this.#undo.push({ gesture, state: this.#state() });
      if (this.#undo.length > undoMax) this.#undo.shift();
    }
    this.#redo = [];
    change(this);
    this.draw();
    this.dispatchEvent(new Event("changed"));
  }

  #state() {
    return {
      view: { ...this.view, pan: [...this.view.pan] }, window: this.window, isInverse: this.isInverse,
      annotations: new Map([...this.#annotations].map(([key, list]) => [key, list.map((item) => ({ ...item, points: item.points.map((point) => [...point]) }))])),
    };
  }

  #restore(from, to) {
    const step = from.pop();
    if (!step) return;
    to.push({ gesture: undefined, state: this.#state() });
    const { view, window, isInverse, annotations } = step.state;
    Object.assign(this, { view, window, isInverse });
    this.#annotations = annotations;
    this.draw();
    this.dispatchEvent(new Event("changed"));
  }

  undo() { this.#restore(this.#undo, this.#redo); }
  redo() { this.#restore(this.#redo, this.#undo); }

  reset() {
    this.change(() => {
      this.view = { zoom: 1, pan: [0, 0], rotation: 0, flipped: false };
      this.isInverse = false;
      this.window = this.#image?.samples ? this.#firstWindow : undefined;
      this.#annotations.delete(this.frame?.key);
    });
  }

  addAnnotation(kind, point) {
    const annotation = { kind, points: Array.from({ length: Math.min(2, pointsOf[kind]) }, () => [...point]) };
    this.change(() => this.#annotations.set(this.frame.key, [...this.annotations, annotation]));
    return annotation;
  }

  /** Whether an annotation has all its points; an angle's third comes by another click. */
  static isWhole(annotation) { return annotation.points.length === pointsOf[annotation.kind]; }

  removeLastAnnotation() {
    if (this.annotations.length > 0) {
      this.change(() => this.#annotations.set(this.frame.key, this.annotations.slice(0, -1)));
    }
  }

  // MARK: Places

  /** Width and height in CSS pixels, as they were told last: to ask the page while it changes would lay it out each time. */
  get size() { return this.#size ?? [this.element.clientWidth, this.element.clientHeight]; }

  get map() { return imageToScreen(this.frame, this.view, ...this.size); }

  toImage(point) { return this.map.inverse.apply(point); }

  /** Lines that other panes' images cut into this one: [{frame, colour}]. */
  set references(references) {
    const isSame = references.length === this.#lines.length && references.every(({ frame, colour }, index) =>
      frame === this.#lines[index].frame && colour === this.#lines[index].colour);
    this.#lines = references;
    if (!isSame) this.draw();
  }

  // MARK: Drawing

  #resize() {
    const ratio = window.devicePixelRatio || 1;
    this.#size = [this.element.clientWidth, this.element.clientHeight];
    for (const canvas of [this.canvas, this.overlay]) {
      [canvas.width, canvas.height] = this.#size.map((side) => Math.max(1, Math.round(side * ratio)));
    }
    this.#paint();
  }

  draw() {
    if (this.#wanted) return;
    this.#wanted = true;
    requestAnimationFrame(() => {
      this.#wanted = false;
      this.#paint();
    });
  }

  #paint() {
    const { frame } = this;
    const context = this.overlay.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.overlay.width, this.overlay.height);
    const isCurrent = frame && this.#shownKey === frame.key;
    this.status.textContent = !frame ? "" : this.#failure ?? (isCurrent ? "" : "Loading…");
    this.status.classList.toggle("bad", Boolean(this.#failure));
    if (!frame || !isCurrent) {
      // Never an image under another one's number.
      this.painter.clear();
      this.#label(frame);
      return;
    }
    const ratio = window.devicePixelRatio || 1;
    const map = this.map;
    const scaled = Object.assign(Object.create(Object.getPrototypeOf(map)), map);
    for (const part of ["a", "b", "c", "d", "e", "f"]) scaled[part] *= ratio;
    const isInverted = this.#image.samples ? frame.isInverse !== this.isInverse : this.isInverse;
    if (this.#image.slide) {
      this.painter.clear();
      const isWhole = this.#image.slide.paint(context, scaled, this.loader, () => this.draw());
      this.status.textContent = isWhole ? "" : "Loading…";
    } else this.painter.paint({
      image: this.#image, rows: frame.rows, columns: frame.columns, slope: frame.slope, intercept: frame.intercept,
      window: this.window, isInverse: isInverted, isSmooth: this.isSmooth, map: scaled,
    });
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    for (const line of this.#lines) this.#drawLine(context, map, line);
    for (const annotation of this.annotations) this.#drawAnnotation(context, map, annotation);
    this.#drawCorners(context, map);
    this.#label(frame);
    // For whoever looks at the page from outside.
    this.element.dispatchEvent(new CustomEvent("painted", { detail: this.index }));
  }

  #label(frame) {
    const text = frame
      ? `${this.title || "Series"}, image ${this.index + 1} of ${this.stack.length}`
      : "Empty pane";
    if (this.element.getAttribute("aria-label") === text) return;
    this.overlay.setAttribute("aria-label", text);
    this.element.setAttribute("aria-label", text);
  }

  #drawLine(context, map, { frame, colour }) {
    if (!frame?.plane || !this.frame.plane || !frame.frameOfReference
      || frame.frameOfReference !== this.frame.frameOfReference) return;
    const points = crossline(this.frame.plane, frame.plane);
    if (!points) return;
    const [a, b] = points.map((point) => map.apply(point));
    context.strokeStyle = colour;
    context.lineWidth = 1;
    context.setLineDash([6, 4]);
    context.beginPath();
    context.moveTo(...a);
    context.lineTo(...b);
    context.stroke();
    context.setLineDash([]);
  }

  #drawAnnotation(context, map, annotation) {
    const points = annotation.points.map((point) => map.apply(point));
    context.strokeStyle = context.fillStyle = "#ffd75e";
    context.lineWidth = 1.5;
    context.beginPath();
    if (annotation.kind === "ellipse" || annotation.kind === "rectangle") {
      const [[left, top], [right, bottom]] = annotation.points;
      const outline = annotation.kind === "rectangle"
        ? [[left, top], [right, top], [right, bottom], [left, bottom]]
        : Array.from({ length: 64 }, (_, index) => {
          const turn = index * Math.PI / 32;
          return [(left + right) / 2 + (right - left) / 2 * Math.cos(turn), (top + bottom) / 2 + (bottom - top) / 2 * Math.sin(turn)];
        });
      outline.forEach((point, index) => context[index ? "lineTo" : "moveTo"](...map.apply(point)));
      context.closePath();
    } else {
      points.forEach((point, index) => context[index ? "lineTo" : "moveTo"](...point));
    }
    context.stroke();
    for (const [x, y] of points) context.fillRect(x - 2.5, y - 2.5, 5, 5);
    const lines = this.measure(annotation);
    context.font = "13px system-ui, sans-serif";
    const [x, y] = points.at(-1);
    lines.forEach((line, index) => this.#write(context, line, x + 8, y + 16 * index, "#ffd75e"));
  }

  #write(context, text, x, y, colour) {
    context.lineWidth = 3;
    context.strokeStyle = "rgba(0, 0, 0, .8)";
    context.strokeText(text, x, y);
    context.fillStyle = colour;
    context.fillText(text, x, y);
  }

  /** A pixel's value in real units; undefined beyond the image and for colour. */
  valueAt(x, y) {
    const { frame } = this;
    if (!this.#image?.samples || x < 0 || y < 0 || x >= frame.columns || y >= frame.rows) return undefined;
    return this.#image.samples[y * frame.columns + x] * frame.slope + frame.intercept;
  }

  /** What an annotation says, in lines. */
  measure({ kind, points }) {
    const { frame } = this;
    const { size, name } = frame.unit;
    const round = (value, digits = 1) => Number(value.toFixed(digits)).toString();
    if (kind === "length") return [`${round(length(points[0], points[1], size))} ${name}`];
    if (kind === "angle") return points.length === 3 ? [`${round(angle(...points, size))}°`] : [];
    if (kind === "probe") {
      const [x, y] = points[0].map(Math.floor);
      const value = this.valueAt(x, y);
      return value === undefined ? [`(${x}, ${y})`] : [`${round(value)} ${frame.valueUnit}`.trim(), `(${x}, ${y})`];
    }
    const area = regionArea(kind, points[0], points[1], size);
    const lines = [`${round(area)} ${name.replace("mm", "mm²").replace("px", "px²")}`];
    if (!this.#image?.samples) return lines;
    const found = regionStatistics(kind, points[0], points[1], frame.rows, frame.columns, (x, y) => this.valueAt(x, y));
    if (found.count > 0) {
      lines.push(`mean ${round(found.mean)} ${frame.valueUnit}`.trim(), `SD ${round(found.deviation)}`,
        `${round(found.least)} to ${round(found.greatest)}`);
    }
    return lines;
  }

  #drawCorners(context, map) {
    const [width, height] = this.size;
    context.font = "12px system-ui, sans-serif";
    const quiet = "#c9d3dc";
    const window = this.window && this.#image.samples
      ? `W ${Math.round(this.window.width)} L ${Math.round(this.window.center)}` : "";
    [this.title, `${this.index + 1} / ${this.stack.length}`].forEach((line, index) => this.#write(context, line, 8, 18 + 15 * index, quiet));
    [window, `${Math.round(100 * this.view.zoom)} %`].filter(Boolean)
      .forEach((line, index) => this.#write(context, line, 8, height - 10 - 15 * index, quiet));
    const { plane } = this.frame;
    if (!plane) return;
    // Which way the patient's directions lie on the screen.
    const right = [map.a, map.c];
    const down = [map.b, map.d];
    const letters = ([x, y]) => {
      const total = Math.hypot(x, y) || 1;
      const direction = plane.rowDirection.map((value, index) => (value * x + plane.columnDirection[index] * y) / total);
      return [directionLetters(direction), directionLetters(scale(direction, -1))];
    };
    const [toRight, toLeft] = letters(right);
    const [toBottom, toTop] = letters(down);
    context.textAlign = "center";
    this.#write(context, toTop, width / 2, 18, quiet);
    this.#write(context, toBottom, width / 2, height - 10, quiet);
    context.textAlign = "left";
    this.#write(context, toLeft, 8, height / 2, quiet);
    context.textAlign = "right";
    this.#write(context, toRight, width - 8, height / 2, quiet);
    context.textAlign = "left";
  }
}

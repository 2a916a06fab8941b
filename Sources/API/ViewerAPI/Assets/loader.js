// Frames by the network into memory: what is looked at first, then what comes next, within a budget of bytes.

import { samples } from "./pixels.js";

const parallel = 6;

export class FrameLoader {
  #archive;
  #budget;
  #bytes = 0;
  #images = new Map();  // by key, the least recently used first
  #waiting = new Map();  // by key: {frame, promise, resolve, reject, priority}
  #running = 0;

  constructor(archive, budget = 1 << 30) {
    this.#archive = archive;
    this.#budget = budget;
  }

  /** What is in memory: {samples} or {bitmap}; undefined otherwise. */
  get(frame) {
    const image = this.#images.get(frame.key);
    if (image) {
      this.#images.delete(frame.key);
      this.#images.set(frame.key, image);
    }
    return image;
  }

  has(frame) { return this.#images.has(frame.key); }

  /** The frame's image; `priority` 0 goes before 1. */
  load(frame, priority = 0) {
    const image = this.get(frame);
    if (image) return Promise.resolve(image);
    let entry = this.#waiting.get(frame.key);
    if (!entry) {
      entry = { frame, priority, isRunning: false };
      entry.promise = new Promise((resolve, reject) => Object.assign(entry, { resolve, reject }));
      entry.promise.catch(() => {});
      this.#waiting.set(frame.key, entry);
    }
    entry.priority = Math.min(entry.priority, priority);
    this.#next();
    return entry.promise;
  }

  /** Frames that are not looked at any more are not asked for, unless they are on their way. */
  forget(isWanted) {
    for (const [key, entry] of this.#waiting) {
      if (entry.isRunning || isWanted(entry.frame)) continue;
      this.#waiting.delete(key);
      entry.reject(new DOMException("not wanted any more", "AbortError"));
    }
  }

  #next() {
    while (this.#running < parallel) {
      let best;
      for (const entry of this.#waiting.values()) {
        if (!entry.isRunning && (!best || entry.priority < best.priority)) best = entry;
      }
      if (!best) return;
      best.isRunning = true;
      this.#running += 1;
      this.#fetch(best.frame)
        .then((image) => { this.#keep(best.frame.key, image); best.resolve(image); }, best.reject)
        .finally(() => {
          this.#running -= 1;
          this.#waiting.delete(best.frame.key);
          this.#next();
        });
    }
  }

  async #fetch(frame) {
    if (frame.isGrey) {
      try {
        const array = samples(await this.#archive.samples(frame), frame.dataSet);
        return { samples: array, bytes: array.byteLength };
      } catch (error) {
        // What cannot be sent as samples may still be rendered.
        if (![400, 406, 415, 422].includes(error.status)) throw error;
      }
    }
    const bitmap = await this.#archive.rendered(frame);
    return { bitmap, bytes: bitmap.width * bitmap.height * 4 };
  }

  #keep(key, image) {
    this.#images.set(key, image);
    this.#bytes += image.bytes;
    for (const [old, other] of this.#images) {
      if (this.#bytes <= this.#budget || old === key) break;
      this.#images.delete(old);
      this.#bytes -= other.bytes;
      other.bitmap?.close();
    }
  }
}

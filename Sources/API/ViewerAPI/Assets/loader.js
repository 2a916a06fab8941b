// Frames by the network into memory: what is looked at first, then what comes next, within a budget of bytes.

const parallel = 6;

export class FrameLoader {
  #archive;
  #decoder;
  #budget;
  #bytes = 0;
  #images = new Map();  // by key, the least recently used first
  #waiting = new Map();  // by key: {frame, promise, resolve, reject, wishes, priority, isRunning, aborter}
  #running = 0;

  constructor(archive, decoder, budget = 1 << 30) {
    this.#archive = archive;
    this.#decoder = decoder;
    this.#budget = budget;
  }

  /** What is in memory: {samples, window?} or {bitmap}; undefined otherwise. */
  get(frame) {
    const image = this.#images.get(frame.key);
    if (image) {
      this.#images.delete(frame.key);
      this.#images.set(frame.key, image);
    }
    return image;
  }

  has(frame) { return this.#images.has(frame.key); }

  /** The frame's image; `priority` 0 goes before 1. The last one of each `wisher` counts, and the first of all of them. */
  load(frame, priority = 0, wisher = undefined) {
    const image = this.get(frame);
    if (image) return Promise.resolve(image);
    let entry = this.#waiting.get(frame.key);
    if (!entry) {
      entry = { frame, wishes: new Map(), isRunning: false, aborter: new AbortController() };
      entry.promise = new Promise((resolve, reject) => Object.assign(entry, { resolve, reject }));
      entry.promise.catch(() => {});
      this.#waiting.set(frame.key, entry);
    }
    entry.wishes.set(wisher, priority);
    entry.priority = Math.min(...entry.wishes.values());
    this.#next();
    return entry.promise;
  }

  /** Frames that are not looked at any more are not asked for; what is on its way is given up, but for tiles, which are small. */
  forget(isWanted) {
    for (const [key, entry] of this.#waiting) {
      if (isWanted(entry.frame) || (entry.isRunning && entry.frame.isTile)) continue;
      this.#waiting.delete(key);
      entry.aborter.abort();
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
      this.#fetch(best.frame, best.aborter.signal)
        .then((image) => {
          // Given up when it was there already: another one may be on its way.
          if (best.aborter.signal.aborted) return image.bitmap?.close();
          this.#keep(best.frame.key, image);
          return best.resolve(image);
        })
        .catch(best.reject)
        .finally(() => {
          this.#running -= 1;
          if (this.#waiting.get(best.frame.key) === best) this.#waiting.delete(best.frame.key);
          this.#next();
        });
    }
  }

  async #fetch(frame, signal) {
    if (frame.isGrey) {
      try {
        return await this.#decoder.samples(frame, () => this.#archive.samples(frame, signal), signal);
      } catch (error) {
        // What cannot be sent as samples may still be rendered.
        if (![400, 406, 415, 422].includes(error.status)) throw error;
      }
    }
    return this.#decoder.picture(await this.#archive.rendered(frame, signal), signal);
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

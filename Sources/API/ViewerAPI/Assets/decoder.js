// Frames from bytes to pixels: by workers beside the page, and by the page itself where there are none or none that answers.
//
// The page fetches, so that the token, its renewal and what is said of a refusal stay in one place; workers get the bytes,
// and hand pixels back without a copy.

import { expectWhole, sampleFormat, samples } from "./pixels.js";

const workersMax = 4;

/** What no worker has done; the page does it. */
class Unhelped extends Error {}

function startWorker() {
  return new Worker(new URL("./frameworker.js", import.meta.url), { type: "module", name: "hilum-frames" });
}

/** All but one of the processors, which is the page's. */
function workersWanted() {
  return Math.max(1, Math.min(workersMax, (navigator.hardwareConcurrency ?? 2) - 1));
}

/** Tells by `changed` that a worker has come or gone, or that a frame was decoded. */
export class FrameDecoder extends EventTarget {
  /** Frames that were decoded so far. */
  byWorkers = 0;
  byPage = 0;
  #workers = new Set();  // {worker, isReady, isLate, job, timer}
  #queue = [];  // jobs: {message, transfer, isOver, finish(error, image)}
  #patience;

  /**
   * @param start makes a worker, or throws; @param count how many
   * @param patience ms after which the page does what a worker has not answered
   */
  constructor({ start = startWorker, count = workersWanted(), patience = 10_000 } = {}) {
    super();
    this.#patience = patience;
    try {
      for (let number = 0; number < count; number += 1) this.#add(start());
    } catch {
      // No workers in this browser, or no more of them: the page decodes.
    }
  }

  /** Workers that take jobs. One that has not started yet, or that owes an answer for too long, is none. */
  get workers() { return [...this.#workers].filter((one) => one.isReady && !one.isLate).length; }

  /**
   * A grey frame: {samples, bytes}; with a `window` where none is stored and a worker has looked for one.
   *
   * @param fetched fetches its bytes; again where they went with a worker
   */
  async samples(frame, fetched, signal) {
    const format = sampleFormat(frame.dataSet);
    let buffer = await fetched();
    expectWhole(buffer, format);
    const { padding, slope, intercept } = frame;
    const scale = frame.windows.length > 0 ? undefined : { padding, slope, intercept };
    const image = await this.#helped({ buffer, format, scale }, [buffer], signal, async () => {
      if (buffer.byteLength === 0) buffer = await fetched();
      return { samples: samples(buffer, format) };
    });
    return { ...image, bytes: image.samples.byteLength };
  }

  /** A picture of a file: {bitmap, bytes}. */
  async picture(blob, signal) {
    const { bitmap } = await this.#helped({ blob }, [], signal, async () => ({ bitmap: await createImageBitmap(blob) }));
    return { bitmap, bytes: bitmap.width * bitmap.height * 4 };
  }

  /** What a worker makes of the message; what `alone` makes where none does. */
  async #helped(message, transfer, signal, alone) {
    let image, isHelped = true;
    try {
      image = await this.#ask(message, transfer, signal);
    } catch (error) {
      if (!(error instanceof Unhelped)) throw error;
      image = await alone();
      isHelped = false;
    }
    this[isHelped ? "byWorkers" : "byPage"] += 1;
    this.#tell();
    return image;
  }

  #ask(message, transfer, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (this.workers === 0) return reject(new Unhelped());
      const job = { message, transfer, isOver: false };
      const cancel = () => job.finish(signal.reason);
      job.finish = (error, image) => {
        if (job.isOver) return;
        job.isOver = true;
        signal?.removeEventListener("abort", cancel);
        if (error) reject(error);
        else resolve(image);
      };
      signal?.addEventListener("abort", cancel);
      this.#queue.push(job);
      this.#next();
      return undefined;
    });
  }

  /** Each worker has one job at a time, so that what is not wanted any more is not begun. */
  #next() {
    for (const one of this.#workers) {
      if (!one.isReady || one.job) continue;
      let job;
      do job = this.#queue.shift(); while (job?.isOver);
      if (!job) return;
      one.job = job;
      one.timer = setTimeout(() => this.#wait(one), this.#patience);
      try {
        one.worker.postMessage(job.message, job.transfer);
      } catch {
        this.#lose(one);
      }
    }
  }

  #add(worker) {
    const one = { worker, isReady: false, isLate: false, job: undefined, timer: undefined };
    worker.addEventListener("message", ({ data }) => this.#answered(one, data));
    worker.addEventListener("error", () => this.#lose(one));
    worker.addEventListener("messageerror", () => this.#lose(one));
    this.#workers.add(one);
  }

  #answered(one, data) {
    const { job } = one;
    clearTimeout(one.timer);
    [one.job, one.isReady, one.isLate] = [undefined, true, false];
    // Nobody waits for it any more.
    if (job?.isOver) data.bitmap?.close();
    else job?.finish(data.problem === undefined ? undefined : new Unhelped(data.problem), data);
    this.#next();
    if (data.isReady) this.#tell();
  }

  /** A worker that does not answer gets nothing else to do until it does. */
  #wait(one) {
    one.isLate = true;
    this.#leave(one);
  }

  #lose(one) {
    this.#workers.delete(one);
    clearTimeout(one.timer);
    one.worker.terminate();
    this.#leave(one);
  }

  /** What a worker had to do is the page's, and so is what waits for the last one. */
  #leave(one) {
    one.job?.finish(new Unhelped());
    if (this.workers === 0) for (const job of this.#queue.splice(0)) job.finish(new Unhelped());
    this.#tell();
  }

  #tell() { this.dispatchEvent(new Event("changed")); }
}

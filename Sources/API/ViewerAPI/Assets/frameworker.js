// A worker beside the page that makes pixels of what the page has fetched. It asks nobody for anything and has no token.

import { percentileWindow, samples } from "./pixels.js";

/** What one job makes, and what of it is handed over, not copied. See `FrameDecoder`. */
async function made({ buffer, format, scale, blob }) {
  if (blob) {
    const bitmap = await createImageBitmap(blob);
    return [{ bitmap }, [bitmap]];
  }
  const array = samples(buffer, format);
  return [{ samples: array, window: scale && percentileWindow(array, scale) }, [array.buffer]];
}

self.addEventListener("message", async ({ data }) => {
  try {
    self.postMessage(...await made(data));
  } catch (error) {
    self.postMessage({ problem: String(error.message) });
  }
});
self.postMessage({ isReady: true });

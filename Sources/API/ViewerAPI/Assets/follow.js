// What goes with what is looked at: in a linked pane, and of a prior study. Pure.

import { Tag, text } from "./dicomjson.js";
import { dot, subtract } from "./geometry.js";

/**
 * The index in the stack `there` that goes with `index` of `here`. Of parallel images what lies nearest in the patient where
 * both have one frame of reference; of two what is as many mm away from `anchor` ({here, there}: two indices that were looked
 * at together). Undefined, which is none, for images across each other; else the same part of the way.
 */
export function following(here, index, there, anchor) {
  const { frame } = here[index];
  const isParallel = (plane) => plane && Math.abs(dot(plane.normal, frame.plane.normal)) > 0.9;
  if (frame.plane && there.some((entry) => entry.frame.plane)) {
    if (!there.some((entry) => isParallel(entry.frame.plane))) return undefined;
    const same = nearest(there, ({ plane, frameOfReference }) =>
      (frameOfReference && frameOfReference === frame.frameOfReference && isParallel(plane)
        ? plane.distance(frame.plane.position) : undefined));
    if (same !== undefined) return same;
    const from = anchor && here[anchor.here]?.frame.plane;
    const to = anchor && there[anchor.there]?.frame.plane;
    if (isParallel(from) && isParallel(to)) {
      const way = Math.sign(dot(from.normal, to.normal)) * dot(subtract(frame.plane.position, from.position), from.normal);
      return nearest(there, ({ plane }) => (isParallel(plane) ? to.distance(plane.position) - way : undefined));
    }
  }
  return Math.round(index / Math.max(1, here.length - 1) * (there.length - 1));
}

/** The index of the frame with the least distance; undefined where none has one. */
function nearest(stack, distance) {
  let [best, least] = [undefined, Infinity];
  stack.forEach(({ frame }, index) => {
    const far = distance(frame);
    if (far !== undefined && Math.abs(far) < least) [best, least] = [index, Math.abs(far)];
  });
  return best;
}

/**
 * Of a study's series, as its list describes them, the one to look at beside images with the attributes `dataSet`: of the
 * same modality, then of the most words in common, then with the most images. Undefined where there is none.
 */
export function alike(list, dataSet) {
  const words = (set) => new Set(`${text(set, Tag.seriesDescription)} ${text(set, Tag.bodyPart)}`.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean));
  const wanted = words(dataSet);
  const scored = list.map((entry) => {
    const own = words(entry);
    const common = [...own].filter((word) => wanted.has(word)).length;
    return { entry, score: [
      text(entry, Tag.modality) === text(dataSet, Tag.modality) ? 1 : 0, common / Math.max(1, own.size, wanted.size),
      Number(text(entry, Tag.seriesInstances)) || 0,
    ] };
  });
  scored.sort((a, b) => b.score[0] - a.score[0] || b.score[1] - a.score[1] || b.score[2] - a.score[2]);
  return scored[0]?.entry;
}

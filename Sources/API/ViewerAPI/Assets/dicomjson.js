// Reading the DICOM JSON model (PS3.18 Annex F): data sets are objects by tag, eight upper case hexadecimal digits.

/** Tags that the viewer reads, by keyword. */
export const Tag = {
  sopClass: "00080016", sopInstance: "00080018", studyDate: "00080020", contentDate: "00080023", studyTime: "00080030",
  accession: "00080050", modality: "00080060", modalitiesInStudy: "00080061", studyDescription: "00081030",
  seriesDescription: "0008103E", frameOfReference: "00200052", patientName: "00100010", patientID: "00100020",
  birthDate: "00100030", sex: "00100040", studyInstance: "0020000D", seriesInstance: "0020000E",
  seriesNumber: "00200011", instanceNumber: "00200013", position: "00200032", orientation: "00200037",
  seriesInstances: "00201209", studyInstances: "00201208", bodyPart: "00180015", frameTime: "00181063",
  cineRate: "00180040", displayRate: "00082144", detectorSpacing: "00181164", regions: "00186011",
  regionUnitX: "00186024", regionUnitY: "00186026", regionDeltaX: "0018602C", regionDeltaY: "0018602E",
  samples: "00280002", photometric: "00280004", frames: "00280008", rows: "00280010", columns: "00280011",
  spacing: "00280030", aspect: "00280034", bitsAllocated: "00280100", bitsStored: "00280101", highBit: "00280102",
  signed: "00280103", padding: "00280120", windowCenter: "00281050", windowWidth: "00281051", intercept: "00281052",
  slope: "00281053", rescaleType: "00281054", windowName: "00281055", voiFunction: "00281056",
  perFrame: "52009230", shared: "52009229", planePosition: "00209113", planeOrientation: "00209116",
  pixelMeasures: "00289110", frameVOI: "00289132", transformation: "00289145",
  contentSequence: "0040A730", referencedSOP: "00081199", referencedInstance: "00081155", referencedFrame: "00081160",
  presentationShape: "20500020", referencedSeries: "00081115", referencedImages: "00081140", contentLabel: "00700080", imageType: "00080008", organization: "00209311", totalColumns: "00480006",
  totalRows: "00480007", slidePosition: "0048021A", columnPosition: "0048021E", rowPosition: "0048021F",
};

/** All values of an attribute; an empty list where there are none. */
export function values(dataSet, tag) {
  return dataSet?.[tag]?.Value ?? [];
}

/** The first value as text; "" where there is none. A person's name is its alphabetic group, or the next that there is. */
export function text(dataSet, tag) {
  const value = values(dataSet, tag)[0];
  if (value === undefined || value === null) return "";
  if (typeof value === "object") return value.Alphabetic ?? value.Ideographic ?? value.Phonetic ?? "";
  return String(value);
}

/** The first value as a finite number; `otherwise` where there is none. */
export function number(dataSet, tag, otherwise = undefined) {
  const value = values(dataSet, tag)[0];
  if (value === undefined || value === null || value === "") return otherwise;
  const number = Number(value);
  return Number.isFinite(number) ? number : otherwise;
}

/** All values as finite numbers, or undefined unless there are exactly `count`. */
export function numbers(dataSet, tag, count) {
  const list = values(dataSet, tag).map(Number);
  return list.length === count && list.every(Number.isFinite) ? list : undefined;
}

/** The items of a sequence. */
export function items(dataSet, tag) {
  return values(dataSet, tag).filter((item) => item && typeof item === "object");
}

/** A name as people write it: `DOE^JANE^^DR` is `DOE, JANE (DR)`. */
export function personName(name) {
  const [family, given, middle, prefix, suffix] = name.split("=")[0].split("^").map((part) => part.trim());
  const main = [family, [given, middle].filter(Boolean).join(" ")].filter(Boolean).join(", ");
  const titles = [prefix, suffix].filter(Boolean).join(", ");
  return titles ? `${main} (${titles})` : main;
}

/** `20260131` as `2026-01-31`; anything else as it stands. */
export function date(text) {
  return /^\d{8}$/.test(text) ? `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}` : text;
}

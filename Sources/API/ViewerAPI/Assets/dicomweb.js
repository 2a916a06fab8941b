// The studies of the patient in context, or of all whom the person sees, by DICOMweb (PS3.18) and FHIR.

import { Tag, number, text } from "./dicomjson.js";

const dicomJSON = "application/dicom+json";
const base = "/dicomweb";
const studyFields = ["StudyDescription", "ModalitiesInStudy", "NumberOfStudyRelatedInstances", "PatientID"].join(",");

/** The contents of the parts of a multipart body, without their heads: bytes of `body`. RFC 2046 5.1.1. */
export function parts(body, contentType) {
  const boundary = /boundary="?([^";]+)"?/i.exec(contentType)?.[1];
  if (!boundary) return [];
  const bytes = (words) => Uint8Array.from(words, (letter) => letter.charCodeAt(0));
  const find = (wanted, from) => {
    for (let at = body.indexOf(wanted[0], from); at >= 0; at = body.indexOf(wanted[0], at + 1)) {
      if (wanted.every((byte, index) => body[at + index] === byte)) return at;
    }
    return -1;
  };
  const [delimiter, blank] = [bytes(`\r\n--${boundary}`), bytes("\r\n\r\n")];
  const found = [];
  // The first delimiter has no line before it.
  let at = delimiter.subarray(2).every((byte, index) => body[index] === byte) ? delimiter.length - 2 : -1;
  while (at >= 0 && body[at] === 13) {
    const head = find(blank, at);
    const end = head < 0 ? -1 : find(delimiter, head + 2);
    if (end < 0) break;
    found.push(body.subarray(Math.min(end, head + 4), end));
    at = end + delimiter.length;
  }
  return found;
}

export class Archive {
  static studiesMax = 500;

  constructor(session) {
    this.session = session;
  }

  /** The id of the patient in context; without one, of the patient of a study, undefined where nobody is known. */
  async patientID(study) {
    if (this.session.patient || !study) return this.session.patient;
    const identifier = encodeURIComponent(`urn:dicom:uid|urn:oid:${study}`);
    const bundle = await this.session.json(
      `${this.session.settings.fhir}/ImagingStudy?identifier=${identifier}&_count=1`, "application/fhir+json");
    const reference = bundle.entry?.[0]?.resource?.subject?.reference ?? "";
    return reference.startsWith("Patient/") ? reference.slice("Patient/".length) : undefined;
  }

  /** The Patient of the same. */
  async patient(study) {
    const id = await this.patientID(study);
    return id
      ? this.session.json(`${this.session.settings.fhir}/Patient/${encodeURIComponent(id)}`, "application/fhir+json")
      : undefined;
  }

  /** Newest first, at most `Archive.studiesMax`. */
  studies() {
    return this.session.json(`${base}/studies?limit=${Archive.studiesMax}&includefield=${studyFields}`, dicomJSON);
  }

  /** Studies beyond those: of a day, else of a patient's name or number, or of an accession number. */
  async search(words) {
    const all = words.trim().split(/[\s,]+/).filter(Boolean);
    if (all.length === 0) return [];
    const day = all.length === 1 && /^(\d{4})-?(\d{2})-?(\d{2})$/.exec(all[0]);
    // What a person types is no pattern.
    const word = (text) => encodeURIComponent(text.replace(/[*?\\^=]/g, ""));
    const keys = day ? [`StudyDate=${day.slice(1).join("")}`] : [
      `PatientName=${all.map(word).join("%5E")}*`,
      ...(all.length === 1 ? [`PatientID=${word(all[0])}`, `AccessionNumber=${word(all[0])}`] : []),
    ];
    const found = await Promise.all(keys.map((key) =>
      this.session.json(`${base}/studies?${key}&limit=50&includefield=${studyFields}`, dicomJSON)));
    return [...new Map(found.flat().map((study) => [text(study, Tag.studyInstance), study])).values()];
  }

  /** By number. */
  async series(study) {
    const fields = ["SeriesDescription", "BodyPartExamined"].join(",");
    const found = await this.session.json(`${base}/studies/${study}/series?limit=1000&includefield=${fields}`, dicomJSON);
    return found.sort((a, b) => number(a, Tag.seriesNumber, 0) - number(b, Tag.seriesNumber, 0)
      || text(a, Tag.seriesInstance).localeCompare(text(b, Tag.seriesInstance)));
  }

  metadata(study, series) {
    return this.session.json(`${base}/studies/${study}/series/${series}/metadata`, dicomJSON);
  }

  /** The attributes of the first image by its number, while those of all are on their way; undefined where none has it. */
  async first(study, series) {
    const place = `${base}/studies/${study}/series/${series}/instances`;
    const [found] = await this.session.json(`${place}?InstanceNumber=1&limit=1`, dicomJSON);
    const instance = text(found, Tag.sopInstance);
    return instance ? (await this.session.json(`${place}/${instance}/metadata`, dicomJSON))[0] : undefined;
  }

  instancePath({ study, series, instance }) {
    return `${base}/studies/${study}/series/${series}/instances/${instance}`;
  }

  /** A frame's samples, uncompressed. */
  async samples(frame, signal) {
    const answer = await this.session.fetch(`${this.instancePath(frame)}/frames/${frame.index + 1}`, {
      headers: { Accept: "application/octet-stream" }, signal,
    });
    return answer.arrayBuffer();
  }

  /** A frame as the server renders it: a picture in a file. */
  async rendered(frame, signal) {
    // Tiles of slides are photographs, and many.
    const answer = await this.#inSRGB(`${this.instancePath(frame)}/frames/${frame.index + 1}/rendered`,
      frame.isTile ? "image/jpeg" : "image/png", signal);
    return answer.blob();
  }

  /** A picture in the colours of a screen; in those that are stored where its profile cannot be read. PS3.18 8.3.5.1.5. */
  async #inSRGB(path, accept, signal) {
    const ask = (query) => this.session.fetch(path + query, { headers: { Accept: accept }, signal });
    try {
      return await ask("?iccprofile=srgb");
    } catch (error) {
      if (error.status !== 406) throw error;
      return ask("");
    }
  }

  async thumbnail(study, series) {
    const answer = await this.session.fetch(`${base}/studies/${study}/series/${series}/thumbnail?viewport=128,128`, {
      headers: { Accept: "image/jpeg" },
    });
    return answer.blob();
  }

  /** A structured report as text. */
  async reportText(reference) {
    const answer = await this.session.fetch(`${this.instancePath(reference)}/rendered`, { headers: { Accept: "text/plain" } });
    return answer.text();
  }

  /**
   * What a presentation state shows, as pictures: of one image where `isSingle`, else of each that it refers to, the frames
   * of one too; at most `most`, and how many there were.
   */
  async presented(reference, isSingle, most) {
    const answer = await this.#inSRGB(`${this.instancePath(reference)}/rendered`,
      isSingle ? "image/png" : 'multipart/related; type="image/png"');
    if (isSingle) return { pictures: [await createImageBitmap(await answer.blob())], count: 1 };
    const found = parts(new Uint8Array(await answer.arrayBuffer()), answer.headers.get("Content-Type") ?? "");
    const pictures = await Promise.all(found.slice(0, most).map((part) => createImageBitmap(new Blob([part], { type: "image/png" }))));
    return { pictures, count: found.length };
  }

  /** An encapsulated document, as the server renders it: a PDF. */
  async document(reference) {
    const answer = await this.session.fetch(`${this.instancePath(reference)}/rendered`, { headers: { Accept: "application/pdf" } });
    return answer.blob();
  }

  /** The object as it is stored. PS3.18 8.7.3.5.2. */
  async download(reference) {
    const answer = await this.session.fetch(this.instancePath(reference), {
      headers: { Accept: "application/dicom; transfer-syntax=*" },
    });
    return answer.blob();
  }

  /** The patient's reports, the newest first. */
  async reports(study) {
    const id = await this.patientID(study);
    if (!id) return [];
    const patient = encodeURIComponent(id);
    const bundle = await this.session.json(
      `${this.session.settings.fhir}/DiagnosticReport?patient=${patient}&_sort=-date&_count=50`, "application/fhir+json");
    return (bundle.entry ?? []).map((entry) => entry.resource).filter((resource) => resource?.resourceType === "DiagnosticReport");
  }

  /** The study's UID of an ImagingStudy `ImagingStudy/id`; undefined where it has none. */
  async studyOf(reference) {
    const resource = await this.session.json(`${this.session.settings.fhir}/${reference}`, "application/fhir+json");
    const identifier = (resource.identifier ?? []).find((identifier) => identifier.system === "urn:dicom:uid");
    return identifier?.value?.replace("urn:oid:", "");
  }
}

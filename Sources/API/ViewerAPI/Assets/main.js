// The viewer: what is on the page, and how its parts hang together.

import { FrameDecoder } from "./decoder.js";
import { Archive } from "./dicomweb.js";
import { Tag, date, items, number, personName, text, values } from "./dicomjson.js";
import { alike, following } from "./follow.js";
import { FrameLoader } from "./loader.js";
import { ImageFrame, framesOfSeries, presets } from "./pixels.js";
import { reformats, volumeOf, whyNoVolume } from "./reformat.js";
import { isLevel, slideOf } from "./slide.js";
import { SignInError, signIn } from "./smart.js";
import { attach, pressed, tools } from "./tools.js";
import { Viewport } from "./viewport.js";

const find = (id) => document.getElementById(id);
const colours = ["#6cc5e6", "#7fd6a4", "#ff9aa2", "#e6b86c"];
const layouts = { "1": [1, 1], "2": [1, 2], "4": [2, 2] };
// Panes at the beginning, by modality: what is read side by side.
const hanging = { MG: "4", CR: "2", DX: "2", RG: "2" };
// Pictures of one presentation state that are kept at a time.
const presentedMax = 50;
const help = [
  ["Wheel, arrows, page up and down, home, end", "Through the images"], ["Drag", "What the chosen tool does"],
  ["Middle button, right button, two fingers", "Move, enlarge"], ["Ctrl and wheel, + and -", "Enlarge"],
  ["1 to 9", "A window of the list of presets"], ["I, F, R", "Invert, flip, rotate"], ["0", "As at the beginning"],
  ["Space", "Play and stop"], ["Delete", "Take the last measurement away"], ["Ctrl Z, Ctrl Y", "Undo, redo"],
  ["N", "The next pane"], ["M", "Attributes"], ["?", "These keys"],
];

/** An element with text or children; attributes that are functions are listeners. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/** Whether a button is pressed; one that is so already is left alone. */
function press(button, isPressed) {
  if (button.getAttribute("aria-pressed") !== String(isPressed)) button.setAttribute("aria-pressed", String(isPressed));
}

class Viewer {
  constructor(session) {
    this.session = session;
    this.archive = new Archive(session);
    const decoder = new FrameDecoder();
    // For whoever looks at the page from outside: who has decoded how much.
    decoder.addEventListener("changed", () => {
      const { workers, byWorkers, byPage } = decoder;
      Object.assign(find("panes").dataset, { workers, byWorkers, byPage });
    });
    this.loader = new FrameLoader(this.archive, decoder, budget());
    this.state = { tool: "window" };
    this.panes = [];
    this.active = 0;
    this.series = new Map();  // by UID: {dataSet, frames, images}
    this.isLinked = false;
    this.together = new Map();  // by pane: the index that was shown when the panes were linked
    this.cine = undefined;
  }

  get pane() { return this.panes[this.active]; }

  async start() {
    find("app").hidden = false;
    find("notice").hidden = true;
    this.#toolbar();
    this.#layout("1");
    document.addEventListener("keydown", (event) => {
      if (!find("help").open && pressed(event, this.pane, this.#keys())) event.preventDefault();
    });
    window.addEventListener("hashchange", () => this.#openLink().catch((error) => this.#tell(error)));
    find("study-search").addEventListener("input", () => {
      this.#listStudies();
      this.#searchStudies();
    });
    await Promise.all([this.#banner(), this.#loadStudies()]);
  }

  // MARK: Patient and studies

  /** Who is shown: the patient in context; without one the patient of the open study, whom its object names at once. */
  async #banner(study) {
    const own = (this.studies ?? []).find((each) => text(each, Tag.studyInstance) === study);
    if (!this.session.patient) {
      find("patient-name").textContent = study ? (own && personName(text(own, Tag.patientName))) || "Patient" : "All patients";
      find("patient-more").textContent = own ? text(own, Tag.patientID) : "";
      if (!study) return;
    }
    const patient = await this.archive.patient(study).catch(() => undefined);
    // Another study was opened meanwhile, or the object's own words are all there is.
    if (!this.session.patient && (this.study !== study || !patient)) return;
    const name = patient?.name?.[0];
    const shown = name ? [name.family, (name.given ?? []).join(" ")].filter(Boolean).join(", ") || name.text : "Patient";
    const parts = [patient?.birthDate && `born ${patient.birthDate}`, patient?.gender, patient?.identifier?.[0]?.value];
    find("patient-name").textContent = shown;
    find("patient-more").textContent = parts.filter(Boolean).join(" · ");
  }

  async #loadStudies() {
    this.studies = await this.archive.studies();
    this.isCut = this.studies.length >= Archive.studiesMax;
    this.#listStudies();
    if (await this.#openLink()) return;
    const wanted = await this.#launchedStudy();
    const first = this.studies.find((study) => text(study, Tag.studyInstance) === wanted) ?? this.studies[0];
    if (first) await this.openStudy(text(first, Tag.studyInstance));
    else this.#say(this.session.patient ? "There are no studies of this patient." : "There are no studies.");
  }

  async #launchedStudy() {
    const reference = this.session.context.find((reference) => reference.startsWith("ImagingStudy/"));
    return reference ? this.archive.studyOf(reference).catch(() => undefined) : undefined;
  }

  #listStudies() {
    const words = find("study-search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = this.studies.filter((study) => {
      const all = [date(text(study, Tag.studyDate)), text(study, Tag.studyDate), text(study, Tag.studyDescription),
        values(study, Tag.modalitiesInStudy).join(" "), text(study, Tag.accession),
        ...this.#patientOf(study)].join(" ").toLowerCase();
      return words.every((word) => all.includes(word));
    });
    find("studies").replaceChildren(...rows.map((study) => {
      const uid = text(study, Tag.studyInstance);
      const count = number(study, Tag.studyInstances);
      const name = text(study, Tag.studyDescription) || "Study";
      const day = date(text(study, Tag.studyDate));
      // Beside each other are studies of one patient alone.
      const beside = this.session.patient && uid !== this.study ? make("button", {
        type: "button", class: "beside", "aria-label": `Beside the open study: ${name} ${day}`, title: "Beside the open study",
        click: () => this.#compare(study).catch((error) => this.#tell(error)),
      }, "⇆") : undefined;
      return make("li", { class: "choice" }, make("button", {
        type: "button", class: "study", "aria-current": uid === this.study ? "true" : undefined,
        click: () => this.openStudy(uid).catch((error) => this.#tell(error)),
      }, make("strong", {}, name),
      make("span", {}, [...this.#patientOf(study).slice(0, 1), day, values(study, Tag.modalitiesInStudy).join("/"),
        count === undefined ? "" : `${count} images`].filter(Boolean).join(" · "))), beside);
    }));
    find("study-count").textContent = `${rows.length} of ${this.studies.length}${this.isCut ? " and more" : ""}`;
  }

  /** Where there are more studies than the list has, the archive is asked for what a person has typed. */
  #searchStudies() {
    clearTimeout(this.searching);
    const words = find("study-search").value;
    if (!this.isCut || words.trim().length < 3) return;
    this.searching = setTimeout(async () => {
      try {
        const known = new Set(this.studies.map((study) => text(study, Tag.studyInstance)));
        const found = await this.archive.search(words);
        this.studies.push(...found.filter((study) => !known.has(text(study, Tag.studyInstance))));
        this.#listStudies();
      } catch (error) {
        this.#tell(error);
      }
    }, 400);
  }

  /** Shows another study of the patient beside what is open: the series most like it, the two linked. */
  async #compare(study) {
    const { pane } = this;
    const uid = text(study, Tag.studyInstance);
    if (!pane.frame) return this.openStudy(uid);
    const list = (await this.archive.series(uid)).filter((entry) => !isDocument(entry));
    const entry = alike(list, pane.frame.dataSet);
    if (!entry) return this.#say("That study has no images.");
    if (this.panes.length === 1) this.#layout("2");
    const other = this.panes[(this.panes.indexOf(pane) + 1) % this.panes.length];
    const name = text(entry, Tag.seriesDescription) || text(entry, Tag.modality);
    // Which is which is told by its day.
    const title = `${date(text(study, Tag.studyDate))} ${name}`.trim();
    await this.openSeries(uid, text(entry, Tag.seriesInstance), other, { title });
    const day = date(text(pane.frame?.dataSet, Tag.studyDate));
    if (day && !pane.title.startsWith(day)) pane.title = `${day} ${pane.title}`;
    if (pane.frame && other.frame) other.scrollTo(following(pane.stack, pane.index, other.stack) ?? other.index);
    this.isLinked = false;
    this.#link();
    this.#say("The panes scroll together. To change how they go together: unlink, scroll one, link again.");
  }

  /** Links the panes or lets go; what lies at the same place, or at the same part of the way, is where they begin. */
  #link() {
    this.isLinked = !this.isLinked;
    this.together = new Map();
    if (this.isLinked) this.panes.filter((one) => one.stack.length > 0).forEach((one) => this.together.set(one, one.index));
    this.#update();
  }

  /** Name and number of a study's patient, where the list is of more than one. */
  #patientOf(study) {
    return this.session.patient ? [] : [personName(text(study, Tag.patientName)), text(study, Tag.patientID)];
  }

  /** Whether something of a study may be shown now: where the list is of several patients, of the open study alone. */
  #isShown(study) { return Boolean(this.session.patient) || this.study === study; }

  async openStudy(study, { series, image, frame } = {}) {
    this.study = study;
    if (!this.session.patient) {
      // Nothing of another patient stays beside it.
      if (this.cine) this.#toggleCine();
      while (this.panes.length > 0) this.panes.pop().close();
      this.seriesList = [];
      for (const list of ["series", "reports"]) find(list).replaceChildren();
      find("report-text").textContent = "";
      this.#layout("1");
      this.#banner(study).catch((error) => this.#tell(error));
    }
    this.#listStudies();
    this.#say("Loading the study…");
    const list = await this.archive.series(study);
    if (this.study !== study) return;
    this.seriesList = list;
    find("series").replaceChildren(...list.map((entry) => this.#seriesItem(study, entry)));
    const pictures = list.filter((entry) => !isDocument(entry));
    const layout = hanging[text(pictures[0], Tag.modality)] ?? "1";
    if (series === undefined && pictures.length > 1 && layout !== "1") this.#layout(layout);
    this.#say("");
    const wanted = series ? list.filter((entry) => text(entry, Tag.seriesInstance) === series) : pictures;
    const shown = wanted.slice(0, series ? 1 : this.panes.length === 1 ? 1 : this.panes.length);
    await Promise.all(shown.map((entry, index) =>
      this.openSeries(study, text(entry, Tag.seriesInstance), this.panes[series ? this.active : index], { image, frame })));
    if (!this.#isShown(study)) return;
    if (shown.length === 0 && list.length > 0) this.#say("This study has no images; its reports are at the right.");
    await this.#listReports();
  }

  #seriesItem(study, entry) {
    const uid = text(entry, Tag.seriesInstance);
    const modality = text(entry, Tag.modality);
    const picture = make("img", { alt: "", width: 64, height: 64, class: "thumbnail" });
    if (!isDocument(entry)) {
      this.archive.thumbnail(study, uid)
        .then((blob) => {
          picture.src = URL.createObjectURL(blob);
          picture.addEventListener("load", () => URL.revokeObjectURL(picture.src), { once: true });
        }, () => {});
    }
    const count = number(entry, Tag.seriesInstances);
    return make("li", {}, make("button", {
      type: "button", class: "series", "data-series": uid,
      click: () => this.openSeries(study, uid, this.pane).catch((error) => this.#tell(error)),
    }, picture, make("span", {},
      make("strong", {}, text(entry, Tag.seriesDescription) || modality || "Series"),
      make("span", {}, [modality, text(entry, Tag.bodyPart), count === undefined ? "" : `${count}`].filter(Boolean).join(" · ")))));
  }

  async #frames(study, uid) {
    const kept = this.series.get(uid);
    if (kept) return kept;
    const loading = this.archive.metadata(study, uid).then((dataSets) => {
      const slide = slideOf(dataSets);
      const stack = framesOfSeries(slide?.rest ?? dataSets).map((frame) => ({ frame }));
      loading.isDone = true;
      return { dataSets, stack: slide ? [slide.entry, ...stack] : stack };
    });
    this.series.set(uid, loading);
    loading.catch(() => this.series.delete(uid));
    return loading;
  }

  /** Shows a series in a pane: its images, its report as text, or its key images. */
  async openSeries(study, uid, pane, { image, frame, title = undefined } = {}) {
    const entry = (this.seriesList ?? []).find((one) => text(one, Tag.seriesInstance) === uid);
    title ??= entry ? text(entry, Tag.seriesDescription) || text(entry, Tag.modality) : "";
    const asked = pane.asked = { isPreviewed: false };
    const loading = this.#frames(study, uid);
    if (!image && entry && !isDocument(entry)) this.#preview(study, uid, pane, title, loading).catch(() => {});
    const { dataSets, stack } = await loading;
    if (!this.#isShown(study)) return undefined;
    if (stack.length === 0) return this.#openDocuments(study, dataSets);
    // Another series was asked for in this pane meanwhile.
    if (pane.asked !== asked) return undefined;
    pane.asked = undefined;
    const at = image ? stack.findIndex(({ frame: one }) => one.instance === image && (!frame || one.index + 1 === frame)) : 0;
    // What was done to the first image meanwhile stays.
    this.#show(pane, stack, { title, index: Math.max(0, at), keeps: asked.isPreviewed });
  }

  /** The first image at once, while the attributes of all are still on their way. */
  async #preview(study, uid, pane, title, loading) {
    const { asked } = pane;
    const dataSet = await this.archive.first(study, uid);
    const [frame] = dataSet && !isLevel(dataSet) ? framesOfSeries([dataSet]) : [];
    if (!frame || loading.isDone || pane.asked !== asked || !this.#isShown(study)) return;
    asked.isPreviewed = true;
    this.#show(pane, [{ frame }], { title: `${title || "Series"} (loading the rest)` });
  }

  #show(pane, stack, options) {
    const wanted = new Set([stack, ...this.panes.filter((one) => one !== pane).map((one) => one.stack)]
      .flatMap((one) => one.map(({ frame }) => frame.key)));
    this.loader.forget((frame) => frame.isTile || wanted.has(frame.key));
    this.together.delete(pane);
    pane.show(stack, options);
    this.#update();
  }

  /** Key objects show the images that they name; structured reports are read at the right. */
  async #openDocuments(study, dataSets) {
    const states = dataSets.filter((dataSet) => text(dataSet, Tag.modality) === "PR");
    if (states.length > 0) return this.#openPresentations(study, states);
    for (const dataSet of dataSets) {
      if (text(dataSet, Tag.modality) === "KO") {
        const named = new Set(referenced(dataSet));
        const all = await Promise.all((this.seriesList ?? [])
          .filter((entry) => !isDocument(entry))
          .map((entry) => this.#frames(study, text(entry, Tag.seriesInstance)).catch(() => ({ stack: [] }))));
        if (!this.#isShown(study)) return undefined;
        const stack = all.flatMap(({ stack }) => stack).filter(({ frame }) => named.has(frame.instance));
        if (stack.length > 0) return this.#show(this.pane, stack, { title: "Key images" });
        this.#say("The images that are marked as key images are not in this study.");
        continue;
      }
      const reference = { study, series: text(dataSet, Tag.seriesInstance), instance: text(dataSet, Tag.sopInstance) };
      if (find("reports-panel").hidden) this.#panel("reports");
      if (text(dataSet, Tag.modality) === "DOC" || text(dataSet, Tag.sopClass) === encapsulatedPDF) {
        const blob = await this.archive.document(reference);
        if (!this.#isShown(study)) return undefined;
        if (this.document) URL.revokeObjectURL(this.document);
        this.document = URL.createObjectURL(blob);
        find("report-text").replaceChildren(make("a", { href: this.document, download: `${reference.instance}.pdf` }, "Save the document (PDF)"));
      } else {
        const words = await this.archive.reportText(reference);
        if (!this.#isShown(study)) return undefined;
        find("report-text").textContent = words;
      }
    }
    return undefined;
  }

  /** The images that presentation states are for, as they show them. */
  async #openPresentations(study, states) {
    const { pane } = this;
    const asked = pane.asked = { isPreviewed: false };
    const stack = [];
    let left = 0;
    this.#say("Loading the presentation states…");
    for (const dataSet of states) {
      const count = items(dataSet, Tag.referencedSeries).reduce((sum, series) => sum + items(series, Tag.referencedImages).length, 0);
      if (stack.length >= presentedMax) {
        left += count;
        continue;
      }
      const isSingle = stack.length + count > presentedMax;
      if (isSingle) left += count - 1;
      const reference = { study, series: text(dataSet, Tag.seriesInstance), instance: text(dataSet, Tag.sopInstance) };
      const { pictures, count: found } = await this.archive.presented(reference, isSingle, presentedMax - stack.length);
      if (pane.asked !== asked || !this.#isShown(study)) return;
      left += found - pictures.length;
      stack.push(...pictures.map((bitmap, index) => ({
        frame: new ImageFrame({
          ...dataSet, [Tag.rows]: { vr: "US", Value: [bitmap.height] }, [Tag.columns]: { vr: "US", Value: [bitmap.width] },
        }, index),
        image: { bitmap },
      })));
    }
    pane.asked = undefined;
    this.#say(left > 0 ? `${left} more images of these presentation states are not shown.` : "");
    if (stack.length > 0) this.#show(pane, stack, { title: text(states[0], Tag.contentLabel) || "Presentation states" });
  }

  // MARK: Panes

  #layout(name) {
    const [rows, columns] = layouts[name];
    const grid = find("panes");
    grid.dataset.layout = name;
    while (this.panes.length > rows * columns) this.panes.pop().close();
    while (this.panes.length < rows * columns) {
      const pane = new Viewport(this.loader);
      this.panes.push(pane);
      grid.append(pane.element);
      attach(pane, this.state);
      pane.element.addEventListener("focus", () => this.#activate(this.panes.indexOf(pane)));
      pane.addEventListener("scrolled", () => this.#scrolled(pane));
      pane.addEventListener("presented", () => this.#update());
      pane.addEventListener("changed", () => this.#update());
      pane.addEventListener("measured", (event) => this.#say(event.detail));
      pane.element.addEventListener("dragover", (event) => event.preventDefault());
    }
    this.active = Math.min(this.active, this.panes.length - 1);
    find("layout").value = name;
    this.#update();
  }

  #activate(index) {
    if (index < 0) return;
    this.active = index;
    this.#update();
  }

  /** Linked panes show what goes with the image of the one that is scrolled. */
  #scrolled(pane) {
    if (this.isLinked && !this.isFollowing) {
      this.isFollowing = true;
      for (const other of this.panes) {
        if (other === pane || other.stack.length === 0) continue;
        const [here, there] = [this.together.get(pane), this.together.get(other)];
        const anchor = here === undefined || there === undefined ? undefined : { here, there };
        other.scrollTo(following(pane.stack, pane.index, other.stack, anchor) ?? other.index);
      }
      this.isFollowing = false;
    }
    this.#update();
  }

  #update() {
    this.panes.forEach((pane, index) => {
      pane.element.classList.toggle("active", index === this.active);
      pane.references = this.panes
        .map((other, place) => ({ frame: other === pane ? undefined : other.frame, colour: colours[place] }))
        .filter(({ frame }) => frame);
    });
    const { pane } = this;
    if (!pane) return;
    const slider = find("position");
    slider.max = Math.max(1, pane.stack.length);
    slider.value = pane.index + 1;
    slider.disabled = pane.stack.length < 2;
    this.#presets(pane);
    for (const button of document.querySelectorAll("#toolbar [data-tool]")) press(button, button.dataset.tool === this.state.tool);
    press(find("invert"), pane.isInverse);
    press(find("flip"), pane.view.flipped);
    press(find("link"), this.isLinked);
    press(find("cine"), Boolean(this.cine));
    this.#listMetadataSoon();
  }

  /** The attributes of what is shown, once before the screen's next frame, however often the image changes until then. */
  #listMetadataSoon() {
    if (find("metadata-panel").hidden) return;
    // Of what is gone nothing stays.
    if (!this.pane.frame) this.#listMetadata();
    this.listing ??= requestAnimationFrame(() => {
      this.listing = undefined;
      if (!find("metadata-panel").hidden && this.listed !== this.pane.frame?.dataSet) this.#listMetadata();
    });
  }

  #presets(pane) {
    const frame = pane.frame;
    const list = [...(frame?.windows ?? []).map((window, index) => ({ ...window, name: window.name || `Stored ${index + 1}` })),
      ...(presets[frame ? text(frame.dataSet, Tag.modality) : ""] ?? [])];
    const select = find("preset");
    const key = list.map((window) => `${window.name}/${window.center}/${window.width}`).join("|");
    if (select.dataset.key === key) return;
    select.dataset.key = key;
    this.windows = list;
    select.replaceChildren(make("option", { value: "" }, "Window…"),
      ...list.map((window, index) => make("option", { value: index }, window.name)));
    select.disabled = list.length === 0;
  }

  // MARK: The toolbar

  #toolbar() {
    find("tools").replaceChildren(...Object.entries(tools).map(([name, { label, key, help }]) => make("button", {
      type: "button", "data-tool": name, title: `${help} (${key.toUpperCase()})`, "aria-pressed": "false",
      click: () => this.#choose(name),
    }, label)));
    const on = (id, work) => find(id).addEventListener("click", () => Promise.resolve(work()).catch((error) => this.#tell(error)));
    const turn = (degrees) => this.pane.change(() => { this.pane.view.rotation = (this.pane.view.rotation + degrees + 360) % 360; });
    on("rotate", () => turn(90));
    on("flip", () => this.pane.change(() => { this.pane.view.flipped = !this.pane.view.flipped; }));
    on("invert", () => this.pane.change(() => { this.pane.isInverse = !this.pane.isInverse; }));
    on("undo", () => this.pane.undo());
    on("redo", () => this.pane.redo());
    on("reset", () => this.pane.reset());
    on("cine", () => this.#toggleCine());
    on("reformat", () => this.#reformat());
    on("link", () => this.#link());
    on("show-help", () => find("help").showModal());
    on("close-help", () => find("help").close());
    find("keys").replaceChildren(...[...help, ...Object.values(tools).map(({ label, key, help: words }) =>
      [key.toUpperCase(), `${label}. ${words}`])].map(([keys, words]) =>
      make("tr", {}, make("th", { scope: "row" }, keys), make("td", {}, words))));
    on("copy-link", () => this.#copyLink());
    on("download", () => this.#download());
    on("show-metadata", () => this.#panel("metadata"));
    on("show-reports", () => this.#panel("reports"));
    find("layout").addEventListener("change", (event) => this.#layout(event.target.value));
    find("position").addEventListener("input", (event) => this.pane.scrollTo(Number(event.target.value) - 1));
    find("preset").addEventListener("change", (event) => {
      const window = this.windows[event.target.value];
      if (window) this.pane.change(() => { this.pane.window = window; });
      event.target.value = "";
    });
    find("metadata-search").addEventListener("input", () => this.#listMetadata());
  }

  #choose(tool) {
    this.state.tool = tool;
    this.#update();
  }

  #keys() {
    const keys = {
      i: () => find("invert").click(), f: () => find("flip").click(), r: () => find("rotate").click(),
      0: () => this.pane.reset(), " ": () => this.#toggleCine(), m: () => this.#panel("metadata"),
      n: () => this.panes[(this.active + 1) % this.panes.length].element.focus(), "?": () => find("help").showModal(),
      Delete: () => this.pane.removeLastAnnotation(), Backspace: () => this.pane.removeLastAnnotation(),
      "+": () => this.pane.change(() => { this.pane.view.zoom = Math.min(this.pane.zoomMax, this.pane.view.zoom * 1.25); }),
      "-": () => this.pane.change(() => { this.pane.view.zoom = Math.max(0.1, this.pane.view.zoom / 1.25); }),
    };
    for (const [name, { key }] of Object.entries(tools)) keys[key] = () => this.#choose(name);
    (this.windows ?? []).slice(0, 9).forEach((window, index) => {
      keys[index + 1] = () => this.pane.change(() => { this.pane.window = window; });
    });
    return keys;
  }

  #toggleCine() {
    if (this.cine) {
      clearInterval(this.cine);
      this.cine = undefined;
    } else if (this.pane.stack.length > 1) {
      const { pane } = this;
      this.cine = setInterval(() => {
        const next = (pane.index + 1) % pane.stack.length;
        // Frames that are not here are waited for, not left out.
        const { frame, image } = pane.stack[next];
        if (image || this.loader.has(frame)) pane.scrollTo(next);
      }, 1000 / pane.frame.rate);
    }
    this.#update();
  }

  /** Four panes: the series, and the two planes across it, with their lines. */
  async #reformat() {
    const [source, study] = [this.pane, this.study];
    const frames = source.stack.map(({ frame }) => frame);
    const why = source.stack.some(({ image }) => image) ? "Planes are made of a series, not of what was made of one." : whyNoVolume(frames);
    if (why) {
      this.#say(why);
      return;
    }
    const volume = volumeOf(frames);
    let done = 0;
    const images = await Promise.all(frames.map(async (frame) => {
      const image = await this.loader.load(frame, 1);
      done += 1;
      this.#say(`Loading the volume: ${done} of ${frames.length}`);
      return image;
    }));
    if (!this.#isShown(study)) return;
    if (images.some((image) => !image.samples)) throw new Error("The images of this series cannot be read as samples.");
    this.#say("");
    const { stack, index, title, window } = source;
    this.#layout("4");
    const planes = reformats(frames, volume, images);
    this.#show(this.panes[0], stack, { title, index });
    planes.forEach(({ name, stack: plane }, place) => {
      const pane = this.panes[place + 1];
      pane.window = window;
      pane.show(plane, { title: `${title} ${name}`.trim(), index: Math.floor(plane.length / 2), keeps: true });
      pane.view = { zoom: 1, pan: [0, 0], rotation: 0, flipped: false };
    });
    this.panes[0].window = window;
    this.#activate(0);
  }

  async #copyLink() {
    const { frame, window } = this.pane;
    if (!frame) return;
    const place = new URLSearchParams({ study: frame.study, series: frame.series, image: frame.instance, frame: frame.index + 1 });
    if (window) {
      place.set("wc", Math.round(window.center));
      place.set("ww", Math.round(window.width));
    }
    const link = `${location.origin}${location.pathname}#${place}`;
    history.replaceState(null, "", `#${place}`);
    try {
      await navigator.clipboard.writeText(link);
      this.#say("The link is copied. Whoever opens it signs in first.");
    } catch {
      this.#say("The link is in the address bar.");
    }
  }

  /** Goes to the place of the address, if it names one. */
  async #openLink() {
    const place = new URLSearchParams(location.hash.slice(1));
    const uid = (name) => (/^[0-9.]{1,64}$/.test(place.get(name) ?? "") ? place.get(name) : undefined);
    const study = uid("study");
    if (!study) return false;
    await this.openStudy(study, { series: uid("series"), image: uid("image"), frame: Number(place.get("frame")) || undefined });
    const [center, width] = [Number(place.get("wc")), Number(place.get("ww"))];
    if (place.has("wc") && Number.isFinite(center) && width >= 1) {
      this.pane.change(() => { this.pane.window = { center, width, name: "", shape: "LINEAR" }; });
    }
    return true;
  }

  async #download() {
    const { frame } = this.pane;
    if (!frame) return;
    if (frame.isReformatted) {
      this.#say("This plane was made here of a whole series; there is no object of it to be downloaded.");
      return;
    }
    const address = URL.createObjectURL(await this.archive.download(frame));
    const link = make("a", { href: address, download: `${frame.instance}.dcm` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }

  // MARK: Panels

  #panel(name) {
    for (const other of ["metadata", "reports"]) {
      const panel = find(`${other}-panel`);
      panel.hidden = other === name ? !panel.hidden : true;
      find(`show-${other}`).setAttribute("aria-pressed", String(!panel.hidden));
    }
    if (name === "metadata") this.#listMetadata();
  }

  #listMetadata() {
    const dataSet = this.pane.frame?.dataSet ?? {};
    this.listed = this.pane.frame?.dataSet;
    const wanted = find("metadata-search").value.toLowerCase();
    const rows = [];
    const walk = (set, depth) => {
      for (const [tag, element] of Object.entries(set)) {
        const shown = (element.Value ?? []).filter((value) => element.vr !== "SQ").map((value) =>
          value && typeof value === "object" ? value.Alphabetic ?? "" : value ?? "").join(" \\ ");
        const line = `${tag.slice(0, 4)},${tag.slice(4)} ${element.vr} ${shown}`;
        if (!wanted || line.toLowerCase().includes(wanted)) {
          rows.push(make("tr", {}, make("td", {}, `${"› ".repeat(depth)}${tag.slice(0, 4)},${tag.slice(4)}`),
            make("td", {}, element.vr), make("td", {}, element.BulkDataURI ? "(large value)" : shown.slice(0, 500))));
        }
        if (element.vr === "SQ" && depth < 4) items(set, tag).slice(0, 50).forEach((item) => walk(item, depth + 1));
        if (rows.length > 2000) return;
      }
    };
    walk(dataSet, 0);
    find("metadata").replaceChildren(...rows);
  }

  async #listReports() {
    const study = this.study;
    let reports;
    try {
      reports = await this.archive.reports(study);
      if (this.study !== study) return;
    } catch (error) {
      if (this.study !== study) return;
      find("reports").replaceChildren(make("li", {}, error.status === 403 ? "Reports are not among what this session may see." : error.message));
      return;
    }
    find("reports").replaceChildren(...reports.map((report) => make("li", {}, make("button", {
      type: "button", class: "study",
      click: () => { find("report-text").textContent = reportText(report); },
    }, make("strong", {}, report.code?.text ?? report.code?.coding?.[0]?.display ?? "Report"),
    make("span", {}, [(report.effectiveDateTime ?? report.issued ?? "").slice(0, 10), report.status].filter(Boolean).join(" · "))))));
    if (reports.length === 0) find("reports").replaceChildren(make("li", {}, "There are no reports of this patient."));
  }

  #say(message) { find("message").textContent = message; }
  /** What was given up for something else to be looked at needs no words. */
  #tell(error) { this.#say(error.name === "AbortError" ? "" : error.message); }
}

const encapsulatedPDF = "1.2.840.10008.5.1.4.1.1.104.1";

/** Whether a series is read, not looked at. */
function isDocument(entry) { return ["SR", "KO", "PR", "DOC"].includes(text(entry, Tag.modality)); }

/** UIDs of the instances that a key object or a report names. */
function referenced(dataSet) {
  const found = [];
  const walk = (set, depth) => {
    for (const item of items(set, Tag.referencedSOP)) found.push(text(item, Tag.referencedInstance));
    if (depth < 16) items(set, Tag.contentSequence).forEach((item) => walk(item, depth + 1));
  };
  walk(dataSet, 0);
  return found;
}

/** What a report says, as text: its conclusion and what is plain text of its forms. */
function reportText(report) {
  const forms = (report.presentedForm ?? [])
    .filter((form) => form.contentType?.startsWith("text/plain") && form.data)
    .map((form) => new TextDecoder().decode(Uint8Array.from(atob(form.data), (letter) => letter.charCodeAt(0))));
  return [report.conclusion, ...forms].filter(Boolean).join("\n\n") || "This report has no text.";
}

/** Bytes for frames: a quarter of what the device says it has, between 256 MiB and 1 GiB. */
function budget() {
  return Math.min(1 << 30, Math.max(1 << 28, (navigator.deviceMemory ?? 4) * (1 << 28)));
}

try {
  const viewer = new Viewer(await signIn());
  await viewer.start();
} catch (error) {
  const notice = find("notice");
  notice.hidden = false;
  find("app").hidden = true;
  notice.textContent = error instanceof SignInError ? error.message : `The viewer could not be opened. ${error.message}`;
  notice.append(make("p", {}, make("a", { href: location.pathname }, "Open the viewer again")));
}

// Signing in as a SMART application of this server (SMART App Launch 2.2): PKCE, the token in memory alone.

import { answerOfWindow, handOver, isForFrame, isFramed, stateOfWindow } from "./popup.js";

/** What the viewer asks for: of the patient in context, or of all whom the person sees (`user`). */
const scopes = (level) =>
  `openid fhirUser online_access ${level}/Patient.r ${level}/ImagingStudy.rs ${level}/DiagnosticReport.rs`;
/** What `?patients=` says where somebody opens the viewer for all of their patients. */
const mine = "mine";
const pendingKey = "hilum-viewer-pending";

/** A refusal that people should read. */
export class SignInError extends Error {}

const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

/** What the page says of the server: its FHIR base and the client id of the viewer. */
function settings() {
  const of = (name) => document.querySelector(`meta[name="hilum-${name}"]`).content;
  return { fhir: of("fhir"), client: of("client"), redirect: location.origin + location.pathname };
}

/** An access token and its renewal. */
export class Session {
  #token;
  #refresh;
  #expires = 0;
  #renewal;

  constructor(settings, endpoints, answer) {
    this.settings = settings;
    this.endpoints = endpoints;
    this.#take(answer);
    this.patient = answer.patient;
    /** Literal references that the launch named. */
    this.context = (answer.fhirContext ?? []).map((entry) => entry.reference).filter(Boolean);
    this.needsBanner = answer.need_patient_banner !== false;
  }

  #take(answer) {
    this.#token = answer.access_token;
    this.#refresh = answer.refresh_token ?? this.#refresh;
    this.#expires = Date.now() + 1000 * (answer.expires_in ?? 300);
  }

  /** A token that is good for some time yet. */
  async token() {
    if (Date.now() < this.#expires - 20_000 || !this.#refresh) return this.#token;
    this.#renewal ??= this.#renew().finally(() => { this.#renewal = undefined; });
    await this.#renewal;
    return this.#token;
  }

  async #renew() {
    this.#take(await tokens(this.endpoints.token_endpoint, {
      grant_type: "refresh_token", refresh_token: this.#refresh, client_id: this.settings.client,
    }));
  }

  /** `fetch` with the token; a 503 with Retry-After is waited for and asked again, three times at most. */
  async fetch(path, options = {}) {
    for (let attempt = 0; ; attempt += 1) {
      const headers = { ...options.headers, Authorization: `Bearer ${await this.token()}` };
      const answer = await reached(path, { ...options, headers, credentials: "omit" });
      if (answer.ok) return answer;
      const wait = Number(answer.headers.get("Retry-After"));
      if (answer.status === 503 && wait > 0 && attempt < 3) {
        await new Promise((resolve) => setTimeout(resolve, Math.min(10, wait) * 1000));
        continue;
      }
      throw Object.assign(new Error(await reason(answer)), { status: answer.status });
    }
  }

  async json(path, accept) {
    const answer = await this.fetch(path, { headers: { Accept: accept } });
    return answer.status === 204 ? [] : answer.json();
  }
}

/** An answer of the server; who is not reached is told so, and not in the browser's words. */
async function reached(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server is not reached. Look at the network, then try again.");
  }
}

async function reason(answer) {
  const known = {
    401: "The session has ended. Open the viewer again.", 403: "This is not among what you may see.",
    404: "There is no such object.", 503: "The images are not available now. Try again in a moment.",
  };
  const said = answer.headers.get("Content-Type")?.startsWith("text/plain") ? (await answer.text()).split("\n")[0] : "";
  return known[answer.status] ?? `The server answered ${answer.status}${said ? `: ${said}` : ""}.`;
}

async function tokens(endpoint, fields) {
  const answer = await fetch(endpoint, { method: "POST", body: new URLSearchParams(fields), credentials: "omit" });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new SignInError(body.error_description ?? "The session could not be opened. Open the viewer again.");
  return body;
}

/** A request for a code, and what only its sender knows. */
async function request(own, { launch, isOfAll, state }) {
  const verifier = random();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier)));
  const fields = {
    response_type: "code", client_id: own.client, redirect_uri: own.redirect, state, aud: own.fhir,
    scope: isOfAll ? scopes("user") : `${launch ? "launch" : "launch/patient"} ${scopes("patient")}`,
    code_challenge: base64url(digest), code_challenge_method: "S256", ...(launch ? { launch } : {}),
  };
  return { state, verifier, fields };
}

const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

/** The session that an answer leads to. */
async function sessionOf(answer, own, endpoints, { state, verifier }) {
  if (answer.get("state") !== state || answer.get("iss") !== endpoints.issuer) {
    throw new SignInError("This answer belongs to no sign-in that was begun here. Open the viewer again.");
  }
  if (answer.has("error")) {
    throw new SignInError(answer.get("error_description") ?? "The sign-in was not completed. Open the viewer again.");
  }
  return new Session(own, endpoints, await tokens(endpoints.token_endpoint, {
    grant_type: "authorization_code", code: answer.get("code"), redirect_uri: own.redirect, client_id: own.client,
    code_verifier: verifier,
  }));
}

/** What was begun before this page was loaded. A browser may keep nothing for pages in frames, and throws. */
function takePending() {
  try {
    const text = sessionStorage.getItem(pendingKey);
    sessionStorage.removeItem(pendingKey);
    return JSON.parse(text ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}

/** False where the browser keeps nothing. */
function keepPending(pending) {
  try {
    sessionStorage.setItem(pendingKey, JSON.stringify(pending));
    return true;
  } catch {
    return false;
  }
}

/** Puts what the viewer was opened for into the address, without the answer that has just been there. */
function tell({ launch, isOfAll }, own, fragment = "") {
  const search = new URLSearchParams(launch ? { iss: own.fhir, launch } : isOfAll ? { patients: mine } : {}).toString();
  history.replaceState(null, "", location.pathname + (search && `?${search}`) + fragment);
}

/** Goes to the authorization endpoint; what has to be known afterwards is kept for this tab. */
function leave(endpoints, fields) {
  location.replace(`${endpoints.authorization_endpoint}?${new URLSearchParams(fields)}`);
  return new Promise(() => {});
}

/**
 * The session of this page. Goes to the sign-in page and never returns where there is none yet; what stands behind `#` in
 * the address is there again afterwards. In a frame the server is asked without a page first, which a session of the same
 * site answers; else a person signs in in a window of its own.
 */
export async function signIn() {
  const own = settings();
  // The server is known by one name; the answer of a sign-in goes there and nowhere else.
  const home = new URL(own.fhir).origin;
  if (home !== location.origin) {
    location.replace(home + location.pathname + location.search + location.hash);
    return new Promise(() => {});
  }
  const query = new URLSearchParams(location.search);
  const isAnswer = query.has("code") || query.has("error");
  if (isAnswer && isForFrame(query)) {
    if (handOver(query)) return new Promise(() => {});
    throw new SignInError("The page that asked for this sign-in cannot be told of it. Close this window, go back to that "
      + "page, and press the button there once more.");
  }
  const endpoints = await (await fetch(`${own.fhir}/.well-known/smart-configuration`, { credentials: "omit" })).json();
  const pending = isAnswer ? takePending() : undefined;
  const needsPerson = pending?.isSilent && query.get("state") === pending.state
    && ["login_required", "consent_required"].includes(query.get("error"));
  const launch = isAnswer ? pending?.launch : query.get("launch");
  const isOfAll = isAnswer ? pending?.isOfAll : !launch && query.get("patients") === mine;
  if (isAnswer) {
    // A launch that was not answered yet is there again when the frame is loaded anew.
    tell({ launch: needsPerson ? launch : undefined, isOfAll }, own, pending?.fragment);
    if (!needsPerson) return sessionOf(query, own, endpoints, pending ?? {});
  } else if (launch && query.get("iss") !== own.fhir) {
    throw new SignInError("The launch is of another server than the one that this viewer belongs to. Open the viewer "
      + "of that server.");
  }
  if (!needsPerson) {
    const { fields, ...secrets } = await request(own, { launch, isOfAll, state: random() });
    const kept = { ...secrets, isOfAll, launch, isSilent: isFramed(), fragment: location.hash };
    if (keepPending(kept)) return leave(endpoints, isFramed() ? { ...fields, prompt: "none" } : fields);
    if (!isFramed()) {
      throw new SignInError("The browser keeps nothing for this page. Allow it to, then open the viewer again.");
    }
  }
  const asked = await request(own, { launch, isOfAll, state: stateOfWindow(random()) });
  const address = `${endpoints.authorization_endpoint}?${new URLSearchParams(asked.fields)}`;
  const answer = await answerOfWindow(address, asked.state);
  tell({ isOfAll }, own, location.hash);
  return sessionOf(answer, own, endpoints, asked);
}

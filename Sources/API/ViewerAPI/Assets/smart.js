// Signing in as a SMART application of this server (SMART App Launch 2.2): PKCE, the token in memory alone.

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

/**
 * The session of this page. Goes to the sign-in page and never returns where there is none yet; what stands behind `#` in
 * the address is there again afterwards.
 */
export async function signIn() {
  const own = settings();
  // The server is known by one name; the answer of a sign-in goes there and nowhere else.
  const home = new URL(own.fhir).origin;
  if (home !== location.origin) {
    location.replace(home + location.pathname + location.search + location.hash);
    return new Promise(() => {});
  }
  const answer = await fetch(`${own.fhir}/.well-known/smart-configuration`, { credentials: "omit" });
  const endpoints = await answer.json();
  const query = new URLSearchParams(location.search);
  const pending = JSON.parse(sessionStorage.getItem(pendingKey) ?? "null");
  if (query.has("code") || query.has("error")) {
    sessionStorage.removeItem(pendingKey);
    const search = pending?.isOfAll ? `?patients=${mine}` : "";
    history.replaceState(null, "", location.pathname + search + (pending?.fragment ?? ""));
    if (!pending || query.get("state") !== pending.state || query.get("iss") !== endpoints.issuer) {
      throw new SignInError("This answer belongs to no sign-in that was begun here. Open the viewer again.");
    }
    if (query.has("error")) {
      throw new SignInError(query.get("error_description") ?? "The sign-in was not completed.");
    }
    return new Session(own, endpoints, await tokens(endpoints.token_endpoint, {
      grant_type: "authorization_code", code: query.get("code"), redirect_uri: own.redirect, client_id: own.client,
      code_verifier: pending.verifier,
    }));
  }
  const launch = query.get("launch");
  if (launch && query.get("iss") !== own.fhir) {
    throw new SignInError("The launch is of another server than the one that this viewer belongs to.");
  }
  const isOfAll = !launch && query.get("patients") === mine;
  const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));
  const [state, verifier] = [random(), random()];
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier)));
  sessionStorage.setItem(pendingKey, JSON.stringify({ state, verifier, isOfAll, fragment: location.hash }));
  const fields = {
    response_type: "code", client_id: own.client, redirect_uri: own.redirect, state, aud: own.fhir,
    scope: isOfAll ? scopes("user") : `${launch ? "launch" : "launch/patient"} ${scopes("patient")}`,
    code_challenge: base64url(digest), code_challenge_method: "S256", ...(launch ? { launch } : {}),
  };
  location.replace(`${endpoints.authorization_endpoint}?${new URLSearchParams(fields)}`);
  return new Promise(() => {});
}

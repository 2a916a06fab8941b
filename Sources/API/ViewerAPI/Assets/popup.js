// The sign-in of a viewer in a frame, in a window of its own: sign-in, consent and the choice of a patient are in nobody's
// frame, and the cookie of a session goes to no frame of another site. The window posts the answer to the viewer's own
// origin alone; what it is good for (PKCE verifier) and the token never leave the memory of the frame.

/** How states begin whose answers are handed over. */
const mark = "window.";
const names = ["code", "state", "iss", "error", "error_description"];

/** Whether another page holds this one. */
export const isFramed = () => window.self !== window.top;

/** A state whose answer is for the frame that opened the window. */
export const stateOfWindow = (random) => mark + random;

/** Whether an answer of the server was asked for by a frame. */
export const isForFrame = (answer) => (answer.get("state") ?? "").startsWith(mark);

/**
 * Hands the answer in this window's address to the frame that opened the window, and takes it out of the address. False
 * where nobody is there to take it: the window was opened otherwise, or a page on the way cut the two apart.
 */
export function handOver(answer) {
  history.replaceState(null, "", location.pathname);
  if (!window.opener) return false;
  const told = Object.fromEntries(names.filter((name) => answer.has(name)).map((name) => [name, answer.get(name)]));
  // To nobody but a page of this very origin. Whoever takes it closes this window.
  window.opener.postMessage({ hilumSignIn: told }, location.origin);
  document.getElementById("notice").textContent = "This is done. The window may be closed.";
  return true;
}

/**
 * The answer in a message; undefined for one of another origin, of another window than the one that was opened, to another
 * request, and of another shape. What `iss` has to be is looked at by whoever asked.
 */
export function answerIn(message, { origin, opened, state }) {
  if (message.origin !== origin || !opened || message.source !== opened) return undefined;
  const told = message.data?.hilumSignIn;
  if (!told || typeof told !== "object" || told.state !== state) return undefined;
  return new URLSearchParams(names.filter((name) => typeof told[name] === "string").map((name) => [name, told[name]]));
}

/**
 * Offers a button, which opens the address in a window, and gives the answer that comes back. A browser opens windows for a
 * person's click alone; one that was closed before its time is opened again by the same button.
 */
export function answerOfWindow(address, state) {
  const notice = document.getElementById("notice");
  const words = document.createElement("p");
  words.textContent = "The sign-in opens in a window of its own.";
  const button = document.createElement("button");
  button.type = "button";
  button.id = "sign-in";
  button.textContent = "Open the images";
  // One window, however often it is pressed; no other page knows what it is called.
  const name = crypto.randomUUID();
  return new Promise((resolve) => {
    let opened;
    button.addEventListener("click", () => {
      opened = window.open(address, name, "popup,width=560,height=760");
      if (opened) {
        words.textContent = "Go on in the window that has opened.";
        return;
      }
      // Windows are not allowed, or the page that holds this one cuts itself off from them (COOP).
      const link = document.createElement("a");
      [link.href, link.target, link.rel] = [location.href, "_blank", "noopener"];
      link.textContent = "without the page around them";
      words.replaceChildren("No window could be opened from here. Allow this page to open windows, then try again; or open "
        + "the images ", link, ".");
    });
    window.addEventListener("message", function heard(message) {
      const answer = answerIn(message, { origin: location.origin, opened, state });
      if (!answer) return;
      window.removeEventListener("message", heard);
      opened.close();
      notice.textContent = "Opening the images…";
      resolve(answer);
    });
    notice.replaceChildren(words, button);
  });
}

import Basics
import Cryptography
import HTTPSupport
import HTTPTypes
import Hummingbird

/// The one script of the account pages: between a form and the browser's passkeys, which only scripts can ask for. All else
/// works without it. Its path holds a digest of it, so that a browser may keep it for ever.
enum PasskeyScript {
    private static let folder = "/assets/scripts/"
    static let path = folder + "passkeys-" + Hexadecimal.encode(SHA256.digest(bytes).prefix(8)) + ".js"
    private static let bytes = Array(text.utf8)

    /// Serves it; another digest than today's is 404.
    static let route = Route(
        .get, folder + "{file}", operationID: "getPasskeyScript", access: .open, isBrief: true
    ) { request in
        guard folder + request.parameters["file"] == path else {
            throw HTTPFailure(.notFound, "There is nothing at this path")
        }
        return .bytes(
            bytes, contentType: "text/javascript; charset=utf-8",
            headers: [.cacheControl: "public, max-age=31536000, immutable"])
    }

    /// A form names in `data-passkey` what is to be done and in `data-options` with what; what comes of it goes into its
    /// hidden fields, and the form is sent as any other.
    private static let text = #"""
        "use strict";
        const decode = (text) =>
          Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
        const encode = (buffer) => {
          let text = "";
          for (const byte of new Uint8Array(buffer)) text += String.fromCharCode(byte);
          return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
        };
        const opened = (options) => {
          const list = (name) => (options[name] || []).map((one) => ({ ...one, id: decode(one.id) }));
          const all = { ...options, challenge: decode(options.challenge) };
          if (options.user) all.user = { ...options.user, id: decode(options.user.id) };
          if (options.excludeCredentials) all.excludeCredentials = list("excludeCredentials");
          if (options.allowCredentials) all.allowCredentials = list("allowCredentials");
          return all;
        };
        const answer = async (kind, publicKey) => {
          const credential = await navigator.credentials[kind]({ publicKey });
          const response = credential.response;
          if (kind === "create") {
            return { "client-data": response.clientDataJSON, attestation: response.attestationObject };
          }
          return {
            credential: credential.rawId, "client-data": response.clientDataJSON,
            "authenticator-data": response.authenticatorData, signature: response.signature,
            "user-handle": response.userHandle || new ArrayBuffer(0),
          };
        };
        for (const form of document.querySelectorAll("form[data-passkey]")) {
          const problem = form.querySelector("[data-problem]");
          form.addEventListener("submit", async (event) => {
            event.preventDefault();
            const button = form.querySelector("button");
            button.disabled = true;
            problem.hidden = true;
            try {
              const fields = await answer(form.dataset.passkey, opened(JSON.parse(form.dataset.options)));
              for (const [name, value] of Object.entries(fields)) form.elements[name].value = encode(value);
              form.submit();
            } catch {
              problem.hidden = false;
              button.disabled = false;
              button.focus();
            }
          });
        }
        """#
}

// Passkeys on the pages of sign-in: asks the browser for one and puts the answer into a form of the page, which is sent
// as every form is. Without this script, and where passkeys do not work, the way by password is all there is.
"use strict";

(() => {
  // Before a question is five minutes old, the browser gets another one.
  const RENEWED_AFTER = 4 * 60 * 1000;

  const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const base64url = (buffer) =>
    btoa(Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join(""))
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replaceAll("=", "");
  const described = (list) => (list ?? []).map((item) => ({ ...item, id: bytes(item.id) }));

  // The server may be open under another name than its own, for which there are no passkeys.
  const works = (form) => window.PublicKeyCredential && window.isSecureContext && form.dataset.origin === location.origin;

  function send(form, ceremony, credential) {
    const response = {};
    for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[part]) response[part] = base64url(credential.response[part]);
    }
    const id = base64url(credential.rawId);
    form.elements.namedItem("ceremony").value = ceremony;
    form.elements.namedItem("credential").value = JSON.stringify({ id, rawId: id, type: credential.type, response });
    form.submit();
  }

  function say(form, text) {
    form.querySelector("[role=status]").textContent = text;
  }

  async function get(form, more) {
    const answer = await fetch(form.dataset.question, { cache: "no-store" });
    if (!answer.ok) throw new Error(`no question: ${answer.status}`);
    const { ceremony, options } = await answer.json();
    const allowCredentials = described(options.allowCredentials);
    const publicKey = { ...options, challenge: bytes(options.challenge), allowCredentials };
    send(form, ceremony, await navigator.credentials.get({ publicKey, ...more }));
  }

  // Signs in by the button, and by what the browser offers in the field for the address.
  function signIn(form) {
    let offer = null;
    let pressed = false;

    async function wait() {
      if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
      while (!pressed) {
        offer = new AbortController();
        const renewal = setTimeout(() => offer.abort(), RENEWED_AFTER);
        try {
          await get(form, { mediation: "conditional", signal: offer.signal });
          return;
        } catch (error) {
          if (error.name !== "AbortError") return;
        } finally {
          clearTimeout(renewal);
        }
      }
    }

    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (pressed) return;
      pressed = true;
      offer?.abort();
      say(form, "");
      try {
        await get(form, {});
      } catch {
        say(form, "No passkey was used. Try again, or sign in with your password.");
        pressed = false;
        wait();
      }
    });
    wait();
  }

  // Makes a new one.
  function create(form) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      say(form, "");
      const options = JSON.parse(form.dataset.options);
      const publicKey = {
        ...options,
        challenge: bytes(options.challenge),
        user: { ...options.user, id: bytes(options.user.id) },
        excludeCredentials: described(options.excludeCredentials),
      };
      try {
        send(form, form.elements.namedItem("ceremony").value, await navigator.credentials.create({ publicKey }));
      } catch (error) {
        const known = error.name === "InvalidStateError";
        say(form, known ? "This device has a passkey of your account already." : "No passkey was made. Try again.");
      }
    });
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    if (!works(form)) {
      if (form.dataset.passkey === "create") say(form, "Passkeys do not work in this browser, or at this address.");
      continue;
    }
    form.dataset.passkey === "create" ? create(form) : signIn(form);
  }
})();

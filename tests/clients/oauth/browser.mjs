// A browser without a person: cookies, redirects and forms of one server, no scripts.
//
// It fills in what the pages ask for by the names of their fields, as password managers do, and leaves everything else
// (hidden fields, ticked boxes) as the page has it.

import assert from "node:assert/strict";

/** More pages than any way through the server has. */
const MOST_PAGES = 12;
const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };

export class Browser {
  #server;
  #person;
  #cookies = new Map();

  /** `person` has an `email` and a `password`. */
  constructor(server, person) {
    this.#server = new URL(server).origin;
    this.#person = person;
  }

  /**
   * Opens an address and does what its pages ask for: signs in and decides, `untick`ing what is not to be allowed.
   * Ends at the first address of another origin, which is not opened, or at a page that asks for nothing.
   */
  async visit(address, { decision = "allow", untick = [] } = {}) {
    let request = { address: new URL(address), init: { method: "GET" } };
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const answer = await this.#send(request);
      if (answer.to) {
        if (answer.to.origin !== this.#server) return answer.to;
        request = { address: answer.to, init: { method: "GET" } };
        continue;
      }
      assert.equal(answer.status, 200, `${request.address}: ${answer.status}\n${answer.page}`);
      const form = formsOf(answer.page).find((form) => this.#knows(form));
      if (form === undefined) return request.address;
      request = this.#fillIn(form, request.address, decision, untick);
    }
    return assert.fail(`no end after ${MOST_PAGES} pages: ${request.address}`);
  }

  async #send({ address, init }) {
    const headers = { accept: "text/html", cookie: [...this.#cookies].map((pair) => pair.join("=")).join("; ") };
    if (init.method === "POST") Object.assign(headers, { origin: this.#server, "sec-fetch-site": "same-origin" });
    const response = await fetch(address, { ...init, headers, redirect: "manual" });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=;]+)=([^;]*)/.exec(line);
      if (/max-age=0/i.test(line)) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    const { status } = response;
    const page = await response.text();
    const location = response.headers.get("location");
    if (location === null) return { status, page };
    // 307 and 308 would send the password on.
    assert([302, 303].includes(status), `${address}: ${status}`);
    return { status, to: new URL(location, address) };
  }

  #knows(form) {
    const names = form.controls.map((control) => control.name);
    return ["password", "decision", "user_code"].some((name) => names.includes(name));
  }

  #fillIn(form, page, decision, untick) {
    const fields = new URLSearchParams();
    for (const { name, value = "", type = "text", ...control } of form.controls) {
      const ignored = name === undefined || "disabled" in control;
      if (ignored || (type === "checkbox" && (!("checked" in control) || untick.includes(value)))) continue;
      if (type === "submit") {
        if (name === "decision" && value === decision) fields.append(name, value);
      } else fields.append(name, ["email", "password"].includes(name) ? this.#person[name] : value);
    }
    const address = new URL(form.action ?? page, page);
    if ((form.method ?? "get").toLowerCase() === "post") return { address, init: { method: "POST", body: fields } };
    address.search = fields;
    return { address, init: { method: "GET" } };
  }
}

function formsOf(page) {
  return [...page.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gs)].map(([, own, content]) => ({
    ...attributesOf(own),
    controls: [...content.matchAll(/<(input|button)\b([^>]*)>/g)].map(([, tag, own]) => ({
      ...(tag === "button" ? { type: "submit" } : {}),
      ...attributesOf(own),
    })),
  }));
}

function attributesOf(text) {
  const unescape = (value) => value.replace(/&(#39|\w+);/g, (whole, name) => ENTITIES[name] ?? whole);
  return Object.fromEntries(
    [...text.matchAll(/([\w-]+)(?:="([^"]*)")?/g)].map(([, name, value]) => [name, unescape(value ?? "")]),
  );
}

/** Clients: of the JSON API, and of forms as a browser without scripts sends them. */

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any;
}

export async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  const type = response.headers.get("Content-Type") ?? "";
  const body = /\bjson\b/.test(type) ? JSON.parse(text) : null;
  return { status: response.status, type, headers: response.headers, text, body };
}

/** A request that sends a form, and does not follow a redirect. */
export const formOf = (fields: Readonly<Record<string, string>> | [string, string][]): RequestInit => ({
  method: "POST",
  body: new URLSearchParams(fields),
  redirect: "manual",
});

export interface Client {
  readonly url: string;
  get(path: string): Promise<Answer>;
  post(path: string, body?: unknown): Promise<Answer>;
  send(method: string, path: string, body?: unknown): Promise<Answer>;
}

export function clientOf(url: string): Client {
  const send = (method: string, path: string, body?: unknown) =>
    ask(url + path, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
    });
  return { url, send, get: (path) => send("GET", path), post: (path, body) => send("POST", path, body) };
}

interface PressedButton {
  readonly path: string;
  readonly body: URLSearchParams;
}

/** A form as a page has it, with what a browser without scripts would send. */
export interface PlainForm {
  /** The values of all fields. */
  readonly fields: URLSearchParams;
  /** @throws Error if the form has no such field */
  fill(name: string, value: string): void;
  /** Checks one more box. @throws Error if the form has no such box, or it is checked */
  check(name: string, value: string): void;
  /**
   * The request that a button sends.
   * @throws Error if the form has no such button
   */
  press(button: string): PressedButton;
}

/**
 * Reads the form that `selector` matches. Its boxes and radio buttons count if they are checked, its files never; values
 * are taken as they are written, entities included.
 */
export async function readForm(html: string, selector: string): Promise<PlainForm> {
  const fields = new URLSearchParams();
  const unchecked = new URLSearchParams();
  const buttons: { readonly path: string; readonly name: string | null; readonly value: string; text: string }[] = [];
  let [action, open] = ["", ""];
  const append = (text: string) => fields.set(open, (fields.get(open) ?? "") + text);
  await new HTMLRewriter()
    .on(selector, {
      element: (form) => {
        action = form.getAttribute("action")!;
      },
    })
    .on(`${selector} input[name]`, {
      element: (input) => {
        const type = input.getAttribute("type") ?? "text";
        const isBox = ["radio", "checkbox"].includes(type);
        if (type === "file") return;
        const into = isBox && !input.hasAttribute("checked") ? unchecked : fields;
        into.append(input.getAttribute("name")!, input.getAttribute("value") ?? (isBox ? "on" : ""));
      },
    })
    .on(`${selector} select[name]`, {
      element: (select) => {
        open = select.getAttribute("name")!;
      },
    })
    .on(`${selector} select[name] option`, {
      element: (option) => {
        // The first one, unless another is selected.
        const isChosen = option.hasAttribute("selected") || !fields.has(open);
        if (isChosen) fields.set(open, option.getAttribute("value") ?? "");
      },
    })
    .on(`${selector} textarea[name]`, {
      element: (area) => {
        open = area.getAttribute("name")!;
        append("");
      },
      text: ({ text }) => append(text),
    })
    .on(`${selector} button[type="submit"]`, {
      element: (button) => {
        const path = button.getAttribute("formaction") ?? action;
        buttons.push({ path, name: button.getAttribute("name"), value: button.getAttribute("value") ?? "", text: "" });
      },
      text: ({ text }) => {
        buttons.at(-1)!.text += text;
      },
    })
    .transform(new Response(html))
    .text();
  return {
    fields,
    fill(name, value) {
      if (!fields.has(name)) throw new Error(`no field ${name} among ${[...fields.keys()]}`);
      fields.set(name, value);
    },
    check(name, value) {
      if (!unchecked.has(name, value)) throw new Error(`no box ${name}=${value} among ${unchecked}`);
      unchecked.delete(name, value);
      fields.append(name, value);
    },
    press(label) {
      const button = buttons.find(({ text }) => text.trim() === label);
      if (button === undefined) throw new Error(`no button ${label} among ${buttons.map(({ text }) => text.trim())}`);
      const body = new URLSearchParams(fields);
      if (button.name !== null) body.append(button.name, button.value);
      return { path: button.path, body };
    },
  };
}

/** A client of the JSON API. */

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

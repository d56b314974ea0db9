/** @jsxImportSource hono/jsx */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { formFields } from "../../src/views/ui/forms/form-field.tsx";
import { startApp, type TestApp } from "../helpers/app.ts";

const { Field, control } = formFields("f", ["name", "when"], { when: "Five parts" });
const draw = (errors: { name?: string; when?: string }) => {
  const form = { values: { name: "<b>", when: "" }, errors };
  return String(
    <form>
      <Field name="name" title="Name" form={form}>
        <input {...control("name", form)} value={form.values.name} />
      </Field>
      <Field name="when" title="When" form={form}>
        <input {...control("when", form)} />
      </Field>
    </form>,
  );
};

describe("a field", () => {
  test("a field is tied to its label and its hint", () => {
    const html = draw({});
    expect(html).toContain(
      '<label for="f-when">When</label><input id="f-when" name="when" aria-describedby="f-when-hint"',
    );
    expect(html).toContain('id="f-when-hint">Five parts<');
    expect(html).toContain('<input id="f-name" name="name" value="&lt;b&gt;"/>');
    expect(html).not.toContain("autofocus");
  });

  test("a wrong field shows its error instead of its hint; the first one is focused", () => {
    const html = draw({ when: "Wants five parts", name: "Wants a name" });
    expect(html.match(/autofocus/g)).toHaveLength(1);
    expect(html).toMatch(/id="f-name"[^>]*aria-invalid="true" aria-describedby="f-name-error" autofocus/);
    expect(html).toContain('<p class="error" id="f-when-error">Wants five parts</p>');
    expect(html).not.toContain("Five parts<");
  });
});

describe("a form that is refused", () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp({ env: { BARKEEP_WORKERS: "1" } });
  });
  afterAll(() => app[Symbol.asyncDispose]());

  test.each([
    ["/alerts", { quota_percent: "70", digest_minutes: "soon", quiet: "on", quiet_from: "7" }, "alert-digest_minutes"],
    ["/settings/mail", { server: "smtp://mail.example.com", from: "nobody", to: "" }, "mail-from"],
    ["/settings/binance", { BINANCE_PER_MINUTE: "many" }, "set-BINANCE_PER_MINUTE"],
    ["/settings/access", { name: "", scope: "read" }, "token-name"],
  ])("%s keeps what was typed and moves the focus to the first field that is wrong", async (path, fields, first) => {
    const body = new URLSearchParams(fields as Record<string, string>);
    const html = await (await fetch(app.url + path, { method: "POST", body, headers: { Accept: "text/html" } })).text();
    const focused = [...html.matchAll(/<(?:input|select|textarea)[^>]*\bautofocus\b[^>]*>/g)].map(([tag]) => tag);
    expect(focused.map((tag) => /\bid="([^"]+)"/.exec(tag)![1])).toEqual([first]);
    for (const value of Object.values(fields)) if (value !== "read") expect(html).toContain(`value="${value}"`);
  });
});

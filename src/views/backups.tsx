/** @jsxImportSource hono/jsx */
/** Backups on the settings page: folder, time and number, and the result of the last one. */

import { Moment, Pill } from "./ui/components.tsx";
import { type Flash, FlashMessage } from "./ui/flash-message.tsx";
import { formFields, Reason, TIME } from "./ui/forms/form-field.tsx";

const BACKUP_FIELDS = ["folder", "at", "keep"] as const;
export type BackupFields = Readonly<Record<(typeof BACKUP_FIELDS)[number], string>>;

export interface BackupsView {
  /** Whether the database is on a server, which backs it up. */
  readonly remote: boolean;
  /** Whether folder and form are for admins only, and the reader is none. */
  readonly hidden: boolean;
  readonly values: BackupFields;
  readonly hasFolder: boolean;
  /** The other database file that the plan was made for. */
  readonly madeFor: string | null;
  /** Since when one is being made, and when the next is due; both epoch milliseconds. */
  readonly underwaySince: number | null;
  readonly next: number | null;
  readonly last: {
    readonly file: string;
    /** `1.5 MB` */
    readonly size: string;
    readonly at: number;
    readonly note: string | null;
  } | null;
  readonly failure: { readonly at: number; readonly reason: string; readonly advice: string } | null;
  readonly errors: Readonly<Record<string, string>>;
  readonly flash: Flash | null;
}

export const BackupsSection = ({ view }: { view: BackupsView }) => (
  <section class="provider" id="backups" aria-labelledby="title-backups">
    <header>
      <h2 id="title-backups">Backups</h2>
      <Status view={view} />
    </header>
    {view.remote ? (
      <p class="muted">
        The database is on a libSQL server: use that server's own backup. Barkeep makes no files of it.
      </p>
    ) : (
      <>
        <p class="muted">
          Consistent copies of the database, made while the server works. Each is checked before it gets its name. They
          have the records of snapshots but not their files, which are in the folder that{" "}
          <a href="/snapshots">Snapshots</a> names.
        </p>
        <FlashMessage flash={view.flash} />
        {view.madeFor === null || view.hidden ? null : (
          <p class="error">
            These backups were set up for another database file, {view.madeFor}, so none are made of this one. Save the
            form to back this one up: give it a folder of its own.
          </p>
        )}
        <Outcome view={view} />
        {view.hidden ? <p class="muted">Folder and files are shown to admins only.</p> : <Forms view={view} />}
      </>
    )}
  </section>
);

const Status = ({ view }: { view: BackupsView }) => {
  if (view.remote) return <Pill icon="queued">On its server</Pill>;
  if (view.underwaySince !== null) {
    return (
      <Pill look="running" icon="fetch">
        Being made
      </Pill>
    );
  }
  if (view.failure !== null) {
    return (
      <Pill look="failed" icon="failed">
        Last one failed
      </Pill>
    );
  }
  return view.next === null ? (
    <Pill icon="queued">Off</Pill>
  ) : (
    <Pill look="complete" icon="complete">
      Every day
    </Pill>
  );
};

const Outcome = ({ view: { hidden, underwaySince, next, last, failure } }: { view: BackupsView }) => (
  <>
    {underwaySince === null ? null : (
      <p>
        One is being made since <Moment at={underwaySince} />. <a href="/settings#backups">Reload</a>
      </p>
    )}
    {failure === null ? null : (
      <p class="error">
        The backup of <Moment at={failure.at} /> was not made
        {hidden ? ". Admins see the reason." : `: ${failure.reason}. ${failure.advice}`}
      </p>
    )}
    <dl class="backup-facts">
      <div>
        <dt>Last backup</dt>
        <dd>
          {last === null ? (
            "None yet"
          ) : (
            <>
              <Moment at={last.at} />, {last.size}, checked when it was made
              {hidden ? null : <code>{last.file}</code>}
              {last.note === null || hidden ? null : <span class="error">{last.note}</span>}
            </>
          )}
        </dd>
      </div>
      <div>
        <dt>Next</dt>
        <dd>{next === null ? "Not scheduled" : <Moment at={next} />}</dd>
      </div>
    </dl>
  </>
);

const { Field, control } = formFields("backup", BACKUP_FIELDS, {
  folder: "It must exist, best on another disk than the database. Each server needs a folder of its own",
  at: "Leave empty to make backups manually only",
  keep: "Older ones are deleted after a good new one",
});

const Forms = ({ view }: { view: BackupsView }) => {
  const form = { values: view.values, errors: view.errors };
  const input = (name: (typeof BACKUP_FIELDS)[number]) => ({
    ...control(name, form),
    value: view.values[name],
    autocomplete: "off",
  });
  return (
    <>
      <form method="post" action="/settings/backups" class="setting-form" autocomplete="off" novalidate>
        <Field name="folder" title="Folder on the server" form={form}>
          <input {...input("folder")} placeholder="/mnt/backups/barkeep" spellcheck={false} />
        </Field>
        <Field name="at" title="Every day at (UTC)" form={form}>
          <input {...input("at")} {...TIME} />
        </Field>
        <Field name="keep" title="Keep the newest" form={form}>
          <input {...input("keep")} type="number" min="1" max="1000" />
        </Field>
        <Reason of="backups" />
        <div class="button-row">
          <button type="submit" class="button primary">
            Save backups
          </button>
        </div>
      </form>
      {view.hasFolder && view.madeFor === null ? (
        <form method="post" action="/settings/backups/now" class="button-row">
          <button type="submit" class="button" disabled={view.underwaySince !== null || undefined}>
            Back up now
          </button>
        </form>
      ) : null}
    </>
  );
};

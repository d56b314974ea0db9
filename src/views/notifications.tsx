/** @jsxImportSource hono/jsx */
/** Desktop notifications: the section of the settings page, and the offer on the monitor. `public/app/live/notifications.js` fills both. */

/** What a browser can be told of; a reader chooses among them. */
const NOTIFICATION_KINDS = ["run_done", "run_failed", "promise_at_risk", "promise_missed"] as const;
export type NotificationKind = (typeof NOTIFICATION_KINDS)[number];

const KIND_TITLES: Readonly<Record<NotificationKind, string>> = {
  run_done: "A run is done",
  run_failed: "A run ended with failures",
  promise_at_risk: "A promise is at risk",
  promise_missed: "A promise was missed",
};

/** The choice is kept in the browser, for this device alone. */
export const NotificationSettings = () => (
  <section class="provider" id="notifications" aria-labelledby="title-notifications">
    <header>
      <h2 id="title-notifications">Desktop notifications</h2>
    </header>
    <p class="muted">
      Shown by this browser on this device, while a page of Barkeep is open in it and none is visible.
    </p>
    <p data-notifications="state" role="status">
      They need JavaScript.
    </p>
    <fieldset class="notification-kinds" data-notifications="kinds" hidden>
      <legend>Notify me when</legend>
      {NOTIFICATION_KINDS.map((kind) => (
        <label>
          <input type="checkbox" name="notification-kind" value={kind} autocomplete="off" /> {KIND_TITLES[kind]}
        </label>
      ))}
    </fieldset>
    <p class="button-row">
      <button type="button" class="button" data-notifications="toggle" hidden>
        Turn on notifications
      </button>
    </p>
  </section>
);

/** Shown by the script until the reader has decided. */
export const NotificationOffer = () => (
  <section class="notification-offer" data-notifications="offer" aria-label="Desktop notifications" hidden>
    <p>Be notified when runs end and promises are in danger, while no page of Barkeep is visible?</p>
    <p class="button-row">
      <button type="button" class="button" data-notifications="accept">
        Notify me
      </button>
      <button type="button" class="button" data-notifications="decline">
        No
      </button>
    </p>
  </section>
);

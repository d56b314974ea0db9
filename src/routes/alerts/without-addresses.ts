/** What readers below `admin` see of messages: not where they go, nor what lies where on the server. */

import { namesPlaces } from "../../domain/alerts.ts";
import { HIDDEN_REASON } from "../page-context.ts";

interface Addressed {
  readonly kind: string;
  readonly recipients: string;
  readonly error: string | null;
}

/** The reason of a failure repeats what the mail server or channel said, with its name and addresses. */
export const withoutAddresses = <T extends Addressed>(mail: T): T => ({
  ...mail,
  recipients: "the recipients",
  error: mail.error === null ? null : HIDDEN_REASON,
});

/** The same with the text, unless that names places of the server. */
export const withoutPlaces = <T extends Addressed & { readonly text: string }>(mail: T): T => ({
  ...withoutAddresses(mail),
  text: namesPlaces(mail.kind) ? "Admins see the text: it names places of the server." : mail.text,
});

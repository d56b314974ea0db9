import { withoutMailAddresses } from "../../domain/alerts.ts";

/** A mail as readers see it who may not know where mails go. */
export const withoutAddresses = <T extends { readonly recipients: string; readonly error: string | null }>(
  mail: T,
): T => ({
  ...mail,
  recipients: "the recipients",
  error: mail.error && withoutMailAddresses(mail.error),
});

/** @jsxImportSource hono/jsx */
/** The way to the next pages of a list that is paged by key. */

export interface PageLinksView {
  /** The places where the pages of older and of newer rows begin, `null` where there are none. */
  readonly older: string | null;
  readonly newer: string | null;
}

/** @param address the list with something more in its address */
export const PageLinks = (props: PageLinksView & { address: (more: Readonly<Record<string, string>>) => string }) => {
  const { older, newer, address } = props;
  return older === null && newer === null ? null : (
    <nav class="page-links" aria-label="Pages">
      {newer === null ? null : (
        <a class="button" rel="prev" href={address({ after: newer })}>
          Newer
        </a>
      )}
      {older === null ? null : (
        <a class="button" rel="next" href={address({ before: older })}>
          Older
        </a>
      )}
    </nav>
  );
};

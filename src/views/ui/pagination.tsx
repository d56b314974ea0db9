/** @jsxImportSource hono/jsx */
/** Links to the newer and older pages of a keyset-paged list. */

export interface PageLinksView {
  /** Cursors of the pages of older and newer rows; `null` if there are none. */
  readonly older: string | null;
  readonly newer: string | null;
}

/** @param address builds the address of the list with more parameters */
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

/** Keeps the newest renderings of a page: many readers who open it at once share one. */

/** The longest key, and the longest rendering, that is kept; characters. */
const MAX_LENGTH = 1_000_000;

export class Renderings {
  readonly #kept = new Map<string, string>();

  /** @param most renderings that are kept */
  constructor(private readonly most: number) {}

  /**
   * The rendering of what `content` describes, made now unless it is kept.
   * @param content all that the rendering depends on
   */
  get(content: string, render: () => string): string {
    const known = this.#kept.get(content);
    if (known !== undefined) return known;
    const html = render();
    if (content.length > MAX_LENGTH || html.length > MAX_LENGTH) return html;
    this.#kept.set(content, html);
    if (this.#kept.size > this.most) this.#kept.delete(this.#kept.keys().next().value!);
    return html;
  }
}

/** Keeps the newest renderings of a page: many readers who open it at once share one. */

export class Renderings {
  readonly #kept = new Map<string, string>();
  #length = 0;

  /** @param most characters of all renderings that are kept and of what they were made from */
  constructor(private readonly most: number) {}

  /**
   * The rendering of what `content` describes, made now unless it is kept.
   * @param content all that the rendering depends on
   */
  get(content: string, render: () => string): string {
    const known = this.#kept.get(content);
    if (known !== undefined) return known;
    const html = render();
    this.#kept.set(content, html);
    this.#length += content.length + html.length;
    for (const [oldest, text] of this.#kept) {
      if (this.#length <= this.most) break;
      this.#kept.delete(oldest);
      this.#length -= oldest.length + text.length;
    }
    return html;
  }
}

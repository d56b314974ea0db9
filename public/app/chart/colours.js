// The colours of a profile's chart: those of the style sheet in the present theme.

/**
 * Reads the tokens of the style sheet.
 * @param {HTMLElement} probe an element of the page that is not shown
 */
export function readColours(probe) {
  /** @param {string} name */
  const token = (name, opacity = 1) => {
    probe.style.color = `var(${name})`;
    const [red, green, blue] = getComputedStyle(probe).color.match(/[\d.]+/g) ?? [];
    return `rgba(${red}, ${green}, ${blue}, ${opacity})`;
  };
  return {
    rise: token("--rise"),
    fall: token("--fall"),
    riseVolume: token("--rise", 0.45),
    fallVolume: token("--fall", 0.45),
    ground: token("--panel"),
    raised: token("--raised"),
    text: token("--text"),
    muted: token("--muted"),
    line: token("--line"),
    grid: token("--line", 0.6),
    band: token("--line-strong", 0.07),
    closed: token("--line-strong", 0.18),
    crosshair: token("--line-strong"),
    label: token("--accent-fill"),
    onLabel: token("--on-accent"),
    warn: token("--warn"),
    bad: token("--bad"),
    good: token("--good"),
    accent: token("--accent"),
    series: ["--series-1", "--series-2", "--series-3", "--series-4"].map((name) => token(name)),
    seriesSoft: ["--series-1", "--series-2", "--series-3", "--series-4"].map((name) => token(name, 0.4)),
  };
}

/** @typedef {ReturnType<typeof readColours>} Colours */

/**
 * The colour of a line: that of its swatch.
 * @param {HTMLElement} swatch
 * @returns {string}
 */
export const colourOf = (swatch) => getComputedStyle(swatch).color;

// The colours of a profile's chart: those of the style sheet in the present theme.

/**
 * Reads the tokens of the style sheet.
 * @param {HTMLElement} probe an element of the page that is not shown
 * @returns colours in the format of the chart library
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
    riseVolume: token("--rise", 0.35),
    fallVolume: token("--fall", 0.35),
    ground: token("--panel"),
    text: token("--muted"),
    line: token("--line"),
    grid: token("--line", 0.5),
    crosshair: token("--line-strong"),
    crosshairLabel: token("--accent-fill"),
  };
}

/**
 * The colour of a line: that of its swatch.
 * @param {HTMLElement} swatch
 * @returns {string}
 */
export const colourOf = (swatch) => getComputedStyle(swatch).color;

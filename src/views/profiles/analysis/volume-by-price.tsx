/** @jsxImportSource hono/jsx */
/** The volume by price as bars beside the prices, and as a table. */

import type { VolumeProfile } from "../../../domain/profiles/volume-profile.ts";
import { formatCompact, formatCount, formatValue, plural } from "../../ui/format.ts";

/** Size of the drawing in its own units: a row for each bin. */
const WIDTH = 100;
const ROW = 4;

export const VolumeByPrice = ({ profile }: { profile: VolumeProfile }) => {
  const { low, high, volumes, control, area, unknown } = profile;
  const height = (high - low) / volumes.length;
  const edge = (bin: number) => low + bin * height;
  const most = Math.max(...volumes);
  const total = volumes.reduce((sum, volume) => sum + volume, 0);
  const share = (volume: number) => `${((100 * volume) / total).toFixed(1)}%`;
  const range = (from: number, to: number) => `${formatValue(edge(from))} to ${formatValue(edge(to + 1))}`;
  const words = `Most volume at ${range(control, control)}; 70% between ${formatValue(edge(area[0]))} and ${formatValue(edge(area[1] + 1))}`;
  return (
    <section class="analysis-card" aria-labelledby="volume-by-price-title">
      <h3 id="volume-by-price-title">Volume by price</h3>
      <p class="muted">{words}.</p>
      <div class="volume-profile">
        <span class="num">{formatValue(high)}</span>
        <svg
          viewBox={`0 0 ${WIDTH} ${volumes.length * ROW}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={`Volume by price from ${formatValue(low)} to ${formatValue(high)}. ${words}`}
        >
          {volumes.map((volume, bin) => (
            <rect
              class={bin === control ? "control" : bin >= area[0] && bin <= area[1] ? "area" : undefined}
              x={0}
              y={(volumes.length - 1 - bin) * ROW}
              width={((WIDTH * volume) / most).toFixed(2)}
              height={ROW - 0.5}
            />
          ))}
        </svg>
        <span class="num">{formatValue(low)}</span>
      </div>
      <p class="muted">
        The volume of a bar is dealt out evenly from its low to its high; the value area grows from the most traded
        price until it holds 70% (Steidlmayer 1984).
        {unknown > 0 ? ` ${plural(unknown, "bar")} of unknown volume left out.` : ""}
      </p>
      <details>
        <summary>As a table</summary>
        <section class="scroll" tabindex={0} aria-label="Volume by price, table">
          <table class="list">
            <thead>
              <tr>
                <th scope="col" class="num">
                  Price
                </th>
                <th scope="col" class="num">
                  Volume
                </th>
                <th scope="col" class="num">
                  Share
                </th>
              </tr>
            </thead>
            <tbody>
              {volumes
                .map((volume, bin) => (
                  <tr>
                    <td class="num">{range(bin, bin)}</td>
                    <td class="num" title={formatCount(volume)}>
                      {formatCompact(volume)}
                    </td>
                    <td class="num">{share(volume)}</td>
                  </tr>
                ))
                .reverse()}
            </tbody>
          </table>
        </section>
      </details>
    </section>
  );
};

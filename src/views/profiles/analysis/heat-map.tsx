/** @jsxImportSource hono/jsx */
/** A table of mean returns whose cells are coloured by their size; every cell has its number too. */

import type { Seasonality, SeasonCell } from "../../../domain/profiles/seasonality.ts";
import { formatCount, formatSigned } from "../../ui/format.ts";

interface Props {
  readonly title: string;
  readonly seasonality: Seasonality;
  readonly rowTitle: (row: number) => string;
  readonly columnTitle: (column: number) => string;
  /** The title of the rows. */
  readonly corner: string;
  readonly note: string;
  /** What a return is multiplied with. */
  readonly scale: number;
  readonly decimals: number;
  readonly unit: string;
  /** Whether a cell is one return, and not a mean of several. */
  readonly isSingle?: boolean;
}

/** Steps of colour to each side. */
const STEPS = 4;
/** A mean of fewer returns says little. */
const FEW = 10;

export const HeatMap = (props: Props) => {
  const { title, seasonality, rowTitle, columnTitle, corner, note, isSingle } = props;
  const { rows, columns, cells, totals } = seasonality;
  // The largest tenth is as dark as can be, so that one extreme does not leave all others pale.
  const sizes = cells
    .flat()
    .flatMap((cell) => (cell === null ? [] : [Math.abs(cell.mean)]))
    .sort((a, b) => a - b);
  const most = sizes[Math.floor(sizes.length * 0.9)] ?? 0;
  const id = `heat-${corner.toLowerCase()}`;
  return (
    <section class="analysis-card wide" aria-labelledby={id}>
      <h3 id={id}>{title}</h3>
      {rows.length === 0 ? (
        <p class="muted">There are not enough bars.</p>
      ) : (
        <section class="scroll" tabindex={0} aria-label={`${title}, table`}>
          <table class="heat num">
            <thead>
              <tr>
                <th scope="col">{corner}</th>
                {columns.map((column) => (
                  <th scope="col">{columnTitle(column)}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row, at) => (
                <tr>
                  <th scope="row">{rowTitle(row)}</th>
                  {cells[at]!.map((cell) => (
                    <Cell cell={cell} most={most} isTotal={false} {...props} />
                  ))}
                </tr>
              ))}
            </tbody>
            <tfoot>
              <tr>
                <th scope="row">{isSingle ? "Mean" : "All"}</th>
                {totals.map((cell) => (
                  <Cell cell={cell} most={most} isTotal {...props} />
                ))}
              </tr>
            </tfoot>
          </table>
        </section>
      )}
      <p class="muted">{note}</p>
    </section>
  );
};

interface CellProps extends Props {
  readonly cell: SeasonCell | null;
  readonly most: number;
  readonly isTotal: boolean;
}

const Cell = ({ cell, most, scale, decimals, unit, isSingle, isTotal }: CellProps) => {
  if (cell === null) return <td class="muted">–</td>;
  const step = most > 0 ? Math.max(-STEPS, Math.min(STEPS, Math.round((cell.mean / most) * STEPS))) : 0;
  const heat = step === 0 ? "" : step > 0 ? `heat-up-${step}` : `heat-down-${-step}`;
  const text = formatSigned(cell.mean * scale, decimals);
  const share = `${formatCount(cell.count)} returns, ${(cell.positive * 100).toFixed(0)}% above 0`;
  const isFew = !isSingle && cell.count < FEW;
  return (
    <td class={isFew ? "few" : heat} title={`${text} ${unit}${isSingle && !isTotal ? "" : `: ${share}`}`}>
      {text}
    </td>
  );
};

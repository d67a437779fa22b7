// The chart's twin: the same columns as a table, newest first.
//
// Must hold: rows that are left out are counted in the caption; numbers are exact in their title, and an
// age has its date there.
import type { Drawn } from "../../state/feed.ts";
import { formatExact, formatShare, formatValue } from "../../format/number.ts";
import { moment } from "../../format/time.ts";
import { momentOf, observations } from "./readout.ts";

interface Props {
  readonly name: string;
  readonly drawn: Drawn;
  readonly rowsMax: number;
}

export function DataTable({ name, drawn, rowsMax }: Props) {
  const { data } = drawn;
  const rows = data.times.map((_, i) => i).filter((i) => data.lines.some((line) => typeof line.values[i] === "number"));
  const shown = rows.slice(-rowsMax).reverse();
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label={`${name} as a table`}>
      <table>
        <caption>
          {shown.length < rows.length ? `The newest ${shown.length} of ${rows.length} times` : `${rows.length} times`}, newest first
        </caption>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {data.lines.map((line) => (
              <th key={line.key} scope="col">
                {line.label}
              </th>
            ))}
            {data.heat && <th scope="col">observations</th>}
          </tr>
        </thead>
        <tbody>
          {shown.map((i) => (
            <tr key={data.times[i]}>
              <th scope="row">{moment(data.times[i] as number)}</th>
              {data.lines.map((line) => {
                const value = line.values[i];
                return typeof value === "number" ? (
                  <td key={line.key} title={momentOf(data, line.values, i) ?? formatExact(value)}>
                    {formatValue(value, data.unit)}
                  </td>
                ) : (
                  <td key={line.key} />
                );
              })}
              {data.heat && <td>{formatShare(observations(data, i) ?? 0)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

// Cardinality: how many series of how many, which metrics and labels make them, what grew, and who was refused.
import type { Cardinality } from "../../api/types.ts";
import { refusalLimit, refusalText } from "../../derive/warnings.ts";
import { formatCount, formatValue } from "../../format/number.ts";
import { dateTime, moment } from "../../format/time.ts";
import { Meter } from "./Meter.tsx";

export function Series({ info, nowMs }: { info: Cardinality; nowMs: number }) {
  const { total_series: series, series_limit: limit, growth, last_refusal: refusal } = info;
  const share = series / Math.max(1, limit);
  const percent = `${Math.round(100 * share)} %`;
  const since = Date.parse(growth.since);
  return (
    <>
      <p class="figure">
        <strong>{formatCount(series)}</strong> of {formatCount(limit)} series <span class="figure-share">{percent}</span>
      </p>
      <Meter label="Series limit" text={`${formatCount(series)} of ${formatCount(limit)} series, ${percent}`} shares={[{ name: "series", share }]} />
      <p class="panel-note">
        {formatCount(info.unique_metrics)} metrics · {info.per_metric_limit > 0 ? `at most ${formatCount(info.per_metric_limit)} series each` : "no limit per metric"}
        {" · "}
        {formatCount(info.refused_total)} refused · {formatCount(info.expired_total)} forgotten
      </p>
      {refusal && (
        <p class="refusal">
          <strong>Last refusal, {formatValue(Math.max(0, nowMs - Date.parse(refusal.at)) / 1000, "age")}:</strong> {refusalText(refusal, info)};{" "}
          {refusalLimit(refusal, info)}.
        </p>
      )}
      <div class="tops">
        <div>
          <Top title="Metrics with the most series" head="Metric" columns={["Series"]} rows={info.top_metrics.map((m) => [m.metric, m.series])} />
        </div>
        <div>
          <Top
            title="Labels with the most values"
            head="Label"
            columns={["Values", "Series"]}
            rows={info.top_labels.map((l) => [l.label, l.values, l.series])}
          />
          {growth.labels.length > 0 && (
            <Top
              title={`Values added since ${moment(since).slice(0, -3)}`}
              head="Label"
              columns={["New values"]}
              rows={growth.labels.map((l) => [l.label, l.values_added])}
            />
          )}
        </div>
        <div title={`Since ${dateTime(since)}`}>
          <Top
            title={`Series added since ${moment(since).slice(0, -3)}: ${formatCount(growth.series_added)}`}
            head="Metric"
            columns={["New series"]}
            rows={growth.metrics.map((m) => [m.metric, m.series])}
          />
        </div>
      </div>
    </>
  );
}

interface TopProps {
  readonly title: string;
  readonly head: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly [name: string, ...numbers: number[]])[];
}

/** A ranking; the bar behind a row is its first number beside the largest. */
function Top({ title, head, columns, rows }: TopProps) {
  const largest = Math.max(1, ...rows.map((row) => row[1] ?? 0));
  return (
    <table class="top">
      <caption>{title}</caption>
      <thead>
        <tr>
          <th scope="col">{head}</th>
          {columns.map((column) => (
            <th key={column} scope="col">
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(([name, ...numbers]) => (
          <tr key={name}>
            <th scope="row" title={name}>
              <span class="top-bar" aria-hidden="true" style={{ width: `${(100 * (numbers[0] ?? 0)) / largest}%` }} />
              <span class="top-name">{name}</span>
            </th>
            {numbers.map((n, i) => (
              <td key={i}>{formatCount(n)}</td>
            ))}
          </tr>
        ))}
        {rows.length === 0 && (
          <tr>
            <td colSpan={columns.length + 1} class="top-none">
              none
            </td>
          </tr>
        )}
      </tbody>
    </table>
  );
}

// How much of the budget is used, and what each resolution holds.
import type { Level, Storage } from "../../api/types.ts";
import { diskParts, wholeBytes, type DiskPart, type PartName } from "../../derive/disk.ts";
import { formatCount, formatValue } from "../../format/number.ts";
import { dateTime } from "../../format/time.ts";
import { Meter } from "./Meter.tsx";

const WARNINGS_AT = [0.8, 0.9];

const LEVELS: Readonly<Record<Level, string>> = { normal: "", warning_80: "over 80 %", warning_90: "over 90 %", full: "full" };

const GOES = "When the budget is spent, the oldest samples go first, then the oldest windows. Raise --max-storage, or keep samples shorter with --retention-raw.";
const HAPPENS: Readonly<Record<Exclude<Level, "normal">, string>> = {
  warning_80: GOES,
  warning_90: GOES,
  full: "Nothing more may be dropped, so new samples are refused. Raise --max-storage, or keep data shorter with --retention-raw.",
};

const NAMES: Readonly<Record<PartName, { name: string; hint: string }>> = {
  raw: { name: "Samples", hint: "as they were pushed" },
  "5m": { name: "5 min windows", hint: "first, lowest, highest, last, increase" },
  "1h": { name: "1 h windows", hint: "first, lowest, highest, last, increase" },
  log: { name: "Log", hint: "pushed, not yet written to tables" },
  catalogue: { name: "Catalogue", hint: "which series there are, and the like" },
  reserve: { name: "Reserve", hint: "room to free room with when the disk is full" },
};

export function Disk({ info }: { info: Storage }) {
  const parts = diskParts(info);
  const whole = wholeBytes(info);
  const used = formatValue(info.used_bytes, "bytes");
  const of = info.max_bytes > 0 ? `of ${formatValue(info.max_bytes, "bytes")}` : "used, no budget";
  const percent = info.max_bytes > 0 ? `${Math.round(info.percent)} %` : "";
  return (
    <>
      <p class="figure">
        <strong title={`${formatCount(info.used_bytes)} bytes`}>{used}</strong> {of}
        {percent && <span class="figure-share">{percent}</span>}
        {info.level !== "normal" && <span class={`level level-${info.level}`}>{LEVELS[info.level]}</span>}
      </p>
      <Meter
        label="Disk budget"
        text={[used, of, percent].filter(Boolean).join(" ")}
        shares={parts.map(({ name, bytes }) => ({ name, share: bytes / whole }))}
        marks={info.max_bytes > 0 ? WARNINGS_AT : []}
      />
      {info.level !== "normal" && <p class="panel-note">{HAPPENS[info.level]}</p>}
      <table class="kept">
        <caption class="visually-hidden">What takes the room, from when to when it is, and how long it is kept</caption>
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">Size</th>
            <th scope="col">Holds</th>
            <th scope="col">From – to</th>
            <th scope="col">Kept for</th>
          </tr>
        </thead>
        <tbody>
          {parts.map((part) => (
            <Row key={part.name} part={part} />
          ))}
        </tbody>
      </table>
      <p class="panel-note">
        {info.engine === "memory" ? "In memory only: gone with the server." : <>In <code>{info.data_dir}</code></>}
      </p>
    </>
  );
}

function Row({ part: { name, bytes, kept } }: { part: DiskPart }) {
  const { name: title, hint } = NAMES[name];
  return (
    <tr>
      <th scope="row">
        <span class="kept-name">
          <span class={`swatch part-${name}`} aria-hidden="true" />
          <span>
            {title} <span class="hint">{hint}</span>
          </span>
        </span>
      </th>
      <td data-column="Size" title={`${formatCount(bytes)} bytes`}>
        {formatValue(bytes, "bytes")}
      </td>
      <td data-column="Holds">{kept && counted(kept.rows, name === "raw" ? "sample" : "window")}</td>
      <td data-column="From – to" title={kept?.dropped_until ? `What is older than ${minute(kept.dropped_until)} has been dropped` : undefined}>
        {kept && (kept.oldest && kept.newest ? `${minute(kept.oldest)} – ${minute(kept.newest)}` : "nothing yet")}
      </td>
      <td data-column="Kept for">{kept?.retention}</td>
    </tr>
  );
}

function counted(n: number, noun: string): string {
  return `${formatValue(n, "none")} ${noun}${n === 1 ? "" : "s"}`;
}

function minute(rfc3339: string): string {
  return dateTime(Date.parse(rfc3339)).slice(0, -3);
}

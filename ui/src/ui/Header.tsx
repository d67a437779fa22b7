// The sticky header: brand, the server's numbers, whether it answers, theme and help.
//
// Must hold: all of it stays reachable at 390 px (the numbers wrap onto a second row, the budget is in the view
// Storage); the connection
// is announced when it changes, the numbers are not (they change all the time).
import type { ComponentChildren } from "preact";
import { formatCount, formatValue } from "../format/number.ts";
import { connection, stats, storage, type Connection } from "../state/live.ts";
import { theme, toggleTheme } from "../state/theme.ts";
import { Icon, Logo } from "./Icon.tsx";
import { Tabs } from "./Tabs.tsx";

const CONNECTION: Readonly<Record<Connection, string>> = {
  connecting: "○ Connecting…",
  live: "● Live",
  reconnecting: "○ Reconnecting…",
};

export function Header({ onHelp }: { onHelp: () => void }) {
  return (
    <header class="header">
      <div class="header-inner">
        <h1 class="brand">
          <Logo />
          TinyObs
        </h1>
        <Tabs place="wide" />
        <dl class="stats">
          <Stat name="Series">{stats.value && formatCount(stats.value.TotalSeries)}</Stat>
          <Stat name="Samples">{stats.value && <Samples count={stats.value.TotalMetrics} />}</Stat>
          <Stat name="Storage">{storage.value && <Used />}</Stat>
        </dl>
        <div class="header-tools">
          <span class={`connection ${connection.value}`} role="status">
            {CONNECTION[connection.value]}
          </span>
          <button type="button" class="icon-button" aria-label={themeTitle()} title={`${themeTitle()} (T)`} onClick={toggleTheme}>
            <Icon name={theme.value === "dark" ? "sun" : "moon"} />
          </button>
          <button type="button" class="icon-button" aria-label="Help" title="Help (?)" onClick={onHelp}>
            <Icon name="help" />
          </button>
        </div>
      </div>
    </header>
  );
}

function Stat({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div class="stat">
      <dt>{name}</dt>
      <dd>{children ?? <span class="skeleton skeleton-text" />}</dd>
    </div>
  );
}

function Samples({ count }: { count: number }) {
  return <span title={`${formatCount(count)} samples stored`}>{formatValue(count, "none")}</span>;
}

function Used() {
  const info = storage.value;
  if (info === null) return null;
  const used = formatValue(info.used_bytes, "bytes");
  const title = `${formatCount(info.used_bytes)} bytes, engine ${info.engine}${info.data_dir && `, in ${info.data_dir}`}`;
  return (
    <span title={title}>
      {used}
      {info.max_bytes > 0 && <span class="wide-only"> of {formatValue(info.max_bytes, "bytes")}</span>}
    </span>
  );
}

function themeTitle(): string {
  return theme.value === "dark" ? "Use the light theme" : "Use the dark theme";
}

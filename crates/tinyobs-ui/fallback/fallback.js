// The simple page: a list of metrics and one canvas chart, without any library.
//
// Must hold: text reaches the page as text only, never as markup; the page works under the server's
// Content-Security-Policy.
"use strict";

const HOUR_MS = 3600000;
const REFRESH_MS = 5000;
const SERIES_MAX = 8;
const COLOURS = ["#2f6bdb", "#c4600b", "#0a8a78", "#b5318c", "#8a6a00", "#1c7fb0", "#c2352f", "#6a44cf"];

const byId = (id) => document.getElementById(id);
let names = [];
let chosen = null;

byId("filter").addEventListener("input", listMetrics);
addEventListener("resize", drawChosen);
refresh();
setInterval(refresh, REFRESH_MS);

async function refresh() {
  try {
    const [list, stats] = await Promise.all([get("v1/metrics/list"), get("v1/stats")]);
    byId("state").textContent = `● Live · ${stats.TotalSeries} series · ${stats.TotalMetrics} samples`;
    if (JSON.stringify(list.metrics) !== JSON.stringify(names)) {
      names = list.metrics;
      listMetrics();
    }
    await drawChosen();
  } catch {
    byId("state").textContent = "○ Reconnecting…";
  }
}

async function get(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.json();
}

function listMetrics() {
  const wanted = byId("filter").value.toLowerCase();
  const rows = names.filter((name) => name.toLowerCase().includes(wanted)).map((name) => {
    const row = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.setAttribute("aria-pressed", String(name === chosen));
    button.addEventListener("click", () => {
      chosen = name;
      listMetrics();
      drawChosen();
    });
    row.append(button);
    return row;
  });
  byId("metrics").replaceChildren(...rows);
}

async function drawChosen() {
  if (chosen === null) return;
  const end = Date.now();
  const start = end - HOUR_MS;
  const query = new URLSearchParams({ metric: chosen, start: String(start), end: String(end), maxPoints: "500" });
  const { data } = await get(`v1/query/range?${query}`);
  const shown = data.filter((series) => series.points.length > 0).slice(0, SERIES_MAX);
  byId("title").textContent = chosen;
  byId("summary").textContent = `The last hour, raw values, ${shown.length} of ${data.length} series.`;
  draw(shown, start, end);
  byId("legend").replaceChildren(...shown.map(legendRow));
}

function legendRow(series, i) {
  const row = document.createElement("li");
  const labels = Object.entries(series.labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  row.textContent = `{${labels.join(", ")}} ${series.points.at(-1).v}`;
  row.style.borderLeftColor = COLOURS[i];
  return row;
}

function draw(shown, start, end) {
  const canvas = byId("chart");
  const ratio = devicePixelRatio || 1;
  const width = (canvas.width = canvas.clientWidth * ratio);
  const height = (canvas.height = canvas.clientHeight * ratio);
  const values = shown.flatMap((series) => series.points.map((point) => point.v));
  const low = Math.min(0, ...values);
  const high = Math.max(low + 1e-9, ...values);
  const left = 70 * ratio;
  const bottom = height - 24 * ratio;
  const x = (t) => left + ((t - start) / (end - start)) * (width - left);
  const y = (v) => bottom - ((v - low) / (high - low)) * (bottom - 12 * ratio);
  const context = canvas.getContext("2d");
  context.font = `${12 * ratio}px system-ui, sans-serif`;
  context.fillStyle = getComputedStyle(document.body).color;
  for (const value of [low, (low + high) / 2, high]) context.fillText(value.toPrecision(3), 0, y(value) + 4 * ratio);
  for (const t of [start, (start + end) / 2]) context.fillText(new Date(t).toLocaleTimeString(), x(t), height - 4 * ratio);
  shown.forEach((series, i) => {
    context.strokeStyle = COLOURS[i];
    context.lineWidth = 1.5 * ratio;
    context.beginPath();
    for (const point of series.points) context.lineTo(x(point.t), y(point.v));
    context.stroke();
    // A single sample has no line.
    context.fillStyle = COLOURS[i];
    for (const point of series.points) context.fillRect(x(point.t) - ratio, y(point.v) - ratio, 2 * ratio, 2 * ratio);
  });
}

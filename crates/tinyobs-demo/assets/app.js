// The stats page. Whatever is shown goes in as text, never as markup.
"use strict";

const LOG_LINES = 20;
const byId = (id) => document.getElementById(id);

function log(text, good) {
  const line = document.createElement("li");
  line.className = good ? "good" : "bad";
  line.textContent = `${new Date().toLocaleTimeString()}  ${text}`;
  const list = byId("log");
  list.prepend(line);
  while (list.children.length > LOG_LINES) list.lastChild.remove();
}

async function test(endpoint) {
  const started = performance.now();
  try {
    const response = await fetch(endpoint);
    await response.text();
    const ms = Math.round(performance.now() - started);
    log(`GET ${endpoint} ${response.status} in ${ms} ms`, response.ok);
  } catch {
    log(`GET ${endpoint} got no answer`, false);
  }
}

function listEndpoints(endpoints) {
  const list = byId("endpoints");
  if (list.children.length > 0) return;
  for (const endpoint of endpoints) {
    const item = document.createElement("li");
    const name = document.createElement("code");
    name.textContent = `GET ${endpoint}`;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Test";
    button.setAttribute("aria-label", `Test GET ${endpoint}`);
    button.addEventListener("click", () => test(endpoint));
    item.append(name, button);
    list.append(item);
  }
}

function linkDashboard(address) {
  // Only web addresses: another scheme could run a script.
  if (!/^https?:\/\//.test(address)) return;
  const link = byId("dashboard");
  link.href = address;
  link.hidden = false;
}

let reachable = true;

async function refresh() {
  try {
    const stats = await (await fetch("api/stats")).json();
    byId("requests").textContent = stats.requests.toLocaleString();
    byId("errors").textContent = stats.errors.toLocaleString();
    byId("active").textContent = stats.active.toLocaleString();
    byId("uptime").textContent = stats.uptime;
    listEndpoints(stats.endpoints);
    linkDashboard(stats.dashboard);
    if (!reachable) log("The app is back", true);
    reachable = true;
  } catch {
    if (reachable) log("The app does not answer", false);
    reachable = false;
  }
}

refresh();
setInterval(refresh, 1000);

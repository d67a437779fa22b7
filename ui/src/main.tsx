// Start: styles, live data, the debug object, the page.
//
//   [main] → state/live.ts, state/status.ts (poll) → ui/App.tsx → views → chart
import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/header.css";
import "./styles/dashboard.css";
import "./styles/card.css";
import "./styles/empty.css";
import "./styles/banner.css";
import "./styles/storage.css";
import "./styles/dialog.css";
import { exposeDebug } from "./debug/registry.ts";
import { startLive } from "./state/live.ts";
import { startStatus } from "./state/status.ts";
import { App } from "./ui/App.tsx";

exposeDebug();
startLive();
startStatus();
render(<App />, document.getElementById("app") as HTMLElement);

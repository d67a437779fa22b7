// The Dashboard view: every service found by itself, a card per metric family.
//
//   state/live.ts metrics → [Dashboard] → Service → Card → Chart
//                              └──▶ Empty, while nothing is stored
import { useEffect, useMemo, useState } from "preact/hooks";
import { sectionsOf } from "../../derive/family.ts";
import { connection, metrics } from "../../state/live.ts";
import { Empty } from "./Empty.tsx";
import { Service } from "./Service.tsx";
import { Toolbar } from "./Toolbar.tsx";

/** How long "first sample received" is shown before the dashboard takes over. */
const CELEBRATION_MS = 2_500;

type Stage = "unknown" | "waiting" | "received" | "charts";

export function Dashboard() {
  const stage = useStage();
  const details = metrics.value;
  const sections = useMemo(() => sectionsOf(details ?? []), [details]);
  if (stage === "unknown") return connection.value === "reconnecting" ? <NoAnswer /> : <Loading />;
  if (stage === "waiting" || stage === "received") return <Empty received={stage === "received"} />;
  const cards = sections.reduce((sum, s) => sum + s.families.length + s.background.length, 0);
  return (
    <>
      <Toolbar services={sections.length} metrics={cards} />
      {sections.map((section) => (
        <Service key={section.service} section={section} />
      ))}
    </>
  );
}

function useStage(): Stage {
  const [stage, setStage] = useState<Stage>("unknown");
  const count = metrics.value?.length ?? null;
  useEffect(() => {
    if (count === null) return;
    if (count === 0) return setStage("waiting");
    setStage((now) => (now === "waiting" || now === "received" ? "received" : "charts"));
  }, [count]);
  useEffect(() => {
    if (stage !== "received") return;
    const timer = setTimeout(() => setStage("charts"), CELEBRATION_MS);
    return () => clearTimeout(timer);
  }, [stage]);
  return stage;
}

function Loading() {
  return (
    <div class="loading" role="status">
      <span class="visually-hidden">Loading</span>
      <div class="grid" aria-hidden="true">
        {Array.from({ length: 6 }, (_, i) => (
          <div key={i} class="card">
            <div class="skeleton skeleton-title" />
            <div class="skeleton skeleton-chart" />
          </div>
        ))}
      </div>
    </div>
  );
}

function NoAnswer() {
  return (
    <div class="notice" role="status">
      <h2>The server does not answer</h2>
      <p>Trying again every two seconds. Is TinyObs still running?</p>
    </div>
  );
}

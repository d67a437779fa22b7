// Nothing stored yet: how to send the first sample, and a light that turns green when it arrives.
import { useId, useState } from "preact/hooks";
import { CopyButton } from "../../ui/CopyButton.tsx";
import { snippets } from "./snippets.ts";

export function Empty({ received }: { received: boolean }) {
  return (
    <div class="empty">
      <h2>Send your first sample</h2>
      <p class="empty-lead">
        TinyObs is running and has nothing to show yet. Push one metric and this page becomes your dashboard: services
        and charts appear by themselves.
      </p>
      <Tabs />
      <p class={received ? "waiting received" : "waiting"} role="status">
        <span class="waiting-light" aria-hidden="true" />
        {received ? "First sample received ✓" : "Waiting for the first sample…"}
      </p>
      <p class="empty-note">
        No app at hand? <code>tinyobs serve --demo</code> starts one.
      </p>
    </div>
  );
}

function Tabs() {
  const all = snippets(location.origin);
  const [chosen, setChosen] = useState(0);
  const id = useId();
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    const next = (chosen + step + all.length) % all.length;
    setChosen(next);
    document.getElementById(`${id}-tab-${next}`)?.focus();
  };
  const snippet = all[chosen];
  if (snippet === undefined) return null;
  return (
    <div class="snippets">
      <div class="tabs" role="tablist" aria-label="Ways to send a sample" onKeyDown={onKeyDown}>
        {all.map((item, i) => (
          <button
            key={item.id}
            id={`${id}-tab-${i}`}
            type="button"
            role="tab"
            class="tab"
            aria-selected={i === chosen}
            aria-controls={`${id}-panel`}
            tabIndex={i === chosen ? 0 : -1}
            onClick={() => setChosen(i)}
          >
            {item.title}
          </button>
        ))}
      </div>
      <div class="snippet" id={`${id}-panel`} role="tabpanel" aria-labelledby={`${id}-tab-${chosen}`}>
        <div class="snippet-head">
          <p>{snippet.lead}</p>
          <CopyButton key={snippet.id} text={snippet.code} />
        </div>
        <pre tabIndex={0}>
          <code>{snippet.code}</code>
        </pre>
      </div>
    </div>
  );
}

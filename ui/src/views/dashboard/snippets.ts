// The empty state's snippets: what *this* server accepts, ready to paste.
//
// Must hold: each `code` works as it stands against `origin`; what this release does not receive has none.
// The curl one is one line, the same as in the server's banner and in the documentation.

export interface Snippet {
  readonly id: string;
  readonly title: string;
  readonly lead: string;
  /** null: nothing to paste yet. */
  readonly code: string | null;
}

export function snippets(origin: string): Snippet[] {
  return [
    {
      id: "curl",
      title: "curl",
      lead: "One sample from your terminal:",
      code: `curl ${origin}/v1/ingest -H 'content-type: application/json' -d '{"metrics":[{"name":"room_temperature_celsius","type":"gauge","value":21.5,"labels":{"service":"my-app"}}]}'`,
    },
    {
      id: "rust",
      title: "Rust",
      lead: "In your application, with the tinyobs crate:",
      code: [
        `let client = tinyobs::Client::builder("my-app").endpoint("${origin}").start()?;`,
        `let orders = client.counter("orders_total", &[("kind", "web")]);`,
        `orders.inc();`,
      ].join("\n"),
    },
    {
      id: "otel",
      title: "OpenTelemetry",
      lead: "This release does not receive OpenTelemetry (OTLP) yet; the next one does. Until then, use curl or the tinyobs crate.",
      code: null,
    },
  ];
}

// The empty state's snippets: what *this* server accepts, ready to paste.
//
// Must hold: each `code` names `origin` and works as it stands, or says in its first line from when on.
// The curl one is one line, the same as in the server's banner and in the documentation.

export interface Snippet {
  readonly id: string;
  readonly title: string;
  readonly lead: string;
  readonly code: string;
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
      lead: "This release does not receive OpenTelemetry (OTLP) yet; the next one does. These variables will do then:",
      code: [
        `# From the next release on; this one answers 404.`,
        `export OTEL_METRICS_EXPORTER=otlp`,
        `export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf`,
        `export OTEL_EXPORTER_OTLP_ENDPOINT=${origin}`,
      ].join("\n"),
    },
  ];
}

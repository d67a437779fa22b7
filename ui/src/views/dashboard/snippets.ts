// The empty state's snippets: what *this* server accepts, ready to paste.
//
// Must hold: each works as it stands against `origin`; the curl one is one line.

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
      code: `curl -X POST ${origin}/v1/ingest -H 'Content-Type: application/json' -d '{"metrics":[{"name":"hello_total","type":"counter","value":1,"labels":{"service":"my-app"}}]}'`,
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
      lead: "OpenTelemetry: the environment of any SDK. Receiving OTLP comes with the next release of TinyObs.",
      code: [`OTEL_EXPORTER_OTLP_ENDPOINT=${origin}`, `OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf`].join("\n"),
    },
  ];
}

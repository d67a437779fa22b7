import { expect, test } from "vitest";
import { snippets } from "./snippets.ts";

test("the first sample is a gauge with a service, sent by one curl", () => {
  expect(snippets("http://localhost:8080")[0]?.code).toBe(
    `curl http://localhost:8080/v1/ingest -H 'content-type: application/json' -d '{"metrics":[{"name":"room_temperature_celsius","type":"gauge","value":21.5,"labels":{"service":"my-app"}}]}'`,
  );
});

test("what is not received yet says so where it is pasted, too", () => {
  const otel = snippets("http://localhost:8080").find(({ id }) => id === "otel");
  expect(otel?.code).toMatch(/^# From the next release on/);
  expect(otel?.code).toContain("OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:8080");
  expect(otel?.lead).toContain("does not receive OpenTelemetry (OTLP) yet");
});

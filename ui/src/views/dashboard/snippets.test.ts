import { expect, test } from "vitest";
import { snippets } from "./snippets.ts";

test("the first sample is a gauge with a service, sent by one curl", () => {
  expect(snippets("http://localhost:8080")[0]?.code).toBe(
    `curl http://localhost:8080/v1/ingest -H 'content-type: application/json' -d '{"metrics":[{"name":"room_temperature_celsius","type":"gauge","value":21.5,"labels":{"service":"my-app"}}]}'`,
  );
});

test("there is nothing to paste for what is not received yet", () => {
  const otel = snippets("http://localhost:8080").find(({ id }) => id === "otel");
  expect(otel?.code).toBeNull();
  expect(otel?.lead).toContain("does not receive OpenTelemetry (OTLP) yet");
});

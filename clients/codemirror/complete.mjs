// What people see who write a query in the editor of Prometheus' own pages: its completion, asked of the
// server in the first argument. The second is a file of queries with what must be offered, as JSON:
//
//   [{"text": "rate(ord|)", "offers": ["orders_total"], "not": ["load"], "says": {"orders_total": "counter: Orders."}}, …]
//
// The stroke is where the cursor stands. Ends with an error that names the first query whose offers are others.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { CompletionContext } = require("@codemirror/autocomplete");
const { ensureSyntaxTree } = require("@codemirror/language");
const { EditorState } = require("@codemirror/state");
const { newCompleteStrategy, promQLLanguage, LanguageType } = require("@prometheus-io/codemirror-promql");

const [url, file] = process.argv.slice(2);
const errors = [];
const language = promQLLanguage(LanguageType.PromQL);

for (const httpMethod of ["POST", "GET"]) {
  const remote = { url, httpMethod, httpErrorHandler: (error) => errors.push(error) };
  for (const { text: place, offers, not = [], says = {} } of JSON.parse(readFileSync(file, "utf8"))) {
    // One each: its client remembers what other places were offered.
    const strategy = newCompleteStrategy({ remote });
    const at = place.indexOf("|");
    const text = place.replace("|", "");
    const state = EditorState.create({ doc: text, extensions: [language] });
    assert(ensureSyntaxTree(state, text.length, 5_000), `${text} is not parsed in time`);
    const result = await strategy.promQL(new CompletionContext(state, at, true));
    const found = new Map((result?.options ?? []).map((option) => [option.label, option]));
    const told = `${httpMethod}: ${place} is offered ${[...found.keys()].slice(0, 40).join(" ")}`;
    for (const label of offers) assert(found.has(label), `${told}, not ${label}`);
    for (const label of not) assert(!found.has(label), `${told}, ${label} among them`);
    for (const [label, said] of Object.entries(says)) {
      const { detail, info } = found.get(label) ?? {};
      assert.equal(`${detail}: ${info}`, said, told);
    }
    strategy.destroy?.();
  }
}
assert.deepEqual(errors, []);
// Its caches have timers of minutes.
process.exit(0);

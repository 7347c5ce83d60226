// Search tools as the box above Galaxy's tool panel does, with the client's own code.
// node tool_search.mjs WORKER < {"tools": [{id, name, description}], "queries": [...]}: {query: ids}, best first.
import { readFileSync } from "node:fs";

let listen, answer;
globalThis.self = { addEventListener: (_, heard) => (listen = heard), postMessage: (told) => (answer = told) };
await import(process.argv[2]);
const { tools, queries } = JSON.parse(readFileSync(0, "utf8"));
const section = { model_class: "ToolSection", id: "bioimage", name: "Bioimage", tools: tools.map((one) => one.id) };
const found = {};
for (const query of queries) {
  listen({ data: { type: "searchTools", payload: { tools, query, currentPanel: { bioimage: section }, favoriteToolIds: [] } } });
  found[query] = answer.payload;
}
console.log(JSON.stringify(found));

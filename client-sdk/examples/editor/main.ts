/** `npm run example:editor`: a node and the collaborative editor's page. */
import { runExample } from "../run.ts"

await runExample({
  script: "example:editor",
  title: "Causeway: collaborative editor",
  folder: import.meta.dirname,
  port: 8650,
  hint:
    "Open the page twice, the second time with ?name=Ben behind its address: tabs of one name\n" +
    "share a client. Type in both, and switch one of them offline.",
})

/** `npm run example:todo`: a node and the to-do list's page. */
import { runExample } from "../run.ts"

await runExample({
  script: "example:todo",
  title: "Causeway: to-do list",
  folder: import.meta.dirname,
  port: 8651,
  hint:
    "Open the page twice, the second time with ?name=Ben behind its address: tabs of one name\n" +
    "share a client. Work offline in one, and change the same item in both.",
})

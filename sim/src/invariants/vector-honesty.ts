/**
 * What a node says of itself over HTTP is true at any moment: its vector never runs ahead of its
 * disk. What it tells peers and clients is compared frame by frame as it leaves, by the oracle
 * (`checkers/node-output.ts`), under the same name.
 */
import { parseOriginId } from "@causeway/crdt/base"
import { demand } from "../violation.ts"
import type { Invariant } from "./invariant.ts"

const INVARIANT = "vector-honesty"

export const vectorHonesty: Invariant = {
  name: INVARIANT,
  explain: "a node that says it holds an origin up to a seq durably holds every entry to there",
  watch: ({ nodes }) => ({
    onTick() {
      for (const { node, core, disk } of nodes) {
        for (const [text, seq] of Object.entries(core?.status().vector ?? {})) {
          const origin = parseOriginId(text)
          const held = origin === undefined ? 0 : disk.durable.head(origin).seq
          demand(seq <= held, INVARIANT, () => `${node} claims ${text} ${seq}, durable ${held}`)
        }
      }
    },
  }),
}

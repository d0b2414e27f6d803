/** Own states are newer than whatever was said of them before, by whomever. */
import { expect, test } from "vitest"
import { presenceGone } from "../protocol/index.ts"
import { PresenceTable } from "./presence-table.ts"

const here = new TextEncoder().encode('{"cursor":1}')

test("[N9] a state that was another client's begins above what is known of it", () => {
  const table = new PresenceTable()
  table.receive([{ client: 7, clock: 58, state: here }])
  table.set(7, here)
  expect(table.outgoing()).toEqual([{ client: 7, clock: 59, state: here }])
  table.set(8, here, 1000)
  expect(table.outgoing()).toEqual([{ client: 8, clock: 1001, state: here }])
  // It is no other's any more, whose goodbye would be told.
  expect(table.receive([{ client: 7, clock: 58, state: presenceGone }]).news).toEqual([])
  expect(table.forgetOthers()).toEqual([])
})

import { expect, test } from "vitest"
import { runToEnd } from "../run.ts"
import { scenarios } from "./index.ts"

test.each(scenarios)("$name", ({ options }) => {
  expect(runToEnd(options).failure).toBeUndefined()
})

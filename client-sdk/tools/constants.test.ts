/** What an app loads has our limits and constants as numbers, and no list of them. */
import { expect, test } from "vitest"
import { limits } from "@causeway/crdt/base"
import { bundle } from "./bundle.ts"
import { entriesOf, externalsOf, readManifest } from "./package.ts"

test("a bundle has our limits and constants as numbers", async () => {
  const manifest = readManifest()
  const options = { outdir: "out", minify: false }
  const { files } = await bundle(entriesOf(manifest), externalsOf(manifest), options)
  const code = files.map(({ text }) => text).join("\n")
  expect(code).toContain(`${limits.updateBytesMax}`)
  expect(code.match(/\b(?:limits|clientLimits|tabLimits|reasonBytesMax)\b/g)).toBeNull()
})

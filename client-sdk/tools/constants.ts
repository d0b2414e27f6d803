/**
 * Our limits, tags and other constants as numbers where they are used: a bundler keeps a whole
 * object for the sake of one of its fields, and most limits are the nodes'.
 */
import { readFile } from "node:fs/promises"
import type { Plugin } from "esbuild"
import { limits } from "@causeway/crdt/base"
import { clientLimits } from "@causeway/crdt/client"
import { tabLimits } from "@causeway/crdt/client/tabs"
import { nativeTags } from "@causeway/crdt/protocol"

const objects: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  limits,
  clientLimits,
  tabLimits,
  nativeTags,
}
const names = Object.keys(objects).join("|")
const fields = new RegExp(`(?<![.\\w])(${names})\\.(\\w+)`, "g")
const patterns = new RegExp(`const \\{ ([\\w, ]+) \\} = (${names})$`, "gm")

/** A module's own. */
const constant = /^(?:export )?const (\w+) = ([\d_]+|0x[\da-f]+)$/gm

const hostUtf8 = new URL("../src/host-utf8.ts", import.meta.url)

export const constants: Plugin = {
  name: "constants",
  setup(build) {
    build.onLoad({ filter: /\/crdt\/src\/base\/utf8\.ts$/ }, async () => {
      const source = await readFile(hostUtf8, "utf8")
      const contents = source.replace("@causeway/crdt/base", "./errors.ts")
      return { contents, loader: "ts" }
    })
    build.onLoad({ filter: /\/(crdt|client-sdk)\/src\/.*\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8")
      return { contents: withNumbers(source), loader: "ts" }
    })
  },
}

function withNumbers(source: string): string {
  const text = source
    .replaceAll(patterns, (_, list: string, object: string) => {
      const parts = list.split(", ").map((field) => `${field} = ${numberOf(object, field)}`)
      return `const ${parts.join(", ")}`
    })
    .replaceAll(fields, (_, object: string, field: string) => numberOf(object, field))
  const own = [...text.matchAll(constant)]
  return own.reduce((rest, [, name, value]) => {
    return rest.replaceAll(new RegExp(`(?<![.\\w])${name}\\b(?! =)`, "g"), `${value}`)
  }, text)
}

function numberOf(object: string, field: string): string {
  return String(objects[object]?.[field] ?? `${object}.${field}`)
}

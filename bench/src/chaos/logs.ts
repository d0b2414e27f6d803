/** What nodes complained of in their logs, counted. */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

/** Lines of level warn and above, by message. */
export function complaints(folder: string, names: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>()
  for (const name of names) {
    const file = join(folder, `${name}.log`)
    if (!existsSync(file)) continue
    for (const line of readFileSync(file, "utf8").split("\n")) {
      const message = complaintIn(line)
      if (message !== undefined) counts.set(message, (counts.get(message) ?? 0) + 1)
    }
  }
  return Object.fromEntries(counts)
}

function complaintIn(line: string): string | undefined {
  if (!/"level":"(?:warn|error|fatal)"/.test(line)) return undefined
  return /"msg":"([^"]*)"/.exec(line)?.[1] ?? "?"
}

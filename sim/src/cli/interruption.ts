/** Ctrl-C, once for all commands: the first asks them to end in order, a second one ends them. */

export const interruption = new AbortController()

process.once("SIGINT", () => {
  interruption.abort()
  process.stderr.write("\ninterrupted; ending in order\n")
})

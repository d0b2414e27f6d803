/**
 * Ctrl-C or SIGTERM, once for all commands: the first asks them to end in order, a second one of
 * the same kind ends them.
 */

export const interruption = new AbortController()

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    interruption.abort()
    process.stderr.write("\ninterrupted; ending in order\n")
  })
}

/**
 * What every peer process is told: the port to listen on and, where it stores anything, the folder
 * to store it in. Peers are started by `servers/server-process.ts` as `node <peer>.ts PORT [DIR]`.
 */

/** The address every server of the benchmark listens on: never reachable from outside. */
export const host = "127.0.0.1"

/** The database Hocuspocus' SQLite extension keeps in its folder. */
export const hocuspocusFile = "hocuspocus.sqlite"

/** The port from the command line; @throws TypeError when it is not one. */
export function portArgument(): number {
  const port = Number(process.argv[2])
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new TypeError("usage: PORT [DIR]")
  return port
}

/** The data folder from the command line; @throws TypeError when it is missing. */
export function folderArgument(): string {
  const folder = process.argv[3]
  if (folder === undefined) throw new TypeError("usage: PORT DIR")
  return folder
}

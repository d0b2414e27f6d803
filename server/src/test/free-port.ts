/** A port that was free a moment ago, for nodes that must know theirs before they listen. */
import { once } from "node:events"
import { createServer } from "node:net"
import { assert } from "@causeway/crdt/base"

export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  assert(address !== null && typeof address === "object", "a port was given")
  server.close()
  await once(server, "close")
  return address.port
}

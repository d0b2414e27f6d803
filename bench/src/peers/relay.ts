/**
 * The floor: what a WebSocket server costs when it does nothing but hand each binary frame to the
 * others in the room (the path of the url). No storage, no CRDT, no joins: a late reader gets
 * nothing that was sent before it came. Forwarding is what anyone would write first with `ws`.
 */
import { WebSocketServer } from "ws"
import type { WebSocket } from "ws"
import { host, portArgument } from "./arguments.ts"

const port = portArgument()
const rooms = new Map<string, Set<WebSocket>>()
const server = new WebSocketServer({ host, port, perMessageDeflate: false })

server.on("connection", (socket, request) => {
  const name = request.url ?? "/"
  const members = rooms.get(name) ?? new Set()
  rooms.set(name, members.add(socket))
  socket.on("message", (data, isBinary) => {
    if (!isBinary) return
    for (const other of members) if (other !== socket) other.send(data, { binary: true })
  })
  socket.on("close", () => {
    members.delete(socket)
    if (members.size === 0) rooms.delete(name)
  })
  socket.on("error", () => socket.terminate())
})

server.on("listening", () => console.log(`ready ws://${host}:${port}`))

/**
 * The one HTTP server of a node: requests go to the app, upgrades to the transport. It listens
 * before there is either, so that a taken port leaves no store behind; until then it answers 503.
 */
import { createServer } from "node:http"
import type { IncomingMessage, Server, ServerResponse } from "node:http"
import type { Duplex } from "node:stream"
import { getRequestListener } from "@hono/node-server"
import type { HttpBindings } from "@hono/node-server"
import type { Hono } from "hono"
import { formatAddress } from "../address.ts"
import type { ListenAddress } from "../address.ts"
import { StartError } from "../start-error.ts"
import { transportLimits } from "../transport/limits.ts"
import { refuseUpgrade } from "../transport/refuse-upgrade.ts"
import type { Transport } from "../transport/transport.ts"

/** A server that says it is starting. */
export function createHttpServer(): Server {
  const server = createServer({
    headersTimeout: transportLimits.headersMs,
    requestTimeout: transportLimits.requestMs,
    maxHeaderSize: transportLimits.headerBytesMax,
    connectionsCheckingInterval: 5000,
    noDelay: true,
  })
  server.maxConnections = transportLimits.connectionsMax + transportLimits.httpSocketsMax
  server.setTimeout(transportLimits.httpSilentMs)
  server.on("request", answerStarting)
  server.on("upgrade", refuseStarting)
  return server
}

/** From now on the node serves. */
export function serveNode(
  server: Server,
  app: Hono<{ Bindings: HttpBindings }>,
  upgrade: Transport["upgrade"],
): void {
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false })
  server.off("request", answerStarting)
  server.off("upgrade", refuseStarting)
  server.on("request", (request, response) => void listener(request, response))
  server.on("upgrade", upgrade)
}

/** The process is alive, and nothing else. */
function answerStarting(request: IncomingMessage, response: ServerResponse): void {
  const isAlive = request.url === "/healthz"
  response.writeHead(isAlive ? 200 : 503, { "content-type": "text/plain" })
  response.end(isAlive ? "ok\n" : "the node is starting\n")
}

function refuseStarting(_request: IncomingMessage, raw: Duplex): void {
  refuseUpgrade(raw, "503 Service Unavailable")
}

/** The address it listens on, with the real port. @throws StartError */
export function listen(server: Server, wanted: ListenAddress): Promise<ListenAddress> {
  return new Promise((resolve, reject) => {
    // Stays: a failure to take one connection, later, must not end the process.
    server.on("error", (error) => reject(listenError(error, wanted)))
    server.listen(wanted.port, wanted.host, () => {
      const bound = server.address()
      const port = typeof bound === "object" && bound !== null ? bound.port : wanted.port
      resolve({ host: wanted.host, port })
    })
  })
}

function listenError(error: Error, wanted: ListenAddress): StartError {
  const address = formatAddress(wanted)
  const code = "code" in error ? error.code : undefined
  const say = (message: string) => new StartError("address", message)
  switch (code) {
    case "EADDRINUSE":
      return say(`port taken: something listens on ${address} already; stop it or choose --listen`)
    case "EACCES":
      return say(`not allowed to listen on ${address}; choose a port above 1023 with --listen`)
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return say(`${wanted.host} is not an address of this machine; choose another with --listen`)
    default:
      return say(`cannot listen on ${address}: ${error.message}`)
  }
}

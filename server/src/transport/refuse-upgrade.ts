import type { Duplex } from "node:stream"

/** Answers an upgrade in HTTP and ends the socket. */
export function refuseUpgrade(raw: Duplex, status: string): void {
  raw.on("error", () => raw.destroy())
  raw.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => {
    raw.destroy()
  })
}

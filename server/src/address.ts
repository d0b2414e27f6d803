/** Addresses as operators write them: `HOST:PORT` to listen on, `ws://HOST:PORT` of a peer. */

export type ListenAddress = { readonly host: string; readonly port: number }

/** An IPv6 host stands in brackets. Port 0 means any free one. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s/]+)):(\d{1,5})$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  return host === undefined || port > 65_535 ? undefined : { host, port }
}

export function formatAddress({ host, port }: ListenAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`
}

/** A peer's base address without a trailing slash; `/link` is added when it is dialled. */
export function parsePeerAddress(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== "ws:" && url.protocol !== "wss:")) return undefined
  if (url.hostname === "" || url.search !== "" || url.hash !== "") return undefined
  if (url.username !== "" || url.password !== "") return undefined
  return `${url.protocol}//${url.host}${url.pathname}`.replace(/\/+$/, "")
}

/** Hands the app's client to the hooks below it. */
import { createContext, createElement, useContext } from "react"
import type { ReactElement, ReactNode } from "react"
import type { Client } from "../index.ts"

/** Null: no provider; undefined: one without a client, as on a server. */
const ClientContext = createContext<Client | undefined | null>(null)

export type CausewayProviderProps = {
  /**
   * The app makes it, outside of any component, and closes it. Undefined on a server: documents are
   * not open there, and hooks give what they give before one is loaded.
   */
  readonly client: Client | undefined
  readonly children?: ReactNode
}

export function CausewayProvider({ client, children }: CausewayProviderProps): ReactElement {
  return createElement(ClientContext.Provider, { value: client }, children)
}

/**
 * The provider's client.
 * @throws TypeError without a provider above.
 */
export function useClient(): Client | undefined {
  const client = useContext(ClientContext)
  if (client === null) throw new TypeError("this hook needs a CausewayProvider above it")
  return client
}

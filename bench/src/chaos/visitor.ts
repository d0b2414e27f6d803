/**
 * Clients that come, write a few times, wait until that is saved, and are gone with all that they
 * held: what they were promised rests on the nodes alone. One that waits in vain leaves without a
 * promise. Stock visitors hear of no acks; they see and are seen.
 */
import type { Tier } from "@causeway/client"
import type { AckTier, DocumentName } from "./ledger.ts"
import { openNative } from "./native-document.ts"
import { connectTo, nodeOf } from "./native-resident.ts"
import type { Random } from "./random.ts"
import type { ClientWorld } from "./resident.ts"
import { StockDocument } from "./stock-document.ts"
import { pause, until, within } from "./wait.ts"

export type Visit = {
  readonly name: string
  readonly document: DocumentName
  readonly tokens: readonly string[]
  readonly tier: AckTier
  readonly random: Random
}

/** Waiting for the document, before it writes blindly. */
const lookMsMax = 1500
const savedMsMax = 8000
const stockStayMs = 400

/** Resolves once it is gone. */
export async function visit(wish: Visit, world: ClientWorld): Promise<void> {
  const { name, document, tokens, tier, random } = wish
  const { ledger } = world
  const client = connectTo(world, name, random)
  const opened = openNative(client, document, (token) => ledger.seen(token, nodeOf(client)))
  try {
    await opened.loaded
    if (random.chance(0.5)) await quietly(until("", () => nodeOf(client) !== undefined, look))
    for (const token of tokens) {
      ledger.attempt(token, document, name)
      opened.write(random, token)
    }
    const saved = async (wanted: Tier & AckTier) => {
      await within("", opened.saved(wanted), { timeoutMs: savedMsMax })
      for (const token of tokens) ledger.acked(token, wanted, nodeOf(client))
    }
    await saved("node")
    if (tier !== "node") await saved(tier)
  } catch {
    // It leaves without a promise, as people do.
  } finally {
    await client.close()
  }
}

const look = { timeoutMs: lookMsMax }

/** Writes through one node, and stays a moment to be heard and to look. */
export async function stockVisit(wish: Visit, world: ClientWorld): Promise<void> {
  const { name, document, tokens, random } = wish
  const { ledger } = world
  const home = random.pick(world.names)
  const opened = new StockDocument(world.entrance(home), document.name, (token) => {
    ledger.seen(token, home)
  })
  try {
    await quietly(until("", () => opened.synced, look))
    for (const token of tokens) {
      ledger.attempt(token, document, name)
      opened.write(random, token)
    }
    await pause(stockStayMs)
  } finally {
    opened.close()
  }
}

async function quietly(promise: Promise<void>): Promise<void> {
  await promise.catch(() => {})
}

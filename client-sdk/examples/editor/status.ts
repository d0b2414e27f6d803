/**
 * The two things a user wants to know, kept apart: is there a connection, and where is saved
 * what I typed. Words change only when the state does, so screen readers stay calm.
 */
import { SyncError } from "@causeway/client"
import type { Client, ConnectionStatus, DocumentStatus, YjsDocument } from "@causeway/client"
import { isWanted, tiers, wordsForConnection, wordsForSaved } from "../words.ts"

export function element(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`the page has no #${id}`)
  return found
}

function say(id: string, state: string, words: string): void {
  const target = element(id)
  target.dataset["state"] = state
  if (target.textContent !== words) target.textContent = words
}

export function showConnection(client: Client): void {
  const offline = element("offline")
  const show = (status: ConnectionStatus): void => {
    say("connection", status.state, wordsForConnection(status))
    offline.ariaChecked = String(isWanted(status))
  }
  client.connection.subscribe(show)
  show(client.connection.current)
  offline.addEventListener("click", () => {
    if (isWanted(client.connection.current)) client.goOnline()
    else client.goOffline()
  })
}

export function showSaved(note: YjsDocument): void {
  const steps = tiers.map(({ label }) => {
    const step = document.createElement("li")
    step.textContent = label
    return step
  })
  element("tiers").replaceChildren(...steps)
  const show = (status: DocumentStatus): void => {
    const reached = tiers.findIndex(({ tier }) => tier === status.savedTo)
    for (const [index, step] of steps.entries()) {
      const isReached = index <= reached
      step.dataset["reached"] = String(isReached)
      step.ariaLabel = `${tiers[index]?.label ?? ""}: ${isReached ? "saved" : "not yet"}`
    }
    say("saved", status.savedTo, wordsForSaved(status))
    if (status.error !== undefined) showProblem(status.error.message)
  }
  note.status.subscribe(show)
  show(note.status.current)
  // Once asked for, the status tells of the higher tiers for all that is typed later, too.
  for (const tier of ["quorum", "all"] as const) {
    note.saved(tier).catch((error: unknown) => {
      if (!(error instanceof SyncError)) throw error
    })
  }
}

export function showProblem(words: string, reopen = (): void => location.reload()): void {
  const button = document.createElement("button")
  button.type = "button"
  button.textContent = "Open it again"
  button.addEventListener("click", reopen)
  const problem = element("problem")
  problem.replaceChildren(words, " ", button)
  problem.hidden = false
}

/** Who is here: oneself with a name to change, and everybody whose presence says a name. */
import type { Presence, PresenceState } from "@causeway/client"
import { keepName, ownName, pick } from "../settings.ts"
import { element } from "./status.ts"

type User = { readonly name: string; readonly color: string; readonly colorLight: string }

export function showPeople(presence: Presence): void {
  const input = document.querySelector<HTMLInputElement>("#name")
  const say = (name: string): void => {
    const color = colourOf(presence.clientID)
    const user: User = { name, color, colorLight: `${color}33` }
    presence.setLocalStateField("user", user)
  }
  if (input !== null) {
    input.value = ownName
    input.addEventListener("input", () => {
      keepName(input.value)
      say(input.value.trim() || "Somebody")
    })
  }
  presence.subscribe((states) => show(states, presence.clientID))
  say(ownName)
}

function show(states: ReadonlyMap<number, PresenceState>, own: number): void {
  const place = (client: number): number => (client === own ? -1 : client)
  const people = [...states].sort(([left], [right]) => place(left) - place(right))
  const items = people.flatMap(([client, state]) => {
    const name = nameOf(state)
    return name === undefined ? [] : [itemOf(name, colourOf(client), client === own)]
  })
  element("people").replaceChildren(...items)
}

/** What others say is theirs to say: nothing of it is trusted to be what we would say. */
function nameOf({ user }: PresenceState): string | undefined {
  if (typeof user !== "object" || user === null || !("name" in user)) return undefined
  return typeof user.name === "string" ? user.name.slice(0, 24) : undefined
}

/** Each with a contrast of at least 4.5 to white. */
const colours = ["#b3261e", "#8e4585", "#5a4fcf", "#1565c0", "#00796b", "#2e7d32", "#9a5b00"]

function colourOf(client: number): string {
  return pick(colours, client)
}

function itemOf(name: string, colour: string, isOwn: boolean): HTMLLIElement {
  const item = document.createElement("li")
  const initial = document.createElement("span")
  initial.className = "initial"
  initial.style.background = colour
  initial.ariaHidden = "true"
  initial.textContent = Array.from(name)[0]?.toUpperCase() ?? "?"
  item.append(initial, isOwn ? `${name} (you)` : name)
  return item
}

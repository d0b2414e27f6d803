/** What the page is told in its address, and what it keeps from one visit to the next. */
/** Built in by `serve.ts`, with spaces between. */
declare const NODES: string

const query = new URLSearchParams(location.search)
const asked = query.getAll("node")

export const nodes: readonly string[] = asked.length > 0 ? asked : NODES.split(" ")
export const documentName: string = query.get("document") ?? "welcome"

const nameKey = "causeway-editor-name"
const animals = ["Otter", "Heron", "Badger", "Lynx", "Puffin", "Marten", "Curlew", "Hare"]

export function ownName(): string {
  return query.get("name") ?? localStorage.getItem(nameKey) ?? pick(animals, Date.now())
}

export function keepName(name: string): void {
  localStorage.setItem(nameKey, name)
}

/** Each with a contrast of at least 4.5 to white. */
const colours = ["#b3261e", "#8e4585", "#5a4fcf", "#1565c0", "#00796b", "#2e7d32", "#9a5b00"]

export function colourOf(client: number): string {
  return pick(colours, client)
}

function pick(words: readonly string[], number: number): string {
  return words[number % words.length] ?? ""
}

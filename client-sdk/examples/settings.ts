/** What a page is told in its address, and the name that its user keeps from visit to visit. */
/** Built in by `serve.ts`, with spaces between. */
declare const NODES: string

export const query: URLSearchParams = new URLSearchParams(location.search)
const asked = query.getAll("node")

export const nodes: readonly string[] = asked.length > 0 ? asked : NODES.split(" ")

const nameKey = "causeway-example-name"
const animals = ["Otter", "Heron", "Badger", "Lynx", "Puffin", "Marten", "Curlew", "Hare"]

export const ownName: string =
  query.get("name") ?? localStorage.getItem(nameKey) ?? pick(animals, Date.now())
keepName(ownName)

export function keepName(name: string): void {
  localStorage.setItem(nameKey, name)
}

export function pick(words: readonly string[], number: number): string {
  return words[number % words.length] ?? ""
}

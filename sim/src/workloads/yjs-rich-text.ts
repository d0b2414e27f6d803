/**
 * Rich text as editors keep it in Yjs: a Y.Text with formats and embeds (Quill), and a
 * Y.XmlFragment of paragraphs (ProseMirror). Formats begin and end between code points: Yjs loses
 * half a surrogate pair without an update (shown by a test of the engine, not a promise of ours).
 */
import * as Y from "yjs"
import type { SimRandom } from "../random.ts"
import { numbered } from "./documents.ts"
import { codePointBoundary, phrase, randomRange, shortToken } from "./text.ts"
import { type } from "./typing.ts"
import type { Memory, Workload } from "./workload.ts"

const PARAGRAPHS_MAX = 12
/** Short, so that formats and cuts of several people often meet. */
const LENGTH_MAX = 400
/** Stands for an embed, which takes one place of a text. */
const EMBED = "\ufffc"

export const yjsRichText: Workload = {
  name: "yjs-rich-text",
  explain: "people write and format rich text: Y.Text with embeds, and paragraphs of Y.Xml",
  weight: 4,
  documents(random) {
    const count = random.int(1, 3)
    return { documents: numbered("yjs", "rich", count), documentsPerClient: random.int(1, count) }
  },
  editYjs(doc, random, token, memory) {
    if (random.chance(0.5)) return editText(doc.getText("rich"), random, token, memory)
    editParagraphs(doc.getXmlFragment("prosemirror"), random, token, memory)
  },
}

/** What `text` shows, one code unit per place. */
export function placesOf(text: Y.Text): string {
  const delta: readonly { readonly insert?: unknown }[] = text.toDelta()
  return delta.map(({ insert }) => (typeof insert === "string" ? insert : EMBED)).join("")
}

function editText(text: Y.Text, random: SimRandom, token: string, memory: Memory): void {
  const content = placesOf(text)
  const kind = random.int(0, 9)
  const { from, to } = randomRange(content, random, content.length > LENGTH_MAX ? 200 : 40)
  const deletes = kind <= 1 || content.length > LENGTH_MAX
  if (deletes && to > from) return text.delete(from, to - from)
  if (kind <= 4 && to > from) return text.format(from, to - from, drawFormat(random, token))
  const at = codePointBoundary(content, random.int(0, content.length))
  if (kind === 5) return text.insertEmbed(at, { image: shortToken(token) })
  // What is typed inside bold text is bold; a paste brings its own format.
  if (kind === 6) return text.insert(at, phrase(random, token), drawFormat(random, token))
  const typed = {
    content,
    remove: (place: number, count: number) => text.delete(place, count),
    insert: (place: number, words: string) => text.insert(place, words),
  }
  type(typed, random, token, memory)
}

function drawFormat(random: SimRandom, token: string): Record<string, unknown> {
  const kind = random.int(0, 3)
  if (kind === 0) return { bold: true }
  if (kind === 1) return { bold: null }
  if (kind === 2) return { link: { href: `https://example.org/${shortToken(token)}` } }
  return { link: null, em: random.chance(0.5) ? {} : null }
}

function editParagraphs(
  fragment: Y.XmlFragment,
  random: SimRandom,
  token: string,
  memory: Memory,
): void {
  const paragraphs = fragment.toArray().filter((node) => node instanceof Y.XmlElement)
  const kind = random.int(0, 9)
  if (paragraphs.length === 0 || (kind === 0 && paragraphs.length < PARAGRAPHS_MAX)) {
    return addParagraph(fragment, random.int(0, fragment.length), phrase(random, token))
  }
  const index = random.int(0, paragraphs.length - 1)
  const paragraph = paragraphs[index]
  const text = paragraph?.get(0)
  if (paragraph === undefined || !(text instanceof Y.XmlText)) return
  if (kind === 1) return paragraph.setAttribute("level", shortToken(token))
  if (kind === 2) return split(fragment, index, text, random)
  // Joined or cut: whoever types there right now loses it, as in every editor.
  const full = paragraphs.length >= PARAGRAPHS_MAX || text.length > LENGTH_MAX
  if (full || (kind === 3 && random.chance(0.5))) return fragment.delete(index, 1)
  editText(text, random, token, memory)
}

function addParagraph(fragment: Y.XmlFragment, at: number, content: string): void {
  const paragraph = new Y.XmlElement("paragraph")
  paragraph.insert(0, [new Y.XmlText(content)])
  fragment.insert(at, [paragraph])
}

/** The Enter key: what follows the cursor goes to a paragraph of its own. */
function split(fragment: Y.XmlFragment, index: number, text: Y.XmlText, random: SimRandom): void {
  const content = placesOf(text)
  const at = codePointBoundary(content, random.int(0, content.length))
  if (at < content.length) text.delete(at, content.length - at)
  addParagraph(fragment, index + 1, content.slice(at).replaceAll(EMBED, ""))
}

/** HTML and SVG as text. Whatever comes in as text or as an attribute's value is escaped. */

declare const escaped: unique symbol
/** Text that is markup already. Only made here. */
export type Markup = string & { readonly [escaped]: true }

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
}

/** Characters that no HTML or XML may hold, whatever they are written as. */
// oxlint-disable-next-line no-control-regex
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]/g

export function text(value: string | number): Markup {
  const clean = String(value).toWellFormed().replace(forbidden, "\ufffd")
  return parsed(clean.replace(/[&<>"']/g, (character) => entities[character] ?? ""))
}

/** An element; `undefined` and `false` leave an attribute out. Children are markup. */
export function tag(name: string, attributes: Attributes, ...children: readonly Markup[]): Markup {
  const words = Object.entries(attributes).flatMap(([key, value]) => {
    if (value === undefined || value === false) return []
    if (value === true) return [` ${key}=""`]
    return [` ${key}="${text(typeof value === "number" ? short(value) : value)}"`]
  })
  const inner = children.join("")
  return parsed(`<${name}${words.join("")}>${inner}</${name}>`)
}

/** An element of HTML that has no end: `meta`, `br`. */
export function voidTag(name: string, attributes: Attributes): Markup {
  return parsed(tag(name, attributes).replace(`></${name}>`, ">"))
}

/** Our own style or script, as it is. */
export function verbatim(source: string): Markup {
  return parsed(source)
}

/** As many digits as a screen can show. */
export function short(value: number): string {
  return String(Math.round(value * 10) / 10)
}

function parsed(source: string): Markup {
  // cast: everything that goes into it was escaped above, or is ours.
  return source as Markup
}

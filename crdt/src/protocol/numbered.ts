/** Names that stand on the wire as a byte, which a table has for each. */
import { DecodeError } from "../base/index.ts"
import type { Reader } from "../base/index.ts"

/** The name in `table` whose number comes next. @throws DecodeError */
export function decodeNumbered<Name extends string, Entry>(
  reader: Reader,
  table: Readonly<Record<Name, Entry>>,
  numberOf: (entry: Entry) => number,
): Name {
  const number = reader.u8()
  for (const name in table) if (numberOf(table[name]) === number) return name
  throw new DecodeError("bad-value", reader.offset)
}

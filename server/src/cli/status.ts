/**
 * `causeway status`: a table of the cluster from any of its nodes. Exit codes: 0 all is well, 1 the
 * node does not answer, 2 something needs looking after.
 */
import { readCluster } from "./cluster.ts"
import { httpBase } from "./node-address.ts"
import { table, troubles } from "./status-table.ts"

export type StatusOptions = { readonly url: string; readonly json?: boolean }

export async function status({ url, json = false }: StatusOptions): Promise<number> {
  const members = await readCluster(httpBase(url))
  const wrong = troubles(members)
  const exit = wrong.length === 0 ? 0 : 2
  const text = json
    ? JSON.stringify({ exit, troubles: wrong, members }, undefined, 2)
    : [
        `cluster ${members[0]?.status?.cluster ?? ""}, ${members.length} members`,
        table(members, Date.now()),
        ...wrong.map((trouble) => `! ${trouble}`),
      ].join("\n")
  process.stdout.write(`${text}\n`)
  return exit
}

/**
 * The configuration file: JSON with the names of the flags. A key it does not know is an error,
 * so a misspelt one is noticed.
 */
import { readFileSync, statSync } from "node:fs"
import { z } from "zod"
import { StartError } from "../start-error.ts"
import { peersMax, readers, settingNames } from "./settings.ts"
import type { Settings } from "./settings.ts"

const fileBytesMax = 1024 * 1024

const peer = setting(readers.peer)

const schema = z.strictObject({
  listen: setting(readers.listen).optional(),
  data: setting(readers.data).optional(),
  node: setting(readers.node).optional(),
  peer: z.union([z.array(peer).max(peersMax), peer.transform((only) => [only])]).optional(),
  cluster: setting(readers.cluster).optional(),
  "secret-file": setting(readers["secret-file"]).optional(),
  "token-secret-file": setting(readers["token-secret-file"]).optional(),
  advertise: setting(readers.advertise).optional(),
  "push-delay": setting(readers["push-delay"]).optional(),
  store: setting(readers.store).optional(),
  "log-bytes-max": setting(readers["log-bytes-max"]).optional(),
  "log-age-max": setting(readers["log-age-max"]).optional(),
  "admin-token": setting(readers["admin-token"]).optional(),
  "log-level": setting(readers["log-level"]).optional(),
})

/** @throws StartError `bad-config` */
export function readConfigFile(file: string): Settings {
  const result = schema.safeParse(parse(file, read(file)))
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw badConfig(`in ${file}: ${issue === undefined ? "" : say(issue)}`)
}

function setting<Value>(reader: (text: string) => Value): z.ZodType<Value, string> {
  return z.string().transform((text, context) => {
    try {
      return reader(text)
    } catch (error) {
      context.addIssue({ code: "custom", message: messageOf(error) })
      return z.NEVER
    }
  })
}

function read(file: string): string {
  try {
    if (statSync(file).size > fileBytesMax) throw badConfig(`${file} is too large to be one`)
    return readFileSync(file, "utf8")
  } catch (error) {
    if (error instanceof StartError) throw error
    throw badConfig(`cannot read the configuration file: ${messageOf(error)}`)
  }
}

function parse(file: string, text: string): unknown {
  try {
    // Editors on Windows put a byte order mark in front.
    return JSON.parse(text.replace(/^\ufeff/, ""))
  } catch (error) {
    throw badConfig(`${file} is not JSON: ${messageOf(error)}`)
  }
}

/** One issue as one sentence. */
function say(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys") {
    const known = settingNames.join(", ")
    return `there is no setting "${issue.keys.join('", "')}"; the settings are: ${known}`
  }
  if (issue.path.length === 0) return "the configuration must be a JSON object"
  const inner = issue.code === "invalid_union" ? issue.errors.flat() : [issue]
  const told = inner.find(({ code }) => code === "custom") ?? inner[0] ?? issue
  return `${issue.path.join(".")}: ${told.message}`
}

function badConfig(message: string): StartError {
  return new StartError("bad-config", message)
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll("\n", " ")
}

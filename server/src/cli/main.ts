/** The command line. Its flags are the settings of the configuration file, by the same names. */
import { Command, Option } from "commander"
import { logLevels } from "../observe/log.ts"
import { storeTypes } from "../open-store.ts"
import { version } from "../version.ts"
import type { Flags } from "./config.ts"
import { serve } from "./serve.ts"
import { defaults } from "./settings.ts"

/** Runs the command that the arguments name. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command("causeway")
    .description("A sync server for offline-first apps that keeps working when the network splits")
    .version(version)
    .showHelpAfterError("(--help shows what there is)")
    .configureOutput({ outputError: (text, write) => write(`causeway: ${unprefixed(text)}`) })
  program.addCommand(serveCommand().copyInheritedSettings(program))
  await program.parseAsync([...argv], { from: "user" })
}

function serveCommand(): Command {
  const collect = (value: string, before: readonly string[] | undefined) => [
    ...(before ?? []),
    value,
  ]
  return new Command("serve")
    .description("Run a node")
    .option("--listen <host:port>", `where clients and peers connect (${defaults.listen})`)
    .option("--data <dir>", `the data folder (${defaults.data})`)
    .option("--node <id>", "this node's name; kept with the data (a random one)")
    .option("--peer <ws://host:port>", "a peer to link with; can be given several times", collect)
    .option("--cluster <name>", `only nodes of one cluster link (${defaults.cluster})`)
    .addOption(choice("--store <type>", `where the log is kept (${defaults.store})`, storeTypes))
    .addOption(
      choice("--log-level <level>", `how much to log (${defaults["log-level"]})`, logLevels),
    )
    .option(
      "--admin-token <token>",
      "what a request that changes the cluster or takes a backup must show; better given as " +
        "CAUSEWAY_ADMIN_TOKEN, as flags can be read by others (none: such requests are refused)",
    )
    .option("--config <file>", "JSON with these names as keys; flags win over it")
    .action(async ({ config, logLevel, adminToken, ...flags }: Given) => {
      const level = logLevel === undefined ? {} : { "log-level": logLevel }
      const token = adminToken === undefined ? {} : { "admin-token": adminToken }
      await serve({ ...flags, ...level, ...token }, config)
    })
}

/** What commander hands out: flags that were given, in camel case. */
type Given = Flags & {
  readonly config?: string
  readonly logLevel?: string
  readonly adminToken?: string
}

function choice(flags: string, description: string, values: readonly string[]): Option {
  return new Option(flags, description).choices(values)
}

function unprefixed(text: string): string {
  return text.replace(/^error: /, "")
}

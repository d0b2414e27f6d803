/** The command line. Its flags are the settings of the configuration file, by the same names. */
import { Command, Option } from "commander"
import { logLevels } from "../observe/log.ts"
import { storeTypes } from "../open-store.ts"
import { version } from "../version.ts"
import type { Flags } from "./config.ts"
import type { BackupOptions } from "./backup.ts"
import { runCommand } from "./command-error.ts"
import type { DoctorOptions } from "./doctor.ts"
import type { LifeOptions } from "./lives.ts"
import { defaultUrl } from "./node-address.ts"
import type { RestoreOptions } from "./restore.ts"
import type { TokenOptions } from "./token.ts"
import type { RetireOptions } from "./retire.ts"
import { serve } from "./serve.ts"
import type { StatusOptions } from "./status.ts"
import { defaults } from "./settings.ts"

/** Runs the command that the arguments name. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command("causeway")
    .description("A sync server for offline-first apps that keeps working when the network splits")
    .version(version)
    .showHelpAfterError("(--help shows what there is)")
    .configureOutput({ outputError: (text, write) => write(`causeway: ${unprefixed(text)}`) })
  const commands = [
    serveCommand(),
    statusCommand(),
    backupCommand(),
    restoreCommand(),
    doctorCommand(),
    retireCommand(),
    tokenCommand(),
    lifeCommand("delete", "End a document on every node, for good: clients lose it"),
    lifeCommand("recreate", "Let the name of a deleted document be used again, from nothing"),
  ]
  for (const command of commands) program.addCommand(command.copyInheritedSettings(program))
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
    .option(
      "--secret-file <file>",
      "a file with the secret of the cluster, the same for every node; or CAUSEWAY_SECRET " +
        "(none: whoever names the cluster may link)",
    )
    .option(
      "--token-secret-file <file>",
      "a file with the secret by which clients' tokens are signed (JWT, HS256), the same for " +
        "every node; or CAUSEWAY_TOKEN_SECRET (none: everybody is let in)",
    )
    .option(
      "--advertise <ws://host:port>",
      "where peers may dial this node; they tell each other (none: only who is given it)",
    )
    .option(
      "--push-delay <ms>",
      "under load, how long updates may wait for others before peers are sent them in one " +
        "message (0; with more than 8 peers 10 ms for each, 250 at most)",
    )
    .addOption(choice("--store <type>", `where the log is kept (${defaults.store})`, storeTypes))
    .option(
      "--log-bytes-max <size>",
      "past it the oldest entries are folded into snapshots, and members that lack them are " +
        `brought whole documents (${defaults["log-bytes-max"]})`,
    )
    .option(
      "--log-age-max <age>",
      "how long entries that are folded are kept for a member that is away " +
        `(${defaults["log-age-max"]})`,
    )
    .addOption(
      choice("--log-level <level>", `how much to log (${defaults["log-level"]})`, logLevels),
    )
    .option(
      "--admin-token <token>",
      "what a request that changes the cluster or takes a backup must show; better given as " +
        "CAUSEWAY_ADMIN_TOKEN, as flags can be read by others (none: such requests are refused)",
    )
    .option("--config <file>", "JSON with these names as keys; flags win over it")
    .action(async ({ config, ...given }: Given & { readonly config?: string }) => {
      await serve(flagsOf(given), config)
    })
}

// What only one command needs is loaded with it: a node that serves is spared the rest.

function statusCommand(): Command {
  return new Command("status")
    .description("A table of the cluster, from any of its nodes")
    .option("--url <url>", "the node's address", defaultUrl)
    .option("--json", "all that is known, as JSON")
    .addHelpText("after", "\nExit codes: 0 all is well, 1 no answer, 2 something is wrong")
    .action(async (options: StatusOptions) => {
      const { status } = await import("./status.ts")
      await runCommand(() => status(options))
    })
}

function tokenCommand(): Command {
  return new Command("token")
    .description("Print a token for a client, as a back end that logs users in would sign it")
    .argument("<user>", "whose token it is")
    .option("--for <time>", "how long it is good", "1h")
    .option("--token-secret-file <file>", "as the nodes have it (CAUSEWAY_TOKEN_SECRET)")
    .action(async (user: string, options: TokenOptions) => {
      const { token } = await import("./token.ts")
      await runCommand(() => token(user, options))
    })
}

function backupCommand(): Command {
  return new Command("backup")
    .description("Take a copy of a running node")
    .option("--url <url>", "the node's address", defaultUrl)
    .requiredOption("--to <dir>", "a folder that is not there yet")
    .option("--admin-token <token>", "the node's admin token (CAUSEWAY_ADMIN_TOKEN)")
    .action(async (options: BackupOptions) => {
      const { backup } = await import("./backup.ts")
      await runCommand(() => backup(options))
    })
}

function restoreCommand(): Command {
  return new Command("restore")
    .description("Put a backup into a new data folder")
    .requiredOption("--from <dir>", "the backup")
    .requiredOption("--data <dir>", "a data folder that is not there yet")
    .action(async (options: RestoreOptions) => {
      const { restore } = await import("./restore.ts")
      await runCommand(() => restore(options))
    })
}

function doctorCommand(): Command {
  return new Command("doctor")
    .description("Look through the data folder of a node that is not running")
    .requiredOption("--data <dir>", "the data folder")
    .option("--repair", "put right what can be put right; without it nothing is changed")
    .option("--json", "findings as JSON")
    .addHelpText("after", "\nExit codes: 0 sound, 1 could not look, 2 damaged, 3 entries are lost")
    .action(async (options: DoctorOptions) => {
      const { doctor } = await import("./doctor.ts")
      await runCommand(() => doctor(options))
    })
}

function retireCommand(): Command {
  return new Command("retire")
    .description("Say that a node will not come back as it was: it is no member any more")
    .argument("<node>", "its name")
    .option("--url <url>", "the address of any other node of the cluster", defaultUrl)
    .option("--admin-token <token>", "that node's admin token (CAUSEWAY_ADMIN_TOKEN)")
    .action(async (node: string, options: RetireOptions) => {
      const { retire } = await import("./retire.ts")
      await runCommand(() => retire(node, options))
    })
}

function lifeCommand(verb: "delete" | "recreate", description: string): Command {
  return new Command(verb)
    .description(description)
    .argument("<engine>", "yjs or automerge")
    .argument("<name>", "the document's name")
    .option("--url <url>", "the address of any node of the cluster", defaultUrl)
    .option("--admin-token <token>", "that node's admin token (CAUSEWAY_ADMIN_TOKEN)")
    .action(async (engine: string, name: string, options: LifeOptions) => {
      const { deleteDocument, recreateDocument } = await import("./lives.ts")
      const run = verb === "delete" ? deleteDocument : recreateDocument
      await runCommand(() => run(engine, name, options))
    })
}

/** What commander hands out: flags that were given, in camel case. */
type Given = Readonly<Record<string, string | readonly string[]>>

/** Commander names `--log-level` `logLevel`; settings are named as they are written. */
function flagsOf(given: Given): Flags {
  const written = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  // cast: the command's options are the settings, of which `peer` alone is a list.
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [written(name), value]),
  ) as Flags
}

function choice(flags: string, description: string, values: readonly string[]): Option {
  return new Option(flags, description).choices(values)
}

function unprefixed(text: string): string {
  return text.replace(/^error: /, "")
}

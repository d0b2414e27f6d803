import { spawn } from "node:child_process"
import { once } from "node:events"
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import Database from "better-sqlite3"
import { expect, onTestFinished, test } from "vitest"
import { StoreOpenError } from "../errors.ts"
import { SqliteLog } from "./log.ts"
import { BOOT_FILE } from "../boot-record.ts"
import { DATABASE_FILE } from "./schema.ts"

const thisFile = fileURLToPath(import.meta.url)
const deniedDirectory = process.argv[1] === thisFile ? process.argv[2] : undefined

const quiet = { doubt: undefined, onCorrupt: () => undefined, onTrouble: () => undefined }

/** The user `nobody`: a test that runs as root is denied nothing itself. */
const unprivilegedUser = 65_534

if (deniedDirectory === undefined) tests()
else {
  // Loads the native module while this user may still read it.
  new Database(":memory:").close()
  if (process.getuid?.() === 0) process.setuid?.(unprivilegedUser)
  process.stdout.write(JSON.stringify(openError(deniedDirectory)))
}

async function folder(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "causeway-open-"))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

function openAndClose(directory: string): void {
  new SqliteLog({ directory, node: undefined, ...quiet }).close()
}

/** What opening throws; its message must be one line that names the folder. */
function openError(directory: string): Pick<StoreOpenError, "code" | "message"> {
  let thrown: unknown
  try {
    openAndClose(directory)
  } catch (error) {
    thrown = error
  }
  if (!(thrown instanceof StoreOpenError)) throw new Error("opened", { cause: thrown })
  const { code, message } = thrown
  if (message.includes("\n") || !message.includes(directory)) throw new Error(message)
  return { code, message }
}

function tests(): void {
  test("a folder that is not there is made, and holds one database", async () => {
    const directory = join(await folder(), "deep", "er")
    openAndClose(directory)
    expect(await readdir(directory)).toEqual([BOOT_FILE, DATABASE_FILE])
  })

  const isRoot = process.getuid?.() === 0
  test.skipIf(isRoot)(
    "a folder without the right to write is refused (skipped for root: it may write anywhere)",
    async () => {
      const directory = await folder()
      await chmod(directory, 0o555)
      onTestFinished(() => chmod(directory, 0o755))
      expect(openError(directory).code).toBe("not-writable")
    },
  )

  test("a database file without the right to write is refused, whoever runs the test", async () => {
    const directory = await folder()
    openAndClose(directory)
    await chmod(directory, 0o777)
    await chmod(join(directory, DATABASE_FILE), 0o444)
    const child = spawn(process.execPath, [thisFile, directory], {
      stdio: ["ignore", "pipe", "inherit"],
    })
    onTestFinished(() => void child.kill("SIGKILL"))
    let output = ""
    child.stdout.on("data", (data) => (output += String(data)))
    await once(child, "close")
    const error: unknown = JSON.parse(output)
    expect(error).toMatchObject({ code: "not-writable" })
    expect(error).toMatchObject({ message: expect.stringContaining(DATABASE_FILE) })
  })

  test.each([
    ["noise", Buffer.alloc(8192, 0x5a)],
    ["text", Buffer.from("not a database\n".repeat(500))],
  ])("a file that is %s is refused as no store, and left as it is", async (_name, content) => {
    const directory = await folder()
    await writeFile(join(directory, DATABASE_FILE), content)
    expect(openError(directory).code).toBe("not-a-store")
    expect(await readFile(join(directory, DATABASE_FILE))).toEqual(content)
  })

  test("somebody else's database is refused as no store, and left as it is", async () => {
    const directory = await folder()
    const database = new Database(join(directory, DATABASE_FILE))
    database.exec("CREATE TABLE theirs (id INTEGER PRIMARY KEY)")
    database.close()
    const content = await readFile(join(directory, DATABASE_FILE))
    expect(openError(directory).code).toBe("not-a-store")
    expect(await readFile(join(directory, DATABASE_FILE))).toEqual(content)
  })

  test("a store of a newer version is refused", async () => {
    const directory = await folder()
    openAndClose(directory)
    const database = new Database(join(directory, DATABASE_FILE))
    database.pragma("user_version = 99")
    database.close()
    const error = openError(directory)
    expect(error.code).toBe("newer-version")
    expect(error.message).toContain("99")
  })

  test("an empty database file, as a crash may leave it, becomes a store", async () => {
    const directory = await folder()
    await mkdir(directory, { recursive: true })
    await writeFile(join(directory, DATABASE_FILE), "")
    openAndClose(directory)
    openAndClose(directory)
  })
}

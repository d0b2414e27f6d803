/**
 * Opens the database of a data folder, or says in one line why it can't be opened. The
 * connection takes SQLite's exclusive lock for life: a second process on the folder fails at
 * once, and the lock goes with the process, however that ends. It also spares the shared-memory
 * file of WAL mode.
 */
import Database from "better-sqlite3"
import { join } from "node:path"
import { asOpenError, notAStore, StoreOpenError } from "../errors.ts"
import { checkWritable, makeDirectory, syncDirectory } from "../directory.ts"
import { APPLICATION_ID, DATABASE_FILE, migrationSql, SCHEMA_VERSION, schemaSql } from "./schema.ts"

/** The files of SQLite that may be there. */
const databaseFiles = ["", "-wal", "-journal"].map((suffix) => DATABASE_FILE + suffix)

/** @throws StoreOpenError */
export function openDatabase(directory: string): Database.Database {
  let database: Database.Database | undefined
  try {
    makeDirectory(directory)
    checkWritable(directory, databaseFiles)
    database = new Database(join(directory, DATABASE_FILE), { timeout: 0 })
    // Before anything is read: this is what makes the first read take the lock and keep it.
    database.pragma("locking_mode = EXCLUSIVE")
    const found = checkVersion(database, directory)
    // Has to stand before the first page does; older databases reuse pages, but do not shrink.
    if (found === "new") database.pragma("auto_vacuum = INCREMENTAL")
    configure(database)
    if (found === "new") create(database, directory)
    if (found === "older") migrate(database)
    return database
  } catch (error) {
    database?.close()
    throw asOpenError(error, directory)
  }
}

/** Pages of 4 KiB in SQLite's own cache; the operating system's cache is behind it. */
const CACHE_KIB = 8 * 1024
/** The WAL file is cut back to this after a burst; below, it is overwritten in place. */
const WAL_FILE_BYTES = 16 * 1024 * 1024

function configure(database: Database.Database): void {
  database.pragma("journal_mode = WAL")
  database.pragma("synchronous = FULL")
  // Checkpoints are started by hand, after a reply instead of before it.
  database.pragma("wal_autocheckpoint = 0")
  database.pragma(`journal_size_limit = ${WAL_FILE_BYTES}`)
  database.pragma(`cache_size = -${CACHE_KIB}`)
  database.pragma("temp_store = MEMORY")
  database.pragma("mmap_size = 0")
}

type Found = "new" | "older" | "current"

function checkVersion(database: Database.Database, directory: string): Found {
  const application = database.pragma("application_id", { simple: true })
  const version = database.pragma("user_version", { simple: true })
  const tables = database.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get()
  if (application === 0 && version === 0 && tables === undefined) return "new"
  if (application !== APPLICATION_ID || typeof version !== "number") {
    throw notAStore(join(directory, DATABASE_FILE), "it belongs to something else")
  }
  if (version > SCHEMA_VERSION) {
    throw new StoreOpenError(
      "newer-version",
      `the data in ${directory} was written by a newer version of Causeway ` +
        `(format ${version}, this one reads up to ${SCHEMA_VERSION}); run that version instead`,
    )
  }
  return version < SCHEMA_VERSION ? "older" : "current"
}

/** All or nothing. The version before can't open it any more, and says so. */
function migrate(database: Database.Database): void {
  database.transaction(() => {
    database.exec(migrationSql)
    database.pragma(`user_version = ${SCHEMA_VERSION}`)
  })()
}

/** All or nothing: half a schema is never seen, whenever the power goes. */
function create(database: Database.Database, directory: string): void {
  database.transaction(() => {
    database.exec(schemaSql)
    database.pragma(`application_id = ${APPLICATION_ID}`)
    database.pragma(`user_version = ${SCHEMA_VERSION}`)
  })()
  syncDirectory(directory)
}

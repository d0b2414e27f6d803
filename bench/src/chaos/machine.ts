/**
 * What this machine lets a run do: Toxiproxy on the path, in the cache, or built there by Go;
 * mounting a small disk; network namespaces. What is missing is said with its reason and its cure.
 */
import { existsSync, mkdirSync, mkdtempSync, rmdirSync } from "node:fs"
import { homedir, tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { execFileSync } from "node:child_process"
import { system } from "./things.ts"

const toxiproxyModule = "github.com/Shopify/toxiproxy/v2/cmd/server"
const toxiproxyVersion = "v2.12.0"
const go = "go"
const buildMsMax = 300_000

export type Machine = {
  /** Toxiproxy's server. */
  readonly toxiproxy: string | undefined
  readonly tmpfs: boolean
  readonly namespaces: boolean
  /** What is missing, each a sentence for people. */
  readonly missing: readonly string[]
}

/** Looks, and builds Toxiproxy if need be and if Go is there. */
export function lookAround({ build }: { readonly build: boolean }): Machine {
  const missing: string[] = []
  const found = findToxiproxy()
  const toxiproxy = found ?? (build ? buildToxiproxy(missing) : undefined)
  if (found === undefined && !build) missing.push("no Toxiproxy: cables cannot be cut or slowed")
  const tmpfs = canMount()
  if (!tmpfs) missing.push("no right to mount a tmpfs: no disk gets full (run as root)")
  const namespaces = canMakeNamespaces()
  if (!namespaces) {
    missing.push(
      "no right to make network namespaces: one-way splits are made by Toxiproxy alone " +
        "(run as root, with iproute2 and util-linux installed)",
    )
  }
  return { toxiproxy, tmpfs, namespaces, missing }
}

function cacheFolder(): string {
  const base = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache")
  return join(base, "causeway", `toxiproxy-${toxiproxyVersion}`)
}

/** `CAUSEWAY_TOXIPROXY`, `toxiproxy-server` on the path, or what was built earlier. */
export function findToxiproxy(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter)
  const candidates = [
    process.env["CAUSEWAY_TOXIPROXY"] ?? "",
    ...folders.map((folder) => join(folder, "toxiproxy-server")),
    join(cacheFolder(), "server"),
  ]
  return candidates.find((path) => path !== "" && existsSync(path))
}

function buildToxiproxy(missing: string[]): string | undefined {
  const folder = cacheFolder()
  try {
    mkdirSync(folder, { recursive: true })
    execFileSync(go, ["install", `${toxiproxyModule}@${toxiproxyVersion}`], {
      env: { ...process.env, GOBIN: folder },
      timeout: buildMsMax,
      stdio: ["ignore", "ignore", "pipe"],
    })
    return join(folder, "server")
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT"
    const why = isMissing ? "and Go is not installed" : `and it was not built: ${String(error)}`
    missing.push(
      `no Toxiproxy, ${why}: cables cannot be cut or slowed (install Go from https://go.dev/dl/, ` +
        `or Toxiproxy ${toxiproxyVersion} as toxiproxy-server on the path)`,
    )
    return undefined
  }
}

function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), "causeway-mount-"))
  try {
    system("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder)
    system("umount", folder)
    return true
  } catch {
    return false
  } finally {
    rmdirSync(folder)
  }
}

function canMakeNamespaces(): boolean {
  const name = `causeway-probe-${process.pid}`
  try {
    system("ip", "netns", "add", name)
    system("nsenter", `--net=/run/netns/${name}`, "ip", "link", "set", "lo", "up")
    return true
  } catch {
    return false
  } finally {
    try {
      system("ip", "netns", "delete", name)
    } catch {
      // There is none.
    }
  }
}

/** How the demo shows itself: a progress bar in a terminal, else a line per event. */
import { SingleBar } from "cli-progress"
import type { Cluster } from "./cluster.ts"
import type { Audience } from "./demo.ts"

export interface Screen extends Audience {
  /** Leaves the terminal as it was. */
  end(): void
}

export function createScreen(output: NodeJS.WriteStream): Screen {
  return output.isTTY ? new BarScreen(output) : new LineScreen(output)
}

function startedLines({ nodes, directory }: Cluster): string[] {
  const lines = nodes.map(({ name, url, pid }) => `node ${name.toUpperCase()}: ${url} (${pid})`)
  return [`data in ${directory}`, ...lines]
}

class BarScreen implements Screen {
  readonly #output: NodeJS.WriteStream
  readonly #bar: SingleBar
  #last = ""

  constructor(output: NodeJS.WriteStream) {
    this.#output = output
    this.#bar = new SingleBar({
      format: "{bar} {value}/{total}  {duration_formatted}  {picture}  {last}",
      barsize: 24,
      barCompleteChar: "█",
      barIncompleteChar: "░",
      hideCursor: true,
      linewrap: null,
      stream: output,
      // The demo ends in order on Ctrl-C and calls end().
      gracefulExit: false,
    })
  }

  onStarted(cluster: Cluster): void {
    this.#output.write(`${startedLines(cluster).join("\n")}\n\n`)
  }

  onProgress(written: number, total: number, picture: string): void {
    const shown = { picture, last: this.#last }
    if (this.#bar.isActive) this.#bar.update(written, shown)
    else this.#bar.start(total, written, shown)
  }

  onEvent(text: string): void {
    const [, remark = ""] = text.split("  ")
    this.#last = remark
  }

  end(): void {
    if (this.#bar.isActive) this.#bar.stop()
    this.#output.write("\n")
  }
}

class LineScreen implements Screen {
  readonly #output: NodeJS.WriteStream
  readonly #startMs = performance.now()
  #progress = ""

  constructor(output: NodeJS.WriteStream) {
    this.#output = output
  }

  onStarted(cluster: Cluster): void {
    this.#output.write(`${startedLines(cluster).join("\n")}\n`)
  }

  onProgress(written: number, total: number): void {
    this.#progress = `${written}/${total}`
  }

  onEvent(text: string): void {
    const seconds = ((performance.now() - this.#startMs) / 1000).toFixed(1)
    this.#output.write(`${seconds.padStart(6)} s ${this.#progress.padStart(12)}  ${text}\n`)
  }

  end(): void {
    this.#output.write("\n")
  }
}

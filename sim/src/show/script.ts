/**
 * What the page can do beyond being looked at: read off a moment, show when a fault was under
 * way. Plain JavaScript for browsers, as text; it reads what is drawn and needs nothing else.
 */
import { chartWidth, plotLeft, plotRight } from "./chart.ts"

export const script = `"use strict"
const charts = document.getElementById("charts")
const cursor = document.getElementById("cursor")
const readout = document.getElementById("readout")
const end = Number(charts.dataset.end)
const bucket = Number(charts.dataset.bucket)
const [left, right, width] = [${plotLeft / chartWidth}, ${plotRight / chartWidth}, ${chartWidth}]
let at
const unpacked = new Map()
function valuesOf(path) {
  if (!unpacked.has(path)) {
    unpacked.set(path, path.dataset.values.split(",").flatMap((run) => {
      const [value, count = "1"] = run.split("*")
      return Array(Number(count)).fill(Number(value))
    }))
  }
  return unpacked.get(path)
}
function wordsOf(row, x) {
  const words = []
  for (const bar of row.querySelectorAll("rect")) {
    const from = Number(bar.getAttribute("x"))
    const isThere = x >= from - 0.6 && x <= from + Number(bar.getAttribute("width")) + 0.6
    const title = isThere && bar.querySelector("title")
    if (title) words.push(title.textContent)
  }
  for (const path of row.querySelectorAll("path[data-values]")) {
    const values = valuesOf(path)
    const index = Math.floor(at / Number(path.dataset.bucket))
    const value = values[Math.min(index, values.length - 1)]
    if (value > 0) words.push(value + " " + path.dataset.unit)
  }
  return words
}
function show(ms) {
  at = Math.max(0, Math.min(end, ms))
  const share = left + (right - left) * (at / Math.max(1, end))
  cursor.hidden = readout.hidden = false
  cursor.style.left = 100 * share + "%"
  const time = document.createElement("b")
  time.textContent = "at " + (at / 1000).toFixed(2) + " s"
  const parts = [time]
  for (const row of charts.querySelectorAll(".row")) {
    const words = wordsOf(row, width * share)
    if (words.length === 0) continue
    const name = document.createElement("b")
    name.textContent = row.dataset.name + " "
    const part = document.createElement("span")
    part.append(name, words.join("; "))
    parts.push(part)
  }
  readout.replaceChildren(...parts.flatMap((part) => [part, " "]))
}
function hide() {
  cursor.hidden = readout.hidden = true
}
charts.addEventListener("pointermove", (event) => {
  const box = charts.getBoundingClientRect()
  const share = (event.clientX - box.left) / box.width
  if (share < left || share > right) hide()
  else show((end * (share - left)) / (right - left))
})
charts.addEventListener("pointerleave", hide)
charts.addEventListener("keydown", (event) => {
  const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key]
  if (event.key === "Escape") hide()
  if (steps === undefined) return
  event.preventDefault()
  show((at ?? 0) + steps * bucket)
})
function choose(label) {
  const isChosen = label.getAttribute("aria-pressed") === "true"
  for (const old of charts.querySelectorAll(".shown")) old.remove()
  for (const old of charts.querySelectorAll(".choice")) old.setAttribute("aria-pressed", "false")
  if (isChosen) return
  label.setAttribute("aria-pressed", "true")
  for (const bar of label.parentNode.querySelectorAll("rect")) {
    const band = document.createElement("div")
    band.className = "shown"
    band.style.left = (100 * Number(bar.getAttribute("x"))) / width + "%"
    band.style.width = (100 * Number(bar.getAttribute("width"))) / width + "%"
    charts.append(band)
  }
}
for (const label of charts.querySelectorAll(".choice")) {
  label.addEventListener("click", () => choose(label))
  label.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault()
      choose(label)
    }
  })
}
`

import { expect, test } from "vitest"
import { endpointOf } from "./endpoint.ts"

function room(target: string): string | undefined {
  const endpoint = endpointOf(target)
  return endpoint?.type === "y-websocket" ? endpoint.room : `not a room: ${endpoint?.type}`
}

test("the doors, and no others", () => {
  expect(endpointOf("/sync")).toEqual({ type: "native" })
  expect(endpointOf("/sync?token=x")).toEqual({ type: "native" })
  expect(endpointOf("/link")).toEqual({ type: "link-accepted" })
  for (const target of [
    "",
    "/",
    "/sync/",
    "/yjs",
    "/links",
    "/SYNC",
    "/v1/status",
    "*",
    "//sync",
  ]) {
    expect(endpointOf(target), target).toBeUndefined()
  }
})

test.each([
  ["/yjs/notes", "notes"],
  ["/yjs/a/b/../c", "a/b/../c"],
  ["/yjs/a%2Fb", "a/b"],
  ["/yjs/notes?yauth=secret&x=/y", "notes"],
  ["/yjs/a%3Fb", "a?b"],
  ["/yjs/gr%C3%BC%C3%9Fe", "grüße"],
  ["/yjs/", ""],
  ["/yjs/100%", "100%"],
  ["/yjs/%zz%4", "%zz%4"],
  ["/yjs/%EF%BB%BFbom", "\ufeffbom"],
  ["/yjs/a%00b", "a\0b"],
])("[Y1] the room of %s", (target, expected) => {
  expect(room(target)).toBe(expected)
})

test.each(["/yjs/%ff", "/yjs/a%C3", "/yjs/%ED%A0%80", "/yjs/caf\u00e9"])(
  "[Y1] %s is not UTF-8",
  (target) => {
    expect(endpointOf(target)).toEqual({ type: "y-websocket", room: undefined })
  },
)

test("[Y1] raw UTF-8 bytes in a request are taken as they are", () => {
  const latin1 = Buffer.from("/yjs/grüße", "utf8").toString("latin1")
  expect(room(latin1)).toBe("grüße")
})

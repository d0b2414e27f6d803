import { expect, test } from "vitest"
import { UrlHealth } from "./url-health.ts"

test("a url that is lost is failed over from at once, however bad the others once were", () => {
  const urls = new UrlHealth(["a", "b"])
  urls.failed("a")
  for (let count = 0; count < 5; count++) urls.failed("b")
  expect(urls.best()).toBe("a")
  urls.worked()
  urls.failed("a")
  expect(urls.best()).toBe("b")
  urls.failed("b")
  expect(urls.best()).toBe("a")
})

/** The page: the client is made once, outside of React, and handed to it. */
import { CausewayProvider } from "@causeway/client/react"
import { createElement, StrictMode } from "react"
import { createRoot } from "react-dom/client"
import { App } from "./app.tsx"
import { openClient } from "../client.ts"

const client = openClient("causeway-todo")
const target = document.getElementById("app")
if (target === null) throw new Error("the page has no #app")
createRoot(target).render(
  createElement(StrictMode, null, createElement(CausewayProvider, { client }, createElement(App))),
)

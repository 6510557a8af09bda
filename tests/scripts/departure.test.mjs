// Whether a click leads to another page, without a browser: node --test tests/scripts
import assert from "node:assert/strict";
import { test } from "node:test";

const heard = {};
globalThis.document = { addEventListener: (name, does) => (heard[name] = does) };
globalThis.window = globalThis.document;
globalThis.location = { origin: "http://here", pathname: "/today" };
const { DEPARTURE } = await import("../../app/labelling/departure.js");

function click({ pathname = "/hunt", target = "", download = null, origin = "http://here", ...keys }) {
  const link = { pathname, target, download: download ?? "", origin, hasAttribute: (name) => name === "download" && download !== null };
  DEPARTURE.arrive();
  heard.click({ target: { closest: () => link }, ...keys });
  return DEPARTURE.until - Date.now();
}

test("reports wait while a link leads to another page, whichever way it says that it opens here", () => {
  assert.ok(click({}) > 30_000);
  assert.ok(click({ target: "_self" }) > 30_000);
  assert.ok(click({ pathname: "/today" }) < 2000);
});

test("no report waits for what opens elsewhere, is stored, or is no page of ours", () => {
  for (const link of [{ target: "_blank" }, { download: "" }, { download: "a.csv" }, { origin: "http://there" }, { ctrlKey: true }])
    assert.ok(click(link) <= 0, JSON.stringify(link));
});

test("who goes back before the other page came is here again, and who goes elsewhere is not", () => {
  for (const way of ["popstate", "pageshow"]) {
    click({});
    location.pathname = "/cases";
    heard[way]();
    assert.ok(DEPARTURE.until - Date.now() > 30_000);
    assert.ok(DEPARTURE.remaining() > 0 && DEPARTURE.remaining() <= 1500); // it is asked again by then
    location.pathname = "/today";
    heard[way]();
    assert.ok(DEPARTURE.until - Date.now() <= 1500);
  }
});

// Which addresses are places to go back to, without a browser: node --test tests/scripts
import assert from "node:assert/strict";
import { test } from "node:test";
import { isSamePlace } from "../../app/places.js";

const at = (address) => new URL(address, "http://127.0.0.1/");
const same = (before, after) => isSamePlace(at(before), at(after));

test("what a page names itself is no new place", () => {
  assert.ok(same("/", "/?lang=fr&by=alice&dataset=office"));
  assert.ok(same("/hunt?filter=web1", "/hunt?filter=web1&run=r1&lang=en"));
});

test("another page, another value and what somebody chose are places", () => {
  assert.ok(!same("/", "/hunt"));
  assert.ok(!same("/?lang=fr", "/?lang=en"));
  assert.ok(!same("/hunt?run=r1", "/hunt?run=r1&filter=web1"));
  assert.ok(!same("/cases?case=C1", "/cases"));
  assert.ok(!same("/hunt?columns=a&columns=b", "/hunt?columns=a"));
});

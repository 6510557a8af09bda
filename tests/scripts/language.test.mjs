// Which language a page speaks, and what Streamlit's words become, without a browser: node --test tests/scripts
import assert from "node:assert/strict";
import { test } from "node:test";
import { languageOf, tagOf } from "../../app/language.js";
import { translator } from "../../app/streamlit_words.js";

const SPOKEN = ["en", "fr"];

test("the address comes first, then what was chosen here, then the browser's languages in their order", () => {
  assert.equal(languageOf("fr", "en", ["en-GB"], SPOKEN), "fr");
  assert.equal(languageOf(null, "fr", ["en-GB"], SPOKEN), "fr");
  assert.equal(languageOf(null, null, ["de-CH", "FR-ch", "en"], SPOKEN), "fr");
  assert.equal(languageOf("xx", "toString", ["en-US"], SPOKEN), "en");
  assert.equal(languageOf(null, null, ["de", "it"], SPOKEN), "", "the project says it");
});

test("calendars keep the browser's own kind of a language", () => {
  assert.equal(tagOf("en", ["fr", "en-GB", "en-US"]), "en-GB");
  assert.equal(tagOf("fr", ["en-US"]), "fr");
});

test("a phrase is said in the language with what it is about, and what is none stays", () => {
  const into = translator({ Search: "Rechercher", "Remove {what}": "Retirer {what}", "{n}MB per file • {types}": "{n} Mo · {types}", "Really? ({x})": "{x}" });
  assert.equal(into("Search"), "Rechercher");
  assert.equal(into("Remove a$b {what}"), "Retirer a$b {what}");
  assert.equal(into("200MB per file • EML, TXT"), "200 Mo · EML, TXT");
  assert.equal(into("Really? (1)"), "1");
  for (const text of ["Searching", "research", "constructor", "", "Remove "]) assert.equal(into(text), text);
});

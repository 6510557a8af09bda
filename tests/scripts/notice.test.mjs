// What Streamlit says in English alone, without a browser: node --test tests/scripts
import assert from "node:assert/strict";
import { test } from "node:test";
import { translate } from "../../app/notice.js";

const SENTENCES = { en: ["Not connected", "Wait."], fr: ["Pas de connexion", "Patientez."] };

function said(language) {
  const head = { textContent: "Connection error", nextElementSibling: { textContent: "Is Streamlit still running?" } };
  translate({ dataset: {}, querySelector: () => head }, SENTENCES, language);
  return [head.textContent, head.nextElementSibling.textContent];
}

test("the notice speaks the page's language, and English where the address names none that is there", () => {
  assert.deepEqual(said("fr"), SENTENCES.fr);
  for (const language of ["en", "", "xx", "constructor", "__proto__"]) assert.deepEqual(said(language), SENTENCES.en);
});

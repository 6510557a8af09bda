// Run before all else in the page: the way back, the page's language, what Streamlit says in English alone, and what is typed.

import { keepTyped } from "./drafts.js";
import { nameLanguage } from "./language.js";
import { translateNotices } from "./notice.js";
import { watch } from "./places.js";
import { translateWords } from "./streamlit_words.js";

const told = JSON.parse(document.getElementById("told").textContent);
nameLanguage(window.history, Object.keys(told.away));
watch(window.history);
translateNotices(told.away);
translateWords(told.words);
keepTyped();

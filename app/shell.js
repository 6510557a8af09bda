// Run before all else in the page: the way back, the page's language, and what Streamlit says in English alone.

import { nameLanguage } from "./language.js";
import { translateNotices } from "./notice.js";
import { watch } from "./places.js";
import { translateWords } from "./streamlit_words.js";

const told = JSON.parse(document.getElementById("told").textContent);
nameLanguage(window.history, Object.keys(told.away));
watch(window.history);
translateNotices(told.away);
translateWords(told.words);

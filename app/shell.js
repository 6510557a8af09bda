// Run before all else in the page: the way back, the page's language, and what Streamlit says in English alone.

import { translateNotices } from "./notice.js";
import { watch } from "./places.js";

watch(window.history);
translateNotices(JSON.parse(document.getElementById("away").textContent));

// Words of Streamlit's own menus, tips and buttons, English whatever the page speaks → the page's language.
//
// Only where no value of a log stands: a name that happens to be one of the words stays as it is.

const TEXTS = [
  '[role="tooltip"]', '[role="menuitem"]', '[role="listbox"][data-empty="true"]', '[data-testid="stFileUploader"]',
  '[data-testid="stDataFrameStatisticsMetrics"] dt', '[data-testid="stDataFrameColumnVisibilityMenu"] label:first-of-type',
  '[data-testid="stDateInputCalendar"]', '[data-testid="stStatusWidget"]',
].join(", ");
const NAMED = 'button, nav, [role="menu"], [role="application"], [role="grid"], [role="combobox"], [role="spinbutton"], [data-testid="stDateInputCalendar"]';
const NAMES = ["aria-label", "title", "placeholder"];

// `phrases`: what Streamlit says → what the page says; {what} stands for any text, which is kept.
export function translator(phrases) {
  const patterns = Object.entries(phrases).map(([said, wanted]) => {
    const parts = said.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^$()|[\]\\]/g, "\\$&"));
    return [new RegExp(`^${parts.join("(.+)")}$`, "s"), wanted];
  });
  return (text) => {
    if (Object.hasOwn(phrases, text)) return phrases[text];
    for (const [pattern, wanted] of patterns) {
      const found = pattern.exec(text);
      let at = 0;
      if (found) return wanted.replace(/\{\w+\}/g, () => found[(at += 1)]);
    }
    return text;
  };
}

// Streamlit's words below a node: texts and attributes, which both have a `nodeValue`.
function* nodesOf(root) {
  const within = (selector) => [...(root.matches(selector) ? [root] : []), ...root.querySelectorAll(selector)];
  for (const named of within(NAMED)) for (const name of NAMES) if (named.hasAttribute(name)) yield named.getAttributeNode(name);
  for (const holder of root.closest(TEXTS) ? [root] : within(TEXTS)) {
    const texts = document.createTreeWalker(holder, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) yield texts.currentNode;
  }
}

export function translateWords(words) {
  const translators = Object.fromEntries(Object.entries(words).map(([language, phrases]) => [language, translator(phrases)]));
  const said = new WeakMap(); // node → [what Streamlit wrote, what stands there now]
  const write = (root) => {
    const { lang } = document.documentElement;
    const into = Object.hasOwn(translators, lang) ? translators[lang] : (text) => text;
    for (const node of nodesOf(root)) {
      const [own, written] = said.get(node) ?? [];
      const original = written === node.nodeValue ? own : node.nodeValue;
      const text = into(original);
      if (text === node.nodeValue) continue;
      said.set(node, [original, text]);
      node.nodeValue = text;
    }
  };
  const changed = (records) => {
    const roots = records.map(({ target, type }) => (type === "characterData" ? target.parentElement : target));
    for (const root of new Set(roots)) if (root?.isConnected) write(root);
  };
  const options = { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: [...NAMES, "data-empty"] };
  new MutationObserver(changed).observe(document.body, options);
  new MutationObserver(() => write(document.body)).observe(document.documentElement, { attributes: true, attributeFilter: ["lang"] });
}

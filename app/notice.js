// Streamlit's notice that the server is away, English whatever the page speaks → said in the page's language.

const TITLE = "Connection error";

export function isConnectionNotice(dialog) {
  return dialog.dataset.away !== undefined || dialog.querySelector("h2")?.textContent === TITLE;
}

// `sentences`: language → its title and what it says.
export function translate(dialog, sentences, language) {
  if (!isConnectionNotice(dialog) || dialog.dataset.away !== undefined) return;
  const [title, about] = Object.hasOwn(sentences, language) ? sentences[language] : sentences.en; // the address may say anything
  const head = dialog.querySelector("h2");
  dialog.dataset.away = "";
  head.textContent = title;
  if (head.nextElementSibling) head.nextElementSibling.textContent = about;
}

export function translateNotices(sentences) {
  const all = () => {
    for (const dialog of document.querySelectorAll('[role="dialog"]')) translate(dialog, sentences, document.documentElement.lang);
  };
  new MutationObserver(all).observe(document.body, { childList: true });
}

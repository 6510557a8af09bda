// what was typed into the filter and a row → whether the row fits.
//
// Words must all be there, "-word" must not, and "verdict:benign", "family:scan", "role:host" name what they look in.

const NAMED = /^(-?)(verdict|family|role|host|user|address|feature):(.*)$/;

export function parse(text) {
  return (text ?? "")
    .toLowerCase()
    .match(/-?(?:[a-z]+:)?"[^"]*"|\S+/g)
    ?.map((word) => word.replaceAll('"', ""))
    .map((word) => {
      const named = NAMED.exec(word);
      if (named) return { not: named[1] === "-", where: named[2], what: named[3] };
      const not = word.startsWith("-") && word.length > 1;
      return { not, where: "", what: not ? word.slice(1) : word };
    })
    .filter(({ what }) => what) ?? []; // a name whose value is not typed yet asks for nothing
}

export function fits(row, verdict, terms) {
  return terms.every((term) => fitsOne(row, verdict, term) !== term.not);
}

function fitsOne(row, verdict, { where, what }) {
  if (where === "verdict") return what === "open" ? !verdict : (verdict?.verdict ?? "").startsWith(what) || (verdict?.text ?? "").toLowerCase().includes(what);
  if (where === "family") return row.reasons.some((reason) => reason.family.startsWith(what) || reason.family_text.toLowerCase().includes(what));
  if (where === "feature") return row.reasons.some((reason) => reason.column.includes(what) || reason.short.toLowerCase().includes(what));
  if (where === "role") return row.role.includes(what) || row.role_text.toLowerCase().includes(what);
  if (where === "host" || where === "user" || where === "address") return row.entity.toLowerCase().includes(what);
  return textOf(row, verdict).includes(what);
}

function textOf(row, verdict) {
  const reasons = row.reasons.flatMap((reason) => [reason.family_text, reason.short, reason.about]);
  return [row.entity, row.role_text, row.line, row.owner, row.case, verdict?.text, ...reasons].join("\n").toLowerCase();
}

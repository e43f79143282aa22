/** A sentence with evidence in it: plain text, and values that stay as they are in every language. */
export type Code = { code: string };
export type Strong = { strong: string };
export type Rich = (string | Code | Strong)[];

export const code = (text: string): Code => ({ code: text });
export const strong = (text: string): Strong => ({ strong: text });

/** The same sentence without marks, for titles and labels. */
export function plain(rich: Rich): string {
  return rich.map((part) => (typeof part === "string" ? part : "code" in part ? part.code : part.strong)).join("");
}

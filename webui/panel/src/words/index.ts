import { en, type Words } from "./en";

export type { Answer, Words } from "./en";
export { code, plain, strong, type Rich } from "./rich";

/** The language in force. A second language is a second file and one more entry here. */
const languages: Record<string, Words> = { en };

export const words: Words = languages[globalThis.document?.documentElement.lang ?? "en"] ?? en;

/** Name the language and its direction on the document, for browsers and screen readers. */
export function applyLanguage(): void {
  document.documentElement.lang = words.lang;
  document.documentElement.dir = words.dir;
}

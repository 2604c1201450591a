// @ts-check
/**
 * The page's element at this selector.
 * @template {HTMLElement} T
 * @param {string} selector
 * @param {new () => T} kind
 * @returns {T}
 * @throws {TypeError} when there is none of this kind.
 */
export function find(selector, kind) {
  const element = document.querySelector(selector);
  if (element instanceof kind) return element;
  throw new TypeError(`Expected ${kind.name} at ${selector}, got ${element}`);
}

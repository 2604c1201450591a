// @ts-check
/**
 * Create an element.
 * @param {string} tag
 * @param {string | Node} [content]
 * @param {string} [className]
 */
export function make(tag, content = "", className = "") {
  const element = document.createElement(tag);
  if (content !== "") element.append(content);
  if (className !== "") element.className = className;
  return element;
}

/**
 * The value of a custom property in the current color scheme.
 * @param {string} name
 */
export function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

// Selectors for HTML elements; a more exact type that a caller names is not checked.

/**
 * The first element that matches.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} selector
 * @param {ParentNode} parent
 * @returns {T | null}
 */
export const find = (selector, parent = document) => parent.querySelector(selector);

/**
 * All elements that match, in the order of the document.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} selector
 * @param {ParentNode} parent
 * @returns {NodeListOf<T>}
 */
export const findAll = (selector, parent = document) => parent.querySelectorAll(selector);

/**
 * The target of an event, or its nearest ancestor, that matches.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {Event} event
 * @param {string} selector
 * @returns {T | null}
 */
export const closest = ({ target }, selector) => (target instanceof Element ? target.closest(selector) : null);

// The languages that there are: one file each. A new one is written beside en.js and named here.

/** @type {readonly string[]} */
export const LANGUAGES = ["en", "de"];

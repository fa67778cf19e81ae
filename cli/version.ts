/** The compiler's version: it stands in every artefact. A test holds it equal to package.json's. */
export const VERSION = '0.1.0';

export * from "./command";
export * from "./names";
export * from "./options";
export * from "./render";
export * from "./resources";
export { SCRAPE_BASE_PORT, SCRAPE_PATH, scrapedZones, scrapePort } from "./scrape";
export * from "./static";
export { renderTokens, type TokenIssuer } from "./tokens";
export { CERTIFICATE_FILE, renderCertificateSds, renderTrust } from "./tls";

export * from "./process/command";
export * from "./names";
export * from "./options";
export * from "./render";
export * from "./process/resources";
export { scrapedZones } from "./listeners/scrape";
export { renderTokens, type TokenIssuer } from "./identity/token-keys";
export { CERTIFICATE_FILE, renderCertificateSds, renderTrust } from "./identity/tls";

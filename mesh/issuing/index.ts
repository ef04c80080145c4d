export { issuedServices, issuingZones, isIssued } from "./issued";
export { CERTIFICATE_RECORD, certificateRecordOf, ISSUERS, ISSUING, issuerOf } from "./names";
export { issuingPolicyData, parseIssuingPolicy, type IssuingPolicy } from "./policy";
export { serialAt, serialsUntil } from "./serial";

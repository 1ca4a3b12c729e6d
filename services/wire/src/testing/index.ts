export { makeCertificates } from './certificates.js';
export type { TestCertificates } from './certificates.js';
export { poisonByte, poisoningTransport } from './poisoning.js';
export { wireBehaviourSuite } from './suite.js';

export { makeCertificates } from './certificates.js';
export type { TestCertificates } from './certificates.js';
export { startPlainHttp2Server } from './plain-http2-server.js';
export type { PlainHttp2Server } from './plain-http2-server.js';
export { poisonByte, poisoningTransport } from './poisoning.js';
export { wireBehaviourSuite } from './suite.js';

import { systemClock } from '@headrace/runtime';
import { poisoningTransport } from '../testing/poisoning.js';
import { wireBehaviourSuite } from '../testing/suite.js';
import { http2Transport } from './transport.js';

wireBehaviourSuite('http2', () => http2Transport(systemClock));
wireBehaviourSuite('http2, borrowed messages overwritten', () => poisoningTransport(http2Transport(systemClock)));

import { systemClock } from '@headrace/runtime';
import { poisoningTransport } from '../testing/poisoning.js';
import { wireBehaviourSuite } from '../testing/suite.js';
import { grpcJsTransport } from './transport.js';

wireBehaviourSuite('grpc-js', () => grpcJsTransport(systemClock));
wireBehaviourSuite('grpc-js with poisoned messages', () => poisoningTransport(grpcJsTransport(systemClock)));

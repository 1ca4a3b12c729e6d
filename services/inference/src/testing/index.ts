export { InferenceClient, floats, readResponse, requestOf } from './client.js';
export type { InferResult, RequestSketch, ResultTensor } from './client.js';
export { TestRepository } from './repository.js';

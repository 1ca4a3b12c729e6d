import { scanInferRequest } from '@headrace/proto';
import { expect, it } from 'vitest';
import { echoBytes, echoInferRequest, echoInput } from './echo-messages.js';

it('asks with as many bytes as the echo of plain bytes has, and as the model’s metadata says', () => {
  const message = echoInferRequest();
  expect(message.length).toBe(echoBytes);
  const scanned = scanInferRequest(message);
  expect(scanned.ok && scanned.view.inputs).toMatchObject([
    { name: echoInput.name, datatype: echoInput.datatype, shape: [1, echoInput.rowBytes] },
  ]);
});

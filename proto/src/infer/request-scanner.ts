import type { InferRequestView, ScanResult } from './request.js';
import { RequestForm } from './request-form.js';
import type { RequestMarks } from './scan-request.js';
import { scanInferRequest, scanMarked } from './scan-request.js';

/** A power of two; enough for a server of a thousand models. A form takes about 1 KB, a hostile one 10 KB. */
const slots = 2048;

/**
 * scanInferRequest for one who reads many: remembers the forms that came last and recognises them. Same results, same refusals.
 *
 * One form a slot, by model name and message length; of two that share a slot the later one stays. Clients who use many forms
 * on purpose cost themselves the shortcut and nobody else anything.
 */
export class RequestScanner {
  readonly #forms = Array.from<RequestForm | undefined>({ length: slots });

  scan(bytes: Buffer): ScanResult<InferRequestView> {
    const slot = slotOf(bytes);
    if (slot < 0) return scanInferRequest(bytes);
    const known = this.#forms[slot]?.view(bytes);
    if (known !== undefined) return { ok: true, view: known };
    const marks: RequestMarks = { ids: 0, idEnd: 0, raws: [] };
    const scanned = scanMarked(bytes, marks);
    if (!scanned.ok) return scanned;
    const form = RequestForm.of(scanned.view, marks);
    if (form === undefined) return scanned;
    this.#forms[slot] = form;
    return { ok: true, view: { ...scanned.view, form } };
  }
}

/** Clients write fields by number, so a message begins with the model's name. -1: this one does not. */
function slotOf(bytes: Buffer): number {
  const length = bytes[1] as number;
  if (bytes[0] !== 0x0a || length > 0x7f || bytes.length < 2 + length) return -1;
  // FNV-1a, of which the low bits depend on all.
  let hash = 0x811c9dc5 ^ bytes.length;
  for (let index = 2; index < 2 + length; index++) hash = Math.imul(hash ^ (bytes[index] as number), 0x01000193);
  return (hash ^ (hash >>> 15)) & (slots - 1);
}

/**
 * 16-bit floats: IEEE 754 binary16 (FP16) and bfloat16 (BF16), which no typed array of Node 20 carries.
 * Rounding is to nearest, ties to even, from the double itself, so that no value is rounded twice.
 */

const scratch = new DataView(new ArrayBuffer(8));

export function toHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  // 65520 lies half-way between the largest half, 65504, and the next one that would be, 65536: ties go to even, infinity.
  if (magnitude >= 65_520) return sign | 0x7c00;
  // Below 2^-14 halves are spaced by 2^-24; a carry into 1024 is the smallest normal number, as it should be.
  if (magnitude < 2 ** -14) return sign | roundTiesToEven(magnitude * 2 ** 24);
  let exponent = Math.floor(Math.log2(magnitude));
  if (magnitude < 2 ** exponent) exponent -= 1;
  else if (magnitude >= 2 ** (exponent + 1)) exponent += 1;
  // 1024..2048; 2048 carries into the exponent by the addition.
  const mantissa = roundTiesToEven((magnitude / 2 ** exponent) * 1024);
  return sign | (((exponent + 15) << 10) + (mantissa - 1024));
}

export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** bfloat16 is the upper half of a float32. */
export function toBrain(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0;
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  const lower = bits & 0xffff;
  const upper = bits >>> 16;
  // A double that became a tie only by rounding to float32 must go the way the double lies.
  const rounded = scratch.getFloat32(0);
  const up =
    lower === 0x8000 ? (Math.abs(value) === Math.abs(rounded) ? (upper & 1) === 1 : Math.abs(value) > Math.abs(rounded)) : lower > 0x8000;
  return up && Number.isFinite(rounded) ? upper + 1 : upper;
}

export function fromBrain(bits: number): number {
  scratch.setUint32(0, bits << 16);
  return scratch.getFloat32(0);
}

function roundTiesToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest > 0.5 || (rest === 0.5 && floor % 2 === 1)) return floor + 1;
  return floor;
}

/**
 * lease/book.ts in Lua, for all buckets of one ask. KEYS: one hash a bucket, all of one tenant (one slot in a cluster). ARGV: epoch,
 * sequence, lease time in ms, then seven numbers a bucket. Returns three strings a bucket, since Redis cuts fractions off numbers;
 * nothing at all for an ask that was overtaken. Time is the server's: gateways' clocks play no part.
 *
 *     hash headrace:quota:{TENANT}:NAME  l = level, t = its time, g:EPOCH = "sequence lease total use until"
 */
export const leaseScript = `
local function number(text, low, high)
  local value = tonumber(text)
  if value == nil or value ~= value or value < low or value > high then
    return nil
  end
  return value
end
local function exact(value)
  return string.format('%.17g', value)
end
local HUGE = 9007199254740992
local PER = 7
local epoch = ARGV[1]
if type(epoch) ~= 'string' or #epoch == 0 or #epoch > 64 or string.find(epoch, '[^%w_.-]') then
  return redis.error_reply('HEADRACE argument 1: expected an epoch of 1 to 64 letters and digits')
end
local sequence = number(ARGV[2], 1, HUGE)
local ttl = number(ARGV[3], 1, 3600000)
if sequence == nil or ttl == nil or #KEYS == 0 or #KEYS > 64 or #ARGV ~= 3 + PER * #KEYS then
  return redis.error_reply('HEADRACE arguments: expected epoch, sequence >= 1, 1 <= ttl <= 3600000 and 7 numbers for each of 1 to 64 keys')
end
local asks = {}
for i = 1, #KEYS do
  local at = 3 + PER * (i - 1)
  local ask = {
    rate = number(ARGV[at + 1], 0, HUGE),
    burst = number(ARGV[at + 2], 0, HUGE),
    total = number(ARGV[at + 3], -HUGE, HUGE),
    owed = number(ARGV[at + 4], 0, HUGE),
    want = number(ARGV[at + 5], 0, HUGE),
    use = number(ARGV[at + 6], 0, HUGE),
    initial = number(ARGV[at + 7], -HUGE, HUGE),
  }
  if not (ask.rate and ask.burst and ask.total and ask.owed and ask.want and ask.use and ask.initial) then
    return redis.error_reply('HEADRACE bucket ' .. i .. ': expected rate, burst, total, owed, want, use, initial in their ranges')
  end
  asks[i] = ask
end
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local field = 'g:' .. epoch
local answers = {}
for i = 1, #KEYS do
  local ask = asks[i]
  local level, at = ask.initial, now
  local own, leases, uses, count = nil, 0, 0, 0
  local silent = {}
  local stored = redis.call('HGETALL', KEYS[i])
  for j = 1, #stored, 2 do
    local name, value = stored[j], stored[j + 1]
    if name == 'l' then
      level = tonumber(value)
    elseif name == 't' then
      at = tonumber(value)
    else
      local s, lease, total, use, till = string.match(value, '^(%S+) (%S+) (%S+) (%S+) (%S+)$')
      if tonumber(till) <= now then
        silent[#silent + 1] = name
      elseif name == field then
        own = { sequence = tonumber(s), lease = tonumber(lease), total = tonumber(total) }
      else
        leases = leases + tonumber(lease)
        uses = uses + tonumber(use)
        count = count + 1
      end
    end
  end
  if own ~= nil and sequence <= own.sequence then
    return {}
  end
  local used = ask.owed
  local held = 0
  if own ~= nil then
    used = ask.total - own.total
    held = own.lease
  end
  local unused = held - used
  local kept = math.min(math.max(unused, 0), ask.want)
  local refilled = math.max(0, now - at) * ask.rate / 1000
  local room = math.max(0, ask.burst - leases - kept)
  level = math.min(room, level + refilled + math.max(unused, 0) - kept) - math.max(-unused, 0)
  local share = 1 / (count + 1)
  if uses + ask.use > 0 then
    share = 0.8 * ask.use / (uses + ask.use) + 0.2 / (count + 1)
  end
  local extra = math.min(ask.want - kept, math.max(0, level) * share)
  level = level - extra
  local lease = kept + extra
  for j = 1, #silent do
    redis.call('HDEL', KEYS[i], silent[j])
  end
  redis.call('HSET', KEYS[i], 'l', exact(level), 't', exact(now), field,
    exact(sequence) .. ' ' .. exact(lease) .. ' ' .. exact(ask.total) .. ' ' .. exact(ask.use) .. ' ' .. exact(now + ttl))
  local missing = math.max(0, ask.burst - level)
  local fill = 0
  if missing > 0 then
    fill = 86400000
    if ask.rate > 0 then fill = missing / ask.rate * 1000 end
  end
  redis.call('PEXPIRE', KEYS[i], string.format('%.0f', math.min(86400000, ttl + math.ceil(fill) + 1000)))
  answers[#answers + 1] = exact(lease)
  answers[#answers + 1] = exact(level)
  answers[#answers + 1] = exact(share)
end
return answers
`;

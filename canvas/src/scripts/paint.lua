-- Paints one message: all of its pixels, or none.
--
-- KEYS  1 meta, 2 canvas, 3 history, 4 unsaved, 5 cooldown, 6 done, then clients and awake of each
--       shard
-- ARGV  1 width, 2 height, 3 background as text, 4 background as bytes, 5 salt for a new canvas,
--       6 pixel records, 7 connection id, 8 source address, 9 most unsaved changes,
--       10 pause of a connection (ms), 11 messages a second of a source, 12 length of a call (ms),
--       13 name of this message, which no other has and which `done` ends in, 14 how long it is
--       remembered (ms)
-- Answers {'painted', position, number of each shard to wake...}, {'cooling', ms}, {'cooling', ms,
-- 'told'} when the connection has heard so before, {'full'} or {'mismatch', width, height}.

local RECORD = 7
local width, height = ARGV[1], ARGV[2]
local records, connection = ARGV[6], ARGV[7]
local changes = #records / RECORD

local function painted(position)
  local answer = {'painted', position}
  for key = 7, #KEYS, 2 do
    if redis.call('SCARD', KEYS[key]) > 0 and call_loop(KEYS[key + 1], ARGV[13], ARGV[12]) then
      answer[#answer + 1] = tostring((key - 7) / 2)
    end
  end
  return answer
end

-- Whoever does not hear the answer sends the message again, a cluster's client by itself too.
local done = redis.call('GET', KEYS[6])
if done then
  return painted(done)
end

local meta = redis.call('HMGET', KEYS[1], 'width', 'height', 'salt')
local salt = meta[3]
local is_first = not meta[1]
if is_first then
  salt = ARGV[5]
  redis.call('HSET', KEYS[1], 'width', width, 'height', height, 'background', ARGV[3], 'salt', salt)
elseif meta[1] ~= width or meta[2] ~= height then
  return {'mismatch', meta[1], meta[2]}
end

-- A refused write must leave no trace, so everything that refuses comes before the first change.
local unsaved = tonumber(redis.call('GET', KEYS[4]) or '0')
if unsaved + changes > tonumber(ARGV[9]) then
  return {'full'}
end

local now = now_ms()
local source = redis.sha1hex(salt .. ARGV[8]):sub(1, 16)

-- Who may send a message each `pause` ms, and `burst` ms' worth of them at once, has a time in the
-- sorted set up to which its messages are paid for (the generic cell rate algorithm). That is never
-- later than a burst from now, unless the clock has stepped back.
local function pay(member, pause, burst)
  local until_now = tonumber(redis.call('ZSCORE', KEYS[5], member) or '0')
  local paid = math.min(math.max(until_now, now), now + burst) + pause
  local wait = paid - burst - now
  return wait > 0 and wait or 0, paid
end
local pause, rate = tonumber(ARGV[10]), tonumber(ARGV[11])
if pause > 0 or rate > 0 then
  redis.call('ZREMRANGEBYSCORE', KEYS[5], '-inf', string.format('%.3f', now))
  local wait, wait_source, paid, paid_source = 0, 0
  if pause > 0 then
    wait, paid = pay('c:' .. connection, pause, pause)
  end
  if rate > 0 then
    wait_source, paid_source = pay('i:' .. source, 1000 / rate, 1000)
  end
  wait = math.max(wait, wait_source)
  if wait > 0.001 then
    local answer = {'cooling', string.format('%.0f', math.ceil(wait))}
    -- One that floods hears it once for each time that it has to wait.
    if redis.call('ZADD', KEYS[5], 'NX', string.format('%.3f', now + wait), 'r:' .. connection) == 0
    then
      answer[3] = 'told'
    end
    return answer
  end
  if paid then
    redis.call('ZADD', KEYS[5], string.format('%.3f', paid), 'c:' .. connection)
  end
  if paid_source then
    redis.call('ZADD', KEYS[5], string.format('%.3f', paid_source), 'i:' .. source)
  end
end

if redis.call('STRLEN', KEYS[2]) == 0 then
  local bytes = width * height * 3
  -- The last byte first, so that the string is allocated once; then blocks of about a megabyte.
  redis.call('SETRANGE', KEYS[2], bytes - 1, '\0')
  local block = string.rep(ARGV[4], math.min(width * height, 349525))
  for offset = 0, bytes - 1, #block do
    redis.call('SETRANGE', KEYS[2], offset, block:sub(1, bytes - offset))
  end
end

for start = 1, #records, RECORD do
  local x1, x0, y1, y0 = records:byte(start, start + 3)
  local offset = ((y1 * 256 + y0) * width + x1 * 256 + x0) * 3
  redis.call('SETRANGE', KEYS[2], offset, records:sub(start + 4, start + 6))
end
local position = redis.call('XADD', KEYS[3], '*', 'p', records, 'c', connection, 'i', source)
redis.call('INCRBY', KEYS[4], changes)
if is_first then
  redis.call('HSET', KEYS[1], 'first', position)
end
redis.call('SET', KEYS[6], position, 'PX', ARGV[14])
return painted(position)

-- Paints one message: all of its pixels, or none.
--
-- KEYS  1 meta, 2 canvas, 3 history, 4 unsaved, 5 cooldown, 6 and 7 done, then joined, roster and
--       cursor of the painter's shard, then clients and awake of each shard
-- ARGV  as `a` says: `width`, `height` of the canvas, as configured
--       `records` pixel records, `connection` id, `source` address
--       `shard` number of the painter's shard; none for an operator, who is no client
--       `most_changes`, `most_bytes` that history may hold unsaved (0 bytes: no limit)
--       `pause` of a connection (ms), `rate` messages a second of a source
--       `call` length of a call (ms)
--       `name` of this message, which no other has, `remembered` how long it is, at least (ms)
--       `own` name that the client gave it, which no other message of the player has; or nothing
-- Answers {'painted', position, 1 if the painter was put back into its shard, number of each shard
-- to wake...}, {'cooling', ms}, {'cooling', ms, 'told'} when the connection has heard so before,
-- {'full'}, {'closed'} or {'mismatch', width, height}.

local RECORD = 7
-- What history takes: its records, and a part more where they don't fill what is allocated for them,
-- and so much for each entry, as measured (see `store/tests/memory.rs`).
local WASTE = 1.3
local ENTRY = 95
local FIRST_SHARD = 11
local a = {
  width = ARGV[1], height = ARGV[2], records = ARGV[3], connection = ARGV[4], shard = ARGV[5],
  source = ARGV[6], most_changes = ARGV[7], most_bytes = ARGV[8], pause = ARGV[9],
  rate = ARGV[10], call = ARGV[11], name = ARGV[12], remembered = ARGV[13],
  own = ARGV[14],
}
local records, connection = a.records, a.connection
local changes = #records / RECORD
local now = now_ms()

-- Messages are remembered in two hashes that take turns, because a key for each would cost twice
-- the memory. The field `w` says which window of time a hash is of. Eight bytes of a name tell it
-- from all others of a window.
local window = math.floor(now / tonumber(a.remembered))
local current, last = KEYS[6 + window % 2], KEYS[6 + (window + 1) % 2]
local name
local function call_it(text)
  name = text:sub(1, 16):gsub('%x%x', function(byte)
    return string.char(tonumber(byte, 16))
  end)
end

-- The position of what this message painted, and whether its painter was put back then.
local function remembered()
  local kept = redis.call('HMGET', current, 'w', name)
  if kept[1] ~= whole(window) or not kept[2] then
    kept = redis.call('HMGET', last, 'w', name)
    if kept[1] ~= whole(window - 1) or not kept[2] then
      return
    end
  end
  local position, back = kept[2]:match('^(%S+)( ?)')
  return position, back ~= ''
end

local function remember(position, is_back)
  if redis.call('HGET', current, 'w') ~= whole(window) then
    redis.call('UNLINK', current)
    redis.call('HSET', current, 'w', whole(window))
    redis.call('PEXPIRE', current, whole(3 * tonumber(a.remembered)))
  end
  redis.call('HSET', current, name, position .. (is_back and ' ' or ''))
end

-- A client that the cache does not know, because it lost something, is put back.
local function put_back()
  if a.shard == '' then
    return false
  end
  local first = FIRST_SHARD + 2 * tonumber(a.shard)
  local shard = {
    clients = KEYS[first], awake = KEYS[first + 1],
    joined = KEYS[8], roster = KEYS[9], cursor = KEYS[10],
  }
  if redis.call('SISMEMBER', shard.clients, connection) == 1 then
    return false
  end
  join(shard, KEYS[3], connection)
  return true
end

local function painted(position, is_back)
  local answer = {'painted', position, is_back and '1' or '0'}
  for key = FIRST_SHARD, #KEYS, 2 do
    if redis.call('SCARD', KEYS[key]) > 0 and call_loop(KEYS[key + 1], a.name, a.call) then
      answer[#answer + 1] = whole((key - FIRST_SHARD) / 2)
    end
  end
  return answer
end

local meta = open_canvas(KEYS[1], KEYS[2], KEYS[3], 'salt')
if not meta then
  return {'closed'}
elseif meta[2] ~= a.width or meta[3] ~= a.height then
  return {'mismatch', meta[2], meta[3]}
end

-- Where a client gave no player, the source stands for one.
local source = redis.sha1hex(meta[4] .. a.source):sub(1, 16)
local player = a.shard ~= '' and (redis.call('HGET', KEYS[8], connection) or ''):match(' (%x+)$')
call_it(a.own == '' and a.name or redis.sha1hex((player or source) .. ' ' .. a.own))

-- Whoever does not hear the answer sends the message again, a cluster's client by itself too.
local done, was_back = remembered()
if done then
  return painted(done, put_back() or was_back)
end

-- A refused write must leave no trace, so everything that refuses comes before the first change.
local unsaved = tonumber(redis.call('GET', KEYS[4]) or '0') + changes
if unsaved > tonumber(a.most_changes) then
  return {'full'}
end
local most_bytes = tonumber(a.most_bytes)
if most_bytes > 0
  and unsaved * RECORD * WASTE + redis.call('XLEN', KEYS[3]) * ENTRY > most_bytes then
  return {'full'}
end

-- Who may send a message each `pause` ms, and `burst` ms' worth of them at once, has a time in the
-- sorted set up to which its messages are paid for (the generic cell rate algorithm). That is never
-- later than a burst from now, unless the clock has stepped back.
local function pay(member, pause, burst)
  local until_now = tonumber(redis.call('ZSCORE', KEYS[5], member) or '0')
  local paid = math.min(math.max(until_now, now), now + burst) + pause
  local wait = paid - burst - now
  return wait > 0 and wait or 0, paid
end
local pause, rate = tonumber(a.pause), tonumber(a.rate)
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
    local answer = {'cooling', whole(math.ceil(wait))}
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

local width = tonumber(a.width)
for start = 1, #records, RECORD do
  local x1, x0, y1, y0 = records:byte(start, start + 3)
  local offset = ((y1 * 256 + y0) * width + x1 * 256 + x0) * 3
  redis.call('SETRANGE', KEYS[2], offset, records:sub(start + 4, start + 6))
end
local entry = {'p', records, 'c', connection, 'i', source}
if player then
  entry[7], entry[8] = 'u', player
end
local position = redis.call('XADD', KEYS[3], '*', unpack(entry))
redis.call('INCRBY', KEYS[4], changes)
local is_back = put_back()
remember(position, is_back)
return painted(position, is_back)

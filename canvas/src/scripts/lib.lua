-- What every script starts with.

-- Redis's clock, in milliseconds with a fraction: one moment for all of a script.
local moment
local function now_ms()
  if not moment then
    local time = redis.call('TIME')
    moment = time[1] * 1000 + time[2] / 1000
  end
  return moment
end

-- A whole number as text: Lua would write a large one with an exponent.
local function whole(number)
  return string.format('%.0f', number)
end

-- The fields of `meta`, if the canvas is open: if it was opened, and nothing of it was lost since.
local function open_canvas(meta, canvas, history, ...)
  local fields = redis.call('HMGET', meta, 'epoch', 'width', 'height', ...)
  if fields[1] and redis.call('EXISTS', canvas, history) == 2 then
    return fields
  end
end

-- What changes when another node becomes the primary, which may lack the newest writes. A cache that
-- does not tell has none.
local function replication_id()
  local told = redis.pcall('INFO', 'replication')
  return type(told) == 'string' and told:match('master_replid:(%x+)') or ''
end

-- The newest position. The newest entry is never trimmed, so its id is it.
local function newest(history)
  local last = redis.call('XREVRANGE', history, '+', '-', 'COUNT', 1)
  return last[1] and last[1][1] or '0-0'
end

-- Whether position a comes before position b.
local function before(a, b)
  local a_ms, a_n = a:match('^(%d+)%-(%d+)$')
  local b_ms, b_n = b:match('^(%d+)%-(%d+)$')
  a_ms, b_ms = tonumber(a_ms), tonumber(b_ms)
  return a_ms < b_ms or a_ms == b_ms and tonumber(a_n) < tonumber(b_n)
end

-- Who has a lease, unless it is over. A lease tells its end itself: no key of it expires, because a
-- full cache drops those first, and nobody could keep one long enough to make room.
local function holder(lease)
  local who, ends = (redis.call('GET', lease) or ''):match('^(%S+) (%d+)$')
  if who and now_ms() < tonumber(ends) then
    return who
  end
end

-- Gives a lease to somebody, or renews it.
local function give(lease, who, length)
  redis.call('SET', lease, who .. ' ' .. whole(math.floor(now_ms() + tonumber(length))))
end

-- Whether a shard needs the history after its cursor: it has clients, or a loop that may serve some.
local function needs_history(clients, awake)
  return redis.call('SCARD', clients) > 0 or holder(awake) ~= nil
end

-- Calls a shard's loop, unless one runs or is called; says whether `caller` must wake it. A call
-- carries its caller's name, so that a script that runs a second time, because the first answer was
-- lost, says the same again.
local function call_loop(awake, caller, length)
  local call, holds = 'called:' .. caller, holder(awake)
  if not holds then
    give(awake, call, length)
  end
  return not holds or holds == call
end

-- Whether who has a shard's lease is called, and no loop that runs.
local function is_call(who)
  return who:sub(1, 7) == 'called:'
end

-- Moves a cursor, but never back.
local function forward(key, position)
  local held = redis.call('GET', key)
  if not held or before(held, position) then
    redis.call('SET', key, position)
  end
end

-- Adds a client to its shard. For the shard's first client the cursor moves: the client's picture
-- will show at least what is painted now.
local function join(shard, history, id)
  if not redis.call('GET', shard.cursor) or not needs_history(shard.clients, shard.awake) then
    forward(shard.cursor, newest(history))
  end
  redis.call('SADD', shard.clients, id)
  redis.call('HSET', shard.joined, id, whole(math.floor(now_ms())))
  redis.call('INCR', shard.roster)
end


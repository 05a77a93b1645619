-- What every script starts with.

-- Redis's clock, in milliseconds with a fraction.
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + time[2] / 1000
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

-- Whether a shard needs the history after its cursor: it has clients, or a loop that may serve some.
local function needs_history(clients, awake)
  return redis.call('SCARD', clients) > 0 or redis.call('EXISTS', awake) == 1
end

-- Calls a shard's loop, unless one runs or is called; says whether `caller` must wake it. A call
-- carries its caller's name, so that a script that runs a second time, because the first answer was
-- lost, says the same again.
local function call_loop(awake, caller, length)
  local call = 'called:' .. caller
  return redis.call('SET', awake, call, 'NX', 'PX', length) or redis.call('GET', awake) == call
end

-- Whether what a lease's key holds is a call, and no loop's token.
local function is_call(holder)
  return holder:sub(1, 6) == 'called'
end

-- Moves a cursor, but never back.
local function forward(key, position)
  local held = redis.call('GET', key)
  if not held or before(held, position) then
    redis.call('SET', key, position)
  end
end


-- Keeps a client alive: puts it back into its shard if the cache has lost it, and calls the loops of
-- shards that lag.
--
-- KEYS  1 meta, 2 canvas, 3 history, then joined and roster of the client's shard, then clients,
--       awake and cursor of each shard
-- ARGV  as `a` says: `connection` id, `shard` its number, `holds` the position that the client
--       holds, or nothing, `name` of the caller, `call` length of a call (ms)
-- Answers {'pong', epoch, newest position, clients of all shards, 1 if it was put back, 1 if history
-- does not know what the client holds, number of each shard to wake...} or {'closed'}.

local FIRST_SHARD = 6
local a = {
  connection = ARGV[1], shard = ARGV[2], holds = ARGV[3], name = ARGV[4], call = ARGV[5],
}
local meta = open_canvas(KEYS[1], KEYS[2], KEYS[3])
if not meta then
  return {'closed'}
end

local own = FIRST_SHARD + 3 * tonumber(a.shard)
local is_back = false
if redis.call('SISMEMBER', KEYS[own], a.connection) == 0 then
  join({
    clients = KEYS[own], awake = KEYS[own + 1], cursor = KEYS[own + 2],
    joined = KEYS[4], roster = KEYS[5],
  }, KEYS[3], a.connection)
  is_back = true
end

-- What a client holds is an entry of history. One that is not there although older ones are was
-- lost, and the client shows what nobody else does.
local is_lost = false
if a.holds ~= '' and #redis.call('XRANGE', KEYS[3], a.holds, a.holds) == 0 then
  local first = redis.call('XRANGE', KEYS[3], '-', '+', 'COUNT', 1)[1]
  is_lost = first ~= nil and before(first[1], a.holds)
end

local last, online, awake = newest(KEYS[3]), 0, {}
for key = FIRST_SHARD, #KEYS, 3 do
  local clients = redis.call('SCARD', KEYS[key])
  online = online + clients
  if clients > 0 and before(redis.call('GET', KEYS[key + 2]) or '0-0', last)
    and call_loop(KEYS[key + 1], a.name, a.call) then
    awake[#awake + 1] = whole((key - FIRST_SHARD) / 3)
  end
end
return {
  'pong', meta[1], last, whole(online), is_back and '1' or '0', is_lost and '1' or '0', unpack(awake),
}

-- Figures for the operator.
--
-- KEYS  1 history, 2 saved, 3 unsaved, 4 last_save, then clients, awake and cursor of each shard
-- Answers {figures as JSON, {{clients, awake, cursor} of each shard}}.

local saved = redis.call('GET', KEYS[2]) or '0-0'
local oldest = redis.call('XRANGE', KEYS[1], '(' .. saved, '+', 'COUNT', 1)[1]
local figures = {
  newest = newest(KEYS[1]),
  saved = saved,
  unsaved_changes = math.max(0, tonumber(redis.call('GET', KEYS[3]) or '0')),
  history_entries = redis.call('XLEN', KEYS[1]),
  last_save = redis.call('GET', KEYS[4]) or nil,
}
if oldest then
  figures.oldest_unsaved_ms = math.max(0, math.floor(now_ms() - oldest[1]:match('^(%d+)')))
end
local shards = {}
for key = 5, #KEYS, 3 do
  shards[#shards + 1] = {
    redis.call('SCARD', KEYS[key]),
    redis.call('GET', KEYS[key + 1]) or '',
    redis.call('GET', KEYS[key + 2]) or '',
  }
end
return {cjson.encode(figures), shards}

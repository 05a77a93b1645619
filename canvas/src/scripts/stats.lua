-- Figures for the operator.
--
-- KEYS  1 history, 2 saved, 3 unsaved, 4 last_save, 5 meta, 6 canvas, then clients, awake and cursor
--       of each shard
-- Answers {figures as JSON, {{clients, who has the lease, cursor} of each shard}}.

local saved = redis.call('GET', KEYS[2]) or '0-0'
local oldest = redis.call('XRANGE', KEYS[1], '(' .. saved, '+', 'COUNT', 1)[1]
local figures = {
  newest = newest(KEYS[1]),
  saved = saved,
  unsaved_changes = math.max(0, tonumber(redis.call('GET', KEYS[3]) or '0')),
  history_entries = redis.call('XLEN', KEYS[1]),
  last_save = redis.call('GET', KEYS[4]) or nil,
  now_ms = math.floor(now_ms()),
}
local meta = open_canvas(KEYS[5], KEYS[6], KEYS[1], 'background', 'opened')
if meta then
  figures.canvas = {
    epoch = meta[1], width = tonumber(meta[2]), height = tonumber(meta[3]),
    background = meta[4] or '', opened_ms = tonumber(meta[5] or '0'),
  }
end
local memory = redis.pcall('INFO', 'memory')
if type(memory) == 'string' then
  figures.memory = {
    used_bytes = tonumber(memory:match('used_memory:(%d+)')),
    limit_bytes = tonumber(memory:match('maxmemory:(%d+)')),
  }
end
if oldest then
  figures.oldest_unsaved_ms = math.max(0, math.floor(now_ms() - oldest[1]:match('^(%d+)')))
end
local shards = {}
for key = 7, #KEYS, 3 do
  shards[#shards + 1] = {
    redis.call('SCARD', KEYS[key]),
    holder(KEYS[key + 1]) or '',
    redis.call('GET', KEYS[key + 2]) or '',
  }
end
return {cjson.encode(figures), shards}

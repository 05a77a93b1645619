-- Takes the save's lease, unless another save has it, and says what there is to save.
--
-- KEYS  1 saving, 2 saved, 3 meta, 4 canvas, 5 history
-- ARGV  1 token, 2 length of the lease (ms)
-- Answers nothing when another save runs. Otherwise {position up to which everything is saved,
-- epoch, width, height, background, salt, `to`, replication id when it was opened, and now}: an
-- empty epoch says that the canvas is not open, an empty width that there is none.

local who = holder(KEYS[1])
if who and who ~= ARGV[1] then
  return false
end
give(KEYS[1], ARGV[1], ARGV[2])
local is_open = open_canvas(KEYS[3], KEYS[4], KEYS[5])
local meta = redis.call(
  'HMGET', KEYS[3], 'epoch', 'width', 'height', 'background', 'salt', 'to', 'replid')
local answer = {redis.call('GET', KEYS[2]) or '0-0'}
for index = 1, 7 do
  answer[index + 1] = meta[index] or ''
end
if not is_open then
  answer[2] = ''
end
local size = (tonumber(meta[2]) or 0) * (tonumber(meta[3]) or 0) * 3
if size == 0 or redis.call('STRLEN', KEYS[4]) ~= size then
  answer[3] = ''
end
answer[9] = replication_id()
return answer

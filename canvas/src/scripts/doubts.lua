-- The pixels whose rows are in doubt.
--
-- KEYS  1 doubtful
-- Answers {name, ms since it was noted, places as bytes} of each doubt.

local noted = redis.call('HGETALL', KEYS[1])
local doubts = {}
for index = 1, #noted, 2 do
  local since, places = noted[index + 1]:match('^(%d+):(.*)$')
  doubts[#doubts + 1] = {noted[index], math.max(0, math.floor(now_ms() - since)), places}
end
return doubts

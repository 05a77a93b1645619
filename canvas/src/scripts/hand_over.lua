-- Turns a loop's lease into a call for the next one.
--
-- KEYS  1 awake
-- ARGV  1 token, 2 length of a call (ms)
-- Answers whether the lease was the caller's.

local call = 'called:' .. ARGV[1]
local who = holder(KEYS[1])
if who ~= ARGV[1] then
  -- The answer to an earlier try may have been lost.
  return who == call and 1 or 0
end
give(KEYS[1], call, ARGV[2])
return 1

-- Renews a lease.
--
-- KEYS  1 lease
-- ARGV  1 token, 2 length of the lease (ms)
-- Answers whether it was the caller's.

if holder(KEYS[1]) ~= ARGV[1] then
  return 0
end
give(KEYS[1], ARGV[1], ARGV[2])
return 1

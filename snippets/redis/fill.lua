-- Stores what was read from the database behind `get`, unless a change came meanwhile. The lease ends.
-- KEYS: key, record, lease, old. ARGV: token, settled, value, ttl_ms, hold_ms, the caller's text of its `get`.
-- 1: stored; 0: not, and the next reader reads the database again.
if redis.call('GET', KEYS[3]) == ARGV[6] then
    redis.call('DEL', KEYS[3])
end
local record = redis.call('GET', KEYS[2])
if not record or string.match(record, '^(%S+) ') ~= ARGV[1] then
    return 0
end
local ttl = tonumber(ARGV[4])
if ARGV[2] ~= '1' then
    ttl = math.min(ttl, tonumber(ARGV[5]))
end
redis.call('SET', KEYS[1], ARGV[3], 'PX', string.format('%d', ttl))
redis.call('DEL', KEYS[4])
return 1

-- A key with its fence: the value, or on a miss what a fill needs.
-- KEYS: key, record. ARGV: a random text of the caller, hold_ms, max_fill_ms.
-- {value}, or {false, token, settled}: settled 1: what the database says from now on may be kept for long.
local value = redis.call('GET', KEYS[1])
if value then
    return {value}
end
local record = redis.call('GET', KEYS[2])
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
if not record then
    redis.call('SET', KEYS[2], string.format('%s %d %s', ARGV[1], now, ARGV[2]), 'PX', ARGV[2] + ARGV[3])
    return {false, ARGV[1], 0}
end
local token, at, hold = string.match(record, '^(%S+) (%d+) (%d+)$')
hold = math.max(tonumber(hold), tonumber(ARGV[2]))
if now - at > hold then
    return {false, token, 1}
end
return {false, token, 0}

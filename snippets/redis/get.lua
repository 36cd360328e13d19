-- A key with its fence: the value, or on a miss what a fill needs.
-- KEYS: key, record, lease, old. ARGV: a random text of the caller, hold_ms, max_fill_ms, lease_ms (0: no leases).
-- {value}, or {false, token, settled, mine, old}. settled 1: what the database says from now on may be kept for long.
-- mine 0: another reader has the lease, and fills; old: what the key held before, or false.
local value = redis.call('GET', KEYS[1])
if value then
    return {value}
end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local token, at, hold = string.match(redis.call('GET', KEYS[2]) or '', '^(%S+) (%d+) (%d+)$')
local settled = 0
if not token then
    token = ARGV[1]
    redis.call('SET', KEYS[2], string.format('%s %d %s', token, now, ARGV[2]), 'PX', ARGV[2] + ARGV[3])
elseif now - at > math.max(tonumber(hold), tonumber(ARGV[2])) then
    settled = 1
end
if ARGV[4] == '0' or redis.call('SET', KEYS[3], ARGV[1], 'NX', 'PX', ARGV[4]) then
    return {false, token, settled, 1, false}
end
return {false, token, settled, 0, redis.call('GET', KEYS[4])}

-- A session failed alone in the engine. KEYS: meta.
-- ARGV: ttl seconds, owner, steps of a trial, strikes that end a session.
-- Answers {"stored", strikes}, {"poisoned", strikes} when it must be given up,
-- {"fenced", its owner} or {"gone", ""}.
local meta = redis.call('HMGET', KEYS[1], 'owner', 'k', 'trial', 'strikes')
if not meta[1] then return {'gone', ''} end
if meta[1] ~= ARGV[2] then return {'fenced', meta[1]} end
local k, strikes = tonumber(meta[2]), 1
-- Strikes that a session has outlived by a whole trial are forgiven.
if k < tonumber(meta[3] or '0') then strikes = tonumber(meta[4] or '0') + 1 end
redis.call('HSET', KEYS[1], 'trial', string.format('%d', k + tonumber(ARGV[3])),
  'strikes', strikes)
redis.call('EXPIRE', KEYS[1], ARGV[1])
local answer = 'stored'
if strikes >= tonumber(ARGV[4]) then answer = 'poisoned' end
return {answer, tostring(strikes)}

-- Become a session's owner. KEYS: meta. ARGV: ttl seconds, the owner seen dead ('' for none),
-- worker, nonce, steps of a trial, strikes that end a session.
-- The nonce keeps an epoch that Redis rolled back from being shared. Who takes a session from the
-- dead has it on trial for some steps: a death within them is a strike, which the next one counts.
-- Who takes a session that is its own already (the answer to a claim was lost) died of nothing.
-- Answers {"stored", owner}, {"poisoned", owner} when it is owned but must be given up,
-- {"fenced", its owner} when another was faster, {"gone", ""}.
local meta = redis.call('HMGET', KEYS[1], 'owner', 'state', 'k', 'trial', 'strikes')
local owner = meta[1]
if not owner or meta[2] ~= 'live' then return {'gone', ''} end
if owner ~= ARGV[2] then return {'fenced', owner} end
local strikes = 0
if owner ~= '' and string.match(owner, '^%d+:([^:]*):') ~= ARGV[3] then
  local k = tonumber(meta[3])
  if k < tonumber(meta[4] or '0') then strikes = tonumber(meta[5] or '0') + 1 end
  redis.call('HSET', KEYS[1], 'trial', string.format('%d', k + tonumber(ARGV[5])),
    'strikes', strikes)
end
local epoch = redis.call('HINCRBY', KEYS[1], 'owner_epoch', 1)
owner = string.format('%d:%s:%s', epoch, ARGV[3], ARGV[4])
redis.call('HSET', KEYS[1], 'owner', owner)
redis.call('EXPIRE', KEYS[1], ARGV[1])
if strikes >= tonumber(ARGV[6]) then return {'poisoned', owner} end
return {'stored', owner}

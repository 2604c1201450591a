-- Become a session's owner. KEYS: meta. ARGV: the names below; `seen_owner` is the owner that the
-- worker saw dead, '' for none.
-- The nonce keeps two owners apart when Redis lost the epoch of the first one in a crash.
-- A session taken from a dead worker is on trial for `trial_steps`: a death within them is a strike.
-- A worker that claims its own session again (it lost the first answer) gets no strike for it.
-- Answers {"stored", owner}, {"poisoned", owner} when the new owner must give the session up,
-- {"fenced", its owner} when another worker was faster, {"gone", ""}.
local ttl_s, seen_owner, worker, nonce, trial_steps, max_strikes = unpack(ARGV, 1, 6)
local meta = redis.call('HMGET', KEYS[1], 'owner', 'state', 'k', 'trial', 'strikes')
local owner, state, k, trial = meta[1], meta[2], tonumber(meta[3]), tonumber(meta[4] or '0')
if not owner or state ~= 'live' then return {'gone', ''} end
if owner ~= seen_owner then return {'fenced', owner} end
local strikes = 0
if owner ~= '' and string.match(owner, '^%d+:([^:]*):') ~= worker then
  if k < trial then strikes = tonumber(meta[5] or '0') + 1 end
  redis.call('HSET', KEYS[1], 'trial', string.format('%d', k + tonumber(trial_steps)),
    'strikes', strikes)
end
local epoch = redis.call('HINCRBY', KEYS[1], 'owner_epoch', 1)
owner = string.format('%d:%s:%s', epoch, worker, nonce)
redis.call('HSET', KEYS[1], 'owner', owner)
redis.call('EXPIRE', KEYS[1], ttl_s)
if strikes >= tonumber(max_strikes) then return {'poisoned', owner} end
return {'stored', owner}

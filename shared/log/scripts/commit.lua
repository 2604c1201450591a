-- One step is one commit: what was consumed, done and said, all or nothing.
-- KEYS: meta, in, steps, out.
-- ARGV: 1 ttl seconds, 2 owner, 3 first step, 4 number of steps, 5 first output, 6 cursor,
-- 7 frame, 8 generation, 9 mode, 10 keep inputs from, 11 keep steps from, 12 keep outputs from,
-- 13 an older step to delete (0: none), then type, msgpack, ...
-- of the steps and behind them of the outputs.
-- Answers {answer, last k stored}; a retry of what is stored is a duplicate, which is success.
local meta = redis.call('HMGET', KEYS[1], 'owner', 'k', 'm', 'cursor')
if not meta[1] then return {'gone', 0} end
local k, m, cursor = tonumber(meta[2]), tonumber(meta[3]), tonumber(meta[4])
if meta[1] ~= ARGV[2] then return {'fenced', k} end
local first_k, steps, first_m = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
if first_k + steps - 1 <= k then return {'duplicate', k} end
if first_k ~= k + 1 or first_m ~= m + 1 or tonumber(ARGV[6]) < cursor then return {'gap', k} end
local had_k, had_m = k, m
for i = 14, #ARGV, 2 do
  local index = (i - 14) / 2
  if index < steps then
    k = first_k + index
    redis.call('XADD', KEYS[3], 'MINID', ARGV[11] .. '-0', string.format('%d-0', k),
      ARGV[i], ARGV[i + 1])
  else
    m = first_m + index - steps
    redis.call('XADD', KEYS[4], 'MINID', ARGV[12] .. '-0', string.format('%d-0', m),
      ARGV[i], ARGV[i + 1])
  end
end
redis.call('HSET', KEYS[1], 'k', string.format('%d', k), 'm', string.format('%d', m),
  'cursor', ARGV[6], 'f', ARGV[7], 'generation', ARGV[8], 'mode', ARGV[9])
if ARGV[13] ~= '0' then redis.call('XDEL', KEYS[3], ARGV[13] .. '-0') end
-- Every command of a script costs Redis some 5 us: the streams that this step did not write are
-- trimmed, and TTLs of hours are renewed, by each eighth step; by a stream's first record too.
if had_k == 0 or (had_m == 0 and m > 0) or math.floor(k / 8) > math.floor(had_k / 8) then
  redis.call('XTRIM', KEYS[2], 'MINID', ARGV[10] .. '-0')
  redis.call('XTRIM', KEYS[4], 'MINID', ARGV[12] .. '-0')
  for i = 1, 4 do redis.call('EXPIRE', KEYS[i], ARGV[1]) end
end
return {'stored', k}

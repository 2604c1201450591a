-- Commit what one turn of the worker's loop did in one session, all or nothing.
-- KEYS: meta, in, steps, out.
-- ARGV: the names below, then the records as type, msgpack, ...: `step_count` steps, then outputs.
-- Each stream keeps its records from `keep_...` on; `drop_step` is one later step to delete, '0' for
-- none.
-- Answers {answer, last k stored}. A retry of stored steps is a duplicate, which is success.
local ttl_s, owner, first_step, step_count, first_output, cursor, frame, generation, mode,
  keep_inputs, keep_steps, keep_outputs, drop_step = unpack(ARGV, 1, 13)
local before_records = 13
first_step, step_count = tonumber(first_step), tonumber(step_count)
first_output = tonumber(first_output)
local meta = redis.call('HMGET', KEYS[1], 'owner', 'k', 'm', 'cursor')
local newest_owner, had_k, had_m, had_cursor =
  meta[1], tonumber(meta[2]), tonumber(meta[3]), tonumber(meta[4])
if not newest_owner then return {'gone', 0} end
if newest_owner ~= owner then return {'fenced', had_k} end
if first_step + step_count - 1 <= had_k then return {'duplicate', had_k} end
if first_step ~= had_k + 1 or first_output ~= had_m + 1 or tonumber(cursor) < had_cursor then
  return {'gap', had_k}
end
local k, m = had_k, had_m
for i = before_records + 1, #ARGV, 2 do
  local kind, body = ARGV[i], ARGV[i + 1]
  local index = (i - before_records - 1) / 2
  if index < step_count then
    k = first_step + index
    redis.call('XADD', KEYS[3], 'MINID', keep_steps .. '-0', string.format('%d-0', k), kind, body)
  else
    m = first_output + index - step_count
    redis.call('XADD', KEYS[4], 'MINID', keep_outputs .. '-0', string.format('%d-0', m), kind, body)
  end
end
redis.call('HSET', KEYS[1], 'k', string.format('%d', k), 'm', string.format('%d', m),
  'cursor', cursor, 'f', frame, 'generation', generation, 'mode', mode)
if drop_step ~= '0' then redis.call('XDEL', KEYS[3], drop_step .. '-0') end
-- Every command in a script costs Redis some 5 us. So every eighth step, and a stream's first
-- record, renews the TTLs and trims the streams that a step did not write.
if had_k == 0 or (had_m == 0 and m > 0) or math.floor(k / 8) > math.floor(had_k / 8) then
  redis.call('XTRIM', KEYS[2], 'MINID', keep_inputs .. '-0')
  redis.call('XTRIM', KEYS[4], 'MINID', keep_outputs .. '-0')
  for i = 1, 4 do redis.call('EXPIRE', KEYS[i], ttl_s) end
end
return {'stored', k}

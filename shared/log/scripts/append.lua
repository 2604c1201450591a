-- Append what the caller's side said. KEYS: meta, in.
-- ARGV: ttl seconds, connection, number of the first record, most unread records,
-- most unread of control kind over that, then type, msgpack, type, msgpack, ...
-- Answers {answer, last n stored}, "poisoned" when the session was given up; a retry of what is
-- stored is a duplicate, which is success.
local meta = redis.call('HMGET', KEYS[1], 'conn', 'n', 'cursor', 'samples', 'state', 'played')
if not meta[1] then return {'gone', 0} end
local had, cursor, samples, played = tonumber(meta[2]), tonumber(meta[3]), tonumber(meta[4]), meta[6]
local last = had
if meta[1] ~= ARGV[2] then return {'fenced', last} end
if meta[5] ~= 'live' then return {'poisoned', last} end
local first = tonumber(ARGV[3])
if first > last + 1 then return {'gap', last} end
local room = tonumber(ARGV[4])
local answer = 'duplicate'
for i = 6, #ARGV, 2 do
  local n = first + (i - 6) / 2
  if n > last then
    -- Controls (hang up, cancel) keep some room of their own: a full log must still take them.
    local most = room
    if ARGV[i] ~= 'audio' then most = room + tonumber(ARGV[5]) end
    if last - cursor >= most then
      answer = 'busy'
      break
    end
    redis.call('XADD', KEYS[2], string.format('%d-0', n), ARGV[i], ARGV[i + 1])
    if ARGV[i] == 'audio' then
      samples = samples + 1920
    elseif ARGV[i] == 'commit' then
      samples = samples - cmsgpack.unpack(ARGV[i + 1]).padding
    elseif ARGV[i] == 'played' then
      played = cmsgpack.unpack(ARGV[i + 1]).frame
    end
    last, answer = n, 'stored'
  end
end
if last > had then
  redis.call('HSET', KEYS[1], 'n', string.format('%d', last),
    'samples', string.format('%d', samples), 'played', string.format('%d', played))
end
-- Every command of a script costs Redis some 5 us: a TTL of hours is renewed by each eighth record,
-- by the first, and by who only asks.
if had == 0 or last == had or math.floor(last / 8) > math.floor(had / 8) then
  redis.call('EXPIRE', KEYS[1], ARGV[1])
  redis.call('EXPIRE', KEYS[2], ARGV[1])
end
return {answer, last}

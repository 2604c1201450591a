-- Append the caller's records. KEYS: meta, in, client.
-- ARGV: the names below, then the records as type, msgpack, type, msgpack, ...
-- A full log refuses audio after `max_unread` records that no worker has consumed, and controls
-- (hang up, cancel) after `control_room` more.
-- Answers {answer, last n stored}. A retry of stored records is a duplicate, which is success;
-- "poisoned" means that the session was given up.
-- `client` replaces the stored protocol state of the client; '' leaves it unchanged.
local ttl_s, conn, first, max_unread, control_room, chunk_samples, client = unpack(ARGV, 1, 7)
local before_records = 7
first, max_unread = tonumber(first), tonumber(max_unread)
local meta = redis.call('HMGET', KEYS[1], 'conn', 'n', 'cursor', 'samples', 'state', 'played')
local newest_conn, had, cursor = meta[1], tonumber(meta[2]), tonumber(meta[3])
local samples, state, played = tonumber(meta[4]), meta[5], meta[6]
if not newest_conn then return {'gone', 0} end
local last = had
if newest_conn ~= conn then return {'fenced', last} end
if state ~= 'live' then return {'poisoned', last} end
if first > last + 1 then return {'gap', last} end
if client ~= '' then redis.call('SET', KEYS[3], client, 'EX', ttl_s) end
local answer = 'duplicate'
for i = before_records + 1, #ARGV, 2 do
  local kind, body = ARGV[i], ARGV[i + 1]
  local n = first + (i - before_records - 1) / 2
  if n > last then
    local room = max_unread
    if kind ~= 'audio' then room = room + tonumber(control_room) end
    if last - cursor >= room then
      answer = 'busy'
      break
    end
    redis.call('XADD', KEYS[2], string.format('%d-0', n), kind, body)
    if kind == 'audio' then
      samples = samples + tonumber(chunk_samples)
    elseif kind == 'commit' then
      samples = samples - cmsgpack.unpack(body).padding
    elseif kind == 'played' then
      played = cmsgpack.unpack(body).frame
    end
    last, answer = n, 'stored'
  end
end
if last > had then
  redis.call('HSET', KEYS[1], 'n', string.format('%d', last),
    'samples', string.format('%d', samples), 'played', string.format('%d', played))
end
-- Every command in a script costs Redis some 5 us. So the TTL, which is hours, is renewed by every
-- eighth record, by the first one, and by a call that stores nothing.
if had == 0 or last == had or math.floor(last / 8) > math.floor(had / 8) then
  redis.call('EXPIRE', KEYS[1], ttl_s)
  redis.call('EXPIRE', KEYS[2], ttl_s)
end
return {answer, last}

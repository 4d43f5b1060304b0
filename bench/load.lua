-- The script that wrk runs for every load. bench/wrk.py describes the load in the environment, so
-- that the token is in no process list:
--   BENCH_METHOD, BENCH_PATH, BENCH_BODY (may be empty), BENCH_TOKEN (may be empty)
--   BENCH_KEYS    what replaces the word KEY in the path: "same" (nothing), "cycle" (0 .. COUNT-1,
--                 over and over), "fresh" (PREFIX-thread-0, PREFIX-thread-1, ..., never twice)
--   BENCH_COUNT, BENCH_PREFIX
-- It prints one line of JSON; durations are microseconds.

local threads = {}

function setup(thread)
  table.insert(threads, thread)
  thread:set("number", #threads)
end

not_2xx = 0

-- wrk itself counts only statuses of 400 and above. Looking at each takes it about 0.4 microseconds.
function response(status)
  if status < 200 or status > 299 then not_2xx = not_2xx + 1 end
end

local function split_at_key(text)
  local first, last = string.find(text, "KEY", 1, true)
  return string.sub(text, 1, first - 1), string.sub(text, last + 1)
end

function init()
  local body, token = os.getenv("BENCH_BODY"), os.getenv("BENCH_TOKEN")
  wrk.method = os.getenv("BENCH_METHOD")
  wrk.path = os.getenv("BENCH_PATH")
  if body ~= "" then
    wrk.body = body
    wrk.headers["Content-Type"] = "application/json"
  end
  if token ~= "" then wrk.headers["X-Vault-Token"] = token end

  local keys, step = os.getenv("BENCH_KEYS"), 0
  if keys == "cycle" then
    local head, tail = split_at_key(wrk.format())
    local count, ready = tonumber(os.getenv("BENCH_COUNT")), {}
    for n = 0, count - 1 do ready[n] = head .. n .. tail end
    function request()
      local text = ready[step % count]
      step = step + 1
      return text
    end
  elseif keys == "fresh" then
    local head, tail = split_at_key(wrk.format())
    head = head .. os.getenv("BENCH_PREFIX") .. "-" .. number .. "-"
    function request()
      local text = head .. step .. tail
      step = step + 1
      return text
    end
  end
end

function done(summary, latency)
  local strays = 0
  for _, thread in ipairs(threads) do strays = strays + thread:get("not_2xx") end
  local errors = summary.errors
  print(string.format(
    '{"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"status":%d,"socket":%d,"timeout":%d}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    math.max(strays, errors.status), errors.connect + errors.read + errors.write, errors.timeout))
end

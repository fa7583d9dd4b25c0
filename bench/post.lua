-- What every target is sent. Arguments: body ("@FILE" reads one), API key (or ""), content type,
-- and further headers as "Name: value".
local function read(argument)
  if argument:sub(1, 1) ~= "@" then return argument end
  local file = assert(io.open(argument:sub(2), "rb"))
  local content = file:read("*a")
  file:close()
  return content
end

function init(args)
  wrk.method = "POST"
  wrk.body = read(args[1])
  wrk.headers["Content-Type"] = args[3] or "application/json"
  if args[2] and args[2] ~= "" then
    wrk.headers["X-API-Key"] = args[2]
  end
  for index = 4, #args do
    local name, value = args[index]:match("^([^:]+):%s*(.*)$")
    wrk.headers[name] = value
  end
end

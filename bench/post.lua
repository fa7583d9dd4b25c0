-- What every target of the request path is sent. Arguments: body, API key (or "").
function init(args)
  wrk.method = "POST"
  wrk.body = args[1]
  wrk.headers["Content-Type"] = "application/json"
  if args[2] and args[2] ~= "" then
    wrk.headers["X-API-Key"] = args[2]
  end
end


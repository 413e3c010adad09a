-- Before scripts on the keys of the cluster itself: the time in milliseconds, by
-- Redis's own clock.
local T = redis.call('TIME')
local NOW = T[1] * 1000 + math.floor(T[2] / 1000)

#!/bin/bash
# Runs Kamailio and the agent. The container lives as long as Kamailio: phones stay connected while an agent that ended is
# started again. As process 1, its end takes everything with it.
set -u

stop() {
    stopping=yes
    kill -TERM "$kamailio" "$agent" 2>/dev/null
}

keep_agent() {
    trap 'kill -TERM "$child" 2>/dev/null; wait "$child"; exit 0' TERM
    while true; do
        python3 -m sip_edge.agent &
        child=$!
        wait "$child"
        sleep 1
    done
}

stopping=no
python3 -m sip_edge.agent.kamailio &
kamailio=$!
keep_agent &
agent=$!
trap stop TERM INT

wait "$kamailio"
status=$?
if [ "$stopping" = yes ]; then
    wait "$kamailio" "$agent"
    exit 0
fi
kill -TERM "$agent" 2>/dev/null
exit "$status"

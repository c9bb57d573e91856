#!/bin/bash
# Runs Kamailio, rtpengine and the agent. The container lives as long as Kamailio: phones stay connected while an agent or an
# rtpengine that ended is started again. As process 1, its end takes everything with it. SIGTERM lets running calls end first
# (EDGE_DRAIN_SECONDS); a second one does not.
set -u

# In a task of the cloud: its own name and addresses, and the certificate that it was given as variables instead of files.
: "${EDGE_ID:=$(hostname | cut -d. -f1)}"
export EDGE_ID
if [ -n "${ECS_CONTAINER_METADATA_URI_V4:-}" ]; then
    private="$(hostname -i | cut -d' ' -f1)"
    # Without it nobody would hear anything: rather no edge at all, and the next try.
    public="$(python3 -c 'import urllib.request as r; print(r.urlopen("https://checkip.amazonaws.com", timeout=10).read().decode().strip())')" || exit 1
    export EDGE_PRIVATE_ADDRESS="${EDGE_PRIVATE_ADDRESS:-$private:5060}" EDGE_MEDIA_ADDRESS="${EDGE_MEDIA_ADDRESS:-$private!$public}"
fi
if [ -n "${EDGE_TLS_CERTIFICATE_PEM:-}" ]; then
    export EDGE_TLS_CERTIFICATE="$EDGE_RUN_DIRECTORY/certificate.pem" EDGE_TLS_KEY="$EDGE_RUN_DIRECTORY/key.pem"
    (umask 077 && printf '%s\n' "$EDGE_TLS_CERTIFICATE_PEM" >"$EDGE_TLS_CERTIFICATE" && printf '%s\n' "$EDGE_TLS_KEY_PEM" >"$EDGE_TLS_KEY")
    unset EDGE_TLS_CERTIFICATE_PEM EDGE_TLS_KEY_PEM
fi
if [ -n "${EDGE_TRUNK_CERTIFICATE_PEM:-}" ]; then
    export EDGE_TRUNK_CERTIFICATE="$EDGE_RUN_DIRECTORY/trunk-certificate.pem" EDGE_TRUNK_KEY="$EDGE_RUN_DIRECTORY/trunk-key.pem"
    (umask 077 && printf '%s\n' "$EDGE_TRUNK_CERTIFICATE_PEM" >"$EDGE_TRUNK_CERTIFICATE" && printf '%s\n' "$EDGE_TRUNK_KEY_PEM" >"$EDGE_TRUNK_KEY")
    unset EDGE_TRUNK_CERTIFICATE_PEM EDGE_TRUNK_KEY_PEM
fi

stop() {
    if [ "$stopping" = no ]; then
        stopping=yes
        python3 -m sip_edge.agent.drain &
        wait $!
    fi
    kill -TERM "$kamailio" "$agent" "$rtpengine" 2>/dev/null
}

# Runs the module for ever.
keep() {
    trap 'kill -TERM "$child" 2>/dev/null; wait "$child"; exit 0' TERM
    while true; do
        python3 -m "$1" &
        child=$!
        wait "$child"
        sleep 1
    done
}

stopping=no
python3 -m sip_edge.agent.kamailio &
kamailio=$!
keep sip_edge.agent.rtpengine &
rtpengine=$!
keep sip_edge.agent &
agent=$!
trap stop TERM INT

wait "$kamailio"
status=$?
if [ "$stopping" = yes ]; then
    wait "$kamailio" "$agent" "$rtpengine"
    exit 0
fi
kill -TERM "$agent" "$rtpengine" 2>/dev/null
exit "$status"

#!/bin/sh
# The first conversation with the API, against a running server: scripts/smoke.sh [URL]
# The token comes from VBALANCE_TOKEN, else from var/demo.json of a house started by ./run.
set -u
cd "$(dirname "$0")/.."
url=${1:-http://127.0.0.1:8000}
token=${VBALANCE_TOKEN:-$(sed -n 's/.*"token": *"\([^"]*\)".*/\1/p' "${VBALANCE_VAR:-var}/demo.json" 2>/dev/null)}
[ -n "$token" ] || {
    echo "smoke: no token. Start ./run first, or set VBALANCE_TOKEN" >&2
    exit 2
}
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT
failed=0

call() { # call METHOD PATH [BODY] [KEY]: prints the status, keeps the body
    set -- "$1" "$2" "${3:-}" "${4:-}"
    curl --silent --max-time 20 --output "$answer" --write-out '%{http_code}' --request "$1" \
        --header "Authorization: Bearer $token" --header 'Content-Type: application/json' \
        ${4:+--header "Idempotency-Key: $4"} ${3:+--data "$3"} "$url$2"
}

expect() { # expect WHAT STATUS WORD METHOD PATH [BODY] [KEY]
    what=$1 status=$2 word=$3
    shift 3
    got=$(call "$@")
    if [ "$got" = "$status" ] && grep -q -- "$word" "$answer"; then
        printf 'OK    %s\n' "$what"
    else
        printf 'FAIL  %s: %s instead of %s: %s\n' "$what" "$got" "$status" "$(head -c 300 "$answer")"
        failed=1
    fi
}

field() { # field NAME: of the last answer
    sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" "$answer" | head -n 1
}

key=smoke-$(date +%s)-$$
unknown=00000000-0000-4000-8000-000000000000
expect 'health' 200 '"ok"' GET /healthz
expect 'health of v1' 200 '"v1"' GET /v1/healthz
expect 'create a position' 201 '"id"' POST /v1/positions '{"ticker":"ZIM","qty":0,"cash":10000}'
position=$(field id)
orders=/v1/positions/$position/orders
expect 'order' 201 '"accepted": *true' POST "$orders" '{"side":"BUY","qty":1.5}' "$key"
order=$(field order_id)
expect 'the same order again' 200 "$order" POST "$orders" '{"side":"BUY","qty":1.5}' "$key"
expect 'another order under its key' 409 idempotency_signature_mismatch POST "$orders" '{"side":"SELL","qty":2.0}' "$key"
expect 'an order without a key' 400 idempotency_key_missing POST "$orders" '{"side":"BUY","qty":1.5}'
expect 'an unknown position' 404 position_not_found POST "/v1/positions/$unknown/orders" '{"side":"BUY","qty":1}' "$key-u"
expect 'fill' 200 '"position_qty": *"1.5' POST "/v1/orders/$order/fill" '{"price":50,"filled_qty":1.5,"commission":0.1}'
expect 'events' 200 order_filled GET "/v1/positions/$position/events"
exit $failed

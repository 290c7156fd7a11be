#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Stands in for lmp-device-register where the documentation calls it: the same options, environment and files, by openssl and curl.
set -eu
factory= directory= token= uuid= name=
while [ $# -gt 0 ]; do
  case $1 in
    -f) factory=$2 ;;
    -t) ;;
    -d) directory=$2 ;;
    -T) token=$2 ;;
    -u) uuid=$2 ;;
    -n) name=$2 ;;
    *) echo "unknown option $1" >&2; exit 255 ;;
  esac
  shift 2
done
: "${factory:=acme}" "${directory:=sota}" "${uuid:=$(cat /proc/sys/kernel/random/uuid)}" "${name:=$uuid}"
mkdir -p "$directory"
openssl ecparam -name prime256v1 -genkey -noout -out "$directory/pkey.pem"
openssl req -new -key "$directory/pkey.pem" -subj "/CN=$uuid/OU=$factory" -out "$directory/device.csr"
jq -n --rawfile csr "$directory/device.csr" --arg name "$name" --arg uuid "$uuid" --arg directory "$directory" \
  '{csr: $csr, name: $name, uuid: $uuid, "hardware-id": "intel-corei7-64", "sota-config-dir": $directory}' > "$directory/request.json"
status=$(curl -sS -o "$directory/answer.json" -w '%{http_code}' -H "OSF-TOKEN: $token" -H 'Content-Type: application/json' \
  --data-binary "@$directory/request.json" "$DEVICE_API")
if [ "$status" != 201 ]; then
  cat "$directory/answer.json" >&2
  exit 255
fi
for file in client.pem client.chained root.crt sota.toml; do
  jq -j --arg file "$file" '.[$file]' "$directory/answer.json" > "$directory/$file"
done
